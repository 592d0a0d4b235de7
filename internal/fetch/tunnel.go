package fetch

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// tunnel is a proxy for one server and one program on this machine: git connects
// where its name server says, so it is given a way out that looks first.
type tunnel struct {
	client   *Client
	target   string // host and port
	listener net.Listener
	cancel   context.CancelFunc
	work     sync.WaitGroup

	mu   sync.Mutex
	err  error // why a connection was refused
	left int64 // bytes that the server may still send
}

// maxTunnels bounds the connections of one program.
const maxTunnels = 8

// openTunnel listens on this machine until it is closed.
func (c *Client) openTunnel(ctx context.Context, target string, maxBytes int64) (*tunnel, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithValue(ctx, givenKey{}, target))
	t := &tunnel{client: c, target: target, listener: listener, cancel: cancel, left: maxBytes}
	slots := make(chan struct{}, maxTunnels)
	t.work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				_ = conn.Close()
				return
			}
			t.work.Go(func() {
				t.serve(ctx, conn)
				<-slots
			})
		}
	})
	return t, nil
}

func (t *tunnel) url() string { return "http://" + t.listener.Addr().String() }

// close ends all connections and returns why one was refused, if one was.
func (t *tunnel) close() error {
	t.cancel()
	_ = t.listener.Close()
	t.work.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

func (t *tunnel) refuse(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
}

func (t *tunnel) serve(ctx context.Context, conn net.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer func() { _ = conn.Close() }()
	_ = conn.SetReadDeadline(time.Now().Add(dialTimeout))
	in := bufio.NewReader(io.LimitReader(conn, maxHeader))
	req, err := http.ReadRequest(in)
	if err != nil || req.Method != http.MethodConnect || req.Host != t.target {
		_, _ = io.WriteString(conn, "HTTP/1.1 403 Forbidden\r\n\r\n")
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	server, err := t.client.dial(ctx, "tcp", t.target)
	if err != nil {
		t.refuse(err)
		_, _ = io.WriteString(conn, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
		return
	}
	stopServer := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stopServer()
	defer func() { _ = server.Close() }()
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	var done sync.WaitGroup
	done.Go(func() {
		// What was read with the request belongs to the server too.
		early, _ := in.Peek(in.Buffered())
		if _, err := server.Write(early); err == nil {
			_, _ = io.Copy(server, conn)
		}
		_ = server.Close()
	})
	if _, err := io.Copy(conn, &share{t, server}); err != nil {
		t.refuse(err)
	}
	_ = conn.Close()
	done.Wait()
}

// share reads from a server what is left for all connections together.
type share struct {
	t *tunnel
	r io.Reader
}

func (s *share) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.t.mu.Lock()
	s.t.left -= int64(n)
	over := s.t.left < 0
	s.t.mu.Unlock()
	if over {
		return 0, ErrTooLarge
	}
	return n, err
}
