package fact

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// extractor reads one text, sentence by sentence.
type extractor struct {
	in      *Input
	lex     *lexicon
	names   []ProductName
	product *dictionary

	facts     []Fact
	index     map[identity]int
	truncated bool

	// The sentence that is being read.
	number   int
	original string
	f        folded
	used     []bool // bytes of f.text that belong to a fact
	clauses  []int  // where clauses end in f.text, ascending
	products []hit
	places   []hit
	hits     map[string][]hit
}

// identity is what two mentions of the same fact have in common.
type identity struct {
	typ             Type
	value           string
	unit            Unit
	claim           Claim
	approx          Approx
	role            Role
	place           string
	hedged, negated bool
}

// Extract returns the facts of a text. A nil o means the defaults.
func Extract(in *Input, o *Options) *Facts {
	lex := builtin()
	x := &extractor{in: in, lex: lex, names: lex.products, product: lex.product, index: map[identity]int{}}
	if o != nil && len(o.Products) > 0 {
		x.names = slices.Concat(o.Products, lex.products)
		x.product = productDictionary(x.names)
	}
	list, cut := in.sentences()
	x.truncated = cut
	for i, s := range list {
		x.read(i, s)
	}
	slices.SortStableFunc(x.facts, func(a, b Fact) int {
		e, f := a.Evidence[0], b.Evidence[0]
		return cmp.Or(cmp.Compare(e.Sentence, f.Sentence), cmp.Compare(e.Span[0], f.Span[0]))
	})
	for i := range x.facts {
		x.facts[i].ID = "f" + strconv.Itoa(i+1)
		x.facts[i].By = "extractor:" + x.facts[i].By
	}
	return &Facts{Sentences: list, List: x.facts, Truncated: x.truncated}
}

// read extracts the facts of a sentence.
func (x *extractor) read(number int, s string) {
	if s == "" {
		return
	}
	x.number, x.original, x.f = number, s, fold(s)
	x.used = make([]bool, len(x.f.text))
	x.products = x.product.find(x.f, s)
	x.places = x.lex.place.find(x.f, s)
	x.hits = make(map[string][]hit, len(x.lex.words))
	for t, w := range x.lex.words {
		x.hits[t] = w.find.find(x.f, s)
	}
	x.findClauses()

	for _, h := range x.products {
		p := x.names[h.entry]
		x.add(Fact{Type: Product, Value: p.ID, Vendor: p.Vendor, Group: p.Group, JA: p.JA, EN: p.EN, By: "product/1"}, h.from, h.to)
		x.use(h.from, h.to)
	}
	x.idents()
	x.dates()
	x.counts()
	x.statuses()
	for _, h := range x.hits[tTechnique] {
		w := x.lex.words[tTechnique].entries[h.entry]
		n := x.lex.names[[2]string{tTechnique, w.value}]
		x.add(Fact{Type: Technique, Value: w.value, Takes: w.gains, JA: n.JA, EN: n.EN, By: "technique/1"}, h.from, h.to)
	}
	for _, h := range x.places {
		p := x.lex.places[h.entry]
		if p.code == "-" {
			continue
		}
		hedged, negated := x.doubt(h)
		x.add(Fact{Type: Place, Value: p.code, Hedged: hedged, Negated: negated, JA: p.ja, EN: p.en, By: "place/1"}, h.from, h.to)
	}
	x.levels()
}

// use marks a stretch as belonging to a fact.
func (x *extractor) use(from, to int) {
	for i := from; i < to && i < len(x.used); i++ {
		x.used[i] = true
	}
}

// add keeps a fact that stands at [from, to) of the folded sentence, with others
// of the same kind and value.
func (x *extractor) add(f Fact, from, to int) {
	id := identity{f.Type, f.Value, f.Unit, f.Claim, f.Approx, f.Role, f.Place, f.Hedged, f.Negated}
	ev := Evidence{Snapshot: x.in.Snapshot, Sentence: x.number, Span: x.f.original(from, to)}
	if i, ok := x.index[id]; ok {
		if len(x.facts[i].Evidence) < maxEvidence {
			x.facts[i].Evidence = append(x.facts[i].Evidence, ev)
		}
		return
	}
	if len(x.facts) >= MaxFacts {
		x.truncated = true
		return
	}
	f.Evidence = []Evidence{ev}
	x.index[id] = len(x.facts)
	x.facts = append(x.facts, f)
}

// findClauses notes where the clauses of the sentence end.
func (x *extractor) findClauses() {
	s := x.f.text
	x.clauses = x.clauses[:0]
	for i, r := range s {
		switch r {
		case ',':
			if i+1 < len(s) && isDigit(s[i+1]) && i > 0 && isDigit(s[i-1]) {
				continue
			}
			x.clauses = append(x.clauses, i)
		case ';', '、', '。':
			x.clauses = append(x.clauses, i)
		case ' ':
			for _, w := range [...]string{" but ", " while ", " although ", " however ", " though "} {
				if strings.HasPrefix(s[i:], w) {
					x.clauses = append(x.clauses, i)
				}
			}
		}
	}
	x.clauses = append(x.clauses, len(s))
}

