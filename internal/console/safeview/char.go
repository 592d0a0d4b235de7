package safeview

import (
	"fmt"
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sekisho/sekisho/lang"
)

// visible writes text with all that cannot be seen made visible, and returns how
// many elements that took.
func visible(b *strings.Builder, s string, o *Options) int {
	n, plain := 0, 0
	flush := func(end int) {
		if end > plain {
			b.WriteString(html.EscapeString(s[plain:end]))
		}
	}
	before := rune(0)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if !unseen(r, size, before, s[i+size:]) {
			before = r
			i += size
			continue
		}
		flush(i)
		end, count := run(s, i)
		code := fmt.Sprintf("U+%04X", r)
		kind := kindOf(r)
		if kind == "" {
			kind = "control" // a byte that is no character
		}
		title := o.say(lang.M("safeview.char." + kind))
		b.WriteString(`<span class="sv-char" title="` + html.EscapeString(title) + `">` + code)
		if count > 1 {
			fmt.Fprintf(b, " ×%d", count)
		}
		b.WriteString("</span>")
		n++
		i, plain, before = end, end, r
	}
	flush(len(s))
	return n
}

// run returns where a run of such characters ends that starts at i, blanks
// between them included, and how many there are. Newsletters fill their preview
// with hundreds.
func run(s string, i int) (end, count int) {
	end = i
	for j := i; j < len(s); {
		r, size := utf8.DecodeRuneInString(s[j:])
		switch {
		case unseen(r, size, 0, s[j+size:]):
			count++
			end = j + size
		case r == ' ' || r == 0xA0:
		default:
			return end, count
		}
		j += size
	}
	return end, count
}

// unseen reports whether nobody sees a character, or sees others in another order
// because of it. What belongs to a script or a picture of several characters is
// none: a joiner between two pictures, a variation of the character before.
func unseen(r rune, size int, before rune, rest string) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r == utf8.RuneError && size == 1:
		return true
	case unicode.Is(unicode.Cc, r):
		return true
	case r >= 0xFE00 && r <= 0xFE0F, r >= 0xE0100 && r <= 0xE01EF:
		return before < 0x80 || kindOf(before) != ""
	case r == 0x200D:
		next, _ := utf8.DecodeRuneInString(rest)
		return !picture(before) && !unicode.In(before, joined...) || !picture(next) && !unicode.In(next, joined...)
	case r == 0x200C:
		next, _ := utf8.DecodeRuneInString(rest)
		return !unicode.In(before, joined...) || !unicode.In(next, joined...)
	}
	return kindOf(r) != ""
}

// joined are scripts whose spelling needs joiners.
var joined = []*unicode.RangeTable{
	unicode.Arabic, unicode.Syriac, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya,
	unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar, unicode.Mongolian,
}

func picture(r rune) bool {
	return r >= 0x2190 && r <= 0x2BFF || r >= 0x1F000 && r <= 0x1FAFF || r == 0xFE0F
}

// kindOf names what is special about a character, "" for nothing.
func kindOf(r rune) string {
	switch {
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0x200E, r == 0x200F, r == 0x061C:
		return "direction"
	case r >= 0xE0000 && r <= 0xE007F:
		return "tag"
	case r >= 0xFE00 && r <= 0xFE0F, r >= 0xE0100 && r <= 0xE01EF:
		return "invisible"
	case unicode.Is(unicode.Cc, r) && r != '\n' && r != '\t', r >= 0xFFF9 && r <= 0xFFFB, r == 0x2028, r == 0x2029:
		return "control"
	case r == 0xAD, r == 0x034F, r == 0x115F, r == 0x1160, r == 0x17B4, r == 0x17B5, r >= 0x180B && r <= 0x180F, r >= 0x200B && r <= 0x200D,
		r >= 0x2060 && r <= 0x2065, r >= 0x206A && r <= 0x206F, r == 0x2800, r == 0x3164, r == 0xFEFF, r == 0xFFA0,
		r >= 0x1D173 && r <= 0x1D17A, unicode.Is(unicode.Cf, r) && r >= 0x1BCA0 && r <= 0x1BCA3:
		return "invisible"
	}
	return ""
}
