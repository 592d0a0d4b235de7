package dkim_test

import (
	"context"
	"strings"
	"testing"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mailauth/dkim"
	"github.com/sekisho/sekisho/mailauth/dkim/dkimtest"
)

// benchmarks are the messages of the benchmarks by name.
func benchmarks() map[string][]byte {
	rsa := dkimtest.RSA2048("sender.example", "s1")
	short := []byte(plain + strings.Repeat("A short line of a short mail.\n", 20))
	long := []byte(plain + strings.Repeat("<td style=\"padding:  4px\">The quick brown fox jumps over the lazy dog</td>\n", 360))
	return map[string][]byte{
		"1KBTwoSignatures":  dkimtest.Sign(dkimtest.Sign(short, rsa, nil), edKey(), nil),
		"28KBOneSignature":  dkimtest.Sign(long, rsa, nil),
		"28KBTwoSignatures": dkimtest.Sign(dkimtest.Sign(long, rsa, nil), edKey(), nil),
	}
}

func BenchmarkVerify(b *testing.B) {
	r := keys(b, dkimtest.RSA2048("sender.example", "s1"), edKey())
	for name, raw := range benchmarks() {
		b.Run(name, func(b *testing.B) {
			m := eml.Parse(raw, nil)
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				res, err := dkim.Verify(context.Background(), r, m, now(), nil)
				if err != nil || res.Signatures[0].Status != dkim.StatusPass {
					b.Fatal(res, err)
				}
			}
		})
	}
}

// BenchmarkParseAndVerify is the same with reading the message first.
func BenchmarkParseAndVerify(b *testing.B) {
	r := keys(b, dkimtest.RSA2048("sender.example", "s1"), edKey())
	for name, raw := range benchmarks() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				res, err := dkim.Verify(context.Background(), r, eml.Parse(raw, nil), now(), nil)
				if err != nil || res.Signatures[0].Status != dkim.StatusPass {
					b.Fatal(res, err)
				}
			}
		})
	}
}
