package html

import (
	"bytes"
	"slices"
	"strings"

	xhtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
)

// reader reads one page or one conditional comment of it.
type reader struct {
	page   *Page
	src    string
	base   int // offset of src in the source
	budget *budget.Budget

	tree    tree
	sheet   sheet
	shown   flow
	hidden  flow
	outlook eml.MapBuilder

	attrs    []attribute
	links    []openLink // beside page.Links[first:]
	first    int
	comments int // conditional comments
	anchor   int // 1-based index of the a element that is open
	forms    int // open form elements
	quotes   []Range
	quoting  int // open elements that start a quote
	foreign  int // open svg and math elements
	spent    int // steps of the tree that were charged
	comment  bool
}

// openLink says where the text of a link stands in both flows.
type openLink struct {
	shown, hidden Range
	alt           eml.Mapped
	image         bool
	look          look
}

func newReader(p *Page, text string, b *budget.Budget) *reader {
	r := &reader{page: p, src: text, budget: b}
	r.tree.close = r.closed
	return r
}

func (r *reader) read() {
	z := xhtml.NewTokenizer(strings.NewReader(r.src))
	at := 0
	for {
		tt := z.Next()
		if tt == xhtml.ErrorToken {
			break
		}
		raw := z.Raw()
		n := len(raw)
		if !r.budget.Spend(n + r.tree.steps - r.spent) {
			r.defect(BudgetExhausted, r.base+at)
			break
		}
		r.spent = r.tree.steps
		s := r.src[at : at+n]
		where := r.base + at
		at += n
		switch tt {
		case xhtml.TextToken:
			r.text(s, where)
		case xhtml.StartTagToken, xhtml.SelfClosingTagToken:
			name, other := tagName(s[1:])
			// Mail programs run no scripts, so they show this.
			if name == atom.Noscript || r.foreign > 0 && (name == atom.Title || name == atom.Style) {
				z.NextIsNotRawText()
			}
			r.startTag(name, other, s, where, tt == xhtml.SelfClosingTagToken)
		case xhtml.EndTagToken:
			name, other := tagName(s[2:])
			r.endTag(name, other, where)
		case xhtml.CommentToken:
			r.conditional(s, where)
		}
	}
	for len(r.tree.open) > 0 {
		r.tree.cut(0, true)
	}
}

func (r *reader) defect(c DefectCode, at int) {
	if !slices.ContainsFunc(r.page.Defects, func(d Defect) bool { return d.Code == c }) {
		r.page.Defects = append(r.page.Defects, Defect{Code: c, Offset: at})
	}
}

// tagName returns the name at the start of s, as an atom or, where it is none
// of HTML's, in lower case.
func tagName(s string) (atom.Atom, string) {
	i := 0
	for i < len(s) && !isSpace(s[i]) && s[i] != '/' && s[i] != '>' {
		i++
	}
	var short [16]byte
	if i <= len(short) {
		name := bytes.ToLower(append(short[:0], s[:i]...))
		if a := atom.Lookup(name); a != 0 {
			return a, ""
		}
		return 0, string(name)
	}
	return 0, strings.ToLower(s[:min(i, 64)])
}

func (r *reader) text(s string, at int) {
	e := r.tree.top()
	if e == nil {
		r.shown.text(s, at, true, false)
		return
	}
	if e.kind&unseen != 0 {
		switch e.name {
		case atom.Title:
			if r.page.Title == "" {
				v := attribute{value: s[:min(len(s), maxTitle)], at: at}
				r.page.Title = strings.Join(strings.Fields(strings.ToValidUTF8(v.text(), "")), " ")
			}
			return
		case atom.Style:
			r.style(s)
			return
		case atom.Script, atom.Iframe, atom.Noembed, atom.Noframes:
			return
		}
	}
	l := e.look
	if e.kind&tabular != 0 && trim(s) != "" {
		l = r.tree.look(r.tree.table())
	}
	refs := e.name != atom.Xmp && e.name != atom.Plaintext
	r.flow(l).text(s, at, refs, l.pre)
}

func (r *reader) style(css string) {
	if r.comment {
		return // rules for classic Outlook alone
	}
	if !r.budget.Spend(2 * len(css)) {
		r.defect(BudgetExhausted, r.base)
		return
	}
	r.sheet.read(css)
	if r.sheet.full {
		r.defect(TooManyRules, r.base)
	}
}

func (r *reader) flow(l look) *flow {
	if l.hidden() {
		return &r.hidden
	}
	return &r.shown
}

