package requirement

import (
	"github.com/sekisho/sekisho/domain/posture"
	"github.com/sekisho/sekisho/lang"
)

// unsampled is a cell that a sample would decide.
func unsampled() Cell {
	return unknown(lang.M("requirement.unknown.sample"), lang.M("requirement.find.sample"))
}

// hopeless reports whether no message can pass DMARC, whatever a sample shows:
// nothing is published that it could rest on.
func (e *evaluation) hopeless() bool {
	spf := e.p.SPF.State == posture.Absent
	return spf && e.p.DKIM.State == posture.Absent
}

func (e *evaluation) dmarcPass() Cell {
	d := e.dmarc()
	switch {
	case d.State == Unmet:
		return d
	case e.Sample != nil && e.Sample.DMARC == "pass":
		return met(lang.M("requirement.dmarc.sample-pass"), e.identifiers()...)
	case e.Sample != nil && e.Sample.DMARC == "fail":
		return unmet(lang.M("requirement.dmarc.sample-fail"), lang.M("requirement.aligned.mend"), e.identifiers()...)
	case e.hopeless():
		return unmet(lang.M("requirement.aligned.hopeless"), lang.M("requirement.aligned.mend"))
	case e.Sample != nil:
		return unknown(lang.M("requirement.sample.open"), lang.M("requirement.find.again"))
	}
	return unsampled()
}

// identifiers are the domains that SPF and DKIM looked at in the sample.
func (e *evaluation) identifiers() []Evidence {
	s := e.Sample
	var out []Evidence
	if len(s.From) > 0 {
		out = append(out, Evidence{Name: "From", Quote: string(s.From[0])})
	}
	if s.SPF != "" {
		out = append(out, Evidence{Name: "SPF", Quote: s.SPF + " " + s.SPFDomain})
	}
	for _, sig := range s.Signatures[:min(len(s.Signatures), 4)] {
		word := "fail"
		if sig.Pass {
			word = "pass"
		}
		out = append(out, Evidence{Name: "DKIM", Quote: word + " " + string(sig.Domain)})
	}
	return out
}

// open reports whether a part of the authentication of the sample is not known.
func (e *evaluation) open() bool {
	if e.Sample.SPF == "" || e.Sample.SPF == "temperror" || e.Sample.DMARC == "temperror" {
		return true
	}
	for _, s := range e.Sample.Signatures {
		if s.Open {
			return true
		}
	}
	return false
}

func (e *evaluation) aligned() Cell {
	s := e.Sample
	switch {
	case s != nil && (s.AlignDKIM || s.AlignSPF):
		return met(lang.M("requirement.aligned.ok"), e.identifiers()...)
	case e.hopeless():
		return unmet(lang.M("requirement.aligned.hopeless"), lang.M("requirement.aligned.mend"))
	case s == nil:
		return unsampled()
	case e.open():
		return unknown(lang.M("requirement.sample.open"), lang.M("requirement.find.again"), e.identifiers()...)
	}
	return unmet(lang.M("requirement.aligned.none"), lang.M("requirement.aligned.mend"), e.identifiers()...)
}

func (e *evaluation) alignedBoth() Cell {
	s := e.Sample
	switch {
	case s == nil:
		return unsampled()
	case s.AlignDKIM && s.AlignSPF:
		return met(lang.M("requirement.aligned.both"), e.identifiers()...)
	case e.open():
		return unknown(lang.M("requirement.sample.open"), lang.M("requirement.find.again"), e.identifiers()...)
	case s.AlignDKIM:
		return unmet(lang.M("requirement.aligned.dkim-only"), lang.M("requirement.aligned.mend-spf"), e.identifiers()...)
	case s.AlignSPF:
		return unmet(lang.M("requirement.aligned.spf-only"), lang.M("requirement.aligned.mend-dkim"), e.identifiers()...)
	}
	return unmet(lang.M("requirement.aligned.none"), lang.M("requirement.aligned.mend"), e.identifiers()...)
}

