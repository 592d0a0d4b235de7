package graph_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/graph"
)

// read reads to the end and returns the subjects, and the last cursor.
func read(ctx context.Context, m *graph.Mailbox, cursor string) (subjects []string, last string, err error) {
	last = cursor
	for step, err := range m.Mails(ctx, cursor) {
		if err != nil {
			return subjects, last, err
		}
		if step.Cursor != "" {
			last = step.Cursor
		}
		if step.Mail == nil {
			continue
		}
		raw, err := step.Mail.Raw(ctx)
		if err != nil {
			return subjects, last, err
		}
		line, _, _ := strings.Cut(string(raw), "\r\n")
		subjects = append(subjects, strings.TrimPrefix(line, "Subject: "))
	}
	return subjects, last, nil
}

func TestMails(t *testing.T) {
	f := newFake(t, 5)
	m, slept := f.open(nil)
	info, err := m.Check(t.Context())
	if err != nil || *info != (desk.MailboxFolderInfo{Folder: "Inbox", Mails: 5}) {
		t.Errorf("%v %v", info, err)
	}
	got, cursor, err := read(t.Context(), m, "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"0", "1", "2", "3", "4"}, got); diff != "" {
		t.Error(diff)
	}
	f.mails = append(f.mails, "Subject: new\r\n\r\n")
	if got, cursor, err = read(t.Context(), m, cursor); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"new"}, got); diff != "" {
		t.Error(diff)
	}
	if got, _, err = read(t.Context(), m, cursor); err != nil || got != nil {
		t.Errorf("nothing new: %v %v", got, err)
	}
	if len(*slept) != 0 {
		t.Errorf("slept %v", *slept)
	}
}

// TestTrouble answers the first requests of one kind in an odd way.
func TestTrouble(t *testing.T) {
	later := func(status int, after string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", after)
			w.WriteHeader(status)
		}
	}
	body := func(contentType, s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			fmt.Fprint(w, s)
		}
	}
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "Sub")
	}
	slow := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		for r.Context().Err() == nil {
			fmt.Fprint(w, "x")
			w.(http.Flusher).Flush()
			time.Sleep(20 * time.Millisecond)
		}
	}
	endless := func(w http.ResponseWriter, _ *http.Request) {
		for range 64 {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	}
	code := func(status int, code string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			answer(w, status, map[string]any{"error": map[string]string{"code": code}})
		}
	}
	hurry := func(o *graph.Options) { o.Timeout = 300 * time.Millisecond }
	const list, value = "/messages/delta", "/$value"
	for _, tc := range []struct {
		name  string
		path  string // requests whose path ends so
		times int
		with  http.HandlerFunc
		edit  func(*graph.Options)
		kind  desk.ErrorKind // "": mended by itself
		slept []time.Duration
	}{
		{"Throttled", list, 2, later(429, "17"), nil, "", []time.Duration{17 * time.Second, 17 * time.Second}},
		{"ThrottledMail", value, 1, later(429, "3"), nil, "", []time.Duration{3 * time.Second}},
		{"ThrottledForever", list, 99, later(429, "99999999"), nil, desk.Unavailable, []time.Duration{time.Hour, time.Hour, time.Hour}},
		{"Busy", list, 1, later(503, "30"), nil, "", []time.Duration{30 * time.Second}},
		{"Fails", list, 3, later(500, ""), nil, "", []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second}},
		{"Gateway", value, 99, later(502, "x"), nil, desk.Unavailable, []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second}},
		{"TokenOnce", value, 1, later(401, ""), nil, "", nil},
		{"TokenTwice", value, 2, later(401, ""), nil, desk.Denied, nil},
		{"Forbidden", list, 99, code(403, "ErrorAccessDenied"), nil, desk.Denied, nil},
		{"NoMailbox", "/inbox", 99, code(404, "ErrorInvalidUser"), nil, desk.NotFound, nil},
		{"MailGone", value, 99, code(404, "ErrorItemNotFound"), nil, desk.NotFound, nil},
		{"Redirected", list, 99, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.test/", http.StatusFound)
		}, nil, desk.Unavailable, nil},
		{"Page", list, 99, body("text/html", "<html>sign in to the proxy"), nil, desk.Unavailable, nil},
		{"PageForMail", value, 99, body("text/html", "<html>sign in to the proxy"), nil, desk.Unavailable, nil},
		{"JSONForMail", value, 99, body("application/json", "{}"), nil, desk.Unavailable, nil},
		{"EmptyMail", value, 99, body("text/plain", ""), nil, desk.Unavailable, nil},
		{"NoJSON", list, 99, body("application/json", "{"), nil, desk.Unavailable, nil},
		{"NoLink", list, 99, body("application/json", `{"value":[]}`), nil, desk.Unavailable, nil},
		{"LinkElsewhere", list, 99, body("application/json", `{"value":[],"@odata.nextLink":"https://elsewhere.test/v1.0/"}`), nil, desk.Unavailable, nil},
		{"Cut", value, 1, cut, nil, "", []time.Duration{2 * time.Second}},
		{"Slow", value, 1, slow, hurry, "", []time.Duration{2 * time.Second}},
		{"Silent", list, 1, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, hurry, "", []time.Duration{2 * time.Second}},
		{"Huge", value, 99, endless, nil, desk.Limit, nil},
		{"SaysHuge", value, 99, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "99999999") }, nil, desk.Limit, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFake(t, 3)
			left := tc.times
			f.odd = func(w http.ResponseWriter, r *http.Request) bool {
				f.mu.Lock()
				odd := strings.HasSuffix(r.URL.Path, tc.path)
				if odd {
					left--
				}
				odd = odd && left >= 0
				f.mu.Unlock()
				if odd {
					tc.with(w, r)
				}
				return odd
			}
			m, slept := f.open(tc.edit)
			got, _, err := read(t.Context(), m, "")
			e, ok := errors.AsType[*desk.Error](err)
			switch {
			case tc.kind == "" && (err != nil || len(got) != 3):
				t.Errorf("%v %v", got, err)
			case tc.kind != "" && (!ok || e.Kind != tc.kind || e.Message.Key == ""):
				t.Errorf("error %v, not of kind %s", err, tc.kind)
			}
			if diff := cmp.Diff(tc.slept, *slept); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCursor has links that lead nowhere any more.
