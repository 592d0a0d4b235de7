package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/dmarcreport/source"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/internal/atomicfile"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

type dmarcReportCmd struct {
	Paths   []string `arg:"" optional:"" name:"path"`
	Domain  []string `sep:"none" placeholder:"DOMAIN"`
	Since   string   `placeholder:"DATE"`
	Until   string   `placeholder:"DATE"`
	Sources string   `placeholder:"FILE"`
	Format  string   `enum:"text,html,parsedmarc-csv,parsedmarc-json" default:"text" placeholder:"FORMAT"`
	Out     string   `placeholder:"FILE"`
	All     bool
	Explain bool `short:"e"`
}

type dmarcAdviseCmd struct {
	Paths   []string `arg:"" optional:"" name:"path"`
	Domain  []string `sep:"none" placeholder:"DOMAIN"`
	Policy  string   `placeholder:"RECORD"`
	People  string   `enum:"unknown,yes,no" default:"unknown" placeholder:"WORD"`
	Sources string   `placeholder:"FILE"`
	Explain bool     `short:"e"`
	FailOn  string   `enum:"never,no,cannot-tell" default:"never" placeholder:"ANSWER"`
}

// Run tells who sends as a domain.
func (c *dmarcReportCmd) Run(r *run) (err error) {
	if c.Out != "" && c.Format == "text" {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("dmarcpolicy.error.out"), Hint: lang.M("dmarcpolicy.hint.out")}
	}
	in := desk.DMARCReportInput{}
	if in.Domains, err = domainNames(c.Domain); err != nil {
		return err
	}
	if in.Since, err = day(c.Since); err != nil {
		return err
	}
	if in.Until, err = day(c.Until); err != nil {
		return err
	}
	if !in.Until.IsZero() {
		in.Until = in.Until.AddDate(0, 0, 1)
	}
	return r.withReports(c.Paths, c.Sources, func(deps *desk.DMARCDeps) error {
		if c.Format == "parsedmarc-csv" {
			return r.printTo(c.Out, func(b *bytes.Buffer) error { return parsedmarcCSV(r.ctx, b, &in, deps) })
		}
		if c.Format == "parsedmarc-json" {
			return r.printTo(c.Out, func(b *bytes.Buffer) error { return parsedmarcJSON(r.ctx, b, &in, deps) })
		}
		list, err := desk.ReportDMARC(r.ctx, &in, deps)
		if err != nil {
			return err
		}
		switch {
		case c.Format == "html":
			return r.printTo(c.Out, func(b *bytes.Buffer) error { return r.dmarcHTML(b, list) })
		case r.flags.Output == "csv":
			return r.dmarcCSV(list)
		}
		return writeRecords(r, list, func() {
			for i := range list {
				if i > 0 {
					fmt.Fprintln(r.Stdout)
				}
				r.dmarcReport(&list[i], c)
			}
		})
	})
}

// Run says whether the next step is safe.
func (c *dmarcAdviseCmd) Run(r *run) (err error) {
	if r.flags.Output == "csv" {
		return formatError("dmarc advise", "csv")
	}
	in := desk.DMARCAdviseInput{Policy: c.Policy}
	if in.Domains, err = domainNames(c.Domain); err != nil {
		return err
	}
	if c.People != "unknown" {
		people := c.People == "yes"
		in.People = &people
	}
	failed := false
	err = r.withReports(c.Paths, c.Sources, func(deps *desk.DMARCDeps) error {
		list, err := desk.AdviseDMARC(r.ctx, &in, deps)
		if err != nil {
			return err
		}
		failed = slices.ContainsFunc(list, func(a desk.DMARCAdvice) bool { return stops(&a, c.FailOn) })
		return writeRecords(r, list, func() {
			for i := range list {
				if i > 0 {
					fmt.Fprintln(r.Stdout)
				}
				r.dmarcAdvice(&list[i], c.Explain)
			}
		})
	})
	if err == nil && failed {
		return statusError(exitFindings)
	}
	return err
}

