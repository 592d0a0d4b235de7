package advisory_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/triage"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var jst = time.FixedZone("JST", 9*60*60)

func on(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 9, 30, 0, 0, jst) }

// kiso is the organisation of the examples.
func kiso() *org.Facts {
	return &org.Facts{
		Name:     org.Of("木曽工業株式会社"),
		Domains:  org.Of([]string{"kiso-works.example"}),
		Contacts: org.Of(map[string]org.Contact{"it": {Name: "情報システム担当", Extension: "1234", Mail: "it@kiso-works.example"}}),
		Report:   org.Of(org.Report{How: "outlook-button"}),
		Banks:    org.Of([]string{"木曽信用金庫"}),
		Country:  org.Of("JP"),
	}
}

func decide(t *testing.T, f triage.Facts, today time.Time) *triage.Decision {
	t.Helper()
	d, err := triage.Decide(f, today, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func write(t *testing.T, in *advisory.Input) *advisory.Document {
	t.Helper()
	d, err := advisory.Write(in)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The subjects of the three documents that the product started from, as facts
// written for these tests. The sources are invented.

func tokenTheft(t *testing.T) *advisory.Input {
	return &advisory.Input{
		Decision: decide(t, triage.Facts{
			Kind: triage.Campaign, Relevance: triage.RelevanceExact, Activity: triage.ActivityEnded,
			Impact: triage.ImpactTakeover, EndedOn: on(2026, 4, 16),
		}, on(2026, 5, 8)),
		Subject: advisory.Subject{
			Techniques: []string{"aitm", "token-theft", "legit-service", "pdf-lure", "captcha"},
			Lure:       advisory.Words{JA: "行動規範違反の通知", EN: "code of conduct notices"},
			Counts: []advisory.Count{
				{N: 35000, Unit: advisory.People, Approx: advisory.Over, Claim: advisory.Targeted},
				{N: 13000, Unit: advisory.Organisations, Approx: advisory.Over, Claim: advisory.Targeted},
				{N: 26, Unit: advisory.Countries},
			},
			Share:   advisory.Share{Percent: 92, Of: lang.Text{JA: "米国", EN: "in the United States"}},
			Seen:    advisory.Period{From: on(2026, 4, 14), To: on(2026, 4, 16)},
			Checked: on(2026, 5, 8),
			Slots:   map[string]advisory.Value{"poses": advisory.Words{JA: "人事部門や社内規定の担当", EN: "the human resources or compliance department"}},
		},
		Org:     kiso(),
		Sources: []advisory.Source{{Title: "Code of conduct phishing steals session tokens", Publisher: "Kiso Threat Notes", URL: "https://news.example/token-theft", Published: "2026-05-04"}},
		Excerpts: []advisory.Excerpt{
			{Lang: lang.EN, Text: "More than 35,000 users in 26 countries were targeted between 14 and 16 April.", Source: 0},
		},
	}
}

func directSend(t *testing.T) *advisory.Input {
	return &advisory.Input{
		Decision: decide(t, triage.Facts{
			Kind: triage.Campaign, Relevance: triage.RelevanceExact, Activity: triage.ActivityActive,
			Impact: triage.ImpactTakeover, Exposure: triage.ExposedUnknown,
		}, on(2025, 7, 7)),
		Subject: advisory.Subject{
			Techniques: []string{"direct-send", "qr-phishing", "credential-phishing"},
			Lure:       advisory.Words{JA: "社内システムの更新", EN: "internal system updates"},
			Counts:     []advisory.Count{{N: 70, Unit: advisory.Organisations, Approx: advisory.Over, Claim: advisory.Targeted}},
			Seen:       advisory.Period{From: on(2025, 5, 1), Month: true},
		},
		Org:     kiso(),
		Sources: []advisory.Source{{Title: "Direct Send の悪用が続く", Publisher: "木曽セキュリティだより", URL: "https://news.example/direct-send", Published: "2025-06-30"}},
	}
}

func directSendRejected(t *testing.T) *advisory.Input {
	in := directSend(t)
	in.Decision = decide(t, triage.Facts{
		Kind: triage.Campaign, Relevance: triage.RelevanceExact, Activity: triage.ActivityActive,
		Impact: triage.ImpactTakeover, Exposure: triage.ExposedNo,
	}, on(2025, 7, 7))
	return in
}

func senderRequirement(t *testing.T) *advisory.Input {
	return &advisory.Input{
		Decision: decide(t, triage.Facts{Kind: triage.Policy, Relevance: triage.RelevanceExact, VendorDate: on(2025, 5, 5)}, on(2025, 4, 11)),
		Subject: advisory.Subject{Slots: map[string]advisory.Value{
			"service":     advisory.Words{JA: "Outlook.com・hotmail.com・live.com", EN: "Outlook.com, hotmail.com and live.com"},
			"threshold":   advisory.Words{JA: "1日5,000通以上", EN: "5,000 or more mails a day"},
			"consequence": advisory.Words{JA: "受信が拒否されます(550 5.7.515)", EN: "is refused (550 5.7.515)"},
			"lacking":     advisory.Words{JA: "請求書サービスの DKIM", EN: "DKIM of the invoicing service"},
		}},
		Org:     kiso(),
		Sources: []advisory.Source{{Title: "New requirements for senders", Publisher: "Kiso Mail News", URL: "https://news.example/senders", Published: "2025-04-02"}},
	}
}

func voicePhishing(t *testing.T) *advisory.Input {
	return &advisory.Input{
		Decision: decide(t, triage.Facts{
			Kind: triage.Scam, Relevance: triage.RelevanceExact, Activity: triage.ActivityActive,
			Proximity: triage.Japan, Impact: triage.ImpactTakeover,
		}, on(2025, 4, 11)),
		Subject: advisory.Subject{
			Techniques: []string{"voice-phishing"},
			Slots: map[string]advisory.Value{
				"bank":  advisory.Words{JA: "木曽信用金庫", EN: "Kiso Shinkin Bank"},
				"says":  advisory.Words{JA: "口座が凍結されました。契約情報の更新が必要です", EN: "your account is frozen; your contract data must be updated"},
				"never": advisory.Words{JA: "同金庫は、自動音声の電話やメールで暗証番号をたずねることはありません", EN: "The bank never asks for a PIN by automated call or mail"},
			},
		},
		Org:     kiso(),
		Sources: []advisory.Source{{Title: "自動音声による不審な電話について", Publisher: "木曽信用金庫", URL: "https://bank.example/notice", Published: "2025-03-31"}},
	}
}

func patchDay(t *testing.T) *advisory.Input {
	windows := func(name, kb, build string) advisory.Product {
		return advisory.Product{Name: advisory.Words{JA: name, EN: name}, KB: kb, Build: build}
	}
	return &advisory.Input{
		Template: "patch-day",
		Decision: decide(t, triage.Facts{
			Kind: triage.Vulnerability, Relevance: triage.RelevanceExact, KEV: triage.Yes, Impact: triage.ImpactTakeover,
			Exposure: triage.ExposedNo, Automatable: triage.No, TechnicalImpact: triage.ImpactOfWhole, Ransomware: true,
		}, on(2025, 4, 9)),
		Subject: advisory.Subject{
			CVEs: []string{"CVE-2025-29824"},
			Products: []advisory.Product{
				windows("Windows 10 22H2", "KB5055518", "19045.5737"),
				windows("Windows 11 23H2", "KB5055528", "22631.5189"),
				windows("Windows 11 24H2", "KB5055523", "26100.3775"),
				{Name: advisory.Words{JA: "Zoom Workplace", EN: "Zoom Workplace"}, Version: "6.4.3"},
			},
			Slots: map[string]advisory.Value{
				"released":        advisory.Words{JA: "2025年4月9日", EN: "9 April 2025"},
				"vendors":         advisory.Words{JA: "Microsoft、Adobe、Zoom", EN: "Microsoft, Adobe and Zoom"},
				"exploited_count": advisory.Count{N: 1, Unit: advisory.Vulnerabilities},
				"critical_count":  advisory.Count{N: 11, Unit: advisory.Vulnerabilities},
				"population":      advisory.Words{JA: "Microsoft 製品のみ", EN: "Microsoft's products only"},
			},
		},
		Org:     kiso(),
		Sources: []advisory.Source{{Title: "Monthly updates of April", Publisher: "Kiso Patch News", URL: "https://news.example/april", Published: "2025-04-09"}},
	}
}

func vulnerability(t *testing.T) *advisory.Input {
	return &advisory.Input{
		Decision: decide(t, triage.Facts{
			Kind: triage.Vulnerability, Relevance: triage.RelevanceUnknown, KEV: triage.Yes, Impact: triage.ImpactTakeover,
			Exposure: triage.ExposedYes, Automatable: triage.Yes, TechnicalImpact: triage.ImpactOfWhole,
		}, on(2026, 6, 4)),
		Subject: advisory.Subject{
			CVEs:     []string{"CVE-2031-10001"},
			Products: []advisory.Product{{Name: advisory.Words{JA: "Kiso VPN Gateway", EN: "Kiso VPN Gateway"}, Version: "9.1.4"}},
			Slots:    map[string]advisory.Value{"effect": advisory.Words{JA: "外部から機器を完全に操作される", EN: "take full control of the device from outside"}},
		},
		Org:     kiso(),
		Sources: []advisory.Source{{Title: "Kiso VPN Gateway の脆弱性について", Publisher: "Kiso Networks", URL: "https://vendor.example/10001", Published: "2026-06-03"}},
	}
}

// lureFound is a wave of which a mail reached us.
func lureFound(t *testing.T) *advisory.Input {
	return &advisory.Input{
		Decision: decide(t, triage.Facts{
			Kind: triage.Campaign, Relevance: triage.RelevanceExact, Activity: triage.ActivityActive, Proximity: triage.Tenant, Impact: triage.ImpactTakeover,
		}, on(2026, 6, 6)),
		Subject: advisory.Subject{
			Techniques: []string{"qr-phishing", "credential-phishing"},
			Lure:       advisory.Words{JA: "給与明細の確認", EN: "payslip checks"},
			Slots: map[string]advisory.Value{
				"poses":    advisory.Words{JA: "人事部", EN: "the human resources department"},
				"asks_for": advisory.Words{JA: "Microsoft 365 のパスワード", EN: "the password of Microsoft 365"},
			},
		},
		Org:     kiso(),
		Sources: []advisory.Source{{Title: "判定したメール", Publisher: "sekisho"}},
	}
}

func incident(t *testing.T) *advisory.Input {
	return &advisory.Input{
		Template: "incident-notice",
		Decision: decide(t, triage.Facts{Kind: triage.Campaign, Relevance: triage.RelevanceExact, Proximity: triage.Tenant, Impact: triage.ImpactTakeover}, on(2026, 6, 6)),
		Subject: advisory.Subject{Slots: map[string]advisory.Value{
			"what_happened": advisory.Words{JA: "社員のメールアカウントが第三者に使われ、社内と取引先に不審なメールが送られました", EN: "A staff mail account was used by somebody else, and suspicious mail was sent to colleagues and partners"},
			"noticed":       advisory.Day(on(2026, 6, 6)),
			"subject_line":  advisory.Words{JA: "請求書をご確認ください", EN: "Please check the invoice"},
			"status":        advisory.Words{JA: "アカウントは停止済みです", EN: "the account is blocked"},
		}},
		Org: kiso(),
	}
}

func education(t *testing.T) *advisory.Input {
	return &advisory.Input{
		Template: "education",
		Decision: decide(t, triage.Facts{Kind: triage.Info, Relevance: triage.RelevanceExact}, on(2026, 12, 1)),
		Subject: advisory.Subject{Slots: map[string]advisory.Value{
			"theme": advisory.Words{JA: "年末の宅配便を装うメール", EN: "year-end mails that pose as parcel services"},
			"tell":  advisory.Words{JA: "追跡番号がなく、再配達の手続きを急がせる", EN: "there is no tracking number, and it hurries you"},
		}},
		Org: kiso(),
	}
}

// TestGolden writes the whole of each advisory as a person would read it. Read
// them as a one-person IT department when they change.
func TestGolden(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   func(*testing.T) *advisory.Input
	}{
		{"token-theft", tokenTheft},
		{"direct-send", directSend},
		{"direct-send-rejected", directSendRejected},
		{"sender-requirement", senderRequirement},
		{"voice-phishing", voicePhishing},
		{"patch-day", patchDay},
		{"vulnerability", vulnerability},
		{"lure-found", lureFound},
		{"incident", incident},
		{"education", education},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := write(t, tc.in(t))
			for _, l := range []lang.Language{lang.JA, lang.EN} {
				golden(t, filepath.Join("testdata", tc.name+"."+string(l)+".txt"), advisory.Text(d, l, nil))
			}
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; -update rewrites it:\n%s", name, diff)
	}
}
