package posture

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/resolve"
)

// mx finds out who receives mail.
func (s *section) mx() {
	m := &s.out.MX
	a := s.ask(AreaMX, string(s.d), resolve.TypeMX)
	m.State = stateOf(a)
	records := slices.Clone(a.Records)
	slices.SortStableFunc(records, func(a, b resolve.Record) int {
		if a.Pref != b.Pref {
			return int(a.Pref) - int(b.Pref)
		}
		return strings.Compare(a.Host, b.Host)
	})
	seen := map[string]bool{}
	for _, r := range records[:min(len(records), maxHosts)] {
		if r.Host == resolve.Root {
			m.Null = true
			continue
		}
		if seen[r.Host] {
			s.fault("mx.duplicate", finding.Low, string(s.d), r.Host, "host", r.Host)
			continue
		}
		seen[r.Host] = true
		m.Hosts = append(m.Hosts, s.mxHost(r))
	}
	if m.Null && len(m.Hosts) > 0 {
		m.Null = false // RFC 7505 section 3: then it is no null MX
		s.fault("mx.null-mixed", finding.High, string(s.d), "MX 0 .")
	}
	if len(records) > maxHosts {
		s.fault("mx.many", finding.Low, string(s.d), "", "n", len(records))
	}
	if m.State == Absent && !a.NXDomain() {
		for _, t := range []resolve.Type{resolve.TypeA, resolve.TypeAAAA} {
			m.Implicit = append(m.Implicit, addresses(s.ask(AreaMX, string(s.d), t))...)
		}
	}
	m.Provider = mxProvider(m.Hosts)
}

func (s *section) mxHost(r resolve.Record) MXHost {
	h := MXHost{Host: r.Host, Preference: int(r.Pref)}
	if _, err := netip.ParseAddr(strings.Trim(r.Host, "[]")); err == nil {
		h.Literal, h.State = true, Absent
		s.fault("mx.literal", finding.High, string(s.d), r.Host, "host", r.Host)
		return h
	}
	if strings.HasSuffix(r.Host, ".msv1.invalid") {
		h.State = Absent
		s.fault("mx.verification", finding.Medium, string(s.d), r.Host, "host", r.Host)
		return h
	}
	a := s.ask(AreaMX, r.Host, resolve.TypeA)
	b := s.ask(AreaMX, r.Host, resolve.TypeAAAA)
	h.Alias = slices.Clone(a.Chain[:min(len(a.Chain), maxTexts)])
	h.Addresses = append(addresses(a), addresses(b)...)
	switch {
	case len(h.Addresses) > 0:
		h.State = Present
	case stateOf(a) == Absent && stateOf(b) == Absent:
		h.State = Absent
		s.fault("mx.no-address", finding.High, r.Host, r.Host, "host", r.Host)
	case stateOf(a) == NotAsked || stateOf(b) == NotAsked:
		h.State = NotAsked
	default:
		h.State = Unknown
	}
	if len(h.Alias) > 0 {
		s.fault("mx.alias", finding.Low, r.Host, r.Host+" CNAME "+h.Alias[0], "host", r.Host, "target", h.Alias[0])
	}
	for _, ip := range h.Addresses {
		if p, err := netip.ParseAddr(ip); err == nil && (p.IsPrivate() || p.IsLoopback() || p.IsUnspecified() || p.IsLinkLocalUnicast()) {
			s.fault("mx.private", finding.High, r.Host, ip, "host", r.Host, "address", ip)
		}
	}
	return h
}

func addresses(a resolve.Answer) []string {
	var out []string
	for _, ip := range a.Addrs() {
		if len(out) < maxAddresses {
			out = append(out, ip.String())
		}
	}
	slices.Sort(out)
	return out
}

// reverse finds out whether addresses have names that lead back to them. The
// hosts of a big provider are the provider's business; what counts for sending
// is what SPF names one by one.
func (s *section) reverse() {
	type source struct{ role, host, address string }
	var list []source
	for _, h := range s.out.MX.Hosts {
		if mxProvider([]MXHost{h}) != "" {
			continue
		}
		for _, ip := range h.Addresses {
			list = append(list, source{"mx", h.Host, ip})
		}
	}
	for _, n := range s.out.SPF.Networks {
		if p, err := netip.ParsePrefix(n); err == nil && p.IsSingleIP() && slices.Contains(s.own, p) {
			list = append(list, source{"spf", n, p.Addr().String()})
		}
	}
	for _, e := range list {
		ip, err := netip.ParseAddr(e.address)
		if err != nil || ip.IsPrivate() || ip.IsLoopback() || len(s.out.Reverse) == maxReverse ||
			slices.ContainsFunc(s.out.Reverse, func(r Reverse) bool { return r.Address == e.address }) {
			continue
		}
		s.out.Reverse = append(s.out.Reverse, s.reverseOf(e.role, e.host, ip))
	}
	for _, role := range []string{"mx", "spf"} {
		sev := finding.Medium
		if role == "mx" {
			sev = finding.Low // it matters only if the host sends as well
		}
		for _, x := range []struct {
			code string
			is   func(Reverse) bool
		}{
			{"ptr.missing", func(r Reverse) bool { return r.State == Absent }},
			{"ptr.unconfirmed", func(r Reverse) bool { return r.State == Present && r.Confirmed == Absent }},
		} {
			var which, names []string
			for _, r := range s.out.Reverse {
				if r.Role == role && x.is(r) {
					which, names = append(which, r.Address), append(names, r.Names...)
				}
			}
			if len(which) > 0 {
				s.fault(x.code, sev, which[0], strings.Join(names, " "), "addresses", which, "names", names)
			}
		}
	}
}

