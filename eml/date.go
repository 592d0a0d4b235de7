package eml

import (
	"net/mail"
	"strings"
	"time"
)

// Date returns the time of the Date field and whether it could be read.
func (m *Message) Date() (time.Time, bool) {
	f, ok := m.Header().First("Date")
	if !ok {
		return time.Time{}, false
	}
	return ParseDate(f.Value())
}

// ParseDate reads a date-time as mail programs write it (RFC 5322 section 3.3
// and its obsolete forms, and some that are in neither).
func ParseDate(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if len(s) > 128 {
		return time.Time{}, false
	}
	if i := strings.IndexByte(s, '('); i > 0 {
		s = strings.TrimSpace(s[:i])
	}
	if t, err := mail.ParseDate(s); err == nil {
		return t, true
	}
	if _, rest, ok := strings.Cut(s, ","); ok {
		s = strings.TrimSpace(rest) // a day name that is wrong or in another language
	}
	for _, layout := range []string{
		"2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 MST", "2 Jan 2006 15:04:05",
		"2 Jan 2006 15:04 -0700", "2 Jan 06 15:04:05 -0700", "2 January 2006 15:04:05 -0700",
		time.RFC3339, "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05",
		time.ANSIC, time.UnixDate, "Mon Jan 2 15:04:05 2006 -0700",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
