package grounding

import (
	"slices"
	"strings"
)

// classes are harms that people tell of in each other's words.
var classes = map[string]string{
	"compromised": "access", "infected": "access", "exploited": "access",
	"lost": "money", "withdrawn": "money", "paid": "money",
}

func sameHarm(a, b string) bool {
	return a == b || a == "lost" || b == "lost" || classes[a] != "" && classes[a] == classes[b]
}

// reach reports whether what a clause of a sentence says may be said of a number
// in it: in its own clause, in those behind it as far as the next number of the
// kind, and in those before it if its own clause says nothing.
func (st *statement) reach(n *numeral, clause int) bool {
	own := st.clauseOf(n.from)
	if clause == own {
		return true
	}
	if clause < own {
		// Back to the last clause that says anything.
		for k := own; k > clause; k-- {
			if slices.ContainsFunc(st.says, func(x said) bool { return x.clause == k && x.predicate() }) {
				return false
			}
		}
		return true
	}
	if k := clause; k < len(st.parts) && strings.Contains(st.parts[k].text, "うち") {
		return false
	}
	for i := range st.numbers {
		m := &st.numbers[i]
		if m.percent || m.token || m.value == n.value || m.counter() == "" && m.value < 2 && !strings.HasPrefix(m.unit, " of ") || inDays[m.counter()] > 0 {
			continue
		}
		// A number without a word of its own ("96 of them") counts the same.
		if k := st.clauseOf(m.from); k > own && k <= clause && (m.counter() == n.counter() || m.counter() == "") {
			return false
		}
	}
	return true
}

// predicate reports whether it is something that may be so or not.
func (x *said) predicate() bool {
	return x.kind == "harm" || x.kind == "verb" || x.kind == "state" && x.id != "all" && x.id != "some"
}

func (st *statement) clauseOf(at int) int {
	for i, p := range st.parts {
		if at >= p.from && at < p.to {
			return i
		}
	}
	return len(st.parts) - 1
}
