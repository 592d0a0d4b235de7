package posture_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/domain/posture"
)

// servers answers from memory.
type servers map[string]posture.TLSAnswer

func (s servers) StartTLS(_ context.Context, host string) (posture.TLSAnswer, error) {
	a, ok := s[host]
	if !ok {
		return posture.TLSAnswer{}, errors.New("no answer")
	}
	return a, nil
}

// selfSigned is a certificate that ends at that time.
func selfSigned(t *testing.T, until time.Time) []byte {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mx1.x.example"}, NotBefore: until.AddDate(-1, 0, 0), NotAfter: until, DNSNames: []string{"mx1.x.example"}}
	der, err := x509.CreateCertificate(nil, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestTLS(t *testing.T) {
	now := time.Date(2026, 5, 8, 0, 0, 0, 0, time.UTC)
	der := selfSigned(t, now.AddDate(0, 1, 0))
	old := selfSigned(t, now.AddDate(0, -1, 0))
	sum := sha256.Sum256(der)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	key := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	good := posture.TLSAnswer{Offered: true, Version: 0x0304, Chain: [][]byte{der}, Named: true, Trusted: true}
	with := func(f func(*posture.TLSAnswer)) posture.TLSAnswer { a := good; f(&a); return a }
	tlsa := func(words string, data []byte) string {
		return "_25._tcp.mx1.x.example. IN TLSA " + words + " " + hex.EncodeToString(data) + "\n"
	}
	const enforce = "version: STSv1\nmode: enforce\nmx: *.x.example\nmax_age: 604800"
	for _, tc := range []struct {
		name   string
		answer posture.TLSAnswer
		zone   string
		policy string
		want   string // codes with their severity
		state  posture.State
		dane   posture.State
	}{
		{"Good", good, "", "", "", posture.Present, posture.NotAsked},
		{"NotOffered", posture.TLSAnswer{}, "", "", "tls.none=high", posture.Absent, posture.NotAsked},
		{"Failed", posture.TLSAnswer{Offered: true, Failed: true}, "", "", "tls.failed=high", posture.Absent, posture.NotAsked},
		{"Old", with(func(a *posture.TLSAnswer) { a.Version = 0x0302 }), "", "", "tls.old=medium", posture.Present, posture.NotAsked},
		{"OtherName", with(func(a *posture.TLSAnswer) { a.Named = false }), "", "", "tls.name=low", posture.Present, posture.NotAsked},
		{"OtherNameUnderPolicy", with(func(a *posture.TLSAnswer) { a.Named = false }), "", enforce, "tls.name=high", posture.Present, posture.NotAsked},
		{"Expired", with(func(a *posture.TLSAnswer) { a.Chain = [][]byte{old} }), "", enforce, "tls.expired=high", posture.Present, posture.NotAsked},
		{"Untrusted", with(func(a *posture.TLSAnswer) { a.Trusted = false }), "", "", "tls.untrusted=low", posture.Present, posture.NotAsked},
		{"DANEInPlaceOfAuthority", with(func(a *posture.TLSAnswer) { a.Trusted = false }), tlsa("3 1 1", key[:]), "", "", posture.Present, posture.Present},
		{"DANEWholeCertificate", good, tlsa("3 0 1", sum[:]), "", "", posture.Present, posture.Present},
		{"DANEOther", good, tlsa("3 1 1", sum[:]), "", "dane.mismatch=high", posture.Present, posture.Absent},
		{"DANETwo", good, tlsa("3 1 1", sum[:]) + tlsa("3 1 1", key[:]), "", "", posture.Present, posture.Present},
		{"Garbage", with(func(a *posture.TLSAnswer) { a.Chain = [][]byte{{0x30, 0x80}} }), tlsa("3 1 1", key[:]), "", "dane.mismatch=high", posture.Present, posture.Absent},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := "x.example. IN MX 10 mx1.x.example.\nmx1.x.example. IN A 192.0.2.1\n" + tc.zone
			o := &posture.Options{TLS: servers{"mx1.x.example": tc.answer}, Now: now}
			if tc.policy != "" {
				text += "_mta-sts.x.example. IN TXT \"v=STSv1; id=1\"\n"
				o.Fetch = site{"https://mta-sts.x.example/.well-known/mta-sts.txt": {Status: 200, ContentType: "text/plain", Body: []byte(tc.policy)}}
			}
			rep := check(t, parse(t, text), "x.example", o)
			var got []string
			for _, f := range rep.Faults {
				if strings.HasPrefix(f.Code, "tls.") || f.Code == "dane.mismatch" {
					got = append(got, f.Code+"="+f.Severity.String())
				}
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
			if rep.TLS.State != tc.state || rep.TLS.Hosts[0].DANE != tc.dane {
				t.Errorf("%s, by DANE %s", rep.TLS.State, rep.TLS.Hosts[0].DANE)
			}
		})
	}
	// A host that does not answer is not one without TLS.
	rep := check(t, parse(t, "x.example. IN MX 10 mx1.x.example.\nmx1.x.example. IN A 192.0.2.1\n"), "x.example", &posture.Options{TLS: servers{}})
	if rep.TLS.State != posture.Unknown || len(rep.TLS.Hosts) != 1 {
		t.Errorf("%+v", rep.TLS)
	}
	for _, n := range rep.Unchecked {
		if n.Area == posture.AreaTLS && n.Message.Key == "posture.need.smtp" {
			return
		}
	}
	t.Error("it is not said that the host did not answer")
}
