package imap

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

var (
	errSlow  = errors.New("imap: no answer in time")
	errBytes = errors.New("imap: the server sends more than it was asked for")
)

// meter is a connection that reads as many bytes as were allowed and ends after
// those: the parser of answers has no bounds of its own.
type meter struct {
	net.Conn

	left atomic.Int64
	over atomic.Bool
}

func (m *meter) Read(p []byte) (int, error) {
	left := m.left.Load()
	if left <= 0 {
		m.over.Store(true)
		_ = m.Conn.Close() // the error says it
		return 0, errBytes
	}
	if int64(len(p)) > left {
		p = p[:left]
	}
	n, err := m.Conn.Read(p)
	m.left.Add(-int64(n))
	return n, err
}

// dial connects, and encrypts from the first byte where that is asked for. What
// is not encrypted may only go to this machine.
func (o *Options) dial(ctx context.Context) (*meter, error) {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	conn, err := o.Dial(ctx, "tcp", o.Server)
	if err != nil {
		return nil, err
	}
	m := &meter{Conn: conn}
	m.left.Store(maxChatter)
	switch o.TLS {
	case Implicit:
		t := tls.Client(conn, o.tls("imap"))
		if err := t.HandshakeContext(ctx); err != nil {
			_ = conn.Close() // the error of the handshake says more
			return nil, err
		}
		m.Conn = t
	case None:
		if a, ok := conn.RemoteAddr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
			_ = conn.Close() // nothing was sent
			return nil, errPlain
		}
	case StartTLS:
	}
	return m, nil
}

func (o *Options) tls(protocol ...string) *tls.Config {
	host, _, _ := net.SplitHostPort(o.Server) // checked before
	return &tls.Config{ServerName: host, RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12, NextProtos: protocol}
}

var errPlain = errors.New("imap: without TLS, only a server on this machine is read")

// within runs work, which cannot be ended from outside, and closes the
// connection if it takes longer than d or the context ends. The server may send
// at most bytes meanwhile.
func (r *Reader) within(ctx context.Context, d time.Duration, bytes int64, work func() error) error {
	r.conn.left.Store(bytes)
	limited, cancel := context.WithTimeoutCause(ctx, d, errSlow)
	defer cancel()
	stop := context.AfterFunc(limited, func() { _ = r.conn.Close() })
	err := work()
	stop()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		return errSlow
	case err != nil && r.conn.over.Load():
		return errBytes
	}
	return err
}
