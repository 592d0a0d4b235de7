package desk

import (
	"context"
	"time"

	"github.com/sekisho/sekisho/campaign"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
)

// RetroStore keeps what comes of judging mails again.
type RetroStore interface {
	// StaleMails returns up to limit mails, those that were handed in last first,
	// that q asks for.
	StaleMails(ctx context.Context, q *StaleQuery) ([]StaleMail, error)

	// StaleCount returns how many there are, whatever the limit.
	StaleCount(ctx context.Context, q *StaleQuery) (int, error)

	// KeepRejudged keeps what was made of a mail and how far the run is, both or
	// none. It reports whether it did: a mail that is gone, or that somebody else
	// has judged meanwhile, stays as it is. The label stays in any case.
	KeepRejudged(ctx context.Context, r *Rejudged, run *RetroRun) (bool, error)

	// SaveRetroRun keeps how far a run is. Number 0 begins one and is set.
	SaveRetroRun(ctx context.Context, run *RetroRun) error

	// RetroRuns returns up to limit runs, the newest first.
	RetroRuns(ctx context.Context, limit int) ([]RetroRun, error)

	// RetroChanges returns up to limit changes, the newest first.
	RetroChanges(ctx context.Context, q *RetroQuery) ([]RetroChange, error)
}

// SimilarStore finds mails by traits that they have in common.
type SimilarStore interface {
	// SimilarMails calls found for up to limit mails that have one of the keys,
	// those with the most weight in common first. It returns among how many mails
	// it looked.
	SimilarMails(ctx context.Context, keys []campaign.Key, limit int, found func(id MailID, mails []IndexedMail) bool) (int, error)

	// BareMails returns up to limit mails of which is not known by what to compare
	// them, those that were handed in last first.
	BareMails(ctx context.Context, limit int) ([]StaleMail, error)

	// KeepTraits keeps by what a mail is compared. A mail that is gone is no error.
	KeepTraits(ctx context.Context, id MailID, t *MailTraits) error
}

// MailTraits is by what a mail and those in it are compared and found.
type MailTraits struct {
	Mails []IndexedMail
	Keys  []campaign.Key
}

// StaleQuery asks for mails that were judged by other rules.
type StaleQuery struct {
	Rules string    // digest of the rules as they are
	Since time.Time // handed in then or later
	After *StaleMail
	Limit int
}

// StaleMail is a mail that is to be judged again.
type StaleMail struct {
	ID    MailID
	Blob  string
	Kept  time.Time
	Rules string // digest of the rules by which it was judged; "" if nobody wrote it down
}

// Rejudged is what was made of a mail.
type Rejudged struct {
	ID      MailID
	Was     string // digest of the rules by which it was judged before
	Rules   string // and now
	Verdict *Verdict
	Traits  *MailTraits  // nil leaves them as they are
	Change  *RetroChange // nil: no rule makes a difference, and the old verdict stays
}

// RetroRun is one time that mails were judged again.
type RetroRun struct {
	Number  int64
	Rules   string // digest of the rules
	Who     string
	Started time.Time
	Ended   time.Time // zero while it goes on
	Judged  int
	Failed  int // of those, the ones that could not be
	Changed int // that other rules match
	Worse   int // of those, the ones with a worse verdict
	Better  int
}

// RetroChangeSchema names the JSON form of a [RetroChange].
const RetroChangeSchema = "sekisho.retro-change/v1"

// RetroChange is what other rules made of a mail.
type RetroChange struct {
	Schema      string      `json:"schema"`
	Mail        MailID      `json:"mail"`
	At          time.Time   `json:"at"`
	Run         int64       `json:"run,omitempty"` // absent where nothing was kept
	Before      Word        `json:"before"`
	After       Word        `json:"after"`
	BeforeScore int         `json:"before_score"`
	AfterScore  int         `json:"after_score"`
	BeforeRules string      `json:"before_rules,omitempty"` // digest of all rules; absent if nobody wrote it down
	AfterRules  string      `json:"after_rules"`
	Gained      []RetroRule `json:"gained"` // rules that match now
	Lost        []RetroRule `json:"lost"`   // and those that no longer do
	From        string      `json:"from"`
	Subject     string      `json:"subject"`
	Received    time.Time   `json:"received"` // when the mail was handed in
	Label       Label       `json:"label,omitempty"`
}

// RetroRule is a rule that made a difference.
type RetroRule struct {
	ID     finding.RuleID `json:"id"`
	Title  lang.Text      `json:"title"`
	Source string         `json:"source"`
}

// Direction is 1 for a worse verdict, -1 for a better one and 0 for the same.
func (c *RetroChange) Direction() int {
	switch a, b := rankOf(c.Before), rankOf(c.After); {
	case b > a:
		return 1
	case b < a:
		return -1
	}
	return 0
}

// Decide reports whether somebody has to look: no alarm before, one now, and
// nobody has said anything.
func (c *RetroChange) Decide() bool {
	return c.Label == "" && rankOf(c.Before) < rankOf(Suspicious) && rankOf(c.After) >= rankOf(Suspicious)
}

// RetroQuery says which changes. Conditions that are zero do not count.
type RetroQuery struct {
	Since time.Time
	Run   int64
	Mail  MailID
	All   bool // also those with the same verdict as before
	Worse bool // only those with a worse verdict
	Open  bool // only of mails that nobody has said anything about
	Limit int
}
