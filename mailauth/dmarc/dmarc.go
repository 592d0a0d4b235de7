// Package dmarc decides whether the domain that a reader sees in the From field
// was used with the consent of its owner, and what that owner asks receivers to
// do if not: RFC 9989, which replaced RFC 7489 in May 2026.
//
// SPF and DKIM authenticate domains that nobody sees. DMARC compares those
// identifiers with the author domain: they are aligned if they are the same, or
// in relaxed mode if they have the same organizational domain. That domain, and
// the record with the policy, are found by a walk up the tree of names in DNS.
// [Evaluate] does all of this and keeps every question and every decision, so
// that one can say why. The older way, a list of public suffixes, can be chosen
// instead; see [Method].
//
// [ParseRecord] reads a record by itself with what is wrong in it, and
// [ExternalDestinations] tells which addresses for reports will be used.
//
// Whoever writes a mail chooses the names in it: the number of questions is
// bounded whatever they are.
package dmarc

import (
	"context"
	"strings"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/resolve"
)

// Status is the result, in the words that are registered for
// Authentication-Results (RFC 7489 section 11.2).
type Status string

// The results.
const (
	StatusPass      Status = "pass"      // an aligned identifier was authenticated
	StatusFail      Status = "fail"      // none was
	StatusNone      Status = "none"      // no policy applies, or there is no one author domain
	StatusTempError Status = "temperror" // DNS did not answer; asking later may help
	StatusPermError Status = "permerror" // DNS holds something that cannot be followed
)

// Reason says why the result is what it is.
type Reason string

// The reasons, each with the status it leads to.
const (
	ReasonAligned         Reason = "aligned"         // pass
	ReasonNotAligned      Reason = "not-aligned"     // fail: what was authenticated belongs to others
	ReasonUnauthenticated Reason = "unauthenticated" // fail: neither SPF nor DKIM passed for any domain
	ReasonNoRecord        Reason = "no-record"       // none: the domain takes no part in DMARC
	ReasonDefective       Reason = "defective"       // none: the record has no valid policy and no rua (RFC 9989 section 4.10.1)
	ReasonNoFrom          Reason = "no-from"         // none: there is no domain in the From field
	ReasonBadFrom         Reason = "bad-from"        // none: what stands there is no domain name
	ReasonManyFrom        Reason = "many-from"       // none: there are several domains (RFC 9989 section 11.5)
	ReasonDNS             Reason = "dns"             // temperror, permerror: a question about records was not answered
	ReasonIdentifier      Reason = "identifier"      // temperror: SPF or DKIM had no answer for a domain that could be aligned
	ReasonExistence       Reason = "existence"       // temperror: it is not known whether the author domain exists
	ReasonNotAsked        Reason = "not-asked"       // temperror: the caller wants no questions
	ReasonEnded           Reason = "ended"           // temperror: the caller's time was over
)

// Input is what is known of a message.
type Input struct {
	// From are the domains of the addresses in the From field, as written.
	From []string
	// SPF is the identity that SPF checked: the domain of the envelope sender,
	// or of HELO for a bounce (RFC 7208 section 2.4). A check of HELO where
	// there is an envelope sender must not be given here (RFC 9989 section
	// 4.4.2). It is nil if SPF was not checked.
	SPF *Identifier
	// DKIM are the signatures.
	DKIM []Identifier
}

// Options changes how an evaluation is done. A zero field is the default.
type Options struct {
	Method   Method     // how organizational domains are found; [MethodTreeWalk]
	Suffixes SuffixList // for [MethodPSL]; the list of golang.org/x/net/publicsuffix
}

// Result is what an evaluation found.
type Result struct {
	Status Status
	Reason Reason

	// Author is the author domain as an A-label. It is empty if there is none
	// or more than one.
	Author domain.Name
	// From is the From domain at fault for ReasonBadFrom, and the number of
	// domains is Authors.
	From    string
	Authors int

	Method Method
	Walk   *Walk       // from the author domain; nil without one
	Org    domain.Name // the organizational domain of the author domain; empty if unknown

	Applied    *Applied // the policy; nil if none applies
	Alignments []Alignment

	// Disposition is what the policy asks for in this case: none for everything
	// but a message that failed. For [ReasonManyFrom] it is the strictest of
	// Each.
	Disposition Policy

	// Failed is the question that was not answered, for ReasonDNS and
	// ReasonExistence.
	Failed *resolve.Answer

	Warnings []Warning // about the record that applies

	// Each holds one result for each author domain where there are several, at
	// most four (RFC 9989 section 11.5). None of them is the result of the
	// message.
	Each []Result

	// Incomplete says that there were more identifiers or author domains than
	// are looked at.
	Incomplete bool
}

