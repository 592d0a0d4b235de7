package syntax

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/lang"
)

// Parse reads a source. It never fails: what is wrong is in
// [File.Diagnostics], and the tree has [Bad] where nothing could be read.
func Parse(source string) *File {
	f := &File{Source: source}
	p := &parser{src: source, file: f}
	f.lines = append(f.lines, 0)
	if len(source) > MaxSize {
		p.fail(Span{0, 0}, lang.M("mql.syntax.size", "max", MaxSize), lang.Message{})
		f.Root = &Bad{p.base(Span{0, 0})}
		f.Nodes = len(p.heights)
		f.Diagnostics = p.found
		return f
	}
	for i := 0; i < len(source); {
		n := strings.IndexByte(source[i:], '\n')
		if n < 0 {
			break
		}
		i += n + 1
		f.lines = append(f.lines, i)
	}
	lex := &lexer{src: source, report: p.add}
	p.tokens = make([]token, 0, len(source)/6+8)
	for {
		t := lex.next()
		if t.kind == kBad {
			continue
		}
		p.tokens = append(p.tokens, t)
		if t.kind == kEOF {
			break
		}
	}
	f.Comments = lex.comments
	f.Root = p.source()
	f.Nodes = len(p.heights)
	slices.SortStableFunc(p.found, func(a, b Diagnostic) int { return cmp.Compare(a.Span.Start, b.Span.Start) })
	f.Diagnostics = p.withoutEchoes()
	f.Diagnostics = f.Diagnostics[:min(len(f.Diagnostics), MaxFound)]
	return f
}

// withoutEchoes drops what an open string causes: on its line quoted and plain
// text have changed places, and brackets are missing.
func (p *parser) withoutEchoes() []Diagnostic {
	open := map[int]bool{}
	for _, d := range p.found {
		if d.Message.Key == keyOpenString {
			open[p.file.Position(d.Span.Start).Line] = true
		}
	}
	if len(open) == 0 {
		return p.found
	}
	return slices.DeleteFunc(p.found, func(d Diagnostic) bool {
		switch d.Message.Key {
		case keyOpenString:
			return false
		case keyUnclosed, keyUnopened:
			return true
		default:
			return open[p.file.Position(d.Span.Start).Line]
		}
	})
}

// Keys of messages that [parser.withoutEchoes] tells apart.
const (
	keyOpenString = "mql.syntax.string.open"
	keyUnclosed   = "mql.syntax.unclosed"
	keyUnopened   = "mql.syntax.unopened"
)

type parser struct {
	src     string
	file    *File
	tokens  []token
	pos     int
	depth   int
	parens  int // that are open
	bracks  int
	found   []Diagnostic
	stopped bool // a limit was hit: nothing more is read or reported

	// unbalanced is set once a bracket was reported.
	unbalanced bool

	// heights holds, by ID, how deep the tree below a node is.
	heights []uint16
}

// add keeps a diagnostic. There may be one per place, because what follows
// from a mistake at the same place only hides it.
func (p *parser) add(d Diagnostic) {
	if p.stopped || len(p.found) >= 4*MaxFound {
		return
	}
	for _, o := range p.found {
		if o.Span.Start == d.Span.Start {
			return
		}
	}
	p.found = append(p.found, d)
}

func (p *parser) fail(at Span, msg, hint lang.Message) {
	p.add(Diagnostic{Level: Error, Span: at, Message: msg, Hint: hint})
}

// stop reports that a limit is exceeded and moves to the end.
func (p *parser) stop(at Span, msg lang.Message) {
	p.fail(at, msg, lang.Message{})
	p.stopped = true
	p.pos = len(p.tokens) - 1
}

func (p *parser) tok() token { return p.tokens[p.pos] }

func (p *parser) kind() kind { return p.tokens[p.pos].kind }

func (p *parser) peek(n int) token { return p.tokens[min(p.pos+n, len(p.tokens)-1)] }

func (p *parser) advance() token {
	t := p.tokens[p.pos]
	if p.pos < len(p.tokens)-1 {
		p.pos++
	}
	return t
}

func (p *parser) accept(k kind) bool {
	if p.kind() != k {
		return false
	}
	p.advance()
	return true
}

func (p *parser) text(t token) string { return p.src[t.start:t.end] }

