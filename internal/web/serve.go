package web

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	headerTime = 10 * time.Second
	idleTime   = 2 * time.Minute
	maxHeader  = 32 << 10         // bytes
	stopTime   = 20 * time.Second // for what is under way at the end
)

// Serve answers on a listener until ctx ends, and then what is under way. It
// closes the listener. An answer that goes on for long ends when [Stopping] says
// so.
func Serve(ctx context.Context, l net.Listener, h http.Handler, logger *slog.Logger) error {
	s := &http.Server{
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.WithoutCancel(ctx), stopKey{}, ctx.Done())
		},
		Handler: h, ReadHeaderTimeout: headerTime, ReadTimeout: DefaultTime, WriteTimeout: 2 * DefaultTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
		// net/http names the other side in what it logs.
		ErrorLog: slog.NewLogLogger(wordless{logger.Handler()}, slog.LevelWarn),
	}
	stopped := make(chan error, 1)
	defer context.AfterFunc(ctx, func() {
		logger.Info("stopping")
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		err := s.Shutdown(end)
		if err != nil {
			err = errors.Join(err, s.Close())
		}
		stopped <- err
	})()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// wordless passes on that net/http has something to say, without its words.
type wordless struct{ slog.Handler }

// Handle implements [slog.Handler].
func (h wordless) Handle(ctx context.Context, r slog.Record) error {
	return h.Handler.Handle(ctx, slog.NewRecord(r.Time, r.Level, "connection failed", 0))
}

type stopKey struct{}

// Stopping returns a channel that is closed when the program is about to end, nil
// where that is not known.
func Stopping(r *http.Request) <-chan struct{} {
	c, _ := r.Context().Value(stopKey{}).(<-chan struct{})
	return c
}
