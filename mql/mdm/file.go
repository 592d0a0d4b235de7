package mdm

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract/file"
	"github.com/sekisho/sekisho/extract/filetype"
	"github.com/sekisho/sekisho/extract/link"
	"github.com/sekisho/sekisho/extract/qr"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/mql/value"
)

// What the functions on files lack.
var (
	noScanner = value.Gap{Capability: "files", Cause: finding.NotConfigured}
	noOCR     = value.Gap{Capability: "ocr", Cause: finding.NotConfigured}
	noQR      = value.Gap{Capability: "qr", Cause: finding.NotConfigured}
	noYARA    = value.Gap{Capability: "yara", Name: "scan.yara", Cause: finding.NotConfigured}
)

// fileFunctions returns the functions that look into files.
func (m *Model) fileFunctions() map[string]value.Func {
	on := func(f func(n *node) value.Value) value.Func {
		return func(c *value.Call) value.Value {
			n := m.nodeOf(c.Arg(0))
			if n == nil {
				return value.Null
			}
			return f(n)
		}
	}
	return map[string]value.Func{
		"file.explode":         on(m.explode),
		"file.expand_archives": on(m.expandArchives),
		"file.oletools":        on(oletools),
		"beta.parse_exif":      on(func(n *node) value.Value { return n.exiftool() }),
		"beta.file.parse_ics":  on(m.parseICS),
		"beta.scan_qr":         on(scanQR),
		"beta.ocr":             on(func(n *node) value.Value { return n.ocr(true) }),
	}
}

// node is a file of the message, or one inside it.
type node struct {
	*file.File
	part  string    // that it stands in
	whole *eml.Part // that the file is, where its text is that of a part
	path  string
}

// nodeOf returns what a value of a rule was made from: an attachment, or a file
// inside one. It is nil for others, such as the files that a link leads to.
func (m *Model) nodeOf(v value.Value) *node {
	o := v.Object()
	if o == nil {
		return nil
	}
	switch src := o.Source().(type) {
	case *node:
		return src
	case *File:
		n := &node{File: m.read().File(src.Part), part: src.Part.ID(), path: src.Name}
		if src.Part.IsText() && n.IsText() {
			n.whole = src.Part
		}
		return n
	}
	return nil
}

// inside returns a file of the same attachment.
func (n *node) inside(f *file.File) *node {
	if f == n.File {
		return n
	}
	at := f
	if f.Kind == file.Page || f.Kind == file.Text {
		at = f.Parent // which people open
	}
	path := n.path
	if at.Parent != nil {
		path += "/" + at.Path()
	}
	return &node{File: f, part: n.part, path: path}
}

// origin leads to the part that the file stands in.
func (n *node) origin() value.Origin {
	return value.Place(finding.Where{Part: n.part, Inside: n.path})
}

// text is a text of the file.
func (n *node) text(s string) value.Value {
	if s == "" {
		return value.Null
	}
	return value.Text(s, n.origin())
}

func (n *node) texts(list []string) value.Value {
	out := make([]value.Value, len(list))
	for i, s := range list {
		out[i] = value.Text(s, n.origin())
	}
	return value.Array(n.known(out)...)
}

// known returns a list of what was found in the file. Where there may be more,
// for want of budget, it says so, so that a rule that finds nothing in it is
// undecided.
func (n *node) known(list []value.Value) []value.Value {
	if n.Cut() || n.Exhausted() {
		return append(list, value.Missing(outOfBudget))
	}
	return list
}

// url is a URL that the file names.
func (n *node) url(s string) (value.Value, bool) {
	u, err := link.Parse(s)
	if err != nil {
		return value.Null, false
	}
	w := finding.Where{Part: n.part, Inside: n.path, URL: u.String()}
	return urlValue(s, u, value.Place(w)), true
}

// urls returns the URLs of a list and those that are none.
func (n *node) urls(list []string) (good, bad value.Value) {
	var urls, invalid []value.Value
	for _, s := range list {
		if v, ok := n.url(s); ok {
			urls = append(urls, v)
		} else {
			invalid = append(invalid, value.Text(s, n.origin()))
		}
	}
	return value.Array(n.known(urls)...), value.Array(invalid...)
}

var (
	archiveShape = value.NewShape("ArchiveResult", "files")
	fileShape    = value.NewShape("File", "file_extension", "file_name", "file_type", "raw", "size")
)

// expandArchives lists the files in an archive, and in archives inside it.
func (m *Model) expandArchives(n *node) value.Value {
	return value.Of(archiveShape.New(value.Of(value.LazyList(func() []value.Value {
		var out []value.Value
		for f := range n.All() {
			if f.Depth > 0 && f.Kind == file.Member {
				out = append(out, n.inside(f).file())
			}
		}
		if n.TreeCut() {
			out = append(out, value.Missing(outOfBudget))
		}
		return out
	}))))
}

