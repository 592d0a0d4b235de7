// Package finding is the vocabulary that every judge and every presenter of
// sekisho shares: what was found, how bad it is, the evidence for it, and what
// to do about it.
//
// A Finding is the same type for a forged mail, a weak DMARC record, a
// replayed token and an unpatched laptop. Its sentences are [lang.Message]
// values, so that it reads in Japanese and in English.
package finding

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/sekisho/sekisho/lang"
)

// Kind names what was found in a stable, dotted form such as
// "mail.direct-send-spoof". Kinds are part of the public JSON shape.
type Kind string

// Severity orders findings by how bad they are. The zero value is [Info].
type Severity int8

// The severities, from harmless to worst.
const (
	Info     Severity = iota // worth knowing, no danger by itself
	Low                      // weak sign
	Medium                   // suspicious by itself
	High                     // dangerous by itself
	Critical                 // an attack under way or successful
)

var severityNames = [...]string{"info", "low", "medium", "high", "critical"}

// String returns the name used in JSON and on the command line.
func (s Severity) String() string {
	if s < Info || s > Critical {
		return fmt.Sprintf("severity(%d)", int8(s))
	}
	return severityNames[s]
}

// MarshalText implements [encoding.TextMarshaler].
func (s Severity) MarshalText() ([]byte, error) {
	if s < Info || s > Critical {
		return nil, fmt.Errorf("finding: no such severity: %d", int8(s))
	}
	return []byte(severityNames[s]), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler]. It accepts the five
// names and, as rules by others write it, "informational".
func (s *Severity) UnmarshalText(b []byte) error {
	v, err := ParseSeverity(string(b))
	if err != nil {
		return err
	}
	*s = v
	return nil
}

// ParseSeverity reads a severity by name, in any case. MQL's "informational"
// and an empty name are [Info].
func ParseSeverity(name string) (Severity, error) {
	n := strings.ToLower(strings.TrimSpace(name))
	if n == "" || n == "informational" {
		return Info, nil
	}
	for i, s := range severityNames {
		if s == n {
			return Severity(i), nil
		}
	}
	return Info, fmt.Errorf("finding: no such severity: %q", name)
}

// Subject says about whom or what a finding speaks.
type Subject struct {
	Type string `json:"type"` // message, domain, account, session, tenant, device, ...
	ID   string `json:"id"`   // in the subject type's own words: a SHA-256, a domain, an address
}

// Where is a place in the input. Fields that do not apply are empty.
//
// For a header, Part is the part whose header it is, Header the field name and
// Offset and Length are raw bytes of the message. For a body, Part is the part
// and Offset and Length are bytes of that part's text decoded to UTF-8.
type Where struct {
	Part    string `json:"part,omitempty"`
	Header  string `json:"header,omitempty"`
	Index   int    `json:"index,omitempty"` // 1-based number of the header field, from the top
	Offset  int    `json:"offset,omitempty"`
	Length  int    `json:"length,omitempty"`
	URL     string `json:"url,omitempty"`
	Inside  string `json:"inside,omitempty"`  // the file that the part holds, and the one inside it: "a.zip/b.pdf"
	Pointer string `json:"pointer,omitempty"` // RFC 6901, in a JSON record
	Line    int    `json:"line,omitempty"`    // 1-based, in a text file
}

// Evidence is one fact, quoted, and where it stands.
type Evidence struct {
	Where Where
	Quote string       // the very words
	Note  lang.Message // what they mean; may be zero
}

// Audience is who an action is for.
type Audience string

// The audiences.
const (
	Admin   Audience = "admin"   // looks after the tenant
	Staff   Audience = "staff"   // receives the mail
	Manager Audience = "manager" // decides
)

// Within is how soon an action is due. The desk turns it into a date.
type Within string

// The deadlines, from soonest to none.
const (
	Now   Within = "now"
	Today Within = "today"
	Week  Within = "week"
	Month Within = "month"
	None  Within = "none"
)

// Action is one thing to do.
type Action struct {
	Message  lang.Message
	Audience Audience
	Within   Within
	Commands []string // lines to run as they are, in order; may be empty
}

// RuleID names a rule uniquely within its source.
type RuleID string

// Rule says which rule produced a finding.
type Rule struct {
	ID      RuleID `json:"id"`
	Name    string `json:"name"`
	Source  string `json:"source"`
	Version string `json:"version,omitempty"`
}

// Reference is something to read.
type Reference struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// Cause says why something could not be evaluated.
type Cause string

// The causes of a [Need].
const (
	NotConfigured Cause = "not_configured" // the user has not set it up
	Failed        Cause = "failed"         // it is set up and did not work
	Budget        Cause = "budget"         // the message used up its budget first
)

// Need is something that was not checked, and what it would take.
type Need struct {
	Capability string       `json:"capability"` // dns, http, history, classifier, ...
	Detail     lang.Message `json:"-"`
	Cause      Cause        `json:"cause"`
}

// Finding is one thing that was found.
type Finding struct {
	Kind       Kind
	Severity   Severity
	Title      lang.Message
	Subject    Subject
	Evidence   []Evidence
	Actions    []Action
	Rule       Rule
	References []Reference
}

// ID is a hash of kind, subject, rule and the quoted evidence: the same
// finding on the same input has the same ID in every run, 16 hex digits.
func (f *Finding) ID() string {
	h := sha256.New()
	for _, s := range []string{string(f.Kind), f.Subject.Type, f.Subject.ID, string(f.Rule.ID)} {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	for _, e := range f.Evidence {
		fmt.Fprintf(h, "%d:%s", len(e.Quote), e.Quote)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
