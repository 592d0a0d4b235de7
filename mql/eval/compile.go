package eval

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/mql/check"
	"github.com/sekisho/sekisho/mql/schema"
	"github.com/sekisho/sekisho/mql/syntax"
	"github.com/sekisho/sekisho/mql/value"
)

// node computes an expression.
type node interface {
	eval(r *Run) value.Value
}

// cell is a node of the graph: an expression that all rules share which have it.
// What running reads comes first.
type cell struct {
	node
	slot int32 // of the memo; -1: computed whenever it is asked for
	last int32 // place in Run.outer

	// outer is the level of the one loop item that it reads, if that is not
	// the innermost: until that item changes, so does nothing. 0: no such.
	outer int8
	hoist bool // stands in a loop that it does not depend on
	id    int32
	reads levels
	cost  int32
	refs  int32

	turning int32 // expressions in it that are asked again in each turn of a loop
}

// levels are the loop items that an expression reads: the first bit is that of
// the innermost loop.
type levels uint64

// out returns the levels as the loop around the innermost one sees them.
func (l levels) out() levels { return l >> 1 }

func (c *cell) eval(r *Run) value.Value {
	if c.slot < 0 {
		if c.outer > 0 {
			return c.evalOuter(r)
		}
		return c.node.eval(r)
	}
	if s := &r.memo[c.slot]; s.ok {
		return s.v
	}
	v := c.node.eval(r)
	// What could not be paid for by one rule may be by another.
	if !r.budget.Exhausted() {
		r.memo[c.slot] = slot{v, true}
		r.filled = append(r.filled, c.slot)
	}
	return v
}

// evalOuter computes an expression that stands in a loop and reads the item of
// one further out.
func (c *cell) evalOuter(r *Run) value.Value {
	at := len(r.items) - int(c.outer)
	if at < 0 {
		return value.Null
	}
	key := r.items[at].Key()
	s := &r.outer[c.last]
	if s.ok && s.key == key {
		return s.v
	}
	v := c.node.eval(r)
	if !r.budget.Exhausted() {
		*s = outerSlot{key, v, true}
	}
	return v
}

// What expressions cost, to order operands by.
const (
	costNothing = 0
	costField   = 1
	costShort   = 4    // a comparison of texts
	costText    = 40   // a look into a text that may be long
	costLoop    = 12   // each item of a loop
	costParse   = 400  // taking a text or a file apart
	costExtern  = 4000 // what somebody else computes
	costMost    = 1 << 24
)

type compiler struct {
	cells  []*cell
	known  map[string]*cell
	groups []*group
	byKey  map[string]*group
	slots  int
	outer  int
	fields int

	guesses []likelihood // by cell
	slab    []cell       // cells that follow each other in memory, as they do when they run

	program *check.Program
	byID    []*cell
	loops   int
	key     []byte
}

// newCompiler returns a compiler for rules that have so many expressions.
func newCompiler(exprs int) *compiler {
	// Half of them are known from other rules.
	return &compiler{known: make(map[string]*cell, exprs/2), byKey: map[string]*group{}}
}

// slabSize is how many cells are made at once.
const slabSize = 512

func newSlab() []cell { return make([]cell, 0, slabSize) }

func (c *compiler) rule(p *check.Program) rule {
	c.program, c.byID, c.loops = p, make([]*cell, p.File.Nodes), 0
	root := c.expr(p.File.Root)
	root.refs++
	return rule{program: p, root: root, cells: c.byID}
}

// finish gives slots to what is asked for more than once, and decides how
// everything is asked.
func (c *compiler) finish() {
	for _, x := range c.cells {
		if _, constant := x.node.(constant); !constant && x.reads == 0 && (x.refs > 1 || x.hoist) {
			x.slot = int32(c.slots)
			c.slots++
		}
		if bits.OnesCount64(uint64(x.reads)) == 1 && x.reads != 1 && x.cost > costField && !isChain(x) {
			x.outer, x.last = int8(bits.TrailingZeros64(uint64(x.reads))+1), int32(c.outer)
			c.outer++
		}
	}
	for _, x := range c.cells {
		switch n := x.node.(type) {
		case *fieldNode:
			c.join(n)
		case *loopNode:
			n.ready()
		case *logicNode:
			c.order(n)
		}
	}
	for _, g := range c.groups {
		g.ids = nil
	}
}

// join makes a field of a field one step, where the first is not remembered.
func (c *compiler) join(n *fieldNode) {
	for {
		m, ok := n.x.node.(*fieldNode)
		if !ok || n.x.slot >= 0 || n.x.outer > 0 {
			break
		}
		n.x, n.names = m.x, slices.Concat(m.names, n.names)
	}
	n.at = c.fields
	c.fields += len(n.names)
}

