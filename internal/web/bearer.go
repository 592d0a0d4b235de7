package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
)

type programKey struct{}

// Program returns the token with which a program asks, nil on routes for others.
func Program(r *http.Request) *desk.APIToken {
	t, _ := r.Context().Value(programKey{}).(*desk.APIToken)
	return t
}

// bearer lets a program in that sends a token as RFC 6750 has it, section 2.1.
// Nothing else counts: a browser sends cookies by itself and tokens never, so
// that no page of somebody else can ask in the name of its reader.
func (o *Options) bearer(w http.ResponseWriter, r *http.Request, route *Route) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		token = ""
	}
	t, err := o.Bearer(r.Context(), strings.TrimSpace(token), route.Scope, Address(r))
	if err == nil {
		route.Handler(w, r.WithContext(context.WithValue(r.Context(), programKey{}, t)))
		return
	}
	status := http.StatusInternalServerError
	switch e, ok := errors.AsType[*desk.Error](err); {
	case !ok:
	case errors.Is(err, desk.ErrToken):
		w.Header().Set("WWW-Authenticate", `Bearer realm="sekisho"`)
		status = http.StatusUnauthorized
	case e.Kind == desk.Denied:
		w.Header().Set("WWW-Authenticate", `Bearer realm="sekisho", error="insufficient_scope", scope="`+string(route.Scope)+`"`)
		status = http.StatusForbidden
	case e.Kind == desk.Limit:
		status = http.StatusTooManyRequests
	case e.Kind == desk.Unavailable:
		status = http.StatusServiceUnavailable
	}
	if e, ok := errors.AsType[*desk.WaitError](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(int((e.Wait+time.Second-1)/time.Second)))
	}
	o.Refuse(w, r, status, err)
}
