package m365

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/authres"
	"github.com/sekisho/sekisho/org"
)

// DirectSend decides whether a mail that uses an own domain came in without
// anybody signing in, and if so, whether one of the honest explanations holds.
// Every step that was taken is in the decision, with its evidence, up to the
// one that decided.
//
// What would excuse a mail must stand where only the recipient's Exchange
// Online writes. What the sender can write never excuses; at most it lowers
// the confidence.
func DirectSend(in Input) *Decision {
	m := in.Message
	path := NewPath(m.Header(), in.Facts)
	d := &decider{
		in: in, m: m, path: path,
		stamps: ReadStamps(m, path), auth: Authenticate(m, path),
		Decision: &Decision{Path: path},
	}
	if d.in.Facts == nil {
		d.in.Facts = &org.Facts{}
	}
	d.Stamps, d.Authentication = d.stamps, d.auth
	d.stamps.checkAddresses(m, path, d.auth)
	d.Tampered = slices.Concat(d.stamps.Tampered, d.auth.Tampered)
	d.identities()
	for _, step := range []func() bool{
		d.provenance, d.scope, d.internal, d.authenticated, d.connector, d.device, d.gateway, d.indirect, d.remainder,
	} {
		if step() {
			break
		}
	}
	return d.Decision
}

type decider struct {
	*Decision

	in     Input
	m      *eml.Message
	path   *Path
	stamps *Stamps
	auth   *Authentication

	viaGateway bool // Exchange Online took the mail from our own gateway
	enhanced   bool // and looked through it (Enhanced Filtering for Connectors)
	unproven   bool // the gateway's own results do not vouch for the mail
	behind     []finding.Evidence
}

// step records a step; key and pairs are its sentence.
func (d *decider) step(name string, result lang.Message, ev ...finding.Evidence) {
	d.Steps = append(d.Steps, Step{Step: name, Result: result, Evidence: ev})
}

func (d *decider) decide(v Verdict, c Confidence) bool {
	d.Verdict, d.Confidence = v, c
	return true
}

// noted adds to evidence who wrote it.
func (d *decider) noted(e finding.Evidence) finding.Evidence {
	if i := e.Where.Index; i > 0 && i <= d.m.Header().Len() {
		e.Note = d.path.Provenance(d.m.Header().Fields()[i-1]).Reason
	}
	return e
}

func (d *decider) field(f eml.Field) finding.Evidence { return d.noted(fieldEvidence(d.m, f)) }
func (d *decider) value(v Value) finding.Evidence     { return d.noted(valueEvidence(d.m, v)) }
func (d *decider) result(r Result) finding.Evidence   { return d.noted(r.Evidence) }

// identities reads who the mail says it is from.
func (d *decider) identities() {
	if hop, ok := d.path.IngressHop(); ok {
		d.ClientIP, d.Helo = hop.FromIP, hop.From
		d.viaGateway = within(d.ClientIP, d.in.Facts.Gateways.Value())
	}
	if ip, _, ok := d.stamps.SourceIP(); ok && d.viaGateway {
		d.enhanced, d.SourceIP = true, ip
	} else if hop, ok := d.path.SourceHop(); ok {
		d.SourceIP = hop.FromIP
	}
	d.mailFrom()
	all := claims(d.m)
	if len(all) > 0 {
		d.From = all[0]
	}
	for _, a := range all {
		name := hostOf(a.Domain)
		if own, ok := d.owns(name); ok {
			d.From, d.Domain = a, own
			_, configured := d.in.Facts.Owns(name)
			d.Presumed = !configured
			break
		}
	}
	if d.From.Domain != "" {
		_, d.Self = selfAddressed(d.m, d.From, d.in.Recipient)
	}
}

// mailFrom finds MAIL FROM: what SPF was checked for, or Return-Path as
// Exchange Online wrote it on delivery.
func (d *decider) mailFrom() {
	f, ok := d.m.Header().First("Return-Path")
	address := ""
	if ok && d.path.Provenance(f).Trusted() {
		address = strings.Trim(f.Value(), "<> ")
	} else {
		ok = false
	}
	checked := d.auth.SPF.Trusted && (d.auth.MailFrom != "" || d.auth.Null)
	switch {
	case checked && d.auth.Null:
		d.Null = true
	case checked:
		d.MailFrom = d.auth.MailFrom
		if hostOf(address) == d.auth.MailFrom {
			d.MailFrom = address
		}
	case ok:
		d.MailFrom, d.Null = address, address == ""
	}
}

