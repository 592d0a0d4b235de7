package qr

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"github.com/sekisho/sekisho/budget"
)

// Bounds on codes that are drawn with characters or table cells.
const (
	maxSide  = 400     // modules or characters
	maxDrawn = 4 << 20 // bytes of a text that is searched
)

// FindText returns the codes that a text draws with the block characters of
// Unicode (U+2580 to U+259F), which no reader of pictures sees.
func FindText(text string, b *budget.Budget) (codes []Code, cut bool) {
	if len(text) > maxDrawn || strings.IndexByte(text, 0xe2) < 0 {
		return nil, false
	}
	if !b.Spend(len(text)) {
		return nil, true
	}
	var block []string
	flush := func() {
		if len(block) >= minSide/2 && !cut && len(codes) < MaxCodes {
			found, out := find(drawText(block), b)
			codes, cut = append(codes, found...), cut || out
		}
		block = block[:0]
	}
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, "\r")
		if !isDrawing(line) {
			// The quiet zone may be made of empty lines.
			if len(block) == 0 || strings.TrimSpace(line) != "" || len(block) >= maxSide {
				flush()
				continue
			}
		}
		if len(block) < maxSide {
			block = append(block, line)
		}
	}
	flush()
	return codes, cut
}

// isDrawing reports whether a line consists of blocks and blanks.
func isDrawing(line string) bool {
	blocks, others := 0, 0
	for _, r := range line {
		switch {
		case r >= 0x2580 && r <= 0x259f:
			blocks++
		case r == ' ' || r == '\u00a0' || r == '\u2003' || r == '\u3000' || r == '\t':
		default:
			others++
		}
	}
	return blocks >= 4 && others*10 <= blocks
}

// quadrants are the quarters of a character that are filled: top left 1, top
// right 2, bottom left 4, bottom right 8 (Unicode, "Block Elements").
var quadrants = map[rune]int{
	'▀': 3, '▄': 12, '█': 15, '▌': 5, '▐': 10, '▖': 4, '▗': 8, '▘': 1, '▙': 13, '▚': 9, '▛': 7, '▜': 11, '▝': 2, '▞': 6, '▟': 14,
	'▓': 15, '▒': 15,
	// Seven eighths and more are as good as whole, one and less as good as none.
	'▇': 15, '▉': 15, '▆': 15, '▊': 15, '▂': 0, '▁': 0, '▏': 0, '░': 0, '▔': 0, '▕': 0, '▃': 12, '▅': 12, '▋': 5, '▍': 5, '▎': 5,
}

// drawText paints lines of characters, each twice as high as it is wide.
func drawText(lines []string) *greyMap {
	const scale, quiet = 2, 16
	width := 0
	for _, l := range lines {
		width = max(width, min(len([]rune(l)), maxSide))
	}
	g := newWhite(width*2*scale+2*quiet, len(lines)*4*scale+2*quiet)
	for y, l := range lines {
		x := 0
		for _, r := range l {
			if x == width {
				break
			}
			q := quadrants[r]
			for i := range 4 {
				if q>>i&1 == 1 {
					g.fill(quiet+(2*x+i&1)*scale, quiet+(4*y+i>>1*2)*scale, scale, 2*scale)
				}
			}
			x++
		}
	}
	return g
}

func newWhite(w, h int) *greyMap {
	g := &greyMap{w: w, h: h, pix: make([]uint8, w*h)}
	for i := range g.pix {
		g.pix[i] = 255
	}
	return g
}

// fill paints a rectangle black.
func (g *greyMap) fill(x, y, w, h int) {
	for j := y; j < min(y+h, g.h); j++ {
		for i := x; i < min(x+w, g.w); i++ {
			g.pix[j*g.w+i] = 0
		}
	}
}

// FindTable returns the codes that tables of an HTML page draw with the colours
// of their cells.
func FindTable(page string, b *budget.Budget) (codes []Code, cut bool) {
	if len(page) > maxDrawn || strings.Count(page, "<t") < minSide*minSide/4 && strings.Count(page, "<T") < minSide*minSide/4 {
		return nil, false
	}
	if !b.Spend(4 * len(page)) {
		return nil, true
	}
	t := tables{}
	z := html.NewTokenizer(strings.NewReader(page))
	z.SetMaxBuf(1 << 20)
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		if kind != html.StartTagToken && kind != html.EndTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		name, attributes := z.TagName()
		t.tag(string(name), kind != html.EndTagToken, attributes, z)
	}
	t.end()
	for _, grid := range t.grids {
		if len(codes) >= MaxCodes || cut {
			break
		}
		found, out := find(drawGrid(grid), b)
		codes, cut = append(codes, found...), cut || out
	}
	return codes, cut
}

