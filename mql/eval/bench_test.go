package eval_test

import (
	"os"
	"testing"

	"github.com/sekisho/sekisho/eml"
)

// BenchmarkMail runs all public rules on phishing mails, the building of the
// model included.
func BenchmarkMail(b *testing.B) {
	c := loadRules(b)
	lists := loadLists(b)
	var raws [][]byte
	for _, f := range mails(b, "phish", 40) {
		raw, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		raws = append(raws, raw)
	}
	i := 0
	for b.Loop() {
		r := run(c.rules, lists, eml.Parse(raws[i%len(raws)], nil))
		for j := range c.rules.Len() {
			r.Rule(j)
		}
		i++
	}
}

// BenchmarkLoad reads, parses, checks and compiles all public rules.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		readRules(b)
	}
}
