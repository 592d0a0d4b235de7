package m365

import (
	"net/netip"
	"slices"
	"strings"
)

// microsoftSuffixes are the names of the servers of Exchange Online, as they
// call themselves in Received fields, in the public cloud, in the clouds for
// the government of the United States, and in China.
func microsoftSuffixes() []string {
	return []string{
		".outlook.com", ".office365.com", ".exchangelabs.com",
		".office365.us", ".apps.mil", ".partner.outlook.cn",
	}
}

// protectionSuffixes are the names of the servers that take mail from outside
// (Exchange Online Protection).
func protectionSuffixes() []string {
	return []string{
		".protection.outlook.com", ".protection.office365.us", ".protection.apps.mil", ".protection.partner.outlook.cn",
		// What a tenant's MX record names since 2024, for DANE.
		".mx.microsoft",
	}
}

// IsMicrosoftHost reports whether host is named like a mail server of
// Microsoft 365. Anybody can write such a name; it means something only where
// Microsoft wrote it.
func IsMicrosoftHost(host string) bool {
	return hasSuffix(host, microsoftSuffixes()) || hasSuffix(host, protectionSuffixes())
}

// IsProtectionHost reports whether host is named like a server of Exchange
// Online Protection.
func IsProtectionHost(host string) bool { return hasSuffix(host, protectionSuffixes()) }

func hasSuffix(host string, suffixes []string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(host, s) })
}

// outboundRanges are the addresses from which Exchange Online sends mail of
// all tenants, endpoint set 10 of
// https://learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges.
// A hop from one of them came from some tenant, not necessarily ours.
func outboundRanges() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("40.92.0.0/15"),
		netip.MustParsePrefix("40.107.0.0/16"),
		netip.MustParsePrefix("52.100.0.0/14"),
		netip.MustParsePrefix("104.47.0.0/17"),
		netip.MustParsePrefix("2a01:111:f400::/48"),
		netip.MustParsePrefix("2a01:111:f403::/48"),
	}
}

// internalRanges are the addresses that Exchange Online's servers use among
// themselves. The first is the block in which the published addresses of
// Exchange Online lie (endpoint set 1 of the page above), the others cannot
// reach a server over the Internet.
func internalRanges() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("2603:1000::/24"),
		netip.MustParsePrefix("10.0.0.0/8"),
		netip.MustParsePrefix("127.0.0.0/8"),
		netip.MustParsePrefix("::1/128"),
		netip.MustParsePrefix("fe80::/10"),
	}
}

// IsMicrosoftOutbound reports whether ip is one from which Exchange Online
// sends for every tenant.
func IsMicrosoftOutbound(ip netip.Addr) bool { return within(ip, outboundRanges()) }

func isMicrosoftInternal(ip netip.Addr) bool { return within(ip, internalRanges()) }

func within(ip netip.Addr, list []netip.Prefix) bool {
	ip = ip.Unmap()
	return ip.IsValid() && slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(ip) })
}
