// Package milter answers Postfix and Sendmail, which ask about every mail before
// they take it, in the protocol that both call milter.
//
// It adds what sekisho verified as Authentication-Results (RFC 8601) and what it
// makes of the mail as X-Sekisho-Verdict, -Score and -Reason, and takes away
// fields of these names that the sender wrote. By policy, mail is held or
// refused. When sekisho itself fails or takes too long, mail is never refused for
// good.
package milter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net"
	"net/netip"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/emersion/go-milter"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/intake/listen"
	"github.com/sekisho/sekisho/lang"
)

// The fields that are added.
const (
	VerdictField = "X-Sekisho-Verdict"
	ScoreField   = "X-Sekisho-Score"
	ReasonField  = "X-Sekisho-Reason"
	authField    = "Authentication-Results"
)

// The same as they are compared.
const (
	verdictKey = "x-sekisho-verdict"
	scoreKey   = "x-sekisho-score"
	reasonKey  = "x-sekisho-reason"
	authKey    = "authentication-results"
)

// Measure is what is done with a mail.
type Measure string

// The measures.
const (
	Tag        Measure = "tag"        // deliver, with the fields
	Quarantine Measure = "quarantine" // hold it, with the fields; Postfix puts it into its hold queue
	Reject     Measure = "reject"     // refuse it with 550
)

// Failure is what is done when sekisho cannot say anything.
type Failure string

// The ways to fail. Refusing for good is none of them.
const (
	FailAccept   Failure = "accept"   // deliver, without a verdict
	FailTempfail Failure = "tempfail" // ask the sender to come again
)

// Bounds of a server.
const (
	DefaultTime        = 10 * time.Second // for one mail
	DefaultConnections = 200
	idleTime           = 15 * time.Minute // RFC 5321 section 4.5.3.2 lets an SMTP session be idle for 5
	maxRecipients      = 1000
	maxReason          = 300 // characters
)

// Options says how to answer.
type Options struct {
	// Screen judges a mail within the time of ctx.
	Screen func(ctx context.Context, in *desk.ScreenInput) (*desk.Screened, error)

	Name       string // the authserv-id
	Malicious  Measure
	Suspicious Measure
	Fail       Failure
	Keep       desk.Word     // the least verdict with which mails are kept; "" keeps all
	Forget     bool          // none is kept
	Time       time.Duration // 0 is [DefaultTime]
	Language   lang.Language // of the reason

	Allow       []netip.Prefix // who may connect over a network; none: this machine alone
	MaxMessage  int            // bytes; what is larger is delivered without a verdict
	Memory      *listen.Memory
	Connections int // at the same time; 0 is [DefaultConnections]
	Judging     int // mails that are judged at once; 0 is four
	Now         func() time.Time
	Log         *slog.Logger
}

// Serve answers until ctx ends. It closes l.
func Serve(ctx context.Context, l net.Listener, o *Options) error {
	s := &server{ctx: ctx, o: *o}
	if len(s.o.Allow) == 0 {
		s.o.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	}
	if s.o.Time <= 0 {
		s.o.Time = DefaultTime
	}
	if s.o.Connections <= 0 {
		s.o.Connections = DefaultConnections
	}
	if s.o.Judging <= 0 {
		s.o.Judging = 4
	}
	s.slots = make(chan struct{}, s.o.Judging)
	l = listen.Wrap(l, listen.Limits{Connections: s.o.Connections, Idle: idleTime, Allow: s.o.Allow})
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	defer s.close()
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("milter: %w", err)
		}
		s.serve(c)
	}
}

type server struct {
	ctx   context.Context
	o     Options
	slots chan struct{}

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// serve answers on one connection. The library forgets between two mails who is
// connected, which is told once; so each connection has a server of its own,
// which remembers.
func (s *server) serve(c net.Conn) {
	s.mu.Lock()
	if s.conns == nil {
		s.conns = map[net.Conn]struct{}{}
	}
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	who := &client{}
	m := &milter.Server{
		NewMilter: func() milter.Milter { return &session{server: s, client: who} },
		Actions:   milter.OptAddHeader | milter.OptChangeHeader | milter.OptQuarantine,
		Protocol:  milter.OptNoUnknown | milter.OptNoData | milter.OptHeaderLeadingSpace,
	}
	_ = m.Serve(&single{conn: &tracked{Conn: c, server: s}}) // it ends when the one connection was given out
}

func (s *server) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close() // the server that asked takes it for a failure, and does as its own setting says
	}
}

// tracked is a connection of which the server knows.
type tracked struct {
	net.Conn
	server *server
}

func (t *tracked) Close() error {
	t.server.mu.Lock()
	delete(t.server.conns, t.Conn)
	t.server.mu.Unlock()
	return t.Conn.Close()
}

