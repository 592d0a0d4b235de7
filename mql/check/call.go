package check

import (
	"errors"
	"net/netip"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/schema"
	mql "github.com/sekisho/sekisho/mql/syntax"
)

func (k *checking) call(e *mql.Call) *schema.Type {
	f, ok := schema.Lookup(e.Func)
	if !ok {
		k.noFunction(e)
		f = nil
	}
	// Arguments of an unknown function are checked too, except for what can
	// only be a condition on elements.
	types := make([]*schema.Type, len(e.Args))
	level := 0
	for i, a := range e.Args {
		if f != nil && i == 1 && f.Loop() {
			types[i] = k.body(a, types[0])
			level = max(level, int(k.p.levels[a.ID()])-1)
			continue
		}
		if f == nil && i > 0 && k.freeItem(a) {
			continue
		}
		types[i] = k.expr(a)
		level = max(level, int(k.p.levels[a.ID()]))
	}
	named := make([]*schema.Type, len(e.Keywords))
	for i := range e.Keywords {
		named[i] = k.expr(e.Keywords[i].Value)
		level = max(level, int(k.p.levels[e.Keywords[i].Value.ID()]))
	}
	k.p.levels[e.ID()] = uint8(max(level, 0))
	if f == nil {
		return nil
	}
	k.p.funcs[e] = f
	if f.Needs != "" {
		k.needs[f.Needs] = true
	}
	k.count(e, f)
	for i, a := range e.Args {
		if p := f.Param(i); p != nil {
			k.argument(a, types[i], p)
		}
	}
	k.keywords(e, f, named)
	return k.result(f, types)
}

// freeItem reports whether e reads an item without a loop of its own.
func (k *checking) freeItem(e mql.Expr) bool {
	found := false
	mql.Walk(e, func(e mql.Expr) bool {
		if item, ok := e.(*mql.Item); ok && item.Level > len(k.items) {
			found = true
		}
		return !found
	})
	return found
}

// body types the second argument of a loop over array.
func (k *checking) body(e mql.Expr, array *schema.Type) *schema.Type {
	var item *schema.Type
	if array != nil {
		item = array.Elem
		if array.Kind == schema.Any {
			item = array
		}
	}
	k.items = append(k.items, item)
	t := k.expr(e)
	k.items = k.items[:len(k.items)-1]
	return t
}

func (k *checking) noFunction(e *mql.Call) {
	if k.full() {
		return
	}
	hint := lang.Message{}
	names := schema.Names()
	_, last, _ := cutLast(e.Func)
	if n := nearest(e.Func, names); n != "" {
		hint = lang.M("mql.check.suggest", "name", n)
	} else {
		for _, n := range names {
			if _, l, _ := cutLast(n); l == last {
				hint = lang.M("mql.check.suggest", "name", n)
				break
			}
		}
	}
	k.fail(e.FuncSpan, lang.M("mql.check.function", "name", short(e.Func)), hint)
}

// cutLast splits a dotted name before its last part.
func cutLast(name string) (before, last string, dotted bool) {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[:i], name[i+1:], true
	}
	return "", name, false
}

func (k *checking) count(e *mql.Call, f *schema.Function) {
	n := len(e.Args)
	switch least, most := f.Least(), f.Most(); {
	case n < least && most == least:
		k.fail(e.Span(), lang.M("mql.check.count", "name", f.Name, "want", least, "n", n), usage(f))
	case n < least:
		k.fail(e.Span(), lang.M("mql.check.few", "name", f.Name, "want", least, "n", n), usage(f))
	case most >= 0 && n > most:
		k.fail(e.Args[most].Span(), lang.M("mql.check.many", "name", f.Name, "want", most, "n", n), usage(f))
	}
}

// usage shows how a function is called.
func usage(f *schema.Function) lang.Message {
	var parts []string
	for _, p := range f.Params {
		if p.Optional {
			parts = append(parts, "["+p.Name+"]")
		} else {
			parts = append(parts, p.Name)
		}
	}
	if f.Variadic {
		parts = append(parts, "…")
	}
	for _, p := range f.Keywords {
		parts = append(parts, "["+p.Name+"=…]")
	}
	return lang.M("mql.check.usage", "call", f.Name+"("+strings.Join(parts, ", ")+")")
}

