package eval

import (
	"slices"

	"github.com/sekisho/sekisho/mql/syntax"
	"github.com/sekisho/sekisho/mql/value"
)

// Many rules ask whether any link leads to one domain, or any header field has
// one name. For them the field is read once for all items, and the loop looks at
// the items alone for which the comparison is not false.

// minColumn is the least number of items for which that pays.
const minColumn = 4

// loopKey is a condition of a loop without which its body is false: a field of
// the item is one of some words.
type loopKey struct {
	field *cell
	words []string    // few, or
	set   *value.List // many
}

// fewWords is how many words are looked up one by one.
const fewWords = 24

// column is what a field is in each item of an array.
type column struct {
	items  map[string][]int32 // by the value
	others []int32            // those in which it is no string: nothing is known of them
}

type columnKey struct {
	list  *value.List
	field int32
}

// keyOf finds a key in the body of a loop over a field of the message.
func keyOf(array, body *cell) *loopKey {
	if !isChain(array) {
		return nil
	}
	if l, ok := body.node.(*logicNode); ok && l.and {
		var out *loopKey
		for _, a := range l.args {
			if k := comparison(a); k != nil && (out == nil || out.set != nil && k.set == nil) {
				out = k
			}
		}
		return out
	}
	return comparison(body)
}

func comparison(c *cell) *loopKey {
	switch n := c.node.(type) {
	case *compareNode:
		if n.op != syntax.OpEq {
			return nil
		}
		for _, p := range [][2]*cell{{n.a, n.b}, {n.b, n.a}} {
			if k, ok := p[1].node.(constant); ok && isItemField(p[0]) {
				if s, ok := k.v.Str(); ok {
					return &loopKey{field: p[0], words: []string{s}}
				}
			}
		}
	case *inNode:
		k, ok := n.set.node.(constant)
		if !ok || n.fold || !isItemField(n.x) {
			return nil
		}
		l := k.v.List()
		if _, ok := l.Has(""); !ok {
			return nil
		}
		out := &loopKey{field: n.x}
		if l.Len() > fewWords {
			out.set = l
			return out
		}
		for _, item := range l.Items() {
			s, _ := item.Str()
			if !slices.Contains(out.words, s) {
				out.words = append(out.words, s)
			}
		}
		return out
	}
	return nil
}

// isItemField reports whether c is a field of the innermost item.
func isItemField(c *cell) bool {
	for {
		switch n := c.node.(type) {
		case *fieldNode:
			c = n.x
		case itemNode:
			return n.level == 1
		default:
			return false
		}
	}
}

// isChain reports whether c is a field of the message or of an item, which is
// the same array whenever it is asked for.
func isChain(c *cell) bool {
	for {
		switch n := c.node.(type) {
		case *fieldNode:
			c = n.x
		case itemNode, rootNode:
			return true
		default:
			return false
		}
	}
}

// candidates returns the items for which the condition is not false, in order.
func (k *loopKey) candidates(r *Run, l *value.List, items []value.Value) (out []value.Value, ok bool) {
	c, ok := r.column(k.field, l, items)
	if !ok {
		return nil, false
	}
	found := c.others
	merge := func(places []int32) {
		if len(places) > 0 {
			found = slices.Concat(found, places)
		}
	}
	if k.set != nil {
		if !r.spend(len(c.items)) {
			return nil, false
		}
		for v, places := range c.items {
			if has, _ := k.set.Has(v); has {
				merge(places)
			}
		}
	} else {
		for _, w := range k.words {
			merge(c.items[w])
		}
	}
	if len(found) == 0 {
		return nil, true
	}
	if !slices.IsSorted(found) {
		slices.Sort(found)
	}
	out = make([]value.Value, len(found))
	for i, at := range found {
		out[i] = items[at]
	}
	return out, true
}

// column reads a field of all items.
func (r *Run) column(field *cell, l *value.List, items []value.Value) (*column, bool) {
	key := columnKey{l, field.id}
	if c := r.columns[key]; c != nil {
		return c, true
	}
	if !r.spend(turnCost * len(items)) {
		return nil, false
	}
	c := &column{items: map[string][]int32{}}
	at := len(r.items)
	for i, item := range items {
		r.items = append(r.items[:at], item)
		if s, ok := field.eval(r).Str(); ok {
			c.items[s] = append(c.items[s], int32(i))
		} else {
			c.others = append(c.others, int32(i))
		}
	}
	r.items = r.items[:at]
	r.columns[key] = c
	return c, true
}
