// Package eval runs rules of the Message Query Language over a message.
//
// All rules become one graph: an expression that stands in many rules is one
// node, and what does not depend on the item of a loop is computed once for a
// message. Operands of "and" and "or" are asked in the order of what they cost
// and how much they are likely to decide, which changes nothing about the value,
// since evaluation is pure and the logic commutes. Patterns that are applied to
// the same field are looked for together; see package match. A loop looks at the
// items alone for which its condition is not known to be false.
//
// Nothing is guessed. A function that nobody provides, a list that nobody has,
// and a rule that used up its budget are missing values; a rule is [Undecided]
// if one of them could still make it match, and the result says what is needed.
package eval

import (
	"errors"
	"fmt"
	"sync"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/match"
	"github.com/sekisho/sekisho/mql/check"
	"github.com/sekisho/sekisho/mql/value"
)

// ErrUnchecked means that a program has errors and cannot be run.
var ErrUnchecked = errors.New("eval: the rule has errors")

// MessageCost is what all rules together may spend on one message, the building
// of its model included, in units of package budget. Ordinary mail needs less
// than a tenth of it. See [budget.Budget.Share].
const MessageCost = 128 << 20

// ruleCost is what one rule may spend on one message. What an ordinary rule
// needs is below a hundredth.
const ruleCost = 16 << 20

// Rules are rules ready to run. They are immutable and safe for concurrent use.
type Rules struct {
	rules  []rule
	slots  int // of the memo
	outer  int // of Run.outer
	fields int // of Run.fields
	groups []*group
	nodes  int

	indexes []*index

	// lists are the words of long lists, ready to be looked for in a text. They
	// are made at their first use.
	mu    sync.Mutex
	lists map[listKey]*match.Set

	// idle are the memories of runs that are done.
	idle sync.Pool // of *Run
}

type listKey struct {
	list *value.List
	fold bool
}

// rule is one rule: its root and, for explaining, the node of each expression.
type rule struct {
	program *check.Program
	root    *cell
	cells   []*cell // by syntax.Expr.ID
	guard   guard
}

// Compile makes one graph of checked programs. The rules are then known by
// their place. The error is [ErrUnchecked] for a program with errors.
func Compile(programs []*check.Program) (*Rules, error) {
	exprs := 0
	for i, p := range programs {
		if !p.OK() {
			return nil, fmt.Errorf("rule %d: %w", i, ErrUnchecked)
		}
		exprs += p.File.Nodes
	}
	c := newCompiler(exprs)
	out := &Rules{rules: make([]rule, len(programs))}
	for i, p := range programs {
		out.rules[i] = c.rule(p)
	}
	c.finish()
	for i := range out.rules {
		out.rules[i].guard = newGuard(out.rules[i].root)
	}
	out.indexes = newIndexes(out.rules)
	out.fields = c.fields
	out.slots, out.outer, out.groups, out.nodes = c.slots, c.outer, c.groups, len(c.cells)
	return out, nil
}

// Len returns the number of rules.
func (rs *Rules) Len() int { return len(rs.rules) }

// Nodes returns the number of different expressions in all rules.
func (rs *Rules) Nodes() int { return rs.nodes }

// Program returns the program of a rule.
func (rs *Rules) Program(i int) *check.Program { return rs.rules[i].program }

// Env is what rules run in.
type Env struct {
	// Root is the message, such as the root of a model of package mdm.
	Root value.Value
	// Lists are the named lists. A list that is not here is missing.
	Lists map[string]*value.List
	// Functions are the functions that read more than their arguments, or that
	// somebody must provide. A function that is not here is missing.
	Functions map[string]value.Func
	// Budget pays for everything; nil: each rule has its own limit alone.
	Budget *budget.Budget
}

// Verdict is the outcome of a rule.
type Verdict string

// The verdicts.
const (
	Match     Verdict = "match"
	NoMatch   Verdict = "no-match"
	Undecided Verdict = "undecided" // something missing could make it match
)

// Result is what a rule came to.
type Result struct {
	Verdict Verdict
	Value   value.Value // of the rule: for a query anything; null and false of a rule are not told apart
	Missing []value.Gap // of an undecided rule, sorted
}

// Needs returns what an undecided rule needs, for people.
func (r *Result) Needs() []finding.Need {
	var out []finding.Need
	for _, g := range r.Missing {
		out = append(out, Need(g))
	}
	return out
}

// Run is one message under all rules. It is not safe for concurrent use.
type Run struct {
	rules   *Rules
	env     Env
	memo    []slot
	filled  []int32 // slots of memo
	marked  bool    // allowed is known
	allowed places  // rules that the indexes allow to be true
	outer   []outerSlot
	fields  []fieldPlace
	items   []value.Value // of the loops, the innermost last
	scans   []scans
	calls   map[callKey]value.Value
	folded  map[string]string
	columns map[columnKey]*column
	args    []value.Value  // of the calls of builtin functions
	budget  *budget.Budget // of the current rule
	given   int64          // what it had at first
	out     value.Value    // the value of what cannot be paid for
}

