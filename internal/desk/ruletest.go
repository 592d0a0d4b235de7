package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/mqltest"
	"github.com/sekisho/sekisho/mql/rule"
	"github.com/sekisho/sekisho/mql/syntax"
	"github.com/sekisho/sekisho/mql/value"
	"github.com/sekisho/sekisho/org"
)

// RulesTestSchema names the shape of a [RulesTest] in JSON.
const RulesTestSchema = "sekisho.rules-test/v1"

// RulesTest is what tests of rules came to.
type RulesTest struct {
	Schema   string         `json:"schema"`
	Files    int            `json:"files"` // test files
	Tests    int            `json:"tests"` // one rule on one mail each
	Passed   int            `json:"passed"`
	Failed   int            `json:"failed"`
	Results  []TestRecord   `json:"results"`
	Mistakes []RuleProblem  `json:"mistakes"` // in tests, and in rules that they run
	Untested []UntestedRule `json:"untested"` // rules of the folders
	Unread   []Failure      `json:"unread"`
}

// TestRecord is one rule, or expression, on one mail.
type TestRecord struct {
	File     string          `json:"file"` // of the test
	Line     int             `json:"line"`
	Rule     string          `json:"rule,omitempty"` // its file; absent for an expression
	Expr     string          `json:"expr,omitempty"`
	Mail     string          `json:"mail"`
	Kind     mqltest.Kind    `json:"kind"`
	Passed   bool            `json:"passed"`
	Verdict  eval.Verdict    `json:"verdict"`
	Value    json.RawMessage `json:"value,omitempty"` // of an expression; absent where it is too long
	Evidence []Evidence      `json:"evidence"`
	Needs    []RuleNeed      `json:"needs"`
	Cost     int64           `json:"cost"`
	Failures []TestFailure   `json:"failures"`
}

// TestFailure is an expectation that did not hold.
type TestFailure struct {
	Line   int       `json:"line"`
	Column int       `json:"column"`
	Expect string    `json:"expect"` // as it is written
	Came   lang.Text `json:"came"`
}

// UntestedRule is a rule that lacks a mail that it must catch or one that it
// must leave alone.
type UntestedRule struct {
	File     string `json:"file"`
	Hit      bool   `json:"hit"`
	NearMiss bool   `json:"near_miss"`
}

// TestSource is a folder with tests, or one test file in it.
type TestSource struct {
	Path string // as the user named it
	FS   fs.FS  // the folder; tests read nothing else
	File string // in FS; "" for all test files and rules there
	Err  *Error // why it cannot be opened; nil if it was
}

// TestDeps is what tests take from outside.
type TestDeps struct {
	Lists *feeds.Lists    // that tests may use beside those that sekisho carries; may be nil
	Words *lang.Catalogue // nil: the built-in one
}

// maxTestValue bounds the value of an expression in a record, in bytes.
const maxTestValue = 64 << 10

// TestRules runs the tests of some folders and files. The error is that of ctx,
// or an [*Error] where there is too much to run or nothing at all.
func TestRules(ctx context.Context, sources []TestSource, deps TestDeps) (*RulesTest, error) {
	t := tester{
		ctx: ctx, words: cmp.Or(deps.Words, lang.Default()), shown: map[string]bool{}, rules: map[string]*UntestedRule{},
		out: &RulesTest{Schema: RulesTestSchema, Results: []TestRecord{}, Mistakes: []RuleProblem{}, Untested: []UntestedRule{}, Unread: []Failure{}},
	}
	t.options = &mqltest.Options{Lists: testLists(deps.Lists), Env: messageEnv, ListNames: deps.Lists.Own()}
	for _, s := range sources {
		if err := t.source(s); err != nil {
			return nil, err
		}
	}
	for _, file := range slices.Sorted(maps.Keys(t.rules)) {
		if u := t.rules[file]; !u.Hit || !u.NearMiss {
			t.out.Untested = append(t.out.Untested, *u)
		}
	}
	if t.out.Files == 0 && len(t.out.Unread) == 0 {
		var paths []string
		for _, s := range sources {
			paths = append(paths, s.Path)
		}
		return nil, &Error{Kind: NotFound, Message: lang.M("cli.rules.test.none", "paths", paths), Hint: lang.M("cli.rules.test.hint-none")}
	}
	return t.out, nil
}

// testLists returns the lists of an organisation in a test: as [namedLists],
// with what every test has made once.
func testLists(more *feeds.Lists) func(*org.Facts, []string) map[string]*value.List {
	carried := ruleLists(nil)
	return func(facts *org.Facts, names []string) map[string]*value.List {
		out := maps.Clone(carried)
		maps.Copy(out, more.Load(append(slices.Clone(names), "free_email_providers")...))
		maps.Copy(out, mdm.Lists(facts))
		return out
	}
}

type tester struct {
	ctx     context.Context
	words   *lang.Catalogue
	options *mqltest.Options
	out     *RulesTest
	files   int             // of all kinds that were looked at
	shown   map[string]bool // test files that ran
	rules   map[string]*UntestedRule
}

