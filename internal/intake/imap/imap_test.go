package imap_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"strings"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/intake/imap"
)

func TestMails(t *testing.T) {
	for _, way := range []imap.TLS{imap.Implicit, imap.StartTLS, imap.None} {
		t.Run(string(way), func(t *testing.T) {
			s := serve(t, way)
			r := s.open(way)
			if got, cursor, err := read(t.Context(), r, ""); got != nil || cursor != "" || err != nil {
				t.Errorf("an empty folder: %v %q %v", got, cursor, err)
			}
			s.add("Subject: 1\r\n\r\n")
			s.add("Subject: 2\r\n\r\n\x00\xff binary\r\n")
			got, cursor, err := read(t.Context(), r, "")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"Subject: 1", "Subject: 2"}, got); diff != "" {
				t.Error(diff)
			}
			if got, _, err := read(t.Context(), r, cursor); got != nil || err != nil {
				t.Errorf("nothing new: %v %v", got, err)
			}
			s.add("Subject: 3\r\n\r\n")
			again := s.open(way) // after a restart
			if got, _, err = read(t.Context(), again, cursor); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"Subject: 3"}, got); diff != "" {
				t.Error(diff)
			}
			if info := again.Check(); *info != (desk.MailboxFolderInfo{Folder: "INBOX", Mails: 3}) {
				t.Errorf("%v", info)
			}
			status, err := s.user.Status("INBOX", &goimap.StatusOptions{NumUnseen: true})
			if err != nil || *status.NumUnseen != 3 {
				t.Errorf("mails were marked as read: %v %v", status, err)
			}
		})
	}
}

func TestReceived(t *testing.T) {
	s := serve(t, imap.Implicit)
	s.add("Subject: 1\r\n\r\n")
	for step, err := range s.open(imap.Implicit).Mails(t.Context(), "") {
		if err != nil || !step.Mail.Received.Equal(time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)) || step.Mail.Key != step.Cursor {
			t.Errorf("%+v %v", step, err)
		}
	}
}

