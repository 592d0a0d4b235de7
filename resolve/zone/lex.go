package zone

import (
	"strings"
)

// token is a word of the file. Escapes are left in.
type token struct {
	text      string
	quoted    bool
	line, col int
}

// line is one entry: what stands on one line, or on several within parentheses.
type line struct {
	tokens  []token
	blank   bool // it starts with white space, so the owner is that of the entry before
	comment token
}

// lexer cuts a file into entries.
type lexer struct {
	text      string
	pos       int
	line      int
	lineStart int
}

func (l *lexer) col(pos int) int { return pos - l.lineStart + 1 }

// next returns the next entry that has words or a directive. It reports false
// at the end of the file.
func (l *lexer) next() (line, *Error, bool) {
	for l.pos < len(l.text) {
		e, err := l.entry()
		if err != nil || len(e.tokens) > 0 || e.comment.text != "" {
			return e, err, true
		}
	}
	return line{}, nil, false
}

// entry reads up to the end of a line that is not within parentheses.
func (l *lexer) entry() (line, *Error) {
	var e line
	depth := 0
	var open token
	start := l.pos
	for l.pos < len(l.text) {
		switch c := l.text[l.pos]; c {
		case '\n':
			l.newline()
			if depth == 0 {
				return e, nil
			}
		case ' ', '\t', '\r', '\f', '\v':
			e.blank = e.blank || l.pos == start
			l.pos++
		case ';':
			text, col := l.comment()
			e.comment = token{text: text, line: l.line, col: col}
		case '(':
			open = token{line: l.line, col: l.col(l.pos)}
			depth++
			l.pos++
		case ')':
			if depth == 0 {
				err := errorAt(token{line: l.line, col: l.col(l.pos)}, "a parenthesis closes that was not opened")
				l.skip()
				return e, err
			}
			depth--
			l.pos++
		default:
			t, err := l.word(c == '"')
			if err != nil {
				l.skip()
				return e, err
			}
			e.tokens = append(e.tokens, t)
		}
	}
	if depth > 0 {
		return e, errorAt(open, "a parenthesis is not closed")
	}
	return e, nil
}

func (l *lexer) newline() {
	l.pos++
	l.line++
	l.lineStart = l.pos
}

// skip goes to the start of the next line.
func (l *lexer) skip() {
	i := strings.IndexByte(l.text[l.pos:], '\n')
	if i < 0 {
		l.pos = len(l.text)
		return
	}
	l.pos += i
	l.newline()
}

func (l *lexer) comment() (text string, col int) {
	rest := l.text[l.pos:]
	if i := strings.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	col = l.col(l.pos)
	l.pos += len(rest)
	return rest, col
}

func (l *lexer) word(quoted bool) (token, *Error) {
	t := token{quoted: quoted, line: l.line, col: l.col(l.pos)}
	if quoted {
		l.pos++
	}
	start := l.pos
	for l.pos < len(l.text) {
		switch c := l.text[l.pos]; {
		case c == '\\':
			if l.pos+1 == len(l.text) || l.text[l.pos+1] == '\n' {
				return t, errorAt(t, "a backslash ends the line")
			}
			l.pos += 2
			continue
		case c == '\n' && quoted:
			return t, errorAt(t, "a quoted string is not closed on its line")
		case c == '"' && quoted:
			t.text = l.text[start:l.pos]
			l.pos++
			return t, nil
		case !quoted && strings.IndexByte(" \t\r\n\f\v;()\"", c) >= 0:
			t.text = l.text[start:l.pos]
			return t, nil
		}
		l.pos++
	}
	if quoted {
		return t, errorAt(t, "a quoted string is not closed on its line")
	}
	t.text = l.text[start:l.pos]
	return t, nil
}
