// Package web is what all of sekisho's pages and answers over HTTP have in
// common: a table of routes in which each says who may use it, and what every
// answer carries, whoever made it.
//
// A route without a [Rule] is an error when the program starts, not a page that
// is open by oversight. Every request passes, in this order: the name of the host
// (against DNS rebinding), security headers, the origin of what changes something
// ([http.CrossOriginProtection]), a bound on the body and on time, the rule. What
// is logged is the route, the status and the time, never an address or a body.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
)

// Rule says who may use a route.
type Rule string

// The rules.
const (
	Public Rule = "public" // anybody who reaches the address
	Local  Rule = "local"  // a program on this machine that nobody speaks through
	Login  Rule = "login"  // anybody who signed in
	Admin  Rule = "admin"  // the administrator
	Bearer Rule = "bearer" // a program with a token that has the scope of the route; no cookie counts
)

// Route is one thing that can be asked for.
type Route struct {
	Method  string // "GET" answers HEAD too
	Pattern string // as [http.ServeMux] has it, without the method
	Rule    Rule
	Scope   desk.Scope    // that [Bearer] asks for; "" for the other rules
	Body    int64         // bytes of the body at most; 0 is [DefaultBody]
	Time    time.Duration // for reading the request, and then for the answer; 0 is [DefaultTime]
	Handler http.HandlerFunc
}

// What holds where a route does not say.
const (
	DefaultBody = 64 << 10
	DefaultTime = 30 * time.Second
)

// Options are what [New] needs from outside.
type Options struct {
	// Hosts are names by which the program is reached beside addresses and
	// "localhost".
	Hosts []string
	// Authenticate returns the session of a token, nil if there is none.
	Authenticate func(ctx context.Context, token string) (*desk.Session, error)
	// Bearer returns the token of a program, or why it may not; see
	// [desk.UseToken]. It may be nil where no route asks for one.
	Bearer func(ctx context.Context, token string, scope desk.Scope, from netip.Addr) (*desk.APIToken, error)
	// Refuse answers what is not allowed, not there or does not work.
	Refuse func(w http.ResponseWriter, r *http.Request, status int, err error)
	// Enter answers a reader who has to sign in first.
	Enter   func(w http.ResponseWriter, r *http.Request)
	Log     *slog.Logger
	Metrics *Metrics
}

// New returns the handler of all routes. An error names a route that has no rule,
// or one twice.
func New(routes []Route, o Options) (http.Handler, error) {
	mux := http.NewServeMux()
	known := map[string]bool{}
	for _, r := range routes {
		name := r.Method + " " + r.Pattern
		switch {
		case !slices.Contains([]Rule{Public, Local, Login, Admin, Bearer}, r.Rule):
			return nil, fmt.Errorf("web: nobody said who may use %s", name)
		case (r.Rule == Bearer) != slices.Contains(desk.Scopes(), r.Scope) || r.Rule == Bearer && o.Bearer == nil:
			return nil, fmt.Errorf("web: the scope of %s is not one for its rule", name)
		case r.Method != http.MethodGet && r.Method != http.MethodPost && r.Method != http.MethodDelete:
			return nil, fmt.Errorf("web: the method of %s is none of GET, POST and DELETE", name)
		case r.Handler == nil || known[name]:
			return nil, fmt.Errorf("web: %s has no handler, or two", name)
		}
		known[name] = true
		mux.Handle(name, o.guard(r))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { o.Refuse(w, r, http.StatusNotFound, nil) })
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.Refuse(w, r, http.StatusForbidden, errCrossOrigin)
	}))
	return o.observe(mux, headers(o.host(origin.Handler(mux)))), nil
}

var (
	errCrossOrigin = errors.New("web: the request comes from another site")
	errNotLocal    = errors.New("web: only programs on this machine may ask")
	errPanic       = errors.New("web: the handler panicked")
)

