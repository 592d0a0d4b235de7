package desk_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/fetch"
	"github.com/sekisho/sekisho/news/feed"
	"github.com/sekisho/sekisho/news/source"
)

// bulk writes n items of one source, of which about every second tells what an
// item of another source tells too.
func bulk(src, n int, now time.Time) string {
	products := []string{"Windows 11", "Acrobat", "Zoom", "Northwind Router", "FortiOS", "Chrome", "Exchange Server", "WordPress", "Java SE", "Firefox"}
	flaws := []string{"remote code execution", "elevation of privilege", "information disclosure", "denial of service", "cross-site scripting"}
	list := make([]entry, 0, n)
	for i := range n {
		about := src*n + i
		if i%2 == 0 {
			about = (src/2)*2*n + i // the sources in pairs
		}
		p, f := products[about%len(products)], flaws[about/7%len(flaws)]
		cve := fmt.Sprintf("CVE-2031-%d", 10000+about)
		e := entry{id: fmt.Sprintf("s%d-%d", src, i), at: now.Add(-time.Duration(about%(60*24)) * time.Hour)}
		switch {
		case src%2 == 1:
			e.title = fmt.Sprintf("%s の脆弱性 (%s) に関する注意喚起", p, cve)
			e.text = fmt.Sprintf("%s に、%s の脆弱性 %s があります。攻撃者がコードを実行できる可能性があります。修正プログラムが公開されています。%d日までに更新してください。国内で約%d件の被害が報告されています。", p, f, cve, i%28+1, i%900+10)
		case i%3 == 0:
			e.title = fmt.Sprintf("Wave %d of phishing imitates vendor %d of building supplies", about, about)
			e.text = fmt.Sprintf("Mails that imitate vendor %d lead to a fake sign-in page. About %d people in %d countries were targeted. The page asks for the password and the code of the telephone.", about, about%9000+100, about%40+2)
		default:
			e.title = fmt.Sprintf("%s in %s (%s)", f, p, cve)
			e.text = fmt.Sprintf("A vulnerability in %s, %s, allows %s. It is rated 9.8 (CVSS 3.1). %s Version 12.%d.%d repairs it.", p, cve, f, strings.Repeat("Administrators should install the update during the next maintenance window. ", 4), i%20, i%50)
		}
		list = append(list, e)
	}
	return rss(list...)
}

// many is a bench with sources that list n items together, over HTTP.
func many(t testing.TB, n int) (b *bench, served *atomic.Int64) {
	t.Helper()
	const sources = 10
	b = newBench(t, nil)
	docs := make([]string, sources)
	for i := range docs {
		docs[i] = bulk(i, n/sources, b.now)
	}
	served = &atomic.Int64{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var i int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &i); err != nil || i >= sources {
			http.NotFound(w, r)
			return
		}
		served.Add(1)
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write([]byte(docs[i]))
	}))
	t.Cleanup(srv.Close)
	b.deps.Fetch = fetch.New(&fetch.Options{HTTP: true, AnyPort: true, AllowLoopback: true})
	for i := range sources {
		b.deps.Sources = append(b.deps.Sources, source.Source{ID: fmt.Sprint("bulk-", i), URL: fmt.Sprint(srv.URL, "/", i), Format: feed.RSS, On: true, Every: 6, Kind: "article"})
	}
	return b, served
}

// TestPullNewsMany pulls many items over HTTP, joins, grades and keeps them.
func TestPullNewsMany(t *testing.T) {
	if raceEnabled {
		t.Skip("is about the number of items")
	}
	const n = 500
	b, served := many(t, n)
	p := b.pull(t, desk.PullInput{})
	if p.New != n || p.Stories < n/10 || p.Stories > n*9/10 {
		t.Errorf("%d new items, %d stories", p.New, p.Stories)
	}
	again := b.pull(t, desk.PullInput{Force: true})
	if again.New != 0 || again.Changed != 0 || again.Stories != 0 || len(again.Reopened) != 0 || served.Load() != 20 {
		t.Errorf("the second pull: %+v", again)
	}
	if list := b.list(t, desk.NewsFilter{}); len(list) != p.Stories {
		t.Errorf("%d stories are kept", len(list))
	}
}