// owns reports whether name is an own domain, configured or presumed.
func (d *decider) owns(name string) (string, bool) {
	if own, ok := d.in.Facts.Owns(name); ok {
		return own, true
	}
	for _, p := range d.in.Presumed {
		p = strings.ToLower(strings.TrimSuffix(p, "."))
		if p != "" && (name == p || strings.HasSuffix(name, "."+p)) {
			return p, true
		}
	}
	return "", false
}

// provenance is S0: where did Exchange Online take the mail over?
func (d *decider) provenance() bool {
	hop, ok := d.path.IngressHop()
	switch {
	case ok && d.path.Exported:
		d.step("S0", lang.M("m365.s0.ingress", "ip", hop.FromIP.String(), "host", hop.By), d.field(hop.Field))
		for _, t := range d.Tampered {
			d.step("S0", t.Message, t.Evidence...)
		}
		return false
	case d.path.Intra && d.saysInternal() && !d.saysAnonymous():
		d.step("S0", lang.M("m365.s0.intra"), d.field(d.path.Hops[0].Field))
		return false
	}
	var ev []finding.Evidence
	if len(d.path.Hops) > 0 {
		ev = append(ev, d.field(d.path.Hops[0].Field))
	}
	d.step("S0", lang.M("m365.s0.none"), ev...)
	return d.decide(NotDecidable, High)
}

func (d *decider) saysInternal() bool {
	return d.stamps.AuthAs.Is("Internal") || d.stamps.Directionality.Is("Originating") || d.stamps.CrossTenantAuthAs.Is("Internal")
}

func (d *decider) saysAnonymous() bool {
	return d.stamps.AuthAs.Is("Anonymous") || d.stamps.Directionality.Is("Incoming") && !d.stamps.AuthAs.Is("Internal")
}

// scope is S1: does From use one of our domains?
func (d *decider) scope() bool {
	all := claims(d.m)
	var ev []finding.Evidence
	for _, a := range all {
		ev = append(ev, d.noted(addressEvidence(d.m, a)))
	}
	if d.Domain == "" {
		switch {
		case len(all) == 0:
			d.step("S1", lang.M("m365.s1.no-from"))
		case !d.in.Facts.Domains.Configured() && len(d.in.Presumed) == 0:
			d.step("S1", lang.M("m365.s1.no-domains", "domain", hostOf(d.From.Domain)), ev...)
		default:
			d.step("S1", lang.M("m365.s1.foreign", "domain", hostOf(d.From.Domain)), ev...)
		}
		return d.decide(OutOfScope, High)
	}
	sender := d.MailFrom
	result := lang.M("m365.s1.claim", "domain", d.Domain, "sender", sender)
	if d.Null || sender == "" {
		result = lang.M("m365.s1.claim-null", "domain", d.Domain)
	}
	if f, ok := d.m.Header().First("Return-Path"); ok && d.path.Provenance(f).Trusted() {
		ev = append(ev, d.field(f))
	}
	if d.Presumed {
		d.step("S1", lang.M("m365.s1.presumed", "domain", d.Domain), ev...)
	}
	d.step("S1", result, ev...)
	if len(all) > 1 {
		d.signal("several-from", +1, lang.M("m365.signal.several-from"), ev...)
	}
	if d.Self {
		d.signal("self", +1, lang.M("m365.signal.self"), d.noted(addressEvidence(d.m, d.From)))
	}
	return false
}

// internal is S2: did somebody of our own tenant sign in?
func (d *decider) internal() bool {
	s := d.stamps
	var why []finding.Evidence
	var result lang.Message
	switch {
	case s.AuthAs.Is("Internal"):
		result = lang.M("m365.s2.authas")
		why = append(why, d.value(s.AuthAs))
	case d.crossTenantInternal():
		result = lang.M("m365.s2.cross-tenant", "tenant", s.CrossTenantID.Text)
		why = append(why, d.value(s.CrossTenantAuthAs), d.value(s.CrossTenantID))
	case s.Directionality.Is("Originating"):
		result = lang.M("m365.s2.originating")
		why = append(why, d.value(s.Directionality))
	default:
		for _, v := range []Value{s.AuthAs, s.CrossTenantAuthAs, s.Directionality} {
			if v.Given() {
				why = append(why, d.value(v))
			}
		}
		if len(why) == 0 {
			d.step("S2", lang.M("m365.s2.not-stamped"))
		} else {
			d.step("S2", lang.M("m365.s2.no"), why...)
		}
		return false
	}
	d.step("S2", result, why...)
	if c, _ := d.matchConnector(); c != nil {
		if !d.hybrid(c) {
			return false // a device: it is the connector that vouches for it, and S4 says which
		}
		d.Connector = c.Name
		return d.decide(Internal, High)
	}
	confidence := High
	var against []finding.Evidence
	for _, v := range []Value{s.AuthAs, s.CrossTenantAuthAs} {
		if v.Is("Anonymous") {
			against = append(against, d.value(v))
		}
	}
	if s.Directionality.Is("Incoming") {
		against = append(against, d.value(s.Directionality))
	}
	if d.auth.CompAuth.Trusted && d.auth.CompAuth.Result == "fail" {
		against = append(against, d.result(d.auth.CompAuth))
	}
	if len(against) > 0 {
		confidence = Medium
		t := Tamper{Message: lang.M("m365.tamper.internal"), Evidence: append(why, against...)}
		d.Tampered = append(d.Tampered, t)
		d.step("S2", t.Message, against...)
	}
	return d.decide(Internal, confidence)
}

