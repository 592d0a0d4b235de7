package feeds_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/syntax"
)

const (
	good   = "name: Good\nid: good-1\nsource: type.inbound\n"
	never  = "name: Never\nsource: \"false\"\n"
	noRule = "just: [words\n"
	wrong  = "name: Wrong\r\nsource: |\r\n  type.inbound and\r\n  sender.emial.email == 'a'\r\n"
)

// folder writes files and returns their folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoad(t *testing.T) {
	dir := folder(t, map[string]string{"b.yml": good, "a/never.yaml": never, "c.yml": noRule, "d.yml": wrong, "readme.md": "words", "e.txt": good})
	missing := filepath.Join(dir, "missing.yml")
	set, err := feeds.Load(t.Context(), []string{missing, dir, filepath.Join(dir, "b.yml"), filepath.Join(dir, "e.txt")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	type rule struct {
		File, ID, Name            string
		Parsed, OK, Never, FromMe bool
		Problems                  int
	}
	var got []rule
	for i := range set.Rules {
		r := &set.Rules[i]
		rel, err := filepath.Rel(dir, r.File)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rule{filepath.ToSlash(rel), r.ID(), r.Name(), r.Parsed(), r.OK(), !r.Never().IsZero(), r.Source == dir, len(r.Problems)})
	}
	want := []rule{
		{"a/never.yaml", "never", "Never", true, true, true, true, 1},
		{"b.yml", "good-1", "Good", true, true, false, true, 0},
		{"c.yml", "c", "c", false, false, false, true, 1},
		{"d.yml", "d", "Wrong", true, false, false, true, 1},
		{"e.txt", "good-1", "Good", true, true, false, false, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{0, 1, 4}, set.Usable); diff != "" || set.Compiled.Len() != 3 {
		t.Errorf("usable: %s; %d compiled", diff, set.Compiled.Len())
	}
	if len(set.Unread) != 1 || set.Unread[0].Path != missing || !errors.Is(set.Unread[0].Err, fs.ErrNotExist) {
		t.Errorf("unread: %v", set.Unread)
	}
}

func TestProblemPlace(t *testing.T) {
	type place struct {
		Level                syntax.Level
		Line, Column, Length int
		Source               string
	}
	for _, tc := range []struct {
		name, text string
		want       place
	}{
		{"Field", wrong, place{syntax.Error, 4, 10, 5, "  sender.emial.email == 'a'"}},
		{"NoRule", "name: x\nsource: 1\nname: y\n", place{syntax.Error, 3, 1, 1, "name: y"}},
		{"Empty", "", place{syntax.Error, 1, 1, 1, ""}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			set, err := feeds.Load(t.Context(), []string{folder(t, map[string]string{"r.yml": tc.text})}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(set.Rules) != 1 || len(set.Rules[0].Problems) != 1 {
				t.Fatalf("%+v", set.Rules)
			}
			p := set.Rules[0].Problems[0]
			if diff := cmp.Diff(tc.want, place{p.Level, p.Line, p.Column, p.Length, p.Source}); diff != "" {
				t.Errorf("(-want +got):\n%s\n%s", diff, lang.Default().Say(lang.EN, p.Message))
			}
		})
	}
}

func TestLoadNothing(t *testing.T) {
	set, err := feeds.Load(t.Context(), []string{t.TempDir()}, nil)
	if err != nil || len(set.Rules) != 0 || set.Compiled == nil || set.Compiled.Len() != 0 {
		t.Errorf("%+v, %v", set, err)
	}
}

func TestLoadEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := feeds.Load(ctx, []string{folder(t, map[string]string{"a.yml": good})}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestLoadTooMuch(t *testing.T) {
	path := filepath.Join(folder(t, nil), "big.yml")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(feeds.MaxBytes + 1); err != nil {
		t.Skip(err)
	}
	if _, err := feeds.Load(t.Context(), []string{path}, nil); !errors.Is(err, feeds.ErrTooMuch) {
		t.Errorf("got %v", err)
	}
}
