package value

import (
	"cmp"
	"strings"
)

// known reports whether both are known and not null. If not, v is the value of
// any operation on them: null where one is plainly null, whatever the other may
// be, and else missing.
func known(a, b Value) (v Value, ok bool) {
	if a.kind != KindNull && b.kind != KindNull {
		return Null, true
	}
	if a.IsPlainNull() || b.IsPlainNull() {
		return Null, false
	}
	return either(a, b), false
}

// Equal is the operator "==". Strings are compared byte for byte, an integer
// with a float as numbers; what cannot be compared is null.
func Equal(a, b Value) Value {
	if a.kind == KindString && b.kind == KindString {
		return Bool(a.s == b.s)
	}
	v, ok := known(a, b)
	if !ok {
		return v
	}
	switch {
	case a.kind == KindBool && b.kind == KindBool, a.kind == KindInt && b.kind == KindInt:
		return Bool(a.n == b.n)
	}
	if x, ok := a.Number(); ok {
		if y, ok := b.Number(); ok {
			return Bool(x == y)
		}
	}
	return Null
}

// EqualFold is the operator "=~": strings are equal but for case (Unicode
// simple folding). What are no strings is compared as [Equal] does.
func EqualFold(a, b Value) Value {
	if a.kind == KindString && b.kind == KindString {
		return Bool(strings.EqualFold(a.s, b.s))
	}
	return Equal(a, b)
}

// Compare compares two numbers, or two strings in byte order. Where they can be
// compared, order is negative, zero or positive; if not, v is the value of the
// comparison.
func Compare(a, b Value) (order int, v Value, ok bool) {
	if v, ok = known(a, b); !ok {
		return 0, v, false
	}
	if a.kind == KindString && b.kind == KindString {
		return strings.Compare(a.s, b.s), Null, true
	}
	if a.kind == KindInt && b.kind == KindInt {
		return cmp.Compare(int64(a.n), int64(b.n)), Null, true
	}
	if x, ok := a.Number(); ok {
		if y, ok := b.Number(); ok {
			return cmp.Compare(x, y), Null, true
		}
	}
	return 0, Null, false
}

// In is the operator "in": whether an item of the array equals x; fold makes it
// "in~". It is null if x is null.
func In(x, array Value, fold bool) Value {
	v, ok := known(x, array)
	if !ok {
		return v
	}
	l := array.List()
	if l == nil {
		return Null
	}
	if x.kind == KindString && l.index() {
		if fold {
			return Bool(l.hasFold(x.s))
		}
		return Bool(l.has(x.s))
	}
	eq := Equal
	if fold {
		eq = EqualFold
	}
	out := False
	for _, item := range l.Items() {
		if out = Or(out, eq(x, item)); out.IsTrue() {
			break
		}
	}
	return out
}
