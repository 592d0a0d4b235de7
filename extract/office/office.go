// Package office reads Office documents: the text that they show, the places
// that they lead to or fetch from, their macros, and the files inside. It reads
// Office Open XML (ECMA-376), OpenDocument, RTF, and of the binary formats of
// older Office what can be had without their layout.
//
// Nothing in a document is run or fetched. Every part is paid for and bounded,
// since a document is an archive and can be a bomb.
package office

import (
	"bytes"
	"errors"
	"strings"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml/compound"
	"github.com/sekisho/sekisho/extract/archive"
	"github.com/sekisho/sekisho/extract/filetype"
)

// Bounds on what is read of one document. What is over sets
// [Document.Truncated].
const (
	MaxText          = 1 << 20 // bytes
	MaxLinks         = 2000
	MaxRelationships = 2000
	MaxFiles         = 200
	MaxFile          = 16 << 20 // bytes of one file inside
	maxPart          = 8 << 20  // bytes of one part of XML
	maxParts         = 400
)

// ErrFormat means that the data is no document that is read here.
var ErrFormat = errors.New("office: not an Office document")

// Document is what was read of a document.
type Document struct {
	Type  filetype.Type
	Text  string
	Links []Link

	// Relationships are the places outside that the document names, links among
	// them, as its parts list them.
	Relationships []Relationship
	Files         []File
	Properties    []Property
	Macros        *Macros // nil: none

	Pages, Slides, Words int // as the document says itself; 0 if it does not
	Images               int // pictures in it

	Encrypted bool // it needs a password
	DDE       bool // it asks another program for data, and can start one
	Truncated bool // a bound was reached: there is more
}

// LinkKind says what a document does with an address.
type LinkKind string

// The kinds.
const (
	Hyperlink LinkKind = "hyperlink" // opened with a click
	Template  LinkKind = "template"  // fetched when the document is opened
	Picture   LinkKind = "picture"   // fetched when it is shown
	Object    LinkKind = "object"    // a file or page that is shown within
	Data      LinkKind = "data"      // fetched by a formula or connection
)

// Link is a place that the document leads to.
type Link struct {
	URL     string
	Visible string // the text that is clicked; empty where that is not known
	Kind    LinkKind
}

// Relationship is a place outside the document that a part of it names
// (ECMA-376 part 2, section 9.3).
type Relationship struct {
	Name   string // the last word of its type: hyperlink, attachedTemplate, oleObject, ...
	Target string
	Part   string // whose it is
}

// File is a file inside the document.
type File struct {
	Name string // its name in the document
	Data []byte
}

// Property is something that the document tells about its making.
type Property struct {
	Name  string // as ExifTool names it: Creator, Title, Application, ...
	Value string
}

// Read reads a document of a type that [filetype.Detect] told. b pays for it and
// may be nil. The error is [ErrFormat].
func Read(data []byte, t filetype.Type, b *budget.Budget) (*Document, error) {
	r := &reader{doc: &Document{Type: t}, budget: b, known: map[Link]bool{}}
	switch {
	case bytes.HasPrefix(data, []byte("PK")):
		a, err := archive.Read(data, archive.ZIP, b)
		if err != nil {
			return nil, ErrFormat
		}
		r.zip(a)
	case t == filetype.RTF || bytes.HasPrefix(data, []byte(`{\rt`)):
		r.rtf(data)
	default:
		f, err := compound.Open(data)
		if err != nil || !b.Spend(len(data)) {
			if err == nil {
				r.doc.Truncated = true
				return r.doc, nil
			}
			return nil, ErrFormat
		}
		r.ole(f)
	}
	if r.doc.Macros != nil {
		r.doc.Macros.words(b)
	}
	r.doc.Text = strings.TrimSpace(r.text.String())
	return r.doc, nil
}

type reader struct {
	doc    *Document
	budget *budget.Budget
	text   strings.Builder
	known  map[Link]bool
}

// write adds to the text of the document.
func (r *reader) write(s string) {
	if r.text.Len()+len(s) > MaxText {
		r.doc.Truncated = true
		return
	}
	r.text.WriteString(s)
}

// line ends a line, unless one was just begun.
func (r *reader) line() {
	if s := r.text.String(); s != "" && s[len(s)-1] != '\n' {
		r.write("\n")
	}
}

func (r *reader) link(url, visible string, kind LinkKind) {
	url = strings.TrimSpace(url)
	if url == "" || url[0] == '#' || len(url) > 16<<10 {
		return
	}
	l := Link{URL: strings.ToValidUTF8(url, "\ufffd"), Visible: strings.Join(strings.Fields(visible), " "), Kind: kind}
	if r.known[l] {
		return
	}
	if len(r.doc.Links) >= MaxLinks {
		r.doc.Truncated = true
		return
	}
	r.known[l] = true
	r.doc.Links = append(r.doc.Links, l)
}

func (r *reader) file(name string, data []byte) {
	if len(r.doc.Files) >= MaxFiles {
		r.doc.Truncated = true
		return
	}
	r.doc.Files = append(r.doc.Files, File{Name: name, Data: data})
}

func (r *reader) property(name, value string) {
	const maxProperties, maxValue = 100, 4 << 10
	value = strings.TrimSpace(value)
	if value == "" || len(r.doc.Properties) >= maxProperties {
		return
	}
	r.doc.Properties = append(r.doc.Properties, Property{name, strings.ToValidUTF8(value[:min(len(value), maxValue)], "")})
}

// Property returns what the document tells under a name, empty where it tells
// nothing.
func (d *Document) Property(name string) string {
	for _, p := range d.Properties {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}
