package cli

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sekisho/sekisho/dmarcreport/source"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// TestDMARCPage holds the page to what it promises: nothing in it runs or asks
// for anything, whatever names strangers give themselves, and the charts are
// well-formed.
func TestDMARCPage(t *testing.T) {
	const hostile = `<script>alert(1)</script>"onload="x`
	d := desk.DMARCReport{Domain: "kiso-works.example", From: "2026-10-01", Until: "2026-10-02", Reporters: []desk.DMARCReporter{{Name: hostile, Days: 2, Last: "2026-10-02"}}}
	d.Days = []desk.DMARCDay{{Date: "2026-10-01", Own: 3, Threat: 9, WantedPass: 2}, {Date: "2026-10-02"}}
	d.Classes = []desk.DMARCClass{{Class: source.Own, Messages: 3}}
	d.Sources = []desk.DMARCSource{{Name: hostile, Class: source.Threat, Trend: desk.TrendNew, Reasons: []desk.DMARCReason{{Text: lang.Text{EN: hostile, JA: hostile}}}}}
	for _, l := range []lang.Language{lang.EN, lang.JA} {
		r := &run{words: lang.Default(), lang: l}
		r.Now = func() time.Time { return time.Date(2026, 10, 3, 0, 0, 0, 0, time.UTC) }
		var b bytes.Buffer
		if err := r.dmarcHTML(&b, []desk.DMARCReport{d}); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		for _, bad := range []string{"<script", "http://", "https://", " src=", "@import", "url(", "cli.dmarcpolicy"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s: the page has %q", l, bad)
			}
		}
		if n := strings.Count(page, `<svg viewBox="0 0 800`); n != 2 {
			t.Errorf("%s: %d charts", l, n)
		}
		for part := range strings.SplitSeq(page, "<svg ") {
			chart, _, ok := strings.Cut(part, "</svg>")
			if !ok {
				continue
			}
			x := xml.NewDecoder(strings.NewReader("<svg " + chart + "</svg>"))
			for {
				if _, err := x.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("%s: %v", l, err)
				}
			}
		}
	}
}

func TestNiceCeil(t *testing.T) {
	for n, want := range map[int64]int64{1: 1, 3: 5, 7: 10, 11: 20, 20: 20, 499: 500, 1<<62 + 1: 5e18} {
		if got := niceCeil(n); got != want {
			t.Errorf("niceCeil(%d) = %d, want %d", n, got, want)
		}
	}
}

// A share that is not whole is told neither as all nor as nothing.
func TestShareText(t *testing.T) {
	for _, tc := range []struct {
		n, of int64
		want  string
	}{{0, 0, "-"}, {0, 5, "0 %"}, {1, 1000, "<1 %"}, {999, 1000, ">99 %"}, {1000, 1000, "100 %"}, {1, 3, "33 %"}} {
		if got := shareText(tc.n, tc.of); got != tc.want {
			t.Errorf("%d of %d: %q, want %q", tc.n, tc.of, got, tc.want)
		}
	}
}
