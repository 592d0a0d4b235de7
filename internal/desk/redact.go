package desk

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/org"
)

// Redact replaces in v what tells who the organisation and its people are, so
// that the verdict can be shown to others: names and addresses of recipients
// and of the organisation's people, its name, its domains and its tenant ID.
// What tells who the attacker is stays. Replacements are the same throughout
// one verdict.
func Redact(v *Verdict, facts *org.Facts) {
	var r redaction
	if facts != nil {
		for i, p := range facts.People.Value() {
			r.replace(p.Address, fmt.Sprintf("person-%d@organisation.example", i+1))
			r.replace(p.DisplayName, fmt.Sprintf("Person %d", i+1))
		}
		r.replace(facts.Name.Value(), "Organisation")
		r.replace(facts.TenantID.Value(), "00000000-0000-0000-0000-000000000000")
		for _, c := range facts.Contacts.Value() {
			r.replace(c.Mail, "contact@organisation.example")
			r.replace(c.Name, "Contact")
		}
		for _, c := range facts.Connectors.Value() {
			r.networks(c.IPs, "connector-address")
		}
		r.networks(facts.Gateways.Value(), "gateway-address")
	}
	for i, m := range v.To {
		r.replace(m.Address, fmt.Sprintf("recipient-%d@organisation.example", i+1))
		if len([]rune(m.Name)) > 2 {
			r.replace(m.Name, fmt.Sprintf("Recipient %d", i+1))
		}
	}
	var domains []string
	if v.Organisation != nil {
		domains = v.Organisation.Domains
	}
	if facts != nil {
		domains = slices.Concat(domains, facts.Domains.Value())
	}
	for _, d := range domains {
		r.replace(d, "organisation.example")
		if tenant, ok := strings.CutSuffix(d, ".onmicrosoft.com"); ok {
			r.replace(tenant, "organisation")
		}
		r.replace(strings.ReplaceAll(d, ".", "-")+".mail.protection", "organisation-example.mail.protection")
	}
	r.apply(v)
	if v.Organisation != nil {
		v.Organisation.Confirm = "" // it would confirm a domain that is none
	}
}

type redaction struct {
	pairs [][2]string // what to replace, and by what
}

func (r *redaction) replace(from, to string) {
	if len(from) < 3 {
		return
	}
	r.pairs = append(r.pairs, [2]string{from, to})
	if !strings.Contains(from, "@") {
		return
	}
	// Lures carry the address of their victim in the link.
	r.pairs = append(r.pairs, [2]string{strings.Replace(from, "@", "%40", 1), strings.Replace(to, "@", "%40", 1)})
	whole := from[:len(from)/3*3] // what base64 writes alike whatever follows
	r.pairs = append(r.pairs, [2]string{base64.StdEncoding.EncodeToString([]byte(whole)), base64.RawStdEncoding.EncodeToString([]byte(to))})
}

func (r *redaction) networks(list []netip.Prefix, name string) {
	for _, p := range list {
		if p.IsSingleIP() {
			r.replace(p.Addr().String(), name)
		}
	}
}

func (r *redaction) apply(v *Verdict) {
	// The longest first: an address before the domain in it.
	slices.SortStableFunc(r.pairs, func(a, b [2]string) int { return cmp.Compare(len(b[0]), len(a[0])) })
	walkStrings(reflect.ValueOf(v).Elem(), func(s string) string {
		s = decodeWords(s)
		for _, p := range r.pairs {
			s = replaceFold(s, p[0], p[1])
		}
		return s
	})
}

// decodeWords decodes the encoded words (RFC 2047) of a quoted field, in which
// a name would not be recognised.
func decodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return s
	}
	return eml.Parse([]byte("X: "+strings.Join(strings.Fields(s), " ")+"\r\n\r\n"), nil).Header().Text("X")
}

// replaceFold replaces every occurrence of from in s, in any case of ASCII
// letters.
func replaceFold(s, from, to string) string {
	lower, want := asciiLower(s), asciiLower(from)
	if !strings.Contains(lower, want) {
		return s
	}
	var b strings.Builder
	for {
		i := strings.Index(lower, want)
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		b.WriteString(to)
		s, lower = s[i+len(want):], lower[i+len(want):]
	}
}

// asciiLower keeps the length of s, unlike strings.ToLower.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// walkStrings replaces every string reachable from v that is no name of the
// program's own.
func walkStrings(v reflect.Value, f func(string) string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			walkStrings(v.Elem(), f)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			if field.CanSet() {
				walkStrings(field, f)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			walkStrings(v.Index(i), f)
		}
	case reflect.String:
		if v.CanSet() && v.Type() == reflect.TypeFor[string]() {
			v.SetString(f(v.String()))
		}
	}
}
