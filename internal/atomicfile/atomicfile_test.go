package atomicfile_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/sekisho/sekisho/internal/atomicfile"
)

func TestReplace(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.yaml")
	for _, want := range []string{"first", "second, and longer", ""} {
		if err := atomicfile.Replace(name, []byte(want)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("content %q, want %q", got, want)
		}
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want it readable by its owner only", info.Mode().Perm())
	}
	only(t, filepath.Dir(name), "a.yaml")
}

// TestReplaceFails leaves nothing behind where the file cannot take its place.
func TestReplaceFails(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.MkdirAll(filepath.Join(name, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Replace(name, []byte("x")); err == nil {
		t.Error("a file took the place of a folder with something in it")
	}
	only(t, filepath.Dir(name), "a.yaml")
	if err := atomicfile.Replace(filepath.Join(t.TempDir(), "none", "a.yaml"), nil); err == nil {
		t.Error("a file was written into a folder that does not exist")
	}
}

func only(t *testing.T, dir, name string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != name {
		t.Errorf("the folder holds %v, want %s alone", entries, name)
	}
}
