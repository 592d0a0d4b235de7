// Package grounding asks of each sentence of a draft what bears it out: a
// sentence of a source, something that the organisation told, or a standing
// phrase of the catalogue.
//
// Numbers, dates, identifiers, names, places, addresses and what is claimed of
// them are compared in a normalised form, so that a draft in Japanese can be held
// against an article in English. Honest rounding ("92 %" as "about 90%" or 約9割)
// is accepted and noted.
//
// Beyond such hard facts each sentence is laid beside those of the sources, by the
// words of a lexicon of both languages, and by its own words where the languages are
// the same. Signs are gathered that it is not borne out: something of which no source
// speaks, the opposite said of the same, a doubt that is gone, a date that belongs to
// something else, all where the source has some. They are weighed together, and a
// sentence is flagged where enough speaks against it.
//
// The check proves presence and not truth: much that no source says passes, and only
// a reader sees what a sentence insinuates. There is no model behind it; its work
// grows with the length of the draft times that of the sources, which are bounded.
package grounding

import (
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/fact"
	"github.com/sekisho/sekisho/news/sentence"
)

// Limits on what is compared.
const (
	MaxSources  = 20       // further ones are left out
	MaxSource   = 64 << 10 // bytes of a source
	MaxSentence = 2000     // bytes of a sentence of a draft

	maxSaid    = 80 // concepts of a sentence
	maxNumbers = 60 // numbers of a sentence
)

// Source is a text on which a draft rests.
type Source struct {
	Title     string
	Text      string
	URL       string
	Published time.Time // for dates without a year; zero if not known
}

// Options are what a draft may rest on.
type Options struct {
	Sources []Source

	// Own are texts of our own that need no source: what the organisation told, the
	// dates of the policy, the facts that a person confirmed.
	Own []string

	// Phrases are standing sentences, whose {slots} hold what has to be checked.
	Phrases []lang.Text
}

// Kind says what is wrong with a sentence.
type Kind string

// The kinds of problems.
const (
	Number     Kind = "number"     // not in any source
	Unit       Kind = "unit"       // counts something else in the source
	Percent    Kind = "percent"    // no such share
	Date       Kind = "date"       // not in any source
	Weekday    Kind = "weekday"    // is not the weekday of its date
	Identifier Kind = "identifier" // CVE, KB, build, version or number of an advisory
	Name       Kind = "name"       // product, vendor or organisation
	Place      Kind = "place"      // country
	Address    Kind = "address"    // URL, mail address, extension
	Claim      Kind = "claim"      // stronger than the source
	Certainty  Kind = "certainty"  // a doubt became a certainty
	Opposite   Kind = "opposite"   // the source says the contrary
	Mixed      Kind = "mixed"      // belongs to something else in the source
	Elsewhere  Kind = "elsewhere"  // the words of the source seem to belong to something else
	Scope      Kind = "scope"      // all or only, which the source does not say
	Ours       Kind = "ours"       // about ourselves, and nobody told it
	Nowhere    Kind = "nowhere"    // nothing of it is in a source
)

// Hard reports whether a problem rests on a number, a name or another thing that
// can be compared literally, and not on the meaning of words.
func (k Kind) Hard() bool {
	switch k {
	case Number, Unit, Percent, Date, Weekday, Identifier, Name, Place, Address, Claim:
		return true
	default:
		return false
	}
}

// Problem is something in a sentence that nothing bears out.
type Problem struct {
	Kind  Kind
	Quote string // the words of the draft
	Want  string // what the source has instead; empty if nothing
}

// By is what bears a sentence out.
type By string

// What may bear a sentence out. The zero value is nothing.
const (
	BySource By = "source"
	ByOwn    By = "own"    // what the organisation told
	ByPhrase By = "phrase" // standing advice, a greeting
)

// Rounding is a number that a draft has less exactly than the source.
type Rounding struct {
	Exact string
	Shown string
}

