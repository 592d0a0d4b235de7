package desk_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/triage"
)

func TestLookToday(t *testing.T) {
	mail, db := mailDesk(t)
	deps := desk.TodayDeps{Mails: db, News: db, Advisories: db, Facts: exampleFacts(t), Now: now}
	if out, err := desk.LookToday(t.Context(), deps); err != nil || len(out.Decisions)+out.Stories+len(out.Mails) > 0 {
		t.Fatalf("%+v %v", out, err)
	}
	raw := [][]byte{example(t, "directsend/ds1-high.eml"), example(t, "phish/fax-ja.eml"), example(t, "ham/ordinary-ja.eml")}
	for _, b := range raw {
		if _, err := desk.KeepMail(t.Context(), upload(desk.Item{Raw: b}), mail); err != nil {
			t.Fatal(err)
		}
	}
	if err := desk.LabelMail(t.Context(), desk.MailIDOf(raw[1], nil), desk.LabelPhish, desk.WhoAdmin, mail); err != nil {
		t.Fatal(err)
	}
	var stories []desk.StoryRecord
	for i, s := range []struct {
		grade triage.Grade
		due   string
		age   int // days
	}{
		{triage.B, "2026-11-30", 1},
		{triage.A, "2026-11-20", 4},
		{triage.D, "", 1},
		{triage.C, "2026-11-30", 1},
		{triage.C, "2026-06-01", 200},
		{triage.B, "2026-11-29", 1}, // an advisory was written
	} {
		at := now().AddDate(0, 0, -s.age)
		stories = append(stories, desk.StoryRecord{
			Schema: desk.StorySchema, ID: fmt.Sprintf("s%d", i), Title: fmt.Sprintf("story %d", i), Lang: lang.EN, Grade: s.grade, Due: s.due, First: at, Last: at, Sources: []string{}, Items: []desk.StoryItem{},
		})
	}
	if err := db.KeepStories(t.Context(), stories, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := db.KeepAdvisory(t.Context(), &desk.AdvisoryRecord{Subject: "s5", At: now(), Document: &advisory.Document{ID: "x"}}); err != nil {
		t.Fatal(err)
	}
	out, err := desk.LookToday(t.Context(), deps)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range out.Decisions {
		got = append(got, fmt.Sprint(d.Kind, " ", d.ID[:2], " ", d.Due.Format(time.DateOnly), " ", d.Late))
	}
	first := string(desk.MailIDOf(raw[0], nil))[:2]
	want := []string{"story s1 2026-11-20 true", "mail " + first + " 2026-11-24 false", "story s0 2026-11-30 false", "story s3 2026-11-30 false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if out.Stories != 5 || out.Mails[desk.Clean].Mails != 1 || len(out.Setup) != 0 {
		t.Errorf("%d stories, %v, %v", out.Stories, out.Mails, out.Setup)
	}
	deps.Facts = org.Facts{}
	if out, err := desk.LookToday(t.Context(), deps); err != nil || len(out.Setup) < 5 {
		t.Errorf("%v %v", out.Setup, err)
	}
}
