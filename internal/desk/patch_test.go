package desk_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/patch"
)

// patchStore keeps facts in memory.
type patchStore map[string]*patch.Facts

func (s patchStore) LoadPatchFacts(context.Context) (map[string]*patch.Facts, error) { return s, nil }
func (s patchStore) SavePatchFacts(_ context.Context, id string, f *patch.Facts) error {
	s[id] = f
	return nil
}

var patchZone = time.FixedZone("JST", 9*60*60)

func patchDeps(now string, store patchStore) *desk.PatchDeps {
	t, err := time.ParseInLocation("2006-01-02 15:04", now, patchZone)
	if err != nil {
		panic(err)
	}
	d := &desk.PatchDeps{Facts: org.Facts{Country: org.Of("JP"), Name: org.Of("木曽工業株式会社")}, Now: func() time.Time { return t }}
	if store != nil {
		d.Store = store
	}
	return d
}

func patchExample(t *testing.T, name string) desk.PatchFile {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "examples", "patch", name))
	if err != nil {
		t.Fatal(err)
	}
	return desk.PatchFile{Name: name, Data: b}
}

func patchSummary(p *desk.PatchReport) string {
	var out []string
	for _, c := range p.Counts {
		out = append(out, fmt.Sprintf("%s %d", c.Status, c.N))
	}
	return strings.Join(out, ", ")
}

func TestCheckPatches(t *testing.T) {
	in := &desk.PatchInput{Files: []desk.PatchFile{patchExample(t, "devices.csv"), patchExample(t, "software.csv")}}
	p, err := desk.CheckPatches(t.Context(), in, patchDeps("2025-04-11 09:00", nil))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("behind 7, end-of-life 1, unknown-revision 1, not-reported 1, unknown-product 2, ok 8", patchSummary(p)); diff != "" {
		t.Error(diff)
	}
	if p.Entries != 20 || p.Devices != 12 || p.Exploited != 6 || p.Overdue == 0 || p.Unread != 0 {
		t.Errorf("%d entries of %d devices, %d exploited, %d over", p.Entries, p.Devices, p.Exploited, p.Overdue)
	}
	// Exploited ones first.
	if first := p.Results[0]; first.Status != patch.Behind || len(first.Exploited) == 0 {
		t.Errorf("%+v", first)
	}
	if s := p.Story; s == nil || s.Critical != 11 || len(s.Exploited) != 1 || s.Here.String() != "2025-04-09" || s.Population.JA == "" || s.Next.String() != "2025-05-14" {
		t.Errorf("%+v", s)
	}
	kinds := map[string]int{}
	for _, c := range p.Cautions {
		kinds[c.Kind]++
		if c.Kind == patch.AutomaticUpdate && !cmp.Equal(c.Devices, []string{"KISO-PC-002"}) {
			t.Errorf("%+v", c)
		}
	}
	if kinds[patch.AutomaticUpdate] != 1 || kinds[patch.KnownProblem] != 3 || p.Old {
		t.Errorf("%v, %v", kinds, p.Old)
	}
	for _, r := range p.Results {
		if r.Reason.EN == "" || r.Reason.JA == "" || strings.Contains(r.Reason.EN+r.Reason.JA, "[patch") || strings.Contains(r.Reason.EN+r.Reason.JA, "{") {
			t.Errorf("line %d: %+v", r.Line, r.Reason)
		}
		for _, m := range r.Remarks {
			if strings.Contains(m.Text.EN+m.Text.JA, "[patch") || strings.Contains(m.Text.EN+m.Text.JA, "{") {
				t.Errorf("%+v", m)
			}
		}
	}
}

// TestCheckPatchesOld says that what is called up to date rests on old facts.
func TestCheckPatchesOld(t *testing.T) {
	p, err := desk.CheckPatches(t.Context(), &desk.PatchInput{Files: []desk.PatchFile{patchExample(t, "devices-ja.csv")}}, patchDeps("2026-11-25 09:00", nil))
	if err != nil {
		t.Fatal(err)
	}
	if !p.Old || p.Story != nil {
		t.Errorf("%v, %+v", p.Old, p.Story)
	}
	if notes := desk.PatchNotes(p, lang.EN, nil); !strings.Contains(strings.Join(notes, "\n"), "sekisho patch update") {
		t.Errorf("%q", notes)
	}
}

func TestCheckPatchesUnread(t *testing.T) {
	in := &desk.PatchInput{Files: []desk.PatchFile{{Name: "a.csv", Data: []byte("x,y\n1,2\n")}, {Name: "b.csv", Data: []byte("device,os,os version\nPC-1,Windows,10.0.19045.5737\nPC-2\n")}}}
	p, err := desk.CheckPatches(t.Context(), in, patchDeps("2025-04-11 09:00", nil))
	if err != nil {
		t.Fatal(err)
	}
	if p.Files[0].Error == nil || p.Files[0].Error.Hint.JA == "" || p.Unread != 1 || p.Results[0].File != "b.csv" {
		t.Errorf("%+v", p.Files)
	}
	if notes := strings.Join(desk.PatchNotes(p, lang.JA, nil), "\n"); !strings.Contains(notes, "b.csv の 3 行目") || !strings.Contains(notes, "a.csv: ") {
		t.Error(notes)
	}
}

