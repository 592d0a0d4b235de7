package html

import (
	"strings"

	"golang.org/x/net/html/atom"

	"github.com/sekisho/sekisho/eml"
)

// targets notes where the element whose start tag is being read leads, and
// returns the 1-based index of the link that its text belongs to, 0 if none.
func (r *reader) targets(name atom.Atom, other string, l look) int {
	attr, tag := "", name.String()
	switch name {
	case atom.A, atom.Area:
		attr = "href"
	case atom.Form:
		attr = "action"
	case atom.Button, atom.Input:
		attr = "formaction"
	case atom.Iframe, atom.Frame, atom.Embed:
		attr = "src"
	case atom.Object:
		attr = "data"
	case 0:
		// Vector shapes of classic Outlook ("v:roundrect") are links too.
		if strings.HasPrefix(other, "v:") {
			attr, tag = "href", other
		}
	}
	if attr == "" {
		return 0
	}
	a, ok := r.attr(attr)
	if !ok && name == atom.A {
		a, ok = r.attr("xlink:href")
	}
	if !ok {
		return 0
	}
	i := r.link(a, tag, l)
	if i > 0 && (name == atom.Area || name == atom.Input) {
		text := "alt"
		if name == atom.Input {
			text = "value"
		}
		if v, ok := r.attr(text); ok {
			o := r.openLink(i)
			o.alt, o.image = v.decode().TrimSpace(), name == atom.Area
		}
	}
	if name == atom.A || name == atom.Button || strings.HasPrefix(other, "v:") {
		return i
	}
	return 0
}

// link lists a link and returns its 1-based index, 0 if there are too many. Its
// text starts here and, until somebody says otherwise, ends here.
func (r *reader) link(a attribute, tag string, l look) int {
	if len(r.page.Links) >= maxLinks {
		r.defect(TooManyLinks, a.at)
		return 0
	}
	link := Link{URL: a.text(), Where: a.span(), Tag: tag, Outlook: r.comment}
	if t, ok := r.attr("title"); ok {
		link.Title = t.text()
	}
	r.page.Links = append(r.page.Links, link)
	s, h := r.shown.b.Len(), r.hidden.b.Len()
	r.links = append(r.links, openLink{shown: Range{s, s}, hidden: Range{h, h}, look: l})
	return len(r.page.Links)
}

// refresh reads the target of <meta http-equiv=refresh content="0;url=...">.
func (r *reader) refresh() {
	if a, ok := r.attr("http-equiv"); !ok || !strings.EqualFold(a.text(), "refresh") {
		return
	}
	a, ok := r.attr("content")
	if !ok {
		return
	}
	v := a.decode()
	i := strings.IndexAny(v.Text, ";,")
	if i < 0 {
		return
	}
	v = v.Slice(i+1, len(v.Text)).TrimSpace()
	if len(v.Text) >= 3 && strings.EqualFold(v.Text[:3], "url") {
		if rest := strings.TrimLeft(v.Text[3:], " \t\r\n\f"); strings.HasPrefix(rest, "=") {
			v = v.Slice(len(v.Text)-len(rest)+1, len(v.Text)).TrimSpace()
		}
	}
	if v.Text != "" && (v.Text[0] == '"' || v.Text[0] == '\'') {
		to := strings.IndexByte(v.Text[1:], v.Text[0]) + 1
		if to < 1 {
			to = len(v.Text)
		}
		v = v.Slice(1, to)
	}
	if v.Text == "" {
		return
	}
	if i := r.link(a, "meta", look{}); i > 0 {
		r.page.Links[i-1].URL = trim(v.Text)
		r.page.Links[i-1].Where = v.Span(0, len(v.Text))
	}
}

func (r *reader) image(e element) {
	src, hasSrc := r.attr("src")
	alt, hasAlt := r.attr("alt")
	var text eml.Mapped
	if hasAlt {
		text = alt.decode().TrimSpace()
	}
	if r.anchor > 0 {
		o := r.openLink(r.anchor)
		o.image = true
		if o.alt.Text == "" {
			o.alt = text
		}
	}
	l := r.current()
	if e.own != nil {
		l = l.with(e.own)
	}
	if !hasSrc || l.none || l.invisible {
		return
	}
	if len(r.page.Images) >= maxLinks {
		r.defect(TooManyLinks, src.at)
		return
	}
	r.page.Images = append(r.page.Images, Image{Src: src.text(), Alt: text, Where: src.span()})
}

