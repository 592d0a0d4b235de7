// Package advisory writes what a graded item of news or a finding means for the
// organisation: a card for who decides, and drafts of the mails to staff and to
// administrators, in Japanese and in English.
//
// A text is a template of a [Catalogue] with facts in its slots. Everything
// that is a number, a date, an identifier, a product or a command comes in as a
// [Value], which knows its words in both languages, so that the two say the
// same. Each line of a template has an id and exists in both languages. What is
// to be done comes from a dictionary of actions, and which actions an attack
// asks for from a dictionary of techniques: an advisory about stolen tokens
// never recommends a second factor that the attack walks through.
//
// What the organisation did not say is a visible [Hole] and never a guess. No
// language model is involved, and nothing is sent: a document is a draft that a
// person reviews.
package advisory

import (
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/triage"
)

// Schema names the JSON form of a [Document].
const Schema = "sekisho.advisory/v1"

// Input is what an advisory is made from.
type Input struct {
	Decision *triage.Decision
	Subject  Subject
	Org      *org.Facts // nil: nothing is known of the organisation
	Sources  []Source
	Excerpts []Excerpt

	Template  string          // key of the template; "" to choose by kind and techniques
	Catalogue *Catalogue      // nil: [Default]
	Words     *lang.Catalogue // nil: [lang.Default]
}

// Subject is what is known of the matter itself.
type Subject struct {
	Title      lang.Text // zero: the template's
	Techniques []string  // ids of the technique dictionary
	Lure       Words     // what a mail poses as: 行動規範違反の通知 / code of conduct notice
	Counts     []Count
	Share      Share // zero: none
	Seen       Period
	CVEs       []string
	Products   []Product

	// Checked is the day on which our own mailboxes were searched without a hit;
	// zero if nobody searched.
	Checked time.Time

	// Slots are further facts by the name that the template gives them. They
	// come before those above.
	Slots map[string]Value
}

// Product is a product, with the update that mends it.
type Product struct {
	Name    Words
	Version string // fixed in this version
	KB      string // number of Microsoft's article, such as KB5055523
	Build   string // build after the update
}

// Source is where the facts come from.
type Source struct {
	Title     string `json:"title"`
	Publisher string `json:"publisher,omitempty"`
	URL       string `json:"url,omitempty"`
	Published string `json:"published,omitempty"` // RFC 3339 date
	Own       bool   `json:"own,omitempty"`       // what was found in the organisation's own mail; it has no publisher
}

// Excerpt is a sentence of a source, quoted in its own language.
type Excerpt struct {
	Lang   lang.Language `json:"lang"`
	Text   string        `json:"text"`
	Source int           `json:"source"` // index in Sources
}

// Audience is for whom a draft is.
type Audience string

// The audiences.
const (
	Staff   Audience = "staff"
	Admin   Audience = "admin"
	Manager Audience = "manager"
)

// MadeWith says how the sentences came about.
type MadeWith string

// Extractive is a template filled with facts, without a language model.
const Extractive MadeWith = "extractive"

// Document is an advisory: the card, the drafts and what they rest on.
type Document struct {
	Schema   string       `json:"schema"`
	ID       string       `json:"id"` // hash of the content: the same facts on the same day give the same document
	Template string       `json:"template"`
	Issued   string       `json:"issued"` // RFC 3339 date
	Grade    triage.Grade `json:"grade"`
	Label    lang.Text    `json:"label"`
	Priority lang.Text    `json:"priority"`
	Due      string       `json:"due,omitempty"` // RFC 3339 date; none for grade D
	Clocks   Clocks       `json:"clocks"`
	Reason   Reason       `json:"reason"`

	Title    lang.Text `json:"title"`
	Summary  lang.Text `json:"summary"`  // 一言でいうと
	Scope    lang.Text `json:"scope"`    // 影響範囲
	Response lang.Text `json:"response"` // 該当時の対応: the core steps, numbered
	Steps    []Step    `json:"steps"`

	Excerpts []Excerpt `json:"excerpts,omitempty"`
	Sources  []Source  `json:"sources"`
	Drafts   []Draft   `json:"drafts"`  // staff ja, staff en, admin ja, admin en
	Manager  []Draft   `json:"manager"` // one A4 page each, ja and en
	Review   lang.Text `json:"review"`  // the note that a person must read it first

	Facts        []Fact     `json:"facts"` // every value that a text shows
	Holes        []Missing  `json:"holes"`
	Roundings    []Rounding `json:"roundings"`
	Untranslated []string   `json:"untranslated"` // words that stand in both languages as one of them had them
	Techniques   []string   `json:"techniques"`
	Lint         []Remark   `json:"lint"`
	MadeWith     MadeWith   `json:"made_with"`
}

