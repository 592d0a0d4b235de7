package milter_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"mime"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	protocol "github.com/emersion/go-milter"
	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/intake/listen"
	"github.com/sekisho/sekisho/internal/intake/milter"
	"github.com/sekisho/sekisho/lang"
)

const name = "mx.kiso-works.example"

// judge says of a mail what its subject says.
type judge struct {
	mu  sync.Mutex
	got []*desk.ScreenInput
}

func (j *judge) screen(ctx context.Context, in *desk.ScreenInput) (*desk.Screened, error) {
	j.mu.Lock()
	j.got = append(j.got, in)
	j.mu.Unlock()
	word := desk.Clean
	for _, w := range []desk.Word{desk.Malicious, desk.Suspicious} {
		if bytes.Contains(in.Raw, []byte("Subject: "+string(w))) {
			word = w
		}
	}
	v := &desk.Verdict{
		Verdict: word, Score: 42, Stamp: in.StampAs + "; dmarc=fail\r\n header.from=sender.test",
		Reason: lang.Text{EN: "it quotes\r\nX-Injected: yes", JA: "差出人を確認できません\n" + strings.Repeat("長い", 200)},
	}
	out := &desk.Screened{Verdict: v}
	switch {
	case bytes.Contains(in.Raw, []byte("Subject: error")):
		return nil, errors.New("no such luck")
	case bytes.Contains(in.Raw, []byte("Subject: panic")):
		panic("no such luck")
	case bytes.Contains(in.Raw, []byte("Subject: slow")):
		<-ctx.Done()
		time.Sleep(50 * time.Millisecond)
		return nil, ctx.Err()
	case bytes.Contains(in.Raw, []byte("Subject: unkept")):
		return out, errors.New("the disk is full")
	}
	return out, nil
}

func serve(t *testing.T, o milter.Options) (*judge, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	j := &judge{}
	o.Screen, o.Name, o.Now = j.screen, name, time.Now
	o.Log = slog.New(slog.DiscardHandler)
	if o.Time == 0 {
		o.Time = 200 * time.Millisecond
	}
	if o.MaxMessage == 0 {
		o.MaxMessage = 1 << 20
	}
	o.Memory = listen.NewMemory(8 << 20)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- milter.Serve(ctx, l, &o) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return j, l.Addr().String()
}

// mta is a mail server that asks.
type mta struct {
	t *testing.T
	s *protocol.ClientSession
}

func connect(t *testing.T, address string) *mta {
	t.Helper()
	c := protocol.NewClientWithOptions("tcp", address, protocol.ClientOptions{
		ActionMask:  protocol.OptAddHeader | protocol.OptChangeHeader | protocol.OptQuarantine,
		ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
	})
	s, err := c.Session()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	m := &mta{t, s}
	m.goOn(s.Conn("client.test", protocol.FamilyInet, 2500, "192.0.2.7"))
	m.goOn(s.Helo("helo.client.test"))
	return m
}

func (m *mta) goOn(a *protocol.Action, err error) {
	m.t.Helper()
	if err != nil || a.Code != protocol.ActContinue {
		m.t.Fatalf("%v %v", a, err)
	}
}

