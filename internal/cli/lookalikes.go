package cli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

type lookalikesCmd struct {
	Domains   []string `arg:"" name:"domain" optional:""`
	Own       []string `sep:"none" placeholder:"NAME"`
	Max       int      `default:"1000" placeholder:"N"`
	Questions int      `default:"5000" placeholder:"N"`
	All       bool
	FailOn    string `enum:"never,low,medium,high" default:"never" placeholder:"SEVERITY"`
}

const (
	maxOwnFile        = 1 << 20 // bytes
	maxShownLookalike = 60      // in text; other forms have them all
)

// Run looks for names that could be taken for a domain.
func (c *lookalikesCmd) Run(r *run) error {
	if c.Max < 0 || c.Questions < 0 {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.error.number", "flag", "--max, --questions"), Hint: lang.M("cli.hint.usage", "help", "sekisho help domain lookalikes")}
	}
	own, err := ownNames(c.Own)
	if err != nil {
		return err
	}
	dns, err := r.resolver(true)
	if err != nil {
		return err
	}
	deps := desk.LookalikesDeps{Resolver: dns, Facts: r.config.Facts, Words: r.words, Now: r.Now}
	bar := r.countProgress("")
	deps.Progress = func(done, total int) {
		if done == 1 {
			bar.SetTotal(total)
		}
		bar.Add(1)
	}
	list, err := desk.Lookalikes(r.ctx, desk.LookalikesInput{Domains: c.Domains, Own: own, Max: c.Max, Questions: c.Questions, All: c.All}, deps)
	bar.Close()
	if r.ctx.Err() != nil {
		fmt.Fprintln(r.Stderr, "sekisho: "+r.say("cli.stopped"))
	} else if err != nil {
		return err
	}
	if r.flags.Output == "csv" {
		err = c.table(r, list)
	} else {
		err = writeRecords(r, list, func() {
			for i, rep := range list {
				if i > 0 {
					fmt.Fprintln(r.Stdout)
				}
				(&explainPresenter{r: r, said: map[string]bool{}}).lookalikes(rep)
			}
		})
	}
	if err == nil {
		err = r.saveDNS()
	}
	switch {
	case err != nil:
		return err
	case r.ctx.Err() != nil:
		return statusError(exitUnread)
	case c.fails(list):
		return statusError(exitFindings)
	}
	return nil
}

// countProgress is a line on standard error that counts, if that is a terminal.
func (r *run) countProgress(label string) *term.Progress {
	f, ok := r.Stderr.(*os.File)
	if !ok || !term.IsTerminal(f) {
		return nil
	}
	return term.NewProgress(f, &term.ProgressOptions{Label: label, Columns: term.Columns(f, r.getenv)})
}

// ownNames reads the names that --own gives, or the files that it names.
func ownNames(list []string) ([]string, error) {
	var out []string
	for _, s := range list {
		f, err := os.Open(s)
		if errors.Is(err, fs.ErrNotExist) {
			out = append(out, s)
			continue
		}
		var b []byte
		if err == nil {
			b, err = io.ReadAll(io.LimitReader(f, maxOwnFile))
			_ = f.Close() // nothing was written
		}
		if err != nil {
			return nil, &desk.Error{Kind: desk.Denied, Message: lang.M("lookalike.error.own", "file", s, "error", err.Error()), Hint: lang.M("lookalike.hint.own"), Err: err}
		}
		for line := range strings.Lines(strings.TrimPrefix(string(b), "\ufeff")) {
			line, _, _ = strings.Cut(line, "#")
			if line = strings.TrimSpace(line); line != "" {
				out = append(out, line)
			}
		}
	}
	return out, nil
}

func (c *lookalikesCmd) fails(list []*desk.LookalikesReport) bool {
	if c.FailOn == "never" {
		return false
	}
	least, err := finding.ParseSeverity(c.FailOn)
	for _, rep := range list {
		for i := range rep.Lookalikes {
			if err == nil && rep.Lookalikes[i].State == desk.LookalikeRegistered && !rep.Lookalikes[i].Ours && rep.Lookalikes[i].Severity >= least {
				return true
			}
		}
	}
	return false
}