func (k *checking) keywords(e *mql.Call, f *schema.Function, types []*schema.Type) {
	seen := map[string]bool{}
	for i, kw := range e.Keywords {
		p := f.Keyword(kw.Name)
		if p == nil {
			var names []string
			for _, p := range f.Keywords {
				names = append(names, p.Name)
			}
			hint := usage(f)
			if n := nearest(kw.Name, names); n != "" {
				hint = lang.M("mql.check.suggest", "name", n)
			}
			k.fail(kw.NameSpan, lang.M("mql.check.keyword", "name", f.Name, "keyword", kw.Name), hint)
			continue
		}
		if seen[kw.Name] {
			k.fail(kw.NameSpan, lang.M("mql.check.keyword.twice", "keyword", kw.Name), lang.Message{})
		}
		seen[kw.Name] = true
		k.argument(kw.Value, types[i], p)
		if p.Values != nil {
			k.word(kw.Value, &schema.Type{Kind: schema.String, Enum: p.Values}, false)
		}
	}
}

// argument checks one argument against its parameter.
func (k *checking) argument(e mql.Expr, t *schema.Type, p *schema.Param) {
	if t == nil {
		return
	}
	if t.Kind != schema.Any && t.Kind != schema.Null {
		if want, ok := accepts(p.Accept, t); !ok {
			k.wrongArgument(e, t, p, want)
			return
		}
	} else if p.Accept == schema.AcceptPredicate && t.Kind == schema.Any {
		k.wantBool(e, t)
	}
	lit, ok := mql.Unparen(e).(*mql.String)
	if !ok {
		return
	}
	switch p.Accept {
	case schema.AcceptRegexp:
		k.regexp(lit)
	case schema.AcceptString:
		inner := strings.Trim(lit.Value, "*")
		if p.Name == "part" && strings.TrimSpace(inner) != "" && !strings.Contains(inner, "*") && lit.Value == "*"+inner+"*" {
			k.warn(e.Span(), lang.M("mql.check.star"), lang.M("mql.check.star.hint", "text", short(inner)))
		}
	case schema.AcceptCIDR:
		if !isNetwork(lit.Value) {
			k.fail(e.Span(), lang.M("mql.check.cidr", "text", short(lit.Value)), lang.M("mql.check.cidr.hint"))
		}
	case schema.AcceptXPath:
		if strings.TrimSpace(lit.Value) == "" {
			k.fail(e.Span(), lang.M("mql.check.xpath"), lang.Message{})
		} else if k.xpath != nil {
			if err := k.xpath(lit.Value); err != nil {
				k.fail(e.Span(), lang.M("mql.check.xpath.bad", "why", err.Error()), lang.Message{})
			}
		}
	default:
	}
}

func (k *checking) wrongArgument(e mql.Expr, t *schema.Type, p *schema.Param, want string) {
	if p.Accept == schema.AcceptPredicate {
		k.wantBool(e, t)
		return
	}
	hint := lang.Message{}
	if p.Accept == schema.AcceptString && t.Kind == schema.Array && t.Elem.Kind == schema.String {
		hint = lang.M("mql.check.argument.array", "text", k.text(e))
	}
	k.fail(e.Span(), lang.M("mql.check.argument", "text", k.text(e), "type", t.String(), "want", want, "param", p.Name), hint)
}

// accepts reports whether a parameter takes a known type, and the name of
// what it wants.
func accepts(a schema.Accept, t *schema.Type) (want string, ok bool) {
	is := func(kinds ...schema.Kind) bool { return slices.Contains(kinds, t.Kind) }
	switch a {
	case schema.AcceptString, schema.AcceptRegexp, schema.AcceptGlob, schema.AcceptXPath, schema.AcceptCIDR:
		return "string", is(schema.String)
	case schema.AcceptNumber:
		return "number", t.IsNumber()
	case schema.AcceptBool, schema.AcceptPredicate:
		return "boolean", is(schema.Bool)
	case schema.AcceptArray:
		return "array", is(schema.Array)
	case schema.AcceptStrings:
		return "[string]", is(schema.Array) && (t.Elem.Kind == schema.String || t.Elem.Kind == schema.Any)
	case schema.AcceptNumbers:
		return "[number]", is(schema.Array) && (t.Elem.IsNumber() || t.Elem.Kind == schema.Any)
	case schema.AcceptMap:
		return "map", is(schema.Map)
	case schema.AcceptSized:
		return "string, array, map", is(schema.String, schema.Array, schema.Map)
	case schema.AcceptIP:
		return "IP, string", is(schema.String) || t.Name == "IP"
	case schema.AcceptDomain:
		return "Domain, string", is(schema.String) || t.Name == "Domain"
	case schema.AcceptLink:
		return "Link, URL", t.Name == "Link" || t.Name == "URL"
	case schema.AcceptFile:
		return "File", is(schema.Object) && t.Index("raw") >= 0
	case schema.AcceptHTML:
		return "BodyHTML", is(schema.Object) && t.Index("raw") >= 0
	default:
		return "", true
	}
}

