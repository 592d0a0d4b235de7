package m365

import (
	"slices"
	"strings"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/authres"
)

// indirect is S7: is it a colleague's mail that comes back, or a bounce?
func (d *decider) indirect() bool {
	c := d.auth.CompAuth
	switch {
	case c.Trusted && (c.Reason == "501" || c.Reason == "502"):
		d.step("S7", lang.M("m365.s7.ndr-code", "code", c.Reason), d.result(c))
		return d.decide(NDR, High)
	case c.Passed() && c.Reason == "130":
		d.step("S7", lang.M("m365.s7.arc-code"), d.result(c))
		return d.decide(ListOrForward, High)
	}
	if ev, ok := d.chain(); ok {
		d.step("S7", lang.M("m365.s7.arc"), ev...)
		return d.decide(ListOrForward, Medium)
	}
	if d.bounce() || d.list() || d.forwarder() {
		return true
	}
	d.step("S7", lang.M("m365.s7.no"))
	return false
}

// chain looks for an ARC chain that holds and whose every sealer is trusted.
// An attacker can seal what he likes in his own name, and pass it on through an
// honest sealer; so one stranger in the chain voids it.
func (d *decider) chain() ([]finding.Evidence, bool) {
	from := hostOf(d.From.Domain)
	if v := d.in.Verified; v != nil && v.ARC.Pass && len(v.ARC.Sealers) > 0 {
		if !slices.ContainsFunc(v.ARC.Sealers, func(s string) bool { return !d.trustedSealer(s) }) && Aligned(v.ARC.Origin, from) {
			return []finding.Evidence{d.noted(v.ARC.Evidence)}, true
		}
		return nil, false
	}
	if !d.auth.ARC.Passed() {
		return nil, false
	}
	seals := d.m.Header().All("ARC-Seal")
	ev := []finding.Evidence{d.result(d.auth.ARC)}
	received := 0 // seals that came with the mail: Exchange Online's own stand above the ingress
	for _, f := range seals[:min(len(seals), maxFields)] {
		if d.path.Provenance(f).Trusted() {
			continue
		}
		received++
		if !d.trustedSealer(tag(f, "d")) {
			return nil, false
		}
		ev = append(ev, d.field(f))
	}
	if received == 0 {
		return nil, false
	}
	for _, f := range d.m.Header().All("ARC-Authentication-Results") {
		parsed, err := authres.Parse(f)
		if err != nil || parsed.Instance != 1 || d.path.Provenance(f).Trusted() {
			continue
		}
		for _, r := range parsed.All(authres.DMARC) {
			if v, ok := r.Prop("header.from"); ok && r.Value.Text == "pass" && Aligned(hostOf(v.Text), from) {
				return append(ev, d.noted(resultEvidence(d.m, f, r))), true
			}
		}
		for _, r := range parsed.All(authres.DKIM) {
			if v, ok := r.Prop("header.d"); ok && r.Value.Text == "pass" && Aligned(hostOf(v.Text), from) {
				return append(ev, d.noted(resultEvidence(d.m, f, r))), true
			}
		}
	}
	return nil, false
}

// trustedSealer reports whether a sealer is one of those that the organisation
// trusts, or Microsoft, whose seals every tenant trusts.
func (d *decider) trustedSealer(name string) bool {
	name = strings.ToLower(name)
	return name == "microsoft.com" || slices.ContainsFunc(d.in.Facts.ARCSealers.Value(), func(s string) bool { return strings.EqualFold(s, name) })
}

// tag returns a tag of a tag list (RFC 6376 section 3.2), lower case.
func tag(f eml.Field, name string) string {
	v := f.Value()
	for part := range strings.SplitSeq(v[:min(len(v), 8<<10)], ";") {
		key, val, ok := strings.Cut(part, "=")
		if ok && strings.TrimSpace(key) == name {
			return strings.ToLower(strings.TrimSpace(val))
		}
	}
	return ""
}

// spoofCode reports whether composite authentication calls the mail a forgery.
func (d *decider) spoofCode() bool {
	c := d.auth.CompAuth
	if !c.Trusted || c.Result != "fail" {
		return false
	}
	return c.Reason == "000" || c.Reason == "001" || c.Reason == "002" || c.Reason == "010" || len(c.Reason) == 3 && c.Reason[0] == '6'
}

