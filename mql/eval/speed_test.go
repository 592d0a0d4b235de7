package eval_test

import (
	"cmp"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/value"
)

// judged is one mail under all rules.
type judged struct {
	file  string
	took  time.Duration // reading, model and rules: the least of some rounds
	cost  int64         // units of package budget for model and rules
	short int           // rules for which the budget was not enough
}

// judge runs rules over a mail.
func judge(rules *eval.Rules, lists map[string]*value.List, raw []byte, rounds int) judged {
	var out judged
	for i := range rounds {
		start := time.Now()
		whole := budget.New(nil)
		m := eml.Parse(raw, &eml.Options{Budget: whole})
		b, settle := whole.Share(eval.MessageCost)
		before := b.Cost
		model := mdm.New(mdm.Input{Mail: m, Budget: b})
		r := rules.Start(eval.Env{Root: model.Root(), Lists: lists, Functions: model.Functions(nil), Budget: b})
		short := 0
		for j := range rules.Len() {
			res := r.Rule(j)
			for _, g := range res.Missing {
				if g.Capability == "budget" {
					short++
					break
				}
			}
		}
		r.Done()
		settle()
		d := time.Since(start)
		if i > 0 && (out.cost != before-b.Cost || out.short != short) {
			out.short = -1 // a run must repeat exactly
		}
		if i == 0 || d < out.took {
			out.took = d
		}
		out.cost, out.short = before-b.Cost, cmp.Or(min(out.short, 0), short)
	}
	return out
}

// TestSpeed shows how long the public rules take, and what ordinary mail costs.
// What it demands is far from what an idle machine does, since a test must hold
// on a busy one. SEKISHO_MAILS=1 takes all mails.
func TestSpeed(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("it takes some seconds, and says nothing under the race detector")
	}
	c := loadRules(t)
	lists := loadLists(t)
	const rounds = 3
	for _, tt := range []struct {
		folder      string
		step        int
		median, p99 time.Duration
	}{
		{"phish", 60, 60 * time.Millisecond, 600 * time.Millisecond},
		{"ham", 120, 60 * time.Millisecond, 600 * time.Millisecond},
		{"commercial", 10, 120 * time.Millisecond, time.Second},
	} {
		step := tt.step
		if os.Getenv("SEKISHO_MAILS") != "" {
			step = 1
		}
		var all []judged
		for _, f := range mails(t, tt.folder, step) {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			j := judge(c.rules, lists, raw, rounds)
			j.file = f
			all = append(all, j)
		}
		n := len(all)
		at := func(percent int) *judged { return &all[(n-1)*percent/100] }
		short := 0
		for _, j := range all {
			switch {
			case j.short > 0:
				short++
				t.Logf("%s: %d rules are cut short after %d units", j.file, j.short, j.cost)
			case j.short < 0:
				t.Errorf("%s does not come to the same each time", j.file)
			}
		}
		if short > 1+n/1000 {
			t.Errorf("%s: %d of %d mails are cut short", tt.folder, short, n)
		}
		slices.SortFunc(all, func(a, b judged) int { return cmp.Compare(a.cost, b.cost) })
		t.Logf("%s: %d mails, %d cut short; thousand units: median %d, 90%% %d, 99%% %d, most %d", tt.folder, n, short, at(50).cost/1000, at(90).cost/1000, at(99).cost/1000, at(100).cost/1000)
		slices.SortFunc(all, func(a, b judged) int { return cmp.Compare(a.took, b.took) })
		t.Logf("%s: median %v, 90%% %v, 99%% %v, most %v (%s)", tt.folder, at(50).took, at(90).took, at(99).took, at(100).took, at(100).file)
		if at(50).took > tt.median || at(99).took > tt.p99 {
			t.Errorf("%s: the median is %v, 99%% take less than %v", tt.folder, at(50).took, at(99).took)
		}
	}
	if os.Getenv("SEKISHO_MAILS") == "" {
		return
	}
	raws := phish(t, 20)
	tenth := time.Duration(0)
	parts := tenths(t, c.rules)
	for _, p := range parts {
		tenth += spent(p, lists, raws, rounds)
	}
	times := float64(spent(c.rules, lists, raws, rounds)) / float64(tenth) * float64(len(parts))
	t.Logf("all rules take %.2f times what a random tenth takes", times)
	if times > 6 {
		t.Errorf("all rules take %.2f times what a random tenth takes", times)
	}
}
