package desk

import (
	"slices"
	"time"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
)

// renderer turns what engines return into words and dates. A verdict shares no
// memory with what it was made from, so that it can be redacted.
type renderer struct {
	words *lang.Catalogue
	now   time.Time
	own   []string // the organisation's domains, as configured
}

func (r renderer) finding(f finding.Finding) Finding {
	out := Finding{
		ID: f.ID(), Kind: f.Kind, Severity: f.Severity, Title: r.words.Render(f.Title), Subject: f.Subject,
		Evidence: r.evidence(f.Evidence), Actions: []Action{}, Rule: f.Rule, References: slices.Clone(f.References),
	}
	if out.References == nil {
		out.References = []finding.Reference{}
	}
	for _, a := range f.Actions {
		out.Actions = append(out.Actions, Action{
			Text: r.words.Render(a.Message), Audience: a.Audience, Within: a.Within, Due: r.due(a.Within), Commands: slices.Clone(a.Commands),
		})
	}
	return out
}

// failure is an error as a user may see it.
func (r renderer) failure(err error) *Failure {
	e := asError(err)
	return &Failure{Kind: e.Kind, Text: r.words.Render(e.Message), Hint: r.words.Render(e.Hint)}
}

func (r renderer) evidence(list []finding.Evidence) []Evidence {
	out := make([]Evidence, 0, len(list))
	for _, e := range list {
		out = append(out, Evidence{Where: e.Where, Quote: e.Quote, Note: r.words.Render(e.Note)})
	}
	return out
}

// due turns a span into a date: today for now and today, seven days for a
// week, the last day of the month for a month.
func (r renderer) due(w finding.Within) string {
	var t time.Time
	switch w {
	case finding.Now, finding.Today:
		t = r.now
	case finding.Week:
		t = r.now.AddDate(0, 0, 7)
	case finding.Month:
		t = time.Date(r.now.Year(), r.now.Month()+1, 0, 0, 0, 0, 0, r.now.Location())
	default:
		return ""
	}
	return t.Format(time.DateOnly)
}

// timeOf is a time as JSON has it, nil where there is none.
func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	return &utc
}
