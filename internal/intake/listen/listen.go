// Package listen bounds what a server of mail can be made to do by those who
// connect to it: how many connections there are, how long one may be idle and
// how long it may last, and how many bytes of mail are in memory.
package listen

import (
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Listen opens a listener: "unix:" and a path is a socket of this machine,
// readable for its group, anything else host and port. A socket that a program
// left behind when it was killed is replaced.
func Listen(address string) (net.Listener, error) {
	path, ok := strings.CutPrefix(address, "unix:")
	if !ok {
		return net.Listen("tcp", address)
	}
	if c, err := net.Dial("unix", path); err == nil {
		_ = c.Close() // somebody answers: net.Listen says that the address is in use
	} else if st, err := os.Lstat(path); err == nil && st.Mode().Type() == os.ModeSocket {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o660); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// Limits bounds connections. Zero fields are not bounded.
type Limits struct {
	Connections int           // at the same time
	Idle        time.Duration // without a byte; wins over what the server sets
	Life        time.Duration // of one connection

	Allow []netip.Prefix // who may connect over a network; sockets are open to whoever may use the file

	Full   string // what one that is too many is told
	Denied string // what one that may not connect is told
}

// Wrap returns a listener that keeps to the limits.
func Wrap(l net.Listener, limits Limits) net.Listener {
	return &listener{Listener: l, limits: limits}
}

type listener struct {
	net.Listener
	limits Limits
	open   atomic.Int64
}

// refusal is how long one that is refused may take to hear it.
const refusal = 2 * time.Second

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		word := ""
		switch {
		case !l.allowed(c.RemoteAddr()):
			word = l.limits.Denied
		case l.limits.Connections > 0 && l.open.Load() >= int64(l.limits.Connections):
			word = l.limits.Full
		default:
			l.open.Add(1)
			now := time.Now()
			w := &conn{Conn: c, l: l}
			if l.limits.Life > 0 {
				w.end = now.Add(l.limits.Life)
			}
			return w, w.SetDeadline(time.Time{})
		}
		_ = c.SetDeadline(time.Now().Add(refusal)) // of a connection that is closed next
		_, _ = io.WriteString(c, word)
		_ = c.Close()
	}
}

func (l *listener) allowed(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return true
	}
	ip := t.AddrPort().Addr().Unmap()
	return slices.ContainsFunc(l.limits.Allow, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// conn is a connection that ends when its time has come.
type conn struct {
	net.Conn
	l    *listener
	end  time.Time
	once sync.Once
}

func (c *conn) Read(p []byte) (int, error) {
	if c.l.limits.Idle > 0 {
		if err := c.SetReadDeadline(time.Time{}); err != nil {
			return 0, err
		}
	}
	return c.Conn.Read(p)
}

func (c *conn) Write(p []byte) (int, error) {
	if c.l.limits.Idle > 0 {
		if err := c.SetWriteDeadline(time.Time{}); err != nil {
			return 0, err
		}
	}
	return c.Conn.Write(p)
}

// earliest is the first of the times at which the connection has to end.
func (c *conn) earliest(t time.Time) time.Time {
	if c.l.limits.Idle > 0 {
		if idle := time.Now().Add(c.l.limits.Idle); t.IsZero() || idle.Before(t) {
			t = idle
		}
	}
	if !c.end.IsZero() && (t.IsZero() || c.end.Before(t)) {
		t = c.end
	}
	return t
}

func (c *conn) SetDeadline(t time.Time) error      { return c.Conn.SetDeadline(c.earliest(t)) }
func (c *conn) SetReadDeadline(t time.Time) error  { return c.Conn.SetReadDeadline(c.earliest(t)) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.Conn.SetWriteDeadline(c.earliest(t)) }

func (c *conn) Close() error {
	c.once.Do(func() { c.l.open.Add(-1) })
	return c.Conn.Close()
}

// Memory bounds the bytes of mail that are in memory at once.
type Memory struct {
	left atomic.Int64
}

// NewMemory returns a bound of n bytes.
func NewMemory(n int64) *Memory {
	m := &Memory{}
	m.left.Store(n)
	return m
}

// Take takes n bytes, and reports whether there were as many.
func (m *Memory) Take(n int) bool {
	if m.left.Add(-int64(n)) >= 0 {
		return true
	}
	m.left.Add(int64(n))
	return false
}

// Give gives n bytes back.
func (m *Memory) Give(n int) { m.left.Add(int64(n)) }
