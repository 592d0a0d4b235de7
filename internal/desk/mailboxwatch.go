package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/sekisho/sekisho/lang"
)

// WatchDeps is what [WatchMailbox] needs from outside.
type WatchDeps struct {
	Store MailboxStore

	// Open connects to the mailbox.
	Open func(ctx context.Context) (MailboxReader, error)
	// Accept takes a mail over: when it returns nil, the mail is on the disk. The
	// same key again adds nothing. An [*Error] of kind Invalid refuses the mail.
	// It is [Accept] with its dependencies.
	Accept func(ctx context.Context, d *Delivery) error

	Words *lang.Catalogue // nil: the built-in one
	Now   func() time.Time
	// Sleep waits for d or the end of the context.
	Sleep func(ctx context.Context, d time.Duration) error
}

// How a mailbox that gives trouble is treated.
const (
	firstPause = 5 * time.Second
	longPause  = 15 * time.Minute
	mailTries  = 8 // for the bytes of a mail, while the rest of the mailbox can be read
)

// WatchMailbox reads a mailbox until the context ends: what is there, then what
// comes. A mail is marked as done only when Accept has returned, in one step
// with the cursor, so that the end of the program at any moment loses nothing;
// what was accepted and not marked yet is offered again with the same key.
//
// Trouble is noted in the state and tried again after a pause that grows to 15
// minutes. A mail that cannot be had does not hold up the others: it is marked
// with the reason. WatchMailbox returns nil when the context ends.
func WatchMailbox(ctx context.Context, s MailboxSetting, deps WatchDeps) error {
	if deps.Words == nil {
		deps.Words = lang.Default()
	}
	w := &watch{WatchDeps: deps, setting: s, tries: map[string]int{}}
	pause := firstPause
	for ctx.Err() == nil {
		read, err := w.session(ctx)
		if ctx.Err() != nil {
			break
		}
		if read {
			pause = firstPause
		}
		w.failed(ctx, err)
		if err := deps.Sleep(ctx, pause); err != nil {
			break
		}
		pause = min(2*pause, longPause)
	}
	return nil
}

// ReadMailbox reads a mailbox once, up to its end.
func ReadMailbox(ctx context.Context, s MailboxSetting, deps WatchDeps) error {
	if deps.Words == nil {
		deps.Words = lang.Default()
	}
	w := &watch{WatchDeps: deps, setting: s, tries: map[string]int{}}
	r, err := deps.Open(ctx)
	if err == nil {
		err = w.round(ctx, r)
		_ = r.Close() // it was only read
	}
	if err != nil {
		w.failed(ctx, err)
	}
	return err
}

type watch struct {
	WatchDeps

	setting MailboxSetting
	tries   map[string]int // of mails whose bytes could not be had
}

// session reads over one connection until there is trouble. It reports whether
// a look went well before.
func (w *watch) session(ctx context.Context) (read bool, err error) {
	r, err := w.Open(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = r.Close() }() // it was only read
	for {
		if err := w.round(ctx, r); err != nil {
			return read, err
		}
		read = true
		if err := r.Wait(ctx, w.setting.Every); err != nil {
			return read, err
		}
	}
}

// round reads up to the end of the mailbox. Where the cursor is lost it starts
// over, once: the marks keep mails from being taken twice.
func (w *watch) round(ctx context.Context, r MailboxReader) error {
	err := w.look(ctx, r)
	if !errors.Is(err, ErrCursor) {
		return err
	}
	s, stateErr := w.state(ctx)
	if stateErr != nil {
		return stateErr
	}
	s.Cursor = ""
	if err := w.Store.SaveMailboxState(ctx, s); err != nil {
		return err
	}
	return w.look(ctx, r)
}

func (w *watch) state(ctx context.Context) (*MailboxState, error) {
	s, err := w.Store.MailboxState(ctx, w.setting.Name)
	if err == nil && s == nil {
		s = &MailboxState{Name: w.setting.Name, Begun: w.Now()}
	}
	return s, err
}

