package eval_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mql/check"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/syntax"
	"github.com/sekisho/sekisho/mql/value"
)

// TestGuard checks that rules which are told to be false by what others asked
// come to the same as alone, and in whatever order they are asked.
func TestGuard(t *testing.T) {
	var sources []string
	for _, name := range []string{"one.test", "two.test", "three.example", "none.test"} {
		sources = append(sources,
			fmt.Sprintf(`type.inbound and any(body.links, .href_url.domain.root_domain == %q)`, name),
			fmt.Sprintf(`type.inbound and any(body.links, .href_url.domain.root_domain in (%q, "other.test") and .href_url.scheme == "https")`, name),
			fmt.Sprintf(`any(body.links, .href_url.domain.root_domain == %q or .href_url.domain.domain == "www.%s") and length(attachments) == 0`, name, name),
			fmt.Sprintf(`type.inbound and any(body.links, .href_url.domain.root_domain == %q and strings.icontains(.display_text, "verify")) and ml.nlu_classifier(subject.subject).language == "en"`, name),
			fmt.Sprintf(`not any(body.links, .href_url.domain.root_domain == %q)`, name),
			fmt.Sprintf(`sender.email.domain.root_domain == %q and type.inbound`, name),
			fmt.Sprintf(`sender.email.domain.root_domain in (%q, "kiso.test") and not type.outbound`, name),
			fmt.Sprintf(`type.outbound and any(attachments, .file_extension == %q)`, name),
			fmt.Sprintf(`any(headers.hops, any(.fields, .name == %q))`, name),
			fmt.Sprintf(`type.inbound and any(filter(body.links, .visible), .href_url.domain.root_domain == %q)`, name),
		)
	}
	var programs []*check.Program
	for _, s := range sources {
		p := check.New(nil).Check(syntax.Parse(s), check.WantAny)
		if !p.OK() {
			t.Fatalf("%s is refused", s)
		}
		programs = append(programs, p)
	}
	rules, err := eval.Compile(programs)
	if err != nil {
		t.Fatal(err)
	}
	verdicts := map[eval.Verdict]int{}
	for _, raw := range []string{manyLinks, mail, strings.ReplaceAll(manyLinks, "one.test", "elsewhere.test"), "From: a@two.test\n\nno link", "Subject: nobody\n\nhttps://two.test/"} {
		m := mdm.New(mdm.Input{Mail: eml.Parse([]byte(raw), nil)})
		e := eval.Env{Root: m.Root(), Functions: m.Functions(nil), Lists: map[string]*value.List{}}
		for _, back := range []bool{false, true} {
			r := rules.Start(e)
			for i := range rules.Len() {
				if back {
					i = rules.Len() - 1 - i
				}
				got, want := r.Rule(i).Verdict, eval.NewPlain(e).Rule(rules.Program(i)).Verdict
				verdicts[got]++
				if got != want {
					t.Errorf("%s on %.20q: %s, want %s", sources[i], raw, got, want)
				}
			}
			r.Done()
		}
	}
	if len(verdicts) != 3 {
		t.Errorf("only %v: the mails show little", verdicts)
	}
}
