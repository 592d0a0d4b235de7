package desk

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/source"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/triage"
)

// NewsDeps is what the use cases about news need from outside.
type NewsDeps struct {
	Store   NewsStore
	Fetch   Fetcher // nil: offline
	Sources []source.Source
	Facts   org.Facts
	Words   *lang.Catalogue // nil: the built-in one
	Now     func() time.Time
	Table   *triage.Table // nil: the built-in one

	Sleep    func(ctx context.Context, d time.Duration) error // between attempts; nil: waits
	Progress func(done, total int)                            // sources that were read; may be nil
}

func (d *NewsDeps) words() *lang.Catalogue {
	if d.Words == nil {
		return lang.Default()
	}
	return d.Words
}

func (d *NewsDeps) sleep(ctx context.Context, wait time.Duration) error {
	if d.Sleep != nil {
		return d.Sleep(ctx, wait)
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// source returns the source of that id. For what a person added it has no more
// than the id.
func (d *NewsDeps) source(id string) source.Source {
	if i := slices.IndexFunc(d.Sources, func(s source.Source) bool { return s.ID == id }); i >= 0 {
		return d.Sources[i]
	}
	name := id
	if id == addedSource {
		t := d.words().Render(lang.M("news.added"))
		return source.Source{ID: id, Name: source.Text(t)}
	}
	return source.Source{ID: id, Name: source.Text{JA: name, EN: name}}
}

// basis names by a hash what the grades rest on beside the news.
func (d *NewsDeps) basis() string {
	f := &d.Facts
	h := sha256.New()
	for _, x := range []any{f.Products, f.Banks, f.Domains, f.RejectDirectSend, f.Country} {
		fmt.Fprintf(h, "%v\n", x)
	}
	h.Write(triage.DefaultText())
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// SourceSchema names the JSON form of a [SourceRecord].
const SourceSchema = "sekisho.news-source/v1"

// SourceRecord is a source of news with its state.
type SourceRecord struct {
	Schema string    `json:"schema"`
	ID     string    `json:"id"`
	Name   lang.Text `json:"name"`
	URL    string    `json:"url"`
	On     bool      `json:"on"` // asked without being named
	Reuse  string    `json:"reuse"`
	Terms  string    `json:"terms,omitempty"`

	Health     source.Health `json:"health"`
	Message    lang.Text     `json:"message"`
	Last       *time.Time    `json:"last,omitempty"`      // when it was asked
	LastGood   *time.Time    `json:"last_good,omitempty"` // when it could be read
	Next       *time.Time    `json:"next,omitempty"`      // when it will be asked again
	MissedFrom *time.Time    `json:"missed_from,omitempty"`
	Detail     string        `json:"detail,omitempty"` // of the last failure

	Pull *PullRecord `json:"pull,omitempty"` // what came of this pull
}

// PullRecord is what came of the pull of one source.
type PullRecord struct {
	Outcome source.Outcome `json:"outcome"` // "waiting" for one that was not due
	Items   int            `json:"items"`
	New     int            `json:"new"`
	Changed int            `json:"changed"`
	Defects []lang.Text    `json:"defects,omitempty"`
}

func (d *NewsDeps) sourceRecord(s *source.Source, st source.State) SourceRecord {
	now := d.Now()
	r := SourceRecord{
		Schema: SourceSchema, ID: s.ID, Name: lang.Text(s.Name), URL: s.URL, On: s.On, Reuse: string(s.Reuse.Class), Terms: s.Reuse.Terms,
		Health: st.Health(now), Message: d.words().Render(st.Message(now)), Last: timeOf(st.Last), LastGood: timeOf(st.LastGood), Detail: st.Detail,
	}
	if from, _, any := st.Missed(now); any {
		r.MissedFrom = timeOf(from)
	}
	if !s.On && st.First.IsZero() {
		r.Health, r.Message = source.Disabled, d.words().Render(lang.M("news.health.disabled"))
	}
	if s.On && !st.Last.IsZero() {
		_, next := st.Due(now, s.Interval())
		r.Next = timeOf(next)
	}
	return r
}

// ListSources returns all sources with their state, those that are asked first.
func ListSources(ctx context.Context, deps *NewsDeps) ([]SourceRecord, error) {
	states, err := deps.Store.NewsSources(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]SourceRecord, 0, len(deps.Sources))
	for i := range deps.Sources {
		out = append(out, deps.sourceRecord(&deps.Sources[i], states[deps.Sources[i].ID]))
	}
	slices.SortStableFunc(out, func(a, b SourceRecord) int {
		rank := func(r SourceRecord) int {
			if r.On {
				return 0
			}
			return 1
		}
		return cmp.Compare(rank(a), rank(b))
	})
	return out, nil
}

// NewsFilter says which stories to list. What is zero lets all through.
type NewsFilter struct {
	Since  time.Time // of the latest item
	Grades []triage.Grade
	Source string // id of a source of one of the items
}

// ListNews returns stories, the most urgent grade first, then by date, then the
// newest first. gaps are the sources whose news may be missing: those that were
// never read, and those that fail.
func ListNews(ctx context.Context, f *NewsFilter, deps *NewsDeps) (list []StoryRecord, gaps []SourceRecord, err error) {
	if f.Source != "" && f.Source != addedSource && !slices.ContainsFunc(deps.Sources, func(s source.Source) bool { return s.ID == f.Source }) {
		return nil, nil, deps.noSource(f.Source)
	}
	all, err := deps.Store.Stories(ctx, &StoryQuery{Since: f.Since})
	if err != nil {
		return nil, nil, err
	}
	list = slices.DeleteFunc(all, func(s StoryRecord) bool {
		return len(f.Grades) > 0 && !slices.Contains(f.Grades, s.Grade) || f.Source != "" && !slices.Contains(s.Sources, f.Source)
	})
	slices.SortStableFunc(list, func(a, b StoryRecord) int {
		return cmp.Or(cmp.Compare(a.Grade, b.Grade), cmp.Compare(a.Due, b.Due), b.Last.Compare(a.Last))
	})
	sources, err := ListSources(ctx, deps)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range sources {
		if s.On && (s.Health == source.Unknown || s.MissedFrom != nil) {
			gaps = append(gaps, s)
		}
	}
	return list, gaps, nil
}

func (d *NewsDeps) noSource(id string) error {
	ids := make([]string, 0, len(d.Sources))
	for _, s := range d.Sources {
		ids = append(ids, s.ID)
	}
	return &Error{Kind: NotFound, Message: lang.M("news.error.source", "id", id), Hint: lang.M("news.hint.source", "ids", ids)}
}
