package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/campaign"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// RetroStore is a store of mails that are judged again.
type RetroStore interface {
	desk.MailStore
	desk.RetroStore
	desk.SimilarStore
	Close() error
}

// Retro is the suite of [desk.RetroStore] and [desk.SimilarStore].
func Retro(t *testing.T, open func(t *testing.T, dir string) RetroStore) {
	t.Run("Rejudge", func(t *testing.T) { rejudge(t, open) })
	t.Run("Similar", func(t *testing.T) { similarMails(t, open) })
}

func rejudge(t *testing.T, open func(t *testing.T, dir string) RetroStore) {
	dir := t.TempDir()
	s := open(t, dir)
	var ids []desk.MailID
	for i := range 6 {
		r := mailRecord(i, desk.Clean, "subject")
		r.Kept = at(100 + i/2) // two of the same time
		r.Rules = []string{"old", "", "new"}[i%3]
		_, err := s.KeepMail(t.Context(), r)
		noErr(t, err)
		ids = append(ids, r.ID)
	}
	q := desk.StaleQuery{Rules: "new", Since: at(100), Limit: 2}
	n, err := s.StaleCount(t.Context(), &q)
	noErr(t, err)
	if n != 4 {
		t.Errorf("%d wait", n)
	}
	var order []desk.MailID
	for {
		list, err := s.StaleMails(t.Context(), &q)
		noErr(t, err)
		if len(list) == 0 {
			break
		}
		for i := range list {
			order = append(order, list[i].ID)
			q.After = &list[i]
		}
	}
	if len(order) != 4 || order[0] != ids[4] || order[1] != ids[3] {
		t.Errorf("the order is %v of %v", order, ids)
	}
	since := desk.StaleQuery{Rules: "new", Since: at(101), Limit: 10}
	if list, err := s.StaleMails(t.Context(), &since); err != nil || len(list) != 2 {
		t.Errorf("%v %v", list, err)
	}

	run := desk.RetroRun{Rules: "new", Who: desk.WhoProgram, Started: at(200)}
	noErr(t, s.SaveRetroRun(t.Context(), &run))
	if run.Number != 1 {
		t.Errorf("the first run has number %d", run.Number)
	}
	noErr(t, s.LabelMail(t.Context(), ids[0], desk.LabelPhish))
	v := mailRecord(0, desk.Malicious, "subject").Judged
	v.Score, v.Reason = 90, lang.Text{JA: "新", EN: "new"}
	change := &desk.RetroChange{
		Schema: desk.RetroChangeSchema, Mail: ids[0], At: at(201), Before: desk.Clean, After: desk.Malicious, BeforeRules: "old", AfterRules: "new",
		Gained: []desk.RetroRule{{ID: "r1", Title: lang.Text{JA: "規則", EN: "rule"}, Source: "pack"}}, Lost: []desk.RetroRule{},
	}
	run.Judged, run.Changed, run.Worse = 1, 1, 1
	keep := func(r *desk.Rejudged, want bool) {
		t.Helper()
		got, err := s.KeepRejudged(t.Context(), r, &run)
		noErr(t, err)
		if got != want {
			t.Errorf("kept is %v, want %v", got, want)
		}
	}
	first := &desk.Rejudged{ID: ids[0], Was: "old", Rules: "new", Verdict: v, Change: change}
	if _, err := s.KeepRejudged(cancelled(t), first, &run); err == nil {
		t.Error("kept after the end")
	}
	keep(first, true)
	keep(first, false) // somebody has judged it meanwhile
	keep(&desk.Rejudged{ID: "nobody", Was: "old", Rules: "new"}, false)
	run.Judged = 2
	keep(&desk.Rejudged{ID: ids[1], Was: "", Rules: "new", Verdict: v}, true)
	run.Ended = at(202)
	noErr(t, s.SaveRetroRun(t.Context(), &run))
	noErr(t, s.Close())

	s = open(t, dir)
	defer func() { noErr(t, s.Close()) }()
	m, err := s.Mail(t.Context(), ids[0])
	noErr(t, err)
	if m.Verdict != desk.Malicious || m.Judged.Verdict != desk.Malicious || m.Score != 90 || m.Reason != v.Reason || m.Rules != "new" || m.Label != desk.LabelPhish {
		t.Errorf("%+v", m.MailRow)
	}
	m, err = s.Mail(t.Context(), ids[1])
	noErr(t, err)
	if m.Verdict != desk.Clean || m.Judged.Verdict != desk.Clean || m.Rules != "new" {
		t.Errorf("no rule made a difference: %+v", m.MailRow)
	}
	runs, err := s.RetroRuns(t.Context(), 5)
	noErr(t, err)
	if diff := cmp.Diff([]desk.RetroRun{run}, runs); diff != "" {
		t.Error(diff)
	}
	second := desk.RetroRun{Rules: "newer", Started: at(300)}
	noErr(t, s.SaveRetroRun(t.Context(), &second))
	if runs, err := s.RetroRuns(t.Context(), 1); err != nil || runs[0].Number != 2 {
		t.Errorf("%v %v", runs, err)
	}
	for _, tc := range []struct {
		name string
		q    desk.RetroQuery
		want int
	}{
		{"All", desk.RetroQuery{All: true}, 1},
		{"Mail", desk.RetroQuery{Mail: ids[0]}, 1},
		{"OtherMail", desk.RetroQuery{Mail: ids[1]}, 0},
		{"Worse", desk.RetroQuery{Worse: true, Run: 1}, 1},
		{"OtherRun", desk.RetroQuery{Run: 2}, 0},
		{"Later", desk.RetroQuery{Since: at(202)}, 0},
		{"Labelled", desk.RetroQuery{Open: true}, 0},
	} {
		tc.q.Limit = 10
		got, err := s.RetroChanges(t.Context(), &tc.q)
		noErr(t, err)
		if len(got) != tc.want {
			t.Errorf("%s: %d changes", tc.name, len(got))
		}
		if len(got) == 1 && (got[0].Subject != "subject" || got[0].Label != desk.LabelPhish || got[0].Run != 1 || !cmp.Equal(got[0].Gained, change.Gained) || !got[0].Received.Equal(at(100))) {
			t.Errorf("%s: %+v", tc.name, got[0])
		}
	}
	noErr(t, s.DeleteMail(t.Context(), ids[0], func(string) error { return nil }))
	if got, err := s.RetroChanges(t.Context(), &desk.RetroQuery{All: true, Limit: 10}); err != nil || len(got) != 0 {
		t.Errorf("%v %v", got, err)
	}
}

