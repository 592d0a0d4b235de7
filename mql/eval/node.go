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

type listNode struct{ name string }

func (n listNode) eval(r *Run) value.Value {
	if l := r.env.Lists[n.name]; l != nil {
		return value.Of(l)
	}
	return value.Missing(value.Gap{Capability: "list", Name: n.name, Cause: finding.NotConfigured})
}

type fieldNode struct {
	x    *cell
	name string
	at   int // in Run.fields
}

// fieldPlace is where a field was in the last object that was asked for it.
type fieldPlace struct {
	shape *value.Shape
	i     int
}

func (n *fieldNode) eval(r *Run) value.Value {
	v := n.x.eval(r)
	o := v.Object()
	if o == nil {
		return v.Field(n.name)
	}
	p := &r.fields[n.at]
	if p.shape != o.Shape() {
		p.shape, p.i = o.Shape(), o.Shape().Index(n.name)
	}
	if p.i < 0 {
		return value.Null
	}
	return o.Member(p.i)
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
}

func (n *compareNode) eval(r *Run) value.Value { return compare(n.op, n.a.eval(r), n.b.eval(r)) }

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
	// What is made for the question answers at once.
	if l := set.List(); l != nil && !r.spend(1+min(l.Len(), 64)) {
		return r.out
	}
	return value.In(x, set, n.fold)
}

type isNullNode struct{ x *cell }

func (n isNullNode) eval(r *Run) value.Value { return value.IsNull(n.x.eval(r)) }

type notNode struct{ x *cell }

func (n notNode) eval(r *Run) value.Value { return value.Not(n.x.eval(r)) }

// logicNode is a chain of "and" or "or". Its operands are asked from the
// cheapest on.
type logicNode struct {
	and  bool
	args []*cell
}

func newLogic(and bool, args []*cell) *logicNode { return &logicNode{and, byCost(args)} }

func (n *logicNode) eval(r *Run) value.Value {
	if n.and {
		out := value.True
		for _, a := range n.args {
			if out = value.And(out, a.eval(r)); out.IsFalse() {
				return out
			}
		}
		return out
	}
	out := value.False
	for _, a := range n.args {
		if out = value.Or(out, a.eval(r)); out.IsTrue() {
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
