package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sekisho/sekisho/examples"
	"github.com/sekisho/sekisho/internal/cli"
	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// logged is a log that may be read while it is written.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// running is a desk that a test started.
type running struct {
	cli.Served

	log  *logged
	stop func() error // ends it and returns what serve did
}

// options are those of a desk in a folder of the test.
func options(t testing.TB, dir string) cli.ServeOptions {
	t.Helper()
	return configured(t, dir, "")
}

// demoOptions are those of a desk of the examples.
func demoOptions(t testing.TB) cli.ServeOptions {
	t.Helper()
	o := configured(t, t.TempDir(), "../../examples/sekisho.yaml")
	o.Examples = examples.Files()
	return o
}

func configured(t testing.TB, dir, file string) cli.ServeOptions {
	t.Helper()
	c, err := config.Load(&config.Options{Path: file, Overrides: []config.Override{{Key: "data", Value: dir, From: "test"}}})
	if err != nil {
		t.Fatal(err)
	}
	return cli.ServeOptions{
		Listen: "127.0.0.1:0", Config: c, DataDir: dir, Words: lang.Default(), Now: time.Now, Version: "test",
		Judge: func(context.Context) (desk.JudgeDeps, error) { return desk.JudgeDeps{Facts: c.Facts}, nil },
	}
}

// start runs a desk until the test ends or stop is called.
func start(t testing.TB, o cli.ServeOptions) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &running{log: &logged{}}
	started := make(chan cli.Served, 1)
	o.Log, o.Started = r.log, func(s cli.Served) { started <- s }
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, o) }()
	r.stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(30 * time.Second):
			return errors.New("it does not stop")
		}
	})
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
	select {
	case r.Served = <-started:
	case err := <-ended:
		ended <- err
		t.Fatalf("it ended with %v", err)
	case <-time.After(time.Minute):
		t.Fatal("it does not start")
	}
	return r
}

// browser keeps cookies and does not follow.
func browser(t testing.TB) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// get asks for a page and returns its status and text.
func get(t testing.TB, c *http.Client, address string) (int, string) {
	t.Helper()
	resp, err := c.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, resp)
}

func post(t testing.TB, c *http.Client, address string, fields url.Values) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(fields.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, resp)
}

func read(t testing.TB, resp *http.Response) (int, string) {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// TestServe is the way of a new user: the one-time link, a password, a code, and
// the pages behind; it stops without leaving anything behind.
func TestServe(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	dir := t.TempDir()
	r := start(t, options(t, dir))
	c := browser(t)
	if !strings.Contains(r.Invite, "/setup/") || !r.Loopback {
		t.Fatalf("%+v", r.Served)
	}
	if status, _ := get(t, c, r.URL); status != http.StatusSeeOther {
		t.Errorf("a stranger gets status %d", status)
	}
	secret := setUp(t, c, r.Invite, time.Now)
	for _, p := range []string{"", "settings", "audit"} {
		if status, page := get(t, c, r.URL+p); status != http.StatusOK || !strings.Contains(page, `aria-current="page"`) {
			t.Errorf("/%s: status %d", p, status)
		}
	}
	if status, _ := get(t, browser(t), r.Invite); status != http.StatusNotFound {
		t.Errorf("the one-time link works twice: %d", status)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	// The administrator, and whoever signed in, are there after a restart.
	again := start(t, options(t, dir))
	if again.Invite != "" {
		t.Errorf("a second link: %s", again.Invite)
	}
	moved, err := url.Parse(again.URL)
	if err != nil {
		t.Fatal(err)
	}
	old, _ := url.Parse(r.URL)
	c.Jar.SetCookies(moved, c.Jar.Cookies(old))
	if status, _ := get(t, c, again.URL); status != http.StatusOK {
		t.Errorf("after a restart: status %d", status)
	}
	if log := r.log.String() + again.log.String(); strings.Contains(log, "127.0.0.1") || strings.Contains(log, secret) || !strings.Contains(log, `route="GET /{$}" status=200`) {
		t.Errorf("the log says %s", log)
	}
	if err := again.stop(); err != nil {
		t.Fatal(err)
	}
	c.CloseIdleConnections()
	goleak.VerifyNone(t, leaks)
}

// TestDemo fills a desk with the examples, which the link opens.
func TestDemo(t *testing.T) {
	o := demoOptions(t)
	r := start(t, o)
	if r.Mails < 70 || r.Invite != "" {
		t.Errorf("%+v", r.Served)
	}
	c := browser(t)
	if status, _ := get(t, c, r.Demo+"x"); status != http.StatusNotFound {
		t.Errorf("any link signs in: %d", status)
	}
	if status, _ := get(t, c, r.Demo); status != http.StatusSeeOther {
		t.Errorf("status %d", status)
	}
	if status, page := get(t, c, r.URL); status != http.StatusOK || !strings.Contains(page, `class="verdict malicious"`) {
		t.Errorf("status %d: %s", status, page)
	}
	o.Listen = "0.0.0.0:0"
	o.Started = func(cli.Served) { t.Error("others can reach it") }
	if err := serve(t.Context(), o); err == nil {
		t.Error("no error")
	}
}

// TestInvite resets an administrator while the desk runs.
func TestInvite(t *testing.T) {
	o := options(t, t.TempDir())
	r := start(t, o)
	c := browser(t)
	setUp(t, c, r.Invite, time.Now)
	o.Listen, o.Log = strings.Trim(strings.TrimPrefix(r.URL, "http://"), "/"), &logged{}
	s, err := invite(t.Context(), o)
	if err != nil || !strings.HasPrefix(s.Invite, r.URL+"setup/") {
		t.Fatal(s, err)
	}
	if status, _ := get(t, c, r.URL); status != http.StatusOK {
		t.Errorf("a link that nobody used ends sessions: %d", status)
	}
	other := browser(t)
	setUp(t, other, s.Invite, time.Now)
	if status, _ := get(t, c, r.URL); status != http.StatusSeeOther {
		t.Errorf("who was signed in before still is: %d", status)
	}
}
