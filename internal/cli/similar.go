package cli

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/campaign"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365/trace"
)

type similarCmd struct {
	Paths  []string `arg:"" name:"path"`
	In     []string `sep:"none" placeholder:"PATH"`
	Level  string   `enum:"same,alike,same-sender" default:"alike" placeholder:"WORD"`
	All    bool
	FailOn string `enum:"never,found" default:"never" placeholder:"WORD"`
}

// Run finds the mails that are like some, and who got them.
func (c *similarCmd) Run(r *run) error {
	unread := false
	missing := func(file string, index int, f *desk.Failure) {
		unread = true
		r.warnAbout(placeOf(file, index), f)
	}
	in := desk.SimilarInput{
		Mails: r.Walk(r.ctx, c.Paths, newInterruptible(r.ctx, r.Stdin), WalkOptions{MaxMessage: r.config.Limits.MessageSize}),
		Least: campaign.Level(c.Level), Unread: missing,
	}
	var mail []string
	bar := r.progress(c.In)
	for _, path := range c.In {
		if path == "-" {
			return &desk.Error{Kind: desk.Invalid, Message: lang.M("similar.error.stdin"), Hint: lang.M("cli.hint.usage", "help", "sekisho help similar")}
		}
		// A folder is one of mail, unless its files are named one by one.
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			traces := false
			for f := range r.ReportFiles(r.ctx, []string{path}, r.Stdin, func(int64) {}) {
				if desk.IsTrace(f) {
					traces = true
					in.Indexes = append(in.Indexes, &desk.TraceIndex{File: f, Facts: &r.config.Facts, Words: r.words})
				}
			}
			if traces {
				continue
			}
		}
		mail = append(mail, path)
	}
	if len(mail) > 0 {
		kib := int64(0)
		in.Indexes = append(in.Indexes, &desk.FolderIndex{
			Items: r.Walk(r.ctx, mail, r.Stdin, WalkOptions{MaxMessage: r.config.Limits.MessageSize, Progress: func(n int64) {
				bar.Add(int(n>>10 - kib))
				kib = n >> 10
			}}),
			Facts: &r.config.Facts, Words: r.words, Unread: func(file string, index int, f *desk.Failure) {
				bar.Interrupt(func() { missing(file, index, f) })
			},
		})
	}
	var kept *desk.StoreIndex
	if len(c.In) == 0 {
		s, err := c.keptMails(r)
		if err != nil {
			return err
		}
		defer func() { _ = s.Close() }() // nothing was written
		kept = &desk.StoreIndex{Store: s.Similar, Facts: &r.config.Facts}
		in.Indexes = append(in.Indexes, kept)
	}
	report, err := desk.FindSimilar(r.ctx, in, desk.SimilarDeps{Facts: r.config.Facts, Words: r.words, Now: r.Now})
	bar.Close()
	if err == nil && kept != nil {
		err = kept.Err
	}
	if err != nil {
		return err
	}
	for _, p := range report.Places {
		if p.Trace != nil && r.tracesRead([]desk.TraceFileRecord{*p.Trace}) {
			unread = true
		}
	}
	switch r.flags.Output {
	case "text":
		c.text(r, report)
	case "csv":
		err = r.similarCSV(report)
	case "ndjson":
		for i := range report.Mails {
			if err = r.writeRecord(&report.Mails[i]); err != nil {
				break
			}
		}
	default:
		err = r.writeRecord(report)
	}
	switch {
	case err != nil:
		return err
	case c.FailOn == "found" && len(report.Mails) > 0:
		return statusError(exitFindings)
	case unread || r.ctx.Err() != nil:
		return statusError(exitUnread)
	}
	return nil
}

// keptMails opens the mails of the data folder, where nobody said where to look.
func (c *similarCmd) keptMails(r *run) (*IntakeStore, error) {
	if !r.hasStore() {
		return nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("similar.error.nowhere"), Hint: lang.M("similar.hint.nowhere")}
	}
	return r.Intake(r.ctx, r.dataDir(), r.Now)
}

func levelSymbol(l campaign.Level) (string, term.Role) {
	switch l {
	case campaign.Same:
		return "●", term.Malicious
	case campaign.Alike:
		return "▲", term.Suspicious
	case campaign.SameSender, campaign.Different:
	}
	return "-", term.Dim
}

// What is shown without --all.
const (
	shownSimilar    = 20
	shownRecipients = 40
)

