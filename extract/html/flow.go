package html

import (
	"strings"
	"unicode/utf8"

	"github.com/sekisho/sekisho/eml"
)

// gap is the white space that is due before the next word.
type gap int8

const (
	noGap gap = iota
	space
	newline
	blankLine
)

// flow builds a displayed text. White space is held back until a word follows,
// so that a text never ends in it and breaks do not add up.
type flow struct {
	b         eml.MapBuilder
	due       gap
	where     eml.Span // source of the white space that is due
	invisible int
}

func (f *flow) mapped() eml.Mapped { return f.b.Mapped() }

func (f *flow) space(s eml.Span) {
	switch {
	case f.due == noGap:
		f.due, f.where = space, s
	case f.due == space && f.where.End() == s.Offset:
		f.where.Length += s.Length
	}
}

// line ends the line if there is anything on it.
func (f *flow) line(at int) {
	if f.due < newline {
		f.due, f.where = newline, eml.Span{Offset: at}
	}
}

// br ends the line, and leaves one blank if there is nothing on it.
func (f *flow) br(s eml.Span) {
	if f.due >= newline {
		f.due = blankLine
		return
	}
	f.due, f.where = newline, s
}

// paragraph leaves a blank line.
func (f *flow) paragraph(at int) {
	f.line(at)
	f.due = blankLine
}

func (f *flow) flush() {
	if f.due != noGap && f.b.Len() > 0 {
		text := [...]string{space: " ", newline: "\n", blankLine: "\n\n"}[f.due]
		f.b.Replace(text, f.where)
	}
	f.due = noGap
}

func (f *flow) copy(text string, at int) {
	if text == "" {
		return
	}
	f.flush()
	f.b.Copy(text, at)
}

func (f *flow) replace(text string, s eml.Span) {
	f.flush()
	f.b.Replace(text, s)
}

// text adds source text that starts at offset at. References are decoded if
// refs is set; white space is kept if pre is set.
func (f *flow) text(s string, at int, refs, pre bool) {
	start := 0 // of the run that is copied as it is
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
			if pre && (c == ' ' || c == '\t') {
				i++
				continue
			}
			f.copy(s[start:i], at+start)
			n := 1
			if !pre {
				for i+n < len(s) && isSpace(s[i+n]) {
					n++
				}
				// A single blank stands for itself, which keeps the map small.
				if n == 1 && c == ' ' && f.due == noGap && f.b.Len() > 0 && i+1 < len(s) && s[i+1] > ' ' && s[i+1] < utf8.RuneSelf && s[i+1] != '&' {
					start = i
					i++
					continue
				}
				f.space(eml.Span{Offset: at + i, Length: n})
			} else {
				if c == '\r' && i+1 < len(s) && s[i+1] == '\n' {
					n = 2
				}
				f.br(eml.Span{Offset: at + i, Length: n})
			}
			i += n
			start = i
		case c == '&' && refs:
			text, n := reference(s[i:], false)
			if n == 0 {
				i++
				continue
			}
			f.copy(s[start:i], at+start)
			f.decoded(text, eml.Span{Offset: at + i, Length: n})
			i += n
			start = i
		case c == 0: // the HTML standard drops it from text
			f.copy(s[start:i], at+start)
			f.skip()
			i++
			start = i
		case !mayBeShapeless(c):
			i++
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			switch {
			case shapeless(r):
				f.copy(s[start:i], at+start)
				f.skip()
				start = i + n
			case r == noBreakSpace:
				f.copy(s[start:i], at+start)
				f.space(eml.Span{Offset: at + i, Length: n})
				start = i + n
			}
			i += n
		}
	}
	f.copy(s[start:], at+start)
}

// decoded adds what a character reference stands for.
func (f *flow) decoded(text string, s eml.Span) {
	r, n := utf8.DecodeRuneInString(text)
	if n == len(text) {
		switch {
		case shapeless(r) || r == 0:
			f.skip()
			return
		case r == noBreakSpace || r < utf8.RuneSelf && isSpace(byte(r)):
			f.space(s)
			return
		}
	}
	f.replace(text, s)
}

// skip counts a character without a shape if it stands within a word, where it
// can only serve to break it up.
func (f *flow) skip() {
	if f.due == noGap && f.b.Len() > 0 {
		f.invisible++
	}
}

const noBreakSpace = '\u00a0'

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }

// mayBeShapeless reports whether c may start a character of [shapeless] or a
// no-break space.
func mayBeShapeless(c byte) bool {
	switch c {
	case 0xc2, 0xcd, 0xd8, 0xe1, 0xe2, 0xe3, 0xef, 0xf3:
		return true
	}
	return false
}

// shapeless reports whether r is drawn as nothing: the characters with the
// Unicode property Default_Ignorable_Code_Point that occur in mail.
func shapeless(r rune) bool {
	switch {
	case r < 0xad:
		return false
	case r == 0xad, r == 0x34f, r == 0x61c, r == 0x115f, r == 0x1160, r == 0x3164, r == 0xfeff, r == 0xffa0,
		r >= 0x17b4 && r <= 0x17b5,
		r >= 0x180b && r <= 0x180f,
		r >= 0x200b && r <= 0x200f,
		r >= 0x202a && r <= 0x202e,
		r >= 0x2060 && r <= 0x206f,
		r >= 0xfe00 && r <= 0xfe0f,
		r >= 0xe0000 && r <= 0xe0fff:
		return true
	}
	return false
}

func trim(s string) string { return strings.Trim(s, " \t\r\n\f") }
