package mqltest

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
)

// facts is an organisation that is being told.
type facts struct{ org.Facts }

// known returns the organisation, nil for none.
func (f *facts) known() *org.Facts {
	if f == nil {
		return nil
	}
	return &f.Facts
}

// home is the domain to which mail without a recipient goes.
func (f *facts) home() string {
	if f == nil || len(f.Domains.Value()) == 0 {
		return "example.test"
	}
	return f.Domains.Value()[0]
}

func (f *facts) tenant() string {
	if f == nil || !f.TenantID.Configured() {
		return "00000000-0000-4000-8000-000000000000"
	}
	return f.TenantID.Value()
}

// factNames are the details of an organisation.
func factNames() []string {
	return []string{
		"name", "domain", "person", "tenant", "mx", "gateway", "connector", "allow", "arc-sealer", "reject-direct-send", "country", "bank", "system", "product", "bulk-sender", "no",
	}
}

// add adds an entry to a setting. Others may have the list that is there.
func add[T any](s *org.Setting[[]T], v T) { *s = org.Of(append(slices.Clip(s.Value()), v)) }

// fact reads a detail of the organisation.
func (p *parser) fact(first word, args []word) {
	least, most := 1, 1
	switch first.text {
	case "person":
		most = 3
	case "connector":
		least, most = 3, 100
	case "allow":
		least, most = 3, 3
	}
	if !slices.Contains(factNames(), first.text) {
		p.unknown(first)
		return
	}
	if !p.plain(first, args, least, most) {
		return
	}
	f, text := p.world.facts, args[0].text
	switch first.text {
	case "name":
		f.Name = org.Of(text)
	case "domain":
		if n, ok := p.domain(args[0]); ok {
			add(&f.Domains, n)
		}
	case "person":
		p.person(first, args)
	case "tenant":
		f.TenantID = org.Of(strings.ToLower(text))
	case "mx":
		if n, ok := p.domain(args[0]); ok {
			add(&f.MX, n)
		}
	case "gateway":
		if n, ok := p.network(args[0]); ok {
			add(&f.Gateways, n)
		}
	case "connector":
		p.connector(args)
	case "allow":
		p.allow(args)
	case "arc-sealer":
		if n, ok := p.domain(args[0]); ok {
			add(&f.ARCSealers, n)
		}
	case "reject-direct-send":
		if p.choice(args[0], "yes", "no") {
			f.RejectDirectSend = org.Of(text == "yes")
		}
	case "country":
		f.Country = org.Of(strings.ToUpper(text))
	case "bank":
		add(&f.Banks, text)
	case "system":
		add(&f.Systems, text)
	case "product":
		add(&f.Products, text)
	case "bulk-sender":
		if p.choice(args[0], "yes", "no", "unknown") {
			f.BulkSender = org.Of(text)
		}
	case "no":
		p.none(args[0])
	}
}

// none says that there is nothing of a kind.
func (p *parser) none(w word) {
	f := p.world.facts
	switch w.text {
	case "people":
		f.People = org.Of([]org.Person(nil))
	case "domains":
		f.Domains = org.Of([]string(nil))
	case "gateways":
		f.Gateways = org.Of([]netip.Prefix(nil))
	case "connectors":
		f.Connectors = org.Of([]org.Connector(nil))
	case "mx":
		f.MX = org.Of([]string(nil))
	case "allow":
		f.Allow = org.Of([]org.AllowPair(nil))
	case "arc-sealers":
		f.ARCSealers = org.Of([]string(nil))
	default:
		p.choice(w, "people", "domains", "gateways", "connectors", "mx", "allow", "arc-sealers")
	}
}

// person reads a name, an address in angle brackets and a role, each of which
// may be missing but one.
func (p *parser) person(first word, args []word) {
	var who org.Person
	if args[0].quoted {
		who.DisplayName = args[0].text
		args = args[1:]
	}
	if len(args) > 0 {
		if a, ok := strings.CutPrefix(args[0].text, "<"); ok {
			a, ok = strings.CutSuffix(a, ">")
			if !ok || !strings.Contains(a, "@") {
				p.fail(args[0], lang.M("mqltest.error.address", "address", args[0].text))
				return
			}
			who.Address = strings.ToLower(a)
			args = args[1:]
		}
	}
	if len(args) > 0 {
		who.Role = strings.ToLower(args[0].text)
		args = args[1:]
	}
	if len(args) > 0 || who.DisplayName == "" && who.Address == "" {
		p.fail(first, lang.M("mqltest.error.person"))
		return
	}
	add(&p.world.facts.People, who)
}

func (p *parser) connector(args []word) {
	if !p.choice(args[1], "on-premises", "partner") {
		return
	}
	c := org.Connector{Name: args[0].text, Type: args[1].text}
	for _, w := range args[2:] {
		if n, ok := network(w.text); ok {
			c.IPs = append(c.IPs, n)
		} else {
			c.Certificates = append(c.Certificates, strings.ToLower(w.text))
		}
	}
	add(&p.world.facts.Connectors, c)
}

func (p *parser) allow(args []word) {
	from, ok := p.domain(args[0])
	if !ok || !p.choice(args[1], "dkim", "ip") {
		return
	}
	pair := org.AllowPair{From: from}
	if args[1].text == "dkim" {
		if pair.DKIM, ok = p.domain(args[2]); !ok {
			return
		}
	} else {
		n, ok := p.network(args[2])
		if !ok {
			return
		}
		pair.IPs = []netip.Prefix{n}
	}
	add(&p.world.facts.Allow, pair)
}

func (p *parser) domain(w word) (string, bool) {
	n, err := domain.Parse(w.text)
	if err != nil {
		p.fail(w, lang.M("mqltest.error.domain", "name", w.text))
		return "", false
	}
	return string(n), true
}

func (p *parser) network(w word) (netip.Prefix, bool) {
	n, ok := network(w.text)
	if !ok {
		p.fail(w, lang.M("mqltest.error.network", "address", w.text))
	}
	return n, ok
}

func network(s string) (netip.Prefix, bool) {
	if n, err := netip.ParsePrefix(s); err == nil {
		return n.Masked(), true
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

func (p *parser) choice(w word, of ...string) bool {
	if slices.Contains(of, w.text) {
		return true
	}
	p.fail(w, lang.M("mqltest.error.choice", "word", w.text, "known", strings.Join(of, ", ")))
	return false
}
