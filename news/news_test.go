package news_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
)

func TestCanonicalLink(t *testing.T) {
	tests := []struct{ name, link, want string }{
		{"Plain", "https://a.example/b", "https://a.example/b"},
		{"Host", "HTTPS://A.Example:443", "https://a.example/"},
		{"Fragment", "https://a.example/b#c", "https://a.example/b"},
		{"Tracking", "https://a.example/b?utm_source=x&id=7&fbclid=y", "https://a.example/b?id=7"},
		{"Sorted", "https://a.example/b?z=1&a=2", "https://a.example/b?a=2&z=1"},
		{"OnlyTracking", "https://a.example/b?utm_source=x", "https://a.example/b"},
		{"OtherPort", "https://a.example:8443/b", "https://a.example:8443/b"},
		{"Script", "javascript:alert(1)", ""},
		{"File", "file:///etc/passwd", ""},
		{"User", "https://user:pass@a.example/", ""},
		{"Relative", "/b", ""},
		{"Broken", "https://a.example/%zz", ""},
		{"Empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := news.CanonicalLink(tt.link); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLanguageOf(t *testing.T) {
	tests := []struct {
		text string
		want lang.Language
	}{
		{"脆弱性があります", lang.JA}, {"FortiOS の脆弱性", lang.JA}, {"緊急更新情報", lang.JA}, {"A flaw in 東京 systems and more words here", lang.EN}, {"Plain English", lang.EN}, {"", lang.EN},
	}
	for _, tt := range tests {
		if got := news.LanguageOf(tt.text); got != tt.want {
			t.Errorf("%q is %s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestCVEs(t *testing.T) {
	got := news.CVEs("CVE-2031-2222, cve-2031-1111.", "（CVE-2031-1111）xCVE-2031-3333 CVE-2031-123 CVE-2031-12345678 CVE-2031-4444a")
	if want := []string{"CVE-2031-1111", "CVE-2031-2222"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNewItemID(t *testing.T) {
	a := news.NewItemID("s", "k")
	if len(a) != 16 || a != news.NewItemID("s", "k") || a == news.NewItemID("sk", "") || a == news.NewItemID("s", "k2") {
		t.Errorf("id %q", a)
	}
}

func TestCompare(t *testing.T) {
	day := time.Date(2031, 5, 8, 0, 0, 0, 0, time.UTC)
	base := func() news.Item {
		return news.Item{
			ID: "1", Title: "検証ゲートウェイの脆弱性", Text: "検証ゲートウェイ 6.4.3 未満に脆弱性があります。約500社が標的になりました。5月29日までに更新してください。", Published: day, Severity: "high",
			CVEs: []string{"CVE-2031-10001"}, Products: []news.Product{{Name: "Gateway"}}, Status: "final",
		}
	}
	tests := []struct {
		name     string
		edit     func(*news.Item)
		fields   []string
		material bool
	}{
		{"Nothing", func(*news.Item) {}, nil, false},
		{"TimeStamp", func(it *news.Item) { it.Updated = day }, []string{"updated"}, false},
		{"Revision", func(it *news.Item) { it.Revision = "1.1" }, []string{"updated"}, false},
		{"Link", func(it *news.Item) { it.Link = "https://a.example/" }, []string{"link"}, false},
		{"TitleLooks", func(it *news.Item) { it.Title = "検証ゲートウェイの脆弱性。" }, []string{"wording"}, false},
		{"TitleWidth", func(it *news.Item) { it.Title = " 検証ｹﾞｰﾄｳｪｲ の脆弱性 " }, []string{"wording"}, false},
		{"Title", func(it *news.Item) { it.Title = "【更新】検証ゲートウェイの脆弱性" }, []string{"title"}, true},
		{"CVE", func(it *news.Item) { it.CVEs = append(it.CVEs, "CVE-2031-10002") }, []string{"cves"}, true},
		{"Severity", func(it *news.Item) { it.Severity = "critical" }, []string{"severity"}, true},
		{"SeverityCase", func(it *news.Item) { it.Severity = "HIGH" }, nil, false},
		{"Exploited", func(it *news.Item) { it.Exploitation.Exploited = "Yes" }, []string{"exploitation"}, true},
		{"Fix", func(it *news.Item) { it.Fixes = []news.Fix{{KB: "KB5900001"}} }, []string{"fixes"}, true},
		{"Products", func(it *news.Item) { it.Products = nil }, []string{"products"}, true},
		{"Status", func(it *news.Item) { it.Status = "interim" }, []string{"status"}, true},
		{"Wording", func(it *news.Item) {
			it.Text = strings.Replace(it.Text, "があります", "が見つかっています", 1)
		}, []string{"text"}, false},
		{"Version", func(it *news.Item) { it.Text = strings.Replace(it.Text, "6.4.3", "6.4.4", 1) }, []string{"facts", "text"}, true},
		{"Count", func(it *news.Item) { it.Text = strings.Replace(it.Text, "約500社", "約700社", 1) }, []string{"facts", "text"}, true},
		{"Claim", func(it *news.Item) {
			it.Text = strings.Replace(it.Text, "標的になりました", "侵害されました", 1)
		}, []string{"facts", "text"}, true},
		{"Deadline", func(it *news.Item) { it.Text = strings.Replace(it.Text, "5月29日", "5月22日", 1) }, []string{"facts", "text"}, true},
		{"ExploitedNow", func(it *news.Item) { it.Text += "悪用が確認されています。" }, []string{"facts", "text"}, true},
		{"DenialToConfirmation", func(it *news.Item) { it.Text += "悪用は確認されていません。" }, []string{"facts", "text"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			old, successor := base(), base()
			tt.edit(&successor)
			c := news.Compare(&old, &successor)
			if diff := cmp.Diff(tt.fields, c.Fields); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			if c.Material != tt.material || c.Any() != (len(tt.fields) > 0) {
				t.Errorf("material %v, want %v; added %v, removed %v", c.Material, tt.material, c.Added, c.Removed)
			}
		})
	}
}

// What was added and removed is named.
func TestCompareNames(t *testing.T) {
	old := news.Item{Title: "T", Text: "Update to 6.4.3."}
	successor := news.Item{Title: "T", Text: "Update to 6.4.4."}
	c := news.Compare(&old, &successor)
	if diff := cmp.Diff([]string{"version 6.4.4"}, c.Added); diff != "" {
		t.Errorf("added (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"version 6.4.3"}, c.Removed); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
}

func FuzzCanonicalLink(f *testing.F) {
	for _, s := range []string{"https://a.example/b?c=d#e", "javascript:1", "http://[::1]:80/", "//x", "https://a.example/?utm_a=1&&"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, link string) {
		c := news.CanonicalLink(link)
		if c != "" && (!strings.HasPrefix(c, "http") || news.CanonicalLink(c) != c) {
			t.Fatalf("%q becomes %q and then %q", link, c, news.CanonicalLink(c))
		}
	})
}
