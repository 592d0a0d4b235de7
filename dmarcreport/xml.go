package dmarcreport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
)

// The reasons for which a document is refused.
var (
	ErrNotXML  = errors.New("dmarcreport: not XML")
	ErrDoctype = errors.New("dmarcreport: a document type declaration, which reports do not have")
	ErrDeep    = errors.New("dmarcreport: elements nested too deeply")
	ErrCharset = errors.New("dmarcreport: unknown charset")
)

// kind is what a scanner found.
type kind uint8

const (
	end kind = iota // of the document
	startTag
	endTag
	emptyTag
	text
)

// scanner reads XML as it stands in reports: elements and text. Attributes,
// comments and processing instructions are passed over. It works on the bytes in
// place and allocates only for text with references in it.
type scanner struct {
	data []byte
	at   int

	name  []byte // of a tag, without its prefix
	attrs []byte // of a start tag, as they are
	text  []byte // of a text, with references undone
	same  bool   // an end tag has the name of the tag before it
	cut   bool   // the document ended inside of markup
	odd   bool   // something that is not well-formed was passed over
}

// newScanner prepares a document: in UTF-8, without what stands in front of the
// first tag. Bad reports that bytes were not of the charset.
func newScanner(data []byte) (s *scanner, bad bool, err error) {
	switch {
	case bytes.HasPrefix(data, []byte{0xef, 0xbb, 0xbf}):
		data = data[3:]
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		data = fromUTF16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		data = fromUTF16(data[2:], binary.BigEndian)
	case len(data) > 3 && data[0] == '<' && data[1] == 0:
		data = fromUTF16(data, binary.LittleEndian)
	case len(data) > 3 && data[0] == 0 && data[1] == '<':
		data = fromUTF16(data, binary.BigEndian)
	}
	data = bytes.TrimLeft(data, " \t\r\n")
	if len(data) == 0 || data[0] != '<' {
		return nil, false, ErrNotXML
	}
	if !isASCII(data) {
		if label := declared(data); label != "" && label != "utf-8" && label != "utf8" && label != "utf-16" && label != "us-ascii" {
			e, err := htmlindex.Get(label)
			if err != nil {
				return nil, false, ErrCharset
			}
			if data, err = e.NewDecoder().Bytes(data); err != nil {
				return nil, false, ErrCharset
			}
		}
		if !utf8.Valid(data) {
			data, bad = bytes.ToValidUTF8(data, []byte("\uFFFD")), true
		}
	}
	return &scanner{data: data}, bad, nil
}

func isASCII(b []byte) bool {
	for len(b) >= 8 {
		if binary.LittleEndian.Uint64(b)&0x8080808080808080 != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

func fromUTF16(b []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, 0, len(b)/2)
	for ; len(b) >= 2; b = b[2:] {
		units = append(units, order.Uint16(b))
	}
	return []byte(string(utf16.Decode(units)))
}

// declared is the encoding of an XML declaration, in lower case.
func declared(data []byte) string {
	if !bytes.HasPrefix(data, []byte("<?xml")) {
		return ""
	}
	decl, _, _ := bytes.Cut(data[:min(len(data), 200)], []byte("?>"))
	return string(bytes.ToLower(attribute(decl, "encoding")))
}

// attribute is the value of an attribute, without references undone.
func attribute(attrs []byte, name string) []byte {
	_, v, ok := bytes.Cut(attrs, []byte(name))
	if !ok {
		return nil
	}
	v = bytes.TrimLeft(v, " \t\r\n")
	if len(v) < 2 || v[0] != '=' {
		return nil
	}
	v = bytes.TrimLeft(v[1:], " \t\r\n")
	if len(v) < 2 || v[0] != '"' && v[0] != '\'' {
		return nil
	}
	out, _, _ := bytes.Cut(v[1:], v[:1])
	return out
}

// next goes to the next tag or text. Text of white space alone is passed over.
func (s *scanner) next() (kind, error) {
	for s.at < len(s.data) {
		i := s.at // nearly all text is what a writer indents with
		for i < len(s.data) && white[s.data[i]] {
			i++
		}
		if s.at = i; i == len(s.data) {
			break
		}
		if c := s.data[i]; c != '<' {
			n := bytes.IndexByte(s.data[s.at:], '<')
			if n < 0 {
				n = len(s.data) - s.at
			}
			raw := s.data[s.at : s.at+n]
			s.at += n
			if last := raw[n-1]; c >= utf8.RuneSelf || last <= ' ' || last >= utf8.RuneSelf {
				raw = bytes.TrimSpace(raw)
			}
			if len(raw) > 0 {
				s.text = unescape(raw)
				return text, nil
			}
			continue
		}
		if s.at+1 == len(s.data) {
			s.at, s.cut = len(s.data), true
			return end, nil
		}
		switch s.data[s.at+1] {
		case '?':
			s.pass("?>")
			continue
		case '!':
			rest := s.data[s.at:]
			switch {
			case bytes.HasPrefix(rest, []byte("<!--")):
				s.pass("-->")
				continue
			case bytes.HasPrefix(rest, []byte("<![CDATA[")):
				raw, _, ok := bytes.Cut(rest[9:], []byte("]]>"))
				s.at += 9 + len(raw) + 3
				if !ok {
					s.at, s.cut = len(s.data), true
				}
				if raw = bytes.TrimSpace(raw); len(raw) > 0 {
					s.text = raw
					return text, nil
				}
				continue
			}
			return end, ErrDoctype
		}
		if k, ok := s.tag(); ok {
			return k, nil
		}
		if s.cut {
			return end, nil
		}
	}
	return end, nil
}

// pass goes behind a delimiter.
func (s *scanner) pass(delim string) {
	n := bytes.Index(s.data[s.at:], []byte(delim))
	if n < 0 {
		s.at, s.cut = len(s.data), true
		return
	}
	s.at += n + len(delim)
}

// tag reads a tag. A "<" that begins none is passed over.
func (s *scanner) tag() (kind, bool) {
	// Nearly all tags are a name and nothing else.
	from := s.at + 1
	i, k := from, startTag
	if s.data[i] == '/' {
		i, k = i+1, endTag
		// Half of them close what was opened just before.
		if n := i + len(s.name); n < len(s.data) && s.data[n] == '>' && len(s.name) > 0 && string(s.data[i:n]) == string(s.name) {
			s.same, s.attrs, s.at = true, nil, n+1
			return k, true
		}
	}
	s.same = false
	start := i
	for i < len(s.data) && inName[s.data[i]] {
		i++
	}
	if i > start && i < len(s.data) && nameStart(s.data[start]) {
		name := s.data[start:i]
		switch {
		case s.data[i] == '>':
			s.name, s.attrs, s.at = name, nil, i+1
			return k, true
		case k == startTag && s.data[i] == '/' && i+1 < len(s.data) && s.data[i+1] == '>':
			s.name, s.attrs, s.at = name, nil, i+2
			return emptyTag, true
		}
	}
	return s.anyTag(from)
}

// white are the bytes between tags.
var white = [256]bool{' ': true, '\t': true, '\r': true, '\n': true}

// inName are the bytes of a name without a prefix.
var inName = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= '0' && c <= '9' || c == '-' || c == '.' || nameStart(byte(c)) //nolint:gosec // below 256
	}
	return t
}()

