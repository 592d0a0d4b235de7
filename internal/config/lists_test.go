package config_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/config"
)

func TestListFolders(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct {
		name, file string
		environ    []string
		want       []string
	}{
		{"One", "lists: ours\n", nil, []string{filepath.Join(dir, "ours")}},
		{"Many", "lists: [ours, ../theirs]\n", nil, []string{filepath.Join(dir, "ours"), filepath.Join(dir, "..", "theirs")}},
		{"Environment", "lists: ours\n", []string{"SEKISHO_LISTS=a,b"}, []string{filepath.Join(dir, "a"), filepath.Join(dir, "b")}},
		{"None", "lists: []\n", nil, []string{}},
		{"Unset", "lists:\n", nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			write(t, dir, "sekisho.yaml", tc.file)
			c, err := config.Load(&config.Options{WorkDir: dir, Environ: tc.environ})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, c.Lists); diff != "" {
				t.Error(diff)
			}
		})
	}
}
