package eval_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/value"
)

const manyLinks = `From: a@kiso.test
To: b@kiso.example, C@KISO.example, d@kiso.example, e@kiso.example
Subject: links
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8

<a href="https://one.test/a?x=1">Verify your account</a>
<a href="https://two.test/B">open the Document</a>
<a href="https://one.test/c"></a>
<a href="https://three.example/">` + "\u212aiso" + `</a>
<a href="mailto:b@kiso.example">write</a>
<a href="https://192.0.2.7/z">verify</a>
`

// TestNarrow checks that loops which look at some of their items alone come to
// what a plain reading comes to.
func TestNarrow(t *testing.T) {
	m := mdm.New(mdm.Input{Mail: eml.Parse([]byte(manyLinks), nil)})
	e := eval.Env{Root: m.Root(), Functions: m.Functions(nil), Lists: map[string]*value.List{"mine": value.NewSet([]string{"one.test", "ONE.TEST"})}}
	const links = "body.links"
	conditions := []string{
		`.href_url.domain.root_domain == "one.test"`, `"two.test" == .href_url.domain.domain`, `.href_url.domain.root_domain == "four.test"`,
		`.href_url.domain.root_domain =~ "ONE.test"`, `.display_text =~ "KISO"`, `.display_text == null`, `.href_url.domain.root_domain == sender.email.domain.root_domain`,
		`.href_url.domain.domain in ("one.test", "three.example")`, `.href_url.domain.domain in~ ("ONE.TEST", "x")`, `.href_url.domain.domain in $mine`, `.href_url.domain.domain in~ $mine`,
		`.href_url.domain.domain in $suspicious_tlds`, `.href_url.domain.root_domain == headers.in_reply_to`, `.href_url.domain.domain == ml.nlu_classifier(subject.subject).language`,
		`strings.icontains(.display_text, "VERIFY", "nothing")`, `strings.contains(.display_text, "verify")`, `strings.contains(.display_text, "nothing")`, `strings.icontains(.display_text, "kiso")`,
		`strings.starts_with(.href_url.path, "/a")`, `strings.iends_with(.href_url.path, "/b")`, `strings.iends_with(.href_url.path, "/")`, `strings.ilike(.display_text, "*your*")`,
		`regex.icontains(.display_text, "acc?ount|docu.ent")`, `regex.contains(.display_text, "^[A-Z]")`, `strings.contains(.display_text, subject.subject)`,
		`.href_url.domain.root_domain == "one.test" and strings.contains(.href_url.path, "/c")`, `.href_url.domain.root_domain == "one.test" and .display_text is null`,
		`.href_url.domain.root_domain == "one.test" or strings.icontains(.display_text, "document")`, `.href_url.domain.root_domain == "one.test" or .href_url.scheme != "https"`,
		`.href_url.domain.root_domain == "one.test" or .href_url.domain.root_domain == headers.in_reply_to`,
		`not (.href_url.domain.root_domain == "one.test")`, `strings.icontains(.display_text, "verify") and not .href_url.domain.valid`,
	}
	var sources []string
	for _, c := range conditions {
		for _, kind := range []string{"any", "all", "filter", "ratio", "map"} {
			sources = append(sources, kind+"("+links+", "+c+")")
		}
		sources = append(sources, "all("+links+", not ("+c+"))", "any(filter("+links+", "+c+"), .href_url.domain.root_domain == 'one.test') or length(filter("+links+", "+c+")) > 100")
	}
	sources = append(sources,
		`any(recipients.to, any(body.links, .href_url.url =~ ..email.email))`, `any(recipients.to, any(body.links, .href_url.domain.root_domain == ..email.domain.root_domain))`,
		`filter(recipients.to, any(body.links, strings.icontains(.href_url.url, ..email.email)))`, `any(map(body.links, .display_text), . == "verify")`, `any(map(body.links, .display_text), strings.icontains(., "Document"))`)
	for _, source := range sources {
		rules, ok := compile(t, source)
		if !ok {
			t.Errorf("%s is refused", source)
			continue
		}
		got, want := rules.Start(e).Rule(0), eval.NewPlain(e).Rule(rules.Program(0))
		if diff := cmp.Diff(show(want.Value), show(got.Value)); diff != "" || got.Verdict != want.Verdict {
			t.Errorf("%s: %s, want %s\n%s", source, got.Verdict, want.Verdict, diff)
		}
	}
}

// TestDone checks that a run leaves nothing to the next one.
func TestDone(t *testing.T) {
	rules, _ := compile(t, `any(body.links, .href_url.domain.root_domain == "one.test") or (subject.subject == "links" and any(recipients.to, strings.icontains(.email.email, "c@kiso")))`)
	for range 3 {
		for _, tt := range []struct {
			raw  string
			want eval.Verdict
		}{{manyLinks, eval.Match}, {mail, eval.NoMatch}} {
			m := mdm.New(mdm.Input{Mail: eml.Parse([]byte(tt.raw), nil)})
			r := rules.Start(eval.Env{Root: m.Root(), Functions: m.Functions(nil)})
			if got := r.Rule(0).Verdict; got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			r.Done()
		}
	}
}

// TestModelOutOfBudget checks that a rule is undecided where the model that it
// read was cut short.
func TestModelOutOfBudget(t *testing.T) {
	rules, _ := compile(t, `strings.icontains(body.html.display_text, "nothing of the kind")`)
	for _, tt := range []struct {
		name string
		cost int64
		want eval.Verdict
	}{{"Enough", 1 << 20, eval.NoMatch}, {"Little", 200, eval.Undecided}, {"Nothing", 0, eval.Undecided}} {
		t.Run(tt.name, func(t *testing.T) {
			b, _ := budget.New(nil).Share(tt.cost)
			m := mdm.New(mdm.Input{Mail: eml.Parse([]byte(manyLinks), nil), Budget: b})
			got := rules.Start(eval.Env{Root: m.Root(), Functions: m.Functions(nil), Budget: b}).Rule(0)
			if got.Verdict != tt.want {
				t.Errorf("%s, want %s", got.Verdict, tt.want)
			}
			if tt.want == eval.Undecided && (len(got.Missing) != 1 || got.Missing[0].Cause != finding.Budget) {
				t.Errorf("it lacks %v", got.Missing)
			}
		})
	}
}
