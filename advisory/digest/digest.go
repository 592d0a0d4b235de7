// Package digest makes an issue of a numbered newsletter from items of news: a
// standing header of advice, contents, items with what their sources say, the
// updates of the period, and room for what a person has to say about it.
//
// Every sentence about a matter is either quoted from a source, which is named,
// or written by a person and held against the sources. Nothing is concluded and
// nothing is rated: the commentary is a person's, and an empty one does not
// print. What stands in the way of approval, and facts on which a person could
// comment, are listed in [Issue.Open] and [Item.Offers] and never printed.
//
// The package is pure: items, facts about updates, earlier issues and the day
// are passed in. An issue is a value that renders itself as text, Markdown,
// HTML and RSS, the same bytes each time.
package digest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/patch"
	"github.com/sekisho/sekisho/patch/calendar"
	"github.com/sekisho/sekisho/triage"
)

// Schema names the JSON form of an [Issue].
const Schema = "sekisho.digest/v1"

// Pair is something in both languages.
type Pair[T any] struct {
	JA T `json:"ja"`
	EN T `json:"en"`
}

// In returns what it is in a language.
func (p *Pair[T]) In(l lang.Language) T {
	if l == lang.JA {
		return p.JA
	}
	return p.EN
}

func (p *Pair[T]) of(l lang.Language) *T {
	if l == lang.JA {
		return &p.JA
	}
	return &p.EN
}

var languages = [...]lang.Language{lang.JA, lang.EN}

// Issue is one issue of the newsletter.
type Issue struct {
	Schema string    `json:"schema"`
	ID     string    `json:"id"` // hash of the content
	Number int       `json:"number"`
	Title  lang.Text `json:"title"` // of the newsletter
	Name   lang.Text `json:"name"`  // of the issue, by its period
	From   string    `json:"from"`  // RFC 3339 date, the first day
	To     string    `json:"to"`    // the last day
	Issued string    `json:"issued"`

	Advice  []Advice    `json:"advice"`
	Items   []Item      `json:"items"`
	Updates *Updates    `json:"updates,omitempty"`
	Missing []lang.Text `json:"missing"` // what could not be fetched or read; printed

	Open     []Open   `json:"open"` // to be settled before approval; not printed
	MadeWith MadeWith `json:"made_with"`
}

// MadeWith says how the sentences came about.
type MadeWith string

// Extractive is quoted from sources or written by a person, without a language
// model.
const Extractive MadeWith = "extractive"

// Item is a matter that an issue tells of.
type Item struct {
	Number     int           `json:"number"`
	ID         string        `json:"id"`              // of the story, or of the first item of news
	Grade      triage.Grade  `json:"grade,omitempty"` // for the organisation
	Due        string        `json:"due,omitempty"`
	Headline   Pair[Point]   `json:"headline"`
	Points     Pair[[]Point] `json:"points"`
	Sources    []Source      `json:"sources"`
	SeeAlso    []Related     `json:"see_also"`
	Commentary Commentary    `json:"commentary"`
	Offers     []Offer       `json:"offers"` // facts to comment on; not printed
	Marks      Marks         `json:"marks"`
}

// Point is a sentence about a matter.
type Point struct {
	Text     string        `json:"text"`
	Lang     lang.Language `json:"lang"`     // of the text, which may be another than that of the edition
	By       By            `json:"by"`       // who wrote it
	Source   int           `json:"source"`   // that bears it out: number in the item's sources, from 1; 0 for none
	Sentence int           `json:"sentence"` // of that source, from 1; 0 is the title, and of an editor's not said
	Cut      bool          `json:"cut"`      // the sentence goes on
	Problems []string      `json:"problems,omitempty"`
}

// By is who wrote a sentence.
type By string

// Who wrote a sentence.
const (
	BySource By = "source"
	ByEditor By = "editor"
)

// Source is a source of an item.
type Source struct {
	Title     string        `json:"title"`
	Publisher string        `json:"publisher,omitempty"`
	URL       string        `json:"url,omitempty"`
	Published string        `json:"published,omitempty"` // RFC 3339 date
	Lang      lang.Language `json:"lang"`
	Read      bool          `json:"read"`               // false: it is named, and its text was not read
	Snapshot  string        `json:"snapshot,omitempty"` // "sha256:..." of what was read
}

// Commentary is what a person has to say about a matter.
type Commentary struct {
	By lang.Text `json:"by"` // who says it
	JA string    `json:"ja"`
	EN string    `json:"en"`
}

// In returns the commentary in a language, "" for none.
func (c *Commentary) In(l lang.Language) string { return lang.Text{JA: c.JA, EN: c.EN}.In(l) }

// Offer is a fact of a source on which a person could comment.
type Offer struct {
	Kind  string    `json:"kind"` // deadline, effective, count, technique, ours, status, earlier
	Text  lang.Text `json:"text"`
	Quote string    `json:"quote,omitempty"` // the sentence of the source
}

// Open is something to settle before an issue is approved.
type Open struct {
	Code OpenCode  `json:"code"`
	Item int       `json:"item"` // number in the contents; 0 for the issue as a whole
	Text lang.Text `json:"text"`
}

// Publication is a source with its text, and what its licence allows.
type Publication struct {
	Item      *news.Item // nil: it is named, and its text was not read
	Publisher string
	Title     string // of one that was not read
	URL       string // of one that was not read
	Published time.Time
	Origin    string // country for which it speaks, or ""
	Longest   int    // longest run of characters that may be quoted; 0 for any
}

// Entry is a matter with its sources, the leading one first.
type Entry struct {
	ID      string
	Grade   triage.Grade
	Due     string
	Sources []Publication
	// Headline and Points are a person's, in place of those from the sources. A
	// language without any takes them from the sources.
	Headline lang.Text
	Points   Pair[[]string]
}

