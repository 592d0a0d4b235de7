package imap_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"

	"github.com/sekisho/sekisho/internal/intake/imap"
)

const user = "report@kiso-works.example"

// certificate returns one for 127.0.0.1, and who trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s.TLS.Certificates[0], pool
}

// server is an IMAP server in memory.
type server struct {
	t       *testing.T
	user    *imapmemserver.User
	address string
	roots   *x509.CertPool

	mu     sync.Mutex
	tokens []string // that are accepted; nil: passwords are
}

func serve(t *testing.T, way imap.TLS, caps ...goimap.Cap) *server {
	t.Helper()
	cert, roots := certificate(t)
	s := &server{t: t, user: imapmemserver.NewUser(user, "s3cret"), roots: roots}
	if err := s.user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	all := goimap.CapSet{goimap.CapIMAP4rev1: {}}
	for _, c := range caps {
		all[c] = struct{}{}
	}
	mem := imapmemserver.New()
	mem.AddUser(s.user)
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	o := &imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			if s.accepted() != nil {
				return &tokenSession{UserSession: imapmemserver.NewUserSession(s.user), server: s}, nil, nil
			}
			return mem.NewSession(), nil, nil
		},
		Caps: all, InsecureAuth: way == imap.None, Logger: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	if way == imap.StartTLS {
		o.TLSConfig = config
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	if way == imap.Implicit {
		l = tls.NewListener(l, config)
	}
	srv := imapserver.New(o)
	go func() { _ = srv.Serve(l) }() // ends with the listener
	t.Cleanup(func() { _ = srv.Close() })
	return s
}

// accept lets these tokens in, and no passwords.
func (s *server) accept(tokens ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = tokens
}

func (s *server) accepted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens
}

// tokenSession takes tokens over XOAUTH2, as Exchange Online does.
type tokenSession struct {
	*imapmemserver.UserSession

	server *server
}

func (s *tokenSession) Login(string, string) error { return imapserver.ErrAuthFailed }

func (s *tokenSession) AuthenticateMechanisms() []string { return []string{"XOAUTH2"} }

func (s *tokenSession) Authenticate(string) (sasl.Server, error) { return s, nil }

func (s *tokenSession) Next(response []byte) (challenge []byte, done bool, err error) {
	for _, token := range s.server.accepted() {
		if string(response) == "user="+user+"\x01auth=Bearer "+token+"\x01\x01" {
			return nil, true, nil
		}
	}
	if len(response) == 0 {
		return nil, false, imapserver.ErrAuthFailed
	}
	return []byte(`{"status":"400","schemes":"Bearer"}`), false, nil
}

func (s *server) add(mail string) {
	s.t.Helper()
	if _, err := s.user.Append("INBOX", literal{bytes.NewReader([]byte(mail))}, &goimap.AppendOptions{Time: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)}); err != nil {
		s.t.Fatal(err)
	}
}

type literal struct{ *bytes.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

func (s *server) options(way imap.TLS) *imap.Options {
	return &imap.Options{
		Server: s.address, TLS: way, User: user, RootCAs: s.roots, Timeout: 5 * time.Second, MaxMessage: 1 << 20,
		Password: func(context.Context) (string, error) { return "s3cret", nil },
	}
}

func (s *server) open(way imap.TLS) *imap.Reader {
	s.t.Helper()
	r, err := imap.Open(s.t.Context(), s.options(way))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = r.Close() }) // it may be closed
	return r
}

// read reads to the end and returns the first lines, and the last cursor.
func read(ctx context.Context, r *imap.Reader, cursor string) (lines []string, last string, err error) {
	last = cursor
	for step, err := range r.Mails(ctx, cursor) {
		if err != nil {
			return lines, last, err
		}
		raw, err := step.Mail.Raw(ctx)
		if err != nil {
			return lines, last, err
		}
		line, _, _ := strings.Cut(string(raw), "\r\n")
		lines = append(lines, line)
		last = step.Cursor
	}
	return lines, last, nil
}

// script is a server that says whatever a test wants. What it sends for a
// command may name its tag as TAG.
func script(t *testing.T, greeting string, answers map[string]string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				if err := speak(c, greeting, answers); err != nil && !errors.Is(err, io.EOF) {
					return // the client went away
				}
			}()
		}
	}()
	return l.Addr().String()
}

func speak(c net.Conn, greeting string, answers map[string]string) error {
	if _, err := io.WriteString(c, greeting); err != nil {
		return err
	}
	in := bufio.NewScanner(c)
	for in.Scan() {
		tag, command, _ := strings.Cut(in.Text(), " ")
		for prefix, say := range answers {
			if !strings.HasPrefix(command, prefix) {
				continue
			}
			if say == "ENDLESS" {
				for {
					if _, err := fmt.Fprintf(c, "* LIST () \"/\" %s\r\n", strings.Repeat("x", 1000)); err != nil {
						return err
					}
				}
			}
			if _, err := io.WriteString(c, strings.ReplaceAll(say, "TAG", tag)); err != nil {
				return err
			}
		}
	}
	return in.Err()
}