// Result is what is known of a sentence.
type Result struct {
	Sentence  string
	By        By
	Support   string // the sentence of the source or the phrase
	Problems  []Problem
	Roundings []Rounding
}

// Ground is an index over what drafts may rest on. It is immutable and safe for
// concurrent use.
type Ground struct {
	sentences []statement
	texts     string // all sources, folded
	own       string // folded
	phrases   []phrase
	published time.Time
	numbers   []numeral
	ownNumber []numeral
	facts     []fact.Fact
	ownFacts  []fact.Fact
	romaji    string
	langs     map[lang.Language]bool
}

// statement is a sentence of a source.
type statement struct {
	text  string
	says  []said
	facts []fact.Fact
	parts []clause

	numbers []numeral // without those of dates and identifiers
	before  []said    // what the sentence before says
	view    view
	anchors []anchor
}

// count reads the numbers of a sentence that are no part of a date or an
// identifier.
func (st *statement) count(index int, facts []fact.Fact) {
	folded := fold(st.text)
	var used []span
	for _, f := range facts {
		switch f.Type {
		case fact.Date, fact.CVE, fact.KB, fact.Build, fact.Version, fact.Notice:
		default:
			continue
		}
		for _, e := range f.Evidence {
			if e.Sentence == index && e.Span[1] <= len(st.text) && e.Span[0] <= e.Span[1] {
				used = append(used, span{len(fold(st.text[:e.Span[0]])), len(fold(st.text[:e.Span[1]]))})
			}
		}
	}
	for _, t := range clocks(folded) {
		used = append(used, t.span)
	}
	for _, n := range numerals(folded) {
		if len(st.numbers) == maxNumbers {
			return
		}
		if !slices.ContainsFunc(used, func(s span) bool { return n.from >= s.from && n.from < s.to }) {
			st.numbers = append(st.numbers, n)
		}
	}
}

// New builds the index.
func New(o *Options) *Ground {
	g := &Ground{langs: map[lang.Language]bool{}}
	if o == nil {
		return g
	}
	var all []string
	for _, s := range o.Sources[:min(len(o.Sources), MaxSources)] {
		if len(s.Text) > MaxSource {
			s.Text = strings.ToValidUTF8(s.Text[:MaxSource], "")
		}
		in := &fact.Input{Title: s.Title, Text: s.Text, Published: s.Published}
		found := fact.Extract(in, nil)
		if in.Published.IsZero() {
			if in.Published = firstDay(found); !in.Published.IsZero() {
				found = fact.Extract(in, nil)
			}
		}
		if g.published.IsZero() {
			g.published = in.Published
		}
		g.facts = append(g.facts, found.List...)
		for i, text := range found.Sentences {
			st := newStatement(text)
			for _, f := range found.List {
				if slices.ContainsFunc(f.Evidence, func(e fact.Evidence) bool { return e.Sentence == i }) {
					st.facts = append(st.facts, f)
				}
			}
			st.count(i, found.List)
			st.anchors = anchorsOf(st.facts, st.numbers, func(f *fact.Fact) int {
				for _, e := range f.Evidence {
					if e.Sentence == i {
						return len(fold(text[:min(e.Span[0], len(text))]))
					}
				}
				return 0
			})
			st.anchors = append(st.anchors, looseDates(st.view.folded, in.Published)...)
			if i > 1 && containsAny(st.view.folded, []string{"同日", "同じ日", "same day", "that day"}) {
				for _, a := range g.sentences[len(g.sentences)-1].anchors {
					if a.kind == "date" && len(st.anchors) < maxAnchors {
						st.anchors = append(st.anchors, anchor{a.kind, a.value, 0})
					}
				}
			}
			g.numbers = append(g.numbers, st.numbers...)
			if i > 1 {
				st.before = g.sentences[len(g.sentences)-1].says
			}
			g.sentences = append(g.sentences, st)
		}
		all = append(all, s.Title, s.Text, s.URL)
		g.langs[languageOf(s.Title+s.Text)] = true
	}
	joined := strings.Join(all, "\n")
	g.texts = fold(joined)
	g.romaji = romaji(joined)
	own := strings.Join(o.Own, "\n")
	g.own = fold(own)
	g.ownNumber = numerals(g.own)
	g.ownFacts = fact.Extract(&fact.Input{Text: own, Published: g.published}, nil).List
	for _, p := range o.Phrases {
		for _, text := range []string{p.JA, p.EN} {
			if x, ok := newPhrase(text); ok {
				g.phrases = append(g.phrases, x)
			}
			for _, s := range sentence.Split(text) {
				if x, ok := newPhrase(s.Text); ok {
					g.phrases = append(g.phrases, x)
				}
			}
		}
	}
	return g
}

