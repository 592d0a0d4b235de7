package web_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
)

func say(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s) }
}

// site is a handler of a few routes, and what it logs.
func site(t *testing.T, log io.Writer, more ...web.Route) http.Handler {
	t.Helper()
	routes := append([]web.Route{
		{Method: "GET", Pattern: "/public", Rule: web.Public, Handler: say("public")},
		{Method: "GET", Pattern: "/local", Rule: web.Local, Handler: say("local")},
		{Method: "GET", Pattern: "/login", Rule: web.Login, Handler: say("login")},
		{Method: "GET", Pattern: "/admin", Rule: web.Admin, Handler: say("admin")},
		{Method: "POST", Pattern: "/change", Rule: web.Public, Handler: say("changed")},
		{Method: "POST", Pattern: "/upload", Rule: web.Public, Body: 10, Handler: func(w http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
			}
			fmt.Fprint(w, len(b))
		}},
		{Method: "GET", Pattern: "/panic", Rule: web.Public, Handler: func(http.ResponseWriter, *http.Request) { panic("sato@kiso-works.example") }},
	}, more...)
	h, err := web.New(routes, web.Options{
		Hosts: []string{"desk.kiso-works.example"},
		Authenticate: func(_ context.Context, token string) (*desk.Session, error) {
			switch token {
			case "good":
				return &desk.Session{}, nil
			case "broken":
				return nil, errors.New("the store is gone")
			}
			return nil, nil
		},
		Refuse:  func(w http.ResponseWriter, _ *http.Request, status int, _ error) { w.WriteHeader(status) },
		Enter:   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
		Log:     slog.New(slog.NewTextHandler(log, nil)),
		Metrics: web.NewMetrics(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func request(method, target string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	r.Host, r.RemoteAddr = "127.0.0.1:8484", "127.0.0.1:50000"
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		} else {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	return r
}

func answer(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestRules(t *testing.T) {
	h := site(t, io.Discard)
	const cookie, good = "Cookie", "sekisho=good"
	for _, tc := range []struct {
		name   string
		r      *http.Request
		status int
	}{
		{"Public", request("GET", "/public"), 200},
		{"Head", request("HEAD", "/public"), 200},
		{"WrongMethod", request("POST", "/public", "Sec-Fetch-Site", "same-origin"), 404},
		{"NoPage", request("GET", "/nowhere"), 404},
		{"LoginStranger", request("GET", "/login"), 418},
		{"LoginSignedIn", request("GET", "/login", cookie, good), 200},
		{"LoginWrongToken", request("GET", "/login", cookie, "sekisho=bad"), 418},
		{"AdminStranger", request("GET", "/admin"), 418},
		{"AdminSignedIn", request("GET", "/admin", cookie, good), 200},
		{"StoreGone", request("GET", "/public", cookie, "sekisho=broken"), 500},
		{"Local", request("GET", "/local"), 200},
		{"LocalThroughProxy", request("GET", "/local", "X-Forwarded-For", "192.0.2.1"), 403},
		{"LocalByOtherName", request("GET", "/local", "Host", "desk.kiso-works.example"), 403},
		{"OwnName", request("GET", "/public", "Host", "desk.kiso-works.example"), 200},
		{"OwnNameCase", request("GET", "/public", "Host", "Desk.Kiso-Works.example:443"), 200},
		{"Localhost", request("GET", "/public", "Host", "localhost:8484"), 200},
		{"IPv6", request("GET", "/public", "Host", "[::1]:8484"), 200},
		{"Rebinding", request("GET", "/public", "Host", "evil.test"), 421},
		{"RebindingSubdomain", request("GET", "/public", "Host", "127.0.0.1.evil.test"), 421},
		{"NoHost", request("GET", "/public", "Host", ""), 421},
		{"SameOrigin", request("POST", "/change", "Sec-Fetch-Site", "same-origin"), 200},
		{"CrossSite", request("POST", "/change", "Sec-Fetch-Site", "cross-site"), 403},
		{"SameSite", request("POST", "/change", "Sec-Fetch-Site", "same-site"), 403},
		{"OldBrowserCrossSite", request("POST", "/change", "Origin", "https://evil.test"), 403},
		{"OldBrowserNull", request("POST", "/change", "Origin", "null"), 403},
		{"OldBrowserSame", request("POST", "/change", "Origin", "http://127.0.0.1:8484"), 200},
		{"CookieOfOthersName", request("GET", "/login", "Host", "desk.kiso-works.example", cookie, good), 418},
		{"SecureCookie", request("GET", "/login", "Host", "desk.kiso-works.example", cookie, "__Host-sekisho=good"), 200},
		{"Panic", request("GET", "/panic"), 500},
		{"Traversal", request("GET", "/public/../admin"), 307},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := answer(h, tc.r)
			if w.Code != tc.status {
				t.Errorf("status %d, want %d", w.Code, tc.status)
			}
			for name, want := range map[string]string{
				"Content-Security-Policy": web.ContentSecurityPolicy, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
				"X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
			} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

// A route that nobody gave a rule does not start.
func TestNoRule(t *testing.T) {
	for name, routes := range map[string][]web.Route{
		"NoRule":      {{Method: "GET", Pattern: "/x", Handler: say("")}},
		"UnknownRule": {{Method: "GET", Pattern: "/x", Rule: "everybody", Handler: say("")}},
		"NoHandler":   {{Method: "GET", Pattern: "/x", Rule: web.Public}},
		"NoMethod":    {{Pattern: "/x", Rule: web.Public, Handler: say("")}},
		"Twice":       {{Method: "GET", Pattern: "/x", Rule: web.Public, Handler: say("")}, {Method: "GET", Pattern: "/x", Rule: web.Admin, Handler: say("")}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := web.New(routes, web.Options{}); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestBodies(t *testing.T) {
	h := site(t, io.Discard)
	for _, tc := range []struct {
		name   string
		body   io.Reader
		status int
	}{
		{"Fits", strings.NewReader("0123456789"), 200},
		{"Larger", strings.NewReader("0123456789a"), 413},
		{"LargerUnannounced", io.LimitReader(endless{}, 1<<30), 413},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/upload", tc.body)
			r.Host = "localhost"
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			if w := answer(h, r); w.Code != tc.status {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// The log has routes and never who asked, for what, or what a handler had at
// hand when it panicked.
func TestLog(t *testing.T) {
	var log bytes.Buffer
	h := site(t, &log)
	answer(h, request("GET", "/public?q=sato@kiso-works.example", "User-Agent", "secret-agent"))
	answer(h, request("GET", "/nowhere/sato@kiso-works.example"))
	answer(h, request("GET", "/panic"))
	answer(h, request("SATO", "/public"))
	for _, secret := range []string{"sato", "SATO", "127.0.0.1", "agent"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log says %q: %s", secret, log.String())
		}
	}
	if n := strings.Count(log.String(), "msg=request"); n != 4 {
		t.Errorf("%d requests: %s", n, log.String())
	}
}

func TestLocalPath(t *testing.T) {
	for next, want := range map[string]string{
		"":                      "/",
		"/mail":                 "/mail",
		"/mail?q=a%20b&v=x":     "/mail?q=a%20b&v=x",
		"mail":                  "/",
		"https://evil.test/":    "/",
		"//evil.test/":          "/",
		"///evil.test/":         "/",
		`/\evil.test/`:          "/",
		`\\evil.test`:           "/",
		"/\t/evil.test":         "/",
		"\t//evil.test":         "/",
		"javascript:alert(1)":   "/",
		"http:evil.test":        "/",
		"/%2F/evil.test":        "/",
		"/%5Cevil.test":         "/",
		"//user@evil.test:80/x": "/",
		"/mail#top":             "/mail",
	} {
		if got := web.LocalPath(next); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
}

func FuzzLocalPath(f *testing.F) {
	for _, s := range []string{"/mail", "//x", `/\x`, "/%2f%2fx", "https://x", "/a?b=//c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, next string) {
		got := web.LocalPath(next)
		if !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.HasPrefix(got, `/\`) || strings.ContainsAny(got, "\r\n\t") {
			t.Errorf("%q leads to %q", next, got)
		}
	})
}

func TestCookies(t *testing.T) {
	for _, tc := range []struct{ host, want string }{
		{"localhost:8484", "sekisho=T; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"},
		{"desk.kiso-works.example", "__Host-sekisho=T; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax"},
	} {
		w := httptest.NewRecorder()
		web.SetToken(w, request("GET", "/", "Host", tc.host), "T", time.Minute)
		if diff := cmp.Diff(tc.want, w.Header().Get("Set-Cookie")); diff != "" {
			t.Error(diff)
		}
	}
}

func TestMetrics(t *testing.T) {
	m := web.NewMetrics()
	m.Observe("GET /mail", 200, 10*time.Millisecond)
	m.Observe("GET /mail", 200, 3*time.Second)
	m.Observe(`GET /"x"`, 404, time.Minute)
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`sekisho_http_requests_total{route="GET /mail",status="200"} 2`,
		`sekisho_http_requests_total{route="GET /\"x\"",status="404"} 1`,
		`sekisho_http_request_duration_seconds_bucket{route="GET /mail",le="0.005"} 0`,
		`sekisho_http_request_duration_seconds_bucket{route="GET /mail",le="0.025"} 1`,
		`sekisho_http_request_duration_seconds_bucket{route="GET /mail",le="10"} 2`,
		`sekisho_http_request_duration_seconds_bucket{route="GET /\"x\"",le="+Inf"} 1`,
		`sekisho_http_request_duration_seconds_count{route="GET /mail"} 2`,
	} {
		if !strings.Contains(b.String(), want+"\n") {
			t.Errorf("no line %s in\n%s", want, b.String())
		}
	}
}

// Serve ends what is under way before it returns.
func TestServe(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	h := site(t, io.Discard, web.Route{Method: "GET", Pattern: "/slow", Rule: web.Public, Handler: func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		fmt.Fprint(w, "whole")
	}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(ctx, l, h, slog.New(slog.DiscardHandler)) }()
	got := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + l.Addr().String() + "/slow")
		if err != nil {
			got <- err.Error()
			return
		}
		defer func() { _ = resp.Body.Close() }()
		b, _ := io.ReadAll(resp.Body)
		got <- string(b)
	}()
	<-entered
	cancel()
	select {
	case err := <-ended:
		t.Fatalf("it ended while somebody waits: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(leave)
	if s := <-got; s != "whole" {
		t.Errorf("the answer is %q", s)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestBearer(t *testing.T) {
	var seen []string
	h, err := web.New([]web.Route{
		{Method: "GET", Pattern: "/api/mails", Rule: web.Bearer, Scope: desk.MailRead, Handler: func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, web.Program(r).Name, web.Session(r) == nil)
		}},
		{Method: "GET", Pattern: "/login", Rule: web.Login, Handler: say("login")},
	}, web.Options{
		Authenticate: func(_ context.Context, token string) (*desk.Session, error) {
			if token == "good" {
				return &desk.Session{}, nil
			}
			return nil, nil
		},
		Bearer: func(_ context.Context, token string, scope desk.Scope, from netip.Addr) (*desk.APIToken, error) {
			seen = append(seen, token+" "+string(scope)+" "+from.String())
			switch token {
			case "good":
				return &desk.APIToken{Name: "siem"}, nil
			case "narrow":
				return nil, desk.ScopeError(scope)
			case "early":
				return nil, &desk.WaitError{Wait: 1500 * time.Millisecond, Err: &desk.Error{Kind: desk.Limit}}
			case "broken":
				return nil, errors.New("the store is gone")
			}
			return nil, &desk.Error{Kind: desk.Denied, Err: desk.ErrToken}
		},
		Refuse:  func(w http.ResponseWriter, _ *http.Request, status int, _ error) { w.WriteHeader(status) },
		Enter:   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
		Log:     slog.New(slog.DiscardHandler),
		Metrics: web.NewMetrics(),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, path string
		headers    []string
		status     int
		token      string
	}{
		{"Good", "/api/mails", []string{"Authorization", "Bearer good"}, 200, "good"},
		{"AnyCase", "/api/mails", []string{"Authorization", "bearer good"}, 200, "good"},
		{"Nothing", "/api/mails", nil, 401, ""},
		{"Cookie", "/api/mails", []string{"Cookie", "sekisho=good"}, 401, ""},
		{"Basic", "/api/mails", []string{"Authorization", "Basic good"}, 401, ""},
		{"Query", "/api/mails?access_token=good", nil, 401, ""},
		{"Narrow", "/api/mails", []string{"Authorization", "Bearer narrow"}, 403, "narrow"},
		{"Early", "/api/mails", []string{"Authorization", "Bearer early"}, 429, "early"},
		{"Broken", "/api/mails", []string{"Authorization", "Bearer broken"}, 500, "broken"},
		{"TokenOnPage", "/login", []string{"Authorization", "Bearer good"}, http.StatusTeapot, "-"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			seen = nil
			w := answer(h, request("GET", tc.path, tc.headers...))
			if w.Code != tc.status {
				t.Errorf("status %d", w.Code)
			}
			var want []string
			if tc.token != "-" {
				want = []string{tc.token + " mail:read 127.0.0.1"}
			}
			if diff := cmp.Diff(want, seen); diff != "" {
				t.Error(diff)
			}
			switch tc.status {
			case 200:
				if w.Body.String() != "siemtrue" {
					t.Errorf("%s", w.Body)
				}
			case 429:
				if w.Header().Get("Retry-After") != "2" {
					t.Errorf("%v", w.Header())
				}
			}
		})
	}
	for _, r := range []web.Route{
		{Rule: web.Bearer}, {Rule: web.Bearer, Scope: "everything"}, {Rule: web.Public, Scope: desk.MailRead}, {Rule: web.Login, Scope: desk.MailRead},
	} {
		r.Method, r.Pattern, r.Handler = "GET", "/x", say("x")
		if _, err := web.New([]web.Route{r}, web.Options{Bearer: func(context.Context, string, desk.Scope, netip.Addr) (*desk.APIToken, error) { return nil, nil }}); err == nil {
			t.Errorf("%s with the scope %q is accepted", r.Rule, r.Scope)
		}
	}
}
