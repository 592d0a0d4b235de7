// Package queuetest says as tests what a queue of mails has to do, whatever it is
// kept in.
//
// The suite asks for what [desk.Queue] promises and no more, so that a queue on
// several machines can pass it: entries come in any order, a batch may be smaller
// than asked for, and an entry that was done may be known again or not.
package queuetest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sekisho/sekisho/internal/desk"
)

// Queue is a queue that can be closed.
type Queue interface {
	desk.Queue
	Close() error
}

// hold is how long the suite holds entries.
const hold = time.Minute

// Run is the suite. open opens the queue in a folder; the suite opens the same
// folder more than once, one after the other and at the same time.
func Run(t *testing.T, open func(t *testing.T, dir string) Queue) {
	for _, tc := range []struct {
		name string
		test func(t *testing.T, open func() Queue)
	}{
		{"RoundTrip", roundTrip},
		{"TwiceIsOnce", twiceIsOnce},
		{"Key", key},
		{"Fail", fail},
		{"HoldEnds", holdEnds},
		{"DeadWorkers", deadWorkers},
		{"LateWord", lateWord},
		{"DeadLetters", deadLetters},
		{"State", state},
		{"Workers", workers},
		{"Cancelled", cancelled},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			tc.test(t, func() Queue {
				q := open(t, dir)
				t.Cleanup(func() { _ = q.Close() })
				return q
			})
		})
	}
}

// now is the time at which the suite begins. A queue on another machine may
// compare with its own clock, so it is that of the system.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

func entry(i int) *desk.QueueEntry {
	raw := fmt.Appendf(nil, "Subject: %d\r\n\r\n", i)
	env := &desk.MailEnvelope{From: "satō@kiso-works.example", To: []string{"report@kiso-works.example", "日本@kiso-works.example"}}
	return &desk.QueueEntry{
		ID: desk.MailIDOf(raw, env), Blob: string(desk.MailIDOf(raw, nil)), Size: len(raw), Source: desk.SourceSMTP, Envelope: env,
		Remote: netip.MustParseAddr("192.0.2.7"), HELO: "mx.kiso-works.example", Received: now().Add(-time.Minute),
	}
}

func add(t *testing.T, q Queue, e *desk.QueueEntry) {
	t.Helper()
	if added, err := q.Enqueue(t.Context(), e); err != nil || !added {
		t.Fatalf("enqueue: %v %v", added, err)
	}
}

// lease takes everything that is there, at most n, and fails the test at an error.
func lease(t *testing.T, q Queue, n int, at time.Time) []desk.Lease {
	t.Helper()
	var out []desk.Lease
	for len(out) < n {
		l, err := q.Lease(t.Context(), n-len(out), at, at.Add(hold))
		if err != nil {
			t.Fatalf("lease: %v", err)
		}
		if len(l) == 0 {
			break
		}
		out = append(out, l...)
	}
	return out
}

func one(t *testing.T, q Queue, at time.Time) *desk.Lease {
	t.Helper()
	l := lease(t, q, 1, at)
	if len(l) != 1 {
		t.Fatalf("%d entries were given out, want 1", len(l))
	}
	return &l[0]
}

func none(t *testing.T, q Queue, at time.Time) {
	t.Helper()
	if l := lease(t, q, 10, at); len(l) != 0 {
		t.Fatalf("%d entries were given out, want none", len(l))
	}
}

