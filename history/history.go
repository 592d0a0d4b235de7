// Package history remembers who wrote to an organisation and whom it wrote to,
// and answers for a message what was known of its sender before: since when,
// how often, whether somebody here had written first, and whether people
// judged a mail of theirs.
//
// The answers are those of profile.* of the Message Query Language
// (https://docs.sublime.security/docs/profile-functions). They are relative to
// the time of the message: what came later does not count, and neither does the
// message itself, so that a mailbox can be judged with the history made from
// it. What a history cannot know is said to be unknown: a sender that does not
// occur in the mail of one week may still be an old acquaintance.
//
// Nothing but addresses and times is kept. A message is known again by a hash
// of its Message-ID.
package history

import (
	"slices"
	"sort"
	"strings"
	"time"
)

// Reach is how far back a history must go before a message, and how old it may
// be at the time of the message, to tell how usual a sender is.
const Reach = 30 * 24 * time.Hour

// newFor is how long a sender stays new after the first message: upstream says
// about 8 to 12 hours.
const newFor = 12 * time.Hour

// The messages before this one from which on a sender is no outlier, not rare
// and not uncommon.
const (
	rareFrom     = 3
	uncommonFrom = 5
	commonFrom   = 20
)

// Prevalence says how usual a sender is.
type Prevalence string

// The prevalences.
const (
	Unknown  Prevalence = ""         // the history does not reach far enough
	New      Prevalence = "new"      // no message before, or the first within 12 hours
	Outlier  Prevalence = "outlier"  // one or two
	Rare     Prevalence = "rare"     // three or four
	Uncommon Prevalence = "uncommon" // five to nineteen
	Common   Prevalence = "common"   // twenty and more
)

// Answer is yes, no, or not known.
type Answer string

// The answers.
const (
	NotKnown Answer = ""
	No       Answer = "no"
	Yes      Answer = "yes"
)

// Profile is what was known of a sender before a message. Times are zero where
// there was none, or where it is not known; Full tells which.
type Profile struct {
	// Full means that the history reaches far enough: what is not in it did not
	// happen.
	Full       bool
	Prevalence Prevalence
	Solicited  Answer // whether somebody here had written to the sender
	Messages   int    // received before this one; many of one day count once

	FirstInbound, LastInbound, LastOutbound time.Time

	// Whether a message of the sender was judged so by people. It is no where
	// nobody did: these are statements that people made.
	Benign, Malicious bool
}

// Book is a history. It is immutable and safe for concurrent use.
type Book struct {
	addresses map[string]*record
	domains   map[string]*record
	from      int64 // Unix time from which on mail is in the book
	until     int64 // of the last mail
	sent      bool  // there is sent mail
	days      int
}

// record is what is known of an address or a domain. Events are sorted by time.
type record struct {
	in     []event // received from there
	out    []event // sent to there
	forged []event // received with this name and found to be forged
	good   []event // received and judged benign
	bad    []event // received and judged malicious or spam

	// packed means that all are as pack leaves them, and shared with a book.
	packed bool
}

// event is one message.
type event struct {
	at int64 // Unix time
	id ID
}

// Len returns the number of addresses.
func (b *Book) Len() int { return len(b.addresses) }

// Span returns from when to when mail is in the book, zero times for an empty
// one.
func (b *Book) Span() (from, until time.Time) {
	if b.from == 0 && b.until == 0 {
		return time.Time{}, time.Time{}
	}
	return time.Unix(b.from, 0).UTC(), time.Unix(b.until, 0).UTC()
}

// HasSent reports whether there is mail that somebody here sent. Without, nobody
// knows whether a sender was written to before.
func (b *Book) HasSent() bool { return b.sent }

// Senders returns the addresses that mail came from, sorted.
func (b *Book) Senders() []string { return keys(b.addresses, received) }

// Recipients returns the addresses that mail was sent to, sorted.
func (b *Book) Recipients() []string { return keys(b.addresses, wrote) }

// SenderDomains returns the domains of [Book.Senders].
func (b *Book) SenderDomains() []string { return keys(b.domains, received) }

