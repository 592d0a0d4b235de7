package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract/link"
	"github.com/sekisho/sekisho/extract/text"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
)

// Bounds on what an explanation prints; --output json has everything.
const (
	maxShownLinks    = 12
	maxShownEvidence = 6
	maxQuote         = 300
)

// explainPresenter writes one message at length.
type explainPresenter struct {
	r    *run
	n    int
	said map[string]bool // notes of the message that is being explained
}

func (p *explainPresenter) end(s *summary) error {
	if s.messages > 1 {
		fmt.Fprintln(p.r.Stdout)
		return (&tablePresenter{r: p.r}).end(&summary{words: s.words, messages: s.messages, unread: s.unread, elapsed: s.elapsed, stopped: s.stopped})
	}
	return nil
}

func (p *explainPresenter) verdict(v *desk.Verdict) error {
	if v.Error != nil {
		return nil
	}
	r := p.r
	p.said = map[string]bool{}
	if p.n++; p.n > 1 {
		fmt.Fprintln(r.Stdout, "\n"+strings.Repeat("─", min(72, r.columns())))
	}
	p.head(v)
	p.why(v)
	p.delivery(v)
	p.authentication(v)
	p.directSend(v)
	p.links(v)
	p.attachments(v)
	p.actions(v)
	p.notChecked(v)
	return nil
}

func (p *explainPresenter) section(key string) {
	fmt.Fprintf(p.r.Stdout, "\n%s\n", p.r.style.Paint(term.Bold, p.r.say(key)))
}

// text prints wrapped prose at an indent.
func (p *explainPresenter) text(indent int, first, s string) {
	r := p.r
	pad := strings.Repeat(" ", indent)
	for i, l := range term.Wrap(term.Clean(s), max(30, r.columns()-indent)) {
		if i == 0 && first != "" {
			fmt.Fprintln(r.Stdout, first+l)
			continue
		}
		fmt.Fprintln(r.Stdout, pad+l)
	}
}

func (p *explainPresenter) head(v *desk.Verdict) {
	r := p.r
	title := symbol(v.Verdict) + " " + strings.ToUpper(r.say("cli.verdict."+string(v.Verdict)))
	fmt.Fprintf(r.Stdout, "%s  %s\n", r.paint(v.Verdict, r.style.Paint(term.Bold, title)), term.Clean(v.Reason.In(r.lang)))
	row := func(key, value string) {
		if value != "" {
			p.text(12, "  "+term.Pad(r.say(key), 8)+"  ", value)
		}
	}
	place := v.File
	if v.Index > 0 {
		place = fmt.Sprintf("%s (%d)", place, v.Index)
	}
	row("cli.label.file", place)
	if v.From != nil {
		row("cli.label.from", v.From.String())
	}
	to := make([]string, 0, len(v.To))
	for _, m := range v.To[:min(3, len(v.To))] {
		to = append(to, m.String())
	}
	if len(v.To) > 3 {
		to = append(to, "…")
	}
	row("cli.label.to", strings.Join(to, ", "))
	row("cli.label.subject", v.Subject)
	if v.Date != nil {
		row("cli.label.date", v.Date.Format("2006-01-02 15:04 -0700"))
	}
	if note := v.Judged.Note.In(r.lang); note != "" {
		row("cli.label.judged", note)
	}
	for _, a := range v.Attached {
		from := ""
		if a.From != nil {
			from = a.From.String()
		}
		row("cli.label.attached", fmt.Sprintf("%s %s  %s", symbol(a.Verdict), from, a.Subject))
	}
}

func (p *explainPresenter) why(v *desk.Verdict) {
	r := p.r
	p.section("cli.section.why")
	n := 0
	for _, f := range v.Findings {
		n++
		p.text(5, fmt.Sprintf("  %-2d ", n), f.Title.In(r.lang))
		p.evidence(7, f.Evidence)
	}
	if n == 0 {
		p.text(2, "  ", v.Reason.In(r.lang))
	}
	for _, e := range v.Exceptions {
		p.text(5, "  –  ", r.say("cli.exception", "id", e.ID, "owner", e.Owner, "reason", e.Reason, "expires", e.Expires))
	}
}

