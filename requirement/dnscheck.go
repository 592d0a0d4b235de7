package requirement

import (
	"slices"
	"strings"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/domain/posture"
	"github.com/sekisho/sekisho/lang"
)

// The names under which posture knows the two big providers.
const (
	microsoft365 = "microsoft-365"
	google       = "google"
)

// unanswered is a cell about something that DNS did not tell.
func unanswered(s posture.State, name string) Cell {
	if s == posture.NotAsked {
		return unknown(lang.M("requirement.unknown.not-asked", "name", name), lang.M("requirement.find.dns"))
	}
	return unknown(lang.M("requirement.unknown.dns", "name", name), lang.M("requirement.find.again"))
}

// undecided reports whether a state leaves open what is there.
func undecided(s posture.State) bool {
	return s != posture.Present && s != posture.Absent
}

// spf is about the record, and about what a receiver made of the sample.
func (e *evaluation) spf() Cell {
	s := &e.p.SPF
	name := string(e.p.Domain)
	ev := Evidence{Name: name + " TXT", Quote: s.Record}
	switch {
	case len(s.Records) > 1:
		c := unmet(lang.M("requirement.spf.several", "n", len(s.Records)), lang.M("requirement.spf.mend.merge"))
		for _, r := range s.Records {
			c.Evidence = append(c.Evidence, Evidence{Name: name + " TXT", Quote: r})
		}
		c.Records = []Record{{Host: name, Type: "TXT", Value: mergeSPF(s.Records), TTL: ttl, Replaces: s.Records, Note: lang.M("requirement.record.spf-check")}}
		return c
	case s.State == posture.Absent || s.State == posture.Present && s.Status == "none":
		c := unmet(lang.M("requirement.spf.none", "domain", e.p.Domain.Unicode()), lang.M("requirement.spf.mend.publish"))
		c.Records = []Record{e.spfRecord()}
		return c
	case undecided(s.State) || s.Status == "temperror":
		return unanswered(s.State, name)
	case s.Status == "permerror":
		if s.Lookups > 10 {
			return unmet(lang.M("requirement.spf.lookups", "n", s.Lookups), lang.M("requirement.spf.mend.lookups"), ev)
		}
		return unmet(lang.M("requirement.spf.broken"), lang.M("requirement.spf.mend.faults"), ev)
	case e.Sample != nil && e.Sample.SPF == "fail" || e.Sample != nil && e.Sample.SPF == "softfail":
		return unmet(lang.M("requirement.spf.sample-fail", "ip", e.Sample.IP, "domain", e.Sample.SPFDomain), lang.M("requirement.spf.mend.sender", "ip", e.Sample.IP), ev)
	case e.Sample != nil && e.Sample.SPF == "pass":
		return met(lang.M("requirement.spf.sample-pass", "ip", e.Sample.IP, "domain", e.Sample.SPFDomain), ev)
	}
	return met(lang.M("requirement.spf.ok", "n", s.Lookups), ev)
}

// spfIPv4 is for receivers that take mail over IPv4 alone.
func (e *evaluation) spfIPv4() Cell {
	c := e.spf()
	if c.State != Met {
		return c
	}
	six := false
	for _, n := range e.p.SPF.Networks {
		if !strings.Contains(n, ":") {
			return met(lang.M("requirement.spf.ipv4"), Evidence{Name: string(e.p.Domain) + " TXT", Quote: n})
		}
		six = true
	}
	if six {
		return unmet(lang.M("requirement.spf.ipv6-only"), lang.M("requirement.spf.mend.ipv4"), c.Evidence...)
	}
	return c // a, mx and the like: as the hosts have it
}

func (e *evaluation) usableKeys() []posture.DKIMKey {
	return slices.DeleteFunc(slices.Clone(e.p.DKIM.Keys), func(k posture.DKIMKey) bool { return k.State != posture.Present || !k.Usable })
}

