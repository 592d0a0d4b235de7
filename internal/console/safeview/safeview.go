// Package safeview makes a mail harmless to look at. It writes HTML of its own:
// what a mail holds comes through as text and as a few elements that give it
// structure, never as markup.
//
// Mail HTML is read token by token, and each element that stands on a short list
// is written anew, without the attributes of the source. There are no styles, no
// pictures, no links that can be followed and no forms that can be sent; where
// one stood, words say so. What is written is always nested as the HTML standard
// wants it, so that every browser builds the very tree that was meant: nothing
// hides in the difference between two parsers.
//
// Characters that cannot be seen, and those that turn the direction of text
// round, are written as their code. Evidence is marked where it stands; see
// [Mark].
package safeview

import (
	"html/template"
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"github.com/sekisho/sekisho/extract/link"
	"github.com/sekisho/sekisho/lang"
)

// Bounds on what is shown.
const (
	MaxSource   = 2 << 20   // bytes that are read
	MaxShown    = 512 << 10 // bytes of text that are written
	maxElements = 20_000
	maxDepth    = 64
	maxURL      = 400 // bytes of an address that are shown
	maxSpan     = 100 // columns or rows that one cell covers
)

// Options says how a mail is shown. Nil is English and no marks.
type Options struct {
	// Say renders the words that stand in the place of pictures and forms.
	Say func(lang.Message) string
	// Marks are stretches to point out, in bytes of the source.
	Marks []Mark
}

func (o *Options) say(m lang.Message) string {
	if o == nil || o.Say == nil {
		return lang.Default().Say(lang.EN, m)
	}
	return o.Say(m)
}

func (o *Options) marks() []Mark {
	if o == nil {
		return nil
	}
	return o.Marks
}

// View is what may be shown, and what was left out.
type View struct {
	HTML template.HTML

	Scripts  int  // script elements and handlers in attributes
	Pictures int  // img elements and the like
	Links    int  // shown as text
	Forms    int  // shown as text
	Embedded int  // frames, objects, films
	Cut      bool // the rest was not read
}

// HTML returns the view of mail HTML.
func HTML(source string, o *Options) View {
	w := newWriter(o)
	if len(source) > MaxSource {
		source, w.view.Cut = source[:MaxSource], true
	}
	w.read(source, 0, 0)
	for len(w.stack) > 0 {
		w.pop()
	}
	w.view.HTML = template.HTML(w.b.String()) //nolint:gosec // this is the place where it is made harmless
	return w.view
}

// writer writes the view while it reads the source.
type writer struct {
	o        *Options
	b        strings.Builder
	stack    []open
	marks    []stretch
	named    map[Mark]bool // written already
	view     View
	shown    int // bytes of text
	elements int
	atPre    bool // a pre element was just opened
}

func newWriter(o *Options) *writer {
	return &writer{o: o, marks: flatten(o.marks()), named: map[Mark]bool{}}
}

// open is an element that was written and not closed yet.
type open struct {
	tag    string // as written
	source string // as the mail has it; "" for one that was only implied
	suffix string // HTML before the end tag
}

// read writes what source has to show. It stands at offset base of the whole.
func (w *writer) read(source string, base, nested int) {
	z := html.NewTokenizer(strings.NewReader(source))
	at := 0
	for {
		kind := z.Next()
		raw := len(z.Raw())
		from, to := base+at, base+at+raw
		text := source[at:min(at+raw, len(source))]
		at += raw
		switch kind {
		case html.ErrorToken:
			return
		case html.TextToken:
			w.text(text, from)
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			t := tag{name: string(name), from: from, to: to}
			if more {
				t.read(z)
			}
			w.view.Scripts += t.handlers
			if kind == html.StartTagToken && raws[t.name] {
				at = w.raw(z, &t, source, at, base, nested)
				continue
			}
			if foreign[t.name] && kind == html.StartTagToken {
				w.box(&t, "picture", "")
				w.view.Pictures++
				at = w.skipForeign(z, source, at)
				continue
			}
			w.start(&t)
		case html.EndTagToken:
			name, _ := z.TagName()
			w.end(string(name))
		case html.CommentToken, html.DoctypeToken:
		}
		if w.elements > maxElements || w.shown > MaxShown {
			w.view.Cut = true
			return
		}
	}
}