func stateOf(t *testing.T, q Queue) *desk.QueueState {
	t.Helper()
	s, err := q.State(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func roundTrip(t *testing.T, open func() Queue) {
	q := open()
	none(t, q, now())
	want := entry(1)
	want.Key = "uid 7"
	add(t, q, want)
	bare := &desk.QueueEntry{ID: "0b", Blob: "0b", Size: 1, Source: desk.SourceWatch, Received: now().Add(-time.Second)}
	add(t, q, bare)
	if err := q.Close(); err != nil { // what was added survives
		t.Fatal(err)
	}
	q = open()
	got := lease(t, q, 10, now())
	slices.SortFunc(got, func(a, b desk.Lease) int { return a.Received.Compare(b.Received) })
	if diff := cmp.Diff([]desk.Lease{{QueueEntry: *want, Attempt: 1}, {QueueEntry: *bare, Attempt: 1}}, got, cmpopts.IgnoreFields(desk.Lease{}, "Token"), addresses); diff != "" {
		t.Fatal(diff)
	}
	for i := range got {
		if err := q.Done(t.Context(), &got[i], now()); err != nil {
			t.Fatal(err)
		}
	}
	none(t, q, now().Add(10*hold))
	if s := stateOf(t, q); s.Waiting != 0 || s.Leased != 0 || s.Dead != 0 || !s.Oldest.IsZero() {
		t.Errorf("after all is done: %+v", s)
	}
}

var addresses = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

func twiceIsOnce(t *testing.T, open func() Queue) {
	q, other := open(), open()
	add(t, q, entry(1))
	if added, err := other.Enqueue(t.Context(), entry(1)); err != nil || added {
		t.Errorf("while it waits: %v %v", added, err)
	}
	l := one(t, q, now())
	if added, err := other.Enqueue(t.Context(), entry(1)); err != nil || added {
		t.Errorf("while somebody works on it: %v %v", added, err)
	}
	none(t, q, now())
	if err := q.Fail(t.Context(), l, "broken", now(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if added, err := other.Enqueue(t.Context(), entry(1)); err != nil || added {
		t.Errorf("while it is dead: %v %v", added, err)
	}
}

func key(t *testing.T, open func() Queue) {
	q := open()
	e := entry(1)
	e.Key = "INBOX;UIDVALIDITY=1/;UID=20"
	add(t, q, e)
	again := entry(2) // the source wrote something else into it
	again.Key = e.Key
	for range 2 {
		if added, err := q.Enqueue(t.Context(), again); err != nil || added {
			t.Fatalf("the same key: %v %v", added, err)
		}
		for _, l := range lease(t, q, 10, now()) {
			if err := q.Done(t.Context(), &l, now()); err != nil {
				t.Fatal(err)
			}
		}
	}
	other := entry(3)
	other.Key = e.Key + "1"
	add(t, q, other)
}

func fail(t *testing.T, open func() Queue) {
	q := open()
	at := now()
	add(t, q, entry(1))
	l := one(t, q, at)
	if err := q.Fail(t.Context(), l, "DNS did not answer", at, at.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	none(t, q, at)
	l = one(t, q, at.Add(2*time.Second))
	if l.Attempt != 2 {
		t.Errorf("attempt %d, want 2", l.Attempt)
	}
	at = at.Add(3 * time.Second)
	if err := q.Fail(t.Context(), l, "", at, at); err != nil {
		t.Fatal(err)
	}
	if l = one(t, q, at); l.Attempt != 2 {
		t.Errorf("attempt %d after one that did not count, want 2", l.Attempt)
	}
}

func holdEnds(t *testing.T, open func() Queue) {
	q, other := open(), open()
	at := now()
	add(t, q, entry(1))
	first := one(t, q, at)
	none(t, other, at.Add(hold-time.Second))
	second := one(t, other, at.Add(hold+time.Second))
	if second.Attempt != 2 || second.Token == first.Token {
		t.Errorf("attempt %d, tokens %s and %s", second.Attempt, first.Token, second.Token)
	}
}

// A mail that takes its worker with it is dead after [desk.MaxAttempts].
func deadWorkers(t *testing.T, open func() Queue) {
	q := open()
	at := now()
	add(t, q, entry(1))
	add(t, q, entry(2))
	bad := entry(1).ID
	for range desk.MaxAttempts {
		for _, l := range lease(t, q, 10, at) {
			if l.ID == bad {
				continue
			}
			if err := q.Done(t.Context(), &l, at); err != nil {
				t.Fatal(err)
			}
		}
		at = at.Add(2 * hold)
	}
	none(t, q, at)
	if s := stateOf(t, q); s.Dead != 1 || len(s.Letters) != 1 || s.Letters[0].ID != bad || s.Letters[0].Attempts != desk.MaxAttempts || s.Letters[0].Reason == "" {
		t.Errorf("%+v", s)
	}
}

// A worker that was slow must not undo what the next one did.
func lateWord(t *testing.T, open func() Queue) {
	q := open()
	at := now()
	add(t, q, entry(1))
	slow := one(t, q, at)
	at = at.Add(2 * hold)
	quick := one(t, q, at)
	if err := q.Fail(t.Context(), slow, "late", at, time.Time{}); !isKind(err, desk.Conflict) {
		t.Errorf("fail by the slow one: %v", err)
	}
	if err := q.Done(t.Context(), quick, at); err != nil {
		t.Errorf("done by the quick one: %v", err)
	}
	if err := q.Done(t.Context(), slow, at); err != nil && !isKind(err, desk.Conflict) {
		t.Errorf("done by the slow one: %v", err)
	}
	none(t, q, at.Add(2*hold))
	if s := stateOf(t, q); s.Dead != 0 {
		t.Errorf("%+v", s)
	}
}

func isKind(err error, kind desk.ErrorKind) bool {
	e, ok := errors.AsType[*desk.Error](err)
	return ok && e.Kind == kind
}

func deadLetters(t *testing.T, open func() Queue) {
	q := open()
	at := now()
	for i := range 3 {
		add(t, q, entry(i))
		if err := q.Fail(t.Context(), one(t, q, at), fmt.Sprintf("reason %d", i), at.Add(time.Duration(i)*time.Second), time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	none(t, q, at.Add(10*hold))
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = open()
	s, err := q.State(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for _, l := range s.Letters {
		reasons = append(reasons, l.Reason)
	}
	if diff := cmp.Diff([]string{"reason 2", "reason 1"}, reasons); diff != "" || s.Dead != 3 {
		t.Errorf("%d: %s", s.Dead, diff)
	}
	e, err := q.Settle(t.Context(), entry(1).ID, desk.SettleRetry, now())
	if err != nil {
		t.Fatal(err)
	}
	if e.ID != entry(1).ID || e.Blob != entry(1).Blob {
		t.Errorf("%+v", e)
	}
	if l := one(t, q, now()); l.ID != entry(1).ID || l.Attempt != 1 {
		t.Errorf("%+v", l)
	}
	if _, err := q.Settle(t.Context(), entry(2).ID, desk.SettleDrop, now()); err != nil {
		t.Fatal(err)
	}
	for _, id := range []desk.MailID{entry(1).ID, entry(2).ID, "no such mail"} {
		if _, err := q.Settle(t.Context(), id, desk.SettleRetry, now()); !isKind(err, desk.NotFound) {
			t.Errorf("%v", err)
		}
	}
	if s := stateOf(t, q); s.Dead != 1 {
		t.Errorf("%+v", s)
	}
}

func state(t *testing.T, open func() Queue) {
	q := open()
	for i := range 3 {
		e := entry(i)
		e.Received = e.Received.Add(time.Duration(-i) * time.Minute)
		add(t, q, e)
	}
	one(t, q, now())
	s := stateOf(t, q)
	if s.Waiting != 2 || s.Leased != 1 || s.Dead != 0 || now().Sub(s.Oldest) < 2*time.Minute {
		t.Errorf("%+v", s)
	}
}

// Several programs add and work at the same time; each entry is given to one.
func workers(t *testing.T, open func() Queue) {
	const each, programs = 60, 3
	var mu sync.Mutex
	given := map[desk.MailID]int{}
	var wg sync.WaitGroup
	for p := range programs {
		q := open()
		wg.Go(func() {
			for i := range each {
				// Two thirds of the entries are added by two programs each.
				if _, err := q.Enqueue(t.Context(), entry(p*each/2+i)); err != nil {
					t.Error(err)
					return
				}
			}
		})
		wg.Go(func() {
			idle := 0
			for idle < 20 {
				l, err := q.Lease(t.Context(), 7, now(), now().Add(hold))
				if err != nil {
					t.Error(err)
					return
				}
				if len(l) == 0 {
					idle++
					time.Sleep(10 * time.Millisecond)
				} else {
					idle = 0
				}
				mu.Lock()
				for _, x := range l {
					given[x.ID]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	q := open()
	for _, l := range lease(t, q, each*programs, now()) { // what was added after the workers had given up
		given[l.ID]++
	}
	if len(given) != each*(programs+1)/2 {
		t.Errorf("%d entries were given out, want %d", len(given), each*(programs+1)/2)
	}
	for id, n := range given {
		if n != 1 {
			t.Errorf("entry %s was given out %d times", id, n)
		}
	}
}

func cancelled(t *testing.T, open func() Queue) {
	q := open()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := q.Enqueue(ctx, entry(1)); err == nil {
		t.Error("an entry was added though nobody waits for it")
	}
	none(t, q, now())
}
