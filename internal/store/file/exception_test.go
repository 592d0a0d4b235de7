package file_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/store/file"
	"github.com/sekisho/sekisho/lang"
)

var (
	cmpPrefix = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
	noon      = time.Date(2026, 5, 29, 12, 0, 0, 0, time.UTC)
)

func exception(id string) desk.Exception {
	return desk.Exception{ID: id, DKIM: "survey.example", Owner: "佐藤", Reason: "x", Created: noon, Expires: noon.AddDate(0, 0, 90)}
}

func read(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, file.ExceptionsName))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, file.ExceptionsName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRoundTrip(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	s := file.New(dir, nil)
	if all, err := s.List(t.Context()); err != nil || len(all) != 0 {
		t.Fatalf("before the first: %v, %v", all, err)
	}
	want := []desk.Exception{
		{
			ID: "ex-12345678", From: "scanner@kiso-works.example", IP: netip.MustParsePrefix("198.51.100.10/32"), DKIM: "kiso-works.example", Kind: "mail.direct-send-spoof",
			Owner: "佐藤: \"花子\" # it", Reason: "yes", Created: noon, Expires: noon.AddDate(0, 0, 90),
		},
		{ID: "12345678", IP: netip.MustParsePrefix("2001:db8::/48"), Owner: "- x", Reason: "null", Created: noon, Expires: noon.AddDate(0, 0, 1)},
	}
	for _, e := range want {
		if err := s.Add(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	got, err := file.New(dir, nil).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpPrefix); diff != "" {
		t.Error(diff)
	}
	if err := s.Remove(t.Context(), "ex-12345678"); err != nil {
		t.Fatal(err)
	}
	wantFile := `# Exceptions of sekisho: known mail whose findings are set aside.
# Written by "sekisho allow add" and "sekisho allow remove"; comments are not kept.
exceptions:
  - id: "12345678"
    ip: 2001:db8::/48
    owner: '- x'
    reason: "null"
    created: "2026-05-29T12:00:00Z"
    expires: "2026-05-30T12:00:00Z"
`
	if diff := cmp.Diff(wantFile, read(t, dir)); diff != "" {
		t.Error(diff)
	}
	if err := s.Remove(t.Context(), "12345678"); err != nil {
		t.Fatal(err)
	}
	if all, err := s.List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("after the last: %v, %v", all, err)
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(names) != 1 {
		t.Errorf("left over: %v", names)
	}
	if fi, err := os.Stat(filepath.Join(dir, file.ExceptionsName)); err != nil {
		t.Error(err)
	} else if runtime.GOOS != "windows" && fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", fi.Mode().Perm())
	}
}

func TestAddAndRemoveRefuse(t *testing.T) {
	dir := t.TempDir()
	s := file.New(dir, nil)
	if err := s.Add(t.Context(), exception("ex-1")); err != nil {
		t.Fatal(err)
	}
	before := read(t, dir)
	if err := s.Add(t.Context(), exception("ex-1")); !errors.Is(err, desk.ErrExceptionExists) {
		t.Errorf("added twice: %v", err)
	}
	if err := s.Remove(t.Context(), "ex-2"); !errors.Is(err, desk.ErrNoException) {
		t.Errorf("removed what is not there: %v", err)
	}
	bad := exception("ex-3")
	bad.Owner = ""
	if err := s.Add(t.Context(), bad); err == nil {
		t.Error("kept an exception without an owner")
	}
	if diff := cmp.Diff(before, read(t, dir)); diff != "" {
		t.Errorf("the file changed: %s", diff)
	}
}

const entry = `exceptions:
  - id: ex-1
    dkim: survey.example
    owner: o
    reason: r
    created: 2026-05-29
    expires: 2026-06-29T12:00:00+09:00
`

// TestEditedFile reads what a person wrote.
func TestEditedFile(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, strings.Replace(entry, "dkim: survey.example", "ip: 192.0.2.7", 1))
	got, err := file.New(dir, nil).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []desk.Exception{{
		ID: "ex-1", IP: netip.MustParsePrefix("192.0.2.7/32"), Owner: "o", Reason: "r",
		Created: time.Date(2026, 5, 29, 0, 0, 0, 0, time.UTC), Expires: time.Date(2026, 6, 29, 3, 0, 0, 0, time.UTC),
	}}
	if diff := cmp.Diff(want, got, cmpPrefix); diff != "" {
		t.Error(diff)
	}
}

