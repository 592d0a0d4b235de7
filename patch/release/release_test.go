package release_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	packs "github.com/sekisho/sekisho/packs/patch"
	"github.com/sekisho/sekisho/patch"
	"github.com/sekisho/sekisho/patch/release"
)

func book(t testing.TB) *patch.Book {
	t.Helper()
	f, err := patch.ParseFacts(packs.Facts())
	if err != nil {
		t.Fatal(err)
	}
	return patch.NewBook(f)
}

var now = time.Date(2025, time.April, 10, 0, 0, 0, 0, time.UTC)

func read(t *testing.T, text string, o release.Options) *release.Document {
	t.Helper()
	o.Now = now
	if o.ID == "" {
		o.ID = "test"
	}
	d, err := release.Read([]byte(text), book(t), &o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParseTitle(t *testing.T) {
	for _, tc := range []struct{ name, title, want string }{
		{"Security", "April 8, 2025—KB5055523 (OS Build 26100.3775)", "2025-04-08 KB5055523 security 26100.3775"},
		{"TwoBuilds", "July 28, 2026—KB5101684 (OS Builds 26200.8973 and 26100.8973) Preview", "2026-07-28 KB5101684 preview 26200.8973 26100.8973"},
		{"Hotpatch", "May 13, 2025—Hotpatch KB5058497 (OS Build 26100.3981)", "2025-05-13 KB5058497 hotpatch 26100.3981"},
		{"OutOfBand", "April 11, 2025—KB5058919 (OS Builds 22621.5192 and 22631.5192) Out-of-band", "2025-04-11 KB5058919 oob 22621.5192 22631.5192"},
		{"Hyphen", "July 14, 2026 - KB5101649 (OS Build 28000.2525)", "2026-07-14 KB5101649 security 28000.2525"},
		{"NoBreakSpace", "April\u00a08, 2025—KB5055518 (OS\u00a0Builds 19044.5737 and 19045.5737)", "2025-04-08 KB5055518 security 19044.5737 19045.5737"},
		{"NoDate", "KB5055523 (OS Build 26100.3775)", ""},
		{"NoBuild", "April 8, 2025—KB5055523", ""},
		{"Other", "Windows 11 known issues", ""},
		{"WrongMonth", "Apryl 8, 2025—KB5055523 (OS Build 26100.3775)", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := release.ParseTitle(tc.title)
			s := ""
			if ok {
				s = strings.Join(append([]string{got.Date.String(), got.KB, string(got.Kind)}, got.Builds...), " ")
			}
			if diff := cmp.Diff(tc.want, s); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// cvrf writes a month with the statements about fixes of one vulnerability each.
func cvrf(fixes ...[3]string) string {
	products := map[string]string{}
	var tree, vulns []string
	for i, f := range fixes {
		id, ok := products[f[0]]
		if !ok {
			id = strconv.Itoa(10000 + i)
			products[f[0]] = id
			tree = append(tree, fmt.Sprintf(`{"ProductID":%q,"Value":%q}`, id, f[0]))
		}
		vulns = append(vulns, fmt.Sprintf(`{"Title":{"Value":"Kiso Driver Elevation of Privilege Vulnerability"},"CVE":"CVE-2031-%d","ProductStatuses":[{"ProductID":[%q],"Type":3}],
"Threats":[{"Description":{"Value":%q},"ProductID":[%q],"Type":3},{"Description":{"Value":"Publicly Disclosed:No;Exploited:%s;Latest Software Release:Exploitation Detected"},"Type":1}],
"Remediations":[{"Description":{"Value":%q},"ProductID":[%q],"Type":2,"SubType":"Security Update","FixedBuild":%q}]}`,
			10000+i, id, map[bool]string{true: "Critical", false: "Important"}[i == 0], id, map[bool]string{true: "Yes", false: "No"}[i == 1], f[1], id, f[2]))
	}
	return `{"DocumentTitle":{"Value":"April 2031 Security Updates"},"DocumentType":{"Value":"Security Update"},"DocumentTracking":{"Identification":{"ID":{"Value":"2031-Apr"}},"Version":"1.0","InitialReleaseDate":"2025-04-08T07:00:00Z","CurrentReleaseDate":"2025-04-08T07:00:00Z"},
"ProductTree":{"FullProductName":[` + strings.Join(tree, ",") + `]},"Vulnerability":[` + strings.Join(vulns, ",") + `]}`
}

func TestCVRF(t *testing.T) {
	d := read(t, cvrf(
		[3]string{"Windows 11 Version 24H2 for x64-based Systems", "5055523", "10.0.26100.3775"},
		[3]string{"Windows 11 Version 24H2 for ARM64-based Systems", "5055523", "10.0.26100.3775"},
		[3]string{"Windows 11 Version 24H2 for x64-based Systems", "5055523", "10.0.26100.3700"},  // outvoted
		[3]string{"Windows 11 Version 24H2 for x64-based Systems", "5055528", "10.0.22631.5189"},  // of another product
		[3]string{"Windows Server 2025 (Server Core installation)", "5055523", "10.0.26100.3775"}, // a family of its own
		[3]string{"Windows 11 Version 23H2 for x64-based Systems", "5055528", "10.0.22621.5189"},  // the same updates
		[3]string{"Windows Server 2022, 23H2 Edition (Server Core installation)", "5055527", "10.0.25398.1551"},
		[3]string{"Windows 10 Version 22H2 for x64-based Systems", "5055518", "soon"},
		[3]string{"Azure Linux 3.0 x64", "", ""},
		[3]string{"Windows Server 2016", "5055521", "10.0.14393.1"},
		[3]string{"Windows Server 2016", "5055521", "10.0.14393.2"}, // a draw
	), release.Options{})
	var got []string
	for _, r := range d.Facts.Releases {
		got = append(got, fmt.Sprintf("%s %s %s %s %d", r.Product, r.Version, r.KB, r.Date, len(r.CVEs)))
	}
	want := []string{
		"windows 22631.5189 KB5055528 2025-04-08 1", "windows 26100.3775 KB5055523 2025-04-08 3",
		"windows-server 25398.1551 KB5055527 2025-04-08 1", "windows-server 26100.3775 KB5055523 2025-04-08 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = nil
	for _, x := range d.Facts.Doubts {
		got = append(got, fmt.Sprintf("%s %s %s %d", x.Code, x.KB, x.Says, x.Times))
	}
	want = []string{
		"not-a-build KB5055518 soon 1", "outvoted KB5055521 14393.1 1", "outvoted KB5055521 14393.2 1", "outvoted KB5055523 26100.3700 1", "wrong-branch KB5055528 10.0.22631.5189 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	m := d.Facts.Months[0]
	if m.Total != 10 || m.Critical != 1 || len(m.Exploited) != 1 || m.Population.EN == "" {
		t.Errorf("%+v", m)
	}
	// What it says must pass as a file of facts.
	if b := patch.NewBook(&d.Facts); len(b.Clashes()) > 0 {
		t.Errorf("%+v", b.Clashes())
	}
}

func TestKEV(t *testing.T) {
	d := read(t, `{"title":"CISA Catalog of Known Exploited Vulnerabilities","catalogVersion":"2031.01.01","dateReleased":"2031-01-01T00:00:00Z","count":1,"vulnerabilities":[
{"cveID":"CVE-2031-10001","vendorProject":"Kiso","product":"Router","vulnerabilityName":"Kiso Router Weakness","dateAdded":"2031-01-01","shortDescription":"x","requiredAction":"y","dueDate":"2031-01-22","knownRansomwareCampaignUse":"Known","notes":""}]}`, release.Options{})
	want := patch.Vulnerability{CVE: "CVE-2031-10001", Title: d.Facts.Vulnerabilities[0].Title, Vendor: "Kiso", Product: "Router", Ransomware: true, Sources: []string{"test"}}
	want.KEVAdded, _ = patch.ParseDate("2031-01-01")
	if diff := cmp.Diff([]patch.Vulnerability{want}, d.Facts.Vulnerabilities); diff != "" || d.Kind != release.KEV {
		t.Errorf("%s %s", d.Kind, diff)
	}
}

func TestEndOfLife(t *testing.T) {
	for _, tc := range []struct{ name, product, text, want string }{
		{"Older", "windows", `[{"cycle":"11-24h2-w","eol":"2026-10-13","latest":"10.0.26100"},{"cycle":"10-22h2","eol":"2025-10-14","extendedSupport":"2028-10-10","latest":"10.0.19045"},{"cycle":"11-24h2-iot-lts","eol":"2034-10-10","latest":"10.0.26100"},{"cycle":"12","eol":false,"latest":"10.0.33333"}]`, "26100 home-pro 2026-10-13  19045  2025-10-14 2028-10-10"},
		{"Newer", "", `{"schema_version":"1.2.0","result":{"name":"windows","label":"Microsoft Windows","releases":[{"name":"11-24h2-e","eolFrom":"2027-10-12","latest":{"name":"10.0.26100"}}]}}`, "26100 enterprise-education 2027-10-12 "},
		{"Java", "java", `[{"cycle":"17","eol":"2026-09-30","extendedSupport":"2029-09-30","latest":"17.0.20"}]`, "17  2026-09-30 2029-09-30"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := read(t, tc.text, release.Options{Product: tc.product})
			var got []string
			for _, b := range d.Facts.Branches {
				got = append(got, fmt.Sprintf("%s %s %s %s", b.ID, b.Ends[0].Edition, b.Ends[0].Date, b.Ends[0].Extended))
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, " ")); diff != "" || d.Kind != release.EndOfLife {
				t.Errorf("%s %s", d.Kind, diff)
			}
		})
	}
}

func TestTitles(t *testing.T) {
	d := read(t, `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Windows 11 update history</title><id>urn:x</id><updated>2025-05-13T17:00:00Z</updated>
<entry><id>1</id><title>May 13, 2025—KB5058411 (OS Build 26100.4061)</title><link href="https://support.example/1"/><updated>2025-05-13T17:00:00Z</updated></entry>
<entry><id>2</id><title>May 13, 2025—KB5058411 update for Windows Server 2025 (OS Build 26100.4061)</title><link href="https://support.example/windows-server-2"/><updated>2025-05-13T17:00:00Z</updated></entry>
<entry><id>3</id><title>Known issues</title><link href="https://support.example/3"/><updated>2025-05-13T17:00:00Z</updated></entry></feed>`, release.Options{})
	var got []string
	for _, r := range d.Facts.Releases {
		got = append(got, r.Product+" "+r.Version+" "+string(r.Kind))
	}
	if diff := cmp.Diff([]string{"windows 26100.4061 security", "windows-server 26100.4061 security"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRefused(t *testing.T) {
	for name, text := range map[string]string{
		"Empty": "", "Page": "<html><body>blocked</body></html>", "OtherJSON": `{"a":1}`, "NoTitles": `<rss version="2.0"><channel><title>x</title><item><title>y</title></item></channel></rss>`, "EndsOfNothing": `[{"cycle":"1","eol":"2025-01-01"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := release.Read([]byte(text), book(t), &release.Options{ID: "x", Now: now}); !errors.Is(err, release.ErrUnknown) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestSharedDocuments reads real documents, where they are.
func TestSharedDocuments(t *testing.T) {
	dir := os.Getenv("SEKISHO_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	data, err := os.ReadFile(filepath.Join(dir, "data", "advisory", "kev", "known_exploited_vulnerabilities.json"))
	if err != nil {
		t.Skip("the shared data is not there")
	}
	d := read(t, string(data), release.Options{})
	b := patch.NewBook(&d.Facts)
	if v, ok := b.Vulnerability("CVE-2025-29824"); !ok || v.KEVAdded.String() != "2025-04-08" || !v.Ransomware {
		t.Errorf("%+v", v)
	}
}

func FuzzRead(f *testing.F) {
	b := book(f)
	f.Add([]byte(cvrf([3]string{"Windows 11 Version 24H2 for x64-based Systems", "5055523", "10.0.26100.3775"})))
	f.Add([]byte(`[{"cycle":"17","eol":"2026-09-30"}]`))
	f.Add([]byte(`{"schema_version":"1","result":{"name":"windows"}}`))
	f.Add([]byte("[ "))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := release.Read(data, b, &release.Options{ID: "x", Product: "java", Now: now})
		if err != nil {
			return
		}
		for _, r := range d.Facts.Releases {
			if _, ok := patch.ParseVersion(r.Version); !ok {
				t.Errorf("%+v", r)
			}
		}
	})
}
