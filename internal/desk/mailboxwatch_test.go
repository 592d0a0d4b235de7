package desk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// memoryMailboxes is a store that can die before a write.
type memoryMailboxes struct {
	states map[string]desk.MailboxState
	marks  map[string]desk.MailboxMark
	hashes map[string]bool
	tokens map[string][]byte
	writes int
	die    func() bool
}

func newMemoryMailboxes() *memoryMailboxes {
	return &memoryMailboxes{states: map[string]desk.MailboxState{}, marks: map[string]desk.MailboxMark{}, hashes: map[string]bool{}, tokens: map[string][]byte{}}
}

var errDied = errors.New("died")

func (m *memoryMailboxes) MailboxState(_ context.Context, name string) (*desk.MailboxState, error) {
	s, ok := m.states[name]
	if !ok {
		return nil, nil
	}
	return &s, nil
}

func (m *memoryMailboxes) MailboxStates(context.Context) ([]desk.MailboxState, error) {
	return nil, nil
}

func (m *memoryMailboxes) SaveMailboxState(_ context.Context, s *desk.MailboxState, marks ...desk.MailboxMark) error {
	if m.die != nil && m.die() {
		return errDied
	}
	m.writes++
	m.states[s.Name] = *s
	for _, k := range marks {
		m.marks[k.Key] = k
		if k.Hash != "" {
			m.hashes[k.Hash] = true
		}
	}
	return nil
}

func (m *memoryMailboxes) MailboxDone(_ context.Context, _, key, hash string) (bool, error) {
	_, ok := m.marks[key]
	return ok || m.hashes[hash], nil
}

func (m *memoryMailboxes) MailboxRefused(context.Context, string, int) ([]desk.MailboxMark, error) {
	return nil, nil
}
func (m *memoryMailboxes) DeleteMailbox(context.Context, string) error { return nil }

func (m *memoryMailboxes) MailboxToken(_ context.Context, name string) ([]byte, error) {
	return m.tokens[name], nil
}

func (m *memoryMailboxes) SaveMailboxToken(_ context.Context, name string, sealed []byte) error {
	m.tokens[name] = sealed
	return nil
}

// fakeMailbox has mails by number. Its cursor is "<era>:<number>"; one of
// another era is lost.
type fakeMailbox struct {
	mails  []string
	at     []time.Time
	era    int
	fail   map[int]error // of the bytes of a mail
	listed error
}

func (f *fakeMailbox) Mails(_ context.Context, cursor string) iter.Seq2[desk.MailboxStep, error] {
	return func(yield func(desk.MailboxStep, error) bool) {
		if f.listed != nil {
			yield(desk.MailboxStep{}, f.listed)
			return
		}
		era, n, ok := strings.Cut(cursor, ":")
		if ok && era != strconv.Itoa(f.era) {
			yield(desk.MailboxStep{}, fmt.Errorf("too old: %w", desk.ErrCursor))
			return
		}
		from, _ := strconv.Atoi(n)
		for i := from; i < len(f.mails); i++ {
			m := &desk.MailboxMail{Key: fmt.Sprintf("%d/%d", f.era, i), Raw: func(context.Context) ([]byte, error) {
				if err := f.fail[i]; err != nil {
					return nil, err
				}
				return []byte(f.mails[i]), nil
			}}
			if f.at != nil {
				m.Received = f.at[i]
			}
			if !yield(desk.MailboxStep{Mail: m, Cursor: fmt.Sprintf("%d:%d", f.era, i+1)}, nil) {
				return
			}
		}
	}
}

func (f *fakeMailbox) Wait(context.Context, time.Duration) error { return nil }
func (f *fakeMailbox) Close() error                              { return nil }

// inbox is what Accept has, each key once, as [desk.Accept] keeps it.
type inbox struct {
	keys  map[string]bool
	mails []string
	err   error
}

