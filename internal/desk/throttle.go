package desk

import (
	"context"
	"sync"
	"time"

	"github.com/sekisho/sekisho/lang"
)

// Throttle slows down who guesses passwords: after a few failures each further
// one makes the next attempt wait twice as long. It counts for each address, for
// the account whatever the address, and for one-time codes that were wrong while
// the password was right. The wait of the account is short, so that a stranger
// cannot lock the administrator out; that of the codes is long, because whoever
// makes it grow knows the password.
//
// It is safe for concurrent use. Its memory is bounded.
type Throttle struct {
	turns chan struct{}

	mu       sync.Mutex
	failures map[string]failures
}

type failures struct {
	n     int
	until time.Time // no attempt before
	last  time.Time
}

const (
	freeFailures   = 4
	firstLock      = time.Second
	longestLock    = 15 * time.Minute
	longestForAll  = time.Minute
	forgetFailures = 24 * time.Hour
	maxFailures    = 10_000 // names that are remembered
	hashesAtOnce   = 2
)

// NewThrottle returns a throttle that has seen no failures.
func NewThrottle() *Throttle {
	return &Throttle{turns: make(chan struct{}, hashesAtOnce), failures: map[string]failures{}}
}

// WaitError is for an attempt that came too early.
type WaitError struct {
	Wait time.Duration
	Err  *Error
}

// Error implements error.
func (e *WaitError) Error() string { return e.Err.Error() }

// Unwrap returns the error without the time.
func (e *WaitError) Unwrap() error { return e.Err }

// Check returns a [*WaitError] if any of the names has to wait.
func (t *Throttle) Check(now time.Time, names ...string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	wait := time.Duration(0)
	for _, n := range names {
		wait = max(wait, t.failures[n].until.Sub(now))
	}
	if wait <= 0 {
		return nil
	}
	seconds := int((wait + time.Second - 1) / time.Second)
	return &WaitError{Wait: wait, Err: &Error{Kind: Limit, Message: lang.M("account.error.wait", "n", seconds), Hint: lang.M("account.hint.login")}}
}

// Failed notes a failure of each of the names.
func (t *Throttle) Failed(now time.Time, names ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range names {
		f := t.failures[name]
		if now.Sub(f.last) > forgetFailures {
			f = failures{}
		}
		f.n++
		f.last = now
		if over := f.n - freeFailures; over > 0 {
			longest := longestLock
			if name == failuresForAll {
				longest = longestForAll
			}
			f.until = now.Add(min(firstLock<<min(over-1, 20), longest))
		}
		if _, known := t.failures[name]; !known && len(t.failures) >= maxFailures {
			t.forget(now)
		}
		t.failures[name] = f
	}
}

// forget makes room: what is over goes first, then whatever comes.
func (t *Throttle) forget(now time.Time) {
	for name, f := range t.failures {
		if now.Sub(f.last) > forgetFailures || now.After(f.until) && name != failuresForAll && name != failuresOfCode {
			delete(t.failures, name)
		}
	}
	for name := range t.failures {
		if len(t.failures) < maxFailures {
			return
		}
		if name != failuresForAll && name != failuresOfCode {
			delete(t.failures, name)
		}
	}
}

// Passed forgets the failures of the names.
func (t *Throttle) Passed(names ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range names {
		delete(t.failures, n)
	}
}

func (t *Throttle) enter(ctx context.Context) error {
	select {
	case t.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *Throttle) leave() { <-t.turns }
