package html

import (
	"slices"

	"golang.org/x/net/html/atom"
)

// look is how text in an element is shown.
type look struct {
	none      bool // not at all, whatever is inside
	invisible bool // visibility:hidden
	tiny      bool // no size
	clear     bool // transparent
	pre       bool // white space is kept
}

func (l look) hidden() bool { return l.none || l.invisible || l.tiny || l.clear }

// with returns the look of an element with declarations d inside l.
func (l look) with(d *declarations) look {
	if d[display].v == hides || d[opacity].v == hides || d[msoHide].v == hides ||
		d[overflow].v == hides && (d[height].v == hides || d[width].v == hides) {
		l.none = true
	}
	set := func(b *bool, v int8) {
		if v == hides || v == shows {
			*b = v == hides
		}
	}
	set(&l.invisible, d[visibility].v)
	set(&l.tiny, d[fontSize].v)
	set(&l.clear, d[colour].v)
	set(&l.pre, d[whiteSpace].v)
	return l
}

// element is an open element.
type element struct {
	name    atom.Atom
	other   string // the name, where it is none of HTML's
	kind    kind
	look    look
	own     *declarations // nil if it sets nothing
	breaks  bool
	foster  bool // stands in a table where it may not: shown before the table
	link    int  // 1-based index of the link that ends with it
	quote   bool // starts a quote
	form    bool
	foreign bool // svg or math
}

func (e *element) is(name atom.Atom, other string) bool { return e.name == name && e.other == other }

// tree is the stack of open elements, outermost first.
type tree struct {
	open  []element
	count [1 << 9]int16 // open elements by a hash of their name, to find out quickly that there is none
	steps int           // elements looked at, for the budget
	close func(*element)
}

func slot(name atom.Atom, other string) int {
	h := uint32(name) * 2654435761
	for i := range len(other) {
		h = (h ^ uint32(other[i])) * 16777619
	}
	return int(h >> 23)
}

func (t *tree) top() *element {
	if len(t.open) == 0 {
		return nil
	}
	return &t.open[len(t.open)-1]
}

// look returns the look of what stands at index i, 0 for the page itself.
func (t *tree) look(i int) look {
	if i == 0 {
		return look{}
	}
	return t.open[i-1].look
}

// table returns how many elements are open outside the innermost table if
// content put in now is moved before that table, else all of them.
func (t *tree) table() int {
	n := len(t.open)
	for i := n; i > 0 && i > n-8 && t.open[i-1].kind&tabular != 0; i-- {
		if t.open[i-1].name == atom.Table {
			return i - 1
		}
	}
	return n
}

func (t *tree) push(e element) {
	// What is nested deeper than browsers nest becomes a sibling.
	if len(t.open) == maxDepth {
		t.remove(len(t.open) - 1)
	}
	outside := len(t.open)
	if e.kind&tabular == 0 && e.kind&clears == 0 {
		outside = t.table()
		e.foster = outside != len(t.open)
	}
	e.look = t.inherit(outside, &e)
	t.open = append(t.open, e)
	t.count[slot(e.name, e.other)]++
}

func (t *tree) inherit(outside int, e *element) look {
	l := t.look(outside)
	if e.kind&unseen != 0 {
		l.none = true
	}
	if e.own != nil {
		l = l.with(e.own)
	}
	return l
}

// remove takes out the element at index i; what is open inside it stays open.
func (t *tree) remove(i int) {
	e := t.open[i]
	t.count[slot(e.name, e.other)]--
	t.open = slices.Delete(t.open, i, i+1)
	t.relook(i)
	t.close(&e)
}

func (t *tree) relook(from int) {
	for i := from; i < len(t.open); i++ {
		if !t.open[i].foster {
			t.open[i].look = t.inherit(i, &t.open[i])
		}
	}
	t.steps += len(t.open) - from
}

// cut closes everything from index i on. Formatting that was opened inside is
// kept open, as browsers reopen it, unless the element clears it.
func (t *tree) cut(i int, clear bool) {
	var kept []element
	for k := len(t.open) - 1; k >= i; k-- {
		e := t.open[k]
		if k > i && e.kind&formatting != 0 && !clear {
			kept = append(kept, e)
			continue
		}
		t.count[slot(e.name, e.other)]--
		t.close(&e)
	}
	t.open = t.open[:i]
	slices.Reverse(kept)
	t.open = append(t.open, kept...)
	t.relook(i)
}

// find returns the index of the innermost open element of that name that an end
// tag reaches, -1 if there is none.
func (t *tree) find(name atom.Atom, other string, stop kind) int {
	if t.count[slot(name, other)] == 0 {
		return -1
	}
	for i := len(t.open) - 1; i >= 0; i-- {
		t.steps++
		e := &t.open[i]
		if e.is(name, other) {
			return i
		}
		if e.kind&stop != 0 {
			return -1
		}
	}
	return -1
}

// start closes what the start tag of an element ends without a word.
func (t *tree) start(name atom.Atom, k kind) {
	if k&closesP != 0 {
		if i := t.find(atom.P, "", scope); i >= 0 {
			t.cut(i, false)
		}
	}
	rule, ok := implied[name]
	if !ok {
		return
	}
	n := 0
	for _, a := range rule.ends {
		n += int(t.count[slot(a, "")])
	}
	if n == 0 {
		return
	}
	for i := len(t.open) - 1; i >= 0; i-- {
		t.steps++
		e := &t.open[i]
		if slices.Contains(rule.ends, e.name) {
			if e.kind&formatting != 0 {
				t.remove(i)
			} else {
				t.cut(i, e.kind&(clears|tabular) != 0)
			}
			return
		}
		if e.kind&scope != 0 && !slices.Contains(rule.within, e.name) ||
			e.kind&special != 0 && name != atom.A && !slices.Contains(rule.within, e.name) {
			return
		}
	}
}

// end closes what an end tag ends and reports whether there was anything.
func (t *tree) end(name atom.Atom, other string, k kind) bool {
	var i int
	switch {
	case k&formatting != 0:
		if i = t.find(name, other, scope); i >= 0 {
			t.remove(i)
			return true
		}
		return false
	case k&(clears|tabular) != 0:
		// Cells are left through whatever is open in them, but for a table
		// inside.
		if t.count[slot(name, other)] == 0 {
			return false
		}
		for i = len(t.open) - 1; i >= 0 && !t.open[i].is(name, other); i-- {
			t.steps++
			if t.open[i].name == atom.Table {
				return false
			}
		}
	case k&special != 0:
		i = t.find(name, other, scope)
	default:
		i = t.find(name, other, special)
	}
	if i < 0 {
		return false
	}
	t.cut(i, k&(clears|tabular) != 0)
	return true
}
