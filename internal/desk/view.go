package desk

import (
	"slices"
	"strings"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365"
)

// Bounds on what a verdict lists; what is over is not judged differently.
const (
	maxListedLinks   = 500
	maxListedDefects = 50
	maxListedTo      = 100
)

// verdict renders what was found out about one message.
func (r renderer) verdict(a *assessment) *Verdict {
	v := &Verdict{
		Schema: VerdictSchema, MessageID: a.msg.MessageID(), Subject: a.msg.Subject().Text,
		Verdict: a.row.verdict, Score: a.row.score, Row: a.row.name, Reason: r.words.Render(a.reason),
		Judged:   Judged{Part: a.part, How: "message"},
		Findings: make([]Finding, 0, len(a.findings)), Exceptions: a.applied,
		Links: []Link{}, Attachments: []Attachment{}, NotChecked: []Unchecked{},
	}
	if from := a.msg.From(); len(from) > 0 {
		v.From = mailboxOf(from[0])
	}
	to := a.msg.Addresses("To")
	for _, t := range to[:min(len(to), maxListedTo)] {
		v.To = append(v.To, *mailboxOf(t))
	}
	if t, ok := a.msg.Date(); ok {
		v.Date = timeOf(t)
	}
	for _, f := range a.findings {
		v.Findings = append(v.Findings, r.finding(f))
	}
	v.Authentication = r.authentication(a)
	v.DirectSend = r.directSend(a)
	for _, d := range m365.Delivery(a.msg, a.path, a.stamps, a.auth) {
		v.Delivery = append(v.Delivery, Fact{Text: r.words.Render(d.Message), Evidence: r.evidence(d.Evidence)})
	}
	r.content(v, a)
	v.Rules, v.Sender = a.coverage.view(), a.sender
	for _, n := range a.needs {
		v.NotChecked = append(v.NotChecked, Unchecked{Capability: n.Capability, Cause: n.Cause, Text: r.words.Render(n.Detail)})
	}
	return v
}

func mailboxOf(a eml.Address) *Mailbox { return &Mailbox{Name: a.Name, Address: a.Addr()} }

func (r renderer) authentication(a *assessment) *Authentication {
	one := func(x m365.Result) *AuthResult {
		if x.Result == "" {
			return nil
		}
		out := &AuthResult{Result: x.Result, Domain: x.Domain, Action: x.Action, Reason: x.Reason}
		if x.Reason == "" {
			out.Reason = x.Comment
		}
		if x.Method == "compauth" && x.Reason != "" {
			out.Meaning = r.words.Render(m365.ReasonOf(x.Reason).Message)
		}
		if x.Evidence.Quote != "" {
			out.Evidence = r.evidence([]finding.Evidence{x.Evidence})
		}
		return out
	}
	out := &Authentication{
		SPF: one(a.auth.SPF), DMARC: one(a.auth.DMARC), ARC: one(a.auth.ARC), CompAuth: one(a.auth.CompAuth),
		Trusted: a.auth.SPF.Trusted || a.auth.DMARC.Trusted || a.auth.CompAuth.Trusted,
	}
	for _, d := range a.auth.DKIM {
		if x := one(d); x != nil {
			out.DKIM = append(out.DKIM, *x)
		}
	}
	if v := a.verification; v != nil {
		out.Verified = r.verified(v)
		out.Differs = r.facts(v.differs(a.form))
	}
	if out.SPF == nil && out.DKIM == nil && out.DMARC == nil && out.ARC == nil && out.CompAuth == nil && out.Verified == nil {
		return nil
	}
	return out
}

// verified is what we verified ourselves, in short; "sekisho auth" has it whole.
func (r renderer) verified(v *verification) *Verified {
	out := &Verified{ARC: &AuthResult{Result: string(v.report.ARC.Status), Reason: string(v.report.ARC.Reason), Meaning: r.words.Render(v.report.ARC.Explain())}}
	if s := v.report.SPF; s != nil {
		out.SPF = &AuthResult{Result: string(s.Status), Domain: s.Domain, Reason: s.Term, Meaning: r.words.Render(s.Reason())}
	}
	for i := range v.report.DKIM.Signatures {
		s := &v.report.DKIM.Signatures[i]
		out.DKIM = append(out.DKIM, AuthResult{Result: string(s.Status), Domain: string(s.Domain), Reason: string(s.Reason), Meaning: r.words.Render(s.Explain())})
	}
	d := v.report.DMARC
	out.DMARC = &AuthResult{Result: string(d.Status), Domain: string(d.Author), Action: string(d.Disposition), Reason: string(d.Reason), Meaning: r.words.Render(d.Message())}
	return out
}

