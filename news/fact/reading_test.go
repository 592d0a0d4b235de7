package fact_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/news/fact"
)

func TestRead(t *testing.T) {
	date := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	campaign := `Between April 14 and 16, 2026, researchers observed a phishing campaign that targeted more than 35,000 users at over 13,000 organizations in 26 countries. About 92% of the targets were in the United States. A CAPTCHA page led to an adversary-in-the-middle (AiTM) sign-in page that captured Microsoft 365 session tokens.`
	tests := []struct {
		name string
		in   fact.Input
		want fact.Reading
	}{
		{
			"CampaignThatEnded",
			fact.Input{Title: "Phishing campaign uses code of conduct lures", Text: campaign, Published: date(2026, 5, 4)},
			fact.Reading{Kind: fact.Campaign, Activity: fact.ActivityEnded, Proximity: fact.Elsewhere, Impact: fact.ImpactTakeover, EndedOn: date(2026, 4, 16), Products: []string{"microsoft-365"}, Techniques: []string{"phishing", "captcha", "aitm", "token-theft"}},
		},
		{
			"CampaignInJapaneseNotSeenInJapan",
			fact.Input{Title: "「行動規範」を装うフィッシング、26カ国の約3万5千人が標的に", Text: "マイクロソフトは5月4日(現地時間)、フィッシング攻撃を公表した。2026年4月14日から16日にかけて、約35,000人のユーザーが標的となった。標的の92%は米国だった。中間者(AiTM)型の偽サインイン画面で認証トークンを窃取する。国内での被害は確認されていません。", Published: date(2026, 5, 7)},
			fact.Reading{Kind: fact.Campaign, Activity: fact.ActivityEnded, Proximity: fact.Elsewhere, Impact: fact.ImpactTakeover, EndedOn: date(2026, 4, 16), Products: []string{"microsoft"}, Techniques: []string{"phishing", "aitm", "credential-phishing", "token-theft"}},
		},
		{
			"CampaignThatGoesOnInJapan",
			fact.Input{Title: "「行動規範」を装うフィッシングに注意", Text: "国内の組織でも、偽のサインイン画面で認証トークンを盗むフィッシングメールが現在も続いています。", Published: date(2026, 5, 7)},
			fact.Reading{Kind: fact.Campaign, Activity: fact.ActivityActive, Proximity: fact.Japan, Impact: fact.ImpactTakeover, Techniques: []string{"phishing", "credential-phishing", "token-theft"}},
		},
		{
			"AuthorityOfJapanWarns",
			fact.Input{Title: "フィッシングメールに関する注意喚起", Text: "不審なメールから偽のログイン画面へ誘導するフィッシングが確認されています。", Published: date(2026, 5, 7), Origin: "JP"},
			fact.Reading{Kind: fact.Campaign, Activity: fact.ActivityActive, Proximity: fact.Japan, Impact: fact.ImpactTakeover, Techniques: []string{"phishing", "credential-phishing"}},
		},
		{
			"DirectSend",
			fact.Input{Title: "Attackers abuse Direct Send to deliver internal-looking phishing", Text: "Since May 2025 the campaign has hit more than 70 organizations. The campaign is ongoing. The mails carry a PDF with a QR code.", Published: date(2025, 6, 26)},
			fact.Reading{Kind: fact.Campaign, Activity: fact.ActivityActive, Proximity: fact.Elsewhere, Impact: fact.ImpactTakeover, Techniques: []string{"direct-send", "spoofed-internal", "phishing", "qr-phishing"}},
		},
		{
			"SenderRequirement",
			fact.Input{Title: "Outlook.com、大量送信者にSPF・DKIM・DMARCを必須化", Text: "マイクロソフトは4月2日(現地時間)、1日5,000通以上を送るドメインに対し、5月5日からSPF、DKIM、DMARCへの対応を義務化すると発表しました。要件を満たさないメールは拒否されます。", Published: date(2025, 4, 11)},
			fact.Reading{Kind: fact.Policy, Activity: fact.ActivityNone, Proximity: fact.Elsewhere, Impact: fact.ImpactLow, VendorDate: date(2025, 5, 5), Products: []string{"outlook-com"}},
		},
		{
			"SenderRequirementEnglish",
			fact.Input{Title: "Outlook.com will require SPF, DKIM and DMARC from high-volume senders", Text: "Starting May 5, 2025, the requirements apply to domains that send more than 5,000 emails a day.", Published: date(2025, 4, 2)},
			fact.Reading{Kind: fact.Policy, Activity: fact.ActivityNone, Proximity: fact.Elsewhere, Impact: fact.ImpactLow, VendorDate: date(2025, 5, 5), Products: []string{"outlook-com"}},
		},
		{
			"VoicePhishingOfABank",
			fact.Input{Title: "武蔵野銀行をかたる自動音声の電話に注意", Text: "同行は3月31日(日本時間)、自動音声の電話(ボイスフィッシング)について注意を呼びかけました。暗証番号を聞き出し、不正送金を行います。被害が相次いでいます。", Published: date(2025, 4, 11)},
			fact.Reading{Kind: fact.Scam, Activity: fact.ActivityActive, Proximity: fact.Japan, Impact: fact.ImpactTakeover, Products: []string{"musashino-bank"}, Techniques: []string{"voice-phishing", "account-takeover"}},
		},
		{
			"PatchDay",
			fact.Input{Title: "Microsoft 月例更新(2025年4月)", Text: "4月9日(日本時間)、マイクロソフトは月例のセキュリティ更新プログラムを公開しました。Windows 10 22H2はKB5055518(19045.5737)です。CVE-2025-29824は既に悪用が確認されています。CVE-2025-26663は悪用されるおそれがあります。任意のコードが実行されるおそれがあります。", Published: date(2025, 4, 9)},
			fact.Reading{Kind: fact.Vulnerability, Activity: fact.ActivityActive, Proximity: fact.Elsewhere, Impact: fact.ImpactTakeover, Products: []string{"windows-10"}, CVEs: []string{"CVE-2025-29824", "CVE-2025-26663"}, Exploited: []string{"CVE-2025-29824"}, Techniques: []string{"rce"}},
		},
		{
			"FlawWithoutAttacks",
			fact.Input{Title: "Zoom Workplace vulnerability CVE-2031-10001", Text: "An update is available. There is no evidence of active exploitation.", Published: date(2026, 5, 7)},
			fact.Reading{Kind: fact.Vulnerability, Activity: fact.ActivityNone, Proximity: fact.Elsewhere, Impact: fact.ImpactPartial, Products: []string{"zoom"}, CVEs: []string{"CVE-2031-10001"}},
		},
		{
			"FlawWithPoC",
			fact.Input{Title: "FortiOSの脆弱性(CVE-2031-10001)", Text: "実証コードが公開されています。悪用は確認されていません。", Published: date(2026, 5, 7)},
			fact.Reading{Kind: fact.Vulnerability, Activity: fact.ActivityPoC, Proximity: fact.Elsewhere, Impact: fact.ImpactPartial, Products: []string{"fortios"}, CVEs: []string{"CVE-2031-10001"}},
		},
		{
			"Seminar",
			fact.Input{Title: "オンラインセミナー開催のお知らせ", Text: "3月18日に開催します。", Published: date(2026, 3, 7)},
			fact.Reading{Kind: fact.Info, Activity: fact.ActivityNone, Proximity: fact.Elsewhere, Impact: fact.ImpactLow},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			facts := fact.Extract(&tt.in, nil)
			got := *fact.Read(&tt.in, facts)
			for point, ids := range got.Because {
				for _, id := range ids {
					if facts.Get(id) == nil {
						t.Errorf("%s because of %s, which is no fact", point, id)
					}
				}
			}
			if got.Activity != fact.ActivityNone && len(got.Because["activity"]) == 0 {
				t.Error("no fact behind the activity")
			}
			got.Because = nil
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("reading (-want +got):\n%s", diff)
			}
		})
	}
}
