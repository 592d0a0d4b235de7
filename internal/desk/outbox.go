package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/sekisho/sekisho/lang"
)

// OutboxStore keeps the mails that sekisho itself sends: those that wait for
// somebody's approval, those that are to leave, and what became of them.
type OutboxStore interface {
	// AddOut keeps a mail. One whose key is there already adds nothing, and one
	// that a limit forbids is not kept; both are looked at in one step with the
	// keeping, so that several programs cannot go beyond a limit together.
	AddOut(ctx context.Context, m *OutMail, limits ...OutLimit) (OutAdded, error)

	// Out returns a mail with its bytes, nil if it is not there.
	Out(ctx context.Context, id string) (*OutMail, error)

	// Outs returns up to limit mails of that state, those of every state for "",
	// the newest first, without their bytes.
	Outs(ctx context.Context, state OutState, limit int) ([]OutMail, error)

	// OutCounts returns how many mails there are in each state.
	OutCounts(ctx context.Context) (map[OutState]int, error)

	// LeaseOut returns up to n mails that are due, with their bytes, and keeps
	// them from others until that time. It counts an attempt of each.
	LeaseOut(ctx context.Context, n int, now, until time.Time) ([]OutMail, error)

	// SettleOut keeps state, due time, attempts, answer and time of settlement of a
	// mail, if its state and attempts are still those of old. Otherwise it is an
	// [*Error] of kind Conflict: somebody else did something meanwhile.
	SettleOut(ctx context.Context, old, m *OutMail) error

	// DropOuts forgets mails that were settled before that time and returns how
	// many. Their keys are forgotten with them.
	DropOuts(ctx context.Context, before time.Time) (int, error)

	// OutMark returns the mark of that name: how far something was done; 0 and the
	// zero time if it was never set.
	OutMark(ctx context.Context, name string) (number int64, at time.Time, err error)

	// SetOutMark keeps a mark.
	SetOutMark(ctx context.Context, name string, number int64, at time.Time) error
}

// OutState is where a mail of ours stands.
type OutState string

// The states.
const (
	OutWaiting OutState = "waiting" // for somebody's approval
	OutReady   OutState = "ready"   // to be sent
	OutSent    OutState = "sent"    // the mail server took it
	OutFailed  OutState = "failed"  // the mail server refused it, or gave no answer for too long
	OutDropped OutState = "dropped" // somebody did not want it to be sent
)

// OutStates are all states, in the order in which they are shown.
func OutStates() []OutState { return []OutState{OutWaiting, OutReady, OutFailed, OutSent, OutDropped} }

// Settled reports whether a mail is done with.
func (s OutState) Settled() bool { return s == OutSent || s == OutFailed || s == OutDropped }

// OutKind is what a mail of ours is for.
type OutKind string

// The kinds.
const (
	OutReply   OutKind = "reply"   // to whoever reported a mail
	OutSummary OutKind = "summary" // of a day
)

// OutMail is a mail of ours.
type OutMail struct {
	ID       string    `json:"id"`
	Key      string    `json:"-"` // the same again is the same mail
	Kind     OutKind   `json:"kind"`
	State    OutState  `json:"state"`
	To       string    `json:"to"` // one address
	Subject  string    `json:"subject"`
	About    MailID    `json:"about,omitempty"` // the mail that a reply is about
	Verdict  Word      `json:"verdict,omitempty"`
	Made     time.Time `json:"made"`
	Due      time.Time `json:"due"` // when it is tried next
	Attempts int       `json:"attempts"`
	Answer   string    `json:"answer,omitempty"` // of the mail server to the last attempt, or why there is none
	Settled  time.Time `json:"settled,omitzero"` // when it was sent, given up or dropped
	Text     string    `json:"text,omitempty"`   // of its body; only where one mail is shown
	Raw      []byte    `json:"-"`                // the message (RFC 5322)
}

// OutID names a mail of that key.
func OutID(key string) string {
	sum := sha256.Sum256([]byte("sekisho.out/v1\n" + key))
	return hex.EncodeToString(sum[:8])
}

// OutLimit forbids more than Most mails of one kind since a time: to one
// address, or in all.
type OutLimit struct {
	Kind  OutKind
	To    string // "" for all
	Since time.Time
	Most  int
}

// OutAdded is what became of a mail that was to be kept.
type OutAdded string

// What may become of it.
const (
	OutNew     OutAdded = "new"
	OutThere   OutAdded = "there"   // it was kept before
	OutLimited OutAdded = "limited" // there were too many
)

// Mailer hands mails to a mail server.
type Mailer interface {
	// SendMail hands a mail over once. The answer of the server to it is a value;
	// the error is an [*Error] that says why there is none, and another try may
	// help.
	SendMail(ctx context.Context, to string, raw []byte) (*MailAnswer, error)
}

// MailAnswer is what a mail server said to a mail.
type MailAnswer struct {
	Code int    // of SMTP (RFC 5321 section 4.2)
	Text string // with the enhanced code
}

// OutboxDeps is what sending needs from outside.
type OutboxDeps struct {
	Store  OutboxStore
	Mailer Mailer
	Audit  AuditStore
	Words  *lang.Catalogue // nil: the built-in one
	Now    func() time.Time
	// Problem is told what went wrong with the work itself. It may be nil.
	Problem func(err error)
}

