package check

import (
	"math"

	mql "github.com/sekisho/sekisho/mql/syntax"
)

// hash computes the structure of each node: expressions that differ only in
// white space, comments, parentheses or the way a literal is written have one
// hash. It serves warnings, so that a collision would do no harm.
func (t *truths) hash(e mql.Expr) uint64 {
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	num := func(v uint64) {
		for range 8 {
			h = (h ^ v&0xff) * prime
			v >>= 8
		}
	}
	str := func(s string) {
		num(uint64(len(s)))
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * prime
		}
	}
	flag := func(b bool) {
		if b {
			num(1)
		} else {
			num(0)
		}
	}
	switch e := e.(type) {
	case *mql.Paren:
		h = t.hash(e.X)
		t.hashes[e.ID()] = h
		return h
	case *mql.Null:
		str("null")
	case *mql.Bool:
		str("bool")
		flag(e.Value)
	case *mql.Int:
		str("int")
		num(uint64(e.Value))
	case *mql.Float:
		str("float")
		num(math.Float64bits(e.Value))
	case *mql.String:
		str("string")
		str(e.Value)
	case *mql.List:
		str("list")
		str(e.Name)
	case *mql.Name:
		str("name")
		str(e.Name)
	case *mql.Item:
		str("item")
		num(uint64(e.Level))
	case *mql.Field:
		str("field")
		str(e.Name)
	case *mql.Index:
		str("index")
	case *mql.Slice:
		str("slice")
		flag(e.Low != nil)
		flag(e.High != nil)
	case *mql.Call:
		str("call")
		str(e.Func)
		num(uint64(len(e.Args)))
		for _, k := range e.Keywords {
			str(k.Name)
		}
	case *mql.Negate:
		str("negate")
	case *mql.Arith:
		str(string(e.Op))
	case *mql.Compare:
		str("compare")
		for _, op := range e.Ops {
			str(string(op))
		}
	case *mql.In:
		str("in")
		flag(e.Not)
		flag(e.Fold)
	case *mql.IsNull:
		str("is")
		flag(e.Not)
	case *mql.Not:
		str("not")
	case *mql.Logic:
		str(string(e.Op))
		num(uint64(len(e.Operands)))
	case *mql.Of:
		str("of")
		num(uint64(e.N))
	case *mql.Array:
		str("array")
		num(uint64(len(e.Elems)))
	case *mql.Tuple:
		str("tuple")
		num(uint64(len(e.Elems)))
	}
	for c := range mql.Children(e) {
		num(t.hash(c))
	}
	t.hashes[e.ID()] = h
	return h
}
