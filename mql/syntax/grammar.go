package syntax

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/lang"
)

func (p *parser) expr() Expr {
	if !p.enter() {
		p.leave()
		return p.bad(p.tok().span())
	}
	e := p.or()
	p.leave()
	return e
}

func (p *parser) or() Expr { return p.logic(OpOr, kOr, (*parser).and) }

func (p *parser) and() Expr { return p.logic(OpAnd, kAnd, (*parser).not) }

func (p *parser) logic(op Op, word kind, operand func(*parser) Expr) Expr {
	first := operand(p)
	if p.kind() != word {
		return first
	}
	list := []Expr{first}
	for p.accept(word) {
		list = append(list, operand(p))
	}
	return &Logic{p.base(p.covering(first, list[len(list)-1]), list...), op, list}
}

func (p *parser) covering(first, last Expr) Span {
	return Span{first.Span().Start, last.Span().End}
}

func (p *parser) not() Expr {
	if p.kind() != kNot {
		return p.compare()
	}
	start := p.advance().start
	if !p.enter() {
		p.leave()
		return p.bad(p.tok().span())
	}
	x := p.not()
	p.leave()
	return &Not{p.base(Span{start, x.Span().End}, x), x}
}

func compareOp(k kind) Op {
	switch k {
	case kEq:
		return OpEq
	case kNe:
		return OpNe
	case kEqFold:
		return OpEqFold
	case kNeFold:
		return OpNeFold
	case kLt:
		return OpLt
	case kLe:
		return OpLe
	case kGt:
		return OpGt
	case kGe:
		return OpGe
	default:
		return ""
	}
}

func (p *parser) compare() Expr {
	x := p.sum()
	switch p.kind() {
	case kIs:
		x = p.isNull(x)
	case kIn, kInFold:
		x = p.in(x, false)
	case kNot:
		if k := p.peek(1).kind; k == kIn || k == kInFold {
			p.advance()
			x = p.in(x, true)
		}
	case kAssign:
		p.unexpected(p.tok())
		x = p.chain(x, OpEq)
	default:
		if op := compareOp(p.kind()); op != "" {
			x = p.chain(x, op)
		}
	}
	// What is compared cannot be compared again.
	for compareOp(p.kind()) != "" || p.kind() == kIs || p.kind() == kIn || p.kind() == kInFold {
		t := p.advance()
		p.fail(t.span(), lang.M("mql.syntax.chain", "op", p.text(t)), lang.M("mql.syntax.chain.hint"))
		p.accept(kNot)
		if p.kind() == kLParen || startsExpr(p.kind()) {
			p.sum()
		}
	}
	return x
}

func (p *parser) chain(x Expr, op Op) Expr {
	operands, ops := []Expr{x}, []Op(nil)
	for {
		p.advance()
		operands, ops = append(operands, p.sum()), append(ops, op)
		less := op == OpLt || op == OpLe
		op = compareOp(p.kind())
		if !less || op != OpLt && op != OpLe {
			break
		}
	}
	return &Compare{p.base(p.covering(x, operands[len(operands)-1]), operands...), operands, ops}
}

func (p *parser) isNull(x Expr) Expr {
	is := p.advance()
	not := p.accept(kNot)
	if p.kind() != kNull {
		p.fail(Span{is.start, p.lastEnd()}, lang.M("mql.syntax.is"), lang.M("mql.syntax.is.hint"))
		if startsExpr(p.kind()) {
			p.sum()
		}
	} else {
		p.advance()
	}
	return &IsNull{p.base(Span{x.Span().Start, p.lastEnd()}, x), x, not}
}

func (p *parser) in(x Expr, not bool) Expr {
	t := p.advance()
	var set Expr
	if open := p.tok(); open.kind == kLParen {
		p.advance()
		elems := p.list(open, kRParen)
		set = &Tuple{p.base(Span{open.start, p.lastEnd()}, elems...), elems}
	} else {
		set = p.sum()
	}
	return &In{p.base(p.covering(x, set), x, set), x, not, t.kind == kInFold, set}
}

