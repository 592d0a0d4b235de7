package eval_test

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/sekisho/sekisho/mql/check"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/value"
)

// BenchmarkLoad reads, parses, checks and compiles all public rules.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		readRules(b)
	}
}

// phish is every step-th phishing mail.
func phish(tb testing.TB, step int) (raws [][]byte) {
	tb.Helper()
	for _, f := range mails(tb, "phish", step) {
		raw, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		raws = append(raws, raw)
	}
	return raws
}

// BenchmarkJudge runs all public rules on phishing mails one after another, the
// reading of the mail and the building of its model included.
func BenchmarkJudge(b *testing.B) {
	c := loadRules(b)
	lists := loadLists(b)
	raws := phish(b, 20)
	i := 0
	for b.Loop() {
		judge(c.rules, lists, raws[i%len(raws)], 1)
		i++
	}
}

// tenths compiles five random tenths of the rules.
func tenths(tb testing.TB, all *eval.Rules) (out []*eval.Rules) {
	tb.Helper()
	for seed := range uint64(5) {
		var programs []*check.Program
		for _, i := range rand.New(rand.NewPCG(seed, 0)).Perm(all.Len())[:all.Len()/10] {
			programs = append(programs, all.Program(i))
		}
		rules, err := eval.Compile(programs)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, rules)
	}
	return out
}

// spent adds up what rules take for mails, the model included; of each mail
// the least of some rounds.
func spent(rules *eval.Rules, lists map[string]*value.List, raws [][]byte, rounds int) (total time.Duration) {
	for _, raw := range raws {
		total += judge(rules, lists, raw, rounds).took
	}
	return total
}

// BenchmarkAllAgainstTenth measures all public rules and random tenths of them
// on the same mails. The metric "times" is how many times a tenth all of them
// take.
func BenchmarkAllAgainstTenth(b *testing.B) {
	c := loadRules(b)
	lists := loadLists(b)
	raws := phish(b, 60)
	parts := tenths(b, c.rules)
	var all, tenth time.Duration
	for b.Loop() {
		all += spent(c.rules, lists, raws, 1)
		for _, p := range parts {
			tenth += spent(p, lists, raws, 1)
		}
	}
	b.ReportMetric(float64(all)/float64(tenth)*float64(len(parts)), "times")
	b.ReportMetric(float64(all.Microseconds())/float64(b.N*len(raws)), "us/mail")
}
