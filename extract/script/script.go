// Package script takes JavaScript apart into words: names, keywords, texts and
// regular expressions (ECMA-262). Nothing is run.
//
// The reader knows no grammar, so that a script that was broken on purpose is
// read as far as it goes.
package script

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sekisho/sekisho/budget"
)

// Bounds on what is read of one script.
const (
	MaxSource = 4 << 20
	MaxWords  = 20_000 // of each kind
	maxText   = 16 << 10
)

// Script is the words of a script, in its order and as often as they stand
// there.
type Script struct {
	Identifiers []string
	Keywords    []string
	Strings     []string // with their escapes undone
	Regexps     []string // with their slashes
	Truncated   bool     // there is more
}

// Read reads a script. b pays for it and may be nil.
func Read(source string, b *budget.Budget) *Script {
	s := &Script{}
	if len(source) > MaxSource {
		source, s.Truncated = source[:MaxSource], true
	}
	if !b.Spend(2 * len(source)) {
		s.Truncated = true
		return s
	}
	l := lexer{src: source, out: s}
	l.run()
	return s
}

type lexer struct {
	src   string
	at    int
	out   *Script
	value bool  // the last word was a value: a slash divides
	depth []int // of braces, where a template goes on
}

func (l *lexer) add(to *[]string, s string) {
	if len(*to) >= MaxWords {
		l.out.Truncated = true
		return
	}
	*to = append(*to, s)
}

func (l *lexer) run() {
	braces := 0
	for l.at < len(l.src) {
		c := l.src[l.at]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			l.at++
		case c == '/':
			l.slash()
		case c == '"' || c == '\'':
			l.text(c)
		case c == '`':
			l.at++
			l.template(braces)
		case c >= '0' && c <= '9':
			for l.at < len(l.src) && (isWord(l.src[l.at]) || l.src[l.at] == '.') {
				l.at++
			}
			l.value = true
		case isWord(c) || c == '\\' || c == '#':
			l.word()
		case c == '{':
			braces++
			l.at++
			l.value = false
		case c == '}':
			l.at++
			if n := len(l.depth); n > 0 && l.depth[n-1] == braces {
				// The end of what stands within a template.
				l.depth = l.depth[:n-1]
				l.template(braces)
				continue
			}
			braces = max(0, braces-1)
			l.value = false
		default:
			l.at++
			l.value = c == ')' || c == ']'
		}
	}
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= utf8.RuneSelf
}

// slash reads a comment, a regular expression or a division.
func (l *lexer) slash() {
	rest := l.src[l.at:]
	switch {
	case strings.HasPrefix(rest, "//"):
		if i := strings.IndexByte(rest, '\n'); i >= 0 {
			l.at += i
		} else {
			l.at = len(l.src)
		}
	case strings.HasPrefix(rest, "/*"):
		if i := strings.Index(rest[2:], "*/"); i >= 0 {
			l.at += i + 4
		} else {
			l.at = len(l.src)
		}
	case l.value:
		l.at++
		l.value = false
	default:
		l.regexp()
	}
}

func (l *lexer) regexp() {
	class := false
	for i := l.at + 1; i < len(l.src) && i-l.at < maxText; i++ {
		switch c := l.src[i]; {
		case c == '\n':
			l.at++
			l.value = false
			return
		case c == '\\':
			i++
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '/' && !class:
			end := i + 1
			for end < len(l.src) && isWord(l.src[end]) {
				end++
			}
			l.add(&l.out.Regexps, l.src[l.at:end])
			l.at, l.value = end, true
			return
		}
	}
	l.at++
	l.value = false
}

// text reads a text in quotes. One that does not end on its line ends there.
func (l *lexer) text(quote byte) {
	start := l.at + 1
	i := start
	for i < len(l.src) && l.src[i] != quote && l.src[i] != '\n' {
		if l.src[i] == '\\' {
			i++
		}
		i++
	}
	i = min(i, len(l.src))
	l.add(&l.out.Strings, Unescape(l.src[start:min(i, start+maxText)]))
	l.at, l.value = min(i+1, len(l.src)), true
}

// template reads a template up to its end or to a ${.
func (l *lexer) template(braces int) {
	start := l.at
	for l.at < len(l.src) {
		switch c := l.src[l.at]; {
		case c == '\\':
			l.at++
		case c == '`':
			l.add(&l.out.Strings, Unescape(l.src[start:min(l.at, start+maxText)]))
			l.at++
			l.value = true
			return
		case c == '$' && l.at+1 < len(l.src) && l.src[l.at+1] == '{':
			if l.at > start {
				l.add(&l.out.Strings, Unescape(l.src[start:min(l.at, start+maxText)]))
			}
			l.at += 2
			l.depth = append(l.depth, braces)
			l.value = false
			return
		}
		l.at++
	}
	l.at = len(l.src)
}

func (l *lexer) word() {
	start := l.at
	for l.at < len(l.src) {
		c := l.src[l.at]
		if c == '\\' || c == '#' && l.at == start || isWord(c) {
			l.at++
			if c == '\\' && l.at < len(l.src) && l.src[l.at] == 'u' && l.at+1 < len(l.src) && l.src[l.at+1] == '{' {
				if i := strings.IndexByte(l.src[l.at:min(len(l.src), l.at+12)], '}'); i > 0 {
					l.at += i + 1
				}
			}
			continue
		}
		break
	}
	w := l.src[start:min(l.at, start+maxText)]
	if keyword(w) {
		l.add(&l.out.Keywords, w)
		l.value = w == "this" || w == "super" || w == "null" || w == "true" || w == "false"
		return
	}
	l.add(&l.out.Identifiers, strings.ToValidUTF8(w, "\ufffd"))
	l.value = true
}

// keyword reports whether w is a reserved word (ECMA-262 section 12.7.2) or a
// literal.
func keyword(w string) bool {
	switch w {
	case "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do", "else", "enum", "export", "extends",
		"false", "finally", "for", "function", "if", "import", "in", "instanceof", "let", "new", "null", "return", "static", "super", "switch", "this", "throw",
		"true", "try", "typeof", "var", "void", "while", "with", "yield":
		return true
	}
	return false
}

// Unescape undoes the escapes of a text: \n, \x41, \u0041, \u{41}.
func Unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return strings.ToValidUTF8(s, "\ufffd")
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; c {
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case '\n', '\r':
		case 'x', 'u':
			digits, end := "", i+1
			switch {
			case c == 'x' && i+3 <= len(s):
				digits, end = s[i+1:min(i+3, len(s))], i+3
			case c == 'u' && i+1 < len(s) && s[i+1] == '{':
				if j := strings.IndexByte(s[i:min(len(s), i+12)], '}'); j > 0 {
					digits, end = s[i+2:i+j], i+j+1
				}
			case c == 'u' && i+5 <= len(s):
				digits, end = s[i+1:i+5], i+5
			}
			n, err := strconv.ParseUint(digits, 16, 32)
			if err != nil || end > len(s) {
				b.WriteByte(c)
				continue
			}
			b.WriteRune(rune(min(n, utf8.MaxRune+1)))
			i = end - 1
		default:
			b.WriteByte(c)
		}
	}
	return strings.ToValidUTF8(b.String(), "\ufffd")
}
