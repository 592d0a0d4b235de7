package notify_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/notify"
)

// post is a mail server that keeps what it gets.
type post struct {
	mu      sync.Mutex
	from    string
	to      []string
	raw     string
	user    string
	answer  error // to RCPT
	atData  error
	refuses bool // the login
}

func (p *post) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{post: p}, nil }

type session struct{ *post }

func (s *session) Mail(from string, _ *smtp.MailOptions) error { s.from = from; return nil }
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return s.answer
}
func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw = string(b)
	if err == nil {
		err = s.atData
	}
	return err
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != "secret" || s.refuses {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "no"}
		}
		s.user = user
		return nil
	}), nil
}

// certificate returns a certificate for 127.0.0.1 and a pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s.TLS.Certificates[0], pool
}

func mailServer(t *testing.T, p *post, implicit, plain bool) (address string, pool *x509.CertPool) {
	t.Helper()
	cert, pool := certificate(t)
	s := smtp.NewServer(p)
	s.AllowInsecureAuth = plain
	s.ErrorLog = silent{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	switch {
	case implicit:
		l = tls.NewListener(l, config)
	case !plain:
		s.TLSConfig = config
	}
	done := make(chan struct{})
	go func() { _ = s.Serve(l); close(done) }()
	t.Cleanup(func() { _ = s.Close(); <-done })
	return l.Addr().String(), pool
}

type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

func TestSMTP(t *testing.T) {
	for _, tc := range []struct {
		name            string
		implicit, plain bool
	}{{"StartTLS", false, false}, {"Implicit", true, false}, {"Plain", false, true}} {
		t.Run(tc.name, func(t *testing.T) {
			p := &post{}
			address, pool := mailServer(t, p, tc.implicit, tc.plain)
			c := notify.NewSMTP(notify.SMTPOptions{
				Server: address, Implicit: tc.implicit, Plain: tc.plain, User: "sekisho", Password: "secret", From: "sekisho@kiso-works.example", RootCAs: pool, Hello: "desk.kiso-works.example",
			})
			a, err := c.SendMail(t.Context(), "sato@kiso-works.example", []byte("Subject: x\r\n\r\n.\r\n..dots\r\n"))
			if err != nil || a.Code != 250 {
				t.Fatal(a, err)
			}
			if p.from != "sekisho@kiso-works.example" || strings.Join(p.to, " ") != "sato@kiso-works.example" || p.raw != "Subject: x\r\n\r\n.\r\n..dots\r\n" || p.user != "sekisho" {
				t.Errorf("%+v", p)
			}
		})
	}
}

// What a server says to a mail is an answer; what it says to us is trouble of the
// settings, after which the mail is tried again.
func TestSMTPRefusals(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(p *post, o *notify.SMTPOptions)
		code   int
		want   string
	}{
		{"Later", func(p *post, _ *notify.SMTPOptions) {
			p.answer = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}
		}, 451, "greylisted"},
		{"Never", func(p *post, _ *notify.SMTPOptions) {
			p.answer = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "nobody\r\nhere"}
		}, 550, "nobody"},
		{"AtData", func(p *post, _ *notify.SMTPOptions) {
			p.atData = &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "content"}
		}, 554, "content"},
		{"Password", func(_ *post, o *notify.SMTPOptions) { o.Password = "wrong" }, 0, "smtp.error.login"},
		{"Certificate", func(_ *post, o *notify.SMTPOptions) { o.RootCAs = x509.NewCertPool() }, 0, "smtp.error.tls"},
		{"NoTLS", func(_ *post, o *notify.SMTPOptions) { o.Implicit = true }, 0, "smtp.error.tls"},
		{"Nobody", func(_ *post, o *notify.SMTPOptions) { o.Server = "127.0.0.1:1" }, 0, "smtp.error.connect"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := &post{}
			address, pool := mailServer(t, p, false, false)
			o := notify.SMTPOptions{Server: address, User: "sekisho", Password: "secret", From: "sekisho@kiso-works.example", RootCAs: pool}
			tc.change(p, &o)
			a, err := notify.NewSMTP(o).SendMail(t.Context(), "sato@kiso-works.example", []byte("Subject: x\r\n\r\n"))
			if tc.code > 0 {
				if err != nil || a.Code != tc.code || !strings.Contains(a.Text, tc.want) || strings.ContainsAny(a.Text, "\r\n") {
					t.Errorf("%+v %v", a, err)
				}
				return
			}
			e, ok := errors.AsType[*desk.Error](err)
			if !ok || e.Kind != desk.Unavailable || e.Message.Key != tc.want {
				t.Errorf("%+v", err)
			}
		})
	}
}

// A server that does not offer TLS never sees the password.
func TestSMTPStripped(t *testing.T) {
	p := &post{}
	address, pool := mailServer(t, p, false, true)
	_, err := notify.NewSMTP(notify.SMTPOptions{Server: address, User: "sekisho", Password: "secret", From: "sekisho@kiso-works.example", RootCAs: pool}).
		SendMail(t.Context(), "sato@kiso-works.example", []byte("Subject: x\r\n\r\n"))
	if e, ok := errors.AsType[*desk.Error](err); !ok || e.Message.Key != "smtp.error.tls" || p.user != "" || p.raw != "" {
		t.Errorf("%v %+v", err, p)
	}
}

// A server that says nothing, or never stops, ends with the context or its bound.
func TestSMTPHostile(t *testing.T) {
	for _, tc := range []struct {
		name string
		say  func(c net.Conn)
	}{
		{"Silent", func(net.Conn) { time.Sleep(2 * time.Second) }},
		{"Endless", func(c net.Conn) {
			line := []byte("220-" + strings.Repeat("x", 500) + "\r\n")
			for {
				if _, err := c.Write(line); err != nil {
					return
				}
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = l.Close() }()
			go func() {
				if c, err := l.Accept(); err == nil {
					tc.say(c)
					_ = c.Close()
				}
			}()
			start := time.Now()
			_, err = notify.NewSMTP(notify.SMTPOptions{Server: l.Addr().String(), Plain: true, From: "a@kiso-works.example", Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := (&net.Dialer{}).DialContext(ctx, network, address)
				if err == nil {
					err = c.SetDeadline(time.Now().Add(time.Second))
				}
				return c, err
			}}).SendMail(t.Context(), "b@kiso-works.example", nil)
			if err == nil || time.Since(start) > 3*time.Second {
				t.Errorf("%v after %v", err, time.Since(start))
			}
		})
	}
}