// crossTenantInternal reports whether our own tenant says that the sender
// signed in. Another tenant's word for its own users means nothing here. The
// fields of that family come from outside as well; where the mail is said to
// be anonymous beside them, they count only from the place on that the header
// firewall guards.
func (d *decider) crossTenantInternal() bool {
	s := d.stamps
	if !s.CrossTenantAuthAs.Is("Internal") || !s.CrossTenantID.Given() {
		return false
	}
	tenant, ok := d.in.Facts.TenantID.Get()
	if !ok {
		tenant = s.TenantID.Text
	}
	if tenant == "" || !s.CrossTenantID.Is(tenant) {
		return false
	}
	return !s.AuthAs.Is("Anonymous") || d.path.guarded(s.CrossTenantAuthAs.Field)
}

// authenticated is S3: does the mail prove that it may use our domain?
func (d *decider) authenticated() bool {
	from := hostOf(d.From.Domain)
	if r, ok := d.auth.AlignedDKIM(from); ok {
		d.step("S3", lang.M("m365.s3.dkim", "domain", r.Domain), d.result(r))
		return d.decide(AuthenticatedExternal, High)
	}
	if v := d.in.Verified; v != nil {
		for _, sig := range v.DKIM {
			if sig.Pass && sig.FromSigned && (sig.KeyBits == 0 || sig.KeyBits >= 1024) && Aligned(sig.Domain, from) {
				d.step("S3", lang.M("m365.s3.verified", "domain", sig.Domain), d.noted(sig.Evidence))
				return d.decide(AuthenticatedExternal, High)
			}
		}
	}
	dmarc, spf := d.auth.DMARC, d.auth.SPF
	if dmarc.Passed() && (dmarc.Domain == "" || Aligned(dmarc.Domain, from)) {
		switch {
		case d.viaGateway && !d.enhanced:
			// SPF was checked for the gateway's own address, which the record
			// may well allow.
			d.step("S3", lang.M("m365.s3.gateway"), d.result(dmarc))
		case d.device5(): // told apart at S5: allowed by address, signed by nobody
		default:
			d.step("S3", lang.M("m365.s3.dmarc"), d.result(dmarc))
			return d.decide(AuthenticatedExternal, High)
		}
	}
	if pair, ev, ok := d.allowPair(from); ok {
		d.step("S3", lang.M("m365.s3.allow", "pair", pair), ev...)
		return d.decide(AuthenticatedExternal, High)
	}
	if c := d.auth.CompAuth; c.Passed() && c.Reason == "115" {
		ev := []finding.Evidence{d.result(c)}
		confidence := Medium
		if id := d.stamps.CrossTenantID; id.Given() {
			ev = append(ev, d.value(id))
			if slices.ContainsFunc(d.in.Facts.SharedTenants.Value(), id.Is) || id.Is(d.in.Facts.TenantID.Value()) {
				confidence = High
			}
		}
		d.step("S3", lang.M("m365.s3.shared"), ev...)
		return d.decide(AuthenticatedExternal, confidence)
	}
	var ev []finding.Evidence
	for _, r := range slices.Concat([]Result{spf}, d.auth.DKIM[:min(len(d.auth.DKIM), 5)], []Result{dmarc}) {
		if r.Trusted {
			ev = append(ev, d.result(r))
		}
	}
	if len(ev) == 0 {
		d.step("S3", lang.M("m365.s3.none"))
	} else {
		d.step("S3", lang.M("m365.s3.no"), ev...)
	}
	return false
}

