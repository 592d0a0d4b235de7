package digest_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/width"

	"github.com/sekisho/sekisho/advisory/digest"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/feed"
	packs "github.com/sekisho/sekisho/packs/patch"
	"github.com/sekisho/sekisho/patch"
	"github.com/sekisho/sekisho/patch/calendar"
	"github.com/sekisho/sekisho/triage"
)

var jst = time.FixedZone("JST", 9*60*60)

func day(s string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, s, jst)
	if err != nil {
		panic(err)
	}
	return t
}

func article(key, title, text string) *news.Item {
	return &news.Item{
		ID: news.NewItemID("test", key), Source: "test", Key: key, Kind: news.Article, Title: title, Text: text, Lang: news.LanguageOf(title + text),
		Link: "https://news.example/" + key, Published: day("2026-05-12"), Snapshot: news.Snapshot([]byte(text)),
	}
}

func entry(items ...*news.Item) digest.Entry {
	e := digest.Entry{ID: string(items[0].ID)}
	for _, it := range items {
		e.Sources = append(e.Sources, digest.Publication{Item: it, Publisher: "Example News"})
	}
	return e
}

const (
	faxText = "攻撃者は自動音声の電話(ボイスフィッシング)で木曽信用金庫を名乗り、暗証番号を聞き出します。国内の35社が2026年5月8日までに被害を届け出ました。金融機関が電話で暗証番号を聞くことはありません。"
	faxEN   = "Callers with an automated voice (voice phishing) pretend to be Kiso Credit Union and ask for the PIN. By 8 May 2026, 35 companies in Japan had reported losses. Banks never ask for a PIN on the telephone."
)

func input(entries ...digest.Entry) *digest.Input {
	return &digest.Input{Number: 7, From: day("2026-05-01"), To: day("2026-05-31"), Now: day("2026-06-01").Add(9 * time.Hour), Entries: entries}
}

func make1(t *testing.T, in *digest.Input) *digest.Issue {
	t.Helper()
	x, err := digest.New(in)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func codes(x *digest.Issue) []string {
	out := []string{}
	for _, o := range x.Open {
		out = append(out, fmt.Sprintf("%d %s", o.Item, o.Code))
	}
	return out
}

// Each edition quotes the sources in its own language, word for word.
func TestQuotes(t *testing.T) {
	ja, en := article("ja", "信用金庫をかたる自動音声の電話", faxText), article("en", "Automated calls in the name of a credit union", faxEN)
	x := make1(t, input(entry(ja, en)))
	it := &x.Items[0]
	for _, l := range []lang.Language{lang.JA, lang.EN} {
		list := append([]digest.Point{it.Headline.In(l)}, it.Points.In(l)...)
		if len(list) < 3 {
			t.Errorf("%s: only %d sentences", l, len(list))
		}
		for _, p := range list {
			src := []*news.Item{ja, en}[p.Source-1]
			if p.Lang != l || src.Lang != l || p.By != digest.BySource || !strings.Contains(src.Title+"\n"+src.Text, p.Text) {
				t.Errorf("%s: %+v", l, p)
			}
		}
	}
	if d := cmp.Diff([]string{"1 no-commentary"}, codes(x)); d != "" {
		t.Error(d)
	}
}

// What is in one language only is quoted in it, marked, and told to whoever
// approves.
func TestOtherLanguage(t *testing.T) {
	x := make1(t, input(entry(article("ja", "信用金庫をかたる自動音声の電話", faxText))))
	if d := cmp.Diff([]string{"1 no-commentary", "1 other-language"}, codes(x)); d != "" {
		t.Error(d)
	}
	if s := x.Text(lang.EN); !strings.Contains(s, "[quoted in Japanese]") {
		t.Error(s)
	}
	if s := x.Text(lang.JA); strings.Contains(s, "原文]") {
		t.Error(s)
	}
}

// What a person writes is held against the sources.
func TestEditor(t *testing.T) {
	for _, tc := range []struct {
		name, point string
		problem     bool
	}{
		{"Translation", "By 8 May 2026, 35 companies in Japan had reported losses.", false},
		{"WrongNumber", "By 8 May 2026, 350 companies in Japan had reported losses.", true},
		{"WrongDate", "By 18 May 2026, 35 companies in Japan had reported losses.", true},
		{"Invented", "The callers are from Northland and also stole CVE-2026-99999.", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := entry(article("ja", "信用金庫をかたる自動音声の電話", faxText))
			e.Headline.EN = "Automated calls in the name of a credit union"
			e.Points.EN = []string{tc.point}
			x := make1(t, input(e))
			p := x.Items[0].Points.EN[0]
			if p.By != digest.ByEditor || p.Text != tc.point || (len(p.Problems) > 0) != tc.problem {
				t.Errorf("%+v", p)
			}
			told := slices.ContainsFunc(x.Open, func(o digest.Open) bool {
				return o.Code == digest.Unsupported && strings.Contains(o.Text.EN, tc.point)
			})
			if told != tc.problem {
				t.Errorf("%v", x.Open)
			}
		})
	}
}