func TestCursor(t *testing.T) {
	for _, tc := range []struct {
		name string
		odd  http.HandlerFunc
	}{
		{"Gone", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(410) }},
		{"SyncState", func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 400, map[string]any{"error": map[string]string{"code": "SyncStateNotFound"}})
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFake(t, 3)
			m, _ := f.open(nil)
			_, cursor, err := read(t.Context(), m, "")
			if err != nil {
				t.Fatal(err)
			}
			f.odd = func(w http.ResponseWriter, r *http.Request) bool {
				odd := r.URL.Query().Get("$deltatoken") != ""
				if odd {
					tc.odd(w, r)
				}
				return odd
			}
			if _, _, err := read(t.Context(), m, cursor); !errors.Is(err, desk.ErrCursor) {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("Circle", func(t *testing.T) {
		f := newFake(t, 9)
		f.odd = func(w http.ResponseWriter, r *http.Request) bool {
			odd := r.URL.Query().Get("$skiptoken") == "4"
			if odd {
				f.mu.Lock()
				defer f.mu.Unlock()
				f.delta(w, map[string][]string{"$skiptoken": {"0"}})
			}
			return odd
		}
		m, _ := f.open(nil)
		if got, _, err := read(t.Context(), m, ""); !errors.Is(err, desk.ErrCursor) || len(got) > 12 {
			t.Errorf("%v %v", got, err)
		}
	})
	t.Run("OtherHost", func(t *testing.T) {
		f := newFake(t, 3)
		m, _ := f.open(nil)
		if got, _, err := read(t.Context(), m, "https://graph.microsoft.us/v1.0/users/x"); err != nil || len(got) != 3 {
			t.Errorf("%v %v", got, err)
		}
	})
}

func TestFolder(t *testing.T) {
	f := newFake(t, 1)
	o, _ := f.options(nil)
	tokens, err := graph.NewTokens(graph.Credentials{Cloud: f.cloud(), Tenant: tenant, Client: client, Secret: "s3cret", Scopes: f.cloud().GraphDefault()}, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := graph.New(f.cloud(), mailbox, tokens, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		folder string
		want   int
		kind   desk.ErrorKind
	}{{"inbox", 1, ""}, {"Inbox/It's reported", 7, ""}, {"inbox/other", 0, desk.NotFound}, {strings.Repeat("a/", 20), 0, desk.NotFound}} {
		info, err := c.Mailbox(tc.folder).Check(t.Context())
		e, _ := errors.AsType[*desk.Error](err)
		if tc.kind == "" && (err != nil || info.Mails != tc.want) || tc.kind != "" && (e == nil || e.Kind != tc.kind) {
			t.Errorf("%s: %v %v", tc.folder, info, err)
		}
	}
}

func TestSignIn(t *testing.T) {
	f := newFake(t, 1)
	f.pending = 1
	o, _ := f.options(nil)
	s := &saved{}
	tokens, err := graph.NewTokens(graph.Credentials{Cloud: f.cloud(), Tenant: tenant, Client: client, Scopes: f.cloud().GraphScopes()}, s, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tokens.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "signed in") {
		t.Errorf("before signing in: %v", err)
	}
	var shown graph.DeviceCode
	if err := tokens.SignIn(t.Context(), func(d graph.DeviceCode) { shown = d }); err != nil {
		t.Fatal(err)
	}
	if shown.Code != "ABCD-1234" || shown.URL != "https://login.microsoft.com/device" || s.token != "R1" {
		t.Errorf("%+v %q", shown, s.token)
	}
	token, err := tokens.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tokens.Renew("another")
	if again, err := tokens.Token(t.Context()); err != nil || again != token || s.token != "R1" {
		t.Errorf("a token that holds was asked for again: %v", err)
	}
	tokens.Renew(token)
	f.access++
	if again, err := tokens.Token(t.Context()); err != nil || again == token || s.token != "R2" {
		t.Errorf("renewed: %v, kept %q", err, s.token)
	}
	o.Now = func() time.Time { return time.Now().Add(24 * time.Hour) } // of a new program: the refresh token was used
	s.token = "R1"
	tokens, err = graph.NewTokens(graph.Credentials{Cloud: f.cloud(), Tenant: tenant, Client: client}, s, o)
	if err != nil {
		t.Fatal(err)
	}
	e, ok := errors.AsType[*desk.Error](second(tokens.Token(t.Context())))
	if !ok || e.Kind != desk.Denied || !strings.Contains(e.Error(), "AADSTS700082") {
		t.Errorf("an old refresh token: %v", e)
	}
}

func second(_ string, err error) error { return err }

func TestSignInErrors(t *testing.T) {
	for _, tc := range []struct {
		name string
		edit func(*graph.Credentials)
		hint string
	}{
		{"Secret", func(c *graph.Credentials) { c.Secret = "wrong" }, "graph.hint.secret-wrong"},
		{"Client", func(c *graph.Credentials) { c.Client, c.Secret = "other", "s3cret" }, "graph.hint.client"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFake(t, 1)
			o, _ := f.options(nil)
			c := graph.Credentials{Cloud: f.cloud(), Tenant: tenant, Client: client, Scopes: []string{"x"}}
			tc.edit(&c)
			tokens, err := graph.NewTokens(c, nil, o)
			if err != nil {
				t.Fatal(err)
			}
			e, ok := errors.AsType[*desk.Error](second(tokens.Token(t.Context())))
			if !ok || e.Hint.Key != tc.hint {
				t.Errorf("%v", e)
			}
			if s := fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(s, "s3cret") || strings.Contains(s, "wrong") {
				t.Errorf("a secret is printed: %s", s)
			}
		})
	}
}

// TestHosts keeps credentials away from hosts that are not Microsoft's.
func TestHosts(t *testing.T) {
	good := graph.Clouds()[0]
	tokens, err := graph.NewTokens(graph.Credentials{Cloud: good, Tenant: tenant, Client: client}, &saved{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"http://graph.microsoft.com", "https://graph.microsoft.com.elsewhere.test", "https://graph.microsoft.com/x", "https://me@graph.microsoft.com", "http://127.0.0.1:1", "https://127.0.0.1:1", ""} {
		bad := good
		bad.Graph, bad.Login = address, address
		if _, err := graph.New(bad, mailbox, tokens, nil); err == nil {
			t.Errorf("Graph at %q", address)
		}
		if _, err := graph.NewTokens(graph.Credentials{Cloud: bad, Tenant: tenant, Client: client}, &saved{}, nil); err == nil {
			t.Errorf("signing in at %q", address)
		}
	}
	for _, c := range graph.Clouds() {
		if _, err := graph.NewTokens(graph.Credentials{Cloud: c, Tenant: tenant, Client: client}, &saved{}, nil); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		if _, err := graph.New(c, mailbox, tokens, nil); (err == nil) != (c.Graph != "") {
			t.Errorf("%s: %v", c.Name, err)
		}
		if got, ok := graph.CloudNamed(c.Name); !ok || got != c {
			t.Errorf("%s: %v", c.Name, got)
		}
	}
	for _, bad := range []string{"", "a/b", "../x", "a?b"} {
		if _, err := graph.NewTokens(graph.Credentials{Cloud: good, Tenant: bad, Client: client}, &saved{}, nil); err == nil {
			t.Errorf("tenant %q", bad)
		}
	}
}

func TestTooMuch(t *testing.T) {
	for _, tc := range []struct {
		name, token string
		want        []string
	}{
		{"Enough", jwt(map[string]any{"scp": "Mail.Read Mail.Read.Shared openid profile User.Read email"}), nil},
		{"Writes", jwt(map[string]any{"scp": "Mail.Read Mail.ReadWrite Mail.Send"}), []string{"Mail.ReadWrite", "Mail.Send"}},
		{"AllMailboxes", jwt(map[string]any{"roles": []string{"Mail.Read", "Directory.Read.All"}}), []string{"Mail.Read", "Directory.Read.All"}},
		{"Scoped", jwt(map[string]any{}), nil},
		{"Opaque", "opaque", nil},
		{"Damaged", "a.!!.c", nil},
	} {
		if diff := cmp.Diff(tc.want, append([]string(nil), graph.TooMuch(tc.token)...)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

func FuzzGranted(f *testing.F) {
	f.Add(jwt(map[string]any{"scp": "Mail.Read"}))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		delegated, application := graph.Granted(token)
		for _, s := range append(delegated, application...) {
			if len([]rune(s)) > 101 || strings.ContainsAny(s, "\x00\r\n\x1b") {
				t.Errorf("%q", s)
			}
		}
	})
}
