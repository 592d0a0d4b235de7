// Package value holds the values that rules of the Message Query Language see:
// strings, numbers, arrays and objects of a message, the null of a field that
// is absent, and the null of something that nobody could find out.
//
// The language is three-valued: a comparison with null is null, and "and", "or"
// and "not" follow Kleene's strong logic. A null that stands for a missing
// capability remembers which one, and what it could still turn into, so that a
// rule is called undecided only if the missing answer could make it match.
//
// A string knows where it came from. Whatever a function makes of it leads back
// to the same place of the message; see [Origin].
//
// Values are immutable. Objects and lists may be built at their first use and
// belong to one message then: unless their maker says otherwise, they are not
// safe for concurrent use.
package value

import (
	"math"
	"strconv"
)

// Kind is the type of a value at run time.
type Kind uint8

// The kinds. A value of the language's type "json" has the kind of what was
// read.
const (
	KindNull Kind = iota
	KindBool
	KindInt
	KindFloat
	KindString
	KindArray
	KindMap
	KindObject
)

var kindNames = [...]string{"null", "boolean", "integer", "float", "string", "array", "map", "object"}

// String returns the name that the language uses.
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return "kind(" + strconv.Itoa(int(k)) + ")"
	}
	return kindNames[k]
}

// Value is one value. The zero Value is null.
type Value struct {
	kind Kind
	n    uint64 // a boolean, an integer, the bits of a float; for a missing value its outcomes
	s    string
	ref  any // *List, *Map, *Object; *gaps for a missing value; else an Origin or nil
}

// Null is the value of what is absent.
var Null = Value{}

// The two booleans.
var (
	True  = Value{kind: KindBool, n: 1}
	False = Value{kind: KindBool}
)

// Bool returns a boolean.
func Bool(b bool) Value {
	if b {
		return True
	}
	return False
}

// Int returns an integer.
func Int(n int64) Value { return Value{kind: KindInt, n: uint64(n)} }

// Float returns a float, null for what is no number.
func Float(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Null
	}
	return Value{kind: KindFloat, n: math.Float64bits(f)}
}

// String returns a string without a place.
func String(s string) Value { return Value{kind: KindString, s: s} }

// Text returns a string that came from the message.
func Text(s string, o Origin) Value {
	v := Value{kind: KindString, s: s}
	if o != nil {
		v.ref = o
	}
	return v
}

// OptString returns a string, null where it is empty.
func OptString(s string) Value {
	if s == "" {
		return Null
	}
	return String(s)
}

// Of returns the value of a list, a map or an object; null for nil.
func Of[T *List | *Map | *Object](x T) Value {
	switch x := any(x).(type) {
	case *List:
		if x != nil {
			return Value{kind: KindArray, ref: x}
		}
	case *Map:
		if x != nil {
			return Value{kind: KindMap, ref: x}
		}
	case *Object:
		if x != nil {
			return Value{kind: KindObject, ref: x}
		}
	}
	return Null
}

// Array returns an array of these values.
func Array(items ...Value) Value { return Of(NewList(items...)) }

// Strings returns an array of strings.
func Strings(items ...string) Value {
	l := &List{items: make([]Value, len(items))}
	for i, s := range items {
		l.items[i] = String(s)
	}
	return Of(l)
}

// Kind returns the kind of v. A missing value is null.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether v is null, missing or not.
func (v Value) IsNull() bool { return v.kind == KindNull }

// IsTrue reports whether v is the boolean true.
func (v Value) IsTrue() bool { return v.kind == KindBool && v.n == 1 }

// IsFalse reports whether v is the boolean false.
func (v Value) IsFalse() bool { return v.kind == KindBool && v.n == 0 }

// Str returns the string in v and whether v is one.
func (v Value) Str() (string, bool) { return v.s, v.kind == KindString }

// Int returns the integer in v and whether v is one.
func (v Value) Int() (int64, bool) { return int64(v.n), v.kind == KindInt }

// Number returns v as a float and whether it is a number.
func (v Value) Number() (float64, bool) {
	switch v.kind {
	case KindInt:
		return float64(int64(v.n)), true
	case KindFloat:
		return math.Float64frombits(v.n), true
	}
	return 0, false
}

// List returns the array in v, nil if v is none.
func (v Value) List() *List {
	l, _ := v.ref.(*List)
	return l
}

// Map returns the map in v, nil if v is none.
func (v Value) Map() *Map {
	m, _ := v.ref.(*Map)
	return m
}

// Object returns the object in v, nil if v is none.
func (v Value) Object() *Object {
	o, _ := v.ref.(*Object)
	return o
}

// Field returns the member of an object, or of a map that came from JSON, by
// its name. It is null where there is none, and missing where v is missing.
func (v Value) Field(name string) Value {
	switch v.kind {
	case KindObject:
		return v.Object().Field(name)
	case KindMap:
		return v.Map().Get(name)
	}
	return v.as(outcomesAll)
}

// Index returns the item of an array by its place, or of a map or object by its
// name. It is null where there is none, as for an index below zero.
func (v Value) Index(i Value) Value {
	if v.IsPlainNull() || i.IsPlainNull() {
		return Null
	}
	if v.kind == KindNull || i.kind == KindNull {
		return either(v, i)
	}
	switch v.kind {
	case KindArray:
		if n, ok := i.Int(); ok {
			return v.List().At(n)
		}
	case KindMap, KindObject:
		if s, ok := i.Str(); ok {
			return v.Field(s)
		}
	}
	return Null
}

// GoString shows v in test failures.
func (v Value) GoString() string {
	if v.IsMissing() {
		b := []byte("missing(")
		for i, g := range v.Gaps() {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(b, g.String()...)
		}
		return string(append(b, ')'))
	}
	return string(v.AppendJSON(nil))
}