// bounce recognises a report on the delivery of mail (RFC 3464). The form can
// be forged, so it does not count against Exchange Online's own word that the
// sender is not one of ours.
func (d *decider) bounce() bool {
	if !d.Null || !d.isReport() {
		return false
	}
	c := d.auth.CompAuth
	f, _ := d.m.Header().First("Content-Type")
	if c.Trusted && c.Result == "fail" && (c.Reason == "010" || c.Reason == "601") {
		d.signal("report-form", -1, lang.M("m365.signal.report-form"), d.field(f))
		return false
	}
	confidence := Medium
	if d.spoofCode() {
		confidence = Low
	}
	d.step("S7", lang.M("m365.s7.ndr"), d.field(f))
	return d.decide(NDR, confidence)
}

func (d *decider) isReport() bool {
	if !strings.EqualFold(d.m.Root().MediaType(), "multipart/report") {
		return false
	}
	n := 0
	for p := range d.m.Parts() {
		if n++; n > 50 {
			break
		}
		if strings.EqualFold(p.MediaType(), "message/delivery-status") || strings.EqualFold(p.MediaType(), "message/global-delivery-status") {
			return true
		}
	}
	return false
}

// list recognises a post to a mailing list that signs and sends in its own
// name. List-Id alone is only a word of the sender.
func (d *decider) list() bool {
	f, ok := d.m.Header().First("List-Id")
	if !ok {
		return false
	}
	v := f.Value()
	if i := strings.LastIndexByte(v, '<'); i >= 0 {
		v = v[i+1:]
	}
	list := strings.Trim(v, "<> \t")
	spf := d.auth.SPF
	var signed Result
	for _, r := range d.auth.DKIM {
		if r.Passed() && Aligned(r.Domain, list) {
			signed = r
		}
	}
	proven := signed.Result != "" && spf.Passed() && Aligned(spf.Domain, list)
	// Where Exchange Online says forgery, a post must at least be addressed to
	// the list, and not to its own author.
	if proven && d.spoofCode() {
		proven = !d.Self && d.addressedTo(list)
	}
	if !proven {
		d.signal("list-id", -1, lang.M("m365.signal.list-id"), d.field(f))
		return false
	}
	d.step("S7", lang.M("m365.s7.list", "domain", signed.Domain), d.field(f), d.result(signed), d.result(spf))
	return d.decide(ListOrForward, Low)
}

// addressedTo reports whether To or Cc has a mailbox in the domain of name.
func (d *decider) addressedTo(name string) bool {
	for _, field := range []string{"To", "Cc"} {
		all := d.m.Addresses(field)
		for _, a := range all[:min(len(all), 100)] {
			if Aligned(hostOf(a.Domain), name) {
				return true
			}
		}
	}
	return false
}

// forwarder recognises mail of ours that a forwarder sends back in its own
// name (SRS). Without the forwarder's SPF the form proves nothing.
func (d *decider) forwarder() bool {
	spf := d.auth.SPF
	address := ""
	f, ok := d.m.Header().First("Return-Path")
	if ok && d.path.Provenance(f).Trusted() {
		address = strings.Trim(f.Value(), "<> ")
	}
	if original, ok := srsOrigin(address); ok {
		_, own := d.owns(hostOf(original))
		if own && spf.Passed() && hostOf(address) == spf.Domain && !d.Self {
			d.step("S7", lang.M("m365.s7.srs", "domain", spf.Domain), d.field(f), d.result(spf))
			return d.decide(ListOrForward, Low)
		}
		d.signal("srs", -1, lang.M("m365.signal.srs"), d.field(f))
	}
	for _, name := range []string{"Resent-From", "Resent-Sender", "X-MS-Exchange-Inbox-Rules-Loop", "Auto-Submitted", "X-Forwarded-To"} {
		f, ok := d.m.Header().First(name)
		if ok && !strings.EqualFold(f.Value(), "no") {
			d.signal("forward-marks", -1, lang.M("m365.signal.forward-marks"), d.field(f))
			break
		}
	}
	return false
}

// srsOrigin returns the domain that an address rewritten by SRS came from:
// SRS0=HASH=TT=DOMAIN=LOCAL@FORWARDER, or LOCAL+SRS=HASH=TT=DOMAIN=LOCAL@... as
// Exchange Online writes it.
func srsOrigin(address string) (string, bool) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return "", false
	}
	local := address[:at]
	upper := strings.ToUpper(local)
	i := strings.Index(upper, "SRS")
	if i < 0 || i > 0 && upper[i-1] != '+' {
		return "", false
	}
	parts := strings.FieldsFunc(local[i:], func(r rune) bool { return r == '=' })
	for _, p := range parts[min(1, len(parts)):] {
		if strings.Contains(p, ".") {
			return p, true
		}
	}
	return "", false
}
