package cli

import (
	"fmt"
	"strings"

	"github.com/sekisho/sekisho/dmarcreport/readiness"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
)

// stops reports whether an answer is at or above the level of --fail-on.
func stops(a *desk.DMARCAdvice, level string) bool {
	switch level {
	case "no":
		return a.Answer == readiness.No || a.Verdict == readiness.Losing
	case "cannot-tell":
		return a.Answer == readiness.CannotTell || stops(a, "no")
	}
	return false
}

func (r *run) dmarcAdvice(a *desk.DMARCAdvice, explain bool) {
	role := term.Suspicious
	switch {
	case a.Verdict == readiness.Losing:
		role = term.Malicious
	case a.Answer == readiness.Yes || a.Answer == readiness.Finished:
		role = term.Harmless
	case a.Answer == readiness.No:
		role = term.Malicious
	}
	fmt.Fprintln(r.Stdout, r.style.Paint(role, r.say("cli.dmarcpolicy.answer."+string(a.Answer)))+"  "+r.style.Paint(term.Bold, a.Domain.Unicode()))
	r.indented("", a.Sentence.In(r.lang))
	fmt.Fprintln(r.Stdout)
	switch {
	case a.PolicyFrom == desk.PolicyUnknown:
		fmt.Fprintln(r.Stdout, r.say("cli.dmarcpolicy.now-unknown"))
		if a.PolicySeen != nil {
			r.indented("", r.say("cli.dmarcpolicy.seen", "policy", a.PolicySeen.Policy, "date", a.PolicySeen.Date))
		}
	case a.Current == "":
		fmt.Fprintln(r.Stdout, r.say("cli.dmarcpolicy.now-absent", "next", a.Next))
	case a.Answer == readiness.Finished:
		fmt.Fprintln(r.Stdout, r.say("cli.dmarcpolicy.now-last", "current", a.Current))
	default:
		fmt.Fprintln(r.Stdout, r.say("cli.dmarcpolicy.now", "current", a.Current, "next", a.Next))
	}
	fmt.Fprintln(r.Stdout, r.say("cli.dmarcpolicy.window", "days", a.Window.Days, "until", a.Window.Until, "reporters", a.Window.Reporters))
	if len(a.Blockers) > 0 {
		r.heading("cli.dmarcpolicy.section.before")
		for i := range a.Blockers {
			p := &a.Blockers[i]
			r.numbered(i+1, p.Text.In(r.lang))
			if p.Fix != nil {
				r.indented("     ", "→ "+p.Fix.In(r.lang))
			}
		}
	}
	if a.Verdict != readiness.Begin {
		r.losses("cli.dmarcpolicy.section.lost", a.Lost, a.LostOver)
		if explain {
			r.losses("cli.dmarcpolicy.section.forwards", a.Forwards, 0)
		}
	}
	if a.Threat > 0 {
		r.heading("cli.dmarcpolicy.section.stopped")
		r.indented("  ", r.say("cli.dmarcpolicy.stopped", "n", a.Threat, "delivered", a.ThreatDelivered))
	}
	if explain && len(a.Scopes) > 0 {
		r.heading("cli.dmarcpolicy.section.scopes")
		for i := range a.Scopes {
			s := &a.Scopes[i]
			line := r.say("cli.dmarcpolicy.scope", "name", s.Name.Unicode(), "wanted", s.Wanted, "failing", s.Failing, "threat", s.Threat)
			if s.Missing {
				line += " (" + r.say("cli.dmarcpolicy.missing") + ")"
			}
			r.indented("  ", line)
		}
	}
	if len(a.Cautions) > 0 {
		r.heading("cli.dmarcpolicy.section.cautions")
		for i := range a.Cautions {
			r.indented("  ", "- "+a.Cautions[i].Text.In(r.lang))
		}
	}
	if len(a.Unchecked) > 0 {
		r.heading("cli.dmarcpolicy.section.unchecked")
		for _, s := range a.Unchecked {
			r.indented("  ", "- "+s.In(r.lang))
		}
	}
	if p := a.Publish; p != nil {
		r.heading("cli.dmarcpolicy.section.request")
		// To be copied: never wrapped.
		for l := range strings.SplitSeq(p.Request.In(r.lang), "\n") {
			fmt.Fprintln(r.Stdout, "  "+term.Clean(l))
		}
		if p.Back != "" {
			fmt.Fprintln(r.Stdout)
			fmt.Fprintln(r.Stdout, "  "+term.Clean(r.say("cli.dmarcpolicy.back", "value", p.Back)))
		}
	}
}

func (r *run) heading(key string) {
	fmt.Fprintln(r.Stdout)
	fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, r.say(key)))
}

func (r *run) numbered(n int, s string) {
	for i, l := range term.Wrap(term.Clean(s), max(30, r.columns()-5)) {
		head := "     "
		if i == 0 {
			head = fmt.Sprintf("  %-3d", n)
		}
		fmt.Fprintln(r.Stdout, head+l)
	}
}

func (r *run) losses(key string, list []desk.DMARCLoss, over int64) {
	r.heading(key)
	if len(list) == 0 {
		fmt.Fprintln(r.Stdout, "  "+r.say("cli.dmarcpolicy.none"))
		return
	}
	class, name := 0, 0
	for _, l := range list {
		class = max(class, term.Width(r.say("cli.dmarcpolicy.class."+string(l.Class))))
		name = max(name, min(44, term.Width(term.Clean(l.Source))))
	}
	for _, l := range list {
		fmt.Fprintln(r.Stdout, "  "+r.paintClass(l.Class, classSymbol(l.Class)+" "+term.Pad(r.say("cli.dmarcpolicy.class."+string(l.Class)), class))+"  "+
			term.Pad(term.Truncate(term.Clean(l.Source), name), name)+"  "+right(r.thousands(l.Failing), 9)+" / "+r.thousands(l.Messages))
	}
	if over > 0 {
		fmt.Fprintln(r.Stdout, "  "+r.say("cli.dmarcpolicy.lost-over", "n", over))
	}
}
