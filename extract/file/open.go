package file

import (
	"bytes"
	"encoding/base64"
	"errors"
	"path"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/eml/outlook"
	"github.com/sekisho/sekisho/extract/archive"
	"github.com/sekisho/sekisho/extract/filetype"
)

// maxInline is the largest picture that is taken out of a page.
const maxInline = 4 << 20

// open finds the files inside f.
func (f *File) open() {
	if f.Depth >= MaxDepth {
		if len(f.Data) > 0 && (f.Type.Class() == filetype.Archive || f.Type.Class() == filetype.Document) {
			f.memo.cut, f.tree.cut = true, true
		}
		return
	}
	switch {
	case f.Kind == Page || f.Kind == Text || f.Kind == Script:
	case f.Type == filetype.PDF:
		f.openPDF()
	case f.Type == filetype.RTF:
		if d := f.Office(); d != nil {
			for _, x := range d.Files {
				if !f.add(&File{Name: x.Name, Kind: Member, Data: x.Data}) {
					return
				}
			}
		}
	case f.Type == filetype.EML || f.Type == "mht":
		f.openMessage(f.Message())
	case f.Type == filetype.MSG:
		if item, err := outlook.Convert(f.Data, nil); err == nil && f.tree.budget.Spend(2*len(item.RFC822)) {
			f.openMessage(eml.Parse(item.RFC822, &eml.Options{Budget: f.tree.budget}))
		}
	case f.Type == filetype.TNEF:
		if item, err := outlook.TNEF(f.Data, nil); err == nil && f.tree.budget.Spend(2*len(item.RFC822)) {
			f.openMessage(eml.Parse(item.RFC822, &eml.Options{Budget: f.tree.budget}))
		}
	case f.isMarkup():
		f.openPage()
	case f.Type == filetype.ICS:
		f.openCalendar()
	default:
		f.openArchive()
	}
}

func (f *File) openArchive() {
	a := f.Archive()
	if a == nil {
		return
	}
	for i := range a.Entries {
		e := &a.Entries[i]
		if e.Folder {
			continue
		}
		c := &File{Name: e.Name, Kind: Member, Size: int(min(max(e.Size, 0), 1<<40)), Encrypted: e.Encrypted}
		if c.Name == "" {
			c.Name = unpackedName(f.Name)
		}
		b, err := e.Content(MaxMember, f.tree.budget)
		switch {
		case errors.Is(err, archive.ErrLimit):
			f.memo.cut, c.memo.cut = true, true
		case err != nil && len(b) == 0:
			c.Packed = true
			c.Type = byName(c.Name)
		}
		c.Data = b
		if c.Size == 0 || e.Size < 0 {
			c.Size = len(b)
		}
		if !f.add(c) {
			return
		}
	}
}

// unpackedName is the name that gunzip gives.
func unpackedName(name string) string {
	base := path.Base(name)
	ext := path.Ext(base)
	switch strings.ToLower(ext) {
	case ".tgz", ".tbz", ".tbz2":
		return strings.TrimSuffix(base, ext) + ".tar"
	}
	return strings.TrimSuffix(base, ext)
}

// byName is the type of a file whose content is not to be had.
func byName(name string) filetype.Type {
	ext := filetype.Extension(name)
	for _, t := range filetype.Types() {
		if string(t) == ext {
			return t
		}
	}
	return filetype.Unknown
}

func (f *File) openPDF() {
	d := f.PDF()
	if d == nil {
		return
	}
	if text := strings.TrimSpace(strings.Join(d.Text, "\n")); text != "" {
		if !f.add(&File{Name: "text", Kind: Text, Type: filetype.Text, source: text, Size: len(text)}) {
			return
		}
	}
	// A page is named as the rules of others know it.
	for i := range d.Text {
		if !f.add(&File{Name: "pdf_2_png_" + strconv.Itoa(i+1), Kind: Page, Type: filetype.PNG, page: i + 1, source: d.Text[i]}) {
			return
		}
	}
	for i := range d.Images {
		m := &d.Images[i]
		if !f.add(&File{Name: "image_" + strconv.Itoa(i+1), Kind: Picture, Type: filetype.PNG, page: m.Page, picture: m}) {
			return
		}
	}
	for _, x := range d.Files {
		if !f.add(&File{Name: x.Name, Kind: Member, Data: x.Data}) {
			return
		}
	}
}

// openMessage lists the texts of a message and what is attached to it.
func (f *File) openMessage(m *eml.Message) {
	if m == nil {
		return
	}
	n := 0
	for p := range m.Parts() {
		if inner := p.Embedded(); inner != nil {
			if !f.add(&File{Name: p.Filename(), Kind: Part, Data: p.Content(), message: inner}) {
				return
			}
			continue
		}
		if !p.IsLeaf() || len(p.Content()) == 0 {
			continue
		}
		c := &File{Name: p.Filename(), Kind: Part, Data: p.Content()}
		if !f.tree.budget.Spend(len(c.Data)) {
			f.memo.cut = true
			return
		}
		if p.IsText() {
			// In UTF-8, whatever it was.
			c.Data = []byte(p.Text())
			switch {
			case p.IsAttachment():
			case p.MediaType() == "text/html":
				c.Type = filetype.HTML
			default:
				c.Type = filetype.Text
			}
		}
		if c.Name == "" {
			n++
			c.Name = "body_" + strconv.Itoa(n)
		}
		if !f.add(c) {
			return
		}
	}
}

// openPage lists the scripts of a page, and the pictures that stand in it.
func (f *File) openPage() {
	m := f.Markup()
	if m == nil {
		return
	}
	n := 0
	for _, s := range m.Scripts {
		if strings.TrimSpace(s.Source) == "" {
			continue
		}
		if !f.add(&File{Name: "script_" + strconv.Itoa(n), Kind: Script, Type: "js", source: s.Source, Size: len(s.Source)}) {
			return
		}
		n++
	}
	for i, b := range m.Inline {
		if !f.add(&File{Name: "image_" + strconv.Itoa(i+1), Kind: Picture, Data: b}) {
			return
		}
	}
}

func (f *File) openCalendar() {
	c := f.Calendar()
	if c == nil {
		return
	}
	for i := range c.Components {
		for j := range c.Components[i].Properties {
			p := &c.Components[i].Properties[j]
			if p.Name != "ATTACH" || !f.tree.budget.Spend(len(p.Value)) {
				continue
			}
			if b := p.Content(); len(b) > 0 {
				if !f.add(&File{Name: p.Param("X-FILENAME") + p.Param("FILENAME"), Kind: Member, Data: b}) {
					return
				}
			}
		}
	}
}

// inline decodes a data: address (RFC 2397) of a picture.
func inline(url string) []byte {
	rest, ok := cutPrefixFold(url, "data:image/")
	if !ok || len(rest) > maxInline {
		return nil
	}
	kind, data, ok := strings.Cut(rest, ",")
	if !ok || !strings.Contains(strings.ToLower(kind), ";base64") {
		return nil
	}
	data = strings.Map(func(r rune) rune {
		if r <= ' ' {
			return -1
		}
		return r
	}, data)
	data = strings.NewReplacer("%2B", "+", "%2F", "/", "%3D", "=", "%2b", "+", "%2f", "/", "%3d", "=").Replace(data)
	b, _ := base64.StdEncoding.DecodeString(data)
	if len(b) == 0 {
		b, _ = base64.RawStdEncoding.DecodeString(strings.TrimRight(data, "="))
	}
	return bytes.Clone(b)
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
