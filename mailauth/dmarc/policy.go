package dmarc

import (
	"cmp"
	"slices"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/resolve"
)

// PolicySource says whose record applies (RFC 9989 section 4.10.1).
type PolicySource string

// The sources, from the most preferred on.
const (
	SourceAuthor PolicySource = "author"         // the author domain
	SourceOrg    PolicySource = "organizational" // its organizational domain
	SourcePSD    PolicySource = "psd"            // the public suffix domain above that
)

// Existence says whether the author domain exists in DNS (RFC 9989 section
// 3.2.13).
type Existence string

// The answers. Only NXDOMAIN means that a name does not exist (RFC 8020).
const (
	ExistenceNotAsked Existence = ""        // it makes no difference
	Exists            Existence = "exists"  //
	NotExists         Existence = "missing" //
	ExistenceUnknown  Existence = "unknown" // DNS did not answer
)

// Applied is the policy that a record asks for in the case of one message.
type Applied struct {
	Domain domain.Name // where the record stands
	Source PolicySource
	Record *Record

	// Tag is the tag that the policy comes from: p, sp or np. It is empty where
	// a record with a mistake counts as p=none; see [Record.Defective].
	Tag string

	Published Policy // what the tag says
	Policy    Policy // what to apply to a message that fails: one step less with t=y

	Existence Existence
	Question  *resolve.Answer // about the existence of the author domain; nil if nothing was asked
}

// find returns the step whose record applies to the start of the walk, and
// whose it is.
func (w *Walk) find() (*Step, PolicySource) {
	if s := w.record(w.Start); s != nil {
		return s, SourceAuthor
	}
	if w.Org == "" {
		return nil, ""
	}
	if s := w.record(w.Org); s != nil {
		return s, SourceOrg
	}
	if s := w.psd(); s != nil {
		return s, SourcePSD
	}
	return nil, ""
}

// apply selects the policy of a record for author (RFC 9989 section 4.10.1).
func (w *walker) apply(author domain.Name, s *Step, source PolicySource) *Applied {
	r := s.Record
	a := &Applied{Domain: s.Domain, Source: source, Record: r, Published: PolicyNone, Policy: PolicyNone}
	if r.Defective() {
		return a
	}
	a.Tag, a.Published = "p", r.P
	if s.Domain != author {
		if r.NP != "" {
			w.exists(author, a)
		}
		switch {
		case r.NP != "" && a.Existence == NotExists:
			a.Tag, a.Published = "np", r.NP
		case r.SP != "":
			a.Tag, a.Published = "sp", r.SP
		}
	}
	a.Policy = a.Published
	if r.Test {
		a.Policy = a.Published.Lowered()
	}
	return a
}

// exists asks whether name exists. The type does not matter, since NXDOMAIN is
// about the name (RFC 8020). An alias exists, wherever it leads.
func (w *walker) exists(name domain.Name, a *Applied) {
	answer, err := w.resolver.Lookup(w.ctx, string(name), resolve.TypeA)
	a.Question = &answer
	switch {
	case err != nil:
		a.Question, a.Existence = nil, ExistenceUnknown
	case answer.RCode == resolve.FormErr:
		a.Existence = NotExists
	case len(answer.Chain) > 0:
		a.Existence = Exists
	case answer.NXDomain():
		a.Existence = NotExists
	case answer.Temporary():
		a.Existence = ExistenceUnknown
	default:
		a.Existence = Exists
	}
}

// strictest returns the most severe policy.
func strictest(ps ...Policy) Policy {
	return slices.MaxFunc(append(ps, PolicyNone), func(a, b Policy) int { return cmp.Compare(a.strength(), b.strength()) })
}
