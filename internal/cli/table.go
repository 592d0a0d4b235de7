package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

// symbol carries the verdict without colour.
func symbol(w desk.Word) string {
	switch w {
	case desk.Malicious:
		return "●"
	case desk.Suspicious:
		return "▲"
	case desk.Spam:
		return "△"
	case desk.Clean:
		return "○"
	}
	return "?"
}

func (r *run) paint(w desk.Word, s string) string {
	switch w {
	case desk.Malicious:
		return r.style.Paint(term.Malicious, s)
	case desk.Suspicious, desk.Spam:
		return r.style.Paint(term.Suspicious, s)
	case desk.Clean:
		return r.style.Paint(term.Harmless, s)
	}
	return r.style.Paint(term.Dim, s)
}

// tablePresenter writes one line for each message and a summary.
type tablePresenter struct {
	r     *run
	paths []string
}

func (p *tablePresenter) verdict(v *desk.Verdict) error {
	if v.Error != nil {
		return nil // said on standard error
	}
	r := p.r
	word := r.say("cli.verdict." + string(v.Verdict))
	wordWidth := 0
	for _, w := range []desk.Word{desk.Malicious, desk.Suspicious, desk.Spam, desk.Clean, desk.Undecided} {
		wordWidth = max(wordWidth, term.Width(r.say("cli.verdict."+string(w))))
	}
	from, subject := "-", "-"
	if v.From != nil {
		from = r.shown(v.From.String())
	}
	if v.Subject != "" {
		subject = r.shown(v.Subject)
	}
	fromWidth, subjectWidth := 34, 34
	head := 2 + 2 + wordWidth + 2
	if r.width > 0 {
		fromWidth = min(34, max(16, (r.width-head)*3/10))
		subjectWidth = min(34, max(14, (r.width-head)*3/10))
	}
	reason := r.shown(v.Reason.In(r.lang))
	line := "  " + r.paint(v.Verdict, symbol(v.Verdict)+" "+term.Pad(word, wordWidth)) + "  " +
		term.Pad(term.Truncate(from, fromWidth), fromWidth) + "  " + term.Pad(term.Truncate(subject, subjectWidth), subjectWidth) + "  "
	indent := head + fromWidth + 2 + subjectWidth + 2
	if r.width > 0 && r.width-indent >= 24 {
		parts := term.Wrap(reason, r.width-indent)
		for i, l := range parts {
			if i == 0 {
				fmt.Fprintln(r.Stdout, line+l)
				continue
			}
			fmt.Fprintln(r.Stdout, strings.Repeat(" ", indent)+l)
		}
	} else if r.width > 0 {
		fmt.Fprintln(r.Stdout, strings.TrimRight(line, " "))
		for _, l := range term.Wrap(reason, max(20, r.width-head)) {
			fmt.Fprintln(r.Stdout, strings.Repeat(" ", head)+l)
		}
	} else {
		fmt.Fprintln(r.Stdout, line+reason)
	}
	_, err := fmt.Fprintln(r.Stdout, strings.Repeat(" ", head)+r.style.Paint(term.Dim, p.place(v)))
	return err
}

// place names the message so that it can be asked for again.
func (p *tablePresenter) place(v *desk.Verdict) string {
	if v.Index > 0 {
		return term.Clean(v.File) + " --index " + strconv.Itoa(v.Index)
	}
	return term.Clean(v.File)
}

func (p *tablePresenter) end(s *summary) error {
	r := p.r
	counts := []string{}
	for _, w := range []desk.Word{desk.Malicious, desk.Suspicious, desk.Spam, desk.Clean, desk.Undecided} {
		if n := s.words[w]; n > 0 {
			counts = append(counts, r.paint(w, r.say("cli.count."+string(w), "n", n)))
		}
	}
	if s.unread > 0 {
		counts = append(counts, r.say("cli.count.unread", "n", s.unread))
	}
	if s.messages > 0 || s.unread == 0 {
		fmt.Fprintln(r.Stdout)
	}
	line := r.say("cli.summary", "n", s.messages)
	if len(counts) > 0 {
		line += ": " + r.join(counts)
	}
	fmt.Fprintf(r.Stdout, "%s   %.2f s\n", line, s.elapsed.Seconds())
	if s.stopped {
		fmt.Fprintln(r.Stdout, r.say("cli.stopped"))
	}
	p.notes(s)
	return nil
}

// notes says what was not checked and what to do next.
func (p *tablePresenter) notes(s *summary) {
	r := p.r
	if s.messages == 0 {
		return
	}
	if len(s.needs) > 0 {
		names := make([]string, 0, len(s.needs))
		for _, n := range s.needs {
			names = append(names, r.say("cli.capability."+n.Capability))
		}
		r.labelled("cli.not-checked", r.join(names))
	}
	for _, c := range s.presumed {
		r.labelled("cli.presumed", r.style.Paint(term.Bold, term.Clean(c)))
	}
	if s.worst != nil && severe(s.worst.Verdict) > 0 {
		r.labelled("cli.next", r.style.Paint(term.Bold, "sekisho judge --explain "+shellQuote(p.place(s.worst))))
	}
}

// shellQuote quotes a file name, leaving the flag after it alone.
func shellQuote(place string) string {
	name, flag, ok := strings.Cut(place, " --index ")
	if strings.ContainsAny(name, " \t'\"$&|;<>()*?[]!`\\#~") {
		name = "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
	}
	if ok {
		return name + " --index " + flag
	}
	return name
}

func (r *run) labelled(key, text string) {
	label := r.say(key)
	fmt.Fprintln(r.Stdout, label+" "+text)
}

// shown makes text from a mail fit to be printed: no control characters, and
// links that nobody can click.
func (r *run) shown(s string) string { return term.Clean(s) }

// join writes a list as the user's language does.
func (r *run) join(items []string) string {
	if r.lang == lang.JA {
		return strings.Join(items, "、")
	}
	return strings.Join(items, ", ")
}
