package storetest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
)

// AuditStore is a store of the audit log that can be closed.
type AuditStore interface {
	desk.AuditStore
	Close() error
}

// Audit is the suite of [desk.AuditStore].
func Audit(t *testing.T, open func(t *testing.T, dir string) AuditStore) {
	dir := t.TempDir()
	s := open(t, dir)
	if r, err := desk.VerifyAudit(t.Context(), s); err != nil || *r != (desk.AuditReport{}) {
		t.Errorf("of an empty log: %v %v", r, err)
	}
	const n = 2100 // more than a store reads at once
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			for i := range n / 3 {
				if err := s.AppendAudit(t.Context(), desk.AuditEntry{At: at(i), Who: desk.WhoAdmin, Act: desk.ActLogin, Object: fmt.Sprintf("%d-%d", w, i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	noErr(t, s.Close())

	s = open(t, dir)
	r, err := desk.VerifyAudit(t.Context(), s)
	noErr(t, err)
	page, err := s.Audit(t.Context(), 0, 2)
	noErr(t, err)
	if r.Entries != n || r.Broken != 0 || len(page) != 2 || r.Head != page[0].Hash {
		t.Errorf("%v %v", r, page)
	}
	page, err = s.Audit(t.Context(), page[1].Number, 1)
	noErr(t, err)
	if diff := cmp.Diff([]int64{n - 2}, numbers(page)); diff != "" {
		t.Error(diff)
	}
	want := desk.AuditEntry{Number: n + 1, At: at(5), Who: desk.WhoTerminal, Act: desk.ActMailDeleted, Object: "o"}
	want.Hash = want.Seal(r.Head)
	noErr(t, s.AppendAudit(t.Context(), desk.AuditEntry{Number: 7, At: at(5), Who: desk.WhoTerminal, Act: desk.ActMailDeleted, Object: "o"}))
	page, err = s.Audit(t.Context(), 0, 1)
	noErr(t, err)
	if diff := cmp.Diff([]desk.AuditEntry{want}, page); diff != "" {
		t.Error(diff)
	}
	noErr(t, s.Close())
}

func numbers(list []desk.AuditEntry) []int64 {
	var out []int64
	for _, e := range list {
		out = append(out, e.Number)
	}
	return out
}
