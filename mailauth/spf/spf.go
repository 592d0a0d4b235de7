// Package spf checks whether a host may send mail for a domain: the Sender
// Policy Framework of RFC 7208.
//
// [Check] evaluates the record of a domain, with its includes and redirects, and
// says why it came to its [Result]: a tree of every term, what was asked in DNS
// for it, what came back, and what it cost of the ten lookups and two void
// lookups that RFC 7208 section 4.6.4 allows. [ParseRecord] reads a record by
// itself and reports each mistake with its position.
//
// Whoever sends a mail chooses the domain and so the record: nothing in it makes
// the evaluation recurse, allocate or ask without bound.
package spf

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/resolve"
)

// Status is the result of a check, in the words of RFC 7208 section 2.6.
type Status string

// The results.
const (
	StatusNone      Status = "none"      // there was no domain to check, or it has no record
	StatusNeutral   Status = "neutral"   // the domain says nothing about the host
	StatusPass      Status = "pass"      // the host may send for the domain
	StatusFail      Status = "fail"      // the host may not
	StatusSoftfail  Status = "softfail"  // the host probably may not
	StatusTemperror Status = "temperror" // DNS did not answer; asking later may help
	StatusPermerror Status = "permerror" // the record cannot be evaluated
)

// Identity says whose domain was checked (RFC 7208 sections 2.3 and 2.4).
type Identity string

// The identities.
const (
	IdentityMailFrom Identity = "mailfrom" // the envelope sender
	IdentityHelo     Identity = "helo"     // the name that the host gave itself
)

// Input is what is known of a delivery.
type Input struct {
	IP       netip.Addr // the host that delivered
	MailFrom string     // the envelope sender without angle brackets; empty for a bounce
	Helo     string     // the argument of HELO or EHLO
	Receiver string     // the host that checks, for the macro r; "unknown" if empty
	Now      time.Time  // for the macro t
}

// Options changes how a check is done. A zero field is the default.
type Options struct {
	// Identity is what is checked. By default it is the envelope sender, and
	// the HELO name for an empty one (RFC 7208 section 2.4).
	Identity Identity

	MaxLookups   int // terms that ask; 10 (RFC 7208 section 4.6.4)
	MaxVoids     int // lookups without a record; 2
	MaxQuestions int // DNS questions of all kinds; 250, more than the other limits let happen

	NoTrace       bool // leave Result.Trace nil
	NoExplanation bool // do not ask for the explanation of a fail
}

// Result is what a check found.
type Result struct {
	Status   Status
	Identity Identity
	Domain   string // the domain that was checked; lower case, A-labels
	IP       netip.Addr

	// Record is the record of Domain, as published. It is empty where there is
	// none or more than one.
	Record string

	// Term is the directive that decided, such as "-all", and TermDomain the
	// domain whose record holds it: Domain itself, or where a redirect led.
	// Both are empty where no directive matched.
	Term       string
	TermDomain string

	// Explanation is what the domain wants senders to be told about a fail. It
	// is visible ASCII, written by a stranger: never show it as one's own
	// words.
	Explanation string

	Lookups   int // terms that asked, out of 10; 11 is one too many
	Voids     int // lookups without a record, out of 2
	Questions int // DNS questions of all kinds, the explanation's included

	// Problem says why there is no answer: for temperror, permerror and none,
	// nil otherwise.
	Problem *Problem

	Trace *Node
}

// Reason says the result in a sentence.
func (r Result) Reason() lang.Message {
	if r.Problem != nil {
		return r.Problem.Message()
	}
	name, ip := quote(clip(r.Domain)), r.IP.String()
	if r.Term == "" {
		return lang.M("spf.reason.no-match", "domain", name, "ip", ip)
	}
	switch r.Status {
	case StatusPass:
		return lang.M("spf.reason.pass", "domain", name, "ip", ip, "term", clip(r.Term))
	case StatusFail:
		return lang.M("spf.reason.fail", "domain", name, "ip", ip, "term", clip(r.Term))
	case StatusSoftfail:
		return lang.M("spf.reason.softfail", "domain", name, "ip", ip, "term", clip(r.Term))
	default:
		return lang.M("spf.reason.neutral", "domain", name, "ip", ip, "term", clip(r.Term))
	}
}

