package file

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/sekisho/sekisho/extract/filetype"
	"github.com/sekisho/sekisho/extract/image"
	"github.com/sekisho/sekisho/extract/office"
	"github.com/sekisho/sekisho/extract/qr"
	"github.com/sekisho/sekisho/extract/text"
)

// Bounds on what is told of one file.
const (
	maxStrings    = 20_000
	maxStringsIn  = 4 << 20 // bytes of a file that are searched for texts
	maxLinks      = 2000
	maxPictures   = 20 // of one document, that are searched for codes
	minPicture    = 32 // pixels of a side
	maxTextFile   = 8 << 20
	textFileUnits = 1
)

// text is the content of a text file, in UTF-8.
func (f *File) text() string {
	if f.source != "" {
		return f.source
	}
	b := f.Data[:min(len(f.Data), maxTextFile)]
	f.memo.cut = f.memo.cut || len(f.Data) > maxTextFile
	if len(b) >= 2 && (b[0] == 0xff && b[1] == 0xfe || b[0] == 0xfe && b[1] == 0xff) {
		low := 0
		if b[0] == 0xfe {
			low = 1
		}
		units := make([]uint16, 0, len(b)/2)
		for i := 2; i+1 < len(b); i += 2 {
			units = append(units, uint16(b[i+low])|uint16(b[i+1-low])<<8)
		}
		return string(utf16.Decode(units))
	}
	return strings.ToValidUTF8(string(bytes.TrimPrefix(b, []byte("\ufeff"))), "\ufffd")
}

// IsText reports whether the content of the file is text.
func (f *File) IsText() bool {
	switch f.Type {
	case filetype.Text, filetype.SVG, filetype.ICS, filetype.VCF, filetype.EML, filetype.RTF, "xml", "url", "csv", "json", "asc", "pem", "mht", "ps":
		return true
	}
	return f.Kind == Text || f.Kind == Script || f.Type.Class() == filetype.Markup || f.Type.Class() == filetype.Script
}

// Raw returns the content of a file of text in UTF-8; empty for others.
func (f *File) Raw() string {
	if !f.IsText() {
		return ""
	}
	return f.text()
}

// Text returns what a person reads in the file, as far as it is written down
// and not painted: the text of a document, page or text file. ok is false for a
// file that shows no text.
func (f *File) Text() (s string, ok bool) {
	switch {
	case f.Kind == Page || f.Kind == Text:
		return f.source, true
	case f.Type == filetype.PDF:
		d := f.PDF()
		if d == nil || d.Locked {
			return "", false
		}
		return strings.TrimSpace(strings.Join(d.Text, "\n")), true
	case f.isMarkup():
		return f.Page().Text.Text, true
	case f.IsText() && f.Type != filetype.RTF:
		return f.text(), true
	}
	if d := f.Office(); d != nil && !d.Encrypted {
		return d.Text, true
	}
	return "", false
}

