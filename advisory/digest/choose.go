package digest

import (
	"cmp"
	"slices"
	"time"

	"github.com/sekisho/sekisho/triage"
)

// Candidate is a story that could be told of.
type Candidate struct {
	ID      string
	Grade   triage.Grade
	Sources int // that reported it
	Last    time.Time
	Roundup bool // about many matters
}

// few is how many items an issue has at least, if there are that many, before
// what is only for information and what is about many matters is left out.
const few = 3

// Choose returns the stories for an issue of at most most items: the most urgent
// grades first, then what many sources reported, then the newest. What is only
// for information, or about many matters, fills up a thin issue and no more.
// left is how many were not chosen.
func Choose(list []Candidate, most int) (chosen []Candidate, left int) {
	order := func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(a.Grade, b.Grade), cmp.Compare(b.Sources, a.Sources), b.Last.Compare(a.Last), cmp.Compare(a.ID, b.ID))
	}
	list = slices.SortedFunc(slices.Values(list), order)
	for _, fills := range []bool{false, true} {
		for _, c := range list {
			if (c.Roundup || c.Grade == triage.D) == fills && len(chosen) < most && (!fills || len(chosen) < few) {
				chosen = append(chosen, c)
			}
		}
	}
	slices.SortFunc(chosen, order)
	return chosen, len(list) - len(chosen)
}
