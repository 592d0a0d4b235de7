package triage

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
)

// ErrFacts is returned for a fact that is none of the values of its decision
// point.
var ErrFacts = errors.New("triage: no such fact")

// Options are what an organisation may set. A nil *Options is the default.
type Options struct {
	Table    *Table         // nil: [Default]
	Calendar *lang.Calendar // nil: Japan's
}

func (o *Options) table() *Table {
	if o == nil || o.Table == nil {
		return Default()
	}
	return o.Table
}

func (o *Options) calendar() lang.Calendar {
	if o == nil || o.Calendar == nil {
		return lang.CalendarOf("JP")
	}
	return *o.Calendar
}

// CalendarFor returns the calendar of the organisation's country, Japan where
// none was configured.
func CalendarFor(f *org.Facts) lang.Calendar {
	if f != nil {
		if c, ok := f.Country.Get(); ok {
			return lang.CalendarOf(c)
		}
	}
	return lang.CalendarOf("JP")
}

// EPSS scores from which an attack counts as published: a chance of one in ten
// within 30 days, or the top twentieth. Scores drift from day to day, so they
// lift and never lower.
const (
	epssProbability = 0.10
	epssPercentile  = 0.95
)

// Days that remain to a vendor's date, up to which the grade is lifted.
const (
	clampToA = 1
	clampToB = 7
)

// LiftSource is what lifted the activity of a vulnerability.
type LiftSource string

// The sources of a lift.
const (
	LiftKEV  LiftSource = "kev"
	LiftMSRC LiftSource = "msrc"
	LiftEPSS LiftSource = "epss"
)

// Lift is a raised activity.
type Lift struct {
	From, To Activity
	By       LiftSource
}

// ClampSource is what moved a date forward.
type ClampSource string

// The sources of a clamp.
const (
	ClampVendor ClampSource = "V"   // the vendor's or authority's own date
	ClampBOD    ClampSource = "BOD" // BOD 26-04
)

// Clamp is a date that came before the one of the grade.
type Clamp struct {
	By   ClampSource
	Days int // V: days left to the last business day before the date, 0 if none is left; BOD: days that it gives
}

// Clocks are the dates for each audience, at the start of the day. The date of
// the grade is for the organisation's work as a whole. All are zero for grade
// D.
type Clocks struct {
	StaffNotice   time.Time // the notice to staff goes out
	AdminCheck    time.Time // logs and mailboxes have been searched
	SettingChange time.Time // settings are changed, updates installed
}

// Decision is a grade with its dates and reasons.
type Decision struct {
	Grade     Grade
	Today     time.Time
	Due       time.Time // start of the day; zero for grade D
	DueClosed bool      // the office is closed that day, as grade A or a whole closed week demands
	Label     lang.Text // the class of the date; never contradicts Due
	Clocks    Clocks

	Row      string // id of the row that decided
	RowGrade Grade  // grade of that row, before any clamp
	Matched  []Fact // what that row asked for; a point where it takes anything is left out
	Clamps   []Clamp
	Facts    Facts // as they were used, lifts applied
	Lifts    []Lift
	Changes  []Change // what would move the grade, the more urgent first

	BOD      *BOD // nil where an input is not known
	Forensic bool // BOD asks to look for an intrusion too

	calendar lang.Calendar
}

// Mark is the row with the clamps that had an effect, such as "R30+V4": in the
// example the vendor's date left four days.
func (d *Decision) Mark() string {
	var b strings.Builder
	b.WriteString(d.Row)
	for _, c := range d.Clamps {
		fmt.Fprintf(&b, "+%s%d", c.By, c.Days)
	}
	return b.String()
}

// Decide grades an item as of today, in today's location. It returns
// [ErrFacts] if a fact has a value that its decision point does not know.
func Decide(f Facts, today time.Time, o *Options) (*Decision, error) {
	if f.Relevance == "" {
		f.Relevance = RelevanceUnknown
	}
	f.Activity = orFirst(f.Activity, ActivityNone)
	f.Proximity = orFirst(f.Proximity, Elsewhere)
	f.Impact = orFirst(f.Impact, ImpactLow)
	if err := f.validate(); err != nil {
		return nil, err
	}
	d := decide(f, today, o)
	d.Changes = changes(d, o)
	return d, nil
}

