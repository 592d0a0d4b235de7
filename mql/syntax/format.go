package syntax

import (
	"slices"
	"strings"
)

// The shape of formatted text.
const (
	formatWidth  = 80  // columns that a line is meant to fit into
	formatIndent = 2   // columns of one level
	formatDeep   = 100 // columns beyond which nothing is indented further
)

// Format writes the source of f in the form of the published rules: one
// condition a line, the arguments of a long call below each other. Comments
// and single empty lines between conditions stay. A source with errors is
// returned as it is.
//
// The result means the same: parsing it gives the same tree.
func Format(f *File) string {
	if !f.OK() {
		return f.Source
	}
	p := &printer{f: f, widths: make([]int, f.Nodes)}
	p.measure(f.Root)
	p.line(f.Root, 0, func(e Expr, indent int) { p.broken(e, indent, true) })
	p.trailing(f.Root.Span().End)
	p.comments(len(f.Source), 0)
	p.newline(0)
	return p.out.String()
}

type printer struct {
	f       *File
	out     strings.Builder
	col     int
	comment int // number of the next comment
	widths  []int
	started bool
}

// measure computes the width of each node on one line; too wide for any line
// is wide enough.
func (p *printer) measure(e Expr) int {
	w := 0
	for c := range Children(e) {
		w += p.measure(c)
	}
	switch e := e.(type) {
	case *Field:
		w += 1 + len(e.Name)
		if _, ok := e.X.(*Item); ok {
			w--
		}
	case *Index:
		w += 2
	case *Slice:
		w += 3
	case *Call:
		w += len(e.Func) + 2 + 2*max(len(e.Args)+len(e.Keywords)-1, 0)
		for _, k := range e.Keywords {
			w += len(k.Name) + 1
		}
	case *Negate:
		w++
	case *Arith:
		w += 3
	case *Compare:
		for _, op := range e.Ops {
			w += len(op) + 2
		}
	case *In:
		w += len(inWord(e)) + 2
	case *IsNull:
		w += len(isWord(e))
	case *Not:
		w += len("not ")
	case *Logic:
		w += (len(e.Operands) - 1) * (len(e.Op) + 2)
	case *Of:
		w += len(p.head(e)) + 2*len(e.Clauses)
	case *Array:
		w += 2 + 2*max(len(e.Elems)-1, 0)
	case *Tuple:
		w += 2 + 2*max(len(e.Elems)-1, 0)
	case *Paren:
		w += 2
	default:
		w = columns(p.f.Text(e.Span()))
	}
	w = min(w, 1<<20)
	p.widths[e.ID()] = w
	return w
}

// columns counts characters up to what matters for the width of a line.
func columns(s string) int {
	n := 0
	for range s {
		n++
		if n > 2*formatWidth {
			break
		}
	}
	return n
}

func inWord(e *In) string {
	w := "in"
	if e.Fold {
		w = "in~"
	}
	if e.Not {
		w = "not " + w
	}
	return w
}

func isWord(e *IsNull) string {
	if e.Not {
		return " is not null"
	}
	return " is null"
}

// head is what stands before the first clause.
func (p *printer) head(e *Of) string {
	number, _, _ := strings.Cut(strings.TrimSpace(p.f.Text(e.Span())), "of")
	number, _, _ = strings.Cut(number, "//")
	return strings.TrimSpace(number) + " of ("
}

func (p *printer) write(s string) {
	p.started = true
	p.out.WriteString(s)
	p.col += columns(s)
}

// newline ends the line and indents the next one.
func (p *printer) newline(indent int) {
	p.out.WriteByte('\n')
	indent = min(indent, formatDeep)
	p.out.WriteString(strings.Repeat(" ", indent))
	p.col = indent
}

// hasComment reports whether a comment that is not written yet begins in s.
func (p *printer) hasComment(s Span) bool {
	rest := p.f.Comments[p.comment:]
	i, _ := slices.BinarySearchFunc(rest, s.Start, func(c Span, at int) int { return c.Start - at })
	return i < len(rest) && rest[i].Start < s.End
}

