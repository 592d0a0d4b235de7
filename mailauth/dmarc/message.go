package dmarc

import (
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/lang"
)

// Message says the result in a sentence.
func (r Result) Message() lang.Message {
	author := unicode(r.Author)
	switch r.Reason {
	case ReasonAligned:
		for i := range r.Alignments {
			if a := &r.Alignments[i]; a.Counts() {
				return a.Message(r.Author)
			}
		}
	case ReasonNotAligned:
		return lang.M("dmarc.reason.not-aligned", "author", author)
	case ReasonUnauthenticated:
		return lang.M("dmarc.reason.unauthenticated", "author", author)
	case ReasonNoRecord:
		return lang.M("dmarc.reason.no-record", "author", author)
	case ReasonDefective:
		return lang.M("dmarc.reason.defective", "author", author)
	case ReasonNoFrom:
		return lang.M("dmarc.reason.no-from")
	case ReasonBadFrom:
		return lang.M("dmarc.reason.bad-from", "text", show(r.From))
	case ReasonManyFrom:
		return lang.M("dmarc.reason.many-from", "n", r.Authors)
	case ReasonIdentifier:
		return lang.M("dmarc.reason.identifier", "author", author)
	case ReasonDNS, ReasonExistence:
		if r.Failed != nil && r.Status == StatusPermError {
			return lang.M("dmarc.reason.dns-permanent", "name", show(r.Failed.Name), "code", r.Failed.RCode.String())
		}
		if r.Failed != nil {
			return lang.M("dmarc.reason.dns", "name", show(r.Failed.Name), "code", r.Failed.RCode.String())
		}
		return lang.M("dmarc.reason.ended")
	case ReasonNotAsked:
		return lang.M("dmarc.reason.not-asked", "author", author)
	case ReasonEnded:
		return lang.M("dmarc.reason.ended")
	}
	return lang.Message{}
}

// Message says the outcome for one identifier in a sentence; author is the
// author domain.
func (a *Alignment) Message(author domain.Name) lang.Message {
	name, from, by := unicode(a.Domain), unicode(author), mechanismName(a.Mechanism)
	if a.Domain == "" {
		name = show(a.Identifier.Domain)
	}
	if a.Aligned && !a.Authenticated {
		return lang.M("dmarc.alignment.not-passed", "by", by, "domain", name, "author", from, "status", show(a.Identifier.Status))
	}
	switch a.Reason {
	case AlignIdentical:
		return lang.M("dmarc.alignment.identical", "by", by, "domain", name)
	case AlignSameOrg:
		return lang.M("dmarc.alignment.same-org", "by", by, "domain", name, "author", from, "org", unicode(a.Org))
	case AlignOtherOrg:
		return lang.M("dmarc.alignment.other-org", "by", by, "domain", name, "author", from)
	case AlignStrict:
		return lang.M("dmarc.alignment.strict", "by", by, "domain", name, "author", from)
	case AlignNoName:
		return lang.M("dmarc.alignment.no-name", "by", by, "domain", name)
	case AlignUnknown:
		return lang.M("dmarc.alignment.unknown", "by", by, "domain", name, "author", from)
	case AlignLimit:
		return lang.M("dmarc.alignment.too-many", "by", by, "domain", name)
	}
	return lang.Message{}
}

func mechanismName(m Mechanism) string {
	if m == MechanismSPF {
		return "SPF"
	}
	return "DKIM"
}

// Message says in a sentence which policy applies and why; author is the author
// domain.
func (a *Applied) Message(author domain.Name) lang.Message {
	name, from, policy := unicode(a.Domain), unicode(author), string(a.Published)
	switch {
	case a.Tag == "":
		return lang.M("dmarc.policy.defective", "domain", name)
	case a.Policy != a.Published:
		return lang.M("dmarc.policy.test", "domain", name, "tag", a.Tag, "policy", policy, "lower", string(a.Policy))
	case a.Source == SourceAuthor:
		return lang.M("dmarc.policy.author", "domain", name, "policy", policy)
	case a.Tag == "np":
		return lang.M("dmarc.policy.np", "domain", name, "author", from, "policy", policy)
	case a.Existence == ExistenceUnknown:
		return lang.M("dmarc.policy.unknown", "domain", name, "author", from)
	case a.Source == SourcePSD:
		return lang.M("dmarc.policy.psd", "domain", name, "author", from, "tag", a.Tag, "policy", policy)
	}
	return lang.M("dmarc.policy.organizational", "domain", name, "author", from, "tag", a.Tag, "policy", policy)
}

// Message says in a sentence what came of the question.
func (s *Step) Message() lang.Message {
	name := show(s.Name)
	switch s.Outcome {
	case OutcomeRecord:
		return lang.M("dmarc.step.record", "name", name, "record", show(s.Record.Text))
	case OutcomeNone:
		if len(s.Rejected) > 0 {
			return lang.M("dmarc.step.rejected", "name", name, "text", show(s.Rejected[0]))
		}
		return lang.M("dmarc.step.none", "name", name)
	case OutcomeMultiple:
		return lang.M("dmarc.step.multiple", "name", name)
	case OutcomeBadName:
		return lang.M("dmarc.step.bad-name", "name", name)
	case OutcomeFailed:
		return lang.M("dmarc.step.failed", "name", name, "code", s.Answer.RCode.String())
	case OutcomeNotAsked:
		return lang.M("dmarc.step.not-asked", "name", name)
	case OutcomeEnded:
		return lang.M("dmarc.step.ended", "name", name)
	}
	return lang.Message{}
}

// Message says in a sentence which domain is the organizational domain and why.
func (w *Walk) Message() lang.Message {
	start, org := unicode(w.Start), unicode(w.Org)
	switch w.OrgReason {
	case OrgPSDNo:
		return lang.M("dmarc.org.psd-n", "start", start, "org", org)
	case OrgPSDYes:
		return lang.M("dmarc.org.psd-y", "start", start, "org", org, "above", unicode(w.Org.Parent()))
	case OrgFewest:
		return lang.M("dmarc.org.fewest-labels", "start", start, "org", org)
	case OrgStart:
		return lang.M("dmarc.org.start", "start", start)
	case OrgSuffix:
		return lang.M("dmarc.org.suffix", "start", start, "org", org)
	case OrgList:
		return lang.M("dmarc.org.is-suffix", "start", start)
	}
	return lang.M("dmarc.org.unknown", "start", start)
}

// Message says in a sentence whether the address will get reports.
func (d *Destination) Message() lang.Message {
	uri, host := show(d.URI.Text), unicode(d.URI.Host)
	switch d.Consent {
	case ConsentOwn:
		return lang.M("dmarc.destination.own", "uri", uri)
	case ConsentGiven:
		if len(d.Override) > 0 {
			return lang.M("dmarc.destination.override", "uri", uri, "host", host, "other", show(d.Override[0].Text))
		}
		return lang.M("dmarc.destination.given", "uri", uri, "host", host)
	case ConsentMissing:
		if d.Name == "" {
			return lang.M("dmarc.destination.too-long", "uri", uri)
		}
		return lang.M("dmarc.destination.missing", "uri", uri, "host", host, "name", show(d.Name))
	case ConsentElsewhere:
		return lang.M("dmarc.destination.elsewhere", "uri", uri, "host", host)
	case ConsentNoHost:
		return lang.M("dmarc.destination.no-host", "uri", uri)
	default:
		return lang.M("dmarc.destination.unknown", "uri", uri, "host", host)
	}
}

// unicode returns a name as its readers know it.
func unicode(n domain.Name) string { return n.Unicode() }
