package eval

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sekisho/sekisho/match"
	"github.com/sekisho/sekisho/mql/syntax"
	"github.com/sekisho/sekisho/mql/value"
)

// builtin is a function that needs nothing but its arguments.
type builtin struct {
	eval  func(r *Run, args []value.Value, named map[string]value.Value) value.Value
	cost  int
	nulls bool // it is asked about nulls too
}

var builtins = map[string]builtin{
	"length":                      {eval: length, cost: costField},
	"flatten":                     {eval: flatten, cost: costField, nulls: true},
	"keys":                        {eval: keys, cost: costField},
	"values":                      {eval: values, cost: costField},
	"coalesce":                    {eval: coalesce, cost: costNothing, nulls: true},
	"strings.concat":              {eval: concat, cost: costShort},
	"strings.levenshtein":         {eval: distance(false), cost: costText},
	"strings.ilevenshtein":        {eval: distance(true), cost: costText},
	"strings.replace_confusables": {eval: replaceConfusables, cost: costText},
	"strings.scan_base64":         {eval: scanBase64, cost: costText},
	"strings.decode_base64":       {eval: decodeBase64, cost: costText},
	"hash.sha256":                 {eval: hashSHA256, cost: costText},
}

// builtinNode calls a builtin function.
type builtinNode struct {
	fn    func(r *Run, args []value.Value, named map[string]value.Value) value.Value
	args  []*cell
	names []string
	named []*cell
	nulls bool
}

func (n *builtinNode) eval(r *Run) value.Value {
	// Builtin functions do not keep their arguments.
	base := len(r.args)
	args, v, ok := arguments(r, n.args, n.nulls, len(n.args))
	if ok {
		var named map[string]value.Value
		if named, v, ok = keywords(r, n.names, n.named, n.nulls); ok {
			v = n.fn(r, args, named)
		}
	}
	r.args = r.args[:base]
	return v
}

// arguments evaluates the arguments of a call. Where one of the first least is
// null, and nulls are not asked for, ok is false and v is the value of the call:
// null if one is plainly null, whatever is missing beside it.
//
// The arguments lie on the stack r.args, which the caller cuts back.
func arguments(r *Run, cells []*cell, nulls bool, least int) (args []value.Value, v value.Value, ok bool) {
	base := len(r.args)
	for i, c := range cells {
		a := c.eval(r)
		if a.IsPlainNull() && !nulls && i < least {
			return nil, value.Null, false
		}
		r.args = append(r.args, a)
	}
	args = r.args[base:]
	if !nulls {
		if m, missing := value.Either(args...); missing {
			return nil, m, false
		}
	}
	return args, value.Null, true
}

// keywords evaluates the arguments that are given by name.
func keywords(r *Run, names []string, cells []*cell, nulls bool) (named map[string]value.Value, v value.Value, ok bool) {
	if len(names) == 0 {
		return nil, value.Null, true
	}
	named = make(map[string]value.Value, len(names))
	for i, name := range names {
		a := cells[i].eval(r)
		if m, missing := value.Either(a); missing && !nulls {
			return nil, m, false
		}
		named[name] = a
	}
	return named, value.Null, true
}

func length(r *Run, args []value.Value, _ map[string]value.Value) value.Value {
	v := args[0]
	if s, ok := v.Str(); ok {
		if !r.spend(len(s) / 16) {
			return r.out
		}
		return value.Int(int64(utf8.RuneCountInString(s))).From(v)
	}
	switch {
	case v.List() != nil:
		return value.Int(int64(v.List().Len()))
	case v.Map() != nil:
		return value.Int(int64(v.Map().Len()))
	}
	return value.Null
}

