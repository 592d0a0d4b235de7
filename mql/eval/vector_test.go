package eval_test

import (
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mql/check"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/mdm/xpath"
	"github.com/sekisho/sekisho/mql/rule"
	"github.com/sekisho/sekisho/mql/syntax"
)

// TestVectors runs the published rules on mails with a known outcome.
func TestVectors(t *testing.T) {
	c := loadRules(t)
	lists := loadLists(t)
	for _, tt := range []struct {
		mail string
		kind rule.Type
		want []string
	}{
		{"punycode_robinhood", rule.Detection, []string{"link_contains_punycode_characters.yml", "punycode_sender_domain.yml"}},
		{"amazon_phish_url_shortener", rule.Detection, nil},
		{"fedex_brand_impersonation", rule.Detection, nil},
		{"twitter_phish", rule.Detection, nil},
	} {
		t.Run(tt.mail, func(t *testing.T) {
			raw, err := os.ReadFile(shared(t, "mql", "vectors", "emls", tt.mail+".eml"))
			if err != nil {
				t.Fatal(err)
			}
			r := run(c.rules, lists, eml.Parse(raw, nil))
			var got []string
			for i := range c.rules.Len() {
				if c.kinds[i] == tt.kind && r.Rule(i).Verdict == eval.Match {
					got = append(got, c.files[i])
					if len(r.Explain(i)) == 0 {
						t.Errorf("%s matches for no reason", c.files[i])
					}
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTutorial(t *testing.T) {
	base := shared(t, "mql", "vectors", "tutorial-files", "3-write")
	raw, err := os.ReadFile(base + "/office365_covid_phish.eml")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(base + "/office365_covid_phish.yml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := rule.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := eval.Compile([]*check.Program{f.Check(check.New(nil))})
	if err != nil {
		t.Fatal(err)
	}
	r := run(rules, loadLists(t), eml.Parse(raw, nil))
	if res := r.Rule(0); res.Verdict != eval.Match {
		t.Errorf("%s: %#v", res.Verdict, res.Value)
	}
}

// TestXPath compiles every expression that a public rule looks for.
func TestXPath(t *testing.T) {
	c := loadRules(t)
	n := 0
	for i := range c.rules.Len() {
		p := c.rules.Program(i)
		syntax.Walk(p.File.Root, func(x syntax.Expr) bool {
			call, ok := x.(*syntax.Call)
			if !ok || p.Function(call) == nil || p.Function(call).Name != "html.xpath" {
				return true
			}
			if s, ok := call.Args[1].(*syntax.String); ok {
				n++
				if _, err := xpath.Compile(s.Value); err != nil {
					t.Errorf("%s: %s: %v", c.files[i], s.Value, err)
				}
			}
			return true
		})
	}
	if n < 100 {
		t.Errorf("only %d expressions", n)
	}
}