// lastEnd is where the last token that was taken ends.
func (p *parser) lastEnd() int {
	if p.pos == 0 {
		return 0
	}
	return p.tokens[p.pos-1].end
}

// base numbers a node above others.
func (p *parser) base(at Span, below ...Expr) Base {
	h := 0
	for _, e := range below {
		if e != nil {
			h = max(h, int(p.heights[e.ID()])+1)
		}
	}
	return p.baseOfHeight(at, h)
}

func (p *parser) baseOfHeight(at Span, h int) Base {
	id := len(p.heights)
	p.heights = append(p.heights, uint16(min(h, 1<<15)))
	if !p.stopped {
		if h > MaxDepth {
			p.stop(at, lang.M("mql.syntax.depth", "max", MaxDepth))
		} else if id >= MaxNodes {
			p.stop(at, lang.M("mql.syntax.nodes", "max", MaxNodes))
		}
	}
	return Base{span: at, id: id}
}

// enter goes one level down and reports whether there is room.
func (p *parser) enter() bool {
	p.depth++
	if p.depth > MaxDepth {
		if !p.stopped {
			p.stop(p.tok().span(), lang.M("mql.syntax.depth", "max", MaxDepth))
		}
		return false
	}
	return true
}

func (p *parser) leave() { p.depth-- }

func (p *parser) bad(at Span) Expr { return &Bad{p.base(at)} }

// startsExpr reports whether a token can begin an expression.
func startsExpr(k kind) bool {
	switch k {
	case kIdent, kInt, kFloat, kString, kList, kDots, kLParen, kLBrack, kNot, kNull, kTrue, kFalse:
		return true
	default:
		return false
	}
}

func (p *parser) source() Expr {
	if p.kind() == kEOF {
		p.fail(Span{0, len(p.src)}, lang.M("mql.syntax.empty"), lang.M("mql.syntax.empty.hint"))
		return p.bad(Span{0, 0})
	}
	root := p.expr()
	for p.kind() != kEOF {
		t := p.tok()
		switch {
		case p.unbalanced && t.kind != kAnd && t.kind != kOr:
			// What remains of a line with a wrong bracket says nothing new.
			p.advance()
		case startsExpr(t.kind):
			p.missingOperator(t)
			p.expr()
		case t.kind == kRParen || t.kind == kRBrack:
			p.unopened(t)
		case t.kind == kAnd || t.kind == kOr:
			p.advance()
			if p.kind() != kEOF {
				p.expr()
			}
		default:
			p.unexpected(t)
			p.advance()
		}
	}
	return root
}

// unopened reports and takes a bracket that nothing opened.
func (p *parser) unopened(t token) {
	p.fail(t.span(), lang.M(keyUnopened, "text", p.text(t)), lang.M("mql.syntax.unopened.hint"))
	p.unbalanced = true
	p.advance()
}

// missingOperator reports two expressions without a word between them. A word
// that is only written in the wrong case is taken.
func (p *parser) missingOperator(t token) {
	word := strings.ToLower(p.text(t))
	if t.kind == kIdent && word != p.text(t) && keyword(word) != kIdent {
		p.fail(t.span(), lang.M("mql.syntax.foreign", "text", p.text(t)), lang.M("mql.syntax.foreign.hint", "word", word))
		p.advance()
		return
	}
	p.fail(t.span(), lang.M("mql.syntax.operator", "text", p.short(t)), lang.M("mql.syntax.operator.hint"))
}

func (p *parser) unexpected(t token) {
	switch t.kind {
	case kEOF:
		p.fail(t.span(), lang.M("mql.syntax.end"), lang.M("mql.syntax.end.hint"))
	case kAssign:
		p.fail(t.span(), lang.M("mql.syntax.foreign", "text", "="), lang.M("mql.syntax.foreign.hint", "word", "=="))
	default:
		p.fail(t.span(), lang.M("mql.syntax.unexpected", "text", p.short(t)), lang.Message{})
	}
}

// short is the text of a token for a message.
func (p *parser) short(t token) string {
	const most = 40
	s := p.text(t)
	if len(s) <= most {
		return s
	}
	for i := range s {
		if i >= most {
			return s[:i] + "…"
		}
	}
	return s
}