func (c *similarCmd) text(r *run, p *desk.SimilarReport) {
	for i, x := range p.Probes {
		if i == 3 {
			fmt.Fprintln(r.Stdout, r.say("cli.similar.more-probes", "n", len(p.Probes)-i))
			break
		}
		fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, term.Clean(r.say("cli.similar.probe", "subject", subjectText(r, x.Subject), "from", x.From))))
	}
	var counts []string
	for _, n := range p.Counts {
		mark, role := levelSymbol(n.Level)
		counts = append(counts, r.style.Paint(role, mark+" "+r.say("cli.similar.level."+string(n.Level))+" "+strconv.Itoa(n.Mails)))
	}
	fmt.Fprintln(r.Stdout, r.say("cli.similar.compared", "n", p.Compared)+"   "+strings.Join(counts, "   "))
	if len(p.Mails) > 0 {
		fmt.Fprintln(r.Stdout)
	}
	for i := range p.Mails {
		if i == shownSimilar && !c.All {
			fmt.Fprintln(r.Stdout, "  "+r.say("cli.similar.more", "n", len(p.Mails)-i))
			break
		}
		c.mail(r, &p.Mails[i])
	}
	if p.Over > 0 {
		fmt.Fprintln(r.Stdout, "  "+r.say("cli.similar.over", "n", p.Over))
	}
	c.recipients(r, p)
	if len(p.Searches) > 0 && len(p.Mails) > 0 {
		r.heading("cli.similar.section.searches")
		for i, s := range p.Searches {
			r.numbered(i+1, s.Text.In(r.lang))
			r.command("     ", s.Command)
		}
	}
	lacks := false
	for _, x := range p.Places {
		if x.Trace == nil {
			continue
		}
		for _, l := range x.Trace.Lacks {
			if l.Code == "connector" || l.Code == "sender-role" {
				continue // of no matter here
			}
			if !lacks {
				r.heading("cli.similar.section.unchecked")
				r.indented("  ", "- "+r.say("cli.similar.trace"))
				lacks = true
			}
			r.indented("  ", "- "+x.Trace.File+": "+l.Text.In(r.lang))
		}
	}
}

func subjectText(r *run, s string) string {
	if s == "" {
		return r.say("cli.similar.no-subject")
	}
	return s
}

func (c *similarCmd) mail(r *run, m *desk.SimilarMail) {
	mark, role := levelSymbol(m.Level)
	when := ""
	if m.Time != nil {
		when = m.Time.In(r.Now().Location()).Format("2006-01-02 15:04") + "  "
	}
	place := placeOf(m.File, m.Index)
	if len(c.In) == 0 {
		place = m.File[:min(len(m.File), shortID)] // of a mail that is kept
	}
	if m.Line > 0 {
		place = m.File + ":" + strconv.Itoa(m.Line)
	}
	width := 44
	if r.width > 0 {
		width = max(20, r.width-60)
	}
	fmt.Fprintln(r.Stdout, "  "+r.style.Paint(role, mark+" "+right(strconv.Itoa(m.Score), 3))+"  "+when+term.Pad(term.Truncate(term.Clean(m.From), 30), 30)+"  "+
		term.Truncate(term.Clean(subjectText(r, m.Subject)), width)+"  "+r.style.Paint(term.Dim, term.Clean(place)))
	var why []string
	for i, x := range m.Reasons {
		if i == 4 && !c.All {
			break
		}
		why = append(why, x.Text.In(r.lang))
	}
	r.indented("         ", r.join(why))
}

func (c *similarCmd) recipients(r *run, p *desk.SimilarReport) {
	if len(p.Recipients) == 0 {
		return
	}
	r.heading("cli.similar.section.recipients")
	width := 10
	for _, x := range p.Recipients {
		width = max(width, min(44, term.Width(term.Clean(x.Address))))
	}
	for i, x := range p.Recipients {
		if i == shownRecipients && !c.All {
			fmt.Fprintln(r.Stdout, "  "+r.say("cli.similar.more-recipients", "n", len(p.Recipients)-i))
			break
		}
		mark, role := levelSymbol(x.Level)
		outcome := ""
		if x.Outcome != "" {
			outcome = r.say("cli.similar.outcome." + string(x.Outcome))
		}
		fmt.Fprintln(r.Stdout, strings.TrimRight("  "+r.style.Paint(role, mark)+" "+term.Pad(term.Truncate(term.Clean(x.Address), width), width)+"  "+r.say("cli.similar.mails", "n", x.Mails)+"  "+outcome, " "))
	}
}

// similarCSV writes a row for each mail and recipient.
func (r *run) similarCSV(p *desk.SimilarReport) error {
	rows := [][]string{{"recipient", "outcome", "level", "score", "time", "from", "mail_from", "ip", "subject", "message_id", "network_message_id", "file", "index", "line", "reasons"}}
	for i := range p.Mails {
		m := &p.Mails[i]
		when := ""
		if m.Time != nil {
			when = m.Time.UTC().Format(time.RFC3339)
		}
		var why []string
		for _, x := range m.Reasons {
			why = append(why, string(x.Code))
		}
		list := m.Recipients
		if len(list) == 0 {
			list = []desk.SimilarDelivery{{Outcome: trace.OutcomeUnknown}}
		}
		for _, d := range list {
			rows = append(rows, []string{
				d.Address, string(d.Outcome), string(m.Level), strconv.Itoa(m.Score), when, m.From, m.MailFrom, m.IP, m.Subject, m.MessageID, m.NetworkID,
				m.File, number(m.Index), number(m.Line), strings.Join(why, " "),
			})
		}
	}
	return r.writeCSV(rows)
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
