package triage_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/triage"
)

const header = "id,kind,relevance,activity,proximity,impact,exposed,grade\n"

func TestParseRefuses(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"Empty", "", "triage: no row gives a grade for kind=info relevance=none activity=none proximity=elsewhere impact=low exposed=no"},
		{"NoHeader", "R1,*,*,*,*,*,*,D\n", `triage: 1:1: column 1 is "R1", want "id"`},
		{"ShortHeader", "id,kind\n", "triage: 1:1: the first line names 2 columns, want 8: id,kind,relevance,activity,proximity,impact,exposed,grade"},
		{"ShortRow", header + "R1,*,*,D\n", "triage: 2:1: the row has 4 columns, want 8"},
		{"NoID", header + " ,*,*,*,*,*,*,D\n", "triage: 2:2: the row has no id"},
		{"TwoIDs", header + "R1,info,*,*,*,*,*,D\nR1,*,*,*,*,*,*,D\n", `triage: 3:1: the id "R1" stands there twice`},
		{"UnknownValue", header + "# a comment\nR1,*,*,on,*,*,*,D\n", `triage: 3:8: no such activity: "on"`},
		{"OneOfTwoUnknown", header + "R1,vuln|bug,*,*,*,*,*,D\n", `triage: 2:4: no such kind: "bug"`},
		{"UnknownRelevance", header + "R1,*,unknown,*,*,*,*,D\n", "triage: 2:6: unknown relevance is always computed as exact"},
		{"UnknownGrade", header + "R1,*,*,*,*,*,*,E\n", `triage: 2:16: no such grade: "E"`},
		{"Gap", header + "R1,vuln|campaign|scam|policy,*,*,*,*,*,D\nR2,info,none|exact,*,*,*,*,D\n", "triage: no row gives a grade for kind=info relevance=category activity=none proximity=elsewhere impact=low exposed=no"},
		{"DeadRow", header + "R1,*,*,*,*,*,*,D\nR2,vuln,*,*,*,*,*,A\n", "triage: 3:1: row R2 can never decide: rows above it match everything that it does"},
		{"Quote", header + "R1,\"*,*,*,*,*,*,D\n", "triage: 2:19: extraneous or missing \" in quoted-field"},
		{"TooLong", strings.Repeat("#", 65<<10), "triage: the table is longer than 65536 bytes"},
		{"TooManyRows", header + strings.Repeat("R,*,*,*,*,*,*,D\n", 2), `triage: 3:1: the id "R" stands there twice`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := triage.Parse(strings.NewReader(tc.in))
			if err == nil {
				t.Fatal("no error")
			}
			if _, ok := errors.AsType[*triage.Error](err); !ok {
				t.Errorf("%T is no *triage.Error", err)
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseTakesWhatEditorsWrite(t *testing.T) {
	in := "\ufeff# ours\r\n" + strings.ReplaceAll(header, "\n", "\r\n") + "R1, vuln | scam ,*,*,*,*,*, B \r\nR2,*,*,*,*,*,*,D\r\n"
	table, err := triage.Parse(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	d, err := triage.Decide(triage.Facts{Kind: triage.Scam}, on(2026, 5, 8), &triage.Options{Table: table})
	if err != nil {
		t.Fatal(err)
	}
	if d.Grade != triage.B || d.Row != "R1" {
		t.Errorf("%s %s", d.Grade, d.Row)
	}
}

func TestWarnings(t *testing.T) {
	if ws := triage.Default().Warnings(); len(ws) > 0 {
		t.Errorf("the default table is not monotone: %v", ws)
	}
	table, err := triage.Parse(strings.NewReader(header + "R1,vuln,exact,active,*,*,*,C\nR2,*,*,*,*,*,*,B\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range table.Warnings() {
		got = append(got, w.String())
	}
	want := []string{
		"raising relevance from category to exact lowers the grade from B (R2) to C (R1)",
		"raising activity from poc to active lowers the grade from B (R2) to C (R1)",
	}
	if diff := cmp.Diff(want, sorted(got, want)); diff != "" {
		t.Error(diff)
	}
}

// sorted brings got into the order of want, for warnings come in the order of
// the combinations.
func sorted(got, want []string) []string {
	var out []string
	for _, w := range want {
		for _, g := range got {
			if g == w {
				out = append(out, g)
			}
		}
	}
	if len(out) != len(got) {
		return got
	}
	return out
}

// TestEveryCombination counts the grades over all combinations. The numbers are
// those of a prototype in another language, run when the table was designed.
func TestEveryCombination(t *testing.T) {
	got := map[triage.Grade]int{}
	rows := map[string]bool{}
	n := 0
	for _, k := range []triage.Kind{triage.Vulnerability, triage.Campaign, triage.Scam, triage.Policy, triage.Info} {
		for _, r := range []triage.Relevance{triage.RelevanceNone, triage.RelevanceCategory, triage.RelevanceExact, triage.RelevanceUnknown} {
			for _, a := range []triage.Activity{triage.ActivityNone, triage.ActivityPoC, triage.ActivityEnded, triage.ActivityActive} {
				for _, p := range []triage.Proximity{triage.Elsewhere, triage.Japan, triage.Tenant} {
					for _, i := range []triage.Impact{triage.ImpactLow, triage.ImpactPartial, triage.ImpactTakeover} {
						for _, e := range []triage.Exposure{triage.ExposedNo, triage.ExposedYes} {
							d, err := triage.Decide(triage.Facts{Kind: k, Relevance: r, Activity: a, Proximity: p, Impact: i, Exposure: e}, on(2026, 5, 8), nil)
							if err != nil {
								t.Fatal(err)
							}
							if (r == triage.RelevanceUnknown) != (len(d.ToConfirm()) > 0) {
								t.Fatalf("%+v: to confirm: %v", d.Facts, d.ToConfirm())
							}
							got[d.Grade]++
							rows[d.Row] = true
							n++
						}
					}
				}
			}
		}
	}
	if n != 1440 {
		t.Errorf("%d combinations", n)
	}
	if diff := cmp.Diff(map[triage.Grade]int{triage.A: 488, triage.B: 36, triage.C: 244, triage.D: 672}, got); diff != "" {
		t.Error(diff)
	}
	if len(rows) != 18 {
		t.Errorf("%d rows decided: %v", len(rows), rows)
	}
}

func TestDefaultTextIsTheDefault(t *testing.T) {
	b := triage.DefaultText()
	if _, err := triage.Parse(strings.NewReader(string(b))); err != nil {
		t.Fatal(err)
	}
	clear(b)
	if _, err := triage.Parse(strings.NewReader(string(triage.DefaultText()))); err != nil {
		t.Errorf("a caller can overwrite the default: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(triage.DefaultText())
	f.Add([]byte(header + "R1,*,*,*,*,*,*,D\n"))
	f.Add([]byte("id,kind\n\"\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		table, err := triage.Parse(strings.NewReader(string(b)))
		if err != nil {
			return
		}
		// A table that was taken decides whatever comes.
		d, err := triage.Decide(triage.Facts{Kind: triage.Info}, on(2026, 5, 8), &triage.Options{Table: table})
		if err != nil || d.Row == "" {
			t.Errorf("%+v, %v", d, err)
		}
	})
}
