package m365

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/authres"
)

// Result is the outcome of one method as a receiving server wrote it.
type Result struct {
	Method   string // spf, dkim, dmarc, arc, compauth
	Result   string // pass, fail, ...: lower case; empty where nothing was written
	Domain   string // smtp.mailfrom, header.d or header.from: lower case; empty for "none"
	Action   string // of dmarc: none, quarantine, reject, oreject, ...
	Reason   string // of compauth: the code
	Comment  string // such as "body hash did not verify"
	Trusted  bool   // the recipient's Exchange Online wrote it
	Evidence finding.Evidence
}

// Passed reports whether the result is "pass" and can be believed.
func (r Result) Passed() bool { return r.Trusted && r.Result == "pass" }

// Authentication is what receiving servers wrote about the authentication of a
// message. Results that the recipient's Exchange Online wrote are preferred;
// where there are none, those of the topmost field are given, and
// Result.Trusted is false.
type Authentication struct {
	SPF      Result
	DKIM     []Result
	DMARC    Result
	ARC      Result
	CompAuth Result
	ClientIP netip.Addr // that SPF was checked for; invalid if not written
	MailFrom string     // domain of MAIL FROM that SPF was checked for; empty for the null sender
	Null     bool       // SPF was checked for HELO, as it is for the null sender (RFC 7208 section 2.4)
	Tampered []Tamper

	receivedSPF    authres.ReceivedSPF
	clientEvidence finding.Evidence
}

// maxFields bounds how many fields of one name are read.
const maxFields = 50

// Authenticate reads the Authentication-Results and Received-SPF fields of m.
func Authenticate(m *eml.Message, p *Path) *Authentication {
	a := &Authentication{}
	fields := m.Header().All("Authentication-Results")
	fields = fields[:min(len(fields), maxFields)]
	trusted := slices.DeleteFunc(slices.Clone(fields), func(f eml.Field) bool { return !p.Provenance(f).Trusted() })
	believe := len(trusted) > 0
	if !believe && len(fields) > 0 {
		trusted = fields[:1]
	}
	for _, f := range trusted {
		parsed, err := authres.Parse(f)
		if err != nil {
			continue
		}
		dkim := len(a.DKIM) == 0
		for _, r := range parsed.Results {
			a.take(m, f, r, believe, dkim)
		}
	}
	a.takeReceivedSPF(m, p)
	return a
}

// take adds one result. Where a method other than DKIM has two, Exchange
// Online was made to write one of them by what the sender said: the one that
// does not pass counts.
func (a *Authentication) take(m *eml.Message, f eml.Field, r authres.Result, trusted, dkim bool) {
	res := Result{Method: r.Method, Result: r.Value.Text, Reason: r.Reason.Text, Trusted: trusted, Evidence: resultEvidence(m, f, r)}
	if len(r.Comments) > 0 {
		res.Comment = r.Comments[0].Text
	}
	if v, ok := r.Prop("action"); ok {
		res.Action = strings.ToLower(v.Text)
	}
	var dst *Result
	switch r.Method {
	case authres.SPF:
		dst = &a.SPF
		mailfrom, ok := r.Prop("smtp.mailfrom")
		res.Domain = hostOf(mailfrom.Text)
		if dst.Result == "" {
			if ip, span, found := r.SenderIP(); found {
				a.ClientIP, a.clientEvidence = ip, evidence(m, f, span)
			}
			a.MailFrom = res.Domain
			if _, helo := r.Prop("smtp.helo"); helo && (!ok || res.Domain == "") {
				a.Null = true
			}
		}
	case authres.DKIM:
		if !dkim {
			return
		}
		d, ok := r.Prop("header.d")
		if !ok {
			d, _ = r.Prop("header.i")
		}
		res.Domain = hostOf(d.Text)
		a.DKIM = append(a.DKIM, res)
		return
	case authres.DMARC:
		dst = &a.DMARC
		from, _ := r.Prop("header.from")
		res.Domain = hostOf(from.Text)
	case authres.ARC:
		dst = &a.ARC
	case authres.CompAuth:
		dst = &a.CompAuth
	default:
		return
	}
	if dst.Result == "" {
		*dst = res
		return
	}
	if dst.Result == res.Result && dst.Reason == res.Reason {
		return
	}
	if len(a.Tampered) < maxTampered {
		a.Tampered = append(a.Tampered, Tamper{
			Message:  lang.M("m365.tamper.twice", "field", r.Method, "a", dst.Result, "b", res.Result),
			Evidence: []finding.Evidence{dst.Evidence, res.Evidence},
		})
	}
	if dst.Result == "pass" {
		*dst = res
	}
}

// takeReceivedSPF reads the Received-SPF that belongs to the results. It
// stands in for SPF where Authentication-Results has none.
func (a *Authentication) takeReceivedSPF(m *eml.Message, p *Path) {
	fields := m.Header().All("Received-SPF")
	for _, f := range fields[:min(len(fields), maxFields)] {
		if !p.Provenance(f).Trusted() {
			continue
		}
		r, err := authres.ParseReceivedSPF(f)
		if err != nil {
			continue
		}
		a.receivedSPF = r
		ev := evidence(m, f, r.Result.Span)
		switch {
		case a.SPF.Result == "" || !a.SPF.Trusted:
			a.SPF = Result{Method: authres.SPF, Result: r.Result.Text, Domain: hostOf(r.Domain), Trusted: true, Evidence: ev}
			a.MailFrom = a.SPF.Domain
			if r.ClientIP.IsValid() {
				a.ClientIP, a.clientEvidence = r.ClientIP, evidence(m, f, r.IPSpan)
			}
		case a.SPF.Result != r.Result.Text:
			a.Tampered = append(a.Tampered, Tamper{
				Message:  lang.M("m365.tamper.twice", "field", "spf", "a", a.SPF.Result, "b", r.Result.Text),
				Evidence: []finding.Evidence{a.SPF.Evidence, ev},
			})
		}
		return
	}
}

// AlignedDKIM returns a believable passing DKIM result whose domain is aligned
// with from (relaxed, RFC 7489 section 3.1.1).
func (a *Authentication) AlignedDKIM(from string) (Result, bool) {
	for _, r := range a.DKIM {
		if r.Passed() && Aligned(r.Domain, from) {
			return r, true
		}
	}
	return Result{}, false
}

// provenFor reports whether the sender proved that from is his domain.
func (a *Authentication) provenFor(from string) bool {
	_, signed := a.AlignedDKIM(from)
	return signed || a.DMARC.Passed() && Aligned(a.DMARC.Domain, from) || a.SPF.Passed() && Aligned(a.SPF.Domain, from)
}

// Aligned reports whether two domains have the same organizational domain.
func Aligned(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	if strings.EqualFold(a, b) {
		return true
	}
	x, err := domain.Parse(a)
	if err != nil {
		return false
	}
	y, err := domain.Parse(b)
	return err == nil && domain.Organizational(x) == domain.Organizational(y)
}

// hostOf returns the domain of an address or the domain itself as A-labels in
// lower case, empty for "none" and what is no domain.
func hostOf(s string) string {
	s = strings.Trim(strings.TrimSpace(s), "<>")
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = s[i+1:]
	}
	s = strings.ToLower(strings.TrimRight(s, "."))
	if s == "none" || s == "" {
		return ""
	}
	if n, err := domain.Parse(s); err == nil {
		return string(n)
	}
	return s
}
