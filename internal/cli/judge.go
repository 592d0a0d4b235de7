package cli

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

type judgeCmd struct {
	Paths   []string `arg:"" name:"path"`
	Explain bool     `short:"e"`
	Redact  bool
	FailOn  string `enum:"never,malicious,suspicious,spam,undecided" default:"never" placeholder:"VERDICT"`
	Only    string `enum:"all,malicious,suspicious,spam,undecided" default:"all" placeholder:"VERDICT"`
	Index   int    `placeholder:"N"`
}

// severe orders verdicts for --fail-on and --only.
func severe(w desk.Word) int {
	switch w {
	case desk.Malicious:
		return 4
	case desk.Suspicious:
		return 3
	case desk.Spam:
		return 2
	case desk.Undecided:
		return 1
	}
	return 0
}

// atLeast reports whether w is at or above the level that a flag names.
func atLeast(w desk.Word, level string) bool {
	switch level {
	case "never":
		return false
	case "all":
		return true
	}
	return severe(w) >= severe(desk.Word(level))
}

// presenter writes verdicts as they come.
type presenter interface {
	verdict(v *desk.Verdict) error
	end(s *summary) error
}

// summary counts what was judged.
type summary struct {
	words    map[desk.Word]int
	messages int
	unread   int
	elapsed  time.Duration
	presumed []string // commands that confirm presumed domains
	worst    *desk.Verdict
	needs    []desk.Unchecked
	stopped  bool
}

func (s *summary) add(v *desk.Verdict) {
	if v.Error != nil {
		s.unread++
		return
	}
	s.messages++
	s.words[v.Verdict]++
	if s.worst == nil || severe(v.Verdict) > severe(s.worst.Verdict) {
		s.worst = v
	}
	if v.Organisation != nil && v.Organisation.Confirm != "" && !contains(s.presumed, v.Organisation.Confirm) && len(s.presumed) < 3 {
		s.presumed = append(s.presumed, v.Organisation.Confirm)
	}
	for _, n := range v.NotChecked {
		known := false
		for _, have := range s.needs {
			known = known || have.Capability == n.Capability
		}
		if !known {
			s.needs = append(s.needs, n)
		}
	}
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// Run judges every message of the named inputs.
func (c *judgeCmd) Run(r *run) error {
	deps, err := r.judgeDeps()
	if err != nil {
		return err
	}
	p := c.presenter(r)
	start := time.Now()
	bar := r.progress(c.Paths)
	defer bar.Close()
	var kib int64
	// Reading stops at a signal; what was read so far is judged and shown.
	read := r.Walk(r.ctx, c.Paths, r.Stdin, WalkOptions{MaxMessage: r.config.Limits.MessageSize, Progress: func(n int64) {
		bar.Add(int(n>>10 - kib))
		kib = n >> 10
	}})
	items := iter.Seq[desk.Item](func(yield func(desk.Item) bool) {
		for it := range read {
			if c.Index != 0 && it.Index != c.Index && it.Err == nil {
				continue
			}
			if !yield(it) {
				return
			}
		}
	})
	s := &summary{words: map[desk.Word]int{}}
	failed := false
	var writeErr error
	for v := range desk.Judge(context.WithoutCancel(r.ctx), items, deps) {
		if c.Redact {
			desk.Redact(v, &deps.Facts)
		}
		s.add(v)
		failed = failed || v.Error == nil && atLeast(v.Verdict, c.FailOn)
		bar.Interrupt(func() {
			if v.Error != nil {
				r.warnText(v.Error.Text, v.Error.Hint)
			}
			if v.Error != nil || atLeast(v.Verdict, c.Only) {
				writeErr = p.verdict(v)
			}
		})
		if writeErr != nil {
			break
		}
	}
	bar.Close()
	s.elapsed = time.Since(start)
	s.stopped = r.ctx.Err() != nil
	if writeErr == nil {
		writeErr = p.end(s)
	}
	switch {
	case writeErr != nil:
		return exitStatus(exitOK) // the reader closed the pipe: nobody to tell
	case failed:
		return exitStatus(exitFindings)
	case s.unread > 0:
		return exitStatus(exitUnread)
	}
	return nil
}

func (r *run) judgeDeps() (desk.JudgeDeps, error) {
	deps := desk.JudgeDeps{Facts: r.config.Facts, Words: r.words, Now: r.Now}
	if r.Exceptions != nil {
		list, err := r.Exceptions(r.dataDir()).List(r.ctx)
		if err != nil {
			return deps, err
		}
		deps.Exceptions = list
	}
	return deps, nil
}

func (c *judgeCmd) presenter(r *run) presenter {
	switch r.flags.Output {
	case "json":
		return &jsonPresenter{w: r.Stdout, list: !c.oneMessage()}
	case "ndjson":
		return &jsonPresenter{w: r.Stdout, lines: true}
	case "csv":
		return &csvPresenter{w: csv.NewWriter(r.Stdout), lang: r.lang}
	}
	if c.Explain {
		return &explainPresenter{r: r}
	}
	return &tablePresenter{r: r, paths: c.Paths}
}

// oneMessage reports whether the input is a single file, whose JSON is one
// object rather than an array.
func (c *judgeCmd) oneMessage() bool {
	if len(c.Paths) != 1 {
		return false
	}
	if c.Paths[0] == "-" {
		return true
	}
	st, err := os.Stat(c.Paths[0])
	return err == nil && st.Mode().IsRegular()
}

// jsonPresenter writes one object, an array, or one object on each line. A
// single file that turns out to be a mailbox becomes an array.
type jsonPresenter struct {
	w     io.Writer
	lines bool
	list  bool
	n     int
	first *desk.Verdict
}

func (p *jsonPresenter) verdict(v *desk.Verdict) error {
	defer func() { p.n++ }()
	if p.lines {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.w, "%s\n", b)
		return err
	}
	if !p.list && p.n == 0 && v.Index == 0 {
		p.first = v // held back: one object or the first of several
		return nil
	}
	if p.first != nil {
		if err := p.element(p.first, 0); err != nil {
			return err
		}
		p.first = nil
	}
	p.list = true
	return p.element(v, p.n)
}

