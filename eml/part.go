package eml

import (
	"bytes"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/sekisho/sekisho/budget"
)

// Part is one MIME part (RFC 2045). It is immutable and safe for concurrent
// use; content is decoded at its first use.
type Part struct {
	id          string
	header      Header
	mediaType   string
	params      params
	disposition string
	dparams     params
	encoding    string
	raw         []byte
	body        Span
	parent      *Part
	children    []*Part
	embedded    *Message
	defects     []Defect
	message     bool // the part is the root of a message

	contentOnce    sync.Once
	content        []byte
	contentDefects []Defect
	textOnce       sync.Once
	text           string
	charset        string
	textDefects    []Defect
}

// ID is the part's place in the tree: "1" is the root of the message that was
// handed in, "1.2" its second part, "1.2.1" the root of a message attached as
// that part.
func (p *Part) ID() string { return p.id }

// Header returns the part's header.
func (p *Part) Header() Header { return p.header }

// MediaType returns the type and subtype in lower case, "text/plain" where the
// part names none or one that cannot be read (RFC 2045 section 5.2).
func (p *Part) MediaType() string { return p.mediaType }

// Param returns a parameter of the Content-Type, decoded, by its lower-case
// name.
func (p *Part) Param(name string) string { return p.params.get(name) }

// Disposition returns "inline", "attachment" or another disposition type in
// lower case (RFC 2183), empty where the part has none.
func (p *Part) Disposition() string { return p.disposition }

// Encoding returns the Content-Transfer-Encoding in lower case, empty where
// the part has none.
func (p *Part) Encoding() string { return p.encoding }

// Filename returns the name that the sender gave the part, decoded, without
// any folders. It is empty where the sender gave none.
func (p *Part) Filename() string {
	name := p.dparams.get("filename")
	if name == "" {
		name = p.params.get("name")
	}
	if name == "" {
		return ""
	}
	if i := strings.LastIndexByte(name, '\\'); i >= 0 {
		name = name[i+1:]
	}
	name = path.Base(name)
	if name == "." || name == "/" {
		return ""
	}
	return name
}

// ContentID returns the Content-ID without its angle brackets.
func (p *Part) ContentID() string {
	return strings.Trim(p.header.Value("Content-ID"), "<> \t")
}

// Parent returns the part that holds this one, nil for the root of the message
// that was handed in.
func (p *Part) Parent() *Part { return p.parent }

// Children returns the parts of a multipart. The slice must not be changed.
func (p *Part) Children() []*Part { return p.children }

// Embedded returns the message that the part holds (message/rfc822 and the
// like), nil if it holds none. Its offsets count in the same raw bytes as
// those of the outer message unless the part was transfer-encoded, which RFC
// 2046 section 5.2.1 forbids and mail programs do.
func (p *Part) Embedded() *Message { return p.embedded }

// IsLeaf reports whether the part has content of its own: it is neither a
// multipart that was taken apart nor an attached message that was read.
func (p *Part) IsLeaf() bool { return len(p.children) == 0 && p.embedded == nil }

// IsText reports whether the part is text to a reader: any text type, or a
// multipart that could not be taken apart.
func (p *Part) IsText() bool {
	return p.IsLeaf() && (strings.HasPrefix(p.mediaType, "text/") || strings.HasPrefix(p.mediaType, "multipart/"))
}

// IsAttachment reports whether a mail program would list the part as an
// attachment rather than show it as the text of the message.
func (p *Part) IsAttachment() bool {
	if !p.IsLeaf() && p.embedded == nil {
		return false
	}
	if p.disposition == "attachment" || p.embedded != nil {
		return true
	}
	switch p.mediaType {
	case "text/plain", "text/html":
		return p.disposition != "inline" && p.Filename() != ""
	}
	return p.parent != nil || !strings.HasPrefix(p.mediaType, "text/")
}

// BodySpan is the place of the encoded body in the raw bytes.
func (p *Part) BodySpan() Span { return p.body }

// Body returns the body as it stands in the message, still encoded.
func (p *Part) Body() []byte { return p.raw[p.body.Offset:p.body.End()] }

// Quote returns the bytes of a span of the part's header or encoded body as
// text. A part within a transfer-encoded multipart or attached message counts
// in the decoded bytes of that.
func (p *Part) Quote(s Span) string { return quote(p.raw, s) }

// Content returns the body with its transfer encoding undone. The slice must
// not be changed.
func (p *Part) Content() []byte {
	p.contentOnce.Do(func() { p.content, p.contentDefects = p.decodeTransfer() })
	return p.content
}

// Text returns the content decoded to valid UTF-8 as the charset says. Bytes
// that do not exist in the charset become U+FFFD.
func (p *Part) Text() string {
	p.textOnce.Do(func() { p.text, p.charset, p.textDefects = p.decodeText() })
	return p.text
}

// Charset returns the name of the charset that [Part.Text] was decoded from.
func (p *Part) Charset() string {
	p.Text()
	return p.charset
}

// Defects returns what is wrong with the part itself, not with the parts below
// it.
func (p *Part) Defects() []Defect {
	out := p.fieldDefects(slices.Clip(p.defects))
	if !p.IsLeaf() {
		return out
	}
	p.Content()
	out = append(out, p.contentDefects...)
	if p.IsText() {
		p.Text()
		out = append(out, p.textDefects...)
	}
	return out
}

// walk yields the part and those below it, into attached messages if nested is
// set.
func (p *Part) walk(nested bool, yield func(*Part) bool) bool {
	if !yield(p) {
		return false
	}
	for _, c := range p.children {
		if !c.walk(nested, yield) {
			return false
		}
	}
	if nested && p.embedded != nil {
		return p.embedded.root.walk(nested, yield)
	}
	return true
}

// parser reads one buffer. A transfer-encoded attached message gets a parser
// of its own over its decoded bytes.
type parser struct {
	raw    []byte
	bareCR bool
	*work
}

// work is what the parsers of one message share.
type work struct {
	budget  *budget.Budget
	decoded int // bytes of multiparts and messages whose transfer encoding was undone

	headerBytes int          // of all headers read
	places      []fieldPlace // scratch memory of the header parser
}

type partPlace struct {
	id         string
	start, end int
	depth      int
	parent     *Part
	message    bool // the part is the root of a message
	digest     bool // it stands in a multipart/digest (RFC 2046 section 5.1.5)
}

func (p *parser) part(pl partPlace) *Part {
	hp := headerParser{raw: p.raw, bareCR: p.bareCR, part: pl.id, work: p.work}
	header, body := hp.parse(pl.start, pl.end, pl.message)
	pt := &Part{
		id: pl.id, header: header, raw: p.raw, parent: pl.parent, message: pl.message,
		body: Span{Offset: body, Length: pl.end - body},
	}
	for _, d := range hp.defects {
		if d.Code != NoHeader || pl.message { // a MIME part needs no header
			pt.defects = append(pt.defects, d)
		}
	}
	pt.readType(pl.digest)
	if !p.spend(pt, body-pl.start) {
		return pt
	}
	switch {
	case strings.HasPrefix(pt.mediaType, "multipart/"):
		p.multipart(pt, pl.depth)
	case embedsMessage(pt.mediaType):
		p.embed(pt, pl.depth)
	}
	return pt
}

// spend pays for n bytes and reports whether the part may be read further.
func (p *parser) spend(pt *Part, n int) bool {
	if p.budget.Spend(n) {
		return true
	}
	pt.defects = append(pt.defects, Defect{Code: BudgetExhausted, Part: pt.id, Offset: pt.body.Offset})
	return false
}

// readType reads the fields that say what the part is.
func (p *Part) readType(digest bool) {
	p.mediaType = "text/plain"
	if digest {
		p.mediaType = "message/rfc822"
	}
	if f, ok := p.header.First("Content-Type"); ok {
		mt, params := parseParams(f.Value())
		p.params = params
		if validMediaType(mt) {
			p.mediaType = mt
		} else {
			if mt == "text" || mt == "html" {
				// Some senders leave the slash out; readers show what was meant.
				p.mediaType = map[string]string{"text": "text/plain", "html": "text/html"}[mt]
			}
			p.defects = append(p.defects, Defect{Code: MalformedContentType, Part: p.id, Offset: f.start})
		}
	}
	if f, ok := p.header.First("Content-Disposition"); ok {
		p.disposition, p.dparams = parseParams(f.Value())
	}
	if f, ok := p.header.First("Content-Transfer-Encoding"); ok {
		p.encoding = transferEncoding(f.Value())
	}
}

func validMediaType(s string) bool {
	t, sub, ok := strings.Cut(s, "/")
	return ok && t != "" && sub != "" && !strings.ContainsAny(s, " \t\"(),:;<>@[\\]=?") && strings.Count(s, "/") == 1
}

func embedsMessage(mediaType string) bool {
	switch mediaType {
	case "message/rfc822", "message/global", "message/news", "message/rfc822-headers", "text/rfc822-headers":
		return true
	}
	return false
}

func (p *parser) refuse(pt *Part, depth int) bool {
	if p.budget.SpendPart(depth) {
		return false
	}
	code := TooManyParts
	if depth > p.budget.Depth {
		code = TooDeep
	}
	pt.defects = append(pt.defects, Defect{Code: code, Part: pt.id, Offset: pt.body.Offset})
	return true
}

// embed reads an attached message.
func (p *parser) embed(pt *Part, depth int) {
	if p.refuse(pt, depth+1) {
		return
	}
	sub, span := p, pt.body
	switch pt.encoding {
	case "base64", "quoted-printable", "x-uuencode":
		if sub = p.decode(pt); sub == nil {
			return
		}
		span = Span{Length: len(sub.raw)}
	}
	root := sub.part(partPlace{id: pt.id + ".1", start: span.Offset, end: span.End(), depth: depth + 1, parent: pt, message: true})
	pt.embedded = &Message{raw: sub.raw, span: span, root: root}
}

// decode undoes the transfer encoding of a part that holds others. All that is
// decoded so is bounded together: quoted-printable may nest without shrinking.
// The parser is nil if the bound is reached.
func (p *parser) decode(pt *Part) *parser {
	n := pt.body.Length
	if pt.encoding == "base64" {
		n = n / 4 * 3
	}
	if p.decoded+n > budget.DefaultBytes {
		pt.defects = append(pt.defects, Defect{Code: TooLarge, Part: pt.id, Offset: pt.body.Offset})
		return nil
	}
	p.decoded += n
	if !p.spend(pt, n) {
		return nil
	}
	decoded := pt.Content()
	return &parser{raw: decoded, work: p.work, bareCR: bareCR(decoded)}
}

// multipart takes the body apart at its boundary (RFC 2046 section 5.1).
func (p *parser) multipart(pt *Part, depth int) {
	if pt.encoding == "base64" || pt.encoding == "quoted-printable" {
		// The encoding of a multipart must be an identity; readers differ in
		// whether they decode it. The delimiters tell what was meant.
		pt.defects = append(pt.defects, Defect{Code: EncodedMultipart, Part: pt.id, Offset: pt.body.Offset})
		if b := pt.boundary(); b == "" || !p.hasDelimiter(pt.body.Offset, pt.body.End(), b) {
			if sub := p.decode(pt); sub != nil {
				sub.split(pt, 0, len(sub.raw), depth)
			}
			return
		}
		pt.encoding = ""
	}
	p.split(pt, pt.body.Offset, pt.body.End(), depth)
}

// boundary returns the boundary parameter, which does not end in white space
// (RFC 2046 section 5.1.1).
func (p *Part) boundary() string { return strings.TrimRight(p.params.get("boundary"), " \t") }

func (p *parser) split(pt *Part, start, end, depth int) {
	if !p.spend(pt, end-start) { // at every level: nesting pays for reading again
		return
	}
	boundary := pt.boundary()
	if boundary == "" {
		pt.defects = append(pt.defects, Defect{Code: MissingBoundary, Part: pt.id, Offset: start})
	}
	if boundary == "" || !p.hasDelimiter(start, end, boundary) {
		if boundary != "" {
			pt.defects = append(pt.defects, Defect{Code: BoundaryNotFound, Part: pt.id, Offset: start})
		}
		if boundary = p.guessBoundary(start, end); boundary == "" {
			return
		}
		pt.defects = append(pt.defects, Defect{Code: GuessedBoundary, Part: pt.id, Offset: start})
	}
	digest := pt.mediaType == "multipart/digest"
	open := -1 // where the part being read starts
	closed := false
	add := func(to int) bool {
		if open < 0 {
			return true
		}
		if p.refuse(pt, depth+1) {
			return false
		}
		id := pt.id + "." + strconv.Itoa(len(pt.children)+1)
		pt.children = append(pt.children, p.part(partPlace{id: id, start: open, end: max(open, to), depth: depth + 1, parent: pt, digest: digest}))
		return true
	}
	for d := range p.delimiters(start, end, boundary) {
		if !add(d.before) {
			return
		}
		open = d.after
		if d.closing {
			open, closed = -1, true
			break
		}
	}
	if !closed {
		pt.defects = append(pt.defects, Defect{Code: UnclosedMultipart, Part: pt.id, Offset: end})
		// What follows the last delimiter is a part that was cut off; nothing
		// after it means the closing delimiter lost its dashes.
		if open < end && !blank(p.raw[open:end]) || len(pt.children) == 0 {
			add(end)
		}
	}
}

// delimiter is one boundary line.
type delimiter struct {
	before  int // where the content before it ends, its line end removed
	after   int // where the content after it starts
	closing bool
}

func (p *parser) delimiters(start, end int, boundary string) func(func(delimiter) bool) {
	dash := []byte("--" + boundary)
	return func(yield func(delimiter) bool) {
		i := start
		for i < end {
			j := bytes.Index(p.raw[i:end], dash)
			if j < 0 {
				return
			}
			at := i + j
			i = at + len(dash)
			if at > start && p.raw[at-1] != '\n' && (!p.bareCR || p.raw[at-1] != '\r') {
				continue
			}
			rest := i
			closing := bytes.HasPrefix(p.raw[rest:end], []byte("--"))
			if closing {
				rest += 2
			}
			hp := headerParser{raw: p.raw, bareCR: p.bareCR}
			lineEnd, next := hp.line(rest, end)
			// Only white space may follow; a longer boundary that starts with
			// this one is another boundary. Text after a closing delimiter is
			// a common mistake of senders.
			if !closing && !blank(p.raw[rest:lineEnd]) {
				continue
			}
			before := at
			if before > start && p.raw[before-1] == '\n' {
				before--
			}
			if before > start && p.raw[before-1] == '\r' {
				before--
			}
			if !yield(delimiter{before: before, after: next, closing: closing}) {
				return
			}
			i = next
		}
	}
}

func (p *parser) hasDelimiter(start, end int, boundary string) bool {
	for range p.delimiters(start, end, boundary) {
		return true
	}
	return false
}

// guessBoundary looks for a line that starts with two dashes and is followed
// by a header field, as mail programs that put up with a wrong boundary do.
func (p *parser) guessBoundary(start, end int) string {
	hp := headerParser{raw: p.raw, bareCR: p.bareCR}
	limit := min(end, start+64<<10)
	for i := start; i < limit; {
		lineEnd, next := hp.line(i, limit)
		line := bytes.TrimRight(p.raw[i:lineEnd], " \t")
		if len(line) > 2 && len(line) <= 202 && line[0] == '-' && line[1] == '-' && next < limit {
			fieldEnd, _ := hp.line(next, limit)
			n := fieldName(p.raw[next:fieldEnd])
			if n > 0 && strings.HasPrefix(strings.ToLower(string(p.raw[next:next+n])), "content-") {
				return string(line[2:])
			}
		}
		i = next
	}
	return ""
}

// decodedName undoes the encoded words that senders put into file names
// although RFC 2047 section 5 forbids it there, and raw 8-bit text.
func decodedName(s string) string {
	if strings.Contains(s, "=?") || !isASCII(s) {
		return decodeWords(Identity(s, 0)).Text
	}
	return s
}
