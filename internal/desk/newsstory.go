package desk

import (
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/story"
	"github.com/sekisho/sekisho/triage"
)

// StorySchema names the JSON form of a [StoryRecord].
const StorySchema = "sekisho.story/v1"

// StoryRecord is a story with its grade: one matter, whoever reported it.
type StoryRecord struct {
	Schema string        `json:"schema"`
	ID     string        `json:"id"`
	Title  string        `json:"title"` // of its leading item
	Lang   lang.Language `json:"lang"`
	Link   string        `json:"link,omitempty"`

	Grade    triage.Grade `json:"grade"`
	Label    lang.Text    `json:"label"`
	Due      string       `json:"due,omitempty"` // RFC 3339 date; none for grade D
	Row      string       `json:"row"`           // of the decision table
	Why      []lang.Text  `json:"why"`
	Confirm  []lang.Text  `json:"confirm,omitempty"` // what was assumed because nobody said
	GradedBy news.ItemID  `json:"graded_by"`         // the item that gave the grade, the most urgent one
	GradedAt time.Time    `json:"graded_at"`
	Reopened *Reopened    `json:"reopened,omitempty"` // the last time that it was graded anew

	CVEs    []string     `json:"cves,omitempty"`
	First   time.Time    `json:"first"` // time of the first item
	Last    time.Time    `json:"last"`
	Sources []string     `json:"sources"` // ids, sorted
	Items   []StoryItem  `json:"items"`   // by time, the leading one marked
	Links   []story.Link `json:"links,omitempty"`
	Roundup bool         `json:"roundup"`           // one item about many stories
	Related []string     `json:"related,omitempty"` // ids of stories

	Basis string `json:"basis"` // hash of what the organisation said of itself and of the decision table when it was graded
}

// StoryItem is an item of a story, in the version that was graded.
type StoryItem struct {
	ID      news.ItemID `json:"id"`
	Version int         `json:"version"`
	Source  string      `json:"source"`
	Lead    bool        `json:"lead"`
}

// Reopened says why a story was graded anew.
type Reopened struct {
	At     time.Time    `json:"at"`
	Cause  Cause        `json:"cause"`
	Was    triage.Grade `json:"was"`
	Item   news.ItemID  `json:"item,omitempty"`   // that changed or came
	Fields []string     `json:"fields,omitempty"` // of the item that changed
}

// Cause is why a story is graded anew.
type Cause string

// The causes.
const (
	ItemChanged Cause = "changed"      // an item changed in what it says
	ItemCame    Cause = "came"         // an item came that gives another grade
	OrgChanged  Cause = "organisation" // the organisation or the decision table changed
)
