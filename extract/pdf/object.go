package pdf

import (
	"bytes"
	"strconv"
)

// The objects of ISO 32000-1, 7.3. Null is nil; a boolean is a bool, a number an
// int or a float64.
type (
	name   string
	str    []byte
	array  []any
	dict   map[name]any
	ref    struct{ num, gen int }
	stream struct {
		dict dict
		raw  []byte
		id   ref
	}
	// operator is a bare word, as in content streams.
	operator string
)

// Limits of one object.
const (
	maxNesting = 40
	maxName    = 512
	maxString  = 4 << 20
	maxItems   = 200_000
)

// lexer reads objects. It never fails: what cannot be read is left out.
type lexer struct {
	data  []byte
	at    int
	items int // read so far
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelim(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

func (l *lexer) skip() {
	for l.at < len(l.data) {
		c := l.data[l.at]
		switch {
		case isSpace(c):
			l.at++
		case c == '%':
			n := bytes.IndexAny(l.data[l.at:], "\r\n")
			if n < 0 {
				l.at = len(l.data)
				return
			}
			l.at += n
		default:
			return
		}
	}
}

// closing is what ends an array or a dictionary.
type closing byte

// next returns the next object; ok is false at the end.
func (l *lexer) next(depth int) (v any, ok bool) {
	l.skip()
	if l.at >= len(l.data) || depth <= 0 || l.items > maxItems {
		return nil, false
	}
	l.items++
	c := l.data[l.at]
	switch {
	case c == '/':
		return l.name(), true
	case c == '(':
		return l.literal(), true
	case c == '<':
		if l.at+1 < len(l.data) && l.data[l.at+1] == '<' {
			l.at += 2
			return l.dict(depth - 1), true
		}
		return l.hex(), true
	case c == '[':
		l.at++
		var a array
		for {
			v, ok := l.next(depth - 1)
			if !ok || v == closing(']') {
				return a, true
			}
			switch v := v.(type) {
			case closing:
			case operator:
				if v == "R" && len(a) >= 2 {
					if r, ok := reference(a[len(a)-2], a[len(a)-1]); ok {
						a = append(a[:len(a)-2], r)
					}
				}
			default:
				a = append(a, v)
			}
		}
	case c == ']':
		l.at++
		return closing(']'), true
	case c == '>':
		l.at++
		if l.at < len(l.data) && l.data[l.at] == '>' {
			l.at++
		}
		return closing('>'), true
	case c == '{' || c == '}' || c == ')':
		l.at++
		return operator(c), true
	case c == '+' || c == '-' || c == '.' || c >= '0' && c <= '9':
		return l.number(), true
	}
	return l.word(), true
}

func reference(a, b any) (ref, bool) {
	n, ok1 := a.(int)
	g, ok2 := b.(int)
	return ref{n, g}, ok1 && ok2 && n >= 0 && g >= 0
}

func (l *lexer) token() []byte {
	start := l.at
	for l.at < len(l.data) && !isSpace(l.data[l.at]) && !isDelim(l.data[l.at]) {
		l.at++
	}
	return l.data[start:l.at]
}

func (l *lexer) word() any {
	start := l.at
	w := l.token()
	if l.at == start {
		l.at++ // a byte that begins nothing
		return operator(l.data[start:l.at])
	}
	switch string(w) {
	case "true":
		return true
	case "false":
		return false
	case "null":
		return nil
	}
	return operator(w[:min(len(w), maxName)])
}

func (l *lexer) number() any {
	w := string(l.token())
	if n, err := strconv.Atoi(w); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(w, 64); err == nil && f > -1e12 && f < 1e12 {
		return f
	}
	return 0
}

func (l *lexer) name() name {
	l.at++
	w := l.token()
	if bytes.IndexByte(w, '#') < 0 {
		return name(w[:min(len(w), maxName)])
	}
	var out []byte
	for i := 0; i < len(w) && len(out) < maxName; i++ {
		if w[i] == '#' && i+2 < len(w) {
			hi, ok1 := unhex(w[i+1])
			lo, ok2 := unhex(w[i+2])
			if ok1 && ok2 {
				out = append(out, hi<<4|lo)
				i += 2
				continue
			}
		}
		out = append(out, w[i])
	}
	return name(out)
}

func unhex(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

func (l *lexer) hex() str {
	l.at++
	out := str{}
	var high byte
	half := false
	for l.at < len(l.data) && len(out) < maxString {
		c := l.data[l.at]
		l.at++
		if c == '>' {
			break
		}
		n, ok := unhex(c)
		if !ok {
			continue
		}
		if half {
			out = append(out, high<<4|n)
		}
		high, half = n, !half
	}
	if half {
		out = append(out, high<<4)
	}
	return out
}

func (l *lexer) literal() str {
	l.at++
	out := str{}
	depth := 1
	for l.at < len(l.data) && len(out) < maxString {
		c := l.data[l.at]
		l.at++
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return out
			}
		case '\\':
			out = l.escape(out)
			continue
		case '\r':
			if l.at < len(l.data) && l.data[l.at] == '\n' {
				l.at++
			}
			c = '\n'
		}
		out = append(out, c)
	}
	return out
}

func (l *lexer) escape(out str) str {
	if l.at >= len(l.data) {
		return out
	}
	c := l.data[l.at]
	l.at++
	switch c {
	case 'n':
		return append(out, '\n')
	case 'r':
		return append(out, '\r')
	case 't':
		return append(out, '\t')
	case 'b':
		return append(out, '\b')
	case 'f':
		return append(out, '\f')
	case '\r':
		if l.at < len(l.data) && l.data[l.at] == '\n' {
			l.at++
		}
		return out
	case '\n':
		return out
	}
	if c < '0' || c > '7' {
		return append(out, c)
	}
	n := int(c - '0')
	for i := 0; i < 2 && l.at < len(l.data) && l.data[l.at] >= '0' && l.data[l.at] <= '7'; i++ {
		n = n<<3 | int(l.data[l.at]-'0')
		l.at++
	}
	return append(out, byte(n)) //nolint:gosec // the high bit of three octal digits is ignored (7.3.4.2)
}

func (l *lexer) dict(depth int) dict {
	d := dict{}
	var key name
	var values []any
	have := false
	put := func() {
		if have && len(values) > 0 {
			d[key] = values[len(values)-1]
		}
	}
	for {
		v, ok := l.next(depth)
		if !ok || v == closing('>') {
			put()
			return d
		}
		switch v := v.(type) {
		case name:
			if have && len(values) == 0 {
				values = append(values, v)
				continue
			}
			put()
			key, have, values = v, true, values[:0]
			continue
		case operator:
			if v == "R" && len(values) >= 2 {
				if r, ok := reference(values[len(values)-2], values[len(values)-1]); ok {
					values = append(values[:0], r)
				}
			}
			if v == "endobj" || v == "stream" {
				l.at -= len(v)
				put()
				return d
			}
		case closing:
		default:
			if len(values) < 3 {
				values = append(values, v)
			}
		}
	}
}
