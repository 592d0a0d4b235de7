package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sekisho/sekisho/advisory/digest"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// DigestStore is a store of newsletters that can be closed.
type DigestStore interface {
	desk.DigestStore
	Close() error
}

func digestRecord(number, n int) *desk.DigestRecord {
	return &desk.DigestRecord{
		At: at(n), Hash: fmt.Sprintf("sha256:%d-%d", number, n), Issue: &digest.Issue{
			Schema: digest.Schema, ID: fmt.Sprintf("%d-%d", number, n), Number: number, Name: lang.Text{JA: "2026年5月号", EN: "May 2026"}, From: "2026-05-01", To: "2026-05-31",
			Items: []digest.Item{{Number: 1, ID: "s1", Points: digest.Pair[[]digest.Point]{JA: []digest.Point{{Text: "要点", Lang: lang.JA, Source: 1}}}}},
		},
		Forms: map[string][]byte{"digest.ja.txt": fmt.Appendf(nil, "第%d号 %d", number, n), "empty": {}},
	}
}

// Digests is the suite of [desk.DigestStore].
func Digests(t *testing.T, open func(t *testing.T, dir string) DigestStore) {
	dir := t.TempDir()
	s := open(t, dir)
	none, err := s.Digests(t.Context())
	noErr(t, err)
	if len(none) != 0 {
		t.Errorf("a new store has %v", none)
	}
	keep := func(r *desk.DigestRecord, want int) {
		t.Helper()
		got, err := s.KeepDigest(t.Context(), r)
		noErr(t, err)
		if got != want {
			t.Errorf("%s has version %d, want %d", r.Issue.ID, got, want)
		}
		r.Version = want
	}
	second, first, later := digestRecord(2, 1), digestRecord(1, 1), digestRecord(1, 2)
	keep(second, 1)
	keep(first, 1)
	keep(first, 1) // the same again
	keep(later, 2)
	again := digestRecord(1, 1)
	keep(again, 3) // as it was before the last one: a version of its own
	if _, err := s.KeepDigest(cancelled(t), digestRecord(3, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	noErr(t, s.Close())

	s = open(t, dir)
	defer func() { noErr(t, s.Close()) }()
	list, err := s.Digests(t.Context())
	noErr(t, err)
	want := []desk.DigestRecord{*again, *second}
	for i := range want {
		want[i].Forms = nil
	}
	same := cmp.Options{cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(digest.Update{})}
	if d := cmp.Diff(want, list, same); d != "" {
		t.Error(d)
	}
	for _, tc := range []struct {
		number, version int
		want            *desk.DigestRecord
	}{{1, 0, again}, {1, 1, first}, {1, 2, later}, {2, 0, second}, {1, 4, nil}, {3, 0, nil}} {
		got, err := s.Digest(t.Context(), tc.number, tc.version)
		noErr(t, err)
		if d := cmp.Diff(tc.want, got, same); d != "" {
			t.Errorf("issue %d, version %d: %s", tc.number, tc.version, d)
		}
	}
}
