package lang_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/lang"
)

// holidays are the dates of the Cabinet Office's list (内閣府「国民の祝日」について)
// written down by hand, a second source beside the rules of the calendar. The
// equinoxes of 2028 are the expected ones.
const holidays = `
2024: 1/1 1/8 2/11 2/12 2/23 3/20 4/29 5/3 5/4 5/5 5/6 7/15 8/11 8/12 9/16 9/22 9/23 10/14 11/3 11/4 11/23
2025: 1/1 1/13 2/11 2/23 2/24 3/20 4/29 5/3 5/4 5/5 5/6 7/21 8/11 9/15 9/23 10/13 11/3 11/23 11/24
2026: 1/1 1/12 2/11 2/23 3/20 4/29 5/3 5/4 5/5 5/6 7/20 8/11 9/21 9/22 9/23 10/12 11/3 11/23
2027: 1/1 1/11 2/11 2/23 3/21 3/22 4/29 5/3 5/4 5/5 7/19 8/11 9/20 9/23 10/11 11/3 11/23
2028: 1/1 1/10 2/11 2/23 3/20 4/29 5/3 5/4 5/5 7/17 8/11 9/18 9/22 10/9 11/3 11/23
`

func day(y int, m time.Month, d int) time.Time {
	return time.Date(y, m, d, 15, 30, 0, 0, time.FixedZone("JST", 9*60*60))
}

func TestHolidaysOfJapan(t *testing.T) {
	jp := lang.CalendarOf("JP")
	var got strings.Builder
	for y := 2024; y <= 2028; y++ {
		fmt.Fprintf(&got, "\n%d:", y)
		for d := day(y, time.January, 1); d.Year() == y; d = d.AddDate(0, 0, 1) {
			if _, ok := jp.Holiday(d); ok {
				fmt.Fprintf(&got, " %d/%d", int(d.Month()), d.Day())
			}
		}
	}
	if diff := cmp.Diff(holidays, got.String()+"\n"); diff != "" {
		t.Error(diff)
	}
}

func TestHolidayName(t *testing.T) {
	jp := lang.CalendarOf("JP")
	for _, tc := range []struct {
		name string
		on   time.Time
		want lang.Text
	}{
		{"Named", day(2025, time.May, 5), lang.Text{JA: "こどもの日", EN: "Children's Day"}},
		{"SubstituteAfterSunday", day(2025, time.February, 24), lang.Text{JA: "振替休日", EN: "substitute holiday"}},
		{"SubstituteAfterARun", day(2026, time.May, 6), lang.Text{JA: "振替休日", EN: "substitute holiday"}},
		{"BetweenTwo", day(2026, time.September, 22), lang.Text{JA: "国民の休日", EN: "citizens' holiday"}},
		{"SecondMonday", day(2026, time.January, 12), lang.Text{JA: "成人の日", EN: "Coming of Age Day"}},
		{"FirstMonday", day(2026, time.January, 5), lang.Text{}},
		{"TurnOfYear", day(2026, time.December, 30), lang.Text{}},
		{"BeforeTheRules", day(2021, time.July, 22), lang.Text{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := jp.Holiday(tc.on)
			if got != tc.want || ok != (tc.want != lang.Text{}) {
				t.Errorf("%+v, %v; want %+v", got, ok, tc.want)
			}
		})
	}
}

func TestCalendarOpen(t *testing.T) {
	for _, tc := range []struct {
		name    string
		country string
		on      time.Time
		want    bool
	}{
		{"Friday", "JP", day(2026, time.May, 8), true},
		{"Sunday", "JP", day(2026, time.May, 10), false},
		{"Holiday", "JP", day(2026, time.May, 5), false},
		{"LastBeforeNewYear", "JP", day(2026, time.December, 28), true},
		{"TurnOfYear", "JP", day(2026, time.December, 29), false},
		{"FourthOfJanuary", "JP", day(2027, time.January, 4), true},
		{"HolidayElsewhere", "DE", day(2026, time.May, 5), true},
		{"SaturdayElsewhere", "DE", day(2026, time.May, 9), false},
		{"NoCountry", "", day(2026, time.December, 29), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := lang.CalendarOf(tc.country).Open(tc.on); got != tc.want {
				t.Errorf("%v, want %v", got, tc.want)
			}
		})
	}
}

func TestCalendarCovers(t *testing.T) {
	for _, tc := range []struct {
		country string
		year    int
		want    bool
	}{
		{"JP", 2022, true}, {"JP", 2099, true}, {"JP", 2021, false}, {"JP", 2100, false}, {"DE", 2026, false}, {"", 2026, false},
	} {
		if got := lang.CalendarOf(tc.country).Covers(tc.year); got != tc.want {
			t.Errorf("%s %d: %v, want %v", tc.country, tc.year, got, tc.want)
		}
	}
}

func TestBusinessDays(t *testing.T) {
	jp := lang.CalendarOf("JP")
	for _, tc := range []struct {
		name      string
		got, want time.Time
	}{
		{"BeforeGoldenWeek", jp.OpenOnOrBefore(day(2025, time.May, 6)), day(2025, time.May, 2)},
		{"ItIsOpen", jp.OpenOnOrBefore(day(2026, time.May, 8)), day(2026, time.May, 8)},
		{"OverNewYear", jp.OpenOnOrBefore(day(2027, time.January, 3)), day(2026, time.December, 28)},
		{"FiveAfterFriday", jp.AddOpen(day(2026, time.May, 8), 5), day(2026, time.May, 15)},
		{"OneAfterSaturday", jp.AddOpen(day(2026, time.May, 9), 1), day(2026, time.May, 11)},
		{"OneOverNewYear", jp.AddOpen(day(2026, time.December, 28), 1), day(2027, time.January, 4)},
		{"None", jp.AddOpen(day(2026, time.May, 9), 0), day(2026, time.May, 9)},
		{"Negative", jp.AddOpen(day(2026, time.May, 9), -3), day(2026, time.May, 9)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(lang.Date(lang.EN, tc.want), lang.Date(lang.EN, tc.got)); diff != "" {
				t.Error(diff)
			}
			if !tc.got.Equal(lang.StartOfDay(tc.got)) {
				t.Errorf("%v is not the start of a day", tc.got)
			}
		})
	}
}

func TestDateRange(t *testing.T) {
	for _, tc := range []struct {
		name     string
		from, to time.Time
		ja, en   string
	}{
		{"OneDay", day(2026, time.May, 4), day(2026, time.May, 4), "2026年5月4日", "4 May 2026"},
		{"OneMonth", day(2026, time.April, 14), day(2026, time.April, 16), "2026年4月14日~16日", "14–16 April 2026"},
		{"TwoMonths", day(2026, time.April, 30), day(2026, time.May, 2), "2026年4月30日~5月2日", "30 April – 2 May 2026"},
		{"TwoYears", day(2025, time.December, 30), day(2026, time.January, 2), "2025年12月30日~2026年1月2日", "30 December 2025 – 2 January 2026"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff([]string{tc.ja, tc.en}, []string{lang.DateRange(lang.JA, tc.from, tc.to), lang.DateRange(lang.EN, tc.from, tc.to)}); diff != "" {
				t.Error(diff)
			}
		})
	}
}
