package match

import "slices"

// Index is what a [Set] needs of many texts: it tells which of them a pattern
// can match at all, without asking each.
type Index struct {
	set   *Set
	texts int
	any   bitset             // literals that are anywhere
	place map[int32][2]int32 // by literal: from where to where in where
	where []int32            // the texts that have it
}

// Index looks at texts that are ready to be asked. ok is false where the budget
// of one has run out.
func (s *Set) Index(texts []*Scan) (x *Index, ok bool) {
	x = &Index{set: s, texts: len(texts), any: newBitset(len(s.literals))}
	type hit struct{ literal, text int32 }
	var hits []hit
	for i, t := range texts {
		if !t.look() {
			return nil, false
		}
		t.found.all(func(l int32) {
			x.any.add(l)
			hits = append(hits, hit{l, int32(i)})
		})
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return int(a.literal - b.literal) })
	x.where, x.place = make([]int32, len(hits)), map[int32][2]int32{}
	from := 0
	for i, h := range hits {
		x.where[i] = h.text
		if i+1 == len(hits) || hits[i+1].literal != h.literal {
			x.place[h.literal] = [2]int32{int32(from), int32(i + 1)}
			from = i + 1
		}
	}
	return x, true
}

// of returns the texts that have a literal.
func (x *Index) of(l int32) []int32 {
	if !x.any.has(l) {
		return nil
	}
	p := x.place[l]
	return x.where[p[0]:p[1]]
}

// Candidates visits each text that the pattern at place i may match; one may be
// visited more than once. It reports whether it could tell: a pattern that needs
// no literal may match any.
func (x *Index) Candidates(i int, visit func(text int)) bool {
	if l := x.set.only[i]; l >= 0 {
		for _, t := range x.of(l) {
			visit(int(t))
		}
		return true
	}
	c := &x.set.compiled[i]
	if c.need == nil {
		return false
	}
	// Each choice must be there: the rarest tells most.
	var best []int32
	least := -1
	for _, choice := range c.need {
		n := 0
		for _, l := range choice {
			n += len(x.of(l))
		}
		if least < 0 || n < least {
			best, least = choice, n
		}
		if n == 0 {
			return true
		}
	}
	for _, l := range best {
		for _, t := range x.of(l) {
			visit(int(t))
		}
	}
	return true
}
