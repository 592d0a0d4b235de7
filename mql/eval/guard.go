package eval

import (
	"cmp"
	"slices"

	"github.com/sekisho/sekisho/mql/syntax"
	"github.com/sekisho/sekisho/mql/value"
)

// guard is what a rule cannot be true without, as far as it is known at once
// whether it is so: most rules are told to be false by what other rules asked
// before, and need not be looked at.
type guard struct {
	conditions [maxGuards]int32 // slots of conditions, -1 for none
	field      int32            // slot of a field that must be one of some words, -1 for none
	words      *value.List
	word       string // the word, if words is nil
	loop       bool   // it is in indexes of Rules
}

const maxGuards = 4

// newGuard finds the guard of a rule once all slots are given.
func newGuard(root *cell) guard {
	g := guard{field: -1}
	n := 0
	for i := range g.conditions {
		g.conditions[i] = -1
	}
	var visit func(c *cell)
	visit = func(c *cell) {
		if l, ok := c.node.(*logicNode); ok && l.and {
			for _, a := range l.args {
				visit(a)
			}
		}
		if c.slot >= 0 {
			if n < maxGuards {
				g.conditions[n] = c.slot
				n++
			}
			return
		}
		if g.field >= 0 {
			return
		}
		switch x := c.node.(type) {
		case *compareNode:
			if x.x != nil && x.x.slot >= 0 {
				g.field, g.word = x.x.slot, x.word
			}
		case *inNode:
			if k, ok := x.set.node.(constant); ok && x.x.slot >= 0 && !x.fold {
				if l := k.v.List(); l != nil {
					if _, ok := l.Has(""); ok {
						g.field, g.words = x.x.slot, l
					}
				}
			}
		}
	}
	visit(root)
	return g
}

// fails reports whether it is known that the rule is false.
func (g *guard) fails(r *Run) bool {
	for _, slot := range g.conditions {
		if slot < 0 {
			break
		}
		if s := &r.memo[slot]; s.ok && s.v.IsFalse() {
			return true
		}
	}
	if g.field < 0 {
		return false
	}
	s := &r.memo[g.field]
	if !s.ok {
		return false
	}
	text, ok := s.v.Str()
	if !ok {
		return false
	}
	if g.words != nil {
		has, _ := g.words.Has(text)
		return !has
	}
	return text != g.word
}

// An index tells for a field of the items of an array, such as the domain of the
// links, which rules need it to be one of some words in any item: the words of a
// message then name the rules that can be true, and all others are told to be
// false at once.
type index struct {
	array, field *cell
	words        map[string][]int32 // the rules that need a word
	rules        []int32            // all of them
}

// Which arrays are read for an index: those that some rules need, which name
// some words each.
const (
	minIndexed = 4
	maxWords   = 500
)

// needed is a choice of a field of an item and its words.
type needed struct {
	field *cell
	words []string
}

// neededOf returns what an item must be for the body of a loop to be true: one
// of these. It is nil if that is not known.
func neededOf(body *cell) []needed {
	switch n := body.node.(type) {
	case *compareNode:
		if n.op == syntax.OpEq && n.x != nil && isItemField(n.x) {
			return []needed{{n.x, []string{n.word}}}
		}
	case *inNode:
		k, ok := n.set.node.(constant)
		if !ok || n.fold || !isItemField(n.x) {
			return nil
		}
		l := k.v.List()
		if _, ok := l.Has(""); !ok || l.Len() > maxWords {
			return nil
		}
		out := needed{field: n.x}
		for _, item := range l.Items() {
			s, _ := item.Str()
			out.words = append(out.words, s)
		}
		return []needed{out}
	case *logicNode:
		var out []needed
		for _, a := range n.args {
			one := neededOf(a)
			switch {
			case n.and && one != nil && (out == nil || count(one) < count(out)):
				out = one
			case !n.and && one == nil:
				return nil
			case !n.and:
				out = append(out, one...)
			}
		}
		return out
	}
	return nil
}

func count(list []needed) (n int) {
	for _, x := range list {
		n += len(x.words)
	}
	return n
}

// newIndexes indexes the rules that one of their conditions allows to.
func newIndexes(rules []rule) []*index {
	type key struct{ array, field int32 }
	type entry struct {
		rule  int32
		array *cell
		need  []needed
	}
	var entries []entry
	uses := map[key]int{}
	for i := range rules {
		best := entry{rule: int32(i)}
		var visit func(c *cell)
		visit = func(c *cell) {
			switch n := c.node.(type) {
			case *logicNode:
				if n.and {
					for _, a := range n.args {
						visit(a)
					}
				}
			case *loopNode:
				if n.kind != "any" || n.body == nil || n.array.reads != 0 || !isChain(n.array) {
					return
				}
				if need := neededOf(n.body); need != nil && (best.need == nil || count(need) < count(best.need)) {
					best.array, best.need = n.array, need
				}
			}
		}
		visit(rules[i].root)
		if best.need == nil {
			continue
		}
		entries = append(entries, best)
		for _, n := range best.need {
			uses[key{best.array.id, n.field.id}]++
		}
	}
	all := map[key]*index{}
	var out []*index
	for _, e := range entries {
		if slices.ContainsFunc(e.need, func(n needed) bool { return uses[key{e.array.id, n.field.id}] < minIndexed }) {
			continue
		}
		rules[e.rule].guard.loop = true
		for _, n := range e.need {
			k := key{e.array.id, n.field.id}
			x := all[k]
			if x == nil {
				x = &index{array: e.array, field: n.field, words: map[string][]int32{}}
				all[k] = x
				out = append(out, x)
			}
			x.rules = append(x.rules, e.rule)
			for _, w := range n.words {
				x.words[w] = append(x.words[w], e.rule)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *index) int { return cmp.Compare(a.array.id, b.array.id) })
	return out
}

// possible reports whether an index allows the rule at place i to be true.
func (r *Run) possible(i int) bool {
	if !r.marked {
		r.marked = true
		r.allowed = places(slices.Grow(r.allowed[:0], len(r.rules.rules)/64+1)[:len(r.rules.rules)/64+1])
		clear(r.allowed)
		for _, x := range r.rules.indexes {
			r.mark(x)
		}
	}
	return r.allowed[i/64]&(1<<(i%64)) != 0
}

// mark allows the rules for which an index has a word of the message, or all of
// it where that is not known.
func (r *Run) mark(x *index) {
	if l := x.array.eval(r).List(); l != nil {
		items := l.Items()
		if len(items) == 0 {
			return
		}
		// An absent field makes a condition null, and no rule true.
		if c, ok := r.column(x.field, l, items); ok && !c.open {
			for _, w := range c.words {
				r.allowed.add(x.words[w])
			}
			return
		}
	}
	r.allowed.add(x.rules)
}
