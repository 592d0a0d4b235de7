package m365

import (
	"strings"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
)

// Reason is one reason why a message reached its reader.
type Reason struct {
	Name     string // stable, such as "allow-list"
	Message  lang.Message
	Evidence []finding.Evidence
	Mend     bool // it is a setting that lets mail past the filter
}

// Delivery says why the message reached its reader and where it went, as far
// as Exchange Online wrote it down: the mailbox folder, what the filter did,
// and what kept authentication from stopping the mail.
func Delivery(m *eml.Message, p *Path, s *Stamps, a *Authentication) []Reason {
	var out []Reason
	add := func(name string, mend bool, msg lang.Message, ev ...finding.Evidence) {
		for i, e := range ev {
			if k := e.Where.Index; k > 0 && k <= m.Header().Len() && e.Note.IsZero() {
				ev[i].Note = p.Provenance(m.Header().Fields()[k-1]).Reason
			}
		}
		out = append(out, Reason{Name: name, Message: msg, Evidence: ev, Mend: mend})
	}
	switch {
	case s.Dest.Is("I"):
		add("inbox", false, lang.M("m365.delivery.inbox"), valueEvidence(m, s.Dest))
	case s.Dest.Is("J"):
		add("junk", false, lang.M("m365.delivery.junk"), valueEvidence(m, s.Dest))
	}
	if allowed(s.SFV) {
		why, _ := Explain(CodeSFV, s.SFV.Text)
		add("allow-list", true, lang.M("m365.delivery.allow-list", "why", why), valueEvidence(m, s.SFV))
	} else if v, ok := s.bypassSCL(); ok && !s.AuthAs.Is("Internal") {
		add("filter-off", true, lang.M("m365.delivery.filter-off"), valueEvidence(m, v))
	}
	if c := a.CompAuth; c.Trusted {
		e := c.Evidence
		e.Note = ReasonOf(c.Reason).Message
		switch c.Result {
		case "none":
			add("compauth-skipped", true, lang.M("m365.delivery.compauth-skipped", "code", c.Reason), e)
		case "fail":
			add("compauth-failed", false, lang.M("m365.delivery.compauth-failed", "code", c.Reason), e)
		case "pass", "softpass":
			add("compauth-passed", false, lang.M("m365.delivery.compauth-passed", "code", c.Reason), e)
		}
	}
	if d := a.DMARC; d.Trusted {
		name := d.Domain
		switch {
		case d.Result == "none" || d.Result == "bestguesspass":
			add("no-dmarc", false, lang.M("m365.delivery.no-dmarc", "domain", name), d.Evidence)
		case d.Result == "fail" && (d.Action == "none" || strings.HasPrefix(d.Action, "pct.")):
			add("weak-dmarc", false, lang.M("m365.delivery.weak-dmarc", "domain", name), d.Evidence)
		case d.Result == "fail" && d.Action == "oreject":
			add("dmarc-overridden", true, lang.M("m365.delivery.dmarc-overridden", "domain", name), d.Evidence)
		case d.Result == "permerror" || d.Result == "temperror":
			add("dmarc-error", false, lang.M("m365.delivery.dmarc-error", "domain", name), d.Evidence)
		}
	}
	if strings.HasPrefix(s.SFTY.Text, "9.") {
		tip, _ := Explain(CodeSFTY, s.SFTY.Text)
		add("safety-tip", false, lang.M("m365.delivery.safety-tip", "tip", tip), valueEvidence(m, s.SFTY))
	}
	return out
}

// allowed reports whether a list of the tenant or of the reader let the
// message past the filter.
func allowed(sfv Value) bool {
	switch strings.ToUpper(sfv.Text) {
	case "SKA", "SKN", "SKI", "SFE":
		return true
	}
	return false
}

// bypassSCL returns the spam confidence level if it says that the filter did
// not look.
func (s *Stamps) bypassSCL() (Value, bool) {
	for _, v := range []Value{s.SCL, s.ReportSCL} {
		if v.Is("-1") {
			return v, true
		}
	}
	return Value{}, false
}
