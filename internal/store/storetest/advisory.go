package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/advisory"
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
}
