package m365_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365"
)

func showFindings(all []finding.Finding) string {
	var b strings.Builder
	c := lang.Default()
	for _, f := range all {
		fmt.Fprintf(&b, "%s %s: %s / %s\n", f.Severity, f.Kind, c.Say(lang.EN, f.Title), c.Say(lang.JA, f.Title))
	}
	return b.String()
}

func TestFindings(t *testing.T) {
	f, ok := findingOf(t, attack, m365.KindDirectSend)
	if !ok {
		t.Fatal("no finding")
	}
	var b strings.Builder
	c := lang.Default()
	for _, a := range f.Actions {
		fmt.Fprintf(&b, "%s %s: %s\n  %s\n", a.Within, a.Audience, c.Say(lang.EN, a.Message), c.Say(lang.JA, a.Message))
		for _, line := range a.Commands {
			fmt.Fprintf(&b, "    %s\n", line)
		}
	}
	golden(t, "actions-ds1", b.String())
	for _, kind := range []m365.Verdict{m365.DS1, m365.DS2, m365.DS3, m365.SpoofThroughGateway} {
		if !kind.IsSpoof() {
			t.Errorf("%s is a spoof", kind)
		}
	}
}

func findingOf(t *testing.T, mail string, kind finding.Kind) (finding.Finding, bool) {
	t.Helper()
	m := parse(mail)
	for _, f := range m365.Findings(m, m365.DirectSend(m365.Input{Message: m, Facts: facts()})) {
		if f.Kind == kind {
			return f, true
		}
	}
	return finding.Finding{}, false
}

// TestCommandsHoldNothingOfTheSender tries to bring a command of the sender's
// into those that an administrator is to run.
func TestCommandsHoldNothingOfTheSender(t *testing.T) {
	mail := apply(t, attack,
		edit{"11111111-2222-4333-8444-555555555555", "11111111\"; Remove-Mailbox *; \"2222"},
		edit{"WIN-8K2", "$(rm)"})
	m := parse(mail)
	for _, f := range m365.Findings(m, m365.DirectSend(m365.Input{Message: m, Facts: facts()})) {
		for _, a := range f.Actions {
			if s := strings.Join(a.Commands, "\n"); strings.Contains(s, "Remove-Mailbox") || strings.Contains(s, "rm)") {
				t.Errorf("command of the sender: %s", s)
			}
		}
	}
}

func TestRejectIsNotPromisedToStopForeignMailFrom(t *testing.T) {
	mail := apply(t, attack, edits(results("none", "smtp.mailfrom=evil.test", unsigned, dmarcFail, spoofed), mailFrom("x@evil.test", "evil.test"))...)
	f, ok := findingOf(t, mail, m365.KindOwnDomain)
	if !ok {
		t.Fatal("no finding")
	}
	warned := false
	for _, a := range f.Actions {
		warned = warned || a.Message.Key == "m365.action.reject-no-help"
		for _, line := range a.Commands {
			if strings.Contains(line, "RejectDirectSend") {
				t.Errorf("%s does not stop this mail", line)
			}
		}
	}
	if !warned {
		t.Error("nobody says that RejectDirectSend does not help")
	}
}

func TestAllowListFinding(t *testing.T) {
	for _, code := range []string{"SKA", "SKN", "SKI", "SFE"} {
		m := parse(apply(t, attack, edit{"SFV:NSPM", "SFV:" + code}))
		p := m365.NewPath(m.Header(), facts())
		f, ok := m365.AllowListFinding(m, m365.ReadStamps(m, p))
		if !ok || len(f.Evidence) != 1 || f.Evidence[0].Quote != code {
			t.Errorf("%s: %v %+v", code, ok, f.Evidence)
		}
	}
	m := parse(attack)
	if f, ok := m365.AllowListFinding(m, m365.ReadStamps(m, m365.NewPath(m.Header(), nil))); ok {
		t.Errorf("found %+v where the filter looked", f)
	}
}

func TestDelivery(t *testing.T) {
	for _, tc := range []struct {
		name  string
		edits []edit
		want  []string
	}{
		{"Inbox", nil, []string{"inbox", "compauth-failed", "weak-dmarc"}},
		{"Junk", []edit{{"dest:I", "dest:J"}}, []string{"junk", "compauth-failed", "weak-dmarc"}},
		{"AllowList", []edit{{"SFV:NSPM", "SFV:SKA"}, {"SCL:1", "SCL:-1"}}, []string{"inbox", "allow-list", "compauth-failed", "weak-dmarc"}},
		{"FilterOff", []edit{{"SCL:1", "SCL:-1"}}, []string{"inbox", "filter-off", "compauth-failed", "weak-dmarc"}},
		{"NoRecord", results("none", ownSender, unsigned, "dmarc=none action=none", "compauth=none reason=451"), []string{"inbox", "compauth-skipped", "no-dmarc"}},
		{"Passed", results("pass", ownSender, unsigned, "dmarc=pass action=none", "compauth=pass reason=100"), []string{"inbox", "compauth-passed"}},
		{"Overridden", []edit{{"action=none", "action=oreject"}}, []string{"inbox", "compauth-failed", "dmarc-overridden"}},
		{"FirstContact", []edit{{"CAT:NONE", "CAT:NONE;SFTY:9.25"}}, []string{"inbox", "compauth-failed", "weak-dmarc", "safety-tip"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := parse(apply(t, attack, tc.edits...))
			p := m365.NewPath(m.Header(), nil)
			var got []string
			for _, r := range m365.Delivery(m, p, m365.ReadStamps(m, p), m365.Authenticate(m, p)) {
				got = append(got, r.Name)
				if len(r.Evidence) == 0 || r.Evidence[0].Quote == "" || r.Evidence[0].Note.IsZero() {
					t.Errorf("%s has no evidence: %+v", r.Name, r.Evidence)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
