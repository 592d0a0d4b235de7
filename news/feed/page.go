package feed

import (
	"bytes"
	"cmp"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"codeberg.org/readeck/go-readability/v2"
	nethtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	visiblehtml "github.com/sekisho/sekisho/extract/html"
	"github.com/sekisho/sekisho/news"
)

// Limits of a page.
const (
	maxElements = 12_000 // beyond them the main text is not looked for
	maxTree     = 150_000
	maxNesting  = 200
	maxBlocks   = 4_000 // paragraphs of an article
	minArticle  = 120   // bytes; a shorter main text is not believed
)

// page reads an article from an HTML page.
//
// Two readers have to agree on what is kept. One finds the main text in a tree
// from which everything that is not shown was cut; the other reads the page as
// a mail program shows it. A paragraph that the second does not see is left out,
// whatever trick put it into the first.
func (r *reader) page(text []byte) error {
	if len(text) > MaxPage {
		return fault(TooLarge, "a page of %d bytes", len(text))
	}
	source := string(text)
	seen := visiblehtml.Read(source, budgetFor(source))
	visible := squeeze(clean(seen.Text.Text))
	if visible == "" {
		return fault(Empty, "a page that shows nothing")
	}
	doc := tree(text)
	if doc == nil {
		return fault(TooComplex, "a page of too many or too deep elements")
	}
	m := readMeta(doc)
	strip(doc, 0)
	all, dropped := onlySeen(blocks(doc), visible)
	if dropped || len(squeeze(all)) < len(visible) || strings.TrimSpace(seen.Hidden.Text) != "" || seen.Invisible > 0 {
		r.defect(HiddenText, "")
	}
	if all == "" {
		return fault(Empty, "a page that shows nothing")
	}
	heading, _ := onlySeen(firstHeading(doc), visible)
	agreed, _ := onlySeen(mainText(doc, r.o.URL), visible)
	if len(agreed) < minArticle {
		if len(all) > 2*minArticle {
			r.defect(NoArticle, "")
		}
		agreed = all
	}
	it := news.Item{Kind: news.Article, Text: agreed, Title: pageTitle(line(clean(m.title)), line(heading)), Link: r.link(r.o.URL, "")}
	it.Published, it.Updated = r.pageDate(m.published), r.pageDate(m.modified)
	if it.Published.IsZero() {
		it.Published = dateline(all)
	}
	if r.doc.Lang == "" {
		r.doc.Lang = language(m.lang)
	}
	r.doc.Format, r.doc.Title, r.doc.Link = Page, it.Title, it.Link
	r.add(it, cmp.Or(news.CanonicalLink(it.Link), r.o.URL))
	return nil
}

// fragment returns what a reader sees of a piece of HTML, as both readers have
// it, and whether there was more. A piece that is too much for them is left out.
func fragment(s string) (text string, hidden bool) {
	seen := visiblehtml.Read(s, budgetFor(s))
	visible := squeeze(clean(seen.Text.Text))
	doc := tree([]byte(s))
	if doc == nil {
		return "", true
	}
	strip(doc, 0)
	text, dropped := onlySeen(blocks(doc), visible)
	return text, dropped || len(squeeze(text)) < len(visible) || strings.TrimSpace(seen.Hidden.Text) != ""
}

// title returns the title of a page for a message about it.
func title(page string) string {
	return cut(line(clean(visiblehtml.Read(page, budgetFor(page)).Title)), 100)
}

// tree parses a page, or returns nil for one of too many elements.
func tree(text []byte) *nethtml.Node {
	if bytes.Count(text, []byte("<")) > maxTree {
		return nil
	}
	doc, err := nethtml.Parse(bytes.NewReader(text))
	if err != nil {
		return nil // nested too deeply
	}
	return doc
}

// meta is what a page says of itself to machines. None of it becomes text.
type meta struct{ title, published, modified, lang string }

func readMeta(doc *nethtml.Node) meta {
	var m meta
	for n := range doc.Descendants() {
		if n.Type != nethtml.ElementNode {
			continue
		}
		switch n.DataAtom {
		case atom.Title:
			// A title in a picture is no title of the page.
			if m.title == "" && n.Namespace == "" && n.FirstChild != nil && n.FirstChild.Type == nethtml.TextNode {
				m.title = cut(n.FirstChild.Data, 4096)
			}
		case atom.Html:
			m.lang = cmp.Or(m.lang, attr(n, "lang"))
		case atom.Meta:
			switch strings.ToLower(cmp.Or(attr(n, "property"), attr(n, "name"), attr(n, "itemprop"))) {
			case "article:published_time", "datepublished", "date", "dc.date", "dcterms.issued", "dc.date.issued", "pubdate":
				m.published = cmp.Or(m.published, attr(n, "content"))
			case "article:modified_time", "datemodified", "dcterms.modified", "lastmod", "og:updated_time":
				m.modified = cmp.Or(m.modified, attr(n, "content"))
			}
		case atom.Time:
			if attr(n, "itemprop") == "datePublished" || m.published == "" && hasAttr(n, "pubdate") {
				m.published = cmp.Or(m.published, attr(n, "datetime"))
			}
		case atom.Script:
			if strings.Contains(attr(n, "type"), "ld+json") && n.FirstChild != nil {
				m.published = cmp.Or(m.published, jsonField(n.FirstChild.Data, "datePublished"))
				m.modified = cmp.Or(m.modified, jsonField(n.FirstChild.Data, "dateModified"))
			}
		}
	}
	if m.published == "" {
		for n := range doc.Descendants() {
			if n.Type == nethtml.ElementNode && n.DataAtom == atom.Time {
				m.published = attr(n, "datetime")
				break
			}
		}
	}
	return m
}