// evidence quotes the very words and says where they stand. What a note says
// is said once in an explanation.
func (p *explainPresenter) evidence(indent int, list []desk.Evidence) {
	r := p.r
	pad := strings.Repeat(" ", indent)
	for i, e := range list {
		if i == maxShownEvidence {
			fmt.Fprintln(r.Stdout, pad+r.style.Paint(term.Dim, r.say("cli.more", "n", len(list)-i)))
			break
		}
		for _, l := range term.Wrap(quoted(e), max(30, r.columns()-indent)) {
			fmt.Fprintln(r.Stdout, pad+l)
		}
		where := p.where(e.Where)
		if note := e.Note.In(r.lang); note != "" && !p.said[note] {
			p.said[note] = true
			where = strings.TrimSpace(where + "  " + note)
		}
		if where == "" {
			continue
		}
		for _, l := range term.Wrap(term.Clean(where), max(30, r.columns()-indent-2)) {
			fmt.Fprintln(r.Stdout, pad+"  "+r.style.Paint(term.Dim, l))
		}
	}
}

// quoted is the quotation of an evidence as a person reads it: encoded words
// decoded, the field named, links that nobody can click.
func quoted(e desk.Evidence) string {
	q := e.Quote
	if strings.Contains(q, "=?") && e.Where.Header != "" {
		q = eml.Parse([]byte("X: "+strings.Join(strings.Fields(q), " ")+"\r\n\r\n"), nil).Header().Text("X")
	}
	q = term.Clean(q)
	if runes := []rune(q); len(runes) > maxQuote {
		q = string(runes[:maxQuote]) + "…"
	}
	if h := e.Where.Header; h != "" && !strings.HasPrefix(strings.ToLower(q), strings.ToLower(h)+":") {
		q = h + ": " + q
	}
	return defangLinks(q)
}

// defangLinks defangs every link of a text and leaves the rest as it is.
func defangLinks(s string) string {
	var b strings.Builder
	at := 0
	for _, u := range text.URLs(s) {
		if u.Bare || u.Offset < at {
			continue
		}
		b.WriteString(s[at:u.Offset])
		b.WriteString(link.Defang(s[u.Offset : u.Offset+u.Length]))
		at = u.Offset + u.Length
	}
	b.WriteString(s[at:])
	return b.String()
}

func (p *explainPresenter) where(w finding.Where) string {
	switch {
	case w.Header != "" && w.Index > 0:
		return p.r.say("cli.where.header", "n", w.Index)
	case w.Header != "":
		return w.Header
	case w.Part != "":
		return p.r.say("cli.where.part", "part", w.Part)
	}
	return ""
}

func (p *explainPresenter) delivery(v *desk.Verdict) {
	if len(v.Delivery) == 0 {
		return
	}
	p.section("cli.section.delivery")
	for _, f := range v.Delivery {
		p.text(4, "  ・ ", f.Text.In(p.r.lang))
		p.evidence(7, f.Evidence)
	}
}

func (p *explainPresenter) authentication(v *desk.Verdict) {
	a := v.Authentication
	if a == nil {
		return
	}
	r := p.r
	p.section("cli.section.authentication")
	if !a.Trusted {
		p.text(2, "  ", r.say("cli.auth.untrusted"))
	}
	row := func(name string, x *desk.AuthResult) {
		if x == nil {
			return
		}
		s := x.Result
		for _, extra := range []string{x.Domain, x.Action, x.Reason} {
			if extra != "" {
				s += "  " + extra
			}
		}
		if m := x.Meaning.In(r.lang); m != "" {
			s += "  " + m
		}
		p.text(13, "  "+term.Pad(name, 9)+"  ", s)
	}
	row("SPF", a.SPF)
	for i := range a.DKIM {
		row("DKIM", &a.DKIM[i])
	}
	row("DMARC", a.DMARC)
	row("ARC", a.ARC)
	row("compauth", a.CompAuth)
}

