package feed_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/feed"
)

var update = flag.Bool("update", false, "write the golden files")

// addresses are where the documents of testdata say that they are from, for
// those that need one.
var addresses = map[string]string{
	"rss-091.xml":      "https://old.example/rss.xml",
	"page-en.html":     "https://blog.example/2031/direct-send",
	"page-ja.html":     "https://cert.example/at/2031/at310020.html",
	"csaf-changes.csv": "https://vendor.example/csaf/white/changes.csv",
	"csaf-index.txt":   "https://vendor.example/csaf/white/index.txt",
}

func documents(t testing.TB) []string {
	t.Helper()
	all, err := filepath.Glob("testdata/*")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(p string) bool {
		b := filepath.Base(p)
		return strings.HasSuffix(b, ".golden") || b == "README.md" || b == "fuzz" || strings.HasPrefix(b, "bomb-")
	})
}

func TestParse(t *testing.T) {
	for _, path := range documents(t) {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			doc, err := feed.Parse(read(t, path), &feed.Options{Source: "test", URL: addresses[name]})
			if err != nil {
				t.Fatal(err)
			}
			for i := range doc.Items {
				it := &doc.Items[i]
				if it.ID != news.NewItemID("test", it.Key) || it.Snapshot != doc.Snapshot || it.Source != "test" {
					t.Errorf("the identity of %q is wrong", it.Title)
				}
				it.ID, it.Snapshot, it.Source = "", "", ""
			}
			doc.Snapshot = ""
			var b bytes.Buffer
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			if err := e.Encode(doc); err != nil {
				t.Fatal(err)
			}
			if s := b.String(); strings.Contains(s, "HIDDEN") || strings.Contains(s, "META-SECRET") || strings.Contains(s, "隠れた") || strings.Contains(s, "Must Not Appear") ||
				strings.Contains(s, "IGNORE ALL") || strings.Contains(s, "secret comment") || strings.Contains(s, "alternative text") || strings.Contains(s, "Not shown") || strings.Contains(s, "\u200b") {
				t.Errorf("hidden text or a name got through:\n%s", s)
			}
			golden := path + ".golden"
			if *update {
				if err := os.WriteFile(golden, b.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(read(t, golden)), b.String()); diff != "" {
				t.Errorf("what was read (-want +got):\n%s", diff)
			}
		})
	}
}

// The three spellings of JVN's name space read alike.
func TestJVNNamespaces(t *testing.T) {
	var first []news.Item
	for i := range 3 {
		doc, err := feed.Parse(read(t, fmt.Sprintf("testdata/rdf-jvn-%d.xml", i+1)), &feed.Options{Source: "jvn"})
		if err != nil {
			t.Fatal(err)
		}
		for k := range doc.Items {
			doc.Items[k].Snapshot = ""
		}
		if i == 0 {
			first = doc.Items
			if len(first) != 1 || first[0].Key != "JVNDB-2031-000123" || !slices.Equal(first[0].CVEs, []string{"CVE-2031-10003"}) || len(first[0].Scores) != 1 {
				t.Fatalf("read %+v", first)
			}
			continue
		}
		if diff := cmp.Diff(first, doc.Items); diff != "" {
			t.Errorf("spelling %d (-first +this):\n%s", i+1, diff)
		}
	}
}