type slot struct {
	v  value.Value
	ok bool
}

type outerSlot struct {
	key value.Key // of the item
	v   value.Value
	ok  bool
}

// maxLists bounds the lists that are kept ready, since somebody may make new
// ones for each message.
const maxLists = 64

// words returns the entries of a list as patterns.
func (rs *Rules) words(l *value.List, fold bool) *match.Set {
	key := listKey{l, fold}
	rs.mu.Lock()
	set, ok := rs.lists[key]
	rs.mu.Unlock()
	if ok {
		return set
	}
	var patterns []match.Pattern
	for _, item := range l.Items() {
		if s, ok := item.Str(); ok {
			patterns = append(patterns, match.Pattern{Kind: match.Contains, Text: s, Fold: fold})
		}
	}
	set, err := match.Compile(patterns)
	if err != nil {
		set = nil // no pattern is an expression, so none is wrong
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.lists == nil || len(rs.lists) >= maxLists {
		rs.lists = map[listKey]*match.Set{}
	}
	rs.lists[key] = set
	return set
}

// Start begins with a message.
func (rs *Rules) Start(env Env) *Run {
	r, ok := rs.idle.Get().(*Run)
	if !ok {
		r = &Run{
			rules: rs, memo: make([]slot, rs.slots), outer: make([]outerSlot, rs.outer), fields: make([]fieldPlace, rs.fields),
			scans: make([]scans, len(rs.groups)), calls: map[callKey]value.Value{}, columns: map[columnKey]*column{}, folded: map[string]string{},
			budget: budget.New(nil), out: value.Missing(value.Gap{Capability: "budget", Cause: finding.Budget}),
		}
	}
	r.env = env
	return r
}

// Done ends the run, so that the next message can use its memory. The run must
// not be used after that; what it returned may be.
func (r *Run) Done() {
	for _, i := range r.filled {
		r.memo[i] = slot{}
	}
	r.filled, r.marked = r.filled[:0], false
	clear(r.outer)
	clear(r.scans)
	r.calls, r.columns = emptied(r.calls), emptied(r.columns)
	clear(r.folded)
	clear(r.items[:cap(r.items)])
	clear(r.args[:cap(r.args)])
	r.env = Env{}
	r.rules.idle.Put(r)
}

// maxIdle is how large a map may be that is kept for the next message: to empty
// one takes as long as it ever was large.
const maxIdle = 1024

func emptied[K comparable, V any](m map[K]V) map[K]V {
	if len(m) > maxIdle {
		return map[K]V{}
	}
	clear(m)
	return m
}

// Rule runs the rule at place i.
func (r *Run) Rule(i int) Result {
	ru := &r.rules.rules[i]
	if !r.env.Budget.Exhausted() && ru.guard.fails(r) {
		return Result{Verdict: NoMatch, Value: value.False}
	}
	r.limit()
	v := value.False
	if !ru.guard.loop || r.possible(i) {
		v = ru.root.eval(r)
	}
	r.charge()
	if r.env.Budget.Exhausted() {
		// The model may have been cut short, and what it says is half of it.
		v = r.out
	}
	return result(v)
}

// limit gives the next rule its budget.
func (r *Run) limit() {
	r.given = ruleCost
	if b := r.env.Budget; b != nil {
		r.given = max(0, min(ruleCost, b.Cost))
		if !b.Spend(0) {
			r.given = 0 // the deadline has passed
		}
	}
	*r.budget = budget.Budget{Cost: r.given}
	if r.given == 0 {
		r.budget.Spend(1)
	}
	r.items, r.args = r.items[:0], r.args[:0]
}

// charge takes what the rule has spent from the budget of the message. A rule
// may spend the last unit without ending the budget for those that cost none.
func (r *Run) charge() {
	if b := r.env.Budget; b != nil {
		spent := r.given - max(0, r.budget.Cost)
		b.Spend(int(max(0, min(spent, b.Cost))))
	}
}

func result(v value.Value) Result {
	out := Result{Verdict: NoMatch, Value: v}
	switch {
	case v.IsMissing():
		if v.CanBeTrue() {
			out.Verdict, out.Missing = Undecided, v.Gaps()
		}
	case v.IsTrue():
		out.Verdict = Match
	case v.Kind() == value.KindBool || v.IsNull():
	default:
		// A query shows something to an analyst.
		if s, ok := v.Str(); !(ok && s == "") && !(v.List() != nil && v.List().Len() == 0) && !(v.Map() != nil && v.Map().Len() == 0) {
			out.Verdict = Match
		}
	}
	return out
}

// spend pays n units and reports whether they could be paid.
func (r *Run) spend(n int) bool { return r.budget.Spend(n) }
