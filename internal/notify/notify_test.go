package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/notify"
	"github.com/sekisho/sekisho/lang"
)

func notification(body string) *desk.Notification {
	return &desk.Notification{
		Schema: desk.NotificationSchema, Key: "0123456789abcdef", ID: "00112233", Hash: "abc", At: time.Unix(1778198400, 0).UTC(),
		Title: lang.Text{JA: "題名", EN: "Title"}, Approved: lang.Text{JA: "承認: 佐藤", EN: "Approved by Sato"},
		Drafts: []desk.NotificationDraft{{Audience: "admin", Lang: "en", Subject: "A <!channel> [notice](https://evil.example)", Body: body}},
	}
}

// asked is what a server got.
type asked struct {
	header http.Header
	body   []byte
}

func server(t *testing.T, answer http.HandlerFunc) (*httptest.Server, *[]asked) {
	var got []asked
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = append(got, asked{r.Header, b})
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s, &got
}

func ok(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }

func TestGeneric(t *testing.T) {
	s, got := server(t, ok)
	n := notification("Body\n")
	hook := &desk.Webhook{Name: "soc", URL: s.URL, Kind: desk.GenericWebhook, Secret: "key", Private: true}
	out, err := notify.New(nil).Notify(t.Context(), hook, n)
	if err != nil || !out.OK() {
		t.Fatal(out, err)
	}
	a := (*got)[0]
	var back desk.Notification
	if err := json.Unmarshal(a.body, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(*n, back); d != "" {
		t.Error(d)
	}
	want := []string{n.Key, notify.Sign("key", n.At, a.body), desk.NotificationSchema}
	if d := cmp.Diff(want, []string{a.header.Get(notify.HeaderKey), a.header.Get(notify.HeaderSignature), a.header.Get(notify.HeaderSchema)}); d != "" {
		t.Error(d)
	}
}

// The value was computed with openssl dgst -sha256 -hmac key.
func TestSign(t *testing.T) {
	got := notify.Sign("key", time.Unix(1, 0), []byte("{}"))
	if d := cmp.Diff("t=1,v1=1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224", got); d != "" {
		t.Error(d)
	}
}

func TestSlack(t *testing.T) {
	s, got := server(t, ok)
	hook := &desk.Webhook{Name: "slack", URL: s.URL, Kind: desk.SlackWebhook, Private: true}
	long := strings.Repeat("あいうえお\n", 1000)
	if _, err := notify.New(nil).Notify(t.Context(), hook, notification(long)); err != nil {
		t.Fatal(err)
	}
	var m struct {
		Text   string
		Blocks []struct {
			Type string
			Text struct{ Type, Text string }
		}
	}
	if err := json.Unmarshal((*got)[0].body, &m); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff("A &lt;!channel&gt; [notice](https://evil.example)", m.Text); d != "" {
		t.Error(d)
	}
	var said strings.Builder
	for _, b := range m.Blocks {
		if b.Type == "section" {
			said.WriteString(b.Text.Text + "\n")
		}
		if b.Text.Text != "" && b.Text.Type != "plain_text" || len([]rune(b.Text.Text)) > 3000 {
			t.Errorf("a block of type %s with %d characters", b.Text.Type, len([]rune(b.Text.Text)))
		}
	}
	if said.String() != long {
		t.Errorf("%d bytes of %d arrived", said.Len(), len(long))
	}
}

func TestTeams(t *testing.T) {
	s, got := server(t, ok)
	hook := &desk.Webhook{Name: "teams", URL: s.URL, Kind: desk.TeamsWebhook, Private: true}
	if _, err := notify.New(nil).Notify(t.Context(), hook, notification("One\n\nTwo\n1. *x*\n")); err != nil {
		t.Fatal(err)
	}
	var m struct {
		Type        string
		Attachments []struct {
			ContentType string
			Content     struct {
				Type, Version string
				Body          []struct {
					Type    string
					Inlines []struct{ Type, Text string }
				}
			}
		}
	}
	if err := json.Unmarshal((*got)[0].body, &m); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, b := range m.Attachments[0].Content.Body {
		if b.Type != "RichTextBlock" || b.Inlines[0].Type != "TextRun" {
			t.Errorf("a %s, which reads Markdown", b.Type)
		}
		texts = append(texts, b.Inlines[0].Text)
	}
	want := []string{"A <!channel> [notice](https://evil.example)", "One", "Two\n1. *x*", "承認: 佐藤", "Approved by Sato"}
	if d := cmp.Diff(want, texts); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"message", "application/vnd.microsoft.card.adaptive", "AdaptiveCard"}, []string{m.Type, m.Attachments[0].ContentType, m.Attachments[0].Content.Type}); d != "" {
		t.Error(d)
	}
}