// Input is what an issue is made from.
type Input struct {
	Number   int
	Title    lang.Text // zero: the usual one
	From, To time.Time // first and last day, where the organisation is
	Now      time.Time

	Entries     []Entry
	Commentary  map[string]Commentary // by the number or the id of an item, or [ForUpdates]
	Earlier     []*Issue              // issues before this one
	Book        *patch.Book           // nil: without a part about updates
	Calendar    *calendar.Calendar
	OurProducts []string    // as the organisation names them
	Missing     []lang.Text // what could not be fetched
	LeftOut     int         // stories of the period that were not chosen
	Words       *lang.Catalogue
}

// ForUpdates is the key of the commentary on the updates.
const ForUpdates = "updates"

// Limits of an issue.
const (
	MaxItems   = 20
	MaxSources = 8   // of an item
	maxPoints  = 4   // of an item, from its sources
	maxRunes   = 240 // of a sentence that is quoted
	maxLine    = 600 // runes of anything else that is printed in one line
)

// The errors of [New].
var (
	ErrEmpty      = errors.New("digest: nothing to tell")
	ErrTooMany    = errors.New("digest: too many items")
	ErrPeriod     = errors.New("digest: the period ends before it begins")
	ErrCommentary = errors.New("digest: commentary on an item that there is not")
)

// New makes an issue.
func New(in *Input) (*Issue, error) {
	switch {
	case len(in.Entries) == 0 && in.Book == nil:
		return nil, ErrEmpty
	case len(in.Entries) > MaxItems:
		return nil, ErrTooMany
	case in.To.Before(in.From):
		return nil, ErrPeriod
	}
	w := writer{in: in, words: in.Words}
	if w.words == nil {
		w.words = lang.Default()
	}
	x := &Issue{
		Schema: Schema, Number: in.Number, Title: in.Title, Name: w.name(), From: in.From.Format(time.DateOnly), To: in.To.Format(time.DateOnly), Issued: in.Now.Format(time.DateOnly),
		Items: []Item{}, Missing: []lang.Text{}, Open: []Open{}, MadeWith: Extractive,
	}
	w.issue = x
	if x.Title == (lang.Text{}) {
		x.Title = w.say("digest.title")
	}
	x.Title = lang.Text{JA: line(x.Title.JA), EN: line(x.Title.EN)}
	x.Advice = advise(in.From, in.Earlier)
	for i := range in.Entries {
		x.Items = append(x.Items, w.item(i+1, &in.Entries[i]))
	}
	w.updates()
	if err := w.comment(); err != nil {
		return nil, err
	}
	x.Missing = append(x.Missing, in.Missing...)
	w.open()
	if len(x.Items) == 0 && x.Updates == nil {
		return nil, ErrEmpty
	}
	x.ID = x.digest()
	return x, nil
}

// digest is the hash of the content.
func (x *Issue) digest() string {
	c := *x
	c.ID = ""
	data, err := json.Marshal(&c)
	if err != nil {
		return "" // of strings and numbers alone, which can always be written
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// writer makes an issue.
type writer struct {
	in    *Input
	words *lang.Catalogue
	issue *Issue
}

func (w *writer) say(key string, pairs ...any) lang.Text {
	return w.words.Render(lang.M(key, pairs...))
}

// name calls an issue by its month if it covers one, else by its last day.
func (w *writer) name() lang.Text {
	from, to := w.in.From, w.in.To
	if from.Day() == 1 && to.AddDate(0, 0, 1).Day() == 1 && from.Month() == to.Month() && from.Year() == to.Year() {
		return w.say("digest.name", "period", lang.Text{JA: from.Format("2006年1月"), EN: from.Format("January 2006")})
	}
	return w.say("digest.name", "period", lang.Text{JA: to.Format("2006年1月2日"), EN: to.Format("2 January 2006")})
}

// comment puts a person's words where they belong.
func (w *writer) comment() error {
	used := 0
	x := w.issue
	take := func(to *Commentary, keys ...string) {
		for _, k := range keys {
			c, ok := w.in.Commentary[k]
			if !ok || k == "" {
				continue
			}
			*to = Commentary{By: lang.Text{JA: line(c.By.JA), EN: line(c.By.EN)}, JA: paragraphs(c.JA), EN: paragraphs(c.EN)}
			used++
			return
		}
	}
	for i := range x.Items {
		take(&x.Items[i].Commentary, number(x.Items[i].Number), x.Items[i].ID)
	}
	if x.Updates != nil {
		take(&x.Updates.Commentary, ForUpdates)
	}
	if used < len(w.in.Commentary) {
		return ErrCommentary
	}
	return nil
}

// line makes one line of a text of others: no control characters, nothing that
// turns the direction of text around or hides in it, and no end in sight cut.
func line(s string) string {
	if len(s) > 8*maxLine {
		s = strings.ToValidUTF8(s[:8*maxLine], "")
	}
	s = strings.Join(strings.Fields(strings.Map(visible, s)), " ")
	if r := []rune(s); len(r) > maxLine {
		s = string(r[:maxLine-1]) + "…"
	}
	return s
}

// visible drops what nobody sees.
func visible(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs), r == unicode.ReplacementChar, r >= 0xe0100 && r <= 0xe01ef:
		return -1
	}
	return r
}

// maxCommentary is how long a commentary may be, in bytes.
const maxCommentary = 8 << 10

// paragraphs keeps the line breaks of a text.
func paragraphs(s string) string {
	if len(s) > maxCommentary {
		s = strings.ToValidUTF8(s[:maxCommentary], "")
	}
	var out []string
	for l := range strings.Lines(s) {
		out = append(out, strings.Join(strings.Fields(strings.Map(visible, l)), " "))
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}