// maxAuthors is how many author domains are evaluated where there are several.
// RFC 9989 section 11.5 wants a limit and leaves it open.
const maxAuthors = 4

// maxFrom bounds the entries of Input.From that are looked at.
const maxFrom = 100

// Evaluate decides whether a message passes DMARC (RFC 9989 section 5.3). It
// never fails: if ctx ends, the result is temperror.
func Evaluate(ctx context.Context, r resolve.Resolver, in Input, opts *Options) Result {
	w := newWalker(ctx, r, opts)
	authors := distinct(in.From)
	switch len(authors) {
	case 0:
		return Result{Status: StatusNone, Reason: ReasonNoFrom, Method: w.method, Disposition: PolicyNone}
	case 1:
		return w.evaluate(authors[0], in)
	}
	res := Result{
		Status: StatusNone, Reason: ReasonManyFrom, Method: w.method, Authors: len(authors),
		Disposition: PolicyNone, Incomplete: len(authors) > maxAuthors,
	}
	for _, a := range authors[:min(len(authors), maxAuthors)] {
		one := w.evaluate(a, in)
		res.Disposition = strictest(res.Disposition, one.Disposition)
		res.Each = append(res.Each, one)
	}
	return res
}

// author is a domain of the From field; name is empty if it is none.
type author struct {
	name domain.Name
	text string
}

// distinct returns the different domains of the From field.
func distinct(from []string) []author {
	var out []author
	seen := map[author]bool{}
	for _, s := range from[:min(len(from), maxFrom)] {
		a := author{text: s}
		if n, err := domain.Parse(s); err == nil {
			a = author{name: n}
		} else if trim(s) == "" {
			continue
		}
		key := a
		key.text = strings.ToLower(a.text)
		if !seen[key] {
			seen[key] = true
			out = append(out, a)
		}
	}
	return out
}

// evaluate does the steps of RFC 9989 section 5.3 for one author domain.
func (w *walker) evaluate(a author, in Input) Result {
	res := Result{Author: a.name, Authors: 1, Method: w.method, Disposition: PolicyNone}
	if a.name == "" {
		res.From = clip(a.text)
		return res.end(StatusNone, ReasonBadFrom)
	}
	res.Walk = w.walk(a.name, true)
	res.Org = res.Walk.Org
	step, source := res.Walk.find()
	if step == nil {
		if failed := res.Walk.failure(); failed != nil {
			return res.unanswered(failed)
		}
		return res.end(StatusNone, ReasonNoRecord)
	}
	res.Warnings = step.Warnings
	if !step.Record.Applicable() {
		return res.end(StatusNone, ReasonDefective)
	}
	res.Applied = w.apply(a.name, step, source)
	var complete bool
	res.Alignments, complete = w.align(res.Walk, step.Record, in)
	res.Incomplete = !complete
	return res.decide()
}

func (r Result) end(s Status, why Reason) Result {
	r.Status, r.Reason = s, why
	return r
}

// unanswered ends with the question of s.
func (r Result) unanswered(s *Step) Result {
	switch {
	case s.Outcome == OutcomeEnded:
		return r.end(StatusTempError, ReasonEnded)
	case s.Outcome == OutcomeNotAsked:
		return r.end(StatusTempError, ReasonNotAsked)
	case s.Answer.RCode == resolve.Loop || s.Answer.RCode == resolve.NotImp:
		r.Failed = &s.Answer
		return r.end(StatusPermError, ReasonDNS)
	}
	r.Failed = &s.Answer
	return r.end(StatusTempError, ReasonDNS)
}

// decide says what the alignments come to (RFC 9989 sections 5.3.5 and 5.3.6).
func (r Result) decide() Result {
	authenticated := false
	var undecided, temporary *Alignment
	for i := range r.Alignments {
		a := &r.Alignments[i]
		switch {
		case a.Counts():
			return r.end(StatusPass, ReasonAligned)
		case a.Authenticated:
			authenticated = true
			if a.Reason == AlignUnknown && undecided == nil {
				undecided = a
			}
		case a.Identifier.Status == statusTempError && (a.Aligned || a.Reason == AlignUnknown):
			temporary = a
		}
	}
	if undecided != nil {
		failed := r.Walk.failure()
		if undecided.Walk != nil {
			failed = undecided.Walk.failure()
		}
		return r.unanswered(failed)
	}
	if temporary != nil {
		return r.end(StatusTempError, ReasonIdentifier)
	}
	if r.Applied.Existence == ExistenceUnknown {
		r.Failed = r.Applied.Question
		return r.end(StatusTempError, ReasonExistence)
	}
	r.Disposition = r.Applied.Policy
	if authenticated {
		return r.end(StatusFail, ReasonNotAligned)
	}
	return r.end(StatusFail, ReasonUnauthenticated)
}
