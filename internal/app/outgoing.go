package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/cli"
	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/notify"
	"github.com/sekisho/sekisho/internal/store/sqlite"
	"github.com/sekisho/sekisho/lang"
)

// openOutbox opens the mails of ours in a data folder for the command line.
func openOutbox(ctx context.Context, dir string, now func() time.Time) (*cli.OutboxAccess, error) {
	db, err := sqlite.Open(ctx, filepath.Join(dir, sqlite.FileName))
	if err != nil {
		return nil, err
	}
	return &cli.OutboxAccess{OutboxDeps: desk.OutboxDeps{Store: db, Audit: db, Now: now}, Close: db.Close}, nil
}

// keptHook is told of a mail that was kept.
type keptHook = func(ctx context.Context, e *desk.QueueEntry, k *desk.KeptMail)

// outgoing is what leaves: replies to those who report, and the sending of mails
// of ours. It has to be prepared before mail comes in, of which it is told.
func (s *server) outgoing() ([]Service, error) {
	var list []Service
	o := &s.Config.Outgoing
	if o.Server == "" {
		return nil, nil
	}
	mailer, err := s.mailer(o)
	if err != nil {
		return nil, err
	}
	problem := func(err error) { s.log.Error("outbox", slog.String("error", kindOf(err))) }
	send := &desk.OutboxDeps{Store: s.db, Mailer: mailer, Audit: s.db, Words: s.Words, Now: s.Now, Problem: problem}
	list = append(list, Service{Name: "outbox", Run: func(ctx context.Context) error { return desk.RunOutbox(ctx, send) }})
	if mode := s.Config.Replies.Mode; mode == desk.ReplyApprove || mode == desk.ReplyAuto {
		s.kept = append(s.kept, s.replies(problem))
	}
	if len(s.Config.Summary.To) > 0 {
		list = append(list, Service{Name: "summary", Run: func(ctx context.Context) error { return desk.RunSummary(ctx, s.summary(), problem) }})
	}
	return list, nil
}

// summary is what a summary of the day is written from.
func (s *server) summary() *desk.SummaryDeps {
	rules := s.Config.Summary
	if rules.Lang == "" {
		rules.Lang = s.Config.Language
	}
	return &desk.SummaryDeps{
		Today: desk.TodayDeps{Mails: s.db, News: s.db, Advisories: s.db, Exceptions: s.files, Facts: s.Config.Facts, Words: s.Words, Now: s.Now},
		Kept:  s.db, Queue: s.db, Mailboxes: s.db, Outbox: s.db, Rules: rules, From: s.Config.Outgoing.From,
		Patch: &desk.PatchDeps{Store: s.files, Facts: s.Config.Facts, Words: s.Words, Now: s.Now},
	}
}

// replies answers those who report a mail.
func (s *server) replies(problem func(error)) keptHook {
	in := &s.Config.Intake
	own := []string{s.Config.Facts.Report.Value().To}
	for _, r := range in.SMTP.Recipients {
		if !strings.HasPrefix(r, "@") {
			own = append(own, r)
		}
	}
	for _, m := range in.Mailboxes {
		own = append(own, m.Address)
	}
	deps := &desk.ReplyDeps{
		Store: s.db, Blobs: s.blobs, Judge: s.Judge, Rules: s.Config.Replies, From: s.Config.Outgoing.From, Own: own, Language: s.Config.Language, Now: s.Now,
	}
	return func(ctx context.Context, e *desk.QueueEntry, k *desk.KeptMail) {
		switch what, err := desk.ReplyToReporter(ctx, e, k, deps); {
		case err != nil:
			problem(err)
		case what != desk.ReplyNone && what != desk.ReplyUnwanted:
			s.log.Info("report", slog.String("mail", string(k.ID)[:16]), slog.String("reply", string(what)))
		}
	}
}

// mailer hands mails to the server of the settings. Its password is looked for
// now, so that a missing one is told before anything runs.
func (s *server) mailer(o *config.Outgoing) (*notify.SMTP, error) {
	to := notify.SMTPOptions{
		Server: o.Server, Implicit: o.TLS == config.SMTPImplicit, Plain: o.TLS == config.SMTPNoTLS, User: o.User, From: o.From,
		Dial: (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
	}
	if name, err := os.Hostname(); err == nil {
		to.Hello = name
	}
	if o.User != "" {
		from := &mailboxAdapter{MailboxSetting: desk.MailboxSetting{Name: "outgoing.smtp", SecretEnv: o.SecretEnv, SecretFile: o.SecretFile}}
		secret, err := from.secret()
		if err != nil {
			return nil, outgoingSecret(err)
		}
		to.Password = secret
	}
	return notify.NewSMTP(to), nil
}

// outgoingSecret says of which setting the password is missing.
func outgoingSecret(err error) error {
	if e, ok := errors.AsType[*desk.Error](err); ok && e.Kind == desk.NotFound {
		e.Message = lang.M("outbox.error.secret", "where", e.Message.Args["where"])
	}
	return err
}