func flatten(r *Run, args []value.Value, _ map[string]value.Value) value.Value {
	if args[0].IsMissing() {
		m, _ := value.Either(args[0])
		return m
	}
	l := args[0].List()
	if l == nil {
		return value.Array()
	}
	if !r.spend(exprCost * l.Len()) {
		return r.out
	}
	if m, ok := value.Either(l.Items()...); ok {
		return m
	}
	var out []value.Value
	for _, item := range l.Items() {
		if inner := item.List(); inner != nil && !r.spend(exprCost*inner.Len()) {
			return r.out
		}
		switch {
		case item.List() != nil:
			out = append(out, item.List().Items()...)
		case !item.IsNull():
			out = append(out, item)
		}
	}
	return value.Array(out...)
}

func keys(r *Run, args []value.Value, _ map[string]value.Value) value.Value {
	if m := args[0].Map(); m != nil {
		if !r.spend(exprCost * m.Len()) {
			return r.out
		}
		return m.Keys()
	}
	return value.Null
}

func values(r *Run, args []value.Value, _ map[string]value.Value) value.Value {
	if m := args[0].Map(); m != nil {
		if !r.spend(exprCost * m.Len()) {
			return r.out
		}
		return m.Values()
	}
	return value.Null
}

func coalesce(_ *Run, args []value.Value, _ map[string]value.Value) value.Value {
	out := value.Null
	for _, a := range slices.Backward(args) {
		out = value.Coalesce(a, out)
	}
	return out
}

func concat(r *Run, args []value.Value, _ map[string]value.Value) value.Value {
	n := 0
	for _, a := range args {
		s, ok := a.Str()
		if !ok {
			return value.Null
		}
		n += len(s)
	}
	if !r.spend(n) {
		return r.out
	}
	var b strings.Builder
	b.Grow(n)
	place := value.Null
	for _, a := range args {
		s, _ := a.Str()
		b.WriteString(s)
		if place.IsNull() && a.Origin() != nil {
			place = a
		}
	}
	return value.String(b.String()).From(place)
}

// distance is the edit distance of two texts in code points (Levenshtein).
func distance(fold bool) func(*Run, []value.Value, map[string]value.Value) value.Value {
	return func(r *Run, args []value.Value, _ map[string]value.Value) value.Value {
		s, ok := args[0].Str()
		t, ok2 := args[1].Str()
		if !ok || !ok2 {
			return value.Null
		}
		if fold {
			s, t = match.Fold(s), match.Fold(t)
		}
		a, b := []rune(s), []rune(t)
		for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
			a, b = a[1:], b[1:]
		}
		for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
			a, b = a[:len(a)-1], b[:len(b)-1]
		}
		if len(a) < len(b) {
			a, b = b, a
		}
		// Row by row; the price is one unit for a cell of the table.
		if !r.spend(len(a)) || len(b) > 0 && (len(a) > ruleCost/len(b) || !r.spend(len(a)*len(b))) {
			return r.exhaust()
		}
		row := make([]int, len(b)+1)
		for j := range row {
			row[j] = j
		}
		for i, x := range a {
			diagonal := row[0]
			row[0] = i + 1
			for j, y := range b {
				cost := diagonal
				if x != y {
					cost++
				}
				diagonal = row[j+1]
				row[j+1] = min(cost, row[j]+1, diagonal+1)
			}
		}
		return value.Int(int64(row[len(b)])).From(args[0])
	}
}

// exhaust ends the budget of the rule for work that is known to be too much.
func (r *Run) exhaust() value.Value {
	r.budget.Spend(ruleCost + 1)
	return r.out
}

func hashSHA256(r *Run, args []value.Value, _ map[string]value.Value) value.Value {
	s, ok := args[0].Str()
	if !ok {
		return value.Null
	}
	if !r.spend(len(s)) {
		return r.out
	}
	sum := sha256.Sum256([]byte(s))
	return value.String(hex.EncodeToString(sum[:])).From(args[0])
}

// callKey tells calls of functions apart that give the same result.
type callKey struct {
	name string
	a, b value.Key
}

// externNode calls a function that somebody provides.
type externNode struct {
	name   string
	args   []*cell
	names  []string
	named  []*cell
	least  int
	nulls  bool
	absent value.Value // if nobody provides it
}

