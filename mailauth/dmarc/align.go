package dmarc

import (
	"strings"

	"github.com/sekisho/sekisho/domain"
)

// Mechanism is what authenticated an identifier (RFC 9989 section 4.3).
type Mechanism string

// The mechanisms.
const (
	MechanismSPF  Mechanism = "spf"
	MechanismDKIM Mechanism = "dkim"
)

// Identifier is a domain that SPF or DKIM looked at, with what came of it.
type Identifier struct {
	Domain   string // of the envelope sender, or d= of the signature
	Selector string // s= of the signature
	Status   string // the result in the words of RFC 8601: pass, fail, temperror, ...
}

// AlignmentReason says why an identifier is aligned or not.
type AlignmentReason string

// The reasons.
const (
	AlignIdentical AlignmentReason = "identical" // aligned: the same domain
	AlignSameOrg   AlignmentReason = "same-org"  // aligned: the same organizational domain
	AlignOtherOrg  AlignmentReason = "other-org" // another organizational domain
	AlignStrict    AlignmentReason = "strict"    // not the same domain, which the record asks for
	AlignNoName    AlignmentReason = "no-name"   // the identifier is no domain name
	AlignUnknown   AlignmentReason = "unknown"   // DNS did not answer
	AlignLimit     AlignmentReason = "too-many"  // not looked at, because there were too many
)

// Alignment is the comparison of one identifier with the author domain (RFC
// 9989 section 4.10.2).
type Alignment struct {
	Mechanism  Mechanism
	Identifier Identifier
	Domain     domain.Name // of the identifier, as an A-label; empty if it is no name
	Mode       Mode        // what the record asks for

	Authenticated bool // the status is pass
	Aligned       bool // the domains fit; counts only if Authenticated is true too
	Reason        AlignmentReason

	Org  domain.Name // the organizational domain, where it was looked for
	Walk *Walk       // how it was found, nil where nothing was asked
}

// Counts reports whether the identifier makes the message pass.
func (a *Alignment) Counts() bool { return a.Authenticated && a.Aligned }

// Bounds on what one message may cost. The walks of the author domain and of
// ten identifiers are at most 88 questions.
const (
	maxIdentifiers = 50
	maxWalks       = 10
)

// The words of RFC 8601 that matter here.
const (
	statusPass      = "pass"
	statusTempError = "temperror"
)

// align compares all identifiers with the author domain. It reports false if
// there were more than it looks at.
func (w *walker) align(author *Walk, record *Record, in Input) ([]Alignment, bool) {
	var all []Alignment
	if in.SPF != nil {
		all = append(all, newAlignment(MechanismSPF, *in.SPF, record.ASPF))
	}
	complete := true
	for _, id := range in.DKIM {
		if len(all) == maxIdentifiers {
			complete = false
			break
		}
		all = append(all, newAlignment(MechanismDKIM, id, record.ADKIM))
	}
	for i := range all {
		all[i].compare(author)
	}
	// Those that decide are walked first. An identifier that is not below the
	// author's organizational domain cannot share it; it is walked only so that
	// the reader sees where it belongs.
	walks := map[domain.Name]*Walk{}
	for _, wanted := range []func(*Alignment) bool{
		func(a *Alignment) bool { return a.Reason == "" && a.Authenticated },
		func(a *Alignment) bool { return a.Reason == "" && a.Identifier.Status == statusTempError },
		func(a *Alignment) bool { return a.Reason == "" },
		func(a *Alignment) bool { return a.Reason == AlignOtherOrg && a.Walk == nil && a.Authenticated },
	} {
		for i := range all {
			a := &all[i]
			if !wanted(a) {
				continue
			}
			walk, ok := walks[a.Domain]
			if !ok {
				if len(walks) == maxWalks {
					if a.Reason == "" {
						a.Reason = AlignLimit
						complete = false
					}
					continue
				}
				walk = w.walk(a.Domain, false)
				walks[a.Domain] = walk
			}
			a.decide(author, walk)
		}
	}
	return all, complete
}

func newAlignment(m Mechanism, id Identifier, mode Mode) Alignment {
	a := Alignment{Mechanism: m, Identifier: id, Mode: mode, Authenticated: id.Status == statusPass}
	if n, err := domain.Parse(id.Domain); err == nil {
		a.Domain = n
	}
	return a
}

// compare decides what needs no question, and leaves Reason empty for the rest.
func (a *Alignment) compare(author *Walk) {
	switch {
	case a.Domain == "":
		a.Reason = AlignNoName
	case a.Domain == author.Start:
		a.Aligned, a.Reason, a.Org = true, AlignIdentical, author.Org
	case a.Mode == ModeStrict:
		a.Reason = AlignStrict
	case author.Org != "" && !a.Domain.IsSubdomainOf(author.Org):
		a.Reason = AlignOtherOrg
	case author.Org == "" && top(a.Domain) != top(author.Start):
		a.Reason = AlignOtherOrg // whatever the author's is, it ends in the author's top label
	case author.Org == "":
		a.Reason = AlignUnknown
	}
}

func top(n domain.Name) domain.Name { return n[strings.LastIndexByte(string(n), '.')+1:] }

// decide compares the organizational domains.
func (a *Alignment) decide(author, own *Walk) {
	a.Walk, a.Org = own, own.Org
	switch {
	case own.Org == "" && a.Reason == AlignOtherOrg:
		// It is certain all the same.
	case own.Org == "":
		a.Reason = AlignUnknown
	case own.Org == author.Org:
		a.Aligned, a.Reason = true, AlignSameOrg
	default:
		a.Reason = AlignOtherOrg
	}
}
