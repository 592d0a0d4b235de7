package cli

import (
	"fmt"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/mql/syntax"
)

type mqlCmd struct {
	Expr  string   `arg:"" name:"expr"`
	Paths []string `arg:"" name:"path"`
}

// Run prints the value of an expression on every message of the named inputs.
func (c *mqlCmd) Run(r *run) error {
	q, problems := desk.ParseQuery(c.Expr, r.words)
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
	items := r.Walk(r.ctx, c.Paths, newInterruptible(r.ctx, r.Stdin), WalkOptions{MaxMessage: r.config.Limits.MessageSize})
	list := []*desk.ValueRecord{}
	unread := false
	for v := range desk.Values(r.ctx, items, q, desk.QueryDeps{Facts: r.config.Facts, Words: r.words}) {
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
