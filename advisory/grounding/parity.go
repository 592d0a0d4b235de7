package grounding

import "slices"

// parity finds a plain statement where the sentence of the source that speaks of
// the matter takes back or doubts all it says, and the reverse.
func (c *check) parity() {
	mine := mood(c.says)
	if mine == mixed || slices.ContainsFunc(c.says, func(x said) bool { return x.hedged || x.open }) {
		return
	}
	with := c.related("")
	if len(with) == 0 || with[0].score < parityScore {
		return
	}
	for _, r := range with {
		if r.score < 0.75*with[0].score {
			break
		}
		if theirs := mood(r.st.says); theirs == mixed || theirs == mine {
			return
		}
	}
	if mine, theirs := denies(c.folded), denies(fold(with[0].st.text)); mine != theirs {
		c.flag(Opposite, c.text, with[0].st.text)
	}
}

// parityScore is how much has to agree before the moods of two sentences are
// compared.
const parityScore = 2.5

// denies reports whether a folded text holds any word of negation or of doubt.
func denies(s string) bool {
	t := " " + s + " "
	return containsAny(t, negationsJA) || hedgedText(t) || containsAny(t, unknowns) || containsAny(t, []string{
		" not ", " no ", "n't ", " never ", "without", "cannot", " nor ", " none", "nobody", "unless", "lack", " un", "only", "fail",
		"対象外", "除", "未", "無", "非", "終了", "停止", "中止", "外",
	})
}

// tone is whether a sentence states what it says.
type tone int8

const (
	mixed     tone = iota
	plain          // states all
	takenBack      // takes all back or doubts it
)

func mood(says []said) tone {
	yes, no := 0, 0
	for i := range says {
		x := &says[i]
		switch {
		case !x.predicate():
		case x.negated || x.hedged || x.open:
			no++
		default:
			yes++
		}
	}
	switch {
	case yes > 0 && no == 0:
		return plain
	case no > 0 && yes == 0:
		return takenBack
	default:
		return mixed
	}
}
