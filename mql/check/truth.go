package check

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/schema"
	mql "github.com/sekisho/sekisho/mql/syntax"
)

// truth is the set of values that a condition can come to.
type truth uint8

const (
	canTrue truth = 1 << iota
	canFalse
	canNull

	canAll = canTrue | canFalse | canNull
)

// truths finds conditions that cannot be true whatever the message is. It
// knows literals, three-valued logic and what excludes each other in one
// conjunction; everything else may come to anything.
type truths struct {
	p      *Program
	hashes []uint64 // structure of each node: equal for equal expressions
}

// rule judges the whole rule.
func (t *truths) rule(root mql.Expr, want Want) {
	v := t.of(root)
	if want != WantBool || v&canTrue != 0 {
		return
	}
	at, why := t.why(root)
	t.p.Never = lang.M("mql.check.never", "why", why)
	t.p.report(mql.Warning, at, t.p.Never, lang.Message{})
}

// of returns what e can come to, which is everything for what is no
// condition.
func (t *truths) of(e mql.Expr) truth {
	switch e := e.(type) {
	case *mql.Paren:
		return t.of(e.X)
	case *mql.Bool:
		if e.Value {
			return canTrue
		}
		return canFalse
	case *mql.Null:
		return canNull
	case *mql.Not:
		return t.of(e.X).not()
	case *mql.Logic:
		return t.logic(e)
	case *mql.Of:
		return t.ofN(e)
	case *mql.Compare:
		for _, x := range e.Operands {
			t.of(x)
		}
		return t.compare(e)
	case *mql.In:
		t.of(e.X)
		return t.in(e)
	case *mql.IsNull:
		return t.isNull(e)
	case *mql.Call:
		return t.call(e)
	}
	for c := range mql.Children(e) {
		t.of(c)
	}
	return canAll
}

func (v truth) not() truth {
	n := v & canNull
	if v&canTrue != 0 {
		n |= canFalse
	}
	if v&canFalse != 0 {
		n |= canTrue
	}
	return n
}

func (t *truths) logic(e *mql.Logic) truth {
	// "or" is "and" of what is negated (De Morgan), which Kleene's logic keeps.
	flip := func(v truth) truth {
		if e.Op == mql.OpOr {
			return v.not()
		}
		return v
	}
	out := canTrue
	for _, x := range e.Operands {
		out = and(out, flip(t.of(x)))
	}
	if e.Op == mql.OpAnd && out&canTrue != 0 {
		if at, why, ok := t.contradiction(e); ok {
			out &^= canTrue
			t.p.report(mql.Warning, at, lang.M("mql.check.contradiction", "why", why), lang.Message{})
		}
	}
	return flip(out)
}

// and returns what "x and y" can come to.
func and(x, y truth) truth {
	out := x & y & canTrue
	if (x|y)&canFalse != 0 {
		out |= canFalse
	}
	if x&canNull != 0 && y&(canNull|canTrue) != 0 || y&canNull != 0 && x&canTrue != 0 {
		out |= canNull
	}
	return out
}

func (t *truths) ofN(e *mql.Of) truth {
	possible, certain, null := int64(0), int64(0), false
	seen := map[uint64]bool{}
	for _, c := range e.Clauses {
		v := t.of(c)
		if v&canTrue != 0 {
			possible++
		}
		if v == canTrue {
			certain++
		}
		null = null || v&canNull != 0
		h := t.hashes[c.ID()]
		if seen[h] {
			t.p.report(mql.Warning, c.Span(), lang.M("mql.check.twice"), lang.M("mql.check.twice.hint"))
		}
		seen[h] = true
	}
	if e.N <= 0 {
		t.p.report(mql.Warning, e.Span(), lang.M("mql.check.of.always", "n", e.N), lang.Message{})
		return canTrue
	}
	if e.N > int64(len(e.Clauses)) {
		t.p.report(mql.Warning, e.Span(), lang.M("mql.check.of.never", "n", e.N, "clauses", len(e.Clauses)), lang.Message{})
	}
	var out truth
	if possible >= e.N {
		out |= canTrue
	}
	if certain < e.N {
		out |= canFalse
		if null {
			out |= canNull
		}
	}
	return out
}

func isNullLiteral(e mql.Expr) bool { _, ok := mql.Unparen(e).(*mql.Null); return ok }

func (t *truths) compare(e *mql.Compare) truth {
	if slices.ContainsFunc(e.Operands, isNullLiteral) {
		return canNull
	}
	return canAll
}