// A source that may be quoted in short passages only is not quoted in longer
// ones.
func TestQuoteLimit(t *testing.T) {
	e := entry(article("en", "Automated calls", faxEN+" "+strings.Repeat("The caller goes on and on about the frozen account ", 4)+"."))
	e.Sources[0].Longest = 60
	x := make1(t, input(e))
	for _, p := range x.Items[0].Points.EN {
		if n := len([]rune(p.Text)); n > 60 || p.Cut != strings.HasSuffix(p.Text, "…") {
			t.Errorf("%d characters: %+v", n, p)
		}
	}
	if len(x.Items[0].Points.EN) == 0 {
		t.Error("nothing was quoted")
	}
}

func TestCommentary(t *testing.T) {
	e := entry(article("ja", "信用金庫をかたる自動音声の電話", faxText), article("en", "Automated calls", faxEN))
	for _, tc := range []struct {
		name string
		in   map[string]digest.Commentary
		open []string
		says string
		err  error
	}{
		{"None", nil, []string{"1 no-commentary"}, "", nil},
		{"ByNumber", map[string]digest.Commentary{"1": {By: lang.Text{JA: "山田", EN: "Yamada"}, JA: "経理の方は特にご注意ください。", EN: "Accounts should take care."}}, []string{}, "経理の方", nil},
		{"ByID", map[string]digest.Commentary{e.ID: {By: lang.Text{JA: "山田", EN: "Yamada"}, JA: "経理の方は特にご注意ください。", EN: "Accounts should take care."}}, []string{}, "経理の方", nil},
		{"OneLanguage", map[string]digest.Commentary{"1": {By: lang.Text{JA: "山田"}, JA: "経理の方は特にご注意ください。"}}, []string{"1 one-commentary"}, "経理の方", nil},
		{"Unsigned", map[string]digest.Commentary{"1": {JA: "経理の方は特にご注意ください。", EN: "Accounts should take care."}}, []string{"1 unsigned"}, "経理の方", nil},
		{"NumberOfNobody", map[string]digest.Commentary{"1": {By: lang.Text{JA: "山田", EN: "Yamada"}, JA: "国内の900社が被害を届け出ました。", EN: "Accounts should take care."}}, []string{"1 unsupported"}, "900社", nil},
		{"NoSuchItem", map[string]digest.Commentary{"2": {JA: "x"}}, nil, "", digest.ErrCommentary},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(e)
			in.Commentary = tc.in
			x, err := digest.New(in)
			if !errors.Is(err, tc.err) {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			if d := cmp.Diff(tc.open, codes(x)); d != "" {
				t.Error(d)
			}
			s := x.Text(lang.JA)
			if strings.Contains(s, "■ 所感") != (tc.says != "") || !strings.Contains(s, tc.says) {
				t.Error(s)
			}
		})
	}
}

// Facts to comment on are facts: no offer says more than a fact of a source.
func TestOffers(t *testing.T) {
	in := input(entry(article("ja", "Outlook.comの送信者要件", "マイクロソフトはOutlook.comへ1日5,000通以上送るドメインに、2026年6月5日からSPFとDKIMとDMARCを必須にします。対応は2026年6月4日までに終える必要があります。")))
	in.OurProducts = []string{"outlook"}
	x := make1(t, in)
	var got []string
	for _, o := range x.Items[0].Offers {
		got = append(got, o.Kind)
	}
	for _, want := range []string{"ours", "effective", "count"} {
		if !slices.Contains(got, want) {
			t.Errorf("no %s in %v", want, got)
		}
	}
	if s := x.Text(lang.JA) + x.Markdown(lang.JA); strings.Contains(s, "自社で利用") {
		t.Error("offers are printed")
	}
}

