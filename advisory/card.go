package advisory

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/width"

	"github.com/sekisho/sekisho/lang"
)

// Row is a part of the card: a name and what it says, one string per line.
type Row struct {
	Label string
	Lines []string
}

// Card returns the head of a document in a language (the grade with its label and
// date, and the title) and its rows in the order in which people need
// them. words is nil for [lang.Default].
func Card(d *Document, l lang.Language, words *lang.Catalogue) (head []string, rows []Row) {
	if words == nil {
		words = lang.Default()
	}
	say := func(key string, pairs ...any) string { return words.Say(l, lang.M("advisory.card."+key, pairs...)) }
	first := string(d.Grade) + "  " + d.Label.In(l)
	if due, ok := d.DueDate(); ok {
		first += "   " + say("due") + ": " + lang.Date(l, due)
	}
	head = []string{first, d.Title.In(l)}
	add := func(label string, lines ...string) {
		if len(lines) > 0 && strings.Join(lines, "") != "" {
			rows = append(rows, Row{Label: label, Lines: lines})
		}
	}
	add(say("summary"), d.Summary.In(l))
	add(say("scope"), d.Scope.In(l))
	add(say("response"), strings.Split(d.Response.In(l), "\n")...)
	row := words.Say(l, lang.M("advisory.row", "row", d.Reason.Row))
	why := []string{grounds(l, d.Reason.Why.In(l), row)}
	if c := d.Reason.Changes.In(l); c != "" {
		why = append(why, c)
	}
	add(say("why", "grade", string(d.Grade)), why...)
	add(say("confirm"), d.Reason.Confirm.In(l))
	var sources []string
	for _, s := range d.Sources {
		line := s.line(words).In(l)
		if s.URL != "" {
			line += " " + s.URL
		}
		sources = append(sources, line)
	}
	add(say("sources"), sources...)
	var excerpts []string
	for _, e := range d.Excerpts {
		// What a source says in both languages is shown in the reader's.
		if e.Lang != l && slices.ContainsFunc(d.Excerpts, func(o Excerpt) bool { return o.Lang == l && o.Source == e.Source }) {
			continue
		}
		excerpts = append(excerpts, quoted(e.Lang, e.Text))
	}
	add(say("excerpts"), excerpts...)
	var holes []string
	for _, h := range d.Holes {
		line := h.What.In(l)
		if h.Field != "" {
			line += " (sekisho.yaml: " + h.Field + ")"
		}
		holes = append(holes, line)
	}
	add(say("holes"), holes...)
	add(say("drafts"), say("draft-list"), d.Review.In(l))
	return head, rows
}

// DueDate returns the date by which the organisation's work is done, in UTC.
func (d *Document) DueDate() (time.Time, bool) {
	t, err := time.Parse(isoDate, d.Due)
	return t, err == nil
}

func quoted(l lang.Language, s string) string {
	if l == lang.JA {
		return "「" + s + "」"
	}
	return "\"" + s + "\""
}

// columns counts the cells that a terminal gives a string: two for a wide
// character of East Asia.
func columns(s string) int {
	n := 0
	for _, r := range s {
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// CardText is the card in a language as plain text, with its names in a column.
// Lines are not wrapped: who knows the width of the terminal uses [Card]. words
// is nil for [lang.Default].
func CardText(d *Document, l lang.Language, words *lang.Catalogue) string {
	var b strings.Builder
	head, rows := Card(d, l, words)
	b.WriteString(strings.Join(head, "\n") + "\n\n")
	widest := 0
	for _, r := range rows {
		widest = max(widest, columns(r.Label))
	}
	for _, r := range rows {
		for i, line := range r.Lines {
			label := ""
			if i == 0 {
				label = r.Label
			}
			b.WriteString(label + strings.Repeat(" ", widest-columns(label)+3) + line + "\n")
		}
	}
	return b.String()
}

// Text is the whole document in a language as plain text: the card, the drafts
// in both languages, and the page for the manager. words is nil for
// [lang.Default].
func Text(d *Document, l lang.Language, words *lang.Catalogue) string {
	if words == nil {
		words = lang.Default()
	}
	var b strings.Builder
	b.WriteString(CardText(d, l, words))
	for _, ds := range [][]Draft{d.Drafts, d.Manager} {
		for _, m := range ds {
			fmt.Fprintf(&b, "\n──── %s ────\n", m.name(l, words))
			subject := lang.M("advisory.subject")
			if m.Audience == Manager {
				subject = lang.M("advisory.page-title")
			}
			fmt.Fprintf(&b, "%s: %s\n\n%s", words.Say(m.Lang, subject), m.Subject, m.BodyText)
		}
	}
	return b.String()
}

// name says for whom a draft is and in which language it is.
func (m *Draft) name(l lang.Language, words *lang.Catalogue) string {
	who := words.Say(l, lang.M("advisory.audience."+string(m.Audience)))
	in := words.Say(l, lang.M("advisory.language."+string(m.Lang)))
	if l == lang.JA {
		return who + "(" + in + ")"
	}
	return who + " (" + in + ")"
}