// tables collects the grids of dark and light cells that tables make.
type tables struct {
	grids [][][]bool
	rows  [][]bool
	row   []bool
	color bool // the row itself is dark
}

func (t *tables) tag(name string, open bool, attributes bool, z *html.Tokenizer) {
	const maxGrids = 4
	switch name {
	case "table":
		t.end()
	case "tr":
		t.endRow()
		if open {
			dark, _ := cell(attributes, z)
			t.color = dark > 0
		}
	case "td", "th":
		if !open || len(t.row) >= maxSide {
			return
		}
		dark, columns := cell(attributes, z)
		for range min(columns, maxSide-len(t.row)) {
			t.row = append(t.row, dark > 0 || dark == 0 && t.color)
		}
	}
	if len(t.grids) > maxGrids {
		t.grids = t.grids[:maxGrids]
	}
}

func (t *tables) endRow() {
	if len(t.row) >= minSide && len(t.rows) < maxSide {
		t.rows = append(t.rows, t.row)
	}
	t.row = nil
}

func (t *tables) end() {
	t.endRow()
	if len(t.rows) >= minSide {
		t.grids = append(t.grids, t.rows)
	}
	t.rows = nil
}

// cell reads the colour of a cell, 1 for dark, -1 for light and 0 for none, and
// over how many columns it reaches.
func cell(more bool, z *html.Tokenizer) (dark, columns int) {
	columns = 1
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		switch string(key) {
		case "bgcolor":
			dark = darkness(string(value))
		case "colspan":
			if n, err := strconv.Atoi(strings.TrimSpace(string(value))); err == nil {
				columns = min(max(n, 1), maxSide)
			}
		case "style":
			for d := range strings.SplitSeq(strings.ToLower(string(value[:min(len(value), 2048)])), ";") {
				name, v, _ := strings.Cut(d, ":")
				if n := strings.TrimSpace(name); n == "background" || n == "background-color" {
					dark = darkness(strings.TrimSpace(v))
				}
			}
		}
	}
	return dark, columns
}

// darkness tells whether a colour of CSS is dark (1) or light (-1); 0 if it is
// none.
func darkness(s string) int {
	s = strings.ToLower(strings.TrimSpace(s))
	r, g, b := 0, 0, 0
	switch {
	case s == "black" || s == "navy" || s == "#000" || s == "darkblue":
		return 1
	case s == "white" || s == "#fff" || s == "transparent":
		return -1
	case strings.HasPrefix(s, "rgb"):
		_, list, _ := strings.Cut(s, "(")
		var v [3]int
		i := 0
		for p := range strings.FieldsFuncSeq(list, func(r rune) bool { return r < '0' || r > '9' }) {
			if i < 3 {
				v[i], _ = strconv.Atoi(p)
				i++
			}
		}
		if i < 3 {
			return 0
		}
		r, g, b = min(v[0], 255), min(v[1], 255), min(v[2], 255)
	default:
		s = strings.TrimPrefix(s, "#")
		if len(s) == 3 {
			s = string([]byte{s[0], s[0], s[1], s[1], s[2], s[2]})
		}
		if len(s) != 6 {
			return 0
		}
		n, err := strconv.ParseUint(s, 16, 32)
		if err != nil {
			return 0
		}
		r, g, b = int(n>>16), int(n>>8&255), int(n&255)
	}
	if luma(r, g, b) < 128 {
		return 1
	}
	return -1
}

func drawGrid(rows [][]bool) *greyMap {
	const scale, quiet = 4, 16
	width := 0
	for _, r := range rows {
		width = max(width, len(r))
	}
	g := newWhite(width*scale+2*quiet, len(rows)*scale+2*quiet)
	for y, r := range rows {
		for x, dark := range r {
			if dark {
				g.fill(quiet+x*scale, quiet+y*scale, scale, scale)
			}
		}
	}
	return g
}