// RecipientDomains returns the domains of [Book.Recipients].
func (b *Book) RecipientDomains() []string { return keys(b.domains, wrote) }

// Judged returns the number of mails that people judged.
func (b *Book) Judged() int {
	n := 0
	for _, r := range b.addresses {
		n += len(r.good) + len(r.bad)
	}
	return n
}

func received(r *record) bool { return len(r.in) > 0 }

func wrote(r *record) bool { return len(r.out) > 0 }

func keys(of map[string]*record, which func(*record) bool) []string {
	var out []string
	for k, r := range of {
		if which(r) {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// View is the history as it was when a message came.
type View struct {
	book *Book
	at   int64
	self ID
}

// At returns the history before the time t, without the message of that ID. A
// zero time is the end of the book.
func (b *Book) At(t time.Time, self ID) *View {
	at := b.until + 1
	if !t.IsZero() {
		at = t.Unix()
	}
	return &View{book: b, at: at, self: self}
}

// Time returns the time that the view is of.
func (v *View) Time() time.Time { return time.Unix(v.at, 0).UTC() }

// Full reports whether the history reaches far enough, before the message and
// up to it, to say that something did not happen.
func (v *View) Full() bool {
	reach := int64(Reach / time.Second)
	return len(v.book.addresses) > 0 && v.at-v.book.from >= reach && v.at-v.book.until <= reach
}

// Address returns what was known of an address, in small letters.
func (v *View) Address(addr string) Profile { return v.profile(v.book.addresses[addr]) }

// Domain returns what was known of everybody at a domain, in small letters.
func (v *View) Domain(name string) Profile { return v.profile(v.book.domains[name]) }

// WroteHere reports whether mail from an address, or from a domain for a name
// without "@", had come.
func (v *View) WroteHere(who string) bool {
	r := v.record(who)
	return r != nil && len(v.before(r.in)) > 0
}

// WrittenTo reports whether somebody here had written to an address, or to a
// domain for a name without "@".
func (v *View) WrittenTo(who string) bool {
	r := v.record(who)
	return r != nil && len(v.before(r.out)) > 0
}

func (v *View) record(who string) *record {
	if strings.Contains(who, "@") {
		return v.book.addresses[who]
	}
	return v.book.domains[who]
}

func (v *View) profile(r *record) Profile {
	p := Profile{Full: v.Full()}
	if p.Full && v.book.sent {
		p.Solicited = No
	}
	if p.Full {
		p.Prevalence = New
	}
	if r == nil {
		return p
	}
	in, out := v.before(r.in), v.before(r.out)
	p.Messages = len(in)
	if len(in) > 0 {
		p.FirstInbound, p.LastInbound = in[0].time(), in[len(in)-1].time()
		p.Prevalence = prevalence(len(in), v.at-in[0].at, p.Full)
	}
	if len(out) > 0 {
		p.Solicited, p.LastOutbound = Yes, out[len(out)-1].time()
	}
	p.Benign, p.Malicious = len(v.before(r.good)) > 0, len(v.before(r.bad)) > 0
	return p
}

// prevalence counts n messages, of which the first came some seconds ago. A
// history that is too short can only miss messages: a common sender is common
// all the same.
func prevalence(n int, age int64, full bool) Prevalence {
	switch {
	case n >= commonFrom && age >= int64(newFor/time.Second):
		return Common
	case !full:
		return Unknown
	case age < int64(newFor/time.Second):
		return New
	case n >= uncommonFrom:
		return Uncommon
	case n >= rareFrom:
		return Rare
	default:
		return Outlier
	}
}

// before returns the events before the message. The message itself is left out
// also where its copy came earlier: to another mailbox, or by another way.
func (v *View) before(all []event) []event {
	n := sort.Search(len(all), func(i int) bool { return all[i].at >= v.at })
	all = all[:n]
	if i := slices.IndexFunc(all, func(e event) bool { return e.id == v.self }); i >= 0 && v.self != 0 {
		return slices.Delete(slices.Clone(all), i, i+1)
	}
	return all
}

func (e event) time() time.Time { return time.Unix(e.at, 0).UTC() }
