package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
)

// OutboxStore is a store of mails of ours that can be closed.
type OutboxStore interface {
	desk.OutboxStore
	Close() error
}

func outMail(key string, hours int) *desk.OutMail {
	return &desk.OutMail{
		ID: desk.OutID(key), Key: key, Kind: desk.OutReply, State: desk.OutReady, To: "sato@kiso-works.example", Subject: "s " + key,
		About: "m1", Verdict: desk.Malicious, Made: at(hours), Due: at(hours), Raw: []byte("raw " + key),
	}
}

// Outbox is the suite of [desk.OutboxStore].
func Outbox(t *testing.T, open func(t *testing.T, dir string) OutboxStore) {
	dir := t.TempDir()
	s := open(t, dir)
	ctx := t.Context()
	none, err := s.Out(ctx, "none")
	noErr(t, err)
	if none != nil {
		t.Errorf("a mail that is not there: %v", none)
	}

	m := outMail("a", 1)
	added, err := s.AddOut(ctx, m)
	noErr(t, err)
	again, err := s.AddOut(ctx, m)
	noErr(t, err)
	if added != desk.OutNew || again != desk.OutThere {
		t.Errorf("%s, again %s", added, again)
	}
	waiting := outMail("w", 2)
	waiting.State = desk.OutWaiting
	_, err = s.AddOut(ctx, waiting)
	noErr(t, err)
	got, err := s.Out(ctx, m.ID)
	noErr(t, err)
	if diff := cmp.Diff(m, got); diff != "" {
		t.Error(diff)
	}

	// What waits for approval and what is not due is given to nobody.
	early, err := s.LeaseOut(ctx, 9, at(0), at(1))
	noErr(t, err)
	leased, err := s.LeaseOut(ctx, 9, at(3), at(4))
	noErr(t, err)
	twice, err := s.LeaseOut(ctx, 9, at(3), at(4))
	noErr(t, err)
	want := *m
	want.Attempts, want.Due = 1, at(4)
	if diff := cmp.Diff([]desk.OutMail{want}, leased); diff != "" || len(early)+len(twice) > 0 {
		t.Error(diff, early, twice)
	}
	// A lease that ended gives the mail out again, and who had it before comes too late.
	later, err := s.LeaseOut(ctx, 9, at(5), at(6))
	noErr(t, err)
	if len(later) != 1 || later[0].Attempts != 2 {
		t.Fatalf("%v", later)
	}
	sent := leased[0]
	sent.State, sent.Settled, sent.Answer = desk.OutSent, at(5), "250 2.0.0 ok"
	wantKind(t, s.SettleOut(ctx, &leased[0], &sent), desk.Conflict)
	sent.Attempts = 2
	noErr(t, s.SettleOut(ctx, &later[0], &sent))
	wantKind(t, s.SettleOut(ctx, &later[0], &sent), desk.Conflict)
	got, err = s.Out(ctx, m.ID)
	noErr(t, err)
	if got.State != desk.OutSent || got.Answer != "250 2.0.0 ok" || !got.Settled.Equal(at(5)) {
		t.Errorf("%+v", got)
	}

	list, err := s.Outs(ctx, "", 10)
	noErr(t, err)
	if len(list) != 2 || list[0].ID != waiting.ID || list[0].Raw != nil {
		t.Errorf("%v", list)
	}
	list, err = s.Outs(ctx, desk.OutWaiting, 10)
	noErr(t, err)
	if len(list) != 1 || list[0].ID != waiting.ID {
		t.Errorf("%v", list)
	}
	counts, err := s.OutCounts(ctx)
	noErr(t, err)
	if diff := cmp.Diff(map[desk.OutState]int{desk.OutSent: 1, desk.OutWaiting: 1}, counts); diff != "" {
		t.Error(diff)
	}
	outLimits(t, s)
	noErr(t, s.Close())

	s = open(t, dir)
	n, err := s.DropOuts(ctx, at(5))
	noErr(t, err)
	if n != 0 {
		t.Errorf("%d dropped too early", n)
	}
	n, err = s.DropOuts(ctx, at(6))
	noErr(t, err)
	if n != 1 {
		t.Errorf("%d dropped", n)
	}
	number, when, err := s.OutMark(ctx, "x")
	noErr(t, err)
	if number != 0 || !when.IsZero() {
		t.Errorf("a mark that was never set: %d %v", number, when)
	}
	noErr(t, s.SetOutMark(ctx, "x", 1, at(1)))
	noErr(t, s.SetOutMark(ctx, "x", 7, at(2)))
	number, when, err = s.OutMark(ctx, "x")
	noErr(t, err)
	if number != 7 || !when.Equal(at(2)) {
		t.Errorf("%d %v", number, when)
	}
	_, err = s.AddOut(cancelled(t), outMail("c", 1))
	if err == nil {
		t.Error("kept after the context ended")
	}
	noErr(t, s.Close())
}

// outLimits adds from many sides at once: no more than the limits allow is kept.
func outLimits(t *testing.T, s OutboxStore) {
	const most, all = 3, 5
	var kept [2]atomic.Int64
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			m := outMail(fmt.Sprint("limit", i), 100)
			m.To = []string{"a@kiso-works.example", "b@kiso-works.example"}[i%2]
			since := at(99)
			added, err := s.AddOut(t.Context(), m, desk.OutLimit{Kind: desk.OutReply, To: m.To, Since: since, Most: most}, desk.OutLimit{Kind: desk.OutReply, Since: since, Most: all})
			if err != nil {
				t.Error(err)
			}
			if added == desk.OutNew {
				kept[i%2].Add(1)
			}
		})
	}
	wg.Wait()
	if a, b := kept[0].Load(), kept[1].Load(); a > most || b > most || a+b != all {
		t.Errorf("%d and %d were kept, of at most %d each and %d in all", a, b, most, all)
	}
	m := outMail("next", 101)
	added, err := s.AddOut(t.Context(), m, desk.OutLimit{Kind: desk.OutReply, Since: at(100).Add(time.Minute), Most: 1})
	noErr(t, err)
	if added != desk.OutNew {
		t.Errorf("an hour later: %s", added)
	}
}
