package eml

import (
	"sort"
	"strings"
)

// Span is a stretch of bytes: [Offset, Offset+Length).
type Span struct {
	Offset int
	Length int
}

// End is the offset after the last byte.
func (s Span) End() int { return s.Offset + s.Length }

// Mapped is text derived from a source, with the map back: every stretch of
// Text knows which bytes of the source it came from. The source of a header
// text is the raw message; the source of a body text is the text of its part
// (see [Part.Text]).
//
// The zero Mapped is empty text.
type Mapped struct {
	Text string
	segs []segment
}

// segment maps Text[at:at+n] to source[src:src+srcN]. An exact segment is a
// copy, byte for byte; any other stands for its source as a whole.
type segment struct {
	at, n     int
	src, srcN int
	exact     bool
}

// Identity maps text to itself, its first byte standing at offset in the
// source.
func Identity(text string, offset int) Mapped {
	if text == "" {
		return Mapped{}
	}
	return Mapped{Text: text, segs: []segment{{n: len(text), src: offset, srcN: len(text), exact: true}}}
}

// Span returns the smallest span of the source that covers Text[offset :
// offset+length]. Text that stands for no source, such as a line break put
// between two paragraphs, yields the empty span at the place where it was put.
// A range outside Text is cut to it.
func (m Mapped) Span(offset, length int) Span {
	lo := min(max(offset, 0), len(m.Text))
	hi := min(max(lo+length, lo), len(m.Text))
	i := sort.Search(len(m.segs), func(i int) bool { return m.segs[i].at+m.segs[i].n > lo })
	if i == len(m.segs) {
		if i == 0 {
			return Span{}
		}
		last := m.segs[i-1]
		return Span{Offset: last.src + last.srcN}
	}
	start, end, found := 0, 0, false
	for ; i < len(m.segs) && (m.segs[i].at < hi || !found); i++ {
		s := m.segs[i]
		a, b := s.src, s.src+s.srcN
		if s.exact {
			if lo > s.at {
				a = s.src + lo - s.at
			}
			if hi < s.at+s.n {
				b = s.src + max(hi, s.at) - s.at
			}
			b = max(a, b)
		}
		if !found {
			start, end, found = a, b, true
		} else {
			start, end = min(start, a), max(end, b)
		}
		if s.at+s.n >= hi {
			break
		}
	}
	return Span{Offset: start, Length: end - start}
}

// Exact reports whether Text[offset : offset+length] is, byte for byte, the
// span of the source that [Mapped.Span] returns for it.
func (m Mapped) Exact(offset, length int) bool {
	lo, hi := offset, offset+length
	if lo < 0 || hi > len(m.Text) || length < 0 {
		return false
	}
	i := sort.Search(len(m.segs), func(i int) bool { return m.segs[i].at+m.segs[i].n > lo })
	return i < len(m.segs) && m.segs[i].exact && hi <= m.segs[i].at+m.segs[i].n
}

// Slice returns Text[from:to] with its map.
func (m Mapped) Slice(from, to int) Mapped {
	from = min(max(from, 0), len(m.Text))
	to = min(max(to, from), len(m.Text))
	if from == to {
		if len(m.segs) == 0 {
			return Mapped{}
		}
		// Empty text keeps its place.
		return Mapped{segs: []segment{{src: m.Span(from, 0).Offset, exact: true}}}
	}
	out := Mapped{Text: m.Text[from:to]}
	i := sort.Search(len(m.segs), func(i int) bool { return m.segs[i].at+m.segs[i].n > from })
	for ; i < len(m.segs) && m.segs[i].at < to; i++ {
		s := m.segs[i]
		cutLo, cutHi := max(from-s.at, 0), max(s.at+s.n-to, 0)
		if s.exact {
			s.src += cutLo
			s.srcN -= cutLo + cutHi
		}
		s.n -= cutLo + cutHi
		s.at = max(s.at-from, 0)
		out.segs = append(out.segs, s)
	}
	return out
}

// TrimSpace returns m without leading and trailing white space.
func (m Mapped) TrimSpace() Mapped {
	left := len(m.Text) - len(strings.TrimLeft(m.Text, " \t\r\n"))
	right := len(strings.TrimRight(m.Text, " \t\r\n"))
	return m.Slice(left, max(left, right))
}

// A MapBuilder builds a [Mapped]. The zero MapBuilder is ready to use.
type MapBuilder struct {
	text strings.Builder
	segs []segment
}

// Len returns the length of the text so far.
func (b *MapBuilder) Len() int { return b.text.Len() }

// Copy appends text, which stands byte for byte at offset in the source.
func (b *MapBuilder) Copy(text string, offset int) {
	if text == "" {
		return
	}
	if k := len(b.segs) - 1; k >= 0 && b.segs[k].exact && b.segs[k].src+b.segs[k].srcN == offset {
		b.segs[k].n += len(text)
		b.segs[k].srcN += len(text)
	} else {
		b.segs = append(b.segs, segment{at: b.text.Len(), n: len(text), src: offset, srcN: len(text), exact: true})
	}
	b.text.WriteString(text)
}

// Replace appends text that stands for the whole of source span s.
func (b *MapBuilder) Replace(text string, s Span) {
	if text == "" {
		return
	}
	b.segs = append(b.segs, segment{at: b.text.Len(), n: len(text), src: s.Offset, srcN: s.Length})
	b.text.WriteString(text)
}

// Append appends m, which is derived from the same source.
func (b *MapBuilder) Append(m Mapped) {
	at := b.text.Len()
	for _, s := range m.segs {
		if s.exact {
			b.Copy(m.Text[s.at:s.at+s.n], s.src)
			continue
		}
		s.at += at
		b.segs = append(b.segs, s)
		b.text.WriteString(m.Text[s.at-at : s.at-at+s.n])
	}
}

// Last returns the last byte of the text so far, 0 if there is none.
func (b *MapBuilder) Last() byte {
	s := b.text.String()
	if s == "" {
		return 0
	}
	return s[len(s)-1]
}

// Mapped returns what was built.
func (b *MapBuilder) Mapped() Mapped { return Mapped{Text: b.text.String(), segs: b.segs} }
