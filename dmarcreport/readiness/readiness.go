// Package readiness decides whether the next step of a domain's DMARC policy is
// safe: which mail of the owner's would be lost, which forgeries stopped, and
// whether the reports reach far enough to say so at all.
//
// Only mail that the owner wants counts. A domain under attack has a low share
// of mail that passes and needs the next step more than any other, so that no
// share of all mail is computed anywhere. What is not known makes the answer
// "cannot tell" and never "yes", and nobody is advised to go back because
// reports are missing.
package readiness

import (
	"time"

	"github.com/sekisho/sekisho/dmarcreport/source"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/dmarc"
)

// Answer says whether the next step is safe.
type Answer string

// The answers.
const (
	Yes        Answer = "yes"
	No         Answer = "no"
	CannotTell Answer = "cannot-tell"
	Finished   Answer = "finished" // there is no next step
)

// Verdict is the answer with its main reason.
type Verdict string

// The verdicts.
const (
	Ready       Verdict = "ready"
	UnderAttack Verdict = "ready-under-attack" // staying is the larger risk
	Forwarders  Verdict = "forwarders-only"    // only mail that others pass on would be lost
	NotReady    Verdict = "not-ready"
	TooEarly    Verdict = "too-early" // nothing is wrong, the time is not up
	NoData      Verdict = "no-data"
	Losing      Verdict = "losing" // at the last step, and wanted mail fails
	Done        Verdict = "done"
	Begin       Verdict = "begin" // there is no record: start to watch
)

// Reason is why the verdict is what it is.
type Reason struct {
	Code    string
	Source  *source.Source // that it is about; may be nil
	Message lang.Message
	Fix     lang.Message // what to do; may be zero
}

// Loss is wanted mail that the next step would hit.
type Loss struct {
	Source   *source.Source
	Failing  int64 // in the window
	Messages int64 // all of the source in the window
}

// Scope is an author domain and what it sends.
type Scope struct {
	Name    domain.Name
	Policy  dmarc.Policy // that applies to it now
	Missing bool         // it does not exist in DNS
	Wanted  int64        // of the owner's and of services, and what is not known
	Failing int64        // of these
	Threat  int64
}

// Advice is the answer for a domain.
type Advice struct {
	Domain  domain.Name
	Answer  Answer
	Verdict Verdict
	Current Step
	Next    Step
	Known   bool // the current step is known

	Blockers []Reason // what speaks against the step
	Cautions []Reason // what to know beside it

	From, Until time.Time // the window, midnight UTC; Until is not in it
	First       time.Time // first day of all reports
	Days        int       // of the window on which a report was about
	Reporters   int       // that reported in the window

	Wanted           int64 // messages of own and service sources and unknown ones, in the window
	WantedFailing    int64
	Forwarded        int64
	ForwardedFailing int64
	Threat           int64
	ThreatDelivered  int64
	Unproven         int64 // messages of reports that nobody vouches for, not counted

	Lost      []Loss // most first
	LostOver  int64  // of further sources than those listed
	Forwards  []Loss // mail passed on that would be hit
	Scopes    []Scope
	WaitUntil time.Time // for TooEarly; else zero

	Publish *dmarc.Record // for the next step, or to close a gap; nil if there is nothing to publish
}

// Input is what an answer rests on.
type Input struct {
	Domain domain.Name
	Report *source.Report // as far back as there are reports; only of mail to which Domain's record applies
	Now    time.Time

	// Known says that Record is what is published, from DNS or from the owner.
	// What reports say about it is old and may be forged.
	Known  bool
	Record *dmarc.Record // nil: there is none
	// Partial says that only the policy of Record is known, not its other tags.
	Partial bool

	// People says whether ordinary users write from the domain, as in an
	// office; nil is unknown. RFC 9989 section 7.4 cautions those against
	// p=reject.
	People *bool

	// Missing are author domains that do not exist; Existence says that this
	// was asked.
	Missing   map[domain.Name]bool
	Existence bool
}