// How mails are sent.
const (
	outBatch      = 20
	outLease      = 10 * time.Minute // longer than any server takes
	firstOutRetry = time.Minute
	longOutRetry  = 4 * time.Hour
	// OutPatience is how long a mail is tried before it is given up, as mail
	// servers do (RFC 5321 section 4.5.4.1).
	OutPatience = 4 * day
	// OutMemory is how long a mail that is done with is remembered.
	OutMemory = 90 * day
	// MaxOuts is how many mails a list has at the most.
	MaxOuts = 1000
	// MaxAnswer is how many bytes are kept of an answer.
	MaxAnswer = 500
)

// SendOutbox sends what is due, once, and returns how many mails it tried. A
// refusal for now is tried again later and later, one for good is not. A mail
// may reach its recipient twice if the program ends between the answer of the
// server and its being noted; both then have the same Message-ID.
func SendOutbox(ctx context.Context, deps *OutboxDeps) (int, error) {
	n := 0
	for {
		now := deps.Now()
		list, err := deps.Store.LeaseOut(ctx, outBatch, now, now.Add(outLease))
		if err != nil || len(list) == 0 {
			return n, err
		}
		for i := range list {
			if err := ctx.Err(); err != nil {
				return n, err
			}
			n++
			if err := deps.send(ctx, &list[i]); err != nil {
				return n, err
			}
		}
	}
}

func (d *OutboxDeps) send(ctx context.Context, m *OutMail) error {
	answer, err := d.Mailer.SendMail(ctx, m.To, m.Raw)
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // the lease ends by itself
	}
	next := *m
	now := d.Now()
	switch {
	case err != nil:
		words := d.Words
		if words == nil {
			words = lang.Default()
		}
		next.Answer = words.Say(lang.EN, asError(err).Message)
	case answer.Code >= 200 && answer.Code <= 299:
		next.State, next.Settled = OutSent, now
		next.Answer = answer.Text
	case answer.Code >= 500:
		next.State, next.Settled = OutFailed, now
		next.Answer = answer.Text
	default:
		next.Answer = answer.Text
	}
	if next.State == OutReady {
		next.Due = now.Add(min(firstOutRetry<<min(m.Attempts-1, 10), longOutRetry))
		if next.Due.Sub(m.Made) > OutPatience {
			next.State, next.Settled = OutFailed, now
		}
	}
	next.Answer = cutText(next.Answer, MaxAnswer)
	// What has left is noted even if the user stops now.
	return d.Store.SettleOut(context.WithoutCancel(ctx), m, &next)
}

// outPause is how often somebody looks whether a mail is due.
const outPause = 5 * time.Second

// RunOutbox sends what is due until ctx ends.
func RunOutbox(ctx context.Context, deps *OutboxDeps) error {
	swept := time.Time{}
	for ctx.Err() == nil {
		wait := outPause
		if _, err := SendOutbox(ctx, deps); err != nil && ctx.Err() == nil {
			if deps.Problem != nil && !isConflict(err) {
				deps.Problem(err)
			}
			wait = troublePause
		}
		if now := deps.Now(); now.Sub(swept) > day {
			swept = now
			if _, err := deps.Store.DropOuts(ctx, now.Add(-OutMemory)); err != nil && deps.Problem != nil && ctx.Err() == nil {
				deps.Problem(err)
			}
		}
		pause(ctx, wait)
	}
	return nil
}

// The acts on mails of ours.
const (
	ActOutApproved Act = "outbox.approved"
	ActOutDropped  Act = "outbox.dropped"
)

// ApproveOut lets a mail go that waits for approval, and tries one again that
// failed. Errors are [*Error]: NotFound, and Conflict for a mail in another state.
func ApproveOut(ctx context.Context, id, who string, deps *OutboxDeps) (*OutMail, error) {
	return deps.settle(ctx, id, who, ActOutApproved, OutReady, OutWaiting, OutFailed)
}

// DropOut keeps a mail from being sent that waits or is to be tried again.
// Errors are those of [ApproveOut].
func DropOut(ctx context.Context, id, who string, deps *OutboxDeps) (*OutMail, error) {
	return deps.settle(ctx, id, who, ActOutDropped, OutDropped, OutWaiting, OutReady, OutFailed)
}

func (d *OutboxDeps) settle(ctx context.Context, id, who string, act Act, to OutState, from ...OutState) (*OutMail, error) {
	m, err := d.Store.Out(ctx, id)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, noOut(id)
	}
	for _, s := range from {
		if m.State != s {
			continue
		}
		next := *m
		now := d.Now()
		next.State, next.Settled, next.Due = to, time.Time{}, now
		if to == OutReady {
			next.Made, next.Attempts = now, 0 // patience starts anew
		}
		if to.Settled() {
			next.Settled = now
		}
		if err := d.Store.SettleOut(ctx, m, &next); err != nil {
			return nil, err
		}
		return &next, d.Audit.AppendAudit(ctx, AuditEntry{At: now, Who: who, Act: act, Object: id})
	}
	return nil, &Error{Kind: Conflict, Message: lang.M("outbox.error.state", "id", id, "state", lang.M("outbox.state."+string(m.State))), Hint: lang.M("outbox.hint.state")}
}

func noOut(id string) *Error {
	return &Error{Kind: NotFound, Message: lang.M("outbox.error.none", "id", id), Hint: lang.M("outbox.hint.none")}
}

// ShowOut returns a mail with the text of its body.
func ShowOut(ctx context.Context, id string, deps *OutboxDeps) (*OutMail, error) {
	m, err := deps.Store.Out(ctx, id)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, noOut(id)
	}
	m.Text = bodyText(m.Raw)
	return m, nil
}
