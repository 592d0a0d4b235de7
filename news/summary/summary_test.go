package summary_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/news/fact"
	"github.com/sekisho/sekisho/news/summary"
)

const (
	campaignJA = `検証研究所のブログへようこそ。メルマガの購読はこちらから。
検証研究所は5月4日、世界26カ国で約35,000人のユーザーを標的としたフィッシングを検知したと発表した。
春らしい天気が続いています。
攻撃者は正規の配信サービスから「行動規範」を装うメールを送り、PDFのリンクから偽のサインイン画面へ誘導して認証トークンを窃取する。
このような攻撃は怖いものだと思います。
当社のVPNは今なら割引中です。
2026年4月14日から16日にかけて観測された攻撃で、標的の92%は米国の組織だった。
関連記事はこちら`
	directSendEN = `Welcome back to our blog, where we share what we love.
Attackers abuse the Direct Send feature of Exchange Online to deliver phishing mail that looks internal, and have targeted more than 70 organizations since May.
The messages carry a PDF with a QR code that leads to a fake sign-in page which steals credentials.
Subscribe to our newsletter for more stories like this one.
Get a free trial of our product today and save 20% with this discount code.
Administrators can reject such mail with the RejectDirectSend setting after checking printers and other devices that send mail directly.
All rights reserved.`
)

func texts(list []summary.Sentence) []string {
	var s []string
	for _, x := range list {
		s = append(s, x.Text)
	}
	return s
}

func TestPick(t *testing.T) {
	ja := strings.Split(campaignJA, "\n")
	en := strings.Split(directSendEN, "\n")
	tests := []struct {
		name, title, text string
		n                 int
		want              []string
	}{
		{"CampaignOne", "「行動規範」を装うフィッシング、26カ国の約35,000人が標的に", campaignJA, 1, []string{ja[1]}},
		{"CampaignThree", "「行動規範」を装うフィッシング、26カ国の約35,000人が標的に", campaignJA, 3, []string{ja[1], ja[3], ja[6]}},
		{"DirectSendOne", "Attackers abuse Direct Send for internal-looking phishing", directSendEN, 1, []string{en[1]}},
		{"DirectSendThree", "Attackers abuse Direct Send for internal-looking phishing", directSendEN, 3, []string{en[1], en[2], en[5]}},
		{"Short", "A title", "The only sentence of this text.", 3, []string{"The only sentence of this text."}},
		{"Empty", "A title", "", 3, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, texts(summary.Pick(tt.title, tt.text, tt.n))); diff != "" {
				t.Errorf("sentences (-want +got):\n%s", diff)
			}
		})
	}
}

// The number of a sentence is the one by which facts name it.
func TestIndex(t *testing.T) {
	facts := fact.Extract(&fact.Input{Title: "T", Text: campaignJA}, nil)
	for _, s := range summary.Pick("T", campaignJA, 5) {
		if facts.Sentences[s.Index] != s.Text {
			t.Errorf("sentence %d is %q, not %q", s.Index, facts.Sentences[s.Index], s.Text)
		}
	}
}

func TestTime(t *testing.T) {
	start := time.Now()
	summary.Pick("T", strings.Repeat("Attackers targeted the mail of one of many organizations here. ", 50_000), 5)
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("it took %v", d)
	}
}

func FuzzPick(f *testing.F) {
	f.Add("t", campaignJA)
	f.Add("", directSendEN)
	f.Add("\xff", "\xe3\x80")
	f.Fuzz(func(t *testing.T, title, text string) {
		last := 0
		for _, s := range summary.Pick(title, text, 3) {
			if s.Index <= last || !strings.Contains(text, s.Text) || s.Text == "" {
				t.Fatalf("sentence %d %q behind %d", s.Index, s.Text, last)
			}
			last = s.Index
		}
	})
}
