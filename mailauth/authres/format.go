package authres

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrUnwritable means that a name which the caller chose, not a value from the
// message, cannot stand in the field.
var ErrUnwritable = errors.New("authres: cannot be written")

// Bounds on what is written, so that no line comes near the 998 octets of RFC
// 5322 section 2.1.1.
const (
	maxValue   = 400 // bytes of a value before quoting
	foldColumn = 78
)

// Stamp is a result to be written, the counterpart of [Result].
type Stamp struct {
	Method  string // a keyword: spf, dkim, dmarc, arc, ...
	Value   string // a keyword: pass, fail, ...
	Reason  string // the reason of RFC 8601; may be empty
	Comment string // for people; may be empty
	Props   []StampProp
}

// StampProp is a property to be written.
type StampProp struct {
	Type  string // smtp, header, body, policy
	Name  string // a keyword
	Value string // from the message; any bytes
}

// SPFStamp returns the result of SPF. mailFrom is the envelope sender, an
// address or a domain, and helo the name of HELO; what is empty is left out
// (RFC 8601 section 2.7.2).
func SPFStamp(value, mailFrom, helo string) Stamp {
	return Stamp{Method: SPF, Value: value, Props: present(StampProp{"smtp", "mailfrom", mailFrom}, StampProp{"smtp", "helo", helo})}
}

// DKIMStamp returns the result for one signature: d=, s= and a= as the signature
// writes them, and the start of b= that tells the signatures of a message apart;
// see [Fragments].
func DKIMStamp(value, domain, selector, algorithm, fragment string) Stamp {
	return Stamp{Method: DKIM, Value: value, Props: present(
		StampProp{"header", "d", domain}, StampProp{"header", "s", selector},
		StampProp{"header", "a", algorithm}, StampProp{"header", "b", fragment},
	)}
}

// DMARCStamp returns the result of DMARC for the author domain. policy is what
// is asked for in the case of this message, after subdomains and test mode were
// taken into account: none, quarantine or reject (RFC 7489 section 11.2).
func DMARCStamp(value, from, policy string) Stamp {
	return Stamp{Method: DMARC, Value: value, Props: present(StampProp{"header", "from", from}, StampProp{"policy", "dmarc", policy})}
}

// ARCStamp returns the result of an ARC chain. oldestPass is the number of RFC
// 8617 section 5.2, and remoteIP the client that delivered (section 10.2).
func ARCStamp(value, oldestPass, remoteIP string) Stamp {
	return Stamp{Method: ARC, Value: value, Props: present(StampProp{"header", "oldest-pass", oldestPass}, StampProp{"smtp", "remote-ip", remoteIP})}
}

func present(props ...StampProp) []StampProp {
	return slices.DeleteFunc(props, func(p StampProp) bool { return p.Value == "" })
}

// Fragments returns for each signature the start of b= that tells it from the
// others: eight characters, or as many as it takes (RFC 6008 section 4). White
// space in a signature does not count.
func Fragments(signatures []string) []string {
	const enough = 8
	out := make([]string, len(signatures))
	for i, s := range signatures {
		out[i] = strings.Join(strings.Fields(s[:min(len(s), 2*maxValue)]), "")
		out[i] = out[i][:min(len(out[i]), maxValue)]
	}
	// Sorted, a text shares its longest start with one of its neighbours.
	order := slices.Clone(out)
	slices.Sort(order)
	order = slices.Compact(order)
	for i, s := range out {
		at, _ := slices.BinarySearch(order, s)
		n := enough
		if at > 0 {
			n = max(n, common(order[at-1], s)+1)
		}
		if at+1 < len(order) {
			n = max(n, common(order[at+1], s)+1)
		}
		out[i] = s[:min(n, len(s))]
	}
	return out
}

