package desk

import (
	"strings"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/mailauth"
	"github.com/sekisho/sekisho/mailauth/arc"
	"github.com/sekisho/sekisho/mailauth/authres"
	"github.com/sekisho/sekisho/mailauth/dkim"
	"github.com/sekisho/sekisho/mailauth/dmarc"
	"github.com/sekisho/sekisho/mailauth/spf"
	"github.com/sekisho/sekisho/resolve"
)

// maxClaims bounds the fields listed: every hop may add one.
const maxClaims = 100

// claims reads what every hop wrote about authentication.
func (r renderer) claims(m *eml.Message, p *m365.Path) []Claimed {
	out := []Claimed{}
	for _, f := range m.Header().Fields() {
		if len(out) == maxClaims {
			break
		}
		c := Claimed{Field: f.Name(), Index: f.Index(), Results: []ClaimOne{}}
		switch {
		case f.Is("Authentication-Results"), f.Is("ARC-Authentication-Results"):
			a, err := authres.Parse(f)
			if err != nil {
				continue
			}
			c.By = a.ServID
			for _, x := range a.Results {
				one := ClaimOne{Method: x.Method, Result: x.Value.Text}
				if len(x.Comments) > 0 {
					one.Comment = x.Comments[0].Text
				}
				for _, name := range []string{"header.d", "header.from", "smtp.mailfrom", "header.i"} {
					if d, ok := x.Prop(name); ok {
						one.Domain = d.Text
						break
					}
				}
				c.Results = append(c.Results, one)
			}
		case f.Is("Received-SPF"):
			a, err := authres.ParseReceivedSPF(f)
			if err != nil {
				continue
			}
			c.By = a.Receiver
			c.Results = append(c.Results, ClaimOne{Method: "spf", Result: a.Result.Text, Domain: a.Domain})
		default:
			continue
		}
		s := p.Provenance(f)
		c.Trusted, c.Who = s.Trusted(), r.words.Render(s.Reason)
		out = append(out, c)
	}
	return out
}

func (r renderer) report(out *AuthReport, rep *mailauth.Report) {
	if s := rep.SPF; s != nil {
		out.SPF = &SPFView{
			Result: s.Status, Identity: s.Identity, Domain: s.Domain, IP: s.IP.String(), Reason: r.words.Render(s.Reason()),
			Record: s.Record, Term: s.Term, Explanation: s.Explanation, Lookups: s.Lookups, Voids: s.Voids, Tree: r.spfNode(s.Trace),
		}
	}
	for i := range rep.DKIM.Signatures {
		out.DKIM = append(out.DKIM, r.signature(&rep.DKIM.Signatures[i]))
	}
	out.DKIMFound = rep.DKIM.Found
	out.ARC = r.chain(&rep.ARC)
	out.DMARC = r.dmarc(rep.DMARC)
}

func (r renderer) problem(p *spf.Problem) *lang.Text {
	if p == nil {
		return nil
	}
	t := r.words.Render(p.Message())
	return &t
}

func (r renderer) spfNode(n *spf.Node) *SPFNode {
	if n == nil {
		return nil
	}
	out := &SPFNode{Domain: n.Domain, Result: n.Status, Problem: r.problem(n.Problem), Terms: []SPFTerm{}}
	if n.Record != nil {
		out.Record = n.Record.Text
	}
	if n.Question != nil {
		d := dnsView(*n.Question)
		out.Answer = &d
	}
	for _, s := range n.Steps {
		t := SPFTerm{
			Term: s.Term.Text, Target: s.Target, Outcome: s.Outcome, Cost: s.Cost, Lookups: s.Lookups, Voids: s.Voids,
			Problem: r.problem(s.Problem), Include: r.spfNode(s.Include),
		}
		for _, q := range s.Questions {
			t.Answers = append(t.Answers, dnsView(q))
		}
		out.Terms = append(out.Terms, t)
	}
	return out
}

