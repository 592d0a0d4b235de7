package file

import (
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/extract/archive"
	"github.com/sekisho/sekisho/extract/filetype"
	"github.com/sekisho/sekisho/extract/xmp"
)

// Field is something that a file tells about its making, named as ExifTool
// names it, since rules ask for those names.
type Field struct {
	Key   string
	Value string
}

// Metadata returns what the file tells about its making, each name once.
func (f *File) Metadata() []Field {
	if !f.once("metadata") {
		return f.memo.fields
	}
	seen := map[string]bool{}
	add := func(key, value string) {
		if key == "" || value == "" || seen[key] {
			return
		}
		seen[key] = true
		f.memo.fields = append(f.memo.fields, Field{key, value})
	}
	if i := f.Picture(); i != nil {
		for _, x := range i.Fields {
			add(x.Key, x.Value)
		}
		if i.Width > 0 {
			add("ImageWidth", strconv.Itoa(i.Width))
			add("ImageHeight", strconv.Itoa(i.Height))
		}
	}
	switch {
	case f.Type == filetype.PDF:
		f.pdfFields(add)
	case f.Office() != nil:
		for _, p := range f.Office().Properties {
			add(p.Name, p.Value)
		}
	case f.isMarkup():
		if p := f.Page(); p != nil {
			add("Title", p.Title)
		}
	}
	if a := f.Archive(); a != nil && len(a.Entries) > 0 {
		e := &a.Entries[0]
		switch a.Format {
		case archive.ZIP:
			add("ZipFileName", e.Name)
			add("ZipBitFlag", strconv.Itoa(e.Flags))
			if e.Size >= 0 {
				add("ZipUncompressedSize", strconv.FormatInt(e.Size, 10))
				add("ZipCompressedSize", strconv.FormatInt(e.Packed, 10))
			}
		case archive.Gzip, archive.RAR:
			add("ArchivedFileName", e.Name)
		default: // nothing that rules ask for
		}
	}
	return f.memo.fields
}

// pdfNames are the keys of the information dictionary (ISO 32000-1 table 317)
// that have another name.
var pdfNames = map[string]string{"CreationDate": "CreateDate", "ModDate": "ModifyDate"}

func (f *File) pdfFields(add func(key, value string)) {
	d := f.PDF()
	if d == nil {
		return
	}
	add("PDFVersion", d.Version)
	if d.Encrypted {
		add("Encryption", "Standard")
	}
	if d.Locked {
		add("Warning", "Document is password protected")
		return
	}
	if d.Pages > 0 {
		add("PageCount", strconv.Itoa(d.Pages))
	}
	for _, key := range []string{"Title", "Author", "Subject", "Keywords", "Creator", "Producer", "CreationDate", "ModDate"} {
		name := key
		if n, ok := pdfNames[key]; ok {
			name = n
		}
		add(name, d.Info[key])
	}
	for _, p := range xmp.Read(xmp.Find(f.Data)) {
		add(p.Name, p.Value)
	}
	if strings.Contains(string(f.Data[:min(len(f.Data), 1024)]), "/Linearized") {
		add("Linearized", "Yes")
	}
}

// Field returns what the file tells under a name, empty where it tells nothing.
func (f *File) Field(key string) string {
	for _, x := range f.Metadata() {
		if x.Key == key {
			return x.Value
		}
	}
	return ""
}

// Pages returns the number of pages of a document, 0 where it is not known.
func (f *File) Pages() int {
	if d := f.PDF(); d != nil {
		return d.Pages
	}
	if d := f.Office(); d != nil {
		return max(d.Pages, d.Slides)
	}
	return 0
}