func (r *reader) input(e element, at int) {
	in := Input{Type: "text"}
	if a, ok := r.attr("type"); ok && a.text() != "" {
		in.Type = strings.ToLower(a.text())
	}
	if a, ok := r.attr("name"); ok {
		in.Name = a.text()
	}
	// An input outside of a form still asks for something: scripts send it.
	if r.forms == 0 && (len(r.page.Forms) == 0 || r.page.Forms[len(r.page.Forms)-1].Action != "") && len(r.page.Forms) < maxLinks {
		r.page.Forms = append(r.page.Forms, Form{})
	}
	if k := len(r.page.Forms); k > 0 {
		if f := &r.page.Forms[k-1]; len(f.Inputs) < maxLinks {
			f.Inputs = append(f.Inputs, in)
		}
	}
	switch in.Type {
	case "submit", "button", "reset":
		if v, ok := r.attr("value"); ok {
			l := r.current()
			if e.own != nil {
				l = l.with(e.own)
			}
			f := r.flow(l)
			f.space(eml.Span{Offset: at})
			m := v.decode()
			f.flush()
			f.b.Append(m)
			f.space(eml.Span{Offset: v.at + len(v.value)})
		}
	}
}

// startsQuote reports whether the start tag being read marks what follows as
// quoted.
func (r *reader) startsQuote(name atom.Atom) bool {
	if name == atom.Blockquote {
		if a, ok := r.attr("type"); ok && strings.EqualFold(a.text(), "cite") {
			return true
		}
	}
	if name != atom.Blockquote && name != atom.Div {
		return false
	}
	a, ok := r.attr("class")
	if !ok {
		return false
	}
	for class := range strings.FieldsSeq(a.value) {
		switch class {
		case "gmail_quote", "yahoo_quoted", "protonmail_quote", "moz-forward-container", "zmail_extra":
			return true
		}
	}
	return false
}

// conditional reads a comment that classic Outlook takes for content
// ("<!--[if mso]>...<![endif]-->").
func (r *reader) conditional(s string, at int) {
	body, ok := strings.CutPrefix(s, "<!--[")
	if !ok || r.comment {
		return
	}
	end := strings.IndexByte(body, ']')
	if end < 0 || end > 200 || !strings.HasPrefix(body[end:], "]>") {
		return
	}
	condition := strings.ToLower(body[:end])
	if !strings.HasPrefix(strings.TrimSpace(condition), "if") || !strings.Contains(condition, "mso") || strings.Contains(condition, "!mso") || strings.Contains(condition, "!(mso") {
		return
	}
	if r.comments++; r.comments > maxComments {
		r.defect(TooManyComments, at)
		return
	}
	from := len("<!--[") + end + len("]>")
	to := strings.LastIndex(s, "<![endif]")
	if to < from {
		to = len(s)
	}
	sub := &reader{page: r.page, src: s[from:to], base: at + from, budget: r.budget, comment: true}
	sub.tree.close = sub.closed
	sub.first = len(r.page.Links)
	title := r.page.Title
	sub.read()
	r.page.Title = title
	if text := sub.shown.mapped(); text.Text != "" {
		if r.outlook.Len() > 0 {
			r.outlook.Replace("\n", eml.Span{Offset: at})
		}
		r.outlook.Append(text)
	}
	shown, hidden := sub.shown.mapped(), sub.hidden.mapped()
	for i := sub.first; i < len(r.page.Links); i++ {
		finishLink(&r.page.Links[i], sub.openLink(i+1), shown, hidden)
		// Finished already: the texts are those of the comment.
		r.links = append(r.links, openLink{shown: Range{-1, -1}})
	}
}

// openLink returns what is known of the text of link i, counted from 1.
func (r *reader) openLink(i int) *openLink { return &r.links[i-1-r.first] }

// finishLinks gives the links their texts once these are complete.
func (r *reader) finishLinks(shown, hidden eml.Mapped) {
	for i := range r.page.Links {
		if r.links[i].shown.From >= 0 {
			finishLink(&r.page.Links[i], &r.links[i], shown, hidden)
		}
	}
}

func finishLink(l *Link, o *openLink, shown, hidden eml.Mapped) {
	l.Visible = shown.Slice(o.shown.From, o.shown.To).TrimSpace()
	l.Image = o.image
	if l.Visible.Text == "" {
		l.Visible = o.alt
	} else {
		l.Image = false
	}
	if l.Visible.Text == "" && !o.image {
		l.Visible = hidden.Slice(o.hidden.From, o.hidden.To).TrimSpace()
		l.Hidden = l.Visible.Text != ""
	}
	if o.look.none || o.look.invisible {
		l.Hidden = true
	}
}

func (r *reader) finishQuotes(length int) {
	for _, q := range r.quotes {
		if q.To < 0 {
			q.To = length
		}
		if q.From < q.To {
			r.page.Quotes = append(r.page.Quotes, q)
		}
	}
}
