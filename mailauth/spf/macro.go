package spf

import (
	"slices"
	"strings"
)

// Macro is a macro-string of RFC 7208 section 7: a domain-spec, the value of a
// modifier or the text of an explanation. The zero Macro is empty.
type Macro struct {
	text  string
	parts []part // nil where text holds no "%"
}

// part is a piece of a macro-string.
type part struct {
	literal string
	letter  byte // lower case; 0 for a literal
	escape  bool // the letter was upper case: URL-escape the value
	reverse bool
	keep    int    // how many right-hand parts; 0 for all
	delims  string // what to split at; empty for a dot
}

// String returns the macro-string as it was written.
func (m Macro) String() string { return m.text }

// Static returns the text that m stands for and reports true if it does not
// depend on the message.
func (m Macro) Static() (string, bool) {
	if m.parts == nil {
		return m.text, true
	}
	var b strings.Builder
	for _, p := range m.parts {
		if p.letter != 0 {
			return "", false
		}
		b.WriteString(p.literal)
	}
	return b.String(), true
}

// place is where a macro-string stands, which decides what it may hold.
type place int

const (
	inModifier    place = iota // visible characters
	inDomain                   // must end as a domain does
	inExplanation              // spaces and the letters c, r and t, too
)

// parseMacro reads s. The position of the error is within s.
func parseMacro(s string, where place) (Macro, *SyntaxError) {
	m := Macro{text: s}
	if s == "" && where == inDomain {
		return m, syntaxError(CodeNoDomain, 0, "")
	}
	tail := 0 // where the last macro ends
	literal := 0
	flush := func(end int) {
		if literal < end {
			m.parts = append(m.parts, part{literal: s[literal:end]})
		}
	}
	for i := 0; i < len(s); {
		c := s[i]
		if c != '%' {
			if c < ' ' || c > '~' || c == ' ' && where != inExplanation {
				return m, syntaxError(CodeCharacter, i, s[i:i+1])
			}
			i++
			continue
		}
		flush(i)
		p, n := parsePart(s[i:])
		if n == 0 {
			return m, syntaxError(CodeMacro, i, clip(s[i:]))
		}
		if where != inExplanation && (p.letter == 'c' || p.letter == 'r' || p.letter == 't') {
			return m, syntaxError(CodeMacroLetter, i, s[i:i+n])
		}
		m.parts = append(m.parts, p)
		i += n
		tail, literal = i, i
	}
	if m.parts != nil {
		flush(len(s))
	}
	if where == inDomain && tail < len(s) {
		if code := domainEnd(s[tail:]); code != "" {
			return m, syntaxError(code, tail, clip(s[tail:]))
		}
	}
	return m, nil
}

// parsePart reads a macro-expand at the start of s and returns its length, 0
// where there is none (RFC 7208 section 7.1).
func parsePart(s string) (part, int) {
	if len(s) < 2 {
		return part{}, 0
	}
	switch s[1] {
	case '%':
		return part{literal: "%"}, 2
	case '_':
		return part{literal: " "}, 2
	case '-':
		return part{literal: "%20"}, 2
	case '{':
	default:
		return part{}, 0
	}
	if len(s) < 4 {
		return part{}, 0
	}
	p := part{letter: s[2] | 0x20, escape: 'A' <= s[2] && s[2] <= 'Z'}
	if !p.escape && s[2] != p.letter || strings.IndexByte("slodiphcrtv", p.letter) < 0 {
		return part{}, 0
	}
	i := 3
	const enough = 1 << 10 // more right-hand parts than a name has
	digits := false
	for ; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
		p.keep = min(p.keep*10+int(s[i]-'0'), enough)
		digits = true
	}
	if digits && p.keep == 0 {
		return part{}, 0
	}
	if i < len(s) && s[i]|0x20 == 'r' {
		p.reverse = true
		i++
	}
	start := i
	for i < len(s) && strings.IndexByte(".-+,/_=", s[i]) >= 0 {
		i++
	}
	p.delims = s[start:i]
	if i == len(s) || s[i] != '}' {
		return part{}, 0
	}
	return p, i + 1
}

// domainEnd checks the literal end of a domain-spec: a dot, a toplabel and
// perhaps another dot.
func domainEnd(s string) Code {
	trimmed := strings.TrimSuffix(s, ".")
	dot := strings.LastIndexByte(trimmed, '.')
	if dot < 0 {
		return CodeDomain
	}
	top := trimmed[dot+1:]
	if top == "" || top[0] == '-' || top[len(top)-1] == '-' {
		return CodeDomain
	}
	numeric := true
	for i := range len(top) {
		c := top[i]
		switch {
		case '0' <= c && c <= '9':
		case 'a' <= c|0x20 && c|0x20 <= 'z', c == '-':
			numeric = false
		default:
			return CodeDomain
		}
	}
	if !numeric {
		return ""
	}
	if strings.Count(trimmed, ".") == 3 && strings.Trim(trimmed, "0123456789.") == "" {
		return CodeAddress
	}
	return CodeDomain
}

// maxExpansion bounds what one macro-string expands to, and the work for it, in
// bytes. A name has 253.
const maxExpansion = 16 << 10

// expand writes m, taking the value of a letter from value. It reports false
// where the result would be longer than anybody needs.
func (m Macro) expand(value func(letter byte) string) (string, bool) {
	if m.parts == nil {
		return m.text, true
	}
	var b strings.Builder
	work := 0
	for _, p := range m.parts {
		s := p.literal
		if p.letter != 0 {
			s = value(p.letter)
			work += len(s)
		}
		if work > maxExpansion || b.Len()+len(s) > maxExpansion {
			return "", false
		}
		if p.letter != 0 {
			s = p.transform(s)
		}
		b.WriteString(s)
	}
	return b.String(), b.Len() <= maxExpansion
}

// transform splits, reverses, cuts and escapes the value of a macro.
func (p part) transform(s string) string {
	if p.reverse || p.keep > 0 || p.delims != "" {
		delims := p.delims
		if delims == "" {
			delims = "."
		}
		var parts []string
		start := 0
		for i := range len(s) {
			if strings.IndexByte(delims, s[i]) >= 0 {
				parts = append(parts, s[start:i])
				start = i + 1
			}
		}
		parts = append(parts, s[start:])
		if p.reverse {
			slices.Reverse(parts)
		}
		if p.keep > 0 && p.keep < len(parts) {
			parts = parts[len(parts)-p.keep:]
		}
		s = strings.Join(parts, ".")
	}
	if p.escape {
		s = escapeURL(s)
	}
	return s
}

// escapeURL escapes everything but the unreserved characters of RFC 3986.
func escapeURL(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// clip shortens what a stranger wrote for an error message.
func clip(s string) string {
	const enough = 60
	if len(s) > enough {
		return s[:enough] + "..."
	}
	return s
}
