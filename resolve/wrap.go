package resolve

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Trace keeps every answer of the resolver that it wraps, in the order in which
// they came. It is for one message or one run.
type Trace struct {
	next Resolver

	mu      sync.Mutex
	answers []Answer
}

// NewTrace returns a trace over next.
func NewTrace(next Resolver) *Trace { return &Trace{next: next} }

// Lookup implements [Resolver].
func (t *Trace) Lookup(ctx context.Context, name string, typ Type) (Answer, error) {
	a, err := t.next.Lookup(ctx, name, typ)
	if err != nil {
		return a, err
	}
	t.mu.Lock()
	t.answers = append(t.answers, a)
	t.mu.Unlock()
	return a, nil
}

// Answers returns what was answered so far.
func (t *Trace) Answers() []Answer {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.answers)
}

// Len returns the number of answers so far.
func (t *Trace) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.answers)
}

// Limit lets a number of questions through and answers [NotAsked] to the rest:
// what one message may ask.
type Limit struct {
	next Resolver

	mu          sync.Mutex
	left, asked int
	refused     int
}

// NewLimit returns a limit of n questions over next.
func NewLimit(next Resolver, n int) *Limit { return &Limit{next: next, left: n} }

// Lookup implements [Resolver].
func (l *Limit) Lookup(ctx context.Context, name string, t Type) (Answer, error) {
	if _, ok := Normalize(name); !ok {
		return unasked(ctx, name, t, FormErr) // costs nothing, so takes nothing
	}
	l.mu.Lock()
	ok := l.left > 0
	if ok {
		l.left--
		l.asked++
	} else {
		l.refused++
	}
	l.mu.Unlock()
	if !ok {
		return unasked(ctx, name, t, NotAsked)
	}
	return l.next.Lookup(ctx, name, t)
}

// Asked returns the number of questions that were let through.
func (l *Limit) Asked() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked
}

// Refused returns the number of questions that were not.
func (l *Limit) Refused() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refused
}

// Deadline returns a resolver that answers [Timeout] once the time at is past:
// what one message may take, however many questions it has. It stands in front
// of a cache, whose answers still come afterwards.
func Deadline(next Resolver, at time.Time) Resolver { return deadline{next, at} }

type deadline struct {
	next Resolver
	at   time.Time
}

// Lookup implements [Resolver].
func (d deadline) Lookup(ctx context.Context, name string, t Type) (Answer, error) {
	bounded, cancel := context.WithDeadline(ctx, d.at)
	defer cancel()
	a, err := d.next.Lookup(bounded, name, t)
	if err == nil || bounded.Err() == nil || ctx.Err() != nil {
		return a, err
	}
	return unasked(ctx, name, t, Timeout)
}
