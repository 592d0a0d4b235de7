package authres

import (
	"net/netip"
	"strings"

	"github.com/sekisho/sekisho/eml"
)

// ReceivedSPF is one Received-SPF field (RFC 7208 section 9.1).
type ReceivedSPF struct {
	Result   Value  // pass, fail, ...: lower case
	Comment  Value  // the explanation in parentheses
	Checker  string // who checked, as the comment begins: "protection.outlook.com"
	Domain   string // the domain that was checked, lower case, as the comment or the pairs say
	ClientIP netip.Addr
	Helo     string
	Receiver string
	Pairs    []Property // all key-value pairs; Type is empty
	IPSpan   eml.Span   // where ClientIP stands
	Source   eml.Field
}

// ParseReceivedSPF reads a Received-SPF field. The error is [ErrSyntax] where
// it does not begin with a word.
func ParseReceivedSPF(f eml.Field) (ReceivedSPF, error) {
	out := ReceivedSPF{Source: f}
	s := scan(f)
	if len(s) == 0 || s[0].kind != word {
		return out, ErrSyntax
	}
	out.Result = s[0].Value
	out.Result.Text = strings.ToLower(out.Result.Text)
	var explained bool
	for i := 1; i < len(s); {
		t := s[i]
		if t.kind == comment && !explained {
			explained = true
			out.Comment = t.Value
			out.explain(t.Text)
		}
		if isWord(t.kind) && i+2 < len(s) && s[i+1].kind == equals && isWord(s[i+2].kind) {
			end := pairEnd(s, i)
			out.pair(t, join(s[i+2:end]))
			i = end
			continue
		}
		i++
	}
	return out, nil
}

// explain takes what Exchange Online and others say in the comment: "checker:
// domain of a.example designates 192.0.2.1 as permitted sender".
func (r *ReceivedSPF) explain(text string) {
	if checker, rest, ok := strings.Cut(text, ": "); ok && !strings.Contains(checker, " ") {
		r.Checker, text = strings.ToLower(checker), rest
	}
	words := strings.Fields(text)
	switch {
	case len(words) > 2 && words[0] == "domain" && words[1] == "of":
		words = words[2:]
		if words[0] == "transitioning" && len(words) > 1 {
			words = words[1:]
		}
		r.Domain = domainOf(words[0])
	case len(words) > 3 && words[1] == "does" && words[2] == "not":
		r.Domain = domainOf(words[0])
	}
}

func (r *ReceivedSPF) pair(key token, v Value) {
	name := strings.ToLower(key.Text)
	if len(r.Pairs) < maxProperties {
		span := eml.Span{Offset: key.Span.Offset, Length: v.Span.End() - key.Span.Offset}
		r.Pairs = append(r.Pairs, Property{Name: name, Value: v, Span: span})
	}
	switch name {
	case "client-ip":
		if ip, err := netip.ParseAddr(v.Text); err == nil && !r.ClientIP.IsValid() {
			r.ClientIP, r.IPSpan = ip.Unmap().WithZone(""), v.Span
		}
	case "helo":
		if r.Helo == "" {
			r.Helo = v.Text
		}
	case "receiver":
		if r.Receiver == "" {
			r.Receiver = strings.ToLower(v.Text)
		}
	case "envelope-from", "mailfrom":
		if r.Domain == "" {
			r.Domain = domainOf(strings.Trim(v.Text, "<>"))
		}
	}
}

// domainOf returns the domain of an address, or the word itself.
func domainOf(s string) string {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = s[i+1:]
	}
	return strings.TrimRight(strings.ToLower(s), ".:;,")
}
