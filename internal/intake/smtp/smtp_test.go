package smtp_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/intake/listen"
	"github.com/sekisho/sekisho/internal/intake/smtp"
	"github.com/sekisho/sekisho/lang"
)

// desktop takes mails and remembers them.
type desktop struct {
	mu   sync.Mutex
	got  []*desk.Delivery
	fail error
	slow time.Duration
}

func (d *desktop) accept(ctx context.Context, m *desk.Delivery) (desk.MailID, error) {
	time.Sleep(d.slow)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return "", d.fail
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	d.got = append(d.got, m)
	return "0123", nil
}

func serve(t *testing.T, d *desktop, o *smtp.Options) (address string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.Accept, o.Name, o.Recipients = d.accept, "mx.kiso-works.example", []string{"Report@kiso-works.example", "@lists.kiso-works.example"}
	o.Now = time.Now
	o.Log = slog.New(slog.DiscardHandler)
	if o.MaxMessage == 0 {
		o.MaxMessage = 1 << 20
	}
	if o.Memory == nil {
		o.Memory = listen.NewMemory(4 << 20)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- smtp.Serve(ctx, l, o) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return l.Addr().String(), stop
}

// talk is a dialog: a line that begins with "> " is said, and the next one is
// how the answer has to begin.
func talk(t *testing.T, address, script string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	r := bufio.NewReader(c)
	for line := range strings.Lines(script) {
		line = strings.TrimRight(line, "\n")
		if say, ok := strings.CutPrefix(line, "> "); ok {
			say = strings.ReplaceAll(say, "|", "\r\n")
			if _, err := io.WriteString(c, say+"\r\n"); err != nil {
				t.Fatal(err)
			}
			continue
		}
		var all []string
		for {
			s, err := r.ReadString('\n')
			if err != nil {
				t.Fatalf("waiting for %q: %v", line, err)
			}
			all = append(all, strings.TrimRight(s, "\r\n"))
			if len(s) < 4 || s[3] != '-' {
				break
			}
		}
		if got := strings.Join(all, "\n"); !strings.HasPrefix(got, line) && !strings.Contains(got, "\n"+line) {
			t.Fatalf("answered %q, want %q", got, line)
		}
	}
}

const hello = "220 mx.kiso-works.example\n> EHLO client.test\n250-ENHANCEDSTATUSCODES\n"

func TestDialogs(t *testing.T) {
	for _, tc := range []struct {
		name   string
		script string
		fail   error
		mails  int
	}{
		{"Mail", "> MAIL FROM:<a@sender.test>\n250 2.0.0\n> RCPT TO:<report@KISO-works.example>\n250 2.0.0\n> DATA\n354\n> Subject: x||..dot|.\n250 2.0.0 kept as 0123\n> QUIT\n221", nil, 1},
		{"Twice", "> MAIL FROM:<>\n250\n> RCPT TO:<any@lists.kiso-works.example>\n250\n> DATA\n354\n> a|.\n250\n> MAIL FROM:<b@sender.test>\n250\n> RCPT TO:<report@kiso-works.example>\n250\n> DATA\n354\n> b|.\n250", nil, 2},
		{"NoRelay", "> MAIL FROM:<a@sender.test>\n250\n> RCPT TO:<somebody@elsewhere.test>\n550 5.7.1\n> RCPT TO:<report@kiso-works.example.elsewhere.test>\n550 5.7.1\n> RCPT TO:<@kiso-works.example:somebody@elsewhere.test>\n550 5.7.1\n> DATA\n502", nil, 0},
		{"NoRelayBySourceRoute", "> MAIL FROM:<a@sender.test>\n250\n> RCPT TO:<report%elsewhere.test@kiso-works.example>\n550 5.7.1\n> RCPT TO:<@lists.kiso-works.example>\n5", nil, 0},
		{"StoreFails", "> MAIL FROM:<a@sender.test>\n250\n> RCPT TO:<report@kiso-works.example>\n250\n> DATA\n354\n> a|.\n451 4.3.0\n> QUIT\n221", errors.New("no such luck"), 0},
		{"DiskFull", "> MAIL FROM:<a@sender.test>\n250\n> RCPT TO:<report@kiso-works.example>\n250\n> DATA\n354\n> a|.\n452 4.3.1", &desk.Error{Kind: desk.Limit, Message: lang.M("blob.error.full", "dir", "x")}, 0},
		{"Unavailable", "> MAIL FROM:<a@sender.test>\n250\n> RCPT TO:<report@kiso-works.example>\n250\n> DATA\n354\n> a|.\n451 4.3.0", &desk.Error{Kind: desk.Unavailable, Message: lang.M("blob.error.other", "dir", "x")}, 0},
		{"BrokenBytes", "> MAIL FROM:<a@sender.test>\n250\n> RCPT TO:<report@kiso-works.example>\n250\n> DATA\n354\n> a|.\n451 4.3.0", &desk.Error{Kind: desk.Invalid, Message: lang.M("store.error.damaged", "file", "x"), Err: errors.New("x")}, 0},
		{"NoMail", "> MAIL FROM:<a@sender.test>\n250\n> RCPT TO:<report@kiso-works.example>\n250\n> DATA\n354\n> .\n554 5.6.0", &desk.Error{Kind: desk.Invalid, Message: lang.M("intake.error.empty")}, 0},
		{"AnnouncedTooLarge", "> MAIL FROM:<a@sender.test> SIZE=99999999\n552 5.3.4", nil, 0},
		{"Unicode", "> MAIL FROM:<日本@sender.test> SMTPUTF8\n250\n> RCPT TO:<report@kiso-works.example>\n250\n> DATA\n354\n> a|.\n250", nil, 1},
		{"OutOfOrder", "> DATA\n502\n> RCPT TO:<report@kiso-works.example>\n502\n> NOPE\n500", nil, 0},
		{"NoAuth", "> AUTH PLAIN AHgAeA==\n5", nil, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := &desktop{fail: tc.fail}
			a, stop := serve(t, d, &smtp.Options{})
			talk(t, a, hello+tc.script)
			stop()
			if len(d.got) != tc.mails {
				t.Errorf("%d mails, want %d", len(d.got), tc.mails)
			}
		})
	}
}

