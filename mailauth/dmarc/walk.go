package dmarc

import (
	"context"
	"errors"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/resolve"
)

// Method is a way to find the organizational domain of a name, in the words
// that aggregate reports use (discovery_method of RFC 9990).
type Method string

// The methods.
const (
	// MethodTreeWalk asks for the record of each name on the way up (RFC 9989
	// section 4.10).
	MethodTreeWalk Method = "treewalk"
	// MethodPSL takes the public suffix of a list and one label more (RFC 7489
	// section 3.2).
	MethodPSL Method = "psl"
)

// SuffixList tells which part of a name anybody can get a name under. The list
// in golang.org/x/net/publicsuffix is one.
type SuffixList interface {
	PublicSuffix(name string) string
}

// shortened is the number of labels that a walk goes on with where a name has
// more (RFC 9989 section 4.10). With the name itself that makes eight questions
// at most.
const shortened = 7

// Outcome says what stands at a name.
type Outcome string

// The outcomes.
const (
	OutcomeRecord   Outcome = "record"    // one DMARC record
	OutcomeNone     Outcome = "none"      // no DMARC record
	OutcomeMultiple Outcome = "multiple"  // several DMARC records, which count as none (RFC 9989 section 4.10)
	OutcomeBadName  Outcome = "bad-name"  // the name is too long to be asked for, so nothing stands there
	OutcomeFailed   Outcome = "failed"    // DNS did not answer
	OutcomeNotAsked Outcome = "not-asked" // the caller wants no questions
	OutcomeEnded    Outcome = "ended"     // the caller's time was over
)

// Step is one question of a walk.
type Step struct {
	Domain   domain.Name    // whose record it is about
	Name     string         // the name that was asked for: "_dmarc." and Domain
	Answer   resolve.Answer // what came back
	Outcome  Outcome
	Record   *Record   // for OutcomeRecord
	Warnings []Warning // about Record

	// Rejected are texts that look as if they were meant to be a DMARC record,
	// shortened: they do not begin with "v=DMARC1" in exactly these letters.
	Rejected []string

	// Again says that an earlier walk for the same message had asked already.
	Again bool
}

// failed reports whether the step says nothing about the name.
func (s *Step) failed() bool {
	return s.Outcome == OutcomeFailed || s.Outcome == OutcomeNotAsked || s.Outcome == OutcomeEnded
}

// Stop says why a walk ended.
type Stop string

// The ends of a walk.
const (
	StopPSD  Stop = "psd"  // a record has psd=y or psd=n
	StopTop  Stop = "top"  // there are no more labels
	StopDNS  Stop = "dns"  // a question was not answered
	StopList Stop = "list" // the public suffix list says what there is to ask
)

// OrgReason says why a domain is the organizational domain.
type OrgReason string

// The reasons, of which the first three are the rules of RFC 9989 section
// 4.10.2.
const (
	OrgPSDNo  OrgReason = "psd-n"         // its record has psd=n
	OrgPSDYes OrgReason = "psd-y"         // the record of the domain above it has psd=y
	OrgFewest OrgReason = "fewest-labels" // of the names with a record it is the shortest
	OrgStart  OrgReason = "start"         // no record was found: it is the name itself
	OrgSuffix OrgReason = "suffix"        // it is one label longer than a public suffix
	OrgList   OrgReason = "is-suffix"     // it is itself a public suffix
)

// Walk is how the organizational domain of a name was found.
type Walk struct {
	Method Method
	Start  domain.Name
	Steps  []Step
	Stop   Stop

	// Org is the organizational domain, and empty if the walk ended with
	// StopDNS.
	Org       domain.Name
	OrgReason OrgReason
}

// failure returns the step that was not answered, nil if all were.
func (w *Walk) failure() *Step {
	if n := len(w.Steps); w.Stop == StopDNS && n > 0 {
		return &w.Steps[n-1]
	}
	return nil
}

// record returns the step that found the record of name, nil if there is none.
func (w *Walk) record(name domain.Name) *Step {
	for i := range w.Steps {
		if s := &w.Steps[i]; s.Record != nil && s.Domain == name {
			return s
		}
	}
	return nil
}

// psd returns the step that found a record with psd=y.
func (w *Walk) psd() *Step {
	for i := range w.Steps {
		if s := &w.Steps[i]; s.Record != nil && s.Record.PSD == PSDYes {
			return s
		}
	}
	return nil
}

// walker finds records and organizational domains for one message. It asks for
// every name once.
type walker struct {
	ctx      context.Context
	resolver resolve.Resolver
	method   Method
	list     SuffixList
	steps    map[domain.Name]Step
}

func newWalker(ctx context.Context, r resolve.Resolver, opts *Options) *walker {
	w := &walker{ctx: ctx, resolver: r, method: MethodTreeWalk, list: publicsuffix.List, steps: map[domain.Name]Step{}}
	if opts != nil {
		if opts.Method != "" {
			w.method = opts.Method
		}
		if opts.Suffixes != nil {
			w.list = opts.Suffixes
		}
	}
	return w
}

