package graph_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sekisho/sekisho/internal/graph"
)

const (
	tenant  = "00000000-0000-0000-0000-000000000001"
	client  = "00000000-0000-0000-0000-000000000002"
	mailbox = "report@kiso-works.example"
)

// fake is Microsoft Entra ID and Microsoft Graph for one mailbox. Mails are
// numbered from 0; a delta link says up to which number it leads.
type fake struct {
	*httptest.Server

	t     *testing.T
	mu    sync.Mutex
	mails []string
	page  int // mails of one page

	access  int // number of the access token that counts
	refresh int // number of the refresh token that counts
	pending int // polls of the device code that are answered with "pending"
	asked   []string

	// odd answers a request in place of the fake, if it returns true.
	odd func(w http.ResponseWriter, r *http.Request) bool
}

func newFake(t *testing.T, n int) *fake {
	t.Helper()
	f := &fake{t: t, page: 2, access: 1, refresh: 1}
	for i := range n {
		f.mails = append(f.mails, fmt.Sprintf("Subject: %d\r\n\r\nmail\r\n", i))
	}
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	f.StartTLS()
	t.Cleanup(f.Close)
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	odd := f.odd
	f.asked = append(f.asked, r.Method+" "+r.URL.Path)
	f.mu.Unlock()
	if odd != nil && odd(w, r) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if rest, ok := strings.CutPrefix(r.URL.Path, "/"+tenant+"/oauth2/v2.0/"); ok {
		f.login(w, r, rest)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+f.token() {
		answer(w, 401, map[string]any{"error": map[string]string{"code": "InvalidAuthenticationToken"}})
		return
	}
	if r.Method != http.MethodGet || !strings.Contains(strings.Join(r.Header.Values("Prefer"), " "), "ImmutableId") {
		answer(w, 400, nil)
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/v1.0/users/"+mailbox)
	if !ok {
		answer(w, 404, map[string]any{"error": map[string]string{"code": "ErrorInvalidUser"}})
		return
	}
	switch {
	case path == "/mailFolders/inbox" || path == "/mailFolders/ID-inbox":
		answer(w, 200, map[string]any{"id": "ID-inbox", "displayName": "Inbox", "totalItemCount": len(f.mails)})
	case path == "/mailFolders/inbox/childFolders" || path == "/mailFolders/ID-inbox/childFolders":
		var list []any
		if r.URL.Query().Get("$filter") == "displayName eq 'It''s reported'" {
			list = append(list, map[string]any{"id": "ID-child", "displayName": "It's reported", "totalItemCount": 7})
		}
		answer(w, 200, map[string]any{"value": list})
	case path == "/mailFolders/ID-inbox/messages/delta":
		f.delta(w, r.URL.Query())
	case strings.HasPrefix(path, "/messages/ID-") && strings.HasSuffix(path, "/$value"):
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(path, "/messages/ID-"), "/$value"))
		if err != nil || n >= len(f.mails) {
			answer(w, 404, map[string]any{"error": map[string]string{"code": "ErrorItemNotFound"}})
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(w, f.mails[n])
	default:
		answer(w, 404, map[string]any{"error": map[string]string{"code": "ErrorItemNotFound"}})
	}
}

func (f *fake) delta(w http.ResponseWriter, q url.Values) {
	from, _ := strconv.Atoi(q.Get("$skiptoken") + q.Get("$deltatoken"))
	until := min(from+f.page, len(f.mails))
	value := []any{map[string]any{"id": "ID-gone", "@removed": map[string]string{"reason": "deleted"}}}
	for i := from; i < until; i++ {
		value = append(value, map[string]any{"id": fmt.Sprintf("ID-%d", i), "receivedDateTime": "2026-11-25T00:00:00Z"})
	}
	out := map[string]any{"value": value}
	link := f.URL + "/v1.0/users/" + mailbox + "/mailFolders/ID-inbox/messages/delta?"
	if until < len(f.mails) {
		out["@odata.nextLink"] = link + "$skiptoken=" + strconv.Itoa(until)
	} else {
		out["@odata.deltaLink"] = link + "$deltatoken=" + strconv.Itoa(until)
	}
	answer(w, 200, out)
}

func (f *fake) token() string { return jwt(map[string]any{"scp": "Mail.Read", "n": f.access}) }

// jwt writes an unsigned token.
func jwt(claims map[string]any) string {
	b, _ := json.Marshal(claims) // strings and numbers only
	return "e30." + base64.RawURLEncoding.EncodeToString(b) + ".x"
}

func (f *fake) login(w http.ResponseWriter, r *http.Request, what string) {
	_ = r.ParseForm() // an empty form is refused below
	if r.Form.Get("client_id") != client {
		aad(w, "unauthorized_client", "AADSTS700016: Application not found")
		return
	}
	tokens := map[string]any{"access_token": f.token(), "token_type": "Bearer", "expires_in": 3600}
	switch {
	case what == "devicecode":
		answer(w, 200, map[string]any{"device_code": "D", "user_code": "ABCD-1234", "verification_uri": "https://login.microsoft.com/device", "expires_in": 60, "interval": 1})
		return
	case r.Form.Get("grant_type") == "client_credentials" && r.Form.Get("client_secret") == "s3cret":
		answer(w, 200, tokens)
		return
	case r.Form.Get("grant_type") == "client_credentials":
		aad(w, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
		return
	case strings.HasSuffix(r.Form.Get("grant_type"), "device_code"):
		if f.pending--; f.pending >= 0 {
			aad(w, "authorization_pending", "AADSTS70016: pending")
			return
		}
	case r.Form.Get("refresh_token") == fmt.Sprintf("R%d", f.refresh):
		f.refresh++
	default:
		aad(w, "invalid_grant", "AADSTS700082: The refresh token has expired")
		return
	}
	tokens["refresh_token"] = fmt.Sprintf("R%d", f.refresh)
	answer(w, 200, tokens)
}

func aad(w http.ResponseWriter, code, description string) {
	answer(w, 400, map[string]any{"error": code, "error_description": description})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; odata.metadata=minimal")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the reader may be gone
}

func (f *fake) cloud() graph.Cloud {
	return graph.Cloud{Name: "test", Login: f.URL, Graph: f.URL, Outlook: f.URL, Apps: f.URL}
}

// options keep a clock that sleeping moves.
func (f *fake) options(edit func(*graph.Options)) (*graph.Options, *[]time.Duration) {
	pool := x509.NewCertPool()
	pool.AddCert(f.Certificate())
	var slept []time.Duration
	o := &graph.Options{Loopback: true, RootCAs: pool, Timeout: 5 * time.Second, MaxMessage: 1 << 20, Sleep: func(ctx context.Context, d time.Duration) error {
		slept = append(slept, d)
		return ctx.Err()
	}}
	if edit != nil {
		edit(o)
	}
	return o, &slept
}

// saved is a token in memory.
type saved struct{ token string }

func (s *saved) Load(context.Context) ([]byte, error) {
	if s.token == "" {
		return nil, nil
	}
	return []byte(s.token), nil
}

func (s *saved) Save(_ context.Context, b []byte) error {
	s.token = string(b)
	return nil
}

// open returns a reader for somebody who has signed in.
func (f *fake) open(edit func(*graph.Options)) (*graph.Mailbox, *[]time.Duration) {
	f.t.Helper()
	o, slept := f.options(edit)
	tokens, err := graph.NewTokens(graph.Credentials{Cloud: f.cloud(), Tenant: tenant, Client: client, Scopes: f.cloud().GraphScopes()}, &saved{"R1"}, o)
	if err != nil {
		f.t.Fatal(err)
	}
	c, err := graph.New(f.cloud(), mailbox, tokens, o)
	if err != nil {
		f.t.Fatal(err)
	}
	return c.Mailbox("inbox"), slept
}
