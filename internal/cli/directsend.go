package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/m365/trace"
)

type directSendCmd struct {
	Paths   []string `arg:"" name:"trace"`
	All     bool
	Explain bool `short:"e"`
	Redact  bool
	FailOn  string `enum:"never,yours,unknown" default:"never" placeholder:"WORD"`
}

// Run says what turning RejectDirectSend on would stop.
func (c *directSendCmd) Run(r *run) error {
	deps := desk.ImpactDeps{Facts: r.config.Facts, Words: r.words, Now: r.Now}
	var err error
	if deps.Resolver, err = r.resolver(false); err != nil {
		return err
	}
	bar := r.progress(c.Paths)
	kib := int64(0)
	report, err := desk.DirectSendImpact(r.ctx, r.ReportFiles(r.ctx, c.Paths, newInterruptible(r.ctx, r.Stdin), func(n int64) {
		bar.Add(int(n>>10 - kib))
		kib = n >> 10
	}), deps)
	bar.Close()
	if err != nil {
		return err
	}
	unread := r.tracesRead(report.Files)
	if c.Redact {
		desk.RedactImpact(report)
	}
	switch r.flags.Output {
	case "text":
		c.text(r, report)
	case "csv":
		err = r.impactCSV(report)
	case "ndjson":
		for i := range report.Sources {
			if err = r.writeRecord(&report.Sources[i]); err != nil {
				break
			}
		}
	default:
		err = r.writeRecord(report)
	}
	if err == nil {
		err = r.saveDNS()
	}
	switch {
	case err != nil:
		return err
	case c.fails(report):
		return statusError(exitFindings)
	case unread:
		return statusError(exitUnread)
	}
	return nil
}

// fails reports whether the answer is at or above the level of --fail-on.
func (c *directSendCmd) fails(p *desk.ImpactReport) bool {
	switch c.FailOn {
	case "yours":
		return p.Answer == desk.ImpactPrepare
	case "unknown":
		return p.Answer != desk.ImpactReady
	}
	return false
}

// tracesRead names what could not be read on standard error, and reports whether
// there was any.
func (r *run) tracesRead(files []desk.TraceFileRecord) (unread bool) {
	for i := range files {
		f := &files[i]
		switch {
		case f.Error != nil:
			unread = true
			r.warnAbout(f.File, f.Error)
		case f.Unread > 0:
			unread = true
			first := ""
			for _, p := range f.Problems {
				if p.Reason.Lost() {
					first = r.say("cli.trace.first", "line", strconv.Itoa(p.Line), "reason", p.Text.In(r.lang))
					break
				}
			}
			fmt.Fprintln(r.Stderr, "sekisho: "+term.Clean(f.File+": "+r.say("cli.trace.left-out", "n", f.Unread)+" "+first))
		}
	}
	return unread
}

// careSymbol carries what a source asks for without colour.
func careSymbol(c trace.Care) (string, term.Role) {
	switch c {
	case trace.Prepare:
		return "●", term.Malicious
	case trace.LetGo:
		return "○", term.Harmless
	case trace.Ask:
	}
	return "?", term.Suspicious
}

// shownImpact are the sources of an effect that are shown without --all.
const shownImpact = 10

func (c *directSendCmd) text(r *run, p *desk.ImpactReport) {
	role := term.Suspicious
	switch p.Answer {
	case desk.ImpactReady:
		role = term.Harmless
	case desk.ImpactPrepare:
		role = term.Malicious
	case desk.ImpactAsk, desk.ImpactCannotTell:
	}
	fmt.Fprintln(r.Stdout, r.style.Paint(role, r.say("cli.directsend.answer."+string(p.Answer)))+"  "+r.style.Paint(term.Bold, term.Clean(r.join(p.Domains))))
	r.indented("", p.Sentence.In(r.lang))
	if p.From != nil && p.Until != nil {
		fmt.Fprintln(r.Stdout, r.say("cli.directsend.period", "from", p.From.In(r.Now().Location()), "until", p.Until.In(r.Now().Location()), "n", p.Messages, "inside", p.SignedIn, "foreign", p.Foreign))
	}
	for _, e := range trace.Effects() {
		c.effect(r, p, e)
	}
	r.heading("cli.directsend.section.steps")
	for i, s := range p.Steps {
		r.numbered(i+1, s.Text.In(r.lang))
		r.command("     ", s.Command)
	}
	r.heading("cli.directsend.section.caveats")
	for _, s := range p.Caveats {
		r.indented("  ", "- "+s.In(r.lang))
	}
	for i := range p.Files {
		for _, l := range p.Files[i].Lacks {
			if l.Code == "outcome" || l.Code == "network-id" {
				continue // of no matter here
			}
			r.indented("  ", "- "+p.Files[i].File+": "+l.Text.In(r.lang))
		}
	}
	for _, s := range p.Unchecked {
		r.indented("  ", "- "+s.In(r.lang))
	}
}

// command prints what is to be copied, never wrapped.
func (r *run) command(indent, s string) {
	if s == "" {
		return
	}
	for l := range strings.SplitSeq(s, "\n") {
		fmt.Fprintln(r.Stdout, indent+r.style.Paint(term.Bold, term.Clean(l)))
	}
}