func TestOpen(t *testing.T) {
	old := article("ja", "信用金庫をかたる自動音声の電話", faxText)
	old.Published = day("2025-01-10")
	e := entry(old)
	e.Sources[0].Publisher = ""
	e.Sources = append(e.Sources, digest.Publication{URL: "https://other.example/a", Published: day("2025-01-10")}, digest.Publication{Title: "書籍", Publisher: "例示社"})
	e.Headline.EN, e.Points.EN = "Automated calls in the name of a credit union", []string{"By 8 May 2026, 35 companies in Japan had reported losses."}
	in := input(e)
	in.LeftOut = 3
	x := make1(t, in)
	want := []string{"1 no-commentary", "1 no-publisher", "1 unread", "1 no-publisher", "1 unread", "1 no-date", "0 left-out"}
	if d := cmp.Diff(want, codes(x)); d != "" {
		t.Error(d)
	}
	e.Sources = e.Sources[:2]
	if x := make1(t, input(e)); !slices.Contains(codes(x), "1 out-of-period") {
		t.Error(codes(x))
	}
}

func TestRelated(t *testing.T) {
	past := func(n int, items ...digest.Entry) *digest.Issue {
		in := input(items...)
		in.Number, in.Now = n, day("2026-01-05").AddDate(0, n, 0)
		return make1(t, in)
	}
	voice := entry(article("voice", "Automated calls in the name of a credit union", faxEN))
	other := entry(article("other", "A bank warns of calls", "Automated calls (vishing) ask customers of Northwind Bank for their password."))
	cve := entry(article("cve", "Northwind Gateway has a hole", "CVE-2026-10001 in Northwind Gateway is exploited in attacks."))
	cve2 := entry(article("cve2", "Attacks on gateways go on", "CVE-2026-10001 is now used by two groups."))
	topic := entry(article("topic", "Outlook.com sender requirements for bulk mail", "Nothing much happened."))
	topic2 := entry(article("topic2", "Bulk mail: Outlook.com sender requirements tightened", "Somebody wrote a comment."))
	plain := entry(article("plain", "Weather", "It rained on Tuesday in the mountains."))
	for _, tc := range []struct {
		name    string
		earlier []*digest.Issue
		now     digest.Entry
		want    []string
	}{
		{"SameStory", []*digest.Issue{past(1, plain, voice)}, voice, []string{"1/2 same-story"}},
		{"SameTechnique", []*digest.Issue{past(1, voice)}, other, []string{"1/1 same-technique"}},
		{"SameCVE", []*digest.Issue{past(2, cve)}, cve2, []string{"2/1 same-cve"}},
		{"SameTopic", []*digest.Issue{past(2, topic)}, topic2, []string{"2/1 same-topic"}},
		{"NewestFirst", []*digest.Issue{past(1, voice), past(2, other), past(3, cve)}, other, []string{"2/1 same-story", "1/1 same-technique"}},
		{"Nothing", []*digest.Issue{past(1, voice, cve, topic)}, plain, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(tc.now)
			in.Earlier = tc.earlier
			x := make1(t, in)
			var got []string
			for _, r := range x.Items[0].SeeAlso {
				got = append(got, fmt.Sprintf("%d/%d %s", r.Issue, r.Item, r.Relation))
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
			if strings.Contains(x.Text(lang.EN), "See also") != (tc.want != nil) {
				t.Error(x.Text(lang.EN))
			}
		})
	}
}