// tag is a start tag, with the attributes that say something to a reader.
type tag struct {
	name     string
	from, to int // in the source

	href, src, alt, kind, label, refresh string
	colspan, rowspan                     int
	handlers                             int
}

// maxAttributes bounds what is read of one tag: a mail may give it millions.
const maxAttributes = 200

func (t *tag) read(z *html.Tokenizer) {
	var equiv, content string
	first := func(s *string, v string) {
		if *s == "" { // the first of a name wins (HTML standard section 13.2.5.33)
			*s = v
		}
	}
	for range maxAttributes {
		key, val, more := z.TagAttr()
		k, v := string(key), string(val)
		switch k {
		case "href", "action", "data":
			first(&t.href, v)
		case "src", "xlink:href", "background":
			first(&t.src, v)
		case "alt":
			first(&t.alt, v)
		case "type":
			first(&t.kind, v)
		case "name", "placeholder", "value", "aria-label":
			first(&t.label, v)
		case "http-equiv":
			first(&equiv, v)
		case "content":
			first(&content, v)
		case "colspan":
			t.colspan = span(v)
		case "rowspan":
			t.rowspan = span(v)
		default:
			if strings.HasPrefix(k, "on") {
				t.handlers++
			}
		}
		if !more {
			break
		}
	}
	if strings.EqualFold(strings.TrimSpace(equiv), "refresh") {
		t.refresh = content
	}
}

func span(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 2 {
		return 0
	}
	return min(n, maxSpan)
}

// raw deals with an element whose content is no markup. It returns where the
// reading goes on.
func (w *writer) raw(z *html.Tokenizer, t *tag, source string, at, base, nested int) int {
	content, from := "", at
	if kind := z.Next(); kind == html.TextToken {
		n := len(z.Raw())
		content = source[at:min(at+n, len(source))]
		at += n
		z.Next()
		at += len(z.Raw())
	} else {
		at += len(z.Raw())
	}
	switch t.name {
	case "script":
		w.view.Scripts++
	case "noscript":
		// Mail programs run no scripts, so that their readers see this.
		if nested < 2 {
			w.read(content, base+from, nested+1)
		}
	case "iframe":
		w.view.Embedded++
		w.box(t, "embedded", t.src)
	case "textarea":
		w.field(t, content)
	case "xmp", "plaintext":
		w.block("pre", t.name)
		w.atPre = w.top() == "pre"
		w.literal(content, base+from)
		w.end(t.name)
	}
	return at
}

// skipForeign passes over a drawing or a formula. It ends with its end tag, or
// with a tag that throws browsers out of it (HTML standard section 13.2.6.5).
func (w *writer) skipForeign(z *html.Tokenizer, source string, at int) int {
	depth := 1
	for depth > 0 {
		kind := z.Next()
		n := len(z.Raw())
		if kind == html.ErrorToken {
			return len(source)
		}
		from := at
		at += n
		if kind != html.StartTagToken && kind != html.EndTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		name, more := z.TagName()
		switch tagName := string(name); {
		case kind == html.EndTagToken && foreign[tagName]:
			depth--
		case kind == html.StartTagToken && foreign[tagName]:
			depth++
		case kind != html.EndTagToken && tagName == "script":
			w.view.Scripts++
		case kind != html.EndTagToken && breakout[tagName]:
			t := tag{name: tagName, from: from, to: at}
			if more {
				t.read(z)
			}
			w.start(&t)
			return at
		case kind != html.EndTagToken && more:
			t := tag{}
			t.read(z)
			w.view.Scripts += t.handlers
		}
	}
	return at
}

