// Package smtp takes mail in by SMTP (RFC 5321): for the address to which staff
// report, for journal copies, and for reports on DMARC and TLS.
//
// It is no mail server. It takes mail for the addresses that it was told and for
// no others, passes nothing on and sends nothing. A mail is answered with 250
// only when it is on the disk; whatever goes wrong before is answered with 4xx,
// so that the server which delivers keeps the mail and comes again.
package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/intake/listen"
)

// Bounds of a server.
const (
	DefaultConnections = 100
	maxRecipients      = 100
	commandTime        = 2 * time.Minute  // for one command, and for the whole of a mail
	sessionTime        = 15 * time.Minute // for a connection
	acceptTime         = time.Minute      // for the disk
	stopTime           = 10 * time.Second
	chunk              = 64 << 10
	maxLine            = 1 << 20 // bytes; hostile mail does not keep to the 998 of RFC 5322
)

// Options says how to take mail in.
type Options struct {
	// Accept takes responsibility for a mail. When it returns without error the
	// mail is on the disk.
	Accept func(ctx context.Context, d *desk.Delivery) (desk.MailID, error)

	Name        string         // of this host, for the greeting
	Recipients  []string       // addresses for which mail is taken; "@domain" is all of one
	Allow       []netip.Prefix // who may connect; none: this machine alone
	TLS         *tls.Config    // for STARTTLS; nil offers none
	MaxMessage  int            // bytes
	Memory      *listen.Memory // for the mails that are being received
	Connections int            // at the same time; 0 is [DefaultConnections]
	Now         func() time.Time
	Log         *slog.Logger
}

// Loopback is this machine.
func Loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// Serve takes mail in until ctx ends. It closes l.
func Serve(ctx context.Context, l net.Listener, o *Options) error {
	allow, connections := o.Allow, o.Connections
	if len(allow) == 0 {
		allow = Loopback()
	}
	if connections <= 0 {
		connections = DefaultConnections
	}
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{ctx: ctx, o: o, conn: c}, nil
	}))
	s.Domain = o.Name
	s.MaxRecipients = maxRecipients
	s.MaxLineLength = maxLine
	s.MaxMessageBytes = int64(o.MaxMessage)
	s.ReadTimeout, s.WriteTimeout = commandTime, commandTime
	s.TLSConfig = o.TLS
	s.EnableSMTPUTF8 = true
	s.ErrorLog = logger{o.Log}
	l = listen.Wrap(l, listen.Limits{
		Connections: connections, Life: sessionTime, Allow: allow,
		Full: "421 4.7.0 too many connections, try again later\r\n", Denied: "554 5.7.1 you may not deliver here\r\n",
	})
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		if err := s.Shutdown(patience); err != nil {
			_ = s.Close() // those that are still there have had their time
		}
	})
	err := s.Serve(l)
	if stop() {
		return fmt.Errorf("smtp: %w", err)
	}
	<-ended // mails that were being received are answered
	return nil
}

// logger is what the server has to say about itself. Addresses stay out of it.
type logger struct{ *slog.Logger }

func (l logger) Printf(format string, _ ...any) { l.Logger.Warn("smtp", slog.String("event", format)) }
func (l logger) Println(...any)                 { l.Logger.Warn("smtp") }

type session struct {
	ctx  context.Context
	o    *Options
	conn *smtp.Conn
	from string
	to   []string
}

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if !s.o.takes(to) {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "no mail is taken for this address, and none is relayed"}
	}
	s.to = append(s.to, to)
	return nil
}

func (o *Options) takes(to string) bool {
	to = strings.ToLower(to)
	at := strings.LastIndexByte(to, '@')
	return slices.ContainsFunc(o.Recipients, func(r string) bool {
		r = strings.ToLower(r)
		return r == to || at > 0 && strings.HasPrefix(r, "@") && r == to[at:]
	})
}

func answer(code int, enhanced smtp.EnhancedCode, message string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: message}
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	raw, err := s.read(r)
	defer s.o.Memory.Give(cap(raw))
	if err != nil {
		return err
	}
	// A sender that goes away must not leave a mail half accepted, and neither
	// must the end of the program.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), acceptTime)
	defer cancel()
	id, err := s.o.Accept(ctx, &desk.Delivery{
		Raw: raw, Envelope: &desk.MailEnvelope{From: s.from, To: slices.Clone(s.to)}, Source: desk.SourceSMTP, Received: s.o.Now(),
	})
	if err != nil {
		return s.refusal(err)
	}
	return &smtp.SMTPError{Code: 250, EnhancedCode: smtp.EnhancedCode{2, 0, 0}, Message: "kept as " + string(id)}
}

// refusal is the answer to a mail that was not kept. Only what will never be any
// better is refused for good.
func (s *session) refusal(err error) error {
	e, ok := errors.AsType[*desk.Error](err)
	switch {
	case ok && e.Kind == desk.Invalid && e.Err == nil:
		return answer(554, smtp.EnhancedCode{5, 6, 0}, "this is no mail")
	case ok && e.Kind == desk.Limit:
		s.o.Log.Warn("a mail was not taken", slog.String("error", err.Error()))
		return answer(452, smtp.EnhancedCode{4, 3, 1}, "no room for it, try again later")
	}
	s.o.Log.Error("a mail was not taken", slog.String("error", err.Error()))
	return answer(451, smtp.EnhancedCode{4, 3, 0}, "it could not be kept, try again later")
}

// read reads a mail. The capacity of what it returns was taken from the memory,
// whether it fails or not.
func (s *session) read(r io.Reader) ([]byte, error) {
	if !s.o.Memory.Take(chunk) {
		return nil, noMemory()
	}
	raw := make([]byte, 0, chunk)
	for {
		if len(raw) == cap(raw) {
			more := min(cap(raw), max(chunk, s.o.MaxMessage+1-cap(raw)))
			if !s.o.Memory.Take(more) {
				return raw, noMemory()
			}
			grown := make([]byte, len(raw), cap(raw)+more)
			copy(grown, raw)
			raw = grown
		}
		n, err := r.Read(raw[len(raw):cap(raw)])
		raw = raw[:len(raw)+n]
		switch {
		case errors.Is(err, io.EOF):
			return raw, nil
		case errors.Is(err, smtp.ErrTooLongLine):
			return raw, answer(554, smtp.EnhancedCode{5, 6, 0}, "a line of it is too long")
		case err != nil:
			if _, ok := errors.AsType[*smtp.SMTPError](err); ok {
				return raw, err
			}
			return raw, answer(451, smtp.EnhancedCode{4, 4, 2}, "it did not come whole, try again")
		case len(raw) > s.o.MaxMessage:
			return raw, smtp.ErrDataTooLarge
		}
	}
}

func noMemory() error {
	return answer(452, smtp.EnhancedCode{4, 3, 1}, "too much mail at once, try again later")
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }
