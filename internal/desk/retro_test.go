package desk_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/campaign"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/internal/store/sqlite"
)

// retroDesk is a desk whose rules can be changed.
type retroDesk struct {
	desk.RetroDeps
	db    *sqlite.DB
	rules *feeds.Set
	lists *feeds.Lists
	at    time.Time
}

func newRetroDesk(t *testing.T) *retroDesk {
	mail, db := mailDesk(t)
	d := &retroDesk{RetroDeps: desk.RetroDeps{MailDeps: mail, Retro: db, Similar: db}, db: db, at: now()}
	d.Now = func() time.Time { return d.at }
	facts := exampleFacts(t)
	d.Judge = func(context.Context) (desk.JudgeDeps, error) {
		return desk.JudgeDeps{Facts: facts, Now: d.Now, Rules: d.rules, Lists: d.lists}, nil
	}
	return d
}

// load makes rules of conditions, each with a severity.
func (d *retroDesk) load(t *testing.T, rules ...string) {
	t.Helper()
	dir := t.TempDir()
	for i, r := range rules {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("rule%d.yml", i)), []byte(r), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if d.rules, err = desk.LoadRules(t.Context(), []string{dir}, true, nil); err != nil {
		t.Fatal(err)
	}
}

func (d *retroDesk) keep(t *testing.T, raw string) desk.MailID {
	t.Helper()
	got, err := desk.KeepMail(t.Context(), upload(desk.Item{Raw: []byte(raw)}), d.MailDeps)
	if err != nil || got[0].ID == "" {
		t.Fatal(got, err)
	}
	return got[0].ID
}

func (d *retroDesk) verdict(t *testing.T, id desk.MailID) *desk.MailRecord {
	t.Helper()
	m, err := d.db.Mail(t.Context(), id)
	if err != nil || m == nil {
		t.Fatal(m, err)
	}
	return m
}

func ruleOf(id, word, severity string) string {
	return fmt.Sprintf("name: Subject with %s\nid: %s\ntype: rule\nseverity: %s\nsource: strings.icontains(subject.subject, '%s')\n", word, id, severity, word)
}

func plainMail(n int, subject string) string {
	return fmt.Sprintf("Received: from mx.supplier%d.test (mx.supplier%d.test [192.0.2.%d]) by mx.kiso-works.example with ESMTPS; Mon, 23 Nov 2026 09:00:00 +0900\r\n"+
		"From: Aoi <aoi%d@supplier%d.test>\r\nTo: sato@kiso-works.example\r\nSubject: %s\r\nDate: Mon, 23 Nov 2026 09:00:00 +0900\r\nMessage-ID: <%d@supplier%d.test>\r\n\r\nSee you on Friday.\r\n", n, n, n+1, n, n, subject, n, n)
}

const (
	grapesID = "6b0a2c1e-0000-4000-8000-000000000001"
	melonsID = "6b0a2c1e-0000-4000-8000-000000000002"
)

// TestRejudge goes the way of a rule: it comes, catches what was thought to be
// clean, and goes again.
func TestRejudge(t *testing.T) {
	d := newRetroDesk(t)
	d.load(t, ruleOf(melonsID, "melons", "low"))
	caught, other, said := d.keep(t, plainMail(1, "Fresh grapes")), d.keep(t, plainMail(2, "Fresh apples")), d.keep(t, plainMail(3, "Old grapes"))
	if err := desk.LabelMail(t.Context(), said, desk.LabelNotPhish, desk.WhoAdmin, d.MailDeps); err != nil {
		t.Fatal(err)
	}
	old := d.verdict(t, caught)
	if old.Verdict != desk.Clean || old.Rules == "" {
		t.Fatalf("%s by %q", old.Verdict, old.Rules)
	}
	out, err := desk.Rejudge(t.Context(), desk.RetroInput{Who: desk.WhoProgram}, d.RetroDeps)
	if err != nil || out.Judged != 0 || out.Run != 0 {
		t.Fatalf("nothing has changed: %+v %v", out, err)
	}

	d.load(t, ruleOf(melonsID, "melons", "low"), ruleOf(grapesID, "grapes", "high"))
	d.at = d.at.Add(time.Hour)
	dry, err := desk.Rejudge(t.Context(), desk.RetroInput{DryRun: true}, d.RetroDeps)
	if err != nil || dry.Judged != 3 || dry.Changed != 2 || dry.Worse != 2 || len(dry.Changes) != 2 {
		t.Fatalf("%+v %v", dry, err)
	}
	if diff := cmp.Diff(old, d.verdict(t, caught)); diff != "" {
		t.Errorf("looking has changed it: %s", diff)
	}
	out, err = desk.Rejudge(t.Context(), desk.RetroInput{Who: desk.WhoProgram}, d.RetroDeps)
	if err != nil || out.Judged != 3 || out.Changed != 2 || out.Worse != 2 || out.Left != 0 || out.Ended == nil {
		t.Fatalf("%+v %v", out, err)
	}
	m := d.verdict(t, caught)
	if m.Verdict != desk.Malicious && m.Verdict != desk.Suspicious || m.Verdict != m.Judged.Verdict || m.Rules == old.Rules || m.Reason == old.Reason {
		t.Errorf("%s (%s) by %s: %v", m.Verdict, m.Judged.Verdict, m.Rules, m.Reason)
	}
	if m := d.verdict(t, other); m.Verdict != desk.Clean || m.Rules != out.Rules {
		t.Errorf("%s by %s", m.Verdict, m.Rules)
	}
	if m := d.verdict(t, said); m.Label != desk.LabelNotPhish || m.Verdict == desk.Clean {
		t.Errorf("%s, said to be %q", m.Verdict, m.Label)
	}
	changes, err := d.db.RetroChanges(t.Context(), &desk.RetroQuery{Mail: caught, Limit: 10})
	if err != nil || len(changes) != 1 {
		t.Fatal(changes, err)
	}
	c := changes[0]
	if c.Before != desk.Clean || c.After != m.Verdict || len(c.Gained) != 1 || c.Gained[0].ID != grapesID || len(c.Lost) != 0 || c.Run != out.Run || !c.Decide() || c.Subject != "Fresh grapes" {
		t.Errorf("%+v", c)
	}

	// It is what somebody has to look at, once, and with the reason.
	today, err := desk.LookToday(t.Context(), desk.TodayDeps{Mails: d.db, Retro: d.db, Facts: exampleFacts(t), Now: d.Now})
	if err != nil || len(today.Decisions) != 1 || today.Decisions[0].ID != string(caught) || today.Decisions[0].Reason.EN != "Was “clean” until the rules changed. Now matching: Subject with grapes" {
		t.Errorf("%+v %v", today.Decisions, err)
	}
	scores, phish, harmless, err := desk.RuleScores(t.Context(), desk.MaxScored, d.db)
	if err != nil || phish != 0 || harmless != 1 || len(scores) != 1 || scores[0].ID != grapesID || scores[0].FalseAlarms != 1 || scores[0].Caught != 0 {
		t.Errorf("%+v %d %d %v", scores, phish, harmless, err)
	}

	d.load(t, ruleOf(melonsID, "melons", "low"))
	d.at = d.at.Add(time.Hour)
	out, err = desk.Rejudge(t.Context(), desk.RetroInput{Who: desk.WhoProgram}, d.RetroDeps)
	if err != nil || out.Better != 2 || out.Run != 2 {
		t.Fatalf("%+v %v", out, err)
	}
	if m := d.verdict(t, caught); m.Verdict != desk.Clean || m.Rules != old.Rules {
		t.Errorf("%s by %s", m.Verdict, m.Rules)
	}
	today, err = desk.LookToday(t.Context(), desk.TodayDeps{Mails: d.db, Retro: d.db, Facts: exampleFacts(t), Now: d.Now})
	if err != nil || len(today.Decisions) != 0 {
		t.Errorf("%+v %v", today.Decisions, err)
	}
	want := []desk.Act{desk.ActMailKept, desk.ActMailKept, desk.ActMailKept, desk.ActMailNotPhish, desk.ActRetro, desk.ActRetro}
	if diff := cmp.Diff(want, acts(t, d.db)); diff != "" {
		t.Error(diff)
	}
	if err := desk.DeleteMail(t.Context(), caught, desk.WhoAdmin, d.MailDeps); err != nil {
		t.Fatal(err)
	}
	if changes, err := d.db.RetroChanges(t.Context(), &desk.RetroQuery{Mail: caught, All: true, Limit: 10}); err != nil || len(changes) != 0 {
		t.Errorf("what became of a deleted mail is there: %v %v", changes, err)
	}
}

