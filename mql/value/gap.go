package value

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/finding"
)

// Gap is something that would have to be known to tell a value.
type Gap struct {
	Capability string // history, classifier, list, ...
	Name       string // which one, where there are several: the name of a list
	Cause      finding.Cause
}

// String returns the gap as people write it: "list tranco_1m".
func (g Gap) String() string {
	s := g.Capability
	if g.Name != "" {
		s += " " + g.Name
	}
	if g.Cause != "" && g.Cause != finding.NotConfigured {
		s += " (" + string(g.Cause) + ")"
	}
	return s
}

func compareGaps(a, b Gap) int {
	return cmp.Or(strings.Compare(a.Capability, b.Capability), strings.Compare(a.Name, b.Name), strings.Compare(string(a.Cause), string(b.Cause)))
}

// gaps is a set, sorted and never changed.
type gaps struct{ list []Gap }

// Missing returns a null that stands for something unknown. Its argument must
// not be empty.
func Missing(g ...Gap) Value {
	list := slices.Clone(g)
	slices.SortFunc(list, compareGaps)
	return Value{n: outcomesAll, ref: &gaps{slices.Compact(list)}}
}

// Gaps returns what would have to be known to tell v, sorted; nil if v is
// known. The slice must not be changed.
func (v Value) Gaps() []Gap {
	if g := v.gaps(); g != nil {
		return g.list
	}
	return nil
}

func (v Value) gaps() *gaps {
	if v.kind != KindNull {
		return nil
	}
	g, _ := v.ref.(*gaps)
	return g
}

// IsMissing reports whether v is a null that stands for something unknown.
func (v Value) IsMissing() bool { return v.gaps() != nil }

// IsPlainNull reports whether v is null and known to be.
func (v Value) IsPlainNull() bool { return v.kind == KindNull && v.ref == nil }

// either returns a missing value for all that is missing in a and b, of which
// at least one is. It could become anything.
func either(a, b Value) Value { return union(a, b).as(outcomesAll) }

// Either returns the missing value of everything that is missing among vs, and
// whether anything is. It could become anything.
func Either(vs ...Value) (Value, bool) {
	var out Value
	for _, v := range vs {
		if v.IsMissing() {
			out = union(out, v)
		}
	}
	return out.as(outcomesAll), out.IsMissing()
}

// as returns v with other outcomes if it is missing. A plain null stays one.
func (v Value) as(o uint64) Value {
	if v.gaps() == nil {
		return Null
	}
	return Value{n: o, ref: v.ref}
}

// union returns a null with the gaps of both; its outcomes are not set.
func union(a, b Value) Value {
	x, y := a.gaps(), b.gaps()
	switch {
	case y == nil || x == y:
		if x == nil {
			return Null
		}
		return Value{ref: x}
	case x == nil || subset(x.list, y.list):
		return Value{ref: y}
	case subset(y.list, x.list):
		return Value{ref: x}
	}
	list := slices.Concat(x.list, y.list)
	slices.SortFunc(list, compareGaps)
	return Value{ref: &gaps{slices.Compact(list)}}
}

// subset reports whether every gap of a is in b; both are sorted.
func subset(a, b []Gap) bool {
	if len(a) > len(b) {
		return false
	}
	for _, g := range a {
		i, ok := slices.BinarySearchFunc(b, g, compareGaps)
		if !ok {
			return false
		}
		b = b[i+1:]
	}
	return true
}
