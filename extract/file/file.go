// Package file takes a file apart into all the files inside it, and says of
// each what it shows, where it leads to, and what it tells about its making.
//
// A lure hides in layers: a mail holds an archive, the archive a page, the page
// a picture, the picture a QR code. Everything here is read at its first use
// and once, and one budget pays for the whole tree.
package file

import (
	"bytes"
	"iter"
	"slices"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract/archive"
	"github.com/sekisho/sekisho/extract/filetype"
	page "github.com/sekisho/sekisho/extract/html"
	"github.com/sekisho/sekisho/extract/ics"
	"github.com/sekisho/sekisho/extract/image"
	"github.com/sekisho/sekisho/extract/office"
	"github.com/sekisho/sekisho/extract/pdf"
	"github.com/sekisho/sekisho/extract/qr"
	"github.com/sekisho/sekisho/extract/script"
)

// Bounds on one tree. What is over makes it [File.Cut].
const (
	MaxFiles  = 500
	MaxDepth  = 8
	MaxMember = 16 << 20 // bytes of one file inside
)

// Kind says how a file came out of the one around it.
type Kind string

// The kinds.
const (
	Root    Kind = "root"
	Member  Kind = "member"  // of an archive or document
	Part    Kind = "part"    // of a message
	Page    Kind = "page"    // of a PDF document; it has no bytes
	Picture Kind = "picture" // in a document; it may have no bytes
	Text    Kind = "text"    // that a document shows
	Script  Kind = "script"  // in a page
)

// File is a file of a tree. It is not safe for concurrent use.
type File struct {
	Name      string
	Type      filetype.Type
	Kind      Kind
	Data      []byte
	Size      int // of Data, or as the archive says of what was not unpacked
	Depth     int
	Parent    *File // nil for the root
	Encrypted bool  // some of it needs a password
	Packed    bool  // it was not unpacked: Data is empty, Type is by its name

	tree     *tree
	children []*File
	opened   bool
	message  *eml.Message // what Data is, where it was read already
	page     int          // of a PDF document, from 1
	picture  *pdf.Image
	source   string // the text of the file, where it does not stand in Data or was decoded

	memo memo
}

// tree is what all files of it share.
type tree struct {
	budget *budget.Budget
	files  int
	cut    bool // there are files that were not listed
}

// memo is what was read of a file.
type memo struct {
	pdf      *pdf.Document
	office   *office.Document
	archive  *archive.Archive
	calendar *ics.Calendar
	script   *script.Script
	page     *page.Page
	picture  *image.Info
	markup   *Markup
	codes    []qr.Code
	links    []Link
	strings  []string
	fields   []Field
	done     map[string]bool
	cut      bool
	unread   bool
}

// Open begins a tree. b pays for all of it and may be nil. declared is the
// message that data holds where the mail around it was read already; it may be
// nil.
func Open(name string, data []byte, declared *eml.Message, b *budget.Budget) *File {
	f := &File{Name: name, Kind: Root, Data: data, tree: &tree{budget: b, files: 1}, message: declared}
	f.detect()
	return f
}

// SetText gives the text of a file whose charset somebody else knows, as the
// mail around it does. It must be called before anything is asked of the file.
func (f *File) SetText(s string) { f.source = s }

func (f *File) detect() {
	f.Size = max(f.Size, len(f.Data))
	if f.message != nil {
		f.Type = filetype.EML
		return
	}
	f.tree.budget.Spend(min(len(f.Data), 64<<10))
	r := filetype.Detect(f.Data, f.Name)
	f.Type, f.Encrypted = r.Type, r.Encrypted
}

// once reports whether the thing of that name has not been asked for.
func (f *File) once(name string) bool {
	if f.memo.done[name] {
		return false
	}
	if f.memo.done == nil {
		f.memo.done = map[string]bool{}
	}
	f.memo.done[name] = true
	return true
}

// Cut reports whether something of this file, not of those inside it, was left
// out because a bound was reached.
func (f *File) Cut() bool { return f.memo.cut }

// TreeCut reports whether there are files in the tree that [File.All] did not
// come to because a bound was reached.
func (f *File) TreeCut() bool { return f.tree.cut || f.Exhausted() }

// Exhausted reports whether the budget of the tree has run out.
func (f *File) Exhausted() bool { return f.tree.budget.Exhausted() }

// Path names the files from below the root down to f: "a.zip/b.pdf" is "b.pdf"
// in the attachment "a.zip".
func (f *File) Path() string {
	if f.Parent == nil || f.Parent.Parent == nil {
		return f.Name
	}
	return f.Parent.Path() + "/" + f.Name
}

// All yields f and all files inside it, each before those inside it.
func (f *File) All() iter.Seq[*File] {
	return func(yield func(*File) bool) { f.walk(yield) }
}

func (f *File) walk(yield func(*File) bool) bool {
	if !yield(f) {
		return false
	}
	for _, c := range f.Children() {
		if !c.walk(yield) {
			return false
		}
	}
	return true
}

// Children returns the files inside f.
func (f *File) Children() []*File {
	if !f.opened {
		f.opened = true
		f.open()
	}
	return f.children
}

// add adds a file inside f, and reports whether there is room for more.
func (f *File) add(c *File) bool {
	if f.tree.files >= MaxFiles || f.Exhausted() {
		f.memo.cut, f.tree.cut = true, true
		return false
	}
	f.tree.files++
	c.tree, c.Parent, c.Depth = f.tree, f, f.Depth+1
	if c.Type == "" {
		c.detect()
	}
	c.Size = max(c.Size, len(c.Data))
	f.children = append(f.children, c)
	return true
}

// Archive returns the archive that the file is, nil if it is none. A document
// that is an archive is one too.
func (f *File) Archive() *archive.Archive {
	if f.once("archive") {
		format := archive.Format("")
		switch t := f.Type; {
		case bytes.HasPrefix(f.Data, []byte("PK")) || t == filetype.ZIP:
			format = archive.ZIP
		case t == "tar", t == "gz", t == "bz2", t == "iso", t == "rar", t == "7z", t == "cab":
			format = archive.Format(t)
		}
		if format == "" || len(f.Data) == 0 {
			return nil
		}
		a, err := archive.Read(f.Data, format, f.tree.budget)
		if err != nil {
			return nil
		}
		f.memo.archive = a
		f.memo.cut = f.memo.cut || a.Truncated
		f.Encrypted = f.Encrypted || a.Encrypted
	}
	return f.memo.archive
}

// PDF returns the PDF document that the file is, nil if it is none.
func (f *File) PDF() *pdf.Document {
	if f.once("pdf") && f.Type == filetype.PDF && len(f.Data) > 0 {
		d, err := pdf.Read(f.Data, f.tree.budget)
		if err != nil {
			return nil
		}
		f.memo.pdf = d
		f.memo.cut = f.memo.cut || d.Truncated
		f.Encrypted = d.Encrypted
	}
	return f.memo.pdf
}

// officeTypes are read by package office.
var officeTypes = []filetype.Type{
	filetype.DOC, filetype.XLS, filetype.PPT, filetype.DOCX, filetype.XLSX, filetype.PPTX, filetype.RTF, filetype.OLE, "xlsb", "odt", "ods", "odp", "ooxml", "pub", "vsd", "vsdx",
}

// Office returns the Office document that the file is, nil if it is none.
func (f *File) Office() *office.Document {
	if f.once("office") && slices.Contains(officeTypes, f.Type) && len(f.Data) > 0 {
		d, err := office.Read(f.Data, f.Type, f.tree.budget)
		if err != nil {
			return nil
		}
		f.memo.office = d
		f.memo.cut = f.memo.cut || d.Truncated
		f.Encrypted = f.Encrypted || d.Encrypted
	}
	return f.memo.office
}

// Calendar returns the calendar that the file is, nil if it is none.
func (f *File) Calendar() *ics.Calendar {
	if f.once("calendar") && f.Type == filetype.ICS {
		f.memo.calendar = ics.Read(f.text(), f.tree.budget)
		f.memo.cut = f.memo.cut || f.memo.calendar.Truncated
	}
	return f.memo.calendar
}

// isMarkup reports whether the file is a page.
func (f *File) isMarkup() bool {
	return f.Type == filetype.HTML || f.Type == filetype.SVG || f.Type == "xhtml" || f.Type == "hta"
}

// Page returns what a reader of the page sees, nil if the file is none.
func (f *File) Page() *page.Page {
	if f.once("page") && f.isMarkup() {
		f.memo.page = page.Read(f.text(), f.tree.budget)
	}
	return f.memo.page
}

// JavaScript returns the words of the script that the file is, nil if it is
// none.
func (f *File) JavaScript() *script.Script {
	if f.once("script") && (f.Kind == Script || f.Type == "js") {
		s := f.source
		if f.Kind != Script {
			s = f.text()
		}
		f.memo.script = script.Read(s, f.tree.budget)
	}
	return f.memo.script
}

// Picture returns what the picture tells about itself; nil if the file is none.
func (f *File) Picture() *image.Info {
	if f.once("picture") && f.Type.Class() == filetype.Image && f.Type != filetype.SVG {
		if f.picture != nil {
			f.memo.picture = &image.Info{Width: f.picture.Width, Height: f.picture.Height}
		} else if f.tree.budget.Spend(len(f.Data)) {
			i := image.Inspect(f.Data, f.tree.budget)
			f.memo.picture = &i
		} else {
			f.memo.cut = true
		}
	}
	return f.memo.picture
}

// Message returns the message that the file is, nil if it is none.
func (f *File) Message() *eml.Message {
	if f.message == nil && (f.Type == filetype.EML || f.Type == "mht") && f.once("message") && f.tree.budget.Spend(len(f.Data)) {
		f.message = eml.Parse(f.Data, &eml.Options{Budget: f.tree.budget})
	}
	return f.message
}
