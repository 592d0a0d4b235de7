package cli

import (
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
)

// jsonPresenter writes one object, an array, or one object on each line. A
// single file that turns out to be a mailbox becomes an array.
type jsonPresenter struct {
	r     *run
	lines bool
	list  bool
	n     int
	first *desk.Verdict
}

func (p *jsonPresenter) verdict(v *desk.Verdict) error {
	defer func() { p.n++ }()
	if p.lines {
		b, err := marshal(v, "", "")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.r.Stdout, "%s\n", b)
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
	b, err := marshal(v, "  ", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.r.Stdout, "%s  %s", sep, b)
	return err
}

func (p *jsonPresenter) end(s *summary) error {
	p.r.warnStopped(s)
	var err error
	switch {
	case p.lines:
	case p.first != nil:
		var b []byte
		if b, err = marshal(p.first, "", "  "); err == nil {
			_, err = fmt.Fprintf(p.r.Stdout, "%s\n", b)
		}
	case p.n == 0:
		_, err = fmt.Fprintln(p.r.Stdout, "[]")
	default:
		_, err = fmt.Fprintln(p.r.Stdout, "\n]")
	}
	return err
}

// csvPresenter writes one line for each message.
type csvPresenter struct {
	r      *run
	w      *csv.Writer
	header bool
}

func (p *csvPresenter) verdict(v *desk.Verdict) error {
	row := map[string]string{
		"file": v.File, "sha256": v.SHA256, "message_id": v.MessageID, "verdict": string(v.Verdict), "score": strconv.Itoa(v.Score),
		"subject": v.Subject, "reason": v.Reason.In(p.r.lang), "findings": strconv.Itoa(len(v.Findings)),
	}
	if v.Index > 0 {
		row["index"] = strconv.Itoa(v.Index)
	}
	if v.DirectSend != nil {
		row["direct_send"] = v.DirectSend.Verdict
	}
	if v.From != nil {
		row["from"] = v.From.String()
	}
	if v.Error != nil {
		row["reason"], row["error"] = "", v.Error.Text.In(p.r.lang)
	}
	return p.write(row)
}

func (p *csvPresenter) end(s *summary) error {
	p.r.warnStopped(s)
	return p.write(nil)
}

// write writes a row; before the first one, and for a nil row if there was
// none, the names of the columns.
func (p *csvPresenter) write(row map[string]string) error {
	columns := []string{"file", "index", "sha256", "message_id", "verdict", "score", "direct_send", "from", "subject", "reason", "findings", "error"}
	if !p.header {
		p.header = true
		if err := p.w.Write(columns); err != nil {
			return fmt.Errorf("writing CSV: %w", err)
		}
	}
	if row != nil {
		cells := make([]string, 0, len(columns))
		for _, c := range columns {
			cells = append(cells, cell(row[c]))
		}
		if err := p.w.Write(cells); err != nil {
			return fmt.Errorf("writing CSV: %w", err)
		}
	}
	p.w.Flush()
	return p.w.Error()
}

// cell keeps a spreadsheet from reading an attacker's text as a formula. Japanese
// ones take the full-width signs too.
func cell(s string) string {
	s = term.Clean(s)
	if strings.IndexAny(strings.TrimLeft(s, " \u3000"), "=+-@＝＋－＠") == 0 {
		return "'" + s
	}
	return s
}
