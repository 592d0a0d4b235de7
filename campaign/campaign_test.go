package campaign_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/campaign"
)

// TestSubject compares subjects alone; what is left of the weight says how alike
// they are taken to be.
func TestSubject(t *testing.T) {
	to := []string{"taro.sato@kiso-works.example"}
	for _, tc := range []struct {
		name, a, b string
		want       []campaign.Code
	}{
		{"Numbers", "Your invoice 4711 is overdue, pay now", "Your invoice 99 is overdue, pay now", []campaign.Code{campaign.SubjectSame}},
		{"Identifiers", "Case INV-2026-0042 needs your answer today", "Case a8f3c2e1 needs your answer today", []campaign.Code{campaign.SubjectSame}},
		{"Prefixes", "RE: [EXTERNAL] Fwd: Staff meeting protocol attached", "Staff meeting protocol attached", []campaign.Code{campaign.SubjectSame}},
		{"PrefixesJapanese", "【外部】返信: 未払い請求書のご確認", "未払い請求書のご確認", []campaign.Code{campaign.SubjectSame}},
		{"Width", "ＡＢＣ銀行からのお知らせ 12", "ABC銀行からのお知らせ ３４", []campaign.Code{campaign.SubjectSame}},
		{"Name", "taro.sato: your documents are waiting", "Sato, Taro: your documents are waiting", []campaign.Code{campaign.SubjectSame}},
		{"Domain", "Password of kiso-works.example expires", "Password of kiso-works.example expires today", []campaign.Code{campaign.SubjectAlike}},
		{"Cyrillic", "Paymеnt соnfirmation needed", "Payment confirmation needed", []campaign.Code{campaign.SubjectSame}},
		{"Invisible", "Pay\u200bment con\u00adfirmation needed", "Payment confirmation needed", []campaign.Code{campaign.SubjectSame}},
		{"Another", "Payment confirmation needed", "Minutes of the meeting", nil},
		{"OnlyNumbers", "12345", "67890", nil},
		{"Empty", "", "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := campaign.NewProbe(&campaign.Mail{Subject: tc.a, Recipients: to}, nil)
			var got []campaign.Code
			for _, r := range p.Compare(&campaign.Mail{Subject: tc.b, Recipients: to}).Reasons {
				got = append(got, r.Code)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	ip := netip.MustParseAddr
	probe := campaign.Mail{
		IP: ip("203.0.113.66"), Helo: "WIN-8K2", MailFrom: "x@lure.test", From: "sato@kiso-works.example", Name: "経理部", Subject: "至急: 未払い請求書のご確認",
		Links: []campaign.Link{{Host: "a.login-verify.test", Path: "/kiso/session/start"}}, Files: []campaign.File{{Name: "請求書_11月分.pdf", SHA256: "aa"}},
	}
	for _, tc := range []struct {
		name  string
		m     campaign.Mail
		level campaign.Level
		codes []campaign.Code
	}{
		{"Itself", probe, campaign.Same, []campaign.Code{campaign.FileContent, campaign.LinkWhole, campaign.SubjectSame, campaign.Address, campaign.Envelope, campaign.Helo, campaign.AuthorName, campaign.Author}},
		{"SameFileOnly", campaign.Mail{Files: []campaign.File{{Name: "other.pdf", SHA256: "aa"}}}, campaign.Same, []campaign.Code{campaign.FileContent}},
		{"LinkElsewhere", campaign.Mail{IP: ip("203.0.113.9"), Links: []campaign.Link{{Host: "b.other.test", Path: "/kiso/session/start"}}}, campaign.Alike, []campaign.Code{campaign.LinkShape, campaign.Network}},
		{"LinkBelow", campaign.Mail{MailFrom: "y@lure.test", Links: []campaign.Link{{Host: "c.login-verify.test", Path: "/"}}}, campaign.Alike, []campaign.Code{campaign.LinkDomain, campaign.Envelope}},
		{"SenderOnly", campaign.Mail{IP: ip("203.0.113.66"), MailFrom: "x@lure.test", Subject: "Minutes"}, campaign.SameSender, []campaign.Code{campaign.Address, campaign.Envelope}},
		{"OwnDomainInFrom", campaign.Mail{From: "sato@kiso-works.example", Subject: "Minutes"}, campaign.Different, []campaign.Code{campaign.Author}},
		{"PassedOn", campaign.Mail{Inside: true, From: "tanaka@kiso-works.example", Subject: "FW: 至急: 未払い請求書のご確認"}, campaign.Different, []campaign.Code{campaign.SubjectSame, campaign.Author}},
		{"Furniture", campaign.Mail{Links: []campaign.Link{{Host: "a.login-verify.test", Path: "/privacy"}}}, campaign.Different, nil},
		{"Nothing", campaign.Mail{}, campaign.Different, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := campaign.NewProbe(&probe, options()).Compare(&tc.m)
			if got.Level != tc.level {
				t.Errorf("%s %d, want %s", got.Level, got.Score, tc.level)
			}
			var codes []campaign.Code
			for _, r := range got.Reasons {
				codes = append(codes, r.Code)
			}
			if diff := cmp.Diff(tc.codes, codes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestShared lets what many have in common weigh little.
func TestShared(t *testing.T) {
	probe := campaign.NewProbe(&campaign.Mail{
		IP: netip.MustParseAddr("192.0.2.10"), MailFrom: "a@freemail.example", From: "a@freemail.example", Subject: "Invoice",
		Links: []campaign.Link{{Host: "files.example", Path: "/x"}},
	}, options())
	got := probe.Compare(&campaign.Mail{
		IP: netip.MustParseAddr("192.0.2.10"), MailFrom: "b@freemail.example", From: "b@freemail.example", Subject: "Invoice",
		Links: []campaign.Link{{Host: "files.example", Path: "/y"}},
	})
	if got.Level != campaign.Different || got.Score > 35 {
		t.Errorf("%+v", got)
	}
}

// TestQuick bounds what hostile mail costs.
func TestQuick(t *testing.T) {
	long := strings.Repeat("a1@b.example ", 100_000)
	var m campaign.Mail
	m.Subject, m.Name = long, long
	for range 10_000 {
		m.Links = append(m.Links, campaign.Link{Host: "a.test", Path: long, Query: long})
		m.Files = append(m.Files, campaign.File{Name: "x"})
		m.Recipients = append(m.Recipients, "a1@b.example")
	}
	begin := time.Now()
	p := campaign.NewProbe(&m, options())
	for range 20 {
		p.Compare(&m)
	}
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
}

func BenchmarkCompareSubject(b *testing.B) {
	p := campaign.NewProbe(&campaign.Mail{Subject: "至急: 未払い請求書のご確認 4711", MailFrom: "a@x.test", IP: netip.MustParseAddr("203.0.113.66")}, options())
	m := campaign.Mail{Subject: "Invoice 12, second reminder", MailFrom: "user@kiso-works.example", From: "user@kiso-works.example", IP: netip.MustParseAddr("198.51.100.7"), Recipients: []string{"sato@kiso-works.example"}}
	for b.Loop() {
		p.Compare(&m)
	}
}

func FuzzCompare(f *testing.F) {
	f.Add("Invoice 12", "x@lure.test", "a.test", "/a/b/c1234567", "請求書_1.pdf", "Re: [EXTERNAL] Invoice", "y@lure.test")
	f.Fuzz(func(t *testing.T, subject, from, host, path, file, other, sender string) {
		a := campaign.Mail{Subject: subject, From: from, MailFrom: sender, Name: other, Recipients: []string{from}, Files: []campaign.File{{Name: file}}}
		b := campaign.Mail{Subject: other, From: sender, MailFrom: from, Name: subject, Recipients: []string{sender}, Files: []campaign.File{{Name: path}}}
		_ = host
		ab, ba := campaign.NewProbe(&a, options()).Compare(&b), campaign.NewProbe(&b, options()).Compare(&a)
		for _, l := range []campaign.Likeness{ab, ba} {
			if l.Score < 0 || l.Score > 100 {
				t.Fatalf("score %d", l.Score)
			}
		}
		if self := campaign.NewProbe(&a, options()).Compare(&a); self.Score+1 < ab.Score-40 {
			t.Fatalf("less like itself (%d) than another (%d)", self.Score, ab.Score)
		}
	})
}
