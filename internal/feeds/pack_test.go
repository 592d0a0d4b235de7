package feeds_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/feeds"
)

func TestLoadBuiltin(t *testing.T) {
	dir := folder(t, map[string]string{"a.yml": good})
	set, err := feeds.Load(t.Context(), []string{dir, feeds.Builtin, feeds.Builtin}, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i := range set.Rules {
		r := &set.Rules[i]
		if r.Builtin() != (i > 0) {
			t.Errorf("rule %d, %s: built in is %t", i, r.File, r.Builtin())
		}
		if !r.OK() || seen[r.ID()] {
			t.Errorf("%s: usable %t, met before %t", r.File, r.OK(), seen[r.ID()])
		}
		seen[r.ID()] = true
		if want := filepath.ToSlash(r.File); r.Builtin() && want != r.ID()+".yml" {
			t.Errorf("%s has the ID %s", r.File, r.ID())
		}
	}
	if len(set.Rules) < 50 || len(set.Unread) > 0 {
		t.Errorf("%d rules, unread: %v", len(set.Rules), set.Unread)
	}
}

func TestBuiltinSign(t *testing.T) {
	got := map[string]string{}
	for _, id := range []string{"sekisho/lure/refund", "sekisho/sender/jp-bank", "sekisho/deceptive-link", "9b0b1a52", "other/lure/x"} {
		got[id] = feeds.BuiltinSign(id)
	}
	want := map[string]string{
		"sekisho/lure/refund": feeds.SignLure, "sekisho/sender/jp-bank": feeds.SignSender, "sekisho/deceptive-link": "", "9b0b1a52": "", "other/lure/x": "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
