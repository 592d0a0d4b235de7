package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract"
	"github.com/sekisho/sekisho/extract/link"
	"github.com/sekisho/sekisho/extract/text"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

// Bounds on what an explanation prints; --output json has everything.
const (
	maxShownLinks    = 12
	maxShownEvidence = 6
	maxQuote         = 300
	maxURL           = 200
)

// explainPresenter writes one message at length.
type explainPresenter struct {
	r      *run
	redact bool
	n      int

	// Of the message that is being explained: what was said already, so that it
	// is said once.
	said   map[string]bool
	quotes map[string]int // the finding that a quotation stands under
}

func (p *explainPresenter) end(s *summary) error {
	switch {
	case s.messages > 1:
		p.r.counts(s)
	case s.stopped:
		fmt.Fprintln(p.r.Stdout, p.r.say("cli.stopped"))
	}
	return p.r.out.err
}

func (p *explainPresenter) verdict(v *desk.Verdict) error {
	if v.Error != nil {
		return nil
	}
	r := p.r
	p.said, p.quotes = map[string]bool{}, map[string]int{}
	if p.n++; p.n > 1 {
		fmt.Fprintln(r.Stdout, "\n"+strings.Repeat("─", min(72, r.columns())))
	}
	p.head(v)
	p.why(v)
	p.sender(v)
	p.delivery(v)
	p.authentication(v)
	p.directSend(v)
	p.links(v)
	p.attachments(v)
	p.actions(v)
	p.notChecked(v)
	return r.out.err
}

func (p *explainPresenter) section(key string) {
	fmt.Fprintf(p.r.Stdout, "\n%s\n", p.r.style.Paint(term.Bold, p.r.say(key)))
}

// text prints wrapped prose behind its first words; further lines at an indent.
func (p *explainPresenter) text(indent int, first, s string) {
	r := p.r
	for i, l := range term.Wrap(term.Clean(s), max(30, r.columns()-indent)) {
		if i > 0 {
			first = strings.Repeat(" ", indent)
		}
		fmt.Fprintln(r.Stdout, strings.TrimRight(first+l, " "))
	}
}

// dim prints wrapped words of less importance at an indent.
func (p *explainPresenter) dim(indent int, s string) {
	for _, l := range term.Wrap(term.Clean(s), max(30, p.r.columns()-indent)) {
		fmt.Fprintln(p.r.Stdout, strings.Repeat(" ", indent)+p.r.style.Paint(term.Dim, l))
	}
}

// item prints one item of a list.
func (p *explainPresenter) item(s string) {
	bullet := "  - "
	if p.r.lang == lang.JA {
		bullet = "  ・"
	}
	p.text(4, bullet, s)
}

func (p *explainPresenter) head(v *desk.Verdict) {
	r := p.r
	title := symbol(v.Verdict) + " " + strings.ToUpper(r.say("cli.verdict."+string(v.Verdict)))
	fmt.Fprintln(r.Stdout, r.paint(v.Verdict, r.style.Paint(term.Bold, title)))
	row := func(key, value string) {
		if value != "" {
			p.text(12, "  "+term.Pad(r.say(key), 8)+"  ", value)
		}
	}
	row("cli.label.file", place(v))
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
		t := v.Date.In(r.Now().Location())
		row("cli.label.date", lang.Date(r.lang, t)+t.Format(" 15:04 -0700"))
	}
	row("cli.label.judged", v.Judged.Note.In(r.lang))
	for _, a := range v.Attached {
		from := "-"
		if a.From != nil {
			from = a.From.String()
		}
		row("cli.label.attached", fmt.Sprintf("%s %s  %s", symbol(a.Verdict), from, a.Subject))
	}
}

func (p *explainPresenter) why(v *desk.Verdict) {
	r := p.r
	p.section("cli.section.why")
	if reason := v.Reason; len(v.Findings) == 0 || reason != v.Findings[0].Title {
		p.text(2, "  ", reason.In(r.lang))
	}
	for i, f := range v.Findings {
		p.text(5, fmt.Sprintf("  %-2d ", i+1), f.Title.In(r.lang))
		p.evidence(f.Evidence, i+1)
	}
	for _, e := range v.Exceptions {
		p.text(5, "  –  ", r.say("cli.exception", "id", e.ID, "kind", string(e.Kind), "owner", e.Owner, "reason", e.Reason, "expires", e.Expires))
	}
}

