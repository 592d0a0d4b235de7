package spf

import (
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/resolve"
)

// ProblemKind names a reason for temperror, permerror or none.
type ProblemKind string

// The reasons.
const (
	ProblemNoAddress ProblemKind = "no-address" // none: the sending address is not known
	ProblemNoDomain  ProblemKind = "no-domain"  // none: there is no full domain name to check
	ProblemNoRecord  ProblemKind = "no-record"  // none: the domain has no SPF record
	ProblemDNS       ProblemKind = "dns"        // temperror: a question was not answered
	ProblemCancelled ProblemKind = "cancelled"  // temperror: the caller's time was over

	ProblemMultiple ProblemKind = "multiple"       // permerror: more than one SPF record
	ProblemSyntax   ProblemKind = "syntax"         // permerror: the record has a mistake
	ProblemTarget   ProblemKind = "target"         // permerror: include or redirect to a domain without a record
	ProblemLoop     ProblemKind = "loop"           // permerror: a record leads back to itself
	ProblemLookups  ProblemKind = "lookup-limit"   // permerror: too many terms that ask
	ProblemVoids    ProblemKind = "void-limit"     // permerror: too many lookups without a record
	ProblemMX       ProblemKind = "mx-limit"       // permerror: more than 10 MX records
	ProblemQuestion ProblemKind = "question-limit" // permerror: too many questions of all kinds
)

// Problem says why a check came to no other result.
type Problem struct {
	Kind   ProblemKind
	Domain string // whose record it is about, or the name asked for
	Term   string // the term at fault, as written; empty where it is the record or the domain
	Offset int    // of Term in the record; of the mistake for [ProblemSyntax]

	Syntax   *SyntaxError    // for [ProblemSyntax], the first mistake
	Question *resolve.Answer // for [ProblemDNS]
	Count    int             // for [ProblemMultiple] and [ProblemMX], how many there were; for limits, the limit
}

// Message says the problem in a sentence.
func (p Problem) Message() lang.Message {
	name, term := quote(clip(p.Domain)), quote(clip(p.Term))
	switch p.Kind {
	case ProblemNoAddress:
		return lang.M("spf.problem.no-address")
	case ProblemNoDomain:
		if p.Domain == "" {
			return lang.M("spf.problem.no-name")
		}
		return lang.M("spf.problem.no-domain", "domain", name)
	case ProblemNoRecord:
		return lang.M("spf.problem.no-record", "domain", name)
	case ProblemCancelled:
		return lang.M("spf.problem.cancelled")
	case ProblemMultiple:
		return lang.M("spf.problem.multiple", "domain", name, "n", p.Count)
	case ProblemSyntax:
		if p.Syntax != nil {
			return lang.M("spf.problem.syntax", "domain", name, "why", p.Syntax.Message())
		}
	case ProblemTarget:
		return lang.M("spf.problem.target", "domain", name, "term", term)
	case ProblemLoop:
		return lang.M("spf.problem.loop", "domain", name, "term", term)
	case ProblemLookups:
		return lang.M("spf.problem.lookup-limit", "limit", p.Count, "domain", name, "term", term)
	case ProblemVoids:
		return lang.M("spf.problem.void-limit", "limit", p.Count, "domain", name, "term", term)
	case ProblemMX:
		return lang.M("spf.problem.mx-limit", "domain", name, "n", p.Count)
	case ProblemQuestion:
		return lang.M("spf.problem.question-limit", "domain", name, "limit", p.Count)
	case ProblemDNS:
	}
	code := resolve.ServFail
	if p.Question != nil {
		code = p.Question.RCode
		name = quote(clip(p.Question.Name))
	}
	if code == resolve.NotAsked {
		return lang.M("spf.problem.not-asked", "domain", name)
	}
	return lang.M("spf.problem.dns", "domain", name, "code", code.String())
}