// flat reports whether e stands on one line from the current column on.
func (p *printer) flat(e Expr) bool {
	return p.col+p.widths[e.ID()] <= formatWidth && !p.hasComment(e.Span())
}

// blankBefore reports whether the source has an empty line above offset at.
func (p *printer) blankBefore(at int) bool {
	before := strings.TrimRight(p.f.Source[:at], " \t\r")
	before, ok := strings.CutSuffix(before, "\n")
	if !ok {
		return false
	}
	return strings.HasSuffix(strings.TrimRight(before, " \t\r"), "\n")
}

// comments writes the comments before offset at, each on its own line.
func (p *printer) comments(before, indent int) {
	for p.comment < len(p.f.Comments) && p.f.Comments[p.comment].Start < before {
		c := p.f.Comments[p.comment]
		p.comment++
		if p.started {
			if p.blankBefore(c.Start) {
				p.out.WriteByte('\n')
			}
			p.newline(indent)
		}
		p.write(p.f.Text(c))
	}
}

// trailing writes a comment that stands on the line where what was written
// last ends in the source.
func (p *printer) trailing(end int) {
	if p.comment >= len(p.f.Comments) {
		return
	}
	c := p.f.Comments[p.comment]
	rest := strings.TrimLeft(p.f.Source[end:], " \t\r,")
	if len(p.f.Source)-len(rest) != c.Start {
		return
	}
	p.comment++
	p.write(" " + p.f.Text(c))
}

// line writes one element of something broken over lines, with the comments
// above it. body writes the element itself.
func (p *printer) line(e Expr, indent int, body func(e Expr, indent int)) {
	first := !p.started
	hadComments := p.comment
	p.comments(e.Span().Start, indent)
	if !first || p.comment > hadComments {
		if !first && p.comment == hadComments && p.blankAbove(e) {
			p.out.WriteByte('\n')
		}
		p.newline(indent)
	}
	body(e, indent)
}

// blankAbove reports whether an empty line stands above e, or above the
// operator before e.
func (p *printer) blankAbove(e Expr) bool {
	at := e.Span().Start
	before := strings.TrimRight(p.f.Source[:at], " \t\r")
	for _, op := range []Op{OpAnd, OpOr} {
		if rest, ok := strings.CutSuffix(before, string(op)); ok {
			at = len(rest)
			break
		}
	}
	return p.blankBefore(at)
}

// broken writes e, over several lines if it must be. indent is the column of
// the line. top asks a chain of conditions to stand below each other in any
// case.
func (p *printer) broken(e Expr, indent int, top bool) {
	if l, ok := e.(*Logic); ok && (top || !p.flat(e)) {
		p.conditions(l, indent)
		return
	}
	p.expr(e, indent)
}

// conditions writes a chain, one operand a line. The first one is on the line
// that has begun.
func (p *printer) conditions(l *Logic, indent int) {
	for i, x := range l.Operands {
		if i == 0 {
			p.operand(x, indent)
		} else {
			p.line(x, indent, func(x Expr, indent int) {
				p.write(string(l.Op) + " ")
				p.operand(x, indent)
			})
		}
		if i < len(l.Operands)-1 {
			p.trailing(x.Span().End)
		}
	}
}

func (p *printer) operand(x Expr, indent int) {
	if l, ok := x.(*Logic); ok && !p.flat(x) {
		p.conditions(l, indent)
		return
	}
	p.expr(x, indent)
}

