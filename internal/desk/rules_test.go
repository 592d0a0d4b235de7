package desk_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

const ruledMail = "From: Conduct <a@sender.test>\r\nTo: b@kiso-works.example\r\nSubject: A case\r\nMessage-ID: <1@sender.test>\r\n\r\nHello\r\n"

// TestJudgeRules has rules of every outcome on one mail.
func TestJudgeRules(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"1.yml": "name: Case\nid: r1\nseverity: critical\nsource: strings.icontains(subject.subject, 'case')\nreferences: [\"https://rules.example/1\", \"ftp://rules.example/2\"]\n",
		"2.yml": "name: Case again\nseverity: medium\nsource: strings.icontains(sender.display_name, 'conduct')\n",
		"3.yml": "name: Other\nseverity: high\nsource: strings.icontains(subject.subject, 'invoice')\n",
		"4.yml": "name: Unknown\nseverity: high\nsource: profile.by_sender().solicited and 'x' in $tranco_1m\n",
		"5.yml": "name: Off\nactive: false\nsource: type.inbound\n",
		"6.yml": "name: Loss\ntype: dlp\nsource: type.inbound\n",
		"7.yml": "name: Broken\nsource: type.\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set, err := desk.LoadRules(t.Context(), []string{dir}, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	items := slices.Values([]desk.Item{{File: "a.eml", Raw: []byte(ruledMail)}, {File: "h.txt", Raw: []byte(ruledMail), Form: desk.FormHeader}})
	var all []*desk.Verdict
	for v := range desk.Judge(t.Context(), items, desk.JudgeDeps{Rules: set}) {
		all = append(all, v)
	}
	v := all[0]
	want := &desk.RuleCoverage{Total: 4, Matched: 2, NoMatch: 1, Undecided: 1, Needs: []desk.RulesNeed{{Capability: "history", Rules: 1}, {Capability: "list", Rules: 1}}}
	if diff := cmp.Diff(want, v.Rules); diff != "" {
		t.Errorf("coverage (-want +got):\n%s", diff)
	}
	type match struct {
		Title    string
		Severity finding.Severity
		ID       finding.RuleID
		Quote    string
		Actions  int
		Links    int
	}
	var got []match
	for _, f := range v.Findings {
		if f.Kind == desk.RuleMatch {
			got = append(got, match{f.Title.EN, f.Severity, f.Rule.ID, f.Evidence[0].Quote, len(f.Actions), len(f.References)})
			if f.Rule.Source != dir || !strings.HasPrefix(f.Rule.Version, "sha256:") {
				t.Errorf("rule %+v", f.Rule)
			}
		}
	}
	if diff := cmp.Diff([]match{{"Case", finding.High, "r1", "case", 2, 1}, {"Case again", finding.Medium, "2", "Conduct", 2, 0}}, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if v.Verdict != desk.Malicious || v.Row != "high" {
		t.Errorf("verdict %s by row %s", v.Verdict, v.Row)
	}
	unchecked := func(v *desk.Verdict) bool {
		return slices.ContainsFunc(v.NotChecked, func(u desk.Unchecked) bool { return u.Capability == "rules" })
	}
	if unchecked(v) {
		t.Error("the rules were asked and count as not checked")
	}
	if all[1].Rules != nil {
		t.Error("a header alone was asked about its text")
	}
	for v := range desk.Judge(t.Context(), slices.Values([]desk.Item{{File: "a.eml", Raw: []byte(ruledMail)}}), desk.JudgeDeps{}) {
		if v.Rules != nil || !unchecked(v) {
			t.Error("without rules they count as checked")
		}
	}
	var states []desk.RuleState
	for _, r := range desk.ListRules(set, desk.Means{}, lang.Default()) {
		states = append(states, r.State)
	}
	if diff := cmp.Diff([]desk.RuleState{desk.RuleUsable, desk.RuleUsable, desk.RuleUsable, desk.RuleNeeds, desk.RuleInactive, desk.RuleOther, desk.RuleBroken}, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

// TestRulesCountOnce keeps several rules of medium severity from adding up to
// several signs.
func TestRulesCountOnce(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.yml", "b.yml"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("name: "+name+"\nseverity: medium\nsource: type.inbound\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set, err := desk.LoadRules(t.Context(), []string{dir}, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	for v := range desk.Judge(t.Context(), slices.Values([]desk.Item{{File: "a.eml", Raw: []byte(ruledMail)}}), desk.JudgeDeps{Rules: set}) {
		if v.Row != "medium" || v.Rules.Matched != 2 {
			t.Errorf("row %s with %d matches", v.Row, v.Rules.Matched)
		}
	}
}
