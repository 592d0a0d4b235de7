package fetch_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sekisho/sekisho/internal/fetch"
)

// certificate is one for a host that its pool trusts.
func certificate(t *testing.T, host string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{host}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	c, err = x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(c)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// serveSMTP answers one connection with these lines, one for each line that
// comes in, and then with TLS if a certificate is given.
func serveSMTP(t *testing.T, cert *tls.Certificate, greeting string, answers ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		r := bufio.NewReader(conn)
		_, _ = conn.Write([]byte(greeting))
		for _, a := range answers {
			if _, err := r.ReadString('\n'); err != nil {
				return
			}
			_, _ = conn.Write([]byte(a))
		}
		if cert != nil {
			s := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12})
			if s.Handshake() == nil {
				r := bufio.NewReader(s)
				for {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					_, _ = s.Write([]byte("250 " + line))
				}
			}
		}
	}()
	return l.Addr().String()
}

func TestStartTLS(t *testing.T) {
	const host = "mx1.kiso-works.example"
	cert, pool := certificate(t, host)
	ask := func(server, host string, address netip.Addr, roots *x509.CertPool) (string, error) {
		c := fetch.New(&fetch.Options{
			RootCAs: roots,
			Lookup:  func(context.Context, string) ([]netip.Addr, error) { return []netip.Addr{address}, nil },
			Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				if !strings.HasSuffix(address, ":25") {
					t.Errorf("connected to %s", address)
				}
				return (&net.Dialer{}).DialContext(ctx, network, server)
			},
		})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		a, err := c.StartTLS(ctx, host)
		if err != nil {
			return "", err
		}
		var out []string
		for word, is := range map[string]bool{"offered": a.Offered, "failed": a.Failed, "named": a.Named, "trusted": a.Trusted} {
			if is {
				out = append(out, word)
			}
		}
		if a.Version == tls.VersionTLS13 && len(a.Chain) == 1 {
			out = append(out, "1.3")
		}
		return strings.Join(slices.Sorted(slices.Values(out)), " "), nil
	}
	public := netip.MustParseAddr("8.8.8.8")
	hello := []string{"250-mx1\r\n250 STARTTLS\r\n", "220 go\r\n"}
	for _, tc := range []struct {
		name    string
		server  string
		host    string
		address netip.Addr
		roots   *x509.CertPool
		want    string
	}{
		{"Good", serveSMTP(t, &cert, "220 mx1\r\n", hello...), host, public, pool, "1.3 named offered trusted"},
		{"OtherName", serveSMTP(t, &cert, "220 mx1\r\n", hello...), "mx2.kiso-works.example", public, pool, "1.3 offered trusted"},
		{"Untrusted", serveSMTP(t, &cert, "220 mx1\r\n", hello...), host, public, x509.NewCertPool(), "1.3 named offered"},
		{"NotOffered", serveSMTP(t, nil, "220 mx1\r\n", "250 mx1\r\n", "221 bye\r\n"), host, public, pool, ""},
		{"Refused", serveSMTP(t, nil, "220 mx1\r\n", "250-mx1\r\n250 STARTTLS\r\n", "454 not now\r\n"), host, public, pool, "failed offered"},
		{"Hangs", serveSMTP(t, nil, "220 mx1\r\n", "250-mx1\r\n250 STARTTLS\r\n", "220 go\r\n"), host, public, pool, "failed offered"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ask(tc.server, tc.host, tc.address, tc.roots)
			if err != nil || got != tc.want {
				t.Errorf("%q %v, want %q", got, err, tc.want)
			}
		})
	}
	t.Run("Inside", func(t *testing.T) {
		if _, err := ask("127.0.0.1:1", host, netip.MustParseAddr("10.0.0.1"), pool); !errors.Is(err, fetch.ErrAddress) {
			t.Errorf("a host with a private address was asked: %v", err)
		}
	})
	t.Run("Talkative", func(t *testing.T) {
		if got, err := ask(serveSMTP(t, nil, strings.Repeat("220-more\r\n", 100_000)), host, public, pool); err == nil {
			t.Errorf("a server that never ends its greeting: %q", got)
		}
	})
}