// What is handed on is what was sent, byte for byte.
func TestBytes(t *testing.T) {
	d := &desktop{}
	a, stop := serve(t, d, &smtp.Options{})
	talk(t, a, hello+"> MAIL FROM:<a@sender.test>\n250\n> RCPT TO:<report@kiso-works.example>\n250\n> RCPT TO:<b@lists.kiso-works.example>\n250\n> DATA\n354\n> Subject: \xff|\tfolded||..dot|  spaces  |.\n250")
	stop()
	want := &desk.Delivery{
		Raw: []byte("Subject: \xff\r\n\tfolded\r\n\r\n.dot\r\n  spaces  \r\n"), Source: desk.SourceSMTP, Received: d.got[0].Received,
		Envelope: &desk.MailEnvelope{From: "a@sender.test", To: []string{"report@kiso-works.example", "b@lists.kiso-works.example"}},
	}
	if diff := cmp.Diff(want, d.got[0], cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

func TestLimits(t *testing.T) {
	big := strings.Repeat(strings.Repeat("x", 900)+"|", 3000)
	mail := "> MAIL FROM:<a@sender.test>\n250\n> RCPT TO:<report@kiso-works.example>\n250\n> DATA\n354\n> "
	for _, tc := range []struct {
		name, answer string
		o            smtp.Options
	}{
		{"TooLarge", "552 5.3.4", smtp.Options{MaxMessage: 1 << 20}},
		{"NoMemory", "452 4.3.1", smtp.Options{MaxMessage: 8 << 20, Memory: listen.NewMemory(1 << 20)}},
		{"Fits", "250 2.0.0", smtp.Options{MaxMessage: 8 << 20, Memory: listen.NewMemory(16 << 20)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := &desktop{}
			a, _ := serve(t, d, &tc.o)
			// The connection survives, and so does the memory.
			talk(t, a, hello+mail+big+".\n"+tc.answer+"\n"+mail+"small|.\n250")
			if len(d.got) == 0 {
				t.Error("the small one was not taken")
			}
		})
	}
	t.Run("LongLine", func(t *testing.T) {
		d := &desktop{}
		a, _ := serve(t, d, &smtp.Options{MaxMessage: 8 << 20})
		talk(t, a, hello+mail+strings.Repeat("x", 900_000)+"|.\n250")
		talk(t, a, hello+mail+strings.Repeat("x", 1_100_000)+"|.\n554 5.6.0")
		if len(d.got) != 1 {
			t.Errorf("%d mails", len(d.got))
		}
	})
	t.Run("HalfAMail", func(t *testing.T) {
		d := &desktop{}
		a, stop := serve(t, d, &smtp.Options{})
		talk(t, a, hello+mail+"half")
		stop()
		if len(d.got) != 0 {
			t.Errorf("%d mails", len(d.got))
		}
	})
	t.Run("Recipients", func(t *testing.T) {
		var s strings.Builder
		for i := range 100 {
			fmt.Fprintf(&s, "> RCPT TO:<a%d@lists.kiso-works.example>\n250\n", i)
		}
		a, _ := serve(t, &desktop{}, &smtp.Options{})
		talk(t, a, hello+"> MAIL FROM:<a@sender.test>\n250\n"+s.String()+"> RCPT TO:<report@kiso-works.example>\n452 4.5.3")
	})
	t.Run("Connections", func(t *testing.T) {
		a, _ := serve(t, &desktop{}, &smtp.Options{Connections: 1})
		c, err := net.Dial("tcp", a)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if _, err := bufio.NewReader(c).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		talk(t, a, "421 4.7.0")
	})
	t.Run("Strangers", func(t *testing.T) {
		a, _ := serve(t, &desktop{}, &smtp.Options{Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
		talk(t, a, "554 5.7.1")
	})
}

// A mail that is being kept when the program is to end is kept and answered.
func TestStop(t *testing.T) {
	d := &desktop{slow: 300 * time.Millisecond}
	a, stop := serve(t, d, &smtp.Options{})
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		talk(t, a, hello+"> MAIL FROM:<a@sender.test>\n250\n> RCPT TO:<report@kiso-works.example>\n250\n> DATA\n354\n> a|.\n250\n> QUIT\n221")
	}()
	time.Sleep(100 * time.Millisecond)
	stop()
	<-answered
	if len(d.got) != 1 {
		t.Errorf("%d mails", len(d.got))
	}
}
