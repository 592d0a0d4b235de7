package readiness

import (
	"slices"

	"github.com/sekisho/sekisho/mailauth/dmarc"
)

// Step is a rung of the ladder. The zero Step is "no record".
type Step struct {
	P    dmarc.Policy
	Test bool // t=y, which asks receivers to apply one step less
}

// ladder are the rungs in order (RFC 9989 section 4.7 has t in place of the pct
// of RFC 7489).
func ladder() []Step {
	return []Step{
		{}, {P: dmarc.PolicyNone}, {P: dmarc.PolicyQuarantine, Test: true}, {P: dmarc.PolicyQuarantine},
		{P: dmarc.PolicyReject, Test: true}, {P: dmarc.PolicyReject},
	}
}

// StepOf returns the step that a record stands on; nil is no record.
func StepOf(r *dmarc.Record) Step {
	switch {
	case r == nil:
		return Step{}
	case r.P == dmarc.PolicyQuarantine || r.P == dmarc.PolicyReject:
		return Step{r.P, r.Test}
	}
	return Step{P: dmarc.PolicyNone}
}

// Next returns the step after s, and false after the last.
func (s Step) Next() (Step, bool) {
	l := ladder()
	i := slices.Index(l, s)
	if i < 0 || i == len(l)-1 {
		return s, false
	}
	return l[i+1], true
}

// String writes the step as a record would: "p=quarantine; t=y". It is empty
// for no record.
func (s Step) String() string {
	if s.P == "" {
		return ""
	}
	if s.Test {
		return "p=" + string(s.P) + "; t=y"
	}
	return "p=" + string(s.P)
}

// days that a domain should stand on a step before it takes the next.
func (s Step) days() int {
	switch s {
	case Step{P: dmarc.PolicyQuarantine}:
		return 28
	case Step{P: dmarc.PolicyQuarantine, Test: true}, Step{P: dmarc.PolicyReject, Test: true}:
		return 14
	}
	return 0
}

func strength(p dmarc.Policy) int {
	return slices.Index([]dmarc.Policy{dmarc.PolicyNone, dmarc.PolicyQuarantine, dmarc.PolicyReject}, p)
}