// dkim is about the keys, and about whether the sample was signed.
func (e *evaluation) dkim() Cell {
	if s := e.Sample; s != nil {
		for _, sig := range s.Signatures {
			if sig.Pass && inOrg(sig.Domain, e.p) {
				return met(lang.M("requirement.dkim.sample-pass", "selector", sig.Selector, "domain", string(sig.Domain)), Evidence{Name: "DKIM-Signature", Quote: "d=" + string(sig.Domain) + "; s=" + sig.Selector})
			}
		}
		if len(s.Signatures) == 0 {
			return e.withDKIMRecords(unmet(lang.M("requirement.dkim.sample-unsigned"), e.mendDKIM()))
		}
		for _, sig := range s.Signatures {
			if sig.Open {
				return unknown(lang.M("requirement.dkim.sample-open", "selector", sig.Selector), lang.M("requirement.find.again"))
			}
		}
		sig := s.Signatures[0]
		ev := Evidence{Name: "DKIM-Signature", Quote: "d=" + string(sig.Domain) + "; s=" + sig.Selector}
		if inOrg(sig.Domain, e.p) {
			return unmet(lang.M("requirement.dkim.sample-fail", "selector", sig.Selector, "why", sig.Why), lang.M("requirement.dkim.mend.broken"), ev)
		}
		return e.withDKIMRecords(unmet(lang.M("requirement.dkim.sample-foreign", "domain", string(sig.Domain)), e.mendDKIM(), ev))
	}
	keys := e.usableKeys()
	switch {
	case len(keys) > 0:
		return met(lang.M("requirement.dkim.ok", "selector", keys[0].Selector, "bits", keys[0].Bits), Evidence{Name: keys[0].Name, Quote: keys[0].Record})
	case e.p.DKIM.State == posture.Absent:
		return e.withDKIMRecords(unmet(lang.M("requirement.dkim.none"), e.mendDKIM(), Evidence{Name: "_domainkey." + string(e.p.Domain)}))
	}
	for _, k := range e.p.DKIM.Keys {
		if k.Source == posture.SelectorGiven && (k.State == posture.Absent || k.State == posture.Present && !k.Usable) {
			return e.withDKIMRecords(unmet(lang.M("requirement.dkim.unusable", "selector", k.Selector), e.mendDKIM(), Evidence{Name: k.Name, Quote: k.Record}))
		}
	}
	if e.p.Use == posture.UseUnasked {
		return unanswered(posture.NotAsked, "_domainkey."+string(e.p.Domain))
	}
	return unknown(lang.M("requirement.dkim.unknown", "tried", e.p.DKIM.Tried[:min(len(e.p.DKIM.Tried), 6)]), e.findDKIM())
}

// provider is who runs the mail of the domain, as far as MX and SPF show.
func (e *evaluation) provider() string {
	if e.p.MX.Provider != "" {
		return e.p.MX.Provider
	}
	for _, p := range e.p.SPF.Providers {
		if p == microsoft365 || p == google {
			return p
		}
	}
	return ""
}

func (e *evaluation) findDKIM() lang.Message {
	switch e.provider() {
	case microsoft365:
		return lang.M("requirement.dkim.find.microsoft")
	case google:
		return lang.M("requirement.dkim.find.google")
	}
	return lang.M("requirement.dkim.find")
}

func (e *evaluation) mendDKIM() lang.Message {
	switch e.provider() {
	case microsoft365:
		return lang.M("requirement.dkim.mend.microsoft")
	case google:
		return lang.M("requirement.dkim.mend.google")
	}
	return lang.M("requirement.dkim.mend")
}

// withDKIMRecords adds the records to publish. Their values are made by the
// provider for the customer; nobody outside knows them.
func (e *evaluation) withDKIMRecords(c Cell) Cell {
	host := "._domainkey." + string(e.p.Domain)
	switch e.provider() {
	case microsoft365:
		for _, s := range []string{"selector1", "selector2"} {
			c.Records = append(c.Records, Record{Host: s + host, Type: "CNAME", TTL: ttl, Where: lang.M("requirement.where.microsoft-dkim")})
		}
	case google:
		c.Records = []Record{{Host: "google" + host, Type: "TXT", TTL: ttl, Where: lang.M("requirement.where.google-dkim")}}
	}
	return c
}

