// Package mqltest is the language in which rules for mail are tested: mails, what
// is known around them, and what a rule must come to on each. README.md beside
// this file is its specification.
//
// A test runs a rule as a judge does, over the model of a mail that is read from
// bytes. Nothing comes from outside of the test but what [Options] hands in, so
// that a test says the same wherever it runs.
package mqltest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/value"
	"github.com/sekisho/sekisho/org"
)

// Extension is how the name of a test file ends.
const Extension = ".mqltest"

// The limits of a test file.
const (
	MaxSize  = 4 << 20 // bytes
	MaxLines = 20_000  // of directives and their details
	MaxEvals = 2_000
	MaxMails = 500      // at a time
	MaxRuns  = 5_000    // rules times mails of one eval
	MaxTests = 50_000   // of all evals
	MaxMail  = 48 << 20 // bytes of a file that a test loads
	MaxMade  = 16 << 20 // bytes of the files that a mail carries

	maxPost   = 128 << 20 // bytes of all mails
	maxErrors = 20        // that are told of one file
)

// Error is a mistake in a test, or in a rule that it runs, and where it stands.
type Error struct {
	File    string
	Line    int // from 1
	Column  int // from 1, in code points
	Length  int // code points of the line that it is about; at least 1
	Message lang.Message
	Hint    lang.Message // may be zero
	Source  string       // the line
}

// Error implements error in English.
func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, lang.Default().Say(lang.EN, e.Message))
}

// Errors are the mistakes of a file, the first ones where there are many.
type Errors []*Error

// Error implements error.
func (e Errors) Error() string {
	if len(e) == 1 {
		return e[0].Error()
	}
	return fmt.Sprintf("%v, and %d more", e[0], len(e)-1)
}

// Unwrap gives the single mistakes to [errors.Is] and [errors.AsType].
func (e Errors) Unwrap() []error {
	out := make([]error, len(e))
	for i := range e {
		out[i] = e[i]
	}
	return out
}

// Result is what a test file came to.
type Result struct {
	File  string
	Tests []Test
	// Errors are mistakes in the file, which was not run then, or in the rules
	// and files that it names.
	Errors Errors
}

// Failed returns the number of tests that failed.
func (r *Result) Failed() int {
	n := 0
	for i := range r.Tests {
		if !r.Tests[i].OK() {
			n++
		}
	}
	return n
}

// OK reports whether all tests could run and passed.
func (r *Result) OK() bool { return len(r.Errors) == 0 && r.Failed() == 0 }

// Kind says what a test shows about its rule.
type Kind string

// The kinds of tests.
const (
	Hit      Kind = "hit"       // a mail that the rule must catch
	NearMiss Kind = "near-miss" // a mail that it must leave alone
	Other    Kind = "other"     // neither, or not about one rule
)

// Test is one rule, or expression, on one mail.
type Test struct {
	Line int    // of the eval
	Rule string // the rule file, as the file system has it; "" for an expression
	Expr string // the expression
	Mail string // its name in the test
	Kind Kind

	// What came.
	Verdict  eval.Verdict
	Value    value.Value
	Evidence []finding.Evidence
	Missing  []value.Gap // of an undecided rule
	Cost     int64       // in units of package budget

	Failures []Failure
}

// OK reports whether all expectations held.
func (t *Test) OK() bool { return len(t.Failures) == 0 }

// Failure is an expectation that did not hold.
type Failure struct {
	Line    int
	Column  int
	Expect  string       // the line, without "expect"
	Message lang.Message // what came
}

// Options is what tests take from outside. Nil has the defaults.
type Options struct {
	// Lists returns the lists that an organisation has, of those that are
	// named. Nil: [mdm.Lists].
	Lists func(facts *org.Facts, names []string) map[string]*value.List
	// Env returns what rules run in. Nil: the model, and its functions.
	Env func(in mdm.Input, lists map[string]*value.List) eval.Env
	// ListNames are lists that rules may name beside those of the language.
	ListNames []string
}

// Run runs the test file name of a file system. Its rules and mails are in the
// same one. The error says that the file cannot be read, or is that of ctx; what
// is wrong with the test is in the result.
func Run(ctx context.Context, fsys fs.FS, name string, o *Options) (*Result, error) {
	data, err := readFile(fsys, name, MaxSize)
	if err != nil && !errors.Is(err, errTooLarge) {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	s, err := Parse(name, data)
	if errs, ok := errors.AsType[Errors](err); ok {
		return &Result{File: name, Errors: errs}, nil
	}
	return s.Run(ctx, fsys, o)
}

var errTooLarge = errors.New("mqltest: too large")

// readFile reads at most limit bytes. One more is read so that whoever gets the
// bytes sees that they are too many.
func readFile(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err //nolint:wrapcheck // the path is in it
	}
	defer func() { _ = f.Close() }() // nothing was written
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err //nolint:wrapcheck // the path is in it
	}
	if int64(len(data)) > limit {
		return data, errTooLarge
	}
	return data, nil
}

// within returns the path of a file that a test names, and whether it lies in
// the file system.
func within(test, name string) (string, bool) {
	p := path.Join(path.Dir(test), name)
	return p, fs.ValidPath(p)
}
