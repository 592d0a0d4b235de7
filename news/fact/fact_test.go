package fact_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/fact"
)

// may2026 is when the texts of these tests were published.
var may2026 = time.Date(2026, 5, 8, 0, 0, 0, 0, time.UTC)

// write writes a fact on one line, for comparing.
func write(f fact.Fact) string {
	parts := []string{f.Value}
	add := func(ss ...string) {
		for _, s := range ss {
			if s != "" {
				parts = append(parts, s)
			}
		}
	}
	add(string(f.Unit), string(f.Approx), string(f.Claim), f.Place, string(f.Role), f.Zone)
	if f.Hedged {
		add("hedged")
	}
	if f.Negated {
		add("negated")
	}
	return strings.Join(parts, " ")
}

// of returns the facts of one type in a text.
func of(t fact.Type, title, text string) []string {
	facts := fact.Extract(&fact.Input{Title: title, Text: text, Published: may2026}, nil)
	var out []string
	for _, f := range facts.Of(t) {
		out = append(out, write(f))
	}
	return out
}

func TestIdentifiers(t *testing.T) {
	tests := []struct {
		name, text string
		typ        fact.Type
		want       []string
	}{
		{"CVE", "CVE-2025-29824とCVE-2031-1234567、cve-2024-0001。", fact.CVE, []string{"CVE-2025-29824", "CVE-2031-1234567", "CVE-2024-0001"}},
		{"CVEFullWidth", "ＣＶＥ－２０２５－２９８２４", fact.CVE, []string{"CVE-2025-29824"}},
		{"CVENoNumber", "CVE-2025-12 and ACVE-2025-12345 and CVE-2025-123456789", fact.CVE, nil},
		{"KB", "KB5055523、KB 5055528 and kb123", fact.KB, []string{"KB5055523", "KB5055528"}},
		{"Notices", "JVNVU#91234567、JVN#12345678、JVNDB-2031-000123、JPCERT-AT-2031-0012、APSB25-15、ZSB-25012、ICSA-25-100-01、ADV200001", fact.Notice,
			[]string{"JVNVU#91234567", "JVN#12345678", "JVNDB-2031-000123", "JPCERT-AT-2031-0012", "APSB25-15", "ZSB-25012", "ICSA-25-100-01", "ADV200001"}},
		{"Build", "Windows 11 24H2はKB5055523(26100.3775)、10.0.19045.5737", fact.Build, []string{"26100.3775", "19045.5737"}},
		{"Version", "Zoom Workplace 6.4.3、PAN-OS 10.2.18-h4 and WinRAR 8.12 fix it", fact.Version, []string{"6.4.3", "10.2.18-h4", "8.12"}},
		{"VersionNoAddress", "from 192.0.2.10 in 3.5 hours", fact.Version, nil},
		{"Score", "CVSS base score 9.8, CVSSv3スコアは7.5", fact.Score, []string{"9.8", "7.5"}},
		{"Level", "The severity is critical. 深刻度が「緊急」", fact.Level, []string{"critical"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, of(tt.typ, "", tt.text)); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDates(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"Japanese", "2025年4月9日に公開しました。", []string{"2025-04-09 published"}},
		{"JapaneseNoYear", "4月9日に公開しました。", []string{"2026-04-09 published"}},
		{"JapaneseSpaces", "2026 年 3 月 11 日 (米国時間) に公開しました。", []string{"2026-03-11 published 米国時間"}},
		{"JapaneseZone", "マイクロソフトは4月2日(現地時間)、要件を発表しました。", []string{"2026-04-02 published 現地時間"}},
		{"JapaneseWeekday", "5月29日(金)までに適用してください。", []string{"2026-05-29 deadline"}},
		{"JapaneseFrom", "5月5日からSPFを必須とします。", []string{"2026-05-05 effective"}},
		{"JapaneseFromSeen", "4月3日から攻撃が観測されています。", []string{"2026-04-03 observed"}},
		{"JapaneseFromSeenLater", "2025年5月から、70以上の組織が標的になっています。", []string{"2025-05 observed"}},
		{"JapaneseRange", "2026年4月14日から16日にかけて攻撃を確認した。", []string{"2026-04-14/2026-04-16 observed"}},
		{"JapaneseRangeTilde", "4月14日～5月2日に配信された。", []string{"2026-04-14/2026-05-02 observed"}},
		{"JapaneseRangeOfYears", "2025年12月28日から2026年1月4日にかけて攻撃が発生", []string{"2025-12-28/2026-01-04 observed"}},
		{"JapaneseRangeTurnOfYear", "12月28日から1月4日にかけて攻撃が発生", []string{"2025-12-28/2026-01-04 observed"}},
		{"Reiwa", "令和8年5月1日に公表、令和元年10月1日に公表", []string{"2026-05-01 published", "2019-10-01 published"}},
		{"JapaneseMonth", "2025年4月の月例更新", []string{"2025-04 published"}},
		{"JapaneseNone", "3か月間、30日間、11月号、13月1日、2月30日", nil},
		{"ISO", "Released on 2025-04-09, updated 2025/4/10.", []string{"2025-04-09 published", "2025-04-10 published"}},
		{"English", "It was published on April 9, 2025.", []string{"2025-04-09 published"}},
		{"EnglishDayFirst", "It was published on 9 April 2025.", []string{"2025-04-09 published"}},
		{"EnglishShort", "It was released on Apr. 9th.", []string{"2026-04-09 published"}},
		{"EnglishBy", "Apply the update by 5 May 2025.", []string{"2025-05-05 deadline"}},
		{"EnglishUntil", "Agencies have until March 25 to patch.", []string{"2026-03-25 deadline"}},
		{"EnglishDue", "The due date is June 3, 2026.", []string{"2026-06-03 deadline"}},
		{"EnglishFrom", "Starting May 5, 2025, Outlook.com will require DMARC.", []string{"2025-05-05 effective"}},
		{"EnglishBetween", "Between April 14 and 16, 2026, we observed mails.", []string{"2026-04-14/2026-04-16 observed"}},
		{"EnglishRange", "Waves of April 14–16, 2026 were seen.", []string{"2026-04-14/2026-04-16 observed"}},
		{"EnglishDayFirstRange", "From 3 to 6 March 2026 a campaign was observed.", []string{"2026-03-03/2026-03-06 observed"}},
		{"EnglishLongRange", "From 28 April to 3 May 2026 mails were sent.", []string{"2026-04-28/2026-05-03 observed"}},
		{"EnglishTwoYears", "Between December 28, 2025 and January 4, 2026 mails were sent.", []string{"2025-12-28/2026-01-04 observed"}},
		{"EnglishMonth", "Since May 2025 the campaign has gone on.", []string{"2025-05 observed"}},
		{"EnglishTwoDays", "It was seen on April 14 and 16.", []string{"2026-04-14 observed"}},
		{"EnglishNotAMonth", "You may 5 times try; they march 3 miles.", nil},
		{"EnglishNotADate", "Windows 11 24H2, version 6.4.3, 9:30", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, of(fact.Date, "", tt.text)); diff != "" {
				t.Errorf("dates (-want +got):\n%s", diff)
			}
		})
	}
}

