package eval

import (
	"math/bits"

	"github.com/sekisho/sekisho/match"
	"github.com/sekisho/sekisho/mql/syntax"
	"github.com/sekisho/sekisho/mql/value"
)

// Many rules ask whether any link leads to one domain, any header field has one
// name, or the text of any link has one of some words. For them the field is
// read once for all items, and a loop looks at the items alone for which its
// condition is not known to be false.

// minColumn is the least number of items for which that pays.
const minColumn = 2

// narrow is a condition without which the body of a loop is false.
type narrow interface {
	// narrow clears the items for which the condition is false. It reports
	// whether it could tell and pay; out is not to be used otherwise.
	narrow(r *Run, l *value.List, items []value.Value, out places) bool
}

// places is a set of places in an array.
type places []uint64

func newPlaces(n int, full bool) places {
	p := make(places, (n+63)/64)
	if full {
		p.fill(n)
	}
	return p
}

func (p places) fill(n int) {
	for i := range p {
		p[i] = ^uint64(0)
	}
	if n%64 != 0 {
		p[len(p)-1] = 1<<(n%64) - 1
	}
}

func (p places) add(list []int32) {
	for _, i := range list {
		p[i/64] |= 1 << (i % 64)
	}
}

func (p places) and(q places) {
	for i := range p {
		p[i] &= q[i]
	}
}

func (p places) or(q places) {
	for i := range p {
		p[i] |= q[i]
	}
}

func (p places) len() (n int) {
	for _, w := range p {
		n += bits.OnesCount64(w)
	}
	return n
}

// narrowOf finds a condition in the body of a loop, nil if there is none.
func narrowOf(body *cell) narrow {
	switch n := body.node.(type) {
	case *logicNode:
		var out narrowAll
		for _, a := range n.args {
			k := narrowOf(a)
			if k == nil && !n.and {
				return nil
			}
			if k != nil {
				out.of = append(out.of, k)
			}
		}
		if n.and && len(out.of) == 1 {
			return out.of[0]
		}
		if out.and = n.and; len(out.of) > 0 {
			return &out
		}
	case *compareNode:
		if n.op != syntax.OpEq && n.op != syntax.OpEqFold {
			return nil
		}
		for _, p := range [][2]*cell{{n.a, n.b}, {n.b, n.a}} {
			if isItemField(p[0]) && p[1].reads&1 == 0 && p[1].cost <= costText {
				return &narrowEqual{field: p[0], to: p[1], fold: n.op == syntax.OpEqFold}
			}
		}
	case *inNode:
		if isItemField(n.x) && n.set.reads == 0 {
			return &narrowIn{field: n.x, set: n.set, fold: n.fold}
		}
	case *textNode:
		if isItemField(n.x) && n.what == asks && len(n.dynamic) == 0 {
			return &narrowText{n}
		}
	}
	return nil
}

// isItemField reports whether c is the innermost item or a field of it.
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

// narrowAll is all of some conditions, or any of them.
type narrowAll struct {
	and bool
	of  []narrow
}

func (n *narrowAll) narrow(r *Run, l *value.List, items []value.Value, out places) bool {
	if n.and {
		// What one cannot tell another may.
		told := false
		for _, k := range n.of {
			one := newPlaces(len(items), true)
			if !k.narrow(r, l, items, one) {
				continue
			}
			told = true
			if out.and(one); out.len() == 0 {
				break
			}
		}
		return told
	}
	some := newPlaces(len(items), false)
	for _, k := range n.of {
		one := newPlaces(len(items), true)
		if !k.narrow(r, l, items, one) {
			return false
		}
		some.or(one)
	}
	out.and(some)
	return true
}

// narrowEqual is a field that equals something which does not depend on the
// item.
type narrowEqual struct {
	field, to *cell
	fold      bool
}

func (n *narrowEqual) narrow(r *Run, l *value.List, items []value.Value, out places) bool {
	s, ok := r.outside(n.to).Str()
	if !ok {
		return false
	}
	c, ok := r.column(n.field, l, items)
	if !ok {
		return false
	}
	found := newPlaces(len(items), false)
	found.add(c.others)
	if n.fold {
		found.add(c.fold(r)[match.Fold(s)])
	} else {
		found.add(c.items[s])
	}
	out.and(found)
	return true
}

// narrowIn is a field that is one of some words.
type narrowIn struct {
	field, set *cell
	fold       bool
}

// fewWords is how many words are looked up one by one.
const fewWords = 24