func TestCharsets(t *testing.T) {
	source := string(read(t, "testdata/rss-ja.xml"))
	want, err := feed.Parse([]byte(source), nil)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, label string
		encoding    encoding.Encoding
		header      string
		wrong       bool
	}{
		{"EUCJP", "EUC-JP", japanese.EUCJP, "", false},
		{"ShiftJIS", "Shift_JIS", japanese.ShiftJIS, "", false},
		{"ISO2022JP", "ISO-2022-JP", japanese.ISO2022JP, "", false},
		{"UTF16", "UTF-16", unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "", false},
		{"UTF8WithBOM", "UTF-8", unicode.UTF8BOM, "", false},
		{"DocumentBeforeHeader", "EUC-JP", japanese.EUCJP, "shift_jis", false},
		{"ShiftJISNamedUTF8", "UTF-8", japanese.ShiftJIS, "", true},
		{"EUCJPNamedUTF8", "UTF-8", japanese.EUCJP, "", true},
		{"ISO2022JPNamedUTF8", "UTF-8", japanese.ISO2022JP, "", true},
		{"UTF8NamedShiftJIS", "Shift_JIS", encoding.Nop, "", true},
		{"UnknownLabel", "x-nobody-knows", japanese.ShiftJIS, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := tt.encoding.NewEncoder().Bytes([]byte(strings.Replace(source, "UTF-8", tt.label, 1)))
			if err != nil {
				t.Fatal(err)
			}
			got, err := feed.Parse(b, &feed.Options{Charset: tt.header})
			if err != nil {
				t.Fatal(err)
			}
			if got.Items[0].Title != want.Items[0].Title || got.Items[0].Text != want.Items[0].Text || got.Title != want.Title {
				t.Errorf("read %q, %q", got.Items[0].Title, got.Items[0].Text)
			}
			if wrong := slices.ContainsFunc(got.Defects, func(d feed.Defect) bool { return d.Code == feed.WrongCharset }); wrong != tt.wrong {
				t.Errorf("wrong charset: %v, want %v", wrong, tt.wrong)
			}
		})
	}
	// A header names the charset of a document that does not.
	b, err := japanese.ShiftJIS.NewEncoder().Bytes([]byte(strings.Replace(source, ` encoding="UTF-8"`, "", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := feed.Parse(b, &feed.Options{Charset: "Shift_JIS"}); err != nil || got.Items[0].Title != want.Items[0].Title || len(got.Defects) != 0 {
		t.Errorf("with a header: %v, %v", got, err)
	}
}

func TestFaults(t *testing.T) {
	deep := strings.Repeat("<a>", 5000)
	tests := []struct {
		name, doc string
		want      feed.Want
		fault     feed.Fault
	}{
		{"Empty", "", feed.Anything, feed.Empty},
		{"Blank", " \n\t", feed.Anything, feed.Empty},
		{"PageInstead", string(read(t, "testdata/html-instead.html")), feed.Feed, feed.HTMLInstead},
		{"PageWithoutDoctype", "<html><body>Moved</body></html>", feed.Feed, feed.HTMLInstead},
		{"PageBehindText", "Warning: x in y.php\n<!DOCTYPE html><html><title>Error</title>", feed.Feed, feed.HTMLInstead},
		{"TextInstead", "503 Service Unavailable", feed.Feed, feed.Unrecognised},
		{"FeedInstead", string(read(t, "testdata/rss-20.xml")), feed.Document, feed.FeedInstead},
		{"EntityBomb", string(read(t, "testdata/bomb-lol.xml")), feed.Anything, feed.Entities},
		{"ExternalEntity", string(read(t, "testdata/bomb-external.xml")), feed.Anything, feed.Entities},
		{"ParameterEntity", `<!DOCTYPE rss [<!ENTITY % p "<!ENTITY x 'y'>">%p;]><rss/>`, feed.Anything, feed.Entities},
		{"DeclarationInside", `<rss><channel><!ENTITY a "b"></channel></rss>`, feed.Anything, feed.Entities},
		{"DeepXML", "<rss><channel>" + deep, feed.Anything, feed.TooDeep},
		{"DeepJSON", strings.Repeat(`{"a":`, 300) + "1" + strings.Repeat("}", 300), feed.Anything, feed.TooDeep},
		{"Attributes", `<rss><channel><x ` + strings.Repeat(`a="b" `, 400) + `/></channel></rss>`, feed.Anything, feed.TooComplex},
		{"Namespaces", `<rss><channel>` + namespaces(100) + `</channel></rss>`, feed.Anything, feed.TooComplex},
		{"Fragments", `<rss xmlns:x="y"><channel><item><x:a>` + strings.Repeat("a<!---->", 30_000) + `</x:a></item></channel></rss>`, feed.Anything, feed.TooComplex},
		{"TooLarge", strings.Repeat(" ", feed.MaxBytes+1), feed.Anything, feed.TooLarge},
		{"PageTooLarge", "<html>" + strings.Repeat("word ", feed.MaxPage/4), feed.Anything, feed.TooLarge},
		{"OtherXML", `<?xml version="1.0"?><soap><body/></soap>`, feed.Anything, feed.Unrecognised},
		{"CutBeforeItem", `<rss><channel><title>x`, feed.Anything, feed.Malformed},
		{"OtherJSON", `{"hello":"world"}`, feed.Anything, feed.Unrecognised},
		{"ErrorJSON", `{"error":{"code":"404","message":"no such month"}}`, feed.Anything, feed.Unrecognised},
		{"ArrayJSON", `[{"a":1}]`, feed.Anything, feed.Unrecognised},
		{"BrokenJSON", `{"vulnerabilities":[{"cveID":`, feed.Anything, feed.Malformed},
		{"Binary", "\x00\x01\x02\x03PK", feed.Anything, feed.Unrecognised},
		{"PageThatShowsNothing", `<html><body style="display:none">x</body></html>`, feed.Anything, feed.Empty},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := feed.Parse([]byte(tt.doc), &feed.Options{Source: "test", Want: tt.want})
			e, ok := errors.AsType[*feed.Error](err)
			if !ok || e.Fault != tt.fault {
				t.Fatalf("error %v, want the fault %s", err, tt.fault)
			}
			if !lang.Default().Has(e.Message().Key) {
				t.Errorf("no words for %s", e.Fault)
			}
		})
	}
}

