// Package org holds what an organisation told sekisho about itself.
//
// Every field knows whether it was configured at all: "no connectors" and
// "nobody said" lead to different verdicts.
package org

import (
	"net/netip"
	"strings"
)

// Setting is a value that may not have been configured. The zero Setting is
// "not configured".
type Setting[T any] struct {
	value T
	set   bool
}

// Of returns a configured setting.
func Of[T any](v T) Setting[T] { return Setting[T]{value: v, set: true} }

// Get returns the value and whether it was configured.
func (s Setting[T]) Get() (T, bool) { return s.value, s.set }

// Value returns the value, or T's zero value where nothing was configured.
func (s Setting[T]) Value() T { return s.value }

// Configured reports whether the setting was given.
func (s Setting[T]) Configured() bool { return s.set }

// Facts is what is known of the organisation.
type Facts struct {
	Name             Setting[string]
	Domains          Setting[[]string] // accepted domains, lower-case A-labels; sub-domains count
	TenantID         Setting[string]   // GUID, lower case
	People           Setting[[]Person]
	MX               Setting[[]string] // hosts of the MX records, lower case, no trailing dot
	Gateways         Setting[[]netip.Prefix]
	Connectors       Setting[[]Connector]
	Allow            Setting[[]AllowPair]
	RejectDirectSend Setting[bool]
	ARCSealers       Setting[[]string] // trusted sealers' domains
	SharedTenants    Setting[[]string] // GUIDs of other tenants of the same company
	Report           Setting[Report]
	Contacts         Setting[map[string]Contact] // by role: it, security_officer
	Country          Setting[string]             // ISO 3166-1 alpha-2
	Banks            Setting[[]string]
	Systems          Setting[[]string]
	Products         Setting[[]string]
	BulkSender       Setting[string] // yes, no or unknown
}

// Person is somebody whose name attackers borrow.
type Person struct {
	DisplayName string
	Address     string
	Role        string // vip, finance, it, ...
	Lang        string // ja or en; "" if nobody said
}

// Connector is an inbound connector of Exchange Online.
type Connector struct {
	Name         string
	Type         string // "on-premises" or "partner", as Exchange Online calls them
	IPs          []netip.Prefix
	Certificates []string // subject names, lower case; may start with "*."
}

// AllowPair is a sender that may use a From of the organisation, proven by a
// DKIM signing domain or by the sending address.
type AllowPair struct {
	From string // domain of the From field
	DKIM string // d= of a passing signature; empty if not used
	IPs  []netip.Prefix
}

// Report is how staff report a suspicious mail.
type Report struct {
	How string // forward-as-attachment or outlook-button
	To  string
}

// Contact is somebody to ask.
type Contact struct {
	Name      string
	Extension string
	Mail      string
}

// Owns reports whether name is an accepted domain or one below it, and which:
// the most exact one where several cover the name. Case and a trailing dot do
// not matter; name is an A-label. Nothing is owned where no domains were
// configured.
func (f *Facts) Owns(name string) (accepted string, ok bool) {
	if f == nil {
		return "", false
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for _, d := range f.Domains.Value() {
		// An empty entry would own every name that ends in two dots.
		if d != "" && len(d) > len(accepted) && (name == d || strings.HasSuffix(name, "."+d)) {
			accepted = d
		}
	}
	return accepted, accepted != ""
}
