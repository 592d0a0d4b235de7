package xpath

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ErrSyntax means that an expression is no XPath, or uses what is not known
// here.
var ErrSyntax = errors.New("xpath: not an expression")

// Limits on expressions.
const (
	maxExpr  = 8 << 10 // bytes
	maxNest  = 64
	maxSteps = 64 // of one path
)

// Expr is an expression. It is immutable and safe for concurrent use.
type Expr struct{ root expr }

// The nodes of an expression.
type (
	expr interface{ isExpr() }

	number  float64
	literal string

	binary struct {
		op   string
		x, y expr
	}
	negate struct{ x expr }
	call   struct {
		name string
		args []expr
	}
	// path is steps from the root, from the context, or from what an
	// expression found.
	path struct {
		absolute bool
		from     expr // may be nil
		where    []expr
		steps    []step
	}
)

func (number) isExpr()  {}
func (literal) isExpr() {}
func (*binary) isExpr() {}
func (*negate) isExpr() {}
func (*call) isExpr()   {}
func (*path) isExpr()   {}

// step is axis::test[predicate].
type step struct {
	axis  string
	kind  string // element, *, text, comment, node
	name  string
	where []expr
}

var axes = map[string]bool{
	"ancestor": true, "ancestor-or-self": true, "attribute": true, "child": true, "descendant": true, "descendant-or-self": true,
	"following": true, "following-sibling": true, "parent": true, "preceding": true, "preceding-sibling": true, "self": true,
}

// functions are those of the core library (XPath section 4), with the least and
// the most arguments.
var functions = map[string][2]int{
	"last": {0, 0}, "position": {0, 0}, "count": {1, 1}, "local-name": {0, 1}, "name": {0, 1},
	"string": {0, 1}, "concat": {2, 50}, "starts-with": {2, 2}, "contains": {2, 2}, "substring-before": {2, 2}, "substring-after": {2, 2},
	"substring": {2, 3}, "string-length": {0, 1}, "normalize-space": {0, 1}, "translate": {3, 3},
	"boolean": {1, 1}, "not": {1, 1}, "true": {0, 0}, "false": {0, 0},
	"number": {0, 1}, "sum": {1, 1}, "floor": {1, 1}, "ceiling": {1, 1}, "round": {1, 1},
}

// Compile reads an expression. The error is [ErrSyntax].
func Compile(s string) (*Expr, error) {
	if len(s) > maxExpr {
		return nil, fmt.Errorf("%w: too long", ErrSyntax)
	}
	p := &parser{}
	if err := p.lex(s); err != nil {
		return nil, err
	}
	x, err := p.or(0)
	if err != nil {
		return nil, err
	}
	// A bracket too many at the end is put up with: a public rule has one.
	p.accept("]")
	if p.at < len(p.tokens) {
		return nil, p.unexpected()
	}
	return &Expr{x}, nil
}

type token struct {
	kind byte // n name, s string, d digits, o operator or punctuation
	text string
}

type parser struct {
	tokens []token
	at     int
}

func isNameStart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func isNameByte(c byte) bool { return isNameStart(c) || c == '-' || c == '.' || c >= '0' && c <= '9' }

func (p *parser) lex(s string) error {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			i++
		case c == '"' || c == '\'':
			end := strings.IndexByte(s[i+1:], c)
			if end < 0 {
				return fmt.Errorf("%w: a quote is not closed", ErrSyntax)
			}
			p.tokens = append(p.tokens, token{'s', s[i+1 : i+1+end]})
			i += end + 2
		case c >= '0' && c <= '9' || c == '.' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9':
			to := i
			for to < len(s) && (s[to] >= '0' && s[to] <= '9' || s[to] == '.') {
				to++
			}
			p.tokens = append(p.tokens, token{'d', s[i:to]})
			i = to
		case isNameStart(c):
			to := i
			for to < len(s) && isNameByte(s[to]) {
				to++
			}
			p.tokens = append(p.tokens, token{'n', s[i:to]})
			i = to
		default:
			op := s[i : i+1]
			for _, two := range []string{"//", "::", "..", "!=", "<=", ">="} {
				if strings.HasPrefix(s[i:], two) {
					op = two
				}
			}
			if len(op) == 1 && strings.IndexByte("/|+-=<>*()[],.@", s[i]) < 0 {
				return fmt.Errorf("%w: unexpected %q", ErrSyntax, op)
			}
			p.tokens = append(p.tokens, token{'o', op})
			i += len(op)
		}
	}
	return nil
}

func (p *parser) peek(text string) bool {
	return p.at < len(p.tokens) && p.tokens[p.at].kind == 'o' && p.tokens[p.at].text == text
}

func (p *parser) accept(text string) bool {
	if p.peek(text) {
		p.at++
		return true
	}
	return false
}

// word takes an operator that is a word.
func (p *parser) word(text string) bool {
	if p.at < len(p.tokens) && p.tokens[p.at].kind == 'n' && p.tokens[p.at].text == text {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(text string) error {
	if !p.accept(text) {
		return p.unexpected()
	}
	return nil
}

func (p *parser) unexpected() error {
	if p.at >= len(p.tokens) {
		return fmt.Errorf("%w: it ends too early", ErrSyntax)
	}
	return fmt.Errorf("%w: unexpected %q", ErrSyntax, p.tokens[p.at].text)
}

// chain parses operands joined by operators of one rank.
func (p *parser) chain(depth int, next func(int) (expr, error), op func() string) (expr, error) {
	x, err := next(depth)
	for n := 0; err == nil; n++ {
		o := op()
		if o == "" {
			return x, nil
		}
		if n == 200 {
			return nil, fmt.Errorf("%w: too long", ErrSyntax)
		}
		var y expr
		if y, err = next(depth); err == nil {
			x = &binary{o, x, y}
		}
	}
	return nil, err
}

func (p *parser) words(words ...string) func() string {
	return func() string {
		for _, w := range words {
			if p.word(w) {
				return w
			}
		}
		return ""
	}
}

func (p *parser) signs(signs ...string) func() string {
	return func() string {
		for _, s := range signs {
			if p.accept(s) {
				return s
			}
		}
		return ""
	}
}

func (p *parser) or(depth int) (expr, error) {
	if depth > maxNest {
		return nil, fmt.Errorf("%w: nested too deeply", ErrSyntax)
	}
	return p.chain(depth+1, p.and, p.words("or"))
}

func (p *parser) and(depth int) (expr, error) { return p.chain(depth, p.equality, p.words("and")) }

func (p *parser) equality(depth int) (expr, error) {
	return p.chain(depth, p.relational, p.signs("=", "!="))
}

func (p *parser) relational(depth int) (expr, error) {
	return p.chain(depth, p.additive, p.signs("<=", ">=", "<", ">"))
}

func (p *parser) additive(depth int) (expr, error) {
	return p.chain(depth, p.multiplicative, p.signs("+", "-"))
}

func (p *parser) multiplicative(depth int) (expr, error) {
	return p.chain(depth, p.unary, func() string {
		if p.accept("*") {
			return "*"
		}
		return p.words("div", "mod")()
	})
}

func (p *parser) unary(depth int) (expr, error) {
	if p.accept("-") {
		if depth > maxNest {
			return nil, fmt.Errorf("%w: nested too deeply", ErrSyntax)
		}
		x, err := p.unary(depth + 1)
		if err != nil {
			return nil, err
		}
		return &negate{x}, nil
	}
	return p.chain(depth, p.path, p.signs("|"))
}

// path parses a location path, or a primary expression with what follows it.
func (p *parser) path(depth int) (expr, error) {
	out := &path{}
	if !p.primaryNext() {
		if p.accept("/") {
			out.absolute = true
			if !p.stepNext() {
				return out, nil
			}
			return p.steps(depth, out)
		}
		if p.accept("//") {
			out.absolute = true
			out.steps = append(out.steps, step{axis: "descendant-or-self", kind: "node"})
		}
		return p.steps(depth, out)
	}
	x, err := p.primary(depth)
	if err != nil {
		return nil, err
	}
	where, err := p.predicates(depth)
	if err != nil {
		return nil, err
	}
	if len(where) == 0 && !p.peek("/") && !p.peek("//") {
		return x, nil
	}
	out.from, out.where = x, where
	switch {
	case p.accept("//"):
		out.steps = append(out.steps, step{axis: "descendant-or-self", kind: "node"})
		return p.steps(depth, out)
	case p.accept("/"):
		return p.steps(depth, out)
	}
	return out, nil
}

// primaryNext reports whether what follows is no location path.
func (p *parser) primaryNext() bool {
	if p.at >= len(p.tokens) {
		return false
	}
	switch t := p.tokens[p.at]; t.kind {
	case 's', 'd':
		return true
	case 'n':
		if p.at+1 < len(p.tokens) && p.tokens[p.at+1] == (token{'o', "("}) {
			switch t.text {
			case "text", "comment", "node", "processing-instruction":
				return false
			}
			return true
		}
		return false
	default:
		return t.text == "("
	}
}

// stepNext reports whether a step follows.
func (p *parser) stepNext() bool {
	if p.at >= len(p.tokens) {
		return false
	}
	t := p.tokens[p.at]
	return t.kind == 'n' || t.kind == 'o' && (t.text == "@" || t.text == "*" || t.text == "." || t.text == "..")
}

func (p *parser) primary(depth int) (expr, error) {
	t := p.tokens[p.at]
	p.at++
	switch t.kind {
	case 's':
		return literal(t.text), nil
	case 'd':
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return nil, fmt.Errorf("%w: %q is no number", ErrSyntax, t.text)
		}
		return number(f), nil
	case 'o':
		x, err := p.or(depth)
		if err != nil {
			return nil, err
		}
		return x, p.expect(")")
	}
	arity, ok := functions[t.text]
	if !ok {
		return nil, fmt.Errorf("%w: no function %q", ErrSyntax, t.text)
	}
	c := &call{name: t.text}
	p.at++ // the bracket
	for !p.accept(")") {
		if len(c.args) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		x, err := p.or(depth)
		if err != nil {
			return nil, err
		}
		c.args = append(c.args, x)
	}
	if len(c.args) < arity[0] || len(c.args) > arity[1] {
		return nil, fmt.Errorf("%w: %s with %d arguments", ErrSyntax, t.text, len(c.args))
	}
	return c, nil
}

func (p *parser) predicates(depth int) ([]expr, error) {
	var out []expr
	for p.accept("[") {
		x, err := p.or(depth)
		if err != nil {
			return nil, err
		}
		if err := p.expect("]"); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

func (p *parser) steps(depth int, out *path) (expr, error) {
	for {
		s, err := p.step(depth)
		if err != nil {
			return nil, err
		}
		if out.steps = append(out.steps, s); len(out.steps) > maxSteps {
			return nil, fmt.Errorf("%w: too many steps", ErrSyntax)
		}
		switch {
		case p.accept("//"):
			out.steps = append(out.steps, step{axis: "descendant-or-self", kind: "node"})
		case !p.accept("/"):
			out.shorten()
			return out, nil
		}
	}
}

// shorten makes one step of "//name" where no place is asked for: a place would
// count among the children of one parent.
func (x *path) shorten() {
	var out []step
	for i := 0; i < len(x.steps); i++ {
		s := x.steps[i]
		if s.axis == "descendant-or-self" && s.kind == "node" && len(s.where) == 0 && i+1 < len(x.steps) {
			next := x.steps[i+1]
			plain := next.axis == "child"
			for _, w := range next.where {
				plain = plain && !positional(w)
			}
			if plain {
				next.axis = "descendant"
				out = append(out, next)
				i++
				continue
			}
		}
		out = append(out, s)
	}
	x.steps = out
}

// positional reports whether a predicate could ask for a place: by a number, or
// by a function.
func positional(x expr) bool {
	switch x := x.(type) {
	case number, *negate:
		return true
	case *binary:
		switch x.op {
		case "+", "-", "*", "div", "mod":
			return true
		}
		return asksPlace(x)
	case *call:
		switch x.name {
		case "not", "contains", "starts-with", "boolean", "true", "false", "string", "concat", "local-name", "name", "normalize-space", "translate":
			return asksPlace(x)
		}
		return true
	}
	return asksPlace(x)
}

func asksPlace(x expr) bool {
	switch x := x.(type) {
	case *binary:
		return asksPlace(x.x) || asksPlace(x.y)
	case *negate:
		return asksPlace(x.x)
	case *call:
		if x.name == "position" || x.name == "last" {
			return true
		}
		if slices.ContainsFunc(x.args, asksPlace) {
			return true
		}
	}
	return false // within a path, a place is another one
}

func (p *parser) step(depth int) (step, error) {
	if p.accept(".") {
		return step{axis: "self", kind: "node"}, nil
	}
	if p.accept("..") {
		return step{axis: "parent", kind: "node"}, nil
	}
	s := step{axis: "child"}
	if p.accept("@") {
		s.axis = "attribute"
	} else if p.at+1 < len(p.tokens) && p.tokens[p.at].kind == 'n' && p.tokens[p.at+1] == (token{'o', "::"}) {
		s.axis = p.tokens[p.at].text
		if !axes[s.axis] {
			return s, fmt.Errorf("%w: no axis %q", ErrSyntax, s.axis)
		}
		p.at += 2
	}
	switch {
	case p.accept("*"):
		s.kind = "*"
	case p.at < len(p.tokens) && p.tokens[p.at].kind == 'n':
		s.kind, s.name = "element", p.tokens[p.at].text
		p.at++
		if p.accept("(") {
			switch s.name {
			case "text", "comment", "node":
				s.kind, s.name = s.name, ""
			default:
				return s, fmt.Errorf("%w: no node test %q", ErrSyntax, s.name)
			}
			if err := p.expect(")"); err != nil {
				return s, err
			}
		}
	default:
		return s, p.unexpected()
	}
	var err error
	s.where, err = p.predicates(depth)
	return s, err
}
