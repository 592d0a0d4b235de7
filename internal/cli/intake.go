package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

type intakeCmd struct {
	Status intakeStatusCmd `cmd:""`
	Dead   intakeDeadCmd   `cmd:""`
	Retry  intakeRetryCmd  `cmd:""`
	Drop   intakeDropCmd   `cmd:""`

	Mailboxes intakeMailboxesCmd `cmd:""`
	Setup     intakeSetupCmd     `cmd:""`
}

// IntakeStore is what [Env.Intake] opens.
type IntakeStore struct {
	desk.IntakeDeps
	Retro   desk.RetroStore
	Similar desk.SimilarStore
	Close   func() error
}

// intakeSchema names the record of how intake stands, in docs/schema.
const intakeSchema = "sekisho.intake/v1"

// intakeRecord is how the work on mail that comes in stands.
type intakeRecord struct {
	Schema  string         `json:"schema"`
	Waiting int            `json:"waiting"`
	InWork  int            `json:"in_work"`
	Oldest  *time.Time     `json:"oldest,omitempty"` // when the oldest of both was received
	Dead    int            `json:"dead"`
	Letters []letterRecord `json:"letters"` // of the dead, the newest first, as many as were asked for
	Settled int            `json:"settled"` // by this command
}

// letterRecord is a mail that was set aside.
type letterRecord struct {
	ID       string      `json:"id"`
	Source   desk.Source `json:"source"`
	Size     int         `json:"size"`
	From     string      `json:"from,omitempty"`
	To       []string    `json:"to,omitempty"`
	Received time.Time   `json:"received"`
	Died     time.Time   `json:"died"`
	Attempts int         `json:"attempts"`
	Reason   string      `json:"reason"`
}

// withIntake opens the queue. Without a database nothing is waiting.
func (r *run) withIntake(use func(d *desk.IntakeDeps) (*intakeRecord, error), text func(*intakeRecord)) (err error) {
	out := &intakeRecord{}
	if r.hasStore() {
		s, err := r.Intake(r.ctx, r.dataDir(), r.Now)
		if err != nil {
			return err
		}
		out, err = use(&s.IntakeDeps)
		if closeErr := s.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return err
		}
	}
	out.Schema = intakeSchema
	if out.Letters == nil {
		out.Letters = []letterRecord{}
	}
	if r.flags.Output == "text" {
		text(out)
		return nil
	}
	return r.writeRecord(out)
}

func (r *run) intakeRecord(d *desk.IntakeDeps, letters int) (*intakeRecord, error) {
	s, err := desk.IntakeState(r.ctx, letters, d)
	if err != nil {
		return nil, err
	}
	out := &intakeRecord{Waiting: s.Waiting, InWork: s.Leased, Dead: s.Dead}
	if !s.Oldest.IsZero() {
		out.Oldest = &s.Oldest
	}
	for _, l := range s.Letters {
		x := letterRecord{ID: string(l.ID), Source: l.Source, Size: l.Size, Received: l.Received.UTC(), Died: l.Died.UTC(), Attempts: l.Attempts, Reason: l.Reason}
		if e := l.Envelope; e != nil {
			x.From, x.To = e.From, e.To
		}
		out.Letters = append(out.Letters, x)
	}
	return out, nil
}

type intakeStatusCmd struct{}

// Run says how much is waiting.
func (c *intakeStatusCmd) Run(r *run) error {
	return r.withIntake(func(d *desk.IntakeDeps) (*intakeRecord, error) { return r.intakeRecord(d, 0) }, func(s *intakeRecord) {
		if s.Waiting+s.InWork == 0 {
			fmt.Fprintln(r.Stdout, r.say("cli.intake.idle"))
		} else {
			fmt.Fprintln(r.Stdout, r.say("cli.intake.waiting", "n", s.Waiting, "m", s.InWork))
			fmt.Fprintln(r.Stdout, r.say("cli.intake.oldest", "date", r.minute(*s.Oldest)))
		}
		if s.Dead > 0 {
			fmt.Fprintln(r.Stdout, r.say("cli.intake.dead", "n", s.Dead))
		}
	})
}