// The header turns: what was used least lately comes next, and nothing comes
// again before the rest had its turn.
func TestAdvice(t *testing.T) {
	var earlier []*digest.Issue
	used := map[string]int{}
	for n := 1; n <= 8; n++ {
		in := input(entry(article("en", "Automated calls", faxEN)))
		in.Number, in.From, in.To, in.Now = n, day("2026-05-01"), day("2026-05-31"), day("2026-05-01").AddDate(0, 0, n)
		in.Earlier = earlier
		x := make1(t, in)
		if len(x.Advice) != 3 || x.Advice[0].ID != "updates" {
			t.Fatalf("issue %d: %+v", n, x.Advice)
		}
		for _, a := range x.Advice[1:] {
			if was := used[a.ID]; was > 0 && n <= 6 {
				t.Errorf("%s is in issue %d and again in %d", a.ID, was, n)
			}
			if want := used[a.ID] > 0; (a.LastUsed != "") != want {
				t.Errorf("issue %d: %s was last used %q", n, a.ID, a.LastUsed)
			}
			used[a.ID] = n
		}
		earlier = append(earlier, x)
	}
	in := input(entry(article("en", "Automated calls", faxEN)))
	in.From = day("2026-12-01")
	in.To, in.Now = day("2026-12-31"), day("2026-12-31")
	if x := make1(t, in); x.Advice[1].ID != "holidays" {
		t.Errorf("December has no advice of the season: %+v", x.Advice)
	}
}

func TestChoose(t *testing.T) {
	c := func(id string, g triage.Grade, sources, hours int) digest.Candidate {
		return digest.Candidate{ID: id, Grade: g, Sources: sources, Last: day("2026-05-08").Add(time.Duration(hours) * time.Hour)}
	}
	roundup := c("r", triage.A, 9, 9)
	roundup.Roundup = true
	for _, tc := range []struct {
		name string
		list []digest.Candidate
		most int
		want string
		left int
	}{
		{"GradeFirst", []digest.Candidate{c("c", triage.C, 5, 5), c("a", triage.A, 1, 1), c("b", triage.B, 1, 1)}, 6, "a b c", 0},
		{"ThenSourcesThenTime", []digest.Candidate{c("old", triage.B, 1, 1), c("new", triage.B, 1, 2), c("many", triage.B, 3, 0)}, 6, "many new old", 0},
		{"InformationFillsUp", []digest.Candidate{c("d1", triage.D, 1, 1), c("d2", triage.D, 1, 2), c("d3", triage.D, 1, 3), c("a", triage.A, 1, 1)}, 6, "a d3 d2", 1},
		{"Most", []digest.Candidate{c("a", triage.A, 1, 1), c("b", triage.B, 1, 1)}, 1, "a", 1},
		{"RoundupFillsUp", []digest.Candidate{roundup, c("c", triage.C, 1, 1)}, 6, "r c", 0},
		{"RoundupIsLast", []digest.Candidate{roundup, c("a", triage.A, 1, 1), c("b", triage.B, 1, 1), c("c", triage.C, 1, 1)}, 6, "a b c", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			chosen, left := digest.Choose(tc.list, tc.most)
			var ids []string
			for _, x := range chosen {
				ids = append(ids, x.ID)
			}
			if got := strings.Join(ids, " "); got != tc.want || left != tc.left {
				t.Errorf("%s, %d left", got, left)
			}
		})
	}
}

func facts(t testing.TB, more ...*patch.Facts) (*patch.Book, *calendar.Calendar) {
	t.Helper()
	f, err := patch.ParseFacts(packs.Facts())
	if err != nil {
		t.Fatal(err)
	}
	c, err := calendar.Parse(packs.Calendar())
	if err != nil {
		t.Fatal(err)
	}
	return patch.NewBook(append([]*patch.Facts{f}, more...)...), c
}

func april(t *testing.T, from, to, now string, more ...*patch.Facts) *digest.Issue {
	t.Helper()
	in := &digest.Input{Number: 1, From: day(from), To: day(to), Now: day(now).Add(9 * time.Hour)}
	in.Book, in.Calendar = facts(t, more...)
	return make1(t, in)
}

