package dkim

import (
	"bytes"
	"crypto/sha256"
	"hash"

	"github.com/sekisho/sekisho/eml"
)

// AppendField appends the canonical form of a field, its CR LF included (RFC
// 6376 sections 3.4.1 and 3.4.2). Lines that end in LF alone count as ending
// in CR LF; a CR alone is content.
func AppendField(dst []byte, m *eml.Message, f eml.Field, c Canonicalization) []byte {
	dst = appendName(dst, m, f, c)
	return append(appendValue(dst, f.Raw(), c), '\r', '\n')
}

// appendName appends the name and the colon.
func appendName(dst []byte, m *eml.Message, f eml.Field, c Canonicalization) []byte {
	if c == Relaxed {
		return append(lowerASCII(dst, f.Name()), ':')
	}
	dst = append(dst, f.Name()...)
	// White space before the colon, the obsolete syntax of RFC 5322 section
	// 4.5, is part of the field as it stands.
	if name, colon := f.Span().Offset+len(f.Name()), f.ValueSpan().Offset-1; colon > name {
		dst = append(dst, m.Quote(eml.Span{Offset: name, Length: colon - name})...)
	}
	return append(dst, ':')
}

// appendValue appends the canonical form of a field's value.
func appendValue(dst []byte, v string, c Canonicalization) []byte {
	if c == Relaxed {
		return appendRelaxed(dst, v)
	}
	return appendLines(dst, v)
}

// appendLines appends v with every line end as CR LF.
func appendLines(dst []byte, v string) []byte {
	from := 0
	for i := range len(v) {
		if v[i] == '\n' && (i == 0 || v[i-1] != '\r') {
			dst = append(append(dst, v[from:i]...), '\r')
			from = i
		}
	}
	return append(dst, v[from:]...)
}

// appendRelaxed appends v unfolded, with every run of white space as one
// space and none at the ends. A line end that no white space follows is no
// folding and stays.
func appendRelaxed(dst []byte, v string) []byte {
	start, space := len(dst), false
	for i := 0; i < len(v); {
		n := 0 // length of a line end at i
		switch {
		case isWSP(v[i]):
			space = true
			i++
			continue
		case v[i] == '\n':
			n = 1
		case v[i] == '\r' && i+1 < len(v) && v[i+1] == '\n':
			n = 2
		}
		if n > 0 && i+n < len(v) && isWSP(v[i+n]) {
			i += n
			continue
		}
		if n > 0 {
			// White space on either side goes, so that the result is its own
			// relaxed form.
			dst, space = append(dst, '\r', '\n'), false
			i += n
			continue
		}
		if space && len(dst) > start && dst[len(dst)-1] != '\n' {
			dst = append(dst, ' ')
		}
		space = false
		j := i + 1
		for j < len(v) && !isFWS(v[j]) {
			j++
		}
		dst = append(dst, v[i:j]...)
		i = j
	}
	return dst
}

// whole is the limit of a body hash that has none.
const whole = int64(-1)

// bodyHash is a hash of the body that one or more signatures need.
type bodyHash struct {
	canon Canonicalization
	limit int64 // octets, or whole
	sum   [sha256.Size]byte
	total int64 // octets of the whole canonical body
	short bool  // the body ends before the limit
	done  bool
}

// bodySink takes a canonical body in pieces and fills in the hashes that end
// at different lengths of it.
type bodySink struct {
	h    hash.Hash
	want []*bodyHash // by ascending limit, the one without a limit last
	n    int64
	buf  []byte // what is not yet hashed
}

const sinkSize = 4096

func newSink(want []*bodyHash) *bodySink {
	return &bodySink{h: sha256.New(), want: want, buf: make([]byte, 0, sinkSize)}
}

func (s *bodySink) write(b []byte) {
	if len(b) >= sinkSize/4 {
		s.flush()
		s.hash(b)
		return
	}
	s.room(len(b))
	s.buf = append(s.buf, b...)
}

func (s *bodySink) crlf() {
	s.room(2)
	s.buf = append(s.buf, '\r', '\n')
}

