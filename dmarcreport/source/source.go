// Package source tells who sends mail as a domain, from the rows of aggregate
// reports (RFC 7489 appendix C, RFC 9990): the owner's own servers, services
// that the owner uses, those who pass mail on, those whom nobody knows, and
// those who forge.
//
// A report names an address and what was checked, never a sender, so that each
// row is judged with what the others show: a signature is the owner's own if it
// comes from where the domain's mail comes from, and passed on if it comes from
// elsewhere. What has not one message that the owner's DNS vouches for is never
// called the owner's, unless the owner says so or the address is the owner's.
package source

import (
	"net/netip"
	"time"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/lang"
)

// Class says in what relation a source is to the domain.
type Class string

// The classes.
const (
	Own       Class = "own"       // the owner's servers, or somebody who signs as the owner
	Service   Class = "service"   // a service that sends for its customers
	Forwarder Class = "forwarder" // mail that was sent to somebody and passed on
	Unknown   Class = "unknown"   // a person has to say whether it is wanted
	Threat    Class = "threat"    // uses the name without any right that can be seen
)

// Classes are all classes, the owner's first.
func Classes() []Class { return []Class{Own, Service, Forwarder, Unknown, Threat} }

// Confidence says how far the evidence goes.
type Confidence string

// The confidences.
const (
	High   Confidence = "high"
	Medium Confidence = "medium"
	Low    Confidence = "low"
)

// Counts are messages by what happened to them.
type Counts struct {
	Messages    int64
	Pass        int64 // DMARC
	SPF, DKIM   int64 // passed and aligned
	Quarantined int64
	Rejected    int64
}

// Failing is how many messages failed DMARC.
func (c Counts) Failing() int64 { return c.Messages - c.Pass }

func (c *Counts) add(o Counts) {
	c.Messages += o.Messages
	c.Pass += o.Pass
	c.SPF += o.SPF
	c.DKIM += o.DKIM
	c.Quarantined += o.Quarantined
	c.Rejected += o.Rejected
}

// Day is what was seen on one day under one author domain.
type Day struct {
	Date time.Time // midnight UTC
	From domain.Name
	Counts
}

// Override is a reason for which reporters did not apply the policy.
type Override struct {
	Type     string
	Messages int64
}

// Reason is why a source has its class.
type Reason struct {
	Code    string
	Message lang.Message
}

// Source is who sent some of the mail.
type Source struct {
	Key        string // stable: class and what identifies the source
	Name       string // for people
	Service    string // id in the catalogue; empty if it is not there
	Class      Class
	Confidence Confidence
	Reasons    []Reason

	Counts
	First, Last time.Time // days on which it was seen
	Days        []Day     // by date, then by author domain
	Overrides   []Override

	Addresses []netip.Addr // those with the most messages, at most MaxListed
	Networks  int          // how many /24 or /48 they are in
	Signers   []string     // "domain selector" of signatures that passed
	Envelopes []string     // domains of envelope senders
	Reporters []string     // at most MaxListed
	ByUser    bool         // the owner said what it is
}

// Between returns what was seen from from until before until, under the author
// domains that in accepts; nil accepts all.
func (s *Source) Between(from, until time.Time, in func(domain.Name) bool) Counts {
	var c Counts
	for i := range s.Days {
		d := &s.Days[i]
		if !d.Date.Before(from) && d.Date.Before(until) && (in == nil || in(d.From)) {
			c.add(d.Counts)
		}
	}
	return c
}

// Report is who sends as a domain.
type Report struct {
	Domain  domain.Name
	Sources []Source // most messages first
	Counts
	First, Last time.Time
	Reporters   []Reporter // most days first

	// Policies are what reporters found published for the domain, by day.
	Policies []Published

	// Unproven is what mails say that did not pass DMARC for a domain of the
	// reporter. Anybody can send such a report, so that it counts for nothing.
	Unproven Counts
	// Disagreeing counts messages of which the reporter's evaluation and the
	// results that it gives for it cannot both be true.
	Disagreeing int64
	// Left counts messages of rows that were not looked at, because there were
	// more kinds of them than MaxKinds.
	Left int64
}

// Reporter is a receiver that reports.
type Reporter struct {
	Name     string
	Days     []time.Time // midnight UTC, in order
	Messages int64
}

// Published is a policy that reporters found on a day.
type Published struct {
	Date     time.Time // midnight UTC
	P        string
	Testing  bool  // t=y, which reporters that keep to RFC 7489 do not tell
	Messages int64 // about which they said so
}

// Of returns the sources of a class.
func (r *Report) Of(c Class) []*Source {
	var out []*Source
	for i := range r.Sources {
		if r.Sources[i].Class == c {
			out = append(out, &r.Sources[i])
		}
	}
	return out
}

// Bounds on what is kept.
const (
	MaxKinds  = 500_000 // kinds of rows that differ in more than day and count
	MaxListed = 20      // addresses, signers, envelopes, reporters of a source
)
