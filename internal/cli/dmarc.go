package cli

import (
	"fmt"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

type dmarcCmd struct {
	Ingest dmarcIngestCmd `cmd:""`
	Report dmarcReportCmd `cmd:""`
	Advise dmarcAdviseCmd `cmd:""`
}

type dmarcIngestCmd struct {
	Paths         []string `arg:"" name:"path"`
	KeepAddresses bool
}

// Run takes reports into the store.
func (c *dmarcIngestCmd) Run(r *run) (err error) {
	store, err := r.store()
	if err != nil {
		return err
	}
	defer func() {
		if e := store.Close(); err == nil {
			err = e
		}
	}()
	bar := r.progress(c.Paths)
	defer bar.Close()
	var kib int64
	files := r.ReportFiles(r.ctx, c.Paths, newInterruptible(r.ctx, r.Stdin), func(n int64) {
		bar.Add(int(n>>10 - kib))
		kib = n >> 10
	})
	out, err := desk.IngestReports(r.ctx, files, desk.ReportIntake{
		Store: store, Facts: r.config.Facts, Now: r.Now(), Words: r.words, KeepAddresses: c.KeepAddresses,
		Problem: func(p desk.ReportProblem) { bar.Interrupt(func() { r.reportProblem(&p) }) },
	})
	if err != nil {
		return err
	}
	bar.Close()
	if r.flags.Output == "text" {
		r.ingested(out)
	} else if err := r.writeRecord(out); err != nil {
		return err
	}
	if out.Refused > 0 || out.Stopped {
		return statusError(exitUnread)
	}
	return nil
}

// reportProblem says on standard error what was refused, and what was read in
// part.
func (r *run) reportProblem(p *desk.ReportProblem) {
	where := p.File
	if p.Index > 0 {
		where = r.say("cli.dmarc.message", "file", p.File, "n", p.Index)
	}
	if p.Where != "" {
		where += "!" + p.Where
	}
	if p.State == desk.ReportRefused {
		r.warnText(lang.Text{EN: where + ": " + p.Reason.EN, JA: where + ": " + p.Reason.JA}, p.Hint)
		return
	}
	fmt.Fprintln(r.Stderr, "sekisho: "+term.Clean(r.say("cli.dmarc.salvaged", "file", where, "what", p.Reason.In(r.lang))))
}

// ingested says what was taken in. The counts are its last line.
func (r *run) ingested(g *desk.Ingested) {
	if g.OwnUnknown && g.Reports > 0 {
		fmt.Fprintln(r.Stdout, r.say("cli.dmarc.own-unknown"))
	}
	if len(g.Foreign) > 0 {
		n := 0
		var names []string
		for i, f := range g.Foreign {
			n += f.Reports
			if i < 5 {
				names = append(names, f.Domain)
			}
		}
		list := strings.Join(names, ", ")
		if rest := len(g.Foreign) - len(names); rest > 0 {
			list = r.say("cli.dmarc.and-more", "names", list, "n", rest)
		}
		fmt.Fprintln(r.Stdout, term.Clean(r.say("cli.dmarc.foreign", "n", n, "names", list)))
	}
	if n := g.Carriers.Fail + g.Carriers.Other; n > 0 {
		fmt.Fprintln(r.Stdout, r.say("cli.dmarc.unauthenticated", "n", n))
	}
	if g.Outranked > 0 {
		fmt.Fprintln(r.Stdout, r.say("cli.dmarc.outranked", "n", g.Outranked))
	}
	if g.Failures+g.TLS > 0 {
		fmt.Fprintln(r.Stdout, r.say("cli.dmarc.other-kinds", "failures", g.Failures, "tls", g.TLS))
	}
	if g.NoReport > 0 {
		fmt.Fprintln(r.Stdout, r.say("cli.dmarc.no-report", "n", g.NoReport))
	}
	if g.Replaced > 0 {
		fmt.Fprintln(r.Stdout, r.say("cli.dmarc.replaced", "n", g.Replaced))
	}
	if g.Salvaged > 0 {
		fmt.Fprintln(r.Stdout, r.say("cli.dmarc.salvaged-sum", "n", g.Salvaged))
	}
	if g.Stopped {
		fmt.Fprintln(r.Stdout, r.say("cli.dmarc.stopped"))
	}
	fmt.Fprintln(r.Stdout, r.say("cli.dmarc.sum", "files", g.Files, "reports", g.Reports, "duplicates", g.Duplicates,
		"records", g.Records, "messages", g.Messages, "pass", g.Pass, "refused", g.Refused))
}
