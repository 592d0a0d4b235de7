package digest

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sekisho/sekisho/advisory/grounding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/fact"
	"github.com/sekisho/sekisho/news/sentence"
	"github.com/sekisho/sekisho/news/summary"
)

// number writes the number of an item as contents have it.
func number(n int) string { return strconv.Itoa(n) }

// item makes an item of an entry.
func (w *writer) item(n int, e *Entry) Item {
	list := e.Sources[:min(len(e.Sources), MaxSources)]
	x := Item{Number: n, ID: e.ID, Grade: e.Grade, Due: e.Due, Sources: []Source{}, SeeAlso: []Related{}, Offers: []Offer{}}
	x.Points.JA, x.Points.EN = []Point{}, []Point{}
	for i := range list {
		x.Sources = append(x.Sources, list[i].source())
	}
	// Only what a person wrote is held against it, and to make it takes time.
	ground := sync.OnceValue(func() *grounding.Ground { return grounding.New(&grounding.Options{Sources: groundsOf(list)}) })
	for _, l := range languages {
		*x.Headline.of(l) = headline(e, list, l, ground)
		*x.Points.of(l) = points(e, list, l, ground)
	}
	said := factsOf(list)
	x.Marks = marksOf(said, list)
	x.SeeAlso = w.related(&x, said)
	x.Offers = w.offers(&x, said)
	return x
}

// source is how a publication is named.
func (p *Publication) source() Source {
	s := Source{Title: line(p.Title), Publisher: line(p.Publisher), URL: address(p.URL), Lang: lang.EN}
	published := p.Published
	if it := p.Item; it != nil {
		s.Title, s.URL, s.Lang, s.Read, s.Snapshot = line(cmp.Or(p.Title, it.Title)), address(cmp.Or(p.URL, it.Link)), it.Lang, true, it.Snapshot
		if published.IsZero() {
			published = it.Published
		}
		if published.IsZero() {
			published = it.Updated
		}
	} else if s.Title != "" {
		s.Lang = news.LanguageOf(s.Title)
	}
	if !published.IsZero() {
		s.Published = published.Format(time.DateOnly)
	}
	if s.Title == "" {
		s.Title = s.URL
	}
	return s
}

// maxURL bounds an address that is printed.
const maxURL = 2000

// address returns a link that may be printed and followed, "" for any other.
func address(s string) string {
	s = strings.TrimSpace(s)
	u, err := url.Parse(s)
	if err != nil || len(s) > maxURL || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.ContainsFunc(s, hides) {
		return ""
	}
	return s
}

func hides(r rune) bool { return visible(r) != r || unicode.IsSpace(r) }

func groundsOf(list []Publication) []grounding.Source {
	var out []grounding.Source
	for i := range list {
		if it := list[i].Item; it != nil {
			out = append(out, grounding.Source{Title: it.Title, Text: it.Text, URL: it.Link, Published: firstTime(list[i].Published, it.Published)})
		}
	}
	return out
}

