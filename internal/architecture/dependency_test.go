package architecture

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDependenciesAreDocumented compares go.mod, docs/dependencies.md and the
// imports in the code.
func TestDependenciesAreDocumented(t *testing.T) {
	required := requirements(readDoc(t, "go.mod"))
	documented := documentedModules(readDoc(t, "docs/dependencies.md"))
	used := map[string]string{}
	for _, s := range tree(t) {
		if s.room == "." {
			continue
		}
		for _, i := range s.imports {
			for m := range required {
				if i != m && !strings.HasPrefix(i, m+"/") {
					continue
				}
				if !s.test && !isTestRoom(s.room) {
					used[m] = "production"
				} else if used[m] == "" {
					used[m] = "test"
				}
			}
		}
	}
	report(t, dependencyProblems(required, documented, used))
}

// isTestRoom tells packages that only tests import, such as outlooktest.
func isTestRoom(room string) bool { return strings.HasSuffix(room, "test") }

var requirement = regexp.MustCompile(`(?m)^(?:require )?\s*(\S+\.\S+/\S+|\S+\.\S+) (v\S+)( // indirect)?$`)

// requirements returns the direct requirements of a go.mod with their version.
func requirements(mod string) map[string]string {
	m := map[string]string{}
	for _, r := range requirement.FindAllStringSubmatch(mod, -1) {
		if r[3] == "" {
			m[r[1]] = r[2]
		}
	}
	return m
}

// dependency is a row of the table in docs/dependencies.md.
type dependency struct{ version, use string }

var dependencyRow = regexp.MustCompile("(?m)^\\| `(\\S+)` \\| (v\\S+) \\| (production|test) \\|")

func documentedModules(page string) map[string]dependency {
	m := map[string]dependency{}
	for _, r := range dependencyRow.FindAllStringSubmatch(page, -1) {
		m[r[1]] = dependency{version: r[2], use: r[3]}
	}
	return m
}

func dependencyProblems(required map[string]string, documented map[string]dependency, used map[string]string) []string {
	var problems []string
	for _, m := range slices.Sorted(maps.Keys(required)) {
		d, ok := documented[m]
		switch {
		case !ok:
			problems = append(problems, fmt.Sprintf("%s is required and not in docs/dependencies.md", m))
		case d.version != required[m]:
			problems = append(problems, fmt.Sprintf("%s is required at %s, and docs/dependencies.md says %s", m, required[m], d.version))
		case used[m] == "":
			problems = append(problems, fmt.Sprintf("%s is required, and no package imports it", m))
		case used[m] != d.use:
			problems = append(problems, fmt.Sprintf("%s is used in %s code, and docs/dependencies.md says %s", m, used[m], d.use))
		}
	}
	for _, m := range slices.Sorted(maps.Keys(documented)) {
		if required[m] == "" {
			problems = append(problems, fmt.Sprintf("docs/dependencies.md lists %s, which go.mod does not require", m))
		}
	}
	return problems
}

func TestDependencyProblems(t *testing.T) {
	mod := "module m\n\ngo 1.26.0\n\nrequire (\n\ta.test/a v1.0.0\n\tb.test/b v1.0.0\n\tc.test/c v1.0.0\n\td.test/d v0.1.0\n\ti.test/i v1.0.0 // indirect\n\tu.test/u v1.0.0\n)\n"
	page := "| `a.test/a` | v1.0.0 | production | x |\n| `b.test/b` | v1.0.1 | test | x |\n| `c.test/c` | v1.0.0 | production | x |\n| `u.test/u` | v1.0.0 | test | x |\n| `z.test/z` | v1.0.0 | test | x |\n"
	used := map[string]string{"a.test/a": "production", "b.test/b": "test", "c.test/c": "test"}
	want := []string{
		"b.test/b is required at v1.0.0, and docs/dependencies.md says v1.0.1",
		"c.test/c is used in test code, and docs/dependencies.md says production",
		"d.test/d is required and not in docs/dependencies.md",
		"u.test/u is required, and no package imports it",
		"docs/dependencies.md lists z.test/z, which go.mod does not require",
	}
	if diff := cmp.Diff(want, dependencyProblems(requirements(mod), documentedModules(page), used)); diff != "" {
		t.Error(diff)
	}
}
