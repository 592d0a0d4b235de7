package architecture

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func theHouse(t *testing.T) *house {
	t.Helper()
	h, err := parseHouse(readDoc(t, "docs/architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestImportsFollowTheTable(t *testing.T) {
	h := theHouse(t)
	var problems []string
	for _, s := range tree(t) {
		if s.test {
			continue
		}
		for _, i := range s.imports {
			if why := h.checkImport(s.room, i); why != "" {
				problems = append(problems, why)
			}
		}
	}
	report(t, problems)
}

func TestEveryPackageHasAPlace(t *testing.T) {
	packages := map[string]bool{}
	for _, s := range tree(t) {
		if !s.test {
			packages[s.room] = true
		}
	}
	report(t, theHouse(t).checkPlaces(slices.Sorted(maps.Keys(packages))))
}

// TestEnginesHaveNoClock looks for what reads the clock or waits; the import
// of time itself is fine.
func TestEnginesHaveNoClock(t *testing.T) {
	h := theHouse(t)
	var problems []string
	for _, s := range tree(t) {
		if r, ok := h.find(s.room); !ok || s.test || r.floor > slices.Index(floors, "first") {
			continue
		}
		problems = append(problems, clockUse(s)...)
	}
	report(t, problems)
}

// TestNoInit holds for every floor: work at start-up is hidden work.
func TestNoInit(t *testing.T) {
	var problems []string
	for _, s := range tree(t) {
		if !s.test {
			problems = append(problems, initFuncs(s)...)
		}
	}
	report(t, problems)
}

var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

func clockUse(s source) []string {
	var problems []string
	ast.Inspect(s.file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clock, sel.Sel.Name) {
			problems = append(problems, fmt.Sprintf("%s uses time.%s: time is passed in", fset.Position(sel.Pos()), sel.Sel.Name))
		}
		return true
	})
	return problems
}

func initFuncs(s source) []string {
	var problems []string
	for _, d := range s.file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			problems = append(problems, fmt.Sprintf("%s: func init", fset.Position(f.Pos())))
		}
	}
	return problems
}

const smallPage = `
words

` + "```house" + `
[ground]
lang            -                 words
[first]
domain          -                 names
eml             domain            mail
extract/...     eml               content
rego            -                 review
[data]
lists           -                 names
[second]
internal/desk   -                 use cases
[third]
internal/cli    -                 terminal
internal/fetch  -                 planned: requests
[beside]
ci              -                 checks
` + "```" + `

` + "```modules" + `
example.test/opa   rego
` + "```" + `

` + "```impure" + `
net/http   requests belong to adapters
` + "```" + `
`

func TestCheckImport(t *testing.T) {
	h, err := parseHouse(smallPage)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, from, path, want string }{
		{"LowerFloor", "internal/desk", module + "/eml", ""},
		{"StandardLibrary", "eml", "strings", ""},
		{"SameFloorListed", "eml", module + "/domain", ""},
		{"SameFloorPattern", "extract/pdf", module + "/eml", ""},
		{"SameFloorNotListed", "domain", module + "/eml", "domain imports " + "eml, and both are on the first floor: the table in docs/architecture.md does not list it"},
		{"HigherFloor", "eml", module + "/internal/desk", "eml (first floor) imports internal/desk (second floor): a package imports lower floors only"},
		{"AdaptersApart", "internal/cli", module + "/internal/fetch", "internal/cli imports internal/fetch, and both are on the third floor: the table in docs/architecture.md does not list it"},
		{"EngineReadsList", "eml", module + "/lists", "eml imports lists: engines get lists and rules as values"},
		{"DeskReadsList", "internal/desk", module + "/lists", ""},
		{"ImpureEngine", "eml", "net/http", "eml (first floor) imports net/http: requests belong to adapters"},
		{"ImpureAdapter", "internal/cli", "net/http", ""},
		{"GroundThirdParty", "lang", "example.test/x", "lang (ground floor) imports example.test/x: the ground floor uses the standard library and golang.org/x only"},
		{"GroundGolangX", "lang", "golang.org/x/text/width", ""},
		{"KeptModule", "rego", "example.test/opa/v1", ""},
		{"StrayModule", "eml", "example.test/opa/v1", "eml imports example.test/opa/v1: only rego may"},
		{"Beside", "internal/cli", module + "/ci", "internal/cli imports ci: what stands beside the house is imported by nobody"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, h.checkImport(tc.from, tc.path)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheckPlaces(t *testing.T) {
	h, err := parseHouse(smallPage)
	if err != nil {
		t.Fatal(err)
	}
	got := h.checkPlaces([]string{"lang", "domain", "eml", "extract/pdf", "rego", "lists", "internal/desk", "internal/fetch", "ci", "stray"})
	want := []string{
		"internal/fetch exists: docs/architecture.md marks internal/fetch as planned",
		"stray has no line in docs/architecture.md: every package has a place",
		"docs/architecture.md lists internal/cli, and there is no such package",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseHouseRefuses(t *testing.T) {
	page := func(house string) string {
		return "\n```house\n" + house + "\n```\n\n```modules\n```\n\n```impure\n```\n"
	}
	for _, tc := range []struct{ name, page, want string }{
		{"NoBlock", "nothing", `the page has no block "house"`},
		{"UnknownFloor", page("[cellar]"), `house: no such floor: "cellar"`},
		{"NoFloor", page("eml  -  mail"), `house: a line needs a floor above it and three columns: "eml  -  mail"`},
		{"TwoColumns", page("[first]\neml  mail"), `house: a line needs a floor above it and three columns: "eml  mail"`},
		{"Twice", page("[first]\neml  -  mail\neml  -  mail"), `house: eml stands there twice`},
		{"UnknownRoom", page("[first]\neml  domain  mail"), `house: eml may use domain, which is no room of the first floor`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := parseHouse(tc.page)
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFindsClockAndInit(t *testing.T) {
	s, err := parseSource("x/x.go", []byte("package x\nimport \"time\"\nfunc init() { _ = time.Now() }\nfunc f() time.Time { return time.Unix(0, 0) }\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"x/x.go:3:1: func init", "x/x.go:3:19 uses time.Now: time is passed in"}
	got := slices.Concat(initFuncs(s), clockUse(s))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
