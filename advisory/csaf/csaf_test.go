package csaf_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/csaf"
	"github.com/sekisho/sekisho/lang"
)

func written() *csaf.Document {
	d := &advisory.Document{
		Title:   lang.Text{JA: "行動規範を装うフィッシング", EN: "Phishing disguised as a code of conduct notice"},
		Summary: lang.Text{JA: "要約", EN: "Summary"}, Scope: lang.Text{JA: "範囲", EN: "Scope"}, Response: lang.Text{JA: "対応", EN: "1. Check the logs."},
		Sources: []advisory.Source{{Title: "An article", URL: "https://news.example/a"}, {Title: "A talk"}},
		Drafts: []advisory.Draft{
			{Audience: advisory.Staff, Lang: lang.JA, Subject: "件名", BodyText: "本文\n"},
			{Audience: advisory.Staff, Lang: lang.EN, Subject: "Subject", BodyText: "Body\n"},
		},
	}
	at := time.Date(2026, 5, 8, 9, 0, 0, 0, time.FixedZone("JST", 9*3600))
	return csaf.Write(d, &csaf.Options{
		Publisher: csaf.Publisher{Name: "Kiso Works", Namespace: "https://kiso-works.example"}, Lang: lang.EN, TLP: "AMBER", Subject: "s0123456789abcdef",
		Revisions: []csaf.Released{{At: at, Summary: "First version"}, {At: at.Add(time.Hour), Summary: "Second version"}},
	})
}

func TestWrite(t *testing.T) {
	d := written()
	if p := csaf.Check(d); len(p) > 0 {
		t.Errorf("%+v", p)
	}
	b, err := d.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	text := map[string]any{"category": "general", "title": "Subject", "text": "Body", "audience": "staff"}
	want := map[string]any{"document": map[string]any{
		"category": "csaf_informational_advisory", "csaf_version": "2.0", "lang": "en", "title": "Phishing disguised as a code of conduct notice",
		"distribution": map[string]any{"tlp": map[string]any{"label": "AMBER", "url": "https://www.first.org/tlp/"}},
		"notes": []any{
			map[string]any{"category": "summary", "text": "Summary"}, map[string]any{"category": "description", "text": "Scope"},
			map[string]any{"category": "details", "text": "1. Check the logs."}, text,
		},
		"publisher":  map[string]any{"category": "user", "name": "Kiso Works", "namespace": "https://kiso-works.example"},
		"references": []any{map[string]any{"category": "external", "summary": "An article", "url": "https://news.example/a"}},
		"tracking": map[string]any{
			"current_release_date": "2026-05-08T01:00:00Z", "initial_release_date": "2026-05-08T00:00:00Z", "id": "sekisho-s0123456789abcdef",
			"generator": map[string]any{"engine": map[string]any{"name": "sekisho"}}, "status": "final", "version": "2",
			"revision_history": []any{
				map[string]any{"date": "2026-05-08T00:00:00Z", "number": "1", "summary": "First version"},
				map[string]any{"date": "2026-05-08T01:00:00Z", "number": "2", "summary": "Second version"},
			},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("sekisho-s0123456789abcdef.json", d.FileName()); diff != "" {
		t.Error(diff)
	}
}

// Each rule finds a document that breaks it and nothing else.
func TestCheck(t *testing.T) {
	for _, tc := range []struct {
		name, test, path string
		spoil            func(*csaf.Head)
	}{
		{"Version", "schema", "/document/csaf_version", func(h *csaf.Head) { h.CSAFVersion = "1.2" }},
		{"Title", "schema", "/document/title", func(h *csaf.Head) { h.Title = "" }},
		{"Publisher", "schema", "/document/publisher/name", func(h *csaf.Head) { h.Publisher.Name = "" }},
		{"Namespace", "schema", "/document/publisher/namespace", func(h *csaf.Head) { h.Publisher.Namespace = "kiso works" }},
		{"Role", "schema", "/document/publisher/category", func(h *csaf.Head) { h.Publisher.Category = "firm" }},
		{"Label", "schema", "/document/distribution/tlp/label", func(h *csaf.Head) { h.Distribution.TLP.Label = "CLEAR" }},
		{"NoteCategory", "schema", "/document/notes/0/category", func(h *csaf.Head) { h.Notes[0].Category = "news" }},
		{"NoteText", "schema", "/document/notes/1/text", func(h *csaf.Head) { h.Notes[1].Text = "" }},
		{"ReferenceSummary", "schema", "/document/references/0/summary", func(h *csaf.Head) { h.References[0].Summary = "" }},
		{"ReferenceAddress", "schema", "/document/references/0/url", func(h *csaf.Head) { h.References[0].URL = "news.example" }},
		{"ID", "schema", "/document/tracking/id", func(h *csaf.Head) { h.Tracking.ID = " x" }},
		{"Status", "schema", "/document/tracking/status", func(h *csaf.Head) { h.Tracking.Status = "published" }},
		{"Date", "schema", "/document/tracking/current_release_date", func(h *csaf.Head) { h.Tracking.CurrentReleaseDate = "2026-05-08" }},
		{"RevisionSummary", "schema", "/document/tracking/revision_history/1/summary", func(h *csaf.Head) { h.Tracking.RevisionHistory[1].Summary = "" }},
		{"Sorted", "6.1.14", "/document/tracking/revision_history/1/number", func(h *csaf.Head) { h.Tracking.RevisionHistory[1].Date = "2026-05-07T00:00:00Z" }},
		{"Latest", "6.1.16", "/document/tracking/version", func(h *csaf.Head) { h.Tracking.Version = "3" }},
		{"Twice", "6.1.22", "/document/tracking/revision_history/1/number", func(h *csaf.Head) { h.Tracking.RevisionHistory[1].Number, h.Tracking.Version = "1", "1" }},
		{"Missing", "6.1.21", "/document/tracking/revision_history/1/number", func(h *csaf.Head) { h.Tracking.RevisionHistory[1].Number, h.Tracking.Version = "3", "3" }},
		{"Begin", "6.1.21", "/document/tracking/revision_history/0/number", func(h *csaf.Head) {
			h.Tracking.RevisionHistory[0].Number, h.Tracking.RevisionHistory[1].Number, h.Tracking.Version = "2", "3", "3"
		}},
		{"Unreleased", "6.1.18", "/document/tracking/revision_history/0/number", func(h *csaf.Head) {
			h.Tracking.RevisionHistory[0].Number, h.Tracking.RevisionHistory[1].Number, h.Tracking.Version = "0", "1", "1"
		}},
		{"Mixed", "6.1.30", "/document/tracking/revision_history/0/number", func(h *csaf.Head) {
			h.Tracking.RevisionHistory = h.Tracking.RevisionHistory[:1]
			h.Tracking.RevisionHistory[0].Number, h.Tracking.Version = "1.0.0", "1"
		}},
		{"Category", "6.1.26", "/document/category", func(h *csaf.Head) { h.Category = "csaf_base" }},
		{"NoNote", "6.1.27.1", "/document/notes", func(h *csaf.Head) { h.Notes = nil }},
		{"OnlySelf", "6.1.27.2", "/document/references", func(h *csaf.Head) { h.References[0].Category = "self" }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := written()
			tc.spoil(&d.Document)
			p := csaf.Check(d)
			if len(p) == 0 || p[0].Test != tc.test || p[0].Path != tc.path {
				t.Errorf("found %+v", p)
			}
		})
	}
}
