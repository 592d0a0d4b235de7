package milter_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sekisho/sekisho/internal/intake/milter"
)

// sink is a mail server behind Postfix that remembers what it gets.
type sink struct {
	mu    sync.Mutex
	mails []string
}

func (s *sink) serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go s.session(c)
	}
}

func (s *sink) session(c net.Conn) {
	defer func() { _ = c.Close() }()
	r := bufio.NewReader(c)
	say := func(line string) { _, _ = io.WriteString(c, line+"\r\n") }
	say("220 sink")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(line)), " "); verb {
		case "DATA":
			say("354 go on")
			var b strings.Builder
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				b.WriteString(line)
			}
			s.mu.Lock()
			s.mails = append(s.mails, b.String())
			s.mu.Unlock()
			say("250 kept")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 yes")
		}
	}
}

func (s *sink) wait(t *testing.T, n int) []string {
	t.Helper()
	for range 1000 {
		s.mu.Lock()
		mails := s.mails
		s.mu.Unlock()
		if len(mails) >= n {
			return mails
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%d mails came through, want %d", len(s.mails), n)
	return nil
}

func listenOn(t *testing.T) (net.Listener, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l, strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// postfix starts a Postfix of its own in a folder of its own, which asks at
// milterAddress and delivers to the sink. It returns the address to send to and
// the folder of its queue.
func postfix(t *testing.T, milterAddress, sinkPort string) (address, spool string) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a mail server")
	}
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("Postfix is started as root only")
	}
	const program = "/usr/sbin/postfix"
	if _, err := os.Stat(program); err != nil {
		t.Skipf("%v: install the Debian package postfix", err)
	}
	owner, err := user.Lookup("postfix")
	if err != nil {
		t.Skip(err)
	}
	// Not that of the test, which only its owner may enter.
	dir, err := os.MkdirTemp("", "sekisho-postfix-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	uid, _ := strconv.Atoi(owner.Uid)
	for _, d := range []string{"", "etc", "spool", "data"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(filepath.Join(dir, "data"), uid, -1); err != nil {
		t.Fatal(err)
	}
	free, port := listenOn(t)
	_ = free.Close()
	host, milterPort, _ := strings.Cut(milterAddress, ":")
	main := fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/spool
data_directory = %[1]s/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = %[1]s/log
maillog_file_prefixes = %[1]s
myhostname = mx.kiso-works.example
mydestination =
alias_maps =
relay_domains = kiso-works.example
relayhost = [127.0.0.1]:%[2]s
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, permit_auth_destination, reject
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_milters = inet:%[3]s:%[4]s
milter_default_action = tempfail
smtputf8_enable = no
`, dir, sinkPort, host, milterPort)
	master := "127.0.0.1:" + port + " inet n - n - - smtpd\n"
	for _, s := range []string{
		"pickup unix n - n 60 1", "cleanup unix n - n - 0", "qmgr unix n - n 300 1", "rewrite unix - - n - - trivial-rewrite", "bounce unix - - n - 0",
		"defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce", "verify unix - - n - 1", "flush unix n - n 1000? 0", "proxymap unix - - n - -",
		"smtp unix - - n - -", "relay unix - - n - - smtp", "error unix - - n - -", "retry unix - - n - - error", "discard unix - - n - -", "anvil unix - - n - 1", "scache unix - - n - 1",
		"postlog unix-dgram n - n - 1 postlogd",
	} {
		if f := strings.Fields(s); len(f) == 7 {
			s += " " + f[0]
		}
		master += s + "\n"
	}
	for name, text := range map[string]string{"main.cf": main, "master.cf": master} {
		if err := os.WriteFile(filepath.Join(dir, "etc", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(program, "-c", filepath.Join(dir, "etc"), "start").CombinedOutput(); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		t.Skipf("Postfix does not start here: %v\n%s%s", err, out, log)
	}
	t.Cleanup(func() {
		_ = exec.Command(program, "-c", filepath.Join(dir, "etc"), "stop").Run()
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Logf("log of Postfix:\n%s", log)
		}
	})
	address = "127.0.0.1:" + port
	for range 200 {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return address, filepath.Join(dir, "spool")
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("Postfix does not answer")
	return "", ""
}

// speaker says lines to a mail server.
type speaker struct {
	t *testing.T
	c net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, address string) *speaker {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	x := &speaker{t, c, bufio.NewReader(c)}
	x.answer("220")
	return x
}

func (c *speaker) answer(want string) string {
	c.t.Helper()
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatal(err)
		}
		if len(line) > 3 && line[3] == '-' {
			continue
		}
		if !strings.HasPrefix(line, want) {
			c.t.Fatalf("%q, want %s", line, want)
		}
		return line
	}
}

func (c *speaker) say(line, want string) string {
	c.t.Helper()
	if _, err := io.WriteString(c.c, line+"\r\n"); err != nil {
		c.t.Fatal(err)
	}
	return c.answer(want)
}

func (c *speaker) mail(text, want string) string {
	c.t.Helper()
	c.say("MAIL FROM:<a@sender.test>", "250")
	c.say("RCPT TO:<b@kiso-works.example>", "250")
	c.say("DATA", "354")
	return c.say(text+"\r\n.", want)
}

// TestPostfix asks a real Postfix to ask us.
func TestPostfix(t *testing.T) {
	behind := &sink{}
	l, sinkPort := listenOn(t)
	go behind.serve(l)
	j, milterAddress := serve(t, milter.Options{Malicious: milter.Reject, Suspicious: milter.Quarantine, Fail: milter.FailAccept, Time: 2 * time.Second})
	address, spool := postfix(t, milterAddress, sinkPort)

	c := dial(t, address)
	c.say("EHLO front.kiso-works.example", "250")
	c.say("XCLIENT ADDR=192.0.2.7 NAME=client.test HELO=helo.client.test", "220")
	c.say("EHLO helo.client.test", "250")
	sent := "From: a@sender.test\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@sender.test>\r\nSubject:  two spaces\r\nX-Close:none\r\nX-Folded: a\r\n\tb\r\nX-Sekisho-Verdict: clean\r\nX-Sekisho-Verdict: clean, truly\r\n" +
		"Authentication-Results: mx.kiso-works.example; dmarc=pass header.from=bank.example\r\nAuthentication-Results: other.example; spf=pass\r\n\r\nhello\r\n.dot"
	c.mail(strings.ReplaceAll(sent, "\n.", "\n.."), "250")
	c.mail("From: a@sender.test\r\nSubject: error\r\nX-Sekisho-Verdict: clean\r\n\r\nx", "250")
	if s := c.mail("From: a@sender.test\r\nSubject: malicious\r\n\r\nx", "550"); !strings.Contains(s, "5.7.1") {
		t.Error(s)
	}
	c.mail("From: a@sender.test\r\nSubject: suspicious\r\n\r\nx", "250")
	c.mail("From: a@sender.test\r\nSubject: last\r\n\r\nx", "250")

	mails := behind.wait(t, 3)
	find := func(subject string) string {
		for _, m := range mails {
			if strings.Contains(m, "Subject: "+subject) {
				return m
			}
		}
		t.Fatalf("%s did not come through", subject)
		return ""
	}
	first := find(" two spaces")
	for _, want := range []string{
		"Authentication-Results: mx.kiso-works.example; dmarc=fail\r\n header.from=sender.test\r\n", "X-Sekisho-Verdict: clean\r\n", "X-Sekisho-Score: 42\r\n",
		"X-Sekisho-Reason: it quotes X-Injected: yes\r\n", "Authentication-Results: other.example; spf=pass\r\n",
	} {
		if strings.Count(first, want) != 1 {
			t.Errorf("%q is not there once", want)
		}
	}
	if n := strings.Count(first, "X-Sekisho-Verdict"); n != 1 || strings.Contains(first, "dmarc=pass") || strings.Contains(first, "truly") {
		t.Errorf("what was forged is left:\n%s", first)
	}
	if t.Failed() {
		t.Log(first)
	}
	if m := find("error"); strings.Contains(m, "X-Sekisho") {
		t.Errorf("without a verdict there is one:\n%s", m)
	}
	find("last")
	held := 0
	_ = filepath.WalkDir(filepath.Join(spool, "hold"), func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			held++
		}
		return nil
	})
	if held != 1 || len(mails) != 3 {
		t.Errorf("%d mails are held, %d came through", held, len(mails))
	}
	if got := string(j.got[0].Raw); got != sent+"\r\n" {
		t.Errorf("what was sent is not what was judged:\n%q\n%q", sent, got)
	}
	for _, in := range j.got {
		if in.Remote.String() != "192.0.2.7" || in.HELO != "helo.client.test" || in.Envelope.From != "a@sender.test" {
			t.Errorf("%v %v %v", in.Remote, in.HELO, in.Envelope)
		}
	}
}

// TestMiltertest runs the script of miltertest, which comes with OpenDKIM.
func TestMiltertest(t *testing.T) {
	program, err := exec.LookPath("miltertest")
	if err != nil {
		t.Skipf("%v: install the Debian package miltertest", err)
	}
	_, address := serve(t, milter.Options{Malicious: milter.Reject, Suspicious: milter.Quarantine, Fail: milter.FailAccept})
	_, port, _ := strings.Cut(address, ":")
	out, err := exec.Command(program, "-D", "socket=inet:"+port+"@127.0.0.1", "-s", filepath.Join("testdata", "milter.lua")).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
