package grounding

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/fact"
	"github.com/sekisho/sekisho/news/sentence"
)

// check is the state of one sentence.
type check struct {
	g      *Ground
	text   string
	folded string
	lang   lang.Language
	facts  []placed
	says   []said
	parts  []clause
	st     statement
	words  []string
	used   []span // of the folded text
	advice bool
	ours   bool

	problems  []Problem
	roundings []Rounding
}

type span struct{ from, to int }

// placed is a fact with its place in the folded text.
type placed struct {
	fact.Fact
	span
}

func (g *Ground) newCheck(s string, l lang.Language) *check {
	c := &check{g: g, text: s, folded: fold(s), lang: l}
	found := fact.Extract(&fact.Input{Text: s, Published: g.published}, nil)
	from := 0
	for i, text := range found.Sentences {
		f := fold(text)
		at := strings.Index(c.folded[from:], f)
		if at < 0 || f == "" {
			continue
		}
		at += from
		for _, x := range found.List {
			for _, e := range x.Evidence {
				if e.Sentence != i || e.Span[1] > len(text) || e.Span[0] > e.Span[1] {
					continue
				}
				a := at + len(fold(text[:e.Span[0]]))
				b := at + len(fold(text[:e.Span[1]]))
				c.facts = append(c.facts, placed{x, span{a, min(b, len(c.folded))}})
			}
		}
		from = at + len(f)
	}
	c.st = newStatement(s)
	c.st.numbers = slices.DeleteFunc(numerals(c.folded), func(n numeral) bool { return c.dated(n.from) })
	c.st.numbers = c.st.numbers[:min(len(c.st.numbers), maxNumbers)]
	c.says, c.parts = c.st.says, c.st.parts
	c.words = sentence.Words(s)
	c.advice = isAdvice(c.folded)
	return c
}

func (c *check) flag(k Kind, quote, want string) {
	p := Problem{Kind: k, Quote: strings.TrimSpace(quote), Want: want}
	if !slices.Contains(c.problems, p) {
		c.problems = append(c.problems, p)
	}
}

func (c *check) use(from, to int) { c.used = append(c.used, span{from, to}) }

func (c *check) isUsed(i int) bool {
	return slices.ContainsFunc(c.used, func(s span) bool { return i >= s.from && i < s.to })
}

// hard compares what can be compared literally.
func (c *check) hard() {
	c.addresses()
	c.identifiers()
	c.dates()
	c.monthParts()
	c.times()
	c.weekdays()
	c.names()
	c.places()
	c.numbers()
	c.claims()
}

// addresses are URLs, mail addresses and hosts.
func (c *check) addresses() {
	s := c.folded
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && (isWord(s[j]) || strings.IndexByte(".-/:@?=&%+~#[]", s[j]) >= 0) {
			j++
		}
		if j == i {
			i++
			continue
		}
		word := strings.Trim(s[i:j], ".:-?/[]")
		host := strings.Contains(word, "://") || strings.Contains(word, "@") && strings.Contains(word, ".")
		if host {
			c.use(i, j)
			plain := strings.NewReplacer("hxxp", "http", "[.]", ".", "[:]", ":").Replace(word)
			if !strings.Contains(c.g.texts, plain) && !strings.Contains(c.g.own, plain) {
				c.flag(Address, word, "")
			} else if !bounded(c.g.texts, plain) && !bounded(c.g.own, plain) {
				c.flag(Address, word, "")
			}
		} else if k := strings.LastIndexByte(word, '.'); k > 0 && k < len(word)-1 && !containsDigitRun(word[k+1:]) && strings.Count(word, ".") >= 1 && strings.IndexByte(word, '/') < 0 {
			if !strings.Contains(c.g.texts, word) && !strings.Contains(c.g.own, word) && allLetters(word[k+1:]) && len(word[k+1:]) >= 2 && !standing[word] {
				c.flag(Name, word, "")
			}
		}
		i = j
	}
	for _, cue := range []string{"内線", "extension", "ext."} {
		i := strings.Index(s, cue)
		if i < 0 {
			continue
		}
		for _, n := range numerals(s) {
			if n.from >= i && n.from < i+len(cue)+8 {
				c.use(n.from, n.to)
				if !slices.ContainsFunc(c.g.ownNumber, func(o numeral) bool { return o.value == n.value }) && !bounded(c.g.texts, n.text) {
					c.flag(Address, s[i:n.to], "")
				}
			}
		}
	}
}

func allLetters(s string) bool {
	for i := range len(s) {
		if s[i] < 'a' || s[i] > 'z' {
			return false
		}
	}
	return true
}

func containsDigitRun(s string) bool { return strings.ContainsAny(s, "0123456789") }

