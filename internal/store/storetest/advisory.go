package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/workflow"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// AdvisoryStore is a store of advisories that can be closed.
type AdvisoryStore interface {
	desk.AdvisoryStore
	Close() error
}

func advisoryRecord(subject string, n int) *desk.AdvisoryRecord {
	return &desk.AdvisoryRecord{Subject: subject, At: at(n), Document: &advisory.Document{
		Schema: advisory.Schema, ID: fmt.Sprintf("%s-%d", subject, n), Issued: "2026-05-08", Title: lang.Text{JA: "題名", EN: "title"},
		Sources: []advisory.Source{{Title: "title", URL: "https://news.example/"}},
	}}
}

// Advisories is the suite of [desk.AdvisoryStore].
func Advisories(t *testing.T, open func(t *testing.T, dir string) AdvisoryStore) {
	dir := t.TempDir()
	s := open(t, dir)
	keep := func(r *desk.AdvisoryRecord, want int) {
		t.Helper()
		got, err := s.KeepAdvisory(t.Context(), r)
		noErr(t, err)
		if got != want {
			t.Errorf("%s has version %d, want %d", r.Document.ID, got, want)
		}
		r.Version = want
	}
	first, second, other := advisoryRecord("s1", 1), advisoryRecord("s1", 2), advisoryRecord("s2", 1)
	keep(first, 1)
	keep(second, 2)
	keep(other, 1)
	keep(first, 1) // the same again
	if _, err := s.KeepAdvisory(cancelled(t), advisoryRecord("s1", 3)); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	noErr(t, s.Close())

	s = open(t, dir)
	defer func() { noErr(t, s.Close()) }()
	list, err := s.Advisories(t.Context(), "s1")
	noErr(t, err)
	if d := cmp.Diff([]desk.AdvisoryRecord{*first, *second}, list); d != "" {
		t.Error(d)
	}
	one, err := s.Advisory(t.Context(), second.Document.ID)
	noErr(t, err)
	if d := cmp.Diff(second, one); d != "" {
		t.Error(d)
	}
	none, err := s.Advisory(t.Context(), "unknown")
	noErr(t, err)
	if none != nil {
		t.Errorf("an advisory that is not there: %v", none)
	}
	newest, err := s.NewestAdvisories(t.Context())
	noErr(t, err)
	if d := cmp.Diff([]desk.AdvisoryRecord{*second, *other}, newest); d != "" {
		t.Error(d)
	}
}

// ReviewStore keeps advisories, their steps and the audit log.
type ReviewStore interface {
	desk.AdvisoryStore
	desk.AuditStore
	Close() error
}

// AdvisorySteps is the suite of the steps of [desk.AdvisoryStore] and of their
// entries in the audit log.
func AdvisorySteps(t *testing.T, open func(t *testing.T, dir string) ReviewStore) {
	dir := t.TempDir()
	s := open(t, dir)
	first := advisoryRecord("s1", 1)
	first.Author, first.Recipients = "Sato", []desk.Recipient{{Audience: advisory.Staff, Address: "all@kiso-works.example"}}
	first.Corrections = desk.Corrections{Lure: "notice", EndedOn: at(3), Slots: map[string]string{"a": "b"}}
	version, err := s.KeepAdvisory(t.Context(), first)
	noErr(t, err)
	first.Version = version
	hash, err := first.Hash()
	noErr(t, err)

	submit := &workflow.Step{Number: 2, ID: first.Document.ID, Version: 1, At: at(2), Who: desk.WhoTerminal, Name: "Sato", Role: workflow.Editor, Act: workflow.Submit, Hash: hash}
	noErr(t, s.KeepAdvisoryStep(t.Context(), "s1", submit, nil))
	again := *submit
	wantKind(t, s.KeepAdvisoryStep(t.Context(), "s1", &again, nil), desk.Conflict)
	gap := *submit
	gap.Number = 4
	wantKind(t, s.KeepAdvisoryStep(t.Context(), "s1", &gap, nil), desk.Conflict)
	early := *submit
	early.Number, early.At = 3, at(1)
	wantKind(t, s.KeepAdvisoryStep(t.Context(), "s1", &early, nil), desk.Conflict)

	// A version that a step makes comes with it or not at all.
	second := advisoryRecord("s1", 5)
	edit := &workflow.Step{Number: 2, At: at(5), Who: desk.WhoTerminal, Name: "Sato", Role: workflow.Editor, Act: workflow.Edit}
	wantKind(t, s.KeepAdvisoryStep(t.Context(), "s1", edit, second), desk.Conflict)
	if r, err := s.Advisory(t.Context(), second.Document.ID); err != nil || r != nil {
		t.Errorf("the version of a step that was refused: %v %v", r, err)
	}
	edit.Number = 3
	noErr(t, s.KeepAdvisoryStep(t.Context(), "s1", edit, second))
	second.Version = 2
	if edit.Hash, err = second.Hash(); err != nil || edit.ID != second.Document.ID || edit.Version != 2 {
		t.Errorf("the step is of version %d, %s: %v", edit.Version, edit.ID, err)
	}
	noErr(t, s.Close())

	s = open(t, dir)
	defer func() { noErr(t, s.Close()) }()
	one, err := s.Advisory(t.Context(), first.Document.ID)
	noErr(t, err)
	if d := cmp.Diff(first, one); d != "" {
		t.Error(d)
	}
	steps, err := s.AdvisorySteps(t.Context(), "s1")
	noErr(t, err)
	keep := workflow.Step{Number: 1, ID: first.Document.ID, Version: 1, At: at(1), Who: desk.WhoTerminal, Name: "Sato", Role: workflow.Editor, Act: workflow.Keep, Hash: hash}
	want := []desk.AdvisoryStep{{Step: keep, Audit: 1}, {Step: *submit, Audit: 2}, {Step: *edit, Audit: 3}}
	if d := cmp.Diff(want, steps); d != "" {
		t.Error(d)
	}
	r, err := desk.VerifyAudit(t.Context(), s)
	noErr(t, err)
	log, err := s.Audit(t.Context(), 0, 10)
	noErr(t, err)
	if r.Entries != 3 || r.Broken != 0 || log[1].Object != desk.AuditOf(submit).Object || log[1].Act != desk.AdvisoryAct(workflow.Submit) {
		t.Errorf("%+v %+v", r, log)
	}
}
