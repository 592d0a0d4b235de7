package safeview

import "slices"

// element says what becomes of an element of the source.
type element struct {
	tag    string
	inline bool
}

// elements are those that come through, by their name in the source. All others
// leave their text.
var elements = map[string]element{
	"p": {tag: "p"}, "pre": {tag: "pre"}, "listing": {tag: "pre"}, "blockquote": {tag: "blockquote"},
	// The page that shows a mail has headings of its own above.
	"h1": {tag: "h3"}, "h2": {tag: "h4"}, "h3": {tag: "h5"}, "h4": {tag: "h6"}, "h5": {tag: "h6"}, "h6": {tag: "h6"},
	"div": {tag: "div"}, "center": {tag: "div"}, "section": {tag: "div"}, "article": {tag: "div"}, "header": {tag: "div"},
	"footer": {tag: "div"}, "nav": {tag: "div"}, "main": {tag: "div"}, "aside": {tag: "div"}, "address": {tag: "div"},
	"figure": {tag: "div"}, "figcaption": {tag: "div"}, "fieldset": {tag: "div"}, "legend": {tag: "div"}, "details": {tag: "div"},
	"summary": {tag: "div"}, "dialog": {tag: "div"}, "dl": {tag: "div"}, "dt": {tag: "div"}, "dd": {tag: "div"}, "dir": {tag: "div"},
	"menu": {tag: "div"}, "caption": {tag: "div"}, "option": {tag: "div"}, "marquee": {tag: "div"}, "template": {tag: "div"},
	"b": {"strong", true}, "strong": {"strong", true}, "i": {"em", true}, "em": {"em", true}, "u": {"u", true}, "ins": {"u", true},
	"s": {"s", true}, "strike": {"s", true}, "del": {"s", true}, "sub": {"sub", true}, "sup": {"sup", true}, "small": {"small", true},
	"code": {"code", true}, "tt": {"code", true}, "kbd": {"code", true}, "samp": {"code", true},
}

// raws are the elements whose content the standard reads as text (HTML standard
// section 13.2.5.2), as the tokenizer does.
var raws = map[string]bool{
	"script": true, "style": true, "title": true, "noscript": true, "iframe": true, "noembed": true, "noframes": true,
	"textarea": true, "xmp": true, "plaintext": true,
}

// foreign are the elements of other languages than HTML.
var foreign = map[string]bool{"svg": true, "math": true}

// breakout are elements that end foreign ones (HTML standard section 13.2.6.5).
var breakout = map[string]bool{
	"b": true, "blockquote": true, "body": true, "br": true, "center": true, "code": true, "dd": true, "div": true, "dl": true, "dt": true,
	"em": true, "embed": true, "h1": true, "h2": true, "h3": true, "h4": true, "h5": true, "h6": true, "head": true, "hr": true, "i": true,
	"img": true, "li": true, "menu": true, "meta": true, "ol": true, "p": true, "pre": true, "s": true, "small": true, "span": true,
	"strong": true, "strike": true, "sub": true, "sup": true, "table": true, "tt": true, "u": true, "ul": true,
}

func isTag(name string) func(string) bool { return func(tag string) bool { return tag == name } }

func isList(tag string) bool { return tag == "ul" || tag == "ol" }

func isCell(tag string) bool { return tag == "td" || tag == "th" }

func isHeading(tag string) bool {
	return len(tag) == 2 && tag[0] == 'h' && tag[1] >= '3' && tag[1] <= '6'
}

// isSection accepts what rows may stand in.
func isSection(tag string) bool {
	return tag == "table" || tag == "thead" || tag == "tbody" || tag == "tfoot"
}

// top is the innermost open element, "" if there is none.
func (w *writer) top() string {
	if len(w.stack) == 0 {
		return ""
	}
	return w.stack[len(w.stack)-1].tag
}

// structural reports whether the innermost element holds no text itself.
func (w *writer) structural() bool {
	t := w.top()
	return t == "tr" || isSection(t) || isList(t)
}

// flow opens what is missing until text may stand here.
func (w *writer) flow() {
	for {
		switch t := w.top(); {
		case isList(t):
			w.push(open{tag: "li"})
		case t == "table":
			w.push(open{tag: "tbody"})
		case isSection(t):
			w.push(open{tag: "tr"})
		case t == "tr":
			w.push(open{tag: "td"})
		default:
			return
		}
	}
}

// block opens an element that ends paragraphs and headings.
func (w *writer) block(tag, source string) {
	w.flow()
	w.closeTo(isTag("p"))
	if isHeading(tag) {
		w.closeTo(isHeading)
	}
	w.push(open{tag: tag, source: source})
}

// void writes an element without content.
func (w *writer) void(tag string) {
	w.b.WriteString("<" + tag + "/>")
	w.elements++
	w.atPre = false
}

func (w *writer) push(o open) { w.pushWith(o, "") }

// pushWith opens an element. What is nested too deep is left out, and what would
// stand in it stands in the one around it; the parts of tables and lists come
// through all the same, since they are what makes the nesting right.
func (w *writer) pushWith(o open, attributes string) {
	if len(w.stack) >= maxDepth && !isCell(o.tag) && o.tag != "tr" && o.tag != "li" && !isSection(o.tag) || o.tag == "table" && len(w.stack) >= maxDepth {
		w.b.WriteString(o.suffix)
		return
	}
	w.b.WriteString("<" + o.tag + attributes + ">")
	w.stack = append(w.stack, o)
	w.elements++
	w.atPre = false
}

// pop closes the innermost element.
func (w *writer) pop() {
	o := w.stack[len(w.stack)-1]
	w.stack = w.stack[:len(w.stack)-1]
	w.b.WriteString(o.suffix + "</" + o.tag + ">")
	w.atPre = false
}

// find returns the innermost open element that is wanted, -1 if there is none or
// one to stop at comes first.
func (w *writer) find(want, stop func(string) bool) int {
	for i, o := range slices.Backward(w.stack) {
		if want(o.tag) {
			return i
		}
		if stop != nil && stop(o.tag) {
			break
		}
	}
	return -1
}

func (w *writer) findSource(name string, stop func(string) bool) int {
	for i, o := range slices.Backward(w.stack) {
		if o.source == name {
			return i
		}
		if stop != nil && stop(o.tag) {
			break
		}
	}
	return -1
}

// closeTo closes the innermost element that is wanted, within the cell.
func (w *writer) closeTo(want func(string) bool) {
	if i := w.find(want, isCell); i >= 0 {
		for len(w.stack) > i {
			w.pop()
		}
	}
}

// closeBefore closes all that stands in the innermost element that is wanted.
func (w *writer) closeBefore(want func(string) bool) {
	if i := w.find(want, nil); i >= 0 {
		for len(w.stack) > i+1 {
			w.pop()
		}
	}
}
