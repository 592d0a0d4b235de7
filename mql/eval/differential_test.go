package eval_test

import (
	"os"
	"testing"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/value"
)

// TestDifferential compares what rules are compiled to with a plain reading of
// the language, on every rule and a sample of mails. SEKISHO_MAILS=1 takes 300.
func TestDifferential(t *testing.T) {
	c := loadRules(t)
	lists := loadLists(t)
	// A history, so that more than half of the rules get further.
	steps := map[string]int{"phish": 3000, "commercial": 100}
	every := 5 // of the rules
	if os.Getenv("SEKISHO_MAILS") != "" {
		every = 1
		steps = map[string]int{"phish": 14, "ham": 37, "commercial": 2}
	}
	if testing.Short() {
		delete(steps, "commercial")
	}
	n, matched := 0, 0
	regexps := eval.NewPlain(eval.Env{})
	for folder, step := range steps {
		for _, f := range mails(t, folder, step) {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			m := mdm.New(mdm.Input{Mail: eml.Parse(raw, nil), History: seen{}})
			env := eval.Env{Root: m.Root(), Lists: lists, Functions: m.Functions(func(d string) bool { return d == "outlook.com" })}
			env.Functions["ml.nlu_classifier"] = intent
			r, plain := c.rules.Start(env), regexps.For(env)
			n++
			for i := n % every; i < c.rules.Len(); i += every {
				got, want := r.Rule(i), plain.Rule(c.rules.Program(i))
				if got.Verdict == eval.Match {
					matched++
				}
				if got.Verdict != want.Verdict || got.Verdict != eval.Undecided && json(got.Value) != json(want.Value) {
					t.Errorf("%s on %s: %s %.100s %v, plainly %s %.100s %v", c.files[i], f, got.Verdict, got.Value.AppendJSON(nil), got.Missing, want.Verdict, want.Value.AppendJSON(nil), want.Missing)
				}
			}
		}
	}
	t.Logf("%d mails under %d rules, %d matches", n, c.rules.Len(), matched)
	if matched == 0 {
		t.Error("nothing matched: the comparison shows little")
	}
}

// json writes a value; null as false, since neither makes a rule match.
func json(v value.Value) string {
	if v.IsNull() {
		v = value.False
	}
	return string(v.AppendJSON(nil))
}

// seen is a history in which every sender is new.
type seen struct{}

func (seen) Address(string) (mdm.Profile, bool) {
	return mdm.Profile{Prevalence: mdm.PrevalenceNew, LastInbound: -1, LastOutbound: -1}, true
}

func (s seen) Domain(string) (mdm.Profile, bool) { return s.Address("") }

// intent is a classifier that sees the worst in everything.
func intent(*value.Call) value.Value {
	named := value.NewShape("Intent", "name", "confidence", "text")
	one := func(name string) value.Value {
		return value.Of(named.New(value.String(name), value.String("high"), value.String(name)))
	}
	return value.Of(value.NewShape("NLU", "intents", "entities", "topics", "tags", "language").New(
		value.Array(one("cred_theft")), value.Array(one("request"), one("urgency")), value.Array(one("Security and Authentication")), value.Array(), value.String("english")))
}
