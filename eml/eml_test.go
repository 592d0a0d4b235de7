package eml_test

import (
	"os"
	"path/filepath"
	"testing"
)

// corpusDir is the folder of real mails, empty where there is none.
func corpusDir() string {
	for _, dir := range []string{os.Getenv("SEKISHO_SHARED"), "../../shared"} {
		if dir == "" {
			continue
		}
		if st, err := os.Stat(filepath.Join(dir, "data", "mail")); err == nil && st.IsDir() {
			return filepath.Join(dir, "data", "mail")
		}
	}
	return ""
}

func corpus(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("the mail collection is not read in a short run")
	}
	dir := corpusDir()
	if dir == "" {
		t.Skip("no mail collection: set SEKISHO_SHARED")
	}
	return dir
}

// corpusPaths lists the mails of the collection in the order of their names.
func corpusPaths() []string {
	var files []string
	_ = filepath.WalkDir(corpusDir(), func(path string, d os.DirEntry, err error) error {
		if ext := filepath.Ext(path); err == nil && d.Type().IsRegular() && ext != ".tsv" && ext != ".msg" {
			files = append(files, path)
		}
		return nil
	})
	return files
}

func corpusFiles(t testing.TB) []string {
	t.Helper()
	corpus(t)
	return corpusPaths()
}
