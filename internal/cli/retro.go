package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

type retroCmd struct {
	Status  retroStatusCmd  `cmd:""`
	Run     retroRunCmd     `cmd:""`
	Changes retroChangesCmd `cmd:""`
}

// withRetro opens the mails that are kept. Without a database there are none,
// and use is not called.
func (r *run) withRetro(named []string, use func(d desk.RetroDeps) error) (err error) {
	if !r.hasStore() {
		return nil
	}
	s, err := r.Intake(r.ctx, r.dataDir(), r.Now)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := s.Close(); err == nil {
			err = closeErr
		}
	}()
	d := desk.RetroDeps{MailDeps: s.MailDeps, Retro: s.Retro, Similar: s.Similar, Words: r.words}
	d.Judge = (&judging{r: r, rules: named}).deps
	return use(d)
}

func (r *run) emptyRetro() *desk.RetroReport {
	return &desk.RetroReport{Schema: desk.RetroSchema, Days: r.config.Retro.Days, Changes: []desk.RetroChange{}}
}

type retroStatusCmd struct{}

// Run says how judging again stands.
func (c *retroStatusCmd) Run(r *run) error {
	out := r.emptyRetro()
	err := r.withRetro(nil, func(d desk.RetroDeps) (err error) {
		out, err = desk.RetroState(r.ctx, desk.RetroInput{Days: r.config.Retro.Days}, d)
		return err
	})
	if err != nil {
		return err
	}
	if r.flags.Output != "text" {
		return r.writeRecord(out)
	}
	if out.Left == 0 {
		fmt.Fprintln(r.Stdout, r.say("cli.retro.nothing", "days", out.Days))
	} else {
		fmt.Fprintln(r.Stdout, r.say("cli.retro.left", "n", out.Left, "days", out.Days))
	}
	if out.Started != nil {
		key := "cli.retro.last"
		if out.Ended == nil {
			key = "cli.retro.open"
		}
		fmt.Fprintln(r.Stdout, r.say(key, "date", r.minute(*out.Started), "n", out.Judged, "changed", out.Changed, "worse", out.Worse, "better", out.Better))
	}
	return nil
}

type retroRunCmd struct {
	Days   int      `placeholder:"N"`
	Rules  []string `sep:"none" placeholder:"PATH"`
	DryRun bool
	FailOn string `enum:"never,worse" default:"never" placeholder:"WORD"`
}

// Run judges kept mails again that were judged by other rules.
func (c *retroRunCmd) Run(r *run) error {
	if len(c.Rules) > 0 && !c.DryRun {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("retro.error.rules"), Hint: lang.M("retro.hint.rules")}
	}
	in := desk.RetroInput{Days: c.Days, Who: desk.WhoTerminal, DryRun: c.DryRun}
	if in.Days == 0 {
		in.Days = r.config.Retro.Days
	}
	if err := in.Validate(); err != nil {
		return err
	}
	var bar *term.Progress
	if f, ok := r.Stderr.(*os.File); ok && term.IsTerminal(f) {
		in.Progress = func(judged, of int) {
			if bar == nil {
				bar = term.NewProgress(f, &term.ProgressOptions{Label: r.say("cli.retro.bar"), Total: of, Columns: term.Columns(f, r.getenv)})
			}
			bar.Add(1)
		}
	}
	out := r.emptyRetro()
	out.DryRun, out.Days = c.DryRun, in.Days
	err := r.withRetro(c.Rules, func(d desk.RetroDeps) (err error) {
		if out, err = desk.Rejudge(r.ctx, in, d); err == nil && !c.DryRun {
			_, err = desk.ReadTraits(r.ctx, d)
		}
		if r.ctx.Err() != nil {
			err = nil // what was done is kept, and the report says what is left
		}
		return err
	})
	bar.Close()
	if err != nil {
		return err
	}
	if r.flags.Output == "text" {
		r.retroText(out)
	} else if err := r.writeRecord(out); err != nil {
		return err
	}
	switch {
	case r.ctx.Err() != nil:
		return statusError(exitUnread)
	case c.FailOn == "worse" && out.Worse > 0:
		return statusError(exitFindings)
	}
	return nil
}

// maxRetroShown is how many changes a terminal shows.
const maxRetroShown = 50

