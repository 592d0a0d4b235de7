package apiclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/apiclient"
	"github.com/sekisho/sekisho/internal/cli"
	"github.com/sekisho/sekisho/internal/desk"
)

func TestNew(t *testing.T) {
	for _, tc := range []struct {
		name, address string
		good          bool
	}{
		{"TLS", "https://desk.kiso-works.example", true},
		{"WithPath", "https://desk.kiso-works.example/sekisho/", true},
		{"WithBase", "https://desk.kiso-works.example/api/v1", true},
		{"Loopback", "http://127.0.0.1:8484/", true},
		{"LoopbackIPv6", "http://[::1]:8484/", true},
		{"Localhost", "http://localhost:8484", true},
		{"Plain", "http://desk.kiso-works.example/", false},
		{"PlainAddress", "http://192.0.2.7/", false},
		{"LooksLocal", "http://localhost.test/", false},
		{"Password", "https://user:password@desk.kiso-works.example/", false},
		{"Query", "https://desk.kiso-works.example/?x=1", false},
		{"NoScheme", "desk.kiso-works.example", false},
		{"OtherScheme", "ftp://desk.kiso-works.example/", false},
		{"Nothing", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := apiclient.New(tc.address, "token", "test")
			if e, ok := errors.AsType[*desk.Error](err); (err == nil) != tc.good || err != nil && (!ok || e.Kind != desk.Invalid) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAsk(t *testing.T) {
	var elsewhere []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		elsewhere = append(elsewhere, r.Header.Get("Authorization"))
	}))
	defer other.Close()
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = strings.Join([]string{r.Method, r.RequestURI, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(b)}, " ")
		switch r.URL.Path {
		case "/desk/api/v1/good":
			fmt.Fprint(w, `{"n":7}`)
		case "/desk/api/v1/refused":
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error":{"kind":"not_found","message":{"ja":"ありません","en":"it is not there"},"hint":{"ja":"探す","en":"look"}}}`)
		case "/desk/api/v1/page":
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprint(w, `<h1>Bad gateway</h1>`)
		case "/desk/api/v1/moved":
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		case "/desk/api/v1/text":
			fmt.Fprint(w, "hello")
		case "/desk/api/v1/endless":
			for range 33 << 4 {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}
	}))
	defer server.Close()
	c, err := apiclient.New(server.URL+"/desk/", "secret", "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name     string
		question cli.Question
		asked    string // "" to leave it out
		kind     desk.ErrorKind
		says     string
	}{
		{"Good", cli.Question{Path: "/good", Query: url.Values{"a": {"1", "2"}}}, "GET /desk/api/v1/good?a=1&a=2 Bearer secret  ", "", ""},
		{"Post", cli.Question{Method: "POST", Path: "/good", Type: "message/rfc822", Body: []byte("mail")}, "POST /desk/api/v1/good Bearer secret message/rfc822 mail", "", ""},
		{"Refused", cli.Question{Path: "/refused"}, "", desk.NotFound, "it is not there"},
		{"Page", cli.Question{Path: "/page"}, "", desk.Unavailable, "does not answer like a sekisho"},
		{"Moved", cli.Question{Path: "/moved"}, "", desk.Unavailable, "does not answer like a sekisho"},
		{"Text", cli.Question{Path: "/text"}, "", desk.Unavailable, "does not answer like a sekisho"},
		{"Endless", cli.Question{Path: "/endless"}, "", desk.Unavailable, "does not answer like a sekisho"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out struct{ N int }
			err := c.Ask(t.Context(), &tc.question, &out)
			if tc.kind == "" {
				if err != nil || out.N != 7 {
					t.Errorf("%v %v", out, err)
				}
			} else if e, ok := errors.AsType[*desk.Error](err); !ok || e.Kind != tc.kind || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v", err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error has the token: %v", err)
			}
			if diff := cmp.Diff(tc.asked, asked); tc.asked != "" && diff != "" {
				t.Error(diff)
			}
		})
	}
	if len(elsewhere) > 0 {
		t.Errorf("the token went to another host: %v", elsewhere)
	}
	server.Close()
	if e, ok := errors.AsType[*desk.Error](c.Ask(t.Context(), &cli.Question{Path: "/good"}, nil)); !ok || e.Kind != desk.Unavailable {
		t.Errorf("%v", e)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Ask(ctx, &cli.Question{Path: "/good"}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
