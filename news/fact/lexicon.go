package fact

import (
	"cmp"
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/sekisho/sekisho/lang"
)

//go:embed lexicon/*.tsv
var lexiconFiles embed.FS

// term is one way to write an entry of a dictionary.
type term struct {
	text  string // folded; a space stands for a space, a hyphen or nothing
	exact string // the original must be written like this; empty for any case
	stem  bool   // any Latin ending
	entry int
}

// dictionary finds the longest terms in folded text.
type dictionary struct {
	terms map[string][]term // by the first two characters, or by the only one
	words bool              // short katakana terms are whole words too
}

func newDictionary(words bool) *dictionary {
	return &dictionary{terms: map[string][]term{}, words: words}
}

func (d *dictionary) add(alias string, entry int) {
	alias, exact := strings.CutPrefix(alias, "=")
	text, stem := strings.CutSuffix(fold(alias).text, "*")
	text = strings.TrimSpace(strings.ReplaceAll(text, "-", " "))
	if text == "" {
		return
	}
	k := key(text)
	t := term{text: text, stem: stem, entry: entry}
	if exact {
		t.exact = alias
	}
	d.terms[k] = append(d.terms[k], t)
}

// done sorts the terms so that the longest is tried first.
func (d *dictionary) done() {
	for _, list := range d.terms {
		slices.SortStableFunc(list, func(a, b term) int {
			return cmp.Or(cmp.Compare(len(b.text), len(a.text)), cmp.Compare(a.text, b.text), cmp.Compare(a.entry, b.entry))
		})
	}
}

// key returns the first two characters of s, fewer where the second is a space
// or missing.
func key(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	_, m := utf8.DecodeRuneInString(s[n:])
	if m == 0 || s[n] == ' ' || s[n] == '-' {
		return s[:n]
	}
	return s[:n+m]
}

// hit is a term in a text.
type hit struct {
	entry    int
	from, to int // in the folded text
}

// find returns the terms in f, which is folded from original, from left to
// right, the longest at each place, none inside another.
func (d *dictionary) find(f folded, original string) []hit {
	var hits []hit
	s := f.text
	for i := 0; i < len(s); {
		_, n := utf8.DecodeRuneInString(s[i:])
		best, to := -1, 0
		k := key(s[i:])
		for _, kk := range [2]string{k, s[i : i+n]} {
			for _, t := range d.terms[kk] {
				if len(t.text) < to-i {
					break // shorter than what matched
				}
				if end, ok := d.matches(t, s, i); ok && end > to && t.writtenAs(f, original, i, end) {
					best, to = t.entry, end
				}
			}
			if len(kk) == n {
				break // both keys are the same
			}
		}
		if best >= 0 {
			hits = append(hits, hit{entry: best, from: i, to: to})
			i = to
			continue
		}
		i += n
	}
	return hits
}

// writtenAs reports whether the original behind [from, to) is written as t asks.
func (t term) writtenAs(f folded, original string, from, to int) bool {
	if t.exact == "" {
		return true
	}
	at := f.original(from, to)
	return strings.HasPrefix(original[at[0]:at[1]], t.exact)
}

// matches reports whether t stands at s[i:], and where it ends.
func (d *dictionary) matches(t term, s string, i int) (int, bool) {
	first, _ := utf8.DecodeRuneInString(t.text)
	prev := before(s, i)
	// Longer katakana terms are found in compounds: マイクロソフトセキュリティ.
	whole := d.words && len(t.text) <= 4*len("ア")
	if isLatin(first) && isLatin(prev) || whole && isKatakana(first) && isKatakana(prev) {
		return 0, false
	}
	j := i
	for k := 0; k < len(t.text); k++ {
		c := t.text[k]
		if c == ' ' {
			for j < len(s) && (s[j] == ' ' || s[j] == '-') {
				j++
			}
			continue
		}
		if j >= len(s) || s[j] != c {
			return 0, false
		}
		j++
	}
	last, _ := utf8.DecodeLastRuneInString(t.text)
	switch next := after(s, j); {
	case isLatin(last) && isLatin(next):
		if t.stem {
			for isLatin(after(s, j)) {
				_, n := utf8.DecodeRuneInString(s[j:])
				j += n
			}
			return j, true
		}
		// A plural is the same word.
		if next == 's' && len(t.text) >= 3 && last >= 'a' && !isLatin(after(s, j+1)) {
			return j + 1, true
		}
		return 0, false
	case whole && isKatakana(last) && isKatakana(next):
		return 0, false
	}
	return j, true
}

