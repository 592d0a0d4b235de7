package grounding

import (
	"slices"
	"strings"

	"github.com/sekisho/sekisho/news/fact"
)

// claims compares how far something went for those who are counted.
func (c *check) claims() {
	if hedgedText(" "+c.folded+" ") || slices.ContainsFunc(c.st.view.marks, func(m mark) bool { return m.kind == "act" && m.negated }) {
		return
	}
	for _, f := range c.facts {
		if f.Type != fact.Count || f.Unit == fact.Percent || f.Claim.Strength() == 0 || f.Negated {
			continue
		}
		strongest, found := 0, false
		for _, list := range [][]fact.Fact{c.g.facts, c.g.ownFacts} {
			for i := range list {
				s := &list[i]
				if s.Type != fact.Count || s.Unit != f.Unit {
					continue
				}
				n := numeral{value: f.Number, bound: about}
				if s.Number == f.Number || n.rounds(s.Number, false) {
					found, strongest = true, max(strongest, s.Claim.Strength())
				}
			}
		}
		if found && strongest > 0 && f.Claim.Strength() > strongest && !c.saidOf(f.Number) {
			c.flag(Claim, c.folded[f.from:f.to], "")
		}
	}
	c.harmed()
}

// maxPairs is how many numbers with what befell them are compared in a sentence.
const maxPairs = 40

// weaker is what is told of people short of harm.
var weaker = map[string]bool{"targeted": true, "received": true, "asks": true, "reported": true, "consultation": true, "phone": true, "attempted": true, "clicked": true, "entered": true, "affected": true, "confirmed": true, "sent": true, "delivered": true, "signed-in": true, "online": true, "included": true}

// saidOf reports whether a sentence of a source with a number says all that the
// sentence says of what may be so.
func (c *check) saidOf(number float64) bool {
	for i := range c.g.sentences {
		st := &c.g.sentences[i]
		if !slices.ContainsFunc(st.numbers, func(n numeral) bool {
			m := numeral{value: number, bound: about}
			return n.value == number || m.rounds(n.value, false)
		}) {
			continue
		}
		all := true
		for _, x := range c.says {
			if (x.kind == "state" || x.kind == "harm") && !slices.ContainsFunc(st.says, func(y said) bool { return y.id == x.id && y.negated == x.negated }) {
				all = false
			}
		}
		if all {
			return true
		}
	}
	return false
}

// harmed compares what befell those who are counted: a number that a source
// gives for those who were asked or called must not become one of victims.
func (c *check) harmed() {
	if len(c.g.sentences) == 0 {
		return
	}
	type pair struct {
		id    string
		value float64
	}
	done := map[pair]bool{}
	for _, x := range c.says {
		if x.kind != "harm" || x.negated || x.hedged || x.open {
			continue
		}
		for _, n := range c.st.numbers {
			if done[pair{x.id, n.value}] || len(done) >= maxPairs {
				continue
			}
			if x.id == "paid" && slices.ContainsFunc(c.says, func(y said) bool { return y.id == "refunded" }) {
				continue
			}
			if x.id == "lost" && n.counter() == "items" {
				continue // so many cases
			}
			if n.percent || n.token || n.value < 2 || n.counter() == "" || inDays[n.counter()] > 0 || !c.st.reach(&n, x.clause) || c.dated(n.from) {
				continue
			}
			if x.clause > c.st.clauseOf(n.from) && strings.Contains(c.parts[min(x.clause, len(c.parts)-1)].text, "うち") {
				continue // said of a part of them
			}
			done[pair{x.id, n.value}] = true
			counted, agrees := "", false
			for i := range c.g.sentences {
				st := &c.g.sentences[i]
				if !slices.ContainsFunc(st.numbers, func(s numeral) bool {
					return !s.percent && (s.value == n.value || n.rounds(s.value, false)) && (s.counter() == n.counter() || s.counter() == "" || alike(s.counter(), n.counter()))
				}) {
					continue
				}
				// A harm of which the dictionary has no word is no contradiction.
				if slices.ContainsFunc(st.says, func(y said) bool {
					return weaker[y.id] || y.kind == "harm"
				}) {
					counted = st.text
				}
				agrees = agrees || slices.ContainsFunc(st.says, func(y said) bool {
					if y.kind != "harm" || y.negated || y.open || !sameHarm(x.id, y.id) {
						return false
					}
					return slices.ContainsFunc(st.numbers, func(s numeral) bool {
						return (s.value == n.value || n.rounds(s.value, false)) && st.reach(&s, y.clause)
					})
				})
			}
			if counted != "" && !agrees {
				c.flag(Claim, c.text, counted)
			}
		}
	}
}

func (c *check) dated(at int) bool {
	return slices.ContainsFunc(c.facts, func(f placed) bool { return f.Type == fact.Date && at >= f.from && at < f.to })
}

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
