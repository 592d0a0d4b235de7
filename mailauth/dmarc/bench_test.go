package dmarc_test

import (
	"context"
	"testing"

	"github.com/sekisho/sekisho/mailauth/dmarc"
)

func BenchmarkEvaluate(b *testing.B) {
	z := world{txt: txt{
		"_dmarc.kiso.example": {"v=DMARC1; p=reject; sp=quarantine; adkim=r; rua=mailto:dmarc@kiso.example,mailto:kiso@reports.example; fo=1; ruf=mailto:dmarc@kiso.example"},
	}}.zone(b)
	in := mail{from: "news.kiso.example", spf: "bounce.sender.example", dkim: []string{"kiso.example", "sender.example"}}.input()
	b.ReportAllocs()
	for b.Loop() {
		if r := dmarc.Evaluate(context.Background(), z, in, nil); r.Status != dmarc.StatusPass {
			b.Fatal(r.Status)
		}
	}
}

func BenchmarkParseRecord(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := dmarc.ParseRecord("v=DMARC1; p=reject; sp=quarantine; adkim=s; rua=mailto:dmarc@kiso.example,mailto:kiso@reports.example; pct=100"); err != nil {
			b.Fatal(err)
		}
	}
}
