package match

import "math/bits"

// automaton finds all of a set of literals in one pass. Its nodes are numbered
// by depth, the root being 0, so that the children of a node follow each other
// and those that most texts come by lie together.
type automaton struct {
	class [256]uint16 // of a byte; 0: no literal has it
	width int32       // classes
	dense int32       // the nodes below this one have a row
	rows  []int32     // by node and class: the node after it

	first   []int32 // first child; it has those up to the first child of the next node
	label   []byte  // the byte that leads to a node
	fail    []int32 // the longest proper suffix that is a node
	report  []int32 // this node if a literal ends here, else the next one down the suffixes where one does; 0 for none
	literal []int32 // that ends here, -1 for none
}

// maxRows bounds the rows of one automaton, in nodes times classes.
const maxRows = 1 << 15

// branch is a node while the tree grows. Its children form a list.
type branch struct {
	child, sibling int32 // 0 for none
	literal        int32
	label          byte
}

func newAutomaton(literals []string) *automaton {
	a := &automaton{width: 1}
	size := 1
	for _, l := range literals {
		size += len(l)
		for i := range len(l) {
			if a.class[l[i]] == 0 {
				a.class[l[i]] = uint16(a.width)
				a.width++
			}
		}
	}
	tree := make([]branch, 1, size)
	tree[0].literal = -1
	for id, l := range literals {
		at := int32(0)
		for i := range len(l) {
			c := tree[at].child
			for c != 0 && tree[c].label != l[i] {
				c = tree[c].sibling
			}
			if c == 0 {
				c = int32(len(tree))
				tree = append(tree, branch{label: l[i], sibling: tree[at].child, literal: -1})
				tree[at].child = c
			}
			at = c
		}
		tree[at].literal = int32(id)
	}
	n := len(tree)
	a.first, a.label, a.fail = make([]int32, n+1), make([]byte, n), make([]int32, n)
	a.report, a.literal = make([]int32, n), make([]int32, n)
	queue := make([]int32, 1, n) // places in the tree, by number
	parent := make([]int32, n)
	for at := 0; at < len(queue); at++ {
		b := &tree[queue[at]]
		a.label[at], a.literal[at], a.first[at] = b.label, b.literal, int32(len(queue))
		for c := b.child; c != 0; c = tree[c].sibling {
			parent[len(queue)] = int32(at)
			queue = append(queue, c)
		}
	}
	a.first[n] = int32(n)
	// In the order of depth, so that what a node falls back to is complete.
	for at := int32(1); at < int32(n); at++ {
		if up := parent[at]; up != 0 {
			a.fail[at] = a.move(a.fail[up], a.label[at])
		}
		a.report[at] = a.report[a.fail[at]]
		if a.literal[at] >= 0 {
			a.report[at] = at
		}
	}
	a.fill()
	return a
}

// fill writes the rows of the nodes near the root.
func (a *automaton) fill() {
	n := min(int32(len(a.label)), maxRows/a.width)
	a.rows = make([]int32, n*a.width)
	for at := range n {
		row := a.rows[at*a.width : (at+1)*a.width]
		if at > 0 {
			// What it falls back to is nearer to the root.
			copy(row, a.rows[a.fail[at]*a.width:])
		}
		for c := a.first[at]; c < a.first[at+1]; c++ {
			row[a.class[a.label[c]]] = c
		}
	}
	a.dense = n
}

// move returns the node after a byte, falling back to shorter suffixes.
func (a *automaton) move(at int32, b byte) int32 {
	for {
		if at < a.dense {
			return a.rows[at*a.width+int32(a.class[b])]
		}
		for c := a.first[at]; c < a.first[at+1]; c++ {
			if a.label[c] == b {
				return c
			}
		}
		if at == 0 {
			return 0
		}
		at = a.fail[at]
	}
}

// find marks the literals that occur in text. The work is linear in text: a
// node whose literals were marked once is not asked again.
func (a *automaton) find(text string, found bitset) {
	at := int32(0)
	for i := range len(text) {
		class := int32(a.class[text[i]])
		switch {
		case class == 0:
			at = 0
			continue
		case at < a.dense:
			at = a.rows[at*a.width+class]
		default:
			at = a.move(at, text[i])
		}
		for n := a.report[at]; n != 0; n = a.report[a.fail[n]] {
			if !found.add(a.literal[n]) {
				break
			}
		}
	}
}

type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) has(i int32) bool { return b[i>>6]&(1<<(i&63)) != 0 }

// all visits the members in order.
func (b bitset) all(visit func(int32)) {
	for i, w := range b {
		for ; w != 0; w &= w - 1 {
			visit(int32(i*64 + bits.TrailingZeros64(w)))
		}
	}
}

// add adds i and reports whether it was new.
func (b bitset) add(i int32) bool {
	w, m := i>>6, uint64(1)<<(i&63)
	if b[w]&m != 0 {
		return false
	}
	b[w] |= m
	return true
}
