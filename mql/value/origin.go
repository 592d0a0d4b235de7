package value

import "github.com/sekisho/sekisho/finding"

// Origin leads from a stretch of a text to the place in the message where it
// stands.
type Origin interface {
	// Where returns the place of text[offset : offset+length].
	Where(offset, length int) finding.Where
}

// Place is an origin that is one place as a whole: of a number, a file name, or
// a text that was computed from what stands there.
type Place finding.Where

// Where implements [Origin].
func (p Place) Where(int, int) finding.Where { return finding.Where(p) }

// Origin returns where v came from, nil if that is not known. An object leads to
// the place of the whole.
func (v Value) Origin() Origin {
	switch r := v.ref.(type) {
	case Origin:
		return r
	case *Object:
		return r.origin
	}
	return nil
}

// Where returns the place of a stretch of the string in v, and whether it is
// known. For other kinds it is the place of the whole.
func (v Value) Where(offset, length int) (finding.Where, bool) {
	o := v.Origin()
	if o == nil {
		return finding.Where{}, false
	}
	return o.Where(offset, length), true
}

// At returns v, a boolean, a number or a string, as something that came from o.
func (v Value) At(o Origin) Value {
	switch v.kind {
	case KindBool, KindInt, KindFloat, KindString:
		if o != nil {
			v.ref = o
		}
	}
	return v
}

// From returns v as something that was computed from in: it leads to the place
// of the whole of in.
func (v Value) From(in Value) Value {
	if v.Origin() != nil {
		return v
	}
	o := in.Origin()
	if o == nil {
		return v
	}
	if p, ok := o.(Place); ok {
		return v.At(p)
	}
	return v.At(Place(o.Where(0, len(in.s))))
}

// Part returns a stretch of the string in v, from and to in bytes, that leads to
// its own place.
func (v Value) Part(from, to int) Value {
	out := Value{kind: KindString, s: v.s[from:to]}
	switch o := v.Origin().(type) {
	case nil:
	case Place:
		out.ref = o
	case shifted:
		out.ref = shifted{o.origin, o.by + from}
	default:
		out.ref = shifted{o, from}
	}
	return out
}

// shifted is the origin of a stretch of a text.
type shifted struct {
	origin Origin
	by     int
}

// Where implements [Origin].
func (s shifted) Where(offset, length int) finding.Where {
	return s.origin.Where(s.by+offset, length)
}

// Key tells values apart: two values with the same key are the same one, or
// equal scalars. Its zero value is that of null.
type Key struct {
	kind Kind
	n    uint64
	s    string
	p    any // a pointer
}

// Key returns the key of v.
func (v Value) Key() Key {
	k := Key{kind: v.kind, n: v.n, s: v.s}
	switch r := v.ref.(type) {
	case *List, *Map, *Object, *gaps:
		k.p = r
	}
	return k
}