// walk finds the organizational domain of start. By the list no question is
// needed for that; policy says that the records are wanted too.
func (w *walker) walk(start domain.Name, policy bool) *Walk {
	if w.method == MethodPSL {
		return w.list7489(start, policy)
	}
	out := &Walk{Method: w.method, Start: start, Stop: StopTop}
	for name := start; name != ""; name = next(name) {
		s := w.step(name)
		out.Steps = append(out.Steps, s)
		if s.failed() {
			out.Stop = StopDNS
			return out
		}
		if s.Record != nil && s.Record.PSD != PSDUnknown {
			out.Stop = StopPSD
			break
		}
	}
	out.organize()
	return out
}

// next returns the name to ask for after name (RFC 9989 section 4.10, steps 3,
// 4 and 7).
func next(name domain.Name) domain.Name {
	surplus := strings.Count(string(name), ".") + 1 - shortened
	for range max(surplus, 1) {
		name = name.Parent()
	}
	return name
}

// organize selects the organizational domain (RFC 9989 section 4.10.2).
func (w *Walk) organize() {
	w.Org, w.OrgReason = w.Start, OrgStart
	for i := range w.Steps {
		s := &w.Steps[i]
		switch {
		case s.Record == nil:
		case s.Record.PSD == PSDNo:
			w.Org, w.OrgReason = s.Domain, OrgPSDNo
			return
		case s.Record.PSD == PSDYes && s.Domain != w.Start:
			w.Org, w.OrgReason = below(w.Start, s.Domain), OrgPSDYes
			return
		default:
			w.Org, w.OrgReason = s.Domain, OrgFewest
		}
	}
}

// below returns the name one label longer than parent on the way down to name,
// which lies below it.
func below(name, parent domain.Name) domain.Name {
	left := string(name[:len(name)-len(parent)-1])
	return name[strings.LastIndexByte(left, '.')+1:]
}

// list7489 is what RFC 7489 section 6.6.3 asks for: the name itself, and
// failing that its organizational domain.
func (w *walker) list7489(start domain.Name, policy bool) *Walk {
	out := &Walk{Method: w.method, Start: start, Stop: StopList}
	suffix := domain.Name(w.list.PublicSuffix(string(start)))
	// A list of the user's may answer anything.
	if start == suffix || suffix == "" || !start.IsSubdomainOf(suffix) {
		out.Org, out.OrgReason = start, OrgList
	} else {
		out.Org, out.OrgReason = below(start, suffix), OrgSuffix
	}
	if !policy {
		return out
	}
	for _, name := range []domain.Name{start, out.Org} {
		s := w.step(name)
		out.Steps = append(out.Steps, s)
		if s.failed() {
			out.Stop = StopDNS
			return out
		}
		if s.Record != nil || start == out.Org {
			break
		}
	}
	return out
}

// step asks for the record of name.
func (w *walker) step(name domain.Name) Step {
	if s, ok := w.steps[name]; ok {
		s.Again = true
		return s
	}
	s := Step{Domain: name, Name: "_dmarc." + string(name)}
	a, err := w.resolver.Lookup(w.ctx, s.Name, resolve.TypeTXT)
	s.Answer = a
	switch {
	case err != nil:
		s.Outcome = OutcomeEnded
	case a.RCode == resolve.FormErr:
		s.Outcome = OutcomeBadName
	case a.RCode == resolve.NotAsked:
		s.Outcome = OutcomeNotAsked
	case a.Temporary():
		s.Outcome = OutcomeFailed
	default:
		s.read(a)
	}
	w.steps[name] = s
	return s
}

// maxRejected bounds Step.Rejected.
const maxRejected = 5

// read takes the records of an answer.
func (s *Step) read(a resolve.Answer) {
	s.Outcome = OutcomeNone
	for _, r := range a.Records {
		if r.Type != resolve.TypeTXT {
			continue
		}
		record, warnings, err := ParseRecord(r.Text)
		switch {
		case errors.Is(err, ErrTooLong), err != nil && resembles(r.Text):
			if len(s.Rejected) < maxRejected {
				s.Rejected = append(s.Rejected, clip(r.Text))
			}
		case err != nil:
		case s.Outcome == OutcomeNone:
			s.Outcome, s.Record, s.Warnings = OutcomeRecord, record, warnings
		default:
			s.Outcome, s.Record, s.Warnings = OutcomeMultiple, nil, nil
			return
		}
	}
}

// resembles reports whether a text was probably meant to be a DMARC record.
func resembles(txt string) bool {
	const enough = 40
	s := strings.ToLower(txt[:min(len(txt), enough)])
	return strings.Contains(s, "dmarc1") || strings.HasPrefix(trim(s), "p=")
}
