package authres

import (
	"strings"

	"github.com/sekisho/sekisho/eml"
)

type kind int8

const (
	word kind = iota
	quoted
	comment
	equals
	semicolon
)

// token is a lexical part of a field.
type token struct {
	kind kind
	Value
	glued bool // nothing stands between it and the token before
}

func isWord(k kind) bool { return k == word || k == quoted }

// scan splits the value of a field at white space, semicolons, equals signs,
// quoted strings and comments (RFC 5322 section 3.2).
func scan(f eml.Field) []token {
	source := text(f)
	s := source.Text
	var out []token
	end := -1
	add := func(k kind, from, to int, words string) {
		out = append(out, token{
			kind: k, glued: from == end,
			Value: Value{Text: words, Span: source.Span(from, to-from)},
		})
		end = to
	}
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case isSpace(c):
			i++
		case c == ';':
			add(semicolon, i, i+1, ";")
			i++
		case c == '=':
			add(equals, i, i+1, "=")
			i++
		case c == '(':
			to := eml.SkipComment(s, i)
			inner := s[i+1 : to]
			add(comment, i, to, fold(strings.TrimSuffix(inner, ")")))
			i = to
		case c == '"':
			to, text, ok := quotedEnd(s, i)
			if !ok { // a quote that never closes is an ordinary character
				to, text = i+1, `"`
			}
			add(quoted, i, to, fold(text))
			i = to
		default:
			to := i
			for to < len(s) && !isSpace(s[to]) && !strings.ContainsRune(`;=("`, rune(s[to])) {
				to++
			}
			add(word, i, to, s[i:to])
			i = to
		}
	}
	return out
}

// text returns the value of f. Exchange Online encodes the whole value as RFC
// 2047 words where the client's name is not ASCII.
func text(f eml.Field) eml.Mapped {
	raw := f.Raw()
	raw = raw[:min(len(raw), maxBytes)]
	if strings.HasPrefix(strings.TrimLeft(raw, " \t\r\n"), "=?") {
		m := f.Text()
		return m.Slice(0, maxBytes)
	}
	return eml.Identity(raw, f.ValueSpan().Offset)
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func quotedEnd(s string, i int) (end int, text string, ok bool) {
	var b strings.Builder
	for j := i + 1; j < len(s) && j < i+maxQuoted; j++ {
		switch s[j] {
		case '\\':
			if j++; j < len(s) {
				b.WriteByte(s[j])
			}
		case '"':
			return j + 1, b.String(), true
		default:
			b.WriteByte(s[j])
		}
	}
	return 0, "", false
}

// maxQuoted bounds the search for a closing quote, so that a field of opening
// quotes is not read again and again to its end.
const maxQuoted = 1024

// fold makes one line of s, runs of white space as one space.
func fold(s string) string { return strings.Join(strings.Fields(s), " ") }

// join makes one value of tokens that stand without space between them.
func join(ts []token) Value {
	v := ts[0].Value
	if len(ts) == 1 {
		return v
	}
	var b strings.Builder
	for _, t := range ts {
		b.WriteString(t.Text)
	}
	v.Text = b.String()
	v.Span.Length = ts[len(ts)-1].Span.End() - v.Span.Offset
	return v
}
