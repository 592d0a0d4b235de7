package desk

import (
	"context"
	"fmt"
	"time"
)

// Retention is how long things are kept; 0 is for ever.
type Retention struct {
	Mail    time.Duration // from when it was handed in
	Reports time.Duration // from the end of their period
	News    time.Duration // from when it was read
}

// RetentionStore forgets what is old.
type RetentionStore interface {
	// DropReports deletes reports whose period ended before that time, and returns
	// how many.
	DropReports(ctx context.Context, before time.Time) (int, error)

	// DropNews deletes items that were read before that time, with what nothing
	// else needs of them, and returns how many.
	DropNews(ctx context.Context, before time.Time) (int, error)

	// Compact overwrites what was deleted, so that it is not in any file of the
	// store any more.
	Compact(ctx context.Context) error
}

// Retained is what came of [Retain].
type Retained struct {
	Mails, Reports, News, Blobs int
}

// Any reports whether anything was deleted.
func (r *Retained) Any() bool { return *r != Retained{} }

// Retain deletes what is older than it is kept, and bytes that belong to no
// mail, for good: afterwards no file holds them. What was deleted is counted in
// the audit log. An error leaves the rest for the next time.
func Retain(ctx context.Context, keep Retention, store RetentionStore, deps MailDeps) (*Retained, error) {
	out := &Retained{}
	now := deps.Now()
	err := out.mails(ctx, keep.Mail, now, deps)
	if err == nil && keep.Reports > 0 {
		out.Reports, err = store.DropReports(ctx, now.Add(-keep.Reports))
	}
	if err == nil && keep.News > 0 {
		out.News, err = store.DropNews(ctx, now.Add(-keep.News))
	}
	if err == nil {
		out.Blobs, err = SweepBlobs(ctx, deps)
	}
	if out.Mails+out.Reports+out.News > 0 {
		object := fmt.Sprintf("mail %d, reports %d, news %d", out.Mails, out.Reports, out.News)
		if auditErr := deps.Audit.AppendAudit(ctx, AuditEntry{At: now, Who: WhoProgram, Act: ActRetention, Object: object}); err == nil {
			err = auditErr
		}
	}
	if err != nil {
		return out, err
	}
	// What somebody deleted since the last time is overwritten now, too.
	return out, store.Compact(ctx)
}

func (r *Retained) mails(ctx context.Context, keep time.Duration, now time.Time, deps MailDeps) error {
	if keep <= 0 {
		return nil
	}
	for {
		rows, err := deps.Mails.Mails(ctx, &MailQuery{KeptUntil: now.Add(-keep), Limit: MaxMailPage})
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, m := range rows {
			if err := deps.drop(ctx, m.ID); err != nil {
				return err
			}
			r.Mails++
		}
	}
}