// allowPair looks for a sender that the organisation lets use its domain.
func (d *decider) allowPair(from string) (string, []finding.Evidence, bool) {
	for _, pair := range d.in.Facts.Allow.Value() {
		own := strings.ToLower(pair.From)
		if own == "" || from != own && !strings.HasSuffix(from, "."+own) {
			continue
		}
		if pair.DKIM != "" {
			for _, r := range d.auth.DKIM {
				if r.Passed() && (strings.EqualFold(r.Domain, pair.DKIM) || strings.HasSuffix(r.Domain, "."+strings.ToLower(pair.DKIM))) {
					return pair.From + " / " + pair.DKIM, []finding.Evidence{d.result(r)}, true
				}
			}
			continue
		}
		if hop, ok := d.path.IngressHop(); ok && within(hop.FromIP, pair.IPs) {
			return pair.From + " / " + hop.FromIP.String(), []finding.Evidence{d.field(hop.Field)}, true
		}
	}
	return "", nil, false
}

// connector is S4: did it come through an inbound connector?
func (d *decider) connector() bool {
	c, ev := d.matchConnector()
	if c == nil {
		if d.in.Facts.Connectors.Configured() {
			d.step("S4", lang.M("m365.s4.no", "ip", d.ClientIP.String()))
		} else {
			d.step("S4", lang.M("m365.s4.unknown"))
		}
		return false
	}
	d.Connector = c.Name
	d.step("S4", lang.M("m365.s4.connector", "name", c.Name), ev...)
	for _, p := range c.IPs {
		if p.Addr().Unmap().Is4() && p.Bits() < 24 || p.Addr().Is6() && !p.Addr().Is4In6() && p.Bits() < 48 {
			d.ConnectorWide = true
			d.step("S4", lang.M("m365.s4.wide", "range", p.String()))
			break
		}
	}
	// A hybrid connector makes mail from the own servers Internal. If it comes
	// as Anonymous, the certificate or the connector no longer matches.
	if c.Type == "on-premises" && (d.hybrid(c) || d.senderCrossPremises()) && d.stamps.AuthAs.Is("Anonymous") {
		d.ConnectorBroken = true
		d.step("S4", lang.M("m365.s4.broken", "name", c.Name), d.value(d.stamps.AuthAs))
	}
	return d.decide(ViaConnector, High)
}

// hybrid reports whether a connector carries the mail of an Exchange server of
// our own, as the connector or Exchange Online says.
func (d *decider) hybrid(c *org.Connector) bool {
	return len(c.Certificates) > 0 || d.stamps.CrossPremises.Given() || d.stamps.FromEntity.Is("HybridOnPrem")
}

// senderCrossPremises reports whether the part of the header that came in
// holds traces of a hybrid path. They can be forged; here they only add advice.
func (d *decider) senderCrossPremises() bool {
	for _, f := range d.m.Header().Fields() {
		name := strings.ToLower(f.Name())
		if strings.HasPrefix(name, "x-ms-exchange-crosspremises-") || strings.HasPrefix(name, "x-crosspremisesheaders") {
			return true
		}
	}
	return false
}

// matchConnector finds the connector that the ingress hop matches.
func (d *decider) matchConnector() (*org.Connector, []finding.Evidence) {
	hop, ok := d.path.IngressHop()
	if !ok {
		return nil, nil
	}
	all := d.in.Facts.Connectors.Value()
	for i := range all {
		c := &all[i]
		if within(hop.FromIP, c.IPs) {
			return c, []finding.Evidence{d.field(hop.Field)}
		}
		for _, want := range c.Certificates {
			if slices.ContainsFunc(hop.CertNames, func(name string) bool { return certMatches(want, name) }) {
				return c, []finding.Evidence{d.field(hop.Field)}
			}
		}
	}
	return nil, nil
}

func certMatches(want, name string) bool {
	want = strings.ToLower(want)
	if suffix, ok := strings.CutPrefix(want, "*."); ok {
		return strings.HasSuffix(name, "."+suffix)
	}
	return want != "" && name == want
}

// device5 reports whether the own SPF record allows the client, and nothing
// else speaks for the mail.
func (d *decider) device5() bool {
	spf := d.auth.SPF
	if !spf.Passed() || d.viaGateway && !d.enhanced {
		return false
	}
	_, own := d.owns(d.auth.MailFrom)
	return own
}

