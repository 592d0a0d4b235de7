package extract

import (
	"strings"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract/html"
	"github.com/sekisho/sekisho/extract/text"
)

// Body is the text of a message.
type Body struct {
	Part string     // ID of the part that a mail program opens, empty if the message has no text
	HTML bool       // that part is HTML
	Text eml.Mapped // what a person sees of it

	// Thread is Text taken apart into what the sender wrote and what stands
	// below.
	Thread *text.Thread

	// Page is set where the part is HTML.
	Page *html.Page

	// Further are the texts that a mail program shows below the first one.
	Further []Shown
}

// Shown is the display text of one part.
type Shown struct {
	Part string
	HTML bool
	Text eml.Mapped
}

// body shows what mail programs show: of alternatives the richest (RFC 2046
// section 5.1.4), of everything else all text parts in their order. The first
// with any text is the body.
func (r *reader) body() *Body {
	var all []Shown
	for _, p := range shown(r.m.Root(), nil) {
		s := Shown{Part: p.ID(), HTML: isHTML(p)}
		if s.HTML {
			s.Text = r.page(p).Text
		} else {
			r.budget.Spend(len(p.Text()))
			s.Text = eml.Identity(p.Text(), 0)
		}
		all = append(all, s)
	}
	b := &Body{}
	first := -1
	for i, s := range all {
		if strings.TrimSpace(s.Text.Text) != "" {
			first = i
			break
		}
	}
	if first < 0 && len(all) > 0 {
		first = 0
	}
	if first >= 0 {
		s := all[first]
		b.Part, b.HTML, b.Text = s.Part, s.HTML, s.Text
		for _, s := range all[first+1:] {
			if strings.TrimSpace(s.Text.Text) != "" {
				b.Further = append(b.Further, s)
			}
		}
	}
	o := text.Options{Subject: r.m.Subject().Text, Reply: r.m.Header().Value("In-Reply-To") != ""}
	for _, name := range []string{"To", "Cc"} {
		for _, a := range r.m.Addresses(name) {
			o.Recipients = append(o.Recipients, a.Addr())
		}
	}
	if b.HTML {
		b.Page = r.page(r.m.Part(b.Part))
		for _, q := range b.Page.Quotes {
			o.Quotes = append(o.Quotes, text.Range(q))
		}
	}
	b.Thread = text.ReadThread(b.Text, &o)
	return b
}

// shown appends the text parts at and below p that are shown.
func shown(p *eml.Part, out []*eml.Part) []*eml.Part {
	if p == nil || attached(p) {
		return out
	}
	if p.IsLeaf() {
		if p.IsText() {
			out = append(out, p)
		}
		return out
	}
	if p.MediaType() != "multipart/alternative" {
		for _, c := range p.Children() {
			out = shown(c, out)
		}
		return out
	}
	var best []*eml.Part
	for _, c := range p.Children() {
		s := shown(c, nil)
		// Of two that can be shown the later one is richer; senders who get
		// the order wrong are shown in HTML all the same.
		if len(s) > 0 && (len(best) == 0 || isHTML(s[0]) || !isHTML(best[0]) && s[0].MediaType() == "text/plain") {
			best = s
		}
	}
	return append(out, best...)
}

func isHTML(p *eml.Part) bool {
	return p.MediaType() == "text/html" || p.MediaType() == "application/xhtml+xml"
}