func (t *truths) in(e *mql.In) truth {
	if isNullLiteral(e.X) {
		return canNull
	}
	tuple, ok := e.Set.(*mql.Tuple)
	if !ok {
		t.of(e.Set)
		return canAll
	}
	out := canAll
	if !slices.ContainsFunc(tuple.Elems, func(x mql.Expr) bool { return !isNullLiteral(x) }) {
		out &^= canTrue
	}
	for _, x := range tuple.Elems {
		t.of(x)
	}
	if e.Not {
		return out.not()
	}
	return out
}

func (t *truths) isNull(e *mql.IsNull) truth {
	out := canTrue | canFalse
	switch mql.Unparen(e.X).(type) {
	case *mql.Null:
		out = canTrue
	case *mql.Bool, *mql.Int, *mql.Float, *mql.String:
		out = canFalse
	default:
		t.of(e.X)
	}
	if e.Not {
		return out.not()
	}
	return out
}

func (t *truths) call(e *mql.Call) truth {
	values := make([]truth, len(e.Args))
	for i, a := range e.Args {
		values[i] = t.of(a)
	}
	for _, kw := range e.Keywords {
		t.of(kw.Value)
	}
	f := t.p.Function(e)
	if f == nil || len(values) == 0 {
		return canAll
	}
	empty := false
	if a, ok := mql.Unparen(e.Args[0]).(*mql.Array); ok {
		empty = len(a.Elems) == 0
	}
	switch {
	case f.Name == "any" && len(values) == 2 && (values[1]&canTrue == 0 || empty):
		return canFalse | canNull
	case f.Name == "all" && len(values) == 2 && (values[1] == canTrue || empty):
		return canTrue
	case f.Name == "coalesce" && t.p.Type(e) != nil && t.p.Type(e).Kind == schema.Bool:
		out := truth(0)
		for _, v := range values {
			out |= v &^ canNull
			if v&canNull == 0 {
				return out
			}
		}
		return out | canNull
	}
	return canAll
}

// why finds the smallest part of e that keeps it from being true.
func (t *truths) why(e mql.Expr) (mql.Span, lang.Message) {
	switch e := e.(type) {
	case *mql.Paren:
		return t.why(e.X)
	case *mql.Logic:
		if e.Op == mql.OpAnd {
			for _, x := range e.Operands {
				if t.quiet(x)&canTrue == 0 {
					return t.why(x)
				}
			}
			if at, why, ok := t.contradiction(e); ok {
				return at, why
			}
		}
	case *mql.Call:
		if f := t.p.Function(e); f != nil && f.Name == "any" && len(e.Args) == 2 && t.quiet(e.Args[1])&canTrue == 0 {
			return t.why(e.Args[1])
		}
	case *mql.Compare:
		if slices.ContainsFunc(e.Operands, isNullLiteral) {
			return e.Span(), lang.M("mql.check.why.null", "text", t.text(e))
		}
	case *mql.Bool:
		return e.Span(), lang.M("mql.check.why.false")
	case *mql.Of:
		return e.Span(), lang.M("mql.check.why.of", "n", e.N, "clauses", len(e.Clauses))
	}
	return e.Span(), lang.M("mql.check.why.part", "text", t.text(e))
}

// quiet is [truths.of] without reporting again.
func (t *truths) quiet(e mql.Expr) truth {
	n := len(t.p.Diagnostics)
	v := t.of(e)
	t.p.Diagnostics = t.p.Diagnostics[:n]
	return v
}

func (t *truths) text(e mql.Expr) string { return short(t.p.File.Text(e.Span())) }

// fact is what a condition says about one expression if it is true.
type fact struct {
	about  uint64 // the structure of the expression
	at     mql.Span
	words  []string // it is one of these; nil: says nothing
	fold   bool     // words are compared without regard to case
	low    float64  // it is a number from low
	high   float64  // to high
	lowEx  bool     // and not low itself
	highEx bool
	null   bool // it is null
	value  bool // it is not null
	is     int8 // 1: it is true; -1: it is not true but false
}

// contradiction finds two operands of a conjunction that cannot both be true.
func (t *truths) contradiction(e *mql.Logic) (mql.Span, lang.Message, bool) {
	// Each fact is compared with a few others only, so that a long list of
	// conditions on one thing costs little.
	const most = 8
	known := make(map[uint64][]fact, len(e.Operands))
	var facts []fact
	for _, x := range e.Operands {
		facts = t.facts(facts[:0], x)
		for _, f := range facts {
			others := known[f.about]
			for _, g := range others {
				if excludes(f, g) {
					why := lang.M("mql.check.why.pair", "a", short(t.p.File.Text(g.at)), "b", short(t.p.File.Text(f.at)))
					return f.at, why, true
				}
			}
			if len(others) < most {
				known[f.about] = append(others, f)
			}
		}
	}
	return mql.Span{}, lang.Message{}, false
}

