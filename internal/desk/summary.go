package desk

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/lang"
)

// KeptCounter counts mails by when they were kept.
type KeptCounter interface {
	// KeptCounts returns how many mails with each verdict were kept from one time
	// until another, which is not included.
	KeptCounts(ctx context.Context, from, until time.Time) (map[Word]int, error)
}

// SummaryRules is what the user wants of summaries.
type SummaryRules struct {
	To   []string      // addresses; none sends nothing
	At   int           // minutes after midnight, local time
	Lang lang.Language // "" is as the program is set
}

// SummaryDeps is what a summary of the day needs from outside. What is nil is left
// out of it.
type SummaryDeps struct {
	Today     TodayDeps // with the time zone in which days are counted, in its Now
	Kept      KeptCounter
	Queue     Queue
	Mailboxes MailboxStore
	Outbox    OutboxStore
	Patch     *PatchDeps
	Rules     SummaryRules
	From      string // address of ours
}

const (
	summaryAhead  = 7       // days of deadlines that are told of
	summaryMost   = 10      // lines of one kind
	summaryLife   = 7 * day // after which it is said that there is nothing to say
	summaryReach  = 31 * day
	summaryMark   = "summary"
	summarySent   = "summary-sent"
	summaryLetter = 200 // characters of a line that others wrote
)

// SummarySlot returns the newest time at or before now that is at so many minutes
// after midnight, in the time zone of now. There is one for each date: where the
// clock jumps over it, it is as much later or earlier as the jump.
func SummarySlot(now time.Time, minutes int) time.Time {
	y, m, d := now.Date()
	for back := 0; ; back++ {
		if t := time.Date(y, m, d-back, minutes/60, minutes%60, 0, 0, now.Location()); !t.After(now) {
			return t
		}
	}
}

// SendSummary puts the summary that is due into the outbox, and reports whether
// there was anything to tell. It tells of all since the last one, also if the
// program was off for days; and nothing when nothing happened, but for a word
// once a week, so that silence is no news from a program that is dead.
func SendSummary(ctx context.Context, deps *SummaryDeps) (bool, error) {
	now := deps.Today.Now()
	slot := SummarySlot(now, deps.Rules.At)
	_, last, err := deps.Outbox.OutMark(ctx, summaryMark)
	if err != nil {
		return false, err
	}
	// The first one is due a day after it was turned on. A mark that lies ahead is
	// of a clock that was wrong.
	if last.IsZero() || last.Sub(now) > 2*day {
		if err := deps.Outbox.SetOutMark(ctx, summarySent, 0, slot); err != nil {
			return false, err
		}
		return false, deps.Outbox.SetOutMark(ctx, summaryMark, 0, slot)
	}
	if !slot.After(last) {
		return false, nil
	}
	if oldest := slot.Add(-summaryReach); last.Before(oldest) {
		last = oldest
	}
	s, err := deps.look(ctx, last, slot)
	if err != nil {
		return false, err
	}
	_, sent, err := deps.Outbox.OutMark(ctx, summarySent)
	if err != nil {
		return false, err
	}
	told := s.any() || slot.Sub(sent) >= summaryLife-12*time.Hour // a week has 167 hours when clocks go forward
	if told {
		for _, to := range deps.Rules.To {
			m, err := deps.write(s, to, slot)
			if err != nil {
				return false, err
			}
			if _, err := deps.Outbox.AddOut(ctx, m); err != nil {
				return false, err
			}
		}
		if err := deps.Outbox.SetOutMark(ctx, summarySent, 0, slot); err != nil {
			return false, err
		}
	}
	return told, deps.Outbox.SetOutMark(ctx, summaryMark, 0, slot)
}

// summaryPause is how often somebody looks whether a summary is due.
const summaryPause = 30 * time.Second

// RunSummary sends summaries until ctx ends.
func RunSummary(ctx context.Context, deps *SummaryDeps, problem func(error)) error {
	for ctx.Err() == nil {
		if _, err := SendSummary(ctx, deps); err != nil && ctx.Err() == nil {
			problem(err)
		}
		pause(ctx, summaryPause)
	}
	return nil
}

// summary is what there is to tell.
type summary struct {
	from, until time.Time
	kept        map[Word]int
	open        int // mails with an alarm that nobody has looked at
	mails       []Decision
	due         []summaryLine
	patches     []summaryLine // days on which updates come; they are no reason to write
	trouble     []summaryLine
	waiting     int // replies that wait for approval
}

type summaryLine struct {
	at   time.Time
	text lang.Message
}

func (s *summary) any() bool {
	for _, n := range s.kept {
		if n > 0 {
			return true
		}
	}
	return s.open+len(s.due)+len(s.trouble)+s.waiting > 0
}

// look gathers what there is to tell of a time.
func (d *SummaryDeps) look(ctx context.Context, from, until time.Time) (*summary, error) {
	s := &summary{from: from.In(until.Location()), until: until}
	for _, part := range []func(context.Context, *summary) error{d.lookMails, d.lookAdvisories, d.lookPatches, d.lookTrouble, d.lookSources} {
		if err := part(ctx, s); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(s.due, func(a, b summaryLine) int { return a.at.Compare(b.at) })
	return s, nil
}

func (d *SummaryDeps) lookMails(ctx context.Context, s *summary) error {
	var err error
	if d.Kept != nil {
		if s.kept, err = d.Kept.KeptCounts(ctx, s.from, s.until); err != nil {
			return err
		}
	}
	t, err := LookToday(ctx, d.Today)
	if err != nil {
		return err
	}
	s.open = t.Mails[Malicious].Open + t.Mails[Suspicious].Open
	for _, x := range t.Decisions {
		switch {
		case x.Kind == DecideMail:
			s.mails = append(s.mails, x)
		case x.Due.IsZero() || !s.near(x.Due):
		case x.Kind == DecideStory:
			s.due = append(s.due, summaryLine{x.Due, lang.M("summary.due.story", "title", quoted(x.Title), "grade", string(x.Grade), "date", x.Due)})
		case x.Kind == DecideException:
			s.due = append(s.due, summaryLine{x.Due, lang.M("summary.due.exception", "title", quoted(x.Title), "date", x.Due)})
		}
	}
	return nil
}

// near reports whether a day is worth to be told of: over for not too long, or
// soon.
func (s *summary) near(due time.Time) bool {
	today := localDay(s.until)
	return !due.Before(today.AddDate(0, 0, -summaryAhead)) && !due.After(today.AddDate(0, 0, summaryAhead))
}

func quoted(s string) string { return inert(cutRunes(s, summaryLetter)) }

func (d *SummaryDeps) lookAdvisories(ctx context.Context, s *summary) error {
	if d.Today.Advisories == nil {
		return nil
	}
	list, err := d.Today.Advisories.NewestAdvisories(ctx)
	if err != nil {
		return err
	}
	for i := range list {
		doc := list[i].Document
		due, err := time.ParseInLocation(time.DateOnly, doc.Due, s.until.Location())
		if err != nil || !s.near(due) {
			continue // without a date, or far away
		}
		title := lang.Text{JA: quoted(doc.Title.JA), EN: quoted(doc.Title.EN)}
		s.due = append(s.due, summaryLine{due, lang.M("summary.due.advisory", "title", title, "grade", string(doc.Grade), "date", due)})
	}
	return nil
}

func (d *SummaryDeps) lookPatches(_ context.Context, s *summary) error {
	if d.Patch == nil {
		return nil
	}
	days, _, err := PatchDays(&PatchDaysInput{}, d.Patch)
	if err != nil {
		return err
	}
	for i := range days {
		at := days[i].At.In(s.until.Location())
		if !at.Before(localDay(s.until)) && s.near(localDay(at)) {
			s.patches = append(s.patches, summaryLine{at, lang.M("summary.due.patch", "title", days[i].What, "date", at)})
		}
	}
	return nil
}

func (d *SummaryDeps) lookTrouble(ctx context.Context, s *summary) error {
	if d.Queue != nil {
		q, err := d.Queue.State(ctx, 0)
		if err != nil {
			return err
		}
		if q.Dead > 0 {
			s.trouble = append(s.trouble, summaryLine{text: lang.M("summary.trouble.dead", "n", q.Dead)})
		}
		if !q.Oldest.IsZero() && s.until.Sub(q.Oldest) > time.Hour {
			s.trouble = append(s.trouble, summaryLine{text: lang.M("summary.trouble.behind", "n", q.Waiting+q.Leased)})
		}
	}
	if d.Mailboxes != nil {
		boxes, err := d.Mailboxes.MailboxStates(ctx)
		if err != nil {
			return err
		}
		for i := range boxes {
			if b := &boxes[i]; !b.Failed.IsZero() {
				s.trouble = append(s.trouble, summaryLine{text: lang.M("summary.trouble.mailbox", "name", b.Name, "problem", b.Problem)})
			}
		}
	}
	counts, err := d.Outbox.OutCounts(ctx)
	if err != nil {
		return err
	}
	s.waiting = counts[OutWaiting]
	if n := counts[OutFailed]; n > 0 {
		s.trouble = append(s.trouble, summaryLine{text: lang.M("summary.trouble.outbox", "n", n)})
	}
	return nil
}

func (d *SummaryDeps) lookSources(ctx context.Context, s *summary) error {
	if d.Today.News == nil {
		return nil
	}
	states, err := d.Today.News.NewsSources(ctx)
	if err != nil {
		return err
	}
	failing := []string{}
	for id, st := range states {
		if st.Failures >= 3 {
			failing = append(failing, id)
		}
	}
	if slices.Sort(failing); len(failing) > 0 {
		s.trouble = append(s.trouble, summaryLine{text: lang.M("summary.trouble.news", "names", failing)})
	}
	return nil
}

// write is the mail to one recipient.
func (d *SummaryDeps) write(s *summary, to string, slot time.Time) (*OutMail, error) {
	words, l := d.Today.Words, d.Rules.Lang
	if words == nil {
		words = lang.Default()
	}
	if l == "" {
		l = lang.EN
		if d.Today.Facts.Country.Value() == "JP" {
			l = lang.JA
		}
	}
	say := func(key string, pairs ...any) string { return words.Say(l, lang.M(key, pairs...)) }
	key := summaryMark + "/" + slot.Format(time.DateOnly) + "/" + strings.ToLower(to)
	now := d.Today.Now()
	out := &OutMail{ID: OutID(key), Key: key, Kind: OutSummary, State: OutReady, To: to, Made: now, Due: now}
	switch {
	case s.open > 0:
		out.Subject = say("summary.subject.open", "n", s.open)
	case s.any():
		out.Subject = say("summary.subject", "date", slot)
	default:
		out.Subject = say("summary.subject.alive")
	}
	lines := []string{say("summary.since", "from", s.from.Format("2006-01-02 15:04"), "until", s.until.Format("2006-01-02 15:04")), ""}
	if s.any() {
		lines = append(lines, s.lines(say, words, l)...)
	} else {
		lines = append(lines, say("summary.nothing"), "")
	}
	lines = append(lines, say("summary.footer"), "")
	var b bytes.Buffer
	err := advisory.WriteMail(&b, &advisory.Mail{
		From: d.From, To: to, Subject: out.Subject, Text: strings.Join(lines, "\n"), Date: now, MessageID: messageID(string(OutSummary), out.ID, d.From),
		Lang: string(l), Submitted: advisory.AutoGenerated,
	})
	if err != nil {
		return nil, &Error{Kind: Invalid, Message: lang.M("outbox.error.write", "error", err.Error()), Err: err}
	}
	out.Raw = b.Bytes()
	return out, nil
}

// lines is the body of a summary.
func (s *summary) lines(say func(string, ...any) string, words *lang.Catalogue, l lang.Language) []string {
	var out []string
	section := func(title string, lines []string) {
		if len(lines) == 0 {
			return
		}
		out = append(out, title)
		for _, x := range lines[:min(len(lines), summaryMost)] {
			out = append(out, "- "+x)
		}
		if more := len(lines) - summaryMost; more > 0 {
			out = append(out, "- "+say("summary.more", "n", more))
		}
		out = append(out, "")
	}
	var counts []string
	for _, w := range []Word{Malicious, Suspicious, Spam, Clean, Undecided} {
		if n := s.kept[w]; n > 0 {
			counts = append(counts, say("summary.count."+string(w), "n", n))
		}
	}
	section(say("summary.came"), counts)
	var open []string
	for i := range s.mails {
		m := &s.mails[i]
		open = append(open, say("summary.mail."+string(m.Verdict), "subject", quoted(m.Title), "from", quoted(m.From), "reason", quoted(m.Reason.In(l))))
	}
	section(say("summary.open", "n", s.open), open)
	texts := func(list []summaryLine) (out []string) {
		for _, x := range list {
			out = append(out, words.Say(l, x.text))
		}
		return out
	}
	section(say("summary.due"), texts(slices.Concat(s.due, s.patches)))
	if s.waiting > 0 {
		section(say("summary.waiting"), []string{say("summary.waiting.replies", "n", s.waiting)})
	}
	section(say("summary.trouble"), texts(s.trouble))
	return out
}
