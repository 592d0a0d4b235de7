package syntax

import "iter"

// Span is a range of bytes of the source, the end not included.
type Span struct {
	Start int
	End   int
}

// Op is an operator as it is written.
type Op string

// The operators. [OpSub] is also the sign of [Negate].
const (
	OpAnd    Op = "and"
	OpOr     Op = "or"
	OpEq     Op = "=="
	OpNe     Op = "!="
	OpEqFold Op = "=~" // equal without regard to case; no regular expression
	OpNeFold Op = "!~"
	OpLt     Op = "<"
	OpLe     Op = "<="
	OpGt     Op = ">"
	OpGe     Op = ">="
	OpAdd    Op = "+"
	OpSub    Op = "-"
	OpMul    Op = "*"
	OpDiv    Op = "/"
	OpMod    Op = "%"
)

// Expr is a node of the tree: one of the pointer types of this package that
// embed [Base].
type Expr interface {
	// Span is where the expression stands in [File.Source], without white
	// space and comments around it.
	Span() Span
	// ID numbers the nodes of one file from 0 to [File.Nodes]-1, so that what
	// is known about a node can be kept in a slice.
	ID() int

	exprNode()
}

// Base is what every node has.
type Base struct {
	span Span
	id   int
}

// Span implements [Expr].
func (b *Base) Span() Span { return b.span }

// ID implements [Expr].
func (b *Base) ID() int { return b.id }

func (b *Base) exprNode() {}

// The nodes.
type (
	// Bad stands where the source could not be read. A file without
	// diagnostics has none.
	Bad struct{ Base }

	// Null is the literal null.
	Null struct{ Base }

	// Bool is true or false.
	Bool struct {
		Base
		Value bool
	}

	// Int is a whole number that fits into 64 bits.
	Int struct {
		Base
		Value int64
	}

	// Float is a number with a decimal point.
	Float struct {
		Base
		Value float64
	}

	// String is a string literal. Value has its escapes resolved.
	String struct {
		Base
		Value string
		Raw   bool // written in single quotes
	}

	// List is a named list, $name. The name has no dollar sign.
	List struct {
		Base
		Name string
	}

	// Name is a field of the message: sender, body. The name of a function is
	// no Name but part of its [Call].
	Name struct {
		Base
		Name string
	}

	// Item is the element of an enclosing loop: "." is the innermost one and
	// has level 1, ".." the next one out and has level 2, and so on. ".field"
	// is a [Field] of an Item.
	Item struct {
		Base
		Level int
	}

	// Field is X.Name.
	Field struct {
		Base
		X        Expr
		Name     string
		NameSpan Span
	}

	// Index is X[Index].
	Index struct {
		Base
		X     Expr
		Index Expr
	}

	// Slice is X[Low:High]. Low and High may be nil.
	Slice struct {
		Base
		X    Expr
		Low  Expr
		High Expr
	}

	// Call is a call of a function by its dotted name as it is written, which
	// may be an alias: package schema resolves it.
	Call struct {
		Base
		Func     string
		FuncSpan Span
		Args     []Expr
		Keywords []Keyword
	}

	// Negate is -X.
	Negate struct {
		Base
		X Expr
	}

	// Arith is X Op Y with one of + - * / %.
	Arith struct {
		Base
		Op Op
		X  Expr
		Y  Expr
	}

	// Compare is Operands[0] Ops[0] Operands[1], or a chain such as
	// "0 < length(x) <= 10", which says each comparison and all of them. It
	// has at least two operands and one operator less.
	Compare struct {
		Base
		Operands []Expr
		Ops      []Op
	}

	// In is X in Set, or with Fold, X in~ Set, which compares without regard
	// to case. Set is a [Tuple], or any expression that is an array.
	In struct {
		Base
		X    Expr
		Not  bool // "not in"
		Fold bool
		Set  Expr
	}

	// IsNull is "X is null" or "X is not null".
	IsNull struct {
		Base
		X   Expr
		Not bool
	}

	// Not is not X.
	Not struct {
		Base
		X Expr
	}

	// Logic is a chain of one operator, [OpAnd] or [OpOr], with at least two
	// operands.
	Logic struct {
		Base
		Op       Op
		Operands []Expr
	}

	// Of is "N of (clause, clause)": at least N of them are true.
	Of struct {
		Base
		N       int64
		Clauses []Expr
	}

	// Array is [a, b].
	Array struct {
		Base
		Elems []Expr
	}

	// Tuple is the (a, b) on the right of in. It stands nowhere else.
	Tuple struct {
		Base
		Elems []Expr
	}

	// Paren is (X). It has no meaning of its own: see [Unparen].
	Paren struct {
		Base
		X Expr
	}
)

// Keyword is an argument by name, such as mode="aggressive".
type Keyword struct {
	Name     string
	NameSpan Span
	Value    Expr
}

// Unparen returns e without the parentheses around it.
func Unparen(e Expr) Expr {
	for {
		p, ok := e.(*Paren)
		if !ok {
			return e
		}
		e = p.X
	}
}

// Children returns the nodes directly below e in the order of the source.
func Children(e Expr) iter.Seq[Expr] {
	return func(yield func(Expr) bool) { eachChild(e, yield) }
}

// Walk calls visit for e and everything below it, parents first, in the order
// of the source. It does not enter a node for which visit returns false.
func Walk(e Expr, visit func(Expr) bool) {
	if e == nil || !visit(e) {
		return
	}
	eachChild(e, func(c Expr) bool { Walk(c, visit); return true })
}

func eachChild(e Expr, yield func(Expr) bool) {
	all := func(list []Expr) bool {
		for _, c := range list {
			if !yield(c) {
				return false
			}
		}
		return true
	}
	switch e := e.(type) {
	case *Field:
		yield(e.X)
	case *Index:
		_ = yield(e.X) && yield(e.Index)
	case *Slice:
		if !yield(e.X) {
			return
		}
		if e.Low != nil && !yield(e.Low) {
			return
		}
		if e.High != nil {
			yield(e.High)
		}
	case *Call:
		if !all(e.Args) {
			return
		}
		for i := range e.Keywords {
			if !yield(e.Keywords[i].Value) {
				return
			}
		}
	case *Negate:
		yield(e.X)
	case *Arith:
		_ = yield(e.X) && yield(e.Y)
	case *Compare:
		all(e.Operands)
	case *In:
		_ = yield(e.X) && yield(e.Set)
	case *IsNull:
		yield(e.X)
	case *Not:
		yield(e.X)
	case *Logic:
		all(e.Operands)
	case *Of:
		all(e.Clauses)
	case *Array:
		all(e.Elems)
	case *Tuple:
		all(e.Elems)
	case *Paren:
		yield(e.X)
	}
}
