package eval

import (
	"slices"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/mql/syntax"
	"github.com/sekisho/sekisho/mql/value"
)

// Step is a part of a rule and what it came to on a message, with the parts it
// is made of. Literals are left out.
type Step struct {
	Span     syntax.Span // in the source of the rule
	Expr     string      // the source there on one line, without comments
	Value    value.Value
	Evidence []finding.Evidence // the words that a search found

	Parts []Step

	// A loop is told by some of its items, those first that say why it came to
	// what it did. Items is how many there are.
	Loop  bool
	Items int
	Turns []Turn
}

// Turn is a loop's condition on one item.
type Turn struct {
	Index int // of the item, from 0
	Item  value.Value
	Step  Step
}

// maxSteps bounds one trace.
const maxSteps = 500

// Trace evaluates every part of the rule at place i, whether or not the outcome
// depends on it. Of a rule with more than a few hundred parts, or loops within
// loops over long lists, the rest is left out.
func (r *Run) Trace(i int) Step {
	r.limit()
	defer r.charge()
	t := tracer{explainer{run: r, rule: &r.rules.rules[i]}, maxSteps}
	return t.step(t.rule.program.File.Root)
}

type tracer struct {
	explainer
	left int
}

func (t *tracer) step(x syntax.Expr) Step {
	x = syntax.Unparen(x)
	t.left--
	span := x.Span()
	out := Step{Span: span, Expr: t.rule.program.File.Line(span), Value: t.eval(x)}
	switch x := x.(type) {
	case *syntax.Not:
		out.Parts = t.parts(x.X)
	case *syntax.Logic:
		out.Parts = t.parts(x.Operands...)
	case *syntax.Of:
		out.Parts = t.parts(x.Clauses...)
	case *syntax.Compare:
		out.Parts = t.parts(x.Operands...)
	case *syntax.Arith:
		out.Parts = t.parts(x.X, x.Y)
	case *syntax.Negate:
		out.Parts = t.parts(x.X)
	case *syntax.In:
		out.Parts = t.parts(x.X, x.Set)
	case *syntax.IsNull:
		out.Parts = t.parts(x.X)
	case *syntax.Array:
		out.Parts = t.parts(x.Elems...)
	case *syntax.Field:
		out.Parts = t.calls(x.X)
	case *syntax.Index:
		out.Parts = t.calls(x.X, x.Index)
	case *syntax.Slice:
		out.Parts = t.calls(x.X)
	case *syntax.Call:
		t.call(&out, x)
	}
	return out
}

// parts are the steps of those operands that are worth one.
func (t *tracer) parts(xs ...syntax.Expr) []Step {
	var out []Step
	for _, x := range xs {
		if t.left > 0 && !literal(x) {
			out = append(out, t.step(x))
		}
	}
	return out
}

// calls are the steps of what a path begins with, if that is computed: the
// members on the way of a field of the message say nothing that the field does
// not.
func (t *tracer) calls(xs ...syntax.Expr) []Step {
	var out []Step
	for _, x := range xs {
		computed := false
		syntax.Walk(x, func(x syntax.Expr) bool {
			_, is := x.(*syntax.Call)
			computed = computed || is
			return !computed
		})
		if computed {
			out = append(out, t.parts(x)...)
		}
	}
	return out
}

func (t *tracer) call(out *Step, x *syntax.Call) {
	if f := t.rule.program.Function(x); f != nil && f.Loop() && len(x.Args) > 1 {
		out.Parts = t.parts(x.Args[0])
		if l := t.eval(x.Args[0]).List(); l != nil {
			t.loop(out, l, x.Args[1])
		}
		return
	}
	if n, ok := t.text(x); ok && !out.Value.IsNull() {
		var found Reason
		t.found(&found, n, x)
		if out.Value.IsTrue() {
			out.Evidence = found.Evidence
		}
	}
	out.Parts = t.parts(x.Args...)
	for _, k := range x.Keywords {
		out.Parts = append(out.Parts, t.parts(k.Value)...)
	}
}

// loop tells of the items for which the condition is true, or else of those for
// which it is not known, or else of the first.
func (t *tracer) loop(out *Step, l *value.List, each syntax.Expr) {
	run := t.run
	items := l.Items()
	out.Loop, out.Items = true, len(items)
	on := func(i int, do func()) bool {
		if !run.spend(turnCost) {
			return false
		}
		run.items = append(run.items, items[i])
		do()
		run.items = run.items[:len(run.items)-1]
		return true
	}
	var yes, open, no []int
	for i := range items {
		if len(yes) >= maxItems || !on(i, func() {
			switch v := t.eval(each); {
			case v.IsTrue():
				yes = append(yes, i)
			case v.IsMissing():
				open = append(open, i)
			default:
				no = append(no, i)
			}
		}) {
			break
		}
	}
	told := slices.Concat(yes, open, no)
	told = told[:min(len(told), maxItems)]
	slices.Sort(told)
	for _, i := range told {
		if t.left <= 0 {
			break
		}
		on(i, func() { out.Turns = append(out.Turns, Turn{Index: i, Item: items[i], Step: t.step(each)}) })
	}
}

func literal(x syntax.Expr) bool {
	switch x := syntax.Unparen(x).(type) {
	case *syntax.String, *syntax.Int, *syntax.Float, *syntax.Bool, *syntax.Null, *syntax.Tuple, *syntax.List:
		return true
	case *syntax.Array:
		return !slices.ContainsFunc(x.Elems, func(e syntax.Expr) bool { return !literal(e) })
	case *syntax.Negate:
		return literal(x.X)
	}
	return false
}
