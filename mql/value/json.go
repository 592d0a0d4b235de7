package value

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// AppendJSON appends v as JSON. Members that are null, known to be or not, are
// left out of objects.
func (v Value) AppendJSON(b []byte) []byte { return v.appendJSON(b, maxDepth) }

// maxDepth bounds the nesting of JSON that is read or written.
const maxDepth = 64

func (v Value) appendJSON(b []byte, depth int) []byte {
	if depth == 0 {
		return append(b, "null"...)
	}
	switch v.kind {
	case KindBool:
		return strconv.AppendBool(b, v.n == 1)
	case KindInt:
		return strconv.AppendInt(b, int64(v.n), 10)
	case KindFloat:
		f, _ := v.Number()
		return strconv.AppendFloat(b, f, 'g', -1, 64)
	case KindString:
		return appendString(b, v.s)
	case KindArray:
		b = append(b, '[')
		for i, item := range v.List().Items() {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.appendJSON(b, depth-1)
		}
		return append(b, ']')
	case KindMap:
		m := v.Map()
		b = append(b, '{')
		for i, k := range m.keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, k), ':')
			b = m.values[k].appendJSON(b, depth-1)
		}
		return append(b, '}')
	case KindObject:
		o := v.Object()
		b = append(b, '{')
		first := true
		for _, name := range o.shape.names {
			f := o.Field(name)
			if f.IsNull() {
				continue
			}
			if !first {
				b = append(b, ',')
			}
			first = false
			b = append(appendString(b, name), ':')
			b = f.appendJSON(b, depth-1)
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}

func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\r':
			b = append(b, '\\', 'r')
		case r == '\t':
			b = append(b, '\\', 't')
		case r < ' ' || r == 0x7f:
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		case r == '\u2028' || r == '\u2029':
			b = append(b, '\\', 'u', '2', '0', '2', hex[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// MarshalJSON implements [json.Marshaler].
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// ParseJSON reads a JSON text and reports whether it is one. Objects become
// maps with sorted keys; numbers without a fraction that fit become integers.
// What is nested deeper than 64 levels is null.
func ParseJSON(text string) (Value, bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var x any
	if err := d.Decode(&x); err != nil {
		return Null, false
	}
	if d.More() {
		return Null, false
	}
	return fromJSON(x, maxDepth), true
}

func fromJSON(x any, depth int) Value {
	if depth == 0 {
		return Null
	}
	switch x := x.(type) {
	case bool:
		return Bool(x)
	case string:
		return String(x)
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return Int(n)
		}
		f, err := x.Float64()
		if err != nil {
			return Null
		}
		return Float(f)
	case []any:
		items := make([]Value, len(x))
		for i, item := range x {
			items[i] = fromJSON(item, depth-1)
		}
		return Array(items...)
	case map[string]any:
		m := make(map[string]Value, len(x))
		for k, item := range x {
			m[k] = fromJSON(item, depth-1)
		}
		return Of(mapOf(m))
	}
	return Null
}