// Strings returns the lines of a text, and of other files the runs of at least
// four printable characters of ASCII.
func (f *File) Strings() []string {
	if !f.once("strings") {
		return f.memo.strings
	}
	const least = 4
	add := func(s string) bool {
		if len(f.memo.strings) >= maxStrings {
			f.memo.cut = true
			return false
		}
		f.memo.strings = append(f.memo.strings, s)
		return true
	}
	if f.IsText() {
		s := f.text()
		if !f.tree.budget.Spend(len(s)) {
			f.memo.cut = true
			return nil
		}
		for line := range strings.FieldsFuncSeq(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			if utf8.RuneCountInString(line) >= least && !add(line) {
				break
			}
		}
		return f.memo.strings
	}
	b := f.Data[:min(len(f.Data), maxStringsIn)]
	if !f.tree.budget.Spend(len(b)) {
		f.memo.cut = true
		return nil
	}
	start := -1
	for i := 0; i <= len(b); i++ {
		if i < len(b) && b[i] >= ' ' && b[i] <= '~' {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 && i-start >= least && !add(string(b[start:i])) {
			break
		}
		start = -1
	}
	return f.memo.strings
}

// Codes returns the QR codes in the file: in a picture, in the pictures of a
// document or page, or drawn with characters or table cells.
func (f *File) Codes() []qr.Code {
	if !f.once("codes") {
		return f.memo.codes
	}
	switch {
	case f.Kind == Page, f.Type == filetype.PDF:
		n := 0
		owner := f
		if f.Kind == Page {
			owner = f.Parent
		}
		for _, c := range owner.Children() {
			if c.Kind != Picture || f.Kind == Page && c.page != f.page {
				continue
			}
			if n++; n > maxPictures {
				f.memo.unread = true
				break
			}
			f.memo.codes = append(f.memo.codes, c.Codes()...)
			f.memo.unread = f.memo.unread || c.memo.unread
		}
	case f.Kind == Script:
	case f.isMarkup():
		codes, cut := qr.FindTable(f.text(), f.tree.budget)
		if p := f.Page(); p != nil && len(codes) == 0 && !cut {
			codes, cut = qr.FindText(p.Text.Text, f.tree.budget)
		}
		f.memo.codes, f.memo.cut = codes, f.memo.cut || cut
	case f.Type == filetype.Text:
		codes, cut := qr.FindText(f.text(), f.tree.budget)
		f.memo.codes, f.memo.cut = codes, f.memo.cut || cut
	case f.Type.Class() == filetype.Image:
		f.pictureCodes()
	}
	return f.memo.codes
}

// Unread reports whether the file is or holds a picture that could not be read,
// so that there may be codes in it that [File.Codes] does not have.
func (f *File) Unread() bool {
	f.Codes()
	return f.memo.unread
}

func (f *File) pictureCodes() {
	if f.picture != nil {
		if f.picture.Width < minPicture || f.picture.Height < minPicture || f.Exhausted() {
			return
		}
		m := f.picture.Pixels()
		if m == nil {
			f.memo.unread = true
			return
		}
		codes, cut := qr.Find(m, f.tree.budget)
		f.memo.codes, f.memo.cut = codes, f.memo.cut || cut
		return
	}
	if i := f.Picture(); i == nil || i.Width > 0 && (i.Width < minPicture || i.Height < minPicture) {
		return
	}
	m, err := image.Decode(f.Data, f.tree.budget)
	if err != nil {
		f.memo.unread = true
		return
	}
	codes, cut := qr.Find(m, f.tree.budget)
	f.memo.codes, f.memo.cut = codes, f.memo.cut || cut
}

// LinkKind says where in a file a link stands.
type LinkKind string

// The kinds.
const (
	Clicked LinkKind = "link"   // it is clicked
	Written LinkKind = "text"   // it stands in the text
	Coded   LinkKind = "qr"     // it stands in a QR code
	Fetched LinkKind = "loaded" // it is fetched when the file is opened or shown
)

// Link is a place that a file leads to.
type Link struct {
	URL     string
	Visible string // the text that is clicked; empty where that is not known
	Kind    LinkKind
	Page    int // of a PDF document, from 1; 0: unknown
}

// Links returns where the file itself leads to, without the files inside it,
// each address once in a kind. The codes of pictures inside a PDF document are
// its own.
func (f *File) Links() []Link {
	if !f.once("links") {
		return f.memo.links
	}
	seen := map[Link]bool{}
	add := func(l Link) {
		l.URL = strings.TrimSpace(l.URL)
		key := Link{URL: l.URL, Kind: l.Kind}
		if l.URL == "" || seen[key] {
			return
		}
		if len(f.memo.links) >= maxLinks {
			f.memo.cut = true
			return
		}
		seen[key] = true
		f.memo.links = append(f.memo.links, l)
	}
	written := func(s string, page int) {
		if !f.tree.budget.Spend(len(s) * textFileUnits) {
			f.memo.cut = true
			return
		}
		for _, u := range text.URLs(s) {
			if !seen[Link{URL: u.URL, Kind: Clicked}] {
				add(Link{URL: u.URL, Visible: s[u.Offset : u.Offset+u.Length], Kind: Written, Page: page})
			}
		}
	}
	switch {
	case f.Kind == Page, f.Kind == Script:
	case f.Type == filetype.PDF:
		if d := f.PDF(); d != nil {
			for _, l := range d.Links {
				add(Link{URL: l.URL, Kind: Clicked, Page: l.Page})
			}
			for i, s := range d.Text {
				written(s, i+1)
			}
		}
	case f.isMarkup():
		p := f.Page()
		for i := range p.Links {
			if l := &p.Links[i]; l.Tag != "base" && !strings.HasPrefix(l.URL, "#") {
				add(Link{URL: l.URL, Visible: l.Visible.Text, Kind: Clicked})
			}
		}
		written(p.Text.Text, 0)
	case f.Office() != nil:
		d := f.Office()
		for _, l := range d.Links {
			kind := Fetched
			if l.Kind == office.Hyperlink {
				kind = Clicked
			}
			add(Link{URL: l.URL, Visible: l.Visible, Kind: kind})
		}
		written(d.Text, 0)
	case f.Type == filetype.EML || f.Type == "mht": // its parts are files of their own
	case f.Kind == Text: // the document around it has them
	case f.IsText():
		written(f.text(), 0)
	}
	if f.Kind != Page && f.Type != filetype.PDF {
		for _, c := range f.Codes() {
			add(Link{URL: c.Link(), Visible: c.Data, Kind: Coded, Page: f.page})
		}
	}
	return f.memo.links
}
