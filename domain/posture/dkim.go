package posture

import (
	"errors"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/dkim"
	"github.com/sekisho/sekisho/resolve"
)

// Bounds of RFC 8301 section 3.2 on RSA keys, in bits.
const (
	minKey  = 1024
	goodKey = 2048
)

// candidate is a selector to try.
type candidate struct {
	Selector
	provider string
}

// dkim looks for keys. There is no list of selectors in DNS, so that no key
// found means nothing unless DNS says that there are no names at all.
func (s *section) dkim() {
	f := &s.out.DKIM
	f.State = Unknown
	root := "_domainkey." + string(s.d)
	top := s.ask(AreaDKIM, root, resolve.TypeTXT)
	f.None = top.NXDomain()
	if top.RCode == resolve.NotAsked {
		f.State = NotAsked
		return
	}
	list, providers := s.candidates()
	if !f.None {
		// A selector that nobody chose has a record only by a wildcard.
		if w := s.ask(AreaDKIM, nameless+"."+root, resolve.TypeTXT); len(w.Texts()) > 0 && len(w.Chain) == 0 {
			f.Wildcard = clip(w.Texts()[0])
		}
	}
	unanswered := top.Temporary()
	try := func(list []candidate) {
		for _, c := range list {
			unanswered = s.tryKey(c) || unanswered
		}
	}
	try(list)
	if !f.None && !slices.ContainsFunc(f.Keys, func(k DKIMKey) bool { return k.State == Present }) {
		var common []candidate
		for _, n := range commonSelectors() {
			if !slices.Contains(f.Tried, n) {
				common = append(common, candidate{Selector{n, SelectorCommon}, ""})
			}
		}
		try(common)
	}
	for i := range f.Keys {
		s.judgeKey(&f.Keys[i])
	}
	switch {
	case slices.ContainsFunc(f.Keys, func(k DKIMKey) bool { return k.Usable }):
		f.State = Present
	case unanswered:
	case f.None || revoked(f.Wildcard) && !slices.ContainsFunc(f.Keys, func(k DKIMKey) bool { return k.State == Present && !k.Revoked }):
		f.State = Absent
	}
	if f.State == Unknown && !unanswered {
		s.needs = append(s.needs, Need{AreaDKIM, finding.NotConfigured, root, lang.M("posture.need.dkim", "selectors", f.Tried)})
	}
	s.microsoftKeys(providers)
}

// candidates returns the selectors to try and the providers that MX and SPF
// show.
func (s *section) candidates() ([]candidate, []string) {
	f := &s.out.DKIM
	var list []candidate
	add := func(c candidate) {
		c.Name = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(c.Name), "."))
		if c.Name == "" || len(list) >= maxSelectors || slices.ContainsFunc(list, func(o candidate) bool { return o.Name == c.Name }) {
			return
		}
		list = append(list, c)
	}
	for _, x := range s.o.Selectors {
		add(candidate{x, ""})
	}
	ids := slices.Clone(s.out.SPF.Providers)
	if p := s.out.MX.Provider; p != "" && !slices.Contains(ids, p) {
		ids = append([]string{p}, ids...)
	}
	if f.None {
		return list, ids
	}
	for _, p := range providers() {
		if slices.Contains(ids, p.id) {
			for _, n := range p.selectors {
				add(candidate{Selector{n, SelectorProvider}, p.id})
			}
		}
	}
	return list, ids
}

// tryKey asks for one selector. It reports true if there was no answer.
func (s *section) tryKey(c candidate) (unanswered bool) {
	f := &s.out.DKIM
	k := DKIMKey{Selector: c.Name, Name: c.Name + "._domainkey." + string(s.d), Source: c.Source, Provider: c.provider}
	f.Tried = append(f.Tried, c.Name)
	a := s.ask(AreaDKIM, k.Name, resolve.TypeTXT)
	k.State = stateOf(a)
	k.Alias = slices.Clone(a.Chain[:min(len(a.Chain), maxTexts)])
	var keys []string
	for _, t := range a.Texts() {
		if len(keys) < maxTexts {
			keys = append(keys, t)
		}
	}
	k.Records = len(keys)
	if len(keys) > 0 {
		k.Record = clip(keys[0])
	}
	wished := c.Source == SelectorGiven || c.Source == SelectorSample || c.Source == SelectorReport
	if k.State == Present && len(k.Alias) == 0 && k.Record == f.Wildcard && !wished {
		return false // nobody published it for this selector
	}
	if k.State == Present || len(k.Alias) > 0 || wished {
		f.Keys = append(f.Keys, k)
	}
	return a.Temporary()
}