func similarMails(t *testing.T, open func(t *testing.T, dir string) RetroStore) {
	s := open(t, t.TempDir())
	defer func() { noErr(t, s.Close()) }()
	key := func(sums ...uint64) []campaign.Key {
		var out []campaign.Key
		for _, n := range sums {
			out = append(out, campaign.Key{Sum: n, Weight: 0.5})
		}
		return out
	}
	var ids []desk.MailID
	for i, keys := range [][]campaign.Key{key(1, 2, 1<<63), key(1), key(3), nil} {
		r := mailRecord(i, desk.Clean, "subject")
		if keys != nil {
			r.Traits = &desk.MailTraits{Mails: []desk.IndexedMail{{Mail: campaign.Mail{Subject: "s", Time: at(i)}, SHA256: r.Blob}}, Keys: keys}
		}
		_, err := s.KeepMail(t.Context(), r)
		noErr(t, err)
		ids = append(ids, r.ID)
	}
	find := func(limit int, keys []campaign.Key) (got []desk.MailID) {
		t.Helper()
		n, err := s.SimilarMails(t.Context(), keys, limit, func(id desk.MailID, mails []desk.IndexedMail) bool {
			if len(mails) != 1 || mails[0].Subject != "s" || mails[0].SHA256 == "" || mails[0].Time.Before(at(0)) {
				t.Errorf("%s: %+v", id, mails)
			}
			got = append(got, id)
			return true
		})
		noErr(t, err)
		if n != 4 {
			t.Errorf("%d mails", n)
		}
		return got
	}
	if got := find(10, key(1<<63, 1, 2)); !cmp.Equal(got, ids[:2]) {
		t.Errorf("the most in common does not come first: %v", got)
	}
	if got := find(1, key(1, 2)); !cmp.Equal(got, ids[:1]) {
		t.Errorf("%v", got)
	}
	if got := find(10, nil); got != nil {
		t.Errorf("%v", got)
	}
	calls := 0
	_, err := s.SimilarMails(t.Context(), key(1), 10, func(desk.MailID, []desk.IndexedMail) bool { calls++; return false })
	noErr(t, err)
	if calls != 1 {
		t.Errorf("%d calls after enough", calls)
	}
	bare, err := s.BareMails(t.Context(), 10)
	noErr(t, err)
	if len(bare) != 1 || bare[0].ID != ids[3] || bare[0].Blob == "" {
		t.Errorf("%+v", bare)
	}
	noErr(t, s.KeepTraits(t.Context(), "nobody", &desk.MailTraits{}))
	noErr(t, s.KeepTraits(t.Context(), ids[3], &desk.MailTraits{}))
	noErr(t, s.KeepTraits(t.Context(), ids[1], &desk.MailTraits{Keys: key(9)}))
	if bare, err := s.BareMails(t.Context(), 10); err != nil || len(bare) != 0 {
		t.Errorf("%+v %v", bare, err)
	}
	noErr(t, s.DeleteMail(t.Context(), ids[0], func(string) error { return nil }))
	_, err = s.SimilarMails(t.Context(), key(1, 2), 10, func(id desk.MailID, _ []desk.IndexedMail) bool { t.Errorf("%s is found", id); return true })
	noErr(t, err)
}
