package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
	"github.com/sekisho/sekisho/lang"
)

// Bounds of long work.
const (
	longest     = 15 * time.Minute
	eventEvery  = 200 * time.Millisecond // progress that comes quicker is left out
	eventSilent = 15 * time.Second       // after that a comment keeps the connection alive
)

// progress is how far work has come: event "progress".
type progress struct {
	Done  int `json:"done"`
	Total int `json:"total,omitempty"` // 0 where nobody knows
}

// wantsEvents reports whether a program asked for Server-Sent Events.
func wantsEvents(r *http.Request) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		if media, _, err := mime.ParseMediaType(part); err == nil && media == "text/event-stream" {
			return true
		}
	}
	return false
}

// long does work that takes its time and answers with what it returns: as JSON,
// or for a program that asks for it as Server-Sent Events (HTML, section 9.2):
// any number of "progress", and at the end one "result" or one "error". The work
// ends when nobody waits for it any more, or the program stops.
func (a *api) long(w http.ResponseWriter, r *http.Request, work func(ctx context.Context, report func(done, total int)) (any, error)) error {
	ctx, cancel := context.WithTimeout(r.Context(), longest)
	defer cancel()
	stop := web.Stopping(r)
	if !wantsEvents(r) {
		go func() {
			select {
			case <-stop:
				cancel()
			case <-ctx.Done():
			}
		}()
		v, err := work(ctx, func(int, int) {})
		if err != nil {
			return stopped(ctx, r, err)
		}
		return write(w, http.StatusOK, v)
	}
	var mu sync.Mutex
	var last progress
	news := make(chan struct{}, 1)
	type outcome struct {
		v   any
		err error
	}
	ended := make(chan outcome, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				ended <- outcome{err: fmt.Errorf("httpapi: panic: %T", p)}
			}
		}()
		v, err := work(ctx, func(done, total int) {
			mu.Lock()
			last = progress{done, total}
			mu.Unlock()
			select {
			case news <- struct{}{}:
			default:
			}
		})
		ended <- outcome{v, err}
	}()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // or nginx keeps everything back until the end
	w.WriteHeader(http.StatusOK)
	control := http.NewResponseController(w)
	_ = control.Flush() // who waits learns that work has begun
	send := func(event string, v any) {
		b, err := json.Marshal(v)
		if err != nil {
			b, event = []byte(`{}`), "error"
		}
		fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event, b)
		_ = control.Flush() // a recorder of tests has none
	}
	alive := time.NewTicker(eventSilent)
	defer alive.Stop()
	for {
		select {
		case <-stop:
			cancel()
			stop = nil // the work says itself when it has ended
		case <-alive.C:
			fmt.Fprint(w, ": working\n\n")
			_ = control.Flush()
		case <-news:
			mu.Lock()
			p := last
			mu.Unlock()
			send("progress", p)
			select { // no more than the reader needs
			case <-time.After(eventEvery):
			case <-ctx.Done():
			}
		case o := <-ended:
			if o.err != nil {
				o.err = stopped(ctx, r, o.err)
				send("error", a.failure(web.StatusOf(o.err), o.err))
				return nil
			}
			send("result", o.v)
			return nil
		}
	}
}

// stopped says why work ended that did not come to its end by itself.
func stopped(ctx context.Context, r *http.Request, err error) error {
	if ctx.Err() != nil && r.Context().Err() == nil {
		return &desk.Error{Kind: desk.Unavailable, Message: lang.M("api.error.stopped"), Hint: lang.M("api.hint.stopped"), Err: err}
	}
	return err
}