// judgeKey reads the record of a key and says what is wrong with it.
func (s *section) judgeKey(k *DKIMKey) {
	if k.State != Present {
		switch {
		case k.State != Absent:
		case len(k.Alias) > 0:
			s.fault("dkim.dangling", finding.Medium, k.Name, k.Name+" CNAME "+k.Alias[0], "selector", k.Selector, "target", k.Alias[len(k.Alias)-1])
		default:
			sev := finding.Medium
			if k.Source == SelectorReport {
				sev = finding.Low // keys change, and reports are of yesterday
			}
			s.fault("dkim.missing", sev, k.Name, "", "selector", k.Selector, "name", k.Name)
		}
		return
	}
	if k.Records > 1 {
		s.fault("dkim.multiple", finding.High, k.Name, k.Record, "selector", k.Selector, "n", k.Records)
	}
	key, err := dkim.ParseKey(k.Record)
	switch {
	case errors.Is(err, dkim.ErrKeyTooLarge):
		s.fault("dkim.large", finding.High, k.Name, "", "selector", k.Selector)
		return
	case err != nil:
		s.fault("dkim.syntax", finding.High, k.Name, k.Record, "selector", k.Selector)
		return
	}
	k.Type, k.Bits, k.Revoked, k.Testing, k.Strict = key.Type, key.Bits, key.Revoked, key.Testing(), key.Strict()
	k.Hashes, k.Services = key.Hashes, key.Services
	k.Usable = k.Records == 1
	unusable := func(code string, sev finding.Severity, quote string, pairs ...any) {
		k.Usable = false
		s.fault(code, sev, k.Name, quote, append([]any{"selector", k.Selector}, pairs...)...)
	}
	if k.Revoked {
		sev := finding.Medium
		if k.Record == s.out.DKIM.Wildcard || k.Source == SelectorProvider || k.Source == SelectorCommon {
			sev = finding.Info
		}
		unusable("dkim.revoked", sev, "p=")
		return
	}
	switch {
	case k.Type != "rsa" && k.Type != "ed25519":
		unusable("dkim.type", finding.High, "k="+k.Type, "type", k.Type)
	case k.Type == "rsa" && k.Bits < minKey:
		unusable("dkim.short", finding.High, k.Record, "bits", k.Bits)
	case k.Type == "rsa" && k.Bits < goodKey:
		s.fault("dkim.weak", finding.Low, k.Name, "", "selector", k.Selector, "bits", k.Bits)
	}
	if k.Hashes != nil && !slices.Contains(k.Hashes, "sha256") {
		unusable("dkim.hash", finding.High, "h="+strings.Join(k.Hashes, ":"))
	}
	if k.Services != nil && !slices.Contains(k.Services, "*") && !slices.Contains(k.Services, "email") {
		unusable("dkim.service", finding.High, "s="+strings.Join(k.Services, ":"))
	}
	if k.Testing {
		s.fault("dkim.testing", finding.Low, k.Name, "t=y", "selector", k.Selector)
	}
}

// revoked reports whether a record is a key that was taken back.
func revoked(record string) bool {
	k, err := dkim.ParseKey(record)
	return err == nil && record != "" && k.Revoked
}

// microsoftKeys says when Exchange Online cannot sign as the domain: without
// these names it signs as the tenant's onmicrosoft.com domain, which is not
// aligned with From.
func (s *section) microsoftKeys(providers []string) {
	const custom = "microsoft-365"
	f := &s.out.DKIM
	if !slices.Contains(providers, custom) || f.State == NotAsked {
		return
	}
	for _, k := range f.Keys {
		if (k.Selector == "selector1" || k.Selector == "selector2") && (k.Usable || k.State != Absent || len(k.Alias) > 0) {
			return // usable, or what is wrong with it is said already
		}
	}
	if slices.ContainsFunc(s.needs, func(n Need) bool { return n.Area == AreaDKIM && n.Cause == finding.Failed }) {
		return
	}
	s.fault("dkim.microsoft", finding.Medium, "selector1._domainkey."+string(s.d), "")
}
