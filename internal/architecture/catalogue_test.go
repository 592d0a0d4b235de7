package architecture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/lang"
)

// TestCatalogueTemplates checks the sentences by themselves.
func TestCatalogueTemplates(t *testing.T) {
	for key, text := range catalogue(t) {
		for _, p := range templateProblems(text) {
			t.Errorf("%s: %s", key, p)
		}
	}
}

// TestCatalogueFiles refuses what encoding/json accepts in silence: a key
// given twice and a language that nobody reads.
func TestCatalogueFiles(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "lang", "catalogue", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no catalogue: %v", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range fileProblems(b) {
			t.Errorf("%s: %s", filepath.Base(f), p)
		}
	}
}

// TestMessageKeys checks every message that the code makes against the
// catalogue, and the catalogue against the code.
func TestMessageKeys(t *testing.T) {
	var u usage
	consts := constants(tree(t))
	for _, s := range tree(t) {
		if !s.test {
			u.read(s, consts)
		}
	}
	report(t, u.problems(catalogue(t)))
}

func catalogue(t *testing.T) map[string]lang.Text {
	t.Helper()
	c := lang.Default()
	entries := map[string]lang.Text{}
	for _, k := range c.Keys() {
		text, ok := c.Template(k)
		if !ok {
			t.Fatalf("Keys lists %q, and Template does not know it", k)
		}
		entries[k] = text
	}
	return entries
}

func templateProblems(text lang.Text) []string {
	var problems []string
	both := map[lang.Language]string{lang.JA: text.JA, lang.EN: text.EN}
	names := map[lang.Language][]string{}
	for _, l := range slices.Sorted(maps.Keys(both)) {
		if strings.TrimSpace(both[l]) == "" {
			problems = append(problems, string(l)+" is empty")
			continue
		}
		if strings.TrimSpace(both[l]) != both[l] {
			problems = append(problems, string(l)+" has white space at an end")
		}
		n, err := placeholders(both[l])
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", l, err))
		}
		names[l] = n
	}
	if len(problems) == 0 && !slices.Equal(names[lang.JA], names[lang.EN]) {
		problems = append(problems, fmt.Sprintf("ja names %v, en names %v", names[lang.JA], names[lang.EN]))
	}
	return problems
}

// placeholders returns the argument names of a template, sorted and once each.
func placeholders(template string) ([]string, error) {
	names := map[string]bool{}
	for {
		_, rest, ok := strings.Cut(template, "{")
		if !ok {
			break
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return nil, fmt.Errorf("a brace is not closed: %q", rest)
		}
		template = after
		name, forms, plural := strings.Cut(name, ":")
		if name == "" || strings.ContainsAny(name, " {") {
			return nil, fmt.Errorf("no argument name: %q", name)
		}
		if plural && strings.Count(forms, "|") != 1 {
			return nil, fmt.Errorf("a plural has two forms: %q", forms)
		}
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names)), nil
}

func fileProblems(b []byte) []string {
	var problems []string
	strict := json.NewDecoder(bytes.NewReader(b))
	strict.DisallowUnknownFields()
	var entries map[string]lang.Text
	if err := strict.Decode(&entries); err != nil {
		return []string{err.Error()}
	}
	d := json.NewDecoder(bytes.NewReader(b))
	depth := 0
	seen := map[string]bool{}
	for isKey := true; ; {
		tok, err := d.Token()
		if err != nil {
			return problems
		}
		switch tok := tok.(type) {
		case json.Delim:
			if tok == '{' {
				depth++
			} else {
				depth--
			}
			isKey = depth == 1
		case string:
			if depth == 1 && isKey {
				if seen[tok] {
					problems = append(problems, "key given twice: "+tok)
				}
				seen[tok] = true
			}
		}
	}
}

// call is one message that the code makes with a key that stands there.
type call struct {
	pos  string
	key  string
	args []string // nil if they are not all spelled out
	full bool     // whether args are all there are
}

// usage is what the code does with keys.
type usage struct {
	calls    []call
	literals map[string]bool // every string in the code: keys travel in tables too
	prefixes map[string]bool // constant left sides of a concatenation: "compauth.reason." + code
}

// constants maps "folder.name" to the value of string constants.
func constants(all []source) map[string]string {
	m := map[string]string{}
	for _, s := range all {
		for _, d := range s.file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				for i, n := range v.Names {
					if i < len(v.Values) {
						if lit, ok := stringLit(v.Values[i]); ok {
							m[s.room+"."+n.Name] = lit
						}
					}
				}
			}
		}
	}
	return m
}

func stringLit(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

func (u *usage) read(s source, consts map[string]string) {
	if u.literals == nil {
		u.literals, u.prefixes = map[string]bool{}, map[string]bool{}
	}
	value := func(e ast.Expr) (string, bool) {
		if id, ok := e.(*ast.Ident); ok {
			v, ok := consts[s.room+"."+id.Name]
			return v, ok
		}
		return stringLit(e)
	}
	inLang := s.room == "lang"
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if v, ok := stringLit(n); ok {
				u.literals[v] = true
			}
		case *ast.BinaryExpr:
			if v, ok := value(n.X); ok && n.Op == token.ADD && strings.Contains(v, ".") {
				u.prefixes[v] = true
			}
		case *ast.CallExpr:
			if isLang(n.Fun, "M", inLang) && len(n.Args) > 0 {
				if key, ok := value(n.Args[0]); ok {
					u.calls = append(u.calls, newCall(n, key, value))
				}
			}
		case *ast.CompositeLit:
			if !isLang(n.Type, "Message", inLang) {
				return true
			}
			for _, e := range n.Elts {
				kv, ok := e.(*ast.KeyValueExpr)
				if !ok {
					continue
				}
				if id, ok := kv.Key.(*ast.Ident); ok && id.Name == "Key" {
					if key, ok := value(kv.Value); ok {
						u.calls = append(u.calls, call{pos: fset.Position(n.Pos()).String(), key: key})
					}
				}
			}
		}
		return true
	})
}