// device is S5: is it a device that our own SPF record allows?
func (d *decider) device() bool {
	if !d.device5() {
		ev := []finding.Evidence{}
		if d.auth.SPF.Trusted {
			ev = append(ev, d.result(d.auth.SPF))
		}
		d.step("S5", lang.M("m365.s5.no"), ev...)
		return false
	}
	confidence := High
	d.step("S5", lang.M("m365.s5.device", "ip", d.ClientIP.String(), "domain", d.auth.MailFrom), d.result(d.auth.SPF))
	if IsMicrosoftOutbound(d.ClientIP) {
		// Every tenant sends from these addresses.
		confidence = Low
		hop, _ := d.path.IngressHop()
		d.step("S5", lang.M("m365.s5.shared"), d.field(hop.Field))
		d.signal("shared-range", +1, lang.M("m365.s5.shared"), d.field(hop.Field))
	} else if d.auth.CompAuth.Trusted && d.auth.CompAuth.Result == "fail" {
		confidence = Medium
	}
	return d.decide(AuthorisedDevice, confidence)
}

// gateway is S6: did it come through, or past, the filter in front of Exchange
// Online?
func (d *decider) gateway() bool {
	if !d.viaGateway {
		d.bypass()
		return false
	}
	from := hostOf(d.From.Domain)
	for _, f := range d.m.Header().Fields() {
		stamp := d.path.Provenance(f)
		original := f.Is("Authentication-Results-Original")
		if len(d.behind) == maxFields {
			break
		}
		if !(stamp.By == ByGateway && (original || f.Is("Authentication-Results")) || original && stamp.Trusted()) {
			continue
		}
		parsed, err := authres.Parse(f)
		if err != nil {
			continue
		}
		ev := d.field(f)
		d.behind = append(d.behind, ev)
		if d.vouches(parsed, from) {
			d.step("S6", lang.M("m365.s6.broke", "ip", d.ClientIP.String()), ev)
			return d.decide(GatewayBrokeAuth, High)
		}
	}
	d.unproven = true
	if len(d.behind) == 0 {
		hop, _ := d.path.IngressHop()
		d.step("S6", lang.M("m365.s6.silent", "ip", d.ClientIP.String()), d.field(hop.Field))
	} else {
		d.step("S6", lang.M("m365.s6.spoof", "ip", d.ClientIP.String()), d.behind...)
	}
	return false // a bounce or a list post may come through the gateway as well
}

// vouches reports whether the gateway's results prove the use of our domain.
func (d *decider) vouches(f authres.Field, from string) bool {
	for _, r := range f.Results {
		if r.Value.Text != "pass" {
			continue
		}
		switch r.Method {
		case authres.DMARC:
			v, ok := r.Prop("header.from")
			if !ok || Aligned(hostOf(v.Text), from) {
				return true
			}
		case authres.DKIM:
			v, ok := r.Prop("header.d")
			if !ok {
				v, _ = r.Prop("header.i")
			}
			if Aligned(hostOf(v.Text), from) {
				return true
			}
		case authres.SPF:
			v, ok := r.Prop("smtp.mailfrom")
			if !ok {
				continue
			}
			if _, own := d.owns(hostOf(v.Text)); own {
				return true
			}
		}
	}
	return false
}

// bypass notes mail that came past the filter that the MX records name.
func (d *decider) bypass() {
	mx, known := d.in.Facts.MX.Get()
	elsewhere := known && len(mx) > 0 && !slices.ContainsFunc(mx, IsProtectionHost)
	filtered := len(d.in.Facts.Gateways.Value()) > 0 && !known
	label := d.stamps.MxPointsToUs.Is("false")
	hop, ok := d.path.IngressHop()
	if ok && d.path.Kind == IngressInternet && (elsewhere || filtered || label) {
		d.MXBypass = true
		ev := []finding.Evidence{d.field(hop.Field)}
		if label {
			ev = append(ev, d.value(d.stamps.MxPointsToUs))
		}
		d.step("S6", lang.M("m365.s6.bypass", "ip", hop.FromIP.String()), ev...)
		d.signal("mx-bypass", +1, lang.M("m365.signal.mx-bypass"), ev...)
		return
	}
	if d.in.Facts.Gateways.Configured() {
		d.step("S6", lang.M("m365.s6.no"))
	} else {
		d.step("S6", lang.M("m365.s6.unknown"))
	}
}

// prefix24 is the /24 (or /48) around an address.
func prefix24(ip netip.Addr) netip.Prefix {
	bits := 24
	if ip.Is6() {
		bits = 48
	}
	p, _ := ip.Prefix(bits)
	return p
}
