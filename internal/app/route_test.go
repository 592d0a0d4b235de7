package app

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
)

var wildcard = regexp.MustCompile(`\{[a-z]+\}`)

// testServer is a desk that is asked without a network.
func testServer(t *testing.T) (*server, http.Handler, []web.Route) {
	t.Helper()
	o := options(t, t.TempDir())
	o.Log = &logged{}
	s, err := openServer(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	_, routes, err := s.routes("")
	if err != nil {
		t.Fatal(err)
	}
	h, err := s.handler("")
	if err != nil {
		t.Fatal(err)
	}
	return s, h, routes
}

func ask(h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.Host, r.RemoteAddr = "localhost", "127.0.0.1:50000"
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "" {
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestEveryRoute asks for every route as a stranger and from another site. What
// strangers may ask for is listed here by name: a new page is closed unless
// somebody opens it in this list too.
func TestEveryRoute(t *testing.T) {
	s, h, routes := testServer(t)
	session, err := desk.OpenDemo(t.Context(), desk.Visit{}, s.account)
	if err != nil {
		t.Fatal(err)
	}
	var open []string
	for _, r := range routes {
		name := r.Method + " " + r.Pattern
		if r.Rule == web.Public || r.Rule == web.Local {
			open = append(open, string(r.Rule)+" "+name)
		}
		path := strings.ReplaceAll(wildcard.ReplaceAllString(r.Pattern, "x"), "{$}", "")
		t.Run(name, func(t *testing.T) {
			if w := ask(h, r.Method, path, "Sec-Fetch-Site", "same-origin"); r.Rule == web.Login || r.Rule == web.Admin {
				to, err := url.Parse(w.Header().Get("Location"))
				if w.Code != http.StatusSeeOther || err != nil || to.Path != "/login" || w.Body.Len() > 200 {
					t.Errorf("a stranger gets status %d, %s", w.Code, w.Body)
				}
			}
			if r.Rule == web.Bearer {
				// A session counts for nothing, and neither does a token where pages take it.
				for _, header := range []string{"", "Cookie", "X-Api-Key"} {
					w := ask(h, r.Method, path, "Sec-Fetch-Site", "same-origin", header, "sekisho="+session, "Authorization", "")
					if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), `"kind":"denied"`) || w.Header().Get("WWW-Authenticate") == "" || w.Header().Get("Access-Control-Allow-Origin") != "" {
						t.Errorf("without a token: status %d, %s", w.Code, w.Body)
					}
				}
			}
			if r.Method != http.MethodGet {
				if w := ask(h, r.Method, path, "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
					t.Errorf("another site gets status %d", w.Code)
				}
			}
			if w := ask(h, r.Method, path, "Sec-Fetch-Site", "same-origin"); w.Header().Get("Content-Security-Policy") != web.ContentSecurityPolicy {
				t.Error("no policy")
			}
		})
	}
	slices.Sort(open)
	want := []string{
		"local GET /metrics",
		"public GET /api/v1/openapi.json",
		"public GET /healthz",
		"public GET /login",
		"public GET /setup/{token}",
		"public GET /static/{sum}/{name}",
		"public POST /language",
		"public POST /login",
		"public POST /setup/{token}",
	}
	if diff := cmp.Diff(want, open); diff != "" {
		t.Errorf("open to strangers (-listed +there are):\n%s", diff)
	}
}

// What is read out of files cannot be talked into reading others.
func TestTraversal(t *testing.T) {
	_, h, _ := testServer(t)
	for _, path := range []string{
		"/static/x/..%2f..%2fsecret.key", "/static/../secret.key", "/static/x/%2e%2e/secret.key", "/static/x/console.css%00", "/..%2fsekisho.db", "/setup/..%2f..%2f",
	} {
		if w := ask(h, http.MethodGet, path); w.Code == http.StatusOK || strings.Contains(w.Body.String(), "SQLite") {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
}

// After signing in nobody is led to another site.
func TestOpenRedirect(t *testing.T) {
	r := start(t, options(t, t.TempDir()))
	c := browser(t)
	now := time.Now()
	secret := setUp(t, c, r.Invite, func() time.Time { return now })
	for _, next := range []string{"https://evil.test/", "//evil.test", `/\evil.test`, "javascript:alert(1)"} {
		resp, err := c.Get(r.URL + "login?next=" + url.QueryEscape(next))
		if err != nil {
			t.Fatal(err)
		}
		if status, _ := read(t, resp); status != http.StatusSeeOther || resp.Header.Get("Location") != "/" {
			t.Errorf("%s leads to %s", next, resp.Header.Get("Location"))
		}
		req, err := http.NewRequest(http.MethodPost, r.URL+"language", strings.NewReader(url.Values{"language": {"ja"}, "next": {next}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if resp, err = c.Do(req); err != nil {
			t.Fatal(err)
		}
		if _, _ = read(t, resp); resp.Header.Get("Location") != "/" {
			t.Errorf("%s leads to %s", next, resp.Header.Get("Location"))
		}
	}
	// A wrong sign-in says so, with the status of it, and keeps nothing typed.
	stranger := browser(t)
	for range 4 {
		status, page := post(t, stranger, r.URL+"login", url.Values{"password": {"not this one"}, "code": {code(t, secret, now)}})
		if status != http.StatusForbidden || strings.Contains(page, "not this one") || !strings.Contains(page, `role="alert"`) {
			t.Fatalf("status %d: %s", status, page)
		}
	}
	if status, _ := post(t, stranger, r.URL+"login", url.Values{"password": {"x"}}); status != http.StatusForbidden {
		t.Errorf("status %d", status)
	}
	if status, _ := post(t, stranger, r.URL+"login", url.Values{"password": {"x"}}); status != http.StatusTooManyRequests {
		t.Errorf("the sixth attempt: status %d", status)
	}
}
