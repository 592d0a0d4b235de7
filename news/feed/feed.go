// Package feed reads what sources of news publish: RSS, Atom and JSON feeds,
// CISA's catalogue of exploited vulnerabilities, the documents of Microsoft's
// MSRC, CSAF, the answers of MyJVN, and plain pages of articles.
//
// What a document is, its content tells; neither its name nor the type that a
// server gives it is believed. Everything read is hostile: size, depth, the
// number of items and the time spent are bounded before any other parser sees
// the bytes, and of a page or a description only what a reader would see is
// kept.
package feed

import (
	"bytes"
	"fmt"
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
)

// Format is what a document was recognised as.
type Format string

// The formats.
const (
	RSS          Format = "rss"           // 0.9x and 2.0
	RDF          Format = "rdf"           // RSS 0.90 and 1.0
	Atom         Format = "atom"          // 0.3 and 1.0
	JSONFeed     Format = "jsonfeed"      // https://www.jsonfeed.org/version/1.1/
	KEV          Format = "kev"           // CISA's catalogue of known exploited vulnerabilities
	CVRF         Format = "cvrf"          // a month of MSRC's updates
	CVRFIndex    Format = "cvrf-index"    // the list of such months
	SUG          Format = "sug"           // MSRC's Security Update Guide
	CSAF         Format = "csaf"          // CSAF 2.0, and what MyJVN derives from 2.1
	CSAFProvider Format = "csaf-provider" // provider-metadata.json
	CSAFIndex    Format = "csaf-index"    // a ROLIE feed, index.txt or changes.csv
	MyJVN        Format = "myjvn"         // answers of the MyJVN API in JSON
	Page         Format = "page"          // an article in HTML
	Plain        Format = "plain"         // an article in plain text or Markdown
)

// Want is what a caller asks for.
type Want string

// The wants. With the zero value everything that is recognised is read.
const (
	Anything Want = ""
	Feed     Want = "feed"    // a list or a document of a machine; a page is [HTMLInstead]
	Document Want = "article" // one article: HTML, plain text or Markdown, or one CSAF document
)

// Limits of what is read.
const (
	MaxBytes    = 32 << 20  // of a feed or document
	MaxPage     = 4 << 20   // of an HTML page
	MaxItems    = 20_000    // of a document
	maxDepth    = 100       // of elements and of JSON values
	maxTitle    = 600       // bytes of a title
	maxText     = 256 << 10 // bytes of an item's text
	maxProducts = 500       // of an item
	maxCVEs     = 1000      // of an item
	maxRefs     = 100       // of an item
)

// Options say what is known of a document beforehand. A nil *Options knows
// nothing.
type Options struct {
	Source  string        // id of the source, part of every item's identity
	URL     string        // where it was read, for relative links and for a page's identity
	Charset string        // of the Content-Type header, if it had one
	Lang    lang.Language // of the source; empty to tell by the text
	Want    Want
}

// Pointer is another document that a document names, to be fetched next.
type Pointer struct {
	URL     string    `json:"url"`
	Title   string    `json:"title,omitempty"`
	Updated time.Time `json:"updated,omitzero"`
	Rel     string    `json:"rel"` // "next", "document", "rolie", "directory"
}

// Read is a document that was read.
type Read struct {
	Format   Format
	Title    string
	Link     string
	Lang     lang.Language
	Items    []news.Item
	Pointers []Pointer
	Defects  []Defect
	Snapshot string // "sha256:..." of the bytes
}

// DefectCode names something wrong in a document that could be read all the
// same.
type DefectCode string

// The defects.
const (
	CutOff       DefectCode = "cut-off"       // it ends before it is complete; the whole items were read
	WrongCharset DefectCode = "wrong-charset" // its bytes are not of the charset that it names
	ItemsDropped DefectCode = "items-dropped" // more items than [MaxItems]
	NoTitle      DefectCode = "no-title"      // an item without a title and text
	BadLink      DefectCode = "bad-link"      // a link that is not http or https, or leads to another host than it may
	BadDate      DefectCode = "bad-date"      // a date that cannot be read
	TextCut      DefectCode = "text-cut"      // a text longer than is kept
	HiddenText   DefectCode = "hidden-text"   // text that a reader would not see was left out
	OddVersion   DefectCode = "odd-version"   // a version of the format that is only nearly known
	Preliminary  DefectCode = "preliminary"   // the source says that it is not final
	Incomplete   DefectCode = "incomplete"    // the source says that it answers in part, or with an error
	NoArticle    DefectCode = "no-article"    // the main text of a page was not found; all of its text is kept
	Doubled      DefectCode = "doubled"       // two items with one identity; the first is kept
)

// Defect is something wrong.
type Defect struct {
	Code   DefectCode `json:"code"`
	Detail string     `json:"detail,omitempty"` // where, or how many
}

// Fault names why a document could not be read.
type Fault string

// The faults.
const (
	Empty        Fault = "empty"        // no bytes, or white space only
	HTMLInstead  Fault = "html-instead" // a page where a feed was expected
	FeedInstead  Fault = "feed-instead" // a list where an article was expected
	Unrecognised Fault = "unrecognised" // none of the formats
	TooLarge     Fault = "too-large"    // more than [MaxBytes]
	TooDeep      Fault = "too-deep"     // nested deeper than any such document is
	TooComplex   Fault = "too-complex"  // built to cost a reader time: attributes, name spaces, fragments
	Entities     Fault = "entities"     // declares entities of its own, as bombs do
	Malformed    Fault = "malformed"    // of a known format, and broken
)

// Error says why a document could not be read.
type Error struct {
	Fault  Fault
	Detail string // for the log of whoever runs the source
	err    error
}

// Error implements error.
func (e *Error) Error() string {
	s := "feed: " + string(e.Fault)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.err != nil {
		s += ": " + e.err.Error()
	}
	return s
}

// Unwrap returns the error of the parser, if there was one.
func (e *Error) Unwrap() error { return e.err }

// Message says for people why the document could not be read.
func (e *Error) Message() lang.Message { return lang.M("news.fault." + string(e.Fault)) }

// Message says for people what was wrong.
func (d Defect) Message() lang.Message { return lang.M("news.defect." + string(d.Code)) }

func fault(f Fault, format string, args ...any) *Error {
	return &Error{Fault: f, Detail: fmt.Sprintf(format, args...)}
}

// reader is one document that is being read.
type reader struct {
	o    Options
	data []byte
	doc  *Read
	seen map[news.ItemID]bool
}

// Parse reads a document. The error is an [*Error]; what is wrong and could be
// read all the same is in [Read.Defects].
func Parse(data []byte, o *Options) (*Read, error) {
	if o == nil {
		o = &Options{}
	}
	if len(data) > MaxBytes {
		return nil, fault(TooLarge, "%d bytes", len(data))
	}
	r := &reader{o: *o, data: data, seen: map[news.ItemID]bool{}, doc: &Read{Snapshot: news.Snapshot(data), Lang: o.Lang}}
	text, wrong := decode(data, o.Charset)
	if wrong {
		r.defect(WrongCharset, "")
	}
	trimmed := bytes.TrimLeft(text, " \t\r\n\f\v")
	if len(trimmed) == 0 {
		return nil, fault(Empty, "%d bytes", len(data))
	}
	var err error
	switch shape := shapeOf(trimmed); shape {
	case shapeJSON:
		err = r.json(trimmed)
	case shapeXML:
		err = r.xml(trimmed)
	case shapeHTML:
		if o.Want == Feed {
			return nil, fault(HTMLInstead, "%s", title(string(trimmed[:min(len(trimmed), 64<<10)])))
		}
		err = r.page(trimmed)
	case shapeText:
		err = r.text(trimmed)
	case shapeNone:
		err = fault(Unrecognised, "%q", trimmed[:min(len(trimmed), 32)])
	}
	if err != nil {
		return nil, err
	}
	if o.Want == Document && (len(r.doc.Items) != 1 || r.doc.Format != Page && r.doc.Format != Plain && r.doc.Format != CSAF) {
		return nil, fault(FeedInstead, "%s with %d items", r.doc.Format, len(r.doc.Items))
	}
	return r.doc, nil
}

func (r *reader) defect(code DefectCode, detail string) {
	for _, d := range r.doc.Defects {
		if d.Code == code {
			return // one of each is enough to know
		}
	}
	r.doc.Defects = append(r.doc.Defects, Defect{Code: code, Detail: detail})
}
