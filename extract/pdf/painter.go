package pdf

import (
	"math"
	"strings"
)

// matrix is [a b c d e f] of 8.3.3.
type matrix [6]float64

var identity = matrix{1, 0, 0, 1, 0, 0}

// mul is m × n: first m, then n.
func (m matrix) mul(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3],
		m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

// painter runs the content of a page and keeps the text that it shows and the
// pictures that it paints.
type painter struct {
	file  *file
	page  int
	fonts map[ref]*font
	out   strings.Builder

	// Where the last text ended, on the page.
	x, y, size float64
	started    bool
}

// maxOperations bounds the operators of a document.
const maxOperations = 500_000

type graphics struct {
	ctm                  matrix
	font                 *font
	size                 float64
	charSpace, wordSpace float64
	scale, leading, rise float64
	hidden               bool
}

func (p *painter) text() string { return strings.TrimSpace(p.out.String()) }

// run executes the operators of a content stream (8.2) that matter here.
func (p *painter) run(content []byte, resources dict, ctm matrix, depth int) {
	if depth > 12 {
		return
	}
	f := p.file
	l := &lexer{data: content}
	g := graphics{ctm: ctm, scale: 1}
	var saved []graphics
	var args []any
	tm, tlm := identity, identity
	fonts := f.dictOf(resources["Font"])
	number := func(i int) float64 {
		if i < 0 || i >= len(args) {
			return 0
		}
		return toFloat(args[i])
	}
	newline := func(x, y float64) {
		tlm = matrix{1, 0, 0, 1, x, y}.mul(tlm)
		tm = tlm
	}
	show := func(v any) {
		s, ok := v.(str)
		if !ok || g.font == nil {
			return
		}
		tm = p.show(&g, tm, s)
	}
	for {
		l.items = 0
		v, ok := l.next(maxNesting)
		if !ok {
			return
		}
		op, is := v.(operator)
		if !is {
			if _, end := v.(closing); !end && len(args) < 64 {
				args = append(args, v)
			}
			continue
		}
		if f.operations++; f.operations > maxOperations || !f.budget.Spend(4) {
			f.doc.Truncated = true
			return
		}
		switch op {
		case "q":
			if len(saved) < 64 {
				saved = append(saved, g)
			}
		case "Q":
			if n := len(saved); n > 0 {
				g, saved = saved[n-1], saved[:n-1]
			}
		case "cm":
			if len(args) >= 6 {
				g.ctm = matrix{number(0), number(1), number(2), number(3), number(4), number(5)}.mul(g.ctm)
			}
		case "BT":
			tm, tlm = identity, identity
		case "Tf":
			if len(args) >= 2 {
				n, _ := args[len(args)-2].(name)
				g.font, g.size = p.font(fonts[n]), number(len(args)-1)
			}
		case "Tc":
			g.charSpace = number(0)
		case "Tw":
			g.wordSpace = number(0)
		case "Tz":
			g.scale = number(0) / 100
		case "TL":
			g.leading = number(0)
		case "Ts":
			g.rise = number(0)
		case "Tr":
			g.hidden = number(0) == 3
		case "Td":
			newline(number(0), number(1))
		case "TD":
			g.leading = -number(1)
			newline(number(0), number(1))
		case "Tm":
			if len(args) >= 6 {
				tlm = matrix{number(0), number(1), number(2), number(3), number(4), number(5)}
				tm = tlm
			}
		case "T*":
			newline(0, -g.leading)
		case "Tj":
			if len(args) > 0 {
				show(args[len(args)-1])
			}
		case "'":
			newline(0, -g.leading)
			if len(args) > 0 {
				show(args[len(args)-1])
			}
		case "\"":
			g.wordSpace, g.charSpace = number(0), number(1)
			newline(0, -g.leading)
			if len(args) > 2 {
				show(args[2])
			}
		case "TJ":
			if len(args) == 0 {
				break
			}
			list, _ := args[len(args)-1].(array)
			for _, x := range list {
				switch x := x.(type) {
				case str:
					show(x)
				default:
					tm = matrix{1, 0, 0, 1, -toFloat(x) / 1000 * g.size * g.scale, 0}.mul(tm)
				}
			}
		case "Do":
			if len(args) > 0 {
				n, _ := args[len(args)-1].(name)
				p.do(f.dictOf(resources["XObject"])[n], resources, g.ctm, depth)
			}
		case "BI":
			skipInline(l)
		}
		args = args[:0]
	}
}

