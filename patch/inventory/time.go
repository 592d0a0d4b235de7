package inventory

import (
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// layouts are how times are written whose parts stand from the year to the
// second.
var layouts = [...]string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04:05 -0700",
	"2006-01-02 15:04", "2006-01-02", "2006/1/2 15:04:05", "2006/1/2 15:04", "2006/1/2",
	"2006年1月2日 15:04:05", "2006年1月2日 15:04", "2006年1月2日",
}

// parseTime reads a time as exports write it. dayFirst is for 8/4/2025 as the
// eighth of April.
func parseTime(s string, dayFirst bool, loc *time.Location) (time.Time, bool) {
	if len(s) > 64 {
		return time.Time{}, false
	}
	s = strings.TrimSpace(norm.NFKC.String(s))
	for _, l := range layouts {
		if t, err := time.ParseInLocation(l, s, loc); err == nil {
			return sane(t)
		}
	}
	for _, clock := range [...]string{"", " 15:04:05", " 15:04", " 3:04:05 PM", " 3:04 PM"} {
		l := "1/2/2006" + clock
		if dayFirst {
			l = "2/1/2006" + clock
		}
		if t, err := time.ParseInLocation(l, s, loc); err == nil {
			return sane(t)
		}
	}
	return time.Time{}, false
}

// sane refuses what stands for "never", such as the year 1.
func sane(t time.Time) (time.Time, bool) {
	if t.Year() < 2000 || t.Year() > 2200 {
		return time.Time{}, t.Year() <= 1900
	}
	return t, true
}

// daysFirst looks for a date such as 23/4/2025, which shows how the dates of a
// table are to be read.
func (r *reader) daysFirst(lines []string, l *layout, sep byte) bool {
	for _, line := range lines[:min(len(lines), 5000)] {
		if len(line) > maxRow {
			continue
		}
		row, _ := lenient(line, sep)
		for _, c := range []column{cLastSeen, cLastStarted} {
			day, _, ok := strings.Cut(l.get(row, c), "/")
			if n, err := strconv.Atoi(day); ok && err == nil && n > 12 && n <= 31 {
				return true
			}
		}
	}
	return false
}
