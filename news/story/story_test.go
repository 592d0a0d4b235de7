package story_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/story"
)

var day = time.Date(2031, 3, 1, 9, 0, 0, 0, time.UTC)

// item makes an item of a day of March 2031.
func item(id string, days int, l lang.Language, title, text string) *news.Item {
	return &news.Item{ID: news.ItemID(id), Source: "test", Key: id, Kind: news.Article, Title: title, Text: text, Lang: l, Published: day.AddDate(0, 0, days), CVEs: news.CVEs(title, text)}
}

// groups writes stories as lists of ids, sorted.
func groups(list []story.Story) []string {
	var out []string
	for _, s := range list {
		var ids []string
		for _, id := range s.Items {
			ids = append(ids, string(id))
		}
		slices.Sort(ids)
		g := strings.Join(ids, "+")
		if s.Roundup {
			g += " (roundup)"
		}
		out = append(out, g)
	}
	slices.Sort(out)
	return out
}

func TestCluster(t *testing.T) {
	tests := []struct {
		name  string
		items []*news.Item
		o     *story.Options
		want  []string
	}{
		{"None", nil, nil, nil},
		{"SameCVEInTwoLanguages", []*news.Item{
			item("a", 0, lang.EN, "Critical flaw in Mail Gateway", "CVE-2031-10001 lets attackers run code."),
			item("b", 1, lang.JA, "メールゲートウェイの脆弱性(CVE-2031-10001)に関する注意喚起", ""),
			item("c", 60, lang.EN, "Gateway bug now used in attacks", "CVE-2031-10001 is exploited."),
		}, nil, []string{"a+b+c"}},
		{"LikeTitlesOfTwoCVEs", []*news.Item{
			item("a", 0, lang.JA, "検証社製PAN-OSの脆弱性(CVE-2031-10265)に関する注意喚起", "PAN-OSに脆弱性があります。"),
			item("b", 1, lang.JA, "検証社製PAN-OSの脆弱性(CVE-2031-10300)に関する注意喚起", "PAN-OSに脆弱性があります。"),
		}, nil, []string{"a", "b"}},
		{"RoundupBelongsToNone", []*news.Item{
			item("a", 0, lang.JA, "FortiOSの脆弱性(CVE-2031-10001)に関する注意喚起", ""),
			item("b", 2, lang.JA, "Weekly Report 2031年3月3日号", "FortiOSに脆弱性(CVE-2031-10001)。ほか。"),
		}, nil, []string{"a", "b (roundup)"}},
		{"MonthsOfOneMaker", []*news.Item{
			item("a", 0, lang.JA, "2031年2月マイクロソフトセキュリティ更新プログラムに関する注意喚起", ""),
			item("b", 28, lang.JA, "2031年3月マイクロソフトセキュリティ更新プログラムに関する注意喚起", ""),
			item("c", 28, lang.EN, "Microsoft March 2031 Patch Tuesday fixes 78 flaws", "It fixes CVE-2031-10007 too."),
		}, nil, []string{"a", "b+c"}},
		{"TwoBanks", []*news.Item{
			item("a", 0, lang.JA, "自動音声による不審な電話にご注意ください(検証第一銀行)", "当行を騙る自動音声の電話が確認されています。暗証番号を入力しないでください。"),
			item("b", 1, lang.JA, "自動音声による不審な電話にご注意ください(検証第二銀行)", "当行を騙る自動音声の電話が確認されています。暗証番号を入力しないでください。"),
		}, nil, []string{"a", "b"}},
		{"Together", []*news.Item{
			item("a", 0, lang.EN, "One thing", "Of the first kind."), item("b", 1, lang.EN, "Another matter", "Quite different."),
		}, &story.Options{Together: [][2]news.ItemID{{"b", "a"}}}, []string{"a+b"}},
		{"Apart", []*news.Item{
			item("a", 0, lang.EN, "Flaw CVE-2031-10001", ""), item("b", 1, lang.EN, "Flaw CVE-2031-10001", ""),
		}, &story.Options{Together: [][2]news.ItemID{{"a", "b"}}, Apart: [][2]news.ItemID{{"b", "a"}}}, []string{"a", "b"}},
		{"SameItemTwice", []*news.Item{
			item("a", 0, lang.EN, "One thing", ""), item("a", 0, lang.EN, "One thing", ""),
		}, nil, []string{"a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, groups(story.Cluster(tt.items, tt.o))); diff != "" {
				t.Errorf("stories (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStory(t *testing.T) {
	got := story.Cluster([]*news.Item{
		item("b", 1, lang.JA, "メールゲートウェイの脆弱性(CVE-2031-10001)に関する注意喚起", "更新してください。"),
		item("a", 0, lang.EN, "Critical flaw in Mail Gateway", "CVE-2031-10001 lets attackers run code."),
		item("r", 3, lang.EN, "Week in review: gateway, router, mail", "CVE-2031-10001 and others."),
	}, nil)
	want := []story.Story{
		{
			ID: "sa", Items: []news.ItemID{"a", "b"}, Lead: "a", CVEs: []string{"CVE-2031-10001"}, First: day, Last: day.AddDate(0, 0, 1), Related: []string{"sr"},
			Links: []story.Link{{A: "a", B: "b", Reason: story.SameCVE, Score: 1}},
		},
		{ID: "sr", Items: []news.ItemID{"r"}, Lead: "r", CVEs: []string{"CVE-2031-10001"}, First: day.AddDate(0, 0, 3), Last: day.AddDate(0, 0, 3), Roundup: true, Related: []string{"sa"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stories (-want +got):\n%s", diff)
	}
}

// The order in which items come in does not matter.
func TestOrder(t *testing.T) {
	var items []*news.Item
	for _, l := range labels(t) {
		items = append(items, l.item())
	}
	want := story.Cluster(items, nil)
	r := rand.New(rand.NewPCG(1, 2))
	for range 3 {
		r.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		if diff := cmp.Diff(want, story.Cluster(items, nil)); diff != "" {
			t.Fatalf("another order gives other stories (-want +got):\n%s", diff)
		}
	}
}

// many makes n items: the labelled ones again and again, each time about other
// numbers and names.
func many(t testing.TB, n int) []*news.Item {
	t.Helper()
	list := labels(t)
	items := make([]*news.Item, 0, n)
	for i := range n {
		l := list[i%len(list)]
		round := i / len(list)
		l.ID = fmt.Sprintf("%s-%d", l.ID, round)
		l.Published = l.Published.AddDate(0, round*3, round)
		edit := strings.NewReplacer("CVE-2031-", fmt.Sprintf("CVE-%d-", 2031+round), "2031", strconv.Itoa(2031+round))
		l.Title, l.Text = edit.Replace(l.Title), edit.Replace(l.Text)
		items = append(items, l.item())
	}
	return items
}

func TestManyItems(t *testing.T) {
	n := 2000 // the benchmark has 10,000
	if slowdown > 1 {
		n = 400
	}
	items := many(t, n)
	start := time.Now()
	stories := story.Cluster(items, nil)
	took := time.Since(start)
	t.Logf("%d items, %d stories, %v", n, len(stories), took)
	if took > 10*time.Second*slowdown {
		t.Errorf("%d items took %v", n, took)
	}
}

// Items that were made to be like all others do not cost more than their number.
func TestHostileItems(t *testing.T) {
	var items []*news.Item
	for i := range 500 {
		var b strings.Builder
		for k := range 150 {
			fmt.Fprintf(&b, "word%d ", (i+k*40)%1000)
		}
		items = append(items, item(strconv.Itoa(i), i%30, lang.EN, "The same title for all", b.String()))
	}
	start := time.Now()
	story.Cluster(items, nil)
	if took := time.Since(start); took > 10*time.Second*slowdown {
		t.Errorf("it took %v", took)
	}
}

func BenchmarkCluster10000(b *testing.B) {
	items := many(b, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		story.Cluster(items, nil)
	}
}

func FuzzCluster(f *testing.F) {
	f.Add("A flaw CVE-2031-1234", "text", "別の題名、検証銀行をかたる", "本文", "x")
	f.Add("", "", "", "", "")
	f.Fuzz(func(t *testing.T, a, at, b, bt, c string) {
		items := []*news.Item{item("1", 0, lang.EN, a, at), item("2", 1, lang.JA, b, bt), item("3", 2, lang.JA, c, a), item("4", 0, lang.EN, b, at)}
		n := 0
		for _, s := range story.Cluster(items, nil) {
			n += len(s.Items)
			if s.Roundup && len(s.Items) != 1 {
				t.Fatal("a roundup with company")
			}
		}
		if n != len(items) {
			t.Fatalf("%d items went in, %d came out", len(items), n)
		}
	})
}
