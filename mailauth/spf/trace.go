package spf

import (
	"github.com/sekisho/sekisho/resolve"
)

// Outcome says what became of a term.
type Outcome string

// The outcomes.
const (
	OutcomeMatch      Outcome = "match"       // it matched and decided; for redirect and exp: it was used
	OutcomeNoMatch    Outcome = "no-match"    // evaluation went on
	OutcomeError      Outcome = "error"       // it ended the evaluation with temperror or permerror
	OutcomeNotReached Outcome = "not-reached" // evaluation ended before it
	OutcomeIgnored    Outcome = "ignored"     // a modifier that changes nothing
)

// Node is the evaluation of one record.
type Node struct {
	Domain   string
	Question *resolve.Answer // the TXT lookup; nil if nothing was asked
	Record   *Record         // nil where there is none to evaluate; without the terms that Omitted counts
	Status   Status
	Problem  *Problem // why there is no other result, in this record or below
	Steps    []Step   // one for each term, in order
	Omitted  int      // terms that are not in Steps, because there were too many

	Lookups int // spent on this record and those below
	Voids   int
}

// Step is the evaluation of one term.
type Step struct {
	Term    *Term
	Target  string // the domain that was asked about, with macros expanded; empty where none was
	Outcome Outcome

	Cost    int // lookups of this term itself: 0 or 1, and 1 for a macro p
	Lookups int // of the whole check after this term, with what is below it
	Voids   int // likewise

	Questions []resolve.Answer // asked for this term itself
	Include   *Node            // for include and redirect
	Problem   *Problem
}

// maxSteps bounds the steps of one trace. Honest records stay far below.
const maxSteps = 1000