func newCall(n *ast.CallExpr, key string, value func(ast.Expr) (string, bool)) call {
	c := call{pos: fset.Position(n.Pos()).String(), key: key, full: !n.Ellipsis.IsValid()}
	for i := 1; i < len(n.Args); i += 2 {
		name, ok := value(n.Args[i])
		if !ok {
			c.full = false
			continue
		}
		c.args = append(c.args, name)
	}
	return c
}

// isLang reports whether e is lang.name, or name inside package lang.
func isLang(e ast.Expr, name string, inLang bool) bool {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		x, ok := e.X.(*ast.Ident)
		return ok && x.Name == "lang" && e.Sel.Name == name
	case *ast.Ident:
		return inLang && e.Name == name
	}
	return false
}

func (u *usage) problems(entries map[string]lang.Text) []string {
	var problems []string
	used := map[string]bool{lang.LiteralKey: true}
	for _, c := range u.calls {
		text, ok := entries[c.key]
		if !ok {
			problems = append(problems, fmt.Sprintf("%s: the catalogue has no key %q", c.pos, c.key))
			continue
		}
		used[c.key] = true
		names, err := placeholders(text.EN)
		if err != nil || !c.full {
			continue // TestCatalogueTemplates reports the template
		}
		for _, n := range names {
			if !slices.Contains(c.args, n) {
				problems = append(problems, fmt.Sprintf("%s: %s needs the argument %q", c.pos, c.key, n))
			}
		}
		for _, a := range c.args {
			if !slices.Contains(names, a) {
				problems = append(problems, fmt.Sprintf("%s: no sentence of %s says the argument %q", c.pos, c.key, a))
			}
		}
	}
	for key := range entries {
		if used[key] || u.literals[key] || slices.ContainsFunc(slices.Collect(maps.Keys(u.prefixes)), func(p string) bool { return strings.HasPrefix(key, p) }) {
			continue
		}
		problems = append(problems, fmt.Sprintf("the catalogue has the key %q, and no code uses it", key))
	}
	return problems
}

func TestUsageProblems(t *testing.T) {
	src := `package x
const keyC = "x.constant"
func f(code string) {
	_ = lang.M("x.known", "n", 1)
	_ = lang.M("x.known")
	_ = lang.M("x.known", "n", 1, "m", 2)
	_ = lang.M("x.known", pairs...)
	_ = lang.M("x.missing")
	_ = lang.M(keyC)
	_ = lang.M("x.reason." + code)
	_ = lang.Message{Key: "x.gone"}
	_ = other.M("x.foreign")
}
var table = map[int]string{1: "x.tabled"}
`
	s, err := parseSource("x/x.go", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	var u usage
	u.read(s, constants([]source{s}))
	entries := map[string]lang.Text{
		"x.known":      {JA: "{n}件", EN: "{n} {n:mail|mails}"},
		"x.constant":   {JA: "定", EN: "constant"},
		"x.reason.601": {JA: "理由", EN: "reason"},
		"x.tabled":     {JA: "表", EN: "table"},
		"x.unused":     {JA: "未使用", EN: "unused"},
	}
	want := []string{
		`the catalogue has the key "x.unused", and no code uses it`,
		`x/x.go:11:6: the catalogue has no key "x.gone"`,
		`x/x.go:5:6: x.known needs the argument "n"`,
		`x/x.go:6:6: no sentence of x.known says the argument "m"`,
		`x/x.go:8:6: the catalogue has no key "x.missing"`,
	}
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(u.problems(entries)))); diff != "" {
		t.Error(diff)
	}
}

func TestTemplateProblems(t *testing.T) {
	for _, tc := range []struct {
		name string
		text lang.Text
		want []string
	}{
		{"Fine", lang.Text{JA: "{n}件", EN: "{n} {n:mail|mails}"}, nil},
		{"NoJapanese", lang.Text{EN: "a"}, []string{"ja is empty"}},
		{"NoEnglish", lang.Text{JA: "あ", EN: " "}, []string{"en is empty"}},
		{"Names", lang.Text{JA: "{a}", EN: "{b}"}, []string{"ja names [a], en names [b]"}},
		{"Space", lang.Text{JA: "あ ", EN: "a"}, []string{"ja has white space at an end"}},
		{"OpenBrace", lang.Text{JA: "あ", EN: "{a"}, []string{`en: a brace is not closed: "a"`}},
		{"EmptyName", lang.Text{JA: "{}", EN: "a"}, []string{`ja: no argument name: ""`}},
		{"OneForm", lang.Text{JA: "{n}", EN: "{n:mails}"}, []string{`en: a plural has two forms: "mails"`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, templateProblems(tc.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFileProblems(t *testing.T) {
	for _, tc := range []struct{ name, file, want string }{
		{"Fine", `{"a": {"ja": "あ", "en": "a"}, "b": {"ja": "a", "en": "a"}}`, ""},
		{"Twice", `{"a": {"ja": "あ", "en": "a"}, "a": {"ja": "い", "en": "b"}}`, "key given twice: a"},
		{"UnknownLanguage", `{"a": {"jp": "あ", "en": "a"}}`, `json: unknown field "jp"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, strings.Join(fileProblems([]byte(tc.file)), "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