// common returns the length of the start that two texts share.
func common(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// Format writes the value of an Authentication-Results field (RFC 8601 section
// 2.2), without its name, folded, and without a line end after it. No results
// are written as "none".
//
// Values come from the message, so an attacker wrote them: they are quoted where
// they are no token and no address. A reason, a comment or a property whose
// value holds a control character or bytes that are no UTF-8, or that is longer
// than 400 bytes, is left out, because nothing honest looks like that. Runs of
// spaces become one.
//
// The error is [ErrUnwritable] if authServID is no token, or a method, a result
// or the name of a property is no keyword: these are the caller's own words.
func Format(authServID string, stamps []Stamp) (string, error) {
	if !isToken(authServID) || len(authServID) > maxValue {
		return "", fmt.Errorf("the authserv-id %q: %w", authServID, ErrUnwritable)
	}
	w := fieldWriter{column: len("Authentication-Results: ")}
	w.word(authServID)
	if len(stamps) == 0 {
		w.separate()
		w.word("none")
	}
	for _, s := range stamps {
		if !isKeyword(s.Method) || !isKeyword(s.Value) {
			return "", fmt.Errorf("the result %q=%q: %w", s.Method, s.Value, ErrUnwritable)
		}
		w.separate()
		w.word(s.Method + "=" + s.Value)
		if c, ok := safe(s.Comment); ok && c != "" {
			w.word("(" + commentEscaper.Replace(c) + ")")
		}
		if r, ok := safe(s.Reason); ok && r != "" {
			w.word("reason=" + value(r))
		}
		for _, p := range s.Props {
			if !isKeyword(p.Type) || !isKeyword(p.Name) {
				return "", fmt.Errorf("the property %q.%q: %w", p.Type, p.Name, ErrUnwritable)
			}
			if v, ok := safe(p.Value); ok && v != "" {
				w.word(p.Type + "." + p.Name + "=" + value(v))
			}
		}
	}
	return w.b.String(), nil
}

// A parenthesis inside a comment could end it early for a reader that does not
// know of escapes.
var commentEscaper = strings.NewReplacer("(", "[", ")", "]", `\`, "/")

// fieldWriter writes words with a space or a fold between them. A fold stands
// between words only, never inside of one.
type fieldWriter struct {
	b      strings.Builder
	column int
	fresh  bool // the line begins with the next word
}

func (w *fieldWriter) word(s string) {
	if w.b.Len() > 0 {
		switch {
		case w.fresh || w.column+1+len(s) > foldColumn:
			w.b.WriteString("\r\n\t")
			w.column = 8
		default:
			w.b.WriteByte(' ')
			w.column++
		}
	}
	w.b.WriteString(s)
	w.column += len(s)
	w.fresh = false
}

// separate ends a result.
func (w *fieldWriter) separate() {
	w.b.WriteByte(';')
	w.fresh = true
}

// safe returns s with runs of spaces as one, and whether it may be written.
func safe(s string) (string, bool) {
	if len(s) > maxValue || !utf8.ValidString(s) {
		return "", false
	}
	for _, r := range s {
		// U+2028 and its like end a line for some readers.
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return "", false
		}
	}
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' }), " "), true
}

// value writes a value (RFC 8601 section 2.2, pvalue): as it is where it is a
// token or an address, else as a quoted string.
func value(s string) string {
	if isToken(s) {
		return s
	}
	if local, name, ok := strings.Cut(s, "@"); ok && (local == "" || isAtoms(local)) && isAtoms(name) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
	return b.String()
}

// isToken reports whether s is a token of RFC 2045 section 5.1.
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || strings.IndexByte(`()<>@,;:\"/[]?=`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// isAtoms reports whether s is a dot-atom (RFC 5322 section 3.2.3) that is also
// free of "=", which not every reader expects in an address.
func isAtoms(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if part == "" {
			return false
		}
		for i := range len(part) {
			c := part[i] | 0x20
			if (c < 'a' || c > 'z') && (part[i] < '0' || part[i] > '9') && strings.IndexByte("!#$%&'*+-/?^_`{|}~", part[i]) < 0 {
				return false
			}
		}
	}
	return true
}

// isKeyword reports whether s is a Keyword (RFC 5321 section 4.1.2) in lower
// case.
func isKeyword(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != "" && len(s) < 64 && s[len(s)-1] != '-'
}
