package eval

import (
	"strings"
	"unicode/utf8"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/match"
	"github.com/sekisho/sekisho/mql/syntax"
	"github.com/sekisho/sekisho/mql/value"
)

// Reason is a part of a rule that made it match, and what stands in the message
// for it.
type Reason struct {
	Span     syntax.Span // in the source of the rule
	Expr     string      // the source there
	Holds    bool        // whether the expression is true; else the rule wants it false
	Values   []Operand
	Evidence []finding.Evidence
}

// Operand is what a part of an expression came to.
type Operand struct {
	Expr  string
	Value value.Value
}

// Limits on what one explanation holds.
const (
	maxReasons  = 60
	maxItems    = 3   // items of a loop for which it is told
	maxQuote    = 200 // bytes
	maxEvidence = 5   // of one reason
)

// Explain says why the rule at place i matches: the parts that are true, from
// the root down to comparisons and searches, with the words of the message that
// they found. Of a "not", it is the parts that are false. It is empty for a rule
// that does not match.
func (r *Run) Explain(i int) []Reason {
	if res := r.Rule(i); res.Verdict != Match {
		return nil
	}
	r.limit()
	defer r.charge()
	e := explainer{run: r, rule: &r.rules.rules[i]}
	e.explain(e.rule.program.File.Root, true)
	return e.out
}

type explainer struct {
	run  *Run
	rule *rule
	out  []Reason
}

func (e *explainer) eval(x syntax.Expr) value.Value {
	if c := e.rule.cells[x.ID()]; c != nil {
		return c.eval(e.run)
	}
	return value.Null
}

// explain adds the reasons for x being true, or false for holds being false.
func (e *explainer) explain(x syntax.Expr, holds bool) {
	x = syntax.Unparen(x)
	if len(e.out) >= maxReasons {
		return
	}
	is := func(c syntax.Expr) bool {
		v := e.eval(c)
		return holds && v.IsTrue() || !holds && v.IsFalse()
	}
	switch x := x.(type) {
	case *syntax.Not:
		e.explain(x.X, !holds)
		return
	case *syntax.Logic:
		all := (x.Op == syntax.OpAnd) == holds
		for _, c := range x.Operands {
			if all || is(c) {
				e.explain(c, holds)
			}
			if !all && !holds && is(c) {
				return // one that is false is enough
			}
		}
		return
	case *syntax.Of:
		for _, c := range x.Clauses {
			if is(c) {
				e.explain(c, holds)
			}
		}
		return
	case *syntax.Call:
		switch e.name(x) {
		case "any":
			if holds {
				e.items(x, true)
				return
			}
		case "all":
			if !holds {
				e.items(x, false)
				return
			}
		}
	}
	e.leaf(x, holds)
}

func (e *explainer) name(x *syntax.Call) string {
	if f := e.rule.program.Function(x); f != nil {
		return f.Name
	}
	return x.Func
}

// items explains a loop by the first items for which its condition is so.
func (e *explainer) items(x *syntax.Call, holds bool) {
	l := e.eval(x.Args[0]).List()
	if l == nil {
		e.leaf(x, holds)
		return
	}
	told := 0
	for _, item := range l.Items() {
		if told == maxItems || !e.run.spend(turnCost) {
			break
		}
		e.run.items = append(e.run.items, item)
		if v := e.eval(x.Args[1]); holds && v.IsTrue() || !holds && v.IsFalse() {
			told++
			e.explain(x.Args[1], holds)
		}
		e.run.items = e.run.items[:len(e.run.items)-1]
	}
	if told == 0 {
		e.leaf(x, holds)
	}
}

