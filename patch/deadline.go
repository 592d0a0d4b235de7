package patch

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/patch/inventory"
	"github.com/sekisho/sekisho/triage"
)

// deadline is the grade of a missing update with its date.
type deadline struct {
	grade triage.Grade
	row   string
	due   time.Time
}

// deadline grades what is missing. The clock of an update starts on the day on
// which it was to be had where the organisation is, and starts anew, for a more
// urgent grade, when a weakness that it mends is known to be exploited. The
// earliest date counts.
func (c *Checker) deadline(r *Result, e *inventory.Entry) error {
	if r.Status != Behind && (r.Status != EndOfLife || len(r.Missing) == 0) {
		return nil
	}
	var best deadline
	for _, m := range r.Missing {
		d, err := c.grade(r, &m, e)
		if err != nil {
			return err
		}
		// The most urgent grade and the earliest date may be of different updates.
		if best.grade == "" || d.grade < best.grade {
			best.grade, best.row = d.grade, d.row
		}
		if best.due.IsZero() || !d.due.IsZero() && d.due.Before(best.due) {
			best.due = d.due
		}
	}
	r.Grade, r.Row, r.Due = best.grade, best.row, best.due
	if !best.due.IsZero() {
		r.Overdue = max(0, days(best.due, lang.StartOfDay(c.now)))
	}
	return nil
}

func (c *Checker) grade(r *Result, m *Missing, e *inventory.Entry) (deadline, error) {
	exposure := c.exposure(r, m, e)
	memo := strings.Join([]string{m.Product, m.Branch, m.Version, m.KB, string(exposure)}, "\x00")
	if d, ok := c.due[memo]; ok {
		return d, nil
	}
	released := lang.StartOfDay(m.Date.at().In(c.now.Location()))
	d, err := c.decide(c.facts(m, exposure, false), released)
	if err != nil {
		return deadline{}, err
	}
	if len(m.Exploited) > 0 {
		x, err := c.decide(c.facts(m, exposure, true), c.known(m, released))
		if err != nil {
			return deadline{}, err
		}
		if d.due.IsZero() || !x.due.IsZero() && x.due.Before(d.due) {
			d = x
		}
	}
	c.due[memo] = d
	return d, nil
}

func (c *Checker) decide(f triage.Facts, day time.Time) (deadline, error) {
	x, err := triage.Decide(f, day, c.o.Triage)
	if err != nil {
		return deadline{}, fmt.Errorf("patch: grading an update: %w", err)
	}
	return deadline{x.Grade, x.Mark(), x.Due}, nil
}

// known is when the first of the exploited weaknesses was known to be: when
// CISA's catalogue took it in, or with the update.
func (c *Checker) known(m *Missing, released time.Time) time.Time {
	var first time.Time
	for _, id := range m.Exploited {
		day := released
		if w := c.book.weak[id]; !w.Exploited && !w.KEVAdded.IsZero() {
			if t := lang.StartOfDay(w.KEVAdded.at().In(c.now.Location())); t.After(released) {
				day = t
			}
		}
		if first.IsZero() || day.Before(first) {
			first = day
		}
	}
	return first
}

// facts are the decision points of an update for somebody who lacks it.
func (c *Checker) facts(m *Missing, exposure triage.Exposure, exploited bool) triage.Facts {
	f := triage.Facts{Kind: triage.Vulnerability, Relevance: triage.RelevanceExact, Impact: triage.ImpactPartial, Exposure: exposure, KEV: triage.No}
	for _, id := range m.CVEs {
		w := c.book.weak[id]
		if w == nil {
			continue
		}
		if takesOver(w) {
			f.Impact = triage.ImpactTakeover
		}
		if strings.Contains(strings.ToLower(w.Likelihood), "more likely") && f.MSRC == "" {
			f.MSRC = w.Likelihood
		}
		if exploited && slices.Contains(m.Exploited, id) {
			f.Activity = triage.ActivityActive
			f.Ransomware = f.Ransomware || w.Ransomware
			if !w.KEVAdded.IsZero() {
				f.KEV = triage.Yes
			}
		}
	}
	return f
}

// takesOver reports whether an attacker gains control of the machine.
func takesOver(w *Vulnerability) bool {
	return strings.EqualFold(w.Severity, "critical") || strings.EqualFold(w.Impact, "remote code execution") || strings.EqualFold(w.Impact, "elevation of privilege")
}

// exposure is whether an attacker reaches the door. What the inventory says
// counts. Else a weakness that needs a foothold on the machine is no open door,
// a client stands behind others, and of servers and firmware nobody said.
func (c *Checker) exposure(r *Result, m *Missing, e *inventory.Entry) triage.Exposure {
	switch e.Exposed {
	case "yes":
		return triage.ExposedYes
	case "no":
		return triage.ExposedNo
	}
	if e.Kind != inventory.Firmware && r.ID != windowsServer {
		return triage.ExposedNo
	}
	remote := len(m.Exploited) == 0
	for _, id := range m.Exploited {
		if w := c.book.weak[id]; !strings.Contains(w.Vector, "/AV:L/") && !strings.Contains(w.Vector, "/AV:P/") {
			remote = true
		}
	}
	if !remote {
		return triage.ExposedNo
	}
	return triage.ExposedUnknown
}
