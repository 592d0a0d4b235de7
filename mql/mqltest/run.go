package mqltest

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/mailauth"
	"github.com/sekisho/sekisho/mql/check"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/rule"
	"github.com/sekisho/sekisho/mql/syntax"
	"github.com/sekisho/sekisho/mql/value"
	"github.com/sekisho/sekisho/org"
)

// runner runs the evals of a script.
type runner struct {
	script  *Script
	fsys    fs.FS
	options Options
	checker *check.Checker
	loaded  map[string]*loaded
	post    *post
	out     *Result
	told    map[string]bool // mistakes that are in out
}

// loaded is a rule, or an expression, that was read. One with a mistake cannot
// run, and the mistake was told.
type loaded struct {
	subject
	rules *eval.Rules // nil: cannot run
	names []string    // of lists
	query bool
}

// Run runs the tests. Paths are those of the file system that the test file is
// in. The error is that of ctx.
func (s *Script) Run(ctx context.Context, fsys fs.FS, o *Options) (*Result, error) {
	r := &runner{script: s, fsys: fsys, loaded: map[string]*loaded{}, post: &post{fsys: fsys, made: map[*mail]*letter{}}, out: &Result{File: s.file}, told: map[string]bool{}}
	if o != nil {
		r.options = *o
	}
	if r.options.Lists == nil {
		r.options.Lists = func(f *org.Facts, _ []string) map[string]*value.List { return mdm.Lists(f) }
	}
	if r.options.Env == nil {
		r.options.Env = environment
	}
	r.checker = check.New(&check.Options{Lists: slices.Concat(r.options.ListNames, s.lists), XPath: mdm.CheckXPath})
	for _, e := range s.evals {
		if err := r.evaluation(ctx, e); err != nil {
			return nil, err
		}
	}
	return r.out, nil
}

// environment is what rules run in where nobody says it.
func environment(in mdm.Input, lists map[string]*value.List) eval.Env {
	model := mdm.New(in)
	free := func(d string) bool {
		l := lists["free_email_providers"]
		if l == nil {
			return false
		}
		has, _ := l.Has(d)
		return has
	}
	return eval.Env{Root: model.Root(), Lists: lists, Functions: model.Functions(free), Budget: in.Budget}
}

func (r *runner) evaluation(ctx context.Context, e *evaluation) error {
	subjects := r.subjects(e)
	if len(subjects)*len(e.mails) > MaxRuns || len(r.out.Tests)+len(subjects)*len(e.mails) > MaxTests {
		r.fail(e.line, 1, 1, lang.M("mqltest.error.runs", "max", MaxRuns))
		return nil
	}
	for _, s := range subjects {
		for _, m := range e.mails {
			if err := ctx.Err(); err != nil {
				return err //nolint:wrapcheck // as it is
			}
			if s.rules == nil {
				continue
			}
			l := r.post.letter(m)
			if l.wrong != nil {
				r.fail(l.wrong.at.line, l.wrong.at.column, 1, l.wrong.message)
				continue
			}
			t, err := r.test(ctx, e, s, l.raw)
			if err != nil {
				return err
			}
			t.Mail = m.name
			r.out.Tests = append(r.out.Tests, t)
		}
	}
	return nil
}

// subjects are the rules of an eval.
func (r *runner) subjects(e *evaluation) []*loaded {
	if e.pattern.text == "" {
		return []*loaded{r.expression(e)}
	}
	names, ok := r.files(e)
	if !ok {
		return nil
	}
	out := make([]*loaded, 0, len(names))
	for _, name := range names {
		l := r.loaded[name]
		if l == nil {
			l = r.rule(e, name)
			r.loaded[name] = l
		}
		out = append(out, l)
	}
	return out
}