// leaf adds one comparison, search or field.
func (e *explainer) leaf(x syntax.Expr, holds bool) {
	// What every rule asks says nothing.
	if f, ok := x.(*syntax.Field); ok {
		if n, ok := f.X.(*syntax.Name); ok && n.Name == "type" {
			return
		}
	}
	span := x.Span()
	r := Reason{Span: span, Expr: e.rule.program.File.Text(span), Holds: holds}
	for _, old := range e.out {
		if old.Span == span && len(e.run.items) == 0 {
			return
		}
	}
	e.evidence(&r, x)
	e.out = append(e.out, r)
	// What a count counted are reasons too.
	if holds {
		syntax.Walk(x, func(c syntax.Expr) bool {
			call, ok := c.(*syntax.Call)
			if !ok || c == x || e.name(call) != "filter" {
				// One that kept nothing is told as it is.
				return true
			}
			if c := e.rule.cells[call.Args[1].ID()]; c != nil {
				e.items(call, true)
			}
			return false
		})
	}
}

// evidence collects what the parts of a leaf came to, and where that stands.
func (e *explainer) evidence(r *Reason, x syntax.Expr) {
	operand := func(c syntax.Expr) {
		c = syntax.Unparen(c)
		switch c.(type) {
		case *syntax.String, *syntax.Int, *syntax.Float, *syntax.Bool, *syntax.Null, *syntax.Tuple, *syntax.Array, *syntax.List:
			return
		}
		v := e.eval(c)
		r.Values = append(r.Values, Operand{e.rule.program.File.Text(c.Span()), v})
		if s, ok := v.Str(); ok {
			r.add(v, 0, len(s))
		} else if !v.IsNull() {
			r.add(v, 0, 0)
		}
	}
	switch x := x.(type) {
	case *syntax.Compare:
		for _, c := range x.Operands {
			operand(c)
		}
	case *syntax.In:
		operand(x.X)
	case *syntax.IsNull:
		operand(x.X)
	case *syntax.Call:
		if n, ok := e.text(x); ok {
			e.found(r, n, x)
			return
		}
		for _, a := range x.Args {
			if f := e.rule.program.Function(x); f != nil && f.Loop() {
				break
			}
			operand(a)
		}
	default:
		operand(x)
	}
}

// text returns the node of a call that searches a text.
func (e *explainer) text(x *syntax.Call) (*textNode, bool) {
	c := e.rule.cells[x.ID()]
	if c == nil {
		return nil, false
	}
	n, ok := c.node.(*textNode)
	return n, ok
}

// found adds the places where the patterns of a search stand.
func (e *explainer) found(r *Reason, n *textNode, x *syntax.Call) {
	v := n.x.eval(e.run)
	r.Values = append(r.Values, Operand{e.rule.program.File.Text(x.Args[0].Span()), v})
	text, ok := v.Str()
	if !ok {
		return
	}
	scan := e.run.scan(n.group, text)
	for _, id := range n.ids {
		if from, to, ok := scan.Find(id); ok {
			r.add(v, from, to)
		}
	}
	for _, d := range n.dynamic {
		p, ok := d.eval(e.run).Str()
		if !ok {
			continue
		}
		if m, ok := n.ask(e.run, text, p); !m || !ok {
			continue
		}
		from, to := 0, len(text)
		if n.kind == match.Contains || n.kind == match.Prefix {
			if f, t, ok := match.IndexFold(text, p); ok {
				from, to = f, t
			}
		}
		r.add(v, from, to)
	}
	if len(r.Evidence) == 0 {
		r.add(v, 0, len(text))
	}
}

// add adds a stretch of a value as evidence, if its place is known.
func (r *Reason) add(v value.Value, from, to int) {
	if len(r.Evidence) >= maxEvidence {
		return
	}
	w, ok := v.Where(from, to-from)
	if !ok {
		return
	}
	quote := ""
	if s, ok := v.Str(); ok {
		quote = short(s[from:to])
	}
	for _, old := range r.Evidence {
		if old.Where == w && old.Quote == quote {
			return
		}
	}
	r.Evidence = append(r.Evidence, finding.Evidence{Where: w, Quote: quote})
}

// short cuts a quote that is too long to read.
func short(s string) string {
	if len(s) <= maxQuote {
		return s
	}
	s = s[:maxQuote]
	for !utf8.ValidString(s) && len(s) > maxQuote-4 {
		s = s[:len(s)-1]
	}
	return strings.ToValidUTF8(s, "\ufffd") + "…"
}