// single is a listener for one connection.
type single struct {
	conn net.Conn
	done bool
}

var errOnce = errors.New("milter: there is no further connection")

func (l *single) Accept() (net.Conn, error) {
	if l.done {
		return nil, errOnce
	}
	l.done = true
	return l.conn, nil
}

func (l *single) Close() error   { return nil }
func (l *single) Addr() net.Addr { return l.conn.LocalAddr() }

// client is who is connected to the server that asks.
type client struct {
	ip   netip.Addr
	helo string
}

// session is one mail.
type session struct {
	milter.NoOpMilter
	*server
	client *client

	from   string
	to     []string
	header [][2]string
	spaced bool // values come with the space after the colon
	raw    bytes.Buffer
	size   int      // bytes of the mail
	taken  int      // of the memory
	forge  []forged // fields that the sender must not write
	count  map[string]int
	lost   string // why there will be no verdict; "" if there will
}

// forged is a field to be taken away.
type forged struct {
	name  string
	index int // among those of its name, from 1
}

// Connect implements milter.Milter.
func (s *session) Connect(_, family string, _ uint16, addr net.IP, _ *milter.Modifier) (milter.Response, error) {
	*s.client = client{}
	if strings.HasPrefix(family, "tcp") {
		if ip, ok := netip.AddrFromSlice(addr); ok {
			s.client.ip = ip.Unmap()
		}
	}
	return milter.RespContinue, nil
}

// Helo implements milter.Milter.
func (s *session) Helo(name string, _ *milter.Modifier) (milter.Response, error) {
	s.client.helo = name
	return milter.RespContinue, nil
}

// MailFrom implements milter.Milter. A mail that was begun before is forgotten.
func (s *session) MailFrom(from string, _ *milter.Modifier) (milter.Response, error) {
	s.reset()
	s.from = address(from)
	return milter.RespContinue, nil
}

// address is the path of MAIL FROM or RCPT TO without its parameters.
func address(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	return strings.Trim(s, "<>")
}

// RcptTo implements milter.Milter.
func (s *session) RcptTo(to string, _ *milter.Modifier) (milter.Response, error) {
	if len(s.to) < maxRecipients {
		s.to = append(s.to, address(to))
	}
	return milter.RespContinue, nil
}

// Header implements milter.Milter.
func (s *session) Header(name, value string, _ *milter.Modifier) (milter.Response, error) {
	if s.count == nil {
		s.count = map[string]int{}
	}
	switch key := strings.ToLower(name); key {
	case verdictKey, scoreKey, reasonKey, authKey:
		s.count[key]++
		if key != authKey || authServID(value, s.o.Name) {
			s.forge = append(s.forge, forged{name, s.count[key]})
		}
	}
	// Lines end in LF here.
	value = strings.ReplaceAll(strings.ReplaceAll(value, "\r\n", "\n"), "\n", "\r\n")
	if s.hold(len(name) + len(value) + 4) {
		s.header = append(s.header, [2]string{name, value})
		s.spaced = s.spaced || strings.HasPrefix(value, " ") || strings.HasPrefix(value, "\t")
	}
	return milter.RespContinue, nil
}

// authServID reports whether an Authentication-Results field has our name, so
// that it has to go (RFC 8601 section 5). What
// stands in comments and quotes before it counts as ours: nobody needs that.
func authServID(value, name string) bool {
	id, _, _ := strings.Cut(value, ";")
	id = strings.TrimSpace(id)
	if strings.ContainsAny(id, `("`) {
		return strings.Contains(strings.ToLower(id), strings.ToLower(name))
	}
	first, _, _ := strings.Cut(strings.Join(strings.Fields(id), " "), " ") // a version may follow
	return strings.EqualFold(strings.TrimSuffix(first, "."), name)
}

// Headers implements milter.Milter.
func (s *session) Headers(textproto.MIMEHeader, *milter.Modifier) (milter.Response, error) {
	for _, h := range s.header {
		s.raw.WriteString(h[0] + ":")
		// Servers that can do it leave the space after the colon where it is, which
		// some signatures need; others take it away.
		if !s.spaced && h[1] != "" {
			s.raw.WriteByte(' ')
		}
		s.raw.WriteString(h[1] + "\r\n")
	}
	s.raw.WriteString("\r\n")
	return milter.RespContinue, nil
}

// BodyChunk implements milter.Milter.
func (s *session) BodyChunk(chunk []byte, _ *milter.Modifier) (milter.Response, error) {
	s.add(chunk)
	return milter.RespContinue, nil
}

func (s *session) add(b []byte) {
	if s.hold(len(b)) {
		s.raw.Write(b)
	}
}