// A run that is stopped goes on as the same run, and does nothing twice.
func TestRejudgeResumes(t *testing.T) {
	d := newRetroDesk(t)
	const n = 7
	for i := range n {
		d.at = now().Add(time.Duration(i) * time.Minute)
		d.keep(t, plainMail(i, fmt.Sprintf("Fresh grapes %d", i)))
	}
	d.load(t, ruleOf(grapesID, "grapes", "high"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	in := desk.RetroInput{Who: desk.WhoProgram, Progress: func(judged, of int) {
		if of != n {
			t.Errorf("%d of %d", judged, of)
		}
		if judged == 3 {
			cancel()
		}
	}}
	out, err := desk.Rejudge(ctx, in, d.RetroDeps)
	if err != nil || out.Judged != 3 || out.Left != n-3 || out.Ended != nil {
		t.Fatalf("%+v %v", out, err)
	}
	if out.Changes[0].Subject != "Fresh grapes 6" {
		t.Errorf("the newest does not come first: %s", out.Changes[0].Subject)
	}
	state, err := desk.RetroState(t.Context(), desk.RetroInput{}, d.RetroDeps)
	if err != nil || state.Left != n-3 || state.Ended != nil || state.Judged != 3 {
		t.Fatalf("%+v %v", state, err)
	}
	in.Progress = nil
	again, err := desk.Rejudge(t.Context(), in, d.RetroDeps)
	if err != nil || again.Judged != n-3 || again.Run != out.Run || again.Ended == nil {
		t.Fatalf("%+v %v", again, err)
	}
	runs, err := d.db.RetroRuns(t.Context(), 10)
	if err != nil || len(runs) != 1 || runs[0].Judged != n || runs[0].Changed != n {
		t.Errorf("%+v %v", runs, err)
	}
	changes, err := d.db.RetroChanges(t.Context(), &desk.RetroQuery{Limit: 100})
	if err != nil || len(changes) != n {
		t.Errorf("%d changes: %v", len(changes), err)
	}
}

// Mail that waits for its first verdict comes first; old mail is left alone, and
// so is mail whose bytes are gone.
func TestRejudgeBounds(t *testing.T) {
	d := newRetroDesk(t)
	d.at = now().AddDate(0, 0, -40)
	d.keep(t, plainMail(1, "Fresh grapes"))
	d.at = now()
	lost := d.keep(t, plainMail(2, "Fresh grapes"))
	d.keep(t, plainMail(3, "Fresh grapes"))
	if err := d.Blobs.DeleteBlob(t.Context(), d.verdict(t, lost).Blob); err != nil {
		t.Fatal(err)
	}
	d.load(t, ruleOf(grapesID, "grapes", "high"))
	asked := 0
	d.Busy = func(context.Context) (bool, error) { asked++; return false, nil }
	out, err := desk.Rejudge(t.Context(), desk.RetroInput{Days: 30}, d.RetroDeps)
	if err != nil || out.Judged != 2 || out.Failed != 1 || out.Changed != 1 || out.Left != 0 || asked != 2 {
		t.Fatalf("%+v, asked %d times: %v", out, asked, err)
	}
	if out, err := desk.Rejudge(t.Context(), desk.RetroInput{Days: 60}, d.RetroDeps); err != nil || out.Judged != 1 {
		t.Errorf("%+v %v", out, err)
	}
	down := errors.New("the queue fails")
	d.Busy = func(context.Context) (bool, error) { return true, down }
	d.load(t, ruleOf(melonsID, "melons", "high"))
	if _, err := desk.Rejudge(t.Context(), desk.RetroInput{}, d.RetroDeps); !errors.Is(err, down) {
		t.Errorf("the error is %v", err)
	}
	for _, days := range []int{-1, desk.MaxRetroDays + 1} {
		if _, err := desk.Rejudge(t.Context(), desk.RetroInput{Days: days}, d.RetroDeps); err == nil {
			t.Errorf("%d days are taken", days)
		}
	}
}

func TestRulesDigest(t *testing.T) {
	d := newRetroDesk(t)
	d.load(t, ruleOf(melonsID, "melons", "low"), ruleOf(grapesID, "grapes", "high"))
	one := desk.RulesDigest(d.rules, nil)
	d.load(t, ruleOf(grapesID, "grapes", "high"), ruleOf(melonsID, "melons", "low"))
	if desk.RulesDigest(d.rules, nil) != one {
		t.Error("the order of files counts")
	}
	d.load(t, ruleOf(grapesID, "grapes", "medium"), ruleOf(melonsID, "melons", "low"))
	if desk.RulesDigest(d.rules, nil) == one || desk.RulesDigest(nil, nil) == one {
		t.Error("another severity does not count")
	}
	dir := t.TempDir()
	listed := func(content string) string {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "fruit.txt"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		lists, err := desk.OpenLists([]string{dir})
		if err != nil {
			t.Fatal(err)
		}
		rules := t.TempDir()
		if err := os.WriteFile(filepath.Join(rules, "r.yml"), []byte("name: Fruit\ntype: rule\nsource: sender.email.domain.domain in $fruit\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		set, err := desk.LoadRules(t.Context(), []string{rules}, true, &feeds.Options{Lists: lists.Own()})
		if err != nil || len(set.ListNames()) != 1 {
			t.Fatal(set, err)
		}
		return desk.RulesDigest(set, lists)
	}
	if listed("grapes.test\n") == listed("melons.test\n") {
		t.Error("what is in a list does not count")
	}
}

// A mail is found by what it has in common with another, whether its traits were
// kept with it or are read later.
func TestSimilarMails(t *testing.T) {
	d := newRetroDesk(t)
	a, b := example(t, "phish/security-alert-en.eml"), example(t, "directsend/ds1-high.eml")
	one := d.keep(t, string(a))
	two := d.keep(t, "X-Other: 1\r\n"+string(a))
	d.keep(t, string(b))
	look := func(store desk.SimilarStore) *desk.SimilarReport {
		t.Helper()
		out, err := desk.SimilarMails(t.Context(), one, campaign.Alike, d.MailDeps, store, desk.SimilarDeps{Facts: exampleFacts(t), Now: now})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	out := look(d.db)
	if len(out.Mails) != 1 || out.Mails[0].File != string(two) || out.Mails[0].Level != campaign.Same || out.Compared != 3 {
		t.Fatalf("%d compared: %+v", out.Compared, out.Mails)
	}
	for _, id := range []desk.MailID{one, two} {
		if err := d.db.KeepTraits(t.Context(), id, &desk.MailTraits{}); err != nil {
			t.Fatal(err)
		}
	}
	if out := look(d.db); len(out.Mails) != 0 {
		t.Errorf("found without traits: %+v", out.Mails)
	}
	if _, err := desk.SimilarMails(t.Context(), "nobody", campaign.Alike, d.MailDeps, d.db, desk.SimilarDeps{Now: now}); err == nil {
		t.Error("no error for a mail that is not there")
	}
}
