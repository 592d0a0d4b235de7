// Package lesson makes a short lesson of an advisory or of a mail that was
// caught: what happened, what a mail of that kind looks like and what gives it
// away, one rule to remember, and a quiz of three questions, in Japanese and
// English.
//
// A lesson goes to everybody and may hang on a wall. It therefore shows nothing
// of the mail as it was: the picture is one of our own, and of a real subject
// only those words come through that are in a list of ordinary words, so that
// no name of a person, no address and no link of anybody can. Nothing in a
// lesson is a link.
package lesson

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/lang"
)

// Schema names the JSON form of a [Lesson].
const Schema = "sekisho.lesson/v1"

// ErrTopic is returned for a topic that there is not.
var ErrTopic = errors.New("lesson: no such topic")

// Lesson is a lesson with its quiz.
type Lesson struct {
	Schema string    `json:"schema"`
	ID     string    `json:"id"` // hash of the content
	Topic  string    `json:"topic"`
	Issued string    `json:"issued"` // RFC 3339 date
	Title  lang.Text `json:"title"`
	What   lang.Text `json:"what"`

	// Occasion is why this lesson comes now: what an advisory says in one line,
	// or that such a mail came to us. It may be zero.
	Occasion lang.Text   `json:"occasion,omitzero"`
	Seen     *Seen       `json:"seen,omitempty"`
	Mock     Mock        `json:"mock"`
	Tells    []lang.Text `json:"tells"`
	Rule     lang.Text   `json:"rule"`
	Steps    []lang.Text `json:"steps"` // what to do; the last one is how to report
	Quiz     []Question  `json:"quiz"`
	Holes    []Hole      `json:"holes,omitempty"`
}

// Seen is what may be shown of a mail that came to us.
type Seen struct {
	Subject string `json:"subject,omitempty"` // its ordinary words, the others as [Veil]
	Link    string `json:"link,omitempty"`    // the form of its link, such as "hxxps://●●●[.]com/●●●"
	File    string `json:"file,omitempty"`    // the kind of a file, such as "●●●.html"
}

// Mock is a picture of a mail of the kind, in words of our own.
type Mock struct {
	From    lang.Text `json:"from" yaml:"from"`
	Subject lang.Text `json:"subject" yaml:"subject"`
	Lines   []Line    `json:"lines" yaml:"lines"`
	Button  *Line     `json:"button,omitempty" yaml:"button"`
}

// Line is a line of a [Mock].
type Line struct {
	JA   string `json:"ja" yaml:"ja"`
	EN   string `json:"en" yaml:"en"`
	Tell int    `json:"tell,omitempty" yaml:"tell"` // number of what gives it away, from 1; 0 for none
}

// In returns the line in a language.
func (x Line) In(l lang.Language) string { return lang.Text{JA: x.JA, EN: x.EN}.In(l) }

// Question is a question of the quiz.
type Question struct {
	Text    lang.Text   `json:"text"`
	Choices []lang.Text `json:"choices"`
	Answer  int         `json:"answer"` // place in Choices
	Why     lang.Text   `json:"why"`
}

// Hole is a fact of the organisation that is missing.
type Hole struct {
	Field string    `json:"field"` // the setting in sekisho.yaml
	What  lang.Text `json:"what"`
}

// Input is what a lesson is made from.
type Input struct {
	Topic    string // key of the topic; see [Catalogue.Topics]
	Issued   time.Time
	Occasion lang.Text // of an advisory that was reviewed; shown defanged
	Seen     *Seen     // of a mail; see [SeenOf]

	// Report is how staff report a suspicious mail; zero if the organisation
	// did not say, which is then a hole.
	Report lang.Text
}

// Write makes a lesson. It returns [ErrTopic] for a topic that there is not.
func (c *Catalogue) Write(in *Input) (*Lesson, error) {
	i := slices.IndexFunc(c.topics, func(t topic) bool { return t.Key == in.Topic })
	if i < 0 {
		return nil, ErrTopic
	}
	t := &c.topics[i]
	out := &Lesson{
		Schema: Schema, Topic: t.Key, Issued: in.Issued.Format(time.DateOnly), Title: t.Title, What: t.What, Seen: in.Seen,
		Mock: t.Mock, Tells: slices.Clone(t.Tells), Rule: t.Rule, Steps: slices.Clone(t.Steps),
		Occasion: lang.Text{JA: defang(in.Occasion.JA), EN: defang(in.Occasion.EN)},
	}
	report := in.Report
	if report == (lang.Text{}) {
		h := Hole{Field: "organisation.report", What: lang.Text{JA: "不審なメールの報告方法", EN: "how to report suspicious mail"}}
		out.Holes = append(out.Holes, h)
		report = lang.Text{JA: "不審なメールの報告方法: 【要記入: " + h.What.JA + "】", EN: "To report suspicious mail: [FILL IN: " + h.What.EN + "]"}
	}
	out.Steps = append(out.Steps, report)
	for _, q := range t.Quiz {
		out.Quiz = append(out.Quiz, q.question())
	}
	out.ID = out.digest()
	return out, nil
}

// digest is the hash of the content.
func (l *Lesson) digest() string {
	c := *l
	c.ID = ""
	data, err := json.Marshal(&c)
	if err != nil {
		return "" // of strings and numbers alone, which can always be written
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// Letter names the place of a choice.
func Letter(i int) string { return string(rune('A' + i)) }

// defang takes what could be a link out of a text: schemes, hosts and
// addresses.
func defang(s string) string {
	var b strings.Builder
	for i, word := range splitWords(s) {
		if i%2 == 0 {
			word = defangWord(word)
		}
		b.WriteString(word)
	}
	return b.String()
}
