package app

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/sekisho/sekisho/internal/cli"
)

// chromium starts a browser, and skips the test where there is none.
func chromium(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("there is no Chromium")
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-gpu", true))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	late := time.AfterFunc(6*time.Minute, cancel)
	t.Cleanup(func() { late.Stop() })
	return ctx
}

// look is how somebody looks at a page.
type look struct {
	name  string
	lang  string
	theme string
	width int64
}

var looks = []look{
	{"en-light", "en", "light", 1280},
	{"ja-light", "ja", "light", 1280},
	{"en-dark", "en", "dark", 1280},
	{"ja-narrow", "ja", "light", 360},
	{"en-narrow-dark", "en", "dark", 360},
}

// use makes the browser that of somebody who is not signed in.
func (l look) use(ctx context.Context) error {
	_, err := chromedp.Run(ctx, chromedp.EmulateViewport(l.width, 900))
	if err != nil {
		return err
	}
	_, mediaErr := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.theme}}})
	_, networkErr := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	_, cookieErr := chromedp.Call(ctx, network.ClearBrowserCookies, cdp.Empty{})
	_, headerErr := chromedp.Call(ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": l.lang}})
	return errors.Join(mediaErr, networkErr, cookieErr, headerErr)
}

// visit opens a page and waits until it is there.
func visit(ctx context.Context, t *testing.T, address string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(address), chromedp.WaitVisible("h1")); err != nil {
		t.Fatal(err)
	}
}

// shot takes a picture of the whole page into the folder that SEKISHO_SHOTS
// names, or of the test, and fails if the page is wider than the window.
func shot(ctx context.Context, t *testing.T, l look, name string) {
	t.Helper()
	dir := os.Getenv("SEKISHO_SHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	width := must(chromedp.Run(ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)))(t)
	png := must(chromedp.Run(ctx, chromedp.FullScreenshot(100)))(t)
	if width > l.width {
		t.Errorf("%s-%s is %d pixels wide", name, l.name, width)
	}
	if err := os.WriteFile(filepath.Join(dir, name+"-"+l.name+".png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
}

// accessible holds a page to the rules of axe-core, whose script the variable
// SEKISHO_AXE names; without it nothing is checked.
func accessible(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	path := os.Getenv("SEKISHO_AXE")
	if path == "" {
		return
	}
	script, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[int](string(script)+";0")); err != nil {
		t.Fatal(err)
	}
	const run = `axe.run(document,{resultTypes:['violations']}).then(r => r.violations.filter(v => v.impact == 'serious' || v.impact == 'critical').map(v => v.id + ' ' + v.nodes.map(n => n.target.join(' ')).slice(0, 3)).join('; '))`
	if bad := must(chromedp.Run(ctx, chromedp.Evaluate[string](run, chromedp.EvalAwaitPromise)))(t); bad != "" {
		t.Errorf("%s: %s", name, bad)
	}
}

// must ends the test where there is an error instead of a value.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// TestPages looks at every page of a desk of examples in both languages, light
// and dark, wide and narrow.
func TestPages(t *testing.T) {
	ctx := chromium(t)
	r := start(t, demoOptions(t))
	empty := start(t, options(t, t.TempDir()))
	for _, l := range looks {
		t.Run(l.name, func(t *testing.T) {
			if err := l.use(ctx); err != nil {
				t.Fatal(err)
			}
			visit(ctx, t, empty.Invite)
			shot(ctx, t, l, "setup")
			visit(ctx, t, empty.URL+"login")
			shot(ctx, t, l, "login")
			visit(ctx, t, r.Demo)
			shot(ctx, t, l, "today")
			for _, p := range []string{"settings", "audit", "nowhere", "mail", "domains", "news", "advisories", "digest", "updates", "rules"} {
				visit(ctx, t, r.URL+p)
				shot(ctx, t, l, p)
				accessible(ctx, t, p)
			}
			for _, p := range []struct{ name, list, link string }{{"mailone", "mail?verdict=malicious", "/mail/"}, {"story", "news?days=365", "/news/s"}} {
				visit(ctx, t, r.URL+p.list)
				to := must(chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector('main li a[href^="`+p.link+`"]').href`)))(t)
				visit(ctx, t, to)
				shot(ctx, t, l, p.name)
				accessible(ctx, t, p.name)
			}
		})
	}
}

// TestSetUpInBrowser is the way of a new user with the keyboard, and back in
// after signing out.
func TestSetUpInBrowser(t *testing.T) {
	ctx := chromium(t)
	now := time.Now()
	for _, l := range looks[:2] {
		t.Run(l.name, func(t *testing.T) {
			o := options(t, t.TempDir())
			o.Now = func() time.Time { return now }
			r := start(t, o)
			walk(ctx, t, l, r.Served, &now)
		})
	}
}

func walk(ctx context.Context, t *testing.T, l look, s cli.Served, now *time.Time) {
	t.Helper()
	if err := l.use(ctx); err != nil {
		t.Fatal(err)
	}
	visit(ctx, t, s.Invite)
	secret := compact(must(chromedp.Run(ctx, chromedp.TextContent(".secret")))(t))
	// submit fills the form of the page in, sends it, and returns where that leads.
	submit := func(fields map[string]string) string {
		t.Helper()
		for name, v := range fields {
			must(chromedp.Run(ctx, chromedp.SetValue(`input[name="`+name+`"]`, v)))(t)
		}
		must(chromedp.RunResponse(ctx, chromedp.Submit(`main form`)))(t)
		must(chromedp.Run(ctx, chromedp.WaitVisible("h1")))(t)
		return must(chromedp.Run(ctx, chromedp.Location()))(t)
	}
	submit(map[string]string{"password": "short", "repeated": "short", "code": "1"})
	must(chromedp.Run(ctx, chromedp.WaitVisible(".wrong")))(t)
	if lang := must(chromedp.Run(ctx, chromedp.AttributeValue("html", "lang")))(t).Value; lang != l.lang {
		t.Errorf("the page is in %q", lang)
	}
	shot(ctx, t, l, "setup-wrong")
	if at := submit(map[string]string{"password": password, "repeated": password, "code": code(t, secret, *now)}); at != s.URL {
		t.Fatalf("after the set-up: %s", at)
	}
	shot(ctx, t, l, "first")
	*now = now.Add(time.Minute)
	must(chromedp.RunResponse(ctx, chromedp.Submit(`form[action="/logout"]`)))(t)
	must(chromedp.Run(ctx, chromedp.WaitVisible(`input[name="code"]`)))(t)
	submit(map[string]string{"password": password, "code": "000000"})
	shot(ctx, t, l, "login-wrong")
	if at := submit(map[string]string{"password": password, "code": code(t, secret, *now)}); at != s.URL {
		t.Errorf("after signing in: %s", at)
	}
}

// compact leaves the blanks between groups out.
func compact(s string) string { return strings.Join(strings.Fields(s), "") }