func TestNumberedAnew(t *testing.T) {
	s := serve(t, imap.Implicit)
	s.add("Subject: 1\r\n\r\n")
	_, cursor, err := read(t.Context(), s.open(imap.Implicit), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.user.Delete("INBOX"); err != nil {
		t.Fatal(err)
	}
	if err := s.user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	s.add("Subject: 1\r\n\r\n")
	got, again, err := read(t.Context(), s.open(imap.Implicit), cursor)
	if err != nil || again == cursor {
		t.Errorf("%q %q %v", cursor, again, err)
	}
	if diff := cmp.Diff([]string{"Subject: 1"}, got); diff != "" {
		t.Error(diff)
	}
	for _, odd := range []string{"x", ":", "1:x", "99999999999:1", "-1:-1"} {
		if got, _, err := read(t.Context(), s.open(imap.Implicit), odd); err != nil || len(got) != 1 {
			t.Errorf("cursor %q: %v %v", odd, got, err)
		}
	}
}

func TestIdle(t *testing.T) {
	s := serve(t, imap.Implicit, goimap.CapIdle)
	r := s.open(imap.Implicit)
	if _, _, err := read(t.Context(), r, ""); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		done := make(chan error, 1)
		go func() { done <- r.Wait(t.Context(), time.Hour) }()
		time.Sleep(20 * time.Millisecond)
		s.add(fmt.Sprintf("Subject: %d\r\n\r\n", i))
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("nobody told of the mail")
		}
		if got, _, err := read(t.Context(), r, ""); err != nil || len(got) != i+1 {
			t.Errorf("%v %v", got, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if err := r.Wait(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func TestPolling(t *testing.T) {
	s := serve(t, imap.Implicit)
	o := s.options(imap.Implicit)
	o.Poll = true
	r, err := imap.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Wait(t.Context(), time.Millisecond); err != nil {
		t.Error(err)
	}
	done := make(chan error, 1)
	go func() { done <- r.Wait(t.Context(), time.Hour) }()
	_ = r.Close() // what a lost connection looks like
	if err := <-done; err == nil {
		t.Error("a lost connection was not noticed")
	}
	if _, _, err := read(t.Context(), r, ""); err == nil {
		t.Error("read over a lost connection")
	}
}

func TestTokens(t *testing.T) {
	s := serve(t, imap.Implicit, goimap.CapSASLIR)
	s.accept("fresh")
	s.add("Subject: 1\r\n\r\n")
	token := "stale"
	o := s.options(imap.Implicit)
	o.Password = nil
	o.Token = func(context.Context) (string, error) { return token, nil }
	var renewed []string
	o.Renew = func(refused string) {
		renewed = append(renewed, refused)
		token = "fresh"
	}
	r, err := imap.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := read(t.Context(), r, ""); err != nil || len(got) != 1 {
		t.Errorf("%v %v", got, err)
	}
	_ = r.Close() // it was only read
	if diff := cmp.Diff([]string{"stale"}, renewed); diff != "" {
		t.Error(diff)
	}
	s.accept("none")
	o.Renew = func(string) {}
	if _, err := imap.Open(t.Context(), o); kind(err) != desk.Denied {
		t.Errorf("%v", err)
	}
}

func kind(err error) desk.ErrorKind {
	if e, ok := errors.AsType[*desk.Error](err); ok {
		return e.Kind
	}
	return ""
}

func TestTooLarge(t *testing.T) {
	s := serve(t, imap.Implicit)
	s.add("Subject: 1\r\n\r\n" + strings.Repeat("x", 2<<20))
	s.add("Subject: 2\r\n\r\n")
	r := s.open(imap.Implicit)
	var got []desk.ErrorKind
	for step, err := range r.Mails(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		_, err := step.Mail.Raw(t.Context())
		got = append(got, kind(err))
	}
	if diff := cmp.Diff([]desk.ErrorKind{desk.Limit, ""}, got); diff != "" {
		t.Error(diff)
	}
}

// far is a connection to another machine.
type far struct{ net.Conn }

func (far) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 143} }

func TestOpenErrors(t *testing.T) {
	for _, tc := range []struct {
		name string
		way  imap.TLS
		edit func(o *imap.Options)
		kind desk.ErrorKind
		key  string
	}{
		{"Password", imap.Implicit, func(o *imap.Options) {
			o.Password = func(context.Context) (string, error) { return "wrong", nil }
		}, desk.Denied, "imap.error.password"},
		{"Folder", imap.Implicit, func(o *imap.Options) { o.Folder = "Nowhere" }, desk.NotFound, "imap.error.folder"},
		{"Certificate", imap.Implicit, func(o *imap.Options) { o.RootCAs = x509.NewCertPool() }, desk.Unavailable, "imap.error.certificate"},
		{"CertificateStartTLS", imap.StartTLS, func(o *imap.Options) { o.RootCAs = x509.NewCertPool() }, desk.Unavailable, "imap.error.certificate"},
		{"OtherName", imap.Implicit, func(o *imap.Options) {
			address := o.Server
			o.Server = "imap.kiso-works.example:993"
			o.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, address)
			}
		}, desk.Unavailable, "imap.error.certificate"},
		{"NoTLSThere", imap.None, func(o *imap.Options) { o.TLS = imap.Implicit }, desk.Unavailable, "imap.error.tls"},
		{"NoStartTLSThere", imap.None, func(o *imap.Options) { o.TLS = imap.StartTLS }, desk.Unavailable, "imap.error.tls"},
		{"PlainRefused", imap.StartTLS, func(o *imap.Options) { o.TLS = imap.None }, desk.Denied, "imap.error.mechanism"},
		{"PlainFar", imap.None, func(o *imap.Options) {
			o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := (&net.Dialer{}).DialContext(ctx, network, address)
				return far{c}, err
			}
		}, desk.Denied, "imap.error.plain"},
		{"NoPort", imap.Implicit, func(o *imap.Options) { o.Server = "localhost" }, desk.Invalid, "imap.error.server"},
		{"NobodyThere", imap.Implicit, func(o *imap.Options) { o.Server = "127.0.0.1:1" }, desk.Unavailable, "imap.error.other"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, tc.way)
			o := s.options(tc.way)
			tc.edit(o)
			_, err := imap.Open(t.Context(), o)
			e, ok := errors.AsType[*desk.Error](err)
			if !ok || e.Kind != tc.kind || e.Message.Key != tc.key {
				t.Errorf("%v", err)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the password is in the error: %v", err)
			}
		})
	}
}

