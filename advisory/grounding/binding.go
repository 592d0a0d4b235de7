package grounding

import "github.com/sekisho/sekisho/news/fact"

// bind compares the sentences that have an anchor with those that have a rival of
// its kind. own is what the anchor itself adds to the overlap.
func (c *check) bind(quote string, own, least float64, of func(st *statement) (has, rival bool)) bool {
	same, other := -1.0, 0.0
	var line string
	c.related("") // fills the scores
	for i := range c.g.sentences {
		st := &c.g.sentences[i]
		has, rival := of(st)
		switch score := c.scores[i]; {
		case has:
			same = max(same, score-own)
		case rival && score > other:
			other, line = score, st.text
		}
	}
	if same < 0 || same >= 1.5 || other < least || other <= 1.5*max(same, 0.25) {
		return false
	}
	c.flag(Mixed, quote, line)
	return true
}

// factWeight is what a fact that both have adds to the overlap.
const factWeight = 1.5

// bindIdentifier finds an identifier of the source at something that the source
// says of another one: the sentences that have it are about other matters, and
// one that is about this matter has another.
func (c *check) bindIdentifier() {
	for _, f := range c.facts {
		if f.Type != fact.CVE && f.Type != fact.KB && f.Type != fact.Build {
			continue
		}
		if c.bind(c.folded[f.from:f.to], 2*factWeight, 1.5, func(st *statement) (has, rival bool) {
			for _, x := range st.facts {
				if x.Type == f.Type {
					has, rival = has || x.Value == f.Value, true
				}
			}
			return has, rival
		}) {
			return
		}
	}
}