// expr writes e on the current line, breaking only inside brackets.
func (p *printer) expr(e Expr, indent int) {
	switch e := e.(type) {
	case *Field:
		p.expr(e.X, indent)
		if _, ok := e.X.(*Item); !ok {
			p.write(".")
		}
		p.write(e.Name)
	case *Item:
		p.write(strings.Repeat(".", e.Level))
	case *Index:
		p.expr(e.X, indent)
		p.write("[")
		p.expr(e.Index, indent)
		p.write("]")
	case *Slice:
		p.expr(e.X, indent)
		p.write("[")
		if e.Low != nil {
			p.expr(e.Low, indent)
		}
		p.write(":")
		if e.High != nil {
			p.expr(e.High, indent)
		}
		p.write("]")
	case *Call:
		p.call(e, indent)
	case *Negate:
		p.write("-")
		p.expr(e.X, indent)
	case *Arith:
		p.expr(e.X, indent)
		p.write(" " + string(e.Op) + " ")
		p.expr(e.Y, indent)
	case *Compare:
		p.expr(e.Operands[0], indent)
		for i, op := range e.Ops {
			p.write(" " + string(op) + " ")
			p.expr(e.Operands[i+1], indent)
		}
	case *In:
		p.expr(e.X, indent)
		p.write(" " + inWord(e) + " ")
		p.expr(e.Set, indent)
	case *IsNull:
		p.expr(e.X, indent)
		p.write(isWord(e))
	case *Not:
		p.write("not ")
		p.expr(e.X, indent)
	case *Logic:
		for i, x := range e.Operands {
			if i > 0 {
				p.write(" " + string(e.Op) + " ")
			}
			p.expr(x, indent)
		}
	case *Of:
		p.bracket(e, p.head(e), e.Clauses, ")", indent)
	case *Array:
		p.bracket(e, "[", e.Elems, "]", indent)
	case *Tuple:
		p.bracket(e, "(", e.Elems, ")", indent)
	case *Paren:
		p.bracket(e, "(", []Expr{e.X}, ")", indent)
	default:
		p.write(p.f.Text(e.Span()))
	}
}

// bracket writes a list between brackets: on the line if all of e fits,
// otherwise one element a line.
func (p *printer) bracket(e Expr, begin string, list []Expr, end string, indent int) {
	flat := p.flat(e)
	p.write(begin)
	if flat {
		for i, x := range list {
			if i > 0 {
				p.write(", ")
			}
			p.expr(x, indent)
		}
		p.write(end)
		return
	}
	p.trailing(p.openEnd(e))
	_, paren := e.(*Paren)
	for i, x := range list {
		p.line(x, indent+formatIndent, func(x Expr, indent int) { p.broken(x, indent, paren) })
		if i < len(list)-1 {
			p.write(",")
		}
		p.trailing(p.afterComma(x.Span().End))
	}
	p.comments(e.Span().End, indent+formatIndent)
	p.newline(indent)
	p.write(end)
}

// openEnd is the offset behind the opening bracket of e.
func (p *printer) openEnd(e Expr) int {
	at := e.Span().Start
	if c, ok := e.(*Call); ok {
		at = c.FuncSpan.End
	}
	if i := strings.IndexAny(p.f.Source[at:], "(["); i >= 0 {
		return at + i + 1
	}
	return at
}

// afterComma is the offset behind a comma on the same line, or at itself.
func (p *printer) afterComma(at int) int {
	rest := strings.TrimLeft(p.f.Source[at:], " \t")
	if strings.HasPrefix(rest, ",") {
		return len(p.f.Source) - len(rest) + 1
	}
	return at
}

// call writes a call. One that does not fit keeps its first argument on the
// line and has the others below it.
func (p *printer) call(e *Call, indent int) {
	flat := p.flat(e)
	p.write(e.Func + "(")
	n := len(e.Args) + len(e.Keywords)
	hang := min(p.col, formatDeep)
	if !flat {
		p.trailing(p.openEnd(e))
	}
	below := p.col != hang && !flat
	for i := range n {
		x, name := p.argument(e, i)
		body := func(x Expr, indent int) {
			p.write(name)
			p.broken(x, indent, false)
		}
		switch {
		case flat:
			if i > 0 {
				p.write(", ")
			}
			p.write(name)
			p.expr(x, indent)
		case i == 0 && !below && !p.hasComment(Span{e.FuncSpan.End, x.Span().Start}):
			body(x, hang)
		default:
			p.line(x, hang, body)
		}
		if flat {
			continue
		}
		if i < n-1 {
			p.write(",")
		}
		p.trailing(p.afterComma(x.Span().End))
	}
	if !flat {
		p.comments(e.Span().End, hang)
		p.newline(indent)
	}
	p.write(")")
}

func (p *printer) argument(e *Call, i int) (x Expr, name string) {
	if i < len(e.Args) {
		return e.Args[i], ""
	}
	k := e.Keywords[i-len(e.Args)]
	return k.Value, k.Name + "="
}