// withReports calls use with the reports of the data folder, or with those of
// the named files alone, which are not kept.
func (r *run) withReports(paths []string, sources string, use func(*desk.DMARCDeps) error) (err error) {
	deps := &desk.DMARCDeps{Facts: r.config.Facts, Words: r.words, Now: r.Now}
	if sources == "" {
		sources = r.config.DMARC.Sources
	}
	if sources != "" {
		text, err := os.ReadFile(sources)
		if err != nil {
			return &desk.Error{Kind: desk.NotFound, Message: lang.M("dmarcpolicy.error.sources", "file", sources, "error", reasonOf(err)), Hint: lang.M("dmarcpolicy.hint.sources"), Err: err}
		}
		if deps.Verdicts, err = desk.ReadSources(sources, string(text)); err != nil {
			return err
		}
	}
	if deps.Resolver, err = r.resolver(true); err != nil {
		return err
	}
	var store Store
	if len(paths) > 0 {
		dir, err := os.MkdirTemp("", "sekisho-")
		if err != nil {
			return fmt.Errorf("making a temporary folder: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		if store, err = r.Store(r.ctx, dir); err != nil {
			return err
		}
	} else if store, err = r.store(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if len(paths) > 0 {
		_, err := desk.IngestReports(r.ctx, r.ReportFiles(r.ctx, paths, newInterruptible(r.ctx, r.Stdin), func(int64) {}), desk.ReportIntake{
			Store: store, Facts: r.config.Facts, Now: r.Now(), Words: r.words, Problem: func(p desk.ReportProblem) { r.reportProblem(&p) },
		})
		if err != nil {
			return err
		}
	}
	deps.Store = store
	if err := use(deps); err != nil {
		return err
	}
	return r.saveDNS()
}

// reasonOf is why a file could not be read, without its name.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}

func domainNames(list []string) ([]domain.Name, error) {
	var out []domain.Name
	for _, s := range list {
		n, err := domain.Parse(s)
		if err != nil {
			return nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("dmarcpolicy.error.domain", "domain", s), Hint: lang.M("dmarcpolicy.hint.domain"), Err: err}
		}
		out = append(out, n)
	}
	return out, nil
}

// day reads a date as midnight UTC, the day of reports.
func day(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return t, &desk.Error{Kind: desk.Invalid, Message: lang.M("dmarcpolicy.error.date", "value", s), Hint: lang.M("dmarcpolicy.hint.date"), Err: err}
	}
	return t, nil
}

// printTo writes what make makes to a file, or to standard output.
func (r *run) printTo(file string, build func(*bytes.Buffer) error) error {
	var b bytes.Buffer
	if err := build(&b); err != nil {
		return err
	}
	if file == "" {
		_, err := r.Stdout.Write(b.Bytes())
		return err
	}
	if err := atomicfile.Replace(file, b.Bytes()); err != nil {
		return &desk.Error{Kind: desk.Unavailable, Message: lang.M("cli.error.write", "error", err.Error()), Hint: lang.M("cli.hint.write"), Err: err}
	}
	fmt.Fprintln(r.Stdout, r.say("cli.dmarcpolicy.saved", "file", term.Clean(file)))
	return nil
}

// classSymbol carries the class without colour.
func classSymbol(c source.Class) string {
	switch c {
	case source.Own, source.Service:
		return "○"
	case source.Forwarder:
		return "△"
	case source.Threat:
		return "●"
	case source.Unknown:
	}
	return "?"
}

func (r *run) paintClass(c source.Class, s string) string {
	switch c {
	case source.Own, source.Service:
		return r.style.Paint(term.Harmless, s)
	case source.Forwarder:
		return r.style.Paint(term.Dim, s)
	case source.Threat:
		return r.style.Paint(term.Malicious, s)
	case source.Unknown:
	}
	return r.style.Paint(term.Suspicious, s)
}

// shareText is a share in percent. One that is not whole is told neither as
// all nor as nothing.
func shareText(n, of int64) string {
	if of == 0 {
		return "-"
	}
	p := (n*200 + of) / (of * 2)
	switch {
	case p == 100 && n < of:
		return ">99 %"
	case p == 0 && n > 0:
		return "<1 %"
	}
	return strconv.FormatInt(p, 10) + " %"
}

// thousands writes a number as people read it.
func (r *run) thousands(n int64) string { return r.say("cli.dmarcpolicy.number", "n", n) }

// tableNumbers are the columns of the table beside class and source.
const tableNumbers = 77

// shownSources are the sources of a class that are shown without --all.
const shownSources = 12

