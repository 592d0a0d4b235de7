package desk

import (
	"context"
	"net/netip"
	"time"
)

// Queue keeps references to mails that were accepted and still have to be
// judged. The bytes are in [Blobs].
//
// It promises at least once: whoever takes an entry holds it for a time and then
// says that it is done; one that nobody said this of is given out again, for its
// worker may have died. It promises no order. The same entry may therefore be
// given out twice, and work on it must come to the same end.
type Queue interface {
	// Enqueue adds an entry. It is on the disk when Enqueue returns. An entry with
	// the ID of one that is waiting, being worked on or dead is not added again,
	// and neither is one whose key was seen in the last [QueueMemory].
	Enqueue(ctx context.Context, e *QueueEntry) (added bool, err error)

	// Lease takes up to n waiting entries and holds them until the time. Entries
	// whose hold has passed by now count as waiting. One that was given out
	// [MaxAttempts] times and neither done nor failed is dead, because it took its
	// worker with it each time.
	Lease(ctx context.Context, n int, now, until time.Time) ([]Lease, error)

	// Done forgets an entry, apart from its ID and its key. Of a lease whose hold
	// has passed it may be refused with an [*Error] of kind Conflict.
	Done(ctx context.Context, l *Lease, now time.Time) error

	// Fail gives an entry back with the reason. It waits until again, or is dead if
	// that is zero. Without a reason the entry is not to blame, and the attempt does
	// not count. It is refused as Done is.
	Fail(ctx context.Context, l *Lease, reason string, now, again time.Time) error

	// State says how much is waiting, and returns up to limit of the dead letters,
	// the newest first.
	State(ctx context.Context, limit int) (*QueueState, error)

	// Settle puts a dead letter back into the queue, with its attempts forgotten,
	// or drops it. An [*Error] of kind NotFound if there is no such dead letter.
	// It returns the entry.
	Settle(ctx context.Context, id MailID, how Settlement, now time.Time) (*QueueEntry, error)
}

const (
	// MaxAttempts is how often a mail is tried before it becomes a dead letter.
	MaxAttempts = 3
	// QueueMemory is how long keys are remembered: longer than any server tries to
	// deliver again.
	QueueMemory = 30 * day
	// MaxDeadLetters is how many dead letters a list has at the most.
	MaxDeadLetters = 1000
)

// QueueEntry is a mail that was accepted.
type QueueEntry struct {
	ID       MailID        `json:"id"`
	Blob     string        `json:"blob"` // name of its bytes in [Blobs]
	Size     int           `json:"size"` // bytes
	Key      string        `json:"key,omitempty"`
	Source   Source        `json:"source"`
	Envelope *MailEnvelope `json:"envelope,omitempty"`
	Remote   netip.Addr    `json:"remote,omitzero"`
	HELO     string        `json:"helo,omitempty"`
	Received time.Time     `json:"received"`
}

// Lease is an entry that somebody works on.
type Lease struct {
	QueueEntry
	Attempt int    // from 1
	Token   string // tells it from other leases of the same entry
}

// QueueState is how a queue stands.
type QueueState struct {
	Waiting int       // entries that nobody works on
	Leased  int       // entries that somebody works on
	Oldest  time.Time // when the oldest of both was received; zero if there is none
	Dead    int
	Letters []DeadLetter
}

// DeadLetter is a mail that could not be judged.
type DeadLetter struct {
	QueueEntry
	Attempts int
	Reason   string // of the last attempt, in English, for a maintainer
	Died     time.Time
}

// Settlement is what becomes of a dead letter.
type Settlement string

// The settlements.
const (
	SettleRetry Settlement = "retry"
	SettleDrop  Settlement = "drop"
)