// bounded reports whether w stands in s and is not part of a longer word or
// number there.
func bounded(s, w string) bool {
	for from := 0; w != ""; {
		i := strings.Index(s[from:], w)
		if i < 0 {
			return false
		}
		i += from
		from = i + len(w)
		before := i == 0 || !isWord(s[i-1]) && s[i-1] != '.'
		after := from == len(s) || !isWord(s[from]) && (s[from] != '.' && s[from] != '-' && s[from] != '/' || from+1 == len(s) || !isWord(s[from+1]))
		if before && after {
			return true
		}
	}
	return false
}

func (c *check) known(s string) bool { return bounded(c.g.texts, s) || bounded(c.g.own, s) }

// identifiers are what vendors number.
func (c *check) identifiers() {
	for _, f := range c.facts {
		switch f.Type {
		case fact.CVE, fact.Notice, fact.KB, fact.Build, fact.Version:
			c.use(f.from, f.to)
			if !c.known(c.folded[f.from:f.to]) && !c.known(fold(f.Value)) {
				c.flag(Identifier, c.folded[f.from:f.to], "")
				continue
			}
			c.belongs(f)
		default:
		}
	}
	for _, n := range numerals(c.folded) {
		if !n.token || c.isUsed(n.from) {
			continue
		}
		c.use(n.from, n.to)
		if !c.known(n.text) {
			c.flag(Identifier, n.text, "")
		}
	}
}

// belongs compares the product and the state beside an identifier with those of
// the source.
func (c *check) belongs(f placed) {
	mine := c.subjects(f.from)
	products := c.editions(c.folded)
	var theirs, others []string
	var line string
	for i := range c.g.sentences {
		st := &c.g.sentences[i]
		t := fold(st.text)
		for _, p := range st.parts {
			if bounded(p.text, c.folded[f.from:f.to]) {
				theirs = append(theirs, says(p.text)...)
				line = st.text
			} else if slices.ContainsFunc(st.facts, func(x fact.Fact) bool { return x.Type == f.Type && bounded(p.text, fold(x.Value)) }) {
				others = append(others, says(p.text)...)
			}
		}
		if bounded(t, c.folded[f.from:f.to]) && len(products) > 0 {
			theirs = append(theirs, c.editions(t)...)
		} else if len(products) > 0 && slices.ContainsFunc(st.facts, func(x fact.Fact) bool { return x.Type == f.Type }) {
			others = append(others, c.editions(t)...)
		}
	}
	for _, m := range append(mine, products...) {
		if len(theirs) > 0 && !slices.Contains(theirs, m) && slices.Contains(others, m) {
			c.flag(Mixed, c.folded[f.from:f.to], line)
			return
		}
	}
}

// editions are products with the number that follows: "windows server 2022".
func (c *check) editions(s string) []string {
	var out []string
	for _, n := range []string{"windows server ", "windows ", "office ", "exchange server ", "sql server "} {
		for from := 0; ; {
			i := strings.Index(s[from:], n)
			if i < 0 {
				break
			}
			from += i + len(n)
			j := from
			for j < len(s) && (isWord(s[j]) || s[j] == ' ' && j+1 < len(s) && s[j+1] >= '0' && s[j+1] <= '9') {
				j++
			}
			if j > from && s[from] >= '0' && s[from] <= '9' {
				out = append(out, n+strings.TrimSpace(s[from:j]))
			}
		}
	}
	return out
}

// says are the states and subjects of a clause.
func says(clause string) []string {
	var out []string
	for _, x := range concepts(clause) {
		if x.kind == "subject" || x.kind == "state" || x.id == "exploited" {
			out = append(out, x.mark())
		}
	}
	return out
}

func (x *said) mark() string {
	if x.negated {
		return "!" + x.id
	}
	return x.id
}

// subjects are what the clause around a place says.
func (c *check) subjects(at int) []string {
	for _, p := range c.parts {
		if at >= p.from && at < p.to {
			return says(p.text)
		}
	}
	return nil
}

// dates compares days.
func (c *check) dates() {
	for _, f := range c.facts {
		if f.Type != fact.Date {
			continue
		}
		c.use(f.from, f.to)
		if strings.HasPrefix(f.Value, "--") || f.From.IsZero() {
			if month, err := strconv.Atoi(strings.TrimPrefix(f.Value, "--")); err == nil && c.namesMonth(time.Month(month)) {
				continue
			}
			if !c.known(c.folded[f.from:f.to]) {
				c.flag(Date, c.folded[f.from:f.to], "")
			}
			continue
		}
		if !c.hasDay(f.From) || !c.hasDay(f.To) {
			if c.isMonth(f.Fact) && (c.inMonth(f.From) || !containsYear(c.folded[f.from:f.to]) && c.namesMonth(f.From.Month())) || f.From.Equal(f.To) && c.bareDay(f.From) {
				continue
			}
			// Without a year the day is the one of the source.
			if !containsYear(c.folded[f.from:f.to]) && c.sameDay(f.From) && c.sameDay(f.To) {
				continue
			}
			c.flag(Date, c.folded[f.from:f.to], "")
		}
	}
}

func (c *check) hasDay(t time.Time) bool {
	return c.g.published.Equal(t) || c.anyDate(func(f *fact.Fact) bool { return f.From.Equal(t) || f.To.Equal(t) })
}