// reverseOf looks one address up.
func (s *section) reverseOf(role, host string, ip netip.Addr) Reverse {
	rev := Reverse{Address: ip.String(), Role: role, Host: host, Confirmed: Absent}
	a := s.ask(AreaPTR, resolve.Reverse(ip), resolve.TypePTR)
	rev.State = stateOf(a)
	if rev.State != Present {
		rev.Confirmed = rev.State
		return rev
	}
	t := resolve.TypeA
	if !ip.Unmap().Is4() {
		t = resolve.TypeAAAA
	}
	names := a.Hosts()
	slices.Sort(names)
	for _, n := range names[:min(len(names), maxAddresses)] {
		rev.Names = append(rev.Names, n)
		if rev.Confirmed == Present {
			continue
		}
		back := s.ask(AreaPTR, n, t)
		switch {
		case slices.Contains(back.Addrs(), ip):
			rev.Confirmed = Present
		case back.Temporary():
			rev.Confirmed = stateOf(back)
		}
	}
	return rev
}

// provider is somebody who runs mail for many domains.
type provider struct {
	id        string
	mx        []string // suffixes of MX hosts
	spf       []string // suffixes of SPF includes
	selectors []string // that the provider's customers use by custom
}

// providers are those whose names and selectors are documented by themselves.
func providers() []provider {
	return []provider{
		{"microsoft-365", []string{"mail.protection.outlook.com", "mx.microsoft"}, []string{"spf.protection.outlook.com"}, []string{"selector1", "selector2"}},
		{"google", []string{"google.com", "googlemail.com"}, []string{"_spf.google.com"}, []string{"google"}},
		{"zoho", []string{"zoho.com", "zoho.eu", "zoho.in", "zoho.jp"}, []string{"zoho.com", "zohomail.com", "zoho.eu", "zoho.jp", "zoho.in"}, []string{"zoho", "zmail"}},
		{"icloud", []string{"mail.icloud.com"}, []string{"icloud.com"}, []string{"sig1"}},
		{"fastmail", []string{"messagingengine.com"}, []string{"spf.messagingengine.com"}, []string{"fm1", "fm2", "fm3", "mesmtp"}},
		{"proton", []string{"protonmail.ch"}, []string{"_spf.protonmail.ch"}, []string{"protonmail", "protonmail2", "protonmail3"}},
		{"yandex", []string{"mx.yandex.net", "mx.yandex.ru"}, []string{"_spf.yandex.net"}, []string{"mail"}},
		{"sendgrid", nil, []string{"sendgrid.net"}, []string{"s1", "s2"}},
		{"mailchimp", nil, []string{"servers.mcsv.net"}, []string{"k1", "k2", "k3"}},
		{"mandrill", nil, []string{"spf.mandrillapp.com"}, []string{"mandrill", "mte1", "mte2"}},
		{"mailgun", []string{"mailgun.org"}, []string{"mailgun.org"}, []string{"mx", "mailo", "k1", "smtp", "pic"}},
		{"postmark", nil, []string{"spf.mtasv.net"}, []string{"pm"}},
		{"brevo", nil, []string{"spf.sendinblue.com", "spf.brevo.com"}, []string{"mail", "brevo1", "brevo2"}},
		{"zendesk", nil, []string{"mail.zendesk.com"}, []string{"zendesk1", "zendesk2"}},
		{"hubspot", nil, []string{"hubspotemail.net"}, []string{"hs1", "hs2"}},
		{"constant-contact", nil, []string{"spf.constantcontact.com"}, []string{"ctct1", "ctct2"}},
		{"marketo", nil, []string{"mktomail.com"}, []string{"m1"}},
		{"salesforce", nil, []string{"_spf.salesforce.com"}, nil},
		{"amazon-ses", []string{"amazonaws.com"}, []string{"amazonses.com"}, nil},
		{"proofpoint", []string{"pphosted.com", "ppe-hosted.com"}, []string{"pphosted.com", "ppe-hosted.com"}, nil},
		{"mimecast", []string{"mimecast.com"}, []string{"_netblocks.mimecast.com"}, nil},
		{"cisco", []string{"iphmx.com"}, []string{"iphmx.com"}, nil},
	}
}

// commonSelectors are tried where nothing better is known.
func commonSelectors() []string {
	return []string{"default", "selector1", "selector2", "google", "dkim", "mail", "s1", "s2", "k1", "key1"}
}

// mxProvider returns who runs the hosts, if it is one provider.
func mxProvider(hosts []MXHost) string {
	found := ""
	for _, h := range hosts {
		id := ""
		for _, p := range providers() {
			if below(h.Host, p.mx) {
				id = p.id
			}
		}
		if id == "" || found != "" && found != id {
			return ""
		}
		found = id
	}
	return found
}

// spfProvider returns whose name an include has.
func spfProvider(name string) string {
	for _, p := range providers() {
		if below(name, p.spf) {
			return p.id
		}
	}
	return ""
}

func below(name string, suffixes []string) bool {
	return slices.ContainsFunc(suffixes, func(x string) bool { return domain.Name(name).IsSubdomainOf(domain.Name(x)) })
}
