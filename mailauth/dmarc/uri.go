package dmarc

import (
	"strings"

	"github.com/sekisho/sekisho/domain"
)

// URI is where reports go (RFC 9989 section 4.6).
type URI struct {
	Text   string      // as published, without the size
	Size   string      // the limit of RFC 7489 section 6.2, such as "10m"; RFC 9989 has none
	Scheme string      // lower case
	Mail   string      // the address of a mailto URI
	Host   domain.Name // where the reports go: the domain of the address, or the host
}

// String returns the URI as a record writes it.
func (u URI) String() string {
	if u.Size != "" {
		return u.Text + "!" + u.Size
	}
	return u.Text
}

// ParseURI reads one URI of rua or ruf. It must be one of RFC 3986 with a
// scheme, and a mailto URI must hold the address of a mailbox; a URI of another
// kind needs no host. A limit of size, "!10m", is taken off.
func ParseURI(s string) (URI, bool) {
	u := URI{Text: s}
	if body, size, ok := strings.Cut(s, "!"); ok {
		if !isSize(size) {
			return URI{}, false // RFC 9989 section 4.8: "!" must be encoded
		}
		u.Text, u.Size = body, size
	}
	scheme, rest, ok := strings.Cut(u.Text, ":")
	if !ok || !isScheme(scheme) || rest == "" || !isURIText(rest) {
		return URI{}, false
	}
	u.Scheme = strings.ToLower(scheme)
	if u.Scheme != "mailto" {
		u.Host = authority(rest)
		return u, true
	}
	path, _, _ := strings.Cut(rest, "?")
	mail, ok := unescape(path)
	at := strings.LastIndexByte(mail, '@')
	if !ok || at <= 0 {
		return URI{}, false
	}
	host, err := domain.Parse(mail[at+1:])
	if err != nil {
		return URI{}, false
	}
	u.Mail, u.Host = mail, host
	return u, true
}

// isSize reports whether s is a number with an optional unit (RFC 7489 section
// 6.4).
func isSize(s string) bool {
	unit := strings.TrimLeft(s, "0123456789")
	if len(unit) == len(s) || len(unit) > 1 {
		return false
	}
	return unit == "" || strings.ContainsAny(unit, "kmgtKMGT")
}

// isScheme reports whether s is a scheme (RFC 3986 section 3.1).
func isScheme(s string) bool {
	for i := range len(s) {
		switch c := s[i] | 0x20; {
		case 'a' <= c && c <= 'z':
		case i > 0 && ('0' <= s[i] && s[i] <= '9' || s[i] == '+' || s[i] == '-' || s[i] == '.'):
		default:
			return false
		}
	}
	return s != ""
}

// isURIText reports whether s holds only characters that a URI can hold (RFC
// 3986 section 2).
func isURIText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			return false
		}
	}
	return true
}

// authority returns the host of "//user@host:port/path", if it is a name.
func authority(s string) domain.Name {
	s, ok := strings.CutPrefix(s, "//")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		s = s[:i]
	}
	s = s[strings.LastIndexByte(s, '@')+1:]
	if i := strings.IndexByte(s, ':'); i >= 0 {
		s = s[:i]
	}
	n, err := domain.Parse(s)
	if err != nil {
		return ""
	}
	return n
}

// unescape reads percent encoding. What it stands for must be visible ASCII,
// so that an address can be shown and used as it is.
func unescape(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 {
		return s, true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			if i+2 >= len(s) {
				return "", false
			}
			hi, lo := hex(s[i+1]), hex(s[i+2])
			if hi < 0 || lo < 0 {
				return "", false
			}
			c = byte(hi<<4 | lo)
			i += 2
		}
		if c <= ' ' || c > '~' {
			return "", false
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

func hex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