// start writes what stands for a start tag.
func (w *writer) start(t *tag) {
	switch t.name {
	case "br":
		w.flow()
		w.void("br")
	case "hr":
		w.flow()
		w.closeTo(isTag("p"))
		w.void("hr")
	case "img", "image":
		w.view.Pictures++
		w.box(t, "picture", t.alt)
	case "input", "button":
		w.field(t, t.label)
	case "a", "area":
		w.link(t)
	case "form":
		w.view.Forms++
		w.block("div", t.name)
		w.box(t, "form", t.href)
	case "frame", "object", "embed", "applet", "video", "audio", "source":
		w.view.Embedded++
		address := t.src
		if address == "" {
			address = t.href
		}
		w.box(t, "embedded", address)
	case "meta":
		if t.refresh != "" {
			w.box(t, "refresh", refreshTarget(t.refresh))
		}
	case "table", "thead", "tbody", "tfoot", "tr", "td", "th", "li", "ul", "ol":
		w.structure(t)
	default:
		e, known := elements[t.name]
		switch {
		case !known:
		case e.inline:
			w.flow()
			w.push(open{tag: e.tag, source: t.name})
		default:
			w.block(e.tag, t.name)
			w.atPre = e.tag == "pre" && w.top() == "pre"
		}
	}
}

// structure writes the elements that may only stand in one another.
func (w *writer) structure(t *tag) {
	inTable := w.find(isTag("table"), nil) >= 0
	switch t.name {
	case "ul", "ol", "table":
		w.block(t.name, t.name)
	case "li":
		if w.find(isList, isCell) < 0 {
			w.block("div", t.name)
			return
		}
		w.closeBefore(isList)
		w.push(open{tag: "li", source: t.name})
	case "thead", "tbody", "tfoot":
		if inTable {
			w.closeBefore(isTag("table"))
			w.push(open{tag: t.name, source: t.name})
		}
	case "tr":
		if !inTable {
			w.block("div", t.name)
			return
		}
		w.closeBefore(isSection)
		if w.top() == "table" {
			w.push(open{tag: "tbody"})
		}
		w.push(open{tag: "tr", source: t.name})
	case "td", "th":
		if !inTable {
			w.block("div", t.name)
			return
		}
		w.closeBefore(func(tag string) bool { return tag == "tr" || isSection(tag) })
		if w.top() == "table" {
			w.push(open{tag: "tbody"})
		}
		if w.top() != "tr" {
			w.push(open{tag: "tr"})
		}
		attributes := ""
		if t.colspan > 0 {
			attributes += ` colspan="` + strconv.Itoa(t.colspan) + `"`
		}
		if t.rowspan > 0 {
			attributes += ` rowspan="` + strconv.Itoa(t.rowspan) + `"`
		}
		w.pushWith(open{tag: t.name, source: t.name}, attributes)
	}
}

// end closes the element that an end tag names, if it is open here.
func (w *writer) end(name string) {
	stop := isCell
	switch name {
	case "td", "th", "tr", "thead", "tbody", "tfoot":
		stop = isTag("table")
	case "table":
		stop = nil
	}
	i := w.findSource(name, stop)
	if i < 0 {
		return
	}
	for len(w.stack) > i {
		w.pop()
	}
}

// link writes the text of a link and, behind it, where it leads.
func (w *writer) link(t *tag) {
	if t.href == "" {
		return
	}
	w.view.Links++
	if i := w.findSource("a", isCell); i >= 0 { // a link cannot stand in a link
		for len(w.stack) > i {
			w.pop()
		}
	}
	w.flow()
	suffix := " " + w.marked(t, `<span class="sv-url">`+w.clean(Address(t.href))+"</span>")
	if t.name == "area" {
		w.b.WriteString(`<span class="sv-link">` + suffix + "</span>")
		w.elements++
		return
	}
	w.pushWith(open{tag: "span", source: "a", suffix: suffix}, ` class="sv-link"`)
}

