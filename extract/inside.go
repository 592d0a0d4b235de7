package extract

import (
	"strings"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract/file"
	"github.com/sekisho/sekisho/extract/filetype"
	"github.com/sekisho/sekisho/extract/qr"
)

// files are the trees of the attached files, made when they are asked for.
type files struct {
	budget *budget.Budget
	trees  map[*eml.Part]*file.File
}

func (f *files) open(p *eml.Part) *file.File {
	t, ok := f.trees[p]
	if !ok {
		t = file.Open(p.Filename(), p.Content(), p.Embedded(), f.pays())
		if p.IsText() && p.Embedded() == nil {
			t.SetText(p.Text())
			if isHTML(p) && t.Type == filetype.Text {
				t.Type = filetype.HTML // as the mail says
			}
		}
		if f.trees == nil {
			f.trees = map[*eml.Part]*file.File{}
		}
		f.trees[p] = t
	}
	return t
}

// pays is the budget of the trees; without one of the message, that of a message
// alone.
func (f *files) pays() *budget.Budget {
	if f.budget == nil {
		f.budget = budget.New(nil).Files()
	}
	return f.budget
}

// File returns the tree of the files in a part of the message, the same for
// every call.
func (c *Content) File(p *eml.Part) *file.File {
	if c.files == nil {
		c.files = &files{}
	}
	return c.files.open(p)
}

// FilesCut reports whether the attached files cost more to read than one
// message may, so that some of them were not looked into.
func (c *Content) FilesCut() bool { return c.files != nil && c.files.budget.Exhausted() }

// fromFile lists where an attached file leads to, and the files inside it. What
// a text or page shows by itself has been listed, with its place.
func (r *reader) fromFile(c *collector, l Link, p *eml.Part) {
	if r.budget.Exhausted() {
		return
	}
	known := r.searchable(p)
	for f := range r.files.open(p).All() {
		if f.Parent != nil {
			if f.Parent.Office() != nil && f.IsText() {
				continue // the XML that the document is made of
			}
			// What a document shows belongs to the document.
			if f.Kind == file.Page || f.Kind == file.Text || f.Kind == file.Picture && f.Parent.Parent == nil && len(f.Data) == 0 {
				l.Inside = ""
			} else {
				l.Inside = f.Path()
			}
		}
		for _, x := range f.Links() {
			if known && f.Parent == nil && x.Kind != file.Coded {
				continue
			}
			n := l
			n.URL, n.Visible, n.Page = x.URL, x.Visible, x.Page
			switch x.Kind {
			case file.Coded:
				n.Source = FromCode
			case file.Clicked:
				n.Tag = "a"
			default: // nobody clicks it
			}
			c.add(n)
		}
	}
}

// drawn lists the QR codes that a text of the mail draws with characters or
// table cells, and those in pictures that stand in its HTML.
func (r *reader) drawn(c *collector, l Link, p *eml.Part) {
	s := p.Text()
	var codes []qr.Code
	if isHTML(p) {
		codes, _ = qr.FindTable(s, r.files.pays())
		if len(codes) == 0 {
			codes, _ = qr.FindText(r.page(p).Text.Text, r.files.pays())
		}
		if strings.Contains(s, "data:image/") {
			for _, f := range r.files.open(p).Children() {
				if f.Kind == file.Picture {
					codes = append(codes, f.Codes()...)
				}
			}
		}
	} else {
		codes, _ = qr.FindText(s, r.files.pays())
	}
	for i := range codes {
		if u := codes[i].Link(); u != "" {
			l.URL, l.Visible, l.Source = u, codes[i].Data, FromCode
			c.add(l)
		}
	}
}
