// Package authres reads what receiving servers wrote about the authentication
// of a message: Authentication-Results (RFC 8601), ARC-Authentication-Results
// (RFC 8617 section 4.1.1) and Received-SPF (RFC 7208 section 9.1).
//
// It also reads what Exchange Online writes, which RFC 8601 does not allow: no
// authserv-id, the recipient's domain as a word of its own between two
// results, missing spaces after semicolons, properties without a type
// ("action=none") and the method "compauth". See
// https://learn.microsoft.com/defender-office-365/message-headers-eop-mdo.
//
// The package reads words and believes nothing. Anybody can write such a
// field; whether one counts is for the caller to decide, from where it stands.
package authres

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/eml"
)

// ErrSyntax means that a field holds nothing that reads as a result.
var ErrSyntax = errors.New("authres: no result")

// Bounds on what is read of one field. Fields of honest servers stay far below.
const (
	maxBytes      = 64 << 10
	maxResults    = 100
	maxProperties = 50 // of one result
	maxComments   = 20 // of one result
	maxTokens     = 20 // words between results
)

// Methods that sekisho knows by name (RFC 8601 section 2.7, RFC 8617, and
// Microsoft's composite authentication).
const (
	SPF      = "spf"
	DKIM     = "dkim"
	DMARC    = "dmarc"
	ARC      = "arc"
	CompAuth = "compauth"
)

// Value is a word of the field and where it stands.
type Value struct {
	Text string   // without quotes, folding as one space
	Span eml.Span // in the raw message, quotes included
}

// Property is what a result was found for: "smtp.mailfrom=a.example".
type Property struct {
	Type  string // smtp, header, body, policy; empty where the writer gives none
	Name  string // lower case
	Value Value
	Span  eml.Span // the whole "type.name=value"
}

// Result is the outcome of one method.
type Result struct {
	Method   string // lower case
	Value    Value  // pass, fail, ...: lower case
	Reason   Value  // the reason of RFC 8601, or the code of compauth
	Comments []Value
	Props    []Property
	Span     eml.Span // from the method to the last word that belongs to it
}

// Prop returns the value of a property by its full name, such as "header.d" or
// "action", and whether it is there. The first one counts.
func (r Result) Prop(name string) (Value, bool) {
	ptype, pname, typed := strings.Cut(name, ".")
	if !typed {
		ptype, pname = "", name
	}
	for _, p := range r.Props {
		if p.Type == ptype && p.Name == pname {
			return p.Value, true
		}
	}
	return Value{}, false
}

// Field is one Authentication-Results or ARC-Authentication-Results field.
type Field struct {
	ServID   string // authserv-id, lower case; empty where there is none
	Instance int    // i= of ARC-Authentication-Results, otherwise 0
	None     bool   // says that nothing was authenticated
	Results  []Result
	Tokens   []Value // words between results, such as the recipient's domain
	Source   eml.Field
}

// All returns the results of one method.
func (f Field) All(method string) []Result {
	var out []Result
	for _, r := range f.Results {
		if r.Method == method {
			out = append(out, r)
		}
	}
	return out
}

// SenderIP returns the address that Exchange Online names in the comment of
// its SPF result, "(sender IP is 192.0.2.1)", and where it stands.
func (r Result) SenderIP() (netip.Addr, eml.Span, bool) {
	const prefix = "sender ip is "
	for _, c := range r.Comments {
		if len(c.Text) <= len(prefix) || !strings.EqualFold(c.Text[:len(prefix)], prefix) {
			continue
		}
		ip, err := netip.ParseAddr(strings.TrimSpace(c.Text[len(prefix):]))
		if err == nil {
			return ip.Unmap().WithZone(""), c.Span, true
		}
	}
	return netip.Addr{}, eml.Span{}, false
}