// TestHostile has servers that do what none should.
func TestHostile(t *testing.T) {
	const hello = "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello\r\n"
	ok := map[string]string{
		"CAPABILITY": "* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n", "LOGIN": "TAG OK done\r\n",
		"EXAMINE": "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\nTAG OK [READ-ONLY] done\r\n",
	}
	with := func(more map[string]string) map[string]string {
		all := map[string]string{}
		for _, m := range []map[string]string{ok, more} {
			maps.Copy(all, m)
		}
		return all
	}
	const list = "* 1 FETCH (UID 5 RFC822.SIZE 10 INTERNALDATE \"25-Nov-2026 00:00:00 +0000\")\r\nTAG OK done\r\n"
	for _, tc := range []struct {
		name, greeting string
		answers        map[string]string
		want           string // the error, or what was read
	}{
		{"Fair", hello, with(map[string]string{"UID FETCH 1:*": list, "UID FETCH 5 ": "* 1 FETCH (UID 5 BODY[] {5}\r\nhello)\r\nTAG OK done\r\n"}), "hello"},
		{"Silent", "", nil, "imap.error.slow"},
		{"Garbage", "\x00\x01\x02\r\n", nil, "imap.error.other"},
		{"LongLine", strings.Repeat("x", 4<<20), nil, "imap.error.bytes"},
		{"SaysBye", "* BYE go away\r\n", nil, "imap.error.other"},
		{"SilentLater", hello, with(map[string]string{"EXAMINE": ""}), "imap.error.slow"},
		{"Flood", hello, with(map[string]string{"EXAMINE": "ENDLESS"}), "imap.error.bytes"},
		{"NoValidity", hello, with(map[string]string{"EXAMINE": "* 1 EXISTS\r\nTAG OK done\r\n"}), "imap.error.uids"},
		{"HugeLiteral", hello, with(map[string]string{"UID FETCH 1:*": list, "UID FETCH 5 ": "* 1 FETCH (UID 5 BODY[] {4294967295}\r\n" + strings.Repeat("y", 3<<20)}), "mailboxes.error.large"},
		{"Gone", hello, with(map[string]string{"UID FETCH 1:*": list, "UID FETCH 5 ": "TAG OK done\r\n"}), "mailboxes.error.gone"},
		{"OtherMail", hello, with(map[string]string{"UID FETCH 1:*": list, "UID FETCH 5 ": "* 2 FETCH (UID 6 BODY[] {5}\r\nother)\r\nTAG OK done\r\n"}), "mailboxes.error.gone"},
		{"HugeUID", hello, with(map[string]string{"UID FETCH 1:*": "* 1 FETCH (UID 99999999999999999999 RFC822.SIZE 1)\r\nTAG OK done\r\n"}), "imap.error.other"},
		{"Cut", hello, with(map[string]string{"UID FETCH 1:*": "* 1 FETCH (UID 5 RFC"}), "imap.error.slow"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := &imap.Options{
				Server: script(t, tc.greeting, tc.answers), TLS: imap.None, User: user, Timeout: 300 * time.Millisecond, MaxMessage: 1 << 20,
				ListTimeout: 300 * time.Millisecond,
				Password:    func(context.Context) (string, error) { return "x", nil },
			}
			start := time.Now()
			got := func() string {
				r, err := imap.Open(t.Context(), o)
				if err != nil {
					return key(err)
				}
				defer func() { _ = r.Close() }()
				lines, _, err := read(t.Context(), r, "")
				if err != nil {
					return key(err)
				}
				return strings.Join(lines, " ")
			}()
			// A machine that is slow may meet the bound on time before that on bytes.
			if got != tc.want && (got != "imap.error.slow" || tc.want != "imap.error.bytes") {
				t.Errorf("%s, not %s", got, tc.want)
			}
			if took := time.Since(start); took > 4*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func key(err error) string {
	if e, ok := errors.AsType[*desk.Error](err); ok {
		return e.Message.Key
	}
	return err.Error()
}
