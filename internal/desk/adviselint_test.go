package desk_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
)

// advised is the advisory about the campaign of the examples.
func advised(t *testing.T) (*desk.AdviseInput, *advisory.Document, desk.AdviseDeps) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "examples", "news", "conduct-campaign.html"))
	if err != nil {
		t.Fatal(err)
	}
	in, err := desk.ReadArticle(data, "conduct-campaign.html", nil)
	if err != nil {
		t.Fatal(err)
	}
	deps := desk.AdviseDeps{
		Facts: org.Facts{
			Domains: org.Of([]string{"kiso-works.example"}), Products: org.Of([]string{"microsoft-365"}), Country: org.Of("JP"),
			Contacts: org.Of(map[string]org.Contact{"it": {Name: "IT desk", Extension: "1234", Mail: "it@kiso-works.example"}}),
			Report:   org.Of(org.Report{How: "forward-as-attachment", To: "it@kiso-works.example"}),
		},
		Now: func() time.Time { return time.Date(2026, 5, 8, 9, 0, 0, 0, time.FixedZone("JST", 9*3600)) },
	}
	doc, _, err := desk.Advise(in, deps)
	if err != nil {
		t.Fatal(err)
	}
	return in, doc, deps
}

// A draft comes back from its file as it was written, and tells whose it is.
func TestReadDraft(t *testing.T) {
	_, doc, deps := advised(t)
	for i := range doc.Drafts {
		d := &doc.Drafts[i]
		name := string(d.Audience) + "." + string(d.Lang)
		t.Run(name, func(t *testing.T) {
			want := &desk.EditedDraft{Advisory: doc.ID, Audience: d.Audience, Lang: d.Lang, Subject: d.Subject, Body: d.BodyText}
			var b bytes.Buffer
			if err := advisory.WriteEML(&b, d, desk.DraftEnvelope(doc, d, &deps)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, desk.ReadDraft(b.Bytes())); diff != "" {
				t.Error(diff)
			}
			got := desk.ReadDraft([]byte("\ufeff" + strings.ReplaceAll(d.Subject+"\n\n"+d.BodyText, "\n", "\r\n")))
			if got.Subject != d.Subject || got.Body != d.BodyText {
				t.Errorf("the text has subject %q and body %q", got.Subject, got.Body)
			}
			if a, l := desk.DraftName(name + ".txt"); a != d.Audience || l != d.Lang {
				t.Errorf("%s.txt is the draft of %q in %q", name, a, l)
			}
		})
	}
	if a, l := desk.DraftName("notice.ja.txt"); a != "" || l != "" {
		t.Errorf("a name that says nothing: %q %q", a, l)
	}
	if d := desk.ReadDraft([]byte("Subject: [Notice] x\n\nBody\n")); d.Subject != "[Notice] x" || d.Body != "Body\n" {
		t.Errorf("%+v", d)
	}
}

// The advisory of the program has no error, as JSON too; a draft that claims
// more than its source has.
func TestLintAdvisory(t *testing.T) {
	in, doc, deps := advised(t)
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	back, ok, err := desk.ReadAdvisory(b)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if r := desk.LintAdvisory(back, nil, in.Items, &deps); r.Errors != 0 || r.Sources != 1 || r.Audience != "" {
		t.Errorf("%+v", r)
	}
	was := back.Draft(advisory.Staff, lang.EN)
	for _, tc := range []struct{ name, old, text, rule string }{
		{"Number", "35,000", "45,000", "L08"},
		{"StrongerClaim", "were targeted", "were compromised", "L09"},
		{"Urgent", "Deadline: none (if it concerns you: as soon as you notice)", "Deadline: today, immediately", "L01"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if !strings.Contains(was.BodyText, tc.old) {
				t.Fatalf("the draft has no %q:\n%s", tc.old, was.BodyText)
			}
			d := &desk.EditedDraft{Audience: advisory.Staff, Lang: lang.EN, Subject: was.Subject, Body: strings.Replace(was.BodyText, tc.old, tc.text, 1)}
			r := desk.LintAdvisory(back, d, in.Items, &deps)
			if r.Errors == 0 || !slices.ContainsFunc(r.Remarks, func(m advisory.Remark) bool { return m.Rule == tc.rule }) {
				t.Errorf("no remark of rule %s in %+v", tc.rule, r.Remarks)
			}
		})
	}
	for _, s := range []string{"", "{}", `{"schema":"other"}`, "text " + advisory.Schema} {
		if _, ok, err := desk.ReadAdvisory([]byte(s)); ok || err != nil {
			t.Errorf("%q is an advisory (%v)", s, err)
		}
	}
	if _, ok, err := desk.ReadAdvisory([]byte(`{"schema":"` + advisory.Schema + `","grade":[]}`)); !ok || err == nil {
		t.Error("a broken advisory was read")
	}
}

// Whatever a file holds, reading it as a draft ends, and gives text that is
// valid and no longer than a charset can make it.
func FuzzReadDraft(f *testing.F) {
	for _, s := range []string{
		"", "\n", "Subject: x\n\ny", "件名: あ\n\nい\n", "From: a@b.example\r\nSubject: =?utf-8?B?44GC?=\r\nContent-Type: multipart/alternative; boundary=\"=_sekisho.staff.ja\"\r\n\r\n--=_sekisho.staff.ja\r\n\r\nx\r\n",
		`{"schema":"sekisho.advisory/v1","drafts":null}`, "X-Unsent: 1\r\nX-Sekisho-Draft: 1\r\n\r\n\xff",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := desk.ReadDraft(data)
		if strings.ToValidUTF8(d.Subject, "") != d.Subject || strings.ToValidUTF8(d.Body, "") != d.Body || len(d.Body) > 4*len(data)+16 {
			t.Errorf("%q", d)
		}
		if (d.Audience == "") != (d.Lang == "") {
			t.Errorf("half a name: %q %q", d.Audience, d.Lang)
		}
		if doc, ok, err := desk.ReadAdvisory(data); ok && err == nil {
			_ = desk.LintAdvisory(doc, d, nil, &desk.AdviseDeps{Now: func() time.Time { return time.Time{}.AddDate(2025, 0, 0) }})
		}
	})
}