// BenchmarkPullNews10000 is a first pull of 10,000 items, with the most memory
// that the process had from the system.
func BenchmarkPullNews10000(t *testing.B) {
	for t.Loop() {
		b, _ := many(t, 10_000)
		stop, peak := make(chan struct{}), make(chan uint64)
		go func() {
			var most uint64
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-stop:
					peak <- most
					return
				case <-tick.C:
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					most = max(most, m.Sys-m.HeapReleased)
				}
			}
		}()
		p := b.pull(t, desk.PullInput{})
		close(stop)
		t.ReportMetric(float64(<-peak>>20), "MiB")
		t.ReportMetric(float64(p.Stories), "stories")
		if p.New != 10_000 {
			t.Fatalf("%d new items", p.New)
		}
	}
}

// TestPullNewsHostile reads sources that an attacker took over, through the real
// fetcher: each is refused within bounds, and the good one is read.
func TestPullNewsHostile(t *testing.T) {
	if raceEnabled {
		t.Skip("unpacks as much as the bounds let through, which takes a minute under the race detector")
	}
	b := newBench(t, nil)
	var inside atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/good", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(rss(windowsEntry()))) })
	mux.HandleFunc("/bomb", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><rss version="2.0"><channel><title>&b;</title></channel></rss>`))
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		part := []byte(strings.Repeat("<item><title>x</title></item>", 4000))
		_, _ = w.Write([]byte(`<rss version="2.0"><channel><title>x</title>`))
		for range 10_000 { // a gigabyte
			if _, err := w.Write(part); err != nil || r.Context().Err() != nil {
				return
			}
		}
	})
	mux.HandleFunc("/zip", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z, part := gzip.NewWriter(w), make([]byte, 1<<20)
		for range 1024 {
			if _, err := z.Write(part); err != nil {
				return
			}
		}
		_ = z.Close()
	})
	mux.HandleFunc("/circle", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/circle", http.StatusFound) })
	mux.HandleFunc("/inward", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://10.0.0.1/admin", http.StatusFound)
	})
	mux.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<!DOCTYPE html><title>x</title>"))
	})
	mux.HandleFunc("/deep", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`<rss version="2.0"><channel>` + strings.Repeat("<a>", 100_000)))
	})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	b.deps.Fetch = fetch.New(&fetch.Options{
		HTTP: true, AnyPort: true, AllowLoopback: true, Timeout: 20 * time.Second,
		Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("192.168.0.1")}, nil // a public name of an address within
		},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			if !strings.HasPrefix(address, "127.0.0.1:") {
				inside.Add(1)
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	})
	want := map[string]source.Outcome{
		"good": source.Fetched, "bomb": source.BadDocument, "endless": source.BadDocument, "zip": source.BadDocument, "circle": source.Refused,
		"inward": source.Refused, "page": source.BadDocument, "deep": source.BadDocument, "rebound": source.Refused,
	}
	for id := range want {
		s := source.Source{ID: id, URL: srv.URL + "/" + id, Format: feed.RSS, On: true, Every: 6, Kind: "article"}
		if id == "rebound" {
			s.URL = "http://news.example/feed"
		}
		b.deps.Sources = append(b.deps.Sources, s)
	}
	begin := time.Now()
	p := b.pull(t, desk.PullInput{})
	if d := cmp.Diff(want, outcomes(p)); d != "" {
		t.Error(d)
	}
	if p.New != 1 || inside.Load() != 0 {
		t.Errorf("%d items, %d connections to addresses within", p.New, inside.Load())
	}
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("took %s", took)
	}
}