func TestRefused(t *testing.T) {
	public := func(netip.Addr) bool { return true }
	inside := func(a netip.Addr) bool { return !a.IsLoopback() }
	to := func(a string) func(context.Context, string) ([]netip.Addr, error) {
		return func(context.Context, string) ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr(a)}, nil }
	}
	s, got := server(t, ok)
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	for _, tc := range []struct {
		name string
		hook desk.Webhook
		o    notify.Options
		body string
		want desk.ErrorKind
		is   error
	}{
		{"PlainHTTP", desk.Webhook{URL: s.URL}, notify.Options{Allowed: public}, "x", desk.Invalid, notify.ErrScheme},
		{"File", desk.Webhook{URL: "file:///etc/passwd", Private: true}, notify.Options{}, "x", desk.Invalid, notify.ErrScheme},
		{"Loopback", desk.Webhook{URL: "https://127.0.0.1" + port}, notify.Options{Allowed: inside}, "x", desk.Denied, notify.ErrAddress},
		{"NameOfLoopback", desk.Webhook{URL: "https://hooks.example" + port}, notify.Options{Allowed: inside, Lookup: to("127.0.0.1")}, "x", desk.Denied, notify.ErrAddress},
		{"MappedLoopback", desk.Webhook{URL: "https://hooks.example" + port}, notify.Options{Allowed: inside, Lookup: to("::ffff:127.0.0.1")}, "x", desk.Denied, notify.ErrAddress},
		{"ByDefaultPrivate", desk.Webhook{URL: "https://10.0.0.1/"}, notify.Options{}, "x", desk.Denied, notify.ErrAddress},
		{"ProxyInFigures", desk.Webhook{URL: "https://10.0.0.1/"}, notify.Options{Environ: []string{"HTTPS_PROXY=" + s.URL}}, "x", desk.Denied, notify.ErrAddress},
		{"SlackTooLong", desk.Webhook{URL: s.URL, Kind: desk.SlackWebhook, Private: true}, notify.Options{}, strings.Repeat("x\n", 100_000), desk.Limit, notify.ErrTooLong},
		{"TeamsTooLong", desk.Webhook{URL: s.URL, Kind: desk.TeamsWebhook, Private: true}, notify.Options{}, strings.Repeat("x\n", 20_000), desk.Limit, notify.ErrTooLong},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := notify.New(&tc.o).Notify(t.Context(), &tc.hook, notification(tc.body))
			e, isError := errors.AsType[*desk.Error](err)
			if !isError || e.Kind != tc.want || !errors.Is(err, tc.is) {
				t.Errorf("the error is %v", err)
			}
		})
	}
	if len(*got) > 0 {
		t.Errorf("%d requests arrived", len(*got))
	}
}

func TestAnswers(t *testing.T) {
	for _, tc := range []struct {
		name   string
		answer http.HandlerFunc
		want   desk.Notified
		again  bool
	}{
		{"Busy", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		}, desk.Notified{Status: 429, RetryAfter: 7 * time.Second}, true},
		{"Broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, desk.Notified{Status: 502}, true},
		{"Gone", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }, desk.Notified{Status: 410}, false},
		{"Redirection", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
		}, desk.Notified{Status: 302}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, got := server(t, tc.answer)
			out, err := notify.New(nil).Notify(t.Context(), &desk.Webhook{URL: s.URL, Kind: desk.SlackWebhook, Private: true}, notification("x"))
			if err != nil || len(*got) != 1 {
				t.Fatal(err, len(*got))
			}
			if d := cmp.Diff(tc.want, *out); d != "" || out.OK() || out.Again() != tc.again {
				t.Error(d, out.OK(), out.Again())
			}
		})
	}
}

// An error names the webhook and never its address.
func TestErrorHidesTheAddress(t *testing.T) {
	s, _ := server(t, ok)
	secret := s.URL + "/services/T0/B0/secret"
	s.Close()
	_, err := notify.New(nil).Notify(t.Context(), &desk.Webhook{Name: "soc", URL: secret, Private: true}, notification("x"))
	e, isError := errors.AsType[*desk.Error](err)
	if !isError || e.Kind != desk.Unavailable {
		t.Fatal(err)
	}
	if said := lang.Default().Say(lang.EN, e.Message) + lang.Default().Say(lang.EN, e.Hint); strings.Contains(said, "secret") {
		t.Error(said)
	}
}