func (p *parser) sum() Expr {
	x := p.mul()
	for {
		var op Op
		switch p.kind() {
		case kAdd:
			op = OpAdd
		case kSub:
			op = OpSub
		default:
			return x
		}
		p.advance()
		y := p.mul()
		x = &Arith{p.base(p.covering(x, y), x, y), op, x, y}
	}
}

func (p *parser) mul() Expr {
	x := p.unary()
	for {
		var op Op
		switch p.kind() {
		case kMul:
			op = OpMul
		case kDiv:
			op = OpDiv
		case kMod:
			op = OpMod
		default:
			return x
		}
		p.advance()
		y := p.unary()
		x = &Arith{p.base(p.covering(x, y), x, y), op, x, y}
	}
}

func (p *parser) unary() Expr {
	if p.kind() != kSub {
		return p.postfix(p.primary())
	}
	start := p.advance().start
	if !p.enter() {
		p.leave()
		return p.bad(p.tok().span())
	}
	x := p.unary()
	p.leave()
	return &Negate{p.base(Span{start, x.Span().End}, x), x}
}

func (p *parser) postfix(x Expr) Expr {
	for {
		switch t := p.tok(); t.kind {
		case kDots:
			name := p.peek(1)
			if t.end-t.start != 1 {
				// A new item begins where an operator is missing.
				return x
			}
			p.advance()
			if name.kind != kIdent {
				p.fieldName(t, name)
				return x
			}
			p.advance()
			x = &Field{p.base(Span{x.Span().Start, name.end}, x), x, p.text(name), name.span()}
		case kLBrack:
			x = p.index(x, t)
		case kLParen:
			// A parenthesis calls a name; after anything else an operator is
			// missing before it.
			name, at, ok := p.dotted(x)
			if !ok {
				if _, called := p.root(x).(*Call); called && p.isField(x) {
					p.fail(x.(*Field).NameSpan, lang.M("mql.syntax.method", "name", x.(*Field).Name), lang.M("mql.syntax.method.hint", "name", x.(*Field).Name))
					p.advance()
					p.list(t, kRParen)
					x = p.bad(Span{x.Span().Start, p.lastEnd()})
					continue
				}
				return x
			}
			x = p.call(name, at, t)
		default:
			return x
		}
	}
}

func (p *parser) isField(x Expr) bool { _, ok := x.(*Field); return ok }

func (p *parser) root(x Expr) Expr {
	for {
		switch y := x.(type) {
		case *Field:
			x = y.X
		case *Index:
			x = y.X
		default:
			return x
		}
	}
}

// fieldName reports a dot that no name follows.
func (p *parser) fieldName(dot, name token) {
	if word := p.text(name); name.kind >= kAnd && name.kind <= kFalse && name.start == dot.end {
		p.advance()
		p.fail(name.span(), lang.M("mql.syntax.keyword", "word", word), lang.M("mql.syntax.keyword.hint", "word", word))
		return
	}
	p.fail(dot.span(), lang.M("mql.syntax.field"), lang.M("mql.syntax.field.hint"))
}

// dotted returns the name that x spells, such as strings.contains.
func (p *parser) dotted(x Expr) (string, Span, bool) {
	at := x.Span()
	var parts []string
	for {
		switch y := x.(type) {
		case *Field:
			parts = append(parts, y.Name)
			x = y.X
		case *Name:
			parts = append(parts, y.Name)
			slices.Reverse(parts)
			return strings.Join(parts, "."), at, true
		default:
			return "", at, false
		}
	}
}

