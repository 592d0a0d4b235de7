package eml

import (
	"bytes"
	"strings"
)

// Bounds on what is read of headers: the fields of one, the bytes of a field
// that are decoded, and the bytes of all headers of a message together. An
// Exchange Online message has a header of 256 KiB at most.
const (
	maxFields      = 20_000
	maxFieldText   = 256 << 10
	maxHeaderBytes = 8 << 20
)

// Header is the header of a part, its fields in the order of the message.
type Header struct {
	fields []Field
}

// Field is one header field (RFC 5322 section 2.2).
type Field struct {
	name  string
	value string // as it stands, folding included, without the final line end
	start int    // offset of the name in the raw message
	at    int    // offset of value in the raw message
	index int
}

// Fields returns all fields from top to bottom. The slice must not be changed.
func (h Header) Fields() []Field { return h.fields }

// Len returns the number of fields.
func (h Header) Len() int { return len(h.fields) }

// First returns the topmost field of that name (in any case) and whether there
// is one.
func (h Header) First(name string) (Field, bool) {
	for _, f := range h.fields {
		if len(f.name) == len(name) && strings.EqualFold(f.name, name) {
			return f, true
		}
	}
	return Field{}, false
}

// All returns every field of that name from top to bottom.
func (h Header) All(name string) []Field {
	var out []Field
	for _, f := range h.fields {
		if len(f.name) == len(name) && strings.EqualFold(f.name, name) {
			out = append(out, f)
		}
	}
	return out
}

// Value returns the unfolded value of the topmost field of that name, empty if
// there is none.
func (h Header) Value(name string) string {
	f, _ := h.First(name)
	return f.Value()
}

// Text returns the decoded text of the topmost field of that name.
func (h Header) Text(name string) string {
	f, _ := h.First(name)
	return f.Text().Text
}

// Name returns the field name as written.
func (f Field) Name() string { return f.name }

// Is reports whether the field has that name, in any case.
func (f Field) Is(name string) bool { return strings.EqualFold(f.name, name) }

// Index is the 1-based place of the field in its header, from the top.
func (f Field) Index() int { return f.index }

// Raw returns the value as it stands in the message, folding included.
func (f Field) Raw() string { return f.value }

// Span is the place of the whole field in the raw message, from the first
// letter of its name to the end of its value.
func (f Field) Span() Span {
	return Span{Offset: f.start, Length: f.at + len(f.value) - f.start}
}

// ValueSpan is the place of the value in the raw message.
func (f Field) ValueSpan() Span { return Span{Offset: f.at, Length: len(f.value)} }

// Value returns the value unfolded (RFC 5322 section 2.2.3) and trimmed, its
// encoded words as they are. Where a fold has lost its white space, a space is
// put in.
func (f Field) Value() string {
	v := f.value
	if strings.IndexByte(v, '\n') < 0 && strings.IndexByte(v, '\r') < 0 {
		return strings.Trim(v, " \t")
	}
	var b strings.Builder
	b.Grow(len(v))
	for {
		i := strings.IndexAny(v, "\r\n")
		if i < 0 {
			b.WriteString(v)
			break
		}
		b.WriteString(v[:i])
		v = v[i+1:]
		if lostFold(v) {
			b.WriteByte(' ')
		}
	}
	return strings.Trim(b.String(), " \t")
}

// lostFold reports whether the line at the start of v continues a field
// although it does not start with white space.
func lostFold(v string) bool { return v != "" && strings.IndexByte(" \t\r\n", v[0]) < 0 }

// unfolded returns the value unfolded, mapped to the raw message.
func (f Field) unfolded() Mapped {
	v := f.value[:min(len(f.value), maxFieldText)]
	if strings.IndexByte(v, '\n') < 0 && strings.IndexByte(v, '\r') < 0 {
		return Identity(v, f.at).TrimSpace()
	}
	b := MapBuilder{segs: make([]segment, 0, strings.Count(v, "\n")+1)}
	b.text.Grow(len(v))
	at := f.at
	for {
		i := strings.IndexAny(v, "\r\n")
		if i < 0 {
			b.Copy(v, at)
			break
		}
		b.Copy(v[:i], at)
		v, at = v[i+1:], at+i+1
		if lostFold(v) {
			b.Replace(" ", Span{Offset: at})
		}
	}
	return b.Mapped().TrimSpace()
}