func TestDamagedFile(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"Syntax", "exceptions:\n  - id: 'x\n", "exceptions.yaml:2: the file of exceptions is damaged (found unexpected end of stream)"},
		{"CutOff", strings.Split(entry, "    created")[0], "exceptions.yaml:2: an exception needs the dates created and expires"},
		{"Text", "hello\n", "exceptions.yaml:1: the file of exceptions is damaged (fields with a name and a colon were expected)"},
		{"Zeros", strings.Repeat("\x00", 100), "exceptions.yaml: the file of exceptions is damaged (control characters are not allowed)"},
		{"NoList", "exceptions: x\n", "exceptions.yaml:1: the file of exceptions is damaged (exceptions is no list)"},
		{"UnknownTop", "exception: []\n", `exceptions.yaml:1: there is no field "exception"`},
		{"UnknownField", entry + "    helo: x\n", `exceptions.yaml:8: there is no field "helo"`},
		{"FieldTwice", entry + "    owner: x\n", "exceptions.yaml:8: the file of exceptions is damaged (the same field twice)"},
		{"EmptyField", entry + "    from:\n", "exceptions.yaml:8: the value of from cannot be read"},
		{"BadIP", entry + "    ip: 192.0.2.999\n", "exceptions.yaml:8: the value of ip cannot be read"},
		{"BadTime", strings.Replace(entry, "2026-05-29\n", "yesterday\n", 1), "exceptions.yaml:6: the value of created cannot be read"},
		{"TooLong", strings.Replace(entry, "2026-06", "2028-06", 1), "exceptions.yaml:2: an exception lasts 366 days at most"},
		{"TooWide", strings.Replace(entry, "dkim: survey.example", "ip: 0.0.0.0/0", 1), "exceptions.yaml:2: 0.0.0.0/0 is too wide to be trusted by itself; up to /24 is possible"},
		{"IDTwice", entry + strings.TrimPrefix(entry, "exceptions:\n"), "exceptions.yaml:8: the exception ex-1 is there twice"},
		{"Alias", "exceptions: &a\n  - *a\n", "exceptions.yaml:2: the file of exceptions is damaged (fields with a name and a colon were expected)"},
		{"TwoDocuments", entry + "---\nexceptions: []\n", "exceptions.yaml:8: the file of exceptions is damaged (a second document)"},
		{"TooBig", strings.Repeat("#", 4<<20+1), "exceptions.yaml: bigger than 4 MiB"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, tc.text)
			s := file.New(dir, nil)
			_, err := s.List(t.Context())
			e, ok := errors.AsType[*desk.Error](err)
			if !ok {
				t.Fatalf("got %v, want a desk.Error", err)
			}
			got := strings.TrimPrefix(lang.Default().Say(lang.EN, e.Message), dir+string(filepath.Separator))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if e.Hint.IsZero() {
				t.Error("no hint")
			}
			// What cannot be read must not be written over.
			if err := s.Add(t.Context(), exception("ex-9")); err == nil {
				t.Error("added to a damaged file")
			}
			if got := read(t, dir); got != tc.text {
				t.Error("the damaged file was changed")
			}
		})
	}
}

// TestConcurrentWriters adds from many goroutines with stores of their own, as
// many processes would.
func TestConcurrentWriters(t *testing.T) {
	dir := t.TempDir()
	const writers, each = 8, 5
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			s := file.New(dir, nil)
			for i := range each {
				if err := s.Add(t.Context(), exception(fmt.Sprintf("ex-%d-%d", w, i))); err != nil {
					t.Error(err)
				}
				if _, err := s.List(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	all, err := file.New(dir, nil).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != writers*each {
		t.Errorf("%d exceptions, want %d", len(all), writers*each)
	}
	if names, _ := os.ReadDir(dir); len(names) != 1 {
		t.Errorf("left over: %v", names)
	}
}

func TestStaleLock(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, file.ExceptionsName+".lock")
	if err := os.WriteFile(name, []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	made, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	at := made.ModTime()
	s := file.New(dir, &file.Options{Now: func() time.Time { return at }})

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err = s.Add(ctx, exception("ex-1"))
	if e, ok := errors.AsType[*desk.Error](err); !ok || e.Kind != desk.Unavailable {
		t.Fatalf("with a live lock: %v", err)
	}
	if _, err := os.Stat(name); err != nil {
		t.Fatalf("the lock of another was removed: %v", err)
	}

	at = at.Add(time.Minute)
	if err := s.Add(t.Context(), exception("ex-1")); err != nil {
		t.Fatalf("with a stale lock: %v", err)
	}
	if names, _ := os.ReadDir(dir); len(names) != 1 {
		t.Errorf("left over: %v", names)
	}
}

func TestDirectoryIsAFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := file.New(name, nil)
	if _, err := s.List(t.Context()); err == nil {
		t.Error("listed a file as a directory")
	}
	if _, ok := errors.AsType[*desk.Error](s.Add(t.Context(), exception("ex-1"))); !ok {
		t.Error("added below a file")
	}
}

// FuzzList reads any bytes as the file: whatever is believed is an exception
// that could have been added, and what is written is read back.
func FuzzList(f *testing.F) {
	f.Add(entry)
	f.Add("exceptions:\n  - {id: a, ip: 192.0.2.1, owner: o, reason: r, created: 2026-05-29, expires: 2026-06-29, kind: mail.x}\n")
	f.Add("exceptions: [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		write(t, dir, text)
		s := file.New(dir, nil)
		all, err := s.List(t.Context())
		if err != nil {
			if _, ok := errors.AsType[*desk.Error](err); !ok {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		other := t.TempDir()
		for _, e := range all {
			if e.Matches(desk.Claim{From: "stranger@unknown.test", Kind: finding.Kind("mail.x")}) {
				t.Errorf("lets a stranger in: %+v", e)
			}
			if err := file.New(other, nil).Add(t.Context(), e); err != nil {
				t.Errorf("could not be added: %v", err)
			}
		}
		again, err := file.New(other, nil).List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range all {
			all[i].Created, all[i].Expires = all[i].Created.Truncate(time.Second), all[i].Expires.Truncate(time.Second)
		}
		if diff := cmp.Diff(all, append([]desk.Exception{}, again...), cmpPrefix); diff != "" && len(all) > 0 {
			t.Error(diff)
		}
	})
}
