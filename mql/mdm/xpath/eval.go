package xpath

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/budget"
)

// Errors of [Expr.Find].
var (
	ErrBudget = errors.New("xpath: the budget has run out")
	ErrNodes  = errors.New("xpath: the expression finds no nodes but a value")
)

// Find returns the nodes that the expression finds from the root of d, in
// document order. The error is [ErrBudget], or [ErrNodes] for an expression such
// as count(//a).
func (x *Expr) Find(d *Document, b *budget.Budget) ([]Node, error) {
	e := &evaluator{d: d, budget: b}
	v := e.eval(x.root, context{node: 0, position: 1, size: 1})
	if e.out {
		return nil, ErrBudget
	}
	set, ok := v.([]int32)
	if !ok {
		return nil, ErrNodes
	}
	nodes := make([]Node, len(set))
	for i, n := range set {
		nodes[i] = Node{d, n}
	}
	return nodes, nil
}

type evaluator struct {
	d      *Document
	budget *budget.Budget
	out    bool // the budget ran out
}

type context struct {
	node           int32
	position, size int
}

func (e *evaluator) spend(n int) bool {
	if e.out || !e.budget.Spend(n) {
		e.out = true
		return false
	}
	return true
}

// eval returns a []int32, string, float64 or bool.
func (e *evaluator) eval(x expr, c context) any {
	if !e.spend(2) {
		return []int32(nil)
	}
	switch x := x.(type) {
	case number:
		return float64(x)
	case literal:
		return string(x)
	case *negate:
		return -e.number(e.eval(x.x, c))
	case *binary:
		return e.binary(x, c)
	case *call:
		return e.call(x, c)
	case *path:
		return e.path(x, c)
	}
	return []int32(nil)
}

func (e *evaluator) binary(x *binary, c context) any {
	switch x.op {
	case "or":
		return e.boolean(e.eval(x.x, c)) || e.boolean(e.eval(x.y, c))
	case "and":
		return e.boolean(e.eval(x.x, c)) && e.boolean(e.eval(x.y, c))
	case "|":
		a, ok := e.eval(x.x, c).([]int32)
		b, ok2 := e.eval(x.y, c).([]int32)
		if !ok || !ok2 {
			return []int32(nil)
		}
		return sorted(slices.Concat(a, b))
	case "=", "!=", "<", "<=", ">", ">=":
		return e.compare(x.op, e.eval(x.x, c), e.eval(x.y, c))
	}
	a, b := e.number(e.eval(x.x, c)), e.number(e.eval(x.y, c))
	switch x.op {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "div":
		return a / b
	}
	return math.Mod(a, b)
}

// compare follows XPath section 3.4: a node-set compares as any of its nodes.
func (e *evaluator) compare(op string, a, b any) bool {
	as, aSet := a.([]int32)
	bs, bSet := b.([]int32)
	switch {
	case aSet && bSet:
		if len(as)*len(bs) > 1<<16 && !e.spend(len(as)*len(bs)) {
			return false
		}
		for _, i := range as {
			s := e.value(i)
			for _, j := range bs {
				if e.spend(1); e.out {
					return false
				}
				if scalar(op, s, e.value(j)) {
					return true
				}
			}
		}
		return false
	case aSet:
		if v, ok := b.(bool); ok {
			return scalar(op, e.boolean(a), v)
		}
		for _, i := range as {
			if e.out {
				return false
			}
			if scalar(op, e.value(i), b) {
				return true
			}
		}
		return false
	case bSet:
		return e.compare(mirrored(op), b, a)
	}
	return scalar(op, a, b)
}

func mirrored(op string) string {
	switch op {
	case "<":
		return ">"
	case "<=":
		return ">="
	case ">":
		return "<"
	case ">=":
		return "<="
	}
	return op
}

func scalar(op string, a, b any) bool {
	if op == "=" || op == "!=" {
		equal := false
		_, aBool := a.(bool)
		_, bBool := b.(bool)
		_, aNumber := a.(float64)
		_, bNumber := b.(float64)
		switch {
		case aBool || bBool:
			equal = truth(a) == truth(b)
		case aNumber || bNumber:
			equal = toNumber(a) == toNumber(b)
		default:
			equal = a == b
		}
		return equal == (op == "=")
	}
	x, y := toNumber(a), toNumber(b)
	switch op {
	case "<":
		return x < y
	case "<=":
		return x <= y
	case ">":
		return x > y
	}
	return x >= y
}

func truth(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case float64:
		return v != 0 && !math.IsNaN(v)
	case string:
		return v != ""
	}
	return false
}

