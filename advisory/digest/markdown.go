package digest

import (
	"fmt"
	"strings"

	"github.com/sekisho/sekisho/lang"
)

// plain keeps Markdown from reading a text as more than text.
var plain = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "`", "\\`", "#", `\#`, "|", `\|`, "!", `\!`, "~", `\~`)

// lineStart keeps the beginning of a line from being a mark.
func lineStart(s string) string {
	s = plain.Replace(s)
	if s != "" && strings.ContainsRune("-+=:", rune(s[0])) {
		return `\` + s
	}
	if at := strings.IndexAny(s, ".)"); at > 0 && at < 10 && strings.Trim(s[:at], "0123456789") == "" {
		return s[:at] + `\` + s[at:]
	}
	return s
}

// link is an address as CommonMark has it. What could end it is encoded.
func link(u string) string {
	return "<" + strings.NewReplacer("<", "%3C", ">", "%3E", " ", "%20", `\`, "%5C").Replace(u) + ">"
}

// Markdown is the issue in a language as CommonMark, with the table of updates
// as GitHub and others read it.
func (x *Issue) Markdown(l lang.Language) string {
	v := x.view(l)
	m := &markdownWriter{v: v}
	m.line("# " + plain.Replace(v.Title))
	m.line("")
	m.line("**" + plain.Replace(v.Name) + "** — " + plain.Replace(v.Period))
	m.head(v.Label["advice"])
	for _, a := range v.Advice {
		m.line("- " + lineStart(a))
	}
	m.head(v.Label["contents"])
	for _, c := range v.Contents {
		m.line("- " + c.Number + ". " + plain.Replace(join(c.Text, c.Note)))
	}
	for i := range v.Items {
		it := &v.Items[i]
		m.head(it.Number + ". " + join(it.Headline.Text, it.Headline.Note))
		for _, p := range it.Points {
			m.line("- " + lineStart(join(p.Text, p.Note)+refs(p.Refs)))
		}
		m.sources(it.Sources)
		m.seeAlso(it.SeeAlso)
		m.updates(it.Updates)
		m.comment(it.Commentary)
	}
	if u := v.Updates; u != nil {
		m.head(u.Number + ". " + u.Head)
		m.updates(u)
		m.seeAlso(u.SeeAlso)
		m.comment(u.Commentary)
	}
	if len(v.Missing) > 0 {
		m.head(v.Label["missing"])
	}
	for _, s := range v.Missing {
		m.line("- " + lineStart(s))
	}
	m.line("")
	m.line("---")
	m.line("")
	m.line(plain.Replace(v.Foot))
	return m.b.String()
}

type markdownWriter struct {
	b strings.Builder
	v *view
}

func (m *markdownWriter) line(s string) { m.b.WriteString(s + "\n") }

func (m *markdownWriter) head(s string) { m.line("\n## " + plain.Replace(s) + "\n") }

func (m *markdownWriter) sub(s string) { m.line("\n### " + plain.Replace(s) + "\n") }

func (m *markdownWriter) sources(list []sourceView) {
	if len(list) == 0 {
		return
	}
	m.sub(m.v.Label["sources"])
	for _, s := range list {
		fmt.Fprintf(&m.b, "- \\[%d\\]", s.N)
		for _, part := range []string{s.Title, s.About} {
			if part != "" {
				m.b.WriteString(" " + plain.Replace(part))
			}
		}
		if s.URL != "" {
			m.b.WriteString(" " + link(s.URL))
		}
		m.line("")
	}
}

func (m *markdownWriter) seeAlso(list []string) {
	if len(list) == 0 {
		return
	}
	m.sub(m.v.Label["see-also"])
	for _, s := range list {
		m.line("- " + lineStart(s))
	}
}

func (m *markdownWriter) comment(c *commentView) {
	if c == nil {
		return
	}
	m.sub(c.Head)
	for i, p := range c.Paragraphs {
		if i > 0 {
			m.line("")
		}
		m.line(lineStart(p))
	}
}

func (m *markdownWriter) updates(u *updatesView) {
	if u == nil {
		return
	}
	if u.Number == "" {
		m.sub(u.Head)
	}
	m.line(plain.Replace(u.AsOf) + "\n")
	for i := range u.Counts {
		c := &u.Counts[i]
		m.line("- " + lineStart(c.Head+refs(c.Refs)))
		if c.Exploited != "" {
			m.line("  - **" + plain.Replace(c.Exploited) + "**")
		}
		m.line("  - " + lineStart(c.Counted))
	}
	if len(u.Rows) > 0 {
		m.line("\n| " + strings.Join(u.Columns, " | ") + " |")
		m.line("|" + strings.Repeat(" --- |", len(u.Columns)))
	}
	for i := range u.Rows {
		r := &u.Rows[i]
		cells := []string{r.Product, r.Update, r.Version, r.Released, strings.TrimSpace(strings.Join(r.Remarks, " / ") + refs(r.Refs))}
		for j := range cells {
			cells[j] = plain.Replace(cells[j])
		}
		m.line("| " + strings.Join(cells, " | ") + " |")
	}
	if len(u.Cautions) > 0 {
		m.sub(m.v.Label["cautions"])
	}
	for _, c := range u.Cautions {
		text := "- " + lineStart(c.Head+" "+c.Text+refs(c.Refs))
		if c.URL != "" {
			text += " " + link(c.URL)
		}
		m.line(text)
	}
	if len(u.Notes) > 0 {
		m.sub(m.v.Label["next"])
	}
	for _, n := range u.Notes {
		m.line("- " + lineStart(n))
	}
	m.sources(u.Sources)
}
