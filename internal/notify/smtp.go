package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

const (
	smtpTimeout = 3 * time.Minute // for a whole mail; RFC 5321 section 4.5.3.2 allows more, which would hold up the others
	maxSMTP     = 1 << 20         // bytes that are read of a server
)

// SMTPOptions says to which server mails are handed. It may be inside the
// network, since the user named it; nothing else is ever connected to.
type SMTPOptions struct {
	Server   string // host and port
	Implicit bool   // TLS from the first byte (RFC 8314 section 3.3); otherwise STARTTLS
	Plain    bool   // no TLS at all
	User     string // "" does not log in
	Password string
	From     string // address of MAIL FROM
	Hello    string // our name in EHLO
	RootCAs  *x509.CertPool
	Dial     func(ctx context.Context, network, address string) (net.Conn, error) // nil: the system's
}

// SMTP hands mails to one server. It implements [desk.Mailer] and is safe for
// concurrent use; each mail has a connection of its own.
type SMTP struct {
	o SMTPOptions
}

var _ desk.Mailer = (*SMTP)(nil)

// NewSMTP returns what hands mails to the server of the options.
func NewSMTP(o SMTPOptions) *SMTP {
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	return &SMTP{o: o}
}

// stage is how far a conversation came when it ended.
type stage string

const (
	atConnect stage = "connect"
	atTLS     stage = "tls"
	atLogin   stage = "login"
	atMail    stage = "mail"
)

// SendMail implements [desk.Mailer]. A refusal of the login or of the connection
// is no answer to the mail: the settings may be mended.
func (s *SMTP) SendMail(ctx context.Context, to string, raw []byte) (*desk.MailAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, smtpTimeout)
	defer cancel()
	answer, at, err := s.send(ctx, to, raw)
	if err == nil {
		return answer, nil
	}
	if e, ok := errors.AsType[*smtp.SMTPError](err); ok && at == atMail {
		return &desk.MailAnswer{Code: e.Code, Text: answerText(e)}, nil
	}
	text := err.Error()
	if e, ok := errors.AsType[*smtp.SMTPError](err); ok {
		text = answerText(e)
	}
	out := &desk.Error{Kind: desk.Unavailable, Hint: lang.M("smtp.hint.settings"), Err: err}
	switch at {
	case atTLS:
		out.Message = lang.M("smtp.error.tls", "server", s.o.Server, "error", text)
	case atLogin:
		out.Message = lang.M("smtp.error.login", "server", s.o.Server, "error", text)
	default:
		out.Message = lang.M("smtp.error.connect", "server", s.o.Server, "error", text)
	}
	return nil, out
}

func answerText(e *smtp.SMTPError) string {
	code := ""
	if c := e.EnhancedCode; c[0] > 0 {
		code = fmt.Sprintf(" %d.%d.%d", c[0], c[1], c[2])
	}
	return fmt.Sprintf("%d%s %s", e.Code, code, oneLine(e.Message))
}

// oneLine keeps what a server says from being more than a line of text.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), desk.MaxAnswer)], "")
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
}

// limited reads no more of a server than any has to say.
type limited struct {
	net.Conn

	left int
}

func (l *limited) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := l.Conn.Read(b[:min(len(b), l.left)])
	l.left -= n
	return n, err
}

func (s *SMTP) send(ctx context.Context, to string, raw []byte) (*desk.MailAnswer, stage, error) {
	host, _, err := net.SplitHostPort(s.o.Server)
	if err != nil {
		return nil, atConnect, err
	}
	raw0, err := s.o.Dial(ctx, "tcp", s.o.Server)
	if err != nil {
		return nil, atConnect, err
	}
	conn := net.Conn(&limited{raw0, maxSMTP})
	defer func() { _ = conn.Close() }() // what was said is what counts
	stop := context.AfterFunc(ctx, func() { _ = raw0.Close() })
	defer stop()
	settings := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: s.o.RootCAs}
	var c *smtp.Client
	switch {
	case s.o.Plain:
		c = smtp.NewClient(conn)
	case s.o.Implicit:
		t := tls.Client(conn, settings)
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, atTLS, err
		}
		c = smtp.NewClient(t)
	default:
		if c, err = smtp.NewClientStartTLS(conn, settings); err != nil {
			return nil, atTLS, err
		}
	}
	c.CommandTimeout, c.SubmissionTimeout = smtpTimeout, smtpTimeout
	if err := c.Hello(s.hello()); err != nil {
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			return nil, atTLS, err
		}
		return nil, atConnect, err
	}
	if s.o.User != "" {
		if err := s.login(c); err != nil {
			return nil, atLogin, err
		}
	}
	answer, err := handOver(c, s.o.From, to, raw)
	if err == nil {
		_ = c.Quit() // the mail was taken
	}
	return answer, atMail, err
}

func (s *SMTP) hello() string {
	if s.o.Hello == "" || strings.ContainsFunc(s.o.Hello, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "localhost"
	}
	return s.o.Hello
}

// login uses PLAIN (RFC 4616), and LOGIN for servers that have nothing else.
// Both tell the password, which is why there is TLS.
func (s *SMTP) login(c *smtp.Client) error {
	if !c.SupportsAuth(sasl.Plain) && c.SupportsAuth(sasl.Login) {
		return c.Auth(sasl.NewLoginClient(s.o.User, s.o.Password))
	}
	return c.Auth(sasl.NewPlainClient("", s.o.User, s.o.Password))
}

func handOver(c *smtp.Client, from, to string, raw []byte) (*desk.MailAnswer, error) {
	if err := c.Mail(from, nil); err != nil {
		return nil, err
	}
	if err := c.Rcpt(to, nil); err != nil {
		return nil, err
	}
	w, err := c.Data()
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(w, bytes.NewReader(raw)); err != nil {
		return nil, err
	}
	r, err := w.CloseWithResponse()
	if err != nil {
		return nil, err
	}
	return &desk.MailAnswer{Code: 250, Text: oneLine("250 " + r.StatusText)}, nil
}