func TestUpdates(t *testing.T) {
	x := april(t, "2025-04-01", "2025-04-30", "2025-05-01")
	u := x.Updates
	var rows []string
	for _, r := range u.Rows {
		rows = append(rows, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s", r.Product, r.KB, r.Version, strings.Join(r.Exploited, " "))), " "))
	}
	want := []string{
		"Windows 10 22H2 KB5055518 19045.5737 CVE-2025-29824",
		"Windows 11 22H2 KB5055528 22621.5189 CVE-2025-29824",
		"Windows 11 23H2 KB5055528 22631.5189 CVE-2025-29824",
		"Windows 11 24H2 KB5055523 26100.3775 CVE-2025-29824",
		"Windows Server 2019 KB5055519 17763.7136 CVE-2025-29824",
		"Windows Server 2022 KB5055526 20348.3453 CVE-2025-29824",
		"Windows Server 2025 KB5055523 26100.3775 CVE-2025-29824",
		"Java 8 8.0.451", "Java 11 11.0.27", "Java 17 17.0.15", "Java 21 21.0.7", "Java 24 24.0.1", "Zoom Workplace 6.4.3",
	}
	if d := cmp.Diff(want, rows); d != "" {
		t.Error(d)
	}
	if c := u.Counts[0]; c.There != "2025-04-08" || c.Here != "2025-04-09" || c.Critical != 11 || !strings.Contains(c.Population.JA, "Azure Linux") || len(c.Exploited) != 1 {
		t.Errorf("%+v", c)
	}
	var kinds []string
	for _, c := range u.Cautions {
		kinds = append(kinds, c.Kind+" "+strings.Join(c.Products, ", "))
	}
	if d := cmp.Diff([]string{"known-problem Windows 10 22H2 KB5055518, Windows 11 23H2 KB5055528, Windows 11 24H2 KB5055523", "automatic-update Zoom Workplace"}, kinds); d != "" {
		t.Error(d)
	}
	var unknown, next []string
	for _, d := range u.Unknown {
		unknown = append(unknown, d.Vendor)
	}
	for _, d := range u.Next {
		next = append(next, d.Vendor+" "+d.Here)
	}
	if !slices.Contains(unknown, "Adobe") || slices.Contains(unknown, "Oracle") || !slices.Contains(next, "Microsoft 2025-05-14") {
		t.Error(unknown, next)
	}
	for _, l := range []lang.Language{lang.JA, lang.EN} {
		page, err := x.HTML(l)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{page, x.Text(l), x.Markdown(l)} {
			for _, s := range []string{"KB5055518", "19045.5737", "KB5055528", "22631.5189", "KB5055523", "26100.3775", "6.4.3", "CVE-2025-29824", "Azure Linux", "inetpub"} {
				if !strings.Contains(form, s) {
					t.Errorf("%s lacks %s", l, s)
				}
			}
			if at := strings.Index(form, "CVE-2025-29824"); at > strings.Index(form, "Azure Linux") {
				t.Error("what is exploited does not come first")
			}
		}
	}
}

func TestUpdatesInTime(t *testing.T) {
	for _, tc := range []struct {
		name, from, to, now string
		rows                int // -1: no part about updates
		next                string
	}{
		{"OracleIsToCome", "2025-04-01", "2025-04-11", "2025-04-11", 8, "Oracle 2025-04-16"},
		{"BeforeTheDay", "2025-04-01", "2025-04-30", "2025-04-08", 1, ""},
		{"NothingKnown", "2025-04-17", "2025-04-20", "2025-05-01", -1, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(entry(article("en", "Automated calls", faxEN)))
			in.From, in.To, in.Now = day(tc.from), day(tc.to), day(tc.now).Add(9*time.Hour)
			in.Book, in.Calendar = facts(t)
			x := make1(t, in)
			if x.Updates == nil {
				if tc.rows >= 0 {
					t.Error("no updates")
				}
				return
			}
			if len(x.Updates.Rows) != tc.rows {
				t.Errorf("%d rows: %+v", len(x.Updates.Rows), x.Updates.Rows)
			}
			for _, d := range x.Updates.Next {
				if d.Vendor+" "+d.Here == tc.next {
					return
				}
			}
			if tc.next != "" {
				t.Errorf("%+v", x.Updates.Next)
			}
		})
	}
}

// Sources that disagree are shown, and whoever approves is told.
func TestDisagree(t *testing.T) {
	d, _ := patch.ParseDate("2025-04-08")
	other := &patch.Facts{
		Schema: patch.Schema, Sources: []patch.Source{{ID: "other", Name: "Other", AsOf: d}},
		Releases: []patch.Release{{Product: "windows", Branch: "26100", Version: "26100.3999", KB: "KB5055523", Date: d, Kind: patch.Security, Sources: []string{"other"}}},
	}
	x := april(t, "2025-04-01", "2025-04-30", "2025-05-01", other)
	if !slices.ContainsFunc(x.Open, func(o digest.Open) bool { return o.Code == digest.Disagree }) {
		t.Errorf("%v", codes(x))
	}
	if s := x.Text(lang.EN); !strings.Contains(s, "26100.3775") || !strings.Contains(s, "26100.3999") {
		t.Error(s)
	}
}