func attr(n *nethtml.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name && a.Namespace == "" {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *nethtml.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

// jsonField returns the string after "name": in s.
func jsonField(s, name string) string {
	_, rest, ok := strings.Cut(s, `"`+name+`"`)
	if !ok {
		return ""
	}
	rest = strings.TrimLeft(rest, " \t\r\n:")
	if rest == "" || rest[0] != '"' {
		return ""
	}
	v, _, _ := strings.Cut(rest[1:], `"`)
	return cut(v, 40)
}

// pageDate reads a date that a page gives. A page without a date is no defect.
func (r *reader) pageDate(s string) time.Time {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 40 {
		return time.Time{}
	}
	for _, l := range layouts {
		if t, err := time.Parse(l, s); err == nil {
			return sane(t.UTC())
		}
	}
	return time.Time{}
}

// gap stands in a text where something was cut out.
const gap = "\x01"

// strip takes out of the tree what is not shown, and every attribute in which
// words could hide.
func strip(n *nethtml.Node, depth int) {
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		switch {
		case c.Type == nethtml.ElementNode && (unshown(c) || depth > maxNesting):
			n.InsertBefore(&nethtml.Node{Type: nethtml.TextNode, Data: gap}, c)
			n.RemoveChild(c)
		case c.Type == nethtml.CommentNode:
			n.RemoveChild(c)
		case c.Type == nethtml.ElementNode:
			kept := c.Attr[:0]
			for _, a := range c.Attr {
				if a.Namespace == "" && (a.Key == "class" || a.Key == "id") && len(a.Val) <= 200 {
					kept = append(kept, a)
				}
			}
			c.Attr = kept
			strip(c, depth+1)
		}
		c = next
	}
}

// unshown reports whether an element and what is in it are not shown as text.
func unshown(n *nethtml.Node) bool {
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Template, atom.Noscript, atom.Iframe, atom.Object, atom.Embed, atom.Svg, atom.Math, atom.Canvas,
		atom.Audio, atom.Video, atom.Img, atom.Picture, atom.Input, atom.Select, atom.Textarea, atom.Button, atom.Datalist, atom.Dialog,
		atom.Link, atom.Meta, atom.Base, atom.Noembed, atom.Noframes, atom.Title:
		return true
	}
	if n.Namespace != "" {
		return true
	}
	for _, a := range n.Attr {
		switch a.Key {
		case "hidden":
			return true
		case "style":
			if hiding(a.Val) {
				return true
			}
		}
	}
	return false
}

