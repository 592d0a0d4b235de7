package value

// Shape is the type of an object: the names of its fields, in order. It is
// immutable and safe for concurrent use.
type Shape struct {
	name  string
	names []string
	index map[string]int
}

// NewShape returns the shape of that name with these fields.
func NewShape(name string, fields ...string) *Shape {
	s := &Shape{name: name, names: fields, index: make(map[string]int, len(fields))}
	for i, f := range fields {
		s.index[f] = i
	}
	return s
}

// Name returns the name of the type, such as "Domain".
func (s *Shape) Name() string { return s.name }

// Fields returns the names of the fields. The slice must not be changed.
func (s *Shape) Fields() []string { return s.names }

// Object is a value with fields.
type Object struct {
	shape  *Shape
	slots  []Value
	built  []bool
	build  func(field string) Value
	origin Origin
	source any
}

// New returns an object with these values, in the order of the shape's fields.
// Fields without a value are null.
func (s *Shape) New(values ...Value) *Object {
	o := &Object{shape: s, slots: values}
	for len(o.slots) < len(s.names) {
		o.slots = append(o.slots, Null)
	}
	return o
}

// Lazy returns an object that asks build for each field at its first use.
func (s *Shape) Lazy(build func(field string) Value) *Object {
	return &Object{shape: s, build: build}
}

// At says where the object as a whole stands, and returns it.
func (o *Object) At(origin Origin) *Object {
	o.origin = origin
	return o
}

// For keeps what the object was made from, for the functions that read more of
// it than rules see, and returns the object.
func (o *Object) For(source any) *Object {
	o.source = source
	return o
}

// Source returns what the object was made from; see [Object.For].
func (o *Object) Source() any { return o.source }

// Shape returns the type of the object.
func (o *Object) Shape() *Shape { return o.shape }

// Index returns the place of a field in the shape, -1 if there is none.
func (s *Shape) Index(name string) int {
	if i, ok := s.index[name]; ok {
		return i
	}
	return -1
}

// Field returns the value of a field, null if the shape has none of that name.
func (o *Object) Field(name string) Value {
	i, ok := o.shape.index[name]
	if !ok {
		return Null
	}
	return o.Member(i)
}

// Member returns the value of the field at a place of the shape.
func (o *Object) Member(i int) Value {
	if o.build == nil {
		return o.slots[i]
	}
	if o.slots == nil {
		o.slots = make([]Value, len(o.shape.names))
		o.built = make([]bool, len(o.shape.names))
	}
	if !o.built[i] {
		o.slots[i] = o.build(o.shape.names[i])
		o.built[i] = true
	}
	return o.slots[i]
}
