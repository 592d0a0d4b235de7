package lint

import (
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/grounding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/fact"
	"github.com/sekisho/sekisho/triage"
)

// urgent words ask for something at once, whatever the situation of the reader.
var urgent = []string{"本日中", "本日まで", "今日中", "至急", "大至急", "即日", "ただちに", "直ちに", "即座に", "緊急", "immediate", "today", "at once", "right away", "asap", "urgent", "without delay"}

// conditions make an urgent word one for those who are concerned.
var conditions = []string{"該当", "場合", "気づ", "開いた", "入力した", "操作した", "いれば", "あれば", "時は", "ときは", "if ", "who ", "as soon as you notice", "concern"}

// grade finds words that contradict the grade: L01 and L02.
func (l *linter) grade(where at, kind advisory.Kind) {
	text := strings.ToLower(where.text)
	g := l.doc.Grade
	if kind == advisory.KindPriority && where.draft.Audience != advisory.Manager {
		l.priority(where)
		return
	}
	binding := kind == advisory.KindDeadline || where.line == "subject"
	if !binding || g == triage.A {
		return
	}
	for _, w := range urgent {
		i := strings.Index(text, w)
		if i < 0 || w == "緊急" && g == triage.B && where.line != "subject" {
			continue
		}
		if where.line != "subject" && conditional(text, i) {
			continue
		}
		l.report("L01", where, where.text[i:min(len(where.text), i+len(w))], "", "grade", string(g), "label", l.label())
		return
	}
}

// conditional reports whether the part of a text around a word is for those
// who are concerned.
func conditional(text string, i int) bool {
	from := 0
	for _, sep := range []string{";", "。", "、手順", "\n"} {
		if k := strings.LastIndex(text[:i], sep); k >= 0 {
			from = max(from, k)
		}
	}
	to := len(text)
	for _, sep := range []string{";", "。", "、手順"} {
		if k := strings.Index(text[i:], sep); k >= 0 {
			to = min(to, i+k)
		}
	}
	return slices.ContainsFunc(conditions, func(c string) bool { return strings.Contains(text[from:to], c) })
}

func (l *linter) label() lang.Message {
	switch l.doc.Label.JA {
	case "即日":
		return lang.M("lint.label.today")
	case "1週間以内":
		return lang.M("lint.label.week")
	case "月内に":
		return lang.M("lint.label.month")
	case "翌月10日までに":
		return lang.M("lint.label.tenth")
	case "情報共有":
		return lang.M("lint.label.info")
	}
	return lang.Literal(l.doc.Label.EN)
}

// priority compares the word for the priority with that of the grade.
func (l *linter) priority(where at) {
	_, value, ok := strings.Cut(where.text, ":")
	if !ok {
		_, value, ok = strings.Cut(where.text, "：")
	}
	value = strings.TrimSpace(value)
	want := l.words.Say(where.draft.Lang, lang.M("advisory.priority."+strings.ToLower(string(l.doc.Grade))))
	if ok && value != want {
		l.report("L02", where, value, want, "grade", string(l.doc.Grade), "want", want)
	}
}

// dates looks at the dates of a line: L03 for weekdays, and for deadlines L04
// (closed days), L05 (past) and L06 (not the dates of the decision).
func (l *linter) dates(where at, kind advisory.Kind) {
	if !strings.ContainsAny(where.text, "0123456789０１２３４５６７８９") {
		return
	}
	for _, w := range grounding.Weekdays(where.text, l.issued) {
		want := lang.Date(where.draft.Lang, w.Date)
		l.report("L03", where, w.Quote, want, "want", want)
	}
	if kind == advisory.KindDeadline {
		for _, f := range l.daysIn(where.text) {
			l.deadline(where, f)
		}
	}
	if kind == advisory.KindNumber || kind == advisory.KindItem || kind == advisory.KindText {
		for _, f := range l.daysIn(where.text) {
			if f.Role == fact.Deadline && !l.notOurs(f.To) {
				l.closed(where, f)
			}
		}
	}
}

// notOurs reports whether a date was set by others: it stands in a source.
func (l *linter) notOurs(t time.Time) bool {
	for _, s := range l.o.Sources {
		for _, f := range fact.Extract(&fact.Input{Title: s.Title, Text: s.Text, Published: s.Published}, nil).Of(fact.Date) {
			if f.To.Equal(t) {
				return true
			}
		}
	}
	return false
}

// daysIn are the days that a text names.
func (l *linter) daysIn(text string) []fact.Fact {
	var out []fact.Fact
	for _, f := range fact.Extract(&fact.Input{Text: text, Published: l.issued}, nil).Of(fact.Date) {
		if !f.To.IsZero() {
			out = append(out, f)
		}
	}
	return out
}

func (l *linter) deadline(where at, f fact.Fact) {
	t := f.To
	words := lang.Date(where.draft.Lang, t)
	if t.Before(l.today) {
		l.report("L05", where, words, "", "date", t)
		return
	}
	l.closed(where, f)
	c := l.doc.Clocks
	known := []string{l.doc.Due, c.StaffNotice, c.AdminCheck, c.SettingChange}
	for _, s := range l.doc.Steps {
		known = append(known, s.Due)
	}
	switch {
	case l.due.IsZero():
		l.report("L06", where, words, "", "date", t, "grade", string(l.doc.Grade), "label", l.label())
	case t.After(l.due), !slices.Contains(known, t.Format(time.DateOnly)):
		l.report("L06", where, words, "", "date", t, "grade", string(l.doc.Grade), "label", l.label())
	}
}

func (l *linter) closed(where at, f fact.Fact) {
	t := f.To
	if l.cal.Open(t) || t.Equal(l.due) && (l.o.DueClosed || l.doc.Grade == triage.A) || t.Equal(l.issued) && l.doc.Grade == triage.A {
		return
	}
	next := t
	for range 14 {
		if next = next.AddDate(0, 0, -1); l.cal.Open(next) {
			break
		}
	}
	l.report("L04", where, lang.Date(where.draft.Lang, t), "", "date", t, "next", next)
}

// document looks at the card: L07, and what it lacks.
func (l *linter) document() {
	d := l.doc
	card := at{line: "label"}
	days := int(l.due.Sub(l.issued).Hours() / 24)
	bad := false
	switch d.Label.JA {
	case "即日":
		bad = l.due.IsZero() || d.Grade != triage.A
	case "1週間以内":
		bad = l.due.IsZero() || days > 7
	case "月内に":
		bad = l.due.IsZero() || l.due.Month() != l.issued.Month() || l.due.Year() != l.issued.Year()
	case "翌月10日までに":
		next := l.issued.AddDate(0, 0, 1-l.issued.Day()).AddDate(0, 1, 0)
		bad = l.due.IsZero() || l.due.Month() != next.Month() || l.due.Day() > 10
	case "情報共有":
		bad = !l.due.IsZero()
	}
	if bad {
		l.report("L07", card, d.Due, "", "label", l.label())
	}
	if !l.due.IsZero() && l.due.Before(l.today) {
		l.report("L05", at{line: "due"}, d.Due, "", "date", l.due)
	}
	l.required()
	l.scope()
}
