//go:build compare

package spf_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	blitiri "blitiri.com.ar/go/spf"

	"github.com/sekisho/sekisho/mailauth/spf"
	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

// zoneResolver lets the other library ask the same zone.
type zoneResolver struct{ z *zone.Zone }

func (r zoneResolver) ask(ctx context.Context, name string, t resolve.Type) (resolve.Answer, error) {
	a, err := r.z.Lookup(ctx, name, t)
	if err == nil && a.Void() {
		err = &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return a, err
}

func (r zoneResolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	a, err := r.ask(ctx, name, resolve.TypeTXT)
	return a.Texts(), err
}

func (r zoneResolver) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	a, err := r.ask(ctx, name, resolve.TypeMX)
	var out []*net.MX
	for _, m := range a.Records {
		out = append(out, &net.MX{Host: m.Host, Pref: m.Pref})
	}
	return out, err
}

func (r zoneResolver) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	a, err := r.ask(ctx, host, resolve.TypeA)
	var out []net.IPAddr
	for _, ip := range a.Addrs() {
		out = append(out, net.IPAddr{IP: ip.AsSlice()})
	}
	return out, err
}

func (r zoneResolver) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	ip, err := netip.ParseAddr(strings.TrimSuffix(addr, "."))
	if err != nil {
		return nil, err
	}
	a, err := r.ask(ctx, resolve.Reverse(ip), resolve.TypePTR)
	return a.Hosts(), err
}

func BenchmarkCompare(b *testing.B) {
	z, err := zone.ParseString(`
$ORIGIN example.
kiso      TXT "v=spf1 a mx include:_spf.mail.example include:_spf.news.example ip4:203.0.113.0/28 -all"
kiso      A   203.0.113.80
kiso      MX  10 mx.kiso
mx.kiso   A   203.0.113.90
_spf.mail TXT "v=spf1 ip4:198.51.100.0/26 ip4:198.51.100.64/26 ip6:2001:db8:100::/40 ip6:2001:db8:200::/40 include:_spfa.mail.example -all"
_spfa.mail TXT "v=spf1 ip4:198.51.100.128/26 ip6:2001:db8:300::/40 -all"
_spf.news TXT "v=spf1 ip4:192.0.2.0/25 exists:%{i}._ip.%{h}._ehlo.%{d}._spf.news.example ip4:192.0.2.128/26 ~all"
`)
	if err != nil {
		b.Fatal(err)
	}
	for _, ip := range []string{"192.0.2.150", "203.0.113.80", "192.0.2.250"} {
		want := spf.Check(b.Context(), z, spf.Input{IP: netip.MustParseAddr(ip), MailFrom: "tanaka@kiso.example", Helo: "out.mail.example"}, nil).Status
		for _, bc := range []struct {
			name string
			opts *spf.Options
		}{{"Trace", nil}, {"NoTrace", &spf.Options{NoTrace: true}}} {
			b.Run("Sekisho"+bc.name+"/"+ip, func(b *testing.B) {
				in := spf.Input{IP: netip.MustParseAddr(ip), MailFrom: "tanaka@kiso.example", Helo: "out.mail.example"}
				b.ReportAllocs()
				for b.Loop() {
					spf.Check(b.Context(), z, in, bc.opts)
				}
			})
		}
		b.Run("Blitiri/"+ip, func(b *testing.B) {
			r := zoneResolver{z}
			b.ReportAllocs()
			for b.Loop() {
				res, err := blitiri.CheckHostWithSender(net.ParseIP(ip), "out.mail.example", "tanaka@kiso.example", blitiri.WithResolver(r))
				if string(res) != string(want) {
					b.Fatal(res, err)
				}
			}
		})
	}
}