func (c *directSendCmd) effect(r *run, p *desk.ImpactReport, e trace.Effect) {
	n, messages := 0, 0
	for _, x := range p.Counts {
		if x.Effect == e {
			n, messages = x.Sources, x.Messages
		}
	}
	if n == 0 {
		return
	}
	fmt.Fprintln(r.Stdout)
	fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, r.say("cli.directsend.effect."+string(e)))+"  "+r.say("cli.directsend.effect-count", "sources", n, "messages", messages))
	if e == trace.ViaConnector && !c.All {
		return
	}
	shown := 0
	for i := range p.Sources {
		s := &p.Sources[i]
		if s.Effect != e {
			continue
		}
		if shown++; shown > shownImpact && !c.All {
			continue
		}
		c.source(r, s)
	}
	if shown > shownImpact && !c.All {
		fmt.Fprintln(r.Stdout, "  "+r.say("cli.directsend.more", "n", shown-shownImpact))
	}
}

func (c *directSendCmd) source(r *run, s *desk.ImpactSource) {
	mark, role := careSymbol(s.Care)
	name := s.Source
	if name == "" {
		name = r.say("cli.directsend.no-address")
	}
	if s.Host != "" {
		name += " (" + s.Host + ")"
	}
	word := r.say("cli.directsend.care." + string(s.Care))
	if s.Effect == trace.NotStopped || s.Effect == trace.ViaConnector {
		mark, role, word = "-", term.Dim, ""
		if s.Kind == trace.Attack {
			mark, role, word = "●", term.Malicious, r.say("cli.directsend.attack")
		}
	}
	head := "  " + r.style.Paint(role, mark)
	if word != "" {
		head += " " + r.style.Paint(role, word)
	}
	line := head + "  " + r.style.Paint(term.Bold, term.Clean(name)) + "  " + r.say("cli.directsend.counts", "messages", s.Messages, "recipients", s.Recipients)
	if s.First != nil && s.Last != nil {
		line += "  " + dayText(r, *s.First)
		if l := dayText(r, *s.Last); l != dayText(r, *s.First) {
			line += " - " + l
		}
	}
	fmt.Fprintln(r.Stdout, line)
	r.indented("      ", s.Reason.In(r.lang))
	if s.SPF != "" && stopsText(s.Effect) {
		r.indented("      ", r.say("cli.directsend.spf."+spfWord(s.SPF), "result", s.SPF))
	}
	if s.Connector != "" {
		r.indented("      ", r.say("cli.directsend.connector", "name", s.Connector))
	}
	r.indented("      ", r.say("cli.directsend.senders")+" "+senderList(s.Senders, c.Explain))
	if len(s.Authors) > 0 {
		r.indented("      ", r.say("cli.directsend.authors")+" "+senderList(s.Authors, c.Explain))
	}
	if len(s.Subjects) > 0 {
		most := 2
		if c.Explain {
			most = len(s.Subjects)
		}
		r.indented("      ", r.say("cli.directsend.subjects")+" "+strings.Join(s.Subjects[:min(len(s.Subjects), most)], " / "))
	}
	if c.Explain && len(s.Called) > 0 {
		r.indented("      ", r.say("cli.directsend.called")+" "+strings.Join(s.Called, ", "))
	}
	if c.Explain && s.Self > 0 {
		r.indented("      ", r.say("cli.directsend.self", "n", s.Self))
	}
	for _, d := range s.Doubts {
		r.indented("      ", r.say("cli.directsend.doubt")+" "+d.Text.In(r.lang))
	}
	for _, a := range s.Advice {
		r.indented("      ", "→ "+a.Text.In(r.lang))
		r.command("        ", a.Command)
	}
}

func stopsText(e trace.Effect) bool { return e != trace.NotStopped && e != trace.ViaConnector }

// spfWord puts the results of SPF into three.
func spfWord(result string) string {
	switch result {
	case "pass":
		return "pass"
	case "temperror", "permerror":
		return "error"
	}
	return "no"
}

func dayText(r *run, t time.Time) string { return t.In(r.Now().Location()).Format(time.DateOnly) }

func senderList(list []desk.ImpactSender, all bool) string {
	var out []string
	for i, s := range list {
		if i == 3 && !all {
			out = append(out, "…")
			break
		}
		out = append(out, fmt.Sprintf("%s (%d)", s.Address, s.Messages))
	}
	if len(out) == 0 {
		return "<>"
	}
	return strings.Join(out, ", ")
}

// impactCSV writes a row for each source and sender.
func (r *run) impactCSV(p *desk.ImpactReport) error {
	rows := [][]string{{"effect", "care", "kind", "source", "host", "service", "spf", "connector", "sender", "sender_messages", "messages", "deliveries", "recipients", "held", "to_themselves", "first", "last", "doubts", "subjects", "reason"}}
	date := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	for i := range p.Sources {
		s := &p.Sources[i]
		var doubts []string
		for _, d := range s.Doubts {
			doubts = append(doubts, string(d.Code))
		}
		list := s.Senders
		if len(list) == 0 {
			list = []desk.ImpactSender{{Address: "<>", Messages: s.Null, First: s.First, Last: s.Last}}
		}
		for _, x := range list {
			rows = append(rows, []string{
				string(s.Effect), string(s.Care), string(s.Kind), s.Source, s.Host, s.Service, s.SPF, s.Connector, x.Address, strconv.Itoa(x.Messages), strconv.Itoa(s.Messages),
				strconv.Itoa(s.Deliveries), strconv.Itoa(s.Recipients), strconv.Itoa(s.Held), strconv.Itoa(s.Self), date(x.First), date(x.Last), strings.Join(doubts, " "),
				strings.Join(s.Subjects, " / "), s.Reason.In(r.lang),
			})
		}
	}
	return r.writeCSV(rows)
}