// firstDay is the first date of a text that names its year.
func firstDay(found *fact.Facts) time.Time {
	for _, f := range found.Of(fact.Date) {
		if !f.From.IsZero() && f.From.Equal(f.To) {
			return f.From
		}
	}
	return time.Time{}
}

func newStatement(text string) statement {
	st := statement{text: text, says: concepts(fold(text)), parts: clauses(text), view: newView(text)}
	st.says = st.says[:min(len(st.says), maxSaid)]
	return st
}

// fold brings texts into one form: width, case, dashes.
func fold(s string) string {
	s = strings.ToLower(norm.NFKC.String(strings.ToValidUTF8(s, "")))
	return strings.NewReplacer("‐", "-", "‑", "-", "–", "-", "—", "-", "−", "-", "〜", "~", "’", "'").Replace(s)
}

// Draft returns the results for a text, sentence by sentence.
func (g *Ground) Draft(text string, l lang.Language) []Result {
	var out []Result
	for _, s := range sentence.Split(text) {
		out = append(out, g.Check(s.Text, l))
	}
	return out
}

// Check returns what is known of one sentence of a draft in language l.
func (g *Ground) Check(s string, l lang.Language) Result {
	if len(s) > MaxSentence {
		s = strings.ToValidUTF8(s[:MaxSentence], "")
	}
	s = strings.TrimSpace(norm.NFKC.String(s))
	r := Result{Sentence: s}
	if s == "" || isGreeting(s) {
		r.By = ByPhrase
		return r
	}
	if p, slots, ok := g.phrase(s); ok {
		r.By, r.Support = ByPhrase, p
		for _, slot := range slots {
			c := g.newCheck(slot, l)
			c.hard()
			r.Problems = append(r.Problems, c.problems...)
			r.Roundings = append(r.Roundings, c.roundings...)
		}
		return r
	}
	c := g.newCheck(s, l)
	c.hard()
	best := c.meaning()
	r.Problems, r.Roundings = c.problems, c.roundings
	switch {
	case c.ours && len(c.problems) == 0:
		r.By = ByOwn
	case best != "":
		r.By, r.Support = BySource, best
	case c.advice:
		r.By = ByPhrase
	}
	return r
}

// greetings open a mail and state nothing.
func isGreeting(s string) bool {
	f := fold(s)
	for _, g := range []string{"お疲れさま", "お疲れ様", "各位", "いつもご協力", "お世話になって", "dear ", "hello", "hi ", "good morning"} {
		if strings.HasPrefix(f, g) && len(s) < 160 && !strings.ContainsAny(f, "0123456789") {
			return true
		}
	}
	for _, g := range []string{"皆さま", "皆様", "の方へ", "担当者様", "お疲れさまです。", "お疲れ様です。", "お知らせです。", "ご協力をお願いします。", "よろしくお願いします。", "よろしくお願いいたします。"} {
		if strings.HasSuffix(f, g) && len(s) < 100 {
			return true
		}
	}
	return false
}

func languageOf(s string) lang.Language {
	n, all := 0, 0
	for _, r := range s[:min(len(s), 4000)] {
		all++
		if r >= 0x3040 && r <= 0x30ff || r >= 0x4e00 && r <= 0x9fff {
			n++
		}
	}
	if n*8 > all {
		return lang.JA
	}
	return lang.EN
}