func (p *jsonPresenter) element(v *desk.Verdict, n int) error {
	sep := ",\n"
	if n == 0 {
		sep = "[\n"
	}
	b, err := json.MarshalIndent(v, "  ", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.w, "%s  %s", sep, b)
	return err
}

func (p *jsonPresenter) end(*summary) error {
	var err error
	switch {
	case p.lines:
	case p.first != nil:
		var b []byte
		if b, err = json.MarshalIndent(p.first, "", "  "); err == nil {
			_, err = fmt.Fprintf(p.w, "%s\n", b)
		}
	case p.n == 0:
		_, err = fmt.Fprintln(p.w, "[]")
	default:
		_, err = fmt.Fprintln(p.w, "\n]")
	}
	return err
}

// csvPresenter writes one line for each message.
type csvPresenter struct {
	w      *csv.Writer
	lang   lang.Language
	header bool
}

func (p *csvPresenter) verdict(v *desk.Verdict) error {
	if !p.header {
		p.header = true
		if err := p.w.Write([]string{"file", "index", "sha256", "message_id", "verdict", "score", "direct_send", "from", "subject", "reason", "findings", "error"}); err != nil {
			return err
		}
	}
	row := []string{
		v.File, "", v.SHA256, cell(v.MessageID), string(v.Verdict), strconv.Itoa(v.Score), "", "",
		cell(v.Subject), v.Reason.In(p.lang), strconv.Itoa(len(v.Findings)), "",
	}
	if v.Index > 0 {
		row[1] = strconv.Itoa(v.Index)
	}
	if v.DirectSend != nil {
		row[6] = v.DirectSend.Verdict
	}
	if v.From != nil {
		row[7] = cell(v.From.String())
	}
	if v.Error != nil {
		row[11] = v.Error.Text.In(p.lang)
	}
	if err := p.w.Write(row); err != nil {
		return err
	}
	p.w.Flush()
	return p.w.Error()
}

func (p *csvPresenter) end(*summary) error { return nil }

// cell keeps a spreadsheet from reading an attacker's text as a formula.
func cell(s string) string {
	s = term.Clean(s)
	if s != "" && (s[0] == '=' || s[0] == '+' || s[0] == '-' || s[0] == '@') {
		return "'" + s
	}
	return s
}
