package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/history"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/mql/check"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/syntax"
	"github.com/sekisho/sekisho/mql/value"
	"github.com/sekisho/sekisho/org"
)

// ValueSchema names the shape of a [ValueRecord] in JSON.
const ValueSchema = "sekisho.value/v1"

// Query is an expression of the Message Query Language that can run.
type Query struct{ rules *eval.Rules }

// RuleQuery makes a query of a rule that can run.
func RuleQuery(r *feeds.Rule) (*Query, error) {
	rules, err := eval.Compile([]*check.Program{r.Program})
	if err != nil {
		return nil, fmt.Errorf("compiling %s: %w", r.File, err)
	}
	return &Query{rules}, nil
}

// ParseQuery parses and checks an expression, which may name the lists of the
// user. The problems are its errors and warnings; the query is nil if there is
// an error.
func ParseQuery(expr string, lists []string, words *lang.Catalogue) (*Query, []RuleProblem) {
	file := syntax.Parse(expr)
	p := check.New(&check.Options{Lists: lists, XPath: mdm.CheckXPath}).Check(file, check.WantAny)
	var problems []RuleProblem
	for _, d := range p.Diagnostics {
		from, to := file.Position(d.Span.Start), file.Position(d.Span.End)
		x := RuleProblem{
			Level: d.Level, Line: from.Line, Column: from.Column, Length: 1, Text: words.Render(d.Message), Hint: words.Render(d.Hint),
			Source: lineOf(expr, from.Line),
		}
		if to.Line == from.Line {
			x.Length = max(1, to.Column-from.Column)
		}
		problems = append(problems, x)
	}
	if !p.OK() {
		return nil, problems
	}
	rules, err := eval.Compile([]*check.Program{p})
	if err != nil {
		return nil, append(problems, RuleProblem{Level: syntax.Error, Line: 1, Column: 1, Length: 1, Text: words.Render(lang.Literal(err.Error()))})
	}
	return &Query{rules}, problems
}

// ListNames returns the lists that the query mentions.
func (q *Query) ListNames() []string { return q.rules.Program(0).Lists }

// ValueRecord is the value of an expression on one message.
type ValueRecord struct {
	Schema string          `json:"schema"`
	File   string          `json:"file"`
	Index  int             `json:"index,omitempty"`
	Value  json.RawMessage `json:"value"` // null where it is absent or not known
	Needs  []RuleNeed      `json:"needs"` // what it would take to know it
	Trace  *TraceStep      `json:"trace,omitempty"`
	Error  *Failure        `json:"error,omitempty"`
}

// ModelRecord is the Message Data Model of one message.
type ModelRecord struct {
	File  string
	Index int
	Model json.RawMessage
	Error *Failure
}

// QueryDeps is what [Values] and [Models] need from outside.
type QueryDeps struct {
	Facts   org.Facts
	Words   *lang.Catalogue  // nil: the built-in one
	Lists   *feeds.Lists     // as in [JudgeDeps]
	History *history.Book    // as in [JudgeDeps]
	Now     func() time.Time // nil: messages from the future are believed
	Trace   bool             // the value of every expression, too
}

// messageEnv is what the query sees of a message.
func (d *QueryDeps) messageEnv(m *eml.Message, named map[string]*value.List, s *seen, b *budget.Budget) eval.Env {
	in := mdm.Input{Mail: m, Org: &d.Facts, Budget: b}
	if s != nil {
		var now time.Time
		if d.Now != nil {
			now = d.Now()
		}
		in.Path = m365.NewPath(m.Header(), &d.Facts)
		p := &past{view: s.book.At(history.TimeOf(m, in.Path, now), history.IDOf(m)), sent: s.book.HasSent()}
		in.History, named = p, s.lists(p.view, named)
	}
	return messageEnv(in, named)
}

// Values evaluates a query on every item and yields one record for each, in
// order. The message is taken as it is; mails attached to it are not taken
// out.
func Values(ctx context.Context, items iter.Seq[Item], q *Query, deps QueryDeps) iter.Seq[*ValueRecord] {
	words := cmp.Or(deps.Words, lang.Default())
	named, seen := namedLists(&deps.Facts, deps.Lists, q.ListNames()), newSeen(deps.History)
	return func(yield func(*ValueRecord) bool) {
		for it := range items {
			out := &ValueRecord{Schema: ValueSchema, File: it.File, Index: it.Index, Value: json.RawMessage("null"), Needs: []RuleNeed{}}
			out.Error = onItem(it, words, func() {
				b := budget.New(nil)
				m := eml.Parse(it.Raw, &eml.Options{Budget: b})
				run := q.rules.Start(deps.messageEnv(m, named, seen, b))
				res := run.Rule(0)
				out.Value = res.Value.AppendJSON(nil)
				out.Needs = append(out.Needs, gapNeeds(res.Value.Gaps(), words)...)
				if deps.Trace {
					t := traceView(run.Trace(0), words)
					out.Trace = &t
				}
			})
			if ctx.Err() != nil || !yield(out) {
				return
			}
		}
	}
}

// Models yields the Message Data Model of every item, in order.
func Models(ctx context.Context, items iter.Seq[Item], deps QueryDeps) iter.Seq[*ModelRecord] {
	words := cmp.Or(deps.Words, lang.Default())
	return func(yield func(*ModelRecord) bool) {
		for it := range items {
			out := &ModelRecord{File: it.File, Index: it.Index}
			out.Error = onItem(it, words, func() {
				b := budget.New(nil)
				out.Model = mdm.New(mdm.Input{Mail: eml.Parse(it.Raw, &eml.Options{Budget: b}), Org: &deps.Facts, Budget: b}).Root().AppendJSON(nil)
			})
			if ctx.Err() != nil || !yield(out) {
				return
			}
		}
	}
}

// onItem does something with an item that could be read. A panic is an error
// about that item, as in [Judge].
func onItem(it Item, words *lang.Catalogue, do func()) (f *Failure) {
	r := renderer{words: words}
	if it.Err != nil {
		return r.failure(it.Err)
	}
	defer func() {
		if p := recover(); p != nil {
			f = r.failure(internalError(it.File, p))
		}
	}()
	do()
	return nil
}

func lineOf(text string, n int) string {
	i := 0
	for l := range strings.Lines(text) {
		if i++; i == n {
			return strings.TrimRight(l, "\r\n")
		}
	}
	return ""
}
