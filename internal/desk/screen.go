package desk

import (
	"context"
	"fmt"

	"github.com/sekisho/sekisho/lang"
)

// ScreenInput is a mail that a server asks about before it takes it.
type ScreenInput struct {
	Delivery

	StampAs string // authserv-id for what was verified
	Keep    Word   // the least verdict with which the mail is kept; "" keeps all
	Forget  bool   // none is kept
}

// Screened is the answer.
type Screened struct {
	ID      MailID   // "" where it was not kept
	Verdict *Verdict // with its Stamp
}

// NewScreen returns [Screen] over deps that are prepared for many mails.
func NewScreen(deps *IntakeDeps) func(ctx context.Context, in *ScreenInput) (*Screened, error) {
	d := *deps
	d.Judge = remembered(deps.Judge, judgeMemory)
	return func(ctx context.Context, in *ScreenInput) (*Screened, error) { return Screen(ctx, in, &d) }
}

// Screen judges a mail while its server waits. Where the mail is to be kept, it
// is on the disk when Screen returns.
//
// An error says that the mail could not be judged, or, beside an answer, that it
// could not be kept. Judging does not stop at the end of ctx, though Screen
// returns: whoever calls bounds how many run at the same time.
func Screen(ctx context.Context, in *ScreenInput, deps *IntakeDeps) (*Screened, error) {
	if err := in.validate(deps.maxMessage()); err != nil {
		return nil, err
	}
	judging, err := deps.Judge(ctx)
	if err != nil {
		return nil, err
	}
	it := Item{Raw: in.Raw, Form: FormMessage, Handover: &Handover{IP: in.Remote, HELO: in.HELO, StampAs: in.StampAs}}
	if in.Envelope != nil {
		it.Handover.MailFrom = in.Envelope.From
	}
	done := make(chan *Verdict, 1)
	go func() { done <- judgeOne(ctx, it, judging) }()
	var v *Verdict
	select {
	case v = <-done:
	case <-ctx.Done():
	}
	if v == nil {
		return nil, fmt.Errorf("screening a mail: %w", ctx.Err())
	}
	if v.Error != nil {
		return nil, &Error{Kind: v.Error.Kind, Message: lang.M("intake.error.judge", "error", v.Error.Text.EN)}
	}
	out := &Screened{Verdict: v}
	if in.Forget || in.Keep != "" && rankOf(v.Verdict) < rankOf(in.Keep) {
		return out, nil
	}
	k, err := keepJudged(ctx, it, v, KeepMailInput{Source: in.Source, Envelope: in.Envelope}, judging, deps.MailDeps)
	if err != nil {
		return out, err
	}
	out.ID = k.ID
	if k.New && deps.Kept != nil {
		deps.Kept(ctx, &QueueEntry{ID: k.ID, Size: len(in.Raw), Source: in.Source, Envelope: in.Envelope, Remote: in.Remote, HELO: in.HELO, Received: in.Received}, &k)
	}
	return out, nil
}
