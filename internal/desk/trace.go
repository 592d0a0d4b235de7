package desk

import (
	"encoding/json"
	"strings"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/value"
)

// TraceStep is a part of an expression and what it came to on a message.
type TraceStep struct {
	Expr     string          `json:"expr"`           // its source, on one line
	Value    json.RawMessage `json:"value"`          // null where it is absent, not known or too long
	Of       string          `json:"of,omitempty"`   // array or object: what a value that is too long is
	Size     int             `json:"size,omitempty"` // its items, or the bytes of its JSON
	Needs    []RuleNeed      `json:"needs,omitempty"`
	Evidence []Evidence      `json:"evidence,omitempty"`
	Parts    []TraceStep     `json:"parts,omitempty"`

	// Of a loop: how many items it has, and its condition on some of them.
	Items *int        `json:"items,omitempty"`
	Turns []TraceTurn `json:"turns,omitempty"`
}

// TraceTurn is a loop's condition on one item.
type TraceTurn struct {
	Index int       `json:"index"` // of the item, from 0
	Step  TraceStep `json:"step"`
}

// Bounds on a value in a trace: bytes, and items of a list. The whole value of a
// part is had by asking for the part alone.
const (
	maxTraceValue = 300
	maxTraceItems = 20
)

func traceView(s eval.Step, words *lang.Catalogue) TraceStep {
	r := renderer{words: words}
	out := TraceStep{Expr: s.Expr, Needs: gapNeeds(s.Value.Gaps(), words)}
	out.brief(s.Value)
	if len(s.Evidence) > 0 {
		out.Evidence = r.evidence(s.Evidence)
	}
	for _, p := range s.Parts {
		out.Parts = append(out.Parts, traceView(p, words))
	}
	if s.Loop {
		out.Items = &s.Items
	}
	for _, t := range s.Turns {
		out.Turns = append(out.Turns, TraceTurn{Index: t.Index, Step: traceView(t.Step, words)})
	}
	return out
}

func gapNeeds(gaps []value.Gap, words *lang.Catalogue) []RuleNeed {
	var out []RuleNeed
	for _, g := range gaps {
		out = append(out, RuleNeed{Capability: g.Capability, Name: g.Name, Text: words.Render(eval.Need(g).Detail)})
	}
	return out
}

// brief sets the value of a step, and of one that is too long to print the
// beginning or the size.
func (t *TraceStep) brief(v value.Value) {
	if s, ok := v.Str(); ok && len(s) > maxTraceValue {
		v = value.String(strings.ToValidUTF8(s[:maxTraceValue], "") + "…")
	}
	l := v.List()
	if l == nil || l.Len() <= maxTraceItems {
		if t.Value = v.AppendJSON(nil); len(t.Value) <= maxTraceValue*2 {
			return
		}
	}
	t.Value = json.RawMessage("null")
	size := len(v.AppendJSON(nil))
	if l != nil {
		size = l.Len()
	}
	t.Size, t.Of = size, "object"
	if l != nil {
		t.Of = "array"
	}
}
