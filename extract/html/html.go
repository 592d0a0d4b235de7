// Package html reads HTML as a mail program shows it: the text that a person
// sees, the text that is there and not shown, and everything that a click or
// the opening of the mail would fetch.
//
// It is a reader of what is displayed, not a document tree. The tokens are
// those of the HTML standard (golang.org/x/net/html); above them stands a
// bounded stack of open elements that follows the standard's rules of implied
// and misplaced end tags as far as they decide whether text is visible. Inline
// styles and the simple rules of style elements are obeyed where they hide
// text. Where a mail program could show a text and another could not, it counts
// as shown.
//
// Every text is an [eml.Mapped] that leads back to the source: characters stand
// for themselves, a character reference ("&amp;") and a run of white space for
// the whole of what they replace.
package html

import (
	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
)

// Limits on what is read of one page.
const (
	maxDepth    = 256    // open elements; browsers end at 512, mails far below
	maxLinks    = 20_000 // links, images and inputs, each
	maxRules    = 4_000  // selectors of style elements
	maxQuotes   = 1_000
	maxComments = 1_000   // conditional comments
	maxTitle    = 4 << 10 // bytes of the title's source that are read
)

// Page is what there is to see in an HTML text.
type Page struct {
	// Text is what a person sees: white space folded, a line break where a
	// block element starts or ends, a blank line between paragraphs. Characters
	// without a shape, such as U+200B, are left out.
	Text eml.Mapped

	// Hidden is text that is there and not shown: display:none,
	// visibility:hidden, no size, no opacity, mso-hide:all.
	Hidden eml.Mapped

	// Outlook is the text of conditional comments ("<!--[if mso]>"), which
	// classic Outlook shows and nobody else.
	Outlook eml.Mapped

	Title  string // of the title element
	Base   string // first href of a base element, empty where there is none
	Links  []Link
	Images []Image
	Forms  []Form

	// Quotes are the stretches of Text that a mail program marked as quoted
	// (blockquote with type=cite, gmail_quote and the like), in order, none
	// inside another.
	Quotes []Range

	// Invisible counts the characters without a shape that stood inside
	// displayed text.
	Invisible int

	Defects []Defect
}

// Range is the stretch [From, To) of a text, in bytes.
type Range struct{ From, To int }

// Link is an attribute that leads somewhere when it is clicked, submitted, or
// loaded.
type Link struct {
	URL     string     // the value, character references decoded, trimmed
	Where   eml.Span   // the attribute's value in the source
	Tag     string     // the element, lower case: a, area, form, iframe, meta, ...
	Visible eml.Mapped // text of the element; the alternative text of an image in it if it has none
	Image   bool       // Visible is an image's alternative text, or the link holds an image and no text
	Title   string     // the title attribute, shown when the pointer rests on the link
	Hidden  bool       // nobody sees the element
	Outlook bool       // it stands in a conditional comment
}

// Image is an image that the page shows.
type Image struct {
	Src   string
	Alt   eml.Mapped
	Where eml.Span // value of src in the source
}

// Form is a form that can be sent.
type Form struct {
	Action string // empty where the form names none
	Inputs []Input
}

// Input is a field of a form.
type Input struct {
	Type string // lower case; "text" where none is given
	Name string
}

// DefectCode names what was not read.
type DefectCode string

// The defects.
const (
	BudgetExhausted DefectCode = "budget-exhausted"  // the rest of the text was not read
	TooManyLinks    DefectCode = "too-many-links"    // further links, images or inputs were not listed
	TooManyRules    DefectCode = "too-many-rules"    // further rules of style elements were not obeyed
	TooManyComments DefectCode = "too-many-comments" // further conditional comments were not read
)

// Defect is something that was not read and where that began in the source.
type Defect struct {
	Code   DefectCode
	Offset int
}

// Read reads the whole of text, which must be UTF-8, in linear time. b may be
// nil; where it runs out, the page holds what was read until then and a
// [BudgetExhausted] defect.
func Read(text string, b *budget.Budget) *Page {
	p := &Page{}
	r := newReader(p, text, b)
	r.read()
	p.Text = r.shown.mapped()
	p.Hidden = r.hidden.mapped()
	p.Outlook = r.outlook.Mapped()
	p.Invisible = r.shown.invisible
	r.finishLinks(p.Text, p.Hidden)
	r.finishQuotes(len(p.Text.Text))
	return p
}