// cell returns the cell of an expression: the one that is known by its
// operator, its operands and the words that belong to it, or a new one.
func (c *compiler) cell(op string, words []string, args []*cell, cost int, make func() node) *cell {
	k := c.key[:0]
	k = append(k, op...)
	for _, a := range args {
		k = append(k, 0)
		k = binary.AppendUvarint(k, uint64(a.id)+1)
	}
	for _, w := range words {
		k = append(k, 0, 0)
		k = binary.AppendUvarint(k, uint64(len(w)))
		k = append(k, w...)
	}
	c.key = k
	x, ok := c.known[string(k)]
	if !ok {
		if len(c.slab) == cap(c.slab) {
			c.slab = newSlab()
		}
		c.slab = append(c.slab, cell{node: make(), id: int32(len(c.cells)), slot: -1, cost: int32(cost)})
		x = &c.slab[len(c.slab)-1]
		for _, a := range args {
			x.reads |= a.reads
			x.cost = min(x.cost+a.cost, costMost)
			x.turning = min(x.turning+a.turning, costMost)
			a.refs++
		}
		if x.reads != 0 {
			x.turning++
		}
		c.known[string(k)] = x
		c.cells = append(c.cells, x)
	}
	if x.reads == 0 && c.loops > 0 {
		x.hoist = true
	}
	return x
}

// constant is a literal.
type constant struct{ v value.Value }

func (n constant) eval(*Run) value.Value { return n.v }

func (c *compiler) constant(v value.Value, word string) *cell {
	return c.cell("const "+v.Kind().String(), []string{word}, nil, costNothing, func() node { return constant{v} })
}

func (c *compiler) expr(e syntax.Expr) *cell {
	x := c.compile(e)
	c.byID[e.ID()] = x
	return x
}

func (c *compiler) exprs(es []syntax.Expr) []*cell {
	out := make([]*cell, len(es))
	for i, e := range es {
		out[i] = c.expr(e)
	}
	return out
}

func (c *compiler) compile(e syntax.Expr) *cell {
	switch e := e.(type) {
	case *syntax.Null:
		return c.constant(value.Null, "")
	case *syntax.Bool:
		return c.constant(value.Bool(e.Value), strconv.FormatBool(e.Value))
	case *syntax.Int:
		return c.constant(value.Int(e.Value), strconv.FormatInt(e.Value, 10))
	case *syntax.Float:
		return c.constant(value.Float(e.Value), fmt.Sprint(e.Value))
	case *syntax.String:
		return c.constant(value.String(e.Value), e.Value)
	case *syntax.List:
		return c.cell("list", []string{e.Name}, nil, costField, func() node { return newList(e.Name) })
	case *syntax.Name:
		return c.cell("root", []string{e.Name}, nil, costField, func() node { return rootNode{e.Name} })
	case *syntax.Item:
		x := c.cell("item", []string{strings.Repeat(".", e.Level)}, nil, costField, func() node { return itemNode{e.Level} })
		x.reads, x.hoist, x.turning = 1<<(e.Level-1), false, 1
		return x
	case *syntax.Field:
		x := c.expr(e.X)
		return c.cell("field", []string{e.Name}, []*cell{x}, costField, func() node {
			return &fieldNode{x: x, names: []string{e.Name}}
		})
	case *syntax.Index:
		x, i := c.expr(e.X), c.expr(e.Index)
		return c.cell("index", nil, []*cell{x, i}, costField, func() node { return &indexNode{x, i} })
	case *syntax.Slice:
		args, low, high := []*cell{c.expr(e.X)}, -1, -1
		if e.Low != nil {
			low = len(args)
			args = append(args, c.expr(e.Low))
		}
		if e.High != nil {
			high = len(args)
			args = append(args, c.expr(e.High))
		}
		return c.cell("slice", []string{fmt.Sprint(low, high)}, args, costField, func() node { return &sliceNode{args, low, high} })
	case *syntax.Call:
		return c.call(e)
	case *syntax.Negate:
		x := c.expr(e.X)
		return c.cell("neg", nil, []*cell{x}, costNothing, func() node { return negNode{x} })
	case *syntax.Arith:
		a, b := c.expr(e.X), c.expr(e.Y)
		return c.cell("arith", []string{string(e.Op)}, []*cell{a, b}, costNothing, func() node { return &arithNode{string(e.Op)[0], a, b} })
	case *syntax.Compare:
		return c.compare(e)
	case *syntax.In:
		x, set := c.expr(e.X), c.expr(e.Set)
		in := c.cell("in", []string{strconv.FormatBool(e.Fold)}, []*cell{x, set}, costShort, func() node { return &inNode{x, set, e.Fold} })
		if e.Not {
			return c.not(in)
		}
		return in
	case *syntax.IsNull:
		x := c.expr(e.X)
		is := c.cell("isnull", nil, []*cell{x}, costNothing, func() node { return isNullNode{x} })
		if e.Not {
			return c.not(is)
		}
		return is
	case *syntax.Not:
		return c.not(c.expr(e.X))
	case *syntax.Logic:
		args := c.exprs(e.Operands)
		return c.cell(string(e.Op), nil, args, costNothing, func() node { return &logicNode{e.Op == syntax.OpAnd, slices.Clone(args)} })
	case *syntax.Of:
		args := c.exprs(e.Clauses)
		return c.cell("of", []string{strconv.FormatInt(e.N, 10)}, args, costNothing, func() node { return &ofNode{int(min(e.N, 1<<30)), byCost(args)} })
	case *syntax.Array:
		return c.array(e.Elems)
	case *syntax.Tuple:
		return c.array(e.Elems)
	case *syntax.Paren:
		return c.expr(e.X)
	}
	// A tree without errors has no other nodes.
	return c.constant(value.Null, "")
}