func (e *evaluation) tls() Cell {
	s := e.Sample
	switch {
	case s == nil:
		return unknown(lang.M("requirement.tls.unknown"), lang.M("requirement.tls.find"))
	case s.TLS == posture.Present:
		return met(lang.M("requirement.tls.ok"), Evidence{Name: "Received", Quote: s.Hop})
	case s.TLS == posture.Absent:
		return unmet(lang.M("requirement.tls.none"), lang.M("requirement.tls.mend"), Evidence{Name: "Received", Quote: s.Hop})
	}
	return unknown(lang.M("requirement.tls.hop"), lang.M("requirement.tls.find"))
}

func (e *evaluation) format() Cell {
	s := e.Sample
	if s == nil {
		return unsampled()
	}
	if len(s.Faults) == 0 {
		return met(lang.M("requirement.format.ok"))
	}
	reason := s.Faults[0]
	for _, f := range s.Faults[1:] {
		reason = lang.M("requirement.two", "a", reason, "b", f)
	}
	return unmet(reason, lang.M("requirement.format.mend"))
}

// oneClick follows RFC 8058: an https URI, the field that allows the click, and
// a signature over both, without which anybody could put in their own.
func (e *evaluation) oneClick() Cell {
	s := e.Sample
	if s == nil {
		return unknown(lang.M("requirement.unknown.newsletter"), lang.M("requirement.find.newsletter"))
	}
	u := &s.Unsub
	mend := lang.M("requirement.one-click.mend")
	field := Evidence{Name: "List-Unsubscribe", Quote: u.Field[:min(len(u.Field), 300)]}
	post := Evidence{Name: "List-Unsubscribe-Post", Quote: u.Post[:min(len(u.Post), 100)]}
	switch {
	case u.Field == "" && !s.Bulk:
		return unknown(lang.M("requirement.one-click.not-bulk"), lang.M("requirement.find.newsletter"))
	case u.Field == "":
		return unmet(lang.M("requirement.one-click.none"), mend)
	case u.HTTPS == "":
		return unmet(lang.M("requirement.one-click.no-https"), mend, field)
	case u.Post == "":
		return unmet(lang.M("requirement.one-click.no-post"), mend, field)
	case !u.OneClick:
		return unmet(lang.M("requirement.one-click.wrong-post"), mend, post)
	case u.Covered:
		return met(lang.M("requirement.one-click.ok", "domain", u.CoveredBy), field, post)
	case u.Open:
		return unknown(lang.M("requirement.sample.open"), lang.M("requirement.find.again"), field, post)
	}
	return unmet(lang.M("requirement.one-click.unsigned"), lang.M("requirement.one-click.mend-signature"), field, post)
}

func (e *evaluation) unsubscribe() Cell {
	s := e.Sample
	switch {
	case s == nil:
		return unknown(lang.M("requirement.unknown.newsletter"), lang.M("requirement.find.newsletter"))
	case s.BodyLink:
		return met(lang.M("requirement.unsubscribe.body"))
	case s.Unsub.HTTPS != "" || s.Unsub.Mailto != "":
		return met(lang.M("requirement.unsubscribe.header"), Evidence{Name: "List-Unsubscribe", Quote: s.Unsub.Field[:min(len(s.Unsub.Field), 300)]})
	case !s.Bulk:
		return unknown(lang.M("requirement.one-click.not-bulk"), lang.M("requirement.find.newsletter"))
	}
	return unmet(lang.M("requirement.unsubscribe.none"), lang.M("requirement.unsubscribe.mend"))
}

// arc is for those who forward; a sample that was not forwarded shows nothing.
func (e *evaluation) arc() Cell {
	s := e.Sample
	switch {
	case s != nil && s.ARC == "pass":
		return met(lang.M("requirement.arc.ok"))
	case s != nil && s.ARC == "fail":
		return unmet(lang.M("requirement.arc.broken"), lang.M("requirement.arc.mend"))
	}
	return unknown(lang.M("requirement.arc.unknown"), lang.M("requirement.arc.find"))
}
