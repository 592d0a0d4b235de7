package digest

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// TextColumns is how wide the text is: what mail programs show without wrapping.
const TextColumns = 70

// columns returns how many columns of a fixed font a text takes. Wide and
// full-width characters (UAX #11) take two, ambiguous ones one.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += wide2(r)
	}
	return n
}

func wide2(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

// Characters that must not begin a line, and that must not end one (JIS X 4051).
const (
	noStart = "、。，．,.・:;：；?!？！゛゜ヽヾゝゞ々ー’”)）〕]］}｝〉》」』】…％%ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
	noEnd   = "‘“(（〔[［{｛〈《「『【"
)

// fold breaks a text into lines of at most that many columns. Latin words stay
// whole unless one is longer than a line; Japanese breaks between characters.
func fold(s string, limit int) []string {
	var lines []string
	var b strings.Builder
	used := 0
	flush := func() {
		lines = append(lines, strings.TrimRight(b.String(), " "))
		b.Reset()
		used = 0
	}
	for _, unit := range units(s) {
		n := columns(unit)
		if unit == " " && used == 0 {
			continue
		}
		if used+n > limit && used > 0 && unit != " " {
			flush()
		}
		if n <= limit {
			b.WriteString(unit)
			used += n
			continue
		}
		for _, r := range unit { // an address
			if used+wide2(r) > limit {
				flush()
			}
			b.WriteRune(r)
			used += wide2(r)
		}
	}
	if b.Len() > 0 || len(lines) == 0 {
		flush()
	}
	return lines
}

// units splits a text into what is not broken.
func units(s string) []string {
	var out []string
	var b strings.Builder
	end := func() {
		if b.Len() > 0 {
			out = append(out, b.String())
			b.Reset()
		}
	}
	var prev rune
	for _, r := range s {
		if r == ' ' || r == '\u3000' {
			end()
			out = append(out, " ")
			prev = ' '
			continue
		}
		latin := wide2(r) < 2 && wide2(prev) < 2 && prev != ' ' && prev != 0
		if !latin && !strings.ContainsRune(noStart, r) && !strings.ContainsRune(noEnd, prev) || prev == ' ' {
			end()
		}
		b.WriteRune(r)
		prev = r
	}
	end()
	return out
}

// pad fills a cell of a table with spaces. What is too wide stays as it is, with
// one space behind it.
func pad(s string, n int) string { return s + strings.Repeat(" ", max(1, n-columns(s))) }
