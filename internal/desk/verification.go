package desk

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/mailauth"
	"github.com/sekisho/sekisho/mailauth/arc"
	"github.com/sekisho/sekisho/mailauth/authres"
	"github.com/sekisho/sekisho/mailauth/dkim"
	"github.com/sekisho/sekisho/mailauth/dmarc"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/resolve"
)

// Bounds on what is asked of DNS for one input and all messages in it.
const (
	maxQuestions = 200
	dnsTimeout   = 20 * time.Second // for all questions; real time, whatever the time is that signatures expire against
)

// bounded returns the resolver for one input. Once its questions or its time
// are used up, it answers that there is no answer.
func bounded(r resolve.Resolver) resolve.Resolver {
	return resolve.NewLimit(resolve.Deadline(r, time.Now().Add(dnsTimeout)), maxQuestions)
}

// verification is our own verification of a message and what it rests on.
type verification struct {
	msg    *eml.Message
	path   *m365.Path
	stamps *m365.Authentication
	in     mailauth.Input
	source lang.Message
	report *mailauth.Report
	asked  []resolve.Answer
	late   bool // DNS did not answer in time
}

// verify verifies a message with a resolver that is [bounded], on the budget of
// the input. The envelope is what the receiving server wrote into the header,
// unless the caller knows it.
func verify(ctx context.Context, m *eml.Message, r resolve.Resolver, facts org.Facts, now time.Time, in *AuthInput, b *budget.Budget) *verification {
	v := &verification{msg: m, path: m365.NewPath(m.Header(), &facts), source: lang.M("auth.envelope.none")}
	v.stamps = m365.Authenticate(m, v.path)
	v.in = mailauth.Input{Message: m, Now: now}
	v.envelope(&facts)
	if in != nil && in.IP.IsValid() {
		v.in.IP, v.in.Helo, v.in.MailFrom = in.IP, in.Helo, in.MailFrom
		v.source = lang.M("auth.envelope.given")
	}
	if in != nil && in.unknown {
		v.in.IP, v.source = netip.Addr{}, lang.M("auth.envelope.none")
	}
	trace := resolve.NewTrace(r)
	o := &mailauth.Options{Budget: b}
	if in != nil {
		o.Method = in.Method
	}
	for _, s := range facts.ARCSealers.Value() {
		if n, err := domain.Parse(s); err == nil {
			o.TrustedSealers = append(o.TrustedSealers, n)
		}
	}
	if !facts.ARCSealers.Configured() {
		o.TrustedSealers = []domain.Name{"microsoft.com"} // as Exchange Online does between its tenants
	}
	var err error
	v.report, err = mailauth.Verify(ctx, trace, v.in, o)
	v.asked = trace.Answers()
	v.late = err != nil || slices.ContainsFunc(v.asked, func(a resolve.Answer) bool { return a.RCode == resolve.Timeout })
	return v
}

// given returns the envelope that was seen when a message was handed in. Where a
// gateway of ours did that, it is read from the header, which the gateway wrote:
// nil. Where it was a host of our own network, there is none: nobody but the
// sender wrote the header.
func (h *Handover) given(facts *org.Facts) *AuthInput {
	if h == nil {
		return nil
	}
	ip := h.IP.Unmap()
	switch {
	case slices.ContainsFunc(facts.Gateways.Value(), func(p netip.Prefix) bool { return p.Contains(ip) }):
		return nil
	case !ip.IsValid() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast():
		return &AuthInput{unknown: true}
	}
	return &AuthInput{IP: ip, Helo: h.HELO, MailFrom: h.MailFrom}
}