func (r *run) retroText(out *desk.RetroReport) {
	switch {
	case out.Judged == 0 && out.Left == 0:
		fmt.Fprintln(r.Stdout, r.say("cli.retro.nothing", "days", out.Days))
		return
	case out.DryRun:
		fmt.Fprintln(r.Stdout, r.say("cli.retro.would", "n", out.Judged, "changed", out.Changed, "worse", out.Worse, "better", out.Better))
	default:
		fmt.Fprintln(r.Stdout, r.say("cli.retro.did", "n", out.Judged, "changed", out.Changed, "worse", out.Worse, "better", out.Better))
	}
	if out.Failed > 0 {
		fmt.Fprintln(r.Stdout, r.say("cli.retro.failed", "n", out.Failed))
	}
	r.retroChanges(out.Changes)
	if out.Left > 0 {
		fmt.Fprintln(r.Stdout, r.say("cli.retro.left", "n", out.Left, "days", out.Days))
	}
}

func (r *run) retroChanges(list []desk.RetroChange) {
	for i := range list {
		if i == maxRetroShown {
			fmt.Fprintln(r.Stdout, "  "+r.say("cli.retro.more", "n", len(list)-i))
			break
		}
		c := &list[i]
		word := func(w desk.Word) string { return r.verdictWord(w) }
		move := word(c.Before) + " → " + word(c.After)
		if c.Before == c.After {
			move = word(c.After)
		}
		label := ""
		if c.Label != "" {
			label = "  " + r.style.Paint(term.Dim, r.say("console.mail.label."+string(c.Label)))
		}
		fmt.Fprintln(r.Stdout, "  "+move+"  "+term.Truncate(term.Clean(c.From), 36)+"  "+term.Truncate(term.Clean(subjectText(r, c.Subject)), 44)+"  "+
			r.style.Paint(term.Dim, string(c.Mail[:min(len(c.Mail), shortID)]))+label)
		for _, x := range c.Gained {
			r.indented("      ", "+ "+term.Clean(x.Title.In(r.lang)))
		}
		for _, x := range c.Lost {
			r.indented("      ", "- "+term.Clean(x.Title.In(r.lang)))
		}
	}
}

func (r *run) verdictWord(w desk.Word) string {
	return r.paint(w, symbol(w)+" "+r.say("cli.verdict."+string(w)))
}

type retroChangesCmd struct {
	Since string `default:"30d" placeholder:"WHEN"`
	All   bool
}

// Run lists what other rules made of kept mails.
func (c *retroChangesCmd) Run(r *run) error {
	q := desk.RetroQuery{All: c.All, Limit: 10_000}
	var err error
	if q.Since, err = since(c.Since, r.Now()); err != nil {
		return err
	}
	list := []desk.RetroChange{}
	err = r.withRetro(nil, func(d desk.RetroDeps) error {
		got, err := d.Retro.RetroChanges(r.ctx, &q)
		list = append(list, got...)
		return err
	})
	if err != nil {
		return err
	}
	return writeRecords(r, list, func() {
		if len(list) == 0 {
			fmt.Fprintln(r.Stdout, r.say("cli.retro.no-changes"))
			return
		}
		r.retroChanges(list)
	})
}

type rulesScoreCmd struct{}

// Run says how often rules were right about mails that somebody labelled.
func (c *rulesScoreCmd) Run(r *run) error {
	list, phish, harmless := []desk.RuleScore{}, 0, 0
	err := r.withRetro(nil, func(d desk.RetroDeps) (err error) {
		list, phish, harmless, err = desk.RuleScores(r.ctx, desk.MaxScored, d.Mails)
		return err
	})
	if err != nil {
		return err
	}
	return writeRecords(r, list, func() {
		fmt.Fprintln(r.Stdout, r.say("cli.score.over", "phish", phish, "harmless", harmless))
		width := 0
		for _, x := range list {
			width = max(width, min(term.Width(term.Clean(x.Title.In(r.lang))), maxRuleName))
		}
		for _, x := range list {
			line := term.Pad(term.Truncate(term.Clean(x.Title.In(r.lang)), width), width) + "  " + r.say("cli.score.line", "caught", x.Caught, "wrong", x.FalseAlarms)
			fmt.Fprintln(r.Stdout, strings.TrimRight(line, " "))
		}
	})
}
