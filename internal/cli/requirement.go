package cli

import (
	"fmt"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/requirement"
)

// stateRole is the colour of a state; the symbol says it without.
func stateRole(s requirement.State) term.Role {
	switch s {
	case requirement.Met:
		return term.Harmless
	case requirement.Unmet:
		return term.Malicious
	case requirement.Unknown:
		return term.Suspicious
	default: // does not apply
		return term.Dim
	}
}

// verdicts writes one sentence for each receiver.
func (p *explainPresenter) verdicts(v *desk.RequirementsView) {
	r := p.r
	for i := range v.Receivers {
		x := &v.Receivers[i]
		lines := term.Wrap(term.Clean(x.Sentence.In(r.lang)), max(30, r.columns()-4))
		for j, l := range lines {
			head := "    "
			if j == 0 {
				head = "  " + r.style.Paint(stateRole(x.State), desk.StateSymbol(x.State)) + " "
			}
			fmt.Fprintln(r.Stdout, head+l)
		}
	}
	if v.Sample == "foreign" {
		p.dim(4, r.say("cli.requirement.foreign"))
	}
}

// requirements writes the table: a line for each requirement, its receivers, and
// under what is not met or not known the way on.
func (p *explainPresenter) requirements(v *desk.RequirementsView) {
	r := p.r
	if alike(v) {
		return // the sentences have said it
	}
	p.section("cli.requirement.table")
	for i := range v.Receivers {
		x := &v.Receivers[i]
		fmt.Fprintln(r.Stdout, "  "+r.style.Paint(term.Bold, term.Clean(x.Name.In(r.lang))))
		for j := range x.Cells {
			p.requirement(&x.Cells[j])
		}
	}
	p.records(v)
}

// alike reports whether all cells say the same, as for a domain that does not
// exist or sends no mail.
func alike(v *desk.RequirementsView) bool {
	first := lang.Text{}
	for i := range v.Receivers {
		for j := range v.Receivers[i].Cells {
			c := &v.Receivers[i].Cells[j]
			if first == (lang.Text{}) {
				first = c.Reason
			}
			if c.Reason != first {
				return false
			}
		}
	}
	return true
}

func (p *explainPresenter) requirement(c *desk.CellView) {
	r := p.r
	label := c.Label.In(r.lang)
	switch {
	case c.Level == requirement.Advised:
		label = r.say("cli.requirement.advised", "label", label)
	case c.IfBulk:
		label = r.say("cli.requirement.if-bulk", "label", label)
	}
	p.text(6, "    "+r.style.Paint(stateRole(c.State), desk.StateSymbol(c.State))+" ", label+": "+c.Reason.In(r.lang))
	if c.State == requirement.Met || c.State == requirement.Exempt {
		return
	}
	// Several receivers ask for the same: the way on is told once.
	key := string(c.Check) + string(c.State) + c.Find.In(r.lang)
	if p.said[key] {
		return
	}
	p.said[key] = true
	p.dim(8, c.Text.In(r.lang))
	for _, e := range c.Evidence {
		if e.Quote != "" {
			p.dim(8, e.Name+": “"+term.Truncate(e.Quote, 200)+"”")
		}
	}
	for _, s := range []string{c.Mend.In(r.lang), c.Find.In(r.lang)} {
		if s != "" {
			p.text(10, "        → ", s)
		}
	}
	p.source(8, c.Source, c.Read)
}

// source writes an address on one line, to be copied.
func (p *explainPresenter) source(indent int, source, read string) {
	said := p.r.say("cli.requirement.source", "source", source, "read", read)
	if read == requirement.Unconfirmed {
		said = p.r.say("cli.requirement.source-unconfirmed", "source", source)
	}
	fmt.Fprintln(p.r.Stdout, strings.Repeat(" ", indent)+p.r.style.Paint(term.Dim, term.Clean(said)))
}

// records writes what to publish, and the letter to whoever runs the DNS.
func (p *explainPresenter) records(v *desk.RequirementsView) {
	r := p.r
	if len(v.Records) == 0 {
		return
	}
	p.section("cli.requirement.records")
	for i := range v.Records {
		x := &v.Records[i]
		value := x.Value
		if value == "" {
			value = r.say("requirement.manager.copy")
		}
		fmt.Fprintf(r.Stdout, "  %s  %d  IN  %s  %s\n", term.Clean(x.Host), x.TTL, x.Type, term.Clean(quoteTXT(x.Type, value)))
		for _, old := range x.Replaces {
			p.dim(6, r.say("cli.requirement.replaces", "value", old))
		}
		for _, s := range []string{x.Where.In(r.lang), x.Note.In(r.lang)} {
			if s != "" {
				p.dim(6, s)
			}
		}
	}
	body := v.Request.Body.In(r.lang)
	if body == "" {
		return
	}
	p.section("cli.requirement.request")
	fmt.Fprintln(r.Stdout, "  "+term.Clean(v.Request.Subject.In(r.lang)))
	fmt.Fprintln(r.Stdout)
	for line := range strings.SplitSeq(body, "\n") {
		fmt.Fprintln(r.Stdout, strings.TrimRight("  "+term.Clean(line), " "))
	}
}

// quoteTXT writes the value of a TXT record as a zone file has it.
func quoteTXT(kind, value string) string {
	if kind == "TXT" {
		return `"` + value + `"`
	}
	return value
}

// bounces writes what refusals mean.
func (p *explainPresenter) bounces(list []desk.BounceView) {
	r := p.r
	for i := range list {
		v := &list[i]
		if i > 0 {
			fmt.Fprintln(r.Stdout)
		}
		head := strings.TrimSpace(v.Code + " " + v.Status)
		if s := v.System.In(r.lang); s != "" {
			head += "  " + s
		}
		if v.Recipient != "" {
			head += "  " + v.Recipient
		}
		fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, term.Clean(head)))
		p.dim(2, "“"+v.Text+"”")
		p.text(2, "  ", v.Meaning.In(r.lang))
		p.text(2, "  ", v.Final.In(r.lang))
		if len(v.Failed) > 0 {
			p.text(2, "  ", r.say("cli.requirement.failed", "list", v.Failed))
		}
		if s := v.Fix.In(r.lang); s != "" {
			p.text(4, "  → ", s)
		}
		for _, rule := range v.Rules {
			p.item(rule.Label.In(r.lang) + ": " + rule.Text.In(r.lang))
		}
		if v.Source != "" {
			p.source(2, v.Source, v.Read)
		}
	}
}
