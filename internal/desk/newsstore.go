package desk

import (
	"context"
	"time"

	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/source"
)

// NewsStore keeps items of news with their versions, the documents that they
// were read from, the state of the sources, and stories. What is given to it and
// what it returns is not shared with it.
type NewsStore interface {
	// NewsSources returns the state of each source that was ever pulled, by id.
	NewsSources(ctx context.Context) (map[string]source.State, error)

	// KeepNews keeps what came of one pull, all or nothing. A version that is
	// not the successor of the newest one is an [*Error] of kind Conflict:
	// somebody else kept it meanwhile.
	KeepNews(ctx context.Context, p *NewsPull) error

	// NewsItems returns items by id in their newest version: those that are asked
	// for, sorted by id.
	NewsItems(ctx context.Context, q *NewsQuery) ([]NewsVersion, error)

	// NewsHistory returns all versions of an item, the first one first; none
	// for an item that is not there.
	NewsHistory(ctx context.Context, id news.ItemID) ([]NewsVersion, error)

	// NewsSnapshot returns a document as it was fetched, nil if it is not kept.
	NewsSnapshot(ctx context.Context, id string) ([]byte, error)

	// KeepStories keeps stories in place of those with the same id and removes
	// others, all or nothing. An item belongs to the story that was kept last.
	KeepStories(ctx context.Context, keep []StoryRecord, remove []string) error

	// Stories returns stories, the one with the latest item first, those of the
	// same time by id.
	Stories(ctx context.Context, q *StoryQuery) ([]StoryRecord, error)
}

// NewsPull is what came of one pull of a source.
type NewsPull struct {
	Source    string // id
	State     source.State
	Snapshots map[string][]byte // documents that the items were read from, by their name
	Items     []NewsVersion     // new ones, and new versions
}

// NewsVersion is an item in one of its versions.
type NewsVersion struct {
	Version int         `json:"version"` // from 1
	At      time.Time   `json:"at"`      // when it was read
	Item    news.Item   `json:"item"`
	Change  news.Change `json:"change"` // since the version before; zero for the first
}

// NewsQuery says which items: those of IDs if it is not nil, else those of
// which a version was read at Since or later, with all items of their stories.
type NewsQuery struct {
	IDs   []news.ItemID
	Since time.Time
}

// StoryQuery says which stories: the one with that ID if it is not empty, else
// those to which one of Items belongs if it is not nil, else those whose latest
// item is of Since or later.
type StoryQuery struct {
	ID    string
	Items []news.ItemID
	Since time.Time
}
