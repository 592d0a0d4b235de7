package desk

import (
	"context"
	"time"
)

// KeptCounter counts mails by when they were kept.
type KeptCounter interface {
	// KeptCounts returns how many mails with each verdict were kept from one time
	// until another, which is not included.
	KeptCounts(ctx context.Context, from, until time.Time) (map[Word]int, error)
}