// envelope reads client, HELO and MAIL FROM as the receiving system wrote them.
func (v *verification) envelope(facts *org.Facts) {
	d := m365.DirectSend(m365.Input{Message: v.msg, Facts: facts})
	v.in.MailFrom, v.in.Helo = d.MailFrom, d.Helo
	switch {
	case d.SourceIP.IsValid():
		v.in.IP, v.source = d.SourceIP, lang.M("auth.envelope.gateway")
	case d.ClientIP.IsValid():
		v.in.IP, v.source = d.ClientIP, lang.M("auth.envelope.ingress")
	default:
		// Another receiver: its Received-SPF names the client, if the sender
		// did not write it himself, which cannot be told.
		for _, f := range v.msg.Header().All("Received-SPF") {
			if rs, err := authres.ParseReceivedSPF(f); err == nil && rs.ClientIP.IsValid() {
				v.in.IP, v.in.Helo = rs.ClientIP, rs.Helo
				v.source = lang.M("auth.envelope.received-spf")
				break
			}
		}
	}
	// Authentication-Results may name the domain alone; Return-Path has the
	// address. Where no receiver is known, it is all there is.
	null := d.Null
	if f, ok := v.msg.Header().First("Return-Path"); ok {
		a := f.Addresses()
		switch {
		case len(a) > 0 && a[0].Domain != "" && (d.Path.Ingress < 0 || strings.EqualFold(a[0].Domain, d.MailFrom)):
			v.in.MailFrom = a[0].Addr()
		case strings.Trim(f.Value(), " <>") == "":
			null = true
		}
	}
	if v.in.MailFrom == "" && !null && v.in.IP.IsValid() {
		// An unknown sender is no null sender: HELO must not stand in for it
		// (RFC 7208 section 2.4).
		v.in.IP, v.source = netip.Addr{}, lang.M("auth.envelope.no-sender")
	}
}

// verified is what the Direct Send decision takes from our own verification.
func (v *verification) verified() *m365.Verified {
	out := &m365.Verified{}
	for i := range v.report.DKIM.Signatures {
		s := &v.report.DKIM.Signatures[i]
		out.DKIM = append(out.DKIM, m365.VerifiedSignature{
			Domain: string(s.Domain), Pass: s.Status == dkim.StatusPass, KeyBits: rsaBits(s), FromSigned: s.Covers("From") > 0,
			Evidence: fieldPlace(v.msg, s.Field),
		})
	}
	if c := &v.report.ARC; c.Status == arc.StatusPass {
		out.ARC.Pass = true
		for _, s := range c.Sets {
			out.ARC.Sealers = append(out.ARC.Sealers, string(s.Sealer))
		}
		if len(c.Sets) > 0 {
			out.ARC.Evidence = fieldPlace(v.msg, c.Sets[0].Seal.Field)
			for _, res := range c.Sets[0].Results.All(authres.DMARC) {
				if from, ok := res.Prop("header.from"); ok && res.Value.Text == "pass" {
					out.ARC.Origin = from.Text
				}
			}
		}
	}
	return out
}

func rsaBits(s *dkim.Signature) int {
	if s.Key != nil && s.Key.Type == "rsa" {
		return s.KeyBits
	}
	return 0
}

func fieldPlace(m *eml.Message, f eml.Field) finding.Evidence {
	s := f.Span()
	return finding.Evidence{
		Where: finding.Where{Part: m.Root().ID(), Header: f.Name(), Index: f.Index(), Offset: s.Offset, Length: s.Length},
		Quote: strings.Join(strings.Fields(m.Quote(s)), " "),
	}
}

// difference is a claim that our own verification does not confirm.
type difference struct {
	message  lang.Message
	evidence []finding.Evidence
}