func (s *bodySink) room(n int) {
	if len(s.buf)+n > cap(s.buf) {
		s.flush()
	}
}

func (s *bodySink) flush() {
	s.hash(s.buf)
	s.buf = s.buf[:0]
}

func (s *bodySink) hash(b []byte) {
	for len(s.want) > 0 && s.want[0].limit != whole && s.want[0].limit <= s.n+int64(len(b)) {
		part := s.want[0].limit - s.n
		s.h.Write(b[:part])
		s.n += part
		b = b[part:]
		s.take()
	}
	if len(s.want) > 0 {
		s.h.Write(b)
	}
	s.n += int64(len(b))
}

// take fills in the first of the hashes.
func (s *bodySink) take() {
	s.h.Sum(s.want[0].sum[:0])
	s.want = s.want[1:]
}

// close fills in the rest and returns the length of the body.
func (s *bodySink) close() int64 {
	s.flush()
	for len(s.want) > 0 {
		if l := s.want[0].limit; l != whole && l > s.n {
			s.want[0].short = true
			s.want = s.want[1:]
			continue
		}
		s.take()
	}
	return s.n
}

// hashBody fills in the hashes, which are of one canonicalization.
func hashBody(body []byte, c Canonicalization, want []*bodyHash) {
	all := append([]*bodyHash(nil), want...)
	s := newSink(want)
	if c == Relaxed {
		s.relaxed(body)
	} else {
		s.simple(body)
	}
	total := s.close()
	for _, b := range all {
		b.total, b.done = total, true
	}
}

// simple writes the body without the empty lines at its end, and with one CR
// LF there (RFC 6376 section 3.4.3).
func (s *bodySink) simple(body []byte) {
	end := len(body)
	for end > 0 && body[end-1] == '\n' {
		end = lineEnd(body, end)
	}
	body = body[:end]
	for from := 0; from < len(body); {
		lf := bareLF(body, from)
		if lf < 0 {
			s.write(body[from:])
			break
		}
		s.write(body[from:lf])
		s.crlf()
		from = lf + 1
	}
	s.crlf()
}

// relaxed writes the body with every run of white space as one space, none at
// the end of a line, and no empty lines at its end (RFC 6376 section 3.4.4).
func (s *bodySink) relaxed(body []byte) {
	end := len(body)
trim:
	for end > 0 {
		switch body[end-1] {
		case ' ', '\t':
			end--
		case '\n':
			end = lineEnd(body, end)
		default:
			break trim
		}
	}
	body = body[:end]
	run := 0 // what stands between run and the current place is canonical as it is
	for i := 0; i < len(body); {
		next, text := len(body), len(body)
		if j := bytes.IndexByte(body[i:], '\n'); j >= 0 {
			next = i + j + 1
			text = lineEnd(body, next)
		}
		trimmed := text
		for trimmed > i && isWSP(body[trimmed-1]) {
			trimmed--
		}
		for p := i; p < trimmed; p++ {
			if c := body[p]; c > ' ' || !isWSP(c) || c == ' ' && !isWSP(body[p+1]) {
				continue
			}
			s.write(body[run:p])
			s.room(1)
			s.buf = append(s.buf, ' ')
			for isWSP(body[p]) {
				p++
			}
			run = p
		}
		if trimmed != text || next-text != 2 {
			s.write(body[run:trimmed])
			s.crlf()
			run = next
		}
		i = next
	}
	s.write(body[run:])
}

// lineEnd returns where the line end that stops at end, which is an LF with or
// without a CR before it, begins.
func lineEnd(b []byte, end int) int {
	end--
	if end > 0 && b[end-1] == '\r' {
		end--
	}
	return end
}

// bareLF returns the offset of the first LF at or after from that no CR
// precedes, -1 if there is none.
func bareLF(b []byte, from int) int {
	for i := from; ; {
		j := bytes.IndexByte(b[i:], '\n')
		if j < 0 {
			return -1
		}
		i += j
		if i == 0 || b[i-1] != '\r' {
			return i
		}
		i++
	}
}