// Without a day of publication a date without a year keeps its hole.
func TestDateWithoutYear(t *testing.T) {
	facts := fact.Extract(&fact.Input{Text: "4月9日に公開しました。"}, nil)
	got := facts.Of(fact.Date)
	if len(got) != 1 || got[0].Value != "--04-09" || !got[0].From.IsZero() || got[0].JA != "4月9日" || got[0].EN != "9 April" {
		t.Errorf("dates %+v", got)
	}
	// What is due lies ahead.
	for text, want := range map[string]string{"1月10日までに適用してください。": "2027-01-10", "11月10日に公開しました。": "2026-11-10", "3月10日に公開しました。": "2026-03-10"} {
		facts := fact.Extract(&fact.Input{Text: text, Published: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)}, nil)
		if v := facts.Values(fact.Date); !slices.Equal(v, []string{want}) {
			t.Errorf("%s: %v, want %s", text, v, want)
		}
	}
}

func TestCounts(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"JapanesePeople", "約35,000人のユーザーが標的となった。", []string{"35000 people about targeted"}},
		{"JapaneseTenThousand", "3万5千人が被害、4.2万人に配信", []string{"35000 people compromised", "42000 people received"}},
		{"JapaneseCountries", "世界26カ国・13,000以上の組織が標的", []string{"26 countries", "13000 organizations atleast targeted"}},
		{"JapaneseCountriesSpellings", "5か国、6ヶ国、7ヵ国", []string{"5 countries", "6 countries", "7 countries"}},
		{"JapaneseCompanies", "1,900社に影響が及ぶ可能性がある。", []string{"1900 organizations affected hedged"}},
		{"JapanesePercent", "標的の92%は米国、9割が国内", []string{"92 percent targeted US", "90 percent about targeted JP"}},
		{"JapaneseFlaws", "脆弱性は78件で、うち11件の深刻度が緊急", []string{"78 vulnerabilities", "11 vulnerabilities"}},
		{"JapaneseMails", "1日5,000通以上を送る", []string{"5000 mails atleast"}},
		{"JapaneseMoney", "被害は5億円を超えた", []string{"500000000 yen over"}},
		{"JapaneseDevices", "国内の約1,200台が未対応", []string{"1200 devices about JP"}},
		{"JapaneseNot", "24H2、KB5055523、第3報、10大脅威、2要素認証", nil},
		{"English", "The campaign targeted more than 35,000 users at 13,000 organizations in 26 countries.",
			[]string{"35000 people over targeted", "13000 organizations targeted", "26 countries"}},
		{"EnglishAdjective", "It hit at least 190 Microsoft 365 tenants.", []string{"190 organizations atleast affected"}},
		{"EnglishCompromised", "35K users were compromised.", []string{"35000 people compromised"}},
		{"EnglishMillion", "About 3.5 million accounts were leaked.", []string{"3500000 accounts about leaked"}},
		{"EnglishPercent", "About 92% of the targets were in the United States.", []string{"92 percent about targeted US"}},
		{"EnglishFlaws", "Microsoft fixes 78 flaws, four of them critical, in twelve products.", []string{"78 vulnerabilities fixed", "12 products fixed"}},
		{"EnglishDollars", "Losses passed $4.5 million.", []string{"4500000 dollars"}},
		{"EnglishUpTo", "Up to 1,900 companies may be affected.", []string{"1900 organizations upto affected hedged"}},
		{"EnglishPlus", "500+ organizations were targeted", []string{"500 organizations atleast targeted"}},
		{"EnglishNegated", "No evidence that the 40 customers were compromised.", []string{"40 people compromised negated"}},
		{"EnglishNot", "version 6.4.3 of 2026, port 443, 802.11 and 24/7", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, of(fact.Count, "", tt.text)); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWriteCount(t *testing.T) {
	tests := []struct {
		n      float64
		unit   fact.Unit
		approx fact.Approx
		ja, en string
	}{
		{35000, fact.People, fact.About, "約35,000人", "about 35,000 people"},
		{35000, fact.People, fact.Over, "35,000人以上", "more than 35,000 people"},
		{5000, fact.Mails, fact.AtLeast, "5,000通以上", "at least 5,000 emails"},
		{1, fact.Countries, fact.Exact, "1カ国", "1 country"},
		{92, fact.Percent, fact.About, "約92%", "about 92%"},
		{11, fact.Vulnerabilities, fact.Over, "11件以上の脆弱性", "more than 11 vulnerabilities"},
		{3.5, fact.Percent, fact.Exact, "3.5%", "3.5%"},
		{1900, fact.Organizations, fact.UpTo, "最大1,900組織", "up to 1,900 organizations"},
	}
	for _, tt := range tests {
		if ja, en := fact.WriteCount(tt.n, tt.unit, tt.approx); ja != tt.ja || en != tt.en {
			t.Errorf("%v %s: %q, %q", tt.n, tt.unit, ja, en)
		}
	}
}

