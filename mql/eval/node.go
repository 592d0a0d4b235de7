package eval

import (
	"unicode/utf8"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/mql/syntax"
	"github.com/sekisho/sekisho/mql/value"
)

type rootNode struct{ name string }

func (n rootNode) eval(r *Run) value.Value { return r.env.Root.Field(n.name) }

type itemNode struct{ level int }

func (n itemNode) eval(r *Run) value.Value {
	if i := len(r.items) - n.level; i >= 0 {
		return r.items[i]
	}
	return value.Null
}

type listNode struct {
	name   string
	absent value.Value // if nobody has it
}

func newList(name string) listNode {
	return listNode{name, value.Missing(value.Gap{Capability: "list", Name: name, Cause: finding.NotConfigured})}
}

func (n listNode) eval(r *Run) value.Value {
	if l := r.env.Lists[n.name]; l != nil {
		return value.Of(l)
	}
	return n.absent
}

// fieldNode is a field of a value, or a field of a field of it.
type fieldNode struct {
	x     *cell
	names []string
	at    int // in Run.fields, of the first name
}

// fieldPlace is where a field was in the last object that was asked for it.
type fieldPlace struct {
	shape *value.Shape
	i     int
}

func (n *fieldNode) eval(r *Run) value.Value {
	v := n.x.eval(r)
	for i, name := range n.names {
		o := v.Object()
		if o == nil {
			if v = v.Field(name); v.IsPlainNull() {
				return v
			}
			continue
		}
		p := &r.fields[n.at+i]
		if p.shape != o.Shape() {
			p.shape, p.i = o.Shape(), o.Shape().Index(name)
		}
		if p.i < 0 {
			return value.Null
		}
		v = o.Member(p.i)
	}
	return v
}

type indexNode struct{ x, i *cell }

func (n *indexNode) eval(r *Run) value.Value { return n.x.eval(r).Index(n.i.eval(r)) }

// sliceNode is x[low:high]. The bounds are cut to what there is.
type sliceNode struct {
	args      []*cell
	low, high int // places in args, -1 for none
}

func (n *sliceNode) eval(r *Run) value.Value {
	vs := make([]value.Value, len(n.args))
	for i, a := range n.args {
		if vs[i] = a.eval(r); vs[i].IsPlainNull() {
			return value.Null
		}
	}
	if m, ok := value.Either(vs...); ok {
		return m
	}
	x := vs[0]
	size := 0
	s, isString := x.Str()
	switch {
	case isString:
		if !r.spend(len(s)) {
			return r.out
		}
		size = utf8.RuneCountInString(s)
	case x.List() != nil:
		size = x.List().Len()
	default:
		return value.Null
	}
	bound := func(at, otherwise int) (int, bool) {
		if at < 0 {
			return otherwise, true
		}
		i, ok := vs[at].Int()
		return int(min(max(i, 0), int64(size))), ok
	}
	low, ok := bound(n.low, 0)
	high, ok2 := bound(n.high, size)
	if !ok || !ok2 {
		return value.Null
	}
	high = max(low, high)
	if !isString {
		return value.Array(x.List().Items()[low:high]...)
	}
	from, to, at := len(s), len(s), 0
	for i := range s {
		if at == low {
			from = i
		}
		if at == high {
			to = i
			break
		}
		at++
	}
	return x.Part(min(from, to), to)
}

type negNode struct{ x *cell }

func (n negNode) eval(r *Run) value.Value { return value.Neg(n.x.eval(r)) }

type arithNode struct {
	op   byte
	a, b *cell
}

func (n *arithNode) eval(r *Run) value.Value { return value.Arith(n.op, n.a.eval(r), n.b.eval(r)) }

type compareNode struct {
	op   syntax.Op
	a, b *cell

	// What most rules do is ask whether something equals a word.
	x    *cell // nil for another comparison
	word string
}