// Check does the check_host of RFC 7208 section 4. It never fails: if ctx ends,
// the result is temperror, as section 4.6.4 asks for a limit of time.
func Check(ctx context.Context, r resolve.Resolver, in Input, opts *Options) Result {
	c := check{resolver: r, ip: in.IP.Unmap().WithZone(""), in: in, steps: maxSteps}
	if opts != nil {
		c.opts = *opts
	}
	for _, d := range []struct {
		v   *int
		def int
	}{{&c.opts.MaxLookups, 10}, {&c.opts.MaxVoids, 2}, {&c.opts.MaxQuestions, 250}} {
		if *d.v <= 0 {
			*d.v = d.def
		}
	}
	res := Result{Identity: c.identify(), IP: c.ip}
	name, ok := c.subject(res.Identity)
	res.Domain = name
	if !c.ip.IsValid() {
		return res.undecided(&Problem{Kind: ProblemNoAddress, Domain: name})
	}
	if !ok {
		return res.undecided(&Problem{Kind: ProblemNoDomain, Domain: name})
	}
	out := c.host(ctx, name, &res.Trace)
	res.Status, res.Problem = out.status, out.problem
	res.Lookups, res.Voids = c.lookups, c.voids
	if out.first != nil {
		res.Record = out.first.Text
	}
	if out.term != nil {
		res.Term, res.TermDomain = out.term.Text, out.domain
	}
	if out.status == StatusFail && !c.opts.NoExplanation {
		res.Explanation = c.explain(ctx, out)
	}
	res.Questions = c.questions
	return res
}

func (r Result) undecided(p *Problem) Result {
	r.Status, r.Problem = StatusNone, p
	return r
}

// identify reads the sender and says which identity is checked.
func (c *check) identify() Identity {
	from := strings.TrimSuffix(strings.TrimPrefix(c.in.MailFrom, "<"), ">")
	c.helo = asciiDomain(c.in.Helo)
	if from == "" || c.opts.Identity == IdentityHelo {
		// RFC 7208 section 2.4: a null reverse-path stands for postmaster at
		// the HELO name.
		c.local, c.domain = "postmaster", c.helo
		return IdentityHelo
	}
	at := strings.LastIndexByte(from, '@')
	c.local, c.domain = from[:max(at, 0)], asciiDomain(from[at+1:])
	if c.local == "" {
		c.local = "postmaster" // RFC 7208 section 4.3
	}
	return IdentityMailFrom
}

// subject returns the domain to check, and whether it is one that can have a
// record (RFC 7208 section 4.3).
func (c *check) subject(id Identity) (string, bool) {
	s := c.domain
	if id == IdentityHelo {
		s = c.helo
	}
	name, ok := queryName(s)
	if !ok {
		return s, false
	}
	if _, err := netip.ParseAddr(name); err == nil || strings.HasPrefix(s, "[") {
		return s, false // an address literal has labels, and no domain
	}
	return name, true
}

// asciiDomain turns U-labels into A-labels, as RFC 7208 section 4.3 asks. What
// is no name is left alone.
func asciiDomain(s string) string {
	for i := range len(s) {
		if s[i] > '~' {
			if n, err := domain.Parse(s); err == nil {
				return string(n)
			}
			break
		}
	}
	return trimDot(s)
}

// trimDot takes off a trailing dot. Two of them are an empty label and stay.
func trimDot(s string) string {
	if strings.HasSuffix(s, "..") {
		return s
	}
	return strings.TrimSuffix(s, ".")
}

// queryName returns the name to ask for and reports whether s is one of at
// least two labels.
func queryName(s string) (string, bool) {
	if strings.IndexByte(s, '\\') >= 0 {
		s = strings.ReplaceAll(s, `\`, `\\`) // here it is an octet like any other
	}
	for i := range len(s) {
		if s[i] > '~' {
			return s, false // RFC 8616 section 4: never matches
		}
	}
	name, ok := resolve.Normalize(s)
	if !ok {
		return s, false
	}
	up, ok := resolve.Parent(name)
	return name, ok && up != resolve.Root
}
