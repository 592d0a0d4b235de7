package lesson

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/lang"
)

// PlanSchema names the JSON form of a [Plan].
const PlanSchema = "sekisho.lesson-plan/v1"

type plan struct {
	Months []struct {
		Topic string    `yaml:"topic"`
		Why   lang.Text `yaml:"why"`
	} `yaml:"months"`
	Measures []lang.Text `yaml:"measures"`
}

// Plan says which lesson is given when.
type Plan struct {
	Schema   string      `json:"schema"`
	Year     int         `json:"year"`
	Lessons  []Planned   `json:"lessons"`
	Measures []lang.Text `json:"measures"` // by what the organisation sees that it helps
}

// Planned is a lesson of a [Plan].
type Planned struct {
	Day   string    `json:"day"` // RFC 3339 date
	Topic string    `json:"topic"`
	Title lang.Text `json:"title"`
	Why   lang.Text `json:"why"`
}

// Plan plans a lesson a month for a year, from January on: on the second
// Tuesday on which people work, so that neither the start of the month nor a
// holiday stands in the way.
func (c *Catalogue) Plan(year int, cal lang.Calendar) *Plan {
	out := &Plan{Schema: PlanSchema, Year: year, Measures: c.plan.Measures}
	for i, m := range c.plan.Months {
		day := time.Date(year, time.Month(i+1), 8, 0, 0, 0, 0, time.UTC)
		for day.Weekday() != time.Tuesday {
			day = day.AddDate(0, 0, 1)
		}
		for !cal.Open(day) {
			day = day.AddDate(0, 0, 1)
		}
		out.Lessons = append(out.Lessons, Planned{Day: day.Format(time.DateOnly), Topic: m.Topic, Title: c.Title(m.Topic), Why: m.Why})
	}
	return out
}

// ICS returns the plan as a calendar (RFC 5545) of whole days. It is the same
// bytes for the same plan.
func (p *Plan) ICS(l lang.Language) string {
	var b strings.Builder
	line := func(s string) {
		// A line has at most 75 bytes; what follows begins with a space.
		for limit := 75; len(s) > limit; limit = 74 {
			n := limit
			for n > 0 && s[n]&0xc0 == 0x80 {
				n--
			}
			b.WriteString(s[:n] + "\r\n ")
			s = s[n:]
		}
		b.WriteString(s + "\r\n")
	}
	escape := strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`)
	line("BEGIN:VCALENDAR")
	line("VERSION:2.0")
	line("PRODID:-//sekisho//lesson plan//EN")
	for _, x := range p.Lessons {
		day, err := time.Parse(time.DateOnly, x.Day)
		if err != nil {
			continue // a plan that somebody made by hand
		}
		line("BEGIN:VEVENT")
		line(fmt.Sprintf("UID:lesson-%s-%s@sekisho.invalid", x.Day, x.Topic))
		line(fmt.Sprintf("DTSTAMP:%04d0101T000000Z", p.Year))
		line("DTSTART;VALUE=DATE:" + day.Format("20060102"))
		line("DTEND;VALUE=DATE:" + day.AddDate(0, 0, 1).Format("20060102"))
		line("SUMMARY:" + escape.Replace(x.Title.In(l)))
		line("DESCRIPTION:" + escape.Replace(x.Why.In(l)))
		line("TRANSP:TRANSPARENT")
		line("END:VEVENT")
	}
	line("END:VCALENDAR")
	return b.String()
}

// Text is the plan in a language as plain text.
func (p *Plan) Text(l lang.Language) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", say(l, "plan.title", "year", strconv.Itoa(p.Year)))
	for _, x := range p.Lessons {
		fmt.Fprintf(&b, "%s  %s\n    %s\n", p.day(l, x.Day), x.Title.In(l), x.Why.In(l))
	}
	fmt.Fprintf(&b, "\n%s\n", say(l, "plan.measures"))
	for _, m := range p.Measures {
		fmt.Fprintf(&b, "- %s\n", m.In(l))
	}
	return b.String()
}

// Markdown is the plan in a language as CommonMark.
func (p *Plan) Markdown(l lang.Language) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", escape.Replace(say(l, "plan.title", "year", strconv.Itoa(p.Year))))
	for _, x := range p.Lessons {
		fmt.Fprintf(&b, "- **%s** %s: %s\n", p.day(l, x.Day), escape.Replace(x.Title.In(l)), escape.Replace(x.Why.In(l)))
	}
	fmt.Fprintf(&b, "\n## %s\n\n", say(l, "plan.measures"))
	for _, m := range p.Measures {
		fmt.Fprintf(&b, "- %s\n", escape.Replace(m.In(l)))
	}
	return b.String()
}

// day is a date with its weekday.
func (p *Plan) day(l lang.Language, s string) string {
	day, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return s
	}
	return lang.Date(l, day)
}
