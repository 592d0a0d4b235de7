// Package requirement says what the big receivers of mail ask of those who send
// to them, and whether a domain does what they ask: SPF, DKIM, DMARC, reverse
// DNS, one-click unsubscribe and the rest.
//
// The rules are data. A [Table] holds the receivers and their rules, each with
// its source and the day on which somebody read it; package packs/requirements
// ships one. [Table.Evaluate] holds a domain's records and a sample of its mail
// against them. What neither shows, such as how often readers report the mail
// as spam, is [Unknown] with the page that shows it; it is never guessed.
//
// The same table explains a bounce: see [Table.Explain].
package requirement

import (
	"slices"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/domain/posture"
	"github.com/sekisho/sekisho/lang"
)

// Table is all receivers with their rules, and what their refusals mean.
type Table struct {
	Receivers []Receiver
	Replies   []Reply
}

// Receiver is an operator of mailboxes.
type Receiver struct {
	ID      string    `yaml:"id"`
	Name    lang.Text `yaml:"name"`
	Domains []string  `yaml:"domains"` // of its mailboxes
	Hosts   []string  `yaml:"hosts"`   // domains in which its mail servers lie
	Bulk    Bulk      `yaml:"bulk"`
	Source  string    `yaml:"source"`
	Read    string    `yaml:"read"` // the date of the version that was read, YYYY-MM-DD, or [Unconfirmed]
	Rules   []Rule    `yaml:"rules"`
}

// Unconfirmed stands in place of a date where we know a rule from others and
// could not read the source itself.
const Unconfirmed = "unconfirmed"

// Bulk is from how much mail on a receiver calls a sender a bulk sender.
type Bulk struct {
	// PerDay is the number of messages to its mailboxes in a day. 0 means that
	// the receiver names no number.
	PerDay int `yaml:"per_day"`
	// Permanent says that who was a bulk sender once remains one.
	Permanent bool   `yaml:"permanent"`
	Since     string `yaml:"since"` // YYYY-MM-DD
}

// Scope is whom a rule is for.
type Scope string

// The scopes.
const (
	All  Scope = "all"  // everybody who sends to the receiver
	Mass Scope = "bulk" // bulk senders, see [Bulk]
)

// Level is how much a receiver insists.
type Level string

// The levels.
const (
	Required Level = "required" // mail may be refused without it
	Advised  Level = "advised"
)

// Rule is one thing that a receiver asks for: a cell of the table.
type Rule struct {
	ID     string    `yaml:"id"` // within the receiver
	Check  Check     `yaml:"check"`
	Scope  Scope     `yaml:"scope"`
	Level  Level     `yaml:"level"`
	Since  string    `yaml:"since"` // YYYY-MM or YYYY-MM-DD; empty if unknown
	Text   lang.Text `yaml:"text"`  // what is asked for, in the receiver's sense
	Find   lang.Text `yaml:"find"`  // where to look, for what cannot be seen from outside
	Source string    `yaml:"source"`
	Read   string    `yaml:"read"`
}

// Check is how a rule is checked.
type Check string

// The checks.
const (
	CheckSPF         Check = "spf"              // an SPF record that holds
	CheckSPFIPv4     Check = "spf-ipv4"         // one that names senders by IPv4
	CheckDKIM        Check = "dkim"             // a DKIM key that can be used
	CheckSPFOrDKIM   Check = "spf-or-dkim"      // one of both
	CheckSPFAndDKIM  Check = "spf-and-dkim"     // both
	CheckKey1024     Check = "dkim-1024"        // no RSA key under 1024 bits
	CheckKey2048     Check = "dkim-2048"        // no RSA key under 2048 bits
	CheckDMARC       Check = "dmarc"            // a DMARC record, of whatever policy
	CheckDMARCPass   Check = "dmarc-pass"       // a message that passes DMARC
	CheckAligned     Check = "aligned"          // SPF or DKIM for the domain of the From field
	CheckAlignedBoth Check = "aligned-both"     // SPF and DKIM for it
	CheckPTR         Check = "ptr"              // reverse DNS that leads back
	CheckTLS         Check = "tls"              // transport with TLS
	CheckFormat      Check = "format"           // RFC 5322: one From, one Message-ID, nothing twice
	CheckOwnFrom     Check = "own-from"         // no From of a free mail provider
	CheckOneClick    Check = "one-click"        // RFC 8058, signed
	CheckUnsubscribe Check = "unsubscribe-link" // some way to unsubscribe
	CheckSpamRate    Check = "spam-rate"        // complaints; only the receiver knows
	CheckARC         Check = "arc"              // ARC on forwarded mail
	CheckReplies     Check = "replies"          // the From domain can receive
	CheckMXOrA       Check = "mx-or-a"          // the From domain has MX or address records
	CheckBIMI        Check = "bimi"             // DMARC enforced and a logo
)

