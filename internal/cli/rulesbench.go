package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

type rulesBenchCmd struct {
	Paths    []string `arg:"" name:"path"`
	Rules    []string `sep:"none" placeholder:"PATH"`
	Messages int      `default:"300" placeholder:"N"`
	Seed     uint64   `default:"1" placeholder:"N"`
}

// Run measures what rules cost on the named messages.
func (c *rulesBenchCmd) Run(r *run) error {
	if c.Messages < 1 {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.error.number", "flag", "--messages"), Hint: lang.M("cli.hint.usage", "help", "sekisho help rules bench")}
	}
	unread := false
	var bar *term.Progress
	if f, ok := r.Stderr.(*os.File); ok && term.IsTerminal(f) {
		bar = term.NewProgress(f, &term.ProgressOptions{Total: c.Messages, Columns: term.Columns(f, r.getenv)})
	}
	defer bar.Close()
	done := 0
	out, err := desk.BenchRules(r.ctx, desk.BenchInput{
		Load: func(context.Context) (*feeds.Set, error) {
			set, err := r.ruleSet(c.Rules, len(c.Rules) == 0)
			if err == nil && set == nil {
				err = &desk.Error{Kind: desk.NotFound, Message: lang.M("cli.rules.none"), Hint: lang.M("cli.rules.show.hint-rules")}
			}
			return set, err
		},
		Items:    r.Walk(r.ctx, c.Paths, newInterruptible(r.ctx, r.Stdin), WalkOptions{MaxMessage: r.config.Limits.MessageSize}),
		Messages: c.Messages, Seed: c.Seed,
		Unread: func(file string, index int, f *desk.Failure) {
			unread = true
			bar.Interrupt(func() { r.warnAbout(placeOf(file, index), f) })
		},
		Progress: func(n, of int) {
			bar.SetTotal(of)
			bar.Add(n - done)
			done = n
		},
	}, desk.QueryDeps{Facts: r.config.Facts, Words: r.words, Now: r.Now}, time.Now)
	bar.Close()
	switch {
	case errors.Is(err, context.Canceled):
		return statusError(exitUnread)
	case err != nil:
		return err
	}
	if r.flags.Output != "text" {
		err = r.writeRecord(out)
	} else {
		r.benchText(out)
	}
	if err == nil && unread {
		return statusError(exitUnread)
	}
	return err
}

func (r *run) benchText(b *desk.RulesBench) {
	fmt.Fprintln(r.Stdout, r.say("cli.rules.bench.head", "rules", b.Rules, "load", millis(b.LoadMS), "messages", b.Messages, "kib", int(b.Bytes>>10)))
	if b.Messages == 0 {
		return
	}
	fmt.Fprintln(r.Stdout)
	rows := []struct {
		key string
		s   desk.Spread
	}{{"parse", b.Parse}, {"model", b.Model}, {"rules", b.Eval}, {"whole", b.Whole}}
	label := 0
	for _, x := range rows {
		label = max(label, term.Width(r.say("cli.rules.bench."+x.key)))
	}
	fmt.Fprintf(r.Stdout, "  %s%s\n", term.Pad("", label), r.style.Paint(term.Dim, fmt.Sprintf("  %9s %9s %9s %9s", r.say("cli.rules.bench.median"), "90 %", "99 %", r.say("cli.rules.bench.max"))))
	for _, x := range rows {
		fmt.Fprintf(r.Stdout, "  %s  %9s %9s %9s %9s\n", term.Pad(r.say("cli.rules.bench."+x.key), label), millis(x.s.Median), millis(x.s.P90), millis(x.s.P99), millis(x.s.Max))
	}
	fmt.Fprintln(r.Stdout)
	if b.TenthRatio > 0 {
		fmt.Fprintln(r.Stdout, r.say("cli.rules.bench.tenth", "ratio", fmt.Sprintf("%.1f", b.TenthRatio)))
	}
	fmt.Fprintln(r.Stdout, r.say("cli.rules.bench.short", "n", b.Short))
	if len(b.Open) > 0 {
		fmt.Fprintln(r.Stdout, r.say("cli.rules.bench.open", "needs", r.ruleNeeds(b.Open)))
	}
	if len(b.Slowest) == 0 {
		return
	}
	fmt.Fprintln(r.Stdout)
	fmt.Fprintln(r.Stdout, r.say("cli.rules.bench.slowest"))
	for _, c := range b.Slowest {
		fmt.Fprintf(r.Stdout, "  %9s  %5.1f %%  %s\n", millis(c.MeanMS), c.Share*100, term.Truncate(term.Clean(c.Name), max(30, r.columns()-24)))
	}
}

// millis is a time in milliseconds with three digits.
func millis(ms float64) string {
	switch {
	case ms >= 100:
		return fmt.Sprintf("%.0f ms", ms)
	case ms >= 10:
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.2f ms", ms)
}
