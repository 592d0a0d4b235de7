package cli

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/dmarc"
	"github.com/sekisho/sekisho/mailauth/spf"
)

type authCmd struct {
	Paths    []string `arg:"" name:"path"`
	IP       string   `name:"ip" placeholder:"ADDRESS"`
	Helo     string   `placeholder:"NAME"`
	MailFrom string   `placeholder:"ADDRESS"`
	Method   string   `enum:"treewalk,psl" default:"treewalk" placeholder:"METHOD"`
	Stamp    string   `placeholder:"HOST"`
}

// Run verifies every message of the named inputs.
func (c *authCmd) Run(r *run) error {
	in := desk.AuthInput{Helo: c.Helo, MailFrom: strings.Trim(c.MailFrom, "<>"), Method: dmarc.Method(c.Method), StampAs: c.Stamp}
	if c.IP != "" {
		ip, err := netip.ParseAddr(c.IP)
		if err != nil {
			return &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.error.ip", "value", c.IP), Hint: lang.M("cli.hint.ip"), Err: err}
		}
		in.IP = ip
	}
	dns, err := r.resolver(true)
	if err != nil {
		return err
	}
	in.Items = r.Walk(r.ctx, c.Paths, newInterruptible(r.ctx, r.Stdin), WalkOptions{MaxMessage: r.config.Limits.MessageSize})
	list := []*desk.AuthReport{}
	unread, n := 0, 0
	for rep := range desk.Auth(r.ctx, in, desk.AuthDeps{Resolver: dns, Facts: r.config.Facts, Words: r.words, Now: r.Now}) {
		if rep.Error != nil {
			unread++
			r.warnAbout(placeOf(rep.File, rep.Index), rep.Error)
		}
		switch r.flags.Output {
		case "ndjson":
			if err := r.writeRecord(rep); err != nil {
				return err
			}
		case "json":
			list = append(list, rep)
		default:
			if rep.Error == nil {
				if n++; n > 1 {
					fmt.Fprintln(r.Stdout, "\n"+strings.Repeat("─", min(72, r.columns())))
				}
				(&authPresenter{explainPresenter{r: r, said: map[string]bool{}}}).report(rep)
			}
		}
	}
	if r.flags.Output == "json" {
		var v any = list
		if len(list) == 1 && list[0].Index == 0 && len(c.Paths) == 1 {
			v = list[0]
		}
		if err := r.writeRecord(v); err != nil {
			return err
		}
	}
	if err := r.saveDNS(); err != nil {
		return err
	}
	if unread > 0 || r.ctx.Err() != nil {
		return statusError(exitUnread)
	}
	return nil
}

// authPresenter writes one report at length.
type authPresenter struct{ explainPresenter }

func (p *authPresenter) report(a *desk.AuthReport) {
	r := p.r
	fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, term.Clean(a.File)))
	if a.From != nil {
		p.text(12, "  "+term.Pad(r.say("cli.label.from"), 8)+"  ", a.From.String())
	}
	if a.Subject != "" {
		p.text(12, "  "+term.Pad(r.say("cli.label.subject"), 8)+"  ", a.Subject)
	}
	if a.Envelope.IP != "" {
		p.text(12, "  "+term.Pad(r.say("cli.label.envelope"), 8)+"  ", fmt.Sprintf("%s  HELO %s  MAIL FROM <%s>", a.Envelope.IP, a.Envelope.Helo, a.Envelope.MailFrom))
	}
	p.text(12, "            ", a.Envelope.Source.In(r.lang))
	p.text(2, "  ", a.Summary.In(r.lang))
	if c := a.Caution.In(r.lang); c != "" {
		p.text(2, "  ", c)
	}
	p.claims(a)
	p.spf(a)
	p.dkim(a)
	p.arc(a)
	p.dmarc(a)
	if len(a.Differs) > 0 {
		p.section("cli.section.differs")
		for _, d := range a.Differs {
			p.item(d.Text.In(r.lang))
		}
	}
	if a.Stamp != "" {
		fmt.Fprintln(r.Stdout)
		for line := range strings.Lines(a.Stamp) {
			fmt.Fprintln(r.Stdout, term.Clean(strings.TrimRight(line, "\r\n")))
		}
	}
}