func (r *run) dmarcReport(d *desk.DMARCReport, c *dmarcReportCmd) {
	fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, d.Domain.Unicode()))
	if d.From != "" {
		fmt.Fprintln(r.Stdout, r.say("cli.dmarcpolicy.period", "from", d.From, "until", d.Until, "reporters", len(d.Reporters)))
	}
	r.indented("", d.Summary.In(r.lang))
	if d.Unproven > 0 {
		r.indented("", r.say("cli.dmarcpolicy.unproven", "n", d.Unproven))
	}
	for _, s := range d.Unchecked {
		r.indented("", s.In(r.lang))
	}
	name, class := 40, 0
	for _, k := range d.Classes {
		class = max(class, term.Width(r.say("cli.dmarcpolicy.class."+string(k.Class))))
	}
	if r.width > 0 {
		name = min(44, max(16, r.width-class-tableNumbers))
	}
	column := func(key string) string { return r.say("cli.dmarcpolicy.column." + key) }
	head := "    " + term.Pad(column("class"), class) + "  " + term.Pad(column("source"), name) + "  " + right(column("messages"), 9) + "  " + right(column("pass"), 6) +
		"  " + right(column("spf"), 6) + "  " + right(column("dkim"), 6) + "  " + term.Pad(column("trend"), 8) + "  " + term.Pad(column("first"), 10) + "  " + column("last")
	fmt.Fprintln(r.Stdout)
	fmt.Fprintln(r.Stdout, r.style.Paint(term.Dim, head))
	for _, k := range d.Classes {
		shown, rest, messages := 0, 0, int64(0)
		for i := range d.Sources {
			s := &d.Sources[i]
			if s.Class != k.Class {
				continue
			}
			if shown >= shownSources && !c.All {
				rest++
				messages += s.Messages
				continue
			}
			shown++
			r.dmarcSource(s, class, name, c.Explain)
		}
		if rest > 0 {
			fmt.Fprintln(r.Stdout, "    "+r.say("cli.dmarcpolicy.more", "n", rest, "messages", messages))
		}
	}
	fmt.Fprintln(r.Stdout)
	fmt.Fprintln(r.Stdout, r.say("cli.dmarcpolicy.next", "domain", string(d.Domain)))
}

// right pads a text on its left.
func right(s string, width int) string {
	return strings.Repeat(" ", max(0, width-term.Width(s))) + s
}

func (r *run) dmarcSource(s *desk.DMARCSource, class, name int, explain bool) {
	line := "  " + r.paintClass(s.Class, classSymbol(s.Class)+" "+term.Pad(r.say("cli.dmarcpolicy.class."+string(s.Class)), class)) + "  " +
		term.Pad(term.Truncate(term.Clean(s.Name), name), name) + "  " + right(r.thousands(s.Messages), 9) + "  " + right(shareText(s.Pass, s.Messages), 6) +
		"  " + right(shareText(s.SPF, s.Messages), 6) + "  " + right(shareText(s.DKIM, s.Messages), 6) +
		"  " + term.Pad(r.say("cli.dmarcpolicy.trend."+string(s.Trend)), 8) + "  " + s.First + "  " + s.Last
	fmt.Fprintln(r.Stdout, line)
	if !explain {
		return
	}
	for i := range s.Reasons {
		r.indented("        ", "- "+s.Reasons[i].Text.In(r.lang))
	}
	var ips []string
	for i, ip := range s.Addresses {
		if i == 5 {
			ips = append(ips, "…")
			break
		}
		ips = append(ips, ip.String())
	}
	r.indented("        ", r.say("cli.dmarcpolicy.column.addresses")+" "+strings.Join(ips, ", "))
	if len(s.Signers) > 0 {
		r.indented("        ", "DKIM "+strings.Join(s.Signers, ", "))
	}
	if len(s.Envelopes) > 0 {
		r.indented("        ", "SPF "+strings.Join(s.Envelopes, ", "))
	}
	if len(s.From) > 1 {
		r.indented("        ", "From "+strings.Join(s.From, ", "))
	}
}

// indented prints a text with an indent.
func (r *run) indented(indent, s string) {
	for para := range strings.SplitSeq(s, "\n") {
		for i, l := range term.Wrap(term.Clean(para), max(30, r.columns()-len(indent))) {
			more := ""
			if i > 0 && strings.HasPrefix(para, "- ") {
				more = "  "
			}
			fmt.Fprintln(r.Stdout, indent+more+l)
		}
	}
}

func (r *run) dmarcCSV(list []desk.DMARCReport) error {
	rows := [][]string{{"domain", "class", "source", "service", "confidence", "messages", "pass", "spf", "dkim", "quarantined", "rejected", "trend", "first", "last", "networks", "addresses", "signers", "envelopes", "from", "reasons"}}
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	for i := range list {
		for j := range list[i].Sources {
			s := &list[i].Sources[j]
			var ips, why []string
			for _, ip := range s.Addresses {
				ips = append(ips, ip.String())
			}
			for _, x := range s.Reasons {
				why = append(why, x.Code)
			}
			rows = append(rows, []string{
				string(list[i].Domain), string(s.Class), s.Name, s.Service, string(s.Confidence), n(s.Messages), n(s.Pass), n(s.SPF), n(s.DKIM), n(s.Quarantined), n(s.Rejected),
				string(s.Trend), s.First, s.Last, strconv.Itoa(s.Networks), strings.Join(ips, " "), strings.Join(s.Signers, ";"), strings.Join(s.Envelopes, " "), strings.Join(s.From, " "), strings.Join(why, " "),
			})
		}
	}
	return r.writeCSV(rows)
}
