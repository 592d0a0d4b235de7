package desk

import (
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/patch"
	"github.com/sekisho/sekisho/patch/calendar"
)

// PatchDaySchema is the schema of a [PatchDay], in docs/schema.
const PatchDaySchema = "sekisho.patch-day/v1"

// PatchDay is a day on which a vendor releases updates.
type PatchDay struct {
	Schema  string     `json:"schema"`
	Rule    string     `json:"rule"`
	Vendor  string     `json:"vendor"`
	What    lang.Text  `json:"what"`
	Date    patch.Date `json:"date"` // where the vendor is
	Here    patch.Date `json:"here"` // where the organisation is
	At      time.Time  `json:"at"`
	Certain bool       `json:"certain"` // by the vendor's announced rule; else by its habit
	From    string     `json:"valid_from"`
	To      string     `json:"valid_to,omitempty"`
	Source  string     `json:"source"`
}

// PatchDaysInput says which days.
type PatchDaysInput struct {
	Year    int      // 0 for the twelve months from now
	Vendors []string // nil for all
}

// PatchDays lists the days on which vendors release updates. The days here are
// those of the organisation's country, if that is Japan, else those of the clock.
func PatchDays(in *PatchDaysInput, deps *PatchDeps) ([]PatchDay, []calendar.Event, error) {
	c, err := PatchCalendar()
	if err != nil {
		return nil, nil, err
	}
	now := deps.Now()
	events := c.Events(now, now.AddDate(1, 0, -1))
	if in.Year != 0 {
		events = c.Year(in.Year)
	}
	if len(in.Vendors) > 0 {
		var known []string
		for _, r := range c.Rules {
			if !slices.Contains(known, r.Vendor) {
				known = append(known, r.Vendor)
			}
		}
		for _, v := range in.Vendors {
			if !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, v) }) {
				return nil, nil, &Error{Kind: NotFound, Message: lang.M("patch.error.vendor", "vendor", v), Hint: lang.M("patch.hint.vendors", "vendors", known)}
			}
		}
		events = slices.DeleteFunc(events, func(e calendar.Event) bool {
			return !slices.ContainsFunc(in.Vendors, func(v string) bool { return strings.EqualFold(v, e.Rule.Vendor) })
		})
	}
	here := now.Location()
	if country, ok := deps.Facts.Country.Get(); !ok || country == "JP" {
		here = time.FixedZone("JST", 9*60*60) // Japan has no summer time
	}
	out := []PatchDay{}
	for _, e := range events {
		r := e.Rule
		out = append(out, PatchDay{
			Schema: PatchDaySchema, Rule: r.ID, Vendor: r.Vendor, What: r.What, Date: patch.Day(e.Date), Here: patch.Day(e.At.In(here)), At: e.At, Certain: r.Certain,
			From: r.From, To: r.To, Source: r.Source,
		})
	}
	return out, events, nil
}
