package mdm

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract/archive"
	"github.com/sekisho/sekisho/extract/file"
	"github.com/sekisho/sekisho/extract/filetype"
	"github.com/sekisho/sekisho/extract/script"
	"github.com/sekisho/sekisho/extract/text"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/mql/value"
)

var (
	explodedShape = value.NewShape("StrelkaResponse", "depth", "file_extension", "file_name", "flavors", "node_id", "parent_node_id", "scan", "size", "source")
	flavorsShape  = value.NewShape("StrelkaFlavors", "external", "mime", "yara")
	scanShape     = value.NewShape("StrelkaScan", "bzip2", "docx", "encrypted_doc", "encrypted_zip", "entropy", "exiftool", "gif", "gzip", "hash", "html", "ics", "javascript",
		"jpeg", "libarchive", "lnk", "macho", "ocr", "ole", "pdf", "pdf_obj_hash", "pptx", "qr", "rar", "rtf", "strings", "tar", "url", "vba", "xml", "yara", "zip", "zlib")

	sizeShape       = map[string]*value.Shape{"bzip2": value.NewShape("StrelkaBZip2", "size"), "gzip": value.NewShape("StrelkaGZip", "size")}
	crackedShape    = value.NewShape("StrelkaEncryptedDoc", "cracked_password")
	encryptedShape  = value.NewShape("StrelkaEncryptedZip", "cracked_password", "total_extracted", "total_files")
	entropyShape    = value.NewShape("StrelkaEntropy", "entropy")
	hashShape       = value.NewShape("StrelkaHash", "md5", "sha1", "sha256", "ssdeep")
	exploHTMLShape  = value.NewShape("StrelkaHTML", "hyperlinks", "scripts", "spans", "title", "total_extracted")
	htmlScriptShape = value.NewShape("StrelkaEmbeddedHTMLScript", "language", "scripts", "type")
	htmlSpanShape   = value.NewShape("StrelkaHTMLSpan", "style")
	javascriptShape = value.NewShape("StrelkaJavascript", "identifiers", "keywords", "regular_expressions", "strings", "tokens")
	pdfShape        = value.NewShape("StrelkaPDF", "invalid_urls", "total_extracted", "urls")
	extractedShape  = map[string]*value.Shape{"ole": value.NewShape("StrelkaOle", "total_extracted"), "rtf": value.NewShape("StrelkaRTF", "total_extracted")}
	totalsShape     = map[string]*value.Shape{"libarchive": value.NewShape("StrelkaLibArchive", "total_extracted", "total_files"), "tar": value.NewShape("StrelkaTar", "total_extracted", "total_files")}
	rarShape        = value.NewShape("StrelkaRar", "host_os", "total_extracted", "total_files")
	stringsShape    = value.NewShape("StrelkaStrings", "raw", "strings")
	scanURLShape    = value.NewShape("StrelkaURL", "invalid_urls", "urls")
	xmlShape        = value.NewShape("StrelkaXML", "doc_type", "namespaces", "tags", "total_extracted", "version")
	zipShape        = value.NewShape("StrelkaZip", "all_paths", "attempted_files", "encrypted", "total_extracted", "total_files")
)