// Clocks are the dates for each audience, RFC 3339, empty for grade D.
type Clocks struct {
	StaffNotice   string `json:"staff_notice,omitempty"`
	AdminCheck    string `json:"admin_check,omitempty"`
	SettingChange string `json:"setting_change,omitempty"`
}

// Reason is why the grade is what it is.
type Reason struct {
	Row     string            `json:"row"`   // such as "R30+V4"
	Facts   map[string]string `json:"facts"` // decision points
	Why     lang.Text         `json:"why"`
	Changes lang.Text         `json:"changes"` // what would move the grade
	Confirm lang.Text         `json:"confirm"` // what was assumed; empty if nothing
}

// Step is one thing to do. Its number is the same in both languages.
type Step struct {
	ID       string    `json:"id"` // of the action
	Text     lang.Text `json:"text"`
	Note     lang.Text `json:"note"`
	Due      string    `json:"due,omitempty"`   // RFC 3339 date; empty for at once or no date
	Now      bool      `json:"now,omitempty"`   // at once, whatever the grade
	Found    bool      `json:"found,omitempty"` // at once if anybody is affected
	Core     bool      `json:"core,omitempty"`
	Commands []string  `json:"commands,omitempty"`

	date time.Time
	plan lang.Text // in plain words
}

// Kind is the form of a line in a draft.
type Kind string

// The kinds of lines.
const (
	KindReview   Kind = "review"
	KindGreeting Kind = "greeting"
	KindHeading  Kind = "heading"
	KindText     Kind = "text"
	KindItem     Kind = "item"   // of an unnumbered list
	KindNumber   Kind = "number" // a numbered request or step
	KindNote     Kind = "note"   // belongs to the number above
	KindCommand  Kind = "command"
	KindPriority Kind = "priority"
	KindDeadline Kind = "deadline"
	KindSource   Kind = "source"
	KindContact  Kind = "contact"
)

// Line is one line of a draft. The drafts of an audience have the same ids in
// the same order in both languages.
type Line struct {
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	Text string `json:"text"`
	URL  string `json:"url,omitempty"` // of a source
}

// Draft is a mail, or a page for the manager.
type Draft struct {
	Audience Audience      `json:"audience"`
	Lang     lang.Language `json:"lang"`
	Subject  string        `json:"subject"`
	BodyText string        `json:"body_text"`
	BodyHTML string        `json:"body_html"` // a fragment with inline styles, to paste into a mail
	Lines    []Line        `json:"lines"`
}

// Fact is a value that a text shows, with its words.
type Fact struct {
	Slot  string    `json:"slot"`
	Type  string    `json:"type"`  // count.people, share, period, date, words, name, list, ...
	Words lang.Text `json:"words"` // as the card and the administrators' mail have it
}

// Missing is a hole that is left in the texts.
type Missing struct {
	Field string    `json:"field,omitempty"` // the setting that would fill it; empty for a fact of the matter
	What  lang.Text `json:"what"`
}

// Remark is what the linter says of a document.
type Remark struct {
	Rule     string        `json:"rule"`
	Severity string        `json:"severity"` // error, warning, note
	Audience Audience      `json:"audience,omitempty"`
	Lang     lang.Language `json:"lang,omitempty"`
	Line     string        `json:"line,omitempty"` // id of the line
	Message  lang.Text     `json:"message"`
}

// Draft returns the draft for an audience in a language, nil if there is none.
func (d *Document) Draft(a Audience, l lang.Language) *Draft {
	for _, ds := range [][]Draft{d.Drafts, d.Manager} {
		for i := range ds {
			if ds[i].Audience == a && ds[i].Lang == l {
				return &ds[i]
			}
		}
	}
	return nil
}