func (r renderer) directSend(a *assessment) *DirectSend {
	d := a.decision
	out := &DirectSend{
		Verdict: string(d.Verdict), Confidence: string(d.Confidence), Domain: d.Domain, Presumed: d.Presumed,
		Meaning: r.words.Render(lang.M("judge.direct-send." + string(d.Verdict))), Steps: []Step{},
	}
	for _, s := range d.Steps {
		out.Steps = append(out.Steps, Step{
			Step: s.Step, Result: stableWord(s.Result.Key), Text: r.words.Render(s.Result), Evidence: r.evidence(s.Evidence),
		})
	}
	if a.forward != nil && !d.Verdict.IsSpoof() {
		// The way of the mail that carries the forward says nothing of the
		// mail that is judged.
		out.Verdict, out.Confidence = string(m365.NotDecidable), ""
		out.Meaning = r.words.Render(lang.M("judge.direct-send.inline"))
	}
	return out
}

// stableWord is the last part of a catalogue key, which does not change with
// the wording.
func stableWord(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }

func (r renderer) content(v *Verdict, a *assessment) {
	for i := range a.links[:min(len(a.links), maxListedLinks)] {
		l := &a.links[i]
		out := Link{URL: l.URL, Visible: l.Visible, Where: l.Where(), Source: string(l.Source), In: l.In()}
		for _, s := range l.Steps {
			out.Rewriters = append(out.Rewriters, string(s.Rewriter))
		}
		if t := l.Target.String(); t != l.URL {
			out.Target = t
		}
		if h := l.Target.Host; h != "" {
			out.Domain = string(domain.Organizational(h))
		}
		out.Deceptive = shownHost(l) != ""
		v.Links = append(v.Links, out)
	}
	for _, f := range a.files {
		v.Attachments = append(v.Attachments, Attachment{
			Part: f.Part, Name: f.Name, Declared: f.Declared, Found: string(f.Type), Size: f.Size, SHA256: f.SHA256, Inline: f.Inline,
		})
	}
}

// context adds what stands around the judged message: how it was handed in,
// what else was attached, whose organisation it is about.
func (r renderer) context(v *Verdict, chosen *assessment, all []*assessment) {
	root := all[0]
	switch {
	case chosen != root:
		v.Judged.How = "attached"
		v.Judged.Note = r.words.Render(lang.M("judge.how.attached", "part", chosen.part))
		v.Wrapper = wrapperOf(root)
	case chosen.forward != nil:
		v.Judged.How = "inline-forward"
		v.Judged.Note = r.words.Render(lang.M("judge.how.inline-forward"))
		v.Wrapper = wrapperOf(root)
		inner := chosen.forward.Innermost()
		v.Wrapper.Program = string(inner.Program)
		if inner.From.Addr != "" || inner.From.Name != "" {
			v.From = &Mailbox{Name: inner.From.Name, Address: inner.From.Addr}
		}
		if inner.Subject != "" {
			v.Subject = inner.Subject
		}
		// When and how the mail that carries it came in says nothing of it.
		v.To, v.Date = nil, nil
		if !chosen.decision.Verdict.IsSpoof() {
			v.Authentication, v.Delivery, v.DirectSend.Steps = nil, nil, []Step{}
		}
	case chosen.form == FormHeader:
		v.Judged.How = "header"
		v.Judged.Note = r.words.Render(lang.M("judge.how.header"))
	case chosen.form == FormOutlook:
		v.Judged.Note = r.words.Render(lang.M("judge.how.msg"))
	case len(all) > 1 && root.alarming():
		v.Judged.Note = r.words.Render(lang.M("judge.how.attached-wrapper"))
	}
	for _, a := range all {
		if a == chosen || a == root && chosen != root && len(a.findings) == 0 {
			continue
		}
		other := Attached{Part: a.part, Subject: a.msg.Subject().Text, Verdict: a.row.verdict, Score: a.row.score, Findings: len(a.findings)}
		if from := a.msg.From(); len(from) > 0 {
			other.From = mailboxOf(from[0])
		}
		v.Attached = append(v.Attached, other)
	}
	for _, d := range chosen.msg.Defects() {
		if len(v.Defects) == maxListedDefects {
			break
		}
		v.Defects = append(v.Defects, Defect{Code: string(d.Code), Part: d.Part, Offset: d.Offset})
	}
	r.organisation(v, chosen)
}

func wrapperOf(a *assessment) *Wrapper {
	w := &Wrapper{Subject: a.msg.Subject().Text}
	if from := a.msg.From(); len(from) > 0 {
		w.From = mailboxOf(from[0])
	}
	return w
}

func (r renderer) organisation(v *Verdict, a *assessment) {
	if a.presumed != "" {
		v.Organisation = &Organisation{Domains: []string{a.presumed}, Presumed: true, Confirm: "sekisho init --domain " + a.presumed}
		return
	}
	if r.own != nil {
		v.Organisation = &Organisation{Domains: slices.Clone(r.own)}
	}
}
