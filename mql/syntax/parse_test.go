package syntax_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/syntax"
)

// dump writes a tree without the places of its nodes.
func dump(e syntax.Expr) string {
	var b strings.Builder
	write(&b, e)
	return b.String()
}

func write(b *strings.Builder, e syntax.Expr) {
	group := func(head string, list ...syntax.Expr) {
		b.WriteString("(" + head)
		for _, x := range list {
			b.WriteByte(' ')
			if x == nil {
				b.WriteByte('_')
			} else {
				write(b, x)
			}
		}
		b.WriteByte(')')
	}
	switch e := e.(type) {
	case *syntax.Bad:
		b.WriteString("BAD")
	case *syntax.Null:
		b.WriteString("null")
	case *syntax.Bool:
		b.WriteString(strconv.FormatBool(e.Value))
	case *syntax.Int:
		b.WriteString(strconv.FormatInt(e.Value, 10))
	case *syntax.Float:
		b.WriteString(strconv.FormatFloat(e.Value, 'g', -1, 64) + "f")
	case *syntax.String:
		if e.Raw {
			b.WriteByte('r')
		}
		b.WriteString(strconv.Quote(e.Value))
	case *syntax.List:
		b.WriteString("$" + e.Name)
	case *syntax.Name:
		b.WriteString(e.Name)
	case *syntax.Item:
		b.WriteString(strings.Repeat(".", e.Level))
	case *syntax.Field:
		group("field "+e.Name, e.X)
	case *syntax.Index:
		group("index", e.X, e.Index)
	case *syntax.Slice:
		group("slice", e.X, e.Low, e.High)
	case *syntax.Call:
		head, list := []string{"call", e.Func}, slices.Clone(e.Args)
		for _, k := range e.Keywords {
			head, list = append(head, k.Name+"="), append(list, k.Value)
		}
		group(strings.Join(head, " "), list...)
	case *syntax.Negate:
		group("-", e.X)
	case *syntax.Arith:
		group(string(e.Op), e.X, e.Y)
	case *syntax.Compare:
		head := []string{"compare"}
		for _, op := range e.Ops {
			head = append(head, string(op))
		}
		group(strings.Join(head, " "), e.Operands...)
	case *syntax.In:
		group(fmt.Sprintf("in not=%v fold=%v", e.Not, e.Fold), e.X, e.Set)
	case *syntax.IsNull:
		group(fmt.Sprintf("null not=%v", e.Not), e.X)
	case *syntax.Not:
		group("not", e.X)
	case *syntax.Logic:
		group(string(e.Op), e.Operands...)
	case *syntax.Of:
		group("of "+strconv.FormatInt(e.N, 10), e.Clauses...)
	case *syntax.Array:
		group("array", e.Elems...)
	case *syntax.Tuple:
		group("tuple", e.Elems...)
	case *syntax.Paren:
		group("paren", e.X)
	default:
		fmt.Fprintf(b, "%T", e)
	}
}

