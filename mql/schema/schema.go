// Package schema knows the types of the Message Query Language: the Message
// Data Model that a rule reads, the functions that it may call with what they
// need and return, and the named lists.
//
// The types of the model and of most results come from the OpenAPI document
// that Sublime Security publishes for its platform; what that document lacks
// and rules use is added and marked as [Field.Unpublished]. The functions are
// those of https://docs.sublime.security/docs/functions.
//
// Everything here is read only and safe for concurrent use.
package schema

//go:generate go run ./gen -o model.go $SEKISHO_OPENAPI

import (
	"cmp"
	"slices"
	"strings"
)

// Kind is the shape of a type.
type Kind uint8

// The kinds. The zero kind is [Any].
const (
	Any    Kind = iota // not known before the rule runs, such as parsed JSON
	Null               // nothing but null
	Bool               // true or false
	Int                // 64 bits
	Float              // 64 bits
	String             // UTF-8
	Array              // of Elem
	Map                // of strings to Elem
	Object             // with Fields
)

// Type is the type of a value. Any value may be null as well.
type Type struct {
	Kind   Kind
	Name   string   // of an object
	Elem   *Type    // of an array or map
	Fields []Field  // of an object, sorted by name
	Enum   []string // all values that a string is documented to have; nil: any
}

// Field is a member of an object.
type Field struct {
	Name string
	Type *Type
	// Canonical is the name of the field that this one is an older name of.
	Canonical string
	// Unpublished marks a field that published rules read although the
	// published model does not have it.
	Unpublished bool
}

var (
	typeAny    = Type{Kind: Any}
	typeNull   = Type{Kind: Null}
	typeBool   = Type{Kind: Bool}
	typeInt    = Type{Kind: Int}
	typeFloat  = Type{Kind: Float}
	typeString = Type{Kind: String}
)

// Scalar returns the type of a kind that has no parts: [Any], [Null], [Bool],
// [Int], [Float] or [String].
func Scalar(k Kind) *Type {
	switch k {
	case Null:
		return &typeNull
	case Bool:
		return &typeBool
	case Int:
		return &typeInt
	case Float:
		return &typeFloat
	case String:
		return &typeString
	default:
		return &typeAny
	}
}

// ArrayOf returns the type of arrays of elem.
func ArrayOf(elem *Type) *Type { return &Type{Kind: Array, Elem: elem} }

// Message returns the type of the Message Data Model.
func Message() *Type { return &typeMessage }

// Root returns the type of a name that a rule may begin with: a member of the
// message, or "triage" in an automation.
func Root(name string) (*Type, bool) {
	if f, ok := typeMessage.Field(name); ok {
		return f.Type, true
	}
	if name == "triage" {
		return &typeTriage, true
	}
	return nil, false
}

// Roots returns the names of [Root].
func Roots() []string {
	names := make([]string, 0, len(typeMessage.Fields)+1)
	for _, f := range typeMessage.Fields {
		names = append(names, f.Name)
	}
	return append(names, "triage")
}

// Index returns the place of a field in t.Fields, -1 if there is none.
func (t *Type) Index(name string) int {
	i, ok := slices.BinarySearchFunc(t.Fields, name, func(f Field, name string) int { return cmp.Compare(f.Name, name) })
	if !ok {
		return -1
	}
	return i
}

// Field returns the field of an object.
func (t *Type) Field(name string) (*Field, bool) {
	i := t.Index(name)
	if i < 0 {
		return nil, false
	}
	return &t.Fields[i], true
}

// String is the name of a type as it is written for people: string,
// [Link], map of strings.
func (t *Type) String() string {
	if t == nil {
		return "?"
	}
	switch t.Kind {
	case Null:
		return "null"
	case Bool:
		return "boolean"
	case Int:
		return "integer"
	case Float:
		return "float"
	case String:
		return "string"
	case Array:
		return "[" + t.Elem.String() + "]"
	case Map:
		return "map<" + t.Elem.String() + ">"
	case Object:
		return t.Name
	default:
		return "any"
	}
}

// Same reports whether a and b are one type. Objects are the same only if
// they are one definition; the words that a string may be do not matter.
func Same(a, b *Type) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil || a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case Array, Map:
		return Same(a.Elem, b.Elem)
	case Object:
		return false
	default:
		return true
	}
}

// Join returns a type that values of a and of b have: the wider of two
// numbers, the other one of null, and [Any] of types that have nothing in
// common.
func Join(a, b *Type) *Type {
	switch {
	case a == b:
		return a
	case a.Kind == Null:
		return b
	case b.Kind == Null:
		return a
	case a.Kind == String && b.Kind == String:
		return &typeString
	case Same(a, b):
		return a
	case a.IsNumber() && b.IsNumber():
		return &typeFloat
	case a.Kind == Array && b.Kind == Array:
		return ArrayOf(Join(a.Elem, b.Elem))
	default:
		return &typeAny
	}
}

// IsNumber reports whether t is an integer or a float.
func (t *Type) IsNumber() bool { return t.Kind == Int || t.Kind == Float }

// IsScalar reports whether t has no parts. Any and null count as scalar.
func (t *Type) IsScalar() bool { return t.Kind <= String }

// Allows reports whether a value of t may be s by what is documented.
func (t *Type) Allows(s string) bool {
	if t.Kind != String || t.Enum == nil {
		return true
	}
	return slices.Contains(t.Enum, s)
}

// AllowsFold is [Type.Allows] without regard to case.
func (t *Type) AllowsFold(s string) bool {
	if t.Kind != String || t.Enum == nil {
		return true
	}
	return slices.ContainsFunc(t.Enum, func(e string) bool { return strings.EqualFold(e, s) })
}
