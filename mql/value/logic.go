package value

// The outcomes that a boolean may still have. A known one has exactly one.
const (
	mayTrue uint64 = 1 << iota
	mayFalse
	mayNull

	outcomesAll = mayTrue | mayFalse | mayNull
)

// outcomes returns what v can be as a boolean. What is no boolean counts as
// null, since the language knows no truthiness.
func (v Value) outcomes() uint64 {
	switch {
	case v.IsTrue():
		return mayTrue
	case v.IsFalse():
		return mayFalse
	case v.IsMissing():
		return v.n
	}
	return mayNull
}

// boolean returns the value with outcomes o for reasons that are missing in
// gap.
func boolean(o uint64, gap Value) Value {
	switch {
	case o == mayTrue:
		return True
	case o == mayFalse:
		return False
	case o == mayNull || !gap.IsMissing():
		return Null
	}
	return gap.as(o)
}

// CanBeTrue reports whether v is true or could turn out to be.
func (v Value) CanBeTrue() bool { return v.outcomes()&mayTrue != 0 }

// Not returns Kleene's negation.
func Not(v Value) Value {
	o := v.outcomes()
	n := o & mayNull
	if o&mayTrue != 0 {
		n |= mayFalse
	}
	if o&mayFalse != 0 {
		n |= mayTrue
	}
	return boolean(n, v)
}

// And returns Kleene's conjunction: false if either is false, null if either is
// null.
func And(a, b Value) Value {
	if a.IsFalse() || b.IsFalse() {
		return False
	}
	x, y := a.outcomes(), b.outcomes()
	n := (x | y) & mayFalse
	if x&mayTrue != 0 && y&mayTrue != 0 {
		n |= mayTrue
	}
	// Null needs a null on one side and no false on the other.
	if x&mayNull != 0 && y&(mayTrue|mayNull) != 0 || y&mayNull != 0 && x&(mayTrue|mayNull) != 0 {
		n |= mayNull
	}
	return boolean(n, union(a, b))
}

// Or returns Kleene's disjunction: true if either is true, null if either is
// null.
func Or(a, b Value) Value {
	if a.IsTrue() || b.IsTrue() {
		return True
	}
	x, y := a.outcomes(), b.outcomes()
	n := (x | y) & mayTrue
	if x&mayFalse != 0 && y&mayFalse != 0 {
		n |= mayFalse
	}
	if x&mayNull != 0 && y&(mayFalse|mayNull) != 0 || y&mayNull != 0 && x&(mayFalse|mayNull) != 0 {
		n |= mayNull
	}
	return boolean(n, union(a, b))
}

// A Count decides "n of (...)": true if at least N clauses are true; else null
// if any clause is null; else false.
type Count struct {
	N         int
	sure, may int  // clauses that are true, and those that could be
	null      bool // one is null
	mayNull   bool // one could be null
	gap       Value
}

// Add takes the value of one clause and reports whether the outcome is decided.
func (c *Count) Add(v Value) bool {
	switch o := v.outcomes(); {
	case o == mayTrue:
		c.sure++
	case o == mayNull:
		c.null = true
	case o != mayFalse:
		if o&mayTrue != 0 {
			c.may++
		}
		c.mayNull = c.mayNull || o&mayNull != 0
		c.gap = union(c.gap, v)
	}
	return c.sure >= c.N
}

// Value returns the outcome after all clauses.
func (c *Count) Value() Value {
	if c.sure >= c.N {
		return True
	}
	var o uint64
	if c.sure+c.may >= c.N {
		o |= mayTrue
	}
	if c.null || c.mayNull {
		o |= mayNull
	}
	if !c.null {
		o |= mayFalse
	}
	return boolean(o, c.gap)
}

// IsNull is the operator "is null", which is never null itself. Of something
// missing it is unknown.
func IsNull(v Value) Value {
	if v.IsMissing() {
		return v.as(mayTrue | mayFalse)
	}
	return Bool(v.kind == KindNull)
}

// Coalesce returns a unless it is null, and else b.
func Coalesce(a, b Value) Value {
	if !a.IsMissing() {
		if a.IsNull() {
			return b
		}
		return a
	}
	o := a.n &^ mayNull
	if a.n&mayNull != 0 {
		o |= b.outcomes()
	}
	return boolean(o, union(a, b))
}