func encodeRaw(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// explode lists the file and all files inside it. It follows what the rules
// that are published expect of Strelka, the program that looks into files for
// the Sublime platform.
func (m *Model) explode(n *node) value.Value {
	return value.Of(value.LazyList(func() []value.Value {
		var out []value.Value
		ids := map[*file.File]string{}
		for f := range n.All() {
			id := strconv.Itoa(len(ids))
			ids[f] = id
			out = append(out, m.exploded(n.inside(f), id, ids[f.Parent]))
		}
		if n.TreeCut() {
			// A file that was not looked into may be what a rule asks for.
			out = append(out, value.Missing(outOfBudget))
		}
		return out
	}))
}

func (m *Model) exploded(n *node, id, parent string) value.Value {
	o := n.origin()
	return value.Of(explodedShape.Lazy(func(name string) value.Value {
		switch name {
		case "depth":
			return value.Int(int64(n.Depth)).At(o)
		case "file_extension":
			return n.text(filetype.Extension(n.Name))
		case "file_name":
			return n.text(n.Name)
		case "flavors":
			return value.Of(flavorsShape.New(value.Array(), n.text(mimeOf(n.File)), value.Of(value.LazyList(func() []value.Value {
				var out []value.Value
				for _, s := range flavors(n.File) {
					out = append(out, value.Text(s, o))
				}
				return out
			}))).At(o))
		case "node_id":
			return value.String(id)
		case "parent_node_id":
			return value.OptString(parent)
		case "scan":
			return value.Of(scanShape.Lazy(func(name string) value.Value { return m.scan(n, name) }).At(o))
		case "size":
			return value.Int(int64(n.Size)).At(o)
		}
		return n.text(string(n.Kind))
	}).At(o).For(n))
}

// scan is what one scanner finds in a file; null for a file that is none of its
// kind, and missing where there is no such scanner here.
func (m *Model) scan(n *node, name string) value.Value {
	switch name {
	case "strings":
		return n.strings()
	case "url":
		return n.scanURL()
	case "hash":
		if len(n.Data) == 0 {
			return value.Null
		}
		a, b, c := n.sums()
		return value.Of(hashShape.New(n.text(a), n.text(b), n.text(c), value.Null))
	case "entropy":
		if len(n.Data) == 0 {
			return value.Null
		}
		return value.Of(entropyShape.New(value.Float(entropy(n.Data)).At(n.origin())))
	case "exiftool":
		return n.exiftool()
	case "ocr":
		return n.ocr(false)
	case "yara":
		return value.Missing(noYARA)
	case "qr":
		codes := n.Codes()
		switch {
		case len(codes) > 0:
			return n.code(&codes[0])
		case n.unseen():
			return value.Missing(n.whyUnseen())
		}
		return value.Null
	case "ics":
		return m.scanICS(n)
	case "html":
		return n.html()
	case "xml":
		return n.xml()
	case "javascript":
		return n.javascript()
	case "pdf":
		return n.pdf()
	case "docx", "pptx", "vba", "encrypted_doc", "ole", "rtf":
		return n.office(name)
	case "zip", "encrypted_zip", "rar", "tar", "gzip", "bzip2", "libarchive":
		return n.archive(name)
	case "pdf_obj_hash":
		if n.Type == filetype.PDF {
			return value.Missing(noScanner)
		}
	case "lnk", "macho":
		if string(n.Type) == name {
			return value.Missing(noScanner)
		}
	}
	return value.Null
}

// entropy is how much information a byte of b holds, from 0 to 8 bits.
func entropy(b []byte) float64 {
	var count [256]int
	for _, c := range b {
		count[c]++
	}
	sum := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(b))
			sum -= p * math.Log2(p)
		}
	}
	return sum
}

// partOrigin leads from the text of a file that is a part to its place there.
func (n *node) raw(s string) value.Value {
	if n.whole != nil && n.whole.Text() == s {
		return value.Text(s, &textOrigin{finding.Where{Part: n.part}, eml.Identity(s, 0)})
	}
	return value.Text(s, n.origin())
}

func (n *node) strings() value.Value {
	return value.Of(stringsShape.Lazy(func(name string) value.Value {
		if name == "strings" {
			return n.texts(n.Strings())
		}
		if n.IsText() {
			return n.raw(n.Raw())
		}
		return value.Text(strings.Join(n.Strings(), "\n"), n.origin())
	}))
}

// written are the addresses that stand in the file or that it leads to. Those
// of QR codes have a scanner of their own.
func (n *node) written() []string {
	var out []string
	for _, l := range n.Links() {
		if l.Kind != file.Coded {
			out = append(out, l.URL)
		}
	}
	if n.Kind == file.Script || n.Kind == file.Text {
		seen := map[string]bool{}
		for _, u := range text.URLs(n.Raw()) {
			if !seen[u.URL] {
				seen[u.URL] = true
				out = append(out, u.URL)
			}
		}
	}
	return out
}

func (n *node) scanURL() value.Value {
	good, bad := value.Null, value.Null
	return value.Of(scanURLShape.Lazy(func(name string) value.Value {
		if good.IsNull() {
			good, bad = n.urls(n.written())
		}
		if name == "urls" {
			return good
		}
		return bad
	}))
}

func (n *node) pdf() value.Value {
	if n.PDF() == nil || n.Kind == file.Page {
		return value.Null
	}
	good, bad := n.urls(n.written())
	return value.Of(pdfShape.New(bad, value.Int(int64(len(n.Children()))), good).At(n.origin()))
}

