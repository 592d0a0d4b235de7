// Package workflow says how an advisory gets from a draft to the people whom it
// is for: who may do what in which state, and what an approval is worth.
//
// Each version of an advisory has a state. Whatever is done is a [Step], and the
// state is nothing but the outcome of the steps ([Follow]): it is never stored by
// itself, so that nobody can set it. The transitions are a table ([Table]).
//
// An approval is for one content, named by its hash. A new version has another
// hash and begins as a draft; what was approved before is no longer approved.
// Steps of one advisory are numbered without gaps over all its versions, so that
// two people who act at the same time cannot both be the next.
package workflow

// State is where a version of an advisory stands.
type State string

// The states.
const (
	Draft      State = "draft"
	InReview   State = "in-review"  // waits for one approval or two
	Approved   State = "approved"   // may leave
	Sent       State = "sent"       // has left, and may leave again
	Superseded State = "superseded" // another version or another advisory took its place
	Withdrawn  State = "withdrawn"  // must not leave, or what has left no longer holds
)

// States returns all states in the order in which an advisory goes through them.
func States() []State { return []State{Draft, InReview, Approved, Sent, Superseded, Withdrawn} }

// Role is what a person may do.
type Role string

// The roles, each with what those before it may do.
const (
	Reader   Role = "reader"   // look
	Editor   Role = "editor"   // write, submit, send out what was approved
	Approver Role = "approver" // approve, withdraw what was approved
)

// Roles returns all roles, the one with the fewest rights first.
func Roles() []Role { return []Role{Reader, Editor, Approver} }

// Act is what a person does to an advisory.
type Act string

// The acts.
const (
	Keep      Act = "keep"      // a version is kept: the first one, or one that was written anew
	Edit      Act = "edit"      // a version is kept that a person made from another one
	Replace   Act = "replace"   // what Keep and Edit mean for the version before
	Submit    Act = "submit"    // asks for review
	Return    Act = "return"    // sends it back to who wrote it
	Approve   Act = "approve"   //
	Export    Act = "export"    // writes it to a file in its final form
	Try       Act = "try"       // begins to hand it to a webhook
	Fail      Act = "fail"      // the webhook did not take it
	Deliver   Act = "deliver"   // the webhook took it
	Send      Act = "send"      // it has left in another way
	Supersede Act = "supersede" // another advisory takes its place
	Withdraw  Act = "withdraw"  //
)

// Acts returns all acts.
func Acts() []Act {
	return []Act{Keep, Edit, Replace, Submit, Return, Approve, Export, Try, Fail, Deliver, Send, Supersede, Withdraw}
}

// Transition is a row of the table: what an act leads to, and who may do it.
type Transition struct {
	From State
	Act  Act
	To   State
	Role Role // this one and those with more rights
}

// Table returns all transitions. What is not in it is refused.
//
// Approve leads to Approved with the last approval that is needed; before that
// the version stays in review.
func Table() []Transition {
	return []Transition{
		{Draft, Submit, InReview, Editor},
		{Draft, Replace, Superseded, Editor},
		{Draft, Withdraw, Withdrawn, Editor},

		{InReview, Return, Draft, Editor},
		{InReview, Approve, Approved, Approver},
		{InReview, Replace, Superseded, Editor},
		{InReview, Withdraw, Withdrawn, Editor},

		{Approved, Return, Draft, Approver},
		{Approved, Export, Approved, Editor},
		{Approved, Try, Approved, Editor},
		{Approved, Fail, Approved, Editor},
		{Approved, Deliver, Sent, Editor},
		{Approved, Send, Sent, Editor},
		{Approved, Replace, Superseded, Editor},
		{Approved, Withdraw, Withdrawn, Approver},

		{Sent, Export, Sent, Editor},
		{Sent, Try, Sent, Editor},
		{Sent, Fail, Sent, Editor},
		{Sent, Deliver, Sent, Editor},
		{Sent, Send, Sent, Editor},
		{Sent, Replace, Superseded, Editor},
		{Sent, Supersede, Superseded, Editor},
		{Sent, Withdraw, Withdrawn, Approver},

		// The answer to a try that began before somebody did something else.
		{Draft, Fail, Draft, Editor},
		{Draft, Deliver, Draft, Editor},
		{InReview, Fail, InReview, Editor},
		{InReview, Deliver, InReview, Editor},
		{Superseded, Fail, Superseded, Editor},
		{Superseded, Deliver, Superseded, Editor},
		{Withdrawn, Fail, Withdrawn, Editor},
		{Withdrawn, Deliver, Withdrawn, Editor},
	}
}

// Refusal says why an act is not done. The empty one means that it is.
type Refusal string

// The refusals.
const (
	Allowed  Refusal = ""
	NotInIt  Refusal = "state" // not in this state, whoever asks
	NotYours Refusal = "role"  // not with this role
)

// Next returns the state after an act of somebody with a role. If it is refused
// the state stays.
func Next(s State, a Act, r Role) (State, Refusal) {
	for _, t := range Table() {
		if t.From != s || t.Act != a {
			continue
		}
		if rank(r) < rank(t.Role) {
			return s, NotYours
		}
		return t.To, Allowed
	}
	return s, NotInIt
}

// rank orders roles; one that is not known may nothing.
func rank(r Role) int {
	for i, x := range Roles() {
		if x == r {
			return i
		}
	}
	return -1
}
