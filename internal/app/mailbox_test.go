package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/sekisho/sekisho/internal/cli"
	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

type literal struct{ *bytes.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

// TestMailboxRestarts reads a mailbox as sekisho serve does and ends it at
// several moments: each mail is in the queue once.
func TestMailboxRestarts(t *testing.T) {
	user := imapmemserver.NewUser("report", "s3cret")
	if err := user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	const n = 12
	for i := range n {
		mail := fmt.Sprintf("From: a@partner.example\r\nSubject: %d\r\n\r\nmail\r\n", i)
		if _, err := user.Append("INBOX", literal{bytes.NewReader([]byte(mail))}, &goimap.AppendOptions{Time: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	mem := imapmemserver.New()
	mem.AddUser(user)
	srv := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return mem.NewSession(), nil, nil
		},
		InsecureAuth: true, Logger: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = srv.Serve(l) }() // ends with the listener
	t.Cleanup(func() { _ = srv.Close() })

	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	conf, err := config.Load(&config.Options{Environ: []string{
		"SEKISHO_INTAKE_MAILBOXES=[{name: reports, kind: imap, user: report, server: " + l.Addr().String() + ", tls: none, secret_file: " + filepath.ToSlash(secret) + "}]",
	}})
	if err != nil {
		t.Fatal(err)
	}
	o := cli.ServeOptions{Config: conf, DataDir: filepath.Join(dir, "data"), Words: lang.Default(), Now: time.Now, Log: io.Discard}
	waiting := 0
	for _, stop := range []int{1, 3, 4, n} { // mails that are accepted before the end
		s, err := openServer(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		deps := s.intakeDeps()
		left := stop
		services, err := s.mailboxes(func(ctx context.Context, d *desk.Delivery) (desk.MailID, error) {
			id, err := desk.Accept(ctx, d, deps)
			if left--; left == 0 {
				cancel() // before it is noted that the mail was accepted
			}
			return id, err
		})
		if err != nil {
			t.Fatal(err)
		}
		if stop == n { // no end by itself: what is left is less
			time.AfterFunc(2*time.Second, cancel)
		}
		if err := services[0].Run(ctx); err != nil {
			t.Error(err)
		}
		cancel()
		state, err := s.db.State(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		waiting = state.Waiting
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
	}
	if waiting != n {
		t.Errorf("%d mails in the queue, not %d", waiting, n)
	}
}

func TestMailboxSecret(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return name
	}
	t.Setenv("MAILBOX_SECRET", "from the environment")
	for _, tc := range []struct {
		name      string
		env, file string
		want, key string
	}{
		{"Variable", "MAILBOX_SECRET", "", "from the environment", ""},
		{"NoVariable", "MAILBOX_SECRET_MISSING", "", "", "mailboxes.error.secret"},
		{"File", "", write("a", "from a file\r\n", 0o600), "from a file", ""},
		{"NoFile", "", filepath.Join(dir, "none"), "", "mailboxes.error.secret"},
		{"Empty", "", write("b", "\n", 0o600), "", "mailboxes.error.secret"},
		{"Open", "", write("c", "x", 0o644), "", "mailboxes.error.secret-open"},
	} {
		a := &mailboxAdapter{MailboxSetting: desk.MailboxSetting{Name: "a", SecretEnv: tc.env, SecretFile: tc.file}}
		got, err := a.secret()
		key := ""
		if e, ok := errors.AsType[*desk.Error](err); ok {
			key = e.Message.Key
		}
		if got != tc.want || key != tc.key || err != nil && strings.Contains(err.Error(), "from") {
			t.Errorf("%s: %q %v", tc.name, got, err)
		}
	}
}