// hiding reports whether an inline style keeps its element from being read.
func hiding(style string) bool {
	s := strings.ToLower(style)
	if strings.Contains(s, "/*") || strings.Contains(s, `\`) {
		return true // nobody writes a style like that for a reader
	}
	for decl := range strings.SplitSeq(s, ";") {
		name, value, _ := strings.Cut(decl, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		value = strings.TrimSpace(strings.TrimSuffix(value, "!important"))
		switch name {
		case "display":
			if value == "none" {
				return true
			}
		case "visibility":
			if value == "hidden" || value == "collapse" {
				return true
			}
		case "opacity", "font-size", "line-height", "max-height", "max-width", "height", "width", "zoom":
			if zero(value) {
				return true
			}
		case "text-indent", "left", "top", "right", "bottom", "margin-left", "margin-top":
			if strings.HasPrefix(value, "-") && len(strings.TrimLeft(value, "-0123456789.")) < len(value)-3 {
				return true // -999px and the like
			}
		case "clip", "clip-path":
			if strings.Contains(value, "rect(0") || strings.Contains(value, "rect(1px") || strings.Contains(value, "inset(50%") || strings.Contains(value, "inset(100%") || strings.Contains(value, "circle(0") {
				return true
			}
		case "color":
			if value == "transparent" || strings.HasSuffix(value, ",0)") || strings.HasSuffix(value, ", 0)") {
				return true
			}
		case "transform":
			if strings.Contains(value, "scale(0") {
				return true
			}
		}
	}
	return false
}

// zero reports whether a CSS length or number is nought or too small to be read.
func zero(v string) bool {
	n := strings.TrimRight(v, "abcdefghijklmnopqrstuvwxyz% ")
	return n != "" && strings.Trim(n, "0.") == "" || n == "0.1" || n == "0.01" || v == "1px"
}

// firstHeading returns the text of the first h1.
func firstHeading(doc *nethtml.Node) string {
	for n := range doc.Descendants() {
		if n.Type == nethtml.ElementNode && n.DataAtom == atom.H1 {
			if s := blocks(n); strings.TrimSpace(strings.Trim(s, gap)) != "" && len(s) <= maxTitle {
				return s
			}
		}
	}
	return ""
}

// mainText finds the main text of a page. A panic in the search counts as not
// found: the page is anybody's, and the search is not ours.
func mainText(doc *nethtml.Node, address string) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = ""
		}
	}()
	u, err := url.Parse(address)
	if err != nil || !u.IsAbs() {
		u = &url.URL{Scheme: "https", Host: "article.invalid", Path: "/"}
	}
	p := readability.NewParser()
	p.DisableJSONLD = true
	p.MaxElemsToParse = maxElements
	p.CharThresholds = 250 // a notice in Japanese is short
	a, err := p.ParseAndMutate(doc, u)
	if err != nil || a.Node == nil {
		return ""
	}
	return blocks(a.Node)
}

// blocks returns the text below n, a line for each block, with [gap] where
// something was cut out.
func blocks(n *nethtml.Node) string {
	var b strings.Builder
	count := 0
	var walk func(n *nethtml.Node, depth int)
	walk = func(n *nethtml.Node, depth int) {
		if depth > 2*maxNesting || count > maxBlocks || b.Len() > maxText {
			return
		}
		switch n.Type {
		case nethtml.TextNode:
			b.WriteString(strings.Map(func(r rune) rune {
				if unicode.IsSpace(r) {
					return ' '
				}
				return r
			}, n.Data))
			return
		case nethtml.ElementNode:
			if n.DataAtom == atom.Br || block(n.DataAtom) {
				b.WriteByte('\n')
				count++
			} else if n.DataAtom == atom.Td || n.DataAtom == atom.Th {
				b.WriteByte(' ')
			}
		default:
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, depth+1)
		}
		if n.Type == nethtml.ElementNode && block(n.DataAtom) {
			b.WriteByte('\n')
		}
	}
	walk(n, 0)
	return b.String()
}

// block reports whether an element begins a line.
func block(a atom.Atom) bool {
	switch a {
	case atom.P, atom.Div, atom.Section, atom.Article, atom.Main, atom.Header, atom.Footer, atom.Aside, atom.Ul, atom.Ol, atom.Li, atom.Dl, atom.Dt, atom.Dd,
		atom.Table, atom.Tr, atom.Caption, atom.Thead, atom.Tbody, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Pre, atom.Blockquote, atom.Figure, atom.Figcaption, atom.Hr, atom.Address, atom.Form, atom.Fieldset, atom.Details, atom.Summary:
		return true
	}
	return false
}

// onlySeen returns the lines of text that stand in seen too, which has no white
// space, and whether any was left out. A line is looked for behind the one
// before, then anywhere; where something was cut out of it, the pieces are.
func onlySeen(text, seen string) (string, bool) {
	at, misses := 0, 0
	dropped := false
	find := func(piece string) bool {
		want := squeeze(piece)
		i := strings.Index(seen[at:], want)
		if i >= 0 {
			i += at
		} else if misses++; misses <= 200 {
			i = strings.Index(seen, want)
		}
		if i >= 0 {
			at = i + len(want)
		}
		return i >= 0
	}
	var out []string
	for l := range strings.SplitSeq(text, "\n") {
		var kept []string
		for piece := range strings.SplitSeq(l, gap) {
			if piece = line(clean(piece)); piece == "" {
				continue
			}
			if find(piece) {
				kept = append(kept, piece)
			} else {
				dropped = true
			}
		}
		if len(kept) > 0 {
			out = append(out, strings.Join(kept, " "))
		}
	}
	return strings.Join(out, "\n"), dropped
}

// squeeze takes the white space out of a text.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// pageTitle chooses between the title of the page, which often carries the name
// of the site, and its heading.
func pageTitle(title, heading string) string {
	t, h := squeeze(strings.ToLower(title)), squeeze(strings.ToLower(heading))
	switch {
	case title == "":
		return heading
	case h != "" && strings.Contains(t, h) && utf8.RuneCountInString(h) >= 8:
		return heading
	}
	for _, sep := range [...]string{" | ", " - ", " – ", " — ", "|", " :: ", "|"} {
		if i := strings.LastIndex(title, sep); i > 0 && utf8.RuneCountInString(title[:i]) >= 12 {
			return strings.TrimSpace(title[:i])
		}
	}
	return title
}
