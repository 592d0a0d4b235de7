package link

import (
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"
	"golang.org/x/text/unicode/norm"

	"github.com/sekisho/sekisho/domain"
)

// parseIPv4 reads an IPv4 address as browsers do (URL standard section 3.5,
// IPv4 parser): one to four numbers in decimal, octal (leading 0) or
// hexadecimal (leading 0x), the last filling what is left. plain is false for
// anything but four decimal numbers.
func parseIPv4(s string) (ip netip.Addr, plain, ok bool) {
	s = strings.TrimSuffix(norm.NFKC.String(strings.ReplaceAll(s, "\u3002", ".")), ".")
	if ip, err := netip.ParseAddr(s); err == nil && ip.Is4() {
		return ip, true, true
	}
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false, false
	}
	var v uint64
	for i, p := range parts {
		base := 10
		switch {
		case strings.HasPrefix(p, "0x") || strings.HasPrefix(p, "0X"):
			base, p = 16, p[2:]
		case len(p) > 1 && p[0] == '0':
			base, p = 8, p[1:]
		}
		n := uint64(0)
		if p != "" || base == 16 {
			if p == "" {
				p = "0"
			}
			var err error
			if n, err = strconv.ParseUint(p, base, 32); err != nil {
				return netip.Addr{}, false, false
			}
		} else if base == 10 {
			return netip.Addr{}, false, false
		}
		if i < len(parts)-1 {
			if n > 255 {
				return netip.Addr{}, false, false
			}
			v |= n << (24 - 8*i)
			continue
		}
		if n >= 1<<(32-8*i) {
			return netip.Addr{}, false, false
		}
		v |= n
	}
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), false, true
}

// Registered reports whether n lies under a suffix that exists: one of the
// Public Suffix List, or one that RFC 2606 reserves for examples, since mails
// about mail use them.
func Registered(n domain.Name) bool {
	suffix, icann := publicsuffix.PublicSuffix(string(n))
	if icann || strings.Contains(suffix, ".") {
		return suffix != string(n)
	}
	return (suffix == "example" || suffix == "test") && suffix != string(n)
}
