package workflow

import (
	"slices"
	"time"
)

// Policy is what an organisation asks of an approval.
type Policy struct {
	// Approvals is how many different people have to approve, 1 or 2. With 2, who
	// wrote it may be one of them.
	Approvals int

	// MayApprove reports whether somebody of that name is still an approver; nil:
	// everybody is.
	MayApprove func(name string) bool

	// Valid is how long an approval holds; 0: for ever.
	Valid time.Duration
}

// Status is what the steps of a version come to.
type Status struct {
	State     State
	Approvals []Step // that count, for the content that the version has now
	Needed    int    // approvals in all
	Authors   []string
	Last      time.Time // of the last step of any version
	Sent      []Step    // by which it left

	Fault Fault // why the approvals that were given do not count
	Step  int   // number of the step with the fault; 0 if there is none

	tries map[string]bool // keys of deliveries that began
}

// Fault is what is wrong with steps or with an approval.
type Fault string

// The faults.
const (
	Sound     Fault = ""
	Gap       Fault = "gap"       // a number is missing or stands twice
	Forbidden Fault = "forbidden" // a step that the table does not allow
	Backward  Fault = "backward"  // a step before the one in front of it
	Changed   Fault = "changed"   // the content is not the one that was approved
	Revoked   Fault = "revoked"   // who approved may no longer do so
	Expired   Fault = "expired"   // approved too long ago
	Ahead     Fault = "ahead"     // approved at a time that is still to come: the clock was set back
	TooFew    Fault = "too-few"   // fewer approvals than are asked for now

	// What only the audit log can tell.
	Unvouched Fault = "unvouched" // the audit log and the steps do not say the same
	Broken    Fault = "broken"    // the entries of the audit log do not hold each other
)

// Faults returns all faults.
func Faults() []Fault {
	return []Fault{Gap, Forbidden, Backward, Changed, Revoked, Expired, Ahead, TooFew, Unvouched, Broken}
}

// Version names what is asked about.
type Version struct {
	ID     string
	Number int
	Hash   string // of the content as it is kept now
	Newest int    // number of the newest version of the advisory
}

// Follow goes through the steps of an advisory, the oldest first, and returns
// where a version of it stands now.
func Follow(steps []Step, v *Version, now time.Time, p *Policy) *Status {
	hash := v.Hash
	st := &Status{State: Draft, Needed: max(1, p.Approvals)}
	fault := func(f Fault, step int) {
		if st.Fault == Sound {
			st.Fault, st.Step = f, step
		}
	}
	for i := range steps {
		s := &steps[i]
		if s.Number != i+1 {
			fault(Gap, i+1)
		}
		if s.At.Before(st.Last) {
			fault(Backward, s.Number)
		}
		st.Last = s.At
		if s.ID != v.ID {
			if s.Version > v.Number {
				st.replaced(s.Act)
			}
			continue
		}
		switch s.Act {
		case Keep, Edit:
			st.State, st.Approvals = Draft, nil
			st.Authors = append(st.Authors, s.Name)
			if s.Hash != hash {
				fault(Changed, s.Number)
			}
			continue
		case Approve:
			st.approve(s, hash, p, fault)
			continue
		default:
		}
		next, refused := Next(st.State, s.Act, s.Role)
		if refused != Allowed || (s.Act == Deliver || s.Act == Fail) && !st.tries[s.Key] {
			fault(Forbidden, s.Number)
			continue
		}
		st.State = next
		switch s.Act {
		case Submit, Return:
			st.Approvals = nil
			if s.Act == Submit {
				st.Authors = append(st.Authors, s.Name)
			}
		case Send, Deliver:
			st.Sent = append(st.Sent, *s)
		case Try:
			if st.tries == nil {
				st.tries = map[string]bool{}
			}
			st.tries[s.Key] = true
		default:
		}
		if s.Act != Replace && s.Act != Withdraw && s.Act != Supersede && s.Act != Return && s.Hash != hash {
			fault(Changed, s.Number)
		}
	}
	if v.Newest > v.Number {
		st.replaced(Keep)
	}
	if st.State == Approved || st.State == Sent {
		st.check(now, p, fault)
	}
	return st
}

// replaced is what an act on a newer version means for this one: a new version
// takes the place of one that has not left, and one that leaves takes the place
// of one that has.
func (st *Status) replaced(by Act) {
	if st.State != Sent && (by == Keep || by == Edit) || st.State == Sent && (by == Send || by == Deliver) {
		st.State, _ = Next(st.State, Replace, Editor)
	}
}

// approve counts an approval. The same person counts once.
func (st *Status) approve(s *Step, hash string, p *Policy, fault func(Fault, int)) {
	_, refused := Next(st.State, Approve, s.Role)
	switch {
	case refused != Allowed, slices.ContainsFunc(st.Approvals, func(x Step) bool { return SamePerson(x.Name, s.Name) }):
		fault(Forbidden, s.Number)
		return
	case s.Hash != hash:
		fault(Changed, s.Number)
		return
	}
	st.Approvals = append(st.Approvals, *s)
	// A rule that was softened after the first approval does not finish what was
	// begun under the stricter one.
	st.Needed = max(st.Needed, s.Needed)
	if len(st.Approvals) >= st.Needed {
		st.State = Approved
	}
}

// check holds the approvals of a version against the policy of today.
func (st *Status) check(now time.Time, p *Policy, fault func(Fault, int)) {
	if len(st.Approvals) < st.Needed {
		fault(TooFew, st.step())
	}
	for i := range st.Approvals {
		a := &st.Approvals[i]
		switch {
		case p.MayApprove != nil && !p.MayApprove(a.Name):
			fault(Revoked, a.Number)
		case a.At.After(now):
			fault(Ahead, a.Number)
		case p.Valid > 0 && now.Sub(a.At) > p.Valid:
			fault(Expired, a.Number)
		}
	}
}

// step is the number of the last approval.
func (st *Status) step() int {
	if n := len(st.Approvals); n > 0 {
		return st.Approvals[n-1].Number
	}
	return 0
}

// May reports whether the version may leave: approved, and nothing about it is
// wrong.
func (st *Status) May() bool {
	return (st.State == Approved || st.State == Sent) && st.Fault == Sound
}