// keys is about the size of the keys that were found. Ed25519 keys have one
// size, which is enough.
func (e *evaluation) keys(bits int) Cell {
	keys := e.usableKeys()
	if s := e.Sample; s != nil {
		for _, sig := range s.Signatures {
			if sig.Bits > 0 && inOrg(sig.Domain, e.p) {
				keys = append(keys, posture.DKIMKey{Selector: sig.Selector, Name: sig.Selector + "._domainkey." + string(sig.Domain), Type: sig.Type, Bits: sig.Bits})
			}
		}
	}
	for _, k := range e.p.DKIM.Keys { // so small that no verifier takes it
		if k.State == posture.Present && !k.Usable && !k.Revoked && k.Type == "rsa" && k.Bits > 0 {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return e.dkimFirst()
	}
	least := keys[0]
	for _, k := range keys {
		if k.Type != "ed25519" && (least.Type == "ed25519" || k.Bits < least.Bits) {
			least = k
		}
	}
	ev := Evidence{Name: least.Name, Quote: least.Record}
	if least.Type != "ed25519" && least.Bits < bits {
		return unmet(lang.M("requirement.key.small", "selector", least.Selector, "bits", least.Bits, "least", bits), lang.M("requirement.key.mend", "least", max(bits, 2048)), ev)
	}
	return met(lang.M("requirement.key.ok", "selector", least.Selector, "bits", least.Bits), ev)
}

// dkimFirst says of a check on keys that there are none: whether a receiver wants
// DKIM at all is another rule.
func (e *evaluation) dkimFirst() Cell {
	c := e.dkim()
	switch c.State {
	case Met: // signed with a key whose size is not known
		return unknown(lang.M("requirement.key.unknown"), e.findDKIM())
	case Unmet:
		return Cell{State: Exempt, Reason: lang.M("requirement.key.none")}
	default:
		return c
	}
}

// dmarc is about the record.
func (e *evaluation) dmarc() Cell {
	d := &e.p.DMARC
	name := "_dmarc." + string(e.p.Domain)
	switch {
	case len(d.Records) > 1:
		c := unmet(lang.M("requirement.dmarc.several", "n", len(d.Records)), lang.M("requirement.dmarc.mend.one"))
		for _, r := range d.Records {
			c.Evidence = append(c.Evidence, Evidence{Name: name, Quote: r})
		}
		return c
	case d.State == posture.Present && d.Published == "":
		c := unmet(lang.M("requirement.dmarc.broken"), lang.M("requirement.dmarc.mend.broken"), Evidence{Name: "_dmarc." + d.At, Quote: d.Record})
		c.Records = []Record{e.dmarcRecord(d.Record)}
		return c
	case d.State == posture.Present:
		at := Evidence{Name: "_dmarc." + d.At, Quote: d.Record}
		if d.At != "" && d.At != string(e.p.Domain) {
			return met(lang.M("requirement.dmarc.inherited", "policy", d.Published, "domain", d.At), at)
		}
		return met(lang.M("requirement.dmarc.ok", "policy", d.Published), at)
	case d.State == posture.Absent && len(d.Similar) > 0:
		c := unmet(lang.M("requirement.dmarc.similar"), lang.M("requirement.dmarc.mend.broken"), Evidence{Name: name, Quote: d.Similar[0]})
		c.Records = []Record{e.dmarcRecord(d.Similar...)}
		return c
	case d.State == posture.Absent:
		c := unmet(lang.M("requirement.dmarc.none", "domain", e.p.Domain.Unicode()), lang.M("requirement.dmarc.mend.publish"), Evidence{Name: name})
		c.Records = []Record{e.dmarcRecord()}
		return c
	}
	return unanswered(d.State, name)
}

// ptr is about the hosts that send. MX hosts receive and say nothing of them.
func (e *evaluation) ptr() Cell {
	list := []posture.Reverse{}
	if e.Sample != nil && e.Sample.Reverse != nil {
		list = append(list, *e.Sample.Reverse)
	}
	for _, r := range e.p.Reverse {
		if r.Role == "spf" {
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		return unknown(lang.M("requirement.ptr.unknown"), lang.M("requirement.ptr.find"))
	}
	open := ""
	for _, r := range list {
		ev := Evidence{Name: r.Address, Quote: strings.Join(r.Names, " ")}
		switch {
		case r.State == posture.Absent:
			c := unmet(lang.M("requirement.ptr.none", "ip", r.Address), lang.M("requirement.ptr.mend", "ip", r.Address), ev)
			c.Records = []Record{ptrRecord(r.Address)}
			return c
		case r.State == posture.Present && r.Confirmed == posture.Absent:
			return unmet(lang.M("requirement.ptr.not-back", "ip", r.Address, "name", strings.Join(r.Names[:min(len(r.Names), 2)], ", ")), lang.M("requirement.ptr.mend", "ip", r.Address), ev)
		case r.State != posture.Present || r.Confirmed != posture.Present:
			open = r.Address
		}
	}
	if open != "" {
		return unanswered(posture.Unknown, open)
	}
	return met(lang.M("requirement.ptr.ok", "ip", list[0].Address, "name", strings.Join(list[0].Names[:min(len(list[0].Names), 1)], "")), Evidence{Name: list[0].Address, Quote: strings.Join(list[0].Names, " ")})
}

// ownFrom is about names of free mail, which nobody may send as but their
// provider.
func (e *evaluation) ownFrom() Cell {
	free := func(n domain.Name) bool { return e.FreeMail != nil && e.FreeMail(n) }
	if free(e.p.Domain) {
		return unmet(lang.M("requirement.from.free", "domain", e.p.Domain.Unicode()), lang.M("requirement.from.mend"))
	}
	return met(lang.M("requirement.from.own", "domain", e.p.Domain.Unicode()))
}

// replies is about whether an answer arrives. A null MX is an MX record, and says
// that the domain cannot be written to.
func (e *evaluation) replies() Cell {
	mx := &e.p.MX
	name := string(e.p.Domain)
	switch {
	case mx.State == posture.Present && !mx.Null:
		host := ""
		if len(mx.Hosts) > 0 {
			host = mx.Hosts[0].Host
		}
		return met(lang.M("requirement.replies.ok", "domain", e.p.Domain.Unicode()), Evidence{Name: name + " MX", Quote: host})
	case mx.Null:
		return unmet(lang.M("requirement.replies.null", "domain", e.p.Domain.Unicode()), lang.M("requirement.replies.mend"), Evidence{Name: name + " MX", Quote: "0 ."})
	case mx.State == posture.Absent && len(mx.Implicit) > 0:
		return met(lang.M("requirement.replies.implicit", "domain", e.p.Domain.Unicode()), Evidence{Name: name + " A", Quote: mx.Implicit[0]})
	case mx.State == posture.Absent:
		return unmet(lang.M("requirement.replies.none", "domain", e.p.Domain.Unicode()), lang.M("requirement.replies.mend"), Evidence{Name: name + " MX"})
	}
	return unanswered(mx.State, name)
}

// bimi is about a logo, which is shown only where DMARC is enforced.
func (e *evaluation) bimi() Cell {
	d := e.dmarc()
	switch {
	case d.State == Unknown, d.State == Unmet:
		return d
	case e.p.DMARC.Policy == "none" || e.p.DMARC.Testing:
		return unmet(lang.M("requirement.bimi.policy", "policy", e.p.DMARC.Published), lang.M("requirement.bimi.mend.policy"), d.Evidence...)
	}
	b := &e.p.BIMI
	name := "default._bimi." + string(e.p.Domain)
	switch {
	case b.State == posture.Present && !b.Declined && b.Logo != "":
		return met(lang.M("requirement.bimi.ok"), Evidence{Name: name, Quote: b.Record})
	case b.State == posture.Absent || b.State == posture.Present:
		return unmet(lang.M("requirement.bimi.none"), lang.M("requirement.bimi.mend"), Evidence{Name: name, Quote: b.Record})
	}
	return unanswered(b.State, name)
}
