package match

// automaton finds all of a set of literals in one pass.
type automaton struct {
	root  [256]int32 // node after one byte, 0 for none
	nodes []node     // node 0 is the root
}

// node is a node of the trie. Its children form a list.
type node struct {
	child   int32 // first child, 0 for none
	sibling int32 // next child of the same parent
	fail    int32 // the longest proper suffix that is a node
	report  int32 // this node if a literal ends here, else the next one down the suffixes where one does; 0 for none
	literal int32 // that ends here, -1 for none
	label   byte
}

func newAutomaton(literals []string) *automaton {
	size := 1
	for _, l := range literals {
		size += len(l)
	}
	a := &automaton{nodes: make([]node, 1, size)}
	a.nodes[0].literal = -1
	for id, l := range literals {
		at := int32(0)
		for i := range len(l) {
			next := a.step(at, l[i])
			if next == 0 {
				next = int32(len(a.nodes))
				a.nodes = append(a.nodes, node{label: l[i], sibling: a.nodes[at].child, literal: -1})
				a.nodes[at].child = next
				if at == 0 {
					a.root[l[i]] = next
				}
			}
			at = next
		}
		a.nodes[at].literal = int32(id)
	}
	// In the order of depth, so that what a node falls back to is complete.
	queue := make([]int32, 0, len(a.nodes))
	for c := a.nodes[0].child; c != 0; c = a.nodes[c].sibling {
		queue = append(queue, c)
	}
	for i := 0; i < len(queue); i++ {
		n := &a.nodes[queue[i]]
		n.report = a.nodes[n.fail].report
		if n.literal >= 0 {
			n.report = queue[i]
		}
		for c := n.child; c != 0; c = a.nodes[c].sibling {
			a.nodes[c].fail = a.move(n.fail, a.nodes[c].label)
			queue = append(queue, c)
		}
	}
	return a
}

// step returns the child of a node for a byte, 0 for none.
func (a *automaton) step(at int32, b byte) int32 {
	if at == 0 {
		return a.root[b]
	}
	c := a.nodes[at].child
	for c != 0 && a.nodes[c].label != b {
		c = a.nodes[c].sibling
	}
	return c
}

// move returns the node after a byte, falling back to shorter suffixes.
func (a *automaton) move(at int32, b byte) int32 {
	for at != 0 {
		if c := a.step(at, b); c != 0 {
			return c
		}
		at = a.nodes[at].fail
	}
	return a.root[b]
}

// find marks the literals that occur in text. The work is linear in text: a
// node whose literals were marked once is not asked again.
func (a *automaton) find(text string, found bitset) {
	at := int32(0)
	for i := range len(text) {
		at = a.move(at, text[i])
		for n := a.nodes[at].report; n != 0; n = a.nodes[a.nodes[n].fail].report {
			if !found.add(a.nodes[n].literal) {
				break
			}
		}
	}
}

type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) has(i int32) bool { return b[i>>6]&(1<<(i&63)) != 0 }

// add adds i and reports whether it was new.
func (b bitset) add(i int32) bool {
	w, m := i>>6, uint64(1)<<(i&63)
	if b[w]&m != 0 {
		return false
	}
	b[w] |= m
	return true
}
