package check

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/schema"
	mql "github.com/sekisho/sekisho/mql/syntax"
)

// expr types a node and what is below it. A nil type is one that an error
// made unknown; it fits everywhere, so that one mistake is reported once.
func (k *checking) expr(e mql.Expr) *schema.Type {
	t := k.typeOf(e)
	k.p.types[e.ID()] = t
	if _, ok := e.(*mql.Call); !ok {
		k.level(e)
	}
	return t
}

// level derives the level of a node from those below it.
func (k *checking) level(e mql.Expr) {
	l := 0
	if item, ok := e.(*mql.Item); ok {
		l = min(item.Level, 255)
	}
	for c := range mql.Children(e) {
		l = max(l, int(k.p.levels[c.ID()]))
	}
	k.p.levels[e.ID()] = uint8(l)
}

func (k *checking) typeOf(e mql.Expr) *schema.Type {
	switch e := e.(type) {
	case *mql.Null:
		return schema.Scalar(schema.Null)
	case *mql.Bool:
		return schema.Scalar(schema.Bool)
	case *mql.Int:
		return schema.Scalar(schema.Int)
	case *mql.Float:
		return schema.Scalar(schema.Float)
	case *mql.String:
		return schema.Scalar(schema.String)
	case *mql.List:
		return k.list(e)
	case *mql.Name:
		return k.name(e)
	case *mql.Item:
		return k.item(e)
	case *mql.Field:
		return k.field(e)
	case *mql.Index:
		return k.index(e)
	case *mql.Slice:
		return k.slice(e)
	case *mql.Call:
		return k.call(e)
	case *mql.Negate:
		t := k.expr(e.X)
		k.wantNumber(e.X, t)
		if t == nil || t.Kind == schema.Any || t.Kind == schema.Null {
			return schema.Scalar(schema.Float)
		}
		return t
	case *mql.Arith:
		return k.arith(e)
	case *mql.Compare:
		k.compare(e)
		return schema.Scalar(schema.Bool)
	case *mql.In:
		k.in(e)
		return schema.Scalar(schema.Bool)
	case *mql.IsNull:
		k.isNull(e)
		return schema.Scalar(schema.Bool)
	case *mql.Not:
		k.wantBool(e.X, k.expr(e.X))
		return schema.Scalar(schema.Bool)
	case *mql.Logic:
		for _, x := range e.Operands {
			k.wantBool(x, k.expr(x))
		}
		return schema.Scalar(schema.Bool)
	case *mql.Of:
		for _, x := range e.Clauses {
			k.wantBool(x, k.expr(x))
		}
		return schema.Scalar(schema.Bool)
	case *mql.Array:
		return k.elems(e.Elems)
	case *mql.Tuple:
		return k.elems(e.Elems)
	case *mql.Paren:
		return k.expr(e.X)
	}
	return nil
}

// elems types the elements of an array. One of nothing fits every use.
func (k *checking) elems(list []mql.Expr) *schema.Type {
	elem := schema.Scalar(schema.Null)
	for _, x := range list {
		if t := k.expr(x); t != nil {
			elem = schema.Join(elem, t)
		} else {
			elem = schema.Scalar(schema.Any)
		}
	}
	if elem.Kind == schema.Null {
		elem = schema.Scalar(schema.Any)
	}
	return schema.ArrayOf(elem)
}

func (k *checking) list(e *mql.List) *schema.Type {
	k.listed[e.Name] = true
	if l, ok := schema.LookupList(e.Name); ok {
		return schema.ArrayOf(l.Elem)
	}
	if k.lists[e.Name] {
		return schema.ArrayOf(schema.Scalar(schema.String))
	}
	names := schema.ListNames()
	for l := range k.lists {
		names = append(names, l)
	}
	hint := lang.M("mql.check.list.hint")
	if n := nearest(e.Name, names); n != "" {
		hint = lang.M("mql.check.suggest", "name", "$"+n)
	}
	k.fail(e.Span(), lang.M("mql.check.list", "name", "$"+e.Name), hint)
	return nil
}

