package m365

import (
	_ "embed"
	"net/netip"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
)

//go:embed scanners.txt
var scannerNames string

func (d *decider) signal(name string, weight int, message lang.Message, ev ...finding.Evidence) {
	d.Signals = append(d.Signals, Signal{Name: name, Weight: weight, Message: message, Evidence: ev})
}

// remainder is S8: nothing honest explains the mail.
func (d *decider) remainder() bool {
	s, a := d.stamps, d.auth
	anonymous := s.AuthAs.Is("Anonymous") || s.AuthAs.Is("External") || s.CrossTenantAuthAs.Is("Anonymous") || s.Directionality.Is("Incoming")
	results := a.SPF.Trusted || a.DMARC.Trusted || len(a.DKIM) > 0 && a.DKIM[0].Trusted
	if !anonymous && !results && !d.unproven {
		// The ingress shows a client outside, and nothing more is left of what
		// Exchange Online wrote.
		d.step("S8", lang.M("m365.s8.bare"))
		return d.decide(NotDecidable, High)
	}
	d.signals()
	strong := d.strong()
	var ev []finding.Evidence
	for _, v := range []Value{s.AuthAs, s.CrossTenantAuthAs, s.Directionality} {
		if v.Given() {
			ev = append(ev, d.value(v))
			break
		}
	}
	for _, r := range []Result{a.SPF, a.DMARC} {
		if r.Trusted {
			ev = append(ev, d.result(r))
		}
	}
	for _, r := range a.DKIM[:min(len(a.DKIM), 3)] {
		if r.Trusted {
			ev = append(ev, d.result(r))
		}
	}
	confidence := d.confidence(len(strong) > 0)
	_, own := d.owns(hostOf(d.MailFrom))
	switch {
	case d.unproven:
		if len(d.behind) == 0 {
			confidence = Low
		}
		d.step("S8", lang.M("m365.s8.gateway", "domain", d.Domain), append(ev, strong...)...)
		return d.decide(SpoofThroughGateway, confidence)
	case d.Null || d.MailFrom == "":
		d.step("S8", lang.M("m365.s8.ds3", "domain", d.Domain), append(ev, strong...)...)
		return d.decide(DS3, confidence)
	case own:
		d.step("S8", lang.M("m365.s8.ds1", "domain", d.Domain), append(ev, strong...)...)
		return d.decide(DS1, confidence)
	}
	d.step("S8", lang.M("m365.s8.ds2", "domain", d.Domain, "sender", hostOf(d.MailFrom)), append(ev, strong...)...)
	return d.decide(DS2, confidence)
}

// strong collects what makes an attack certain rather than likely: a label of
// Microsoft's own, or composite authentication that failed or was bypassed.
func (d *decider) strong() []finding.Evidence {
	s, c := d.stamps, d.auth.CompAuth
	var ev []finding.Evidence
	if s.IsAnonymousDirectSend.Is("true") {
		ev = append(ev, d.value(s.IsAnonymousDirectSend))
	}
	if s.InternalOrgSender.Is("true") && s.Directionality.Is("Incoming") {
		ev = append(ev, d.value(s.InternalOrgSender))
	}
	bypassed := c.Trusted && c.Result == "none" && len(c.Reason) == 3 && (c.Reason[0] == '4' || c.Reason[0] == '9')
	if bypassed || d.spoofCode() {
		e := d.result(c)
		e.Note = ReasonOf(c.Reason).Message
		ev = append(ev, e)
	}
	if s.CAT.Is("SPOOF") {
		ev = append(ev, d.value(s.CAT))
	}
	if strings.HasPrefix(s.SFTY.Text, "9.11") {
		ev = append(ev, d.value(s.SFTY))
	}
	return ev
}

// signals collects what speaks for and against an attack.
func (d *decider) signals() {
	s, a := d.stamps, d.auth
	hop, ingress := d.path.IngressHop()
	if ingress && oddHelo(hop.From) {
		d.signal("helo", +1, lang.M("m365.signal.helo", "helo", hop.From), d.field(hop.Field))
	}
	if s.PTR.Is("InfoDomainNonexistent") || s.PTR.Is("InfoNoRecords") {
		d.signal("no-ptr", +1, lang.M("m365.signal.no-ptr", "ip", d.ClientIP.String()), d.value(s.PTR))
	}
	if s.Dest.Is("I") {
		d.signal("inbox", +1, lang.M("m365.signal.inbox"), d.value(s.Dest))
	}
	if country, ok := d.in.Facts.Country.Get(); ok && s.Country.Given() && !s.Country.Is(country) {
		d.signal("country", +1, lang.M("m365.signal.country", "country", s.Country.Text), d.value(s.Country))
	}
	if ev, ok := d.scanner(); ok {
		d.signal("scanner", -1, lang.M("m365.signal.scanner"), ev)
	}
	if ingress && d.nearConnector(hop.FromIP) {
		d.signal("near-connector", -1, lang.M("m365.signal.near-connector", "ip", hop.FromIP.String()), d.field(hop.Field))
	}
	for _, r := range a.DKIM {
		if r.Trusted && r.Result == "fail" && strings.Contains(strings.ToLower(r.Comment), "body hash") && Aligned(r.Domain, hostOf(d.From.Domain)) {
			d.signal("broken-signature", -1, lang.M("m365.signal.broken-signature", "domain", r.Domain), d.result(r))
			break
		}
	}
	if c := a.CompAuth; c.Passed() || c.Trusted && c.Result == "softpass" {
		e := d.result(c)
		e.Note = ReasonOf(c.Reason).Message
		d.signal("compauth-pass", -1, lang.M("m365.signal.compauth-pass", "code", c.Reason), e)
	}
	if d.serviceSender() {
		d.signal("identified-sender", -1, lang.M("m365.signal.identified-sender", "domain", a.SPF.Domain), d.result(a.SPF))
	}
	if ev, ok := d.calendar(); ok {
		d.signal("calendar", -1, lang.M("m365.signal.calendar"), ev)
	}
	if len(d.Tampered) > 0 {
		d.signal("contradiction", +1, lang.M("m365.signal.contradiction"), d.Tampered[0].Evidence...)
	}
	if d.path.Kind == IngressMicrosoft {
		d.signal("other-tenant", +1, lang.M("m365.signal.other-tenant"), d.field(hop.Field))
	}
}

