package posture

import (
	"context"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/mailauth/spf"
	"github.com/sekisho/sekisho/resolve"
)

// Overlay returns a resolver that answers as next would if the records that
// over holds were published. A TXT record takes the place of those of its kind,
// such as SPF, and leaves other records of the name alone; records of another
// type take the place of all of that type.
func Overlay(next, over resolve.Resolver) resolve.Resolver { return overlay{next, over} }

type overlay struct{ next, over resolve.Resolver }

// Lookup implements [resolve.Resolver].
func (o overlay) Lookup(ctx context.Context, name string, t resolve.Type) (resolve.Answer, error) {
	a, err := o.over.Lookup(ctx, name, t)
	if err != nil {
		return a, err
	}
	if len(a.Records) == 0 {
		b, err := o.next.Lookup(ctx, name, t)
		if err == nil && b.RCode == resolve.NXDomain && a.RCode == resolve.NoError && len(b.Chain) == 0 {
			b.RCode = resolve.NoError // the record makes the name exist
		}
		return b, err
	}
	if t != resolve.TypeTXT || len(a.Chain) > 0 {
		return a, nil
	}
	b, err := o.next.Lookup(ctx, name, t)
	if err != nil || len(b.Chain) > 0 {
		return a, err
	}
	kinds := map[string]bool{}
	for _, r := range a.Records {
		kinds[kindOf(r.Text)] = true
	}
	for _, r := range b.Records {
		if r.Type == resolve.TypeTXT && !kinds[kindOf(r.Text)] {
			a.Records = append(slices.Clip(a.Records), r)
		}
	}
	return a, nil
}

// kindOf returns the version that a TXT record begins with, lower case.
func kindOf(text string) string {
	if spf.IsRecord(text) || resemblesSPF(text) {
		return "spf1"
	}
	for _, v := range []string{"DMARC1", "DKIM1", "STSv1", "TLSRPTv1", "BIMI1"} {
		if hasVersion(text, v) {
			return v
		}
	}
	if t, _ := tags(text); len(t) > 0 && (t[0].name == "p" || t[0].name == "k") {
		return "DKIM1" // v= may be left out (RFC 6376 section 3.6.1)
	}
	return ""
}

// ZoneText turns what somebody wrote down into a zone file for a domain. Lines
// that are the value of a TXT record, with or without quotes, get the name at
// which such a record stands; a key gets the name of the selector. Everything
// else is taken for a line of a zone file. It reports false for a value whose
// place cannot be told.
func ZoneText(text string, d domain.Name, selector string) (string, bool) {
	var b strings.Builder
	b.WriteString("$ORIGIN " + string(d) + ".\n$TTL 3600\n")
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		value := strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		value = joinStrings(value)
		kind := kindOf(value)
		if kind == "" || strings.Contains(strings.ToUpper(value), " IN TXT ") {
			if hasVersion(value, "spf2") || strings.HasPrefix(value, "v=") {
				return "", false
			}
			b.WriteString(strings.TrimPrefix(line, "\ufeff") + "\n")
			continue
		}
		host := map[string]string{
			"spf1": "@", "DMARC1": "_dmarc", "STSv1": "_mta-sts", "TLSRPTv1": "_smtp._tls", "BIMI1": "default._bimi",
			"DKIM1": selector + "._domainkey",
		}[kind]
		if kind == "DKIM1" && selector == "" {
			return "", false
		}
		b.WriteString(host + " IN TXT " + quoteTXT(value) + "\n")
	}
	return b.String(), true
}

// joinStrings takes the quotes off strings, and joins several.
func joinStrings(s string) string {
	if !strings.HasPrefix(s, `"`) || !strings.HasSuffix(s, `"`) || len(s) < 2 {
		return s
	}
	var b strings.Builder
	in := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			in = !in
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case in:
			b.WriteByte(s[i])
		case s[i] != ' ' && s[i] != '\t':
			return s // no list of strings
		}
	}
	return b.String()
}

// quoteTXT writes a text as the data of a TXT record.
func quoteTXT(s string) string { return resolve.Record{Type: resolve.TypeTXT, Text: s}.Data() }
