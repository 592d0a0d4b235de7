package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
)

// Bounds on a line of a trace, in columns.
const (
	minTraceExpr  = 24
	maxTraceValue = 60
)

// trace prints what every part of an expression came to, as a tree: the parts
// stand under what they are parts of.
func (r *run) trace(s *desk.TraceStep, indent int) {
	room := max(minTraceExpr, r.columns()-indent-maxTraceValue/2)
	fmt.Fprintf(r.Stdout, "%s%s  %s\n", strings.Repeat(" ", indent), term.Truncate(traceExpr(s), room), r.traceValue(s))
	for _, e := range s.Evidence {
		fmt.Fprintln(r.Stdout, strings.Repeat(" ", indent+2)+r.style.Paint(term.Dim, term.Truncate("» "+quoted(e), max(minTraceExpr, r.columns()-indent-2))))
	}
	for i := range s.Parts {
		r.trace(&s.Parts[i], indent+2)
	}
	for i := range s.Turns {
		t := &s.Turns[i]
		fmt.Fprintln(r.Stdout, strings.Repeat(" ", indent+2)+r.style.Paint(term.Dim, r.say("cli.mql.turn", "n", t.Index+1, "of", *s.Items)))
		r.trace(&t.Step, indent+4)
	}
	if s.Items != nil && *s.Items > len(s.Turns) && len(s.Turns) > 0 {
		fmt.Fprintln(r.Stdout, strings.Repeat(" ", indent+2)+r.style.Paint(term.Dim, r.say("cli.more", "n", *s.Items-len(s.Turns))))
	}
}

// traceExpr is the source of a step on one line; of a chain of parts that
// follow it is the operator alone.
func traceExpr(s *desk.TraceStep) string {
	expr := term.Clean(s.Expr)
	if len(s.Parts) > 1 && term.Width(expr) > 60 {
		for _, op := range []string{" and ", " or "} {
			if strings.HasPrefix(expr, s.Parts[0].Expr+op) {
				return strings.TrimSpace(op)
			}
		}
	}
	return expr
}

func (r *run) traceValue(s *desk.TraceStep) string {
	if len(s.Needs) > 0 {
		var words []string
		for _, n := range s.Needs {
			words = append(words, n.Text.In(r.lang))
		}
		return r.style.Paint(term.Suspicious, r.say("cli.mql.unknown", "needs", r.join(words)))
	}
	switch s.Of {
	case "array":
		return r.say("cli.mql.items", "n", s.Size)
	case "object":
		return r.say("cli.mql.object", "n", s.Size)
	}
	text := term.Truncate(term.Clean(strings.TrimSpace(string(s.Value))), maxTraceValue)
	var items []json.RawMessage
	if strings.HasSuffix(text, "…") && json.Unmarshal(s.Value, &items) == nil && items != nil {
		return r.say("cli.mql.items", "n", len(items))
	}
	if text == "true" {
		return r.style.Paint(term.Bold, text)
	}
	return text
}
