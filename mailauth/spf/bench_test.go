package spf_test

import (
	"net/netip"
	"testing"

	"github.com/sekisho/sekisho/mailauth/spf"
)

// BenchmarkCheck evaluates records of the shape that a tenant of a mail service
// has, with DNS in memory: 3 includes, 6 of 10 lookups, matched at the end.
func BenchmarkCheck(b *testing.B) {
	z := mustZone(b, `
$ORIGIN example.
kiso      TXT "v=spf1 a mx include:_spf.mail.example include:_spf.news.example ip4:203.0.113.0/28 -all"
kiso      A   203.0.113.80
kiso      MX  10 mx.kiso
mx.kiso   A   203.0.113.90
_spf.mail TXT "v=spf1 ip4:198.51.100.0/26 ip4:198.51.100.64/26 ip6:2001:db8:100::/40 ip6:2001:db8:200::/40 include:_spfa.mail.example -all"
_spfa.mail TXT "v=spf1 ip4:198.51.100.128/26 ip6:2001:db8:300::/40 -all"
_spf.news TXT "v=spf1 ip4:192.0.2.0/25 exists:%{i}._ip.%{h}._ehlo.%{d}._spf.news.example ip4:192.0.2.128/26 ~all"
`)
	for _, bc := range []struct {
		name string
		ip   string
		opts *spf.Options
		want spf.Status
	}{
		{"Trace", "192.0.2.150", nil, spf.StatusPass},
		{"NoTrace", "192.0.2.150", &spf.Options{NoTrace: true}, spf.StatusPass},
		{"FirstMatch", "203.0.113.80", nil, spf.StatusPass},
	} {
		b.Run(bc.name, func(b *testing.B) {
			in := spf.Input{IP: netip.MustParseAddr(bc.ip), MailFrom: "tanaka@kiso.example", Helo: "out.mail.example"}
			b.ReportAllocs()
			for b.Loop() {
				if r := spf.Check(b.Context(), z, in, bc.opts); r.Status != bc.want {
					b.Fatalf("%s: %+v", r.Status, r.Problem)
				}
			}
		})
	}
}

func BenchmarkParseRecord(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := spf.ParseRecord("v=spf1 a mx include:_spf.mail.example include:_spf.news.example ip4:203.0.113.0/28 ip6:2001:db8::/32 -all"); err != nil {
			b.Fatal(err)
		}
	}
}