func namespaces(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `<x xmlns:n%d="u"/>`, i)
	}
	return b.String()
}

// A short line at the top of an article gives its date where nothing else does.
func TestDateline(t *testing.T) {
	for doc, want := range map[string]string{
		"A title\n\nExample News, 2 April 2025.\n\nThe text begins on 1 May 2025.":                                           "2025-04-02",
		"題名\n\n検証ニュース 2025年6月30日\n\n本文です。":                                                                                   "2025-06-30",
		"A title\n\nFrom 5 May 2025, everything changes.":                                                                    "0001-01-01",
		"<html><body><h1>A title of a page</h1><p>Updated: 2025-04-09</p><p>" + strings.Repeat("Words of it. ", 30) + "</p>": "2025-04-09",
		"---\ntitle: T\ndate: 2025-03-01\n---\nExample News, 2 April 2025.":                                                  "2025-03-01",
	} {
		got, err := feed.Parse([]byte(doc), nil)
		if err != nil {
			t.Fatal(err)
		}
		if d := got.Items[0].Published.Format(time.DateOnly); d != want {
			t.Errorf("%q is of %s, want %s", doc, d, want)
		}
	}
}

// An item without an identity of its own keeps one as long as it says the same,
// and gets the same from another feed only within its source.
func TestIdentity(t *testing.T) {
	rss := func(item string) string {
		return `<rss version="2.0"><channel><title>x</title>` + item + `</channel></rss>`
	}
	key := func(item, source string) news.ItemID {
		t.Helper()
		doc, err := feed.Parse([]byte(rss(item)), &feed.Options{Source: source})
		if err != nil || len(doc.Items) != 1 {
			t.Fatal(err, doc)
		}
		return doc.Items[0].ID
	}
	base := key(`<item><title>A</title><guid>1</guid></item>`, "s")
	if got := key(`<item><title>A, edited</title><guid>1</guid></item>`, "s"); got != base {
		t.Error("an edited title changed the identity")
	}
	if got := key(`<item><title>A</title><guid>1</guid></item>`, "other"); got == base {
		t.Error("two sources share an identity")
	}
	link := key(`<item><title>A</title><link>https://X.example/a?utm_source=b#c</link></item>`, "s")
	if got := key(`<item><title>B</title><link>https://x.example/a</link></item>`, "s"); got != link {
		t.Error("tracking parameters changed the identity")
	}
	if got := key(`<item><title>B</title><link>https://x.example/b</link></item>`, "s"); got == link {
		t.Error("two links share an identity")
	}
	doc, err := feed.Parse([]byte(rss(`<item><title>A</title><guid>1</guid></item><item><title>B</title><guid>1</guid></item>`)), nil)
	if err != nil || len(doc.Items) != 1 || doc.Items[0].Title != "A" || len(doc.Defects) != 1 || doc.Defects[0].Code != feed.Doubled {
		t.Errorf("a doubled guid: %+v, %v", doc, err)
	}
}

