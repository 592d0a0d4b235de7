package fact

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// folded is a text in one spelling: NFKC, lower case, plain dashes and quotes,
// single spaces; and where each byte of it stands in the original.
type folded struct {
	text string
	at   []int32 // offset in the original of each byte, and of the end
}

// fold folds s.
func fold(s string) folded {
	var b strings.Builder
	b.Grow(len(s) + 8)
	at := make([]int32, 0, len(s)+8)
	space := true // leading white space is dropped
	put := func(r rune, from int) {
		if unicode.IsSpace(r) {
			if space {
				return
			}
			r = ' '
		}
		space = r == ' '
		n := b.Len()
		b.WriteRune(r)
		for range b.Len() - n {
			at = append(at, int32(from))
		}
	}
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			// A combining character behind an ASCII letter belongs to it.
			if i+1 == len(s) || s[i+1] < utf8.RuneSelf {
				put(plain(rune(c)), i)
				i++
				continue
			}
		}
		n := norm.NFKC.NextBoundaryInString(s[i:], true)
		if n <= 0 {
			n = len(s) - i
		}
		for _, r := range norm.NFKC.String(s[i : i+n]) {
			put(plain(unicode.ToLower(r)), i)
		}
		i += n
	}
	return folded{text: b.String(), at: append(at, int32(len(s)))}
}

// plain replaces a lower-case letter, a dash or a quotation mark by the form
// that the dictionaries use.
func plain(r rune) rune {
	switch r {
	case '‐', '‑', '‒', '–', '—', '―', '−', '─', 'ｰ':
		return '-'
	case '〜', '～', '∼':
		return '~'
	case '‘', '’', 'ʼ':
		return '\''
	case '“', '”':
		return '"'
	}
	if r >= 'A' && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

// original returns the range of the original text behind [from, to) of the folded
// one.
func (f folded) original(from, to int) [2]int {
	from, to = min(max(from, 0), len(f.text)), min(max(to, 0), len(f.text))
	return [2]int{int(f.at[from]), int(f.at[to])}
}

// isLatin reports whether r is a letter or digit of Latin script, of which words
// with boundaries are made.
func isLatin(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 0xc0 && r <= 0x24f
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isKatakana reports whether r is a katakana letter or the sign that lengthens
// one.
func isKatakana(r rune) bool { return r >= 'ァ' && r <= 'ヺ' || r == 'ー' }

// before and after return the character next to offset i of s, or 0.
func before(s string, i int) rune {
	if i <= 0 {
		return 0
	}
	r, _ := utf8.DecodeLastRuneInString(s[:i])
	return r
}

func after(s string, i int) rune {
	if i >= len(s) {
		return 0
	}
	r, _ := utf8.DecodeRuneInString(s[i:])
	return r
}