// source runs the tests of a folder, or one of them.
func (t *tester) source(s TestSource) error {
	if s.Err != nil {
		t.out.Unread = append(t.out.Unread, *renderer{words: t.words}.failure(s.Err))
		return nil
	}
	if s.File != "" {
		return t.test(s, s.File)
	}
	var tests []string
	err := fs.WalkDir(s.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err := t.ctx.Err(); err != nil {
			return err
		}
		if err != nil {
			t.unread(s, name, err)
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		ext := strings.ToLower(filepath.Ext(name))
		if ext != mqltest.Extension && ext != ".yml" && ext != ".yaml" {
			return nil
		}
		if t.files++; t.files > feeds.MaxFiles {
			return feeds.ErrTooMuch
		}
		if ext == mqltest.Extension {
			tests = append(tests, name)
			return nil
		}
		return t.rule(s, name)
	})
	switch {
	case errors.Is(err, feeds.ErrTooMuch):
		return &Error{Kind: Limit, Message: lang.M("cli.rules.test.too-many", "max", feeds.MaxFiles), Err: err}
	case err != nil:
		return err
	}
	for _, name := range tests {
		if err := t.test(s, name); err != nil {
			return err
		}
	}
	return nil
}

// rule notes that there is a rule. A YAML file that is none is nothing to test.
func (t *tester) rule(s TestSource, name string) error {
	f, err := s.FS.Open(name)
	if err != nil {
		t.unread(s, name, err)
		return nil
	}
	defer func() { _ = f.Close() }() // nothing was written
	st, err := f.Stat()
	if err != nil || st.Size() > rule.MaxSize {
		return nil
	}
	data, err := fs.ReadFile(s.FS, name)
	if err != nil {
		t.unread(s, name, err)
		return nil
	}
	if _, err := rule.Parse(data); err != nil {
		return nil
	}
	if at := s.name(name); t.rules[at] == nil {
		t.rules[at] = &UntestedRule{File: at}
	}
	return nil
}

// name is the path of a file as the user can open it.
func (s TestSource) name(file string) string {
	dir := s.Path
	if s.File != "" {
		dir = filepath.Dir(s.Path)
	}
	return filepath.Join(dir, filepath.FromSlash(file))
}

func (t *tester) unread(s TestSource, name string, err error) {
	path := s.name(name)
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	r := renderer{words: t.words}
	t.out.Unread = append(t.out.Unread, *r.failure(&Error{Kind: NotFound, Message: lang.M("cli.rules.read", "path", path, "why", err.Error()), Err: err}))
}

// test runs a test file, once.
func (t *tester) test(s TestSource, name string) error {
	if t.shown[s.name(name)] {
		return nil
	}
	t.shown[s.name(name)] = true
	res, err := t.run(s, name)
	switch {
	case t.ctx.Err() != nil:
		return t.ctx.Err()
	case err != nil:
		t.unread(s, name, err)
		return nil
	}
	t.out.Files++
	for _, e := range res.Errors {
		t.out.Mistakes = append(t.out.Mistakes, RuleProblem{
			Level: syntax.Error, File: s.name(e.File), Line: e.Line, Column: e.Column, Length: e.Length,
			Text: t.words.Render(e.Message), Hint: t.words.Render(e.Hint), Source: e.Source,
		})
	}
	for i := range res.Tests {
		t.record(s, res.File, &res.Tests[i])
	}
	return nil
}

// run runs a test file. A panic is an error about that file, as in [Judge].
func (t *tester) run(s TestSource, name string) (res *mqltest.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = internalError(s.name(name), p)
		}
	}()
	res, err = mqltest.Run(t.ctx, s.FS, name, t.options)
	if err != nil {
		return nil, fmt.Errorf("running %s: %w", name, err)
	}
	return res, nil
}

func (t *tester) record(s TestSource, file string, x *mqltest.Test) {
	r := renderer{words: t.words}
	rec := TestRecord{
		File: s.name(file), Line: x.Line, Expr: x.Expr, Mail: x.Mail, Kind: x.Kind, Passed: x.OK(), Verdict: x.Verdict,
		Evidence: r.evidence(x.Evidence), Needs: append([]RuleNeed{}, gapNeeds(x.Missing, t.words)...), Cost: x.Cost, Failures: []TestFailure{},
	}
	if x.Rule != "" {
		rec.Rule = s.name(x.Rule)
		u := t.rules[rec.Rule]
		if u == nil {
			u = &UntestedRule{} // of a rule outside of the folders, which nobody asks about
		}
		u.Hit = u.Hit || x.Kind == mqltest.Hit
		u.NearMiss = u.NearMiss || x.Kind == mqltest.NearMiss
	} else if b := x.Value.AppendJSON(nil); len(b) <= maxTestValue {
		rec.Value = b
	}
	for _, f := range x.Failures {
		rec.Failures = append(rec.Failures, TestFailure{Line: f.Line, Column: f.Column, Expect: f.Expect, Came: t.words.Render(f.Message)})
	}
	t.out.Tests++
	if rec.Passed {
		t.out.Passed++
	} else {
		t.out.Failed++
	}
	t.out.Results = append(t.out.Results, rec)
}
