package desk

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
)

// StoryDetailSchema names the JSON form of a [StoryDetail].
const StoryDetailSchema = "sekisho.story-detail/v1"

// StoryDetail is a story with all that is kept of it.
type StoryDetail struct {
	Schema     string         `json:"schema"`
	Story      StoryRecord    `json:"story"`
	Items      []ItemDetail   `json:"items"`
	Advisories []AdvisoryNote `json:"advisories"` // that were written about it, the first one first
}

// ItemDetail is an item of a story with its versions.
type ItemDetail struct {
	ID         news.ItemID     `json:"id"`
	Source     string          `json:"source"`
	SourceName lang.Text       `json:"source_name"`
	Title      string          `json:"title"`
	Link       string          `json:"link,omitempty"`
	Published  *time.Time      `json:"published,omitempty"`
	Lead       bool            `json:"lead"`
	Grades     bool            `json:"grades"` // it gave the grade
	Reuse      string          `json:"reuse,omitempty"`
	Versions   []VersionDetail `json:"versions"` // the first one first
}

// VersionDetail is a version of an item.
type VersionDetail struct {
	Version  int       `json:"version"`
	At       time.Time `json:"at"` // when it was read
	Snapshot string    `json:"snapshot"`
	Fields   []string  `json:"fields,omitempty"` // what changed since the version before
	Material bool      `json:"material"`         // so that the story was graded anew
	Added    []string  `json:"added,omitempty"`
	Removed  []string  `json:"removed,omitempty"`
}

// AdvisoryNote names an advisory that was kept.
type AdvisoryNote struct {
	ID      string    `json:"id"`
	Version int       `json:"version"`
	At      time.Time `json:"at"`
	Grade   string    `json:"grade"`
	Due     string    `json:"due,omitempty"`
}

// findStory returns a story by its id, or by the beginning of one.
func findStory(ctx context.Context, id string, store NewsStore) (*StoryRecord, error) {
	list, err := store.Stories(ctx, &StoryQuery{ID: id})
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, &Error{Kind: NotFound, Message: lang.M("news.error.story", "id", id), Hint: lang.M("news.hint.story")}
	}
	return &list[0], nil
}

// IsStoryID reports whether s is written like the id of a story.
func IsStoryID(s string) bool {
	if len(s) != 17 || s[0] != 's' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if (s[i] < '0' || s[i] > '9') && (s[i] < 'a' || s[i] > 'f') {
			return false
		}
	}
	return true
}

// ShowNews returns a story with its items, their versions and what was written
// about it.
func ShowNews(ctx context.Context, id string, advisories AdvisoryStore, deps *NewsDeps) (*StoryDetail, error) {
	s, err := findStory(ctx, id, deps.Store)
	if err != nil {
		return nil, err
	}
	out := &StoryDetail{Schema: StoryDetailSchema, Story: *s, Items: []ItemDetail{}, Advisories: []AdvisoryNote{}}
	for _, it := range s.Items {
		versions, err := deps.Store.NewsHistory(ctx, it.ID)
		if err != nil {
			return nil, err
		}
		if len(versions) == 0 {
			continue
		}
		last := &versions[len(versions)-1].Item
		src := deps.source(it.Source)
		d := ItemDetail{
			ID: it.ID, Source: it.Source, SourceName: lang.Text(src.Name), Title: last.Title, Link: last.Link, Published: timeOf(last.Published),
			Lead: it.Lead, Grades: it.ID == s.GradedBy, Reuse: string(src.Reuse.Class), Versions: []VersionDetail{},
		}
		for i := range versions {
			v := &versions[i]
			d.Versions = append(d.Versions, VersionDetail{
				Version: v.Version, At: v.At.UTC(), Snapshot: v.Item.Snapshot, Fields: v.Change.Fields, Material: v.Change.Material, Added: v.Change.Added, Removed: v.Change.Removed,
			})
		}
		out.Items = append(out.Items, d)
	}
	written, err := advisories.Advisories(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	for _, r := range written {
		out.Advisories = append(out.Advisories, AdvisoryNote{ID: r.Document.ID, Version: r.Version, At: r.At.UTC(), Grade: string(r.Document.Grade), Due: r.Document.Due})
	}
	return out, nil
}

// StoryInput makes the input of [Advise] from a story: its items, the one that
// gave the grade first, then the leading one.
func StoryInput(ctx context.Context, id string, deps *NewsDeps) (*AdviseInput, *StoryRecord, error) {
	s, err := findStory(ctx, id, deps.Store)
	if err != nil {
		return nil, nil, err
	}
	items, err := storyItems(ctx, s, deps)
	if err != nil {
		return nil, nil, err
	}
	if len(items) == 0 {
		return nil, nil, &Error{Kind: NotFound, Message: lang.M("news.error.story", "id", id), Hint: lang.M("news.hint.story")}
	}
	in := &AdviseInput{Items: items, Origin: deps.source(items[0].Source).Origin}
	for i := range items {
		it := &items[i]
		name := deps.source(it.Source).Name
		switch {
		case it.Source == addedSource: // nobody said who published it
			it.Source = ""
		case it.Lang == lang.JA:
			it.Source = name.JA
		default:
			it.Source = name.EN
		}
	}
	return in, s, nil
}

// storyItems returns the items of a story, the deciding ones first.
func storyItems(ctx context.Context, s *StoryRecord, deps *NewsDeps) ([]news.Item, error) {
	rank := map[news.ItemID]int{}
	ids := make([]news.ItemID, 0, len(s.Items))
	for i, it := range s.Items {
		ids = append(ids, it.ID)
		rank[it.ID] = i + 2
		switch {
		case it.ID == s.GradedBy:
			rank[it.ID] = 0
		case it.Lead:
			rank[it.ID] = 1
		}
	}
	versions, err := deps.Store.NewsItems(ctx, &NewsQuery{IDs: ids})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(versions, func(a, b NewsVersion) int { return cmp.Compare(rank[a.Item.ID], rank[b.Item.ID]) })
	items := make([]news.Item, 0, len(versions))
	for i := range versions {
		items = append(items, versions[i].Item)
	}
	return items, nil
}

// AdvisedItems returns the items that an advisory was written from, if it was
// kept, else none.
func AdvisedItems(ctx context.Context, advisory string, advisories AdvisoryStore, deps *NewsDeps) ([]news.Item, error) {
	r, err := advisories.Advisory(ctx, advisory)
	if err != nil || r == nil {
		return nil, err
	}
	list, err := deps.Store.Stories(ctx, &StoryQuery{ID: r.Subject})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return storyItems(ctx, &list[0], deps)
}