// ProductName is an entry of the dictionary of products.
type ProductName struct {
	ID      string   // "windows-11"
	Vendor  string   // "Microsoft"
	Group   string   // what it is used for: os, browser, vpn, bank, ...; "vendor" for a maker as a whole
	JA, EN  string   // the name in either language
	Aliases []string // other ways to write it; a space stands for a space, a hyphen or nothing
}

type place struct{ code, ja, en string }

// kind of a word of terms.tsv.
const (
	tTechnique = "technique"
	tStatus    = "status"
	tClaim     = "claim"
	tHedge     = "hedge"
	tNegation  = "negation"
	tApprox    = "approx"
	tUnit      = "unit"
	tRole      = "role"
	tCue       = "cue"
)

// word is an entry of terms.tsv.
type word struct {
	value string
	gains bool // the attacker gains an account, a token, money or the machine
	rank  int  // its place among the entries of its type
}

// words is one type of terms.tsv.
type words struct {
	entries []word
	find    *dictionary
}

// lexicon is everything that the extractors know. It is immutable.
type lexicon struct {
	products []ProductName
	product  *dictionary
	places   []place
	place    *dictionary
	words    map[string]*words
	names    map[[2]string]lang.Text // by type and value
}

var builtin = sync.OnceValue(func() *lexicon {
	l := &lexicon{place: newDictionary(false), words: map[string]*words{}, names: map[[2]string]lang.Text{}}
	for _, r := range table("names", 4) {
		l.names[[2]string{r[0], r[1]}] = lang.Text{JA: r[2], EN: r[3]}
	}
	for _, r := range table("products", 6) {
		l.products = append(l.products, ProductName{ID: r[0], Vendor: r[1], Group: r[2], JA: r[3], EN: r[4], Aliases: strings.Split(r[5], "|")})
	}
	l.product = productDictionary(l.products)
	for i, r := range table("places", 4) {
		l.places = append(l.places, place{code: r[0], ja: r[1], en: r[2]})
		for a := range strings.SplitSeq(r[3], "|") {
			l.place.add(a, i)
		}
	}
	l.place.done()
	for _, r := range table("terms", 3) {
		w := l.words[r[0]]
		if w == nil {
			w = &words{find: newDictionary(false)}
			l.words[r[0]] = w
		}
		value, gains := strings.CutSuffix(r[1], "!")
		w.entries = append(w.entries, word{value: value, gains: gains, rank: len(w.entries)})
		for a := range strings.SplitSeq(r[2], "|") {
			w.find.add(a, len(w.entries)-1)
		}
	}
	for _, w := range l.words {
		w.find.done()
	}
	return l
})

func productDictionary(list []ProductName) *dictionary {
	d := newDictionary(true)
	for i, p := range list {
		for _, a := range p.Aliases {
			d.add(a, i)
		}
	}
	d.done()
	return d
}

// table reads a file of tab-separated columns without its comments.
func table(name string, columns int) [][]string {
	b, err := lexiconFiles.ReadFile("lexicon/" + name + ".tsv")
	if err != nil {
		panic(err) // embedded
	}
	var rows [][]string
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		row := strings.Split(line, "\t")
		if len(row) != columns {
			panic(fmt.Sprintf("fact: %s.tsv: %d columns: %q", name, len(row), line))
		}
		rows = append(rows, row)
	}
	return rows
}
