package mailauth_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mailauth"
	"github.com/sekisho/sekisho/mailauth/arc"
	"github.com/sekisho/sekisho/mailauth/dkim"
	"github.com/sekisho/sekisho/mailauth/dkim/dkimtest"
	"github.com/sekisho/sekisho/mailauth/dmarc"
	"github.com/sekisho/sekisho/mailauth/spf"
	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

func now() time.Time { return time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC) }

var (
	rsaKey     = func() dkimtest.Key { return dkimtest.RSA2048("sender.example", "r1") }
	edKey      = func() dkimtest.Key { return dkimtest.Ed25519("sender.example", "e1") }
	listKey    = func() dkimtest.Key { return dkimtest.RSA2048("list.example", "a1") }
	gatewayKey = func() dkimtest.Key { return dkimtest.RSA2048("gateway.example", "a2") }
)

// message is 28 KB with an RSA-2048 and an Ed25519 signature and two ARC sets.
func message() []byte {
	body := strings.Repeat("The quick brown fox jumps over the lazy dog, and nobody objects.\r\n", 420)
	raw := []byte("From: Sato <sato@sender.example>\r\nTo: it@kiso-works.example\r\nSubject: minutes\r\n" +
		"Date: Tue, 24 Nov 2026 09:00:00 +0900\r\nMessage-ID: <1@sender.example>\r\n\r\n" + body)
	raw = dkimtest.Sign(raw, rsaKey(), nil)
	raw = dkimtest.Sign(raw, edKey(), nil)
	raw = dkimtest.Seal(raw, listKey(), 1, "none", "list.example; dkim=pass header.d=sender.example; dmarc=pass header.from=sender.example", nil)
	return dkimtest.Seal(raw, gatewayKey(), 2, "pass", "gateway.example; arc=pass", nil)
}

func records(t testing.TB, extra string) resolve.Resolver {
	t.Helper()
	z, err := zone.ParseString("sender.example. TXT \"v=spf1 include:_spf.sender.example -all\"\n" +
		"_spf.sender.example. TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n" +
		"_dmarc.sender.example. TXT \"v=DMARC1; p=reject\"\n" +
		rsaKey().Zone() + "\n" + edKey().Zone() + "\n" + listKey().Zone() + "\n" + gatewayKey().Zone() + "\n" + extra)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func input(raw []byte) mailauth.Input {
	return mailauth.Input{
		Message: eml.Parse(raw, nil), IP: netip.MustParseAddr("192.0.2.25"), MailFrom: "bounce@sender.example", Helo: "mx.sender.example", Now: now(),
	}
}

type outcome struct {
	SPF   spf.Status
	DKIM  []dkim.Status
	ARC   arc.Status
	DMARC dmarc.Status
}

func verify(t *testing.T, r resolve.Resolver, in mailauth.Input, o *mailauth.Options) outcome {
	t.Helper()
	rep, err := mailauth.Verify(t.Context(), r, in, o)
	if err != nil {
		t.Fatal(err)
	}
	out := outcome{ARC: rep.ARC.Status, DMARC: rep.DMARC.Status}
	if rep.SPF != nil {
		out.SPF = rep.SPF.Status
	}
	for _, s := range rep.DKIM.Signatures {
		out.DKIM = append(out.DKIM, s.Status)
	}
	return out
}

func TestVerify(t *testing.T) {
	raw := message()
	changed := []byte(strings.Replace(string(raw), "quick brown fox", "quick brown cat", 1))
	for _, tc := range []struct {
		name string
		in   func() mailauth.Input
		want outcome
	}{
		{"AllPass", func() mailauth.Input { return input(raw) }, outcome{spf.StatusPass, []dkim.Status{dkim.StatusPass, dkim.StatusPass}, arc.StatusPass, dmarc.StatusPass}},
		{"WrongAddress", func() mailauth.Input {
			in := input(raw)
			in.IP = netip.MustParseAddr("203.0.113.9")
			return in
		}, outcome{spf.StatusFail, []dkim.Status{dkim.StatusPass, dkim.StatusPass}, arc.StatusPass, dmarc.StatusPass}},
		{"BodyChanged", func() mailauth.Input { return input(changed) }, outcome{spf.StatusPass, []dkim.Status{dkim.StatusFail, dkim.StatusFail}, arc.StatusFail, dmarc.StatusPass}},
		{"BodyChangedAndWrongAddress", func() mailauth.Input {
			in := input(changed)
			in.IP = netip.MustParseAddr("203.0.113.9")
			return in
		}, outcome{spf.StatusFail, []dkim.Status{dkim.StatusFail, dkim.StatusFail}, arc.StatusFail, dmarc.StatusFail}},
		{"NoEnvelope", func() mailauth.Input {
			return mailauth.Input{Message: eml.Parse(raw, nil), Now: now()}
		}, outcome{"", []dkim.Status{dkim.StatusPass, dkim.StatusPass}, arc.StatusPass, dmarc.StatusPass}},
		{"AnotherAuthor", func() mailauth.Input {
			return input([]byte(strings.Replace(string(raw), "Sato <sato@sender.example>", "Sato <sato@other.example>", 1)))
		}, outcome{spf.StatusPass, []dkim.Status{dkim.StatusFail, dkim.StatusFail}, arc.StatusFail, dmarc.StatusNone}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, verify(t, records(t, ""), tc.in(), nil)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTrustedSealer(t *testing.T) {
	rep, err := mailauth.Verify(t.Context(), records(t, ""), input(message()), &mailauth.Options{TrustedSealers: []domain.Name{"gateway.example"}})
	if err != nil {
		t.Fatal(err)
	}
	if rep.ARC.TrustedFrom != 2 {
		t.Errorf("trusted from set %d, want 2", rep.ARC.TrustedFrom)
	}
}

func TestOffline(t *testing.T) {
	got := verify(t, resolve.Offline(), input(message()), nil)
	want := outcome{spf.StatusTemperror, []dkim.Status{dkim.StatusNeutral, dkim.StatusNeutral}, arc.StatusTempError, dmarc.StatusTempError}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := mailauth.Verify(ctx, records(t, ""), input(message()), nil); err == nil {
		t.Error("no error although the context ended before DNS answered")
	}
}

// BenchmarkVerify is a full verdict on a 28 KB message with DNS in memory.
func BenchmarkVerify(b *testing.B) {
	raw := message()
	r := records(b, "")
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		rep, err := mailauth.Verify(b.Context(), r, input(raw), &mailauth.Options{NoTrace: true})
		if err != nil || rep.DMARC.Status != dmarc.StatusPass || rep.ARC.Status != arc.StatusPass {
			b.Fatal(err, rep.DMARC.Status, rep.ARC.Status)
		}
	}
}

// BenchmarkBare is what no verifier can do without: the signature checks of
// BenchmarkVerify (five with RSA-2048 and one with Ed25519) and one SHA-256 of
// the body.
func BenchmarkBare(b *testing.B) {
	raw := message()
	body := raw[strings.Index(string(raw), "\r\n\r\n")+4:]
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256(body)
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	edPublic, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	edSig := ed25519.Sign(ed, digest[:])
	for b.Loop() {
		d := sha256.Sum256(body)
		for range 5 {
			if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, d[:], sig); err != nil {
				b.Fatal(err)
			}
		}
		if !ed25519.Verify(edPublic, d[:], edSig) {
			b.Fatal("ed25519")
		}
	}
}
