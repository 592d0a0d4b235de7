package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/source"
	"github.com/sekisho/sekisho/news/story"
	"github.com/sekisho/sekisho/triage"
)

// NewsStore is a store of news that can be closed.
type NewsStore interface {
	desk.NewsStore
	Close() error
}

// version returns a version of the item that a source knows by key.
func version(src, key string, n, hours int) desk.NewsVersion {
	doc := fmt.Appendf(nil, "%s %s %d", src, key, n)
	v := desk.NewsVersion{Version: n, At: at(hours), Item: news.Item{
		ID: news.NewItemID(src, key), Source: src, Key: key, Kind: news.Advisory, Title: fmt.Sprintf("題名 %s, version %d", key, n), Lang: lang.JA,
		Link: "https://news.example/" + key, Published: at(hours - 1), CVEs: []string{"CVE-2031-10001"}, Snapshot: news.Snapshot(doc),
		Scores: []news.Score{{Version: "3.1", Base: 9.8}}, Exploitation: news.Exploitation{InKEV: true, KEVAdded: at(0)},
	}}
	if n > 1 {
		v.Change = news.Change{Fields: []string{"title"}, Material: true, Added: []string{"cve CVE-2031-10001"}}
	}
	return v
}

func pulled(src string, hours int, items ...desk.NewsVersion) *desk.NewsPull {
	p := &desk.NewsPull{Source: src, State: source.State{}.After(source.Pull{At: at(hours), Outcome: source.Fetched, ETag: `"1"`, Items: len(items)}), Items: items, Snapshots: map[string][]byte{}}
	for i := range items {
		it := &items[i]
		p.Snapshots[it.Item.Snapshot] = fmt.Appendf(nil, "%s %s %d", src, it.Item.Key, it.Version)
	}
	return p
}

func storyRecord(id string, hours int, items ...news.ItemID) desk.StoryRecord {
	s := desk.StoryRecord{
		Schema: desk.StorySchema, ID: id, Title: "題名", Lang: lang.JA, Grade: triage.B, Label: lang.Text{JA: "1週間以内", EN: "within a week"}, Due: "2026-05-15", Row: "R1",
		Why: []lang.Text{{JA: "理由", EN: "why"}}, GradedAt: at(hours), Reopened: &desk.Reopened{At: at(hours), Cause: desk.ItemChanged, Was: triage.C, Fields: []string{"title"}},
		CVEs: []string{"CVE-2031-10001"}, First: at(hours), Last: at(hours), Sources: []string{"a"}, Links: []story.Link{{A: "a", B: "b", Reason: story.SameCVE, Score: 1}}, Basis: "x",
	}
	for i, it := range items {
		s.Items = append(s.Items, desk.StoryItem{ID: it, Version: 1, Source: "a", Lead: i == 0})
	}
	return s
}

// News is the suite of [desk.NewsStore].
func News(t *testing.T, open func(t *testing.T, dir string) NewsStore) {
	fresh := func(t *testing.T) NewsStore {
		s := open(t, t.TempDir())
		t.Cleanup(func() { noErr(t, s.Close()) })
		return s
	}
	t.Run("Empty", func(t *testing.T) {
		s := fresh(t)
		states, err := s.NewsSources(t.Context())
		noErr(t, err)
		items, err := s.NewsItems(t.Context(), &desk.NewsQuery{})
		noErr(t, err)
		none, err := s.NewsItems(t.Context(), &desk.NewsQuery{IDs: []news.ItemID{}})
		noErr(t, err)
		stories, err := s.Stories(t.Context(), &desk.StoryQuery{})
		noErr(t, err)
		body, err := s.NewsSnapshot(t.Context(), "sha256:0")
		noErr(t, err)
		if states == nil || len(states)+len(items)+len(none)+len(stories) != 0 || body != nil {
			t.Errorf("an empty store has %v %v %v %v %v", states, items, none, stories, body)
		}
	})
	t.Run("Versions", func(t *testing.T) { newsVersions(t, fresh(t)) })
	t.Run("Queries", func(t *testing.T) { newsQueries(t, fresh(t)) })
	t.Run("Stories", func(t *testing.T) { newsStories(t, fresh(t)) })
	t.Run("AllOrNothing", func(t *testing.T) { newsAllOrNothing(t, fresh(t)) })
	t.Run("Reopened", func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, dir)
		p := pulled("a", 1, version("a", "x", 1, 1))
		noErr(t, s.KeepNews(t.Context(), p))
		noErr(t, s.Close())
		s = open(t, dir)
		defer func() { noErr(t, s.Close()) }()
		got, err := s.NewsHistory(t.Context(), p.Items[0].Item.ID)
		noErr(t, err)
		if d := cmp.Diff(p.Items, got); d != "" {
			t.Error(d)
		}
		states, err := s.NewsSources(t.Context())
		noErr(t, err)
		if d := cmp.Diff(map[string]source.State{"a": p.State}, states); d != "" {
			t.Error(d)
		}
	})
	t.Run("ContextEnded", func(t *testing.T) {
		s := fresh(t)
		ctx := cancelled(t)
		_, err := s.NewsSources(ctx)
		_, err2 := s.NewsItems(ctx, &desk.NewsQuery{})
		_, err3 := s.Stories(ctx, &desk.StoryQuery{})
		for _, err := range []error{s.KeepNews(ctx, pulled("a", 1, version("a", "x", 1, 1))), s.KeepStories(ctx, nil, []string{"s1"}), err, err2, err3} {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the error is %v", err)
			}
		}
		got, err := s.NewsItems(t.Context(), &desk.NewsQuery{})
		noErr(t, err)
		if len(got) != 0 {
			t.Errorf("%d items were kept", len(got))
		}
	})
	t.Run("AtTheSameTime", func(t *testing.T) { newsAtOnce(t, open) })
}

