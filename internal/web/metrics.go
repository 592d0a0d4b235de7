package web

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Metrics counts requests. The zero value is not ready; see [NewMetrics]. It is
// safe for concurrent use.
type Metrics struct {
	mu    sync.Mutex
	codes map[code]int64
	spans map[string]*span
}

type code struct {
	route  string
	status int
}

// span is a histogram of the time that one route takes.
type span struct {
	buckets [len(bounds)]int64 // not added up
	count   int64
	sum     float64
}

// bounds are the upper ends of the histogram, in seconds.
var bounds = [...]float64{0.005, 0.025, 0.1, 0.5, 2, 10}

// NewMetrics returns metrics that have counted nothing.
func NewMetrics() *Metrics { return &Metrics{codes: map[code]int64{}, spans: map[string]*span{}} }

// Observe counts a request of that route, which must be one of a fixed set.
func (m *Metrics) Observe(route string, status int, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.codes[code{route, status}]++
	s := m.spans[route]
	if s == nil {
		s = &span{}
		m.spans[route] = s
	}
	s.count++
	s.sum += took.Seconds()
	for i, b := range bounds {
		if took.Seconds() <= b {
			s.buckets[i]++
			break
		}
	}
}

// WriteTo writes all counts in the text format of Prometheus, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
func (m *Metrics) WriteTo(w io.Writer) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var b strings.Builder
	b.WriteString("# HELP sekisho_http_requests_total Requests by route and status.\n# TYPE sekisho_http_requests_total counter\n")
	codes := slices.SortedFunc(maps.Keys(m.codes), func(x, y code) int {
		return strings.Compare(fmt.Sprint(x.route, " ", x.status), fmt.Sprint(y.route, " ", y.status))
	})
	for _, c := range codes {
		fmt.Fprintf(&b, "sekisho_http_requests_total{route=%q,status=\"%d\"} %d\n", c.route, c.status, m.codes[c])
	}
	b.WriteString("# HELP sekisho_http_request_duration_seconds Time that requests took, by route.\n# TYPE sekisho_http_request_duration_seconds histogram\n")
	for _, route := range slices.Sorted(maps.Keys(m.spans)) {
		s, below := m.spans[route], int64(0)
		for i, bound := range bounds {
			below += s.buckets[i]
			fmt.Fprintf(&b, "sekisho_http_request_duration_seconds_bucket{route=%q,le=\"%g\"} %d\n", route, bound, below)
		}
		fmt.Fprintf(&b, "sekisho_http_request_duration_seconds_bucket{route=%q,le=\"+Inf\"} %d\n", route, s.count)
		fmt.Fprintf(&b, "sekisho_http_request_duration_seconds_sum{route=%q} %g\n", route, s.sum)
		fmt.Fprintf(&b, "sekisho_http_request_duration_seconds_count{route=%q} %d\n", route, s.count)
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}