// Address returns where something leads so that nothing makes a link of it.
func Address(url string) string {
	url = strings.TrimSpace(url)
	cut := len(url) > maxURL
	if cut {
		url = strings.ToValidUTF8(url[:maxURL], "")
	}
	url = link.Defang(url)
	if cut {
		url += "…"
	}
	return url
}

// box writes words in the place of something that is not shown.
func (w *writer) box(t *tag, kind, detail string) {
	w.flow()
	words := w.o.say(lang.M("safeview." + kind))
	if detail != "" {
		if kind != "picture" {
			detail = Address(detail)
		}
		words = w.o.say(lang.M("safeview."+kind+".of", "what", limit(detail)))
	}
	w.b.WriteString(w.marked(t, `<span class="sv-box">`+w.clean(words)+"</span>"))
	w.shown += len(words)
	w.elements++
}

// refreshTarget returns the address of a refresh such as "0;url=x", or what
// stands there in its place.
func refreshTarget(content string) string {
	_, target, found := strings.Cut(content, "=")
	if !found {
		return content
	}
	return strings.Trim(target, " \t\"'")
}

// field writes words in the place of a field of a form.
func (w *writer) field(t *tag, label string) {
	if strings.EqualFold(t.kind, "hidden") {
		return
	}
	kind := "field"
	switch strings.ToLower(t.kind) {
	case "password":
		kind = "password"
	case "submit", "button", "image", "reset":
		kind = "button"
	}
	if t.name == "button" {
		// Its label stands between its tags.
		w.flow()
		w.push(open{tag: "strong", source: t.name})
		return
	}
	w.box(t, kind, label)
}

func limit(s string) string {
	if len(s) > maxURL {
		return strings.ToValidUTF8(s[:maxURL], "") + "…"
	}
	return s
}

// text writes text of the source, references decoded.
func (w *writer) text(raw string, at int) {
	w.pieces(raw, at, html.UnescapeString)
}

// literal writes text of the source as it stands there.
func (w *writer) literal(raw string, at int) {
	w.pieces(raw, at, func(s string) string { return s })
}

func (w *writer) pieces(raw string, at int, decode func(string) string) {
	if w.atPre { // the first line break after the tag is none (section 13.2.6.4.7)
		trimmed := strings.TrimPrefix(strings.TrimPrefix(raw, "\r"), "\n")
		at += len(raw) - len(trimmed)
		raw = trimmed
	}
	if w.structural() && strings.Trim(raw, " \t\r\n\f") == "" {
		return
	}
	if raw == "" {
		return
	}
	w.flow()
	cut(raw, at, w.marks, func(piece string, marks []Mark) {
		s := decode(piece)
		if room := MaxShown - w.shown; len(s) > room {
			s, w.view.Cut = strings.ToValidUTF8(s[:max(room, 0)], ""), true
		}
		w.shown += len(s)
		out := w.clean(s)
		if w.atPre && strings.HasPrefix(out, "\n") {
			out = "\n" + out
		}
		w.atPre = false
		w.b.WriteString(w.wrap(out, marks))
		w.elements += len(marks)
	})
}

// clean escapes text and writes what cannot be seen as its code.
func (w *writer) clean(s string) string {
	var b strings.Builder
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	n := visible(&b, s, w.o)
	w.elements += n
	return b.String()
}

// marked wraps what stands for a tag in the marks that point into that tag.
func (w *writer) marked(t *tag, out string) string {
	if t.to <= t.from {
		return out
	}
	var all []Mark
	for _, m := range between(w.marks, t.from, t.to) {
		for _, k := range m.marks {
			if !k.Hidden && !contains(all, k) {
				all = append(all, k)
			}
		}
	}
	return w.wrap(out, all)
}
