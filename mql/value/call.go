package value

import "github.com/sekisho/sekisho/budget"

// Call is one call of a function.
type Call struct {
	Args   []Value
	Named  map[string]Value // arguments given by name; may be nil
	Budget *budget.Budget
}

// Arg returns the argument at place i, null if it was not given.
func (c *Call) Arg(i int) Value {
	if i < len(c.Args) {
		return c.Args[i]
	}
	return Null
}

// Func computes a function of the language whose arguments are known and, but
// for the optional ones, not null. It must depend on its arguments alone, since
// its result is kept for the same arguments, and must charge the budget for
// work that grows with them.
type Func func(*Call) Value