// minute is a time that is read by somebody who knows what day it is.
func (r *run) minute(t time.Time) string { return t.In(r.Now().Location()).Format("2006-01-02 15:04") }

type intakeDeadCmd struct{}

// maxShownTo is how many recipients are named of a mail that was set aside.
const maxShownTo = 3

// Run lists the mails that were set aside.
func (c *intakeDeadCmd) Run(r *run) error {
	return r.withIntake(func(d *desk.IntakeDeps) (*intakeRecord, error) { return r.intakeRecord(d, desk.MaxDeadLetters) }, func(s *intakeRecord) {
		if s.Dead == 0 {
			fmt.Fprintln(r.Stdout, r.say("cli.intake.none"))
			return
		}
		for _, l := range s.Letters {
			line := r.style.Paint(term.Bold, l.ID[:min(len(l.ID), shortID)]) + "  " + string(l.Source)
			if len(l.To) > 0 {
				line += "  " + r.say("cli.intake.to", "to", term.Clean(strings.Join(l.To[:min(len(l.To), maxShownTo)], ", ")))
			}
			fmt.Fprintln(r.Stdout, line)
			reason := r.say("cli.intake.letter", "date", r.minute(l.Received), "size", l.Size, "n", l.Attempts, "reason", term.Clean(l.Reason))
			for _, x := range term.Wrap(reason, r.columns()-2) {
				fmt.Fprintln(r.Stdout, "  "+x)
			}
		}
		if more := s.Dead - len(s.Letters); more > 0 {
			fmt.Fprintln(r.Stdout, r.say("cli.intake.more", "n", more))
		}
		fmt.Fprintln(r.Stdout, r.say("cli.intake.settle"))
	})
}

// shortID is how much of an ID is shown: more than enough to tell mails apart.
const shortID = 16

type intakeRetryCmd struct {
	ID  string `arg:"" name:"id" optional:""`
	All bool
}

// Run puts mails back into the queue.
func (c *intakeRetryCmd) Run(r *run) error {
	return r.settle(c.ID, c.All, desk.SettleRetry, "cli.intake.retried")
}

type intakeDropCmd struct {
	ID  string `arg:"" name:"id" optional:""`
	All bool
}

// Run deletes mails that were set aside.
func (c *intakeDropCmd) Run(r *run) error {
	return r.settle(c.ID, c.All, desk.SettleDrop, "cli.intake.dropped")
}

func (r *run) settle(id string, all bool, how desk.Settlement, key string) error {
	if (id == "") != all {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("intake.error.which"), Hint: lang.M("intake.hint.no-letter")}
	}
	if !all && !r.hasStore() {
		return noLetter(id)
	}
	return r.withIntake(func(d *desk.IntakeDeps) (*intakeRecord, error) {
		settled := 0
		for {
			s, err := desk.IntakeState(r.ctx, desk.MaxDeadLetters, d)
			if err != nil {
				return nil, err
			}
			var chosen []desk.MailID
			for _, l := range s.Letters {
				if strings.HasPrefix(string(l.ID), strings.ToLower(id)) {
					chosen = append(chosen, l.ID)
				}
			}
			switch {
			case !all && len(chosen) == 0:
				return nil, noLetter(id)
			case !all && len(chosen) > 1:
				return nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("intake.error.many", "id", id), Hint: lang.M("intake.hint.many")}
			}
			for _, id := range chosen {
				if err := desk.SettleLetter(r.ctx, id, how, desk.WhoTerminal, d); err != nil {
					return nil, err
				}
				settled++
			}
			if !all || len(chosen) == 0 || len(chosen) < desk.MaxDeadLetters {
				break
			}
		}
		out, err := r.intakeRecord(d, 0)
		if err == nil {
			out.Settled = settled
		}
		return out, err
	}, func(s *intakeRecord) { fmt.Fprintln(r.Stdout, r.say(key, "n", s.Settled)) })
}

func noLetter(id string) error {
	return &desk.Error{Kind: desk.NotFound, Message: lang.M("intake.error.prefix", "id", id), Hint: lang.M("intake.hint.no-letter")}
}
