// Package extract says what a message carries: the text that its reader sees
// first, every place that it leads to, and the files attached to it.
//
// It joins the packages below it, which each know one thing: html and text read
// what is shown, link takes URLs apart and undoes rewriters, filetype tells
// files by their content. All places are those of package eml: a part, and a
// stretch of that part's text or of the raw header.
package extract

import (
	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract/html"
)

// Content is all that a message carries. It leaves out the messages attached to
// it, which have a content of their own.
type Content struct {
	Body        *Body
	Links       []Link
	Attachments []Attachment

	files *files
}

// Read reads everything. b may be nil; see [html.Read] for what happens where it
// runs out.
func Read(m *eml.Message, b *budget.Budget) *Content {
	r := newReader(m, b)
	return &Content{Body: r.body(), Links: r.links(), Attachments: r.attachments(), files: &r.files}
}

// Links returns what the message leads to; see [Link].
func Links(m *eml.Message, b *budget.Budget) []Link { return newReader(m, b).links() }

// Attachments returns the files attached to the message; see [Attachment].
func Attachments(m *eml.Message) []Attachment { return newReader(m, nil).attachments() }

// ReadBody returns the text of the message; see [Body].
func ReadBody(m *eml.Message, b *budget.Budget) *Body { return newReader(m, b).body() }

// reader reads every page once.
type reader struct {
	m      *eml.Message
	budget *budget.Budget
	pages  map[*eml.Part]*html.Page
	found  map[*eml.Part]fileResult
	files  files
}

func newReader(m *eml.Message, b *budget.Budget) *reader {
	return &reader{m: m, budget: b, pages: map[*eml.Part]*html.Page{}, found: map[*eml.Part]fileResult{}, files: files{budget: b.Files()}}
}

func (r *reader) page(p *eml.Part) *html.Page {
	page, ok := r.pages[p]
	if !ok {
		page = html.Read(p.Text(), r.budget)
		r.pages[p] = page
	}
	return page
}
