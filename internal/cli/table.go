package cli

import (
	"fmt"
	"os"
	"runtime"
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
	default: // undecided
		return "?"
	}
}

// verdictWords are all verdicts, the worst first.
func verdictWords() []desk.Word {
	return []desk.Word{desk.Malicious, desk.Suspicious, desk.Spam, desk.Clean, desk.Undecided}
}

func (r *run) paint(w desk.Word, s string) string {
	switch w {
	case desk.Malicious:
		return r.style.Paint(term.Malicious, s)
	case desk.Suspicious, desk.Spam:
		return r.style.Paint(term.Suspicious, s)
	case desk.Clean:
		return r.style.Paint(term.Harmless, s)
	default: // undecided
		return r.style.Paint(term.Dim, s)
	}
}

// tablePresenter writes an entry for each message and a summary.
type tablePresenter struct {
	r      *run
	redact bool
}

// layout says where the columns of the table stand. On a terminal that is not
// wide enough the reason stands under sender and subject.
type layout struct {
	word    int // columns of the verdict
	from    int
	subject int
	stacked bool
}

const (
	wideFrom     = 34 // columns of the sender where there is room
	maxFrom      = 44
	sideBySide   = 150 // from here on the reason has a column of its own
	tableGap     = 2
	tableMargins = 4 // margin, symbol and the space behind it
)

func (l layout) body() int {
	indent := tableMargins + l.word + tableGap
	if !l.stacked {
		indent += l.from + tableGap + l.subject + tableGap
	}
	return indent
}

func (r *run) layout() layout {
	l := layout{from: wideFrom, subject: wideFrom, stacked: r.width > 0 && r.width < sideBySide}
	for _, w := range verdictWords() {
		l.word = max(l.word, term.Width(r.say("cli.verdict."+string(w))))
	}
	if l.stacked {
		room := max(16, r.width-l.body()-tableGap)
		l.from = min(maxFrom, room*9/20)
		l.subject = room - l.from
	}
	return l
}

func (p *tablePresenter) verdict(v *desk.Verdict) error {
	if v.Error != nil {
		return nil // said on standard error
	}
	r, l := p.r, p.r.layout()
	from, subject := "-", "-"
	if v.From != nil {
		from = term.Clean(v.From.String())
	}
	if v.Subject != "" {
		subject = term.Clean(v.Subject)
	}
	reason, where := term.Clean(v.Reason.In(r.lang)), term.Clean(place(v))
	head := "  " + r.paint(v.Verdict, symbol(v.Verdict)+" "+term.Pad(r.say("cli.verdict."+string(v.Verdict)), l.word)) + "  " +
		term.Pad(term.Truncate(from, l.from), l.from) + "  "
	subject = term.Truncate(subject, l.subject)
	if r.width == 0 { // one line for each message, for grep
		_, err := fmt.Fprintln(r.Stdout, head+term.Pad(subject, l.subject)+"  "+reason+"  "+where)
		return err
	}
	if l.stacked {
		fmt.Fprintln(r.Stdout, head+subject)
		head = strings.Repeat(" ", l.body())
	} else {
		head += term.Pad(subject, l.subject) + "  "
	}
	lines := term.Wrap(reason, max(20, r.width-l.body()))
	for i, line := range lines {
		if i > 0 {
			head = strings.Repeat(" ", l.body())
		}
		if i < len(lines)-1 {
			fmt.Fprintln(r.Stdout, head+line)
			continue
		}
		if l.body()+term.Width(line)+tableGap+term.Width(where) > r.width {
			fmt.Fprintln(r.Stdout, head+line)
			head, line = strings.Repeat(" ", l.body()), ""
		} else {
			line += "  "
		}
		fmt.Fprintln(r.Stdout, head+line+r.style.Paint(term.Dim, where))
	}
	return r.out.err
}

func (p *tablePresenter) end(s *summary) error {
	r := p.r
	r.counts(s)
	if s.messages == 0 {
		return r.out.err
	}
	r.ruleSummary(&s.rules)
	if len(s.needs) > 0 {
		names := make([]string, 0, len(s.needs))
		for _, n := range s.needs {
			name := r.say("cli.capability." + n.capability)
			if n.messages < s.messages {
				name = r.say("cli.capability-of", "what", name, "n", n.messages)
			}
			names = append(names, name)
		}
		r.labelled("cli.not-checked", r.join(names))
	}
	if !p.redact {
		for _, c := range s.presumed {
			r.labelled("cli.presumed", term.Clean(c))
		}
	}
	if s.worst != nil && severe(s.worst.Verdict) > 0 {
		r.labelled("cli.next", explainCommand(s.worst))
	}
	return r.out.err
}

// counts says how many messages got which verdict.
func (r *run) counts(s *summary) {
	var counts []string
	for _, w := range verdictWords() {
		if n := s.words[w]; n > 0 {
			counts = append(counts, r.paint(w, r.say("cli.count."+string(w), "n", n)))
		}
	}
	if s.unread > 0 {
		counts = append(counts, r.say("cli.count.unread", "n", s.unread))
	}
	if s.messages > 0 {
		fmt.Fprintln(r.Stdout)
	}
	line := r.say("cli.summary", "n", s.messages)
	if len(counts) > 0 {
		line += ": " + r.join(counts)
	}
	if r.width > 0 { // what is kept in a file can be compared with the next run
		line += fmt.Sprintf("   %.2f s", s.elapsed.Seconds())
	}
	fmt.Fprintln(r.Stdout, line)
	if s.stopped {
		fmt.Fprintln(r.Stdout, r.say("cli.stopped"))
	}
}

// join lists items as the language does.
func (r *run) join(items []string) string {
	if r.lang == lang.JA {
		return strings.Join(items, "、")
	}
	return strings.Join(items, ", ")
}

// labelled prints a label and what belongs to it, under it where it does not
// fit beside it.
func (r *run) labelled(key, text string) {
	label := r.say(key)
	if r.width == 0 || term.Width(label)+1+term.Width(text) <= r.width {
		fmt.Fprintln(r.Stdout, label+" "+text)
		return
	}
	fmt.Fprintln(r.Stdout, label)
	if strings.HasPrefix(text, "sekisho ") { // to be copied
		fmt.Fprintln(r.Stdout, "  "+text)
		return
	}
	for _, l := range term.Wrap(text, r.width-2) {
		fmt.Fprintln(r.Stdout, "  "+l)
	}
}

// explainCommand is the command that explains the verdict on a message. A
// member of an archive has no path of its own.
func explainCommand(v *desk.Verdict) string {
	name, flags := v.File, ""
	if archive, _, ok := strings.Cut(name, "!"); ok {
		if _, err := os.Stat(name); err != nil {
			name, flags = archive, "--only "+string(v.Verdict)+" "
		}
	}
	if v.Index > 0 {
		flags = fmt.Sprintf("--index %d ", v.Index)
	}
	return "sekisho judge --explain " + flags + shellQuote(term.Clean(name), runtime.GOOS)
}

// shellQuote quotes a file name for the shell of the system, where it needs it.
func shellQuote(name, system string) string {
	if strings.HasPrefix(name, "-") && name != "-" {
		name = "./" + name
	}
	if system == "windows" {
		// No file name holds a double quote there.
		if strings.ContainsAny(name, " '&|;<>()^%!$`,@{}[]") {
			return `"` + name + `"`
		}
		return name
	}
	if strings.ContainsAny(name, " '\"$&|;<>()*?[]{}!`\\#~") {
		return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
	}
	return name
}
