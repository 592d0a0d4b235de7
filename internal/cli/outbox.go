package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

type outboxCmd struct {
	List    outboxListCmd    `cmd:""`
	Show    outboxShowCmd    `cmd:""`
	Approve outboxApproveCmd `cmd:""`
	Drop    outboxDropCmd    `cmd:""`
}

// OutboxAccess is what [Env.Outbox] opens.
type OutboxAccess struct {
	desk.OutboxDeps
	Close func() error
}

// outboxSchema names the record of a mail of ours, in docs/schema.
const outboxSchema = "sekisho.outbox/v1"

// outboxRecord is a mail of ours.
type outboxRecord struct {
	Schema   string        `json:"schema"`
	ID       string        `json:"id"`
	Kind     desk.OutKind  `json:"kind"`
	State    desk.OutState `json:"state"`
	To       string        `json:"to"`
	Subject  string        `json:"subject"`
	About    string        `json:"about,omitempty"`
	Verdict  desk.Word     `json:"verdict,omitempty"`
	Made     time.Time     `json:"made"`
	Due      *time.Time    `json:"due,omitempty"` // when it is tried next
	Settled  *time.Time    `json:"settled,omitempty"`
	Attempts int           `json:"attempts"`
	Answer   string        `json:"answer,omitempty"`
	Text     string        `json:"text,omitempty"` // of outbox show
}

func newOutboxRecord(m *desk.OutMail) outboxRecord {
	out := outboxRecord{
		Schema: outboxSchema, ID: m.ID, Kind: m.Kind, State: m.State, To: m.To, Subject: m.Subject, About: string(m.About), Verdict: m.Verdict,
		Made: m.Made.UTC(), Attempts: m.Attempts, Answer: m.Answer, Text: m.Text,
	}
	if m.State == desk.OutReady {
		due := m.Due.UTC()
		out.Due = &due
	}
	if !m.Settled.IsZero() {
		settled := m.Settled.UTC()
		out.Settled = &settled
	}
	return out
}

// withOutbox opens the outbox. Without a database it is empty.
func (r *run) withOutbox(use func(d *desk.OutboxDeps) ([]desk.OutMail, error), text func([]desk.OutMail)) (err error) {
	var list []desk.OutMail
	if r.hasStore() {
		o, err := r.Outbox(r.ctx, r.dataDir(), r.Now)
		if err != nil {
			return err
		}
		list, err = use(&o.OutboxDeps)
		if closeErr := o.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return err
		}
	}
	records := []outboxRecord{}
	for i := range list {
		records = append(records, newOutboxRecord(&list[i]))
	}
	return writeRecords(r, records, func() { text(list) })
}

type outboxListCmd struct {
	State string `enum:"open,waiting,ready,failed,sent,dropped,all" default:"open"`
}

// Run lists mails of ours.
func (c *outboxListCmd) Run(r *run) error {
	return r.withOutbox(func(d *desk.OutboxDeps) ([]desk.OutMail, error) {
		states := []desk.OutState{desk.OutState(c.State)}
		switch c.State {
		case "open":
			states = []desk.OutState{desk.OutWaiting, desk.OutReady, desk.OutFailed}
		case "all":
			states = desk.OutStates()
		}
		var all []desk.OutMail
		for _, s := range states {
			list, err := d.Store.Outs(r.ctx, s, desk.MaxOuts)
			if err != nil {
				return nil, err
			}
			all = append(all, list...)
		}
		return all, nil
	}, func(list []desk.OutMail) {
		if len(list) == 0 {
			fmt.Fprintln(r.Stdout, r.say("cli.outbox.empty"))
			return
		}
		waiting := false
		for i := range list {
			r.outLine(&list[i])
			waiting = waiting || list[i].State == desk.OutWaiting
		}
		if waiting {
			fmt.Fprintln(r.Stdout, r.say("cli.outbox.approve"))
		}
	})
}

// outLine prints a mail of ours in one line, and below what the server said.
func (r *run) outLine(m *desk.OutMail) {
	fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, m.ID)+"  "+r.say("outbox.state."+string(m.State))+"  "+r.minute(m.Made)+"  "+term.Clean(m.To)+"  "+term.Clean(m.Subject))
	if m.Answer != "" && m.State != desk.OutSent {
		for _, l := range term.Wrap(r.say("cli.outbox.answer", "n", m.Attempts, "answer", term.Clean(m.Answer)), r.columns()-2) {
			fmt.Fprintln(r.Stdout, "  "+l)
		}
	}
}

type outboxShowCmd struct {
	ID string `arg:"" name:"id"`
}

// Run prints a mail of ours with its text.
func (c *outboxShowCmd) Run(r *run) error {
	return r.oneOut(c.ID, desk.ShowOut, func(m *desk.OutMail) {
		r.outLine(m)
		fmt.Fprintln(r.Stdout)
		for line := range strings.SplitSeq(strings.TrimRight(m.Text, "\n"), "\n") {
			fmt.Fprintln(r.Stdout, term.Clean(line))
		}
	})
}

type outboxApproveCmd struct {
	ID string `arg:"" name:"id"`
}

// Run lets a mail go.
func (c *outboxApproveCmd) Run(r *run) error {
	return r.oneOut(c.ID, func(ctx context.Context, id string, d *desk.OutboxDeps) (*desk.OutMail, error) {
		if r.config.Outgoing.Server == "" {
			return nil, &desk.Error{Kind: desk.Unavailable, Message: lang.M("outbox.error.off"), Hint: lang.M("config.hint.outgoing")}
		}
		return desk.ApproveOut(ctx, id, desk.WhoTerminal, d)
	}, func(m *desk.OutMail) { fmt.Fprintln(r.Stdout, r.say("cli.outbox.approved", "to", term.Clean(m.To))) })
}

type outboxDropCmd struct {
	ID string `arg:"" name:"id"`
}

// Run keeps a mail from being sent.
func (c *outboxDropCmd) Run(r *run) error {
	return r.oneOut(c.ID, func(ctx context.Context, id string, d *desk.OutboxDeps) (*desk.OutMail, error) {
		return desk.DropOut(ctx, id, desk.WhoTerminal, d)
	}, func(m *desk.OutMail) { fmt.Fprintln(r.Stdout, r.say("cli.outbox.dropped", "to", term.Clean(m.To))) })
}

// oneOut does something to the mail whose ID begins with prefix.
func (r *run) oneOut(prefix string, act func(context.Context, string, *desk.OutboxDeps) (*desk.OutMail, error), text func(*desk.OutMail)) error {
	none := &desk.Error{Kind: desk.NotFound, Message: lang.M("outbox.error.none", "id", prefix), Hint: lang.M("outbox.hint.none")}
	if !r.hasStore() || prefix == "" {
		return none
	}
	return r.withOutbox(func(d *desk.OutboxDeps) ([]desk.OutMail, error) {
		id := ""
		for _, s := range desk.OutStates() {
			list, err := d.Store.Outs(r.ctx, s, desk.MaxOuts)
			if err != nil {
				return nil, err
			}
			for i := range list {
				switch {
				case !strings.HasPrefix(list[i].ID, strings.ToLower(prefix)):
				case id != "":
					return nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("outbox.error.many", "id", prefix), Hint: lang.M("outbox.hint.many")}
				default:
					id = list[i].ID
				}
			}
		}
		if id == "" {
			return nil, none
		}
		m, err := act(r.ctx, id, d)
		if err != nil {
			return nil, err
		}
		return []desk.OutMail{*m}, nil
	}, func(list []desk.OutMail) { text(&list[0]) })
}
