package desk

import (
	"context"
	"time"

	"github.com/sekisho/sekisho/lang"
)

// quietMailbox is after how long without a look somebody should see why.
const quietMailbox = time.Hour

// mailboxes says how far each mailbox was read, and what stops it.
func (d *doctor) mailboxes(ctx context.Context, list []MailboxSetting, deps DoctorDeps) {
	now := deps.Now()
	for _, m := range list {
		var s *MailboxState
		if deps.Mailboxes != nil {
			var err error
			if s, err = deps.Mailboxes.MailboxState(ctx, m.Name); err != nil {
				e := asError(err)
				d.add("mailbox", CheckWrong, e.Message, e.Hint)
				return
			}
		}
		switch {
		case s == nil || s.LastRead.IsZero() && s.Failed.IsZero():
			d.add("mailbox", CheckMissing, lang.M("doctor.mailbox.never", "name", m.Name, "address", m.Login()), lang.M("doctor.mailbox.hint.serve"))
		case !s.Failed.IsZero():
			problem := s.Problem
			d.checks = append(d.checks, Check{
				Schema: CheckSchema, Name: "mailbox", Status: CheckWrong, Hint: d.words.Render(lang.M("doctor.mailbox.hint.check", "name", m.Name, "kind", string(m.Kind))),
				Text: lang.Text{
					EN: d.words.Say(lang.EN, lang.M("doctor.mailbox.failed", "name", m.Name, "problem", problem.EN)),
					JA: d.words.Say(lang.JA, lang.M("doctor.mailbox.failed", "name", m.Name, "problem", problem.JA)),
				},
			})
		case now.Sub(s.LastRead) > max(quietMailbox, 2*m.Every):
			d.add("mailbox", CheckInfo, lang.M("doctor.mailbox.quiet", "name", m.Name, "at", s.LastRead.In(now.Location()).Format("2006-01-02 15:04")), lang.M("doctor.mailbox.hint.serve"))
		case s.Refused > 0:
			d.add("mailbox", CheckInfo, lang.M("doctor.mailbox.refused", "name", m.Name, "n", s.Mails, "refused", s.Refused), lang.M("doctor.mailbox.hint.refused"))
		default:
			d.add("mailbox", CheckOK, lang.M("doctor.mailbox", "name", m.Name, "address", m.Login(), "n", s.Mails), lang.Message{})
		}
	}
}
