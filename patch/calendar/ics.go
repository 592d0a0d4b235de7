package calendar

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sekisho/sekisho/lang"
)

// ICS writes events as a calendar file (RFC 5545), with the moment of release, so
// that every calendar shows it on its own day.
func ICS(events []Event, l lang.Language, now time.Time) string {
	var b strings.Builder
	line := func(name, value string) { fold(&b, name+":"+value) }
	line("BEGIN", "VCALENDAR")
	line("VERSION", "2.0")
	line("PRODID", "-//sekisho//patch calendar//EN")
	line("CALSCALE", "GREGORIAN")
	line("METHOD", "PUBLISH")
	for _, e := range events {
		line("BEGIN", "VEVENT")
		line("UID", fmt.Sprintf("%s-%s@sekisho.example", e.Rule.ID, e.Date.Format("20060102")))
		line("DTSTAMP", now.UTC().Format("20060102T150405Z"))
		line("DTSTART", e.At.UTC().Format("20060102T150405Z"))
		line("DTEND", e.At.Add(time.Hour).UTC().Format("20060102T150405Z"))
		line("SUMMARY", escape(e.Rule.Vendor+": "+e.Rule.What.In(l)))
		line("DESCRIPTION", escape(e.Rule.Source))
		line("TRANSP", "TRANSPARENT")
		line("END", "VEVENT")
	}
	line("END", "VCALENDAR")
	return b.String()
}

func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`).Replace(s)
}

// fold writes a line in pieces of at most 75 bytes, never through a character.
func fold(b *strings.Builder, s string) {
	const most = 75
	room := most
	for len(s) > room {
		cut := room
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		b.WriteString(s[:cut] + "\r\n ")
		s, room = s[cut:], most-1
	}
	b.WriteString(s + "\r\n")
}
