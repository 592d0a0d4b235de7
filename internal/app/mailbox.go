package app

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/cli"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/graph"
	"github.com/sekisho/sekisho/internal/intake/imap"
	"github.com/sekisho/sekisho/internal/store/file"
	"github.com/sekisho/sekisho/internal/store/sqlite"
	"github.com/sekisho/sekisho/lang"
)

// maxSecret bounds a file with a password or secret.
const maxSecret = 4 << 10

// mailboxAdapter reads one mailbox with what is kept of it.
type mailboxAdapter struct {
	desk.MailboxSetting

	tokens     *graph.Tokens // nil where a password is used
	cloud      graph.Cloud
	options    *graph.Options
	maxMessage int
}

// newMailbox prepares a mailbox. Nothing is connected to.
func newMailbox(m desk.MailboxSetting, tenant string, maxMessage int, db *sqlite.DB, key [32]byte) (*mailboxAdapter, error) {
	a := &mailboxAdapter{MailboxSetting: m, maxMessage: maxMessage, options: &graph.Options{MaxMessage: int64(maxMessage), Environ: os.Environ()}}
	if m.Kind == "" { // only its name is known, to forget it
		return a, nil
	}
	if !m.UsesOAuth() {
		_, err := a.secret() // a missing one is told before anything runs
		return a, err
	}
	var ok bool
	if a.cloud, ok = graph.CloudNamed(m.Cloud); !ok {
		return nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("graph.error.cloud", "cloud", m.Cloud)}
	}
	if m.Tenant != "" {
		tenant = m.Tenant
	}
	c := graph.Credentials{Cloud: a.cloud, Tenant: tenant, Client: m.Client, Scopes: a.cloud.GraphScopes()}
	switch {
	case m.Kind == desk.MailboxGraph && !m.SignsIn():
		c.Scopes = a.cloud.GraphDefault()
	case m.Kind == desk.MailboxIMAP && !m.SignsIn():
		c.Scopes = a.cloud.IMAPDefault()
	case m.Kind == desk.MailboxIMAP:
		c.Scopes = a.cloud.IMAPScopes()
	}
	if !m.SignsIn() {
		var err error
		if c.Secret, err = a.secret(); err != nil {
			return nil, err
		}
	}
	var err error
	a.tokens, err = graph.NewTokens(c, &desk.MailboxTokens{Store: db, Name: m.Name, Key: key, Rand: rand.Reader}, a.options)
	return a, err
}

// secret reads the password or the secret of the application.
func (a *mailboxAdapter) secret() (string, error) {
	missing := func(where string, err error) error {
		return &desk.Error{Kind: desk.NotFound, Message: lang.M("mailboxes.error.secret", "name", a.Name, "where", where), Hint: lang.M("mailboxes.hint.secret"), Err: err}
	}
	if a.SecretFile == "" {
		if s := os.Getenv(a.SecretEnv); s != "" {
			return s, nil
		}
		return "", missing(a.SecretEnv, nil)
	}
	f, err := os.Open(a.SecretFile)
	if err != nil {
		return "", missing(a.SecretFile, err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	st, err := f.Stat()
	if err != nil {
		return "", missing(a.SecretFile, err)
	}
	if runtime.GOOS != "windows" && st.Mode().Perm()&0o007 != 0 { // Windows has its own rights
		return "", &desk.Error{Kind: desk.Denied, Message: lang.M("mailboxes.error.secret-open", "where", a.SecretFile), Hint: lang.M("mailboxes.hint.secret-open", "where", a.SecretFile)}
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecret))
	s := strings.TrimRight(string(b), "\r\n")
	if err != nil || s == "" {
		return "", missing(a.SecretFile, err)
	}
	return s, nil
}

// open connects to the mailbox.
func (a *mailboxAdapter) open(ctx context.Context) (desk.MailboxReader, error) {
	if a.Kind == desk.MailboxIMAP {
		return imap.Open(ctx, a.imap())
	}
	return a.graph()
}

func (a *mailboxAdapter) graph() (*graph.Mailbox, error) {
	c, err := graph.New(a.cloud, a.Address, a.tokens, a.options)
	if err != nil {
		return nil, err
	}
	return c.Mailbox(a.Folder), nil
}

func (a *mailboxAdapter) imap() *imap.Options {
	o := &imap.Options{Server: a.Server, TLS: a.TLS, User: a.Login(), Folder: a.Folder, MaxMessage: int64(a.maxMessage), Dial: (&net.Dialer{Timeout: 30 * time.Second}).DialContext}
	if a.tokens != nil {
		o.Token, o.Renew = a.tokens.Token, a.tokens.Renew
	} else {
		o.Password = func(context.Context) (string, error) { return a.secret() }
	}
	return o
}

// check connects, and returns what is in the folder and which permissions are
// more than needed.
func (a *mailboxAdapter) check(ctx context.Context) (info *desk.MailboxFolderInfo, tooMuch []string, err error) {
	if a.Kind == desk.MailboxIMAP {
		r, err := imap.Open(ctx, a.imap())
		if err != nil {
			return nil, nil, err
		}
		defer func() { _ = r.Close() }() // it was only read
		info = r.Check()
	} else {
		m, err := a.graph()
		if err != nil {
			return nil, nil, err
		}
		defer func() { _ = m.Close() }() // it was only read
		if info, err = m.Check(ctx); err != nil {
			return nil, nil, err
		}
	}
	if a.tokens != nil {
		token, err := a.tokens.Token(ctx)
		if err != nil {
			return nil, nil, err
		}
		tooMuch = graph.TooMuch(token)
	}
	return info, tooMuch, nil
}

// mailboxes are the services that read mailboxes.
func (s *server) mailboxes(accept func(context.Context, *desk.Delivery) (desk.MailID, error)) ([]Service, error) {
	var list []Service
	for _, m := range s.Config.Intake.Mailboxes {
		a, err := newMailbox(m, s.Config.Facts.TenantID.Value(), s.Config.Limits.MessageSize, s.db, s.account.Key)
		if err != nil {
			return nil, err
		}
		deps := desk.WatchDeps{
			Store: s.db, Open: a.open, Words: s.Words, Now: s.Now, Sleep: graph.Sleep,
			Accept: func(ctx context.Context, d *desk.Delivery) error {
				_, err := accept(ctx, d)
				return err
			},
		}
		list = append(list, Service{Name: "mailbox " + m.Name, Run: func(ctx context.Context) error { return desk.WatchMailbox(ctx, m, deps) }})
	}
	return list, nil
}

// openMailbox opens a mailbox for the command line.
func openMailbox(ctx context.Context, o cli.MailboxOptions) (*cli.MailboxAccess, error) {
	db, err := sqlite.Open(ctx, filepath.Join(o.DataDir, sqlite.FileName))
	if err != nil {
		return nil, err
	}
	key, err := file.New(o.DataDir, nil).Key(ctx, rand.Reader)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	a, err := newMailbox(o.Setting, o.Tenant, o.MaxMessage, db, key)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &cli.MailboxAccess{
		Check: a.check, Close: db.Close, Forget: func(ctx context.Context) error { return db.DeleteMailbox(ctx, o.Setting.Name) },
		SignIn: func(ctx context.Context, show func(cli.SignInCode)) error {
			return a.tokens.SignIn(ctx, func(d graph.DeviceCode) { show(cli.SignInCode(d)) })
		},
	}, nil
}