// TestCheckPatchesMany is the speed that a large office needs.
func TestCheckPatchesMany(t *testing.T) {
	var b strings.Builder
	b.WriteString("Device name,OS,OS version,Last check-in,SKU Family\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "PC-%d,Windows,10.0.%d.%d,2025-04-10 08:00:00,Pro\n", i, []int{26100, 22631, 19045}[i%3], 3000+i)
	}
	start := time.Now()
	p, err := desk.CheckPatches(t.Context(), &desk.PatchInput{Files: []desk.PatchFile{{Name: "x.csv", Data: []byte(b.String())}}}, patchDeps("2025-04-11 09:00", nil))
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 2*time.Second || p.Entries != 5000 {
		t.Errorf("%d entries in %v", p.Entries, took)
	}
}

func TestPatchPage(t *testing.T) {
	in := &desk.PatchInput{Files: []desk.PatchFile{{Name: "x.csv", Data: []byte("device,os,os version\n<script>alert(1)</script>,Windows,10.0.19045.5608\n")}, patchExample(t, "devices.csv")}}
	in.Files = append(in.Files, patchExample(t, "software.csv"))
	p, err := desk.CheckPatches(t.Context(), in, patchDeps("2025-04-11 09:00", nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []desk.PatchAudience{desk.PatchManager, desk.PatchAdmin} {
		for _, l := range []lang.Language{lang.JA, lang.EN} {
			page, err := desk.PatchPage(p, to, l, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, bad := range []string{"<script", "http-equiv=\"refresh\"", "src=", "[patch", "ZgotmplZ", "<no value>"} {
				if strings.Contains(page, bad) {
					t.Errorf("%s %s: %q", to, l, bad)
				}
			}
			if strings.Contains(page, "KISO-PC-002") != (to == desk.PatchAdmin) {
				t.Errorf("%s: names of devices", to)
			}
		}
	}
}

func TestAdvisePatches(t *testing.T) {
	deps := patchDeps("2025-04-11 09:00", nil)
	p, err := desk.CheckPatches(t.Context(), &desk.PatchInput{Files: []desk.PatchFile{patchExample(t, "devices.csv"), patchExample(t, "software.csv")}}, deps)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := desk.AdvisePatches(p, deps)
	if err != nil {
		t.Fatal(err)
	}
	if due, _ := doc.DueDate(); doc.Grade != "B" || due.Format(time.DateOnly) != "2025-04-16" || len(doc.Drafts) != 4 {
		t.Errorf("%s %v, %d drafts", doc.Grade, due, len(doc.Drafts))
	}
	for _, m := range doc.Drafts {
		if m.Audience == "admin" && (!strings.Contains(m.BodyText, "KB5055523") || !strings.Contains(m.BodyText, "CVE-2025-29824") || strings.Contains(m.BodyText, "Adobe")) {
			t.Errorf("%s", m.BodyText)
		}
	}
	ok, err := desk.CheckPatches(t.Context(), &desk.PatchInput{Files: []desk.PatchFile{{Name: "x", Data: []byte("device,os,os version\nA,Windows,10.0.19045.5737\n")}}}, deps)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := desk.AdvisePatches(ok, deps); err == nil {
		t.Error("an advisory about nothing")
	}
}

// patchServer answers with documents by address.
type patchServer map[string]string

func (s patchServer) Get(_ context.Context, address string, _ *desk.FetchOptions) (*desk.Fetched, error) {
	for part, body := range s {
		if !strings.Contains(address, part) {
			continue
		}
		if body == "down" {
			return nil, &desk.Error{Kind: desk.Unavailable, Message: lang.M("patch.error.status", "status", 0)}
		}
		return &desk.Fetched{URL: address, Status: 200, Body: []byte(body), ContentType: "application/json"}, nil
	}
	return &desk.Fetched{URL: address, Status: 404}, nil
}

const patchMonth = `{"DocumentTitle":{"Value":"May 2025 Security Updates"},"DocumentType":{"Value":"Security Update"},"DocumentTracking":{"Identification":{"ID":{"Value":"2025-May"}},"Version":"1.0","InitialReleaseDate":"2025-05-13T07:00:00Z","CurrentReleaseDate":"2025-05-13T07:00:00Z"},
"ProductTree":{"FullProductName":[{"ProductID":"1","Value":"Windows 11 Version 24H2 for x64-based Systems"}]},"Vulnerability":[{"Title":{"Value":"Kiso Weakness"},"CVE":"CVE-2031-10009","ProductStatuses":[{"ProductID":["1"],"Type":3}],"Remediations":[{"Description":{"Value":"5058411"},"ProductID":["1"],"Type":2,"FixedBuild":"10.0.26100.4061"}]}]}`

func TestUpdatePatches(t *testing.T) {
	store := patchStore{}
	server := patchServer{"2025-May": patchMonth, "known_exploited": "down", "windows.json": `[{"cycle":"11-24h2-w","eol":"2026-11-10","latest":"10.0.26100"}]`, "windows-server": "<html>blocked</html>"}
	statuses := func(now string) map[string]string {
		deps := patchDeps(now, store)
		deps.Fetch = server
		list, err := desk.UpdatePatches(t.Context(), &desk.PatchUpdateInput{}, deps)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, r := range list {
			out[r.Source] = string(r.Status)
			if r.Preliminary {
				out[r.Source] += " preliminary"
			}
			if (r.Status == desk.PatchFailed) != (r.Error != nil) {
				t.Errorf("%+v", r)
			}
		}
		return out
	}
	first := statuses("2025-05-14 09:00")
	for id, want := range map[string]string{"msrc-2025-05": "updated preliminary", "msrc-2025-04": "not-yet", "kev": "failed", "endoflife-windows": "updated", "endoflife-windows-server": "failed", "endoflife-java": "failed"} {
		if first[id] != want {
			t.Errorf("%s: %q, want %q", id, first[id], want)
		}
	}
	// What a source says is believed once it reads the same six hours later.
	if s := statuses("2025-05-14 12:00")["msrc-2025-05"]; s != "unchanged preliminary" {
		t.Error(s)
	}
	if s := statuses("2025-05-14 15:01")["msrc-2025-05"]; s != "updated" {
		t.Error(s)
	}
	if s := statuses("2025-05-14 16:00")["msrc-2025-05"]; s != "unchanged" {
		t.Error(s)
	}
	// A failure takes nothing away, and an end that was put off counts.
	server["windows.json"] = "down"
	statuses("2025-05-15 09:00")
	b, err := desk.PatchBook(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	br, _ := b.Branch("windows", "26100")
	if br.Ends[0].Date.String() != "2026-11-10" {
		t.Errorf("%+v", br.Ends)
	}
}

func TestUpdatePatchesFromFiles(t *testing.T) {
	store := patchStore{}
	deps := patchDeps("2025-04-11 09:00", store)
	in := &desk.PatchUpdateInput{Files: []desk.PatchFile{patchExample(t, "own-facts.json"), {Name: "x.html", Data: []byte("<html></html>")}}, DryRun: true}
	list, err := desk.UpdatePatches(t.Context(), in, deps)
	if err != nil || list[0].Status != desk.PatchDryRun || list[1].Status != desk.PatchFailed || len(store) != 0 {
		t.Fatalf("%+v %v", list, err)
	}
	in.DryRun = false
	if _, err := desk.UpdatePatches(t.Context(), in, deps); err != nil || store["file-own-facts-json"] == nil {
		t.Fatalf("%v, %v", store, err)
	}
	p, err := desk.CheckPatches(t.Context(), &desk.PatchInput{Files: []desk.PatchFile{patchExample(t, "firmware.csv")}}, deps)
	if err != nil {
		t.Fatal(err)
	}
	r := p.Results[0]
	if r.Device != "branch router" || r.Status != patch.Behind || r.Grade != "A" || len(r.Exploited) != 1 {
		t.Errorf("%+v", r)
	}
	deps.Fetch = nil
	_, err = desk.UpdatePatches(t.Context(), &desk.PatchUpdateInput{}, deps)
	if e, ok := errors.AsType[*desk.Error](err); !ok || e.Kind != desk.Unavailable {
		t.Errorf("%v", err)
	}
	_, err = desk.UpdatePatches(t.Context(), &desk.PatchUpdateInput{Sources: []string{"nobody"}}, deps)
	if e, ok := errors.AsType[*desk.Error](err); !ok || e.Kind != desk.NotFound {
		t.Errorf("%v", err)
	}
}

func TestPatchDays(t *testing.T) {
	days, events, err := desk.PatchDays(&desk.PatchDaysInput{Year: 2026, Vendors: []string{"oracle"}}, patchDeps("2026-01-01 09:00", nil))
	if err != nil || len(days) != 10 || len(events) != 10 {
		t.Fatalf("%d, %v", len(days), err)
	}
	if d := days[2]; d.Date.String() != "2026-05-28" || d.Here.String() != "2026-05-29" || d.Rule != "oracle-cspu" {
		t.Errorf("%+v", d)
	}
	if _, _, err := desk.PatchDays(&desk.PatchDaysInput{Vendors: []string{"Kiso"}}, patchDeps("2026-01-01 09:00", nil)); err == nil {
		t.Error("an unknown vendor")
	}
}
