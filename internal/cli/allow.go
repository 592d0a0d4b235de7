package cli

import (
	"fmt"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
)

type allowCmd struct {
	Add    allowAddCmd    `cmd:""`
	List   allowListCmd   `cmd:""`
	Remove allowRemoveCmd `cmd:""`
}

type allowAddCmd struct {
	From   string `placeholder:"DOMAIN"`
	IP     string `name:"ip" placeholder:"ADDRESS"`
	DKIM   string `name:"dkim" placeholder:"DOMAIN"`
	Kind   string `placeholder:"KIND"`
	Owner  string `placeholder:"NAME"`
	Reason string `placeholder:"TEXT"`
	Days   int    `default:"90" placeholder:"N"`
}

func (r *run) allowDeps() desk.AllowDeps {
	return desk.AllowDeps{Store: r.Exceptions(r.dataDir()), Facts: r.config.Facts, Now: r.Now}
}

// Run adds an exception.
func (c *allowAddCmd) Run(r *run) error {
	out, err := desk.AllowAdd(r.ctx, desk.AllowAddInput{
		From: c.From, IP: c.IP, DKIM: c.DKIM, Kind: c.Kind, Owner: c.Owner, Reason: c.Reason,
		Expires: r.Now().AddDate(0, 0, c.Days),
	}, r.allowDeps())
	if err != nil {
		return err
	}
	return r.present(out.Exception, func() {
		fmt.Fprintln(r.Stdout, r.say("cli.allow.added", "id", out.Exception.ID, "expires", out.Exception.Expires.In(r.Now().Location())))
		for _, m := range out.Cautions {
			for _, l := range term.Wrap(r.words.Say(r.lang, m), r.columns()) {
				fmt.Fprintln(r.Stdout, l)
			}
		}
	})
}

type allowListCmd struct{}

// Run lists the exceptions.
func (c *allowListCmd) Run(r *run) error {
	out, err := desk.AllowList(r.ctx, desk.AllowListInput{Ended: true}, r.allowDeps())
	if err != nil {
		return err
	}
	return presentList(r, out.Exceptions, func() {
		if len(out.Exceptions) == 0 {
			fmt.Fprintln(r.Stdout, r.say("cli.allow.none"))
		}
		for _, e := range out.Exceptions {
			state := r.say("cli.allow.until", "date", e.Expires.In(r.Now().Location()))
			if !e.Active(r.Now()) {
				state = r.style.Paint(term.Dim, r.say("cli.allow.ended"))
			}
			fmt.Fprintf(r.Stdout, "%s  %s  %s\n", r.style.Paint(term.Bold, e.ID), scope(e), state)
			fmt.Fprintf(r.Stdout, "%s  %s: %s\n", term.Pad("", len(e.ID)), term.Clean(e.Owner), term.Clean(e.Reason))
		}
	})
}

// scope says which mail an exception is about.
func scope(e desk.Exception) string {
	s := ""
	add := func(name, value string) {
		if value != "" {
			s += " " + name + "=" + term.Clean(value)
		}
	}
	add("from", e.From)
	if e.IP.IsValid() {
		add("ip", e.IP.String())
	}
	add("dkim", e.DKIM)
	add("kind", string(e.Kind))
	return s[min(1, len(s)):]
}

type allowRemoveCmd struct {
	ID string `arg:"" name:"id"`
}

// Run removes an exception.
func (c *allowRemoveCmd) Run(r *run) error {
	out, err := desk.AllowRemove(r.ctx, desk.AllowRemoveInput{ID: c.ID}, r.allowDeps())
	if err != nil {
		return err
	}
	return r.present(out.Exception, func() {
		fmt.Fprintln(r.Stdout, r.say("cli.allow.removed", "id", out.Exception.ID))
	})
}

// exceptionRecord is an exception as other programs read it.
type exceptionRecord struct {
	Schema string `json:"schema"`
	desk.Exception
	Active bool `json:"active"`
}

func record(e desk.Exception, now time.Time) exceptionRecord {
	e.Created, e.Expires = e.Created.UTC(), e.Expires.UTC()
	return exceptionRecord{Schema: "sekisho.exception/v1", Exception: e, Active: e.Active(now)}
}