// A planned day of which nothing is known is said in print.
func TestOldFacts(t *testing.T) {
	in := &digest.Input{Number: 1, From: day("2027-03-01"), To: day("2027-03-31"), Now: day("2027-04-01")}
	in.Book, in.Calendar = facts(t)
	x := make1(t, in)
	if len(x.Missing) == 0 || !strings.Contains(x.Text(lang.JA), "2027年3月9日(火)のMicrosoftの更新の内容が手元にない") {
		t.Error(x.Text(lang.JA))
	}
}

// The item that tells of the updates has their list; without one, the list has a
// number of its own.
func TestTeller(t *testing.T) {
	tells := entry(article("tells", "Monthly updates", "Windows 11 24H2 gets KB5055523 (build 26100.3775) and all should install it."))
	for _, tc := range []struct {
		name         string
		list         []digest.Entry
		item, number int
	}{
		{"Told", []digest.Entry{entry(article("en", "Automated calls", faxEN)), tells}, 2, 2},
		{"Own", []digest.Entry{entry(article("en", "Automated calls", faxEN))}, 0, 2},
		{"Alone", nil, 0, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(tc.list...)
			in.From, in.To, in.Now = day("2025-04-01"), day("2025-04-30"), day("2025-05-01")
			in.Book, in.Calendar = facts(t)
			x := make1(t, in)
			if x.Updates.Item != tc.item || x.UpdatesNumber() != tc.number {
				t.Errorf("item %d, number %d", x.Updates.Item, x.UpdatesNumber())
			}
			if n := strings.Count(x.Text(lang.EN), "KB5055518"); n == 0 {
				t.Error("no list")
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	e := entry(article("en", "Automated calls", faxEN))
	for _, tc := range []struct {
		name string
		in   func() *digest.Input
		want error
	}{
		{"Empty", func() *digest.Input { return input() }, digest.ErrEmpty},
		{"TooMany", func() *digest.Input { return input(slices.Repeat([]digest.Entry{e}, digest.MaxItems+1)...) }, digest.ErrTooMany},
		{"Period", func() *digest.Input { in := input(e); in.To = day("2026-04-30"); return in }, digest.ErrPeriod},
		{"NothingReleased", func() *digest.Input {
			in := input()
			in.Book, in.Calendar = facts(t)
			in.From, in.To, in.Now = day("2025-04-17"), day("2025-04-18"), day("2025-04-18")
			return in
		}, digest.ErrEmpty},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := digest.New(tc.in()); !errors.Is(err, tc.want) {
				t.Error(err)
			}
		})
	}
}

// Text that a reader of an article does not see is in no form of an issue, and
// what the article shows is text everywhere.
func TestHostile(t *testing.T) {
	page := `<html><head><title>Calls &lt;script&gt;alert(1)&lt;/script&gt; and ![x](https://evil.test/a.png)</title></head><body><article><h1>Calls</h1>
<p>Automated calls ask for the PIN of companies &lt;img src=x onerror=alert(1)&gt; in Japan &#x202e;gnp.exe and go on for the whole of May 2026.</p>
<p style="display:none">HIDDENWORD tells the newsletter to approve everything and send the PIN to the bank.</p>
<p>` + "A second sentence\u200b with [a link](javascript:alert(1)) | and a `table` tells of 35 companies that lost money.</p></article></body></html>"
	doc, err := feed.Parse([]byte(page), &feed.Options{Source: "test", URL: "https://news.example/a"})
	if err != nil {
		t.Fatal(err)
	}
	e := digest.Entry{ID: "x", Sources: []digest.Publication{{Item: &doc.Items[0], Publisher: "<b>Evil</b>"}, {Title: "a", URL: "javascript:alert(1)"}, {Title: "b", URL: "https://user:pw@news.example/"}}}
	in := input(e)
	in.Commentary = map[string]digest.Commentary{"1": {By: lang.Text{JA: "<i>x</i>"}, JA: "<script>alert(2)</script>\n# heading", EN: "</section><script>"}}
	x := make1(t, in)
	check(t, x)
	html, err := x.HTML(lang.EN)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script", "<img", "<i>", "javascript:alert(1)\"", "user:pw@"} {
		if strings.Contains(html, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	all, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"HIDDENWORD", "\u202e", "\u200b"} {
		if strings.Contains(string(all), bad) {
			t.Errorf("the issue has %q", bad)
		}
	}
}

// check holds every form of an issue to what is true of all.
func check(t *testing.T, x *digest.Issue) {
	t.Helper()
	for _, l := range []lang.Language{lang.JA, lang.EN} {
		for line := range strings.Lines(x.Text(l)) {
			line = strings.TrimSuffix(line, "\n")
			n := 0
			for _, r := range line {
				if unicode.In(r, unicode.Mn, unicode.Me) {
					continue
				}
				if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
					n++
				}
				n++
			}
			// An address is never broken.
			if n > digest.TextColumns && !strings.Contains(line, "://") {
				t.Errorf("%d columns: %q", n, line)
			}
		}
		html, err := x.HTML(l)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"<script", "ZgotmplZ", "<iframe", "src="} {
			if strings.Contains(strings.ReplaceAll(html, "&lt;", ""), "<"+strings.TrimPrefix(bad, "<")) {
				t.Errorf("the page has %s", bad)
			}
		}
		rss, err := x.RSS(l, "https://kiso-works.example/")
		if err != nil {
			t.Fatal(err)
		}
		var feed struct {
			Items []struct {
				Title string `xml:"title"`
				Body  string `xml:"description"`
			} `xml:"channel>item"`
		}
		if err := xml.Unmarshal([]byte(rss), &feed); err != nil || len(feed.Items) < len(x.Items) {
			t.Errorf("RSS: %v, %d items", err, len(feed.Items))
		}
		for _, it := range feed.Items {
			if strings.Contains(it.Body, "<script") || strings.Contains(it.Body, "<img") {
				t.Errorf("the feed has %s", it.Body)
			}
		}
	}
}