// files are the rule files that a pattern names.
func (r *runner) files(e *evaluation) ([]string, bool) {
	pattern, _ := within(r.script.file, e.pattern.text)
	if !strings.ContainsAny(e.pattern.text, "*?") {
		return []string{pattern}, true
	}
	// Brackets and backslashes stand for themselves.
	quoted := strings.NewReplacer(`\`, `\\`, "[", `\[`).Replace(pattern)
	names, err := fs.Glob(r.fsys, quoted)
	names = slices.DeleteFunc(names, func(n string) bool {
		ext := strings.ToLower(path.Ext(n))
		return ext != ".yml" && ext != ".yaml"
	})
	if err != nil || len(names) == 0 {
		r.fail(e.line, e.pattern.column, len([]rune(e.pattern.text)), lang.M("mqltest.error.no-file", "path", e.pattern.text))
		return nil, false
	}
	return names, true
}

// rule reads a rule file.
func (r *runner) rule(e *evaluation, name string) *loaded {
	out := &loaded{subject: subject{path: name}}
	data, err := readFile(r.fsys, name, rule.MaxSize)
	if err != nil && !errors.Is(err, errTooLarge) {
		r.fail(e.line, e.pattern.column, len([]rune(e.pattern.text)), lang.M("mqltest.error.read", "path", name, "why", reason(err)))
		return out
	}
	parsed, err := rule.Parse(data)
	if err != nil {
		m := &Error{File: name, Line: 1, Column: 1, Length: 1, Message: lang.Literal(err.Error())}
		if x, ok := errors.AsType[*rule.Error](err); ok {
			m.Line, m.Column, m.Message = x.Line, x.Column, x.Message
		}
		r.add(m)
		return out
	}
	out.severity, out.query = parsed.Severity, parsed.Type == rule.Query
	program := parsed.Check(r.checker)
	r.compile(out, program, func(d syntax.Diagnostic) *Error {
		from, to := parsed.Position(d.Span.Start), parsed.Position(d.Span.End)
		return &Error{File: name, Line: from.Line, Column: from.Column, Length: length(from, to), Message: d.Message, Hint: d.Hint, Source: parsed.Line(from.Line)}
	})
	return out
}

func length(from, to syntax.Position) int {
	if from.Line != to.Line {
		return 1
	}
	return max(1, to.Column-from.Column)
}

func (r *runner) expression(e *evaluation) *loaded {
	out := &loaded{query: true}
	file := syntax.Parse(e.expr)
	r.compile(out, r.checker.Check(file, check.WantAny), func(d syntax.Diagnostic) *Error {
		from, to := file.Position(d.Span.Start), file.Position(d.Span.End)
		column := from.Column
		if from.Line == 1 {
			column += e.at.column - 1
		}
		m := mistakeAt(r.script.file, r.script.lines, e.at.line+from.Line-1, column, length(from, to), d.Message)
		m.Hint = d.Hint
		return m
	})
	return out
}

func (r *runner) compile(out *loaded, program *check.Program, at func(syntax.Diagnostic) *Error) {
	for _, d := range program.Diagnostics {
		if d.Level == syntax.Error {
			r.add(at(d))
		}
	}
	if !program.OK() {
		return
	}
	if rules, err := eval.Compile([]*check.Program{program}); err == nil {
		out.rules, out.names = rules, program.Lists
	}
}

// test runs one rule on one mail.
func (r *runner) test(ctx context.Context, e *evaluation, s *loaded, raw []byte) (Test, error) {
	t := Test{Line: e.line, Rule: s.path, Kind: Other}
	if s.path == "" {
		t.Expr = e.expr
	} else if !strings.ContainsAny(e.pattern.text, "*?") {
		t.Kind = kindOf(e.expects)
	}
	b := budget.New(nil)
	m := eml.Parse(raw, &eml.Options{Budget: b})
	in := mdm.Input{Mail: m, Org: e.world.facts.known(), Budget: b}
	if e.world.senders != nil {
		in.History = e.world.senders
	}
	if e.world.zone != nil {
		report, err := verify(ctx, m, e.world)
		if err != nil {
			return t, err
		}
		in.Auth = report
	}
	env := r.options.Env(in, r.lists(e.world, s.names))
	env.Functions = answered(env.Functions, e.world.answers)
	run := s.rules.Start(env)
	before := b.Cost
	res := run.Rule(0)
	t.Cost = before - b.Cost
	t.Verdict, t.Value, t.Missing = res.Verdict, res.Value, res.Missing
	for _, why := range run.Explain(0) {
		for _, ev := range why.Evidence {
			if !slices.ContainsFunc(t.Evidence, func(have finding.Evidence) bool { return have.Where == ev.Where && have.Quote == ev.Quote }) {
				t.Evidence = append(t.Evidence, ev)
			}
		}
	}
	for _, x := range e.expects {
		if came := x.check(&t, &s.subject); !came.IsZero() {
			t.Failures = append(t.Failures, Failure{Line: x.line, Column: x.column, Expect: x.text, Message: came})
		}
	}
	return t, nil
}

// kindOf says what expectations show about a rule.
func kindOf(expects []expectation) Kind {
	for _, x := range expects {
		switch x.verdict {
		case eval.Match:
			return Hit
		case eval.NoMatch:
			return NearMiss
		}
	}
	return Other
}

// lists are what rules find under the names of lists.
func (r *runner) lists(w *world, names []string) map[string]*value.List {
	have := r.options.Lists(w.facts.known(), names)
	if w.senders == nil && len(w.lists) == 0 {
		return have
	}
	out := maps.Clone(have)
	if out == nil {
		out = map[string]*value.List{}
	}
	if w.senders != nil {
		maps.Copy(out, w.senders.lists())
	}
	for name, l := range w.lists {
		if l == nil {
			delete(out, name)
		} else {
			out[name] = l
		}
	}
	return out
}

// answered puts the answers of a test in the place of functions.
func answered(have map[string]value.Func, answers map[string]value.Value) map[string]value.Func {
	if len(answers) == 0 {
		return have
	}
	out := maps.Clone(have)
	if out == nil {
		out = map[string]value.Func{}
	}
	for name, v := range answers {
		if v.IsMissing() {
			delete(out, name)
			continue
		}
		out[name] = func(*value.Call) value.Value { return v }
	}
	return out
}

// verify verifies a mail with the names of the test. The envelope is what the
// receiving server wrote.
func verify(ctx context.Context, m *eml.Message, w *world) (*mailauth.Report, error) {
	d := m365.DirectSend(m365.Input{Message: m, Facts: w.facts.known()})
	in := mailauth.Input{Message: m, IP: d.ClientIP, MailFrom: d.MailFrom, Helo: d.Helo}
	if d.SourceIP.IsValid() {
		in.IP = d.SourceIP
	}
	if len(d.Path.Hops) > 0 {
		in.Now = d.Path.Hops[0].Time
	}
	if date, ok := m.Date(); ok && in.Now.IsZero() {
		in.Now = date
	}
	if f, ok := m.Header().First("Return-Path"); ok {
		if a := f.Addresses(); len(a) > 0 && a[0].Domain != "" {
			in.MailFrom = a[0].Addr()
		}
	}
	o := &mailauth.Options{NoTrace: true, TrustedSealers: []domain.Name{"microsoft.com"}}
	if w.facts != nil && w.facts.ARCSealers.Configured() {
		o.TrustedSealers = nil
		for _, s := range w.facts.ARCSealers.Value() {
			o.TrustedSealers = append(o.TrustedSealers, domain.Name(s))
		}
	}
	return mailauth.Verify(ctx, w.zone, in, o) //nolint:wrapcheck // that of the context
}

// fail adds a mistake in the test file.
func (r *runner) fail(line, column, length int, m lang.Message) {
	r.add(mistakeAt(r.script.file, r.script.lines, line, column, length, m))
}

// add adds a mistake, once.
func (r *runner) add(e *Error) {
	key := e.Error()
	if r.told[key] || len(r.out.Errors) == maxErrors {
		return
	}
	r.told[key] = true
	r.out.Errors = append(r.out.Errors, e)
}

// reason is why a file cannot be read, without its path.
func reason(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}
