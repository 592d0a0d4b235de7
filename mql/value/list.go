package value

import (
	"maps"
	"slices"
	"sync"

	"github.com/sekisho/sekisho/match"
)

// List is an array.
type List struct {
	build func() []Value // nil once it was called
	items []Value

	// A set is made for asking "in" and safe for concurrent use.
	set    bool
	made   sync.Once
	folded sync.Once
	exact  map[string]struct{}
	fold   map[string]struct{}
	plain  bool // all items are strings
	size   int  // of a set
	most   int  // bytes of the longest entry

	// ask answers instead of the two maps, where what is in the array depends
	// on the message.
	ask func(s string, fold bool) bool
}

// NewList returns an array of these values. It keeps the slice.
func NewList(items ...Value) *List { return &List{items: items} }

// LazyList returns an array whose items are made at their first use.
func LazyList(build func() []Value) *List { return &List{build: build} }

// NewSet returns an array of strings made for asking whether something is in
// it, such as a list that rules name. It is safe for concurrent use and keeps
// the slice.
func NewSet(entries []string) *List {
	l := &List{set: true, plain: true, size: len(entries), exact: make(map[string]struct{}, len(entries))}
	for _, e := range entries {
		l.exact[e] = struct{}{}
		l.most = max(l.most, len(e))
	}
	l.build = func() []Value {
		items := make([]Value, len(entries))
		for i, e := range entries {
			items[i] = String(e)
		}
		return items
	}
	return l
}

// NewView returns an array of strings that is asked whether something is in it
// by calling ask, with the items of another array, which must be one of
// [NewSet]. It is for what is known of one message: whether a sender wrote
// before it, for instance, where all who ever wrote are the items.
func NewView(items *List, ask func(s string, fold bool) bool) *List {
	return &List{set: true, plain: true, size: items.size, build: items.Items, ask: ask}
}

// Items returns the items. The slice must not be changed.
func (l *List) Items() []Value {
	if l.set {
		l.made.Do(l.make)
		return l.items
	}
	if l.build != nil {
		l.make()
	}
	return l.items
}

func (l *List) make() {
	if l.build != nil {
		build := l.build
		l.build = nil
		l.items = build()
	}
}

// Len returns the number of items. That of a set does not make them.
func (l *List) Len() int {
	if l.set {
		return l.size
	}
	return len(l.Items())
}

// At returns the item at place i, counted from 0, null if there is none.
func (l *List) At(i int64) Value {
	items := l.Items()
	if i < 0 || i >= int64(len(items)) {
		return Null
	}
	return items[i]
}

// Has reports whether an array that was made by [NewSet] has that entry. For
// others ok is false.
func (l *List) Has(s string) (has, ok bool) {
	if !l.index() || l.ask != nil {
		return false, false
	}
	return l.has(s), true
}

// HasFold reports whether an array that was made by [NewSet] has an entry that
// equals s but for case; false for others.
func (l *List) HasFold(s string) bool { return l.index() && l.hasFold(s) }

// Longest returns the length in bytes of the longest entry of an array that was
// made by [NewSet].
func (l *List) Longest() int { return l.most }

// index reports whether the array answers has and hasFold.
func (l *List) index() bool { return l.set && l.plain }

func (l *List) has(s string) bool {
	if l.ask != nil {
		return l.ask(s, false)
	}
	_, ok := l.exact[s]
	return ok
}

func (l *List) hasFold(s string) bool {
	if l.ask != nil {
		return l.ask(s, true)
	}
	l.folded.Do(func() {
		l.fold = make(map[string]struct{}, len(l.exact))
		for e := range l.exact {
			l.fold[match.Fold(e)] = struct{}{}
		}
	})
	_, ok := l.fold[match.Fold(s)]
	return ok
}

// Map is a map from strings, in the order in which it was filled.
type Map struct {
	keys   []string
	values map[string]Value
}

// Set adds or replaces an entry. It is for building: a map that rules see does
// not change.
func (m *Map) Set(key string, v Value) {
	if m.values == nil {
		m.values = map[string]Value{}
	}
	if _, ok := m.values[key]; !ok {
		m.keys = append(m.keys, key)
	}
	m.values[key] = v
}

// Get returns the value of key, null if there is none.
func (m *Map) Get(key string) Value { return m.values[key] }

// Len returns the number of entries.
func (m *Map) Len() int { return len(m.keys) }

// Keys returns the keys as an array.
func (m *Map) Keys() Value { return Strings(m.keys...) }

// Values returns the values as an array, in the order of the keys.
func (m *Map) Values() Value {
	out := make([]Value, len(m.keys))
	for i, k := range m.keys {
		out[i] = m.values[k]
	}
	return Array(out...)
}

// mapOf returns a map with sorted keys.
func mapOf(in map[string]Value) *Map {
	return &Map{keys: slices.Sorted(maps.Keys(in)), values: in}
}