func (p *explainPresenter) directSend(v *desk.Verdict) {
	d := v.DirectSend
	if d == nil || d.Verdict == "out-of-scope" {
		return
	}
	r := p.r
	p.section("cli.section.direct-send")
	head := d.Verdict
	if d.Confidence != "" {
		head += "  " + r.say("cli.confidence."+d.Confidence)
	}
	p.text(2, "  ", head+"  "+d.Meaning.In(r.lang))
	for _, s := range d.Steps {
		p.text(6, "  "+term.Pad(s.Step, 4), s.Text.In(r.lang))
	}
}

func (p *explainPresenter) links(v *desk.Verdict) {
	if len(v.Links) == 0 {
		return
	}
	r := p.r
	p.section("cli.section.links")
	for i, l := range v.Links {
		if i == maxShownLinks {
			fmt.Fprintln(r.Stdout, "  "+r.style.Paint(term.Dim, r.say("cli.more", "n", len(v.Links)-i)))
			break
		}
		target := l.URL
		if l.Target != "" {
			target = l.Target
		}
		mark := "  "
		if l.Deceptive {
			mark = r.paint(desk.Malicious, "● ")
		}
		shown := link.Defang(term.Clean(target))
		if l.Visible != "" {
			shown = "「" + defangLinks(term.Truncate(term.Clean(l.Visible), 40)) + "」 → " + shown
		}
		fmt.Fprintln(r.Stdout, "  "+mark+term.Truncate(shown, 200))
		if len(l.Rewriters) > 0 {
			fmt.Fprintln(r.Stdout, "      "+r.style.Paint(term.Dim, r.say("cli.link.unwrapped", "names", l.Rewriters)))
		}
	}
}

func (p *explainPresenter) attachments(v *desk.Verdict) {
	if len(v.Attachments) == 0 {
		return
	}
	r := p.r
	p.section("cli.section.attachments")
	for _, a := range v.Attachments {
		name := a.Name
		if name == "" {
			name = "-"
		}
		p.text(4, "  ", fmt.Sprintf("%s  %s  %s", name, a.Found, r.say("cli.bytes", "n", a.Size)))
		fmt.Fprintln(r.Stdout, "      "+r.style.Paint(term.Dim, "sha256 "+a.SHA256))
	}
}

// actions lists what to do once each, the soonest first.
func (p *explainPresenter) actions(v *desk.Verdict) {
	r := p.r
	type key struct{ audience, text string }
	seen := map[key]bool{}
	var list []desk.Action
	for _, f := range v.Findings {
		for _, a := range f.Actions {
			k := key{string(a.Audience), a.Text.EN}
			if !seen[k] {
				seen[k] = true
				list = append(list, a)
			}
		}
	}
	if len(list) == 0 {
		return
	}
	order := []finding.Within{finding.Now, finding.Today, finding.Week, finding.Month, finding.None}
	slices.SortStableFunc(list, func(a, b desk.Action) int {
		return slices.Index(order, a.Within) - slices.Index(order, b.Within)
	})
	p.section("cli.section.actions")
	for _, a := range list {
		head := "  " + term.Pad(r.say("cli.within."+string(a.Within)), 8) + term.Pad(r.say("cli.audience."+string(a.Audience)), 8)
		p.text(term.Width(head), head, a.Text.In(r.lang))
		for _, c := range a.Commands {
			fmt.Fprintln(r.Stdout, strings.Repeat(" ", term.Width(head))+"  "+term.Clean(c))
		}
	}
}

func (p *explainPresenter) notChecked(v *desk.Verdict) {
	r := p.r
	if len(v.NotChecked) > 0 {
		p.section("cli.section.not-checked")
		for _, n := range v.NotChecked {
			p.text(4, "  ・ ", n.Text.In(r.lang))
		}
	}
	if v.Organisation != nil && v.Organisation.Confirm != "" {
		fmt.Fprintln(r.Stdout)
		p.text(2, "", r.say("cli.presumed")+" "+v.Organisation.Confirm)
	}
}
