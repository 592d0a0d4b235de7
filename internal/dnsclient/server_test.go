package dnsclient_test

import (
	"errors"
	"testing"

	"github.com/sekisho/sekisho/internal/dnsclient"
)

func TestParseServer(t *testing.T) {
	for in, want := range map[string]string{
		"127.0.0.1":               "127.0.0.1:53",
		"127.0.0.1:5353":          "127.0.0.1:5353",
		" 192.0.2.1 ":             "192.0.2.1:53",
		"::1":                     "[::1]:53",
		"[::1]":                   "[::1]:53",
		"[::1]:5353":              "[::1]:5353",
		"2001:DB8::53":            "[2001:db8::53]:53",
		"fe80::1%eth0":            "[fe80::1%eth0]:53",
		"[fe80::1%eth0]:53":       "[fe80::1%eth0]:53",
		"resolver.example":        "resolver.example:53",
		"Resolver.Example.:00053": "resolver.example:53",
		"localhost:5353":          "localhost:5353",
		"":                        "",
		":53":                     "",
		"127.0.0.1:":              "",
		"127.0.0.1:0":             "",
		"127.0.0.1:65536":         "",
		"127.0.0.1:dns":           "",
		"127.0.0.1:+53":           "",
		"127.0.0.1/24":            "",
		"[127.0.0.1]":             "",
		"[::1":                    "",
		"::1]:53":                 "",
		"a b":                     "",
		"https://dns.example/":    "",
		"1.2.3":                   "",
	} {
		got, err := dnsclient.ParseServer(in)
		if got != want || (err != nil) != (want == "") || err != nil && !errors.Is(err, dnsclient.ErrServer) {
			t.Errorf("%q: %q, %v, want %q", in, got, err, want)
		}
	}
}

func FuzzParseServer(f *testing.F) {
	for _, s := range []string{"127.0.0.1:5353", "[fe80::1%eth0]:53", "例.example:53", "::1", "[]", "a:1:2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := dnsclient.ParseServer(s)
		if err != nil {
			return
		}
		if again, err := dnsclient.ParseServer(got); err != nil || again != got {
			t.Errorf("%q reads as %q, and that as %q, %v", s, got, again, err)
		}
	})
}

func TestNewRefusesServers(t *testing.T) {
	if _, err := dnsclient.New(&dnsclient.Options{Servers: []string{"127.0.0.1", "nonsense:x"}}); !errors.Is(err, dnsclient.ErrServer) {
		t.Error(err)
	}
}

// TestSystem only checks that what the system names can be used.
func TestSystem(t *testing.T) {
	servers, err := dnsclient.System()
	if err != nil {
		t.Skipf("this system has no list of servers: %v", err)
	}
	c, err := dnsclient.New(nil)
	if err != nil || len(c.Servers()) == 0 {
		t.Errorf("%v of %v: %v", c, servers, err)
	}
}