func (b *inbox) accept(_ context.Context, d *desk.Delivery) error {
	if b.err != nil {
		return b.err
	}
	if !b.keys[d.Key] {
		b.keys[d.Key] = true
		b.mails = append(b.mails, string(d.Raw))
	}
	return nil
}

var reports = desk.MailboxSetting{Name: "reports", Kind: desk.MailboxIMAP, Every: time.Minute, Days: 7}

func watchNow() time.Time { return time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC) }

func watchDeps(f *fakeMailbox, s *memoryMailboxes, b *inbox) desk.WatchDeps {
	return desk.WatchDeps{
		Store: s, Accept: b.accept, Now: watchNow,
		Open:  func(context.Context) (desk.MailboxReader, error) { return f, nil },
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

func TestReadMailbox(t *testing.T) {
	tooLarge := &desk.Error{Kind: desk.Limit, Message: lang.M("mailboxes.error.large", "mib", 48)}
	for _, tc := range []struct {
		name    string
		edit    func(f *fakeMailbox, b *inbox)
		want    []string
		refused int
		err     bool
	}{
		{"All", func(*fakeMailbox, *inbox) {}, []string{"a", "b", "c"}, 0, false},
		{"Old", func(f *fakeMailbox, _ *inbox) {
			f.at = []time.Time{watchNow().AddDate(0, 0, -8), watchNow().AddDate(0, 0, -6), {}}
		}, []string{"b", "c"}, 0, false},
		{"TooLarge", func(f *fakeMailbox, _ *inbox) { f.fail = map[int]error{1: tooLarge} }, []string{"a", "c"}, 1, false},
		{"Gone", func(f *fakeMailbox, _ *inbox) { f.fail = map[int]error{0: &desk.Error{Kind: desk.NotFound}} }, []string{"b", "c"}, 0, false},
		{"SameBytes", func(f *fakeMailbox, _ *inbox) { f.mails[2] = "a" }, []string{"a", "b"}, 0, false},
		{"Down", func(f *fakeMailbox, _ *inbox) { f.fail = map[int]error{1: errors.New("network")} }, []string{"a"}, 0, true},
		{"StoreFull", func(_ *fakeMailbox, b *inbox) { b.err = &desk.Error{Kind: desk.Limit} }, nil, 0, true},
		{"NotAMail", func(_ *fakeMailbox, b *inbox) {
			b.err = &desk.Error{Kind: desk.Invalid, Message: lang.M("intake.error.empty")}
		}, nil, 3, false},
		{"NoList", func(f *fakeMailbox, _ *inbox) { f.listed = errors.New("network") }, nil, 0, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, s, b := &fakeMailbox{mails: []string{"a", "b", "c"}}, newMemoryMailboxes(), &inbox{keys: map[string]bool{}}
			tc.edit(f, b)
			err := desk.ReadMailbox(t.Context(), reports, watchDeps(f, s, b))
			if (err != nil) != tc.err {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(tc.want, b.mails); diff != "" {
				t.Error(diff)
			}
			got := s.states["reports"]
			if got.Mails != len(tc.want) || got.Refused != tc.refused || got.Failed.IsZero() == tc.err || got.LastRead.IsZero() != tc.err {
				t.Errorf("%+v", got)
			}
			// What went wrong is mended: all comes, and nothing twice.
			f.fail, f.listed, b.err = nil, nil, nil
			if err := desk.ReadMailbox(t.Context(), reports, watchDeps(f, s, b)); err != nil {
				t.Error(err)
			}
			if tc.err {
				if diff := cmp.Diff(f.mails, b.mails); diff != "" {
					t.Error(diff)
				}
			} else if diff := cmp.Diff(tc.want, b.mails); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWatchMailboxKilled ends the program at random writes, also between taking
// a mail over and noting it, and lets the server number its mails anew.
func TestWatchMailboxKilled(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		f, s, b := &fakeMailbox{}, newMemoryMailboxes(), &inbox{keys: map[string]bool{}}
		s.die = func() bool { return r.IntN(4) == 0 }
		for range 40 {
			if len(f.mails) < 20 {
				f.mails = append(f.mails, fmt.Sprintf("mail %d", len(f.mails)))
			}
			_ = desk.ReadMailbox(t.Context(), reports, watchDeps(f, s, b)) // dies or not
		}
		s.die = nil
		if err := desk.ReadMailbox(t.Context(), reports, watchDeps(f, s, b)); err != nil {
			t.Fatal(err)
		}
		f.era++ // everything has a new key now
		if err := desk.ReadMailbox(t.Context(), reports, watchDeps(f, s, b)); err != nil {
			t.Fatal(err)
		}
		slices.Sort(b.mails)
		want := slices.Sorted(slices.Values(f.mails))
		if diff := cmp.Diff(want, b.mails); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}

// TestWatchMailboxPoison has a mail whose bytes never come: the others do.
func TestWatchMailboxPoison(t *testing.T) {
	f, s, b := &fakeMailbox{mails: []string{"a", "poison", "c"}, fail: map[int]error{1: errors.New("always")}}, newMemoryMailboxes(), &inbox{keys: map[string]bool{}}
	deps := watchDeps(f, s, b)
	ctx, cancel := context.WithCancel(t.Context())
	var pauses []time.Duration
	deps.Sleep = func(ctx context.Context, d time.Duration) error {
		if pauses = append(pauses, d); len(pauses) > 20 {
			cancel()
		}
		return ctx.Err()
	}
	w := &endless{fakeMailbox: f, end: func() bool { return len(b.mails) == 2 }, cancel: cancel}
	deps.Open = func(context.Context) (desk.MailboxReader, error) { return w, nil }
	if err := desk.WatchMailbox(ctx, reports, deps); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "c"}, b.mails); diff != "" {
		t.Error(diff)
	}
	if got := s.states["reports"]; got.Refused != 1 || len(pauses) != 7 || pauses[6] != 320*time.Second {
		t.Errorf("%+v, pauses %v", got, pauses)
	}
	if why := s.marks["0/1"].Why.EN; !strings.Contains(why, "always") {
		t.Errorf("why: %q", why)
	}
}

// endless ends the test when there is no more to wait for.
type endless struct {
	*fakeMailbox

	end    func() bool
	cancel func()
}

func (e *endless) Wait(ctx context.Context, _ time.Duration) error {
	if e.end() {
		e.cancel()
	}
	return ctx.Err()
}

func TestMailboxTokens(t *testing.T) {
	s := newMemoryMailboxes()
	a := &desk.MailboxTokens{Store: s, Name: "a", Key: [32]byte{1}, Rand: bytes.NewReader(bytes.Repeat([]byte{7}, 100))}
	if got, err := a.Load(t.Context()); got != nil || err != nil {
		t.Errorf("before: %q %v", got, err)
	}
	if err := a.Save(t.Context(), []byte("refresh-me")); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(s.tokens["a"], []byte("refresh")) {
		t.Error("the token is kept as it is")
	}
	if got, err := a.Load(t.Context()); string(got) != "refresh-me" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	s.tokens["b"], s.tokens["short"] = s.tokens["a"], []byte{1, 2}
	for _, other := range []*desk.MailboxTokens{
		{Store: s, Name: "a", Key: [32]byte{2}}, {Store: s, Name: "b", Key: [32]byte{1}}, {Store: s, Name: "short", Key: [32]byte{1}},
	} {
		e, ok := errors.AsType[*desk.Error](second(other.Load(t.Context())))
		if !ok || e.Kind != desk.Invalid {
			t.Errorf("%s: %v", other.Name, e)
		}
	}
	if err := a.Save(t.Context(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	a.Rand = io.LimitReader(a.Rand, 0)
	if err := a.Save(t.Context(), []byte("x")); err == nil {
		t.Error("sealed without randomness")
	}
}

func second(_ []byte, err error) error { return err }
