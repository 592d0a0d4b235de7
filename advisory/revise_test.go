package advisory_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/lang"
)

func brief() *advisory.Document {
	return &advisory.Document{
		ID: "00", Title: lang.Text{JA: "題名", EN: "Title"}, Steps: []advisory.Step{},
		Holes: []advisory.Missing{{Field: "organisation.report", What: lang.Text{JA: "報告方法", EN: "how to report"}}},
		Drafts: []advisory.Draft{{
			Audience: advisory.Staff, Lang: lang.EN, Subject: "Subject", Lines: []advisory.Line{
				{ID: "review", Kind: advisory.KindReview, Text: "[DRAFT] Read it first."},
				{ID: "why", Kind: advisory.KindText, Text: "To report: [FILL IN: how to report]"},
			},
		}},
	}
}

func TestRevise(t *testing.T) {
	was := brief()
	lines := []advisory.Line{
		{Kind: advisory.KindText, Text: "Tell\u200b us."}, {Kind: advisory.KindSource, Text: "An article"}, {Kind: advisory.KindSource, Text: "https://news.example/a"},
	}
	got, ok := advisory.Revise(was, advisory.Staff, lang.EN, "New\nsubject", lines)
	if !ok {
		t.Fatal("no such draft")
	}
	m := got.Draft(advisory.Staff, lang.EN)
	want := []advisory.Line{
		{ID: "review", Kind: advisory.KindReview, Text: "[DRAFT] Read it first."}, {Kind: advisory.KindText, Text: "Tell us."},
		{Kind: advisory.KindSource, Text: "An article", URL: "https://news.example/a"},
	}
	if d := cmp.Diff(want, m.Lines); d != "" || m.Subject != "New subject" || !strings.Contains(m.BodyText, "Tell us.") || !strings.Contains(m.BodyHTML, "Tell us.") {
		t.Errorf("%s\n%s\n%s", d, m.Subject, m.BodyText)
	}
	if len(got.Holes) > 0 || len(was.Holes) != 1 || got.ID == was.ID || was.Draft(advisory.Staff, lang.EN).Subject != "Subject" {
		t.Errorf("holes %v, id %s; before: %v", got.Holes, got.ID, was.Holes)
	}
	back, _ := advisory.Revise(got, advisory.Staff, lang.EN, "Subject", was.Drafts[0].Lines)
	again, _ := advisory.Revise(was, advisory.Staff, lang.EN, "Subject", was.Drafts[0].Lines)
	if back.ID == again.ID {
		t.Error("going back has the id of the first")
	}
	if _, ok := advisory.Revise(was, advisory.Manager, lang.EN, "x", nil); ok {
		t.Error("a draft that is not there was revised")
	}
}

func TestUnfilled(t *testing.T) {
	for _, tc := range []struct {
		name string
		line advisory.Line
		want []string
	}{
		{"Nothing", advisory.Line{Kind: advisory.KindText, Text: "Tell us (ext. 1234)."}, nil},
		{"Hole", advisory.Line{Kind: advisory.KindText, Text: "To report: [FILL IN: how to report] or [FILL IN: who]"}, []string{"[FILL IN: how to report]", "[FILL IN: who]"}},
		{"Japanese", advisory.Line{Kind: advisory.KindContact, Text: "内線【要記入: 内線番号】"}, []string{"【要記入: 内線番号】"}},
		{"Cut", advisory.Line{Kind: advisory.KindText, Text: "【要記入 内線"}, []string{"【要記入"}},
		{"Braces", advisory.Line{Kind: advisory.KindText, Text: "Call {extension} or {内線番号}."}, []string{"{extension}", "{内線番号}"}},
		{"Nested", advisory.Line{Kind: advisory.KindText, Text: "{{name}}"}, []string{"{name}"}},
		{"Command", advisory.Line{Kind: advisory.KindCommand, Text: "Get-Mailbox | Where {name}"}, nil},
		{"Code", advisory.Line{Kind: advisory.KindText, Text: "a set { x; y }"}, nil},
		{"Open", advisory.Line{Kind: advisory.KindText, Text: strings.Repeat("{", 1000)}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := &advisory.Document{Drafts: []advisory.Draft{{Lines: []advisory.Line{tc.line}}}}
			if diff := cmp.Diff(tc.want, advisory.Unfilled(d)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The content is the same bytes after it was written and read, and other bytes
// after any change.
func TestCanonical(t *testing.T) {
	bytes := func(d *advisory.Document) string {
		b, err := d.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	d := brief()
	want := bytes(d)
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var back advisory.Document
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	if got := bytes(&back); got != want {
		t.Errorf("%s\n%s", want, got)
	}
	d.Lint = []advisory.Remark{{Rule: "L01"}}
	if got := bytes(d); got != want {
		t.Error("what the linter says is part of the content")
	}
	for _, change := range []func(*advisory.Document){
		func(d *advisory.Document) { d.Drafts[0].Subject += " " }, func(d *advisory.Document) { d.Drafts[0].BodyHTML = "x" },
		func(d *advisory.Document) { d.Drafts[0].Lines[1].URL = "https://x.example" }, func(d *advisory.Document) { d.Due = "2026-05-08" },
		func(d *advisory.Document) { d.Drafts[0].Lang = lang.JA }, func(d *advisory.Document) { d.Title.JA, d.Title.EN = d.Title.EN, d.Title.JA },
	} {
		c := brief()
		change(c)
		if bytes(c) == want {
			t.Error("a change is not seen")
		}
	}
}

func TestFinal(t *testing.T) {
	d := brief()
	f := advisory.Final(d, lang.Text{JA: "承認: 佐藤", EN: "Approved by Sato"})
	m := f.Draft(advisory.Staff, lang.EN)
	if strings.Contains(m.BodyText+m.BodyHTML, "DRAFT") || f.Review.EN != "Approved by Sato" || len(d.Drafts[0].Lines) != 2 {
		t.Errorf("%s\n%v", m.BodyText, d.Drafts[0].Lines)
	}
}
