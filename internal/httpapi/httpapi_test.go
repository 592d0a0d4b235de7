package httpapi_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/httpapi"
	"github.com/sekisho/sekisho/internal/web"
)

// store answers what the routes ask, or fails.
type store struct {
	desk.MailStore

	err error
}

func (s store) Mails(context.Context, *desk.MailQuery) ([]desk.MailRow, error) { return nil, s.err }

func (s store) MailCounts(context.Context) (map[desk.Word]desk.MailCount, error) {
	return map[desk.Word]desk.MailCount{desk.Malicious: {Mails: 3, Open: 1}}, s.err
}

func TestRoutes(t *testing.T) {
	broken := errors.New("disk I/O error: sato@kiso-works.example")
	for _, tc := range []struct {
		name, pattern string
		rule          web.Rule
		err           error
		status        int
		want          string
	}{
		{"Health", "/healthz", web.Public, nil, 200, "ok\n"},
		{"HealthBroken", "/healthz", web.Public, broken, 503, "the store does not answer\n"},
		{"Metrics", "/metrics", web.Local, nil, 200, "sekisho_mails{verdict=\"malicious\"} 3\n"},
		{"MetricsForToken", "/api/v1/metrics", web.Bearer, nil, 200, "sekisho_mails{verdict=\"malicious\"} 3\n"},
		{"MetricsBroken", "/metrics", web.Local, broken, 503, "the store does not answer\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			routes, err := httpapi.Routes(httpapi.Deps{Mail: desk.MailDeps{Mails: store{err: tc.err}}, Metrics: web.NewMetrics(), Version: "1"})
			if err != nil {
				t.Fatal(err)
			}
			for _, route := range routes {
				if route.Pattern != tc.pattern {
					continue
				}
				w := httptest.NewRecorder()
				route.Handler(w, httptest.NewRequest("GET", tc.pattern, nil))
				if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.want) || strings.Contains(w.Body.String(), "sato") || route.Rule != tc.rule {
					t.Errorf("%s %d: %s", route.Rule, w.Code, w.Body)
				}
				return
			}
			t.Error("no such route")
		})
	}
}
