// Package arc validates the chain of ARC sets of a message (RFC 8617).
//
// Whoever forwards a message may change it, so that its DKIM signatures no
// longer hold, and sends it from an address that SPF does not know. An ARC set
// keeps what the forwarder saw before that: the results of its checks
// (ARC-Authentication-Results), a signature of the message as it was passed on
// (ARC-Message-Signature), and a seal over this set and those below it
// (ARC-Seal). Sets are numbered from 1, the oldest.
//
// A chain that holds proves who said what. Whether they are to be believed is
// another question, and up to the receiver: see [Options].
//
// Chains in the wild, and the public test suite, were made by the drafts of
// the RFC and do some of what it forbids, such as signing ARC's own fields.
// [Validate] puts up with that as other validators do, and lists it in
// [Chain.Violations].
package arc

import (
	"slices"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mailauth/authres"
	"github.com/sekisho/sekisho/mailauth/dkim"
)

// MaxSets is how many sets a chain may have (RFC 8617 section 4.2.1).
const MaxSets = 50

// maxResults bounds an ARC-Authentication-Results field that is read.
const maxResults = 64 << 10

// Names of the fields of a set.
const (
	SealField    = "ARC-Seal"
	MessageField = "ARC-Message-Signature"
	ResultsField = "ARC-Authentication-Results"
)

// Status is the chain validation status (RFC 8617 section 4.4).
type Status string

// The statuses. StatusTempError is none of the RFC's: where DNS did not tell,
// the chain is neither good nor bad.
const (
	StatusNone      Status = "none"      // the message has no sets
	StatusPass      Status = "pass"      // the chain holds
	StatusFail      Status = "fail"      // it does not, and never will
	StatusTempError Status = "temperror" // it could not be checked
)

// Reason says why a chain did not pass.
type Reason string

// The reasons. Those that are about a set have its number in Chain.Instance.
const (
	TooManySets    Reason = "too-many-sets"    // more than 50 sets, or more fields than they can have
	BadInstance    Reason = "bad-instance"     // a field whose i= is missing or not from 1 to 50
	DuplicateField Reason = "duplicate-field"  // a set has a field twice
	MissingField   Reason = "missing-field"    // a set lacks a field
	MissingSet     Reason = "missing-set"      // the numbers of the sets have a gap
	BadSeal        Reason = "bad-seal"         // the seal cannot be read, or has h=
	BadMessage     Reason = "bad-message"      // the message signature cannot be read, or covers seals
	BadResults     Reason = "bad-results"      // the results are longer than is read
	SealedAsFailed Reason = "sealed-as-failed" // the newest seal says that the chain had failed already
	WrongCV        Reason = "wrong-cv"         // a seal says of the sets below it what cannot be
	MessageFails   Reason = "message-fails"    // the newest message signature does not hold
	SealFails      Reason = "seal-fails"       // a seal does not hold
	KeyUnavailable Reason = "key-unavailable"  // temperror: DNS did not answer
	NotAsked       Reason = "not-asked"        // temperror: the resolver asks no questions
	OutOfBudget    Reason = "budget"           // temperror: the message used up its budget
)

// Status returns the status that a chain with this reason has.
func (r Reason) Status() Status {
	switch r {
	case "":
		return StatusPass
	case KeyUnavailable, NotAsked, OutOfBudget:
		return StatusTempError
	default:
		return StatusFail
	}
}

// Rule is something that RFC 8617 asks of a sealer and that is no reason for a
// chain to fail here.
type Rule string

// The rules, each with what breaks it.
const (
	CoversARC      Rule = "covers-arc"       // section 4.1.2: h= of the message signature names fields of ARC
	CoversResults  Rule = "covers-results"   // section 4.1.2: it names Authentication-Results
	FromNotCovered Rule = "from-not-covered" // RFC 6376 section 5.4: it does not name From
	EmptyHeaders   Rule = "empty-headers"    // RFC 6376 section 3.5: it is empty, or has an empty name
	CanonDefault   Rule = "canon-default"    // RFC 6376 section 3.5: without c= it is simple, and the message signature holds as relaxed only
	VersionTag     Rule = "version-tag"      // sections 4.1.2 and 4.1.3: v= is not defined there
	SealTag        Rule = "seal-tag"         // section 4.1.3: the seal has a tag that only a signature of the message can have
	ResultsSyntax  Rule = "results-syntax"   // section 4.1.1: the results do not read as such
)

// Violation is one rule that a sealer broke.
type Violation struct {
	Instance int
	Rule     Rule
	Detail   string // the field or tag that it is about
}

// Set is one set: what one forwarder left behind.
type Set struct {
	Instance int
	Sealer   domain.Name // d= of the seal
	Selector string      // s= of the seal
	CV       string      // what the seal says of the sets below it: none, pass or fail
	Trusted  bool        // the sealer is one of Options.Trusted

	Seal    dkim.Signature
	Message dkim.Signature
	// Results are the results that the sealer saw. ResultsError is
	// [authres.ErrSyntax] where they do not read as such; Results.Source is
	// the field in any case.
	Results      authres.Field
	ResultsError error
}

// Chain is what came of validating the sets of a message.
type Chain struct {
	Status   Status
	Reason   Reason
	Instance int    // of the set that the Reason is about, 0 where it is about none
	Field    string // the name of the field that the Reason is about, or empty

	// Sets are the sets from the oldest. Where a set lacks fields, or has one
	// twice, the signatures were not checked and the sets hold what there is.
	Sets []Set

	// OldestPass is the oldest set since which the message was not changed, 0
	// if it was not changed since the oldest of all (RFC 8617 section 5.2). It
	// means something only for a chain that passes.
	OldestPass int

	// TrustedFrom is the oldest set such that its sealer and all newer ones are
	// trusted, 0 if the newest sealer is not or the chain does not pass. The
	// results of that set and of the newer ones may be believed.
	TrustedFrom int

	// Violations is what RFC 8617 forbids and the chain does all the same.
	Violations []Violation
}

// Strict reports whether the chain passes and keeps to RFC 8617.
func (c *Chain) Strict() bool { return c.Status == StatusPass && len(c.Violations) == 0 }

// Newest returns the newest set, nil if there is none.
func (c *Chain) Newest() *Set {
	if len(c.Sets) == 0 {
		return nil
	}
	return &c.Sets[len(c.Sets)-1]
}

func (c *Chain) fail(r Reason, instance int, field string) {
	if c.Reason == "" {
		c.Status, c.Reason, c.Instance, c.Field = r.Status(), r, instance, field
	}
}

// Options changes how a chain is validated. A nil *Options is the default.
type Options struct {
	// Trusted are the sealers to believe, by the exact name in d= of the seal.
	Trusted []domain.Name
}

func (o *Options) trusts(n domain.Name) bool { return o != nil && slices.Contains(o.Trusted, n) }

// set collects the fields of one instance.
type set struct {
	has     [3]bool // by kind
	results eml.Field
	message dkim.Signature
	seal    dkim.Signature
}