func newsVersions(t *testing.T, s NewsStore) {
	first, second := version("a", "x", 1, 1), version("a", "x", 2, 2)
	noErr(t, s.KeepNews(t.Context(), pulled("a", 1, first)))
	noErr(t, s.KeepNews(t.Context(), pulled("a", 2, second)))
	got, err := s.NewsHistory(t.Context(), first.Item.ID)
	noErr(t, err)
	if d := cmp.Diff([]desk.NewsVersion{first, second}, got); d != "" {
		t.Error(d)
	}
	newest, err := s.NewsItems(t.Context(), &desk.NewsQuery{IDs: []news.ItemID{first.Item.ID, "unknown", first.Item.ID}})
	noErr(t, err)
	if d := cmp.Diff([]desk.NewsVersion{second}, newest); d != "" {
		t.Error(d)
	}
	for _, v := range []desk.NewsVersion{version("a", "x", 2, 3), version("a", "x", 4, 3), version("a", "y", 2, 3), first} {
		wantKind(t, s.KeepNews(t.Context(), pulled("a", 3, v)), desk.Conflict)
	}
	body, err := s.NewsSnapshot(t.Context(), first.Item.Snapshot)
	noErr(t, err)
	if string(body) != "a x 1" {
		t.Errorf("the snapshot of the first version is %q", body)
	}
}

func newsQueries(t *testing.T, s NewsStore) {
	early, late, alone := version("a", "early", 1, 1), version("b", "late", 1, 50), version("b", "alone", 1, 2)
	noErr(t, s.KeepNews(t.Context(), pulled("a", 1, early)))
	noErr(t, s.KeepNews(t.Context(), pulled("b", 50, late, alone)))
	ids := func(q *desk.NewsQuery) map[news.ItemID]bool {
		list, err := s.NewsItems(t.Context(), q)
		noErr(t, err)
		out := map[news.ItemID]bool{}
		for i := range list {
			if i > 0 && list[i-1].Item.ID >= list[i].Item.ID {
				t.Errorf("not sorted by id: %v", list)
			}
			out[list[i].Item.ID] = true
		}
		return out
	}
	want := map[news.ItemID]bool{late.Item.ID: true}
	if d := cmp.Diff(want, ids(&desk.NewsQuery{Since: at(50)})); d != "" {
		t.Error(d)
	}
	// A story of which one item is new comes with the others.
	noErr(t, s.KeepStories(t.Context(), []desk.StoryRecord{storyRecord("s1", 1, early.Item.ID, late.Item.ID)}, nil))
	want[early.Item.ID] = true
	if d := cmp.Diff(want, ids(&desk.NewsQuery{Since: at(50)})); d != "" {
		t.Error(d)
	}
	if got := ids(&desk.NewsQuery{}); len(got) != 3 {
		t.Errorf("%d items of all time", len(got))
	}
	many := make([]news.ItemID, 0, 2100)
	for i := range 2100 {
		many = append(many, news.NewItemID("c", strconv.Itoa(i)))
	}
	if got := ids(&desk.NewsQuery{IDs: append(many, alone.Item.ID)}); len(got) != 1 {
		t.Errorf("%d of many ids", len(got))
	}
}

