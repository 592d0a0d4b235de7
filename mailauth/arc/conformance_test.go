package arc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mailauth/arc"
)

// scenario is one document of the suite. Its tests are a node because some
// names stand twice in one mapping.
type scenario struct {
	Description string
	Tests       yaml.Node
	TxtRecords  map[string]string `yaml:"txt-records"`
}

type suiteTest struct {
	Message string
	CV      string
}

// TestConformanceARC runs the validation suite of ValiMail, which was written
// for draft 18 of RFC 8617: an empty cv there means that the newest seal says
// "fail" itself.
func TestConformanceARC(t *testing.T) {
	dir := os.Getenv("SEKISHO_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	b, err := os.ReadFile(filepath.Join(dir, "data", "arc", "arc-draft-validation-tests.yml"))
	if err != nil {
		t.Skipf("no suite: %v", err)
	}
	want := map[string]arc.Status{"None": arc.StatusNone, "Pass": arc.StatusPass, "Fail": arc.StatusFail, "": arc.StatusFail}
	run, ok, passing, strict := 0, 0, 0, 0
	names, failed := map[string]bool{}, map[string]bool{}
	rules, reasons := map[arc.Rule]int{}, map[arc.Reason]int{}
	for d := yaml.NewDecoder(bytes.NewReader(b)); ; {
		var s scenario
		if err := d.Decode(&s); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		r := records(t, s.TxtRecords)
		for i := 0; i+1 < len(s.Tests.Content); i += 2 {
			name := s.Tests.Content[i].Value
			var tc suiteTest
			if err := s.Tests.Content[i+1].Decode(&tc); err != nil {
				t.Fatal(err)
			}
			t.Run(name, func(t *testing.T) {
				run++
				names[name] = true
				expected, known := want[strings.TrimSpace(tc.CV)]
				if !known {
					t.Fatalf("cv %q", tc.CV)
				}
				c, err := arc.Validate(context.Background(), r, eml.Parse([]byte(tc.Message), nil), now(), nil)
				if err != nil {
					t.Fatal(err)
				}
				if c.Status != expected {
					failed[name] = true
					t.Errorf("got %s (%s, set %d), want %s", c.Status, c.Reason, c.Instance, expected)
					return
				}
				ok++
				reasons[c.Reason]++
				if c.Status == arc.StatusPass {
					passing++
					if c.Strict() {
						strict++
					}
				}
				for _, v := range c.Violations {
					rules[v.Rule]++
				}
			})
		}
	}
	// Four names stand twice, with two messages each.
	t.Logf("ARC validation, lenient: %d of %d cases (%d of %d messages)", len(names)-len(failed), len(names), ok, run)
	t.Logf("of %d chains that pass, %d keep to RFC 8617", passing, strict)
	t.Logf("violations: %s", counted(rules))
	t.Logf("reasons: %s", counted(reasons))
	if len(names) != 171 {
		t.Errorf("%d cases, the suite has 171", len(names))
	}
}

func counted[K ~string](m map[K]int) string {
	var lines []string
	for k, n := range m {
		lines = append(lines, fmt.Sprintf("%q %d", k, n))
	}
	slices.Sort(lines)
	return strings.Join(lines, ", ")
}
