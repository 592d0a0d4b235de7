package eval

import (
	"cmp"
	"slices"

	"github.com/sekisho/sekisho/mql/syntax"
)

// Operands are asked in an order: first those that cost little and decide much.
// What decides an "and" is an operand that is false, an "or" one that is true.
// How often that is so is only guessed from what is asked; a wrong guess costs
// time and changes no value.

// How often conditions hold, by and large.
const (
	oftenNever  = 0.02 // a mail rarely goes out, or has one of some words
	oftenSeldom = 0.1
	oftenHalf   = 0.5
)

// likelihood guesses how often an expression is true and how often it is false.
type likelihood struct{ yes, no float64 }

func likely(yes float64) likelihood { return likelihood{yes, 1 - yes} }

// guess returns the likelihood of a cell. What is missing is neither.
func (c *compiler) guess(x *cell) likelihood {
	if int(x.id) < len(c.guesses) && c.guesses[x.id] != (likelihood{}) {
		return c.guesses[x.id]
	}
	g := c.guessNode(x)
	for len(c.guesses) <= int(x.id) {
		c.guesses = append(c.guesses, likelihood{})
	}
	c.guesses[x.id] = g
	return g
}

func (c *compiler) guessNode(x *cell) likelihood {
	switch n := x.node.(type) {
	case constant:
		if n.v.IsTrue() {
			return likely(1)
		}
		return likely(0)
	case notNode:
		g := c.guess(n.x)
		return likelihood{g.no, g.yes}
	case *logicNode:
		all := likelihood{1, 1}
		for _, a := range n.args {
			g := c.guess(a)
			all.yes *= g.yes
			all.no *= g.no
		}
		if n.and {
			all.no = 1
			for _, a := range n.args {
				all.no *= 1 - c.guess(a).no
			}
			all.no = 1 - all.no
			return all
		}
		all.yes = 1
		for _, a := range n.args {
			all.yes *= 1 - c.guess(a).yes
		}
		all.yes = 1 - all.yes
		return all
	case *compareNode:
		if n.op == syntax.OpEq || n.op == syntax.OpEqFold {
			return c.odds(x, oftenSeldom)
		}
		return c.odds(x, oftenHalf)
	case *inNode:
		return c.odds(x, oftenSeldom)
	case *textNode:
		return c.odds(x, oftenNever+0.02*float64(min(len(n.ids), 20)))
	case *loopNode:
		switch n.kind {
		case "any":
			if n.body != nil {
				return c.odds(x, min(oftenHalf, 3*c.guess(n.body).yes))
			}
		case "all":
			return c.odds(x, oftenHalf)
		}
	case *fieldNode:
		if root, ok := n.x.node.(rootNode); ok && root.name == "type" {
			if n.names[0] == "inbound" {
				return likely(1 - oftenSeldom)
			}
			return likely(oftenNever)
		}
	case isNullNode:
		return c.odds(x, oftenSeldom)
	case *chainNode:
		return c.odds(x, oftenHalf)
	case *ofNode:
		return c.odds(x, oftenSeldom)
	}
	return c.odds(x, oftenHalf)
}

// odds is a likelihood that counts for little where the cell asks somebody who
// may not be there.
func (c *compiler) odds(x *cell, yes float64) likelihood {
	g := likely(yes)
	if x.cost >= costExtern {
		g.yes /= 10
		g.no /= 10
	}
	return g
}

// price is what it costs to ask a cell, shared with all who ask.
func price(x *cell) float64 {
	if x.slot < 0 {
		return float64(x.cost + 1)
	}
	return 1 + float64(x.cost)/float64(max(1, x.refs))
}

// order sorts the operands of a chain.
func (c *compiler) order(n *logicNode) {
	type ranked struct {
		cell *cell
		rank float64
	}
	list := make([]ranked, len(n.args))
	for i, a := range n.args {
		g := c.guess(a)
		p := g.yes
		if n.and {
			p = g.no
		}
		list[i] = ranked{a, price(a) / max(p, 0.001)}
	}
	slices.SortStableFunc(list, func(a, b ranked) int { return cmp.Compare(a.rank, b.rank) })
	for i, l := range list {
		n.args[i] = l.cell
	}
}
