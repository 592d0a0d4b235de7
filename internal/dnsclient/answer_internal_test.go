package dnsclient

import (
	"testing"

	"github.com/miekg/dns"

	"github.com/sekisho/sekisho/resolve"
)

func TestIsLocal(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:53": true, "127.0.0.53:53": true, "[::1]:5353": true, "[::ffff:127.0.0.1]:53": true,
		"192.0.2.1:53": false, "[2001:db8::1]:53": false, "localhost:53": false, "": false,
	} {
		if got := isLocal(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}

// TestOnlyTrustedServersAuthenticate has a server of the system on another
// machine claim DNSSEC.
func TestOnlyTrustedServersAuthenticate(t *testing.T) {
	for _, tc := range []struct {
		name   string
		server server
		want   bool
	}{
		{"Chosen", server{address: "192.0.2.1:53", trusted: true}, true},
		{"NotChosen", server{address: "192.0.2.1:53"}, false},
	} {
		m := new(dns.Msg)
		m.AuthenticatedData = true
		f := follower{authentic: true}
		if f.trust(m, tc.server); f.authentic != tc.want {
			t.Errorf("%s: %v", tc.name, f.authentic)
		}
	}
}

// FuzzRead takes messages apart as they come from the network.
func FuzzRead(f *testing.F) {
	add := func(name string, records ...string) {
		m := new(dns.Msg)
		m.SetQuestion(name, dns.TypeTXT)
		m.Response = true
		for _, s := range records {
			rr, err := dns.NewRR(s)
			if err != nil {
				f.Fatal(err)
			}
			m.Answer = append(m.Answer, rr)
		}
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint16(dns.TypeTXT))
	}
	add("a.example.", `a.example. 60 IN TXT "x\"\\\000" "y"`)
	add("a.example.", "a.example. 60 IN CNAME b.example.", "b.example. 60 IN CNAME a.example.")
	add(".", ". 60 IN SOA a.example. b.example. 1 2 3 4 5", ". 60 IN NS a.example.", ". 60 IN MX 0 .", ". 60 IN DS 1 8 2 00", ". 60 IN TLSA 3 1 1 00", ". 60 IN AAAA ::ffff:192.0.2.1")
	f.Fuzz(func(t *testing.T, b []byte, typ uint16) {
		m := new(dns.Msg)
		if m.Unpack(b) != nil || len(m.Question) == 0 {
			return
		}
		name, ok := resolve.Normalize(m.Question[0].Name)
		if !ok {
			return
		}
		a := resolve.Answer{Name: name, Type: resolve.Type(typ)}
		fl := follower{t: a.Type, seen: map[string]bool{name: true}}
		next, done := fl.read(m, name)
		if len(fl.chain) > resolve.MaxChain {
			t.Fatalf("%d aliases", len(fl.chain))
		}
		if n, ok := resolve.Normalize(next); !done && (!ok || n != next) {
			t.Fatalf("goes on with %q", next)
		}
		a.Chain = fl.chain
		for _, r := range fl.records {
			if r.Name != a.Final() || r.Type != a.Type || r.TTL < fl.ttl || r.TTL < 0 {
				t.Fatalf("%v at the end of %v, kept for %v", r, a.Chain, fl.ttl)
			}
		}
	})
}
