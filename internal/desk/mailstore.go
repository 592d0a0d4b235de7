package desk

import (
	"context"
	"iter"
	"time"

	"github.com/sekisho/sekisho/lang"
)

// MailID is the identity of a mail: SHA-256, in lower-case hex, of its bytes as
// received and of the envelope where one is known. The same mail handed in
// twice is one mail.
type MailID string

// MailStore keeps mails that were judged: what is known of each, and the
// verdict. The bytes are in [Blobs].
type MailStore interface {
	// KeepMail keeps a mail with its verdict. It reports whether the mail is new;
	// one that is there already stays as it is.
	KeepMail(ctx context.Context, r *MailRecord) (added bool, err error)

	// Mail returns a mail with its verdict, nil if it is not there.
	Mail(ctx context.Context, id MailID) (*MailRecord, error)

	// Mails returns one page of the mails that q asks for, newest first, those of
	// the same time by ID.
	Mails(ctx context.Context, q *MailQuery) ([]MailRow, error)

	// MailCounts returns how many mails there are with each verdict, and how many
	// of those nobody has said anything about.
	MailCounts(ctx context.Context) (map[Word]MailCount, error)

	// LabelMail keeps what somebody says of a mail; "" takes it back. An [*Error]
	// of kind NotFound if the mail is not there.
	LabelMail(ctx context.Context, id MailID, l Label) error

	// DeleteMail forgets a mail. If nothing else has its blob, drop is called with
	// the name of it, before the mail is gone and while nobody else can keep one;
	// an error of drop leaves the mail as it was. A mail that is not there is no
	// error.
	DeleteMail(ctx context.Context, id MailID, drop func(blob string) error) error

	// ReleaseBlob calls drop with the name of a blob if nothing that is stored has
	// it, while nobody else can keep a mail. It reports whether it did.
	ReleaseBlob(ctx context.Context, blob string, drop func(blob string) error) (bool, error)
}

// Label is what somebody who looked says of a mail.
type Label string

// The labels.
const (
	LabelPhish    Label = "phish"     // it is what the verdict says, or worse
	LabelNotPhish Label = "not-phish" // it is harmless
)

// Source is the way on which a mail came to sekisho.
type Source string

// The sources.
const (
	SourceUpload Source = "upload" // handed in by somebody in the console
	SourceDemo   Source = "demo"   // one of the examples
)

// MailRow is a mail in a list.
type MailRow struct {
	ID      MailID
	Blob    string    // name of its bytes in [Blobs]
	Kept    time.Time // when it was handed in
	At      time.Time // date of the mail; when it was kept where that is missing or later
	From    Mailbox
	To      []Mailbox
	Subject string
	Size    int // bytes
	Verdict Word
	Score   int
	Reason  lang.Text
	Source  Source
	Label   Label
}

// MailRecord is a mail with all that is known of it.
type MailRecord struct {
	MailRow

	Envelope *MailEnvelope // nil where nobody told
	Judged   *Verdict

	Rules    string      // digest of the rules by which it was judged; "" if nobody wrote it down
	Handover *Handover   // who handed it in by SMTP, as far as it was judged by that; nil where that is read from the header
	Traits   *MailTraits // by what it is compared with others; a store keeps it and does not return it
}

// MailEnvelope is what was said in SMTP about a mail (RFC 5321).
type MailEnvelope struct {
	From string   `json:"from"` // of MAIL FROM; "" for the null sender
	To   []string `json:"to"`   // of RCPT TO
}

// MailQuery says which mails. Conditions that are zero do not count.
type MailQuery struct {
	Verdict    Word
	Label      Label
	Unlabelled bool // nobody has said anything about them
	From       time.Time
	Until      time.Time // not included
	KeptUntil  time.Time // handed in before that time
	Text       string    // words of the subject, names and addresses, in any case and width; all must be there

	After *MailCursor // where the page before ended; nil for the first page
	Limit int         // of the page; 0 is [DefaultMailPage], at most [MaxMailPage]
}

// How many mails a page has.
const (
	DefaultMailPage = 50
	MaxMailPage     = 500
)

// PageSize returns the limit that holds.
func (q *MailQuery) PageSize() int {
	if q.Limit <= 0 {
		return DefaultMailPage
	}
	return min(q.Limit, MaxMailPage)
}

// MailCursor is the place of a mail in the order of lists.
type MailCursor struct {
	At time.Time
	ID MailID
}

// MailCount is how many mails have a verdict.
type MailCount struct {
	Mails int
	Open  int // of those, nobody has said anything about
}

// Blobs keeps bytes by their SHA-256, in lower-case hex.
type Blobs interface {
	// PutBlob keeps bytes and returns their name. They are on the disk when it
	// returns. The same bytes again change nothing. Errors are [*Error]: Limit
	// for too many bytes or a full disk, Denied, Unavailable.
	PutBlob(ctx context.Context, b []byte) (name string, err error)

	// Blob returns the bytes of that name. Errors are [*Error]: NotFound if they
	// are not there, Invalid for a name that is none and for bytes that were
	// changed since.
	Blob(ctx context.Context, name string) ([]byte, error)

	// DeleteBlob deletes bytes from the disk. Those that are not there are no
	// error.
	DeleteBlob(ctx context.Context, name string) error

	// AllBlobs returns all names and when each was kept, in no order.
	AllBlobs(ctx context.Context) iter.Seq2[BlobInfo, error]
}

// BlobInfo is a name in [Blobs].
type BlobInfo struct {
	Name string
	Kept time.Time
}
