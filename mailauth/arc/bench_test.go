package arc_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mailauth/arc"
	"github.com/sekisho/sekisho/mailauth/dkim"
	"github.com/sekisho/sekisho/mailauth/dkim/dkimtest"
)

func sealKey() dkimtest.Key { return dkimtest.RSA2048("lists.example", "b1") }

// long is a message of 28 KB.
func long() []byte {
	return []byte(plain + strings.Repeat("<td style=\"padding:  4px\">The quick brown fox jumps over the lazy dog</td>\n", 360))
}

func twoSets(raw []byte) []byte {
	return dkimtest.Seal(dkimtest.Seal(raw, sealKey(), 1, "none", authResults, nil), sealKey(), 2, "pass", authResults, nil)
}

func BenchmarkValidate(b *testing.B) {
	r := records(b, map[string]string{sealKey().Name(): sealKey().Record()})
	for name, raw := range map[string][]byte{"1KBTwoSets": twoSets([]byte(plain)), "28KBTwoSets": twoSets(long())} {
		b.Run(name, func(b *testing.B) {
			m := eml.Parse(raw, nil)
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				c, err := arc.Validate(context.Background(), r, m, now(), nil)
				if err != nil || c.Status != arc.StatusPass {
					b.Fatal(c.Reason, err)
				}
			}
		})
	}
}

// BenchmarkWithDKIM checks DKIM signatures with an RSA key of 2048 bits and an
// Ed25519 key and two ARC sets of one message, beside the bare cost of the
// cryptography in it: five RSA signatures, one Ed25519, one hash of the body.
func BenchmarkWithDKIM(b *testing.B) {
	raw := dkimtest.Sign(dkimtest.Sign(long(), sealKey(), nil), listKey(), nil)
	raw = twoSets(raw)
	r := records(b, map[string]string{sealKey().Name(): sealKey().Record(), listKey().Name(): listKey().Record()})
	m := eml.Parse(raw, nil)
	b.Run("Verify", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v := dkim.NewVerifier(r, m, now(), nil)
			res, err := v.Verify(context.Background())
			if err != nil || res.Signatures[0].Status != dkim.StatusPass {
				b.Fatal(res, err)
			}
			c, err := arc.ValidateWith(context.Background(), v, nil)
			if err != nil || c.Status != arc.StatusPass {
				b.Fatal(c.Reason, err)
			}
		}
	})
	b.Run("Bare", func(b *testing.B) {
		rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			b.Fatal(err)
		}
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		body := m.Root().Body()
		sum := sha256.Sum256(body)
		sig, err := rsa.SignPKCS1v15(nil, rsaKey, crypto.SHA256, sum[:])
		if err != nil {
			b.Fatal(err)
		}
		edSig := ed25519.Sign(private, sum[:])
		for b.Loop() {
			digest := sha256.Sum256(body)
			for range 5 {
				if err := rsa.VerifyPKCS1v15(&rsaKey.PublicKey, crypto.SHA256, digest[:], sig); err != nil {
					b.Fatal(err)
				}
			}
			if !ed25519.Verify(public, digest[:], edSig) {
				b.Fatal("ed25519")
			}
		}
	})
}
