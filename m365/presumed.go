package m365

import (
	_ "embed"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
)

//go:embed consumer_domains.txt
var consumerDomains string

// IsConsumerDomain reports whether anybody can get a mailbox under name, so
// that it cannot be the domain of one organisation.
func IsConsumerDomain(name string) bool {
	n, err := domain.Parse(name)
	if err != nil {
		return false
	}
	for line := range strings.Lines(consumerDomains) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if n.IsSubdomainOf(domain.Name(line)) {
			return true
		}
	}
	return false
}

// Presumption is a domain that is taken for the organisation's own although
// nobody said so.
type Presumption struct {
	Domain   string
	Reason   lang.Message
	Evidence []finding.Evidence
}

// PresumedDomain looks for signs that the From domain of m is the recipient's
// own: Exchange Online said so (compauth reason 010 or 601, or
// InternalOrgSender), or the mail is addressed to its own From address. The
// recipient is the envelope's, empty if it is not known.
//
// It is never a domain under which anybody gets a mailbox. Mail to oneself
// that is authenticated for the From domain is no sign: services and senders
// who hide their recipients (Bcc) address mail to themselves.
func PresumedDomain(m *eml.Message, a *Authentication, s *Stamps, recipient string) (Presumption, bool) {
	for _, from := range claims(m) {
		name := hostOf(from.Domain)
		n, err := domain.Parse(name)
		if err != nil || n.Parent() == "" || IsConsumerDomain(name) {
			continue
		}
		p := Presumption{Domain: name, Evidence: []finding.Evidence{addressEvidence(m, from)}}
		switch {
		case a.CompAuth.Trusted && (a.CompAuth.Reason == "010" || a.CompAuth.Reason == "601"):
			p.Reason = lang.M("m365.presumed.compauth", "domain", name, "code", a.CompAuth.Reason)
			p.Evidence = append(p.Evidence, a.CompAuth.Evidence)
			return p, true
		case s.InternalOrgSender.Is("true"):
			p.Reason = lang.M("m365.presumed.org-sender", "domain", name)
			p.Evidence = append(p.Evidence, valueEvidence(m, s.InternalOrgSender))
			return p, true
		}
		if a.provenFor(name) {
			continue
		}
		if to, ok := selfAddressed(m, from, recipient); ok {
			p.Reason = lang.M("m365.presumed.self", "domain", name)
			if to.Domain != "" {
				p.Evidence = append(p.Evidence, addressEvidence(m, to))
			}
			return p, true
		}
	}
	return Presumption{}, false
}

// maxClaims bounds the From addresses that are looked at.
const maxClaims = 20

// claims returns the mailboxes of From that have a domain.
func claims(m *eml.Message) []eml.Address {
	all := m.From()
	all = slices.DeleteFunc(slices.Clone(all[:min(len(all), maxClaims)]), func(a eml.Address) bool { return a.Domain == "" })
	return all
}

// selfAddressed reports whether the mail is addressed to its own sender, and
// by which mailbox of To; the mailbox is zero where the envelope says so.
func selfAddressed(m *eml.Message, from eml.Address, recipient string) (eml.Address, bool) {
	if recipient != "" && strings.EqualFold(strings.Trim(recipient, "<> "), from.Addr()) {
		return eml.Address{}, true
	}
	to := m.Addresses("To")
	for _, a := range to[:min(len(to), 100)] {
		if a.Equal(from) {
			return a, true
		}
	}
	return eml.Address{}, false
}

// addressEvidence quotes a mailbox where it stands.
func addressEvidence(m *eml.Message, a eml.Address) finding.Evidence {
	for _, f := range m.Header().Fields() {
		if s := f.Span(); a.Span.Offset >= s.Offset && a.Span.End() <= s.End() {
			span := a.Span
			span.Length = min(span.Length, maxQuote)
			return evidence(m, f, span)
		}
	}
	return finding.Evidence{Quote: a.Addr()}
}
