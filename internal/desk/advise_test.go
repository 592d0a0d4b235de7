package desk_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/triage"
)

func adviseDeps(day string, f org.Facts) desk.AdviseDeps {
	return desk.AdviseDeps{Facts: f, Words: lang.Default(), Now: func() time.Time {
		t, err := time.ParseInLocation(time.DateOnly, day, time.FixedZone("JST", 9*3600))
		if err != nil {
			panic(err)
		}
		return t
	}}
}

func article(t *testing.T, text string) *desk.AdviseInput {
	t.Helper()
	in, err := desk.ReadArticle([]byte(text), "article.txt", lang.Default())
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// What a text says of the matter reaches the advisory with what it counts and
// claims; the updates stay with their products.
func TestAdviseFacts(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "examples", "news", "windows-april.ja.txt"))
	if err != nil {
		t.Fatal(err)
	}
	doc, _, err := desk.Advise(article(t, string(data)), adviseDeps("2025-04-09", org.Facts{Products: org.Of([]string{"windows-11"})}))
	if err != nil {
		t.Fatal(err)
	}
	admin := doc.Draft(advisory.Admin, lang.EN).BodyText
	for _, want := range []string{"KB5055518", "19045.5737", "KB5055528", "22631.5189", "KB5055523", "26100.3775", "CVE-2025-29824"} {
		if !strings.Contains(admin, want) {
			t.Errorf("no %s in the administrators' mail", want)
		}
	}
	if i, j := strings.Index(admin, "22631.5189"), strings.Index(admin, "KB5055528"); i < j {
		t.Error("a build stands with another update")
	}
}

