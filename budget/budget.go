// Package budget bounds the work spent on one message.
//
// Work is charged in cost units rather than wall time, so that a run repeats
// exactly on a busy machine; the deadline is only a backstop. Running out is a
// value that the caller reports, never a crash.
package budget

import "time"

// Default limits of [New].
const (
	DefaultBytes = 48 << 20 // of one message
	DefaultParts = 10_000   // MIME parts of one message, nested messages included
	DefaultDepth = 64       // nesting of MIME parts
	DefaultCost  = 1 << 30  // about one unit per byte looked at
	DefaultFiles = 64 << 20 // of DefaultCost, for what is inside attached files
)

// Budget is what one message may use. It is passed down through every engine
// and is not safe for concurrent use. A nil *Budget is unlimited.
type Budget struct {
	Bytes    int       // largest message or decoded part
	Parts    int       // parts left
	Depth    int       // deepest nesting
	Cost     int64     // units left
	Deadline time.Time // zero: none

	now   func() time.Time
	out   bool
	files *Budget
}

// New returns a budget with the default limits. now reads the clock for the
// deadline and may be nil if no deadline is set.
func New(now func() time.Time) *Budget {
	return &Budget{Bytes: DefaultBytes, Parts: DefaultParts, Depth: DefaultDepth, Cost: DefaultCost, now: now}
}

// Spend takes n units and reports whether the budget still holds. Once it
// does not, it never does again. A negative n counts as none, because sizes
// that an attacker wrote must never give units back.
func (b *Budget) Spend(n int) bool {
	if b == nil {
		return true
	}
	if b.out {
		return false
	}
	b.Cost -= int64(max(n, 0))
	if b.Cost < 0 || (!b.Deadline.IsZero() && b.now != nil && b.now().After(b.Deadline)) {
		b.out = true
		return false
	}
	return true
}

// SpendPart takes one MIME part at the given depth (the root is 0) and reports
// whether it may be read. A part that is too deep or too many is refused
// without ending the rest of the budget; a budget that has run out refuses
// every part.
func (b *Budget) SpendPart(depth int) bool {
	if b == nil {
		return true
	}
	if b.out || depth > b.Depth || b.Parts <= 0 {
		return false
	}
	b.Parts--
	return true
}

// Share returns a budget for a part of the work that must not use up the rest:
// at most cost of the units that are left, with the same other limits and the
// same deadline. When the part is done, settle takes from b what it used. A
// share that ran out does not end b.
func (b *Budget) Share(cost int64) (share *Budget, settle func()) {
	share = New(nil)
	if b != nil {
		*share = *b
	}
	share.Cost = max(0, min(share.Cost, cost))
	given := share.Cost
	return share, func() {
		if b == nil {
			return
		}
		b.Parts = share.Parts
		used := given - max(0, share.Cost)
		b.Spend(int(max(0, min(used, b.Cost))))
	}
}

// Files returns the budget for looking into attached files, [DefaultFiles] units
// and the same for every call. It is one for the message and all messages
// attached to it, and apart from b, so that files that unfold without end do not
// keep the text of the mail from being read. It is nil for a nil b.
func (b *Budget) Files() *Budget {
	if b == nil {
		return nil
	}
	if b.files == nil {
		b.files = &Budget{Bytes: b.Bytes, Parts: b.Parts, Depth: b.Depth, Cost: min(DefaultFiles, max(b.Cost, 0)), Deadline: b.Deadline, now: b.now}
	}
	return b.files
}

// Exhausted reports whether the budget has run out.
func (b *Budget) Exhausted() bool { return b != nil && b.out }
