package feeds_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sekisho/sekisho/internal/feeds"
)

// BenchmarkLoad reads, parses, checks and compiles all public rules.
func BenchmarkLoad(b *testing.B) {
	root := os.Getenv("SEKISHO_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	dir := filepath.Join(root, "data", "mql", "rules")
	if _, err := os.Stat(dir); err != nil {
		b.Skipf("%v: set SEKISHO_SHARED", err)
	}
	for b.Loop() {
		set, err := feeds.Load(b.Context(), []string{dir}, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(set.Usable)), "rules")
	}
}