func (p *parser) index(x Expr, open token) Expr {
	p.advance()
	var low, high Expr
	slice := false
	if p.kind() == kRBrack {
		p.fail(Span{open.start, p.tok().end}, lang.M("mql.syntax.index"), lang.M("mql.syntax.index.hint"))
		p.advance()
		return x
	}
	p.opened(kRBrack)
	if p.kind() != kColon {
		low = p.expr()
	}
	if p.accept(kColon) {
		slice = true
		if p.kind() != kRBrack {
			high = p.expr()
		}
	}
	p.close(open, kRBrack)
	p.closed(kRBrack)
	at := Span{x.Span().Start, p.lastEnd()}
	if slice {
		return &Slice{p.base(at, x, low, high), x, low, high}
	}
	return &Index{p.base(at, x, low), x, low}
}

// opened counts an opening bracket that was taken, and closed undoes it.
func (p *parser) opened(end kind) {
	if end == kRParen {
		p.parens++
	} else {
		p.bracks++
	}
}

func (p *parser) closed(end kind) {
	if end == kRParen {
		p.parens--
	} else {
		p.bracks--
	}
}

// ends reports whether the current token ends what open began, and takes it
// if it is one to take. A bracket of the other kind ends it where something
// around waits for that kind; otherwise it was mistyped.
func (p *parser) ends(open token, end kind) bool {
	t := p.tok()
	switch {
	case t.kind == end:
		p.advance()
		return true
	case t.kind == kEOF || t.kind == kRParen && p.parens > 0 || t.kind == kRBrack && p.bracks > 0:
		p.fail(open.span(), lang.M(keyUnclosed, "text", p.text(open)), lang.M("mql.syntax.unclosed.hint"))
		p.unbalanced = true
		return true
	case t.kind == kRParen || t.kind == kRBrack:
		p.unopened(t)
		return true
	}
	return false
}

// close takes the bracket that ends what open began.
func (p *parser) close(open token, end kind) {
	for !p.ends(open, end) {
		switch t := p.tok(); {
		case startsExpr(t.kind):
			p.missingOperator(t)
			p.expr()
		case t.kind == kAnd || t.kind == kOr:
			p.advance()
			p.expr()
		default:
			p.unexpected(t)
			p.advance()
		}
	}
}

// list reads expressions up to the bracket that ends what open began, which
// has been taken. A last comma is allowed.
func (p *parser) list(open token, end kind) []Expr {
	list, _ := p.args(open, end, false)
	return list
}

func (p *parser) args(open token, end kind, keywords bool) (list []Expr, named []Keyword) {
	p.opened(end)
	defer p.closed(end)
	for !p.ends(open, end) {
		switch t := p.tok(); {
		case t.kind == kComma:
			p.fail(t.span(), lang.M("mql.syntax.comma"), lang.M("mql.syntax.comma.hint"))
			p.advance()
			continue
		case t.kind == kIdent && p.peek(1).kind == kAssign:
			p.advance()
			p.advance()
			value := p.expr()
			if !keywords {
				p.fail(t.span(), lang.M("mql.syntax.named"), lang.M("mql.syntax.foreign.hint", "word", "=="))
			}
			named = append(named, Keyword{Name: p.text(t), NameSpan: t.span(), Value: value})
		default:
			before := p.pos
			e := p.expr()
			if len(named) > 0 && keywords {
				p.fail(e.Span(), lang.M("mql.syntax.position"), lang.M("mql.syntax.position.hint"))
			}
			list = append(list, e)
			if p.pos == before {
				p.advance()
			}
		}
		p.separator(end)
	}
	return list, named
}

// separator takes the comma after an element, or what stands in its place.
func (p *parser) separator(end kind) {
	for {
		switch t := p.tok(); {
		case p.accept(kComma), t.kind == end, t.kind == kEOF, t.kind == kRParen, t.kind == kRBrack:
			return
		case t.kind == kString:
			p.fail(t.span(), lang.M("mql.syntax.missingcomma"), lang.M("mql.syntax.missingcomma.hint"))
			return
		case startsExpr(t.kind):
			p.missingOperator(t)
			return
		case t.kind == kAnd || t.kind == kOr:
			p.advance()
			return
		default:
			p.unexpected(t)
			p.advance()
		}
	}
}