func toNumber(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case bool:
		if v {
			return 1
		}
		return 0
	case string:
		s := strings.Trim(v, " \t\r\n")
		// No signs but "-", no exponents: XPath section 3.5.
		if s == "" || strings.Trim(s, "-.0123456789") != "" {
			return math.NaN()
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f
		}
	}
	return math.NaN()
}

func (e *evaluator) value(i int32) string {
	s, ok := e.d.value(i, e.budget)
	e.out = e.out || !ok
	return s
}

func (e *evaluator) str(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		switch {
		case math.IsNaN(v):
			return "NaN"
		case math.IsInf(v, 1):
			return "Infinity"
		case math.IsInf(v, -1):
			return "-Infinity"
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []int32:
		if len(v) > 0 {
			return e.value(v[0])
		}
	}
	return ""
}

func (e *evaluator) number(v any) float64 {
	if set, ok := v.([]int32); ok {
		v = e.str(set)
	}
	return toNumber(v)
}

func (e *evaluator) boolean(v any) bool {
	if set, ok := v.([]int32); ok {
		return len(set) > 0
	}
	return truth(v)
}

func (e *evaluator) call(x *call, c context) any {
	arg := func(i int) any {
		if i < len(x.args) {
			return e.eval(x.args[i], c)
		}
		return []int32{c.node} // functions without an argument ask about the context
	}
	str := func(i int) string { s := e.str(arg(i)); e.spend(len(s)); return s }
	switch x.name {
	case "last":
		return float64(c.size)
	case "position":
		return float64(c.position)
	case "count":
		set, _ := arg(0).([]int32)
		return float64(len(set))
	case "local-name", "name":
		if set, _ := arg(0).([]int32); len(set) > 0 {
			return e.d.nodes[set[0]].name
		}
		return ""
	case "string":
		return str(0)
	case "concat":
		var b strings.Builder
		for i := range x.args {
			b.WriteString(str(i))
		}
		return b.String()
	case "starts-with":
		return strings.HasPrefix(str(0), str(1))
	case "contains":
		return strings.Contains(str(0), str(1))
	case "substring-before":
		before, _, ok := strings.Cut(str(0), str(1))
		if !ok {
			return ""
		}
		return before
	case "substring-after":
		_, after, _ := strings.Cut(str(0), str(1))
		return after
	case "substring":
		from, n := e.number(arg(1)), math.Inf(1)
		if len(x.args) > 2 {
			n = e.number(arg(2))
		}
		return substring(str(0), from, n)
	case "string-length":
		return float64(len([]rune(str(0))))
	case "normalize-space":
		return strings.Join(strings.FieldsFunc(str(0), func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }), " ")
	case "translate":
		return translate(str(0), str(1), str(2))
	case "boolean":
		return e.boolean(arg(0))
	case "not":
		return !e.boolean(arg(0))
	case "true":
		return true
	case "false":
		return false
	case "number":
		return e.number(arg(0))
	case "sum":
		total := 0.0
		set, _ := arg(0).([]int32)
		for _, i := range set {
			total += toNumber(e.value(i))
		}
		return total
	case "floor":
		return math.Floor(e.number(arg(0)))
	case "ceiling":
		return math.Ceil(e.number(arg(0)))
	}
	return math.Floor(e.number(arg(0)) + 0.5) // round
}

// substring counts characters from 1 (XPath section 4.2).
func substring(s string, from, n float64) string {
	from = math.Floor(from + 0.5)
	to := from + math.Floor(n+0.5)
	var b strings.Builder
	place := 1.0
	for _, r := range s {
		if place >= from && place < to {
			b.WriteRune(r)
		}
		place++
	}
	return b.String()
}

func translate(s, from, to string) string {
	m := map[rune]rune{}
	target := []rune(to)
	i := 0
	for _, r := range from {
		if _, ok := m[r]; !ok {
			m[r] = -1
			if i < len(target) {
				m[r] = target[i]
			}
		}
		i++
	}
	return strings.Map(func(r rune) rune {
		if t, ok := m[r]; ok {
			return t
		}
		return r
	}, s)
}

func (e *evaluator) path(x *path, c context) any {
	set := []int32{c.node}
	switch {
	case x.absolute:
		set = []int32{0}
	case x.from != nil:
		from, ok := e.eval(x.from, c).([]int32)
		if !ok {
			return []int32(nil)
		}
		set = from
		for _, w := range x.where {
			set = e.filter(set, w)
		}
	}
	for i := range x.steps {
		if set = e.step(&x.steps[i], set); len(set) == 0 || e.out {
			return []int32(nil)
		}
	}
	return set
}

