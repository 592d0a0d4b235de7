// Package httpapi is what programs ask over HTTP: whether the program is well,
// and what it has counted.
package httpapi

import (
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
)

// Deps is what the routes need from outside.
type Deps struct {
	Mails   desk.MailStore
	Metrics *web.Metrics
	Version string
}

// Routes returns the routes for programs.
func Routes(d Deps) []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Pattern: "/healthz", Rule: web.Public, Handler: d.health},
		{Method: http.MethodGet, Pattern: "/metrics", Rule: web.Local, Handler: d.metrics},
	}
}

// health says "ok" if the store answers, and 503 otherwise. It tells nothing
// else: anybody may ask.
func (d Deps) health(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if _, err := d.Mails.Mails(r.Context(), &desk.MailQuery{Limit: 1}); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, "the store does not answer")
		return
	}
	fmt.Fprintln(w, "ok")
}

// metrics writes the text format of Prometheus.
func (d Deps) metrics(w http.ResponseWriter, r *http.Request) {
	counts, err := d.Mails.MailCounts(r.Context())
	if err != nil {
		http.Error(w, "the store does not answer", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	fmt.Fprintf(w, "# HELP sekisho_build_info What runs.\n# TYPE sekisho_build_info gauge\nsekisho_build_info{version=%q,go=%q} 1\n", d.Version, runtime.Version())
	fmt.Fprintf(w, "# HELP sekisho_goroutines Goroutines.\n# TYPE sekisho_goroutines gauge\nsekisho_goroutines %d\n", runtime.NumGoroutine())
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	fmt.Fprintf(w, "# HELP sekisho_memory_bytes Memory taken from the system.\n# TYPE sekisho_memory_bytes gauge\nsekisho_memory_bytes %d\n", mem.Sys)
	fmt.Fprint(w, "# HELP sekisho_mails Mails that are kept, by verdict.\n# TYPE sekisho_mails gauge\n")
	for _, word := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "sekisho_mails{verdict=%q} %d\n", word, counts[word].Mails)
	}
	_, _ = d.Metrics.WriteTo(w) // the reader has gone if it fails
}