func TestRelevance(t *testing.T) {
	const (
		vpn   = "Flaw in FortiOS exploited\n\n4 May 2026. A vulnerability in FortiOS, CVE-2031-10001, is exploited in the wild."
		mail  = "Campaign against Microsoft 365\n\n4 May 2026. An adversary-in-the-middle campaign takes session tokens of Microsoft 365 users. It is ongoing."
		voice = "銀行をかたる自動音声電話\n\n2025年3月31日 木曽信用金庫を名乗るボイスフィッシングが続いています。"
	)
	none, m365 := org.Facts{}, org.Facts{Products: org.Of([]string{"microsoft-365"})}
	for _, tc := range []struct {
		name, text string
		facts      org.Facts
		want       triage.Relevance
	}{
		{"NobodySaid", vpn, none, triage.RelevanceUnknown},
		{"NotOurs", vpn, m365, triage.RelevanceNone},
		{"Ours", vpn, org.Facts{Products: org.Of([]string{"fortios"})}, triage.RelevanceExact},
		{"Suite", mail, m365, triage.RelevanceExact},
		{"OtherSuite", mail, org.Facts{Products: org.Of([]string{"linux"})}, triage.RelevanceNone},
		{"OurBank", voice, org.Facts{Banks: org.Of([]string{"木曽信用金庫"})}, triage.RelevanceExact},
		{"OtherBank", voice, org.Facts{Banks: org.Of([]string{"鳥居銀行"})}, triage.RelevanceCategory},
		{"NoBank", voice, none, triage.RelevanceUnknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := article(t, tc.text)
			deps := adviseDeps("2026-05-08", tc.facts)
			g, err := desk.Grade(&in.Items[0], "", nil, &deps)
			if err != nil {
				t.Fatal(err)
			}
			if got := g.Decision.Facts.Relevance; got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// A correction of a person comes before what was read.
func TestCorrections(t *testing.T) {
	in := article(t, "Campaign against Microsoft 365\n\n4 May 2026. A phishing campaign takes session tokens of Microsoft 365 users.")
	in.Corrections = desk.Corrections{Proximity: triage.Tenant, Lure: "決算報告", Slots: map[string]string{"poses": "経営企画部"}}
	doc, g, err := desk.Advise(in, adviseDeps("2026-05-08", org.Facts{}))
	if err != nil {
		t.Fatal(err)
	}
	if g.Decision.Grade != triage.A || g.Decision.Row != "R02" {
		t.Errorf("got %s by %s", g.Decision.Grade, g.Decision.Row)
	}
	if text := doc.Draft(advisory.Staff, lang.JA).BodyText; !strings.Contains(text, "決算報告") {
		t.Errorf("no pretext in %s", text)
	}
}

func TestReadVerdicts(t *testing.T) {
	one := `{"schema":"sekisho.verdict/v1","file":"a.eml","verdict":"malicious","score":90,"subject":"至急"}`
	for _, tc := range []struct {
		name, data string
		n          int
		ok, fails  bool
	}{
		{"One", one, 1, true, false},
		{"Lines", one + "\n" + one + "\n", 2, true, false},
		{"Array", "[" + one + "," + one + "]", 2, true, false},
		{"Article", "news", 0, false, false},
		{"OtherJSON", `{"schema":"sekisho.auth/v1"}`, 0, false, false},
		{"Cut", one[:len(one)-4], 0, true, true},
		{"Empty", "", 0, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			list, ok, err := desk.ReadVerdicts([]byte(tc.data))
			if diff := cmp.Diff([]any{tc.n, tc.ok, tc.fails}, []any{len(list), ok, err != nil}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// An advisory from our own mail quotes the findings in the reader's language, and
// not the reason again.
func TestVerdictExcerpts(t *testing.T) {
	in := article(t, `{"schema":"sekisho.verdict/v1","file":"a.eml","verdict":"malicious","score":90,"subject":"至急","reason":{"ja":"差出人の名前が偽装されています。","en":"The sender's name is forged."},`+
		`"findings":[{"rule":{"id":"a"},"title":{"ja":"差出人の名前が偽装されています。","en":"The sender's name is forged."}},{"rule":{"id":"b"},"title":{"ja":"リンク先が表示と異なります","en":"A link leads elsewhere"}}]}`)
	doc, _, err := desk.Advise(in, adviseDeps("2026-05-08", org.Facts{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		in        lang.Language
		has, hasn string
	}{
		{lang.JA, "リンク先が表示と異なります", "A link leads elsewhere"},
		{lang.EN, "A link leads elsewhere", "リンク先が表示と異なります"},
	} {
		_, rows := advisory.Card(doc, tc.in, lang.Default())
		var quotes []string
		for _, r := range rows {
			for _, x := range r.Lines {
				if strings.Contains(x, tc.has) || strings.Contains(x, tc.hasn) || strings.Contains(x, "forged") || strings.Contains(x, "偽装されて") {
					quotes = append(quotes, x)
				}
			}
		}
		if len(quotes) != 1 || !strings.Contains(quotes[0], tc.has) {
			t.Errorf("%s: %q", tc.in, quotes)
		}
	}
}

func TestHarmlessVerdict(t *testing.T) {
	clean := `{"schema":"sekisho.verdict/v1","file":"a.eml","verdict":"clean"}`
	if _, err := desk.ReadArticle([]byte(clean), "v.json", lang.Default()); err == nil {
		t.Error("an advisory about a clean mail")
	}
}

func FuzzReadArticle(f *testing.F) {
	f.Add([]byte(`{"schema":"sekisho.verdict/v1","file":"a.eml","verdict":"malicious","score":90,"subject":"x"}`))
	f.Add([]byte("<html><h1>Title</h1><p>On 4 May 2026 35,000 users were targeted.</p></html>"))
	f.Add([]byte("Title\n\nText with CVE-2031-10001 and KB5055523 (26100.3775)."))
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := desk.ReadArticle(data, "x", lang.Default())
		if err != nil {
			return
		}
		if _, _, err := desk.Advise(in, adviseDeps("2026-05-08", org.Facts{})); err != nil {
			t.Error(err)
		}
	})
}