func (n *externNode) eval(r *Run) value.Value {
	base := len(r.args)
	args, v, ok := arguments(r, n.args, n.nulls, n.least)
	if ok {
		if fn := r.env.Functions[n.name]; fn != nil {
			v = n.call(r, fn, args)
		} else {
			v = n.absent
		}
	}
	r.args = r.args[:base]
	return v
}

func (n *externNode) call(r *Run, fn value.Func, args []value.Value) value.Value {
	named, v, ok := keywords(r, n.names, n.named, n.nulls)
	if !ok {
		return v
	}
	// The same file or link is asked about by many rules.
	key := callKey{name: n.name}
	keep := len(args)+len(named) <= 2 && len(named) <= 1
	if keep {
		if len(args) > 0 {
			key.a = args[0].Key()
		}
		if len(args) > 1 {
			key.b = args[1].Key()
		}
		for name, v := range named {
			key.name += " " + name
			key.b = v.Key()
		}
		if v, ok := r.calls[key]; ok {
			return v
		}
	}
	cost := callCost
	for _, a := range args {
		if s, ok := a.Str(); ok {
			cost += 4 * len(s)
		}
	}
	if !r.spend(cost) {
		return r.out
	}
	v = fn(&value.Call{Args: slices.Clone(args), Named: named, Budget: r.budget})
	if r.budget.Exhausted() {
		return r.out
	}
	if keep {
		r.calls[key] = v
	}
	return v
}

// ipNode asks whether an address lies in one of many networks.
type ipNode struct {
	x       *cell
	nets    map[netip.Prefix]bool
	lengths []int // of the prefixes, for each family: 0 to 32, and 128 more for IPv6
	dynamic []*cell
}

func (c *compiler) ipIn(e *syntax.Call, all []*cell) *cell {
	n := &ipNode{x: all[0], nets: map[netip.Prefix]bool{}}
	args := []*cell{all[0]}
	var words []string
	for i, a := range e.Args[1:] {
		s, ok := syntax.Unparen(a).(*syntax.String)
		if !ok {
			n.dynamic = append(n.dynamic, all[i+1])
			args = append(args, all[i+1])
			continue
		}
		words = append(words, s.Value)
		n.add(s.Value)
	}
	slices.Sort(n.lengths)
	n.lengths = slices.Compact(n.lengths)
	return c.cell("beta.ip_in", words, args, costText, func() node { return n })
}

func (n *ipNode) add(s string) {
	if p, ok := parseNet(s); ok {
		n.nets[p] = true
		n.lengths = append(n.lengths, familyLength(p))
	}
}

func familyLength(p netip.Prefix) int {
	if p.Addr().Is4() {
		return p.Bits()
	}
	return 128 + p.Bits()
}

// parseNet reads a network, or an address as the network of it alone.
func parseNet(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), true
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a.Unmap().WithZone(""), a.Unmap().BitLen()), true
}

func (n *ipNode) eval(r *Run) value.Value {
	v := n.x.eval(r)
	if v.Object() != nil {
		v = v.Field("ip")
	}
	s, ok := v.Str()
	if !ok {
		if m, missing := value.Either(v); missing {
			return m
		}
		return value.Null
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return value.Null
	}
	a = a.Unmap().WithZone("")
	for _, l := range n.lengths {
		bits := l
		if !a.Is4() {
			bits -= 128
		}
		if bits < 0 || bits > a.BitLen() || a.Is4() && l > 32 {
			continue
		}
		if p, err := a.Prefix(bits); err == nil && n.nets[p] {
			return value.True
		}
	}
	out := value.False
	for _, d := range n.dynamic {
		net := d.eval(r)
		if s, ok := net.Str(); ok {
			if p, ok := parseNet(s); ok && p.Contains(a) {
				return value.True
			}
			continue
		}
		if m, missing := value.Either(net); missing {
			out = value.Or(out, m)
		}
	}
	return out
}
