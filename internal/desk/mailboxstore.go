package desk

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/sekisho/sekisho/lang"
)

// MailboxReader reads one folder of a mailbox. It changes nothing there.
type MailboxReader interface {
	// Mails yields what came after the cursor, "" for the beginning. It ends
	// where there is no more, or with one error. [ErrCursor] means that the
	// cursor leads nowhere any more.
	Mails(ctx context.Context, cursor string) iter.Seq2[MailboxStep, error]

	// Wait returns when there may be something new, after d for readers that are
	// not told.
	Wait(ctx context.Context, d time.Duration) error

	// Close ends the connection.
	Close() error
}

// ErrCursor is the error of a reader whose cursor the server does not know any
// more. Reading starts over.
var ErrCursor = errors.New("desk: the place in the mailbox is lost")

// MailboxStep is a mail of a mailbox, a new cursor, or both.
type MailboxStep struct {
	Mail   *MailboxMail // nil: only the cursor moves
	Cursor string       // where to go on when the mail is done with; "": not known yet
}

// MailboxMail is a mail in a mailbox.
type MailboxMail struct {
	Key      string    // names the mail in its mailbox for good
	Received time.Time // by the mailbox; zero where that is unknown

	// Raw fetches the bytes. An [*Error] of kind NotFound says that the mail is
	// gone, Limit and Invalid that it can never be had.
	Raw func(ctx context.Context) ([]byte, error)
}

// MailboxFolderInfo is what a check of a mailbox found.
type MailboxFolderInfo struct {
	Folder string
	Mails  int
}

// MailboxState is how far a mailbox was read.
type MailboxState struct {
	Name     string
	Cursor   string
	Begun    time.Time // when it was looked at first
	Mails    int       // that were handed on
	Refused  int       // that could not be had
	LastMail time.Time // when the last was handed on
	LastRead time.Time // when a look went well
	Failed   time.Time // when a look failed; zero if the last went well
	Problem  lang.Text // why it failed
}

// MailboxMark remembers a mail that was done with.
type MailboxMark struct {
	Key  string
	Hash string // SHA-256 of the bytes in hex; "" where there were none
	At   time.Time
	Why  lang.Text // why it could not be had; zero for one that was handed on
}

// MailboxStore keeps how far mailboxes were read.
type MailboxStore interface {
	// MailboxState returns the state of a mailbox, nil for one never looked at.
	MailboxState(ctx context.Context, name string) (*MailboxState, error)

	// MailboxStates returns all states by name.
	MailboxStates(ctx context.Context) ([]MailboxState, error)

	// SaveMailboxState keeps a state, and marks with it, all or nothing.
	SaveMailboxState(ctx context.Context, s *MailboxState, marks ...MailboxMark) error

	// MailboxDone reports whether a mail with that key or, where it is not "",
	// that hash has a mark.
	MailboxDone(ctx context.Context, name, key, hash string) (bool, error)

	// MailboxRefused returns the newest marks of mails that could not be had.
	MailboxRefused(ctx context.Context, name string, limit int) ([]MailboxMark, error)

	// DeleteMailbox forgets a mailbox: state, marks and token.
	DeleteMailbox(ctx context.Context, name string) error
}

// TokenStore keeps what somebody signed in for, sealed.
type TokenStore interface {
	// MailboxToken returns the sealed token, nil if there is none.
	MailboxToken(ctx context.Context, name string) ([]byte, error)

	// SaveMailboxToken keeps the sealed token; nil deletes it.
	SaveMailboxToken(ctx context.Context, name string, sealed []byte) error
}