// clause returns the clause in which i stands.
func (x *extractor) clause(i int) (from, to int) {
	k, _ := slices.BinarySearch(x.clauses, i)
	if k > 0 {
		from = x.clauses[k-1]
	}
	if k == len(x.clauses) {
		return from, len(x.f.text)
	}
	return from, x.clauses[k]
}

// within returns the hits of type t that begin in [from, to).
func (x *extractor) within(t string, from, to int) []hit {
	list := x.hits[t]
	i, _ := slices.BinarySearchFunc(list, from, func(h hit, v int) int { return cmp.Compare(h.from, v) })
	j := i
	for j < len(list) && list[j].from < to {
		j++
	}
	return list[i:j]
}

// nearest returns the hit of list that is nearest to h and that ok accepts, or
// nil. Of two that are equally near, the later one counts, because Japanese
// puts the verb behind.
func nearest(list []hit, h hit, ok func(hit) bool) *hit {
	var best *hit
	dist := 0
	for i := range list {
		if ok != nil && !ok(list[i]) {
			continue
		}
		d := 0
		switch {
		case list[i].from >= h.to:
			d = list[i].from - h.to
		case list[i].to <= h.from:
			d = h.from - list[i].to
		}
		if best == nil || d <= dist {
			best, dist = &list[i], d
		}
	}
	return best
}

// Distances within which a word of doubt speaks of what is next to it, in bytes.
const (
	doubtBefore = 48 // English: "could be", "no evidence of"
	doubtAfter  = 90 // Japanese: 「…は確認されていません」
)

// doubt reports whether the sentence takes back what stands at h: as possible
// only, or as not so.
func (x *extractor) doubt(h hit) (hedged, negated bool) {
	from, to := x.clause(h.from)
	return x.doubtOf(tHedge, h, from, to), x.doubtOf(tNegation, h, from, to)
}

func (x *extractor) doubtOf(t string, h hit, from, to int) bool {
	for _, d := range x.within(t, from, to) {
		r, _ := utf8.DecodeRuneInString(x.f.text[d.from:])
		if r >= utf8.RuneSelf { // Japanese denies behind
			if d.to > h.to && d.from-h.to <= doubtAfter && d.from >= h.from {
				return true
			}
			continue
		}
		switch {
		case d.from >= h.to && d.from-h.to <= 16:
			// "exploitation was not observed"
			return true
		case d.to <= h.from && h.from-d.to <= doubtBefore && (h.from-d.to <= 1 || !x.otherwise(d.to)):
			return true
		}
	}
	return false
}

// otherwise reports whether a negation that ends at i denies something else:
// "not only", "who have not patched".
func (x *extractor) otherwise(i int) bool {
	s := strings.TrimPrefix(strings.TrimLeft(x.f.text[i:], " "), "yet ")
	for _, w := range [...]string{"only", "patched", "updated", "applied", "installed", "upgraded", "limited"} {
		if strings.HasPrefix(s, w) {
			return true
		}
	}
	return false
}

// statuses finds what is said about use and repair.
func (x *extractor) statuses() {
	w := x.lex.words[tStatus]
	for _, h := range x.hits[tStatus] {
		v := w.entries[h.entry].value
		n := x.lex.names[[2]string{tStatus, v}]
		f := Fact{Type: Status, Value: v, JA: n.JA, EN: n.EN, By: "status/1"}
		f.Hedged, f.Negated = x.doubt(h)
		x.add(f, h.from, h.to)
	}
}

// levels finds the words with which vendors rate a vulnerability.
func (x *extractor) levels() {
	s := x.f.text
	for _, key := range [...]string{"深刻度", "severity", "rated"} {
		for i := 0; ; {
			n := strings.Index(s[i:], key)
			if n < 0 {
				break
			}
			at := i + n
			i = at + len(key)
			x.levelNear(at, i)
		}
	}
}

var levelWords = []struct{ text, value, ja, en string }{
	{"critical", "critical", "緊急", "critical"}, {"important", "important", "重要", "important"},
	{"moderate", "moderate", "警告", "moderate"}, {"high", "high", "高", "high"}, {"medium", "medium", "中", "medium"}, {"low", "low", "低", "low"},
	{"緊急", "critical", "緊急", "critical"}, {"クリティカル", "critical", "緊急", "critical"}, {"重要", "important", "重要", "important"}, {"警告", "moderate", "警告", "moderate"},
}

func (x *extractor) levelNear(from, to int) {
	s := x.f.text
	behind := s[to:min(to+24, len(s))]
	front := window(s, from, 14)
	for _, l := range levelWords {
		if k := strings.Index(behind, l.text); k >= 0 && k <= 12 {
			x.add(Fact{Type: Level, Value: l.value, JA: l.ja, EN: l.en, By: "level/1"}, to+k, to+k+len(l.text))
			return
		}
		if k := strings.LastIndex(front, l.text); k >= 0 {
			k += from - len(front)
			x.add(Fact{Type: Level, Value: l.value, JA: l.ja, EN: l.en, By: "level/1"}, k, k+len(l.text))
			return
		}
	}
}

// cut returns at most n bytes of s, cut at a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func number(s string) float64 {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return n
}