func (p *authPresenter) claims(a *desk.AuthReport) {
	r := p.r
	p.section("cli.section.claims")
	if len(a.Claims) == 0 {
		p.text(2, "  ", r.say("cli.auth.no-claims"))
	}
	for _, c := range a.Claims {
		words := make([]string, 0, len(c.Results))
		for _, x := range c.Results {
			w := x.Method + "=" + x.Result
			if x.Domain != "" {
				w += " (" + x.Domain + ")"
			}
			words = append(words, w)
		}
		mark := "?"
		if c.Trusted {
			mark = "✓"
		}
		p.text(5, "  "+mark+"  ", strings.Join(words, "; "))
		where := r.say("cli.where.header", "n", c.Index) + "  " + c.Field
		if c.By != "" {
			where += "  " + c.By
		}
		if note := c.Who.In(r.lang); !p.said[note] {
			p.said[note] = true
			where += "  " + note
		}
		for _, l := range term.Wrap(term.Clean(where), max(30, r.columns()-8)) {
			fmt.Fprintln(r.Stdout, "        "+r.style.Paint(term.Dim, l))
		}
	}
}

func (p *authPresenter) result(word string) string {
	switch word {
	case "pass":
		return p.r.style.Paint(term.Harmless, word)
	case "fail", "permerror":
		return p.r.style.Paint(term.Malicious, word)
	case "none", "neutral":
		return p.r.style.Paint(term.Dim, word)
	}
	return p.r.style.Paint(term.Suspicious, word)
}

func (p *authPresenter) head(name, word, text string) {
	fmt.Fprintf(p.r.Stdout, "\n%s  %s\n", p.r.style.Paint(term.Bold, name), p.result(word))
	p.text(2, "  ", text)
}

func (p *authPresenter) spf(a *desk.AuthReport) {
	r := p.r
	if a.SPF == nil {
		return
	}
	p.head("SPF", string(a.SPF.Result), a.SPF.Reason.In(r.lang))
	fmt.Fprintln(r.Stdout, "  "+r.style.Paint(term.Dim, r.say("cli.spf.cost", "lookups", a.SPF.Lookups, "voids", a.SPF.Voids)))
	if a.SPF.Explanation != "" {
		p.text(4, "  ", r.say("cli.spf.explanation", "text", term.Truncate(a.SPF.Explanation, 300)))
	}
	p.spfNode(a.SPF.Tree, "  ")
}

// maxSPFDepth bounds the tree that is printed; the record of a stranger may
// include others as deep as the limit of lookups allows.
const maxSPFDepth = 12

func (p *authPresenter) spfNode(n *desk.SPFNode, indent string) {
	r := p.r
	if n == nil || len(indent) > maxSPFDepth*4 {
		return
	}
	fmt.Fprintf(r.Stdout, "%s%s  %s\n", indent, term.Clean(n.Domain), r.style.Paint(term.Dim, term.Truncate(term.Clean(n.Record), max(20, r.columns()-len(indent)-len(n.Domain)-2))))
	for _, t := range n.Terms {
		if t.Outcome == spf.OutcomeNotReached {
			continue
		}
		line := term.Pad(term.Truncate(term.Clean(t.Term), 40), 40) + "  " + r.say("cli.spf.outcome."+string(t.Outcome))
		if t.Cost > 0 {
			line += "  " + r.style.Paint(term.Dim, r.say("cli.spf.term-cost", "cost", t.Cost, "lookups", t.Lookups))
		}
		fmt.Fprintln(r.Stdout, indent+"  "+line)
		if t.Problem != nil && t.Include == nil {
			p.text(len(indent)+4, indent+"    ", t.Problem.In(r.lang))
		}
		for _, d := range t.Answers {
			fmt.Fprintln(r.Stdout, indent+"    "+r.style.Paint(term.Dim, dnsLine(d, max(30, r.columns()-len(indent)-4))))
		}
		p.spfNode(t.Include, indent+"    ")
	}
}

