package backup_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/backup"
	"github.com/sekisho/sekisho/internal/desk"
)

const database = "sekisho.db"

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		out[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func source(t *testing.T) backup.Source {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, map[string]string{
		database: "live", database + "-wal": "log", "blobs/ab/abcd.zst": "mail", "blobs/ab/.put-1": "half", "secret.key": "key", "exceptions.yaml": "[]", "exceptions.yaml.lock": "1",
	})
	return backup.Source{
		Dir: dir, Database: database, Now: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC), Version: "1",
		Snapshot: func(_ context.Context, path string) error {
			write(t, dir, map[string]string{"blobs/cd/cdef.zst": "a mail that comes meanwhile"})
			return os.WriteFile(path, []byte("one moment"), 0o600)
		},
	}
}

func fine(context.Context, string) error { return nil }

func TestBackup(t *testing.T) {
	s := source(t)
	name := filepath.Join(t.TempDir(), "backup.tar")
	sum, err := backup.Write(t.Context(), s, name)
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(name); err != nil || runtime.GOOS != "windows" && st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st.Mode(), err)
	}
	if _, err := backup.Write(t.Context(), s, name); !kind(err, desk.Conflict) {
		t.Errorf("a backup was replaced: %v", err)
	}
	to := filepath.Join(t.TempDir(), "new", "data")
	got, err := backup.Restore(t.Context(), name, to, fine)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{database: "one moment", "blobs/ab/abcd.zst": "mail", "blobs/cd/cdef.zst": "a mail that comes meanwhile", "secret.key": "key", "exceptions.yaml": "[]"}
	if diff := cmp.Diff(want, files(t, to)); diff != "" {
		t.Error(diff)
	}
	if *got != *sum || sum.Files != len(want) {
		t.Errorf("%v and %v", got, sum)
	}
	if _, err := backup.Restore(t.Context(), name, to, fine); !kind(err, desk.Conflict) {
		t.Errorf("a folder was replaced: %v", err)
	}
	if n := len(files(t, s.Dir)); n != 8 {
		t.Errorf("%d files are in the folder that was backed up", n)
	}
}

func kind(err error, k desk.ErrorKind) bool {
	e, ok := errors.AsType[*desk.Error](err)
	return ok && e.Kind == k
}

// What is not a whole backup leaves nothing behind.
func TestRestoreRefuses(t *testing.T) {
	name := filepath.Join(t.TempDir(), "backup.tar")
	if _, err := backup.Write(t.Context(), source(t), name); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(whole, []byte("a mail that comes meanwhile"), []byte("a mail that came meanwhile!"), 1)
	for _, tc := range []struct {
		name string
		b    []byte
	}{
		{"Empty", nil},
		{"NoTar", []byte("hello")},
		{"CutInAFile", whole[:700]},
		{"CutBeforeTheList", without(t, whole, backup.ManifestName)},
		{"Changed", changed},
		{"FileMissing", without(t, whole, "secret.key")},
		{"FileTooMany", with(t, whole, tar.Header{Name: "more", Typeflag: tar.TypeReg})},
		{"Upwards", with(t, whole, tar.Header{Name: "../evil", Typeflag: tar.TypeReg})},
		{"Absolute", with(t, whole, tar.Header{Name: "/evil", Typeflag: tar.TypeReg})},
		{"Drive", with(t, whole, tar.Header{Name: `C:\evil`, Typeflag: tar.TypeReg})},
		{"Link", with(t, whole, tar.Header{Name: "link", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink})},
		{"Twice", with(t, whole, tar.Header{Name: "secret.key", Typeflag: tar.TypeReg})},
	} {
		t.Run(tc.name, func(t *testing.T) {
			parent := t.TempDir()
			bad := filepath.Join(t.TempDir(), "bad.tar")
			if err := os.WriteFile(bad, tc.b, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := backup.Restore(t.Context(), bad, filepath.Join(parent, "data"), fine)
			if !kind(err, desk.Invalid) {
				t.Errorf("the error is %v", err)
			}
			if list, err := os.ReadDir(parent); err != nil || len(list) > 0 {
				t.Errorf("%v is left: %v", list, err)
			}
		})
	}
	t.Run("Check", func(t *testing.T) {
		parent := t.TempDir()
		_, err := backup.Restore(t.Context(), name, filepath.Join(parent, "data"), func(context.Context, string) error { return errors.New("damaged") })
		if list, listErr := os.ReadDir(parent); !kind(err, desk.Invalid) || listErr != nil || len(list) > 0 {
			t.Errorf("%v, %v is left", err, list)
		}
	})
}

// edit writes an archive anew; each says what becomes of an entry.
func edit(t *testing.T, b []byte, first *tar.Header, keep func(name string) bool) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if first != nil {
		if err := w.WriteHeader(first); err != nil {
			t.Fatal(err)
		}
	}
	r := tar.NewReader(bytes.NewReader(b))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !keep(h.Name) {
			continue
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func without(t *testing.T, b []byte, name string) []byte {
	return edit(t, b, nil, func(n string) bool { return n != name })
}

func with(t *testing.T, b []byte, h tar.Header) []byte {
	return edit(t, b, &h, func(string) bool { return true })
}
