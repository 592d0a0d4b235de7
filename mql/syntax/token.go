package syntax

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sekisho/sekisho/lang"
)

type kind uint8

const (
	kEOF kind = iota
	kIdent
	kInt
	kFloat
	kString // of both kinds
	kList
	kDots
	kLParen
	kRParen
	kLBrack
	kRBrack
	kComma
	kColon
	kAssign
	kEq
	kNe
	kEqFold
	kNeFold
	kLt
	kLe
	kGt
	kGe
	kAdd
	kSub
	kMul
	kDiv
	kMod
	kAnd
	kOr
	kNot
	kIn
	kInFold
	kIs
	kOf
	kNull
	kTrue
	kFalse
	kBad // reported; the parser does not see it
)

// token is a word of the source. Strings keep their quotes and lists their
// dollar sign.
type token struct {
	kind  kind
	start int
	end   int
}

func (t token) span() Span { return Span{t.start, t.end} }

// keyword is a switch and no map because most words are names, which its
// first character rules out.
func keyword(word string) kind {
	switch word {
	case "and":
		return kAnd
	case "or":
		return kOr
	case "not":
		return kNot
	case "in":
		return kIn
	case "is":
		return kIs
	case "of":
		return kOf
	case "null":
		return kNull
	case "true":
		return kTrue
	case "false":
		return kFalse
	}
	return kIdent
}

// lexer cuts a source into tokens. Everything that is no token is white space,
// a comment or a diagnostic, so that tokens and comments together with what
// lies between them are the source.
type lexer struct {
	src      string
	pos      int
	comments []Span
	report   func(Diagnostic)
}

func isIdentStart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (l *lexer) fail(start, end int, msg, hint lang.Message) {
	l.report(Diagnostic{Level: Error, Span: Span{start, end}, Message: msg, Hint: hint})
}

func (l *lexer) peek(n int) byte {
	if l.pos+n < len(l.src) {
		return l.src[l.pos+n]
	}
	return 0
}

// next returns the next token; at the end it returns kEOF for ever.
func (l *lexer) next() token {
	l.skip()
	start := l.pos
	if start >= len(l.src) {
		return token{kEOF, start, start}
	}
	k := l.scan()
	return token{k, start, l.pos}
}

// skip passes white space and comments.
func (l *lexer) skip() {
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			l.pos++
		case c == '/' && l.peek(1) == '/':
			start := l.pos
			end := strings.IndexByte(l.src[start:], '\n')
			if end < 0 {
				end = len(l.src) - start
			}
			l.pos = start + end
			text := strings.TrimRight(l.src[start:l.pos], " \t\r")
			l.comments = append(l.comments, Span{start, start + len(text)})
		case strings.HasPrefix(l.src[l.pos:], "\u00a0"):
			l.pos += len("\u00a0")
		case strings.HasPrefix(l.src[l.pos:], "\ufeff"):
			l.pos += len("\ufeff")
		default:
			return
		}
	}
}

func (l *lexer) scan() kind {
	c := l.src[l.pos]
	switch {
	case isIdentStart(c):
		return l.word()
	case isDigit(c):
		return l.number()
	case c == '"' || c == '\'':
		return l.str(c)
	case c == '.':
		for l.peek(0) == '.' {
			l.pos++
		}
		return kDots
	case c == '$' && isIdentStart(l.peek(1)):
		l.pos++
		l.ident()
		// Names of lists may have dots, which the published grammar of the
		// language for editors allows.
		for l.peek(0) == '.' && isIdentStart(l.peek(1)) {
			l.pos++
			l.ident()
		}
		return kList
	}
	return l.punct(c)
}

func (l *lexer) ident() {
	for l.pos < len(l.src) && (isIdentStart(l.src[l.pos]) || isDigit(l.src[l.pos])) {
		l.pos++
	}
}

func (l *lexer) word() kind {
	start := l.pos
	l.ident()
	k := keyword(l.src[start:l.pos])
	if k == kIn && l.peek(0) == '~' {
		l.pos++
		return kInFold
	}
	return k
}

func (l *lexer) number() kind {
	start := l.pos
	for isDigit(l.peek(0)) {
		l.pos++
	}
	k := kInt
	if l.peek(0) == '.' && isDigit(l.peek(1)) {
		k = kFloat
		l.pos++
		for isDigit(l.peek(0)) {
			l.pos++
		}
	}
	if isIdentStart(l.peek(0)) {
		l.ident()
		l.fail(start, l.pos, lang.M("mql.syntax.number", "text", l.src[start:l.pos]), lang.M("mql.syntax.number.hint"))
	}
	return k
}

// str reads a string, which ends on its line.
func (l *lexer) str(quote byte) kind {
	start := l.pos
	l.pos++
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; {
		case c == '\n' || c == '\r':
			l.fail(start, l.pos, lang.M(keyOpenString), lang.M("mql.syntax.string.open.hint", "quote", string(quote)))
			return kString
		case c == quote && quote == '\'' && l.peek(1) == '\'':
			l.pos += 2
		case c == quote:
			l.pos++
			return kString
		case c == '\\' && quote == '"':
			l.escape()
		default:
			l.pos++
		}
	}
	l.fail(start, l.pos, lang.M(keyOpenString), lang.M("mql.syntax.string.open.hint", "quote", string(quote)))
	return kString
}