func (k *checking) name(e *mql.Name) *schema.Type {
	if t, ok := schema.Root(e.Name); ok {
		return t
	}
	if k.full() {
		return nil
	}
	hint := lang.Message{}
	switch {
	case k.outer(e.Name) > 0:
		hint = lang.M("mql.check.suggest", "name", strings.Repeat(".", k.outer(e.Name))+e.Name)
	case isFunction(e.Name):
		hint = lang.M("mql.check.function.hint", "name", e.Name)
	default:
		if n := nearest(e.Name, schema.Roots()); n != "" {
			hint = lang.M("mql.check.suggest", "name", n)
		}
	}
	k.fail(e.Span(), lang.M("mql.check.name", "name", e.Name), hint)
	return nil
}

// isFunction reports whether name is a function or the namespace of some.
func isFunction(name string) bool {
	for _, n := range schema.Names() {
		if n == name || strings.HasPrefix(n, name+".") {
			return true
		}
	}
	return false
}

// outer returns how many dots reach an item with a field of that name, 0 for
// none.
func (k *checking) outer(name string) int {
	for i, t := range slices.Backward(k.items) {
		if t != nil && t.Index(name) >= 0 {
			return len(k.items) - i
		}
	}
	return 0
}

func (k *checking) item(e *mql.Item) *schema.Type {
	if e.Level > len(k.items) {
		if len(k.items) == 0 {
			k.fail(e.Span(), lang.M("mql.check.item.none", "dots", strings.Repeat(".", min(e.Level, 8))), lang.M("mql.check.item.none.hint"))
		} else {
			k.fail(e.Span(), lang.M("mql.check.item", "dots", strings.Repeat(".", min(e.Level, 8)), "n", len(k.items)), lang.Message{})
		}
		return nil
	}
	return k.items[len(k.items)-e.Level]
}

func (k *checking) field(e *mql.Field) *schema.Type {
	t := k.expr(e.X)
	if t == nil {
		return nil
	}
	switch t.Kind {
	case schema.Any:
		return t
	case schema.Object:
		f, ok := t.Field(e.Name)
		if !ok {
			k.noField(e, t)
			return nil
		}
		if f.Unpublished {
			k.p.Unpublished = append(k.p.Unpublished, e)
		}
		return f.Type
	case schema.Array:
		hint := lang.M("mql.check.array.field.hint", "text", k.text(e.X), "field", e.Name)
		k.fail(e.NameSpan, lang.M("mql.check.array.field", "field", e.Name), hint)
	case schema.Map:
		k.fail(e.NameSpan, lang.M("mql.check.map.field", "field", e.Name), lang.M("mql.check.map.field.hint", "text", k.text(e.X), "field", e.Name))
	default:
		k.fail(e.NameSpan, lang.M("mql.check.scalar.field", "type", t.String(), "field", e.Name), lang.Message{})
	}
	return nil
}

func (k *checking) noField(e *mql.Field, t *schema.Type) {
	names := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		names[i] = f.Name
	}
	hint := lang.Message{}
	item, isItem := e.X.(*mql.Item)
	_, isRoot := schema.Root(e.Name)
	switch n := nearest(e.Name, names); {
	case isItem && k.outer(e.Name) > item.Level:
		hint = lang.M("mql.check.suggest", "name", strings.Repeat(".", k.outer(e.Name))+e.Name)
	case isItem && isRoot:
		hint = lang.M("mql.check.suggest", "name", e.Name)
	case n != "":
		hint = lang.M("mql.check.suggest", "name", n)
	case len(names) <= 12:
		hint = lang.M("mql.check.field.hint", "names", names)
	}
	k.fail(e.NameSpan, lang.M("mql.check.field", "type", t.Name, "field", e.Name), hint)
}

// text is the source of an expression, cut for a message.
func (k *checking) text(e mql.Expr) string { return short(k.p.File.Text(e.Span())) }

func short(s string) string {
	const most = 60
	if strings.ContainsAny(s, "\n\r\t") {
		s = strings.Join(strings.Fields(s[:min(len(s), 4*most)]), " ")
	}
	n := 0
	for i := range s {
		if n == most {
			return strings.ToValidUTF8(s[:i], "") + "…"
		}
		n++
	}
	return strings.ToValidUTF8(s, "")
}

func (k *checking) index(e *mql.Index) *schema.Type {
	t, i := k.expr(e.X), k.expr(e.Index)
	if t == nil {
		return nil
	}
	switch t.Kind {
	case schema.Any:
		if i != nil && i.Kind != schema.Any && i.Kind != schema.Int && i.Kind != schema.String {
			k.mismatch(e.Index, i, "integer")
		}
		return t
	case schema.Array:
		if i != nil && i.Kind != schema.Any && i.Kind != schema.Int {
			k.mismatch(e.Index, i, "integer")
		}
		k.negative(e.Index)
		return t.Elem
	case schema.Map:
		if i != nil && i.Kind != schema.Any && i.Kind != schema.String {
			k.mismatch(e.Index, i, "string")
		}
		return t.Elem
	default:
		k.fail(e.Index.Span(), lang.M("mql.check.index", "text", k.text(e.X), "type", t.String()), lang.Message{})
		return nil
	}
}

// negative warns about an index that counts from the end, as other languages
// allow.
func (k *checking) negative(i mql.Expr) {
	if n, ok := mql.Unparen(i).(*mql.Negate); ok {
		if _, ok := mql.Unparen(n.X).(*mql.Int); ok {
			k.warn(i.Span(), lang.M("mql.check.negative"), lang.M("mql.check.negative.hint"))
		}
	}
}

func (k *checking) slice(e *mql.Slice) *schema.Type {
	t := k.expr(e.X)
	for _, x := range []mql.Expr{e.Low, e.High} {
		if x == nil {
			continue
		}
		if i := k.expr(x); i != nil && i.Kind != schema.Any && i.Kind != schema.Int {
			k.mismatch(x, i, "integer")
		}
	}
	if t == nil || t.Kind == schema.Any || t.Kind == schema.Array {
		return t
	}
	k.fail(e.Span(), lang.M("mql.check.index", "text", k.text(e.X), "type", t.String()), lang.Message{})
	return nil
}

// mismatch reports an expression that has another type than its place takes.
func (k *checking) mismatch(e mql.Expr, t *schema.Type, want string) {
	k.fail(e.Span(), lang.M("mql.check.type", "text", k.text(e), "type", t.String(), "want", want), lang.Message{})
}

func (k *checking) wantBool(e mql.Expr, t *schema.Type) {
	if t == nil || t.Kind == schema.Bool || t.Kind == schema.Null {
		return
	}
	hint := lang.Message{}
	switch t.Kind {
	case schema.Any:
		hint = lang.M("mql.check.condition.any", "text", k.text(e))
	case schema.Array:
		hint = lang.M("mql.check.condition.array", "text", k.text(e))
	case schema.String, schema.Object, schema.Map:
		hint = lang.M("mql.check.condition.null", "text", k.text(e))
	case schema.Int, schema.Float:
		hint = lang.M("mql.check.condition.number", "text", k.text(e))
	default:
	}
	k.fail(e.Span(), lang.M("mql.check.condition", "text", k.text(e), "type", t.String()), hint)
}

func (k *checking) wantNumber(e mql.Expr, t *schema.Type) {
	if t == nil || t.IsNumber() || t.Kind == schema.Any || t.Kind == schema.Null {
		return
	}
	k.mismatch(e, t, "number")
}

func (k *checking) arith(e *mql.Arith) *schema.Type {
	x, y := k.expr(e.X), k.expr(e.Y)
	if e.Op == mql.OpAdd && x != nil && y != nil && x.Kind == schema.String && y.Kind == schema.String {
		k.fail(e.Span(), lang.M("mql.check.concat"), lang.M("mql.check.concat.hint", "a", k.text(e.X), "b", k.text(e.Y)))
		return schema.Scalar(schema.String)
	}
	k.wantNumber(e.X, x)
	k.wantNumber(e.Y, y)
	if (e.Op == mql.OpDiv || e.Op == mql.OpMod) && isZero(e.Y) {
		k.warn(e.Span(), lang.M("mql.check.zero"), lang.Message{})
	}
	if x != nil && y != nil && x.Kind == schema.Int && y.Kind == schema.Int {
		return x
	}
	return schema.Scalar(schema.Float)
}

func isZero(e mql.Expr) bool {
	switch e := mql.Unparen(e).(type) {
	case *mql.Int:
		return e.Value == 0
	case *mql.Float:
		return e.Value == 0
	}
	return false
}

// compare checks each neighbouring pair of a chain.
func (k *checking) compare(e *mql.Compare) {
	types := make([]*schema.Type, len(e.Operands))
	for i, x := range e.Operands {
		types[i] = k.expr(x)
	}
	for i, op := range e.Ops {
		k.pair(e, op, e.Operands[i], e.Operands[i+1], types[i], types[i+1])
	}
}

func (k *checking) pair(e *mql.Compare, op mql.Op, x, y mql.Expr, a, b *schema.Type) {
	for _, s := range []struct {
		e mql.Expr
		t *schema.Type
	}{{x, a}, {y, b}} {
		if s.t == nil {
			return
		}
		if !s.t.IsScalar() {
			hint := lang.Message{}
			if s.t.Kind == schema.Array {
				hint = lang.M("mql.check.compare.array", "text", k.text(s.e))
			}
			k.fail(s.e.Span(), lang.M("mql.check.compare", "text", k.text(s.e), "type", s.t.String()), hint)
			return
		}
	}
	if a.Kind == schema.Null || b.Kind == schema.Null {
		k.warn(e.Span(), lang.M("mql.check.null", "op", string(op)), lang.M("mql.check.null.hint"))
		return
	}
	if !canCompare(a, b) {
		k.fail(e.Span(), lang.M("mql.check.pair", "a", a.String(), "b", b.String(), "op", string(op)), pairHint(x, y, a, b))
		return
	}
	switch op {
	case mql.OpEqFold, mql.OpNeFold:
		for _, t := range []*schema.Type{a, b} {
			if t.Kind != schema.String && t.Kind != schema.Any {
				k.fail(e.Span(), lang.M("mql.check.fold", "type", t.String(), "op", string(op)), lang.M("mql.check.fold.hint"))
				return
			}
		}
	case mql.OpLt, mql.OpLe, mql.OpGt, mql.OpGe:
		if a.Kind == schema.Bool || b.Kind == schema.Bool {
			k.fail(e.Span(), lang.M("mql.check.order", "op", string(op)), lang.Message{})
			return
		}
	default:
	}
	if op == mql.OpEq || op == mql.OpNe || op == mql.OpEqFold || op == mql.OpNeFold {
		k.word(x, b, op == mql.OpEqFold || op == mql.OpNeFold)
		k.word(y, a, op == mql.OpEqFold || op == mql.OpNeFold)
	}
}

// canCompare reports whether values of two scalar types can be compared.
func canCompare(a, b *schema.Type) bool {
	return a.Kind == b.Kind || a.Kind == schema.Any || b.Kind == schema.Any || a.IsNumber() && b.IsNumber()
}

