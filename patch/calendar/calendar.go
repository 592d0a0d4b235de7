// Package calendar says when vendors release updates: on which day by their own
// rule, when that is elsewhere, and since when the rule holds.
//
// A rule is data with dates of validity, because vendors change theirs. The day
// elsewhere is computed from the moment of release and never by a rule of its
// own: the second Tuesday of the United States is a Wednesday in Japan, but in a
// month that begins on a Wednesday not the second one.
package calendar

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sekisho/sekisho/lang"
)

// Rule is when a vendor releases updates.
type Rule struct {
	ID      string    `json:"id"`
	Vendor  string    `json:"vendor"`
	What    lang.Text `json:"what"`
	Weekday string    `json:"weekday,omitempty"` // "Tuesday"; "" with dates alone
	Nth     int       `json:"nth,omitempty"`     // of the month, from 1
	// Nearest is a day of the month; the weekday nearest to it counts, in place of
	// the nth.
	Nearest int      `json:"nearest,omitempty"`
	Months  []int    `json:"months,omitempty"` // none for every month
	From    string   `json:"from"`             // first day on which the rule holds
	To      string   `json:"to,omitempty"`     // last; "" for none known
	Dates   []string `json:"dates,omitempty"`  // further days, beside the rule
	Except  []string `json:"except,omitempty"` // days of the rule on which nothing came
	Zone    string   `json:"zone"`             // "pacific" or "utc"
	Hour    int      `json:"hour"`             // there
	Certain bool     `json:"certain"`          // announced by the vendor; else what it usually does
	Source  string   `json:"source"`
}

// Event is a day of releases.
type Event struct {
	Rule *Rule
	Date time.Time // where the vendor is, at midnight UTC
	At   time.Time // the moment
}

// Calendar is a set of rules.
type Calendar struct {
	Checked string `json:"checked"` // the day on which the rules were looked up
	Rules   []Rule `json:"rules"`
}

// ErrRules is returned for rules that cannot be used.
var ErrRules = errors.New("calendar: no such rule")

// Parse reads rules from JSON.
func Parse(data []byte) (*Calendar, error) {
	var c Calendar
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRules, err)
	}
	for i := range c.Rules {
		r := &c.Rules[i]
		_, err := time.Parse(time.DateOnly, r.From)
		bad := err != nil || r.ID == "" || r.Source == "" || r.What == (lang.Text{}) || r.Hour < 0 || r.Hour > 23 || r.Zone != "pacific" && r.Zone != "utc"
		if r.Weekday != "" {
			bad = bad || weekday(r.Weekday) < 0 || (r.Nth < 1 || r.Nth > 4) == (r.Nearest < 4 || r.Nearest > 25)
		}
		if bad {
			return nil, fmt.Errorf("%w: %q", ErrRules, r.ID)
		}
	}
	return &c, nil
}

func weekday(name string) time.Weekday {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if d.String() == name {
			return d
		}
	}
	return -1
}

// Nth returns the nth weekday of a month.
func Nth(year int, month time.Month, d time.Weekday, n int) time.Time {
	first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	return first.AddDate(0, 0, (int(d)-int(first.Weekday())+7)%7+7*(n-1))
}

// nearest returns the weekday that is nearest to a day of a month.
func nearest(year int, month time.Month, d time.Weekday, day int) time.Time {
	t := time.Date(year, month, day-3, 0, 0, 0, 0, time.UTC)
	return t.AddDate(0, 0, (int(d)-int(t.Weekday())+7)%7)
}

// Events returns the days on which a vendor's day lies from the first to the last
// of a span, both included, in order.
func (c *Calendar) Events(from, to time.Time) []Event {
	first, last := dateOf(from), dateOf(to)
	if last.Sub(first) > 100*366*24*time.Hour {
		last = first.AddDate(100, 0, 0)
	}
	var out []Event
	for i := range c.Rules {
		r := &c.Rules[i]
		add := func(d time.Time) {
			if !d.Before(first) && !d.After(last) {
				out = append(out, Event{Rule: r, Date: d, At: r.moment(d)})
			}
		}
		for _, s := range r.Dates {
			if d, err := time.Parse(time.DateOnly, s); err == nil {
				add(d)
			}
		}
		if r.Weekday == "" {
			continue
		}
		for y, m := first.Year(), first.Month(); !time.Date(y, m, 1, 0, 0, 0, 0, time.UTC).After(last); m++ {
			if m > time.December {
				y, m = y+1, time.January
			}
			if len(r.Months) > 0 && !slices.Contains(r.Months, int(m)) {
				continue
			}
			d := Nth(y, m, weekday(r.Weekday), max(1, r.Nth))
			if r.Nearest > 0 {
				d = nearest(y, m, weekday(r.Weekday), r.Nearest)
			}
			day := d.Format(time.DateOnly)
			if day < r.From || r.To != "" && day > r.To || slices.Contains(r.Except, day) || slices.Contains(r.Dates, day) {
				continue
			}
			add(d)
		}
	}
	slices.SortStableFunc(out, func(a, b Event) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Rule.ID, b.Rule.ID)) })
	return out
}

// Year returns the days of a year.
func (c *Calendar) Year(year int) []Event {
	return c.Events(time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC), time.Date(year, time.December, 31, 0, 0, 0, 0, time.UTC))
}

// Last returns the newest event of a rule up to now.
func (c *Calendar) Last(rule string, now time.Time) (Event, bool) {
	events := c.Events(now.AddDate(-1, 0, 0), now.AddDate(0, 0, 1))
	for _, e := range slices.Backward(events) {
		if e.Rule.ID == rule && !e.At.After(now) {
			return e, true
		}
	}
	return Event{}, false
}

// Next returns the first event of a rule after now.
func (c *Calendar) Next(rule string, now time.Time) (Event, bool) {
	for _, e := range c.Events(now.AddDate(0, 0, -1), now.AddDate(1, 0, 0)) {
		if e.Rule.ID == rule && e.At.After(now) {
			return e, true
		}
	}
	return Event{}, false
}

func dateOf(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// moment is the hour of the rule on a day.
func (r *Rule) moment(d time.Time) time.Time {
	offset := 0
	if r.Zone == "pacific" {
		offset = 8
		if pacificSummer(d) {
			offset = 7
		}
	}
	return d.Add(time.Duration(r.Hour+offset) * time.Hour)
}

// pacificSummer reports whether the west coast of the United States has summer
// time on a day, by the rule of the Energy Policy Act of 2005: from the second
// Sunday of March to the first of November. It saves the program a database of
// time zones.
func pacificSummer(d time.Time) bool {
	return !d.Before(Nth(d.Year(), time.March, time.Sunday, 2)) && d.Before(Nth(d.Year(), time.November, time.Sunday, 1))
}