func TestStatus(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"JapaneseExploited", "本脆弱性の悪用が確認されています。", []string{"exploited"}},
		{"JapaneseDenied", "現時点で悪用は確認されていません。", []string{"exploited negated"}},
		{"JapaneseMay", "悪用されるおそれがあります。", []string{"exploited hedged"}},
		{"JapaneseIf", "悪用された場合、任意のコードが実行されます。", []string{"exploited hedged"}},
		{"JapanesePoC", "実証コードが公開されています。", []string{"poc"}},
		{"JapaneseOngoing", "被害が相次いでいます。", []string{"ongoing"}},
		{"JapaneseFixed", "修正プログラムを公開しました。", []string{"fixed"}},
		{"EnglishExploited", "The flaw is exploited in the wild.", []string{"exploited"}},
		{"EnglishDenied", "There is no evidence of active exploitation.", []string{"exploited negated"}},
		{"EnglishNotAware", "The vendor is not aware of attacks; it could be exploited.", []string{"exploited hedged"}},
		{"EnglishOtherNegation", "Servers that were not patched are being exploited.", []string{"fixed negated", "exploited"}},
		{"EnglishNotOnly", "It is not only exploited by one group.", []string{"exploited"}},
		{"EnglishPoC", "A proof-of-concept was published.", []string{"poc"}},
		{"JapaneseUnfixed", "本脆弱性は修正されていない。", []string{"unfixed"}},
		{"EnglishUnfixed", "There is no patch.", []string{"unfixed"}},
		{"EnglishEnded", "The campaign has ended.", []string{"ended"}},
		{"OtherClause", "It may allow code execution, and it is exploited in the wild.", []string{"exploited"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := slices.DeleteFunc(of(fact.Status, "", tt.text), func(s string) bool { return strings.HasPrefix(s, fact.Detected) })
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNames(t *testing.T) {
	tests := []struct {
		name, text string
		typ        fact.Type
		want       []string
	}{
		{"Products", "Microsoft 365、ＺｏｏｍＷｏｒｋｐｌａｃｅ、サイボウズ GaroonとFortiGate", fact.Product, []string{"microsoft-365", "zoom", "cybozu-garoon", "fortios"}},
		{"ProductWritten", "the teams zoomed in on windows of opportunity", fact.Product, nil},
		{"ProductInCompound", "マイクロソフトセキュリティ更新プログラム", fact.Product, []string{"microsoft"}},
		{"ProductWholeWord", "ズームイン", fact.Product, nil},
		{"Places", "国内と米国、Germany and the US", fact.Place, []string{"JP", "US", "DE"}},
		{"PlaceNotPronoun", "Contact us in Georgia Tech at 9:00 Japan time (日本時間)", fact.Place, nil},
		{"PlaceDenied", "国内での被害は確認されていません。", fact.Place, []string{"JP negated"}},
		{"PlaceDeniedEnglish", "No attacks in Japan have been seen.", fact.Place, []string{"JP negated"}},
		{"Techniques", "中間者(AiTM)型の偽サインインで認証トークンを窃取。Direct SendとQRコード", fact.Technique, []string{"aitm", "credential-phishing", "token-theft", "direct-send", "qr-phishing"}},
		{"TechniquesEnglish", "Device-code phishing, voice phishing and remote code execution", fact.Technique, []string{"device-code", "phishing", "voice-phishing", "rce"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, of(tt.typ, "", tt.text)); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOwnProducts(t *testing.T) {
	o := &fact.Options{Products: []fact.ProductName{{ID: "own-bank", Group: "bank", JA: "検証銀行", EN: "Kensho Bank", Aliases: []string{"検証銀行", "Kensho Bank"}}}}
	facts := fact.Extract(&fact.Input{Title: "検証銀行をかたる電話", Text: "Callers pretend to be of Kensho Bank."}, o)
	if got := facts.Values(fact.Product); !slices.Equal(got, []string{"own-bank"}) {
		t.Errorf("products %v", got)
	}
}

// The dictionaries are whole: each technique and status has words for drafts.
func TestDictionaries(t *testing.T) {
	ids := map[string]bool{}
	for _, p := range fact.Names() {
		if p.ID == "" || p.JA == "" || p.EN == "" || p.Vendor == "" || p.Group == "" || len(p.Aliases) == 0 || ids[p.ID] {
			t.Errorf("product %+v", p)
		}
		ids[p.ID] = true
		if got := of(fact.Product, "", "「"+strings.TrimPrefix(p.Aliases[0], "=")+"」"); !slices.Equal(got, []string{p.ID}) {
			t.Errorf("%s is found as %v", p.ID, got)
		}
	}
	if len(ids) < 150 {
		t.Errorf("%d products", len(ids))
	}
	text := "AiTM. session token. Direct Send. device code. consent phishing. fake login page. phishing. QR code. vishing. tech support scam. smishing. BEC. account takeover. " +
		"password spray. MFA fatigue. remote code execution. authentication bypass. privilege escalation. deserialization. ransomware. malware. data leak. XSS. SQL injection. CSRF. " +
		"path traversal. DoS. supply chain attack. CAPTCHA. attached PDF. HTML smuggling. ClickFix. typosquatting. internal-looking. thread hijacking. voicemail. " +
		"exploited. PoC. taken down. ongoing. patched. unpatched. workaround. observed."
	for _, f := range fact.Extract(&fact.Input{Text: text}, nil).List {
		if (f.Type == fact.Technique || f.Type == fact.Status) && (f.JA == "" || f.EN == "" || f.JA == f.EN) {
			t.Errorf("%s %s has no words: %q, %q", f.Type, f.Value, f.JA, f.EN)
		}
	}
}

func TestEvidence(t *testing.T) {
	in := &fact.Input{Title: "ＣＶＥ-2031-10001の悪用", Text: "最初の文です。\n約３５，０００人が標的となった。CVE-2031-10001です。", Published: may2026, Snapshot: "sha256:abc"}
	facts := fact.Extract(in, nil)
	quotes := map[string][]string{}
	for _, f := range facts.List {
		for _, e := range f.Evidence {
			if e.Snapshot != in.Snapshot {
				t.Errorf("%s is from %q", f.ID, e.Snapshot)
			}
			quotes[f.Value] = append(quotes[f.Value], fmt.Sprintf("%d %s", e.Sentence, facts.Quote(e)))
		}
	}
	if diff := cmp.Diff([]string{"0 ＣＶＥ-2031-10001", "3 CVE-2031-10001"}, quotes["CVE-2031-10001"]); diff != "" {
		t.Errorf("quotes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"2 約３５，０００人"}, quotes["35000"]); diff != "" {
		t.Errorf("quotes (-want +got):\n%s", diff)
	}
	if facts.List[0].ID != "f1" || facts.Get("f1") != &facts.List[0] || facts.Get("f99") != nil || facts.List[0].By != "extractor:cve/1" {
		t.Errorf("first fact %+v", facts.List[0])
	}
	if q := facts.Quote(fact.Evidence{Sentence: 99}); q != "" {
		t.Errorf("evidence that leads nowhere quotes %q", q)
	}
}

func TestClaimStrength(t *testing.T) {
	if fact.Targeted.Strength() >= fact.Compromised.Strength() || fact.Targeted.Strength() == 0 || fact.ToFix.Strength() != 0 {
		t.Error("targeted is weaker than compromised")
	}
}

// Every fact of a text can be written by the catalogue's dates and counters.
func TestDraftWords(t *testing.T) {
	facts := fact.Extract(&fact.Input{Text: "2026年4月14日から16日にかけて、26カ国の約35,000人が標的となった。5月29日までに対応する。", Published: may2026}, nil)
	var got []lang.Text
	for _, f := range facts.List {
		if f.Type == fact.Date || f.Type == fact.Count {
			got = append(got, lang.Text{JA: f.JA, EN: f.EN})
		}
	}
	want := []lang.Text{
		{JA: "2026年4月14日~16日", EN: "14–16 April 2026"}, {JA: "26カ国", EN: "26 countries"}, {JA: "約35,000人", EN: "about 35,000 people"}, {JA: "2026年5月29日(金)", EN: "Friday, 29 May 2026"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
}

func TestHostileText(t *testing.T) {
	n := 100_000
	for name, s := range map[string]string{
		"Digits":   strings.Repeat("1", n),
		"Numbers":  strings.Repeat("1,", n),
		"Dots":     strings.Repeat("1.", n),
		"Kanji":    strings.Repeat("約3万人", n/4),
		"Months":   strings.Repeat("April 1 - ", n/10),
		"Japanese": strings.Repeat("4月1日から", n/8),
		"CVEs":     strings.Repeat("CVE-2031-10001 ", n/15),
		"Terms":    strings.Repeat("phishing may not ", n/17),
		"Combined": strings.Repeat("a\u0301\u0302", n/5),
		"Commas":   strings.Repeat("悪用、", n/9),
		"Brackets": strings.Repeat("2031年4月1日(", n/16),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			f := fact.Extract(&fact.Input{Text: s, Published: may2026}, nil)
			fact.Read(&fact.Input{Text: s, Published: may2026}, f)
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("%d bytes took %v", len(s), d)
			}
			if len(f.List) > fact.MaxFacts {
				t.Errorf("%d facts", len(f.List))
			}
		})
	}
}

func FuzzExtract(f *testing.F) {
	for _, s := range []string{
		"約3万5千人、26カ国、92%", "Between April 14 and 16, 2026, over 35K users were compromised.", "2026年4月14日から16日、令和8年5月1日(金)まで",
		"CVE-2031-10001 KB5055523 26100.3775 JVNVU#91234567", "悪用は確認されていません", "\xff\xfe\x00", "1.2.3.4.5.6.7", "４月９日～", "May 5 - 5 May", "a\u0301",
	} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, title, text string) {
		in := &fact.Input{Title: title, Text: text, Published: may2026, Snapshot: "sha256:x"}
		facts := fact.Extract(in, nil)
		for i, x := range facts.List {
			if x.ID != fmt.Sprintf("f%d", i+1) || x.Value == "" || len(x.Evidence) == 0 || x.JA == "" || x.EN == "" {
				t.Fatalf("fact %+v", x)
			}
			for _, e := range x.Evidence {
				if facts.Quote(e) == "" {
					t.Fatalf("%s leads to nothing: %+v", x.ID, e)
				}
			}
			if x.Type == fact.Date && x.To.Before(x.From) {
				t.Fatalf("%s ends before it begins", x.Value)
			}
		}
		r := fact.Read(in, facts)
		for _, ids := range r.Because {
			for _, id := range ids {
				if facts.Get(id) == nil {
					t.Fatalf("because of %s, which is no fact", id)
				}
			}
		}
	})
}