// escape checks the escape at l.pos and passes it.
func (l *lexer) escape() {
	_, n, ok := unescape(l.src[l.pos:])
	if !ok {
		end := l.pos + n
		if end < len(l.src) && l.src[end-1] == '\\' && l.src[end] != '\n' && l.src[end] != '\r' {
			_, w := utf8.DecodeRuneInString(l.src[end:])
			end += w
		}
		l.fail(l.pos, end, lang.M("mql.syntax.escape", "text", l.src[l.pos:end]), lang.M("mql.syntax.escape.hint"))
		n = end - l.pos
	}
	l.pos += n
}

// unescape reads the escape at the start of s and returns its character and
// length. Without ok, the length is that of the part which is understood.
func unescape(s string) (r rune, n int, ok bool) {
	if len(s) < 2 {
		return 0, len(s), false
	}
	switch s[1] {
	case 'r':
		return '\r', 2, true
	case 'n':
		return '\n', 2, true
	case 't':
		return '\t', 2, true
	case '\'', '"', '\\':
		return rune(s[1]), 2, true
	case 'u':
		if len(s) < 3 || s[2] != '{' {
			return 0, 2, false
		}
		digits := 0
		for 3+digits < len(s) && strings.IndexByte("0123456789abcdefABCDEF", s[3+digits]) >= 0 {
			digits++
		}
		end := 3 + digits
		if end >= len(s) || s[end] != '}' {
			return 0, min(end, len(s)), false
		}
		if digits < 2 || digits > 8 {
			return 0, end + 1, false
		}
		v, err := strconv.ParseUint(s[3:end], 16, 32)
		if err != nil || v > unicode.MaxRune || !utf8.ValidRune(rune(v)) {
			return 0, end + 1, false
		}
		return rune(v), end + 1, true
	}
	return 0, 1, false
}

// unquote returns the value of a string literal as [lexer.str] reads it, also
// of one with mistakes.
func unquote(lit string) string {
	quote := lit[0]
	body := lit[1:]
	if len(body) > 0 && body[len(body)-1] == quote {
		body = body[:len(body)-1]
	}
	if quote == '\'' {
		return strings.ReplaceAll(body, "''", "'")
	}
	if strings.IndexByte(body, '\\') < 0 {
		return body
	}
	var b strings.Builder
	b.Grow(len(body))
	for len(body) > 0 {
		i := strings.IndexByte(body, '\\')
		if i < 0 {
			b.WriteString(body)
			break
		}
		b.WriteString(body[:i])
		r, n, ok := unescape(body[i:])
		if ok {
			b.WriteRune(r)
		} else {
			b.WriteString(body[i : i+n])
		}
		body = body[i+n:]
	}
	return b.String()
}

func (l *lexer) punct(c byte) kind {
	start := l.pos
	next := l.peek(1)
	two := func(k kind) kind { l.pos += 2; return k }
	one := func(k kind) kind { l.pos++; return k }
	switch c {
	case '(':
		return one(kLParen)
	case ')':
		return one(kRParen)
	case '[':
		return one(kLBrack)
	case ']':
		return one(kRBrack)
	case ',':
		return one(kComma)
	case ':':
		return one(kColon)
	case '+':
		return one(kAdd)
	case '-':
		return one(kSub)
	case '*':
		return one(kMul)
	case '/':
		return one(kDiv)
	case '%':
		return one(kMod)
	case '=':
		switch next {
		case '=':
			return two(kEq)
		case '~':
			return two(kEqFold)
		}
		return one(kAssign)
	case '!':
		switch next {
		case '=':
			return two(kNe)
		case '~':
			return two(kNeFold)
		}
		l.pos++
		l.instead(start, "not")
		return kNot
	case '<':
		if next == '=' {
			return two(kLe)
		}
		return one(kLt)
	case '>':
		if next == '=' {
			return two(kGe)
		}
		return one(kGt)
	case '&':
		if next == '&' {
			l.pos++
		}
		l.pos++
		l.instead(start, "and")
		return kAnd
	case '|':
		if next == '|' {
			l.pos++
		}
		l.pos++
		l.instead(start, "or")
		return kOr
	case '#':
		end := strings.IndexByte(l.src[start:], '\n')
		if end < 0 {
			end = len(l.src) - start
		}
		l.pos = start + end
		l.insteadAt(Span{start, start + 1}, "//")
		return kBad
	}
	r, n := utf8.DecodeRuneInString(l.src[start:])
	l.pos += n
	l.character(start, r)
	return kBad
}

// instead reports a sign of other languages and goes on as if it were ours.
func (l *lexer) instead(start int, word string) { l.insteadAt(Span{start, l.pos}, word) }

func (l *lexer) insteadAt(at Span, word string) {
	l.fail(at.Start, at.End, lang.M("mql.syntax.foreign", "text", l.src[at.Start:at.End]), lang.M("mql.syntax.foreign.hint", "word", word))
}

func (l *lexer) character(start int, r rune) {
	text := l.src[start:l.pos]
	switch {
	case r == utf8.RuneError && len(text) <= 1:
		l.fail(start, l.pos, lang.M("mql.syntax.utf8"), lang.Message{})
	case strings.ContainsRune("“”„‟‘’‚‛「」", r):
		l.fail(start, l.pos, lang.M("mql.syntax.quotes", "text", text), lang.M("mql.syntax.quotes.hint"))
	case !unicode.IsPrint(r):
		l.fail(start, l.pos, lang.M("mql.syntax.invisible", "code", strconv.FormatInt(int64(r), 16)), lang.M("mql.syntax.invisible.hint"))
	default:
		l.fail(start, l.pos, lang.M("mql.syntax.character", "text", text), lang.Message{})
	}
}