func (c *compiler) not(x *cell) *cell {
	return c.cell("not", nil, []*cell{x}, costNothing, func() node { return notNode{x} })
}

// array is a list of expressions. One of strings alone is kept ready for
// asking whether something is in it.
func (c *compiler) array(elems []syntax.Expr) *cell {
	words := make([]string, 0, len(elems))
	for _, e := range elems {
		if s, ok := syntax.Unparen(e).(*syntax.String); ok {
			words = append(words, s.Value)
		}
	}
	if len(words) == len(elems) && len(elems) > 0 {
		for _, e := range elems {
			c.expr(e)
		}
		return c.cell("set", words, nil, costNothing, func() node { return constant{value.Of(value.NewSet(words))} })
	}
	args := c.exprs(elems)
	return c.cell("array", nil, args, costNothing, func() node { return arrayNode{args} })
}

func (c *compiler) compare(e *syntax.Compare) *cell {
	args := c.exprs(e.Operands)
	if len(args) == 2 {
		op := e.Ops[0]
		switch op {
		case syntax.OpNe:
			return c.not(c.cell("compare", []string{string(syntax.OpEq)}, args, costShort, func() node { return newCompare(syntax.OpEq, args[0], args[1]) }))
		case syntax.OpNeFold:
			return c.not(c.cell("compare", []string{string(syntax.OpEqFold)}, args, costShort, func() node { return newCompare(syntax.OpEqFold, args[0], args[1]) }))
		}
		return c.cell("compare", []string{string(op)}, args, costShort, func() node { return newCompare(op, args[0], args[1]) })
	}
	words := make([]string, len(e.Ops))
	for i, op := range e.Ops {
		words[i] = string(op)
	}
	return c.cell("chain", words, args, costShort, func() node { return &chainNode{e.Ops, args} })
}

// byCost returns the cells from the cheapest to the dearest, those of the same
// cost in their order.
func byCost(cells []*cell) []*cell {
	out := slices.Clone(cells)
	slices.SortStableFunc(out, func(a, b *cell) int { return int(a.cost - b.cost) })
	return out
}

// loop compiles an expression that is evaluated for each item of an array.
func (c *compiler) loop(name string, e *syntax.Call) *cell {
	a := c.expr(e.Args[0])
	var body *cell
	args := []*cell{a}
	if len(e.Args) > 1 {
		c.loops++
		body = c.expr(e.Args[1])
		c.loops--
		args = append(args, body)
	}
	x := c.cell(name, nil, args, 0, func() node {
		n := &loopNode{kind: name, array: a, body: body}
		if name == "any" && body != nil {
			n.part = partOf(a, body)
		}
		return n
	})
	x.reads = a.reads
	x.cost = a.cost + costLoop
	x.turning = a.turning // the body pays for its own turns
	if body != nil {
		// The item of this loop is nothing to the ones around it.
		x.reads |= body.reads.out()
		x.cost = min(a.cost+costLoop+costLoop*body.cost, costMost)
	}
	if x.reads == 0 && c.loops > 0 {
		x.hoist = true
	}
	return x
}

func (c *compiler) call(e *syntax.Call) *cell {
	f := c.program.Function(e)
	name := e.Func
	if f != nil {
		name = f.Name
	}
	switch name {
	case "any", "all", "filter", "map", "distinct", "sum", "ratio":
		return c.loop(name, e)
	}
	if k, ok := textFunctions[name]; ok {
		return c.text(name, k, e)
	}
	args := c.exprs(e.Args)
	all := args
	var words []string
	for _, k := range e.Keywords {
		words = append(words, k.Name)
		all = append(slices.Clip(all), c.expr(k.Value))
	}
	if fn, ok := builtins[name]; ok {
		return c.cell("call "+name, words, all, fn.cost, func() node {
			return &builtinNode{fn: fn.eval, args: args, names: words, named: all[len(args):], nulls: fn.nulls}
		})
	}
	if name == "beta.ip_in" {
		return c.ipIn(e, all)
	}
	n := &externNode{name: name, args: args, names: words, named: all[len(args):]}
	gap, cost := value.Gap{Capability: "function", Name: name, Cause: finding.NotConfigured}, costParse
	if f != nil {
		n.least = f.Least()
		if f.Needs != "" {
			gap.Capability, gap.Name = string(f.Needs), ""
			cost = costExtern
			if f.Needs == schema.History {
				cost = costShort
			}
		}
	}
	n.absent = value.Missing(gap)
	// An absent text is something to the classifier: it knows no language then.
	n.nulls = name == "ml.nlu_classifier"
	return c.cell("call "+name, words, all, cost, func() node { return n })
}
