package eml

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// maxAddresses bounds the mailboxes read of one field.
const maxAddresses = 10_000

// Address is one mailbox of an address field (RFC 5322 section 3.4).
type Address struct {
	Name     string // display name, decoded; empty where there is none
	Local    string // left of the last "@", as written
	Domain   string // right of it in lower case, as written otherwise
	Span     Span   // the whole mailbox in the raw message
	NameSpan Span   // its display name
}

// Addr returns local@domain, empty where the mailbox has no address.
func (a Address) Addr() string {
	if a.Local == "" && a.Domain == "" {
		return ""
	}
	if a.Domain == "" {
		return a.Local
	}
	return a.Local + "@" + a.Domain
}

// Equal reports whether both are the same mailbox: local parts and domains are
// compared without regard to case, as Exchange Online does.
func (a Address) Equal(b Address) bool {
	return a.Domain != "" && strings.EqualFold(a.Local, b.Local) && strings.EqualFold(a.Domain, b.Domain)
}

// String returns the mailbox as a person reads it.
func (a Address) String() string {
	if a.Name == "" {
		return a.Addr()
	}
	return a.Name + " <" + a.Addr() + ">"
}

// Addresses reads the value as an address list, groups included. It puts up
// with what senders write: unquoted commas and at signs in names, missing
// angle brackets, encoded words inside quotes. Of several angle addresses in
// one entry the last counts, and what stands before it is its name. An entry
// without any address, as in "undisclosed-recipients:;", is left out, unless
// it is all there is to the field: then it is an Address with a name alone.
func (f Field) Addresses() []Address {
	u := f.unfolded()
	toks := lex(u.Text)
	var out []Address
	nameless := -1 // the last entry without an address starts at that token
	namelessEnd := 0
	pending := -1 // such an entry that a comma ended: read as part of the next name
	first := 0    // token that the entry starts with
	at := false
	for i := 0; i <= len(toks); i++ {
		var sep byte
		if i < len(toks) {
			t := toks[i]
			switch t.kind {
			case tokenAngle:
				at = true
				continue
			case tokenText:
				at = at || strings.IndexByte(u.Text[t.from:t.to], '@') >= 0
				continue
			case tokenSeparator:
				sep = u.Text[t.from]
				if sep == ':' && at { // ends the name of a group (RFC 5322 section 3.4) only before an address
					continue
				}
			default:
				continue
			}
		}
		switch a, ok := mailbox(u, toks[first:i]); {
		case ok:
			if pending >= 0 {
				a, _ = mailbox(u, toks[pending:i])
			}
			out = append(out, a)
			pending = -1
		case empty(u.Text, toks[first:i]):
		default:
			if pending < 0 {
				nameless = first
			}
			namelessEnd = i
			if sep != ',' {
				pending = -1
			} else if pending < 0 {
				pending = first
			}
		}
		if len(out) == maxAddresses {
			break
		}
		first, at = i+1, false
	}
	if len(out) == 0 && nameless >= 0 {
		name := u.Slice(toks[nameless].from, toks[namelessEnd-1].to).TrimSpace()
		s := name.Span(0, len(name.Text))
		out = append(out, Address{Name: phrase(name), Span: s, NameSpan: s})
	}
	return out
}

func empty(s string, toks []token) bool {
	return len(toks) == 0 || strings.TrimSpace(s[toks[0].from:toks[len(toks)-1].to]) == ""
}

type tokenKind byte

const (
	tokenText      tokenKind = iota // ordinary characters
	tokenQuoted                     // a quoted string
	tokenComment                    // a comment in parentheses
	tokenAngle                      // what stands in angle brackets
	tokenWord                       // an encoded word
	tokenSeparator                  // one of , ; :
)

type token struct {
	kind     tokenKind
	from, to int
}

