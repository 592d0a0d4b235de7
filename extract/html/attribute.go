package html

import (
	"strconv"
	"strings"

	xhtml "golang.org/x/net/html"

	"github.com/sekisho/sekisho/eml"
)

// attribute is an attribute of a start tag as it stands in the source.
type attribute struct {
	name  string // lower case
	value string // references not decoded
	at    int    // offset of value in the source
}

// wanted are the attributes that are read. All others are passed over, so that
// a tag may have any number of them.
var wanted = map[string]bool{
	"href": true, "src": true, "action": true, "formaction": true, "data": true, "xlink:href": true, "background": true,
	"content": true, "http-equiv": true, "style": true, "class": true, "id": true, "hidden": true, "type": true,
	"alt": true, "title": true, "name": true, "value": true, "size": true, "color": true, "open": true,
}

// attributes reads the wanted attributes of the start tag in source text s,
// which stands at offset at, and appends them to out. The first of a name wins
// (HTML standard section 13.2.5.33).
func attributes(out []attribute, s string, at int) []attribute {
	i := 1
	for i < len(s) && !isSpace(s[i]) && s[i] != '/' && s[i] != '>' {
		i++
	}
	for i < len(s) {
		for i < len(s) && (isSpace(s[i]) || s[i] == '/') {
			i++
		}
		if i >= len(s) || s[i] == '>' {
			break
		}
		from := i
		for i < len(s) && !isSpace(s[i]) && s[i] != '/' && s[i] != '>' && (s[i] != '=' || i == from) {
			i++
		}
		name := s[from:i]
		for i < len(s) && isSpace(s[i]) {
			i++
		}
		valueAt, value := i, ""
		if i < len(s) && s[i] == '=' {
			i++
			for i < len(s) && isSpace(s[i]) {
				i++
			}
			switch {
			case i < len(s) && (s[i] == '"' || s[i] == '\''):
				quote := s[i]
				i++
				valueAt = i
				n := strings.IndexByte(s[i:], quote)
				if n < 0 {
					n = len(s) - i
				}
				value = s[i : i+n]
				i = min(i+n+1, len(s))
			default:
				valueAt = i
				for i < len(s) && !isSpace(s[i]) && s[i] != '>' {
					i++
				}
				value = s[valueAt:i]
			}
		}
		if len(name) > len("http-equiv") {
			continue
		}
		if name = strings.ToLower(name); wanted[name] && !hasAttribute(out, name) {
			out = append(out, attribute{name: name, value: value, at: at + valueAt})
		}
	}
	return out
}

func hasAttribute(attrs []attribute, name string) bool {
	for i := range attrs {
		if attrs[i].name == name {
			return true
		}
	}
	return false
}

// decode returns the value with its references decoded, mapped to the source.
func (a attribute) decode() eml.Mapped {
	if strings.IndexByte(a.value, '&') < 0 {
		return eml.Identity(a.value, a.at)
	}
	var b eml.MapBuilder
	start := 0
	for i := 0; i < len(a.value); {
		if a.value[i] == '&' {
			if text, n := reference(a.value[i:], true); n > 0 {
				b.Copy(a.value[start:i], a.at+start)
				b.Replace(text, eml.Span{Offset: a.at + i, Length: n})
				i += n
				start = i
				continue
			}
		}
		i++
	}
	b.Copy(a.value[start:], a.at+start)
	return b.Mapped()
}

// text returns the value with its references decoded, trimmed.
func (a attribute) text() string { return trim(a.decode().Text) }

func (a attribute) span() eml.Span { return eml.Span{Offset: a.at, Length: len(a.value)} }

// Lengths of the names of character references. Those that need no semicolon
// are the 106 of HTML 4, of which "Aacute" is among the longest.
const (
	maxReference = 32
	maxLegacy    = 6
)

// reference decodes the character reference at the start of s (HTML standard
// section 13.2.5.72) and returns how many bytes it takes, 0 if there is none.
func reference(s string, inAttribute bool) (text string, n int) {
	if len(s) < 2 {
		return "", 0
	}
	if s[1] == '#' {
		return numericReference(s)
	}
	n = 1
	for n < len(s) && n <= maxReference && isAlnum(s[n]) {
		n++
	}
	if n == 1 {
		return "", 0
	}
	if n < len(s) && s[n] == ';' {
		whole := s[:n+1]
		if u := xhtml.UnescapeString(whole); u != whole && (!strings.HasSuffix(u, ";") || whole == "&semi;") {
			return u, n + 1
		}
	}
	if inAttribute {
		// "&copy=1" is part of a query there and no reference.
		if n < len(s) && (s[n] == '=' || s[n] == ';') || n > maxLegacy+1 {
			return "", 0
		}
		if u := xhtml.UnescapeString(s[:n]); u != s[:n] && (u == "&" || len(u) <= 2 && u[0] != '&' && u[len(u)-1] != s[n-1]) {
			return u, n
		}
		return "", 0
	}
	for k := min(n, maxLegacy+1); k > 2; k-- {
		if u := xhtml.UnescapeString(s[:k]); u != s[:k] && (len(u) <= 2 && u[len(u)-1] != s[k-1] || u == "&") {
			return u, k
		}
	}
	return "", 0
}

func numericReference(s string) (text string, n int) {
	i, base := 2, 10
	if i < len(s) && (s[i] == 'x' || s[i] == 'X') {
		i, base = 3, 16
	}
	start, v := i, 0
	for i < len(s) {
		d := digit(s[i])
		if d >= base {
			break
		}
		v = min(v*base+d, 0x110000)
		i++
	}
	if i == start {
		return "", 0
	}
	if i < len(s) && s[i] == ';' {
		i++
	}
	return xhtml.UnescapeString("&#" + strconv.Itoa(v) + ";"), i
}

func digit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return 99
}

func isAlnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