func (r *reader) startTag(name atom.Atom, other, s string, at int, selfClosing bool) {
	r.attrs = attributes(r.attrs[:0], s, at)
	k := kinds[name]
	r.tree.start(name, k)
	e := element{name: name, other: other, kind: k, breaks: k&breaks != 0}
	e.own = r.declarations(name, other)
	if e.own != nil {
		switch e.own[display].v {
		case block:
			e.breaks = true
		case shows:
			e.breaks = false // inline, inline-block, table-cell
		}
	}
	switch name {
	case atom.Br:
		r.flow(r.current()).br(eml.Span{Offset: at, Length: len(s)})
	case atom.Hr:
		r.flow(r.current()).line(at)
	case atom.Td, atom.Th:
		r.flow(r.current()).space(eml.Span{Offset: at})
	case atom.Input:
		r.input(e, at)
	case atom.Meta:
		r.refresh()
	case atom.Base:
		if a, ok := r.attr("href"); ok && r.page.Base == "" {
			r.page.Base = a.text()
			r.link(a, "base", look{})
		}
	case atom.Img, atom.Image:
		r.image(e)
	case atom.Body, atom.Html, atom.Head:
		if r.tree.count[slot(name, "")] > 0 {
			return
		}
	case atom.Svg, atom.Math:
		e.foreign = true
	}
	if k&void != 0 || selfClosing && r.foreign > 0 {
		l := r.tree.look(len(r.tree.open))
		if e.own != nil {
			l = l.with(e.own)
		}
		r.targets(name, other, l)
		return
	}
	if e.foreign {
		r.foreign++
	}
	r.open(e, at)
}

// open puts an element on the stack.
func (r *reader) open(e element, at int) {
	if e.name == atom.Form {
		e.form = true
		r.forms++
		action := ""
		if a, ok := r.attr("action"); ok {
			action = a.text()
		}
		if len(r.page.Forms) < maxLinks {
			r.page.Forms = append(r.page.Forms, Form{Action: action})
		}
	}
	if r.quoting == 0 && r.startsQuote(e.name) {
		e.quote = true
	}
	r.tree.push(e)
	top := r.tree.top()
	if top.breaks {
		f := r.flow(top.look)
		if top.kind&paragraph != 0 {
			f.paragraph(at)
		} else {
			f.line(at)
		}
	}
	if top.quote {
		r.quoting++
		if len(r.quotes) < maxQuotes {
			r.quotes = append(r.quotes, Range{From: r.shown.b.Len(), To: -1})
		}
	}
	l := top.look
	if e.kind&unseen != 0 {
		// The element shows its target and not its text.
		l = r.tree.look(len(r.tree.open) - 1)
		if e.own != nil {
			l = l.with(e.own)
		}
	}
	top.link = r.targets(e.name, e.other, l)
	if e.name == atom.A && top.link > 0 {
		r.anchor = top.link
	}
}

func (r *reader) current() look { return r.tree.look(len(r.tree.open)) }

// closed is told of every element that ends.
func (r *reader) closed(e *element) {
	if e.link > 0 {
		o := r.openLink(e.link)
		o.shown.To, o.hidden.To = r.shown.b.Len(), r.hidden.b.Len()
		if r.anchor == e.link {
			r.anchor = 0
		}
	}
	if e.form {
		r.forms--
	}
	if e.foreign {
		r.foreign--
	}
	if e.quote {
		r.quoting--
		if k := len(r.quotes); k > 0 && r.quotes[k-1].To < 0 {
			r.quotes[k-1].To = r.shown.b.Len()
		}
	}
}

func (r *reader) endTag(name atom.Atom, other string, at int) {
	if name == atom.Br {
		r.flow(r.current()).br(eml.Span{Offset: at})
		return
	}
	if name == atom.Body || name == atom.Html || name == atom.Head {
		return // what follows still belongs to the page
	}
	k := kinds[name]
	before := r.current()
	if r.tree.end(name, other, k) {
		if k&breaks != 0 {
			f := r.flow(before)
			if k&paragraph != 0 {
				f.paragraph(at)
			} else {
				f.line(at)
			}
		}
		return
	}
	if name == atom.P {
		r.flow(before).paragraph(at)
	}
}

func (r *reader) attr(name string) (attribute, bool) {
	for i := range r.attrs {
		if r.attrs[i].name == name {
			return r.attrs[i], true
		}
	}
	return attribute{}, false
}

// declarations returns what the style sheet and the attributes say of the
// element whose start tag is being read, nil if nothing.
func (r *reader) declarations(name atom.Atom, other string) *declarations {
	var d declarations
	switch name {
	case atom.Pre, atom.Listing, atom.Xmp, atom.Plaintext, atom.Textarea:
		d[whiteSpace] = value{v: hides}
	case atom.Dialog:
		if _, ok := r.attr("open"); !ok {
			d[display] = value{v: hides}
		}
	}
	if _, ok := r.attr("hidden"); ok {
		d[display] = value{v: hides}
	}
	if name == atom.Font {
		if _, ok := r.attr("size"); ok {
			d[fontSize] = value{v: shows}
		}
		if _, ok := r.attr("color"); ok {
			d[colour] = value{v: shows}
		}
	}
	if len(r.sheet.rules) > 0 {
		var classes, id string
		if a, ok := r.attr("class"); ok {
			classes = a.text()
		}
		if a, ok := r.attr("id"); ok {
			id = a.text()
		}
		if name != 0 {
			other = name.String()
		}
		r.sheet.match(&d, other, classes, id)
	}
	if a, ok := r.attr("style"); ok {
		if own, set := parseDeclarations(a.decode().Text); set {
			d.add(&own)
		}
	}
	if d == (declarations{}) {
		return nil
	}
	return &d
}
