package eval

import (
	"github.com/sekisho/sekisho/match"
	"github.com/sekisho/sekisho/mql/value"
)

// What work costs, in units of package budget, which are about as dear as
// looking at a byte: a turn of a loop with nothing in it, each expression that
// it may ask, and each call of a function that somebody provides. How deep loops
// may nest.
const (
	turnCost = 32
	exprCost = 6
	callCost = 256
	maxLoops = 64
)

// loopNode is a function that evaluates an expression for each item of an
// array.
type loopNode struct {
	kind  string
	array *cell
	body  *cell     // nil: the item itself
	key   narrow    // of the items that matter; nil: all do
	part  *textNode // asks whether an item of a list is part of a text
	turn  int       // what one turn costs
}

// ready counts what a turn costs, and finds the items that matter, where the
// array is the same one whenever it is asked for.
func (n *loopNode) ready() {
	n.turn = turnCost
	if n.body != nil {
		n.turn += exprCost * int(n.body.turning)
	}
	if n.body == nil || n.array.slot < 0 && !isChain(n.array) {
		return
	}
	switch n.kind {
	case "any", "filter", "ratio":
		n.key = narrowOf(n.body)
	case "all":
		if not, ok := n.body.node.(notNode); ok {
			n.key = narrowOf(not.x)
		}
	}
}

func (n *loopNode) eval(r *Run) value.Value {
	a := n.array.eval(r)
	if a.IsMissing() {
		// Nothing may be concluded from an array that nobody could make.
		m, _ := value.Either(a)
		return m
	}
	l := a.List()
	if l == nil {
		return n.none()
	}
	if len(r.items) >= maxLoops {
		return r.out
	}
	if n.part != nil {
		if v, ok := n.contains(r, l); ok {
			return v
		}
	}
	items := l.Items()
	total := len(items)
	if n.key != nil && total >= minColumn {
		if some, ok := r.candidates(n.key, l, items); ok {
			items = some
		} else if r.budget.Exhausted() {
			return r.out
		}
	}
	switch n.kind {
	case "any", "all":
		return n.quantify(r, items)
	case "filter":
		return n.filter(r, items)
	case "map":
		out := make([]value.Value, len(items))
		for i, item := range items {
			v, ok := n.each(r, item)
			if !ok {
				return r.out
			}
			out[i] = v
		}
		return value.Array(out...)
	case "distinct":
		return n.distinct(r, items)
	case "sum":
		return n.sum(r, items)
	case "ratio":
		return n.ratio(r, items, total)
	}
	return value.Null
}

// none is the value for an array that is null, or no array.
func (n *loopNode) none() value.Value {
	switch n.kind {
	case "all":
		return value.True
	case "filter", "distinct":
		return value.Array()
	case "sum":
		return value.Int(0)
	}
	return value.Null
}

// each evaluates the body for one item. ok is false where it cannot be paid
// for.
func (n *loopNode) each(r *Run, item value.Value) (v value.Value, ok bool) {
	if !r.spend(n.turn) {
		return value.Null, false
	}
	if n.body == nil {
		return item, true
	}
	r.items = append(r.items, item)
	v = n.body.eval(r)
	r.items = r.items[:len(r.items)-1]
	return v, true
}

func (n *loopNode) quantify(r *Run, items []value.Value) value.Value {
	some := n.kind == "any"
	out := value.Bool(!some)
	for _, item := range items {
		v, ok := n.each(r, item)
		if !ok {
			v = r.out
		}
		if some && v.IsFalse() || !some && v.IsTrue() {
			continue
		}
		if some {
			out = value.Or(out, v)
		} else {
			out = value.And(out, v)
		}
		if !ok || some && out.IsTrue() || !some && out.IsFalse() {
			break
		}
	}
	return out
}

func (n *loopNode) filter(r *Run, items []value.Value) value.Value {
	var out []value.Value
	missing := value.Null
	for _, item := range items {
		v, ok := n.each(r, item)
		if !ok {
			return r.out
		}
		switch {
		case v.IsTrue():
			out = append(out, item)
		case v.IsMissing() && v.CanBeTrue():
			missing, _ = value.Either(missing, v)
		}
	}
	if missing.IsMissing() {
		return missing
	}
	return value.Array(out...)
}

