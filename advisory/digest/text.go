package digest

import (
	"fmt"
	"strings"

	"github.com/sekisho/sekisho/lang"
)

// Text is the issue in a language as plain text, [TextColumns] columns of a
// fixed font wide. A wide character counts as two columns.
func (x *Issue) Text(l lang.Language) string {
	v := x.view(l)
	t := &textWriter{v: v}
	t.fold("", v.Title)
	t.fold("", v.Name)
	t.fold("", v.Period)
	t.rule("=")
	t.head(v.Label["advice"])
	mark := "- "
	if l == lang.JA {
		mark = "〇 "
	}
	for _, a := range v.Advice {
		t.fold(mark, a)
	}
	t.head(v.Label["contents"])
	for _, c := range v.Contents {
		t.fold(c.Number+". ", join(c.Text, c.Note))
	}
	for i := range v.Items {
		it := &v.Items[i]
		t.section(it.Number, join(it.Headline.Text, it.Headline.Note))
		for _, p := range it.Points {
			t.fold("- ", join(p.Text, p.Note)+refs(p.Refs))
		}
		t.sources(it.Sources)
		t.seeAlso(it.SeeAlso)
		t.updates(it.Updates)
		t.comment(it.Commentary)
	}
	if u := v.Updates; u != nil {
		t.section(u.Number, u.Head)
		t.updates(u)
		t.seeAlso(u.SeeAlso)
		t.comment(u.Commentary)
	}
	if len(v.Missing) > 0 {
		t.b.WriteString("\n")
		t.rule("-")
		t.fold("", v.Label["missing"])
		for _, m := range v.Missing {
			t.fold("- ", m)
		}
	}
	t.b.WriteString("\n")
	t.rule("=")
	t.fold("", v.Foot)
	return t.b.String()
}

func join(a, b string) string { return strings.TrimSpace(a + " " + b) }

func refs(list []int) string {
	var b strings.Builder
	for _, n := range list {
		fmt.Fprintf(&b, " [%d]", n)
	}
	return b.String()
}

type textWriter struct {
	b strings.Builder
	v *view
}

func (t *textWriter) rule(c string) { t.b.WriteString(strings.Repeat(c, TextColumns) + "\n") }

func (t *textWriter) head(s string) { t.b.WriteString("\n■ " + s + "\n") }

// fold writes a paragraph whose first line begins with a mark; the others are
// indented as far.
func (t *textWriter) fold(mark, s string) {
	indent := strings.Repeat(" ", columns(mark))
	for i, l := range fold(s, TextColumns-columns(mark)) {
		if i == 0 {
			t.b.WriteString(strings.TrimRight(mark+l, " ") + "\n")
		} else {
			t.b.WriteString(indent + l + "\n")
		}
	}
}

func (t *textWriter) section(number, s string) {
	t.b.WriteString("\n")
	t.rule("-")
	t.fold(number+". ", s)
	t.b.WriteString("\n")
}

// sources names them. An address is on a line of its own and never broken, so
// that it can be followed.
func (t *textWriter) sources(list []sourceView) {
	if len(list) == 0 {
		return
	}
	t.head(t.v.Label["sources"])
	for _, s := range list {
		mark := fmt.Sprintf("[%d] ", s.N)
		switch {
		case s.Title != "" && s.About != "":
			t.fold(mark, s.Title+" ("+s.About+")")
		case s.Title != "" || s.About != "":
			t.fold(mark, s.Title+s.About)
		default:
			t.b.WriteString(mark + s.URL + "\n")
			continue
		}
		if s.URL != "" {
			t.b.WriteString(strings.Repeat(" ", columns(mark)) + s.URL + "\n")
		}
	}
}

func (t *textWriter) seeAlso(list []string) {
	if len(list) == 0 {
		return
	}
	t.head(t.v.Label["see-also"])
	for _, s := range list {
		t.fold("- ", s)
	}
}

func (t *textWriter) comment(c *commentView) {
	if c == nil {
		return
	}
	t.head(c.Head)
	for _, p := range c.Paragraphs {
		t.fold("", p)
	}
}

// Columns of the table of updates.
const (
	colProduct = 28
	colUpdate  = 12
	colVersion = 18
)

func (t *textWriter) updates(u *updatesView) {
	if u == nil {
		return
	}
	if u.Number == "" {
		t.head(u.Head)
	}
	t.fold("", u.AsOf)
	for i := range u.Counts {
		c := &u.Counts[i]
		t.b.WriteString("\n")
		t.fold("- ", c.Head+refs(c.Refs))
		if c.Exploited != "" {
			t.fold("  ", c.Exploited)
		}
		t.fold("  ", c.Counted)
	}
	if len(u.Rows) > 0 {
		t.b.WriteString("\n" + strings.TrimRight("  "+pad(u.Columns[0], colProduct-2)+pad(u.Columns[1], colUpdate)+pad(u.Columns[2], colVersion)+u.Columns[3], " ") + "\n")
	}
	for i := range u.Rows {
		r := &u.Rows[i]
		mark := "  "
		if r.Exploited {
			mark = "! "
		}
		t.b.WriteString(strings.TrimRight(mark+pad(r.Product, colProduct-2)+pad(r.Update, colUpdate)+pad(r.Version, colVersion)+r.Released, " "))
		if len(r.Remarks) == 0 {
			t.b.WriteString(refs(r.Refs) + "\n")
			continue
		}
		t.b.WriteString("\n")
		t.fold("    ", strings.Join(r.Remarks, " / ")+refs(r.Refs))
	}
	if len(u.Cautions) > 0 {
		t.head(t.v.Label["cautions"])
	}
	for _, c := range u.Cautions {
		t.fold("- ", c.Head+" "+c.Text+refs(c.Refs))
		if c.URL != "" {
			t.b.WriteString("  " + c.URL + "\n")
		}
	}
	if len(u.Notes) > 0 {
		t.head(t.v.Label["next"])
	}
	for _, n := range u.Notes {
		t.fold("- ", n)
	}
	t.sources(u.Sources)
}