// lex takes a structured field body apart (RFC 5322 section 3.2). A quote,
// parenthesis or angle bracket that never closes is an ordinary character. It
// takes time linear in s: what looks ahead in vain either looks no further
// than maxWord or is not tried again.
func lex(s string) []token {
	out := make([]token, 0, 4)
	words := wordScanner{s: s}
	text := 0
	shifted := true // an ISO-2022-JP escape may still find its end
	for i := 0; i < len(s); {
		kind, end := tokenText, i+1
		switch c := s[i]; c {
		case '"':
			if end = quotedEnd(s, i); end > i+1 {
				kind = tokenQuoted
			}
		case '(':
			if end = commentEnd(s, i); end > i+1 {
				kind = tokenComment
			}
		case '<':
			if end = angleEnd(s, i); end > i+1 || i+1 == len(s) {
				kind = tokenAngle
			}
		case '=':
			if w, ok := words.at(i); ok {
				kind, end = tokenWord, w.end
			}
		case ',', ';', ':':
			kind = tokenSeparator
		case '\\':
			if i+1 < len(s) && strings.IndexByte(`"(\`, s[i+1]) >= 0 && escapes(s, i) {
				end = i + 2
			}
		case 0x1b:
			// Raw ISO-2022-JP: its letters are bytes such as "<" and the
			// escape back to ASCII has a parenthesis.
			if strings.HasPrefix(s[i:], "\x1b$") && shifted {
				if j := strings.Index(s[i:], "\x1b("); j >= 0 {
					end = min(i+j+3, len(s))
				} else {
					shifted = false
				}
			} else if strings.HasPrefix(s[i:], "\x1b(") {
				end = min(i+3, len(s))
			}
		}
		if kind != tokenText {
			if text < i {
				out = append(out, token{tokenText, text, i})
			}
			out = append(out, token{kind, i, end})
			text = end
		}
		i = end
	}
	if text < len(s) {
		out = append(out, token{tokenText, text, len(s)})
	}
	return out
}

// escapes reports whether the backslash at i quotes the character after it. In
// raw Shift_JIS it is the second byte of letters such as U+8868.
func escapes(s string, i int) bool {
	if i == 0 || s[i-1] < 0x80 {
		return true
	}
	r, _ := utf8.DecodeLastRuneInString(s[max(0, i-utf8.UTFMax):i])
	return r != utf8.RuneError
}

// quotedEnd returns the offset after the quoted string that starts at i, i+1
// if it does not close.
func quotedEnd(s string, i int) int {
	limit := min(len(s), i+maxWord)
	for j := i + 1; j < limit; j++ {
		switch s[j] {
		case '\\':
			if escapes(s, j) {
				j++
			}
		case '"':
			return j + 1
		}
	}
	return i + 1
}

// maxComments bounds how deep comments may nest in each other.
const maxComments = 8

func commentEnd(s string, i int) int {
	limit := min(len(s), i+maxWord)
	depth := 0
	for j := i; j < limit; j++ {
		switch s[j] {
		case '\\':
			if escapes(s, j) {
				j++
			}
		case '(':
			if depth++; depth > maxComments {
				return i + 1
			}
		case ')':
			if depth--; depth == 0 {
				return j + 1
			}
		}
	}
	return i + 1
}

// angleEnd returns the offset after the angle address that starts at i: after
// the closing bracket, or where the next mailbox starts or the text ends.
func angleEnd(s string, i int) int {
	limit := min(len(s), i+maxWord)
	at := false
	for j := i + 1; j < limit; j++ {
		switch s[j] {
		case '"':
			j = quotedEnd(s, j) - 1 // a quoted local part may hold anything
		case '@':
			at = true
		case ',', ';':
			if at && s[i+1] != '@' { // the bracket is missing; in a source route it is not
				return j
			}
		case '>':
			return j + 1
		case '<':
			return j
		}
	}
	if limit == len(s) {
		return limit
	}
	return i + 1
}

// mailbox reads the entry that toks make up and reports whether it has an
// address.
func mailbox(u Mapped, toks []token) (Address, bool) {
	if len(toks) == 0 {
		return Address{}, false
	}
	s := u.Text
	lo, hi := toks[0].from, toks[len(toks)-1].to
	for lo < hi && isSpace(s[lo]) {
		lo++
	}
	for hi > lo && isSpace(s[hi-1]) {
		hi--
	}
	if lo == hi {
		return Address{}, false
	}
	a := Address{Span: u.Span(lo, hi-lo)}
	var comment Mapped
	at := -1
	for k, t := range slices.Backward(toks) {
		switch t.kind {
		case tokenComment:
			if comment.Text == "" {
				comment = u.Slice(t.from+1, t.to-1)
			}
		case tokenText:
			if j := strings.LastIndexByte(s[t.from:t.to], '@'); j >= 0 && at < 0 {
				at = t.from + j
			}
		case tokenAngle:
			// The last angle address that holds anything counts: what stands
			// before it is shown as a name.
			a.setAddr(strings.TrimSuffix(s[t.from+1:t.to], ">"))
			if a.Local == "" && a.Domain == "" {
				continue
			}
			a.setName(u, lo, t.from, comment, toks[:k])
			return a, true
		default: // words and quotes are no address by themselves
		}
	}
	if at < 0 {
		return Address{}, false
	}
	// Without angle brackets: the word that holds the at sign.
	from, to := at, at+1
	if q := at - 1; q > lo && s[q] == '"' { // "quoted local"@domain
		from = lo + max(0, strings.LastIndexByte(s[lo:q], '"'))
	} else {
		for from > lo && strings.IndexByte(" \t(\"<>,;", s[from-1]) < 0 {
			from--
		}
	}
	for to < hi && strings.IndexByte(" \t()\"<>,;", s[to]) < 0 {
		to++
	}
	a.setAddr(s[from:to])
	a.setName(u, lo, from, comment, nil)
	return a, a.Local != "" || a.Domain != ""
}

// setName takes the name from what stands before the address, else from a
// comment (RFC 5322 section 3.4, the oldest way to write it).
func (a *Address) setName(u Mapped, lo, hi int, comment Mapped, before []token) {
	name := u.Slice(lo, hi).TrimSpace()
	a.Name, a.NameSpan = phrase(name), name.Span(0, len(name.Text))
	if a.Name != "" {
		return
	}
	for k := len(before) - 1; k >= 0 && comment.Text == ""; k-- {
		if t := before[k]; t.kind == tokenComment {
			comment = u.Slice(t.from+1, t.to-1)
		}
	}
	if comment.Text != "" {
		a.Name, a.NameSpan = phrase(comment), comment.Span(0, len(comment.Text))
	}
}

func (a *Address) setAddr(s string) {
	s = strings.Trim(s, " \t")
	if len(s) > 1 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		s = strings.Trim(s[1:len(s)-1], " \t")
	}
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	if i := strings.LastIndexByte(s, ':'); i >= 0 && s[0] == '@' {
		s = s[i+1:] // RFC 5322 section 4.4: obsolete source route
	}
	if i := strings.IndexByte(s, '('); i >= 0 && strings.IndexByte(s, '"') < 0 {
		if end := commentEnd(s, i); end > i+1 {
			s = s[:i] + s[end:]
		}
	}
	if !utf8.ValidString(s) || strings.IndexByte(s, 0x1b) >= 0 {
		s, _ = decodeCharset("", []byte(s))
	}
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		a.Local = strings.TrimSpace(s)
		return
	}
	a.Local = strings.TrimSpace(s[:i])
	d := strings.ToLower(strings.TrimRight(strings.TrimSpace(s[i+1:]), ".;,'\""))
	if strings.ContainsAny(d, " \t") { // RFC 5322 section 4.4: around its dots
		d = strings.Join(strings.Fields(d), "")
	}
	a.Domain = d
}

// phrase decodes a display name: quotes and comments removed, encoded words
// and raw 8-bit text decoded, white space folded.
func phrase(m Mapped) string {
	s := m.Text
	if isASCII(s) && !strings.Contains(s, "=?") && strings.IndexByte(s, '(') < 0 {
		if strings.IndexByte(s, '"') < 0 {
			return foldSpace(s)
		}
		if q := strings.LastIndexByte(s, '"'); q > 0 && strings.IndexByte(s[1:], '"')+1 == q && s[0] == '"' && q == len(s)-1 && strings.IndexByte(s, '\\') < 0 {
			return foldSpace(s[1 : len(s)-1])
		}
	}
	var b MapBuilder
	for _, t := range lex(s) {
		switch {
		case t.kind == tokenQuoted:
			from := t.from + 1
			for j := from; j < t.to-1; j++ {
				if s[j] == '\\' && j+1 < t.to-1 && escapes(s, j) {
					b.Append(m.Slice(from, j))
					j++
					from = j
				}
			}
			b.Append(m.Slice(from, t.to-1))
		case t.kind == tokenComment && strings.TrimSpace(b.text.String()) != "":
		default:
			b.Append(m.Slice(t.from, t.to))
		}
	}
	return foldSpace(decodeWords(b.Mapped()).Text)
}

// foldSpace trims s and makes one space of every run of white space. Wide
// spaces such as U+3000 are part of a name.
func foldSpace(s string) string {
	s = strings.Trim(s, " \t\r\n")
	if !strings.ContainsAny(s, "\t\r\n") && !strings.Contains(s, "  ") {
		return s
	}
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }), " ")
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