// evidence quotes the very words and says where they stand. What was quoted
// under one finding is not quoted again under another, and a note is given
// once. Evidence of no finding has the number 0.
func (p *explainPresenter) evidence(list []desk.Evidence, number int) {
	r := p.r
	const indent = 7
	room := max(30, r.columns()-indent)
	shown, before := 0, 0
	for i, e := range list {
		if shown == maxShownEvidence {
			p.dim(indent, r.say("cli.more", "n", len(list)-i))
			return
		}
		words, where := quoted(e), p.where(e.Where)
		key := words + "\x00" + where
		if n, ok := p.quotes[key]; ok {
			before = n
			continue
		}
		p.quotes[key] = number
		shown++
		lines := term.Wrap(words, room)
		for j, l := range lines {
			if j == len(lines)-1 && where != "" && term.Width(l)+2+term.Width(where) <= room {
				l += "  " + r.style.Paint(term.Dim, where)
				where = ""
			}
			fmt.Fprintln(r.Stdout, strings.Repeat(" ", indent)+l)
		}
		if where != "" {
			p.dim(indent+2, where)
		}
		if note := e.Note.In(r.lang); note != "" && !p.said[note] {
			p.said[note] = true
			p.dim(indent+2, note)
		}
	}
	if shown == 0 && before > 0 && number > 0 {
		p.dim(indent, r.say("cli.same-evidence", "n", before))
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
	case w.Part != "" && w.Inside != "":
		return p.r.say("cli.where.inside", "file", term.Clean(w.Inside), "part", term.Clean(w.Part))
	case w.Part != "" && w.Header == "":
		return p.r.say("cli.where.part", "part", term.Clean(w.Part))
	}
	return ""
}

func (p *explainPresenter) delivery(v *desk.Verdict) {
	if len(v.Delivery) == 0 {
		return
	}
	p.section("cli.section.delivery")
	for _, f := range v.Delivery {
		p.item(f.Text.In(p.r.lang))
		p.evidence(f.Evidence, 0)
	}
}

func (p *explainPresenter) authentication(v *desk.Verdict) {
	a := v.Authentication
	if a == nil {
		return
	}
	p.section("cli.section.authentication")
	if !a.Trusted {
		p.text(2, "  ", p.r.say("cli.auth.untrusted"))
	}
	p.result("SPF", a.SPF)
	for i := range a.DKIM {
		p.result("DKIM", &a.DKIM[i])
	}
	p.result("DMARC", a.DMARC)
	p.result("ARC", a.ARC)
	p.result("compauth", a.CompAuth)
	p.verified(a)
}

// verified is what sekisho found out itself, and where that is not what was
// stamped.
func (p *explainPresenter) verified(a *desk.Authentication) {
	v := a.Verified
	if v == nil {
		return
	}
	p.section("cli.section.verified")
	p.result("SPF", v.SPF)
	for i := range v.DKIM {
		p.result("DKIM", &v.DKIM[i])
	}
	p.result("DMARC", v.DMARC)
	p.result("ARC", v.ARC)
	for _, d := range a.Differs {
		p.item(d.Text.In(p.r.lang))
	}
}

// result prints a line of authentication: what it means where that is known,
// else its domain and reason.
func (p *explainPresenter) result(name string, x *desk.AuthResult) {
	if x == nil {
		return
	}
	words := []string{x.Domain, x.Reason, x.Meaning.In(p.r.lang)}
	if words[2] != "" && x.Domain != "" { // the sentence names it
		words = words[2:]
	}
	if x.Action != "" {
		words = append(words, p.r.say("cli.auth.action", "action", x.Action))
	}
	words = slices.DeleteFunc(words, func(s string) bool { return s == "" })
	p.text(24, "  "+term.Pad(name, 9)+"  "+term.Pad(term.Clean(x.Result), 9)+"  ", strings.Join(words, "  "))
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
		head += " " + r.say("cli.confidence."+d.Confidence)
	}
	p.text(2, "  ", head+"  "+d.Meaning.In(r.lang))
	for _, s := range d.Steps {
		p.text(6, "  "+term.Pad(s.Step, 4), s.Text.In(r.lang))
	}
}

// shownLink is a link as the explanation prints it.
type shownLink struct {
	target, visible string
	place           string // where it stands, if not in the mail itself
	rewriters       []string
	deceptive       bool
	n               int
}

func (p *explainPresenter) links(v *desk.Verdict) {
	if len(v.Links) == 0 {
		return
	}
	r := p.r
	p.section("cli.section.links")
	list := r.shownLinks(v.Links)
	for i, l := range list {
		if i == maxShownLinks {
			p.dim(4, r.say("cli.more", "n", len(list)-i))
			break
		}
		mark := "    "
		if l.deceptive {
			mark = "  " + r.paint(desk.Malicious, "●") + " "
		}
		if l.n > 1 {
			l.target += fmt.Sprintf("  ×%d", l.n)
		}
		for j, line := range term.Wrap(l.target, max(30, r.columns()-4)) {
			if j > 0 {
				mark = "    "
			}
			fmt.Fprintln(r.Stdout, mark+line)
		}
		if l.visible != "" {
			p.dim(6, r.say("cli.link.visible", "text", l.visible))
		}
		if l.place != "" {
			p.dim(6, l.place)
		}
		if len(l.rewriters) > 0 {
			p.dim(6, r.say("cli.link.unwrapped", "names", l.rewriters))
		}
	}
}

