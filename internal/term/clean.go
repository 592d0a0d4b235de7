package term

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many marks one character keeps. Vietnamese, Thai and Hebrew
// with points need three; a pile of them covers the lines above and below.
const maxMarks = 4

// Clean returns s fit for one line of a terminal, whoever wrote it: line breaks
// and tabs become a space; control characters and escape, characters that turn
// the direction of text around (UAX #9), invisible characters, and what is not
// UTF-8 become a visible U+FFFD, one for each run. A joiner inside an emoji
// stays, and so does a variation selector behind a character.
//
// The result holds no control characters. Cleaning it again changes nothing.
func Clean(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	marks := 0
	var before rune // what was written last
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		valid := r != utf8.RuneError || size > 1
		i += size
		switch {
		case isBreak(r):
			if r != '\t' && before == ' ' {
				continue
			}
			r = ' '
		case r == zwj:
			next, _ := utf8.DecodeRuneInString(s[i:])
			if !(isPictograph(before) || isSkin(before) || before == emojiSelector) || !isPictograph(next) {
				r = replacement
			}
		case isSelector(r):
			// The first in a line, or behind another one, selects nothing.
			if before == 0 || before == ' ' || before == replacement || isSelector(before) {
				r = replacement
			}
		case !valid, unicode.IsControl(r), unicode.Is(unicode.Cf, r), isHidden(r), isNonCharacter(r):
			r = replacement
		}
		if unicode.In(r, unicode.Mn, unicode.Me) && !isSelector(r) {
			if marks++; marks > maxMarks {
				continue
			}
		} else if !isSelector(r) {
			marks = 0
		}
		if r == replacement && before == replacement {
			continue
		}
		b.WriteRune(r)
		before = r
	}
	return b.String()
}

// isPlain reports whether s is printable ASCII.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// isBreak reports whether r ends a line or skips columns.
func isBreak(r rune) bool {
	switch r {
	case '\t', '\n', '\v', '\f', '\r', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

// isSelector reports whether r is a variation selector, which Japanese names
// need (辻 with one dot or two).
func isSelector(r rune) bool {
	return '\ufe00' <= r && r <= '\ufe0f' || '\U000E0100' <= r && r <= '\U000E01EF'
}

// isHidden reports whether r is shown as nothing though it is no format
// character: fillers of Hangul, the grapheme joiner, vowels that Khmer does not
// write, and Mongolian selectors.
func isHidden(r rune) bool {
	switch r {
	case '\u034f', '\u115f', '\u1160', '\u17b4', '\u17b5', '\u180b', '\u180c', '\u180d', '\u180f', '\u3164', '\uffa0':
		return true
	}
	return false
}

func isNonCharacter(r rune) bool {
	return r&0xfffe == 0xfffe || '\ufdd0' <= r && r <= '\ufdef'
}