// Text returns the value unfolded and with its encoded words decoded (RFC
// 2047), mapped to the raw message. Mistakes that mail programs put up with
// are put up with here: encoded words in quoted strings, without white space
// between them, split inside a character, with spaces inside, and raw 8-bit
// text in UTF-8 (RFC 6532) or a legacy charset. Of a value longer than 256 KiB
// the rest is left out (defect [LongField]).
func (f Field) Text() Mapped { return decodeWords(f.unfolded()) }

// headerParser reads the fields of one header.
type headerParser struct {
	raw     []byte
	bareCR  bool // lines end in CR alone
	defects []Defect
	part    string
	*work
}

type fieldPlace struct{ start, nameEnd, at, end int }

// line returns the end of the line that starts at i (without its line end) and
// the start of the next one.
func (p *headerParser) line(i, limit int) (end, next int) {
	nl := byte('\n')
	if p.bareCR {
		nl = '\r'
	}
	j := bytes.IndexByte(p.raw[i:limit], nl)
	if j < 0 {
		return limit, limit
	}
	end, next = i+j, i+j+1
	if end > i && p.raw[end-1] == '\r' {
		end--
	}
	return end, next
}

func (p *headerParser) defect(code DefectCode, at int) {
	for _, d := range p.defects {
		if d.Code == code { // one of a kind says enough
			return
		}
	}
	p.defects = append(p.defects, Defect{Code: code, Part: p.part, Offset: at})
}

// parse reads the header that starts at start and returns it with the offset
// at which the body begins.
func (p *headerParser) parse(start, limit int, root bool) (Header, int) {
	i := start
	if root {
		i = p.skipPreamble(i, limit)
	}
	places := p.places[:0]
	readEnd := min(limit, i+max(0, maxHeaderBytes-p.headerBytes)) // fields are read up to there
	full := false
	body, strayEnd := -1, 0
	for i < limit {
		end, next := p.line(i, limit)
		if end == i {
			body = next
			break
		}
		c := p.raw[i]
		if c == ' ' || c == '\t' {
			if len(places) > 0 {
				if !full {
					places[len(places)-1].end = min(end, readEnd)
					if full = end > readEnd; full {
						p.defect(TooManyFields, i)
					}
				}
				i = next
				continue
			}
			if blank(p.raw[i:end]) {
				p.defect(LeadingBlankLines, i)
				i = next
				continue
			}
		}
		n := fieldName(p.raw[i:end])
		if n < 0 {
			if mboxFrom(p.raw[i:end]) {
				p.defect(MalformedHeaderLine, i)
				i = next
				continue
			}
			// A line that is no field belongs to the field above it, whose
			// fold lost its white space, if fields follow. Otherwise it is
			// where the body starts without a blank line.
			if i >= strayEnd {
				if strayEnd = p.fieldAfter(next, limit); strayEnd < 0 {
					p.defect(MissingSeparator, i)
					body = i
					break
				}
			}
			p.defect(MalformedHeaderLine, i)
			if len(places) > 0 && !full {
				places[len(places)-1].end = min(end, readEnd)
			}
			i = next
			continue
		}
		colon := i + bytes.IndexByte(p.raw[i:end], ':')
		if colon != i+n {
			p.defect(SpaceBeforeColon, i)
		}
		if !full && colon < readEnd {
			places = append(places, fieldPlace{start: i, nameEnd: i + n, at: colon + 1, end: min(end, readEnd)})
		}
		if !full && (end > readEnd || colon >= readEnd || len(places) > maxFields) {
			full = true
			places = places[:min(len(places), maxFields)]
			p.defect(TooManyFields, i)
		}
		i = next
	}
	p.places = places
	if body < 0 {
		body = limit
	}
	if len(places) == 0 {
		p.defect(NoHeader, start)
		if body > start && p.hasText(start, body) {
			body = start
		}
		return Header{}, body
	}
	p.strayCR(start, body)
	first, last := places[0].start, places[len(places)-1].end
	p.headerBytes += last - first
	// One string for the whole header: names and values are slices of it.
	s := string(p.raw[first:last])
	fields := make([]Field, len(places))
	for k, pl := range places {
		at := pl.at
		fields[k] = Field{
			name:  s[pl.start-first : pl.nameEnd-first],
			value: s[at-first : max(at, pl.end)-first],
			start: pl.start,
			at:    at,
			index: k + 1,
		}
	}
	return Header{fields: fields}, body
}

