package safeview_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/sekisho/sekisho/internal/console/safeview"
)

// visit opens pages in Chromium and returns, for each, what it did that a mail
// must not do: scripts that ran, dialogs, requests that left the server.
func visit(t *testing.T, pages map[string]string) map[string][]string {
	t.Helper()
	var browser string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			browser = p
			break
		}
	}
	if browser == "" {
		t.Skip("there is no Chromium")
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, known := pages[strings.TrimPrefix(r.URL.Path, "/")]
		if !known {
			http.NotFound(w, r)
			return
		}
		// No policy: what is shown has to be harmless by itself.
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!DOCTYPE html><html><head><title>view</title><link rel=icon href=data:,></head><body>%s</body></html>", body)
	}))
	t.Cleanup(srv.Close)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), chromedp.ExecPath(browser), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"))
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)

	var mu sync.Mutex
	now, done := "", map[string][]string{}
	note := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		done[now] = append(done[now], fmt.Sprintf(format, args...))
	}
	err := chromedp.Listen(ctx, func(ev any) {
		if e, ok := ev.(*network.EventRequestWillBeSent); ok {
			name, own := strings.CutPrefix(e.Request.URL, srv.URL+"/")
			if _, known := pages[name]; !known && !strings.HasPrefix(e.Request.URL, "data:,") {
				note("a request of %.80s (own: %v)", e.Request.URL, own)
			}
		}
	})
	if err == nil {
		_, err = chromedp.Call(ctx, network.Enable, network.EnableParams{})
	}
	if err != nil {
		t.Fatalf("starting Chromium: %v", err)
	}
	for name := range pages {
		mu.Lock()
		now = name
		mu.Unlock()
		// A page has a moment to do its worst: load, animate, follow a refresh.
		err := chromedp.Do(ctx, chromedp.Navigate(srv.URL+"/"+name), chromedp.Sleep(150*time.Millisecond))
		if err != nil {
			note("the page went away: %v", err)
		}
		ran, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.title + (document.documentElement.getAttribute('data-ran') || '')`))
		if err != nil || ran != "view" {
			note("a script ran: %q %v", ran, err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	return done
}

// TestBrowser shows all hostile mails to a real browser.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a browser")
	}
	// One page holds them all, so that one that leaves its place shows too; the
	// big ones have a page each.
	pages := map[string]string{}
	var small strings.Builder
	for _, p := range hostile(t) {
		v := string(safeview.HTML(armed(p), nil).HTML)
		if len(v) > 50_000 {
			pages[p.name] = v
			continue
		}
		fmt.Fprintf(&small, "<section id=%q>%s</section>\n", "s-"+p.name, v)
	}
	pages["small"] = small.String()
	for name, problems := range visit(t, pages) {
		t.Errorf("%s: %q", name, problems)
	}
}

// TestBrowserSees proves that the browser test would notice.
func TestBrowserSees(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a browser")
	}
	pages := map[string]string{}
	for _, p := range hostile(t) {
		switch p.name {
		case "ScriptElement", "ImageOnError", "ImageTracker", "StyleImport", "MetaRefresh", "DrawingScript", "Frame":
			pages[p.name] = armed(p)
		}
	}
	done := visit(t, pages)
	for name := range pages {
		if len(done[name]) == 0 {
			t.Errorf("%s: nothing was noticed", name)
		}
	}
}
