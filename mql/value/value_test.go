package value_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/mql/value"
)

var (
	history    = value.Gap{Capability: "history", Cause: finding.NotConfigured}
	classifier = value.Gap{Capability: "classifier", Cause: finding.NotConfigured}

	missing      = value.Missing(history)
	otherMissing = value.Missing(classifier)
)

// show writes a value for a table: T, F, N, or ? with its gaps.
func show(v value.Value) string {
	switch {
	case v.IsTrue():
		return "T"
	case v.IsFalse():
		return "F"
	case v.IsMissing():
		var names []string
		for _, g := range v.Gaps() {
			names = append(names, g.Capability)
		}
		s := "?" + strings.Join(names, "+")
		if v.CanBeTrue() {
			return s + "!"
		}
		return s
	case v.IsNull():
		return "N"
	}
	b, _ := v.MarshalJSON()
	return string(b)
}

func parse(t *testing.T, s string) value.Value {
	t.Helper()
	switch s {
	case "T":
		return value.True
	case "F":
		return value.False
	case "N":
		return value.Null
	case "?":
		return missing
	}
	t.Fatalf("no such value: %q", s)
	return value.Null
}

func TestKleene(t *testing.T) {
	// Rows and columns in the order T F N ?; a ! says that the result could
	// still turn out true.
	order := []string{"T", "F", "N", "?"}
	for _, tt := range []struct {
		name string
		op   func(a, b value.Value) value.Value
		want [4][4]string
	}{
		{"And", value.And, [4][4]string{
			{"T", "F", "N", "?history!"},
			{"F", "F", "F", "F"},
			{"N", "F", "N", "?history"},
			{"?history!", "F", "?history", "?history!"},
		}},
		{"Or", value.Or, [4][4]string{
			{"T", "T", "T", "T"},
			{"T", "F", "N", "?history!"},
			{"T", "N", "N", "?history!"},
			{"T", "?history!", "?history!", "?history!"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for i, a := range order {
				for j, b := range order {
					if got := show(tt.op(parse(t, a), parse(t, b))); got != tt.want[i][j] {
						t.Errorf("%s %s %s = %s, want %s", a, tt.name, b, got, tt.want[i][j])
					}
				}
			}
		})
	}
	for in, want := range map[string]string{"T": "F", "F": "T", "N": "N", "?": "?history!"} {
		if got := show(value.Not(parse(t, in))); got != want {
			t.Errorf("Not %s = %s, want %s", in, got, want)
		}
	}
}

// A missing answer that could not make the whole true must not count as one
// that could, whatever stands around it.
func TestOutcomes(t *testing.T) {
	deadEnd := value.And(value.Null, missing) // null or false
	for _, tt := range []struct {
		name string
		got  value.Value
		want string
	}{
		{"NullAndMissing", deadEnd, "?history"},
		{"NotOfNullAndMissing", value.Not(deadEnd), "?history!"},
		{"DeadEndOrFalse", value.Or(deadEnd, value.False), "?history"},
		{"DeadEndOrDeadEnd", value.Or(deadEnd, value.And(value.Null, otherMissing)), "?classifier+history"},
		{"IsNullOfMissing", value.IsNull(missing), "?history!"},
		{"NotIsNullAndNull", value.And(value.Not(value.IsNull(missing)), value.Null), "?history"},
		{"CoalesceKnown", value.Coalesce(value.True, missing), "T"},
		{"CoalesceNull", value.Coalesce(value.Null, value.False), "F"},
		{"CoalesceMissing", value.Coalesce(missing, value.False), "?history!"},
		{"CoalesceDeadEnd", value.Coalesce(deadEnd, value.False), "F"},
		{"EqualNullMissing", value.Equal(value.Null, missing), "N"},
		{"EqualMissing", value.Equal(value.Int(1), missing), "?history!"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := show(tt.got); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestCount(t *testing.T) {
	for _, tt := range []struct {
		name    string
		n       int
		clauses string
		want    string
	}{
		{"Enough", 2, "TFT", "T"},
		{"EnoughDespiteNull", 2, "TNT", "T"},
		{"TooFew", 2, "TFF", "F"},
		{"NullMatters", 2, "TFN", "N"},
		{"NullThatCouldNotHelp", 3, "TNF", "N"}, // null all the same: mql.md, "N of"
		{"MissingCouldHelp", 2, "TF?", "?history!"},
		{"MissingTooFew", 3, "TF?", "?history"},
		{"None", 0, "F", "T"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := value.Count{N: tt.n}
			for _, s := range tt.clauses {
				c.Add(parse(t, string(s)))
			}
			if got := show(c.Value()); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	s, i, f := value.String, value.Int, value.Float
	for _, tt := range []struct {
		name string
		got  value.Value
		want string
	}{
		{"SameString", value.Equal(s("a"), s("a")), "T"},
		{"CaseMatters", value.Equal(s("a"), s("A")), "F"},
		{"Fold", value.EqualFold(s("straSSe"), s("STRASSE")), "T"},
		{"FoldKelvin", value.EqualFold(s("\u212aiso"), s("kiso")), "T"},
		{"IntFloat", value.Equal(i(2), f(2)), "T"},
		{"BoolBool", value.Equal(value.True, value.False), "F"},
		{"BoolInt", value.Equal(value.True, i(1)), "N"},
		{"StringInt", value.Equal(s("1"), i(1)), "N"},
		{"NullNull", value.Equal(value.Null, value.Null), "N"},
		{"Arrays", value.Equal(value.Array(), value.Array()), "N"},
		{"In", value.In(s("b"), value.Strings("a", "b"), false), "T"},
		{"InCase", value.In(s("B"), value.Strings("a", "b"), false), "F"},
		{"InFold", value.In(s("B"), value.Strings("a", "b"), true), "T"},
		{"InSetFold", value.In(s("\u017fe"), value.Of(value.NewSet([]string{"SE"})), true), "T"},
		{"InSet", value.In(s("SE"), value.Of(value.NewSet([]string{"SE"})), false), "T"},
		{"NotInSet", value.In(s("se"), value.Of(value.NewSet([]string{"SE"})), false), "F"},
		{"NullIn", value.In(value.Null, value.Strings("a"), false), "N"},
		{"InMissing", value.In(s("a"), missing, false), "?history!"},
		{"InWithNullItem", value.In(s("c"), value.Array(s("a"), value.Null), false), "N"},
		{"NumberInSet", value.In(i(1), value.Of(value.NewSet([]string{"1"})), false), "N"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := show(tt.got); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if o, _, ok := value.Compare(i(1), f(1.5)); !ok || o >= 0 {
		t.Errorf("Compare(1, 1.5) = %d, %v", o, ok)
	}
	if _, v, ok := value.Compare(i(1), missing); ok || show(v) != "?history!" {
		t.Errorf("Compare(1, missing) = %s, %v", show(v), ok)
	}
}

func TestArith(t *testing.T) {
	i, f := value.Int, value.Float
	for _, tt := range []struct {
		op   byte
		a, b value.Value
		want string
	}{
		{'+', i(2), i(3), "5"},
		{'-', i(2), i(3), "-1"},
		{'*', i(2), f(1.5), "3"},
		{'/', i(7), i(2), "3"},
		{'/', i(-7), i(2), "-3"},
		{'/', f(7), i(2), "3.5"},
		{'/', i(1), i(0), "N"},
		{'/', f(1), i(0), "N"},
		{'%', i(7), i(4), "3"},
		{'%', i(7), i(0), "N"},
		{'%', i(math.MinInt64), i(-1), "0"},
		{'/', i(math.MinInt64), i(-1), "N"},
		{'+', i(math.MaxInt64), i(1), "N"},
		{'-', i(math.MinInt64), i(1), "N"},
		{'*', i(math.MaxInt64), i(2), "N"},
		{'*', i(math.MinInt64), i(-1), "N"},
		{'+', value.String("a"), value.String("b"), "N"},
		{'+', i(1), value.Null, "N"},
		{'+', i(1), missing, "?history!"},
		{'+', value.Null, missing, "N"},
	} {
		if got := show(value.Arith(tt.op, tt.a, tt.b)); got != tt.want {
			t.Errorf("%#v %c %#v = %s, want %s", tt.a, tt.op, tt.b, got, tt.want)
		}
	}
	if got := show(value.Neg(i(3))); got != "-3" {
		t.Errorf("-3 = %s", got)
	}
}

func TestMembers(t *testing.T) {
	shape := value.NewShape("Domain", "domain", "tld")
	asked := 0
	o := value.Of(shape.Lazy(func(field string) value.Value {
		asked++
		return value.String(field + "!")
	}))
	var m value.Map
	m.Set("k", value.Strings("x"))
	for _, tt := range []struct {
		name string
		got  value.Value
		want string
	}{
		{"Field", o.Field("tld"), `"tld!"`},
		{"FieldAgain", o.Field("tld"), `"tld!"`},
		{"NoField", o.Field("nothing"), "N"},
		{"FieldOfNull", value.Null.Field("x"), "N"},
		{"FieldOfString", value.String("x").Field("x"), "N"},
		{"FieldOfMissing", missing.Field("x"), "?history!"},
		{"Item", value.Strings("a", "b").Index(value.Int(1)), `"b"`},
		{"ItemOutside", value.Strings("a").Index(value.Int(1)), "N"},
		{"ItemBelow", value.Strings("a").Index(value.Int(-1)), "N"},
		{"ItemOfMissing", missing.Index(value.Int(0)), "?history!"},
		{"ItemByMissing", value.Strings("a").Index(otherMissing), "?classifier!"},
		{"Key", value.Of(&m).Index(value.String("k")), `["x"]`},
		{"NoKey", value.Of(&m).Index(value.String("z")), "N"},
		{"Values", m.Values(), `[["x"]]`},
		{"NilList", value.Of((*value.List)(nil)), "N"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := show(tt.got); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if asked != 1 {
		t.Errorf("the field was built %d times", asked)
	}
}

func TestOrigin(t *testing.T) {
	text := value.Text("verify your account", header{})
	whole, _ := text.Where(7, 4)
	if diff := cmp.Diff(finding.Where{Header: "Subject", Offset: 107, Length: 4}, whole); diff != "" {
		t.Error(diff)
	}
	derived := value.String("VERIFY").From(text)
	got, ok := derived.Where(2, 1)
	if diff := cmp.Diff(finding.Where{Header: "Subject", Offset: 100, Length: 19}, got); !ok || diff != "" {
		t.Errorf("a computed text leads to the whole of what it was computed from: %v %s", ok, diff)
	}
	if _, ok := value.String("x").Where(0, 1); ok {
		t.Error("a text without a place has one")
	}
	if _, ok := value.Null.At(header{}).Where(0, 0); ok {
		t.Error("null has a place")
	}
	o := value.Of(value.NewShape("Link").New().At(value.Place{Part: "1.2"}))
	if w, _ := o.Where(0, 0); w.Part != "1.2" {
		t.Errorf("an object's place is %v", w)
	}
}

type header struct{}

func (header) Where(offset, length int) finding.Where {
	return finding.Where{Header: "Subject", Offset: 100 + offset, Length: length}
}

func TestJSON(t *testing.T) {
	shape := value.NewShape("T", "a", "b", "c", "d")
	v := value.Of(shape.New(value.String("x\"\n\x01\u2028\xff"), value.Null, value.Array(value.Int(1), value.Null, value.Float(0.5)), missing))
	const want = `{"a":"x\"\n\u0001\u2028�","c":[1,null,0.5]}`
	if got := string(v.AppendJSON(nil)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for in, want := range map[string]string{
		`{"b":[1,2.5,"x",null,true],"a":{}}`: `{"a":{},"b":[1,2.5,"x",null,true]}`,
		`12345678901234567890`:               `1.2345678901234567e+19`,
		`"x`:                                 "not JSON",
		`1 2`:                                "not JSON",
		``:                                   "not JSON",
		strings.Repeat("[", 70) + strings.Repeat("]", 70): strings.Repeat("[", 64) + "null" + strings.Repeat("]", 64),
	} {
		got := "not JSON"
		if v, ok := value.ParseJSON(in); ok {
			got = string(v.AppendJSON(nil))
		}
		if want != got {
			t.Errorf("%.20s: got %s, want %s", in, got, want)
		}
	}
}

func FuzzParseJSON(f *testing.F) {
	f.Add(`{"a":[1,2.5e3,"\ud800",{"b":null}]}`)
	f.Add(`[[[[[]]]]]`)
	f.Fuzz(func(t *testing.T, s string) {
		v, ok := value.ParseJSON(s)
		if !ok {
			return
		}
		out := string(v.AppendJSON(nil))
		again, ok := value.ParseJSON(out)
		if !ok {
			t.Fatalf("%q was written as %q, which is no JSON", s, out)
		}
		if got := string(again.AppendJSON(nil)); got != out {
			t.Errorf("%q read again is %q", out, got)
		}
	})
}
