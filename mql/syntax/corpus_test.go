package syntax_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/sekisho/sekisho/mql/syntax"
)

// rules returns the sources of the public rules by path.
func rules(t testing.TB) map[string]string {
	t.Helper()
	dir := os.Getenv("SEKISHO_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	dir = filepath.Join(dir, "data", "mql", "rules")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the public rules are not here: set SEKISHO_SHARED")
	}
	sources := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".yml") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var rule struct {
			Source string `yaml:"source"`
		}
		if err := yaml.Unmarshal(b, &rule); err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		sources[filepath.ToSlash(name)] = rule.Source
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sources
}

// TestCorpus reads and rewrites every public rule.
func TestCorpus(t *testing.T) {
	sources := rules(t)
	var took time.Duration
	parsed, same := 0, 0
	for name, src := range sources {
		began := time.Now()
		f := syntax.Parse(src)
		took += time.Since(began)
		if !f.OK() {
			t.Errorf("%s:\n%s", name, describe(f))
			continue
		}
		parsed++
		out := syntax.Format(f)
		if out == src {
			same++
		}
		again := syntax.Parse(out)
		if !again.OK() || dump(f.Root) != dump(again.Root) {
			t.Errorf("%s: the formatted source is another one: %s", name, describe(again))
		}
		if twice := syntax.Format(again); twice != out {
			t.Errorf("%s: formatting again changes it: %s", name, cmp.Diff(out, twice))
		}
		if len(again.Comments) != len(f.Comments) {
			t.Errorf("%s: %d comments became %d", name, len(f.Comments), len(again.Comments))
		}
	}
	t.Logf("%d rules: %d parsed in %v, %d are formatted as upstream has them", len(sources), parsed, took, same)
}
