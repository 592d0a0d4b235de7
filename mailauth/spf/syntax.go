package spf

import (
	"fmt"

	"github.com/sekisho/sekisho/lang"
)

// Code names a kind of mistake in a record.
type Code string

// The mistakes. See [SyntaxError.Message] for what is said about each.
const (
	CodeVersion      Code = "version"       // it does not begin with "v=spf1"
	CodeTooLong      Code = "too-long"      // longer than DNS can carry
	CodeCharacter    Code = "character"     // something that is no visible ASCII character
	CodeMechanism    Code = "mechanism"     // no such mechanism
	CodeEquals       Code = "equals"        // "redirect:" or "exp:" in place of "="
	CodeModifierName Code = "modifier-name" // "=" without a name before it
	CodeQualifier    Code = "qualifier"     // a qualifier before a modifier
	CodeDuplicate    Code = "duplicate"     // redirect= or exp= twice
	CodeArgument     Code = "argument"      // an argument where none is allowed
	CodeNoDomain     Code = "no-domain"     // the domain is missing
	CodeDomain       Code = "domain"        // the domain does not end in a top label
	CodeAddress      Code = "address"       // an IPv4 address where a domain belongs
	CodeNoAddress    Code = "no-address"    // the address of ip4 or ip6 is missing
	CodeNetwork      Code = "network"       // no address, or one of the other family
	CodeCIDR         Code = "cidr"          // no prefix length, or one out of range
	CodeMacro        Code = "macro"         // "%" without a macro
	CodeMacroLetter  Code = "macro-letter"  // a macro that only explanations may hold
)

// SyntaxError is a mistake in a record.
type SyntaxError struct {
	Code   Code
	Offset int    // in the record, in bytes
	Term   string // the term that holds it, shortened
	Detail string // the word that Message quotes, shortened
}

func syntaxError(code Code, offset int, detail string) *SyntaxError {
	return &SyntaxError{Code: code, Offset: offset, Detail: detail}
}

// Error implements error.
func (e SyntaxError) Error() string {
	return fmt.Sprintf("spf: %s at byte %d: %q", e.Code, e.Offset, e.Detail)
}

// Message says what is wrong.
func (e SyntaxError) Message() lang.Message {
	switch e.Code {
	case CodeVersion:
		return lang.M("spf.syntax.version", "text", quote(e.Detail))
	case CodeTooLong:
		return lang.M("spf.syntax.too-long")
	case CodeCharacter:
		return lang.M("spf.syntax.character", "term", quote(e.Term))
	case CodeMechanism:
		return lang.M("spf.syntax.mechanism", "text", quote(e.Detail))
	case CodeEquals:
		return lang.M("spf.syntax.equals", "name", e.Detail)
	case CodeModifierName:
		return lang.M("spf.syntax.modifier-name", "text", quote(e.Detail))
	case CodeQualifier:
		return lang.M("spf.syntax.qualifier", "name", e.Detail)
	case CodeDuplicate:
		return lang.M("spf.syntax.duplicate", "name", e.Detail)
	case CodeArgument:
		return lang.M("spf.syntax.argument", "name", e.Detail)
	case CodeNoDomain:
		return lang.M("spf.syntax.no-domain", "name", e.Detail)
	case CodeDomain:
		return lang.M("spf.syntax.domain", "term", quote(e.Term))
	case CodeAddress:
		return lang.M("spf.syntax.address", "text", e.Detail)
	case CodeNoAddress:
		return lang.M("spf.syntax.no-address", "name", e.Detail)
	case CodeNetwork:
		return lang.M("spf.syntax.network", "term", quote(e.Term), "text", quote(e.Detail))
	case CodeCIDR:
		return lang.M("spf.syntax.cidr", "term", quote(e.Term), "text", quote(e.Detail))
	case CodeMacroLetter:
		return lang.M("spf.syntax.macro-letter", "text", quote(e.Detail))
	default:
		return lang.M("spf.syntax.macro", "text", quote(e.Detail))
	}
}

// maxSyntaxErrors is how many mistakes of one record are told.
const maxSyntaxErrors = 20

// SyntaxErrors are the mistakes of a record in order, at most 20 of them and
// at least one.
type SyntaxErrors []SyntaxError

// Error implements error.
func (e SyntaxErrors) Error() string {
	if len(e) == 0 {
		return "spf: no error"
	}
	s := e[0].Error()
	if n := len(e) - 1; n > 0 {
		s += fmt.Sprintf(" (and %d more)", n)
	}
	return s
}

// quote makes what a stranger wrote safe to show: octets that are no visible
// ASCII become "\009".
func quote(s string) string {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			b := make([]byte, 0, len(s)+16)
			for j := range len(s) {
				if c := s[j]; c < ' ' || c > '~' {
					b = append(b, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
				} else {
					b = append(b, c)
				}
			}
			return string(b)
		}
	}
	return s
}
