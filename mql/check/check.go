// Package check finds what is wrong with a rule of the Message Query Language
// before it runs: fields, functions and lists that do not exist, arguments and
// comparisons of the wrong type, regular expressions that do not compile, and
// conditions that can never be true.
//
// The result is a [Program]: the tree with the type of every node and what the
// rule needs, which is what the evaluator starts from.
package check

import (
	"cmp"
	"regexp/syntax"
	"slices"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/schema"
	mql "github.com/sekisho/sekisho/mql/syntax"
)

// Want is what a rule must come to.
type Want uint8

// What rules come to.
const (
	WantBool Want = iota // a condition: the rule matches or does not
	WantAny              // any value: evidence for an analyst
)

// Options changes what a [Checker] knows. A nil *Options knows the published
// lists.
type Options struct {
	// Lists are lists that the user declared beside the published ones.
	Lists []string
	// XPath reports what is wrong with an XPath expression that a rule has as
	// a literal. It is nil where the evaluator's package is not at hand; then
	// expressions are not checked.
	XPath func(expr string) error
}

// Checker checks rules. It remembers the regular expressions that it has
// seen, because rules share many, and is not safe for concurrent use.
type Checker struct {
	lists    map[string]bool
	patterns map[string]*syntax.Error // nil: compiles
	xpath    func(expr string) error
}

// New returns a checker. opts may be nil.
func New(opts *Options) *Checker {
	c := &Checker{lists: map[string]bool{}, patterns: map[string]*syntax.Error{}}
	if opts != nil {
		c.xpath = opts.XPath
		for _, l := range opts.Lists {
			c.lists[l] = true
		}
	}
	return c
}

// Program is a checked rule. It is immutable and safe for concurrent use.
type Program struct {
	File *mql.File
	// Diagnostics are the errors and warnings, those of the syntax included,
	// in the order of the source.
	Diagnostics []mql.Diagnostic
	// Result is the type of the whole rule; nil if that is not known because
	// of an error.
	Result *schema.Type
	// Needs are the capabilities that the rule mentions, sorted.
	Needs []schema.Capability
	// Lists are the names of the lists that the rule mentions, sorted.
	Lists []string
	// Unpublished are the places where the rule reads a field that the
	// published model lacks.
	Unpublished []*mql.Field
	// Never is why the rule can never match; zero if it can.
	Never lang.Message

	types  []*schema.Type
	levels []uint8
	funcs  map[*mql.Call]*schema.Function
}

// OK reports whether the rule has no error and can be run.
func (p *Program) OK() bool {
	return !slices.ContainsFunc(p.Diagnostics, func(d mql.Diagnostic) bool { return d.Level == mql.Error })
}

// Type returns the type of a node of the program. It is nil for a node that
// has an error.
func (p *Program) Type(e mql.Expr) *schema.Type { return p.types[e.ID()] }

// Function returns what a call calls, under its present name. It is nil for a
// call of something unknown.
func (p *Program) Function(c *mql.Call) *schema.Function { return p.funcs[c] }

// Level returns how many of the loops around e its value depends on, counted
// from the innermost: 0 for an expression that has the same value in all of
// them and can be evaluated once, 1 if it reads the item of the innermost
// loop and so on. A deeper level wins: an expression that reads ".." only has
// level 2.
func (p *Program) Level(e mql.Expr) int { return int(p.levels[e.ID()]) }

// Check types a source that was parsed. A source with errors of syntax is
// returned with these alone.
func (c *Checker) Check(f *mql.File, want Want) *Program {
	p := &Program{File: f, Diagnostics: slices.Clone(f.Diagnostics)}
	p.types = make([]*schema.Type, f.Nodes)
	p.levels = make([]uint8, f.Nodes)
	if !f.OK() {
		return p
	}
	p.funcs = map[*mql.Call]*schema.Function{}
	k := &checking{Checker: c, p: p, needs: map[schema.Capability]bool{}, listed: map[string]bool{}}
	p.Result = k.expr(f.Root)
	if want == WantBool {
		k.wantBool(f.Root, p.Result)
	}
	for n := range k.needs {
		p.Needs = append(p.Needs, n)
	}
	slices.Sort(p.Needs)
	for l := range k.listed {
		p.Lists = append(p.Lists, l)
	}
	slices.Sort(p.Lists)
	if p.OK() {
		t := &truths{p: p, hashes: make([]uint64, f.Nodes)}
		t.hash(f.Root)
		t.rule(f.Root, want)
	}
	slices.SortStableFunc(p.Diagnostics, func(a, b mql.Diagnostic) int { return cmp.Compare(a.Span.Start, b.Span.Start) })
	return p
}

// checking is one run of a [Checker].
type checking struct {
	*Checker
	p      *Program
	items  []*schema.Type // the items of the loops around, innermost last
	needs  map[schema.Capability]bool
	listed map[string]bool
}

// maxDiagnostics bounds what is reported of one rule.
const maxDiagnostics = 50

func (p *Program) report(level mql.Level, at mql.Span, msg, hint lang.Message) {
	if len(p.Diagnostics) < maxDiagnostics {
		p.Diagnostics = append(p.Diagnostics, mql.Diagnostic{Level: level, Span: at, Message: msg, Hint: hint})
	}
}

// full reports whether nothing more is reported, and a proposal need not be
// sought.
func (k *checking) full() bool { return len(k.p.Diagnostics) >= maxDiagnostics }

func (k *checking) fail(at mql.Span, msg, hint lang.Message) { k.p.report(mql.Error, at, msg, hint) }

func (k *checking) warn(at mql.Span, msg, hint lang.Message) { k.p.report(mql.Warning, at, msg, hint) }