// namesMonth reports whether a source names a month or has a day in it.
func (c *check) namesMonth(m time.Month) bool {
	if c.anyDate(func(f *fact.Fact) bool { return !f.From.IsZero() && (f.From.Month() == m || f.To.Month() == m) }) {
		return true
	}
	value := fmt.Sprintf("--%02d", m)
	return slices.ContainsFunc(c.g.sentences, func(st statement) bool {
		return slices.ContainsFunc(st.anchors, func(x anchor) bool { return x.value == value })
	})
}

// sameDay reports whether a source has a day of a month in any year.
func (c *check) sameDay(t time.Time) bool {
	is := func(o time.Time) bool { return !o.IsZero() && o.Month() == t.Month() && o.Day() == t.Day() }
	return c.anyDate(func(f *fact.Fact) bool { return is(f.From) || is(f.To) })
}

func containsYear(s string) bool {
	run := 0
	for i := range len(s) {
		if !isDigit(s[i]) {
			run = 0
			continue
		}
		if run++; run == 4 {
			return true
		}
	}
	return false
}

// bareDay reports whether a source names a day of the month of its own date
// without the month.
func (c *check) bareDay(t time.Time) bool {
	if t.Year() != c.g.published.Year() || t.Month() != c.g.published.Month() {
		return false
	}
	for from, day := 0, strconv.Itoa(t.Day())+"日"; ; {
		i := strings.Index(c.g.texts[from:], day)
		if i < 0 {
			return false
		}
		i += from
		from = i + len(day)
		if (i == 0 || !isDigit(c.g.texts[i-1]) && !strings.HasSuffix(c.g.texts[:i], "月")) && !strings.HasPrefix(c.g.texts[from:], "間") {
			return true
		}
	}
}

func (c *check) anyDate(is func(*fact.Fact) bool) bool {
	for _, list := range [][]fact.Fact{c.g.facts, c.g.ownFacts} {
		for i := range list {
			if list[i].Type == fact.Date && is(&list[i]) {
				return true
			}
		}
	}
	return false
}

var weekdays = []struct {
	ja, en string
	day    time.Weekday
}{
	{"日", "sunday", time.Sunday},
	{"月", "monday", time.Monday},
	{"火", "tuesday", time.Tuesday},
	{"水", "wednesday", time.Wednesday},
	{"木", "thursday", time.Thursday},
	{"金", "friday", time.Friday},
	{"土", "saturday", time.Saturday},
}

// WrongWeekday is a date that is written with a weekday which it does not have.
type WrongWeekday struct {
	Quote string
	Date  time.Time
}

// Weekdays returns the dates of a text whose weekday is wrong. A date without a
// year is taken to be near published; if that is zero, it is left out.
func Weekdays(text string, published time.Time) []WrongWeekday {
	g := &Ground{published: published}
	c := g.newCheck(text, lang.EN)
	return c.wrongDays()
}

func (c *check) weekdays() {
	for _, w := range c.wrongDays() {
		c.flag(Weekday, w.Quote, w.Date.Weekday().String())
	}
}

func (c *check) wrongDays() []WrongWeekday {
	type mark struct {
		at  int
		day time.Weekday
	}
	var marks []mark
	for _, w := range weekdays {
		for _, form := range []string{"(" + w.ja + ")", "(" + w.ja + "曜", w.ja + "曜日", w.en} {
			for from := 0; ; {
				i := strings.Index(c.folded[from:], form)
				if i < 0 {
					break
				}
				from += i + len(form)
				m := mark{from - len(form), w.day}
				if !slices.ContainsFunc(marks, func(x mark) bool { return x.day == m.day && max(x.at-m.at, m.at-x.at) < 3 }) {
					marks = append(marks, m)
				}
			}
		}
	}
	slices.SortFunc(marks, func(a, b mark) int { return a.at - b.at })
	var out []WrongWeekday
	for _, f := range c.facts {
		if f.Type != fact.Date || f.From.IsZero() || c.isMonth(f.Fact) {
			continue
		}
		var near []mark
		for _, m := range marks {
			if m.at >= f.from-12 && m.at <= f.to+1 {
				near = append(near, m)
			}
		}
		bad := func(m mark, t time.Time) {
			if m.day != t.Weekday() {
				out = append(out, WrongWeekday{Quote: c.folded[f.from:f.to], Date: t})
			}
		}
		switch {
		case len(near) == 0:
		case f.From.Equal(f.To):
			// The nearest one: before the date in English, behind it in Japanese.
			best := near[0]
			for _, m := range near {
				if m.at >= f.from && m.at <= f.to+1 {
					best = m
				}
			}
			bad(best, f.From)
		case len(near) >= 2:
			bad(near[0], f.From)
			bad(near[len(near)-1], f.To)
		case near[0].day != f.From.Weekday() && near[0].day != f.To.Weekday():
			bad(near[0], f.From)
		}
	}
	return out
}
