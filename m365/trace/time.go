package trace

import (
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// clock reads times as exports write them. The layout that fitted last is tried
// first.
type clock struct {
	loc     *time.Location
	layouts []string
	last    int
}

// newClock returns a clock. dayFirst is for 8/4/2025 as the eighth of April.
func newClock(loc *time.Location, dayFirst bool) *clock {
	c := &clock{loc: loc, layouts: []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04", "2006-01-02",
		"2006/1/2 15:04:05", "2006/1/2 15:04", "2006/1/2", "2006年1月2日 15:04:05", "2006年1月2日 15:04", "2006年1月2日",
		"Jan 2, 2006 3:04:05 PM", "Jan 2, 2006 15:04:05", "Jan 2, 2006 3:04 PM", "2 Jan 2006 15:04:05", "Jan 2, 2006, 3:04:05 PM",
		"2.1.2006 15:04:05", "2.1.2006 15:04", // German exports
	}}
	day := "1/2/2006"
	if dayFirst {
		day = "2/1/2006"
	}
	for _, t := range []string{" 3:04:05 PM", " 15:04:05", " 3:04 PM", " 15:04", ", 3:04:05 PM", ", 15:04:05", ""} {
		c.layouts = append(c.layouts, day+t)
	}
	return c
}

func (c *clock) parse(s string) (time.Time, bool) {
	if len(s) > 64 {
		return time.Time{}, false
	}
	for i := range len(s) {
		if s[i] >= 0x80 { // among others the narrow space before PM
			s = strings.TrimSpace(norm.NFKC.String(s))
			break
		}
	}
	if t, err := time.ParseInLocation(c.layouts[c.last], s, c.loc); err == nil {
		return sane(t)
	}
	for i, l := range c.layouts {
		if t, err := time.ParseInLocation(l, s, c.loc); err == nil {
			c.last = i
			return sane(t)
		}
	}
	return time.Time{}, false
}

func sane(t time.Time) (time.Time, bool) {
	if t.Year() < 2000 || t.Year() > 2200 {
		return time.Time{}, false
	}
	return t.UTC(), true
}

// daysFirst looks in rows for a date such as 23/4/2025, which shows how the dates
// of a table are to be read.
func daysFirst(dates []string) bool {
	for _, d := range dates {
		day, _, ok := strings.Cut(strings.TrimSpace(d), "/")
		if n, err := strconv.Atoi(day); ok && err == nil && n > 12 && n <= 31 {
			return true
		}
	}
	return false
}