func newCompare(op syntax.Op, a, b *cell) *compareNode {
	n := &compareNode{op: op, a: a, b: b}
	if op != syntax.OpEq {
		return n
	}
	for _, p := range [][2]*cell{{a, b}, {b, a}} {
		if k, ok := p[1].node.(constant); ok {
			if s, ok := k.v.Str(); ok {
				n.x, n.word = p[0], s
				return n
			}
		}
	}
	return n
}

func (n *compareNode) eval(r *Run) value.Value {
	if n.x != nil {
		v := n.x.eval(r)
		if s, ok := v.Str(); ok {
			return value.Bool(s == n.word)
		}
		return value.Equal(v, value.String(n.word))
	}
	return compare(n.op, n.a.eval(r), n.b.eval(r))
}

func compare(op syntax.Op, a, b value.Value) value.Value {
	switch op {
	case syntax.OpEq:
		return value.Equal(a, b)
	case syntax.OpEqFold:
		return value.EqualFold(a, b)
	case syntax.OpNe:
		return value.Not(value.Equal(a, b))
	case syntax.OpNeFold:
		return value.Not(value.EqualFold(a, b))
	}
	order, v, ok := value.Compare(a, b)
	if !ok {
		return v
	}
	switch op {
	case syntax.OpLt:
		return value.Bool(order < 0)
	case syntax.OpLe:
		return value.Bool(order <= 0)
	case syntax.OpGt:
		return value.Bool(order > 0)
	case syntax.OpGe:
		return value.Bool(order >= 0)
	}
	return value.Null
}

// chainNode is a < b <= c.
type chainNode struct {
	ops  []syntax.Op
	args []*cell
}

func (n *chainNode) eval(r *Run) value.Value {
	out := value.True
	left := n.args[0].eval(r)
	for i, op := range n.ops {
		right := n.args[i+1].eval(r)
		if out = value.And(out, compare(op, left, right)); out.IsFalse() {
			return out
		}
		left = right
	}
	return out
}

type inNode struct {
	x, set *cell
	fold   bool
}

func (n *inNode) eval(r *Run) value.Value {
	x, set := n.x.eval(r), n.set.eval(r)
	if l := set.List(); l != nil {
		// What is made for the question answers at once.
		cost := exprCost
		if _, ok := l.Has(""); !ok {
			cost *= l.Len()
		}
		if !r.spend(cost) {
			return r.out
		}
	}
	return value.In(x, set, n.fold)
}

type isNullNode struct{ x *cell }

func (n isNullNode) eval(r *Run) value.Value { return value.IsNull(n.x.eval(r)) }

type notNode struct{ x *cell }

func (n notNode) eval(r *Run) value.Value { return value.Not(n.x.eval(r)) }

// logicNode is a chain of "and" or "or". Its operands are asked in the order of
// [compiler.order].
type logicNode struct {
	and  bool
	args []*cell
}

func (n *logicNode) eval(r *Run) value.Value {
	if n.and {
		out := value.True
		for _, a := range n.args {
			v := a.eval(r)
			if v.IsTrue() {
				continue
			}
			if out = value.And(out, v); out.IsFalse() {
				return out
			}
		}
		return out
	}
	out := value.False
	for _, a := range n.args {
		v := a.eval(r)
		if v.IsFalse() {
			continue
		}
		if out = value.Or(out, v); out.IsTrue() {
			return out
		}
	}
	return out
}

type ofNode struct {
	n    int
	args []*cell
}

func (n *ofNode) eval(r *Run) value.Value {
	c := value.Count{N: n.n}
	for _, a := range n.args {
		if c.Add(a.eval(r)) {
			break
		}
	}
	return c.Value()
}

type arrayNode struct{ args []*cell }

func (n arrayNode) eval(r *Run) value.Value {
	items := make([]value.Value, len(n.args))
	for i, a := range n.args {
		items[i] = a.eval(r)
	}
	return value.Array(items...)
}
