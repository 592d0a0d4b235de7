package check_test

import (
	"testing"

	"github.com/sekisho/sekisho/mql/check"
	"github.com/sekisho/sekisho/mql/syntax"
)

// BenchmarkLoad reads and checks all public rules.
func BenchmarkLoad(b *testing.B) {
	list := rules(b)
	for b.Loop() {
		c := check.New(nil)
		for _, r := range list {
			if p := c.Check(syntax.Parse(r.Source), want(r)); !p.OK() {
				b.Fatal(r.Name)
			}
		}
	}
}