func (n *node) html() value.Value {
	m := n.Markup()
	if m == nil || n.Type == "xml" {
		return value.Null
	}
	var scripts, spans []value.Value
	for _, s := range m.Scripts {
		scripts = append(scripts, value.Of(htmlScriptShape.New(n.text(s.Language), n.text(s.Source), n.text(s.Type)).At(n.origin())))
	}
	for _, s := range m.Styles {
		spans = append(spans, value.Of(htmlSpanShape.New(n.text(s)).At(n.origin())))
	}
	var hrefs []string
	for _, l := range n.Links() {
		if l.Kind == file.Clicked {
			hrefs = append(hrefs, l.URL)
		}
	}
	return value.Of(exploHTMLShape.New(n.texts(hrefs), value.Array(scripts...), value.Array(spans...), n.text(strings.TrimSpace(m.Title)), value.Int(int64(len(n.Children())))).At(n.origin()))
}

func (n *node) xml() value.Value {
	m := n.Markup()
	if m == nil || n.Type == filetype.HTML {
		return value.Null
	}
	return value.Of(xmlShape.New(value.Null, value.Array(), n.texts(m.Tags), value.Int(0), value.Null).At(n.origin()))
}

func (n *node) javascript() value.Value {
	s := n.JavaScript()
	if s == nil {
		return value.Null
	}
	list := func(words []string) value.Value {
		out := make([]value.Value, len(words))
		for i, w := range words {
			out[i] = value.Text(w, n.origin())
		}
		if s.Truncated {
			out = append(out, value.Missing(outOfBudget))
		}
		return value.Array(out...)
	}
	return value.Of(javascriptShape.New(list(distinct(s.Identifiers)), list(distinct(s.Keywords)), list(distinct(s.Regexps)), list(distinct(s.Strings)), list(tokens(s))).At(n.origin()))
}

// tokens are the kinds of words in a script.
func tokens(s *script.Script) []string {
	var out []string
	for _, k := range []struct {
		name string
		list []string
	}{{"Identifier", s.Identifiers}, {"Keyword", s.Keywords}, {"String", s.Strings}, {"RegularExpression", s.Regexps}} {
		if len(k.list) > 0 {
			out = append(out, k.name)
		}
	}
	return out
}

// distinct keeps the first of each word.
func distinct(list []string) []string {
	seen := make(map[string]bool, len(list))
	var out []string
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// archive is what the scanner of a kind of archive tells.
func (n *node) archive(scanner string) value.Value {
	a := n.Archive()
	if a == nil {
		return value.Null
	}
	ours := map[archive.Format]string{archive.ZIP: "zip", archive.RAR: "rar", archive.Tar: "tar", archive.Gzip: "gzip", archive.Bzip2: "bzip2", archive.Seven: "libarchive", archive.ISO: "libarchive", archive.CAB: "libarchive"}[a.Format]
	if ours != scanner && (scanner != "encrypted_zip" || a.Format != archive.ZIP || !a.Encrypted) {
		return value.Null
	}
	var all, files []value.Value
	for _, e := range a.Entries {
		v := value.Text(e.Name, n.origin())
		all = append(all, v)
		if !e.Folder {
			files = append(files, v)
		}
	}
	total, unpacked := value.Int(int64(len(files))).At(n.origin()), int64(0)
	for _, c := range n.Children() {
		if !c.Packed {
			unpacked++
		}
	}
	extracted := value.Int(unpacked)
	if a.Hidden || a.Truncated {
		// There is more than could be listed.
		gap := noScanner
		if a.Truncated {
			gap = outOfBudget
		}
		all, files = append(all, value.Missing(gap)), append(files, value.Missing(gap))
	}
	var o *value.Object
	switch scanner {
	case "zip":
		o = zipShape.New(value.Array(all...), value.Array(files...), value.Bool(a.Encrypted).At(n.origin()), extracted, total)
	case "encrypted_zip":
		// Passwords are not guessed.
		o = encryptedShape.New(value.Missing(noScanner), value.Int(0), total)
	case "rar":
		o = rarShape.New(value.Null, extracted, total)
	case "tar", "libarchive":
		o = totalsShape[scanner].New(extracted, total)
	default:
		size := int64(0)
		for _, c := range n.Children() {
			size += int64(c.Size)
		}
		o = sizeShape[scanner].New(value.Int(size))
	}
	return value.Of(o.At(n.origin()))
}