func (n *narrowIn) narrow(r *Run, l *value.List, items []value.Value, out places) bool {
	set := r.outside(n.set).List()
	if set == nil {
		return false
	}
	if _, ok := set.Has(""); !ok {
		return false
	}
	c, ok := r.column(n.field, l, items)
	if !ok {
		return false
	}
	found := newPlaces(len(items), false)
	found.add(c.others)
	if !n.fold && set.Len() <= fewWords {
		for _, w := range set.Items() {
			s, _ := w.Str()
			found.add(c.items[s])
		}
	} else {
		if !r.spend(len(c.items)) {
			return false
		}
		for v, at := range c.items {
			has, _ := set.Has(v)
			if n.fold {
				has = set.HasFold(v)
			}
			if has {
				found.add(at)
			}
		}
	}
	out.and(found)
	return true
}

// narrowText is a search for words in a field.
type narrowText struct{ node *textNode }

func (n *narrowText) narrow(r *Run, l *value.List, items []value.Value, out places) bool {
	c, ok := r.column(n.node.x, l, items)
	if !ok {
		return false
	}
	x, ok := c.index(r, n.node.group)
	if !ok {
		return false
	}
	found := newPlaces(len(items), false)
	found.add(c.others)
	for _, id := range n.node.ids {
		if !x.Candidates(id, func(i int) { found.add(c.texts[i]) }) {
			return false
		}
	}
	out.and(found)
	return true
}

// outside evaluates an expression that does not read the item of the loop that
// is about to begin.
func (r *Run) outside(c *cell) value.Value {
	if c.reads == 0 {
		return c.eval(r)
	}
	r.items = append(r.items, value.Null)
	v := c.eval(r)
	r.items = r.items[:len(r.items)-1]
	return v
}

// column is what a field is in each item of an array.
type column struct {
	items  map[string][]int32 // by the value
	others []int32            // those in which it is no string: nothing is known of them
	open   bool               // one of those is more than absent
	folded map[string][]int32
	scans  map[*group]*match.Index
	words  []string  // the values,
	texts  [][]int32 // and where they are
}

type columnKey struct {
	list  *value.List
	field int32
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
	c := &column{items: make(map[string][]int32, min(len(items), 64))}
	at := len(r.items)
	for i, item := range items {
		r.items = append(r.items[:at], item)
		v := field.eval(r)
		if s, ok := v.Str(); ok {
			list := c.items[s]
			if list == nil {
				c.words = append(c.words, s)
			}
			c.items[s] = append(list, int32(i))
		} else {
			c.others = append(c.others, int32(i))
			c.open = c.open || !v.IsPlainNull()
		}
	}
	r.items = r.items[:at]
	r.columns[key] = c
	return c, true
}

// fold returns the items by their value folded.
func (c *column) fold(r *Run) map[string][]int32 {
	if c.folded == nil {
		c.folded = make(map[string][]int32, len(c.items))
		for _, s := range c.words {
			r.spend(len(s))
			f := match.Fold(s)
			c.folded[f] = append(c.folded[f], c.items[s]...)
		}
	}
	return c.folded
}

// index looks for what the patterns of a group need in all values.
func (c *column) index(r *Run, g *group) (*match.Index, bool) {
	if x := c.scans[g]; x != nil {
		return x, true
	}
	scans := make([]*match.Scan, len(c.words))
	for i, s := range c.words {
		scans[i] = r.scan(g, s)
	}
	x, ok := g.set().Index(scans)
	if !ok {
		return nil, false
	}
	if c.texts == nil {
		c.texts = make([][]int32, len(c.words))
		for i, s := range c.words {
			c.texts[i] = c.items[s]
		}
	}
	if c.scans == nil {
		c.scans = map[*group]*match.Index{}
	}
	c.scans[g] = x
	return x, true
}

// candidates returns the items for which a condition is not false, in order. ok
// is false where that cannot be told.
func (r *Run) candidates(n narrow, l *value.List, items []value.Value) (out []value.Value, ok bool) {
	p := newPlaces(len(items), true)
	if !n.narrow(r, l, items, p) {
		return nil, false
	}
	size := p.len()
	if size == len(items) {
		return items, true
	}
	if size == 0 {
		return nil, true
	}
	out = make([]value.Value, 0, size)
	for i, w := range p {
		for ; w != 0; w &= w - 1 {
			out = append(out, items[i*64+bits.TrailingZeros64(w)])
		}
	}
	return out, true
}