// facts adds what x says to out.
func (t *truths) facts(out []fact, x mql.Expr) []fact {
	x = mql.Unparen(x)
	f := fact{at: x.Span(), low: math.Inf(-1), high: math.Inf(1), value: true}
	holds := f
	holds.is = 1
	if not, ok := x.(*mql.Not); ok {
		holds.is = -1
		x = mql.Unparen(not.X)
	}
	holds.about = t.key(x)
	out = append(out, holds)
	if holds.is < 0 {
		return out
	}
	switch x := x.(type) {
	case *mql.Compare:
		for i, op := range x.Ops {
			if g, ok := t.pair(f, op, x.Operands[i], x.Operands[i+1]); ok {
				out = append(out, g)
			}
		}
	case *mql.In:
		tuple, ok := x.Set.(*mql.Tuple)
		if !ok || x.Not {
			break
		}
		f.fold, f.words = x.Fold, []string{}
		for _, y := range tuple.Elems {
			s, ok := mql.Unparen(y).(*mql.String)
			if !ok {
				return out
			}
			f.words = append(f.words, s.Value)
		}
		f.about = t.key(x.X)
		out = append(out, f)
	case *mql.IsNull:
		f.null, f.value = !x.Not, x.Not
		f.about = t.key(x.X)
		out = append(out, f)
	}
	return out
}

func (t *truths) key(e mql.Expr) uint64 { return t.hashes[mql.Unparen(e).ID()] }

// fold returns s in a form that is equal for strings that differ in case only,
// as the evaluator compares them.
func fold(s string, yes bool) string {
	if !yes {
		return s
	}
	return strings.Map(func(r rune) rune {
		least := r
		for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
			least = min(least, o)
		}
		return least
	}, s)
}

// pair returns what "x op y" says about the side that is no literal.
func (t *truths) pair(f fact, op mql.Op, x, y mql.Expr) (fact, bool) {
	lit, subject := mql.Unparen(y), x
	if isLiteral(mql.Unparen(x)) {
		lit, subject, op = mql.Unparen(x), y, mirror(op)
	}
	f.about = t.key(subject)
	switch lit := lit.(type) {
	case *mql.String:
		switch op {
		case mql.OpEq:
			f.words = []string{lit.Value}
		case mql.OpEqFold:
			f.words, f.fold = []string{lit.Value}, true
		default:
		}
	case *mql.Int:
		number(&f, op, float64(lit.Value))
	case *mql.Float:
		number(&f, op, lit.Value)
	default:
		return f, false
	}
	return f, true
}

func isLiteral(e mql.Expr) bool {
	switch e.(type) {
	case *mql.String, *mql.Int, *mql.Float:
		return true
	}
	return false
}

func mirror(op mql.Op) mql.Op {
	switch op {
	case mql.OpLt:
		return mql.OpGt
	case mql.OpLe:
		return mql.OpGe
	case mql.OpGt:
		return mql.OpLt
	case mql.OpGe:
		return mql.OpLe
	default:
		return op
	}
}

func number(f *fact, op mql.Op, v float64) {
	switch op {
	case mql.OpEq:
		f.low, f.high = v, v
	case mql.OpLt:
		f.high, f.highEx = v, true
	case mql.OpLe:
		f.high = v
	case mql.OpGt:
		f.low, f.lowEx = v, true
	case mql.OpGe:
		f.low = v
	default:
	}
}

// excludes reports whether two facts about one expression cannot both hold.
func excludes(a, b fact) bool {
	if a.null && b.value || a.value && b.null {
		return true
	}
	if a.is != 0 && b.is != 0 && a.is != b.is {
		return true
	}
	if empty(max(a.low, b.low), min(a.high, b.high), a, b) {
		return true
	}
	if a.words == nil || b.words == nil {
		return false
	}
	folded := a.fold || b.fold
	words := make(map[string]bool, len(a.words))
	for _, w := range a.words {
		words[fold(w, folded)] = true
	}
	return !slices.ContainsFunc(b.words, func(w string) bool { return words[fold(w, folded)] })
}

func empty(low, high float64, facts ...fact) bool {
	if low > high {
		return true
	}
	if low < high {
		return false
	}
	for _, f := range facts {
		if f.lowEx && f.low == low || f.highEx && f.high == high {
			return true
		}
	}
	return false
}
