package patch_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	packs "github.com/sekisho/sekisho/packs/patch"
	"github.com/sekisho/sekisho/patch"
	"github.com/sekisho/sekisho/patch/inventory"
)

var jst = time.FixedZone("JST", 9*60*60)

func at(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, jst)
	if err != nil {
		panic(err)
	}
	return t
}

func builtin(t testing.TB) *patch.Facts {
	t.Helper()
	f, err := patch.ParseFacts(packs.Facts())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// line is a result in one line.
func line(r *patch.Result) string {
	out := []string{string(r.Status)}
	if r.AsLastSeen != "" {
		out[0] += "(" + string(r.AsLastSeen) + ")"
	}
	if r.Branch != "" {
		out = append(out, r.Branch)
	}
	if r.Status == patch.Behind && r.Needed != nil {
		out = append(out, "needs "+strings.TrimSpace(r.Needed.Version+" "+r.Needed.KB))
	}
	for _, m := range r.Missing {
		out = append(out, "-"+m.KB+m.Name)
	}
	if len(r.Exploited) > 0 {
		out = append(out, "!"+strings.Join(r.Exploited, ","))
	}
	if r.Grade != "" {
		out = append(out, fmt.Sprintf("%s %s %s", r.Grade, r.Row, r.Due.Format("01-02")))
	}
	for _, m := range r.Remarks {
		out = append(out, "*"+string(m))
	}
	return strings.Join(out, " ")
}

func win(product, version string, more ...func(*inventory.Entry)) inventory.Entry {
	e := inventory.Entry{Kind: inventory.System, Device: "PC-1", Product: product, Version: version}
	for _, f := range more {
		f(&e)
	}
	return e
}

func edition(s string) func(*inventory.Entry)  { return func(e *inventory.Entry) { e.Edition = s } }
func hotpatch(s string) func(*inventory.Entry) { return func(e *inventory.Entry) { e.Hotpatch = s } }
func channel(s string) func(*inventory.Entry)  { return func(e *inventory.Entry) { e.Channel = s } }
func seen(s string) func(*inventory.Entry) {
	return func(e *inventory.Entry) { e.LastSeen = at(s) }
}

func app(name, version string, more ...func(*inventory.Entry)) inventory.Entry {
	e := win(name, version, more...)
	e.Kind = inventory.Software
	return e
}

func TestCheck(t *testing.T) {
	const (
		april = "2025-04-11 09:00"
		may   = "2025-05-20 09:00"
		july  = "2026-07-31 09:00"
	)
	for _, tc := range []struct {
		name  string
		now   string
		entry inventory.Entry
		want  string
	}{
		// The pairs of April 2025.
		{"Windows10Pair", april, win("Windows", "10.0.19045.5737"), "ok Windows 10 22H2"},
		{"Windows10Behind", april, win("Windows 10", "10.0.19045.5608"), "behind Windows 10 22H2 needs 19045.5737 KB5055518 -KB5055518 !CVE-2025-29824 B R11 04-16"},
		{"Windows11v23H2Pair", april, win("Windows", "10.0.22631.5189", edition("Pro")), "ok Windows 11 23H2"},
		{"Windows11v24H2Pair", april, win("Windows", "10.0.26100.3775"), "ok Windows 11 24H2"},
		{"Windows11v24H2Behind", april, win("Windows 11", "10.0.26100.3476"), "behind Windows 11 24H2 needs 26100.3775 KB5055523 -KB5055523 !CVE-2025-29824 B R11 04-16"},
		{"TwoMonthsBehind", april, win("Windows", "10.0.22631.4890"), "behind Windows 11 23H2 needs 22631.5189 KB5055528 -KB5055528 -KB5053602 !CVE-2025-29824 B R11 03-31"},

		// A day has its hour: the release of 8 April is of the 9th in Japan.
		{"BeforeTheRelease", "2025-04-09 01:00", win("Windows", "10.0.19045.5608"), "ok Windows 10 22H2"},
		{"AfterTheRelease", "2025-04-09 04:00", win("Windows", "10.0.19045.5608"), "behind Windows 10 22H2 needs 19045.5737 KB5055518 -KB5055518 !CVE-2025-29824 B R11 04-16"},

		// A preview is not required, and being on one is not being behind.
		{"PreviewNotRequired", "2025-05-01 09:00", win("Windows", "10.0.26100.3775"), "ok Windows 11 24H2"},
		{"OnPreview", "2025-05-01 09:00", win("Windows", "10.0.26100.3915"), "ok Windows 11 24H2"},
		{"OldPreviewIsBehind", april, win("Windows", "10.0.19045.5679"), "behind Windows 10 22H2 needs 19045.5737 KB5055518 -KB5055518 !CVE-2025-29824 B R11 04-16"},
		{"OutOfBandNotRequired", "2025-04-20 09:00", win("Windows Server 2025", "10.0.26100.3775"), "ok Windows Server 2025"},

		// Hotpatches carry lower revisions and are no laggards.
		{"HotpatchOfTheMonth", may, win("Windows", "10.0.26100.3981"), "ok Windows 11 24H2 *hotpatched"},
		{"HotpatchOfAnEarlierMonth", may, win("Windows", "10.0.26100.3403"), "behind Windows 11 24H2 needs 26100.3981 KB5058497 -KB5055523 -KB5058497 !CVE-2025-29824 B R11 04-16"},
		{"OrdinaryOfTheMonth", may, win("Windows", "10.0.26100.4061"), "ok Windows 11 24H2"},
		{"BaselineIsBehindInMay", may, win("Windows", "10.0.26100.3775"), "behind Windows 11 24H2 needs 26100.4061 KB5058411 -KB5058411 C R14 05-30"},
		{"UnlistedAboveBaseline", may, win("Windows", "10.0.26100.3990"), "unknown-revision Windows 11 24H2"},
		{"UnlistedButNoHotpatches", may, win("Windows", "10.0.26100.3990", hotpatch("no")), "behind Windows 11 24H2 needs 26100.4061 KB5058411 -KB5058411 C R14 05-30"},
		{"UnlistedBelowBaseline", may, win("Windows", "10.0.26100.3500"), "behind Windows 11 24H2 needs 26100.4061 KB5058411 -KB5055523 -KB5058411 !CVE-2025-29824 B R11 04-16"},
		{"UnlistedWhereNoHotpatchIs", may, win("Windows", "10.0.22631.5200"), "behind Windows 11 23H2 needs 22631.5335 KB5058405 -KB5058405 C R14 05-30"},
		{"NewerThanKnown", april, win("Windows", "10.0.26100.4000"), "ok Windows 11 24H2 *newer-than-known"},

		// One build, two products.
		{"ServerByName", july, win("Windows Server 2025", "10.0.26100.32995"), "ok Windows Server 2025 *facts-old"},
		{"ServerBehind", july, win("Windows Server 2025", "10.0.26100.8655"), "behind Windows Server 2025 needs 26100.32995 - -KB5087539 -KB5082063 -KB5078740 -KB5075899 -KB5073379 C R14 01-30 *facts-old"},
		{"ClientWithTheServersBuild", july, win("Windows 11", "10.0.26100.8655"), "ok Windows 11 24H2 *ends-soon *facts-old"},
		{"ServerByItsRevision", july, win("Windows", "10.0.26100.32995"), "ok Windows Server 2025 *facts-old"},
		{"ServerAlone", april, win("Windows", "10.0.20348.3453"), "ok Windows Server 2022"},
		{"ServerBySKU", april, win("Windows", "10.0.26100.3476", edition("ServerDatacenter")), "behind Windows Server 2025 needs 26100.3775 KB5055523 -KB5055523 !CVE-2025-29824 B R11 04-16"},
		{"FeatureUpdateSharesRevision", july, win("Windows 11", "10.0.26200.8655"), "ok Windows 11 25H2 *facts-old"},
		{"LatestPreviewOfBoth", july, win("Windows 11", "10.0.26200.8973"), "ok Windows 11 25H2 *facts-old"},

		// The end, and what is beyond it.
		{"EndedWithoutExtension", "2025-12-01 09:00", win("Windows", "10.0.22621.6060", edition("Enterprise")), "end-of-life Windows 11 22H2"},
		{"EndedByEdition", "2025-12-01 09:00", win("Windows", "10.0.22631.6199", edition("Pro")), "end-of-life Windows 11 23H2"},
		{"NotEndedByEdition", "2025-12-01 09:00", win("Windows", "10.0.22631.6199", edition("Enterprise")), "ok Windows 11 23H2"},
		{"EditionNotKnown", "2025-12-01 09:00", win("Windows", "10.0.22631.6199"), "end-of-life Windows 11 23H2 *edition-unknown"},
		{"LastFreeUpdate", "2025-12-01 09:00", win("Windows", "10.0.19045.6456"), "end-of-life Windows 10 22H2 *extended-offered"},
		{"ExtendedUpdate", "2025-12-01 09:00", win("Windows", "10.0.19045.6575"), "ok Windows 10 22H2 *extended-updates"},
		{"ExtendedUpdateBehind", "2025-12-15 09:00", win("Windows", "10.0.19045.6575"), "behind Windows 10 22H2 needs 19045.6691 KB5071546 -KB5071546 C R14 12-26 *extended-updates"},
		{"EndedAndBehind", "2025-12-01 09:00", win("Windows", "10.0.19045.6332"), "end-of-life Windows 10 22H2 -KB5066791 C R14 10-31 *extended-offered"},
		{"LastDay", "2025-10-14 23:00", win("Windows", "10.0.19045.6456"), "ok Windows 10 22H2 *ends-soon *newer-than-known"},
		{"LTSC", "2025-12-01 09:00", win("Windows 10 Enterprise LTSC", "10.0.17763.7136"), "unknown-revision Windows 10 1809 *no-facts"},

		// Who did not report.
		{"NotReported", april, win("Windows", "10.0.26100.3476", seen("2025-03-20 10:00")), "not-reported(behind) Windows 11 24H2 -KB5055523 !CVE-2025-29824 B R11 04-16"},
		{"ReportedLately", april, win("Windows", "10.0.26100.3775", seen("2025-03-29 10:00")), "ok Windows 11 24H2"},
		{"ClockAhead", april, win("Windows", "10.0.26100.3775", seen("2025-04-12 10:00")), "ok Windows 11 24H2"},

		// What is not said.
		{"NoVersion", april, win("Windows", ""), "no-version"},
		{"NoRevision", april, win("Windows", "10.0 (19045)"), "unknown-revision Windows 10 22H2 *no-revision"},
		{"UnknownBranch", april, win("Windows", "10.0.29999.1"), "unknown-revision *other-branch"},
		{"NotAVersion", april, win("Windows", "eleven"), "no-version"},
		{"OtherSystem", april, win("macOS", "15.4"), "unknown-product"},
		{"UnknownProgram", april, app("Kiso Ledger", "3.1"), "unknown-product"},
		{"ProgramWithoutFacts", april, app("Google Chrome", "135.0.7049.85"), "unknown-product *no-facts"},

		// Programs.
		{"ZoomBehind", april, app("Zoom Workplace", "6.3.11"), "behind Zoom Workplace needs 6.4.3 - C R14 04-30"},
		{"ZoomOK", april, app("Zoom Workplace (64-bit)", "6.4.3"), "ok Zoom Workplace"},
		{"ZoomWithBuild", april, app("Zoom", "6.4.3 (63669)"), "ok Zoom Workplace"},
		{"ZoomBuildForVersion", april, app("Zoom", "6.4.63669"), "unknown-revision Zoom Workplace *no-revision"},
		{"ZoomOldBuildForVersion", april, app("Zoom", "6.3.56144"), "behind Zoom Workplace needs 6.4.3 - C R14 04-30"},
		{"AcrobatContinuous", april, app("Adobe Acrobat (64-bit)", "25.001.20432"), "ok Acrobat (Continuous)"},
		{"AcrobatContinuousBehind", april, app("Adobe Acrobat", "24.005.20421"), "behind Acrobat (Continuous) needs 25.001.20432 -APSB25-14 C R14 03-31"},
		{"AcrobatClassicIsNotBehindContinuous", april, app("Adobe Acrobat", "24.001.30235"), "ok Acrobat 2024 (Classic)"},
		{"AcrobatOldContinuousLooksClassic", april, app("Adobe Acrobat", "24.001.20643"), "behind Acrobat (Continuous) needs 25.001.20432 -APSB25-14 C R14 03-31"},
		{"Java8", "2025-04-17 09:00", app("Java 8 Update 441", "8.0.4410.7"), "behind Java 8 needs 8.0.451 -8u451 C R14 04-30 *extended-updates"},
		{"Java8WithoutASubscription", "2025-04-17 09:00", app("Java 8 Update 202", "8.0.2020.8"), "end-of-life Java 8 *extended-offered"},
		{"Java17Behind", "2025-04-17 09:00", app("Java(TM) SE Development Kit 17.0.14", "17.0.14.0"), "behind Java 17 needs 17.0.15 -17.0.15 C R14 04-30"},
		{"Java17OK", "2025-04-17 09:00", app("Java", "17.0.15+9-LTS"), "ok Java 17"},
		{"Java21BeforeTheDay", "2025-04-15 09:00", app("Java", "21.0.6"), "ok Java 21"},

		// Channels of Office.
		{"OfficeCurrent", "2025-07-20 09:00", app("Microsoft 365 Apps for enterprise", "16.0.18925.20158", channel("Current Channel")), "ok Current Channel"},
		{"OfficeSemiAnnualIsNotBehindCurrent", "2025-07-20 09:00", app("Microsoft 365 Apps for enterprise", "16.0.17328.20856", channel("Semi-Annual Enterprise Channel")), "ok Semi-Annual Enterprise Channel"},
		{"OfficeSameBuildBehind", "2025-08-20 09:00", app("Microsoft 365", "16.0.17928.20604", channel("Semi-Annual Channel")), "behind Semi-Annual Enterprise Channel needs 17928.20654 -Version 2408 C R14 08-29"},
		{"OfficeBuildLeftBehind", "2025-08-20 09:00", app("Microsoft 365", "16.0.18623.20316", channel("Monthly Enterprise Channel")), "behind Monthly Enterprise Channel needs 18925.20216 -Version 2506 -Version 2505 -Version 2504 C R14 08-29"},
		{"OfficeChannelNotKnownAllAgree", "2025-08-20 09:00", app("Microsoft 365", "16.0.17328.20856"), "behind Semi-Annual Enterprise Channel needs 17328.20882 -Version 2402 C R14 08-29 *channel-unknown"},
		{"OfficeChannelByItsVersion", "2025-08-20 09:00", app("Microsoft 365", "16.0.18925.20216"), "ok Monthly Enterprise Channel *channel-unknown"},
		{"OfficeChannelNotKnownDisagree", "2025-08-20 09:00", app("Microsoft 365", "16.0.18925.20300"), "unknown-revision *channel-unknown"},
		{"OfficeJapaneseChannel", "2025-07-20 09:00", app("Microsoft 365", "16.0.18827.20202", channel("月次エンタープライズ チャネル")), "ok Monthly Enterprise Channel"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := patch.NewChecker(patch.NewBook(builtin(t)), at(tc.now), nil)
			r, err := c.Check(tc.entry)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, line(&r)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// facts are those of one source about Windows 11 24H2.
func facts(source string, releases ...patch.Release) *patch.Facts {
	f := &patch.Facts{Schema: patch.Schema, Sources: []patch.Source{{ID: source, Name: source}}}
	for _, r := range releases {
		r.Product, r.Sources = "windows", []string{source}
		if r.Kind == "" {
			r.Kind = patch.Security
		}
		f.Releases = append(f.Releases, r)
	}
	return f
}

func day(s string) patch.Date {
	d, err := patch.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func TestSourcesDisagree(t *testing.T) {
	wrong := facts("other", patch.Release{Branch: "22631", Version: "22631.5300", KB: "KB5055528", Date: day("2025-04-08")})
	for _, tc := range []struct {
		name    string
		version string
		more    *patch.Facts
		want    string
	}{
		{"Between", "10.0.22631.5200", wrong, "sources-disagree Windows 11 23H2"},
		{"AboveBoth", "10.0.22631.5300", wrong, "ok Windows 11 23H2"},
		{"BelowBoth", "10.0.22631.5039", wrong, "behind Windows 11 23H2 needs 22631.5300 KB5055528 -KB5055528 -KB5055528 !CVE-2025-29824 B R11 04-16"},
		{"Corrected", "10.0.22631.5200", func() *patch.Facts {
			f := *wrong
			f.Corrections = []patch.Correction{{Product: "windows", Branch: "22631", KB: "KB5055528", From: "22631.5300", To: "22631.5189", Reason: "typing error", Sources: []string{"other"}}}
			return &f
		}(), "ok Windows 11 23H2 *newer-than-known"},
		{"TakenOut", "10.0.22631.5200", func() *patch.Facts {
			f := *wrong
			f.Corrections = []patch.Correction{{Product: "windows", Branch: "22631", KB: "KB5055528", From: "22631.5300", Reason: "not released", Sources: []string{"other"}}}
			return &f
		}(), "ok Windows 11 23H2 *newer-than-known"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := patch.NewBook(builtin(t), tc.more)
			r, err := patch.NewChecker(b, at("2025-04-11 09:00"), nil).Check(win("Windows 11", tc.version))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, line(&r)); diff != "" {
				t.Error(diff)
			}
			if corrected := len(tc.more.Corrections) > 0; corrected != (len(b.Clashes()) == 0) || corrected != (len(b.Applied()) == 1) {
				t.Errorf("%d clashes, %d corrections", len(b.Clashes()), len(b.Applied()))
			}
		})
	}
}

// TestSourcesAgree keeps one fact with both sources, and lets a page about an
// update say what a list of vulnerabilities cannot: that it is out of band.
func TestSourcesAgree(t *testing.T) {
	same := facts("page", patch.Release{Branch: "26100", Version: "26100.3775", KB: "KB5055523", Date: day("2025-04-08")})
	oob := facts("list", patch.Release{Branch: "22631", Version: "22631.5192", KB: "KB5058919", Date: day("2025-04-08")})
	page := facts("page2", patch.Release{Branch: "22631", Version: "22631.5192", KB: "KB5058919", Date: day("2025-04-11"), Kind: patch.OOB})
	b := patch.NewBook(builtin(t), same, oob, page)
	r, err := patch.NewChecker(b, at("2025-04-15 09:00"), nil).Check(win("Windows 11", "10.0.26100.3476"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ms-windows11", "msrc-2025-04", "page"}, r.Needed.Sources); diff != "" || len(b.Clashes()) > 0 {
		t.Errorf("%v: %s", b.Clashes(), diff)
	}
	if r, err = patch.NewChecker(b, at("2025-04-15 09:00"), nil).Check(win("Windows 11", "10.0.22631.5189")); err != nil || r.Status != patch.OK {
		t.Errorf("%v, %v", r.Status, err)
	}
}

// TestDeadlineOfLaterExploitation starts the clock anew when CISA takes a weakness
// into its catalogue, and never gives more time than there was.
func TestDeadlineOfLaterExploitation(t *testing.T) {
	f := facts("x", patch.Release{Branch: "26100", Version: "26100.4061", KB: "KB5058411", Date: day("2025-05-13"), CVEs: []string{"CVE-2031-1"}})
	for _, tc := range []struct {
		name, kev, now, want string
		overdue              int
	}{
		{"NotYetKnown", "2025-06-20", "2025-05-20 09:00", "C R14 05-30", 0},
		{"SoonAfter", "2025-05-19", "2025-05-21 09:00", "B R11 05-27", 0},
		{"LongAfter", "2025-06-20", "2025-06-25 09:00", "C R14 05-30", 26},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f.Vulnerabilities = []patch.Vulnerability{{CVE: "CVE-2031-1", KEVAdded: day(tc.kev), Severity: "critical", Sources: []string{"x"}}}
			r, err := patch.NewChecker(patch.NewBook(builtin(t), f), at(tc.now), nil).Check(win("Windows 11", "10.0.26100.3775"))
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprintf("%s %s %s", r.Grade, r.Row, r.Due.Format("01-02"))
			if diff := cmp.Diff(tc.want, got); diff != "" || r.Overdue != tc.overdue {
				t.Errorf("%d days over: %s", r.Overdue, diff)
			}
		})
	}
}

func TestKEVWithoutReleases(t *testing.T) {
	f := facts("kev")
	f.Vulnerabilities = []patch.Vulnerability{{CVE: "CVE-2031-2", Vendor: "Fortinet", Product: "FortiOS", KEVAdded: day("2025-04-01"), Sources: []string{"kev"}}}
	e := inventory.Entry{Kind: inventory.Firmware, Device: "fw-1", Vendor: "Fortinet", Product: "FortiGate", Version: "v7.4.5 build2702"}
	r, err := patch.NewChecker(patch.NewBook(builtin(t), f), at("2025-04-11 09:00"), nil).Check(e)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("unknown-product *no-facts *exploited-in-kev", line(&r)); diff != "" || len(r.KEV) != 1 {
		t.Errorf("%v %s", r.KEV, diff)
	}
}

func TestFactsRefused(t *testing.T) {
	for name, s := range map[string]string{
		"NotJSON":      `{`,
		"OtherSchema":  `{"schema":"sekisho.verdict/v1"}`,
		"NoSource":     `{"schema":"sekisho.patch-facts/v1","releases":[{"product":"windows","branch":"26100","version":"26100.1","date":"2025-01-01","kind":"security"}]}`,
		"BadDate":      `{"schema":"sekisho.patch-facts/v1","sources":[{"id":"a","as_of":"yesterday"}]}`,
		"BadKind":      `{"schema":"sekisho.patch-facts/v1","sources":[{"id":"a"}],"releases":[{"product":"w","branch":"1","version":"1","date":"2025-01-01","kind":"nice","sources":["a"]}]}`,
		"NoReason":     `{"schema":"sekisho.patch-facts/v1","sources":[{"id":"a"}],"corrections":[{"product":"w","branch":"1","kb":"KB1","from":"1","sources":["a"]}]}`,
		"NoPopulation": `{"schema":"sekisho.patch-facts/v1","sources":[{"id":"a"}],"months":[{"vendor":"w","released":"2025-01-01","sources":["a"]}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := patch.ParseFacts([]byte(s)); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// TestManyDevices holds the comparison to its speed.
func TestManyDevices(t *testing.T) {
	c := patch.NewChecker(patch.NewBook(builtin(t)), at("2026-07-31 09:00"), nil)
	start := time.Now()
	for i := range 5000 {
		if _, err := c.Check(win("Windows", fmt.Sprintf("10.0.26100.%d", 1000+i))); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("%v", took)
	}
}

func FuzzCheck(f *testing.F) {
	book := patch.NewBook(builtin(f))
	for _, s := range [][4]string{{"Windows", "10.0.26100.3775", "Pro", ""}, {"Microsoft 365", "16.0.18925.20158", "", "Current"}, {"Zoom", "6.4.63669", "", ""}, {"Java", "8u441", "", ""}} {
		f.Add(s[0], s[1], s[2], s[3])
	}
	f.Fuzz(func(t *testing.T, product, version, ed, ch string) {
		c := patch.NewChecker(book, at("2026-07-31 09:00"), nil)
		r, err := c.Check(inventory.Entry{Kind: inventory.Software, Product: product, Version: version, Edition: ed, Channel: ch})
		if err != nil || r.Status == "" {
			t.Errorf("%+v, %v", r, err)
		}
		if (r.Status == patch.Behind) != (r.Grade != "" && r.Status == patch.Behind) {
			t.Errorf("behind without a grade: %+v", r)
		}
	})
}
