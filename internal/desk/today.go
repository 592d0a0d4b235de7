package desk

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/triage"
)

// TodayDeps is what [LookToday] needs from outside. Stores that are nil are left
// out.
type TodayDeps struct {
	Mails      MailStore
	News       NewsStore
	Advisories AdvisoryStore
	Exceptions ExceptionStore
	Retro      RetroStore
	Facts      org.Facts
	Words      *lang.Catalogue // nil: the built-in one
	Now        func() time.Time
}

// Today is what the desk looks like at the start of a day.
type Today struct {
	Decisions []Decision // the most urgent first
	Mails     map[Word]MailCount
	Stories   int     // of the last two months, whether they ask for a decision or not
	Setup     []Check // of the set-up, what is missing or wrong
}

// DecisionKind says what is to be decided.
type DecisionKind string

// The kinds of decision.
const (
	DecideMail      DecisionKind = "mail"      // whether a mail is what the verdict says
	DecideStory     DecisionKind = "story"     // what to tell whom about a matter of news
	DecideException DecisionKind = "exception" // whether an exception is to go on
)

// Decision is one thing that somebody has to decide.
type Decision struct {
	Kind    DecisionKind
	ID      string    // of the mail, the story, the exception
	Due     time.Time // the last day on which it is in time; zero for none
	Late    bool      // that day is over
	Title   string    // in the words of whoever wrote it
	Reason  lang.Text
	From    string       // of a mail
	Verdict Word         // of a mail
	Grade   triage.Grade // of a story
}

const (
	maxDecisions = 100 // of each kind
	storiesSince = 60 * day

	rejudgedSince = 30 * day
)

// LookToday says what needs a decision: mails with an alarm that nobody has
// looked at, news with a deadline about which nothing was written, exceptions
// that end soon.
func LookToday(ctx context.Context, deps TodayDeps) (*Today, error) {
	out := &Today{Mails: map[Word]MailCount{}}
	for _, look := range []func(context.Context, *TodayDeps) error{out.mails, out.stories, out.exceptions} {
		if err := look(ctx, &deps); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(out.Decisions, func(a, b Decision) int {
		if a.Due.IsZero() != b.Due.IsZero() {
			return cmp.Compare(b.Due.Unix(), a.Due.Unix()) // no deadline comes last
		}
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(rankOf(b.Verdict), rankOf(a.Verdict)), cmp.Compare(a.Grade, b.Grade))
	})
	for _, c := range Doctor(ctx, DoctorInput{ConfigFile: "-", Facts: deps.Facts}, DoctorDeps{Words: deps.Words, Now: deps.Now}) {
		// Whether there are lists, the desk was not told.
		if c.Name != "lists" && (c.Status == CheckMissing || c.Status == CheckWrong) {
			out.Setup = append(out.Setup, c)
		}
	}
	return out, nil
}

func (t *Today) mails(ctx context.Context, deps *TodayDeps) error {
	if deps.Mails == nil {
		return nil
	}
	var err error
	if t.Mails, err = deps.Mails.MailCounts(ctx); err != nil {
		return err
	}
	today := localDay(deps.Now())
	rejudged, err := t.rejudged(ctx, deps, today)
	if err != nil {
		return err
	}
	for _, word := range []Word{Malicious, Suspicious} {
		rows, err := deps.Mails.Mails(ctx, &MailQuery{Verdict: word, Unlabelled: true, Limit: maxDecisions})
		if err != nil {
			return err
		}
		for _, r := range rows {
			if rejudged[r.ID] {
				continue
			}
			t.Decisions = append(t.Decisions, Decision{Kind: DecideMail, ID: string(r.ID), Due: today, Title: r.Subject, Reason: r.Reason, From: r.From.String(), Verdict: r.Verdict})
		}
	}
	return nil
}

// rejudged adds mails on which there was no alarm before rules changed. It
// returns which those are.
func (t *Today) rejudged(ctx context.Context, deps *TodayDeps, today time.Time) (map[MailID]bool, error) {
	out := map[MailID]bool{}
	if deps.Retro == nil {
		return out, nil
	}
	list, err := deps.Retro.RetroChanges(ctx, &RetroQuery{Since: deps.Now().Add(-rejudgedSince), Open: true, Limit: maxRetroChanges})
	if err != nil {
		return nil, err
	}
	words := deps.Words
	if words == nil {
		words = lang.Default()
	}
	seen := map[MailID]bool{}
	for i := range list {
		c := &list[i]
		// What counts is the last word on a mail.
		if last := !seen[c.Mail]; !last || !c.Decide() || len(out) == maxDecisions {
			seen[c.Mail] = true
			continue
		}
		seen[c.Mail], out[c.Mail] = true, true
		t.Decisions = append(t.Decisions, Decision{Kind: DecideMail, ID: string(c.Mail), Due: today, Title: c.Subject, Reason: rejudgedReason(c, words), From: c.From, Verdict: c.After})
	}
	return out, nil
}

// rejudgedReason says which rules made an alarm of a mail.
func rejudgedReason(c *RetroChange, words *lang.Catalogue) lang.Text {
	say := func(l lang.Language) string {
		var names []string
		for _, r := range c.Gained[:min(len(c.Gained), 3)] {
			names = append(names, r.Title.In(l))
		}
		return words.Say(l, lang.M("retro.today", "before", words.Say(l, lang.M("cli.verdict."+string(c.Before))), "rules", strings.Join(names, " / ")))
	}
	return lang.Text{JA: say(lang.JA), EN: say(lang.EN)}
}

func (t *Today) stories(ctx context.Context, deps *TodayDeps) error {
	if deps.News == nil {
		return nil
	}
	now := deps.Now()
	list, err := deps.News.Stories(ctx, &StoryQuery{Since: now.Add(-storiesSince)})
	if err != nil {
		return err
	}
	t.Stories = len(list)
	n := 0
	for i := range list {
		s := &list[i]
		due, err := time.ParseInLocation(time.DateOnly, s.Due, now.Location())
		if err != nil || s.Grade == triage.D || n == maxDecisions {
			continue
		}
		if deps.Advisories != nil {
			written, err := deps.Advisories.Advisories(ctx, s.ID)
			if err != nil {
				return err
			}
			if len(written) > 0 {
				continue
			}
		}
		n++
		t.Decisions = append(t.Decisions, Decision{Kind: DecideStory, ID: s.ID, Due: due, Late: due.Before(localDay(now)), Title: s.Title, Reason: s.Label, Grade: s.Grade})
	}
	return nil
}

func (t *Today) exceptions(ctx context.Context, deps *TodayDeps) error {
	if deps.Exceptions == nil {
		return nil
	}
	list, err := deps.Exceptions.List(ctx)
	if err != nil {
		return err
	}
	now := deps.Now()
	for _, e := range list {
		if !e.Active(now) || e.Expires.Sub(now) > endsSoon {
			continue
		}
		t.Decisions = append(t.Decisions, Decision{Kind: DecideException, ID: e.ID, Due: localDay(e.Expires.In(now.Location())), Title: e.Reason, From: e.Owner})
	}
	return nil
}