func orFirst[T ~string](v, zero T) T {
	if v == "" {
		return zero
	}
	return v
}

func (f *Facts) validate() error {
	for i, v := range []string{string(f.Kind), string(f.Relevance), string(f.Activity), string(f.Proximity), string(f.Impact)} {
		if !slices.Contains(points[i].values, v) {
			return fmt.Errorf("%w: %s %q", ErrFacts, points[i].name, v)
		}
	}
	if !slices.Contains([]Exposure{"", ExposedNo, ExposedYes, ExposedUnknown}, f.Exposure) {
		return fmt.Errorf("%w: %s %q", ErrFacts, pExposed, string(f.Exposure))
	}
	for _, a := range []Answer{f.KEV, f.Automatable} {
		if !slices.Contains([]Answer{"", Yes, No}, a) {
			return fmt.Errorf("%w: answer %q", ErrFacts, string(a))
		}
	}
	if !slices.Contains([]TechnicalImpact{"", ImpactOfPart, ImpactOfWhole}, f.TechnicalImpact) {
		return fmt.Errorf("%w: technical impact %q", ErrFacts, string(f.TechnicalImpact))
	}
	return nil
}

func (f *Facts) combination() combination {
	exposed := ExposedNo
	if f.Exposure == ExposedYes || f.Exposure == ExposedUnknown {
		exposed = ExposedYes
	}
	return combination{string(f.Kind), string(f.Relevance), string(f.Activity), string(f.Proximity), string(f.Impact), string(exposed)}
}

// lift applies what KEV, Microsoft and EPSS say about a vulnerability.
func (f *Facts) lift() []Lift {
	if f.Kind != Vulnerability {
		return nil
	}
	var lifts []Lift
	raise := func(to Activity, by LiftSource) {
		lifts = append(lifts, Lift{From: f.Activity, To: to, By: by})
		f.Activity = to
	}
	msrc := strings.ToLower(f.MSRC)
	if f.Activity != ActivityActive {
		switch {
		case f.KEV == Yes:
			raise(ActivityActive, LiftKEV)
		case strings.Contains(msrc, "exploitation detected"):
			raise(ActivityActive, LiftMSRC)
		case f.Activity == ActivityNone && strings.Contains(msrc, "exploitation more likely"):
			raise(ActivityPoC, LiftMSRC)
		}
	}
	if f.Activity == ActivityNone && (f.EPSS.Probability >= epssProbability || f.EPSS.Percentile >= epssPercentile) {
		raise(ActivityPoC, LiftEPSS)
	}
	return lifts
}

// decide is Decide without the changes.
func decide(f Facts, today time.Time, o *Options) *Decision {
	today = lang.StartOfDay(today)
	d := &Decision{Today: today, calendar: o.calendar()}
	d.Lifts = f.lift()
	d.Facts = f
	c := f.combination()
	r := o.table().find(c)
	d.Row, d.RowGrade, d.Grade = r.id, r.grade, r.grade
	for i, p := range points {
		if r.cells[i] != nil {
			d.Matched = append(d.Matched, Fact{Point: string(p.name), Value: c[i]})
		}
	}
	if b, ok := f.bod(); ok {
		d.BOD = &b
		d.Forensic = b.Forensic && d.Grade != D
	}
	if d.Grade == D {
		d.Label = label(D, today, time.Time{})
		return d
	}
	d.Due, d.DueClosed = dueOf(d.Grade, today, d.calendar)
	d.clampToBOD()
	d.clampToVendor()
	d.Label = label(d.Grade, today, d.Due)
	d.Clocks = clocks(d)
	return d
}

