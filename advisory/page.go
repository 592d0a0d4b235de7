package advisory

import (
	"fmt"
	"html"
	"strings"

	"github.com/sekisho/sekisho/lang"
)

// pageStyle is for a page of its own. Grades have a colour and always a letter
// and a word too.
const pageStyle = `
@page { size: A4; margin: 14mm 16mm; }
body { font-family: 'Hiragino Sans','Yu Gothic UI','Noto Sans JP',Meiryo,'Segoe UI',sans-serif; font-size: 14px; line-height: 1.7; color: #1a1a1a; margin: 2em auto; max-width: 54em; padding: 0 1em; }
h1 { font-size: 20px; line-height: 1.4; margin: .2em 0 .8em; }
h2 { font-size: 15px; margin: 1.2em 0 .4em; }
.grade span { white-space: pre-wrap; }
.grade { display: flex; gap: 1em; align-items: center; margin: 0; }
.grade b { font-size: 22px; padding: 0 .5em; border-radius: 4px; color: #fff; background: #5a6472; }
.grade-A b { background: #b3261e; } .grade-B b { background: #b45309; } .grade-C b { background: #1d5fa8; }
table.card { border-collapse: collapse; width: 100%; }
table.card th { text-align: left; vertical-align: top; white-space: nowrap; padding: .4em 1.2em .4em 0; font-weight: bold; }
table.card td { vertical-align: top; padding: .4em 0; overflow-wrap: anywhere; }
table.card tr { border-top: 1px solid #ddd; }
table.card p { margin: 0 0 .3em; }
section.draft { border: 1px solid #ccc; border-radius: 4px; padding: .6em 1.2em; margin: 1.2em 0; }
section.draft h3 { font-size: 13px; color: #555; margin: .4em 0; font-weight: normal; }
section.draft .subject { font-weight: bold; border-bottom: 1px solid #ddd; padding-bottom: .5em; margin: 0 0 .8em; }
@media print { body { margin: 0; max-width: none; font-size: 11pt; } section.draft { break-before: page; border: 0; padding: 0; } h1 { font-size: 15pt; } div[lang] { max-width: none !important; font-size: 10pt !important; line-height: 1.5 !important; } div[lang] h2 { margin-top: .9em !important; font-size: 11pt !important; } }
`

// HTML is the whole document as one page in a language: the card, and each draft
// ready to copy. It has no script and asks for nothing from outside. Printed, each
// draft begins on a sheet of A4. words is nil for [lang.Default].
func HTML(d *Document, l lang.Language, words *lang.Catalogue) string {
	if words == nil {
		words = lang.Default()
	}
	head, rows := Card(d, l, words)
	var b strings.Builder
	open(&b, l, d.Title.In(l))
	fmt.Fprintf(&b, "<div class=\"grade grade-%s\"><b>%s</b><span>%s</span></div>\n", html.EscapeString(string(d.Grade)),
		html.EscapeString(string(d.Grade)), html.EscapeString(strings.TrimSpace(strings.TrimPrefix(head[0], string(d.Grade)))))
	fmt.Fprintf(&b, "<h1>%s</h1>\n<table class=\"card\">\n", escape(d.Title.In(l)))
	for _, r := range rows {
		fmt.Fprintf(&b, "<tr><th scope=\"row\">%s</th><td>", html.EscapeString(r.Label))
		for _, line := range r.Lines {
			b.WriteString("<p>" + escape(line) + "</p>")
		}
		b.WriteString("</td></tr>\n")
	}
	b.WriteString("</table>\n")
	for _, ds := range [][]Draft{d.Drafts, d.Manager} {
		for i := range ds {
			m := &ds[i]
			fmt.Fprintf(&b, "<section class=\"draft\" lang=\"%s\">\n<h3>%s</h3>\n<p class=\"subject\">%s</p>\n%s</section>\n",
				m.Lang, html.EscapeString(m.name(l, words)), escape(m.Subject), m.BodyHTML)
		}
	}
	b.WriteString("</body>\n</html>\n")
	return b.String()
}

// Page is a draft as a page of its own, for printing on A4: the manager's sheet.
func (m *Draft) Page() string {
	var b strings.Builder
	open(&b, m.Lang, m.Subject)
	fmt.Fprintf(&b, "<h1>%s</h1>\n%s</body>\n</html>\n", escape(m.Subject), m.BodyHTML)
	return b.String()
}

func open(b *strings.Builder, l lang.Language, title string) {
	fmt.Fprintf(b, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n"+
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>%s</title>\n<style>%s</style>\n</head>\n<body>\n",
		l, html.EscapeString(title), pageStyle)
}

// Markdown is the whole document in a language as CommonMark. words is nil for
// [lang.Default].
func Markdown(d *Document, l lang.Language, words *lang.Catalogue) string {
	if words == nil {
		words = lang.Default()
	}
	head, rows := Card(d, l, words)
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n**%s**\n\n", mark(d.Title.In(l)), mark(strings.Join(strings.Fields(head[0]), " ")))
	for _, r := range rows {
		fmt.Fprintf(&b, "## %s\n\n", mark(r.Label))
		for _, line := range r.Lines {
			b.WriteString(numberedOr(line) + "\n\n")
		}
	}
	for _, ds := range [][]Draft{d.Drafts, d.Manager} {
		for i := range ds {
			m := &ds[i]
			// The draft is text to copy as it is.
			fmt.Fprintf(&b, "## %s\n\n**%s**\n\n````text\n%s````\n\n", mark(m.name(l, words)), mark(m.Subject), m.BodyText)
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// numberedOr keeps the number of a step as Markdown's own.
func numberedOr(line string) string {
	n, rest, ok := strings.Cut(line, ". ")
	if ok && len(n) <= 2 && strings.Trim(n, "0123456789") == "" {
		return n + ". " + mark(rest)
	}
	return mark(line)
}

// mark escapes what Markdown would take for markup. An address in angle brackets is
// never made, so that a link in an article's words stays text.
func mark(s string) string {
	var b strings.Builder
	for i, r := range s {
		if strings.ContainsRune("\\`*_[]<>|~", r) || (r == '#' || r == '+' || r == '-' || r == '>') && i == 0 {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