func (p *parser) call(name string, at Span, open token) Expr {
	if !p.enter() {
		p.leave()
		return p.bad(p.tok().span())
	}
	p.advance()
	args, named := p.args(open, kRParen, true)
	p.leave()
	h := 0
	for _, a := range args {
		h = max(h, int(p.heights[a.ID()])+1)
	}
	for _, k := range named {
		h = max(h, int(p.heights[k.Value.ID()])+1)
	}
	return &Call{p.baseOfHeight(Span{at.Start, p.lastEnd()}, h), name, at, args, named}
}

func (p *parser) primary() Expr {
	t := p.tok()
	switch t.kind {
	case kInt:
		return p.integer()
	case kFloat:
		p.advance()
		v, err := strconv.ParseFloat(p.text(t), 64)
		if err != nil {
			p.fail(t.span(), lang.M("mql.syntax.range"), lang.Message{})
		}
		return &Float{p.base(t.span()), v}
	case kString:
		p.advance()
		return &String{p.base(t.span()), unquote(p.text(t)), p.src[t.start] == '\''}
	case kNull:
		p.advance()
		return &Null{p.base(t.span())}
	case kTrue, kFalse:
		p.advance()
		return &Bool{p.base(t.span()), t.kind == kTrue}
	case kList:
		p.advance()
		return &List{p.base(t.span()), p.text(t)[1:]}
	case kIdent:
		p.advance()
		return &Name{p.base(t.span()), p.text(t)}
	case kDots:
		p.advance()
		var x Expr = &Item{p.base(t.span()), t.end - t.start}
		if name := p.tok(); name.kind == kIdent && name.start == t.end {
			p.advance()
			x = &Field{p.base(Span{t.start, name.end}, x), x, p.text(name), name.span()}
		}
		return x
	case kLBrack:
		p.advance()
		elems := p.list(t, kRBrack)
		return &Array{p.base(Span{t.start, p.lastEnd()}, elems...), elems}
	case kLParen:
		p.advance()
		return p.paren(t)
	case kNot:
		p.fail(t.span(), lang.M("mql.syntax.not"), lang.M("mql.syntax.not.hint"))
		return p.not()
	default:
		p.unexpected(t)
		return p.bad(Span{t.start, t.start})
	}
}

func (p *parser) paren(open token) Expr {
	if p.kind() == kRParen {
		p.fail(Span{open.start, p.tok().end}, lang.M("mql.syntax.paren"), lang.Message{})
		p.advance()
		return p.bad(Span{open.start, p.lastEnd()})
	}
	p.opened(kRParen)
	x := p.expr()
	if p.kind() == kComma {
		p.closed(kRParen)
		p.fail(open.span(), lang.M("mql.syntax.tuple"), lang.M("mql.syntax.tuple.hint"))
		p.advance()
		p.list(open, kRParen)
		return p.bad(Span{open.start, p.lastEnd()})
	}
	p.close(open, kRParen)
	p.closed(kRParen)
	return &Paren{p.base(Span{open.start, p.lastEnd()}, x), x}
}

func (p *parser) integer() Expr {
	t := p.advance()
	v, err := strconv.ParseInt(p.text(t), 10, 64)
	if err != nil {
		p.fail(t.span(), lang.M("mql.syntax.range"), lang.Message{})
	}
	if p.kind() != kOf {
		return &Int{p.base(t.span()), v}
	}
	p.advance()
	open := p.tok()
	if open.kind != kLParen {
		p.fail(open.span(), lang.M("mql.syntax.of", "n", p.text(t)), lang.M("mql.syntax.of.hint", "n", p.text(t)))
		return p.bad(Span{t.start, p.lastEnd()})
	}
	p.advance()
	clauses := p.list(open, kRParen)
	at := Span{t.start, p.lastEnd()}
	if len(clauses) == 0 {
		p.fail(at, lang.M("mql.syntax.of.empty"), lang.Message{})
	}
	return &Of{p.base(at, clauses...), v, clauses}
}