// Hostile documents take time in proportion to their size.
func TestHostileTime(t *testing.T) {
	item := func(inside string) string {
		return `<rss version="2.0" xmlns:x="y"><channel><title>t</title><item><title>a</title>` + inside + `</item></channel></rss>`
	}
	n := 50_000
	docs := map[string]string{
		"Ampersands":  item("<description>" + strings.Repeat("&", n*4) + "</description>"),
		"Brackets":    item("<description>" + strings.Repeat("&lt;", n) + "</description>"),
		"Items":       `<rss><channel>` + strings.Repeat("<item><title>a</title></item>", feed.MaxItems+10) + `</channel></rss>`,
		"CDATA":       item("<description>" + strings.Repeat("<![CDATA[a]]>", 19_000) + "</description>"),
		"Extensions":  item(strings.Repeat("<x:a>b</x:a>", 9_000)),
		"Authors":     item("<author>" + strings.Repeat("a@", n) + "</author>"),
		"PageNesting": "<html><body>" + strings.Repeat("<div>", 100_000) + "text",
		"PageTables":  "<html><body>" + strings.Repeat("<table><td>x", 5_000),
		"PageInline":  "<html><body>" + strings.Repeat("<b><i><a href=x>w ", 10_000),
		"PageBlocks":  "<html><body>" + strings.Repeat("<p>word, word, word.", 11_000),
		"PageLinks":   "<html><body><article>" + strings.Repeat("<p><a href=x>word, word</a>", 5_000),
		"PageStyle":   `<html><body><p style="` + strings.Repeat("color:red;", n) + `">text</p>`,
		"Markdown":    "# T\n\n" + strings.Repeat("](", n) + strings.Repeat("[", n),
		"TextLines":   strings.Repeat("word\n", n),
		"JSONList":    `{"version":"https://jsonfeed.org/version/1","items":[` + strings.Repeat(`{"id":"1","title":"x"},`, 19_000) + `{"id":"2","title":"y"}]}`,
		"KEVNotes":    `{"catalogVersion":"1","vulnerabilities":[{"cveID":"CVE-2031-10001","notes":"` + strings.Repeat("http://a.example/ ", n) + `"}]}`,
	}
	for name, doc := range docs {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := feed.Parse([]byte(doc), &feed.Options{Source: "test"})
			if d := time.Since(start); d > 5*time.Second*slowdown {
				t.Errorf("%d bytes took %v", len(doc), d)
			}
			t.Logf("%d bytes, %v: %v", len(doc), time.Since(start), err)
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, path := range documents(f) {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, "")
	}
	for _, s := range []string{"<rss><channel><item>", "{\"feed\":{\"entry\":1}}", "{\"document\":{\"tracking\":{\"id\":{}}}}", "{\"value\":[1]}", "<!DOCTYPE", "<?xml", "\xfe\xff\x00<", "---\na: b\n---\n"} {
		f.Add([]byte(s), "euc-jp")
	}
	f.Fuzz(func(t *testing.T, data []byte, charset string) {
		if len(data) > 1<<16 {
			return
		}
		doc, err := feed.Parse(data, &feed.Options{Source: "fuzz", URL: "https://x.example/f", Charset: charset})
		if err != nil {
			if _, ok := errors.AsType[*feed.Error](err); !ok {
				t.Fatalf("error of another type: %v", err)
			}
			return
		}
		seen := map[news.ItemID]bool{}
		for _, it := range doc.Items {
			if it.Title == "" || it.ID == "" || it.Key == "" || seen[it.ID] || it.Lang == "" {
				t.Fatalf("an item is incomplete: %+v", it)
			}
			seen[it.ID] = true
			if it.Link != "" && !strings.HasPrefix(it.Link, "http://") && !strings.HasPrefix(it.Link, "https://") {
				t.Fatalf("link %q", it.Link)
			}
			if strings.ContainsAny(it.Title+it.Text, "\u200b\u202e\x00") {
				t.Fatalf("a character without a shape in %q", it.Text)
			}
		}
	})
}