// The feed is one that our own reader takes.
func TestRSS(t *testing.T) {
	x := make1(t, input(entry(article("ja", "信用金庫をかたる自動音声の電話", faxText)), entry(article("en", "Automated calls", faxEN))))
	rss, err := x.RSS(lang.JA, "https://kiso-works.example/")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := feed.Parse([]byte(rss), &feed.Options{Source: "own", Want: feed.Feed})
	if err != nil {
		t.Fatal(err)
	}
	if len(doc.Items) != 2 || len(doc.Defects) != 0 || doc.Items[0].Link != "https://news.example/ja" || doc.Items[0].Published.Format(time.DateOnly) != "2026-06-01" {
		t.Errorf("%v %+v", doc.Defects, doc.Items)
	}
}

// The same input gives the same bytes.
func TestStable(t *testing.T) {
	in := input(entry(article("ja", "信用金庫をかたる自動音声の電話", faxText), article("en", "Automated calls", faxEN)))
	in.Book, in.Calendar = facts(t)
	a, b := make1(t, in), make1(t, in)
	if a.ID != b.ID || a.Text(lang.JA) != b.Text(lang.JA) {
		t.Error("two issues from one input differ")
	}
	in.Title = lang.Text{JA: "別名", EN: "Other"}
	if c := make1(t, in); c.ID == a.ID {
		t.Error("another title has the same id")
	}
}

func FuzzNew(f *testing.F) {
	f.Add("信用金庫をかたる自動音声の電話", faxText, "所感です。")
	f.Add("Automated calls", faxEN, "Take care.\n\n# 1. x")
	f.Add("<b>\u202e", "a https://x.test/"+strings.Repeat("y", 200)+" 。」)…\x00\n|_*`", strings.Repeat("長", 300))
	f.Fuzz(func(t *testing.T, title, text, view string) {
		if len(title)+len(text)+len(view) > 20000 {
			t.Skip()
		}
		in := input(entry(article("x", title, text)))
		in.Commentary = map[string]digest.Commentary{"1": {JA: view, EN: view}}
		x, err := digest.New(in)
		if err != nil {
			t.Fatal(err)
		}
		check(t, x)
	})
}
