package fs_test

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/sekisho/sekisho/internal/blob/blobtest"
	"github.com/sekisho/sekisho/internal/blob/fs"
	"github.com/sekisho/sekisho/internal/desk"
)

func open(t *testing.T, dir string) *fs.Store {
	t.Helper()
	s, err := fs.Open(dir, blobtest.Max)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestBlobs(t *testing.T) {
	blobtest.Run(t, func(t *testing.T, dir string) desk.Blobs { return open(t, dir) })
}

func file(dir, name string) string { return filepath.Join(dir, name[:2], name+".zst") }

// What was changed on the disk is an error, and handing the mail in again mends
// it.
func TestChanged(t *testing.T) {
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	dir := t.TempDir()
	s := open(t, dir)
	name, err := s.PutBlob(t.Context(), []byte("as received"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		b    []byte
	}{
		{"AnotherMail", e.EncodeAll([]byte("as changed"), nil)},
		{"NotCompressed", []byte("as received")},
		{"Empty", nil},
		{"Bomb", e.EncodeAll(make([]byte, 4<<20), nil)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := os.WriteFile(file(dir, name), tc.b, 0o600); err != nil {
				t.Fatal(err)
			}
			b, err := s.Blob(t.Context(), name)
			if e, ok := errors.AsType[*desk.Error](err); !ok || e.Kind != desk.Invalid || b != nil {
				t.Errorf("%q %v", b, err)
			}
			if _, err := s.PutBlob(t.Context(), []byte("as received")); err != nil {
				t.Fatal(err)
			}
			if b, err := s.Blob(t.Context(), name); err != nil || string(b) != "as received" {
				t.Errorf("after it was handed in again: %q %v", b, err)
			}
		})
	}
}

// What a crash left half written is deleted once nobody can be writing it.
func TestLeftOver(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	name, err := s.PutBlob(t.Context(), []byte("whole"))
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Dir(file(dir, name))
	fresh, old := filepath.Join(folder, ".put-1"), filepath.Join(folder, ".put-2")
	for _, f := range []string{fresh, old} {
		if err := os.WriteFile(f, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	yesterday := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(old, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("what may be being written is gone: %v", err)
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("what was left over is there")
	}
	if b, err := s.Blob(t.Context(), name); err != nil || string(b) != "whole" {
		t.Errorf("%q %v", b, err)
	}
}

// Nobody else may read the mail, and a deleted one leaves nothing.
func TestFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	s := open(t, dir)
	name, err := s.PutBlob(t.Context(), []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" {
		for _, p := range []string{dir, filepath.Dir(file(dir, name)), file(dir, name)} {
			st, err := os.Stat(p)
			if err != nil || st.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s: %v %v", p, st.Mode(), err)
			}
		}
	}
	if err := s.DeleteBlob(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.IsDir() || strings.Contains(path, name) {
			t.Errorf("%s is left: %v", path, err)
		}
		return nil
	})
}

// TestFaults fails each step by which bytes are made to last: every one is told,
// and leaves nothing that is taken for the bytes.
func TestFaults(t *testing.T) {
	fault := errors.New("no such luck")
	for fail := 1; ; fail++ {
		dir := t.TempDir()
		n, failed := 0, ""
		step := func(name string) error {
			if n++; n == fail {
				failed = name
				return fault
			}
			return nil
		}
		s, err := fs.OpenOn(fs.System{
			Write: func(f *os.File, b []byte) (int, error) {
				if err := step("write"); err != nil {
					_, _ = f.Write(b[:len(b)/2])
					return len(b) / 2, err
				}
				return f.Write(b)
			},
			Sync: func(f *os.File) error {
				if err := step("sync " + filepath.Base(f.Name())); err != nil {
					return err
				}
				return f.Sync()
			},
			Rename: func(from, to string) error {
				if err := step("rename"); err != nil {
					return err
				}
				return os.Rename(from, to)
			},
		}, dir, blobtest.Max)
		if err != nil {
			t.Fatal(err)
		}
		name, err := s.PutBlob(t.Context(), []byte("to last"))
		if failed == "" {
			if err != nil || n < 5 {
				t.Errorf("without a fault: %d steps, %v", n, err)
			}
			return
		}
		if !errors.Is(err, fault) {
			t.Errorf("%s: %v", failed, err)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*", ".put-*")); len(left) > 0 {
			t.Errorf("%s leaves %v", failed, left)
		}
		// What was not synced is synced by the next one that relies on it.
		before := n
		if again, err := s.PutBlob(t.Context(), []byte("to last")); err != nil || n == before {
			t.Errorf("after %s: %q %v, %d steps", failed, again, err, n-before)
		}
		if b, err := s.Blob(t.Context(), cmp.Or(name, string(desk.MailIDOf([]byte("to last"), nil)))); err != nil || string(b) != "to last" {
			t.Errorf("after %s: %q %v", failed, b, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
