package term

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

const (
	zwj             = '\u200d' // zero width joiner
	emojiSelector   = '\ufe0f'
	ellipsis        = "…"
	replacement     = '\ufffd'
	firstRegional   = '\U0001F1E6'
	lastRegional    = '\U0001F1FF'
	firstSkin       = '\U0001F3FB'
	lastSkin        = '\U0001F3FF'
	firstPictograph = '\U0001F000'
	lastPictograph  = '\U0001FAFF'
)

// Width returns how many columns s takes on a terminal. Wide and full-width
// characters (UAX #11) take two, ambiguous ones one, marks and controls none;
// an emoji sequence takes two. Terminals differ on emoji, so that their width
// is a good guess.
func Width(s string) int {
	n := 0
	for _, w := range clusters(s) {
		n += w
	}
	return n
}

// Truncate returns s if it fits into the columns, else its beginning and "…".
// What it returns never takes more than that many columns.
func Truncate(s string, columns int) string {
	if columns <= 0 {
		return ""
	}
	used, cut, at := 0, 0, 0
	for c, w := range clusters(s) {
		if used+w > columns {
			return s[:cut] + ellipsis
		}
		used += w
		at += len(c)
		// There must be a column left for the ellipsis.
		if used < columns {
			cut = at
		}
	}
	return s
}

// Pad returns s with spaces at its end so that it fills the columns. A wider
// text is truncated.
func Pad(s string, columns int) string {
	s = Truncate(s, columns)
	return s + strings.Repeat(" ", max(0, columns-Width(s)))
}

// clusters splits s into what a terminal shows as one character, with its
// width. It is a plain approximation of UAX #29: a base with its marks, emoji
// joined by ZWJ, and pairs of regional indicators.
func clusters(s string) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for len(s) > 0 {
			n, w := cluster(s)
			if !yield(s[:n], w) {
				return
			}
			s = s[n:]
		}
	}
}

// cluster measures the first cluster of s, which is not empty.
func cluster(s string) (n, w int) {
	base, n := utf8.DecodeRuneInString(s)
	w = runeWidth(base)
	if isRegional(base) {
		if r, size := utf8.DecodeRuneInString(s[n:]); isRegional(r) {
			n, w = n+size, 2
		}
	}
	if unicode.IsControl(base) {
		return n, 0
	}
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		switch {
		case r == emojiSelector && w == 1 && mayBeEmoji(base):
			w = 2
		case r == zwj && isPictograph(base):
			next, more := utf8.DecodeRuneInString(s[n+size:])
			if isPictograph(next) {
				size += more
			}
		case isSkin(r) && isPictograph(base):
		case unicode.IsControl(r) || runeWidth(r) != 0:
			return n, w
		}
		n += size
	}
	return n, w
}

func isRegional(r rune) bool { return firstRegional <= r && r <= lastRegional }

func isSkin(r rune) bool { return firstSkin <= r && r <= lastSkin }

// isPictograph reports whether r may be part of a sequence of emoji.
func isPictograph(r rune) bool {
	return firstPictograph <= r && r <= lastPictograph && !isRegional(r) ||
		'\u2190' <= r && r <= '\u2bff' && unicode.IsSymbol(r)
}

// mayBeEmoji reports whether the emoji selector makes a picture of r, which is
// as wide as two columns.
func mayBeEmoji(r rune) bool {
	switch r {
	case '#', '*', '\u00a9', '\u00ae', '\u203c', '\u2049', '\u2122', '\u2139':
		return true
	}
	return '0' <= r && r <= '9' || isPictograph(r)
}

// runeWidth returns the columns of a rune by itself.
func runeWidth(r rune) int {
	switch {
	case r == utf8.RuneError:
		return 1
	case r < 0x20 || 0x7f <= r && r < 0xa0:
		return 0
	case r < 0x300:
		if r == '\u00ad' {
			return 0
		}
		return 1
	case isHidden(r), '\u1160' <= r && r <= '\u11ff', unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Zl, unicode.Zp):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}
