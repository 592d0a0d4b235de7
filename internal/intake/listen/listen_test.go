package listen_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/sekisho/sekisho/internal/intake/listen"
)

// greet is a server that says hello and waits.
func greet(t *testing.T, address string, limits listen.Limits) net.Addr {
	t.Helper()
	l, err := listen.Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	w := listen.Wrap(l, limits)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := w.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				_, _ = io.WriteString(c, "hello")
				_, _ = io.Copy(io.Discard, c)
			}()
		}
	}()
	return l.Addr()
}

func hear(t *testing.T, a net.Addr) (net.Conn, string) {
	t.Helper()
	c, err := net.Dial(a.Network(), a.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 5)
	n, _ := io.ReadFull(c, b)
	return c, string(b[:n])
}

func TestConnections(t *testing.T) {
	a := greet(t, "127.0.0.1:0", listen.Limits{Connections: 1, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Full: "full!"})
	first, word := hear(t, a)
	if word != "hello" {
		t.Fatal(word)
	}
	if _, word := hear(t, a); word != "full!" {
		t.Errorf("the second is told %q", word)
	}
	_ = first.Close()
	for range 100 {
		if _, word = hear(t, a); word == "hello" {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("after the first has gone, one is told %q", word)
}

func TestDenied(t *testing.T) {
	a := greet(t, "127.0.0.1:0", listen.Limits{Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Denied: "no!!!"})
	if _, word := hear(t, a); word != "no!!!" {
		t.Errorf("%q", word)
	}
}

// A connection ends when it is idle and when its life is over, whatever is said
// on it.
func TestTimes(t *testing.T) {
	for name, limits := range map[string]listen.Limits{"Idle": {Idle: 50 * time.Millisecond}, "Life": {Life: 100 * time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			limits.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
			c, word := hear(t, greet(t, "127.0.0.1:0", limits))
			if word != "hello" {
				t.Fatal(word)
			}
			if name == "Life" {
				go func() {
					for {
						if _, err := c.Write([]byte("x")); err != nil {
							return
						}
						time.Sleep(10 * time.Millisecond)
					}
				}()
			}
			start := time.Now()
			if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) > 5*time.Second {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
		})
	}
}

func TestSocket(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("sockets of Windows have no modes")
	}
	path := filepath.Join(t.TempDir(), "milter.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // as after a kill
	_ = l.Close()
	if _, word := hear(t, greet(t, "unix:"+path, listen.Limits{})); word != "hello" {
		t.Error(word)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o660 {
		t.Errorf("%v %v", st.Mode(), err)
	}
	if l, err := listen.Listen("unix:" + path); err == nil {
		_ = l.Close()
		t.Error("a socket in use was taken away")
	}
}

func TestMemory(t *testing.T) {
	m := listen.NewMemory(10)
	if !m.Take(6) || m.Take(5) || !m.Take(4) || m.Take(1) {
		t.Error("10 bytes are not 10 bytes")
	}
	m.Give(4)
	if !m.Take(4) {
		t.Error("what was given back is not there")
	}
}