// distinct keeps the first item of each key, of which null is one.
func (n *loopNode) distinct(r *Run, items []value.Value) value.Value {
	out := make([]value.Value, 0, len(items))
	seen := map[value.Key]bool{}
	for _, item := range items {
		k, ok := n.each(r, item)
		if !ok {
			return r.out
		}
		if m, missing := value.Either(k); missing {
			return m
		}
		key := k.Key()
		if k.Object() != nil || k.List() != nil || k.Map() != nil {
			// Objects are the same if they say the same.
			b := k.AppendJSON(nil)
			if !r.spend(len(b)) {
				return r.out
			}
			key = value.String(string(b)).Key()
		}
		if !seen[key] {
			seen[key] = true
			out = append(out, item)
		}
	}
	return value.Array(out...)
}

func (n *loopNode) sum(r *Run, items []value.Value) value.Value {
	out := value.Int(0)
	for _, item := range items {
		v, ok := n.each(r, item)
		if !ok {
			return r.out
		}
		if v.IsPlainNull() {
			continue
		}
		if out = value.Arith('+', out, v); out.IsNull() {
			return out
		}
	}
	return out
}

// ratio is the share of total items for which the condition is true; null of
// none.
func (n *loopNode) ratio(r *Run, items []value.Value, total int) value.Value {
	if total == 0 {
		return value.Null
	}
	hits := 0
	missing := value.Null
	for _, item := range items {
		v, ok := n.each(r, item)
		if !ok {
			return r.out
		}
		switch {
		case v.IsTrue():
			hits++
		case v.IsMissing() && v.CanBeTrue():
			missing, _ = value.Either(missing, v)
		}
	}
	if missing.IsMissing() {
		return missing
	}
	return value.Float(float64(hits) / float64(total))
}

// partOf returns the search of any($list, strings.contains(x, .)), where x is
// not the item; nil for another loop.
func partOf(array, body *cell) *textNode {
	if _, ok := array.node.(listNode); !ok {
		return nil
	}
	n, ok := body.node.(*textNode)
	if !ok || n.what != asks || n.kind != match.Contains || len(n.ids) > 0 || len(n.dynamic) != 1 || n.x.reads&1 != 0 {
		return nil
	}
	if item, ok := n.dynamic[0].node.(itemNode); !ok || item.level != 1 {
		return nil
	}
	return n
}

// manyWords is from how many entries on a list is looked for at once.
const manyWords = 64

// contains asks whether an entry of a list is part of a text. Of a short text,
// it looks up each part in the list; in a long one, it looks for all entries at
// once. ok is false where neither pays.
func (n *loopNode) contains(r *Run, l *value.List) (v value.Value, ok bool) {
	if _, set := l.Has(""); !set || l.Len() < manyWords {
		return value.Null, false
	}
	r.items = append(r.items, value.Null)
	x := n.part.x.eval(r)
	r.items = r.items[:len(r.items)-1]
	s, ok := x.Str()
	if !ok {
		// It is the same for each entry.
		v, _ = value.Either(x)
		return v, true
	}
	if work := len(s) * min(len(s), l.Longest()); !n.part.fold && work < 4*l.Len() {
		if !r.spend(2 * work) {
			return r.out, true
		}
		for i := range len(s) + 1 {
			for j := i; j <= min(len(s), i+l.Longest()); j++ {
				if has, _ := l.Has(s[i:j]); has {
					return value.True, true
				}
			}
		}
		return value.False, true
	}
	set := r.rules.words(l, n.part.fold)
	if set == nil {
		return value.Null, false
	}
	scan := set.Scan(s, r.budget)
	for i := range set.Len() {
		m, ok := scan.Match(i)
		switch {
		case !ok:
			return r.out, true
		case m:
			return value.True, true
		}
	}
	if !r.spend(set.Len()) {
		return r.out, true
	}
	return value.False, true
}