func (n *node) file() value.Value {
	return value.Of(fileShape.Lazy(func(name string) value.Value {
		switch name {
		case "file_extension":
			return n.text(filetype.Extension(n.Name))
		case "file_name":
			return n.text(n.Name)
		case "file_type":
			if modelType(n.Type) {
				return n.text(string(n.Type))
			}
			return n.text("unknown")
		case "size":
			return value.Int(int64(n.Size)).At(n.origin())
		}
		return n.text(encodeRaw(n.Data))
	}).At(n.origin()).For(n))
}

var (
	qrResultShape = value.NewShape("QRResult", "found", "items")
	qrShape       = value.NewShape("StrelkaQR", "data", "type", "url")
)

// scanQR returns the codes in a picture, or in the pictures of a document.
func scanQR(n *node) value.Value {
	codes := n.Codes()
	if len(codes) == 0 && n.unseen() {
		return value.Missing(n.whyUnseen())
	}
	var items []value.Value
	for i := range codes {
		items = append(items, n.code(&codes[i]))
	}
	return value.Of(qrResultShape.New(value.Bool(len(items) > 0).At(n.origin()), value.Array(items...)).At(n.origin()))
}

// unseen reports whether there may be codes that were not looked for.
func (n *node) unseen() bool { return n.Unread() || n.Exhausted() }

func (n *node) whyUnseen() value.Gap {
	if n.Exhausted() {
		return outOfBudget
	}
	return noQR
}

func (n *node) code(c *qr.Code) value.Value {
	u := value.Null
	if s := c.Link(); s != "" {
		u, _ = n.url(s)
	}
	return value.Of(qrShape.New(n.text(c.Data), n.text(string(c.Type)), u).At(n.origin()))
}

var (
	ocrShape     = value.NewShape("StrelkaOCR", "raw", "text")
	ocrResult    = value.NewShape("OCRResult", "page_results", "success", "text")
	ocrPageShape = value.NewShape("OCRPage", "text")
)

// textLayer marks a text as one that was not read from a picture but written
// into the document.
type textLayer struct{}

// ocr is the text that a person sees in a document or picture. Without an
// engine that reads pictures it is the text that is written into a document;
// what is only painted is missing. whole asks for the result of beta.ocr, else
// for that of a scanner.
func (n *node) ocr(whole bool) value.Value {
	s, ok := "", false
	switch {
	case n.Kind == file.Page, n.PDF() != nil, n.Office() != nil:
		if s, ok = n.Text(); strings.TrimSpace(s) == "" {
			if n.painted() {
				return value.Missing(noOCR)
			}
			if !ok {
				return value.Null
			}
		}
	case n.Type.Class() == filetype.Image && n.Type != filetype.SVG:
		// A picture in a document with a text is told by that.
		if p := n.Parent; p != nil && n.Kind == file.Picture && p.PDF() != nil {
			if t, _ := p.Text(); strings.TrimSpace(t) != "" {
				return value.Null
			}
		}
		return value.Missing(noOCR)
	default:
		return value.Null
	}
	if n.Exhausted() && s == "" {
		return value.Missing(outOfBudget)
	}
	v := value.Text(s, n.origin())
	if !whole {
		return value.Of(ocrShape.New(v, n.texts(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' }))).At(n.origin()).For(textLayer{}))
	}
	var pages []value.Value
	if d := n.PDF(); d != nil {
		for _, p := range d.Text {
			pages = append(pages, value.Of(ocrPageShape.New(n.text(p))))
		}
	} else {
		pages = append(pages, value.Of(ocrPageShape.New(v)))
	}
	return value.Of(ocrResult.New(value.Array(pages...), value.True, v).At(n.origin()).For(textLayer{}))
}

// painted reports whether the file shows pictures, which may show a text.
func (n *node) painted() bool {
	switch {
	case n.Kind == file.Page, n.PDF() != nil:
		owner := n.File
		if n.Kind == file.Page {
			owner = n.Parent
		}
		return owner.PDF() != nil && len(owner.PDF().Images) > 0
	case n.Office() != nil:
		return n.Office().Images > 0
	}
	return false
}

// sums are the digests of the content of the file.
func (n *node) sums() (md5sum, sha1sum, sha256sum string) {
	a, b, c := md5.Sum(n.Data), sha1.Sum(n.Data), sha256.Sum256(n.Data)
	return hex.EncodeToString(a[:]), hex.EncodeToString(b[:]), hex.EncodeToString(c[:])
}
