package dkim

import (
	"strings"
	"unicode"
)

// maxTags bounds the tags of one list. RFC 6376 defines 13.
const maxTags = 64

// tag is one "name=value" of a tag list.
type tag struct {
	name, value string // value without the white space around it
	start, end  int    // what stands between "=" and ";", in the text
}

// tagList is a list of tags in the order of the text (RFC 6376 section 3.2).
type tagList []tag

func (l tagList) get(name string) (tag, bool) {
	for _, t := range l {
		if t.name == name {
			return t, true
		}
	}
	return tag{}, false
}

// mistake is what makes a text no tag list.
type mistake struct {
	name      string // of the tag, or what stands in its place; may be empty
	duplicate bool   // the tag stands twice
}

// parseTags reads a tag list. Names are unique and case-sensitive; a value may
// be folded, and may hold UTF-8 (RFC 8616 section 3).
func parseTags(s string) (tagList, *mistake) {
	if unfolded(s) {
		return nil, &mistake{}
	}
	out := make(tagList, 0, 12)
	for pos := 0; pos < len(s); {
		end := strings.IndexByte(s[pos:], ';')
		last := end < 0
		if last {
			end = len(s)
		} else {
			end += pos
		}
		spec := s[pos:end]
		eq := strings.IndexByte(spec, '=')
		if eq < 0 {
			if last && len(out) > 0 && trimFWS(spec) == "" {
				return out, nil // what follows a final semicolon
			}
			return nil, &mistake{name: short(trimFWS(spec))}
		}
		t := tag{name: trimFWS(spec[:eq]), value: trimFWS(spec[eq+1:]), start: pos + eq + 1, end: end}
		if !isTagName(t.name) || !isTagValue(t.value) || len(out) >= maxTags {
			return nil, &mistake{name: short(t.name)}
		}
		if _, dup := out.get(t.name); dup {
			return nil, &mistake{name: t.name, duplicate: true}
		}
		out = append(out, t)
		pos = end + 1
	}
	if len(out) == 0 {
		return nil, &mistake{}
	}
	return out, nil
}

// short cuts what a stranger wrote to what fits a sentence.
func short(s string) string { return printable(s[:min(len(s), 40)]) }

// printable makes text of a stranger safe to stand in a line of ours, such as
// a header field: what is no visible character becomes U+FFFD.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// isTagName reports whether s is ALPHA *ALNUMPUNC of RFC 6376 section 3.2.
func isTagName(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		switch {
		case c >= 'a' && c <= 'z' && s[i] != 0x20:
		case i > 0 && (s[i] >= '0' && s[i] <= '9' || s[i] == '_'):
		default:
			return false
		}
	}
	return s != ""
}

// isTagValue reports whether every octet may stand in a value: visible ASCII
// but the semicolon, octets of UTF-8, and folding white space.
func isTagValue(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c > ' ' && c != 0x7f, c == ' ', c == '\t':
		case c == '\r', c == '\n': // a part of folding white space, see unfolded
		default:
			return false
		}
	}
	return true
}

// unfolded reports whether s has a line end that is no folding white space, or
// a CR alone.
func unfolded(s string) bool {
	for i := range len(s) {
		switch {
		case s[i] == '\r' && (i+1 == len(s) || s[i+1] != '\n'),
			s[i] == '\n' && (i+1 == len(s) || !isWSP(s[i+1])):
			return true
		}
	}
	return false
}

func isWSP(c byte) bool { return c == ' ' || c == '\t' }

func isFWS(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func trimFWS(s string) string {
	for s != "" && isFWS(s[0]) {
		s = s[1:]
	}
	for s != "" && isFWS(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// appendUnspaced appends s without white space.
func appendUnspaced(dst []byte, s string) []byte {
	for i := range len(s) {
		if !isFWS(s[i]) {
			dst = append(dst, s[i])
		}
	}
	return dst
}

// number reads the decimal digits of t=, x= and l=, which RFC 6376 section 3.5
// allows to be longer than any integer; such a number stands for the largest.
func number(s string) (int64, bool) {
	const limit = 1 << 56
	n := int64(0)
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = min(n*10+int64(s[i]-'0'), limit)
	}
	return n, s != ""
}

// lowerASCII appends s in lower case.
func lowerASCII(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

func equalFold(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }
