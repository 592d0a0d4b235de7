// Package pdf reads what a PDF document shows and where it leads: its text, its
// links, its pictures and the files inside.
//
// It is written for documents that somebody made to deceive: the table of
// objects is not believed but made again from the objects themselves, so that a
// broken or doctored one is read as viewers read it; later objects replace
// earlier ones, as after an incremental update. Nothing is executed, and every
// step has a bound. References are to ISO 32000-1:2008.
package pdf

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"

	"github.com/sekisho/sekisho/budget"
)

// ErrNotPDF means that there is no PDF header near the beginning of the data.
var ErrNotPDF = errors.New("pdf: not a PDF document")

// Bounds on what is read of one document. What is over sets
// [Document.Truncated].
const (
	MaxObjects = 100_000
	MaxPages   = 100     // whose text and pictures are read
	MaxText    = 1 << 20 // bytes of text of the whole document
	MaxLinks   = 2000
	MaxFiles   = 50
	MaxImages  = 60
)

// Document is what was read of a PDF document.
type Document struct {
	Version string // such as "1.7"
	Pages   int    // as counted in the tree of pages
	// Text is what the pages show, a page to an element. The text of a picture is
	// not in it.
	Text  []string
	Links []Link
	Files []File
	// Info is the document information dictionary: Title, Author, Creator,
	// Producer, CreationDate and the like.
	Info   map[string]string
	Images []Image

	Encrypted  bool // there is an encryption dictionary
	Locked     bool // and the document needs a password
	JavaScript bool // it carries a script
	OpenAction bool // something happens when it is opened
	Launch     bool // it wants to start a program or open a file
	Form       bool // it has a form to fill in
	Truncated  bool // a bound was reached: there is more
}

// Link is a place that the document leads to.
type Link struct {
	URL  string // as it is written
	Page int    // from 1; 0 if it belongs to no page that was read
}

// File is a file inside the document.
type File struct {
	Name string
	Data []byte
}

// file is a document while it is read.
type file struct {
	data       []byte
	budget     *budget.Budget
	objects    map[ref]any
	latest     map[int]ref // of each number, the generation that counts
	crypt      *crypt
	doc        *Document
	inflated   int
	operations int // of content streams
	trailer    dict
	end        int          // of the stream that was read last whose length was wrong
	packed     map[int]bool // objects from object streams, whose strings are not encrypted by themselves
}

// Read reads a document. b pays for it and may be nil; where it runs out,
// [Document.Truncated] is set. The error is [ErrNotPDF].
func Read(data []byte, b *budget.Budget) (*Document, error) {
	head := data[:min(len(data), 1024)]
	_, version, ok := bytes.Cut(head, []byte("%PDF-"))
	if !ok {
		return nil, ErrNotPDF
	}
	f := &file{data: data, budget: b, objects: map[ref]any{}, latest: map[int]ref{}, trailer: dict{}, packed: map[int]bool{}, doc: &Document{Info: map[string]string{}}}
	if n := bytes.IndexAny(version, "\r\n \t%"); n >= 0 {
		version = version[:n]
	}
	f.doc.Version = strings.ToValidUTF8(string(version[:min(len(version), 8)]), "")
	if !b.Spend(len(data)) {
		f.doc.Truncated = true
		return f.doc, nil
	}
	f.scan()
	f.unlock()
	if !f.doc.Locked {
		f.unpack()
		f.pages()
		f.information()
	}
	f.actions()
	return f.doc, nil
}

// scan finds every "N G obj" and the trailers.
func (f *file) scan() {
	for at := 0; at < len(f.data); {
		i := bytes.Index(f.data[at:], []byte("obj"))
		if i < 0 {
			break
		}
		i += at
		at = i + 3
		if i >= 3 && string(f.data[i-3:i]) == "end" {
			continue
		}
		id, ok := f.header(i)
		if !ok {
			continue
		}
		if len(f.objects) >= MaxObjects {
			f.doc.Truncated = true
			break
		}
		l := &lexer{data: f.data, at: at}
		v, ok := l.next(maxNesting)
		if !ok {
			continue
		}
		at = max(at, l.at)
		if d, is := v.(dict); is {
			if s, end := f.stream(l, d, id); s != nil {
				v, at = s, end
			}
		}
		switch v.(type) {
		case operator, closing:
			v = nil
		}
		f.put(id, v)
	}
	for at := 0; at < len(f.data); {
		i := bytes.Index(f.data[at:], []byte("trailer"))
		if i < 0 {
			break
		}
		at += i + len("trailer")
		l := &lexer{data: f.data, at: at}
		if v, _ := l.next(maxNesting); v != nil {
			if d, ok := v.(dict); ok {
				f.trail(d)
			}
		}
	}
}

func (f *file) put(id ref, v any) {
	f.objects[id] = v
	f.latest[id.num] = id
	if s, ok := v.(*stream); ok && s.dict["Type"] == name("XRef") {
		f.trail(s.dict)
	}
}

// trail takes what a trailer says; a later one wins.
func (f *file) trail(d dict) {
	for _, key := range []name{"Root", "Info", "Encrypt", "ID"} {
		if v, ok := d[key]; ok {
			f.trailer[key] = v
		}
	}
}

// header reads backwards the "N G " in front of the "obj" at i.
func (f *file) header(i int) (ref, bool) {
	p := i
	number := func() (int, bool) {
		end := p
		for p > 0 && isSpace(f.data[p-1]) && end-p < 16 {
			p--
		}
		if p == end {
			return 0, false
		}
		n, unit, digits := 0, 1, 0
		for p > 0 && f.data[p-1] >= '0' && f.data[p-1] <= '9' && digits < 9 {
			n += int(f.data[p-1]-'0') * unit
			unit *= 10
			p--
			digits++
		}
		return n, digits > 0
	}
	gen, ok := number()
	if !ok {
		return ref{}, false
	}
	num, ok := number()
	return ref{num, gen}, ok && num > 0
}

// stream reads what follows the dictionary of a stream.
func (f *file) stream(l *lexer, d dict, id ref) (*stream, int) {
	l.skip()
	if !bytes.HasPrefix(l.data[l.at:], []byte("stream")) {
		return nil, 0
	}
	start := l.at + len("stream")
	if start < len(f.data) && f.data[start] == '\r' {
		start++
	}
	if start < len(f.data) && f.data[start] == '\n' {
		start++
	}
	if n, ok := d["Length"].(int); ok && n >= 0 && n <= len(f.data)-start {
		rest := f.data[start+n:]
		if bytes.HasPrefix(bytes.TrimLeft(rest[:min(len(rest), 32)], "\r\n \t"), []byte("endstream")) {
			return &stream{d, f.data[start : start+n], id}, start + n
		}
	}
	// The end is looked for once, so that many streams without one cost no more
	// than the file is long.
	if f.end < start {
		if f.end = bytes.Index(f.data[start:], []byte("endstream")); f.end < 0 {
			f.end = len(f.data)
		} else {
			f.end += start
		}
	}
	end := f.end - start
	raw := f.data[start : start+end]
	if n := len(raw); n > 0 && raw[n-1] == '\n' {
		raw = raw[:n-1]
	}
	if n := len(raw); n > 0 && raw[n-1] == '\r' {
		raw = raw[:n-1]
	}
	return &stream{d, raw, id}, start + end
}

// unpack reads the objects inside object streams (7.5.7). Those that stand in
// the file by themselves are kept: they are what an update wrote, or the stream
// is stale.
func (f *file) unpack() {
	for _, s := range f.streams("ObjStm") {
		data, _ := f.decode(s)
		n, _ := f.resolve(s.dict["N"]).(int)
		first, _ := f.resolve(s.dict["First"]).(int)
		if first <= 0 || first > len(data) {
			continue
		}
		index := &lexer{data: data[:first]}
		for range min(n, MaxObjects) {
			a, ok1 := index.next(2)
			b, ok2 := index.next(2)
			num, is1 := a.(int)
			off, is2 := b.(int)
			if !ok1 || !ok2 || !is1 || !is2 || off < 0 || off > len(data)-first || num <= 0 {
				break
			}
			if len(f.objects) >= MaxObjects {
				f.doc.Truncated = true
				return
			}
			if _, have := f.latest[num]; have {
				continue
			}
			l := &lexer{data: data, at: first + off}
			if v, ok := l.next(maxNesting); ok {
				f.put(ref{num, 0}, v)
				f.packed[num] = true
			}
		}
	}
}

// streams lists the streams of a type in the order of the file, the last first,
// so that what an update wrote wins.
func (f *file) streams(kind name) []*stream {
	var out []*stream
	for _, v := range f.objects {
		if s, ok := v.(*stream); ok && f.resolve(s.dict["Type"]) == kind {
			out = append(out, s)
		}
	}
	sortStreams(out, f.data)
	return out
}

// resolve follows references.
func (f *file) resolve(v any) any {
	for range 16 {
		r, ok := v.(ref)
		if !ok {
			return v
		}
		o, ok := f.objects[r]
		if !ok {
			o = f.objects[f.latest[r.num]]
		}
		v = o
	}
	return nil
}

// dictOf is a dictionary, or that of a stream.
func (f *file) dictOf(v any) dict {
	switch v := f.resolve(v).(type) {
	case dict:
		return v
	case *stream:
		return v.dict
	}
	return nil
}

// owner is the object that a value belongs to, for its encryption.
func owner(v any, otherwise ref) ref {
	if r, ok := v.(ref); ok {
		return r
	}
	return otherwise
}

// text is a text string (7.9.2.2) as UTF-8.
func (f *file) text(v any, id ref) string {
	s, ok := f.resolve(v).(str)
	if !ok {
		return ""
	}
	if f.crypt != nil && id.num > 0 && !f.packed[id.num] {
		s = f.crypt.decrypt(id, s, false)
	}
	return textString(s)
}

func textString(s []byte) string {
	switch {
	case bytes.HasPrefix(s, []byte{0xfe, 0xff}):
		return utf16be(s[2:])
	case bytes.HasPrefix(s, []byte{0xff, 0xfe}):
		swapped := bytes.Clone(s[2:])
		for i := 0; i+1 < len(swapped); i += 2 {
			swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
		}
		return utf16be(swapped)
	case bytes.HasPrefix(s, []byte{0xef, 0xbb, 0xbf}):
		return strings.ToValidUTF8(string(s[3:]), "\uFFFD")
	}
	// PDFDocEncoding is Latin-1 but for a few signs, where Windows-1252 is as near.
	out, err := charmap.Windows1252.NewDecoder().Bytes(s)
	if err != nil {
		return ""
	}
	return string(out)
}

func utf16be(b []byte) string {
	units := make([]uint16, 0, len(b)/2)
	for i := 0; i+1 < len(b); i += 2 {
		units = append(units, uint16(b[i])<<8|uint16(b[i+1]))
	}
	return string(utf16.Decode(units))
}

// information reads the information dictionary.
func (f *file) information() {
	const maxEntries = 40
	info, _ := f.resolve(f.trailer["Info"]).(dict)
	id := owner(f.trailer["Info"], ref{})
	for _, key := range slices.Sorted(maps.Keys(info)) {
		if len(f.doc.Info) == maxEntries {
			break
		}
		v := info[key]
		if s := strings.TrimSpace(f.text(v, owner(v, id))); s != "" {
			f.doc.Info[string(key)] = s[:min(len(s), 4096)]
		}
	}
}