func describe(f *syntax.File) string {
	var b strings.Builder
	c := lang.Default()
	for _, d := range f.Diagnostics {
		pos := f.Position(d.Span.Start)
		fmt.Fprintf(&b, "%d:%d %q %s: %s", pos.Line, pos.Column, f.Text(d.Span), d.Message.Key, c.Say(lang.EN, d.Message))
		if !d.Hint.IsZero() {
			fmt.Fprintf(&b, " (%s)", c.Say(lang.EN, d.Hint))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestParse(t *testing.T) {
	for _, tc := range []struct{ name, src, want string }{
		{"Name", `sender`, `sender`},
		{"Field", `sender.email.domain`, `(field domain (field email sender))`},
		{"FieldOnNextLine", "sender\n  .email", `(field email sender)`},
		{"Item", `any(a, .)`, `(call any a .)`},
		{"ItemField", `any(a, .b.c)`, `(call any a (field c (field b .)))`},
		{"OuterItems", `f(.., ..a, ..., ...b)`, `(call f .. (field a ..) ... (field b ...))`},
		{"ItemIndex", `.['name']`, `(index . r"name")`},
		{"Call", `strings.icontains(subject.subject, "a", "b",)`, `(call strings.icontains (field subject subject) "a" "b")`},
		{"CallSpaces", "beta . ocr (x) . text", `(field text (call beta.ocr x))`},
		{"CallNothing", `profile.by_sender().solicited`, `(field solicited (call profile.by_sender))`},
		{"Keywords", `ml.link_analysis(., mode="aggressive",)`, `(call ml.link_analysis mode= . "aggressive")`},
		{"KeywordArray", `f(x, encodings=["ascii", "utf8"])`, `(call f encodings= x (array "ascii" "utf8"))`},
		{"Index", `recipients.to[0].email`, `(field email (index (field to recipients) 0))`},
		{"IndexTwice", `a["k"][0]`, `(index (index a "k") 0)`},
		{"Slices", `f(a[1:2], a[:2], a[1:], a[:])`, `(call f (slice a 1 2) (slice a _ 2) (slice a 1 _) (slice a _ _))`},
		{"AndBindsTighter", `a or b and c or d`, `(or a (and b c) d)`},
		{"NotCompare", `not a == b`, `(not (compare == a b))`},
		{"NotIn", `not x in ("a")`, `(not (in not=false fold=false x (tuple "a")))`},
		{"NotNull", `not x is null`, `(not (null not=false x))`},
		{"NotNot", `not not a and b`, `(and (not (not a)) b)`},
		{"InNot", `x not in~ $list`, `(in not=true fold=true x $list)`},
		{"InFold", `x in~("a", "b",)`, `(in not=false fold=true x (tuple "a" "b"))`},
		{"InNothing", `x in ()`, `(in not=false fold=false x (tuple))`},
		{"InCall", `"url" in~ keys(.m)`, `(in not=false fold=true "url" (call keys (field m .)))`},
		{"InTupleOnly", `x in ("a") and y`, `(and (in not=false fold=false x (tuple "a")) y)`},
		{"ListDots", `x in $org.domains`, `(in not=false fold=false x $org.domains)`},
		{"Chain", `0 < length(a) <= 10`, `(compare < <= 0 (call length a) 10)`},
		{"CompareFold", `a =~ "x" and b !~ "y"`, `(and (compare =~ a "x") (compare !~ b "y"))`},
		{"Arith", `a + b * -c - d / 2 % 3`, `(- (+ a (* b (- c))) (% (/ d 2) 3))`},
		{"ArithCompare", `a - 1 >= b * 2.50`, `(compare >= (- a 1) (* b 2.5f))`},
		{"Of", `2 of (a, b and c, not d,)`, `(of 2 a (and b c) (not d))`},
		{"Array", `[a, "b", 1,]`, `(array a "b" 1)`},
		{"ArrayNothing", `[]`, `(array)`},
		{"Literals", `[true, false, null, 12, 0.7]`, `(array true false null 12 0.7f)`},
		{"Paren", `(a or b) and c`, `(and (paren (or a b)) c)`},
		{"Raw", `'a\d''b\'`, `r"a\\d'b\\"`},
		{"Escapes", `"\r\n\t\'\"\\\u{200F}\u{0001F600}"`, `"\r\n\t'\"\\\u200f😀"`},
		{"CommentInString", `'//a' == "//b" // c`, `(compare == r"//a" "//b")`},
		{"Comments", "// first\na // second\nand // third\n\n b //", `(and a b)`},
		{"WordLikeKeyword", `order and nota and inn`, `(and order nota inn)`},
		{"KeywordPrefix", `is_reply == in_reply_to`, `(compare == is_reply in_reply_to)`},
		{"BlanksOfOtherKinds", "\ufeffa\u00a0and\r\n\tb", `(and a b)`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := syntax.Parse(tc.src)
			if !f.OK() {
				t.Fatalf("diagnostics:\n%s", describe(f))
			}
			if d := cmp.Diff(tc.want, dump(f.Root)); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestMistakes refuses broken sources at the right place. A source marks what
// is reported with « and »; the key is that of the message.
func TestMistakes(t *testing.T) {
	for _, tc := range []struct {
		name, src string
		keys      []string
	}{
		{"Nothing", "«»", []string{"empty"}},
		{"OnlyComment", "«// a»", []string{"empty"}},
		{"End", `a and«»`, []string{"end"}},
		{"EndOfCompare", `a ==«»`, []string{"end"}},
		{"OpenString", `a == «"b»`, []string{"string.open"}},
		{"OpenStringLine", "a == «'b»\nand c", []string{"string.open"}},
		{"QuoteMissingBefore", "f(a in (b\", \"c\", \"d«\"), e)»\nand g «=» h", []string{"string.open", "foreign"}},
		{"Escape", `regex.match(a, "«\d»+")`, []string{"escape"}},
		{"EscapeCode", `"«\u{D800}»«\u{1}»«\u{110000}»«\u»41"`, []string{"escape", "escape", "escape", "escape"}},
		{"MissingComma", "a in (\n \"b\",\n \"c\"\n «\"d\"»\n)", []string{"missingcomma"}},
		{"MissingOperator", `a «b» and c`, []string{"operator"}},
		{"MissingOperatorInCall", `f(a «b», c)`, []string{"operator"}},
		{"MissingOperatorTwice", "a\n«b» == 1\n«(»c)", []string{"operator", "operator"}},
		{"UpperCase", `a «AND» b «Or» c`, []string{"foreign", "foreign"}},
		{"SignsOfOthers", `a «&&» b «||» «!»c`, []string{"foreign", "foreign", "foreign"}},
		{"Hash", "a «#» comment\nand b", []string{"foreign"}},
		{"Assign", `a «=» b`, []string{"foreign"}},
		{"Unclosed", "any«(»a, .b == \"c\"\nand d", []string{"unclosed"}},
		{"UnclosedInner", "any«(»a, (.b or .c«]»", []string{"unclosed", "unopened"}},
		{"UnclosedBeforeOther", "[a, f«(»b, c] and d", []string{"unclosed"}},
		{"Mistyped", "f(a«[»0), b)", []string{"unclosed"}},
		{"Unopened", `a and b«)» and c`, []string{"unopened"}},
		{"ChainOfEqual", `a == b «==» c`, []string{"chain"}},
		{"ChainOfGreater", `a > b «>» c`, []string{"chain"}},
		{"ChainMixed", `a < b «==» c`, []string{"chain"}},
		{"NullCompared", `a is null «==» true`, []string{"chain"}},
		{"IsValue", `a «is» true`, []string{"is"}},
		{"NotInside", `a == «not» b`, []string{"not"}},
		{"Method", `f(a).«g»(b)`, []string{"method"}},
		{"FieldKeyword", `a.«in»`, []string{"keyword"}},
		{"FieldNothing", `a«.» and b`, []string{"field"}},
		{"IndexNothing", `a«[]».b`, []string{"index"}},
		{"DoubleComma", `f(a,«,» b)`, []string{"comma"}},
		{"LeadingComma", `a in («,»"b")`, []string{"comma"}},
		{"NamedElsewhere", `[«a»=b]`, []string{"named"}},
		{"PositionAfterName", `f(a, b=c, «d»)`, []string{"position"}},
		{"ParenNothing", `a and «()»`, []string{"paren"}},
		{"TupleElsewhere", `a == «(»"b", "c")`, []string{"tuple"}},
		{"OfNothing", `«2 of ()»`, []string{"of.empty"}},
		{"OfOpen", `2 of «a»`, []string{"of"}},
		{"Range", `a == «99999999999999999999»`, []string{"range"}},
		{"NumberName", `a == «12b»`, []string{"number"}},
		{"Quotes", `a == «“»b«”»`, []string{"quotes", "quotes"}},
		{"Invisible", "a «\u200b»== b", []string{"invisible"}},
		{"Character", `a == «@»b`, []string{"character"}},
		{"DollarAlone", `a in «$»`, []string{"character", "end"}},
		{"NotUTF8", "a == «\xff»b", []string{"utf8"}},
		{"Several", "a «=» 1\nand b in (\"c\" «\"d\"»)\nand f(«=» 2)\nor g«(»", []string{"foreign", "missingcomma", "foreign", "unclosed"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			src, spans := marked(tc.src)
			f := syntax.Parse(src)
			var want, got []string
			for i, k := range tc.keys {
				at := "?"
				if i < len(spans) {
					at = fmt.Sprint(spans[i])
				}
				want = append(want, "mql.syntax."+k+" "+at)
			}
			for i, d := range f.Diagnostics {
				at := fmt.Sprint(d.Span)
				if i >= len(spans) {
					at = "?"
				}
				got = append(got, d.Message.Key+" "+at)
				for _, m := range []lang.Message{d.Message, d.Hint} {
					for _, s := range []string{lang.Default().Say(lang.EN, m), lang.Default().Say(lang.JA, m)} {
						if strings.HasPrefix(s, "[mql.") || !m.IsZero() && s == "" {
							t.Errorf("no words for %s", m.Key)
						}
					}
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s\n%s", d, describe(f))
			}
			if f.Root == nil {
				t.Error("no tree")
			}
		})
	}
}

// marked takes the marks out of a source and returns where they stood.
func marked(s string) (string, []syntax.Span) {
	var b strings.Builder
	var spans []syntax.Span
	for s != "" {
		switch {
		case strings.HasPrefix(s, "«"):
			spans = append(spans, syntax.Span{Start: b.Len()})
			s = s[len("«"):]
		case strings.HasPrefix(s, "»"):
			spans[len(spans)-1].End = b.Len()
			s = s[len("»"):]
		default:
			b.WriteByte(s[0])
			s = s[1:]
		}
	}
	return b.String(), spans
}

func TestLimits(t *testing.T) {
	for _, tc := range []struct{ name, src, want string }{
		{"Size", strings.Repeat(" ", syntax.MaxSize) + "a", "size"},
		{"Parens", strings.Repeat("(", 10_000), "depth"},
		{"ParensClosed", strings.Repeat("(", 300) + "a" + strings.Repeat(")", 300), "depth"},
		{"Nots", strings.Repeat("not ", 10_000) + "a", "depth"},
		{"Signs", "a == " + strings.Repeat("-", 10_000) + "1", "depth"},
		{"Calls", strings.Repeat("any(a, ", 10_000), "depth"},
		{"Arrays", strings.Repeat("[", 10_000), "depth"},
		{"Fields", "a" + strings.Repeat(".b", 10_000), "depth"},
		{"Indexes", "a" + strings.Repeat("[0]", 10_000), "depth"},
		{"Sums", "a" + strings.Repeat("+a", 10_000), "depth"},
		{"Nodes", "f(" + strings.Repeat("a,", syntax.MaxNodes+1) + "a)", "nodes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := syntax.Parse(tc.src)
			if len(f.Diagnostics) != 1 || f.Diagnostics[0].Message.Key != "mql.syntax."+tc.want {
				t.Errorf("diagnostics: %.500s", describe(f))
			}
		})
	}
	// What published rules have many of is no nesting.
	for _, tc := range []struct{ name, src string }{
		{"Ands", "a" + strings.Repeat(" and a", 10_000)},
		{"Args", "f(" + strings.Repeat("'192.0.2.0/24', ", 10_000) + ")"},
		{"Deep", strings.Repeat("(", 190) + "a" + strings.Repeat(")", 190)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if f := syntax.Parse(tc.src); !f.OK() {
				t.Errorf("diagnostics: %.500s", describe(f))
			}
		})
	}
	f := syntax.Parse(strings.Repeat("@ ", 100_000))
	if len(f.Diagnostics) != syntax.MaxFound {
		t.Errorf("%d diagnostics", len(f.Diagnostics))
	}
}

func TestPosition(t *testing.T) {
	f := syntax.Parse("日本 and\n\n  b")
	for _, tc := range []struct {
		offset int
		want   syntax.Position
	}{
		{-1, syntax.Position{Line: 1, Column: 1}},
		{0, syntax.Position{Line: 1, Column: 1}},
		{6, syntax.Position{Line: 1, Column: 3}},
		{10, syntax.Position{Line: 1, Column: 7}},
		{11, syntax.Position{Line: 2, Column: 1}},
		{14, syntax.Position{Line: 3, Column: 3}},
		{1000, syntax.Position{Line: 3, Column: 4}},
	} {
		if d := cmp.Diff(tc.want, f.Position(tc.offset)); d != "" {
			t.Errorf("%d: %s", tc.offset, d)
		}
	}
}

func TestWalk(t *testing.T) {
	f := syntax.Parse(`a.b and f(c[0], k=d) in ("x", e) or not 1 of (g is null, -h < 2)`)
	var all, short []string
	syntax.Walk(f.Root, func(e syntax.Expr) bool {
		all = append(all, f.Text(e.Span()))
		return true
	})
	syntax.Walk(f.Root, func(e syntax.Expr) bool {
		short = append(short, f.Text(e.Span()))
		_, logic := e.(*syntax.Logic)
		return logic
	})
	want := []string{
		f.Source, `a.b and f(c[0], k=d) in ("x", e)`, `a.b`, `a`, `f(c[0], k=d) in ("x", e)`, `f(c[0], k=d)`, `c[0]`, `c`, `0`, `d`,
		`("x", e)`, `"x"`, `e`, `not 1 of (g is null, -h < 2)`, `1 of (g is null, -h < 2)`, `g is null`, `g`, `-h < 2`, `-h`, `h`, `2`,
	}
	if d := cmp.Diff(want, all); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{want[0], want[1], want[2], want[4], want[13]}, short); d != "" {
		t.Error(d)
	}
	for e := range syntax.Children(f.Root) {
		if f.Text(e.Span()) != want[1] {
			t.Errorf("first child: %s", f.Text(e.Span()))
		}
		break
	}
}