// differs compares what was stamped on arrival with what we verified, and says
// what the difference may come from.
func (v *verification) differs(form Form) []difference {
	var out []difference
	for _, claim := range v.stamps.DKIM {
		if claim.Result != "pass" || claim.Domain == "" {
			continue
		}
		i := slices.IndexFunc(v.report.DKIM.Signatures, func(s dkim.Signature) bool { return strings.EqualFold(string(s.Domain), claim.Domain) })
		ev := []finding.Evidence{claim.Evidence}
		if i < 0 {
			out = append(out, difference{lang.M("auth.differs.signature-gone", "domain", claim.Domain), ev})
			continue
		}
		s := &v.report.DKIM.Signatures[i]
		ev = append(ev, fieldPlace(v.msg, s.Field))
		switch {
		case s.Status == dkim.StatusPass, s.Status == dkim.StatusTempError, s.Reason == dkim.NotAsked, s.Reason == dkim.OutOfBudget:
		case s.Reason == dkim.KeyNotFound || s.Reason == dkim.KeyRevoked:
			out = append(out, difference{lang.M("auth.differs.key-rotated", "domain", claim.Domain, "selector", s.Selector), ev})
		case s.Reason == dkim.Expired:
			out = append(out, difference{lang.M("auth.differs.expired", "domain", claim.Domain), ev})
		case s.BodyHash == dkim.Mismatch && form == FormOutlook:
			out = append(out, difference{lang.M("auth.differs.outlook", "domain", claim.Domain), ev})
		case s.BodyHash == dkim.Mismatch:
			out = append(out, difference{lang.M("auth.differs.body", "domain", claim.Domain), ev})
		default:
			out = append(out, difference{lang.M("auth.differs.header", "domain", claim.Domain), ev})
		}
	}
	if c := v.stamps.SPF; v.report.SPF != nil && c.Result != "" && settled(string(v.report.SPF.Status)) && c.Result != string(v.report.SPF.Status) {
		out = append(out, difference{lang.M("auth.differs.spf", "then", c.Result, "now", string(v.report.SPF.Status), "domain", v.report.SPF.Domain), []finding.Evidence{c.Evidence}})
	}
	if c := v.stamps.DMARC; c.Result != "" && settled(string(v.report.DMARC.Status)) && (c.Result == "pass") != (v.report.DMARC.Status == dmarc.StatusPass) {
		out = append(out, difference{lang.M("auth.differs.dmarc", "then", c.Result, "now", string(v.report.DMARC.Status)), []finding.Evidence{c.Evidence}})
	}
	return out
}

// settled reports whether a result is an answer rather than a failure to get
// one.
func settled(s string) bool { return s != "" && s != "temperror" }

func (v *verification) summary() lang.Message {
	if len(v.asked) > 0 && !slices.ContainsFunc(v.asked, func(a resolve.Answer) bool { return a.RCode != resolve.NotAsked }) {
		return lang.M("auth.summary.offline")
	}
	spfWord := "-"
	if v.report.SPF != nil {
		spfWord = string(v.report.SPF.Status)
	}
	pass := 0
	for _, s := range v.report.DKIM.Signatures {
		if s.Status == dkim.StatusPass {
			pass++
		}
	}
	return lang.M("auth.summary", "spf", spfWord, "pass", pass, "signatures", v.report.DKIM.Found,
		"arc", string(v.report.ARC.Status), "dmarc", string(v.report.DMARC.Status))
}

// stamp writes what was verified as an Authentication-Results field.
func (v *verification) stamp(servID string) (string, error) {
	var stamps []authres.Stamp
	if s := v.report.SPF; s != nil {
		stamps = append(stamps, authres.SPFStamp(string(s.Status), v.in.MailFrom, v.in.Helo))
	}
	raw := make([]string, 0, len(v.report.DKIM.Signatures))
	for i := range v.report.DKIM.Signatures {
		b, _ := v.report.DKIM.Signatures[i].Tag("b")
		raw = append(raw, b)
	}
	fragments := authres.Fragments(raw)
	for i := range v.report.DKIM.Signatures {
		s := &v.report.DKIM.Signatures[i]
		stamps = append(stamps, authres.DKIMStamp(string(s.Status), string(s.Domain), s.Selector, s.Algorithm, fragments[i]))
	}
	d := v.report.DMARC
	stamps = append(stamps, authres.DMARCStamp(string(d.Status), string(d.Author), string(d.Disposition)))
	if c := v.report.ARC; c.Status == arc.StatusPass || c.Status == arc.StatusFail {
		stamps = append(stamps, authres.ARCStamp(string(c.Status), "", ""))
	}
	return authres.Format(servID, stamps)
}
