package console

import (
	"strings"
	"testing"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/triage"
)

func testConsole(t *testing.T) *Console {
	t.Helper()
	c, err := New(Deps{Now: func() time.Time { return time.Date(2026, 11, 24, 9, 0, 0, 0, time.FixedZone("JST", 9*3600)) }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFormats(t *testing.T) {
	c := testConsole(t)
	late := time.Date(2026, 5, 28, 16, 30, 0, 0, time.UTC)
	for _, tc := range []struct{ name, got, want string }{
		{"DateJA", c.date(lang.JA, late), "2026年5月29日(金)"},
		{"MomentEN", c.moment(lang.EN, late), "Friday, 29 May 2026 01:30"},
		{"NoDate", c.moment(lang.EN, time.Time{}), ""},
		{"Bytes", size(999), "999 B"},
		{"KiB", size(1025), "2 KiB"},
		{"MiB", size(5 << 20), "5.0 MiB"},
		{"Verdict", string(c.verdict(lang.JA, desk.Malicious)), `<span class="verdict malicious"><span class="symbol" aria-hidden="true">●</span> 危険</span>`},
		{"NoVerdict", string(c.verdict(lang.EN, "<script>")), ""},
		{"Grade", string(c.grade(lang.EN, triage.B)), `<span class="grade grade-b"><span class="symbol" aria-hidden="true">B</span> within 7 days</span>`},
		{"NoGrade", string(c.grade(lang.EN, "<script>")), ""},
		{"YAML", yamlLines("organisation.mail.mx", "[a]"), "organisation:\n  mail:\n    mx: [a]\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.got != tc.want {
				t.Errorf("got %q, want %q", tc.got, tc.want)
			}
		})
	}
	if got, err := withQuery("/mail", "q", "a&b 請求", "verdict", "", "n", 3); err != nil || got != "/mail?n=3&q=a%26b+%E8%AB%8B%E6%B1%82" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := withQuery("/mail", "q"); err == nil {
		t.Error("half a pair is no error")
	}
}

// A QR code is one path of rectangles inside its square, with the quiet zone.
func TestDrawQR(t *testing.T) {
	q := drawQR("otpauth://totp/sekisho:admin?secret=AAAA")
	if q.Side < 21+2*quietZone || len(q.Bars) < 100 {
		t.Fatalf("%d modules, %d bars", q.Side, len(q.Bars))
	}
	for _, b := range q.Bars {
		if b.X < quietZone || b.Y < quietZone || b.X+b.Width > q.Side-quietZone || b.Y >= q.Side-quietZone || b.Width < 1 {
			t.Fatalf("%+v is outside", b)
		}
	}
	if q := drawQR(strings.Repeat("x", 5000)); q.Side != 0 {
		t.Error("what does not fit is drawn")
	}
}
