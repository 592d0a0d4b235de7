package eml

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Bounds on what is read of a field with parameters.
const (
	maxParams     = 128
	maxParamBytes = 64 << 10
)

// params are the parameters of a field. There are few: a search is quicker
// than a map.
type params []param

type param struct{ name, value string }

// get returns the parameter of that lower-case name, empty if there is none.
func (ps params) get(name string) string {
	for _, p := range ps {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

// section is one piece of a parameter in the form of RFC 2231 section 3.
type section struct {
	name    string
	n       int // its number; -1 for the form without one
	value   string
	encoded bool
}

// parseParams reads a value with parameters, as Content-Type and
// Content-Disposition have (RFC 2045 section 5.1), with the continuations and
// charsets of RFC 2231. It puts up with missing quotes and semicolons, white
// space around "=", comments, and encoded words in values. The value and the
// parameter names are lower case; of a parameter that occurs twice the first
// counts.
func parseParams(v string) (string, params) {
	s := paramScanner{s: v[:min(len(v), maxParamBytes)]}
	s.skip()
	start := s.i
	value := s.until(";")
	// Without a semicolon the first parameter would be part of the value.
	if i := strings.IndexAny(value, " \t,"); i > 0 && strings.IndexByte(value[i:], '=') > 0 && value == s.s[start:s.i] {
		value, s.i = value[:i], start+i+1
	}
	value = strings.ToLower(strings.Trim(value, " \t"))
	value = strings.Trim(value, "\"'")
	var ps params
	var sections []section
	for range maxParams {
		s.skip()
		if s.done() {
			break
		}
		name := strings.ToLower(strings.Trim(s.until("=;"), " \t"))
		if !s.take('=') {
			s.take(';')
			continue
		}
		val := s.value(name)
		if name == "" {
			continue
		}
		base, num, continued := strings.Cut(name, "*")
		if !continued {
			if !ps.has(name) {
				ps = append(ps, param{name, val})
			}
			continue
		}
		sec := section{name: base, n: -1, value: val, encoded: true}
		if num != "" {
			num, sec.encoded = strings.CutSuffix(num, "*")
			n, err := strconv.Atoi(num)
			if err != nil {
				continue
			}
			sec.n = n
		}
		sections = append(sections, sec)
	}
	for i, p := range ps {
		if p.name != "boundary" {
			ps[i].value = decodedName(p.value)
		}
	}
	slices.SortStableFunc(sections, func(a, b section) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.n, b.n))
	})
	for len(sections) > 0 {
		n := 1
		for n < len(sections) && sections[n].name == sections[0].name {
			n++
		}
		// RFC 2231's form wins over the plain one, as in every mail program.
		text := joinSections(sections[:n])
		if i := slices.IndexFunc(ps, func(p param) bool { return p.name == sections[0].name }); i >= 0 {
			ps[i].value = text
		} else {
			ps = append(ps, param{sections[0].name, text})
		}
		sections = sections[n:]
	}
	return value, ps
}

func (ps params) has(name string) bool {
	return slices.ContainsFunc(ps, func(p param) bool { return p.name == name })
}

// joinSections puts the pieces of one parameter together. They stand in the
// order of their numbers; of a number that occurs twice the first counts.
func joinSections(ps []section) string {
	if ps[0].n < 0 {
		ps = ps[:1] // the form without numbers says all
	}
	var raw []byte
	charset, plain := "", true
	for i, p := range ps {
		if i > 0 && ps[i-1].n == p.n {
			continue
		}
		if !p.encoded {
			raw = append(raw, p.value...)
			continue
		}
		plain = false
		val := p.value
		if i == 0 {
			if cs, rest, ok := strings.Cut(val, "'"); ok {
				if _, text, ok := strings.Cut(rest, "'"); ok {
					charset, val = cs, text
				}
			}
		}
		raw = append(raw, percentDecode(val)...)
	}
	if plain {
		return decodedName(string(raw))
	}
	text, _ := decodeCharset(charset, raw)
	return text
}

func percentDecode(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && hexValue[s[i+1]] != notBase64 && hexValue[s[i+2]] != notBase64 {
			out = append(out, hexValue[s[i+1]]<<4|hexValue[s[i+2]])
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return out
}

type paramScanner struct {
	s string
	i int
}

func (p *paramScanner) done() bool { return p.i >= len(p.s) }

func (p *paramScanner) skip() {
	for !p.done() && strings.IndexByte(" \t;", p.s[p.i]) >= 0 {
		p.i++
	}
}

func (p *paramScanner) take(c byte) bool {
	if !p.done() && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

// until reads up to one of the stop characters, leaving comments out.
func (p *paramScanner) until(stop string) string {
	start := p.i
	var b strings.Builder
	for !p.done() {
		c := p.s[p.i]
		if strings.IndexByte(stop, c) >= 0 {
			break
		}
		if c == '\\' && p.i+1 < len(p.s) && strings.IndexByte(`(\`, p.s[p.i+1]) >= 0 {
			p.i++
		} else if c == '(' {
			if end := commentEnd(p.s, p.i); end > p.i+1 {
				b.WriteString(p.s[start:p.i])
				p.i, start = end, end
				continue
			}
		}
		p.i++
	}
	if b.Len() == 0 {
		return p.s[start:p.i]
	}
	b.WriteString(p.s[start:p.i])
	return b.String()
}

// value reads the value of the named parameter.
func (p *paramScanner) value(name string) string {
	for !p.done() && (p.s[p.i] == ' ' || p.s[p.i] == '\t' || p.s[p.i] == '=' && !strings.HasPrefix(p.s[p.i:], "=?")) {
		p.i++
	}
	if !p.take('"') {
		start := p.i
		v := p.until(";")
		if i := strings.IndexAny(v, " \t"); i > 0 && strings.IndexByte(v[i:], '=') > 0 && !strings.HasSuffix(name, "name") && v == p.s[start:p.i] {
			v, p.i = v[:i], start+i // a semicolon is missing; names of files have spaces
		}
		v = strings.Trim(v, " \t")
		if strings.IndexByte(name, '*') >= 0 {
			return v // there a quote separates charset and language
		}
		return strings.Trim(v, "'")
	}
	var b strings.Builder
	for start := p.i; ; {
		i := strings.IndexAny(p.s[p.i:], `"\`)
		if i < 0 { // the closing quote is missing
			p.i = len(p.s)
			b.WriteString(p.s[start:])
			return b.String()
		}
		p.i += i + 1
		if p.s[p.i-1] == '"' {
			if b.Len() == 0 {
				return p.s[start : p.i-1]
			}
			b.WriteString(p.s[start : p.i-1])
			return b.String()
		}
		// A backslash in a Windows path is no escape; before a quote it is.
		if !p.done() && (p.s[p.i] == '"' || p.s[p.i] == '\\') && escapes(p.s, p.i-1) {
			b.WriteString(p.s[start : p.i-1])
			start = p.i
			p.i++
		}
	}
}