func (w *watch) look(ctx context.Context, r MailboxReader) error {
	s, err := w.state(ctx)
	if err != nil {
		return err
	}
	for step, err := range r.Mails(ctx, s.Cursor) {
		if err != nil {
			return err
		}
		var marks []MailboxMark
		if step.Mail != nil {
			m, err := w.take(ctx, s, step.Mail)
			if err != nil {
				return err
			}
			if m != nil {
				marks = append(marks, *m)
			}
		}
		if step.Cursor != "" {
			s.Cursor = step.Cursor
		}
		// Passing over old mails is not worth a write for each.
		if step.Mail != nil && len(marks) == 0 {
			continue
		}
		if err := w.Store.SaveMailboxState(ctx, s, marks...); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.LastRead, s.Failed, s.Problem = w.Now(), time.Time{}, lang.Text{}
	return w.Store.SaveMailboxState(ctx, s)
}

// take hands a mail on. It returns the mark of one that was done with now, nil
// for one that was before, that is gone or that is older than what the user
// wants.
func (w *watch) take(ctx context.Context, s *MailboxState, m *MailboxMail) (*MailboxMark, error) {
	if !m.Received.IsZero() && m.Received.Before(s.Begun.AddDate(0, 0, -w.setting.Days)) {
		return nil, nil
	}
	done, err := w.Store.MailboxDone(ctx, s.Name, m.Key, "")
	if err != nil || done {
		return nil, err
	}
	raw, err := m.Raw(ctx)
	if err != nil {
		return w.withoutBytes(ctx, s, m.Key, err)
	}
	delete(w.tries, m.Key)
	sum := sha256.Sum256(raw)
	mark := &MailboxMark{Key: m.Key, Hash: hex.EncodeToString(sum[:]), At: w.Now()}
	// A server that numbers its mails anew gives old ones new keys.
	if done, err = w.Store.MailboxDone(ctx, s.Name, m.Key, mark.Hash); err != nil {
		return nil, err
	}
	if done {
		return mark, nil
	}
	source := SourceIMAP
	if w.setting.Kind == MailboxGraph {
		source = SourceGraph
	}
	err = w.Accept(ctx, &Delivery{Raw: raw, Source: source, Received: m.Received, Key: "mailbox/" + s.Name + "/" + m.Key})
	if e, ok := errors.AsType[*Error](err); ok && e.Kind == Invalid {
		return w.refuse(s, mark, e), nil
	}
	if err != nil {
		return nil, err
	}
	s.Mails++
	s.LastMail = mark.At
	return mark, nil
}

// withoutBytes decides about a mail whose bytes could not be had.
func (w *watch) withoutBytes(ctx context.Context, s *MailboxState, key string, err error) (*MailboxMark, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	e := asMailboxError(err)
	switch e.Kind {
	case NotFound:
		return nil, nil
	case Limit, Invalid:
	default:
		if w.tries[key]++; w.tries[key] < mailTries {
			return nil, err
		}
	}
	delete(w.tries, key)
	return w.refuse(s, &MailboxMark{Key: key, At: w.Now()}, e), nil
}

func (w *watch) refuse(s *MailboxState, m *MailboxMark, e *Error) *MailboxMark {
	m.Why = w.Words.Render(e.Message)
	s.Refused++
	return m
}

// failed notes trouble. That the store has trouble itself cannot be noted.
func (w *watch) failed(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	s, stateErr := w.state(ctx)
	if stateErr != nil {
		return
	}
	s.Failed, s.Problem = w.Now(), w.Words.Render(asMailboxError(err).Message)
	_ = w.Store.SaveMailboxState(ctx, s) // the next look tells
}

// asMailboxError returns err as an [*Error].
func asMailboxError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if errors.Is(err, ErrCursor) {
		return &Error{Kind: Unavailable, Message: lang.M("mailboxes.error.cursor"), Err: err}
	}
	return &Error{Kind: Unavailable, Message: lang.M("mailboxes.error.other", "error", fmt.Sprint(err)), Err: err}
}
