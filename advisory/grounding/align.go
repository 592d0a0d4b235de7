package grounding

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/fact"
)

// view is a sentence as it is compared.
type view struct {
	folded string
	marks  []mark
	ids    map[string]bool
	stems  map[string]bool
	grams  map[string]bool // pairs of characters
	breaks []int           // where phrases begin
}

func newView(text string) view {
	v := view{folded: fold(text), ids: map[string]bool{}, stems: map[string]bool{}, grams: map[string]bool{}}
	v.marks = marksOf(v.folded)
	for i := range v.marks {
		for _, id := range v.marks[i].ids {
			v.ids[id] = true
		}
	}
	for _, p := range phrasesOf(v.folded) {
		v.breaks = append(v.breaks, p.from)
	}
	for _, w := range plainWords(v.folded) {
		v.stems[w.word] = true
	}
	for _, g := range pairs(v.folded) {
		v.grams[g] = true
	}
	return v
}

// pairs are the pairs of neighbouring characters of a text, without spaces and
// hiragana.
func pairs(s string) []string {
	var out []string
	last := -1
	for i, r := range s {
		if r == ' ' || r >= 'ぁ' && r <= 'ん' || strings.ContainsRune("、。,.()「」", r) {
			last = -1
			continue
		}
		if last >= 0 {
			out = append(out, s[last:i+utf8.RuneLen(r)])
		}
		last = i
	}
	return out
}

// has reports whether a sentence speaks of what a mark stands for.
func (v *view) has(m *mark) bool {
	for _, id := range m.ids {
		if v.ids[id] {
			return true
		}
	}
	if !m.japanese {
		if len(m.ids) > 0 {
			return v.stems[stem(m.word)]
		}
		return v.stems[m.word] || len(m.word) > 4 && strings.Contains(v.folded, m.word)
	}
	if strings.Contains(v.folded, m.word) {
		return true
	}
	if len(m.ids) > 0 {
		return false
	}
	all := pairs(m.word)
	n := 0
	for _, p := range all {
		if v.grams[p] {
			n++
		}
	}
	return n > 0 && 2*n >= len(all)
}

// weights of marks by their kind.
var kindWeight = map[string]float64{"word": 1, "thing": 1, "act": 1, "do": 0.7, "soft": 0.5}

// alignment is a sentence of a draft beside those of the sources.
type alignment struct {
	c       *check
	v       *view
	weight  []float64 // of the marks
	known   []bool    // whether any sentence of a source has it
	cover   []float64 // by each sentence of the sources, from 0 to 1
	best    int
	total   float64
	in      [][]bool    // by mark and sentence: whether it has it
	clauses [][]float64 // by sentence, see inClause
	phrases []phraseOf  // of the sentence
}

func (c *check) align() *alignment {
	v := newView(c.text)
	a := &alignment{c: c, v: &v, best: -1}
	n := len(c.g.sentences)
	a.weight, a.known, a.cover = make([]float64, len(v.marks)), make([]bool, len(v.marks)), make([]float64, n)
	a.in, a.clauses, a.phrases = make([][]bool, len(v.marks)), make([][]float64, n), phrasesOf(v.folded)
	for k := range v.marks {
		m := &v.marks[k]
		a.in[k] = make([]bool, n)
		df := 0
		for i := range n {
			if c.g.sentences[i].view.has(m) {
				a.in[k][i] = true
				df++
			}
		}
		a.known[k] = df > 0
		a.weight[k] = kindWeight[m.kind]
		if df > 0 {
			a.weight[k] *= math.Log(1+float64(n)/float64(df)) / math.Log(1+float64(n))
		}
		if !a.comparable(m, df > 0) {
			a.weight[k] *= 0.2
		}
		a.total += a.weight[k]
	}
	for i := range n {
		sum := 0.0
		for k := range v.marks {
			switch {
			case a.in[k][i]:
				sum += a.weight[k]
			case i > 1 && a.in[k][i-1], i+1 < n && i > 0 && a.in[k][i+1]:
				sum += 0.4 * a.weight[k]
			}
		}
		a.cover[i] = sum + 1.5*float64(c.shared(&c.g.sentences[i]))
		if a.best < 0 || a.cover[i] > a.cover[a.best] {
			a.best = i
		}
	}
	return a
}

// comparable reports whether it means anything that the sources don't have a mark:
// words that no lexicon has cannot be found in another language.
func (a *alignment) comparable(m *mark, known bool) bool {
	return known || len(m.ids) > 0 || a.c.g.langs[a.c.lang] && m.japanese == (a.c.lang == lang.JA)
}

// shared counts the numbers, dates, identifiers and names that a sentence of a
// source shares with the sentence.
func (c *check) shared(st *statement) int {
	n := 0
	for i := range c.facts {
		f := &c.facts[i]
		if f.Type == fact.Count || f.Type == fact.Status || f.Type == fact.Technique || f.Type == fact.Level {
			continue
		}
		if slices.ContainsFunc(st.facts, func(x fact.Fact) bool { return x.Type == f.Type && x.Value == f.Value }) {
			n++
		}
	}
	for i := range c.st.numbers {
		x := &c.st.numbers[i]
		if c.isUsed(x.from) || x.value == 1 {
			continue
		}
		if slices.ContainsFunc(st.numbers, func(y numeral) bool {
			return y.percent == x.percent && (y.value == x.value || x.rounds(y.value, x.percent))
		}) {
			n++
		}
	}
	return n
}
