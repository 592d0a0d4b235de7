package triage_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/triage"
)

var jst = time.FixedZone("JST", 9*60*60)

// on is a moment in the middle of a day, for dates must not depend on the hour.
func on(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 13, 45, 0, 0, jst) }

func decide(t *testing.T, f triage.Facts, today time.Time) *triage.Decision {
	t.Helper()
	d, err := triage.Decide(f, today, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// outcome is grade, row, label and date in one line.
func outcome(d *triage.Decision) string {
	due := "-"
	if !d.Due.IsZero() {
		due = lang.Date(lang.JA, d.Due)
	}
	return fmt.Sprintf("%s %s %s %s", d.Grade, d.Mark(), d.Label.JA, due)
}

// The facts of the documents that the product started from.
var (
	campaign = triage.Facts{
		Kind: triage.Campaign, Relevance: triage.RelevanceExact, Activity: triage.ActivityEnded,
		Impact: triage.ImpactTakeover, EndedOn: on(2026, 4, 16),
	}
	directSend = triage.Facts{
		Kind: triage.Campaign, Relevance: triage.RelevanceExact, Activity: triage.ActivityActive,
		Impact: triage.ImpactTakeover, Exposure: triage.ExposedYes,
	}
	senderRule = triage.Facts{Kind: triage.Policy, Relevance: triage.RelevanceExact, VendorDate: on(2025, 5, 5)}
	voice      = triage.Facts{
		Kind: triage.Scam, Relevance: triage.RelevanceExact, Activity: triage.ActivityActive,
		Proximity: triage.Japan, Impact: triage.ImpactTakeover,
	}
	windows = triage.Facts{
		Kind: triage.Vulnerability, Relevance: triage.RelevanceExact, KEV: triage.Yes, Impact: triage.ImpactTakeover,
		Exposure: triage.ExposedNo, Automatable: triage.No, TechnicalImpact: triage.ImpactOfWhole, Ransomware: true,
	}
	acrobat = triage.Facts{Kind: triage.Vulnerability, Relevance: triage.RelevanceExact, Impact: triage.ImpactTakeover}
)

func with(f triage.Facts, set func(*triage.Facts)) triage.Facts {
	set(&f)
	return f
}

func TestDecideDocuments(t *testing.T) {
	for _, tc := range []struct {
		name  string
		facts triage.Facts
		today time.Time
		want  string
	}{
		{"CampaignAsPublished", campaign, on(2026, 5, 8), "C R23 月内に 2026年5月29日(金)"},
		{"CampaignWithoutItsDates", with(campaign, func(f *triage.Facts) { f.Activity = triage.ActivityActive }), on(2026, 5, 8), "C R23 月内に 2026年5月29日(金)"},
		{"CampaignGoingOnInJapan", with(campaign, func(f *triage.Facts) { f.Activity, f.Proximity = triage.ActivityActive, triage.Japan }), on(2026, 5, 8), "B R22 1週間以内 2026年5月15日(金)"},
		{"CampaignFoundInOurTrace", with(campaign, func(f *triage.Facts) { f.Proximity = triage.Tenant }), on(2026, 5, 8), "A R02 即日 2026年5月8日(金)"},
		{"CampaignWithoutMicrosoft365", with(campaign, func(f *triage.Facts) { f.Relevance = triage.RelevanceNone }), on(2026, 5, 8), "D R01 情報共有 -"},
		{"DirectSendOpen", directSend, on(2025, 7, 7), "B R21 1週間以内 2025年7月14日(月)"},
		{"DirectSendUnknown", with(directSend, func(f *triage.Facts) { f.Exposure = triage.ExposedUnknown }), on(2025, 7, 7), "B R21 1週間以内 2025年7月14日(月)"},
		{"DirectSendRejected", with(directSend, func(f *triage.Facts) { f.Exposure = triage.ExposedNo }), on(2025, 7, 7), "C R23 月内に 2025年7月31日(木)"},
		{"SenderRule", senderRule, on(2025, 4, 11), "C R30 月内に 2025年4月30日(水)"},
		{"SenderRuleSoon", senderRule, on(2025, 4, 28), "B R30+V4 1週間以内 2025年5月2日(金)"},
		{"SenderRuleMet", with(senderRule, func(f *triage.Facts) { f.Relevance = triage.RelevanceNone }), on(2025, 4, 11), "D R01 情報共有 -"},
		{"VoiceOurBank", voice, on(2025, 4, 11), "B R22 1週間以内 2025年4月18日(金)"},
		{"VoiceOtherBank", with(voice, func(f *triage.Facts) { f.Relevance = triage.RelevanceCategory }), on(2025, 4, 11), "C R25 月内に 2025年4月30日(水)"},
		{"WindowsExploited", windows, on(2025, 4, 9), "B R11 1週間以内 2025年4月16日(水)"},
		{"AcrobatAndZoom", acrobat, on(2025, 4, 9), "C R14 月内に 2025年4月30日(水)"},
		{"JavaNotInstalled", with(acrobat, func(f *triage.Facts) { f.Relevance = triage.RelevanceNone }), on(2025, 4, 9), "D R01 情報共有 -"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, outcome(decide(t, tc.facts, tc.today))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecideDates(t *testing.T) {
	for _, tc := range []struct {
		name  string
		facts triage.Facts
		today time.Time
		want  string
	}{
		{"TodayIsSunday", with(campaign, func(f *triage.Facts) { f.Proximity = triage.Tenant }), on(2026, 5, 10), "A R02 即日 2026年5月10日(日)"},
		{"WeekOverGoldenWeek", voice, on(2026, 4, 29), "B R22 1週間以内 2026年5月1日(金)"},
		{"WeekOverNewYear", voice, on(2026, 12, 25), "B R22 1週間以内 2026年12月28日(月)"},
		{"WeekWhollyClosed", voice, on(2025, 12, 27), "B R22 1週間以内 2026年1月3日(土)"},
		{"TenDaysRemain", campaign, on(2026, 5, 21), "C R23 月内に 2026年5月29日(金)"},
		{"NineDaysRemain", campaign, on(2026, 5, 22), "C R23 翌月10日までに 2026年6月10日(水)"},
		{"LastDay", campaign, on(2026, 4, 30), "C R23 翌月10日までに 2026年5月8日(金)"},
		{"EndOfYear", campaign, on(2026, 12, 31), "C R23 翌月10日までに 2027年1月8日(金)"},
		{"MonthEndsOnSunday", campaign, on(2026, 5, 1), "C R23 月内に 2026年5月29日(金)"},
		{"LateDecember", campaign, on(2026, 12, 1), "C R23 月内に 2026年12月28日(月)"},
		{"VendorTomorrow", senderRule, on(2025, 5, 4), "A R30+V0 即日 2025年5月4日(日)"},
		{"VendorOneBusinessDayLeft", senderRule, on(2025, 5, 1), "A R30+V1 即日 2025年5月1日(木)"},
		{"VendorPassed", senderRule, on(2025, 6, 2), "A R30+V0 即日 2025年6月2日(月)"},
		{"VendorInTheSameMonth", with(senderRule, func(f *triage.Facts) { f.VendorDate = on(2026, 8, 1) }), on(2026, 7, 22), "C R30+V9 月内に 2026年7月31日(金)"},
		{"VendorFarAway", with(senderRule, func(f *triage.Facts) { f.VendorDate = on(2027, 8, 1) }), on(2026, 7, 22), "C R30 翌月10日までに 2026年8月10日(月)"},
		{"VendorAndD", with(senderRule, func(f *triage.Facts) { f.Relevance = triage.RelevanceCategory }), on(2025, 5, 4), "D R31 情報共有 -"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := decide(t, tc.facts, tc.today)
			if diff := cmp.Diff(tc.want, outcome(d)); diff != "" {
				t.Error(diff)
			}
			if open := lang.CalendarOf("JP").Open(d.Due); !d.Due.IsZero() && d.DueClosed == open {
				t.Errorf("DueClosed is %v for %v", d.DueClosed, d.Due)
			}
		})
	}
}

// TestLabelAgreesWithDate holds for every day of two years and each grade,
// with and without a vendor's date and a timeline of BOD 26-04.
func TestLabelAgreesWithDate(t *testing.T) {
	jp := lang.CalendarOf("JP")
	check := func(d *triage.Decision, today time.Time) string {
		n := int(lang.StartOfDay(d.Due).Sub(lang.StartOfDay(today)).Hours() / 24)
		y, m, _ := today.Date()
		dy, dm, dd := d.Due.Date()
		next := time.Date(y, m+1, 1, 0, 0, 0, 0, jst)
		ok := false
		switch d.Label.JA {
		case "即日":
			ok = d.Grade == triage.A && n == 0
		case "1週間以内":
			ok = d.Grade == triage.B && n >= 0 && n <= 7
		case "月内に":
			ok = d.Grade == triage.C && n >= 0 && dy == y && dm == m
		case "翌月10日までに":
			ok = d.Grade == triage.C && dy == next.Year() && dm == next.Month() && dd <= 10
		case "情報共有":
			return map[bool]string{false: "D has a date"}[d.Grade == triage.D && d.Due.IsZero()]
		}
		if !ok {
			return "label and date disagree"
		}
		if d.DueClosed == jp.Open(d.Due) {
			return "DueClosed is wrong"
		}
		if d.DueClosed && d.Grade == triage.C {
			return "a grade C ends on a closed day"
		}
		for _, c := range []time.Time{d.Clocks.StaffNotice, d.Clocks.AdminCheck, d.Clocks.SettingChange} {
			if c.After(d.Due) || c.Before(lang.StartOfDay(today)) {
				return "a clock is outside today and the due date"
			}
		}
		return ""
	}
	facts := []triage.Facts{
		with(campaign, func(f *triage.Facts) { f.Proximity = triage.Tenant }),
		voice, campaign, senderRule, windows,
		with(campaign, func(f *triage.Facts) { f.Relevance = triage.RelevanceNone }),
		with(acrobat, func(f *triage.Facts) {
			f.KEV, f.Exposure, f.Automatable, f.TechnicalImpact = triage.No, triage.ExposedYes, triage.Yes, triage.ImpactOfWhole
		}),
	}
	seen := map[string]int{}
	for today := on(2026, 1, 1); today.Year() < 2028; today = today.AddDate(0, 0, 1) {
		for i, f := range facts {
			for _, in := range []int{0, 1, 2, 5, 8, 9, 12, 40} {
				if in > 0 && f.Kind != triage.Policy && f.Kind != triage.Scam {
					continue // one item of grade C and one of B show the clamp
				}
				if f.VendorDate = (time.Time{}); in > 0 {
					f.VendorDate = today.AddDate(0, 0, in)
				}
				d := decide(t, f, today)
				seen[d.Label.JA]++
				if why := check(d, today); why != "" {
					t.Fatalf("%s, facts %d, vendor in %d days: %s: %s", lang.Date(lang.JA, today), i, in, outcome(d), why)
				}
			}
		}
	}
	for _, l := range []string{"即日", "1週間以内", "月内に", "翌月10日までに", "情報共有"} {
		if seen[l] < 100 {
			t.Errorf("%s: only %d times", l, seen[l])
		}
	}
}

func TestDecideElsewhere(t *testing.T) {
	us := triage.CalendarFor(&org.Facts{Country: org.Of("US")})
	d, err := triage.Decide(voice, on(2026, 4, 29), &triage.Options{Calendar: &us})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("B R22 1週間以内 2026年5月6日(水)", outcome(d)); diff != "" {
		t.Error(diff)
	}
	if got := say(lang.EN, d.Why()); !strings.Contains(got, "Only weekends count as closed") {
		t.Errorf("it does not say that holidays are not known: %s", got)
	}
	for _, f := range []*org.Facts{nil, {}} {
		if c := triage.CalendarFor(f); !c.Covers(2026) {
			t.Error("the default is not Japan")
		}
	}
}

func TestLift(t *testing.T) {
	for _, tc := range []struct {
		name string
		set  func(*triage.Facts)
		want []triage.Lift
	}{
		{"KEV", func(f *triage.Facts) { f.KEV = triage.Yes }, []triage.Lift{{From: triage.ActivityNone, To: triage.ActivityActive, By: triage.LiftKEV}}},
		{"KEVOfAnEndedOne", func(f *triage.Facts) { f.KEV, f.Activity = triage.Yes, triage.ActivityEnded }, []triage.Lift{{From: triage.ActivityEnded, To: triage.ActivityActive, By: triage.LiftKEV}}},
		{"KEVOfAnActiveOne", func(f *triage.Facts) { f.KEV, f.Activity = triage.Yes, triage.ActivityActive }, nil},
		{"NotInKEV", func(f *triage.Facts) { f.KEV = triage.No }, nil},
		{"MSRCDetected", func(f *triage.Facts) { f.MSRC = "Exploitation Detected" }, []triage.Lift{{From: triage.ActivityNone, To: triage.ActivityActive, By: triage.LiftMSRC}}},
		{"MSRCLikely", func(f *triage.Facts) { f.MSRC = "Exploitation More Likely" }, []triage.Lift{{From: triage.ActivityNone, To: triage.ActivityPoC, By: triage.LiftMSRC}}},
		{"MSRCUnlikely", func(f *triage.Facts) { f.MSRC = "Exploitation Less Likely" }, nil},
		{"EPSS", func(f *triage.Facts) { f.EPSS.Probability = 0.10 }, []triage.Lift{{From: triage.ActivityNone, To: triage.ActivityPoC, By: triage.LiftEPSS}}},
		{"EPSSPercentile", func(f *triage.Facts) { f.EPSS.Percentile = 0.95 }, []triage.Lift{{From: triage.ActivityNone, To: triage.ActivityPoC, By: triage.LiftEPSS}}},
		{"EPSSLow", func(f *triage.Facts) { f.EPSS = triage.EPSS{Probability: 0.09, Percentile: 0.94} }, nil},
		{"EPSSNeverLowers", func(f *triage.Facts) { f.EPSS.Probability, f.Activity = 0.5, triage.ActivityEnded }, nil},
		{"OtherKind", func(f *triage.Facts) { f.Kind, f.KEV = triage.Campaign, triage.Yes }, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := decide(t, with(acrobat, tc.set), on(2025, 4, 9))
			if diff := cmp.Diff(tc.want, d.Lifts); diff != "" {
				t.Error(diff)
			}
			if n := len(tc.want); n > 0 && d.Facts.Activity != tc.want[n-1].To {
				t.Errorf("activity %s", d.Facts.Activity)
			}
		})
	}
}

func TestBOD2604Clamps(t *testing.T) {
	f := func(kev triage.Answer, exposed triage.Exposure, auto triage.Answer, impact triage.TechnicalImpact) triage.Facts {
		return triage.Facts{Kind: triage.Vulnerability, Relevance: triage.RelevanceExact, Impact: triage.ImpactPartial, KEV: kev, Exposure: exposed, Automatable: auto, TechnicalImpact: impact}
	}
	for _, tc := range []struct {
		name     string
		facts    triage.Facts
		today    time.Time
		want     string
		forensic bool
	}{
		{"ThreeDays", f(triage.No, triage.ExposedYes, triage.Yes, triage.ImpactOfWhole), on(2026, 6, 1), "B R14+BOD3 1週間以内 2026年6月4日(木)", false},
		{"ThreeDaysAndForensic", f(triage.Yes, triage.ExposedYes, triage.No, triage.ImpactOfWhole), on(2026, 6, 1), "B R11+BOD3 1週間以内 2026年6月4日(木)", true},
		{"ThreeDaysOverAWeekend", f(triage.No, triage.ExposedYes, triage.Yes, triage.ImpactOfWhole), on(2026, 6, 4), "B R14+BOD3 1週間以内 2026年6月5日(金)", false},
		{"FourteenDays", f(triage.No, triage.ExposedYes, triage.No, triage.ImpactOfWhole), on(2026, 6, 1), "C R14+BOD14 月内に 2026年6月15日(月)", false},
		{"FourteenDaysAreLaterThanB", f(triage.Yes, triage.ExposedNo, triage.No, triage.ImpactOfWhole), on(2026, 6, 1), "B R11 1週間以内 2026年6月8日(月)", false},
		{"SixtyDays", f(triage.No, triage.ExposedNo, triage.Yes, triage.ImpactOfWhole), on(2026, 6, 1), "C R14 月内に 2026年6月30日(火)", false},
		{"NextUpgrade", f(triage.No, triage.ExposedNo, triage.No, triage.ImpactOfWhole), on(2026, 6, 1), "C R14 月内に 2026年6月30日(火)", false},
		{"UnknownInput", f(triage.No, triage.ExposedUnknown, triage.Yes, triage.ImpactOfWhole), on(2026, 6, 1), "C R14 月内に 2026年6月30日(火)", false},
		{"NotOurs", with(f(triage.Yes, triage.ExposedYes, triage.Yes, triage.ImpactOfWhole), func(f *triage.Facts) { f.Relevance = triage.RelevanceNone }), on(2026, 6, 1), "D R01 情報共有 -", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := decide(t, tc.facts, tc.today)
			if diff := cmp.Diff(tc.want, outcome(d)); diff != "" {
				t.Error(diff)
			}
			if d.Forensic != tc.forensic {
				t.Errorf("Forensic is %v", d.Forensic)
			}
		})
	}
}

// TestBOD2604 writes the directive's 16 rows in the order of the design
// page's table, apart from the file that the package reads.
func TestBOD2604(t *testing.T) {
	const y, n = triage.Yes, triage.No
	const part, whole = triage.ImpactOfPart, triage.ImpactOfWhole
	for _, tc := range []struct {
		kev, exposed, automatable triage.Answer
		impact                    triage.TechnicalImpact
		want                      triage.BOD
	}{
		{n, n, n, part, triage.BOD{}}, {y, n, n, part, triage.BOD{Days: 14}},
		{n, y, n, part, triage.BOD{Days: 60}}, {n, n, y, part, triage.BOD{Days: 60}},
		{n, n, n, whole, triage.BOD{}}, {y, y, n, part, triage.BOD{Days: 14}},
		{y, n, y, part, triage.BOD{Days: 14}}, {n, y, y, part, triage.BOD{Days: 14}},
		{y, n, n, whole, triage.BOD{Days: 14}}, {n, y, n, whole, triage.BOD{Days: 14}},
		{n, n, y, whole, triage.BOD{Days: 60}}, {y, y, y, part, triage.BOD{Days: 3}},
		{y, y, n, whole, triage.BOD{Days: 3, Forensic: true}}, {y, n, y, whole, triage.BOD{Days: 3, Forensic: true}},
		{n, y, y, whole, triage.BOD{Days: 3}}, {y, y, y, whole, triage.BOD{Days: 3, Forensic: true}},
	} {
		got, ok := triage.BOD2604(tc.kev, tc.exposed, tc.automatable, tc.impact)
		if !ok || got != tc.want {
			t.Errorf("%s %s %s %s: %+v, %v; want %+v", tc.kev, tc.exposed, tc.automatable, tc.impact, got, ok, tc.want)
		}
	}
	for _, unknown := range []triage.Answer{"", "unknown"} {
		if _, ok := triage.BOD2604(unknown, y, y, whole); ok {
			t.Errorf("%q has a timeline", unknown)
		}
	}
}

// TestBOD2604AsPublished compares with CERT/CC's own file.
func TestBOD2604AsPublished(t *testing.T) {
	file := ""
	for _, dir := range []string{os.Getenv("SEKISHO_SHARED"), "../../shared"} {
		if p := filepath.Join(dir, "data", "advisory", "ssvc", "cisa", "cisa_bod_26_04_1_0_0.csv"); dir != "" && exists(p) {
			file = p
			break
		}
	}
	if file == "" {
		t.Skip("the table of CERT/CC is not here: set SEKISHO_SHARED")
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	recs, err := csv.NewReader(strings.NewReader(string(b))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(recs) != 17 {
		t.Fatalf("%d lines", len(recs))
	}
	for _, r := range recs[1:] {
		got, ok := triage.BOD2604(triage.Answer(r[1]), triage.Answer(r[2]), triage.Answer(r[3]), triage.TechnicalImpact(r[4]))
		want := map[string]triage.BOD{
			"fix on system upgrade": {}, "14 days": {Days: 14}, "60 days": {Days: 60}, "3 days": {Days: 3},
			"3 days & forensic investigation": {Days: 3, Forensic: true},
		}[r[5]]
		if !ok || got != want {
			t.Errorf("row %s: %+v, %v; want %s", r[0], got, ok, r[5])
		}
	}
}

func exists(p string) bool {
	_, err := os.Stat(p)
	return err == nil
}

func TestClocks(t *testing.T) {
	for _, tc := range []struct {
		name  string
		facts triage.Facts
		today time.Time
		want  [3]time.Time
	}{
		{"A", with(campaign, func(f *triage.Facts) { f.Proximity = triage.Tenant }), on(2026, 5, 9), [3]time.Time{on(2026, 5, 9), on(2026, 5, 9), on(2026, 5, 9)}},
		{"B", voice, on(2025, 4, 11), [3]time.Time{on(2025, 4, 14), on(2025, 4, 15), on(2025, 4, 18)}},
		{"BShort", voice, on(2026, 4, 30), [3]time.Time{on(2026, 5, 1), on(2026, 5, 7), on(2026, 5, 7)}},
		{"C", campaign, on(2026, 5, 8), [3]time.Time{on(2026, 5, 13), on(2026, 5, 15), on(2026, 5, 29)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := decide(t, tc.facts, tc.today).Clocks
			for i, got := range []time.Time{c.StaffNotice, c.AdminCheck, c.SettingChange} {
				if want := lang.StartOfDay(tc.want[i]); !got.Equal(want) {
					t.Errorf("clock %d: %s, want %s", i, lang.Date(lang.EN, got), lang.Date(lang.EN, want))
				}
			}
		})
	}
	if c := decide(t, triage.Facts{Kind: triage.Info}, on(2026, 5, 8)).Clocks; c != (triage.Clocks{}) {
		t.Errorf("D has clocks: %+v", c)
	}
}

func TestDecideRefuses(t *testing.T) {
	for _, tc := range []struct {
		name  string
		facts triage.Facts
		want  string
	}{
		{"NoKind", triage.Facts{}, `kind ""`},
		{"Relevance", triage.Facts{Kind: triage.Info, Relevance: "some"}, `relevance "some"`},
		{"Activity", triage.Facts{Kind: triage.Info, Activity: "on"}, `activity "on"`},
		{"Proximity", triage.Facts{Kind: triage.Info, Proximity: "mars"}, `proximity "mars"`},
		{"Impact", triage.Facts{Kind: triage.Info, Impact: "high"}, `impact "high"`},
		{"Exposure", triage.Facts{Kind: triage.Info, Exposure: "maybe"}, `exposed "maybe"`},
		{"KEV", triage.Facts{Kind: triage.Info, KEV: "true"}, `answer "true"`},
		{"TechnicalImpact", triage.Facts{Kind: triage.Info, TechnicalImpact: "whole"}, `technical impact "whole"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := triage.Decide(tc.facts, on(2026, 5, 8), nil)
			if !errors.Is(err, triage.ErrFacts) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %s", err, tc.want)
			}
		})
	}
}