// hold reports whether there is room for n more bytes.
func (s *session) hold(n int) bool {
	switch {
	case s.lost != "":
	case s.size+n > s.o.MaxMessage:
		s.lost = "it is too large"
	case !s.o.Memory.Take(3 * n): // the buffer doubles, and a copy of it is judged
		s.lost = "too much mail at once"
	default:
		s.size += n
		s.taken += 3 * n
		return true
	}
	return false
}

// reset forgets the mail.
func (s *session) reset() {
	s.o.Memory.Give(s.taken)
	s.from, s.to, s.header, s.spaced, s.raw, s.size, s.taken = "", nil, nil, false, bytes.Buffer{}, 0, 0
	s.forge, s.count, s.lost = nil, nil, ""
}

// Abort implements milter.Milter.
func (s *session) Abort(*milter.Modifier) error {
	s.reset()
	return nil
}

// Body implements milter.Milter: the mail is whole.
func (s *session) Body(m *milter.Modifier) (milter.Response, error) {
	defer s.reset()
	got, err := s.screen()
	if err != nil {
		s.o.Log.Error("a mail was not judged in time for its server", slog.String("error", err.Error()))
		if s.o.Fail == FailTempfail && s.lost == "" {
			return milter.RespTempFail, nil
		}
	}
	var v *desk.Verdict
	if got != nil {
		v = got.Verdict
	}
	measure := s.measure(v)
	if measure == Reject {
		return milter.NewResponseStr(byte(milter.ActReplyCode), "550 5.7.1 This mail looks like an attack and was refused. If it is none, ask the recipient by telephone."), nil
	}
	if err := s.mark(m, v); err != nil {
		return nil, err
	}
	if measure == Quarantine {
		if err := m.Quarantine("sekisho: " + string(v.Verdict)); err != nil {
			return nil, err
		}
	}
	return milter.RespAccept, nil
}

var errLost = errors.New("milter: there is no verdict")

func (s *session) screen() (*desk.Screened, error) {
	if s.lost != "" {
		return nil, fmt.Errorf("%w: %s", errLost, s.lost)
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.o.Time)
	defer cancel()
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	// Judging may go on after it was given up, and must not look at the next mail.
	in := &desk.ScreenInput{
		Delivery: desk.Delivery{
			Raw: bytes.Clone(s.raw.Bytes()), Envelope: &desk.MailEnvelope{From: s.from, To: s.to}, Source: desk.SourceMilter,
			Remote: s.client.ip, HELO: s.client.helo, Received: s.o.Now(),
		},
		StampAs: s.o.Name, Keep: s.o.Keep, Forget: s.o.Forget,
	}
	type answer struct {
		got *desk.Screened
		err error
	}
	done := make(chan answer, 1)
	go func() {
		defer func() { <-s.slots }()
		var a answer
		defer func() {
			if p := recover(); p != nil {
				a = answer{nil, fmt.Errorf("milter: panic: %v", p)}
			}
			done <- a
		}()
		a.got, a.err = s.o.Screen(ctx, in)
	}()
	select {
	case a := <-done:
		return a.got, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *session) measure(v *desk.Verdict) Measure {
	switch {
	case v == nil:
		return Tag
	case v.Verdict == desk.Malicious:
		return s.o.Malicious
	case v.Verdict == desk.Suspicious:
		return s.o.Suspicious
	}
	return Tag
}

// mark takes away what the sender forged and adds what we found. v is nil if
// that is nothing.
func (s *session) mark(m *milter.Modifier, v *desk.Verdict) error {
	// From the last, so that the numbers of those before stay what they are.
	for _, f := range slices.Backward(s.forge) {
		if err := m.ChangeHeader(f.index, f.name, ""); err != nil {
			return err
		}
	}
	if v == nil {
		return nil
	}
	if v.Stamp != "" {
		if err := m.InsertHeader(0, authField, " "+v.Stamp); err != nil {
			return err
		}
	}
	for _, f := range [][2]string{{VerdictField, string(v.Verdict)}, {ScoreField, strconv.Itoa(v.Score)}, {ReasonField, Reason(v.Reason.In(s.o.Language))}} {
		if err := m.AddHeader(f[0], " "+f[1]); err != nil {
			return err
		}
	}
	return nil
}

// Reason is a sentence as the value of a field (RFC 2047). It quotes the mail, so
// that its length and its characters are bounded.
func Reason(s string) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))), " ")
	if r := []rune(s); len(r) > maxReason {
		s = string(r[:maxReason]) + "…"
	}
	// Encoded words are folded between each other.
	return strings.ReplaceAll(mime.BEncoding.Encode("utf-8", s), "?= =?", "?=\n =?")
}
