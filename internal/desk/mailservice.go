package desk

import (
	"net/netip"
	"slices"

	"github.com/sekisho/sekisho/dmarcreport/source"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/lists"
	"github.com/sekisho/sekisho/m365"
)

// mailServices finds the services that send for many.
type mailServices struct {
	networks []serviceNetwork
	names    map[domain.Name]string // of hosts and senders, and what is below
}

type serviceNetwork struct {
	prefix netip.Prefix
	name   string
}

func newMailServices() *mailServices {
	out := &mailServices{names: map[domain.Name]string{}}
	for _, e := range lists.MailServices().Entries() {
		if e.Kind == source.Hosting { // anybody's
			continue
		}
		for _, p := range e.Networks {
			out.networks = append(out.networks, serviceNetwork{p, e.Name})
		}
		for _, n := range slices.Concat(e.DKIM, e.SPF, e.PTR) {
			out.names[n] = e.Name
		}
	}
	return out
}

// at returns the service that owns an address.
func (s *mailServices) at(ip netip.Addr) string {
	for _, n := range s.networks {
		if n.prefix.Contains(ip) {
			return n.name
		}
	}
	return ""
}

// named returns the service whose name n is, or is below.
func (s *mailServices) named(n domain.Name) string {
	for ; n != ""; n = n.Parent() {
		if name, ok := s.names[n]; ok {
			return name
		}
	}
	return ""
}

// sendsForMany reports whether mail of many comes from an address.
func (s *mailServices) sendsForMany(ip netip.Addr) bool {
	return m365.IsMicrosoftOutbound(ip) || s.at(ip) != ""
}
