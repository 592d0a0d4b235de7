package calendar_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/lang"
	packs "github.com/sekisho/sekisho/packs/patch"
	"github.com/sekisho/sekisho/patch/calendar"
)

var jst = time.FixedZone("JST", 9*60*60)

func rules(t testing.TB) *calendar.Calendar {
	t.Helper()
	c, err := calendar.Parse(packs.Calendar())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// days writes the days of rules in a year, there and in Japan.
func days(c *calendar.Calendar, year int, ids ...string) string {
	var out []string
	for _, e := range c.Year(year) {
		for _, id := range ids {
			if e.Rule.ID == id {
				out = append(out, fmt.Sprintf("%s>%s", e.Date.Format("1/2"), e.At.In(jst).Format("1/2")))
			}
		}
	}
	return strings.Join(out, " ")
}

// TestFacts compares the rules with the days as they were or are announced, which
// were written down by hand.
func TestFacts(t *testing.T) {
	c := rules(t)
	for _, tc := range []struct {
		name string
		year int
		ids  []string
		want string
	}{
		{"Microsoft2024", 2024, []string{"microsoft-security"}, "1/9>1/10 2/13>2/14 3/12>3/13 4/9>4/10 5/14>5/15 6/11>6/12 7/9>7/10 8/13>8/14 9/10>9/11 10/8>10/9 11/12>11/13 12/10>12/11"},
		{"Microsoft2025", 2025, []string{"microsoft-security"}, "1/14>1/15 2/11>2/12 3/11>3/12 4/8>4/9 5/13>5/14 6/10>6/11 7/8>7/9 8/12>8/13 9/9>9/10 10/14>10/15 11/11>11/12 12/9>12/10"},
		{"Microsoft2026", 2026, []string{"microsoft-security"}, "1/13>1/14 2/10>2/11 3/10>3/11 4/14>4/15 5/12>5/13 6/9>6/10 7/14>7/15 8/11>8/12 9/8>9/9 10/13>10/14 11/10>11/11 12/8>12/9"},
		{"Microsoft2027", 2027, []string{"microsoft-security"}, "1/12>1/13 2/9>2/10 3/9>3/10 4/13>4/14 5/11>5/12 6/8>6/9 7/13>7/14 8/10>8/11 9/14>9/15 10/12>10/13 11/9>11/10 12/14>12/15"},
		{"Oracle2024", 2024, []string{"oracle-cpu", "oracle-cspu"}, "1/16>1/17 4/16>4/17 7/16>7/17 10/15>10/16"},
		{"Oracle2025", 2025, []string{"oracle-cpu", "oracle-cspu"}, "1/21>1/22 4/15>4/16 7/15>7/16 10/21>10/22"},
		{"Oracle2026", 2026, []string{"oracle-cpu", "oracle-cspu"}, "1/20>1/21 4/21>4/22 5/28>5/29 6/16>6/17 7/21>7/22 8/18>8/19 9/15>9/16 10/20>10/21 11/17>11/18 12/15>12/16"},
		{"Oracle2027", 2027, []string{"oracle-cpu", "oracle-cspu"}, "1/19>1/20 2/16>2/17 3/16>3/17 4/20>4/21 5/18>5/19 6/15>6/16 7/20>7/21 8/17>8/18 9/21>9/22 10/19>10/20 11/16>11/17 12/21>12/22"},
		{"OracleBefore2022", 2021, []string{"oracle-cpu", "oracle-cpu-until-2021"}, "1/19>1/20 4/20>4/21 7/20>7/21 10/19>10/20"},
		{"OldOracle2019", 2019, []string{"oracle-cpu-until-2021"}, "1/15>1/16 4/16>4/17 7/16>7/17 10/15>10/16"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, days(c, tc.year, tc.ids...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestMonthsThatBeginOnTuesdayOrWednesday are those in which a rule of Japan's own
// would be wrong.
func TestMonthsThatBeginOnTuesdayOrWednesday(t *testing.T) {
	c := rules(t)
	for _, tc := range []struct {
		name         string
		year         int
		month        time.Month
		there, japan string
	}{
		{"WednesdayFirst", 2025, time.October, "10-14", "10-15"}, // the second Wednesday is the 8th
		{"WednesdayFirstToo", 2026, time.April, "04-14", "04-15"},
		{"TuesdayFirst", 2026, time.September, "09-08", "09-09"},
		{"TuesdayFirstToo", 2025, time.July, "07-08", "07-09"},
		{"WinterTime", 2025, time.December, "12-09", "12-10"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			first := time.Date(tc.year, tc.month, 1, 0, 0, 0, 0, time.UTC)
			for _, e := range c.Events(first, first.AddDate(0, 1, -1)) {
				if e.Rule.ID != "microsoft-security" {
					continue
				}
				if e.Date.Format("01-02") != tc.there || e.At.In(jst).Format("01-02") != tc.japan {
					t.Errorf("%v, %v", e.Date, e.At.In(jst))
				}
			}
		})
	}
}

// TestJapanIsAlwaysTheDayAfter holds for every month of a century.
func TestJapanIsAlwaysTheDayAfter(t *testing.T) {
	c := rules(t)
	n := 0
	for y := 2004; y <= 2103; y++ {
		for _, e := range c.Year(y) {
			if e.Rule.ID != "microsoft-security" {
				continue
			}
			n++
			there := e.At.In(jst)
			if there.Weekday() != time.Wednesday || e.Date.Weekday() != time.Tuesday || e.Date.Day() < 8 || e.Date.Day() > 14 || there.Format("2006-01-02") != e.Date.AddDate(0, 0, 1).Format("2006-01-02") {
				t.Errorf("%v, %v", e.Date, there)
			}
		}
	}
	if n != 1200 {
		t.Errorf("%d months", n)
	}
}

func TestHourOfSummerAndWinter(t *testing.T) {
	c := rules(t)
	for _, tc := range []struct{ now, want string }{
		{"2025-03-01T00:00:00Z", "2025-03-11T17:00:00Z"},
		{"2025-11-01T00:00:00Z", "2025-11-11T18:00:00Z"},
		{"2025-11-11T17:59:00Z", "2025-11-11T18:00:00Z"},
		{"2025-12-09T18:00:00Z", "2026-01-13T18:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, tc.now)
		if err != nil {
			t.Fatal(err)
		}
		e, ok := c.Next("microsoft-security", now)
		if got := e.At.Format(time.RFC3339); !ok || got != tc.want {
			t.Errorf("after %s: %s", tc.now, got)
		}
		if last, ok := c.Last("microsoft-security", now); !ok || last.At.After(now) || !last.At.Before(e.At) {
			t.Errorf("before %s: %v", tc.now, last.At)
		}
	}
}

func TestICS(t *testing.T) {
	c := rules(t)
	text := calendar.ICS(c.Year(2026), lang.JA, time.Date(2026, time.January, 2, 0, 0, 0, 0, time.UTC))
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("%d bytes: %q", len(line), line)
		}
	}
	for _, want := range []string{"BEGIN:VCALENDAR\r\n", "DTSTART:20260414T170000Z\r\n", "SUMMARY:Microsoft: 月例のセキュリティ更新\r\n", "UID:oracle-cspu-20260528@", "END:VCALENDAR\r\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("without %q", want)
		}
	}
	if b, e := strings.Count(text, "BEGIN:VEVENT"), strings.Count(text, "END:VEVENT"); b != e || b != len(c.Year(2026)) {
		t.Errorf("%d begin, %d end", b, e)
	}
}

func TestRefused(t *testing.T) {
	for name, s := range map[string]string{
		"NotJSON": "x", "NoDay": `{"rules":[{"id":"a","from":"2020","zone":"utc","source":"s","what":{"en":"a","ja":"b"}}]}`,
		"Weekday": `{"rules":[{"id":"a","from":"2020-01-01","zone":"utc","source":"s","what":{"en":"a","ja":"b"},"weekday":"Tue","nth":2}]}`,
		"Fifth":   `{"rules":[{"id":"a","from":"2020-01-01","zone":"utc","source":"s","what":{"en":"a","ja":"b"},"weekday":"Tuesday","nth":5}]}`,
		"Zone":    `{"rules":[{"id":"a","from":"2020-01-01","zone":"mars","source":"s","what":{"en":"a","ja":"b"}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := calendar.Parse([]byte(s)); err == nil {
				t.Error("accepted")
			}
		})
	}
}