// isNetwork reports whether s is an IP network or one address.
func isNetwork(s string) bool {
	if _, err := netip.ParsePrefix(s); err == nil {
		return true
	}
	_, err := netip.ParseAddr(s)
	return err == nil
}

// regexp reports a pattern that does not compile.
func (k *checking) regexp(lit *mql.String) {
	err, seen := k.patterns[lit.Value]
	if !seen {
		if _, e := syntax.Parse(lit.Value, syntax.Perl); e != nil {
			if se, ok := errors.AsType[*syntax.Error](e); ok {
				err = se
			}
		}
		k.patterns[lit.Value] = err
	}
	if err == nil {
		return
	}
	at := lit.Span()
	// The part of the pattern is found again only where the literal is
	// written as it is.
	if i := strings.Index(k.p.File.Text(at), err.Expr); i >= 0 && err.Expr != "" && err.Expr != lit.Value {
		at = mql.Span{Start: at.Start + i, End: at.Start + i + len(err.Expr)}
	}
	k.fail(at, lang.M("mql.check.regexp", "why", err.Code.String(), "text", short(err.Expr)), regexpHint(err))
}

func regexpHint(err *syntax.Error) lang.Message {
	switch {
	case strings.HasPrefix(err.Expr, "(?=") || strings.HasPrefix(err.Expr, "(?!") || strings.HasPrefix(err.Expr, "(?<"):
		return lang.M("mql.check.regexp.look")
	case err.Code == syntax.ErrInvalidEscape && len(err.Expr) == 2 && err.Expr[1] >= '1' && err.Expr[1] <= '9':
		return lang.M("mql.check.regexp.back")
	case err.Code == syntax.ErrInvalidEscape:
		return lang.M("mql.check.regexp.escape")
	case err.Code == syntax.ErrInvalidRepeatSize:
		return lang.M("mql.check.regexp.size", "max", strconv.Itoa(1000))
	case err.Code == syntax.ErrMissingRepeatArgument:
		return lang.M("mql.check.regexp.repeat")
	default:
		return lang.Message{}
	}
}

// result types what a call returns.
func (k *checking) result(f *schema.Function, args []*schema.Type) *schema.Type {
	first, second := (*schema.Type)(nil), (*schema.Type)(nil)
	if len(args) > 0 {
		first = args[0]
	}
	if len(args) > 1 {
		second = args[1]
	}
	switch f.Returns {
	case schema.ReturnsFirst:
		return first
	case schema.ReturnsBodies:
		if second == nil {
			return nil
		}
		return schema.ArrayOf(second)
	case schema.ReturnsElement:
		if first == nil || first.Kind != schema.Array || first.Elem.Kind != schema.Array {
			return first
		}
		return first.Elem
	case schema.ReturnsValues:
		if first == nil || first.Kind != schema.Map {
			return first
		}
		return schema.ArrayOf(first.Elem)
	case schema.ReturnsSum:
		if second != nil {
			return second
		}
		if first == nil || first.Elem == nil || !first.Elem.IsNumber() {
			return schema.Scalar(schema.Float)
		}
		return first.Elem
	case schema.ReturnsJoin:
		var t *schema.Type
		for _, a := range args {
			switch {
			case a == nil:
				return nil
			case t == nil:
				t = a
			default:
				t = schema.Join(t, a)
			}
		}
		return t
	default:
		return f.Result
	}
}
