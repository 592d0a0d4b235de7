package lang

import (
	"fmt"
	"time"
)

// Calendar says on which days an office is open. The zero Calendar knows
// weekends only. It is a value and safe for concurrent use.
//
// For Japan, closed days are Saturdays, Sundays, the holidays of the Act on
// National Holidays (国民の祝日に関する法律) with its substitute holidays, and
// the turn of the year from 29 December to 3 January, on which public offices
// are closed by the Act on Holidays of Administrative Organs (行政機関の休日に関する法律)
// and most firms with them.
//
// The equinoxes follow the formula that the almanac's dates agree with from
// 1980 to 2099. The Cabinet Office announces them each February for the year
// after, so those of later years are expected dates.
type Calendar struct {
	country string // ISO 3166-1 alpha-2; "" where only weekends are known
}

// CalendarOf returns the calendar of a country, an ISO 3166-1 alpha-2 code.
// One whose holidays sekisho does not know closes on Saturday and Sunday only,
// and [Calendar.Covers] says so.
func CalendarOf(country string) Calendar {
	if country == "JP" {
		return Calendar{country: country}
	}
	return Calendar{}
}

// The years for which the rules below hold: from the year after the Olympic
// Games, for which holidays were moved, to the last of the equinox formula.
const (
	firstHolidayYear = 2022
	lastHolidayYear  = 2099
)

// Covers reports whether the holidays of year are known.
func (c Calendar) Covers(year int) bool {
	return c.country != "" && year >= firstHolidayYear && year <= lastHolidayYear
}

// Holiday returns the name of the public holiday on t's date, in t's location.
// A Sunday or the turn of the year is not a public holiday by itself.
func (c Calendar) Holiday(t time.Time) (Text, bool) {
	if !c.Covers(t.Year()) {
		return Text{}, false
	}
	if name, ok := namedHoliday(t); ok {
		return name, true
	}
	// Article 3 paragraph 2: when a holiday falls on a Sunday, the next day
	// that is none is closed instead. No run of holidays is longer than a week.
	for i := 1; i <= 7; i++ {
		before := t.AddDate(0, 0, -i)
		if _, ok := namedHoliday(before); !ok || before.Year() != t.Year() {
			break
		}
		if before.Weekday() == time.Sunday {
			return Text{JA: "振替休日", EN: "substitute holiday"}, true
		}
	}
	// Article 3 paragraph 3: a day between two holidays.
	_, yesterday := namedHoliday(t.AddDate(0, 0, -1))
	_, tomorrow := namedHoliday(t.AddDate(0, 0, 1))
	if yesterday && tomorrow {
		return Text{JA: "国民の休日", EN: "citizens' holiday"}, true
	}
	return Text{}, false
}

// namedHoliday returns the holidays of article 2 of the Act on National
// Holidays.
func namedHoliday(t time.Time) (Text, bool) {
	y, m, d := t.Date()
	type date struct {
		month time.Month
		day   int
	}
	monday := func(n int) bool { return t.Weekday() == time.Monday && (d-1)/7 == n-1 }
	switch (date{m, d}) {
	case date{time.January, 1}:
		return Text{JA: "元日", EN: "New Year's Day"}, true
	case date{time.February, 11}:
		return Text{JA: "建国記念の日", EN: "National Foundation Day"}, true
	case date{time.February, 23}:
		return Text{JA: "天皇誕生日", EN: "the Emperor's Birthday"}, true
	case date{time.March, equinox(y, 20.8431)}:
		return Text{JA: "春分の日", EN: "Vernal Equinox Day"}, true
	case date{time.April, 29}:
		return Text{JA: "昭和の日", EN: "Showa Day"}, true
	case date{time.May, 3}:
		return Text{JA: "憲法記念日", EN: "Constitution Memorial Day"}, true
	case date{time.May, 4}:
		return Text{JA: "みどりの日", EN: "Greenery Day"}, true
	case date{time.May, 5}:
		return Text{JA: "こどもの日", EN: "Children's Day"}, true
	case date{time.August, 11}:
		return Text{JA: "山の日", EN: "Mountain Day"}, true
	case date{time.September, equinox(y, 23.2488)}:
		return Text{JA: "秋分の日", EN: "Autumnal Equinox Day"}, true
	case date{time.November, 3}:
		return Text{JA: "文化の日", EN: "Culture Day"}, true
	case date{time.November, 23}:
		return Text{JA: "勤労感謝の日", EN: "Labour Thanksgiving Day"}, true
	}
	switch {
	case m == time.January && monday(2):
		return Text{JA: "成人の日", EN: "Coming of Age Day"}, true
	case m == time.July && monday(3):
		return Text{JA: "海の日", EN: "Marine Day"}, true
	case m == time.September && monday(3):
		return Text{JA: "敬老の日", EN: "Respect for the Aged Day"}, true
	case m == time.October && monday(2):
		return Text{JA: "スポーツの日", EN: "Sports Day"}, true
	}
	return Text{}, false
}

// equinox returns the day of the month on which the equinox of year falls in
// Japan; base is its day, with the time as a fraction, in 1980.
func equinox(year int, base float64) int {
	n := year - 1980
	return int(base+0.242194*float64(n)) - n/4
}

// turnOfYear reports the days on which Japanese offices are closed around New
// Year.
func turnOfYear(t time.Time) bool {
	_, m, d := t.Date()
	return m == time.December && d >= 29 || m == time.January && d <= 3
}

// Open reports whether t's date, in t's location, is a business day.
func (c Calendar) Open(t time.Time) bool {
	if w := t.Weekday(); w == time.Saturday || w == time.Sunday {
		return false
	}
	if c.country == "" {
		return true
	}
	_, holiday := c.Holiday(t)
	return !holiday && !turnOfYear(t)
}

// OpenOnOrBefore returns the last business day that is not after t, at the
// start of that day in t's location.
func (c Calendar) OpenOnOrBefore(t time.Time) time.Time {
	d := StartOfDay(t)
	for !c.Open(d) {
		d = d.AddDate(0, 0, -1)
	}
	return d
}

// AddOpen returns the n-th business day after t's date, at the start of that
// day in t's location. For n below 1 it is t's own date, open or not.
func (c Calendar) AddOpen(t time.Time, n int) time.Time {
	d := StartOfDay(t)
	for n > 0 {
		d = d.AddDate(0, 0, 1)
		if c.Open(d) {
			n--
		}
	}
	return d
}

// StartOfDay returns the start of t's date in t's location.
func StartOfDay(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

// DateRange writes the dates from one to another without weekdays, as past
// events are written: "2026年4月14日~16日" and "14–16 April 2026". A range
// of one day is that day.
func DateRange(l Language, from, to time.Time) string {
	fy, fm, fd := from.Date()
	ty, tm, td := to.Date()
	sameMonth := fy == ty && fm == tm
	if l == JA {
		s := fmt.Sprintf("%d年%d月%d日", fy, int(fm), fd)
		switch {
		case sameMonth && fd == td:
			return s
		case sameMonth:
			return fmt.Sprintf("%s~%d日", s, td)
		case fy == ty:
			return fmt.Sprintf("%s~%d月%d日", s, int(tm), td)
		}
		return fmt.Sprintf("%s~%d年%d月%d日", s, ty, int(tm), td)
	}
	end := to.Format("2 January 2006")
	switch {
	case sameMonth && fd == td:
		return end
	case sameMonth:
		return fmt.Sprintf("%d–%s", fd, end)
	case fy == ty:
		return from.Format("2 January") + " – " + end
	}
	return from.Format("2 January 2006") + " – " + end
}