func newsStories(t *testing.T, s NewsStore) {
	a, b, c := storyRecord("s1", 1, "i1"), storyRecord("s2", 3, "i2", "i3"), storyRecord("s3", 3, "i4")
	noErr(t, s.KeepStories(t.Context(), []desk.StoryRecord{a, c, b}, nil))
	list := func(q *desk.StoryQuery, want ...desk.StoryRecord) {
		t.Helper()
		got, err := s.Stories(t.Context(), q)
		noErr(t, err)
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
	list(&desk.StoryQuery{}, b, c, a)
	list(&desk.StoryQuery{Since: at(2)}, b, c)
	list(&desk.StoryQuery{ID: "s1"}, a)
	list(&desk.StoryQuery{ID: "s9"})
	list(&desk.StoryQuery{Items: []news.ItemID{"i3", "i1", "unknown", "i2"}}, b, a)
	list(&desk.StoryQuery{Items: []news.ItemID{}})
	// The items of one story move into another, whatever the order.
	a.Grade = triage.A
	a.Items = append(a.Items, b.Items...)
	noErr(t, s.KeepStories(t.Context(), []desk.StoryRecord{a}, []string{"s2", "never"}))
	list(&desk.StoryQuery{}, c, a)
	c.Items, a.Items = a.Items, c.Items
	noErr(t, s.KeepStories(t.Context(), []desk.StoryRecord{a, c}, nil))
	list(&desk.StoryQuery{}, c, a)
}

func newsAllOrNothing(t *testing.T, s NewsStore) {
	good := version("a", "x", 1, 1)
	noErr(t, s.KeepNews(t.Context(), pulled("a", 1, good)))
	p := pulled("a", 9, version("a", "y", 1, 9), good)
	wantKind(t, s.KeepNews(t.Context(), p), desk.Conflict)
	got, err := s.NewsItems(t.Context(), &desk.NewsQuery{})
	noErr(t, err)
	if d := cmp.Diff([]desk.NewsVersion{good}, got); d != "" {
		t.Error(d)
	}
	states, err := s.NewsSources(t.Context())
	noErr(t, err)
	if !states["a"].Last.Equal(at(1)) {
		t.Errorf("the state is that of a pull that was not kept: %v", states["a"])
	}
	body, err := s.NewsSnapshot(t.Context(), p.Items[0].Item.Snapshot)
	noErr(t, err)
	if body != nil {
		t.Error("a snapshot was kept")
	}
}

// newsAtOnce writes from several users of the same folder, of whom one wins
// where they want the same.
func newsAtOnce(t *testing.T, open func(t *testing.T, dir string) NewsStore) {
	dir := t.TempDir()
	const users, rounds = 4, 5
	var stores []NewsStore
	for range users {
		s := open(t, dir)
		defer func() { noErr(t, s.Close()) }()
		stores = append(stores, s)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var mu sync.Mutex
	won := map[int]int{}
	var wg sync.WaitGroup
	for i, s := range stores {
		wg.Go(func() {
			for n := range rounds {
				if err := s.KeepNews(ctx, pulled(fmt.Sprint("own-", i), n, version(fmt.Sprint("own-", i), strconv.Itoa(n), 1, n))); err != nil {
					t.Errorf("own items: %v", err)
				}
				err := s.KeepNews(ctx, pulled("same", n, version("same", strconv.Itoa(n), 1, n)))
				e, isConflict := errors.AsType[*desk.Error](err)
				switch {
				case err == nil:
					mu.Lock()
					won[n]++
					mu.Unlock()
				case !isConflict || e.Kind != desk.Conflict:
					t.Errorf("the same items: %v", err)
				}
				if _, err := s.NewsItems(ctx, &desk.NewsQuery{}); err != nil {
					t.Errorf("reading: %v", err)
				}
			}
		})
	}
	wg.Wait()
	got, err := stores[0].NewsItems(ctx, &desk.NewsQuery{})
	noErr(t, err)
	if len(got) != users*rounds+rounds {
		t.Errorf("%d items, want %d", len(got), users*rounds+rounds)
	}
	for n := range rounds {
		if won[n] != 1 {
			t.Errorf("round %d had %d winners", n, won[n])
		}
	}
}
