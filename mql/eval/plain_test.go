package eval

import (
	"net/netip"
	"regexp"
	"strings"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/match"
	"github.com/sekisho/sekisho/mql/check"
	"github.com/sekisho/sekisho/mql/syntax"
	"github.com/sekisho/sekisho/mql/value"
)

// Plain evaluates a program as the language is written down: node by node, in
// the order of the source, without a graph, a memory, an order of costs, or a
// search for literals. What rules are compiled to must come to the same.
type Plain struct {
	env     Env
	run     *Run
	items   []value.Value
	regexps map[string]*regexp.Regexp
}

// NewPlain returns an evaluator for one message.
func NewPlain(env Env) *Plain {
	return &Plain{env: env, run: &Run{}, regexps: map[string]*regexp.Regexp{}}
}

// Rule evaluates a program.
func (e *Plain) Rule(p *check.Program) Result { return result(e.eval(p, p.File.Root)) }

func (e *Plain) eval(p *check.Program, x syntax.Expr) value.Value {
	ev := func(x syntax.Expr) value.Value { return e.eval(p, x) }
	switch x := x.(type) {
	case *syntax.Paren:
		return ev(x.X)
	case *syntax.Bool:
		return value.Bool(x.Value)
	case *syntax.Int:
		return value.Int(x.Value)
	case *syntax.Float:
		return value.Float(x.Value)
	case *syntax.String:
		return value.String(x.Value)
	case *syntax.List:
		if l := e.env.Lists[x.Name]; l != nil {
			return value.Of(l)
		}
		return value.Missing(value.Gap{Capability: "list", Name: x.Name, Cause: finding.NotConfigured})
	case *syntax.Name:
		return e.env.Root.Field(x.Name)
	case *syntax.Item:
		return e.items[len(e.items)-x.Level]
	case *syntax.Field:
		return ev(x.X).Field(x.Name)
	case *syntax.Index:
		return ev(x.X).Index(ev(x.Index))
	case *syntax.Negate:
		return value.Neg(ev(x.X))
	case *syntax.Arith:
		return value.Arith(string(x.Op)[0], ev(x.X), ev(x.Y))
	case *syntax.Compare:
		out := value.True
		for i, op := range x.Ops {
			out = value.And(out, compare(op, ev(x.Operands[i]), ev(x.Operands[i+1])))
		}
		return out
	case *syntax.In:
		// "x in A" is any(A, . == x).
		a, v := ev(x.Set), ev(x.X)
		out := value.Null
		switch {
		case v.IsPlainNull() || a.IsPlainNull():
		case v.IsMissing() || a.IsMissing():
			out, _ = value.Either(v, a)
		case a.List() != nil:
			out = value.False
			for _, item := range a.List().Items() {
				if x.Fold {
					out = value.Or(out, value.EqualFold(v, item))
				} else {
					out = value.Or(out, value.Equal(v, item))
				}
			}
		}
		if x.Not {
			return value.Not(out)
		}
		return out
	case *syntax.IsNull:
		if x.Not {
			return value.Not(value.IsNull(ev(x.X)))
		}
		return value.IsNull(ev(x.X))
	case *syntax.Not:
		return value.Not(ev(x.X))
	case *syntax.Logic:
		out := value.Bool(x.Op == syntax.OpAnd)
		for _, c := range x.Operands {
			if x.Op == syntax.OpAnd {
				out = value.And(out, ev(c))
			} else {
				out = value.Or(out, ev(c))
			}
		}
		return out
	case *syntax.Of:
		c := value.Count{N: int(x.N)}
		for _, clause := range x.Clauses {
			c.Add(ev(clause))
		}
		return c.Value()
	case *syntax.Array:
		return e.array(p, x.Elems)
	case *syntax.Tuple:
		return e.array(p, x.Elems)
	case *syntax.Call:
		return e.call(p, x)
	}
	return value.Null
}

func (e *Plain) array(p *check.Program, elems []syntax.Expr) value.Value {
	items := make([]value.Value, len(elems))
	for i, x := range elems {
		items[i] = e.eval(p, x)
	}
	return value.Array(items...)
}

func (e *Plain) call(p *check.Program, x *syntax.Call) value.Value {
	f := p.Function(x)
	if f.Loop() || f.Name == "distinct" || f.Name == "sum" {
		return e.loop(p, x, f.Name)
	}
	var args []value.Value
	for _, a := range x.Args {
		args = append(args, e.eval(p, a))
	}
	named := map[string]value.Value{}
	for _, k := range x.Keywords {
		named[k.Name] = e.eval(p, k.Value)
	}
	if k, ok := textFunctions[f.Name]; ok {
		return e.text(k, args)
	}
	nulls, least := f.Name == "ml.nlu_classifier", f.Least()
	if b, ok := builtins[f.Name]; ok {
		nulls, least = b.nulls, len(args)
	}
	if !nulls {
		for _, a := range args[:min(least, len(args))] {
			if a.IsPlainNull() {
				return value.Null
			}
		}
		if m, ok := value.Either(args...); ok {
			return m
		}
	}
	if b, ok := builtins[f.Name]; ok {
		return b.eval(e.run, args, named)
	}
	if f.Name == "beta.ip_in" {
		return inNetworks(args[0], args[1:])
	}
	if fn := e.env.Functions[f.Name]; fn != nil {
		return fn(&value.Call{Args: args, Named: named})
	}
	g := value.Gap{Capability: "function", Name: f.Name, Cause: finding.NotConfigured}
	if f.Needs != "" {
		g = value.Gap{Capability: string(f.Needs), Cause: finding.NotConfigured}
	}
	return value.Missing(g)
}

