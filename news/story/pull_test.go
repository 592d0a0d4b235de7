package story_test

import (
	"fmt"
	"html"
	"runtime"
	"strings"
	"testing"

	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/feed"
	"github.com/sekisho/sekisho/news/story"
)

// feeds writes items as RSS documents of 100 items each.
func feeds(items []*news.Item) [][]byte {
	var docs [][]byte
	for len(items) > 0 {
		n := min(len(items), 100)
		var b strings.Builder
		b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>Test</title>`)
		for _, it := range items[:n] {
			fmt.Fprintf(&b, "<item><title>%s</title><guid>%s</guid><pubDate>%s</pubDate><description>%s</description></item>",
				html.EscapeString(it.Title), it.ID, it.Published.Format("Mon, 02 Jan 2006 15:04:05 -0700"), html.EscapeString("<p>"+html.EscapeString(it.Text)+"</p>"))
		}
		b.WriteString("</channel></rss>")
		docs = append(docs, []byte(b.String()))
		items = items[n:]
	}
	return docs
}

// pull reads documents, takes out the facts of every item, and clusters.
func pull(t testing.TB, docs [][]byte) []story.Story {
	t.Helper()
	var items []*news.Item
	for i, d := range docs {
		doc, err := feed.Parse(d, &feed.Options{Source: fmt.Sprint("source-", i%12), Want: feed.Feed})
		if err != nil {
			t.Fatal(err)
		}
		for k := range doc.Items {
			doc.Items[k].Facts("", nil)
			items = append(items, &doc.Items[k])
		}
	}
	return story.Cluster(items, nil)
}

// What a feed carries comes out as the same stories as the items themselves.
func TestPulled(t *testing.T) {
	var items []*news.Item
	for _, l := range labels(t) {
		items = append(items, l.item())
	}
	want, got := len(story.Cluster(items, nil)), len(pull(t, feeds(items)))
	if want != got {
		t.Errorf("%d stories from feeds, %d from the items", got, want)
	}
}

func BenchmarkPull10000(b *testing.B) {
	docs := feeds(many(b, 10_000))
	var m runtime.MemStats
	peak := uint64(0)
	for b.Loop() {
		n := len(pull(b, docs))
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapSys)
		if n == 0 {
			b.Fatal("no stories")
		}
	}
	b.ReportMetric(float64(peak)/(1<<20), "MB-heap")
}