// serviceSender reports whether the mail is sent by a service that answers for
// it: its own SPF passes, and so does a DKIM signature of its own. An attacker
// can have both, so it only keeps the confidence from being high; SPF alone is
// what every rented server has.
func (d *decider) serviceSender() bool {
	spf := d.auth.SPF
	if !spf.Passed() || spf.Domain == "" {
		return false
	}
	if _, own := d.owns(spf.Domain); own {
		return false
	}
	for _, r := range d.auth.DKIM {
		if r.Passed() && Aligned(r.Domain, spf.Domain) {
			return true
		}
	}
	return false
}

// calendar recognises an invitation that somebody passed on: the organiser
// stays in From, and Sender is who passed it on.
func (d *decider) calendar() (finding.Evidence, bool) {
	sender := d.m.Addresses("Sender")
	if len(sender) == 0 || sender[0].Equal(d.From) {
		return finding.Evidence{}, false
	}
	n := 0
	for p := range d.m.Parts() {
		if n++; n > 50 {
			break
		}
		if strings.EqualFold(p.MediaType(), "text/calendar") {
			return d.noted(addressEvidence(d.m, sender[0])), true
		}
	}
	return finding.Evidence{}, false
}

func (d *decider) scanner() (finding.Evidence, bool) {
	for _, name := range []string{"X-Mailer", "User-Agent"} {
		f, ok := d.m.Header().First(name)
		if !ok {
			continue
		}
		v := strings.ToLower(f.Value())
		v = v[:min(len(v), 200)]
		for line := range strings.Lines(scannerNames) {
			line = strings.TrimSpace(line)
			if line != "" && !strings.HasPrefix(line, "#") && strings.Contains(v, line) {
				return d.field(f), true
			}
		}
	}
	return finding.Evidence{}, false
}

func (d *decider) nearConnector(ip netip.Addr) bool {
	return slices.ContainsFunc(d.in.Facts.Connectors.Value(), func(c org.Connector) bool {
		return slices.ContainsFunc(c.IPs, func(p netip.Prefix) bool { return ip.IsValid() && prefix24(p.Addr().Unmap()).Contains(ip) })
	})
}

// oddHelo reports whether a client calls itself as no mail server does: by an
// address, as itself, or by the name that Windows gives to a new machine.
func oddHelo(helo string) bool {
	h := strings.ToLower(strings.Trim(helo, "[]"))
	h = strings.TrimPrefix(h, "ipv6:")
	if _, err := netip.ParseAddr(h); err == nil {
		return true
	}
	for _, prefix := range []string{"localhost", "win-", "desktop-", "laptop-", "ec2amaz-"} {
		if strings.HasPrefix(h, prefix) {
			return true
		}
	}
	return h != "" && !strings.Contains(h, ".")
}

// confidence weighs the signals. It starts from high where something strong
// was found and from medium otherwise; signals against an attack lower it, and
// some facts keep it from being high whatever speaks for one.
func (d *decider) confidence(strong bool) Confidence {
	net := 0
	has := map[string]bool{}
	for _, s := range d.Signals {
		net += s.Weight
		has[s.Name] = true
	}
	level := 1
	if strong {
		level = 2
	}
	if net <= -2 {
		level--
	}
	// Having come past the filter is strong by itself once more joins it.
	if !strong && has["mx-bypass"] && net >= 3 {
		level = 2
	}
	if has["scanner"] || has["identified-sender"] || has["compauth-pass"] || has["near-connector"] || d.auth.SPF.Result == "temperror" {
		level = min(level, 1)
	}
	// A domain that is only presumed, while Microsoft does not treat it as one
	// of ours, may be that of a stranger who is forged as well.
	c := d.auth.CompAuth
	if d.Presumed && !d.stamps.InternalOrgSender.Is("true") && c.Reason != "601" && c.Reason != "010" {
		level = min(level, 1)
	}
	if has["calendar"] && d.auth.SPF.Passed() {
		level = 0
	}
	return [...]Confidence{Low, Medium, High}[max(level, 0)]
}
