package fetch

import (
	"net/netip"
	"slices"
)

// special are networks that are not the public Internet, after the registries of
// RFC 6890, and the addresses inside of clouds that tell secrets.
func special() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),        // this network
		netip.MustParsePrefix("10.0.0.0/8"),       // private (RFC 1918)
		netip.MustParsePrefix("100.64.0.0/10"),    // shared by carriers (RFC 6598)
		netip.MustParsePrefix("127.0.0.0/8"),      // loopback
		netip.MustParsePrefix("168.63.129.16/32"), // the host of a virtual machine at Azure
		netip.MustParsePrefix("169.254.0.0/16"),   // link-local, and metadata of clouds
		netip.MustParsePrefix("172.16.0.0/12"),    // private
		netip.MustParsePrefix("192.0.0.0/24"),     // protocol assignments
		netip.MustParsePrefix("192.0.2.0/24"),     // documentation
		netip.MustParsePrefix("192.88.99.0/24"),   // 6to4 relays
		netip.MustParsePrefix("192.168.0.0/16"),   // private
		netip.MustParsePrefix("198.18.0.0/15"),    // benchmarks
		netip.MustParsePrefix("198.51.100.0/24"),  // documentation
		netip.MustParsePrefix("203.0.113.0/24"),   // documentation
		netip.MustParsePrefix("224.0.0.0/4"),      // multicast
		netip.MustParsePrefix("240.0.0.0/4"),      // reserved, and broadcast
		netip.MustParsePrefix("2001::/23"),        // protocol assignments, Teredo
		netip.MustParsePrefix("2001:db8::/32"),    // documentation
		netip.MustParsePrefix("2002::/16"),        // 6to4
		netip.MustParsePrefix("3fff::/20"),        // documentation
	}
}

// Public reports whether an address belongs to the public Internet. An IPv4
// address inside an IPv6 one counts: ::ffff:0:0/96 (RFC 4291) and the
// well-known prefix of NAT64 (RFC 6052), behind which networks without IPv4
// see all of it.
func Public(a netip.Addr) bool {
	a = a.WithZone("").Unmap()
	if netip.MustParsePrefix("64:ff9b::/96").Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if a.Is6() && !netip.MustParsePrefix("2000::/3").Contains(a) {
		return false
	}
	return a.IsValid() && !slices.ContainsFunc(special(), func(p netip.Prefix) bool { return p.Contains(a) })
}
