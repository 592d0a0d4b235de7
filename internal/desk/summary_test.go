package desk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/store/sqlite"
	"github.com/sekisho/sekisho/lang"
)

func berlin(t *testing.T) *time.Location {
	t.Helper()
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones: ", err)
	}
	return l
}

func TestSummarySlot(t *testing.T) {
	l := berlin(t)
	at := func(s string) time.Time {
		x, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return x.In(l)
	}
	for _, tc := range []struct {
		name    string
		now     string
		minutes int
		want    string
	}{
		{"After", "2026-05-08T08:31:00+02:00", 510, "2026-05-08T08:30:00+02:00"},
		{"Exactly", "2026-05-08T08:30:00+02:00", 510, "2026-05-08T08:30:00+02:00"},
		{"Before", "2026-05-08T08:29:59+02:00", 510, "2026-05-07T08:30:00+02:00"},
		{"SummerBegins", "2026-03-29T08:30:00+02:00", 510, "2026-03-29T08:30:00+02:00"},
		{"DayBeforeSummer", "2026-03-29T08:29:00+02:00", 510, "2026-03-28T08:30:00+01:00"},
		{"WinterBegins", "2026-10-25T08:30:00+01:00", 510, "2026-10-25T08:30:00+01:00"},
		{"Midnight", "2026-05-08T00:00:00+02:00", 0, "2026-05-08T00:00:00+02:00"},
		{"NewYear", "2026-01-01T00:10:00+01:00", 510, "2025-12-31T08:30:00+01:00"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := desk.SummarySlot(at(tc.now), tc.minutes).Format(time.RFC3339); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}

// summaryDesk is a desk with a clock that a test moves.
func summaryDesk(t *testing.T, clock *time.Time) (*desk.SummaryDeps, desk.MailDeps, *sqlite.DB) {
	mails, db := mailDesk(t)
	mails.Now = func() time.Time { return *clock }
	return &desk.SummaryDeps{
		Today: desk.TodayDeps{Mails: db, News: db, Advisories: db, Facts: exampleFacts(t), Now: mails.Now}, Kept: db, Queue: db, Mailboxes: db, Outbox: db,
		Patch: &desk.PatchDeps{Now: mails.Now}, Rules: desk.SummaryRules{To: []string{"it@kiso-works.example", "boss@kiso-works.example"}, At: 510, Lang: lang.EN}, From: "sekisho@kiso-works.example",
	}, mails, db
}

// The clock runs over both changes of a year, in steps of half an hour, with a
// mail on some days: there is one summary of each of those days, and a word every
// seventh day on which there was none.
func TestSummaryOverTheYear(t *testing.T) {
	l := berlin(t)
	for _, minutes := range []int{510, 150, 0} { // 02:30 is there not at all, or twice
		clock := time.Date(2026, 3, 20, 12, 0, 0, 0, l)
		deps, _, db := summaryDesk(t, &clock)
		deps.Rules.At, deps.Rules.To = minutes, deps.Rules.To[:1]
		for end := clock.AddDate(0, 0, 22); clock.Before(end); clock = clock.Add(30 * time.Minute) {
			if _, err := desk.SendSummary(t.Context(), deps); err != nil {
				t.Fatal(err)
			}
		}
		list, err := db.Outs(t.Context(), desk.OutReady, 100)
		if err != nil {
			t.Fatal(err)
		}
		var days []string
		for _, m := range list {
			if m.Subject != "sekisho: nothing to report this week" {
				t.Errorf("%s: %s", m.Made, m.Subject)
			}
			days = append(days, m.Made.In(l).Format(time.DateOnly))
		}
		if diff := cmp.Diff([]string{"2026-04-10", "2026-04-03", "2026-03-27"}, days); diff != "" {
			t.Errorf("at minute %d: %s", minutes, diff)
		}
	}
}

func TestSummary(t *testing.T) {
	clock := time.Date(2026, 11, 23, 12, 0, 0, 0, time.FixedZone("JST", 9*3600))
	deps, mails, db := summaryDesk(t, &clock)
	send := func(want bool) {
		t.Helper()
		got, err := desk.SendSummary(t.Context(), deps)
		if err != nil || got != want {
			t.Fatalf("%v: %v %v", clock, got, err)
		}
	}
	send(false) // turned on
	for _, name := range []string{"directsend/ds1-high.eml", "ham/ordinary-ja.eml"} {
		if _, err := desk.KeepMail(t.Context(), upload(desk.Item{Raw: example(t, name)}), mails); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.SaveMailboxState(t.Context(), &desk.MailboxState{Name: "reports", Failed: clock, Problem: lang.Text{EN: "the password is wrong", JA: "x"}}); err != nil {
		t.Fatal(err)
	}
	// The program is off for three days: there is one summary of all.
	clock = clock.AddDate(0, 0, 3)
	send(true)
	send(false)
	list, err := db.Outs(t.Context(), desk.OutReady, 10)
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	m, err := desk.ShowOut(t.Context(), list[0].ID, &desk.OutboxDeps{Store: db})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"From 2026-11-22 08:30 to 2026-11-26 08:30", "dangerous: 1", "no sign of danger: 1", "To look at: 1 mail", "the mailbox reports cannot be read: the password is wrong"} {
		if want = strings.Replace(want, "2026-11-22", "2026-11-23", 1); !strings.Contains(m.Text, want) {
			t.Errorf("%q is not in\n%s", want, m.Text)
		}
	}
	if strings.Contains(m.Text, "@") && !strings.Contains(m.Text, "[@]") || !strings.Contains(string(m.Raw), "Auto-Submitted: auto-generated\r\n") {
		t.Error(m.Text)
	}
	// A clock that was wrong does not end summaries for good.
	if err := db.SetOutMark(t.Context(), "summary", 0, clock.AddDate(10, 0, 0)); err != nil {
		t.Fatal(err)
	}
	send(false)
	clock = clock.AddDate(0, 0, 1)
	send(true)
}
