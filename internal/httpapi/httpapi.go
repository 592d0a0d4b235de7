// Package httpapi is what programs ask over HTTP: whether the program is well,
// what it has counted, and the API.
//
// The API is one table of endpoints ([Routes] makes routes of it, [Document] the
// OpenAPI document). Each calls the same function of package desk as the command
// line, and answers with the same records, whose schemas are in docs/schema. A
// program shows a token with a scope; cookies do not count here, and no answer
// lets a page of another site read it (CORS).
package httpapi

import (
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"time"

	"github.com/sekisho/sekisho/dmarcreport/source"
	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/resolve"
)

// Deps is what the routes need from outside.
type Deps struct {
	Mail       desk.MailDeps
	Intake     *desk.IntakeDeps
	Similar    desk.SimilarStore
	News       desk.NewsStore
	Advisories desk.AdvisoryStore
	Reports    desk.ReportStore
	Digests    desk.DigestStore
	Patch      desk.PatchStore

	// Read reads the messages of a file, and ReadReports the files of one in which
	// reports on DMARC may be. They name it "-".
	Read        func(ctx context.Context, r io.Reader) iter.Seq[desk.Item]
	ReadReports func(ctx context.Context, r io.Reader) iter.Seq[desk.ReportFile]
	// Senders returns what the user knows of sources of mail; nil for nothing.
	Senders func() ([]source.Verdict, error)
	// DNS returns a resolver, nil to ask nothing, and whether its word on DNSSEC
	// counts.
	DNS func() (r resolve.Resolver, trustAD bool, err error)
	// Fetch reads from the Internet; nil: offline.
	Fetch desk.Fetcher

	Config  *config.Config
	Words   *lang.Catalogue // nil: the built-in one
	Now     func() time.Time
	Metrics *web.Metrics
	Version string
}

// api answers. It is safe for concurrent use.
type api struct {
	Deps

	turns    chan struct{} // for what costs much
	document []byte
}

// Routes returns the routes for programs. An error is a mistake in the table of
// endpoints.
func Routes(d Deps) ([]web.Route, error) {
	a := &api{Deps: d, turns: make(chan struct{}, busiest)}
	if a.Words == nil {
		a.Words = lang.Default()
	}
	var err error
	if a.document, err = Document(); err != nil {
		return nil, err
	}
	out := []web.Route{
		{Method: http.MethodGet, Pattern: "/healthz", Rule: web.Public, Handler: a.health},
		{Method: http.MethodGet, Pattern: "/metrics", Rule: web.Local, Handler: a.metrics},
	}
	for _, e := range endpoints() {
		out = append(out, a.route(&e))
	}
	return out, nil
}

// endpoints is the API.
func endpoints() []endpoint {
	return slices.Concat(mailEndpoints(), domainEndpoints(), reportEndpoints(), newsEndpoints(), advisoryEndpoints(), updateEndpoints(), programEndpoints())
}

// programEndpoints are about the program itself.
func programEndpoints() []endpoint {
	return []endpoint{
		{
			id: "metrics", method: http.MethodGet, path: "/metrics", scope: desk.MetricsRead, summary: "What the program has counted",
			about:  "The text format of Prometheus: requests and times by route, mails by verdict, memory.",
			answer: answer{types: []string{"text/plain"}},
			handle: func(a *api, w http.ResponseWriter, r *http.Request) error {
				a.metrics(w, r)
				return nil
			},
		},
		{
			id: "document", method: http.MethodGet, path: "/openapi.json", summary: "This document",
			answer: answer{types: []string{"application/json"}},
			handle: func(a *api, w http.ResponseWriter, _ *http.Request) error {
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write(a.document) // the reader has gone if it fails
				return nil
			},
		},
	}
}

// health says "ok" if the store answers, and 503 otherwise. It tells nothing
// else: anybody may ask.
func (a *api) health(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if _, err := a.Mail.Mails.Mails(r.Context(), &desk.MailQuery{Limit: 1}); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, "the store does not answer")
		return
	}
	fmt.Fprintln(w, "ok")
}

// metrics writes the text format of Prometheus.
func (a *api) metrics(w http.ResponseWriter, r *http.Request) {
	counts, err := a.Mail.Mails.MailCounts(r.Context())
	if err != nil {
		http.Error(w, "the store does not answer", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	fmt.Fprintf(w, "# HELP sekisho_build_info What runs.\n# TYPE sekisho_build_info gauge\nsekisho_build_info{version=%q,go=%q} 1\n", a.Version, runtime.Version())
	fmt.Fprintf(w, "# HELP sekisho_goroutines Goroutines.\n# TYPE sekisho_goroutines gauge\nsekisho_goroutines %d\n", runtime.NumGoroutine())
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	fmt.Fprintf(w, "# HELP sekisho_memory_bytes Memory taken from the system.\n# TYPE sekisho_memory_bytes gauge\nsekisho_memory_bytes %d\n", mem.Sys)
	fmt.Fprint(w, "# HELP sekisho_mails Mails that are kept, by verdict.\n# TYPE sekisho_mails gauge\n")
	for _, word := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "sekisho_mails{verdict=%q} %d\n", word, counts[word].Mails)
	}
	_, _ = a.Metrics.WriteTo(w) // the reader has gone if it fails
}

// who is how the audit log names who asks.
func who(r *http.Request) string {
	if t := web.Program(r); t != nil {
		return t.Who()
	}
	return desk.WhoNobody
}