// dueOf returns the date of a grade, and whether the office is closed then.
func dueOf(g Grade, today time.Time, c lang.Calendar) (due time.Time, closed bool) {
	switch g {
	case A:
		return today, !c.Open(today)
	case B:
		return within(today, today.AddDate(0, 0, 7), c)
	case C:
		y, m, _ := today.Date()
		last := time.Date(y, m+1, 0, 0, 0, 0, 0, today.Location())
		if days(today, last) < 10 {
			last = last.AddDate(0, 0, 10)
		}
		return within(today, last, c)
	default:
		return time.Time{}, false
	}
}

// within returns the last business day from one date to another. Around New
// Year a whole week can be closed; then the last day itself is the date, for
// the attacker does not wait, and a later date would belie the label.
func within(from, to time.Time, c lang.Calendar) (due time.Time, closed bool) {
	if d := c.OpenOnOrBefore(to); !d.Before(from) {
		return d, false
	}
	return to, true
}

// days counts the days from one date to another.
func days(from, to time.Time) int {
	utc := func(t time.Time) time.Time {
		y, m, d := t.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return int(utc(to).Sub(utc(from)).Hours() / 24)
}

// clampToBOD moves the date forward to that of BOD 26-04. Three days do not
// make the item one for today.
func (d *Decision) clampToBOD() {
	if d.BOD == nil || d.BOD.Days == 0 {
		return
	}
	due, closed := within(d.Today, d.Today.AddDate(0, 0, d.BOD.Days), d.calendar)
	if !due.Before(d.Due) {
		return
	}
	if days(d.Today, due) <= clampToB && B.above(d.Grade) {
		d.Grade = B
	}
	d.Due, d.DueClosed = due, closed
	d.Clamps = append(d.Clamps, Clamp{By: ClampBOD, Days: d.BOD.Days})
}

// clampToVendor moves the date forward to the last business day before the
// vendor's, and lifts the grade where that day is near.
func (d *Decision) clampToVendor() {
	if d.Facts.VendorDate.IsZero() {
		return
	}
	y, m, day := d.Facts.VendorDate.Date()
	last := d.calendar.OpenOnOrBefore(time.Date(y, m, day-1, 0, 0, 0, 0, d.Today.Location()))
	left := max(0, days(d.Today, last))
	was, wasDue, wasClosed := d.Grade, d.Due, d.DueClosed
	switch {
	case left <= clampToA:
		d.Grade = A
	case left <= clampToB && B.above(d.Grade):
		d.Grade = B
	}
	if d.Grade != was {
		d.Due, d.DueClosed = dueOf(d.Grade, d.Today, d.calendar)
	}
	if last.Before(d.Due) && d.Grade != A {
		d.Due, d.DueClosed = last, false
	}
	// A lift by the vendor's date never gives more time than there was.
	if wasDue.Before(d.Due) {
		d.Due, d.DueClosed = wasDue, wasClosed
	}
	if d.Grade != was || !d.Due.Equal(wasDue) {
		d.Clamps = append(d.Clamps, Clamp{By: ClampVendor, Days: left})
	}
}

// label returns the class of the date.
func label(g Grade, today, due time.Time) lang.Text {
	switch g {
	case A:
		return lang.Text{JA: "即日", EN: "today"}
	case B:
		return lang.Text{JA: "1週間以内", EN: "within 7 days"}
	case C:
		if due.Year() != today.Year() || due.Month() != today.Month() {
			return lang.Text{JA: "翌月10日までに", EN: "by the 10th"}
		}
		return lang.Text{JA: "月内に", EN: "within the month"}
	default:
		return lang.Text{JA: "情報共有", EN: "for information"}
	}
}

// clocks derives the dates for each audience, in business days from today and
// never after the date of the grade.
func clocks(d *Decision) Clocks {
	by := func(n int) time.Time {
		t := d.calendar.AddOpen(d.Today, n)
		if t.After(d.Due) {
			return d.Due
		}
		return t
	}
	switch d.Grade {
	case A:
		return Clocks{StaffNotice: d.Due, AdminCheck: d.Due, SettingChange: d.Due}
	case B:
		return Clocks{StaffNotice: by(1), AdminCheck: by(2), SettingChange: d.Due}
	case C:
		return Clocks{StaffNotice: by(3), AdminCheck: by(5), SettingChange: d.Due}
	default:
		return Clocks{}
	}
}