// Parse reads an Authentication-Results or ARC-Authentication-Results field.
// It puts up with everything that can be read in one way only; the error is
// [ErrSyntax] where nothing can.
func Parse(f eml.Field) (Field, error) {
	out := Field{Source: f}
	s := scan(f)
	var cur *Result
	segment, words := 0, 0 // segments are what semicolons part
	for i := 0; i < len(s); {
		t := s[i]
		switch t.kind {
		case semicolon:
			segment++
			words, cur = 0, nil
			i++
		case comment:
			if cur != nil && len(cur.Comments) < maxComments {
				cur.Comments = append(cur.Comments, t.Value)
				cur.Span.Length = t.Span.End() - cur.Span.Offset
			}
			i++
		default:
			if i+2 < len(s) && s[i+1].kind == equals && isWord(s[i+2].kind) {
				end := pairEnd(s, i)
				cur = out.pair(cur, words == 0, t, s[i+2:end])
				words++
				i = end
				continue
			}
			if t.kind == word {
				out.token(t, segment, words)
				words++
			}
			i++
		}
	}
	if len(out.Results) == 0 && !out.None {
		return out, ErrSyntax
	}
	return out, nil
}

// pairEnd returns the end of the value of the pair that starts at i. A value
// may hold more equals signs, as SRS addresses and base64 do.
func pairEnd(s []token, i int) int {
	end := i + 3
	for end < len(s) && (s[end].kind == equals || isWord(s[end].kind)) && s[end].glued {
		end++
	}
	return end
}

// pair takes "key=value" and returns the result that what follows belongs to.
func (f *Field) pair(cur *Result, first bool, key token, val []token) *Result {
	value := join(val)
	span := eml.Span{Offset: key.Span.Offset, Length: value.Span.End() - key.Span.Offset}
	name := strings.ToLower(key.Text)
	if name == "i" && first && len(f.Results) == 0 && f.Instance == 0 {
		f.Instance = atoi(value.Text)
		return nil
	}
	method, _, _ := strings.Cut(name, "/") // "dkim/1"
	// A result may begin without the semicolon that should part it from the
	// one before.
	if isMethod(method) && (cur == nil || first || known(method)) {
		if len(f.Results) >= maxResults {
			return nil
		}
		value.Text = strings.ToLower(value.Text)
		f.Results = append(f.Results, Result{Method: method, Value: value, Span: span})
		return &f.Results[len(f.Results)-1]
	}
	if cur == nil {
		return nil
	}
	cur.Span.Length = value.Span.End() - cur.Span.Offset
	if name == "reason" && cur.Reason.Text == "" {
		cur.Reason = value
		return cur
	}
	if len(cur.Props) >= maxProperties {
		return cur
	}
	ptype, pname, typed := strings.Cut(name, ".")
	if !typed {
		ptype, pname = "", name
	}
	cur.Props = append(cur.Props, Property{Type: ptype, Name: pname, Value: value, Span: span})
	return cur
}

// token takes a word that is no pair: the authserv-id, its version, "none", or
// what Exchange Online strews in between.
func (f *Field) token(t token, segment, words int) {
	switch {
	case strings.EqualFold(t.Text, "none"):
		f.None = true
	case words == 0 && f.ServID == "" && len(f.Results) == 0:
		f.ServID = strings.ToLower(t.Text)
	case words == 1 && len(f.Results) == 0 && atoi(t.Text) > 0:
		// The version of the format (RFC 8601 section 2.2), always 1.
	case len(f.Tokens) < maxTokens:
		f.Tokens = append(f.Tokens, t.Value)
	}
}

// known reports whether a method may begin a result in the middle of a
// segment: for others it is not certain that they are no property.
func known(method string) bool {
	return slices.Contains([]string{SPF, DKIM, DMARC, ARC, CompAuth}, method)
}

// isMethod reports whether name can be a method: a keyword, which has no dot.
func isMethod(name string) bool {
	if name == "" || name == "reason" || name == "action" {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// atoi reads a small positive number, 0 for anything else.
func atoi(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || n > 9999 {
			return 0
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}
