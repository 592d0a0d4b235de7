package app

import (
	"context"
	"crypto/tls"
	"errors"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	blobfs "github.com/sekisho/sekisho/internal/blob/fs"
	"github.com/sekisho/sekisho/internal/cli"
	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/intake/listen"
	"github.com/sekisho/sekisho/internal/intake/mailbox"
	"github.com/sekisho/sekisho/internal/intake/milter"
	"github.com/sekisho/sekisho/internal/intake/smtp"
	"github.com/sekisho/sekisho/internal/intake/watch"
	"github.com/sekisho/sekisho/internal/store/sqlite"
	"github.com/sekisho/sekisho/lang"
)

// intakeMemory is how many bytes of mail all listeners together hold at once.
const intakeMemory = 256 << 20

// openIntake opens the queue of a data folder for the command line.
func openIntake(ctx context.Context, dir string, now func() time.Time) (*cli.IntakeStore, error) {
	db, err := sqlite.Open(ctx, filepath.Join(dir, sqlite.FileName))
	if err != nil {
		return nil, err
	}
	blobs, err := blobfs.Open(filepath.Join(dir, blobfs.DirName), 0)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &cli.IntakeStore{
		IntakeDeps: desk.IntakeDeps{MailDeps: desk.MailDeps{Mails: db, Blobs: blobs, Audit: db, Now: now}, Queue: db},
		Retro:      db, Similar: db,
		Close: func() error { return errors.Join(blobs.Close(), db.Close()) },
	}, nil
}

// intakeDeps is what mail that comes in by itself needs.
func (s *server) intakeDeps() *desk.IntakeDeps {
	return &desk.IntakeDeps{
		MailDeps: s.mail, Queue: s.db, Reports: s.db, MaxMessage: s.Config.Limits.MessageSize,
		Problem: func(err error) { s.log.Error("intake", slog.String("error", kindOf(err))) },
		Kept: func(ctx context.Context, e *desk.QueueEntry, k *desk.KeptMail) {
			for _, hook := range s.kept {
				hook(ctx, e, k)
			}
		},
	}
}

// intake is the work on mail that comes in by itself, and the ways in that are
// configured. What they listen on is bound before anything runs, so that a
// mistake is told at once.
func (s *server) intake() (list []Service, err error) {
	deps := s.intakeDeps()
	memory := listen.NewMemory(intakeMemory)
	accept := func(ctx context.Context, d *desk.Delivery) (desk.MailID, error) { return desk.Accept(ctx, d, deps) }
	list = append(list, Service{Name: "work", Run: func(ctx context.Context) error { return desk.Work(ctx, deps) }})
	in := &s.Config.Intake
	var open []interface{ Close() error }
	defer func() {
		if err != nil {
			for _, l := range open {
				_ = l.Close() // what is told is why the program does not start
			}
		}
	}()
	name, nameErr := os.Hostname()
	if nameErr != nil || in.Milter.Name != "" {
		name = in.Milter.Name
	}
	if a := in.SMTP.Listen; a != "" {
		o := &smtp.Options{
			Accept: accept, Name: name, Recipients: in.SMTP.Recipients, Allow: in.SMTP.Allow, MaxMessage: s.Config.Limits.MessageSize,
			Memory: memory, Now: s.Now, Log: s.log,
		}
		if in.SMTP.Cert != "" {
			c, err := tls.LoadX509KeyPair(in.SMTP.Cert, in.SMTP.Key)
			if err != nil {
				return nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("intake.error.tls", "file", in.SMTP.Cert), Hint: lang.M("intake.hint.tls"), Err: err}
			}
			o.TLS = &tls.Config{Certificates: []tls.Certificate{c}}
		}
		l, err := listen.Listen(a)
		if err != nil {
			return nil, intakeListenError("smtp", a, err)
		}
		open = append(open, l)
		list = append(list, Service{Name: "smtp", Run: func(ctx context.Context) error { return smtp.Serve(ctx, l, o) }})
	}
	if a := in.Milter.Listen; a != "" {
		o := s.milterOptions(&in.Milter, deps, memory)
		l, err := listen.Listen(a)
		if err != nil {
			return nil, intakeListenError("milter", a, err)
		}
		open = append(open, l)
		list = append(list, Service{Name: "milter", Run: func(ctx context.Context) error { return milter.Serve(ctx, l, o) }})
	}
	for _, dir := range in.Watch {
		if st, err := os.Stat(dir); err != nil || !st.IsDir() {
			return nil, &desk.Error{Kind: desk.NotFound, Message: lang.M("intake.error.watch", "dir", dir), Hint: lang.M("intake.hint.watch"), Err: err}
		}
		o := &watch.Options{
			Dir: dir, Accept: accept, Problem: deps.Problem,
			Read: func(ctx context.Context, path string) iter.Seq[desk.Item] {
				return mailbox.Walk(ctx, []string{path}, nil, &mailbox.Options{MaxMessage: s.Config.Limits.MessageSize})
			},
		}
		list = append(list, Service{Name: "watch", Run: func(ctx context.Context) error { return watch.Run(ctx, o) }})
	}
	mailboxes, err := s.mailboxes(accept)
	return append(list, mailboxes...), err
}

func intakeListenError(kind, address string, err error) error {
	return &desk.Error{Kind: desk.Unavailable, Message: lang.M("intake.error.listen", "address", address), Hint: lang.M("intake.hint.listen", "kind", kind), Err: err}
}

func (s *server) milterOptions(in *config.MilterIntake, deps *desk.IntakeDeps, memory *listen.Memory) *milter.Options {
	o := &milter.Options{
		Screen: desk.NewScreen(deps),
		Name:   in.Name, Malicious: milter.Measure(in.Malicious), Suspicious: milter.Measure(in.Suspicious), Fail: milter.Failure(in.OnFailure),
		Time: in.Timeout, Language: s.Config.Language, Allow: in.Allow, MaxMessage: s.Config.Limits.MessageSize, Memory: memory,
		Judging: 2 * runtime.GOMAXPROCS(0), Now: s.Now, Log: s.log,
	}
	switch in.Keep {
	case config.KeepNone:
		o.Forget = true
	case config.KeepMalicious:
		o.Keep = desk.Malicious
	case config.KeepSuspicious:
		o.Keep = desk.Suspicious
	}
	return o
}
