package mailbox_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/intake/mailbox"
)

// shared returns a folder of real mail, and skips the test where there is none.
func shared(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("SEKISHO_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "shared")
	}
	path := filepath.Join(root, "data", "mail", name)
	if _, err := os.Stat(path); err != nil {
		t.Skip("no real mail here; set SEKISHO_SHARED")
	}
	return path
}

// TestCorpusFolders walks folders in which every file is one whole mail.
func TestCorpusFolders(t *testing.T) {
	for _, name := range []string{"phish", "ham", "commercial"} {
		t.Run(name, func(t *testing.T) {
			dir := shared(t, name)
			files, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			items := 0
			for item := range mailbox.Walk(t.Context(), []string{dir}, nil, nil) {
				items++
				if item.Err != nil || item.Form != desk.FormMessage || item.Index != 0 {
					t.Errorf("%s (%d): form %q, error %v", item.File, item.Index, item.Form, item.Err)
				}
			}
			if items != len(files) {
				t.Errorf("%d items of %d files", items, len(files))
			}
		})
	}
}

// TestCorpusTorture names every file of the torture set, of which many are
// parts or empty: each must give a message or say why not.
func TestCorpusTorture(t *testing.T) {
	dir := shared(t, "torture")
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	seen, bad := map[string]bool{}, 0
	for item := range mailbox.Walk(t.Context(), paths, nil, nil) {
		seen[item.File] = true
		if item.Err != nil {
			bad++
		}
	}
	if len(seen) != len(paths) {
		t.Errorf("%d of %d files gave an item", len(seen), len(paths))
	}
	if bad > len(paths)/4 {
		t.Errorf("%d of %d files were refused", bad, len(paths))
	}
	t.Logf("%d files, %d refused", len(paths), bad)
}