// guard holds a request to what its route says.
func (o *Options) guard(route Route) http.Handler {
	body, span := route.Body, route.Time
	if body <= 0 {
		body = DefaultBody
	}
	if span <= 0 {
		span = DefaultTime
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		now := time.Now()
		_ = control.SetReadDeadline(now.Add(span)) // a recorder of tests has none
		_ = control.SetWriteDeadline(now.Add(2 * span))
		if r.ContentLength > body {
			o.Refuse(w, r, http.StatusRequestEntityTooLarge, nil)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, body)
		if route.Rule == Local && !local(r) {
			o.Refuse(w, r, http.StatusForbidden, errNotLocal)
			return
		}
		if route.Rule == Bearer {
			o.bearer(w, r, &route)
			return
		}
		s, err := o.Authenticate(r.Context(), Token(r))
		if err != nil {
			o.Refuse(w, r, http.StatusInternalServerError, err)
			return
		}
		if s == nil && (route.Rule == Login || route.Rule == Admin) {
			o.Enter(w, r)
			return
		}
		// There is one account, and it is the administrator's.
		route.Handler(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, s)))
	})
}

// local reports whether a program on this machine asks, and not a proxy on it
// for somebody else.
func local(r *http.Request) bool {
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	return Address(r).IsLoopback() && LoopbackHost(r.Host)
}

type sessionKey struct{}

// Session returns who asks, nil if nobody signed in.
func Session(r *http.Request) *desk.Session {
	s, _ := r.Context().Value(sessionKey{}).(*desk.Session)
	return s
}

// Address returns the address from which a request came, the zero one if it is
// not known. It is that of a proxy if there is one: what a proxy says about
// others is not believed, since anybody can say it.
func Address(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap().WithZone("")
}

// headers sets what every answer carries.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", ContentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		// Nothing leaves for others. "no-referrer" would also make browsers say that
		// forms come from nowhere.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
		next.ServeHTTP(w, r)
	})
}

// ContentSecurityPolicy is that of every page: nothing but what the program
// itself serves, no inline style or script, no frames, no base.
const ContentSecurityPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// host refuses names of the host that nobody gave the program. A page of somebody
// else whose name suddenly leads to this machine would otherwise be of the same
// origin.
func (o *Options) host(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := hostName(r.Host)
		_, err := netip.ParseAddr(name)
		if err != nil && name != "localhost" && !slices.ContainsFunc(o.Hosts, func(h string) bool { return strings.EqualFold(h, name) }) {
			http.Error(w, "sekisho: this program is not known by that name; start it with --host NAME", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostName returns the Host of a request without port, in lower case.
func hostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// LoopbackHost reports whether the host of a request names this machine itself.
func LoopbackHost(host string) bool {
	name := hostName(host)
	a, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && a.IsLoopback()
}

// observe measures and logs a request, and answers for a handler that panics.
func (o *Options) observe(mux *http.ServeMux, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		_, pattern := mux.Handler(r) // known patterns only: a path may hold anything
		rec := &recorder{ResponseWriter: w}
		defer func() {
			if p := recover(); p != nil {
				if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(p) // how a handler ends a connection
				}
				o.Log.Error("handler panicked", slog.String("route", pattern), slog.String("type", fmt.Sprintf("%T", p)))
				if rec.status == 0 {
					o.Refuse(rec, r, http.StatusInternalServerError, errPanic)
				}
			}
			took := time.Since(start)
			status := max(rec.status, http.StatusOK)
			o.Metrics.Observe(pattern, status, took)
			o.Log.Info("request", slog.String("method", method(r.Method)), slog.String("route", pattern), slog.Int("status", status),
				slog.Int64("bytes", rec.bytes), slog.Float64("ms", float64(took.Microseconds())/1000))
		}()
		next.ServeHTTP(rec, r)
	})
}

// method bounds what a stranger can write into the log.
func method(m string) string {
	if slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions}, m) {
		return m
	}
	return "other"
}

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements [http.ResponseWriter].
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets an [http.ResponseController] reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
