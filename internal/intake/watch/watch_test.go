package watch_test

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/intake/watch"
	"github.com/sekisho/sekisho/lang"
)

type desktop struct {
	mu   sync.Mutex
	got  []string
	fail int
}

func (d *desktop) accept(_ context.Context, m *desk.Delivery) (desk.MailID, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail > 0 {
		d.fail--
		return "", errors.New("the disk is full")
	}
	d.got = append(d.got, string(m.Raw))
	return "1", nil
}

func (d *desktop) mails() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(slices.Values(d.got))
}

// read takes each line of a file for a mail, and "bad" for none.
func read(_ context.Context, path string) iter.Seq[desk.Item] {
	return func(yield func(desk.Item) bool) {
		b, err := os.ReadFile(path)
		if err != nil {
			yield(desk.Item{Err: err})
			return
		}
		for line := range strings.FieldsSeq(string(b)) {
			it := desk.Item{Raw: []byte(line)}
			if line == "bad" {
				it = desk.Item{Err: &desk.Error{Kind: desk.Invalid, Message: lang.M("mailbox.empty")}}
			}
			if !yield(it) {
				return
			}
		}
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var out []string
	for _, f := range list {
		out = append(out, f.Name())
	}
	return out
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s: never", what)
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	d := &desktop{fail: 2}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	problems := make(chan error, 100)
	go func() {
		done <- watch.Run(ctx, &watch.Options{Dir: dir, Every: 20 * time.Millisecond, Read: read, Accept: d.accept, Problem: func(err error) { problems <- err }})
	}()
	write(t, dir, "a.eml", "one")
	write(t, dir, "b.mbox", "two three")
	write(t, dir, "c.eml", "bad")
	write(t, dir, "d.eml", "")
	write(t, dir, "e.eml.part", "four")
	write(t, dir, ".f.eml", "five")
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all files are sorted", func() bool {
		return len(names(t, filepath.Join(dir, "done"))) == 2 && len(names(t, filepath.Join(dir, "bad"))) == 4
	})
	if diff := cmp.Diff([]string{"one", "three", "two"}, d.mails()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{".f.eml", "bad", "done", "e.eml.part", "folder"}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"c.eml", "c.eml.txt", "d.eml", "d.eml.txt"}, names(t, filepath.Join(dir, "bad"))); diff != "" {
		t.Error(diff)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "bad", "c.eml.txt")); err != nil || len(b) < 20 {
		t.Errorf("%q %v", b, err)
	}
	if len(problems) == 0 {
		t.Error("nobody was told that the disk was full")
	}
	// The same name again keeps both.
	write(t, dir, "a.eml", "six")
	eventually(t, "the second one of the name", func() bool { return len(names(t, filepath.Join(dir, "done"))) == 3 })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A file that grows is left alone.
func TestGrowing(t *testing.T) {
	dir := t.TempDir()
	d := &desktop{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- watch.Run(ctx, &watch.Options{Dir: dir, Every: 60 * time.Millisecond, Read: read, Accept: d.accept})
	}()
	text := ""
	for range 40 {
		text += "x"
		write(t, dir, "a.eml", text)
		time.Sleep(10 * time.Millisecond)
	}
	eventually(t, "it is taken in", func() bool { return len(d.mails()) > 0 })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{text}, d.mails()); diff != "" {
		t.Error(diff)
	}
}

func TestNoFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, filepath.Dir(file), "file", "")
	if err := watch.Run(t.Context(), &watch.Options{Dir: file, Read: read}); err == nil {
		t.Error("a file is no folder")
	}
}
