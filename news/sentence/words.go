package sentence

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Words returns what of a text can be compared with another: its Latin words in
// lower case, and the pairs of neighbouring kanji or katakana, since Japanese
// puts no spaces between words. Hiragana, which carries grammar, only separates.
func Words(text string) []string {
	var out []string
	var latin strings.Builder
	end := func() {
		if w := strings.Trim(latin.String(), "-."); len(w) >= 2 {
			out = append(out, w)
		}
		latin.Reset()
	}
	prev := rune(0) // the character of Japanese in front
	for _, r := range strings.ToLower(norm.NFKC.String(text)) {
		if r < 0x250 && (unicode.IsLetter(r) || unicode.IsDigit(r)) || (r == '-' || r == '.') && latin.Len() > 0 {
			latin.WriteRune(r)
			prev = 0
			continue
		}
		end()
		if !unicode.Is(unicode.Han, r) && (r < 'ァ' || r > 'ヺ') && r != 'ー' {
			prev = 0
			continue
		}
		if prev != 0 {
			out = append(out, string(prev)+string(r))
		}
		prev = r
	}
	end()
	return out
}