// Checks returns all checks.
func Checks() []Check {
	return []Check{
		CheckSPF, CheckSPFIPv4, CheckDKIM, CheckSPFOrDKIM, CheckSPFAndDKIM, CheckKey1024, CheckKey2048, CheckDMARC, CheckDMARCPass,
		CheckAligned, CheckAlignedBoth, CheckPTR, CheckTLS, CheckFormat, CheckOwnFrom, CheckOneClick, CheckUnsubscribe, CheckSpamRate,
		CheckARC, CheckReplies, CheckMXOrA, CheckBIMI,
	}
}

// Seen says by what a check is decided.
type Seen string

// The means.
const (
	ByDNS      Seen = "dns"
	BySample   Seen = "sample"   // a message that the domain sent
	ByReceiver Seen = "receiver" // a page that the receiver shows to the sender alone
)

// Seen returns what decides a check.
func (c Check) Seen() Seen {
	switch c {
	case CheckSpamRate:
		return ByReceiver
	case CheckDMARCPass, CheckAligned, CheckAlignedBoth, CheckTLS, CheckFormat, CheckOneClick, CheckUnsubscribe, CheckARC:
		return BySample
	default:
		return ByDNS
	}
}

// State is what became of a check.
type State string

// The states.
const (
	Met     State = "met"
	Unmet   State = "not-met"
	Exempt  State = "not-applicable" // the rule is not for this sender
	Unknown State = "unknown"        // it cannot be told from what is known
)

// Input is what is known of a sender.
type Input struct {
	Posture *posture.Report
	Sample  *Sample // nil: none was given
	Volume  Volume
	// FreeMail reports whether anybody can have a mailbox at a domain. Nil
	// knows none.
	FreeMail func(domain.Name) bool
}

// Volume is how much the domain sends in a day, to everybody together.
type Volume struct {
	Known  bool
	PerDay int // if Known

	// AtLeast is what DMARC reports show for the busiest day; 0 without any.
	// Reports come from some receivers only, so there may be more.
	AtLeast int
	// Declared is the word of the user: "yes" or "no", and empty for unknown.
	Declared string
}

// answer is whether the sender is a bulk sender.
type answer int

const (
	dontKnow answer = iota
	yes
	no
)

// bulk compares the volume with the number of a receiver.
func (v Volume) bulk(b Bulk) answer {
	most := b.PerDay
	switch {
	case most == 0 && (v.Declared == "no" || v.Known && v.PerDay < 1000):
		// A receiver without a number means newsletters and the like.
		return no
	case most == 0 && (v.Declared == "yes" || v.Known && v.PerDay >= 5000 || v.AtLeast >= 5000):
		return yes
	case most == 0:
		return dontKnow
	case v.Known && v.PerDay >= most, v.AtLeast >= most, !v.Known && v.Declared == "yes":
		return yes
	case v.Known, v.Declared == "no":
		return no
	}
	return dontKnow
}

// Evidence is a fact that a cell rests on.
type Evidence struct {
	Name  string // the name in DNS, or the field of the sample
	Quote string
}

// Record is a DNS record to publish.
type Record struct {
	Host  string // absolute, without a trailing dot
	Type  string
	Value string // empty where only the user's own systems know it; Where says which
	TTL   int    // seconds

	// Replaces is the value that stands there now and has to go. A name must
	// not have two SPF or DMARC records.
	Replaces []string
	Where    lang.Message // the page on which to copy the value
	Note     lang.Message // what else belongs into it
}

// Cell is one rule and what became of it.
type Cell struct {
	Rule     *Rule
	State    State
	Reason   lang.Message
	Find     lang.Message // how to find out, for [Unknown]; zero if Rule.Find says it
	Mend     lang.Message // what to do, for [Unmet]
	Evidence []Evidence
	Records  []Record // to publish, for [Unmet]

	// IfBulk says that the rule is for bulk senders, and that it is not known
	// whether this one is.
	IfBulk bool
}

// Verdict is what became of the rules of one receiver.
type Verdict struct {
	Receiver *Receiver
	State    State
	Sentence lang.Message // in one sentence
	Cells    []Cell
}

// Result is the whole table for a domain.
type Result struct {
	Domain   domain.Name
	Verdicts []Verdict
	Records  []Record // of all cells, each once
	Volume   Volume
	Foreign  bool // the sample was not sent by the domain and counted for nothing
}

// Receiver returns the receiver with an ID, nil if there is none.
func (t *Table) Receiver(id string) *Receiver {
	i := slices.IndexFunc(t.Receivers, func(r Receiver) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return &t.Receivers[i]
}

// Rule returns the rule with an ID, nil if there is none.
func (r *Receiver) Rule(id string) *Rule {
	i := slices.IndexFunc(r.Rules, func(x Rule) bool { return x.ID == id })
	if i < 0 {
		return nil
	}
	return &r.Rules[i]
}