func inNetworks(v value.Value, networks []value.Value) value.Value {
	if v.Object() != nil {
		v = v.Field("ip")
	}
	s, _ := v.Str()
	a, err := netip.ParseAddr(s)
	if err != nil {
		return value.Null
	}
	for _, n := range networks {
		s, _ := n.Str()
		if p, ok := parseNet(s); ok && p.Contains(a) {
			return value.True
		}
	}
	return value.False
}

func (e *Plain) loop(p *check.Program, x *syntax.Call, name string) value.Value {
	a := e.eval(p, x.Args[0])
	if a.IsMissing() {
		m, _ := value.Either(a)
		return m
	}
	if a.List() == nil {
		return (&loopNode{kind: name}).none()
	}
	items := a.List().Items()
	body := make([]value.Value, len(items))
	for i, item := range items {
		body[i] = item
		if len(x.Args) > 1 {
			e.items = append(e.items, item)
			body[i] = e.eval(p, x.Args[1])
			e.items = e.items[:len(e.items)-1]
		}
	}
	open := value.Null // what is missing for a condition
	var kept []value.Value
	for i, v := range body {
		if v.IsMissing() && v.CanBeTrue() {
			open, _ = value.Either(open, v)
		}
		if v.IsTrue() {
			kept = append(kept, items[i])
		}
	}
	switch name {
	case "any":
		out := value.False
		for _, v := range body {
			out = value.Or(out, v)
		}
		return out
	case "all":
		out := value.True
		for _, v := range body {
			out = value.And(out, v)
		}
		return out
	case "map":
		return value.Array(body...)
	case "filter":
		if open.IsMissing() {
			return open
		}
		return value.Array(kept...)
	case "ratio":
		if open.IsMissing() {
			return open
		}
		if len(items) == 0 {
			return value.Null
		}
		return value.Float(float64(len(kept)) / float64(len(items)))
	case "sum":
		out := value.Int(0)
		for _, v := range body {
			if !v.IsPlainNull() {
				out = value.Arith('+', out, v)
			}
		}
		return out
	}
	var out []value.Value
	seen := map[string]bool{}
	for i, v := range body {
		if v.IsMissing() {
			m, _ := value.Either(body...)
			return m
		}
		key := v.Kind().String() + string(v.AppendJSON(nil))
		if !seen[key] {
			seen[key] = true
			out = append(out, items[i])
		}
	}
	return value.Array(out...)
}

// text asks each pattern by a regular expression.
func (e *Plain) text(k textKind, args []value.Value) value.Value {
	s, ok := args[0].Str()
	if !ok {
		if m, missing := value.Either(args[0]); missing {
			return m
		}
		return value.Null
	}
	known, missing, hit, count := false, value.Null, false, int64(0)
	var found []value.Value
	for _, a := range args[1:] {
		p, ok := a.Str()
		if !ok {
			missing, _ = value.Either(missing, a)
			continue
		}
		known = true
		if k.what == counts && k.kind == match.Contains && p == "" {
			continue
		}
		re := e.regexp(k, p)
		if re == nil {
			continue
		}
		if k.what == asks {
			hit = hit || re.MatchString(s)
			continue
		}
		for _, place := range re.FindAllStringSubmatchIndex(s, maxMatches) {
			count++
			if len(found) < maxMatches {
				found = append(found, value.Of(extracted(args[0], place, re)))
			}
		}
	}
	switch {
	case hit:
		return value.True
	case missing.IsMissing():
		return missing
	case !known:
		return value.Null
	case k.what == counts:
		return value.Int(count)
	case k.what == extracts:
		return value.Array(found...)
	}
	return value.False
}

func (e *Plain) regexp(k textKind, p string) *regexp.Regexp {
	expr := regexp.QuoteMeta(p)
	switch k.kind {
	case match.Prefix:
		expr = `\A` + expr
	case match.Suffix:
		expr += `\z`
	case match.Glob:
		expr = `(?s)\A` + strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(expr) + `\z`
	case match.Regexp:
		if expr = p; k.whole {
			expr = `\A(?:` + p + `)\z`
		}
	}
	if k.fold {
		expr = "(?i)" + expr
	}
	re, ok := e.regexps[expr]
	if !ok {
		re, _ = regexp.Compile(expr)
		e.regexps[expr] = re
	}
	return re
}

// For returns an evaluator for another message that keeps the compiled
// expressions.
func (e *Plain) For(env Env) *Plain {
	n := NewPlain(env)
	n.regexps = e.regexps
	return n
}
