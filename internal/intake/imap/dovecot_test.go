package imap_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	osuser "os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"context"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/intake/imap"
)

// dovecot is a Dovecot that runs for one test, on loopback.
type dovecot struct {
	t           *testing.T
	dir         string
	conf        string
	tls, plain  string // addresses
	roots       *x509.CertPool
	uid, gid    int
	stop, start func()
	mails       int
}

// startDovecot starts a Dovecot 2.3 in a folder of its own, as the user who runs
// the test; as root it drops to the users that its package made.
func startDovecot(t *testing.T) *dovecot {
	t.Helper()
	binary, err := exec.LookPath("dovecot")
	if err != nil {
		binary = "/usr/sbin/dovecot"
	}
	out, err := exec.Command(binary, "--version").Output()
	if err != nil {
		t.Skip("no Dovecot here: apt-get install dovecot-imapd")
	}
	if !strings.HasPrefix(string(out), "2.3.") {
		t.Skipf("the configuration is for Dovecot 2.3, not %s", out)
	}
	dir, err := os.MkdirTemp("", "dovecot") //nolint:usetesting // sockets have short names
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	d := &dovecot{t: t, dir: dir, conf: filepath.Join(dir, "dovecot.conf"), uid: os.Getuid(), gid: os.Getgid()}
	me, err := osuser.Current()
	if err != nil {
		t.Fatal(err)
	}
	group := me.Gid
	if g, err := osuser.LookupGroupId(me.Gid); err == nil {
		group = g.Name
	}
	internal, login, internalGroup := me.Username, me.Username, group
	if d.uid == 0 {
		internal, login, internalGroup = "dovecot", "dovenull", "dovecot"
		d.uid, d.gid = 65534, 65534 // mail of root is never read
	}
	cert, roots := certificate(t)
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	d.roots = roots
	d.write("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}))
	d.write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	d.tls, d.plain = freeAddress(t), freeAddress(t)
	_, tlsPort, _ := net.SplitHostPort(d.tls)
	_, plainPort, _ := net.SplitHostPort(d.plain)
	d.write("dovecot.conf", fmt.Appendf(nil, `base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <%[1]s/cert.pem
ssl_key = <%[1]s/key.pem
mail_location = maildir:%[1]s/mail
mailbox_idle_check_interval = 1s
default_internal_user = %[4]s
default_internal_group = %[6]s
default_login_user = %[5]s
first_valid_uid = 1
passdb {
  driver = static
  args = password=s3cret
}
userdb {
  driver = static
  args = uid=%[7]d gid=%[8]d home=%[1]s/home
}
service imap-login {
  chroot =
  inet_listener imap {
    port = %[3]s
  }
  inet_listener imaps {
    port = %[2]s
  }
}
service anvil {
  chroot =
}
`, dir, tlsPort, plainPort, internal, login, internalGroup, d.uid, d.gid))
	for _, sub := range []string{"home", "mail", "mail/new", "mail/cur", "mail/tmp", "state"} {
		d.own(os.Mkdir(filepath.Join(dir, sub), 0o700), sub)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var cmd *exec.Cmd
	d.start = func() {
		t.Helper()
		cmd = exec.Command(binary, "-F", "-c", d.conf)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			c, err := net.Dial("tcp", d.tls)
			if err == nil {
				_ = c.Close() // it listens
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		log, _ := os.ReadFile(filepath.Join(dir, "log")) // may not be there
		t.Fatalf("Dovecot does not listen: %s", log)
	}
	d.stop = func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended
		_ = cmd.Wait()
	}
	d.start()
	t.Cleanup(func() { d.stop() })
	return d
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func (d *dovecot) own(err error, name string) {
	d.t.Helper()
	if err == nil && os.Getuid() == 0 {
		err = os.Chown(filepath.Join(d.dir, name), d.uid, d.gid)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *dovecot) write(name string, b []byte) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), b, 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// deliver puts a mail into the mailbox as a delivery agent does.
func (d *dovecot) deliver(mail string) {
	d.t.Helper()
	d.mails++
	name := "mail/tmp/" + strconv.Itoa(d.mails) + ".test"
	d.write(name, []byte(mail))
	d.own(nil, name)
	if err := os.Rename(filepath.Join(d.dir, name), filepath.Join(d.dir, "mail/new", fmt.Sprintf("%d.%d.test", time.Now().Unix(), d.mails))); err != nil {
		d.t.Fatal(err)
	}
}

func (d *dovecot) options(way imap.TLS) *imap.Options {
	o := &imap.Options{
		Server: d.tls, TLS: way, User: user, RootCAs: d.roots, Timeout: 10 * time.Second, MaxMessage: 1 << 20,
		Password: func(context.Context) (string, error) { return "s3cret", nil },
	}
	if way == imap.StartTLS {
		o.Server = d.plain
	}
	return o
}

// TestDovecot reads a real server: over both kinds of TLS, over a restart, with
// IDLE, a mail that is too large, and mails numbered anew.
func TestDovecot(t *testing.T) {
	d := startDovecot(t)
	for i := range 30 {
		d.deliver(fmt.Sprintf("Subject: %d\r\n\r\nmail %d\r\n", i, i))
	}
	d.deliver("Subject: large\r\n\r\n" + strings.Repeat(strings.Repeat("x", 76)+"\r\n", 30_000))
	store, inbox := newStates(), map[string]int{}
	setting := desk.MailboxSetting{Name: "reports", Kind: desk.MailboxIMAP, Every: time.Second, Days: 7}
	deps := desk.WatchDeps{
		Store: store, Now: time.Now, Sleep: func(context.Context, time.Duration) error { return errors.New("enough") },
		Open: func(ctx context.Context) (desk.MailboxReader, error) { return imap.Open(ctx, d.options(imap.StartTLS)) },
		Accept: func(_ context.Context, m *desk.Delivery) error {
			line, _, _ := strings.Cut(string(m.Raw), "\r\n")
			inbox[line]++
			return nil
		},
	}
	readAll := func(want int) {
		t.Helper()
		if err := desk.ReadMailbox(t.Context(), setting, deps); err != nil {
			log, _ := os.ReadFile(filepath.Join(d.dir, "log")) // may not be there
			t.Fatalf("%v\n%s", err, log)
		}
		if len(inbox) != want {
			t.Errorf("%d mails, not %d", len(inbox), want)
		}
		for line, n := range inbox {
			if n != 1 {
				t.Errorf("%s came %d times", line, n)
			}
		}
	}
	readAll(30)
	if got := store.state.Refused; got != 1 {
		t.Errorf("%d refused", got)
	}
	d.stop()
	if err := desk.ReadMailbox(t.Context(), setting, deps); err == nil {
		t.Error("read a server that is down")
	}
	d.start()
	d.deliver("Subject: after the restart\r\n\r\n")
	deps.Open = func(ctx context.Context) (desk.MailboxReader, error) { return imap.Open(ctx, d.options(imap.Implicit)) }
	readAll(31)

	before := store.state.Cursor
	if out, err := exec.Command("doveadm", "-c", d.conf, "mailbox", "update", "-u", user, "--uid-validity", "4242", "INBOX").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	d.deliver("Subject: numbered anew\r\n\r\n")
	readAll(32)
	if store.state.Cursor == before || !strings.HasPrefix(store.state.Cursor, "4242:") {
		t.Errorf("cursor %s, before %s", store.state.Cursor, before)
	}

	r, err := imap.Open(t.Context(), d.options(imap.Implicit))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	done := make(chan error, 1)
	go func() { done <- r.Wait(t.Context(), time.Hour) }()
	time.Sleep(300 * time.Millisecond)
	d.deliver("Subject: while idle\r\n\r\n")
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Dovecot did not tell of the mail")
	}
	readAll(33)

	wrong := d.options(imap.Implicit)
	wrong.Password = func(context.Context) (string, error) { return "wrong", nil }
	if _, err := imap.Open(t.Context(), wrong); kind(err) != desk.Denied {
		t.Errorf("a wrong password: %v", err)
	}
	missing := d.options(imap.Implicit)
	missing.Folder = "Nowhere"
	if _, err := imap.Open(t.Context(), missing); kind(err) != desk.NotFound {
		t.Errorf("a missing folder: %v", err)
	}
	var seen []string
	for _, sub := range []string{"new", "cur"} {
		files, err := os.ReadDir(filepath.Join(d.dir, "mail", sub))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if _, flags, _ := strings.Cut(f.Name(), ":2,"); flags != "" {
				seen = append(seen, f.Name())
			}
		}
	}
	if diff := cmp.Diff([]string(nil), seen); diff != "" {
		t.Errorf("mails were changed: %s", diff)
	}
}

// states keeps one mailbox in memory.
type states struct {
	state *desk.MailboxState
	marks map[string]bool
}

func newStates() *states { return &states{marks: map[string]bool{}} }

func (s *states) MailboxState(context.Context, string) (*desk.MailboxState, error) {
	if s.state == nil {
		return nil, nil
	}
	c := *s.state
	return &c, nil
}

func (s *states) MailboxStates(context.Context) ([]desk.MailboxState, error) { return nil, nil }

func (s *states) SaveMailboxState(_ context.Context, m *desk.MailboxState, marks ...desk.MailboxMark) error {
	c := *m
	s.state = &c
	for _, k := range marks {
		s.marks[k.Key] = true
		if k.Hash != "" {
			s.marks[k.Hash] = true
		}
	}
	return nil
}

func (s *states) MailboxDone(_ context.Context, _, key, hash string) (bool, error) {
	return s.marks[key] || s.marks[hash], nil
}

func (s *states) MailboxRefused(context.Context, string, int) ([]desk.MailboxMark, error) {
	return nil, nil
}
func (s *states) DeleteMailbox(context.Context, string) error { return nil }