func dnsLine(d desk.DNSView, width int) string {
	answer := d.RCode
	if len(d.Records) > 0 {
		answer = strings.Join(d.Records, ", ")
	}
	return term.Truncate(term.Clean(d.Name+" "+d.Type+" → "+answer), width)
}

func (p *authPresenter) dkim(a *desk.AuthReport) {
	r := p.r
	if len(a.DKIM) == 0 {
		p.head("DKIM", "none", r.say("cli.auth.not-signed"))
		return
	}
	for _, s := range a.DKIM {
		p.signature("DKIM", s)
	}
	if a.DKIMFound > len(a.DKIM) {
		fmt.Fprintln(r.Stdout, "  "+r.style.Paint(term.Dim, r.say("cli.more", "n", a.DKIMFound-len(a.DKIM))))
	}
}

func (p *authPresenter) signature(name string, s desk.DKIMView) {
	r := p.r
	p.head(name, s.Result, s.Text.In(r.lang))
	facts := []string{"d=" + s.Domain, "s=" + s.Selector, s.Algorithm}
	if s.KeyBits > 0 {
		facts = append(facts, r.say("cli.dkim.bits", "n", strconv.Itoa(s.KeyBits)))
	}
	if s.Canon != "" {
		facts = append(facts, s.Canon)
	}
	if s.BodyLength != nil {
		facts = append(facts, fmt.Sprintf("l=%d", *s.BodyLength))
	}
	if s.Expires != nil {
		facts = append(facts, "x="+s.Expires.Format("2006-01-02"))
	}
	if s.BodyHash != "" {
		facts = append(facts, r.say("cli.dkim.body."+s.BodyHash))
	}
	if s.HeaderHash != "" {
		facts = append(facts, r.say("cli.dkim.header."+s.HeaderHash))
	}
	p.text(4, "    ", strings.Join(facts, "  "))
	if len(s.Headers) > 0 {
		p.text(4, "    ", r.say("cli.dkim.covers", "fields", s.Headers))
	}
	for _, w := range s.Warnings {
		p.text(6, "    ! ", w.Text.In(r.lang))
	}
}

func (p *authPresenter) arc(a *desk.AuthReport) {
	r := p.r
	if len(a.ARC.Sets) == 0 && a.ARC.Result == "none" {
		return
	}
	p.head("ARC", a.ARC.Result, a.ARC.Text.In(r.lang))
	for _, s := range a.ARC.Sets {
		trust := r.say("cli.arc.unknown")
		if s.Trusted {
			trust = r.say("cli.arc.trusted")
		}
		p.text(6, fmt.Sprintf("  %2d  ", s.Instance), fmt.Sprintf("%s (%s)  cv=%s  %s %s  %s %s", s.Sealer, trust, s.CV,
			r.say("cli.arc.seal"), s.Seal.Result, r.say("cli.arc.message"), s.Message.Result))
	}
	for _, v := range a.ARC.Violations {
		p.text(6, "    ! ", v.Text.In(r.lang))
	}
}

func (p *authPresenter) dmarc(a *desk.AuthReport) {
	r := p.r
	d := a.DMARC
	p.head("DMARC", string(d.Result), d.Text.In(r.lang))
	fmt.Fprintln(r.Stdout, "  "+r.style.Paint(term.Dim, r.say("cli.dmarc.method."+string(d.Method))))
	for _, s := range d.Walk {
		p.text(6, "    ", s.Text.In(r.lang))
	}
	if d.Record != "" {
		p.text(4, "  ", d.RecordAt+"  "+term.Truncate(d.Record, 400))
		p.text(4, "  ", d.PolicyText.In(r.lang))
	}
	for _, x := range d.Alignments {
		mark := "✕"
		if x.Counts {
			mark = "✓"
		}
		p.text(6, "    "+mark+" ", x.Text.In(r.lang))
	}
	for _, w := range d.Warnings {
		p.text(6, "    ! ", w.In(r.lang))
	}
}
