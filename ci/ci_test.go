package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	for _, tc := range []struct {
		name   string
		events []string
		want   tally
		out    []string // what must be printed
		not    []string // what must not
	}{
		{
			name: "PassAndSkip",
			events: []string{
				`{"Action":"run","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"chatter\n"}`,
				`{"Action":"pass","Package":"p","Test":"TestA"}`,
				`{"Action":"skip","Package":"p","Test":"TestB"}`,
				`{"Action":"pass","Package":"p","Elapsed":1.5}`,
			},
			want: tally{passed: 1, skipped: 1},
			out:  []string{"ok   p  1 passed, 0 failed, 1 skipped  1.5s"},
			not:  []string{"chatter"},
		},
		{
			name: "GroupsAreNotCounted",
			events: []string{
				`{"Action":"pass","Package":"p","Test":"TestA/One/Deep"}`,
				`{"Action":"pass","Package":"p","Test":"TestA/One"}`,
				`{"Action":"fail","Package":"p","Test":"TestA/Two"}`,
				`{"Action":"fail","Package":"p","Test":"TestA"}`,
				`{"Action":"fail","Package":"p"}`,
			},
			want: tally{passed: 1, failed: 1},
		},
		{
			name: "GroupFailsByItself",
			events: []string{
				`{"Action":"pass","Package":"p","Test":"TestA/One"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"after all\n"}`,
				`{"Action":"fail","Package":"p","Test":"TestA"}`,
				`{"Action":"fail","Package":"p"}`,
			},
			want: tally{passed: 1, failed: 1},
			out:  []string{"after all"},
		},
		{
			name: "FailingOutputIsWhole",
			events: []string{
				`{"Action":"output","Package":"p","Test":"TestA","Output":"line one\n"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"line two\n"}`,
				`{"Action":"fail","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Test":"TestB","Output":"fine\n"}`,
				`{"Action":"pass","Package":"p","Test":"TestB"}`,
				`{"Action":"fail","Package":"p"}`,
			},
			want: tally{passed: 1, failed: 1},
			out:  []string{"FAIL p  1 passed, 1 failed", "line one\nline two\n"},
			not:  []string{"fine"},
		},
		{
			name: "PackageDies",
			events: []string{
				`{"Action":"run","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"panic: x\n"}`,
				`{"Action":"fail","Package":"p"}`,
			},
			want: tally{failed: 1},
			out:  []string{"panic: x"},
		},
		{
			name: "DoesNotBuild",
			events: []string{
				`{"ImportPath":"p [p.test]","Action":"build-output","Output":"p.go:1: undefined: x\n"}`,
				`{"ImportPath":"p [p.test]","Action":"build-fail"}`,
				`{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}`,
			},
			want: tally{failed: 1},
			out:  []string{"undefined: x"},
		},
		{
			name:   "NoTests",
			events: []string{`{"Action":"skip","Package":"p"}`},
			not:    []string{"ok"},
		},
		{
			name:   "PlainText",
			events: []string{`go: no module`},
			out:    []string{"go: no module"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			got, err := read(strings.NewReader(strings.Join(tc.events, "\n")+"\n"), &out)
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			for _, s := range tc.out {
				if !strings.Contains(out.String(), s) {
					t.Errorf("the output has no %q:\n%s", s, out.String())
				}
			}
			for _, s := range tc.not {
				if strings.Contains(out.String(), s) {
					t.Errorf("the output has %q:\n%s", s, out.String())
				}
			}
		})
	}
}

func TestTallyIsTheLastLine(t *testing.T) {
	got := tally{passed: 12, failed: 1, skipped: 3}.String()
	if diff := cmp.Diff("12 passed, 1 failed, 3 skipped", got); diff != "" {
		t.Error(diff)
	}
}

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		want options
		err  error
	}{
		{"Nothing", nil, options{time: 30 * time.Second, mails: 1000, kills: 10}, nil},
		{"Fast", []string{"-fast"}, options{fast: true, time: 30 * time.Second, mails: 1000, kills: 10}, nil},
		{"FlagsAnywhere", []string{"fuzz", "-time", "1m", "-run=Head", "lint"}, options{time: time.Minute, match: "Head", mails: 1000, kills: 10, stages: []string{"fuzz", "lint"}}, nil},
		{"UnknownStage", []string{"tests"}, options{time: 30 * time.Second, mails: 1000, kills: 10}, errUsage},
		{"Help", []string{"-h"}, options{time: 30 * time.Second, mails: 1000, kills: 10}, flag.ErrHelp},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parse(tc.args, new(bytes.Buffer))
			if !errors.Is(err, tc.err) {
				t.Fatalf("error %v, want %v", err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(options{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWants(t *testing.T) {
	chosen := func(o options) string {
		var n []string
		for _, s := range stages() {
			if (&check{opts: o}).wants(s) {
				n = append(n, s.name)
			}
		}
		return strings.Join(n, " ")
	}
	for _, tc := range []struct {
		name string
		opts options
		want string
	}{
		{"All", options{}, "build vet format tidy generate lint test corpus partners soak"},
		{"Fast", options{fast: true}, "build vet format tidy generate test"},
		{"Named", options{stages: []string{"bench", "vet"}}, "vet bench"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, chosen(tc.opts)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	getenv := func(name string) string { return map[string]string{"SET": "x"}[name] }
	for _, tc := range []struct{ name, directive, want string }{
		{"None", "go run ./gen", ""},
		{"OfGo", "go run ./gen $GOFILE ${GOPACKAGE} ${DOLLAR}", ""},
		{"Set", "go run ./gen $SET", ""},
		{"NotSet", "go run ./gen $SET ${FOLDER}", "FOLDER"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := missing(tc.directive, getenv); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestFuzzTargets(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a/a_test.go", "package a\n\nfunc FuzzHead(f *testing.F) {}\n\nfunc helperFuzz() {}\n\nfunc (x) FuzzMethod() {}\n")
	write(t, dir, "a/a.go", "package a\n\nfunc FuzzInCode() {}\n")
	write(t, dir, "b/testdata/c_test.go", "package c\n\nfunc FuzzInData() {}\n")
	got, err := fuzzTargets(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]target{{dir: "a", name: "FuzzHead"}}, got, cmp.AllowUnexported(target{})); diff != "" {
		t.Error(diff)
	}
}

func TestCompare(t *testing.T) {
	before, after := t.TempDir(), t.TempDir()
	for _, dir := range []string{before, after} {
		write(t, dir, "same", "1")
	}
	write(t, before, "changed", "1")
	write(t, after, "changed", "2")
	write(t, after, "sub/new", "1")
	got, err := compare(before, after)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"changed", "sub/new"}, got); diff != "" {
		t.Error(diff)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
