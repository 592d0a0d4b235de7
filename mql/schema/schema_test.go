package schema_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/mql/schema"
)

func TestField(t *testing.T) {
	for _, tc := range []struct {
		path []string
		want string
	}{
		{[]string{"type", "inbound"}, "boolean"},
		{[]string{"sender", "email", "domain", "root_domain"}, "string"},
		{[]string{"recipients", "to"}, "[Mailbox]"},
		{[]string{"headers", "hops"}, "[Hop]"},
		{[]string{"headers", "auth_summary", "dmarc", "pass"}, "boolean"},
		{[]string{"body", "current_thread"}, "CurrentThread"},
		{[]string{"body", "previous_threads"}, "[PreviousThread]"},
		{[]string{"attachments"}, "[Attachment]"},
		{[]string{"mailbox", "first_name"}, "string"},
		{[]string{"triage", "user_reports", "count"}, "integer"},
		{[]string{"subject", "is_auto_reply"}, "boolean"},
	} {
		typ, ok := schema.Root(tc.path[0])
		if !ok {
			t.Fatalf("%v: no root", tc.path)
		}
		for _, name := range tc.path[1:] {
			f, ok := typ.Field(name)
			if !ok {
				t.Fatalf("%v: no %s", tc.path, name)
			}
			typ = f.Type
		}
		if typ.String() != tc.want {
			t.Errorf("%v is %s, want %s", tc.path, typ, tc.want)
		}
	}
	if _, ok := schema.Root("nothing"); ok {
		t.Error("nothing is a root")
	}
	if _, ok := schema.Message().Field("triage"); ok {
		t.Error("triage is a field of a message")
	}
	if _, ok := schema.Scalar(schema.String).Field("x"); ok {
		t.Error("a string has a field")
	}
}

// TestTables checks what lookups rely on in every type that is reached.
func TestTables(t *testing.T) {
	types := map[*schema.Type]bool{}
	names := map[string]*schema.Type{}
	var visit func(typ *schema.Type)
	visit = func(typ *schema.Type) {
		if typ == nil || types[typ] {
			return
		}
		types[typ] = true
		switch typ.Kind {
		case schema.Array, schema.Map:
			if typ.Elem == nil {
				t.Errorf("%p has no elements", typ)
			}
			visit(typ.Elem)
		case schema.Object:
			if o, dup := names[typ.Name]; dup && o != typ {
				t.Errorf("two types are called %s", typ.Name)
			}
			names[typ.Name] = typ
			if len(typ.Fields) == 0 || typ.Name == "" {
				t.Errorf("object %q with %d fields", typ.Name, len(typ.Fields))
			}
		default:
		}
		if !slices.IsSortedFunc(typ.Fields, func(a, b schema.Field) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("the fields of %s are not sorted", typ.Name)
		}
		for i, f := range typ.Fields {
			if typ.Index(f.Name) != i {
				t.Errorf("%s.%s is at %d, not %d", typ.Name, f.Name, typ.Index(f.Name), i)
			}
			if f.Canonical != "" && typ.Index(f.Canonical) < 0 {
				t.Errorf("%s.%s is an older name of nothing", typ.Name, f.Name)
			}
			visit(f.Type)
		}
	}
	for _, r := range schema.Roots() {
		typ, ok := schema.Root(r)
		if !ok {
			t.Errorf("no root %s", r)
		}
		visit(typ)
	}
	for _, n := range schema.Names() {
		f, ok := schema.Lookup(n)
		if !ok || f.Name != n {
			t.Errorf("%s is not found by its name", n)
			continue
		}
		if (f.Returns == schema.ReturnsType) != (f.Result != nil) {
			t.Errorf("%s: result %v, %d", n, f.Result, f.Returns)
		}
		visit(f.Result)
	}
	if len(types) < 100 {
		t.Errorf("only %d types", len(types))
	}
	if !slices.IsSorted(schema.ListNames()) {
		t.Error("the lists are not sorted")
	}
	for _, n := range schema.ListNames() {
		if l, ok := schema.LookupList(n); !ok || l.Name != n || l.Elem == nil || l.Origin == "" {
			t.Errorf("list %s: %v", n, l)
		}
	}
	if _, ok := schema.LookupList("nothing"); ok {
		t.Error("nothing is a list")
	}
}