// lookalikes writes the names like one domain, the worst first.
func (p *explainPresenter) lookalikes(rep *desk.LookalikesReport) {
	r := p.r
	fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, term.Clean(rep.Summary.In(r.lang))))
	shown := rep.Lookalikes[:min(len(rep.Lookalikes), maxShownLookalike)]
	width, label := 0, 0
	for i := range shown {
		width = max(width, min(term.Width(displayName(&shown[i])), 40))
		label = max(label, term.Width(r.standing(&shown[i])))
	}
	for i := range shown {
		v := &shown[i]
		head := "  " + r.paintSeverity(v, severitySymbol(v)+" "+term.Pad(r.standing(v), label)) + "  " + term.Pad(term.Truncate(displayName(v), width), width)
		fmt.Fprintln(r.Stdout, head+"  "+term.Clean(v.Reason.In(r.lang)))
		if v.State != desk.LookalikeRegistered {
			continue
		}
		if facts := r.published(v); facts != "" {
			p.dim(8, facts)
		}
		meaning := v.Meaning.In(r.lang)
		if note := v.Note.In(r.lang); note != "" {
			meaning += " " + note
		}
		if !p.said[meaning] {
			p.said[meaning] = true
			p.text(8, strings.Repeat(" ", 8), meaning)
		}
	}
	if n := len(rep.Lookalikes) - len(shown); n > 0 {
		p.dim(2, r.say("cli.lookalikes.more", "n", n))
	}
	if rep.Checked != nil && rep.Registered == 0 && rep.Unknown == 0 && rep.NotAsked == 0 {
		fmt.Fprintln(r.Stdout, "  "+r.say("cli.lookalikes.none"))
	}
	for _, n := range rep.NotChecked {
		p.text(4, "  ? ", n.Text.In(r.lang))
	}
	if len(rep.Advice) == 0 {
		return
	}
	fmt.Fprintln(r.Stdout, "\n"+r.style.Paint(term.Bold, r.say("cli.lookalikes.todo")))
	for _, a := range rep.Advice {
		p.item(a.Text.In(r.lang))
		for _, command := range a.Commands {
			fmt.Fprintln(r.Stdout, "      "+term.Clean(command))
		}
	}
}

// standing is the severity of a name that is registered, else why there is none.
func (r *run) standing(v *desk.LookalikeView) string {
	switch {
	case v.State != desk.LookalikeRegistered:
		return r.say("cli.lookalikes.state." + string(v.State))
	case v.Ours:
		return r.say("cli.lookalikes.ours")
	}
	return r.say("cli.lookalikes.severity." + v.Severity.String())
}

func displayName(v *desk.LookalikeView) string {
	if v.Unicode != "" {
		return term.Clean(v.Unicode + " (" + v.Name + ")")
	}
	return term.Clean(v.Name)
}

// severitySymbol carries the severity without colour.
func severitySymbol(v *desk.LookalikeView) string {
	switch {
	case v.State == desk.LookalikeFree:
		return "－"
	case v.State != desk.LookalikeRegistered:
		return "?"
	case v.Severity >= finding.High:
		return "●"
	case v.Severity == finding.Medium:
		return "▲"
	case v.Severity == finding.Low:
		return "△"
	}
	return "○"
}

func (r *run) paintSeverity(v *desk.LookalikeView, s string) string {
	switch {
	case v.State != desk.LookalikeRegistered:
		return r.style.Paint(term.Dim, s)
	case v.Severity >= finding.High:
		return r.style.Paint(term.Malicious, s)
	case v.Severity >= finding.Low:
		return r.style.Paint(term.Suspicious, s)
	}
	return r.style.Paint(term.Harmless, s)
}

// published says in short what a name has in DNS.
func (r *run) published(v *desk.LookalikeView) string {
	var facts []string
	few := func(label string, list []string) {
		if len(list) > 0 {
			s := label + " " + strings.Join(list[:min(len(list), 2)], " ")
			if len(list) > 2 {
				s += " …"
			}
			facts = append(facts, s)
		}
	}
	few("MX", v.MX)
	few("A", v.Addresses)
	if len(v.MX) == 0 {
		few("NS", v.NS)
	}
	if v.SPF != "" {
		facts = append(facts, "SPF “"+term.Truncate(v.SPF, 60)+"”")
	} else if v.Receives == "yes" {
		facts = append(facts, r.say("cli.lookalikes.no-spf"))
	}
	if v.DMARC != "" {
		facts = append(facts, "DMARC “"+term.Truncate(v.DMARC, 60)+"”")
	} else if v.Receives == "yes" {
		facts = append(facts, r.say("cli.lookalikes.no-dmarc"))
	}
	return strings.Join(facts, "; ")
}

// table writes one line for each name.
func (c *lookalikesCmd) table(r *run, list []*desk.LookalikesReport) error {
	w := csv.NewWriter(r.Stdout)
	rows := [][]string{{"domain", "name", "unicode", "state", "severity", "ours", "way", "reason", "weight", "receives", "sends", "mx", "ns", "addresses", "spf", "dmarc", "meaning", "note"}}
	for _, rep := range list {
		for i := range rep.Lookalikes {
			v := &rep.Lookalikes[i]
			rows = append(rows, []string{
				rep.Domain, v.Name, v.Unicode, string(v.State), v.Severity.String(), strconv.FormatBool(v.Ours), v.Way, v.Reason.In(r.lang), strconv.Itoa(v.Weight), v.Receives, v.Sends,
				strings.Join(v.MX, " "), strings.Join(v.NS, " "), strings.Join(v.Addresses, " "), v.SPF, v.DMARC, v.Meaning.In(r.lang), v.Note.In(r.lang),
			})
		}
	}
	for _, row := range rows {
		for i := range row {
			row[i] = cell(row[i])
		}
		if err := w.Write(row); err != nil {
			return fmt.Errorf("writing CSV: %w", err)
		}
	}
	w.Flush()
	return w.Error()
}
