package desk

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/story"
	"github.com/sekisho/sekisho/triage"
)

// storyWindow is how long an item takes part in new stories after it was read.
// With it come all items of its story.
const storyWindow = 90 * 24 * time.Hour

// grouping is what came of grouping and grading.
type grouping struct {
	added    int
	grades   map[triage.Grade]int // of the added ones
	reopened []StoryRecord
}

func (g *grouping) counts() []GradeCount {
	out := []GradeCount{}
	for _, grade := range []triage.Grade{triage.A, triage.B, triage.C, triage.D} {
		out = append(out, GradeCount{Grade: string(grade), N: g.grades[grade]})
	}
	return out
}

// regroup is [NewsDeps.group] where there is something to do: items came or
// changed, or the grades rest on other settings than those of today.
func (d *NewsDeps) regroup(ctx context.Context, news bool) (*grouping, error) {
	if !news {
		list, err := d.Store.Stories(ctx, &StoryQuery{Since: d.Now().Add(-storyWindow)})
		if err != nil {
			return nil, err
		}
		basis := d.basis()
		if !slices.ContainsFunc(list, func(s StoryRecord) bool { return s.Basis != basis }) {
			return &grouping{reopened: []StoryRecord{}}, nil
		}
	}
	return d.group(ctx)
}

// group joins the items of late into stories, grades what is new or changed, and
// keeps the result.
func (d *NewsDeps) group(ctx context.Context) (*grouping, error) {
	out := &grouping{grades: map[triage.Grade]int{}, reopened: []StoryRecord{}}
	versions, err := d.Store.NewsItems(ctx, &NewsQuery{Since: d.Now().Add(-storyWindow)})
	if err != nil || len(versions) == 0 {
		return out, err
	}
	items := make([]*news.Item, len(versions))
	byID := make(map[news.ItemID]*NewsVersion, len(versions))
	ids := make([]news.ItemID, len(versions))
	for i := range versions {
		items[i], ids[i] = &versions[i].Item, versions[i].Item.ID
		byID[ids[i]] = &versions[i]
	}
	old, err := d.Store.Stories(ctx, &StoryQuery{Items: ids})
	if err != nil {
		return nil, err
	}
	stories := story.Cluster(items, nil)
	names := stableIDs(stories, old)
	was := make(map[string]*StoryRecord, len(old))
	for i := range old {
		was[old[i].ID] = &old[i]
	}
	basis := d.basis()
	var keep []StoryRecord
	for i := range stories {
		s := &stories[i]
		prev := was[names[s.ID]]
		delete(was, names[s.ID])
		rec, err := d.gradeStory(s, names, byID, prev, basis)
		if err != nil {
			return nil, err
		}
		if rec == nil {
			continue // as it was
		}
		keep = append(keep, *rec)
		switch {
		case prev == nil:
			out.added++
			out.grades[rec.Grade]++
		case rec.Reopened != nil && rec.Reopened.At.Equal(rec.GradedAt) && (prev.Reopened == nil || !prev.Reopened.At.Equal(rec.Reopened.At)):
			out.reopened = append(out.reopened, *rec)
		}
	}
	return out, d.Store.KeepStories(ctx, keep, slices.Sorted(maps.Keys(was)))
}

// stableIDs gives stories the names under which they are known. A story is named
// after its first item; if one comes that was published before, the story keeps
// the name that people have seen.
func stableIDs(stories []story.Story, old []StoryRecord) map[string]string {
	free := make(map[string]bool, len(old))
	of := map[news.ItemID]string{}
	for i := range old {
		free[old[i].ID] = true
		for _, it := range old[i].Items {
			of[it.ID] = old[i].ID
		}
	}
	names := make(map[string]string, len(stories))
	for i := range stories {
		if id := stories[i].ID; free[id] {
			names[id] = id
			free[id] = false
		}
	}
	for i := range stories {
		s := &stories[i]
		if names[s.ID] != "" {
			continue
		}
		names[s.ID] = s.ID
		shared := map[string]int{}
		for _, it := range s.Items {
			if id := of[it]; free[id] {
				shared[id]++
			}
		}
		if len(shared) > 0 {
			best := slices.MaxFunc(slices.Sorted(maps.Keys(shared)), func(a, b string) int { return cmp.Compare(shared[a], shared[b]) })
			names[s.ID] = best
			free[best] = false
		}
	}
	return names
}

