package rule_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sekisho/sekisho/mql/check"
	"github.com/sekisho/sekisho/mql/rule"
)

// files returns the public rule files by path.
func files(t testing.TB) map[string][]byte {
	t.Helper()
	dir := os.Getenv("SEKISHO_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	dir = filepath.Join(dir, "data", "mql", "rules")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the public rules are not here: set SEKISHO_SHARED")
	}
	found := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".yml") {
			return err
		}
		found[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestCorpus reads every public rule file and finds each line of its source
// in the file again.
func TestCorpus(t *testing.T) {
	c := check.New(nil)
	types := map[rule.Type]int{}
	var took time.Duration
	for path, data := range files(t) {
		began := time.Now()
		r, err := rule.Parse(data)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		p := r.Check(c)
		took += time.Since(began)
		types[r.Type]++
		if !p.OK() {
			t.Errorf("%s does not check", path)
		}
		offset := 0
		for line := range strings.Lines(r.Source) {
			pos := r.Position(offset)
			offset += len(line)
			line = strings.TrimRight(line, "\r\n")
			if line == "" {
				continue
			}
			raw := []rune(r.Line(pos.Line))
			if pos.Column > len(raw)+1 || !strings.HasPrefix(string(raw[pos.Column-1:]), line) {
				t.Errorf("%s:%d:%d: not %q", path, pos.Line, pos.Column, line)
			}
		}
	}
	t.Logf("read, parsed and checked in %v: %v", took.Round(time.Millisecond), types)
	if types[rule.Detection] < 1200 || types[rule.Query] < 130 || types[rule.DLP] < 200 || types[rule.Exclusion] != 10 || types[rule.Automation] < 15 {
		t.Errorf("types: %v", types)
	}
}
