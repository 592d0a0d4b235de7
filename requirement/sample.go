package requirement

import (
	"slices"
	"strings"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/domain/posture"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth"
	"github.com/sekisho/sekisho/mailauth/arc"
	"github.com/sekisho/sekisho/mailauth/dkim"
	"github.com/sekisho/sekisho/mailauth/dmarc"
)

// Sample is what a message shows of how a domain sends.
type Sample struct {
	From   []domain.Name // of the From fields, each once
	Faults []lang.Message
	Bulk   bool // it says of itself that it went to many

	IP        string // of the host that handed it in; empty if unknown
	SPF       string // pass, fail, softfail, ...; empty if it was not checked
	SPFDomain string
	DMARC     string // pass, fail, ...
	AlignSPF  bool
	AlignDKIM bool
	ARC       string // pass, fail, none

	Signatures []Signature
	Reverse    *posture.Reverse // of IP; nil if it was not looked up
	TLS        posture.State    // whether it was handed in over TLS
	Hop        string           // the words that say so
	Unsub      Unsubscribe
	BodyLink   bool // the text offers to unsubscribe
}

// Signature is a DKIM signature of the sample.
type Signature struct {
	Domain   domain.Name
	Selector string
	Pass     bool
	Open     bool // it could not be checked, because DNS did not answer
	Why      lang.Message
	Type     string
	Bits     int
	covers   map[string]int
}

// Delivery is what the caller knows of how the sample was handed in.
type Delivery struct {
	Received string // the Received field that the receiving host wrote; empty if unknown
	Reverse  *posture.Reverse
	BodyLink bool // the text has a link or words to unsubscribe
}

// maxHeaderFaults bounds what is told of a bad header.
const maxHeaderFaults = 8

// ReadSample reads a message that the domain sent. report is what verifying it
// brought; nil if it was not verified.
func ReadSample(m *eml.Message, report *mailauth.Report, d Delivery) *Sample {
	s := &Sample{Reverse: d.Reverse, BodyLink: d.BodyLink, TLS: transport(d.Received), Hop: d.Received[:min(len(d.Received), 300)]}
	for _, a := range m.From() {
		if n, err := domain.Parse(a.Domain); err == nil && !slices.Contains(s.From, n) && len(s.From) < 10 {
			s.From = append(s.From, n)
		}
	}
	s.Faults = headerFaults(m)
	h := m.Header()
	s.Bulk = h.Value("List-Id") != "" || h.Value("List-Unsubscribe") != "" || h.Value("Feedback-ID") != "" || strings.EqualFold(h.Value("Precedence"), "bulk")
	if report != nil {
		s.verified(report)
	}
	s.Unsub = readUnsubscribe(h, s.Signatures)
	return s
}

func (s *Sample) verified(r *mailauth.Report) {
	if r.SPF != nil {
		s.SPF, s.SPFDomain = string(r.SPF.Status), r.SPF.Domain
		if r.SPF.IP.IsValid() {
			s.IP = r.SPF.IP.String()
		}
	}
	for i := range r.DKIM.Signatures {
		sig := &r.DKIM.Signatures[i]
		out := Signature{
			Domain: sig.Domain, Selector: sig.Selector, Pass: sig.Status == dkim.StatusPass, Bits: sig.KeyBits,
			Open:   sig.Status == dkim.StatusTempError || sig.Reason == dkim.NotAsked || sig.Reason == dkim.OutOfBudget,
			covers: map[string]int{},
		}
		if !out.Pass {
			out.Why = sig.Explain()
		}
		if sig.Key != nil {
			out.Type = sig.Key.Type
		}
		for _, name := range []string{"List-Unsubscribe", "List-Unsubscribe-Post"} {
			out.covers[name] = sig.Covers(name)
		}
		s.Signatures = append(s.Signatures, out)
	}
	s.DMARC = string(r.DMARC.Status)
	for i := range r.DMARC.Alignments {
		a := &r.DMARC.Alignments[i]
		if a.Counts() {
			s.AlignSPF = s.AlignSPF || a.Mechanism == dmarc.MechanismSPF
			s.AlignDKIM = s.AlignDKIM || a.Mechanism == dmarc.MechanismDKIM
		}
	}
	s.ARC = string(r.ARC.Status)
	if len(r.ARC.Sets) == 0 && r.ARC.Status != arc.StatusFail {
		s.ARC = "none"
	}
}

// by reports whether the sample claims to come from the domain or from another
// of the same organisation.
func (s *Sample) by(p *posture.Report) bool {
	return slices.ContainsFunc(s.From, func(n domain.Name) bool { return inOrg(n, p) })
}

// headerFaults are the departures from RFC 5322 section 3.6 that receivers name
// in their guidelines.
func headerFaults(m *eml.Message) []lang.Message {
	var out []lang.Message
	add := func(f lang.Message) {
		if len(out) < maxHeaderFaults {
			out = append(out, f)
		}
	}
	h := m.Header()
	switch n := len(m.From()); {
	case len(h.All("From")) == 0:
		add(lang.M("requirement.format.missing", "field", "From"))
	case n > 1:
		add(lang.M("requirement.format.authors", "n", n))
	case n == 0 || m.From()[0].Domain == "":
		add(lang.M("requirement.format.no-address"))
	}
	for _, name := range []string{"From", "Sender", "Reply-To", "To", "Cc", "Date", "Subject", "Message-ID", "In-Reply-To", "References"} {
		if n := len(h.All(name)); n > 1 {
			add(lang.M("requirement.format.twice", "field", name, "n", n))
		}
	}
	for _, name := range []string{"Date", "Message-ID"} {
		if len(h.All(name)) == 0 {
			add(lang.M("requirement.format.missing", "field", name))
		}
	}
	if f, ok := h.First("Message-ID"); ok {
		if id := f.Value(); len(id) < 5 || id[0] != '<' || id[len(id)-1] != '>' || !strings.Contains(id, "@") {
			add(lang.M("requirement.format.message-id"))
		}
	}
	if _, ok := m.Date(); !ok && len(h.All("Date")) > 0 {
		add(lang.M("requirement.format.date"))
	}
	return out
}

// transport reads from a Received field whether TLS was used: "with ESMTPS"
// (RFC 3848), or a remark as servers write it.
func transport(received string) posture.State {
	low := strings.ToLower(received[:min(len(received), 4096)])
	_, rest, ok := strings.Cut(low, " with ")
	if !ok {
		return posture.Unknown
	}
	switch {
	case strings.HasPrefix(rest, "esmtps"), strings.HasPrefix(rest, "utf8smtps"), strings.Contains(low, "version=tls"), strings.Contains(low, "using tls"):
		return posture.Present
	case strings.HasPrefix(rest, "smtp"), strings.HasPrefix(rest, "esmtp"), strings.HasPrefix(rest, "microsoft smtp server"):
		return posture.Absent
	}
	return posture.Unknown
}