func TestLookup(t *testing.T) {
	for old, want := range map[string]string{
		"strings.icontains":                "strings.icontains",
		"beta.binexplode":                  "file.explode",
		"beta.oletools":                    "file.oletools",
		"beta.expand_archives":             "file.expand_archives",
		"beta.parse_text":                  "file.parse_text",
		"beta.whois":                       "network.whois",
		"beta.linkanalysis":                "ml.link_analysis",
		"beta.logo_detect":                 "ml.logo_detect",
		"beta.ml_nlu_classifier":           "ml.nlu_classifier",
		"beta.ml_macro_classifier":         "ml.macro_classifier",
		"beta.attack_score":                "ml.attack_score",
		"beta.html_xpath":                  "html.xpath",
		"beta.scan_base64":                 "strings.scan_base64",
		"beta.message_screenshot":          "file.message_screenshot",
		"ml.extract_sensitive_information": "beta.ml_extract_sensitive_information",
		"like":                             "strings.like",
		"ilike":                            "strings.ilike",
		"regex_match":                      "regex.match",
		"regex_search":                     "regex.contains",
		"iregex_search":                    "regex.icontains",
		"edit_distance":                    "strings.levenshtein",
		"iedit_distance":                   "strings.ilevenshtein",
	} {
		f, ok := schema.Lookup(old)
		if !ok || f.Name != want {
			t.Errorf("%s is %v, want %s", old, f, want)
		}
	}
	if f, ok := schema.Lookup("strings.nothing"); ok {
		t.Errorf("found %v", f)
	}
}

func TestFunction(t *testing.T) {
	for _, tc := range []struct {
		name        string
		least, most int
		loop        bool
		needs       schema.Capability
	}{
		{"any", 2, 2, true, ""},
		{"map", 2, 2, true, ""},
		{"distinct", 1, 2, true, ""},
		{"length", 1, 1, false, ""},
		{"coalesce", 1, -1, false, ""},
		{"strings.contains", 2, -1, false, ""},
		{"strings.concat", 1, -1, false, ""},
		{"profile.by_sender", 0, 0, false, schema.History},
		{"ml.link_analysis", 1, 1, false, schema.LinkAnalysis},
	} {
		f, ok := schema.Lookup(tc.name)
		if !ok {
			t.Fatalf("no %s", tc.name)
		}
		if f.Least() != tc.least || f.Most() != tc.most || f.Loop() != tc.loop || f.Needs != tc.needs {
			t.Errorf("%s: %d to %d arguments, loop %v, needs %q", tc.name, f.Least(), f.Most(), f.Loop(), f.Needs)
		}
	}
	f, _ := schema.Lookup("regex.contains")
	if p := f.Param(7); p == nil || p.Accept != schema.AcceptRegexp {
		t.Errorf("the eighth argument is %v", p)
	}
	f, _ = schema.Lookup("strings.scan_base64")
	if f.Param(1) != nil || f.Keyword("format") == nil || f.Keyword("mode") != nil {
		t.Error("arguments of strings.scan_base64")
	}
	for c, want := range map[schema.Capability]bool{"": true, schema.History: true, schema.Files: true, schema.Whois: false, schema.Classifier: false} {
		if c.Offline() != want {
			t.Errorf("%q offline: %v", c, c.Offline())
		}
	}
}

func TestJoin(t *testing.T) {
	link := elem(t, "body", "links")
	mailbox := elem(t, "recipients", "to")
	str, num := schema.Scalar(schema.String), schema.Scalar(schema.Int)
	for _, tc := range []struct {
		name string
		a, b *schema.Type
		want string
	}{
		{"Same", str, str, "string"},
		{"Words", &schema.Type{Kind: schema.String, Enum: []string{"a"}}, &schema.Type{Kind: schema.String, Enum: []string{"b"}}, "string"},
		{"Numbers", num, schema.Scalar(schema.Float), "float"},
		{"Null", schema.Scalar(schema.Null), num, "integer"},
		{"NullLast", num, schema.Scalar(schema.Null), "integer"},
		{"Different", str, num, "any"},
		{"Objects", link, mailbox, "any"},
		{"Arrays", schema.ArrayOf(link), schema.ArrayOf(link), "[Link]"},
		{"ArraysOfDifferent", schema.ArrayOf(link), schema.ArrayOf(str), "[any]"},
	} {
		if got := schema.Join(tc.a, tc.b).String(); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
	}
	if schema.Same(link, mailbox) || !schema.Same(schema.ArrayOf(link), schema.ArrayOf(link)) || schema.Same(str, nil) {
		t.Error("Same")
	}
	words := &schema.Type{Kind: schema.String, Enum: []string{"pdf"}}
	if d := cmp.Diff([]bool{true, false, false, true, true}, []bool{
		words.Allows("pdf"), words.Allows("PDF"), words.AllowsFold("doc"), words.AllowsFold("PDF"), str.Allows("x"),
	}); d != "" {
		t.Error(d)
	}
}

func elem(t *testing.T, root, field string) *schema.Type {
	t.Helper()
	typ, _ := schema.Root(root)
	f, ok := typ.Field(field)
	if !ok {
		t.Fatalf("no %s.%s", root, field)
	}
	return f.Type.Elem
}