// strayCR notes a CR inside a line: programs differ in whether it ends the
// line.
func (p *headerParser) strayCR(i, end int) {
	if p.bareCR {
		p.defect(BareCR, i)
		return
	}
	for {
		j := bytes.IndexByte(p.raw[i:end], '\r')
		if j < 0 {
			return
		}
		i += j + 1
		if i < len(p.raw) && p.raw[i] != '\n' {
			p.defect(BareCR, i-1)
			return
		}
	}
}

// strayBytes is how far a header is searched for the end of stray lines.
const strayBytes = 16 << 10

// fieldAfter returns where the header goes on if the stray lines before i are
// within it, -1 if they are not: a field follows at once, or before a blank
// line one that people do not type into a text.
func (p *headerParser) fieldAfter(i, limit int) int {
	if i >= limit {
		return i
	}
	limit = min(limit, i+strayBytes)
	for first := true; i < limit; first = false {
		end, next := p.line(i, limit)
		line := p.raw[i:end]
		if blank(line) || bytes.HasPrefix(line, []byte("--")) {
			return -1
		}
		if n := fieldName(line); n > 0 && (first || traceField(string(line[:n]))) {
			return i
		}
		i = next
	}
	return -1
}

// traceField reports whether mail programs write the field and people do not.
func traceField(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "received", "message-id", "mime-version", "return-path", "dkim-signature", "authentication-results", "received-spf":
		return true
	}
	for _, prefix := range []string{"x-", "arc-", "content-", "list-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func (p *headerParser) hasText(from, to int) bool { return !blank(p.raw[from:to]) }

// skipPreamble passes over what mail programs and mailboxes leave above the
// header: a byte order mark, blank lines, a "From " line.
func (p *headerParser) skipPreamble(i, limit int) int {
	if bytes.HasPrefix(p.raw[i:limit], []byte("\xef\xbb\xbf")) {
		i += 3
	}
	for i < limit {
		end, next := p.line(i, limit)
		switch {
		case blank(p.raw[i:end]):
			p.defect(LeadingBlankLines, i)
		case mboxFrom(p.raw[i:end]):
			p.defect(MboxFromLine, i)
		default:
			return i
		}
		i = next
	}
	return i
}

func mboxFrom(line []byte) bool {
	return bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))
}

func blank(b []byte) bool {
	for _, c := range b {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return false
		}
	}
	return true
}

// fieldName returns the length of the field name that the line starts with, -1
// if the line is no header field. RFC 5322 section 3.6.8: any printable ASCII
// but the colon; white space before the colon is the obsolete form.
func fieldName(line []byte) int {
	for i, c := range line {
		switch {
		case c == ':':
			if i == 0 {
				return -1
			}
			return i
		case c == ' ' || c == '\t':
			rest := bytes.TrimLeft(line[i:min(len(line), i+64)], " \t")
			if i > 0 && len(rest) > 0 && rest[0] == ':' {
				return i
			}
			return -1
		case c < 0x21 || c > 0x7e || i > 200:
			return -1
		}
	}
	return -1
}
