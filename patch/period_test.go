package patch_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	packs "github.com/sekisho/sekisho/packs/patch"
	"github.com/sekisho/sekisho/patch"
)

// TestReleased holds a month of the facts that ship with the program to what
// its vendors released: no preview, nothing out of band that mends no weakness.
func TestReleased(t *testing.T) {
	f, err := patch.ParseFacts(packs.Facts())
	if err != nil {
		t.Fatal(err)
	}
	book := patch.NewBook(f)
	april := time.Date(2025, time.April, 1, 0, 0, 0, 0, time.UTC)
	list := func(from, to time.Time) string {
		var out []string
		for _, r := range book.Released(from, to) {
			out = append(out, strings.Join(strings.Fields(r.Branch.Name+" "+r.Release.KB+" "+r.Release.Version), " "))
		}
		return strings.Join(out, "\n")
	}
	for _, tc := range []struct {
		name     string
		from, to time.Time
		want     string
	}{
		{"April", april, april.AddDate(0, 1, 0), `Windows 10 22H2 KB5055518 19045.5737
Windows 11 22H2 KB5055528 22621.5189
Windows 11 23H2 KB5055528 22631.5189
Windows 11 24H2 KB5055523 26100.3775
Windows Server 2019 KB5055519 17763.7136
Windows Server 2022 KB5055526 20348.3453
Windows Server 2025 KB5055523 26100.3775
Java 8 8.0.451
Java 11 11.0.27
Java 17 17.0.15
Java 21 21.0.7
Java 24 24.0.1
Zoom Workplace 6.4.3`},
		{"BeforeTheDay", april, april.AddDate(0, 0, 7), "Zoom Workplace 6.4.3"},
		{"Empty", april.AddDate(0, 0, 2), april.AddDate(0, 0, 7), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, list(tc.from, tc.to)); d != "" {
				t.Error(d)
			}
		})
	}
	if m := book.Months(april, april.AddDate(0, 1, 0)); len(m) != 1 || m[0].Critical != 11 {
		t.Errorf("%+v", m)
	}
	if m := book.Months(april.AddDate(0, 1, 0), april.AddDate(0, 2, 0)); len(m) != 0 {
		t.Errorf("%+v", m)
	}
}