func (r renderer) signature(s *dkim.Signature) DKIMView {
	out := DKIMView{
		Index: s.Field.Index(), Result: string(s.Status), Reason: string(s.Reason), Text: r.words.Render(s.Explain()),
		Domain: string(s.Domain), Selector: s.Selector, Identity: s.Identity, Algorithm: s.Algorithm, KeyBits: s.KeyBits,
		BodyHash: string(s.BodyHash), HeaderHash: string(s.HeaderHash), Headers: []string{}, Unsigned: s.Unsigned,
		Timestamp: timeOf(s.Timestamp), Expires: timeOf(s.Expiration),
	}
	if s.HeaderCanon != "" {
		out.Canon = string(s.HeaderCanon) + "/" + string(s.BodyCanon)
	}
	if s.BodyLength >= 0 && s.Form != dkim.ARCSeal {
		out.BodyLength = &s.BodyLength
	}
	for _, h := range s.Headers {
		out.Headers = append(out.Headers, h.Name)
	}
	for _, w := range s.Warnings {
		out.Warnings = append(out.Warnings, Notice{Code: string(w), Text: r.words.Render(w.Explain(s))})
	}
	if s.Answer.Name != "" {
		d := dnsView(s.Answer)
		out.Key = &d
	}
	return out
}

func (r renderer) chain(c *arc.Chain) ARCView {
	out := ARCView{
		Result: string(c.Status), Reason: string(c.Reason), Text: r.words.Render(c.Explain()), Sets: []ARCSet{},
		OldestPass: c.OldestPass, TrustedFrom: c.TrustedFrom,
	}
	for i := range c.Sets {
		s := &c.Sets[i]
		out.Sets = append(out.Sets, ARCSet{
			Instance: s.Instance, Sealer: string(s.Sealer), Trusted: s.Trusted, CV: s.CV, Seal: r.signature(&s.Seal), Message: r.signature(&s.Message),
		})
	}
	for _, v := range c.Violations {
		out.Violations = append(out.Violations, Notice{Code: string(v.Rule), Text: r.words.Render(v.Explain())})
	}
	return out
}

func (r renderer) dmarc(d dmarc.Result) DMARCView {
	out := DMARCView{
		Result: d.Status, Reason: d.Reason, Text: r.words.Render(d.Message()), Author: string(d.Author), Org: string(d.Org), Method: d.Method,
		Walk: r.walk(d.Walk), Disposition: d.Disposition, Alignments: []AlignmentView{},
	}
	if a := d.Applied; a != nil {
		out.RecordAt, out.Record = string(a.Domain), a.Record.Text
		out.Policy = strings.Trim(a.Tag+"="+string(a.Policy), "=")
		out.PolicyText = r.words.Render(a.Message(d.Author))
	}
	for i := range d.Alignments {
		a := &d.Alignments[i]
		out.Alignments = append(out.Alignments, AlignmentView{
			Mechanism: a.Mechanism, Domain: a.Identifier.Domain, Mode: a.Mode, Counts: a.Counts(),
			Text: r.words.Render(a.Message(d.Author)), Walk: r.walk(a.Walk),
		})
	}
	for _, w := range d.Warnings {
		out.Warnings = append(out.Warnings, r.words.Render(w.Message()))
	}
	return out
}

func (r renderer) walk(w *dmarc.Walk) []DMARCStep {
	out := []DMARCStep{}
	if w == nil {
		return out
	}
	for i := range w.Steps {
		s := &w.Steps[i]
		out = append(out, DMARCStep{Domain: string(s.Domain), Text: r.words.Render(s.Message()), Answer: dnsView(s.Answer)})
	}
	return out
}

func (r renderer) facts(list []difference) []Fact {
	out := make([]Fact, 0, len(list))
	for _, d := range list {
		out = append(out, Fact{Text: r.words.Render(d.message), Evidence: r.evidence(d.evidence)})
	}
	return out
}

// maxShownData bounds what is listed of one record: a TXT record may hold 64 KiB.
const maxShownData = 4096

func dnsView(a resolve.Answer) DNSView {
	out := DNSView{Name: a.Name, Type: a.Type.String(), RCode: a.RCode.String(), Chain: a.Chain, AD: a.AD, TTL: int(a.TTL.Seconds()), Source: a.Source}
	if a.NoData() {
		out.RCode = "NODATA"
	}
	for _, rec := range a.Records {
		d := rec.Data()
		if rec.Type == resolve.TypeTXT {
			d = rec.Text
		}
		out.Records = append(out.Records, d[:min(len(d), maxShownData)])
	}
	return out
}