// shownLinks counts links that look the same as one.
func (r *run) shownLinks(links []desk.Link) []*shownLink {
	var list []*shownLink
	have := map[string]*shownLink{}
	for _, l := range links {
		target := l.URL
		if l.Target != "" {
			target = l.Target
		}
		shown := &shownLink{target: term.Truncate(link.Defang(term.Clean(target)), maxURL), deceptive: l.Deceptive, n: 1}
		for _, name := range l.Rewriters {
			if link.Rewriter(name) == link.SafeLinks {
				name = "Safe Links" // as Microsoft calls it
			}
			shown.rewriters = append(shown.rewriters, name)
		}
		if visible := strings.TrimSpace(term.Clean(l.Visible)); visible != "" && visible != target {
			shown.visible = term.Truncate(defangLinks(visible), maxURL)
		}
		switch in := term.Clean(l.In); {
		case l.Source == string(extract.FromCode) && in == "":
			shown.place = r.say("cli.link.qr-body")
		case l.Source == string(extract.FromCode):
			shown.place = r.say("cli.link.qr", "file", in)
		case in != "":
			shown.place = r.say("cli.link.in", "file", in)
		}
		key := shown.target + "\x00" + shown.visible + "\x00" + shown.place
		if known := have[key]; known != nil {
			known.n++
			known.deceptive = known.deceptive || l.Deceptive
			continue
		}
		have[key] = shown
		list = append(list, shown)
	}
	return list
}

func (p *explainPresenter) attachments(v *desk.Verdict) {
	if len(v.Attachments) == 0 {
		return
	}
	p.section("cli.section.attachments")
	for _, a := range v.Attachments {
		name := a.Name
		if name == "" {
			name = "-"
		}
		p.text(4, "  ", fmt.Sprintf("%s  %s  %s", name, a.Found, p.r.say("cli.bytes", "n", a.Size)))
		p.dim(6, "sha256 "+a.SHA256)
	}
}

// actions lists what to do once each, the soonest first and one's own before
// those of others.
func (p *explainPresenter) actions(v *desk.Verdict) {
	r := p.r
	seen := map[string]bool{}
	var list []desk.Action
	for _, f := range v.Findings {
		for _, a := range f.Actions {
			if k := string(a.Audience) + a.Text.EN; !seen[k] {
				seen[k] = true
				list = append(list, a)
			}
		}
	}
	if len(list) == 0 {
		return
	}
	when := []finding.Within{finding.Now, finding.Today, finding.Week, finding.Month, finding.None}
	who := []finding.Audience{finding.Admin, finding.Staff, finding.Manager}
	slices.SortStableFunc(list, func(a, b desk.Action) int {
		return cmp.Or(cmp.Compare(slices.Index(when, a.Within), slices.Index(when, b.Within)), cmp.Compare(slices.Index(who, a.Audience), slices.Index(who, b.Audience)))
	})
	p.section("cli.section.actions")
	before := ""
	for _, a := range list {
		if when := r.when(a); when != before {
			fmt.Fprintln(r.Stdout, "  "+r.style.Paint(term.Bold, when))
			before = when
		}
		head := "    " + term.Pad(r.say("cli.audience."+string(a.Audience)), 7) + "  "
		p.text(term.Width(head), head, a.Text.In(r.lang))
		for _, c := range a.Commands { // never wrapped: to be copied
			fmt.Fprintln(r.Stdout, strings.Repeat(" ", term.Width(head))+"  "+term.Clean(c))
		}
	}
}

// when says by when something is to be done: a word for today, else the date.
func (r *run) when(a desk.Action) string {
	due, err := time.Parse(time.DateOnly, a.Due)
	if err != nil || a.Within == finding.Now || a.Within == finding.Today {
		return r.say("cli.within." + string(a.Within))
	}
	if r.lang == lang.JA {
		weekday := strings.Trim(strings.TrimLeft(lang.Date(lang.JA, due), "0123456789年月日"), "()")
		return r.say("cli.due", "date", fmt.Sprintf("%d/%d(%s)", int(due.Month()), due.Day(), weekday))
	}
	return r.say("cli.due", "date", due.Format("Mon 2 Jan"))
}

func (p *explainPresenter) notChecked(v *desk.Verdict) {
	r := p.r
	if v.Rules != nil && v.Rules.Total > v.Rules.Builtin {
		p.section("cli.section.rules")
		p.text(2, "  ", r.ruleCoverage(v.Rules))
	}
	if len(v.NotChecked) > 0 {
		p.section("cli.section.not-checked")
		for _, n := range v.NotChecked {
			p.item(n.Text.In(r.lang))
		}
	}
	if v.Organisation != nil && v.Organisation.Confirm != "" && !p.redact {
		fmt.Fprintln(r.Stdout)
		p.text(0, "", r.say("cli.presumed"))
		fmt.Fprintln(r.Stdout, "  "+term.Clean(v.Organisation.Confirm))
	}
}