// pairHint proposes the literal that was meant.
func pairHint(x, y mql.Expr, a, b *schema.Type) lang.Message {
	for _, s := range []struct {
		e     mql.Expr
		other *schema.Type
	}{{x, b}, {y, a}} {
		lit, ok := mql.Unparen(s.e).(*mql.String)
		if !ok {
			continue
		}
		v := strings.TrimSpace(lit.Value)
		if s.other.Kind == schema.Bool && (v == "true" || v == "false") {
			return lang.M("mql.check.suggest", "name", v)
		}
		if _, err := strconv.ParseInt(v, 10, 64); err == nil && s.other.IsNumber() {
			return lang.M("mql.check.suggest", "name", v)
		}
	}
	return lang.Message{}
}

// word warns about a literal that what it is compared with is not documented
// to be.
func (k *checking) word(e mql.Expr, t *schema.Type, fold bool) {
	lit, ok := mql.Unparen(e).(*mql.String)
	if !ok || t == nil || t.Enum == nil || t.Allows(lit.Value) || fold && t.AllowsFold(lit.Value) {
		return
	}
	hint := lang.Message{}
	if n := nearest(lit.Value, t.Enum); n != "" {
		hint = lang.M("mql.check.suggest", "name", strconv.Quote(n))
	} else if len(t.Enum) <= 12 {
		hint = lang.M("mql.check.word.hint", "words", t.Enum)
	}
	k.warn(e.Span(), lang.M("mql.check.word", "word", short(lit.Value)), hint)
}

func (k *checking) in(e *mql.In) {
	x := k.expr(e.X)
	set := k.expr(e.Set)
	if x != nil && !x.IsScalar() {
		hint := lang.Message{}
		if x.Kind == schema.Array {
			hint = lang.M("mql.check.in.array", "text", k.text(e.X), "set", k.text(e.Set))
		}
		k.fail(e.X.Span(), lang.M("mql.check.compare", "text", k.text(e.X), "type", x.String()), hint)
		return
	}
	if x == nil || set == nil {
		return
	}
	if set.Kind != schema.Array && set.Kind != schema.Any {
		hint := lang.Message{}
		if set.Kind == schema.String {
			hint = lang.M("mql.check.in.string", "x", k.text(e.X), "set", k.text(e.Set))
		}
		k.fail(e.Set.Span(), lang.M("mql.check.in", "text", k.text(e.Set), "type", set.String()), hint)
		return
	}
	if e.Fold && x.Kind != schema.String && x.Kind != schema.Any && x.Kind != schema.Null {
		k.fail(e.X.Span(), lang.M("mql.check.fold", "type", x.String(), "op", "in~"), lang.M("mql.check.fold.hint"))
		return
	}
	tuple, ok := e.Set.(*mql.Tuple)
	if !ok {
		if set.Kind == schema.Array && (!set.Elem.IsScalar() || !canCompare(x, set.Elem)) && x.Kind != schema.Null {
			k.fail(e.Set.Span(), lang.M("mql.check.in.elem", "type", x.String(), "elem", set.Elem.String()), lang.Message{})
		}
		return
	}
	for _, y := range tuple.Elems {
		t := k.p.types[y.ID()]
		switch {
		case t == nil || t.Kind == schema.Null || x.Kind == schema.Null:
		case t.Kind == schema.Array:
			k.fail(y.Span(), lang.M("mql.check.in.nested", "text", k.text(y)), lang.M("mql.check.in.nested.hint", "text", k.text(y)))
		case !t.IsScalar() || !canCompare(x, t):
			k.fail(y.Span(), lang.M("mql.check.in.elem", "type", x.String(), "elem", t.String()), lang.Message{})
		default:
			k.word(y, x, e.Fold)
		}
	}
}

func (k *checking) isNull(e *mql.IsNull) {
	t := k.expr(e.X)
	if t != nil && t.Kind == schema.Array {
		k.fail(e.Span(), lang.M("mql.check.isnull", "text", k.text(e.X)), lang.M("mql.check.isnull.hint", "text", k.text(e.X)))
	}
}