// gradeStory makes the record of a story from the one before, nil for a new
// one. It returns nil if nothing changed.
func (d *NewsDeps) gradeStory(s *story.Story, names map[string]string, byID map[news.ItemID]*NewsVersion, prev *StoryRecord, basis string) (*StoryRecord, error) {
	lead := &byID[s.Lead].Item
	rec := &StoryRecord{
		Schema: StorySchema, ID: names[s.ID], Title: lead.Title, Lang: lead.Lang, Link: lead.Link, CVEs: s.CVEs, First: s.First, Last: s.Last,
		Sources: []string{}, Items: []StoryItem{}, Links: s.Links, Roundup: s.Roundup, Basis: basis,
	}
	for _, id := range s.Related {
		rec.Related = append(rec.Related, cmp.Or(names[id], id))
	}
	for _, id := range s.Items {
		v := byID[id]
		rec.Items = append(rec.Items, StoryItem{ID: id, Version: v.Version, Source: v.Item.Source, Lead: id == s.Lead})
		rec.Sources = append(rec.Sources, v.Item.Source)
		// A feed without dates: when it was read.
		if rec.First.IsZero() || rec.Last.IsZero() {
			rec.First, rec.Last = v.At, v.At
		}
	}
	slices.Sort(rec.Sources)
	rec.Sources = slices.Compact(rec.Sources)
	if prev == nil {
		return rec, d.grade(rec, byID)
	}
	cause, came := d.reason(rec, prev, byID)
	if cause == nil && !came {
		rec.take(prev)
		if rec.same(prev) {
			return nil, nil
		}
		return rec, nil
	}
	if err := d.grade(rec, byID); err != nil {
		return nil, err
	}
	if cause == nil {
		if rec.Grade == prev.Grade {
			rec.take(prev) // one more report of the same
			return rec, nil
		}
		cause = &Reopened{Cause: ItemCame, Item: rec.GradedBy}
	}
	if cause.Cause == OrgChanged && rec.Grade == prev.Grade && rec.Row == prev.Row {
		rec.take(prev)
		rec.Basis = basis
		return rec, nil
	}
	cause.At, cause.Was = rec.GradedAt, prev.Grade
	rec.Reopened = cause
	// An edit does not move a deadline that stands.
	if rec.Grade == prev.Grade && prev.Due != "" && prev.Due >= d.Now().Format(time.DateOnly) && prev.Due < rec.Due {
		rec.Due, rec.Label = prev.Due, prev.Label
	}
	return rec, nil
}

// take takes over a grade that stands.
func (s *StoryRecord) take(prev *StoryRecord) {
	s.Grade, s.Label, s.Due, s.Row, s.Why, s.Confirm = prev.Grade, prev.Label, prev.Due, prev.Row, prev.Why, prev.Confirm
	s.GradedBy, s.GradedAt, s.Reopened, s.Basis = prev.GradedBy, prev.GradedAt, prev.Reopened, prev.Basis
}

// same reports whether a record says the same as the one before.
func (s *StoryRecord) same(prev *StoryRecord) bool {
	return s.Title == prev.Title && s.Link == prev.Link && slices.Equal(s.Items, prev.Items) && slices.Equal(s.CVEs, prev.CVEs) &&
		slices.Equal(s.Related, prev.Related) && s.Roundup == prev.Roundup && slices.Equal(s.Links, prev.Links)
}

// reason says why a story has to be graded anew, nil if nothing that is known
// changed. came reports that an item is in it that was not.
func (d *NewsDeps) reason(rec, prev *StoryRecord, byID map[news.ItemID]*NewsVersion) (why *Reopened, came bool) {
	graded := make(map[news.ItemID]int, len(prev.Items))
	for _, it := range prev.Items {
		graded[it.ID] = it.Version
	}
	for _, it := range rec.Items {
		was, known := graded[it.ID]
		v := byID[it.ID]
		switch {
		case !known:
			came = true
		case it.Version > was && (v.Change.Material || it.Version > was+1):
			return &Reopened{Cause: ItemChanged, Item: it.ID, Fields: v.Change.Fields}, came
		}
		delete(graded, it.ID)
	}
	if prev.Basis != rec.Basis {
		return &Reopened{Cause: OrgChanged}, came
	}
	return nil, came || len(graded) > 0
}

// grade grades each item of a story; the most urgent one decides, and of equals
// the leading one.
func (d *NewsDeps) grade(rec *StoryRecord, byID map[news.ItemID]*NewsVersion) error {
	deps := &AdviseDeps{Facts: d.Facts, Words: d.Words, Now: d.Now, Table: d.Table}
	var best *Triage
	for _, it := range rec.Items {
		item := &byID[it.ID].Item
		t, err := Grade(item, d.source(item.Source).Origin, nil, deps)
		if err != nil {
			return err
		}
		if best == nil || t.Decision.Grade < best.Decision.Grade || t.Decision.Grade == best.Decision.Grade && it.Lead {
			best, rec.GradedBy = t, it.ID
		}
	}
	dec := best.Decision
	rec.Grade, rec.Label, rec.Row, rec.GradedAt, rec.Due = dec.Grade, dec.Label, dec.Row, d.Now().UTC(), ""
	if !dec.Due.IsZero() {
		rec.Due = dec.Due.Format(time.DateOnly)
	}
	render := func(list []lang.Message) []lang.Text {
		var out []lang.Text
		for _, m := range list {
			out = append(out, d.words().Render(m))
		}
		return out
	}
	rec.Why, rec.Confirm = render(dec.Why()), render(dec.ToConfirm())
	return nil
}