// ask asks about a mail.
func (m *mta) ask(header [][2]string, body string) ([]protocol.ModifyAction, *protocol.Action) {
	m.t.Helper()
	m.goOn(m.s.Mail("<a@sender.test>", nil))
	m.goOn(m.s.Rcpt("<b@kiso-works.example>", nil))
	m.goOn(m.s.Rcpt("<c@kiso-works.example>", nil))
	for _, h := range header {
		m.goOn(m.s.HeaderField(h[0], h[1]))
	}
	m.goOn(m.s.HeaderEnd())
	mods, a, err := m.s.BodyReadFrom(strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	return mods, a
}

func subject(s string) [][2]string {
	return [][2]string{{"From", " a@sender.test"}, {"Subject", " " + s}}
}

// said are the changes in words.
func said(mods []protocol.ModifyAction) []string {
	var out []string
	for _, m := range mods {
		switch m.Code {
		case protocol.ActInsertHeader, protocol.ActAddHeader:
			out = append(out, m.HeaderName+":"+m.HeaderValue)
		case protocol.ActChangeHeader:
			out = append(out, "- "+m.HeaderName+" "+string(rune('0'+m.HeaderIndex))+m.HeaderValue)
		case protocol.ActQuarantine:
			out = append(out, "hold: "+m.Reason)
		default:
			out = append(out, "?")
		}
	}
	return out
}

func fields(word string) []string {
	return []string{
		"Authentication-Results: " + name + "; dmarc=fail\n header.from=sender.test",
		"X-Sekisho-Verdict: " + word, "X-Sekisho-Score: 42", "X-Sekisho-Reason: it quotes X-Injected: yes",
	}
}

func TestAnswers(t *testing.T) {
	strict := milter.Options{Malicious: milter.Reject, Suspicious: milter.Quarantine, Fail: milter.FailAccept}
	gentle := milter.Options{Malicious: milter.Tag, Suspicious: milter.Tag, Fail: milter.FailTempfail}
	for _, tc := range []struct {
		name    string
		o       milter.Options
		subject string
		said    []string
		code    protocol.ActionCode
	}{
		{"Clean", strict, "hello", fields("clean"), protocol.ActAccept},
		{"Held", strict, "suspicious", append(fields("suspicious"), "hold: sekisho: suspicious"), protocol.ActAccept},
		{"Refused", strict, "malicious", nil, protocol.ActReplyCode},
		{"Tagged", gentle, "malicious", fields("malicious"), protocol.ActAccept},
		{"FailsOpen", strict, "error", nil, protocol.ActAccept},
		{"SlowFailsOpen", strict, "slow", nil, protocol.ActAccept},
		{"PanicFailsOpen", strict, "panic", nil, protocol.ActAccept},
		{"FailsLater", gentle, "error", nil, protocol.ActTempFail},
		{"SlowFailsLater", gentle, "slow", nil, protocol.ActTempFail},
		{"UnkeptStillTagged", strict, "unkept", fields("clean"), protocol.ActAccept},
		{"UnkeptLater", gentle, "unkept", nil, protocol.ActTempFail},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, a := serve(t, tc.o)
			mods, act := connect(t, a).ask(subject(tc.subject), "hello\r\n")
			if act.Code != tc.code {
				t.Errorf("action %c, want %c", act.Code, tc.code)
			}
			if act.Code == protocol.ActReplyCode && act.SMTPCode != 550 {
				t.Errorf("%d %s", act.SMTPCode, act.SMTPText)
			}
			if diff := cmp.Diff(tc.said, said(mods)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Two mails on one connection: what is told once is known for both.
func TestConnection(t *testing.T) {
	j, a := serve(t, milter.Options{Malicious: milter.Tag, Suspicious: milter.Tag, Keep: desk.Suspicious})
	m := connect(t, a)
	m.ask(append(subject("one"), [2]string{"X-Folded", " a\n\tb"}, [2]string{"X-Empty", ""}), "body\r\n.dot\r\n")
	if err := m.s.Abort(); err != nil {
		t.Fatal(err)
	}
	m.ask(subject("two"), "")
	env := &desk.MailEnvelope{From: "a@sender.test", To: []string{"b@kiso-works.example", "c@kiso-works.example"}}
	want := []*desk.ScreenInput{
		{Delivery: desk.Delivery{Raw: []byte("From: a@sender.test\r\nSubject: one\r\nX-Folded: a\r\n\tb\r\nX-Empty:\r\n\r\nbody\r\n.dot\r\n"), Envelope: env}},
		{Delivery: desk.Delivery{Raw: []byte("From: a@sender.test\r\nSubject: two\r\n\r\n"), Envelope: env}},
	}
	for i, w := range want {
		w.Source, w.Remote, w.HELO, w.StampAs, w.Keep = desk.SourceMilter, netip.MustParseAddr("192.0.2.7"), "helo.client.test", name, desk.Suspicious
		w.Received = j.got[i].Received
	}
	if diff := cmp.Diff(want, j.got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

// What the sender wrote in our name is taken away, whatever becomes of the mail.
func TestForged(t *testing.T) {
	header := [][2]string{
		{"Authentication-Results", " other.example; spf=pass"},
		{"authentication-results", " MX.kiso-works.example; spf=pass"},
		{"X-Sekisho-Verdict", " clean"},
		{"Authentication-Results", " mx.kiso-works.example 1; dkim=pass"},
		{"Authentication-Results", "\n\t(comment) mx.kiso-works.example; dkim=pass"},
		{"Authentication-Results", " mx.kiso-works.example.evil.test; dkim=pass"},
		{"X-Sekisho-Verdict", " clean"},
		{"X-SEKISHO-SCORE", " 0"},
		{"X-Sekisho-Reason", " none"},
		{"Authentication-Results", ` "mx.kiso-works.example"; dkim=pass`},
	}
	gone := []string{
		"- Authentication-Results 6", "- X-Sekisho-Reason 1", "- X-SEKISHO-SCORE 1", "- X-Sekisho-Verdict 2",
		"- Authentication-Results 4", "- Authentication-Results 3", "- X-Sekisho-Verdict 1", "- authentication-results 2",
	}
	_, a := serve(t, milter.Options{})
	mods, _ := connect(t, a).ask(append(header, subject("hello")...), "")
	if diff := cmp.Diff(append(gone, fields("clean")...), said(mods)); diff != "" {
		t.Error(diff)
	}
	mods, act := connect(t, a).ask(append(header, subject("error")...), "")
	if diff := cmp.Diff(gone, said(mods)); diff != "" || act.Code != protocol.ActAccept {
		t.Errorf("%v %s", act, diff)
	}
}

// A mail that is too large is delivered without a verdict, and not put off for
// ever.
func TestTooLarge(t *testing.T) {
	j, a := serve(t, milter.Options{MaxMessage: 1000, Fail: milter.FailTempfail})
	mods, act := connect(t, a).ask(subject("hello"), strings.Repeat("x", 5000))
	if act.Code != protocol.ActAccept || len(mods) != 0 || len(j.got) != 0 {
		t.Errorf("%v %v %d", act, said(mods), len(j.got))
	}
}

// More mails than are judged at once wait for each other.
func TestMany(t *testing.T) {
	j, a := serve(t, milter.Options{Judging: 2, Time: 5 * time.Second})
	var wg sync.WaitGroup
	for range 20 {
		m := connect(t, a)
		wg.Go(func() {
			if _, act := m.ask(subject("hello"), "x"); act.Code != protocol.ActAccept {
				t.Errorf("%v", act)
			}
		})
	}
	wg.Wait()
	if len(j.got) != 20 {
		t.Errorf("%d mails", len(j.got))
	}
}

func TestReason(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"Plain", "it is a copy", "it is a copy"},
		{"Injection", "a\r\nBcc: x\u202eb\x00c", "a Bcc: x b c"},
		{"Long", strings.Repeat("x", 400), strings.Repeat("x", 300) + "…"},
		{"Japanese", "差出人を確認できません" + strings.Repeat("。", 100), "差出人を確認できません" + strings.Repeat("。", 100)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := milter.Reason(tc.in)
			for line := range strings.SplitSeq(got, "\n") {
				if len(line) > 320 || strings.ContainsFunc(line, func(r rune) bool { return r > 0x7e || r < ' ' }) {
					t.Errorf("the line %q", line)
				}
			}
			back, err := new(mime.WordDecoder).DecodeHeader(got)
			if err != nil || back != tc.want {
				t.Errorf("%q %v, want %q", back, err, tc.want)
			}
		})
	}
}

func FuzzReason(f *testing.F) {
	f.Add("it is a copy")
	f.Add("差出人\r\nX: y")
	f.Fuzz(func(t *testing.T, s string) {
		got := milter.Reason(s)
		for i, line := range strings.Split(got, "\n") {
			if i > 0 && !strings.HasPrefix(line, " ") || strings.ContainsAny(line, "\r\x00") {
				t.Errorf("%q breaks out of its field", got)
			}
		}
	})
}
