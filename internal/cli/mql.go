package cli

import (
	"fmt"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/syntax"
)

type mqlCmd struct {
	Expr    string   `arg:"" name:"expr"` // with --rule the first path
	Paths   []string `arg:"" name:"path" optional:""`
	Explain bool     `name:"explain"`
	Rule    string   `name:"rule" placeholder:"FILE"`

	Means meansFlags `embed:""`
}

// Run prints the value of an expression on every message of the named inputs.
func (c *mqlCmd) Run(r *run) error {
	if err := r.openLists(c.Means.Lists); err != nil {
		return err
	}
	var q *desk.Query
	var problems []desk.RuleProblem
	paths := c.Paths
	if c.Rule != "" {
		var err error
		if q, problems, err = c.rule(r); err != nil {
			return err
		}
		paths = append([]string{c.Expr}, paths...)
	} else {
		q, problems = desk.ParseQuery(c.Expr, r.lists.Own(), r.words)
	}
	if len(paths) == 0 && q != nil {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.error.argument-missing", "command", "mql", "argument", "PATH"), Hint: lang.M("cli.hint.usage", "help", "sekisho help mql")}
	}
	stdout := r.Stdout
	r.Stdout = r.Stderr // what is wrong with the question is no answer
	for _, p := range problems {
		if p.Level == syntax.Error || q != nil {
			r.problem(p)
		}
	}
	r.Stdout = stdout
	if q == nil {
		return statusError(exitUsage)
	}
	past, err := r.past(c.Means.History, c.Means.NoHistory)
	if err != nil {
		return err
	}
	r.warnLists(q.ListNames())
	items := r.Walk(r.ctx, paths, newInterruptible(r.ctx, r.Stdin), WalkOptions{MaxMessage: r.config.Limits.MessageSize})
	list := []*desk.ValueRecord{}
	unread := false
	for v := range desk.Values(r.ctx, items, q, desk.QueryDeps{Facts: r.config.Facts, Words: r.words, Trace: c.Explain, Lists: r.lists, History: past, Now: r.Now}) {
		if v.Error != nil {
			unread = true
			r.warnAbout(placeOf(v.File, v.Index), v.Error)
		}
		switch r.flags.Output {
		case "json":
			list = append(list, v)
		case "ndjson":
			if err := r.writeRecord(v); err != nil {
				return err
			}
		default:
			if v.Error == nil {
				fmt.Fprintf(r.Stdout, "%s: %s\n", term.Clean(placeOf(v.File, v.Index)), r.valueText(v))
				if v.Trace != nil {
					r.trace(v.Trace, 2)
				}
			}
		}
	}
	if r.flags.Output == "json" {
		if err := r.writeRecord(list); err != nil {
			return err
		}
	}
	if unread || r.ctx.Err() != nil {
		return statusError(exitUnread)
	}
	return nil
}

// rule makes a query of the rule in a file.
func (c *mqlCmd) rule(r *run) (*desk.Query, []desk.RuleProblem, error) {
	set, err := desk.LoadRules(r.ctx, []string{c.Rule}, true, r.ruleOptions())
	if err != nil {
		return nil, nil, err
	}
	if len(set.Rules) != 1 {
		return nil, nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.mql.one-rule", "path", c.Rule, "n", len(set.Rules)), Hint: lang.M("cli.mql.one-rule-hint")}
	}
	problems := desk.CheckRules(set, r.words).Problems
	if !set.Rules[0].OK() {
		return nil, problems, nil
	}
	q, err := desk.RuleQuery(&set.Rules[0])
	return q, problems, err
}

func (r *run) valueText(v *desk.ValueRecord) string {
	if len(v.Needs) == 0 {
		return term.Clean(strings.TrimSpace(string(v.Value)))
	}
	var words []string
	for _, n := range v.Needs {
		words = append(words, n.Text.In(r.lang))
	}
	return r.say("cli.mql.unknown", "needs", r.join(words))
}