func firstTime(list ...time.Time) time.Time {
	for _, t := range list {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// headline is that of the editor, of the first source in the language, or of the
// first that was read.
func headline(e *Entry, list []Publication, l lang.Language, g func() *grounding.Ground) Point {
	if s := line(e.Headline.In(l)); s != "" {
		return edited(s, l, list, g())
	}
	for _, want := range []func(*Publication) bool{
		func(p *Publication) bool { return p.Item != nil && p.Item.Lang == l },
		func(p *Publication) bool { return p.Item != nil },
	} {
		if i := slices.IndexFunc(list, func(p Publication) bool { return want(&p) && line(p.Item.Title) != "" }); i >= 0 {
			return quoted(&list[i], i+1, 0, list[i].Item.Title)
		}
	}
	return Point{Text: sourceTitle(list), Lang: l, By: BySource, Source: min(1, len(list))}
}

func sourceTitle(list []Publication) string {
	if len(list) == 0 {
		return ""
	}
	return list[0].source().Title
}

// edited is a person's sentence, held against the sources.
func edited(s string, l lang.Language, list []Publication, g *grounding.Ground) Point {
	p := Point{Text: s, Lang: l, By: ByEditor}
	supported := false
	for _, r := range g.Draft(s, l) {
		for _, q := range r.Problems {
			p.Problems = append(p.Problems, strings.TrimSpace(string(q.Kind)+" "+q.Quote))
		}
		if r.By != grounding.BySource {
			continue
		}
		supported = true
		for i := range list {
			if it := list[i].Item; p.Source == 0 && it != nil && (strings.Contains(it.Text, r.Support) || strings.Contains(it.Title, r.Support)) {
				p.Source = i + 1
			}
		}
	}
	if !supported {
		p.Problems = append(p.Problems, string(grounding.Nowhere))
	}
	return p
}

// quoted is a sentence of a source, as much of it as may be quoted.
func quoted(p *Publication, number, index int, text string) Point {
	out := Point{Text: line(text), Lang: p.Item.Lang, By: BySource, Source: number, Sentence: index}
	if r := []rune(out.Text); p.Longest > 0 && len(r) > p.Longest {
		out.Text, out.Cut = cut(r, p.Longest), true
	}
	return out
}

// cut ends a text at the end of a word.
func cut(r []rune, longest int) string {
	r = r[:longest-1]
	for i := len(r) - 1; i > longest/2; i-- {
		if r[i] == ' ' || strings.ContainsRune("、。,;", r[i]) {
			r = r[:i]
			break
		}
	}
	return strings.TrimRight(string(r), " 、,;") + "…"
}

// points are those of the editor, else the sentences that say most of the
// sources in the language, else those of the other language.
func points(e *Entry, list []Publication, l lang.Language, g func() *grounding.Ground) []Point {
	out := []Point{}
	for _, s := range e.Points.In(l) {
		if s = line(s); s != "" {
			out = append(out, edited(s, l, list, g()))
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, same := range []bool{true, false} {
		for i := range list {
			if it := list[i].Item; it == nil || (it.Lang == l) != same {
				continue
			}
			for _, p := range pick(&list[i], i+1) {
				if len(out) < maxPoints && !slices.ContainsFunc(out, func(o Point) bool { return alike(o.Text, p.Text) }) {
					out = append(out, p)
				}
			}
		}
		if len(out) > 0 {
			break
		}
	}
	return out
}

// pick takes the sentences of a source that say most. Those that may be quoted
// whole come first; they stand in the order of the text.
func pick(p *Publication, number int) []Point {
	it := p.Item
	var whole, parts []Point
	for _, s := range summary.Pick(it.Title, it.Text, 3*maxPoints) {
		if n := len([]rune(s.Text)); n > maxRunes && p.Longest == 0 || within(s.Text, it.Title) || p.dateline(s.Index, s.Text) {
			continue
		}
		if q := quoted(p, number, s.Index, s.Text); q.Cut {
			parts = append(parts, q)
		} else if q.Text != "" {
			whole = append(whole, q)
		}
	}
	// summary orders by place; which of many say most is told by a smaller pick.
	best := map[int]bool{}
	for _, s := range summary.Pick(it.Title, it.Text, maxPoints) {
		best[s.Index] = true
	}
	out := slices.Concat(whole, parts)
	slices.SortStableFunc(out, func(a, b Point) int { return cmp.Compare(rank(a, best), rank(b, best)) })
	out = out[:min(len(out), maxPoints)]
	slices.SortFunc(out, func(a, b Point) int { return cmp.Compare(a.Sentence, b.Sentence) })
	return out
}

// dateline reports whether a sentence says who published when, or is a heading
// or a label and no sentence.
func (p *Publication) dateline(index int, s string) bool {
	s = strings.TrimSpace(s)
	r, _ := utf8.DecodeLastRuneInString(strings.TrimRight(s, `)」』"”’）`+"'"))
	if !strings.ContainsRune("。.!?！？…", r) {
		return true
	}
	if index > 2 {
		return false
	}
	if len(fact.Extract(&fact.Input{Text: s}, nil).Of(fact.Date)) == 0 {
		return false
	}
	return p.Publisher != "" && strings.Contains(s, p.Publisher) || len(sentence.Words(s)) < 8
}

func rank(p Point, best map[int]bool) int {
	switch {
	case p.Cut:
		return 2
	case best[p.Sentence]:
		return 0
	}
	return 1
}

// alike reports whether one of two sentences says little beyond the other.
func alike(a, b string) bool { return within(a, b) || within(b, a) }

// within reports whether a sentence says little that another does not.
func within(s, other string) bool {
	words := map[string]bool{}
	for _, x := range sentence.Words(other) {
		words[x] = true
	}
	seen := map[string]bool{}
	both := 0
	for _, x := range sentence.Words(s) {
		if !seen[x] && words[x] {
			both++
		}
		seen[x] = true
	}
	return len(seen) > 0 && both*10 >= len(seen)*8
}

// found is what the text of a publication says.
type found struct {
	source  int
	in      *fact.Input
	facts   *fact.Facts
	reading *fact.Reading
}

func factsOf(list []Publication) []found {
	var out []found
	for i := range list {
		if list[i].Item == nil {
			continue
		}
		in, f := list[i].Item.Facts(list[i].Origin, &fact.Options{})
		out = append(out, found{i + 1, in, f, fact.Read(in, f)})
	}
	return out
}
