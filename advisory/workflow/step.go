package workflow

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/sekisho/sekisho/advisory"
)

// Step is one thing that was done to a version of an advisory.
type Step struct {
	Number  int       `json:"number"`  // from 1 in all steps of the advisory
	ID      string    `json:"id"`      // of the version
	Version int       `json:"version"` // from 1
	At      time.Time `json:"at"`      // to the millisecond
	Who     string    `json:"who"`     // account or terminal, as in the audit log
	Name    string    `json:"name"`    // the name that the person gave
	Role    Role      `json:"role"`
	Act     Act       `json:"act"`
	Hash    string    `json:"hash"` // of the content, 64 hex digits

	Needed       int      `json:"needed,omitempty"`       // approvals, when it was approved
	Acknowledged []string `json:"acknowledged,omitempty"` // rules of the linter that may stay broken, when it was approved
	Comment      string   `json:"comment,omitempty"`
	Target       string   `json:"target,omitempty"` // the form that it was exported in, the webhook, the advisory that takes its place
	Key          string   `json:"key,omitempty"`    // of a delivery: the same for each try
	Outcome      string   `json:"outcome,omitempty"`
}

// Digest names all of a step by a hash, so that the audit log can hold it to
// its words.
func (s *Step) Digest() string {
	c := *s
	c.At = c.At.UTC().Truncate(time.Millisecond)
	b, err := json.Marshal(&c)
	if err != nil {
		return "" // a step holds nothing that JSON cannot say
	}
	return advisory.ContentHash("sekisho.advisory-step/v1", b)
}

// Object names a step in the audit log: the version, its content and the step.
func (s *Step) Object() string {
	return s.ID + "/" + strconv.Itoa(s.Version) + " sha256:" + s.Hash + " step:" + strconv.Itoa(s.Number) + ":" + s.Digest()
}

// Bounds of what a person writes, in characters.
const (
	MaxName    = 80
	MaxComment = 1000
)

// CleanName is a person's name on one line without what cannot be seen.
func CleanName(s string) string { return oneLine(s, MaxName) }

// CleanComment is a comment on one line without what cannot be seen.
func CleanComment(s string) string { return oneLine(s, MaxComment) }

func oneLine(s string, most int) string {
	if len(s) > 8*most {
		s = s[:8*most]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	r := []rune(strings.Join(strings.Fields(s), " "))
	return string(r[:min(len(r), most)])
}

// SamePerson reports whether two names are one person's: whatever case, width or
// spaces they are written in.
func SamePerson(a, b string) bool { return person(a) == person(b) }

func person(s string) string {
	s = cases.Fold().String(norm.NFKC.String(CleanName(s)))
	return strings.Join(strings.FieldsFunc(s, unicode.IsSpace), "")
}

// Among reports whether a name is one of a list.
func Among(name string, list []string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return SamePerson(x, name) })
}