func toFloat(v any) float64 {
	switch v := v.(type) {
	case int:
		return float64(v)
	case float64:
		return v
	}
	return 0
}

// do paints a form or a picture (8.8).
func (p *painter) do(v any, resources dict, ctm matrix, depth int) {
	f := p.file
	s, ok := f.resolve(v).(*stream)
	if !ok {
		return
	}
	switch f.resolve(s.dict["Subtype"]) {
	case name("Form"):
		data, _ := f.decode(s)
		own := f.dictOf(s.dict["Resources"])
		if own == nil {
			own = resources
		}
		if m, ok := f.resolve(s.dict["Matrix"]).(array); ok && len(m) >= 6 {
			var x matrix
			for i := range x {
				x[i] = toFloat(f.resolve(m[i]))
			}
			ctm = x.mul(ctm)
		}
		p.run(data, own, ctm, depth+1)
	case name("Image"):
		f.image(s, p.page)
	}
}

// skipInline goes behind an inline picture (8.9.7).
func skipInline(l *lexer) {
	for {
		v, ok := l.next(maxNesting)
		if !ok {
			return
		}
		if v == operator("ID") {
			break
		}
	}
	for i := l.at + 1; i+2 <= len(l.data); i++ {
		if l.data[i] == 'E' && l.data[i+1] == 'I' && isSpace(l.data[i-1]) && (i+2 == len(l.data) || isSpace(l.data[i+2])) {
			l.at = i + 2
			return
		}
	}
	l.at = len(l.data)
}

// show writes a string and returns the text matrix behind it (9.4.4). Where it
// stands on the page decides whether a space or a line lies between it and what
// was written before.
func (p *painter) show(g *graphics, tm matrix, s str) matrix {
	glyphs := g.font.glyphs(s)
	at := matrix{g.size * g.scale, 0, 0, g.size, 0, g.rise}.mul(tm).mul(g.ctm)
	size := math.Hypot(at[2], at[3])
	if math.IsNaN(size) || math.IsInf(size, 0) {
		return tm
	}
	var text strings.Builder
	for _, c := range glyphs {
		text.WriteString(c.text)
		width := c.width/1000*g.size + g.charSpace
		if c.space {
			width += g.wordSpace
		}
		tm = matrix{1, 0, 0, 1, width * g.scale, 0}.mul(tm)
	}
	if text.Len() == 0 || !p.room(text.Len()+1) {
		return tm
	}
	if p.started {
		line := math.Abs(at[5]-p.y) > 0.5*max(size, p.size, 0.1)
		gap := at[4] - p.x
		last := p.out.String()
		ends := strings.HasSuffix(last, " ") || strings.HasSuffix(last, "\n")
		switch {
		case line && !strings.HasSuffix(last, "\n"):
			p.out.WriteByte('\n')
		case !line && !ends && (gap > 0.2*size || gap < -1.0*size) && !strings.HasPrefix(text.String(), " "):
			p.out.WriteByte(' ')
		}
	}
	p.started = true
	p.out.WriteString(text.String())
	end := matrix{g.size * g.scale, 0, 0, g.size, 0, g.rise}.mul(tm).mul(g.ctm)
	p.x, p.y, p.size = end[4], end[5], size
	return tm
}

func (p *painter) room(n int) bool {
	total := p.out.Len() + n
	for _, t := range p.file.doc.Text {
		total += len(t)
	}
	if total > MaxText {
		p.file.doc.Truncated = true
		return false
	}
	return true
}