func (s *scanner) anyTag(from int) (kind, bool) {
	n := bytes.IndexByte(s.data[from:], '>')
	if n < 0 {
		s.at, s.cut = len(s.data), true
		return end, false
	}
	body := s.data[from : from+n]
	if i := bytes.IndexByte(body, '<'); i >= 0 {
		// A bare "<" in a text: the tag is the one behind.
		s.at, s.odd = from+i, true
		return end, false
	}
	k := startTag
	switch {
	case len(body) > 0 && body[0] == '/':
		k, body = endTag, body[1:]
	case len(body) > 0 && body[len(body)-1] == '/':
		k, body = emptyTag, body[:len(body)-1]
	}
	name, attrs := body, []byte(nil)
	if i := bytes.IndexAny(body, " \t\r\n"); i >= 0 {
		name, attrs = body[:i], body[i:]
	}
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		name = name[i+1:]
	}
	s.at = from + n + 1
	if len(name) == 0 || !nameStart(name[0]) || bytes.IndexByte(name, '@') >= 0 {
		s.odd = true // such as an address in angle brackets
		return end, false
	}
	// A ">" inside of an attribute: go on to the one behind the quotes.
	for k == startTag && unbalanced(attrs) {
		n := bytes.IndexByte(s.data[s.at:], '>')
		if n < 0 || n > MaxText {
			break
		}
		attrs = s.data[from+len(name) : s.at+n]
		s.at += n + 1
		if len(attrs) > 0 && attrs[len(attrs)-1] == '/' {
			k = emptyTag
		}
	}
	s.name, s.attrs = name, attrs
	return k, true
}

func unbalanced(attrs []byte) bool {
	return bytes.Count(attrs, []byte{'"'})%2 != 0 || len(attrs) > 0 && bytes.IndexByte(attrs, '"') < 0 && bytes.Count(attrs, []byte{'\''})%2 != 0
}

func nameStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

// unescape undoes the references of XML 1.0, 4.6 and 4.1. What refers to nothing
// is left as it is.
func unescape(b []byte) []byte {
	i := bytes.IndexByte(b, '&')
	if i < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for i >= 0 {
		out = append(out, b[:i]...)
		b = b[i:]
		n := bytes.IndexByte(b[:min(len(b), 12)], ';')
		r := utf8.RuneError
		if n > 0 {
			r = reference(string(b[1:n]))
		}
		if r == utf8.RuneError {
			out, b = append(out, '&'), b[1:]
		} else {
			out, b = utf8.AppendRune(out, r), b[n+1:]
		}
		i = bytes.IndexByte(b, '&')
	}
	return append(out, b...)
}

func reference(name string) rune {
	switch name {
	case "lt":
		return '<'
	case "gt":
		return '>'
	case "amp":
		return '&'
	case "quot":
		return '"'
	case "apos":
		return '\''
	}
	if len(name) < 2 || name[0] != '#' {
		return utf8.RuneError
	}
	base, digits := 10, name[1:]
	if digits[0] == 'x' || digits[0] == 'X' {
		base, digits = 16, digits[1:]
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n > utf8.MaxRune || n < 0x20 && n != '\t' && n != '\n' && n != '\r' {
		return utf8.RuneError
	}
	return rune(n)
}
