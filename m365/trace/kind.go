package trace

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/org"
)

// Kind is what a source most likely is.
type Kind string

// The kinds.
const (
	Gateway    Kind = "gateway"     // a filter of ours in front of Exchange Online
	Allowed    Kind = "allowed"     // the organisation's settings let it use our domain
	Authorised Kind = "authorised"  // our SPF record allows the address
	OwnNetwork Kind = "own-network" // a private address, or beside a connector or gateway of ours
	Service    Kind = "service"     // a known service that sends for its customers
	Tenant     Kind = "tenant"      // Exchange Online itself, for any of its tenants
	Attack     Kind = "attack"      // looks like an attack
	Device     Kind = "device"      // calls itself a scanner or printer
	Unknown    Kind = "unknown"
)

// Care is what a source asks for before RejectDirectSend is turned on.
type Care string

// The cares.
const (
	Prepare Care = "prepare" // it is ours: give it another way first
	Ask     Care = "ask"     // find out whose it is
	LetGo   Care = "let-go"  // its mail should be stopped
)

// Care returns what the kind of a source asks for.
func (k Kind) Care() Care {
	switch k {
	case Gateway, Allowed, Authorised, OwnNetwork:
		return Prepare
	case Attack:
		return LetGo
	case Service, Tenant, Device, Unknown:
	}
	return Ask
}

// Kinds returns all kinds.
func Kinds() []Kind {
	return []Kind{Gateway, Allowed, Authorised, OwnNetwork, Service, Tenant, Attack, Device, Unknown}
}

// Known is what others than the export say of a source.
type Known struct {
	SPF     string // what our record of today says of the address: pass, fail, ...; empty if it was not asked
	Service string // that owns the address or the name of the host; empty for none
	Shared  bool   // the address is one of Exchange Online, from which every tenant sends
}

// Kind decides what a source most likely is. What its mail says of itself comes
// last, since attackers write it.
func (s *Source) Kind(facts *org.Facts, k Known) Kind {
	ip := s.Network.Addr()
	switch {
	case ip.IsValid() && inAny(ip, facts.Gateways.Value()):
		return Gateway
	case ip.IsValid() && slices.ContainsFunc(facts.Allow.Value(), func(p org.AllowPair) bool { return inAny(ip, p.IPs) }):
		return Allowed
	case k.Shared:
		return Tenant
	case k.SPF == "pass" && k.Service == "":
		return Authorised
	case ip.IsValid() && (ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || beside(ip, facts)):
		return OwnNetwork
	case s.Held*2 > s.Deliveries:
		return Attack
	case k.Service != "":
		return Service
	case k.SPF != "pass" && s.Failing == s.Messages && s.Messages > 0 && s.Self*2 > s.Messages:
		return Attack
	case s.scans():
		return Device
	}
	return Unknown
}

func inAny(ip netip.Addr, list []netip.Prefix) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// beside reports whether an address lies in the same /24, or /48, as one that the
// organisation named.
func beside(ip netip.Addr, facts *org.Facts) bool {
	near := func(p netip.Prefix) bool {
		bits := 24
		if p.Addr().Is6() {
			bits = 48
		}
		if p.Bits() < bits {
			return false // holds more than a neighbourhood, and was looked at as it is
		}
		around, err := p.Addr().Prefix(bits)
		return err == nil && around.Contains(ip)
	}
	for _, c := range facts.Connectors.Value() {
		if slices.ContainsFunc(c.IPs, near) {
			return true
		}
	}
	return slices.ContainsFunc(facts.Gateways.Value(), near)
}

// scans reports whether senders or subjects are worded as scanners and printers
// do it.
func (s *Source) scans() bool {
	for _, x := range s.Senders {
		local, _, _ := strings.Cut(x.Address, "@")
		for _, w := range [...]string{"scan", "mfp", "copier", "printer", "fax", "multifunction", "imagerunner", "bizhub", "kyocera", "ricoh", "docucentre", "taskalfa", "ups", "nas", "alert", "monitor"} {
			if len(w) <= 3 && local == w || len(w) > 3 && strings.Contains(local, w) {
				return true
			}
		}
	}
	for _, x := range s.Subjects {
		x = strings.ToLower(x)
		for _, w := range [...]string{"scanned from", "scan from", "message from \"", "スキャン", "複合機", "ファクス受信", "fax受信"} {
			if strings.Contains(x, w) {
				return true
			}
		}
	}
	return false
}
