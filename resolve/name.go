package resolve

import (
	"net/netip"
	"strings"
)

// Limits of RFC 1035 section 2.3.4, in octets without escapes.
const (
	maxName  = 253 // without the trailing dot
	maxLabel = 63
)

// Root is the name of the root, and of the host that a null MX names (RFC 7505).
const Root = "."

// Normalize returns name in the one form that this package compares: lower
// case, no trailing dot, [Root] for the root. It reads the escapes of RFC 1035
// section 5.1: "\." is a dot inside a label and "\009" an octet. In the result
// an octet that is neither a letter, a digit nor visible punctuation is written
// as "\009", and only a dot or a backslash inside a label as "\." and "\\".
//
// It reports false for what cannot be asked for: an empty name or label, a
// label over 63 or a name over 253 octets, an escape that does not end. Octets
// outside of ASCII are kept; turning a U-label into an A-label is up to the
// caller.
func Normalize(name string) (string, bool) {
	if isNormal(name) {
		return name, true
	}
	if name == Root {
		return Root, true
	}
	if len(name) > 4*maxName+1 { // every octet as an escape
		return "", false
	}
	var b strings.Builder
	b.Grow(len(name))
	total, label := 0, 0
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c == '.' {
			if label == 0 {
				return "", false
			}
			if i == len(name)-1 {
				break
			}
			b.WriteByte('.')
			total++
			label = 0
			continue
		}
		if c == '\\' {
			var n int
			if c, n = Unescape(name[i:]); n == 0 {
				return "", false
			}
			i += n - 1
		}
		writeOctet(&b, c)
		label++
		total++
		if label > maxLabel || total > maxName {
			return "", false
		}
	}
	if label == 0 {
		return "", false
	}
	return b.String(), true
}

// Unescape reads the escape at the start of s, "\X" or "\DDD" (RFC 1035 section
// 5.1), and returns the octet and the length of the escape, 0 for none.
func Unescape(s string) (octet byte, n int) {
	if len(s) < 2 || s[0] != '\\' {
		return 0, 0
	}
	if !isDigit(s[1]) {
		return s[1], 2
	}
	if len(s) < 4 || !isDigit(s[2]) || !isDigit(s[3]) {
		return 0, 0
	}
	v := int(s[1]-'0')*100 + int(s[2]-'0')*10 + int(s[3]-'0')
	if v > 255 {
		return 0, 0
	}
	return byte(v), 4
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func writeOctet(b *strings.Builder, c byte) {
	switch {
	case 'A' <= c && c <= 'Z':
		b.WriteByte(c + 'a' - 'A')
	case c == '.' || c == '\\':
		b.WriteByte('\\')
		b.WriteByte(c)
	case c <= ' ' || c > '~':
		b.Write([]byte{'\\', '0' + c/100, '0' + c/10%10, '0' + c%10})
	default:
		b.WriteByte(c)
	}
}

// isNormal reports whether name is normal and free of escapes, as nearly every
// name that comes back from a resolver is.
func isNormal(name string) bool {
	if len(name) > maxName {
		return false
	}
	label := 0
	for i := range len(name) {
		switch c := name[i]; {
		case c == '.':
			if label == 0 {
				return false
			}
			label = 0
		case c <= ' ' || c > '~' || c == '\\' || 'A' <= c && c <= 'Z':
			return false
		default:
			if label++; label > maxLabel {
				return false
			}
		}
	}
	return label > 0
}

// Parent returns the name without its first label, which is [Root] for a name
// of one label. It reports false for the root. The name must be normalized.
func Parent(name string) (string, bool) {
	if name == Root || name == "" {
		return "", false
	}
	for i := 0; i < len(name); i++ {
		switch name[i] {
		case '\\':
			i++ // an octet in three digits holds no dot either
		case '.':
			return name[i+1:], true
		}
	}
	return Root, true
}

// Reverse returns the name under in-addr.arpa or ip6.arpa that holds the PTR
// records of ip (RFC 1035 section 3.5, RFC 3596 section 2.5), and the empty
// string for an address that is not valid.
func Reverse(ip netip.Addr) string {
	const hex = "0123456789abcdef"
	ip = ip.Unmap()
	if !ip.IsValid() {
		return ""
	}
	if ip.Is4() {
		b := ip.As4()
		return netip.AddrFrom4([4]byte{b[3], b[2], b[1], b[0]}).String() + ".in-addr.arpa"
	}
	a := ip.As16()
	b := make([]byte, 0, 72)
	for i := len(a) - 1; i >= 0; i-- {
		b = append(b, hex[a[i]&15], '.', hex[a[i]>>4], '.')
	}
	return string(append(b, "ip6.arpa"...))
}
