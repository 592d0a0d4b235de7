package advisory

import (
	"maps"
	"slices"

	"github.com/sekisho/sekisho/lang"
)

// Phrases returns every sentence of the catalogue with its slots unfilled, for
// who has to tell standing text from what was put into it.
func (c *Catalogue) Phrases() []lang.Text {
	var out []lang.Text
	add := func(ts ...lang.Text) {
		for _, t := range ts {
			if t.JA != "" && t.EN != "" {
				out = append(out, t)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.actions)) {
		a := c.actions[id]
		add(a.text(), lang.Text{JA: a.NoteJA, EN: a.NoteEN}, lang.Text{JA: a.PlanJA, EN: a.PlanEN}, lang.Text{JA: a.ElseJA, EN: a.ElseEN})
		for _, cmd := range a.Commands {
			add(lang.Text{JA: cmd, EN: cmd})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.templates)) {
		t := c.templates[key]
		add(t.Title.text(), t.Staff.Subject.text(), t.Admin.Subject.text())
		for _, ls := range [][]line{t.Summary, t.Scope, t.Staff.Why, t.Admin.Overview, t.Manager.Happened, t.Manager.Means, t.Manager.Decide} {
			for _, l := range ls {
				add(l.text())
			}
		}
	}
	return out
}