// step applies one step to all nodes of a set.
func (e *evaluator) step(s *step, set []int32) []int32 {
	// The descendants of several nodes without a predicate are those of their
	// stretches, each once.
	var out []int32
	for _, n := range set {
		if e.out {
			return nil
		}
		found := e.axis(s, n)
		for _, w := range s.where {
			found = e.filter(found, w)
		}
		out = append(out, found...)
		if !e.spend(len(found)) {
			return nil
		}
	}
	return sorted(out)
}

func sorted(set []int32) []int32 {
	if slices.IsSorted(set) {
		return slices.Compact(set)
	}
	slices.Sort(set)
	return slices.Compact(set)
}

// filter keeps the nodes for which a predicate holds. The set is in the order of
// its axis.
func (e *evaluator) filter(set []int32, w expr) []int32 {
	out := make([]int32, 0, len(set))
	for i, n := range set {
		v := e.eval(w, context{n, i + 1, len(set)})
		if e.out {
			return nil
		}
		keep := e.boolean(v)
		if f, ok := v.(float64); ok {
			keep = f == float64(i+1)
		}
		if keep {
			out = append(out, n)
		}
	}
	return out
}

// axis returns the nodes on an axis that pass the test of the step, in the order
// of the axis: those that run backwards begin with the nearest.
func (e *evaluator) axis(s *step, n int32) []int32 {
	var out []int32
	d := e.d
	add := func(i int32) {
		if e.spend(1) && d.test(s, i) {
			out = append(out, i)
		}
	}
	x := &d.nodes[n]
	switch s.axis {
	case "self":
		add(n)
	case "parent":
		if x.parent >= 0 {
			add(x.parent)
		}
	case "attribute":
		if x.kind == Element {
			for i := n + 1; i < x.end && d.nodes[i].kind == Attribute; i++ {
				add(i)
			}
		}
	case "child":
		d.children(n, add)
	case "descendant", "descendant-or-self":
		if s.axis == "descendant-or-self" {
			add(n)
		}
		if x.kind == Attribute {
			break
		}
		if s.kind == "element" {
			// Those of one name are known.
			all := d.elements[s.name]
			from, _ := slices.BinarySearch(all, n+1)
			to, _ := slices.BinarySearch(all, x.end)
			if e.spend(1 + to - from) {
				out = append(out, all[from:to]...)
			}
			break
		}
		for i := n + 1; i < x.end && !e.out; i++ {
			if d.nodes[i].kind != Attribute {
				add(i)
			}
		}
	case "ancestor", "ancestor-or-self":
		if s.axis == "ancestor-or-self" {
			add(n)
		}
		for i := x.parent; i >= 0 && !e.out; i = d.nodes[i].parent {
			add(i)
		}
	case "following":
		for i := x.end; int(i) < len(d.nodes) && !e.out; i++ {
			if d.nodes[i].kind != Attribute {
				add(i)
			}
		}
	case "preceding":
		for i := n - 1; i > 0 && !e.out; i-- {
			if d.nodes[i].kind != Attribute && d.nodes[i].end <= n {
				add(i)
			}
		}
	case "following-sibling":
		if x.parent >= 0 && x.kind != Attribute {
			for i := x.end; i < d.nodes[x.parent].end && !e.out; i = d.nodes[i].end {
				add(i)
			}
		}
	case "preceding-sibling":
		if x.parent >= 0 && x.kind != Attribute {
			var before []int32
			d.children(x.parent, func(i int32) {
				if i < n && e.spend(1) {
					before = append(before, i)
				}
			})
			for _, i := range slices.Backward(before) {
				add(i)
			}
		}
	}
	return out
}

func (d *Document) children(n int32, visit func(int32)) {
	x := &d.nodes[n]
	if x.kind != Element && x.kind != Root {
		return
	}
	i := n + 1
	for i < x.end && d.nodes[i].kind == Attribute {
		i++
	}
	for ; i < x.end; i = d.nodes[i].end {
		visit(i)
	}
}

// test reports whether a node passes the node test of a step.
func (d *Document) test(s *step, i int32) bool {
	x := &d.nodes[i]
	principal := Element
	if s.axis == "attribute" {
		principal = Attribute
	}
	switch s.kind {
	case "node":
		return true
	case "*":
		return x.kind == principal
	case "text":
		return x.kind == Text
	case "comment":
		return x.kind == Comment
	}
	return x.kind == principal && x.name == s.name
}
