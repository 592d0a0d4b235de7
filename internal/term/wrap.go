package term

import (
	"strings"
	"unicode/utf8"
)

// The characters of line breaking in Japanese (kinsoku, JIS X 4051), with
// their ASCII relatives.
const (
	// noStart must not begin a line.
	noStart = "、。，．,.・：；:;？！?!゛゜ヽヾゝゞ々〻ー’”)）〕]］}｝〉》」』】〙〗〟｠»‐–—~〜～…‥％%℃°" +
		"ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ｡｣､･ｧｨｩｪｫｬｭｮｯｰﾞﾟ"
	// noEnd must not end a line.
	noEnd = "‘“(（〔[［{｛〈《「『【〘〖〝｟«｢￥＄￡"
)

// Wrap breaks s into lines of at most that many columns. Latin words stay
// whole, Japanese and Chinese break between any two characters except before
// those that must not begin a line (such as "、" and "」") and behind those that
// must not end one ("「"). What is too long for a line by itself is broken
// where the line ends. A line break in s stays; spaces at a break go.
//
// Fewer than two columns count as two. The result has at least one line.
func Wrap(s string, columns int) []string {
	columns = max(columns, 2)
	var lines []string
	for paragraph := range strings.SplitSeq(s, "\n") {
		w := wrapper{columns: columns, first: true}
		w.paragraph(strings.TrimSuffix(paragraph, "\r"))
		lines = append(lines, w.lines...)
	}
	return lines
}

// wrapper lays out one paragraph. Text arrives in units that are not broken.
type wrapper struct {
	columns int
	lines   []string

	line      strings.Builder
	lineWidth int
	first     bool // whether the line is the first of its paragraph and empty

	gap      strings.Builder // spaces in front of the unit
	gapWidth int

	unit      strings.Builder
	unitWidth int
}

func (w *wrapper) paragraph(s string) {
	glued, latin := false, false // about the end of the unit
	for c, n := range clusters(s) {
		if c == " " || c == "\u3000" || c == "\t" {
			w.endUnit()
			w.gap.WriteString(c)
			w.gapWidth += n
			glued, latin = false, false
			continue
		}
		r, _ := utf8.DecodeRuneInString(c)
		isLatin := n < 2 && !strings.ContainsRune(noStart, r) && !isKana(r)
		if !(glued || latin && isLatin || strings.ContainsRune(noStart, r)) {
			w.endUnit()
		}
		w.unit.WriteString(c)
		w.unitWidth += n
		glued = strings.ContainsRune(noEnd, r)
		// A word goes on behind a full stop or a colon: 192.0.2.1, https://.
		latin = isLatin || latin && r < utf8.RuneSelf
	}
	w.endUnit()
	w.lines = append(w.lines, w.line.String())
}

// isKana reports whether r is half-width Katakana, which breaks like the wide
// one.
func isKana(r rune) bool { return '\uff61' <= r && r <= '\uff9f' }

// endUnit puts the unit on the line, or on the next.
func (w *wrapper) endUnit() {
	if w.unit.Len() == 0 {
		return
	}
	unit, width := w.unit.String(), w.unitWidth
	w.unit.Reset()
	w.unitWidth = 0
	gap, gapWidth := w.gap.String(), w.gapWidth
	w.gap.Reset()
	w.gapWidth = 0
	// Spaces in front of a line are kept only where they indent a paragraph.
	if w.lineWidth == 0 && !w.first {
		gap, gapWidth = "", 0
	}
	if w.lineWidth+gapWidth+width > w.columns {
		w.endLine()
		gap = ""
		gapWidth = 0
	}
	w.line.WriteString(gap)
	w.lineWidth += gapWidth
	w.first = false
	if width <= w.columns {
		w.line.WriteString(unit)
		w.lineWidth += width
		return
	}
	for c, n := range clusters(unit) {
		if w.lineWidth+n > w.columns {
			w.endLine()
		}
		w.line.WriteString(c)
		w.lineWidth += n
	}
}

func (w *wrapper) endLine() {
	if w.line.Len() > 0 {
		w.lines = append(w.lines, w.line.String())
		w.line.Reset()
	}
	w.lineWidth = 0
	w.first = false
}
