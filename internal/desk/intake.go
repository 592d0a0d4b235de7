package desk

import (
	"context"
	"net/netip"
	"time"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/lang"
)

// The sources of mail that comes in by itself.
const (
	SourceSMTP   Source = "smtp"
	SourceMilter Source = "milter"
	SourceWatch  Source = "watch" // a folder into which mail is put
	SourceIMAP   Source = "imap"
	SourceGraph  Source = "graph" // a mailbox of Microsoft 365
	SourceAPI    Source = "api"
)

// Delivery is a mail that comes in by itself.
type Delivery struct {
	Raw      []byte        // as received
	Envelope *MailEnvelope // nil where nobody told
	Source   Source

	// Who delivered it, where that is the sender's own server. Left out where the
	// mail was handed on by a server of ours, which SPF must not be asked about.
	Remote netip.Addr
	HELO   string

	Received time.Time // zero: now

	// Key names the delivery where its source has a name for it, such as the UID
	// of an IMAP mailbox. The same key again is the same delivery, even after the
	// mail was deleted. "" for none.
	Key string
}

// Bounds on what is said about a delivery beside its bytes.
const (
	MaxRecipients   = 1000
	maxEnvelopeName = 1000 // bytes of an address, a HELO name or a key; RFC 5321 section 4.5.3.1 allows 320
)

// IntakeDeps is what mail that comes in by itself needs from outside.
type IntakeDeps struct {
	MailDeps

	Queue   Queue
	Reports ReportStore // nil: reports on DMARC and TLS are mails like others

	// MaxMessage is how many bytes a mail may have; 0 is [budget.DefaultBytes].
	MaxMessage int
	// Workers is how many mails are judged at once; 0 is one for each processor.
	Workers int
	// Patience is how long one mail may take; 0 is [DefaultPatience].
	Patience time.Duration
	// Kept is told of every mail that was judged and kept, and not of one that
	// was there before; after an attempt that ended in the middle it may be told of
	// the same mail again. It may be nil. It must return soon.
	Kept func(ctx context.Context, e *QueueEntry, k *KeptMail)
	// Problem is told what went wrong with the work itself, such as a database
	// that is locked. It may be nil.
	Problem func(err error)
}

func (d *IntakeDeps) maxMessage() int {
	if d.MaxMessage > 0 {
		return d.MaxMessage
	}
	return budget.DefaultBytes
}

// Accept takes responsibility for a delivery: when it returns without error, the
// bytes and their place in the queue are on the disk, in this order, and the
// mail will be judged. The same delivery again adds nothing.
//
// The ID is that of the delivery. The mail is kept under it, unless it is a
// journal report, of which the mail inside is kept.
//
// Errors are [*Error]: Invalid for an empty mail and an envelope that no server
// would send, Limit for one that is too large and for a full disk, and those of
// the stores. After an error nothing is promised, and the sender must keep it.
func Accept(ctx context.Context, d *Delivery, deps *IntakeDeps) (MailID, error) {
	if err := d.validate(deps.maxMessage()); err != nil {
		return "", err
	}
	e := &QueueEntry{
		ID: MailIDOf(d.Raw, d.Envelope), Size: len(d.Raw), Key: d.Key, Source: d.Source, Envelope: d.Envelope,
		Remote: d.Remote, HELO: d.HELO, Received: d.Received,
	}
	if now := deps.Now(); e.Received.IsZero() || e.Received.After(now) {
		e.Received = now
	}
	var err error
	if e.Blob, err = deps.Blobs.PutBlob(ctx, d.Raw); err != nil {
		return "", err
	}
	if _, err := deps.Queue.Enqueue(ctx, e); err != nil {
		return "", err
	}
	// Between the two, whoever deleted another mail of the same bytes may have
	// deleted them. From now on nobody can.
	if _, err := deps.Blobs.PutBlob(ctx, d.Raw); err != nil {
		return "", err
	}
	return e.ID, nil
}

func (d *Delivery) validate(most int) error {
	switch {
	case len(d.Raw) == 0:
		return &Error{Kind: Invalid, Message: lang.M("intake.error.empty")}
	case len(d.Raw) > most:
		return &Error{Kind: Limit, Message: lang.M("intake.error.large", "mib", most>>20), Hint: lang.M("intake.hint.large")}
	case len(d.Key) > maxEnvelopeName || len(d.HELO) > maxEnvelopeName:
		return envelopeError()
	case d.Envelope == nil:
		return nil
	case len(d.Envelope.To) > MaxRecipients || len(d.Envelope.From) > maxEnvelopeName:
		return envelopeError()
	}
	for _, to := range d.Envelope.To {
		if len(to) > maxEnvelopeName {
			return envelopeError()
		}
	}
	return nil
}

func envelopeError() error { return &Error{Kind: Invalid, Message: lang.M("intake.error.envelope")} }
