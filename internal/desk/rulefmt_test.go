package desk_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/mql/rule"
	"github.com/sekisho/sekisho/mql/syntax"
)

func TestFormatRule(t *testing.T) {
	const formatted = "  type.inbound\n  and subject.subject == \"a\"\n"
	for _, tc := range []struct{ name, before, after string }{
		{"Literal", "name: x # y\nsource: |\n  type.inbound and subject.subject == \"a\"\n\ntags: [b]\n", "name: x # y\nsource: |\n" + formatted + "\ntags: [b]\n"},
		{"Strip", "name: x\nsource: |-  # why\n    type.inbound and subject.subject == \"a\"\n", "name: x\nsource: |-  # why\n    type.inbound\n    and subject.subject == \"a\"\n"},
		{"Keep", "name: x\nsource: |+\n  type.inbound and subject.subject == \"a\"\n\n\ntags: [b]\n", "name: x\nsource: |+\n" + formatted + "\n\ntags: [b]\n"},
		{"Folded", "source: >-\n  type.inbound\n  and subject.subject == \"a\"\nname: x\n", "source: |-\n" + formatted + "name: x\n"},
		{"Plain", "source: type.inbound and subject.subject == \"a\"  # why\nname: x\n", "source: |  # why\n" + formatted + "name: x\n"},
		{"Double", "source: \"type.inbound and subject.subject == \\\"a\\\"\"\nname: x\n", "source: |\n" + formatted + "name: x\n"},
		{"Single", "source: 'type.inbound and subject.subject == \"a\"' # it''s\nname: x\n", "source: | # it''s\n" + formatted + "name: x\n"},
		{"QuotedLines", "source: 'type.inbound\n  and subject.subject == \"a\"'\nname: x", "source: |\n" + formatted + "name: x"},
		{"LastLine", "name: x\nsource: type.inbound and subject.subject == \"a\"", "name: x\nsource: |\n" + formatted},
		{"CRLF", "name: x\r\nsource: |\r\n  type.inbound and subject.subject == \"a\"\r\ntags: [b]\r\n", "name: x\r\nsource: |\r\n  type.inbound\r\n  and subject.subject == \"a\"\r\ntags: [b]\r\n"},
		{"Indented", "  name: x\n  source: type.inbound and subject.subject == \"a\"\n", "  name: x\n  source: |\n    type.inbound\n    and subject.subject == \"a\"\n"},
		{"Comments", "name: x\nsource: |\n  // first\n  type.inbound and subject.subject == \"a\" // last\n", "name: x\nsource: |\n  // first\n  type.inbound\n  and subject.subject == \"a\" // last\n"},
		{"Same", "name: x\nsource: |\n" + formatted, "name: x\nsource: |\n" + formatted},
		{"SameWithoutBlock", "name: x\nsource: \"false\"\n", "name: x\nsource: \"false\"\n"},
		{"Documents", "name: x\nsource: type.inbound  and  true\n---\nother: 1\n", "name: x\nsource: |\n  type.inbound\n  and true\n---\nother: 1\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, problems := desk.FormatRule("x.yml", []byte(tc.before), nil)
			if len(problems) > 0 {
				t.Fatalf("problems: %v", problems)
			}
			if diff := cmp.Diff(tc.after, string(got)); diff != "" {
				t.Error(diff)
			}
			again, _ := desk.FormatRule("x.yml", got, nil)
			if diff := cmp.Diff(string(got), string(again)); diff != "" {
				t.Errorf("formatted again: %s", diff)
			}
		})
	}
}

// TestFormatRuleLeaves shows what is not touched, and why.
func TestFormatRuleLeaves(t *testing.T) {
	for _, tc := range []struct{ name, file, want string }{
		{"NoRule", "name: x\n", "x.yml is no rule: "},
		{"NoYAML", "a: [\n", "x.yml is no rule: "},
		{"Broken", "name: x\nsource: type.inbound and (\n", "not formatted, since it has a mistake: "},
		{"Flow", "{name: x, source: type.inbound  and  true}\n", "left as it is: "},
		{"Anchor", "name: x\nsource: &s type.inbound  and  true\nother: *s\n", "left as it is: "},
		{"PlainLines", "name: x\nsource: type.inbound\n  and  true\n", "left as it is: "},
		{"Digit", "name: x\nsource: |2\n  type.inbound  and  true\n", "left as it is: "},
		{"Tag", "name: x\nsource: !!str type.inbound  and  true\n", "left as it is: "},
		{"Control", "name: x\nsource: \"type.inbound  and subject.subject == \\\"\\a\\\"\"\n", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, problems := desk.FormatRule("x.yml", []byte(tc.file), nil)
			if string(got) != tc.file || len(problems) != 1 || !strings.HasPrefix(problems[0].Text.EN, tc.want) {
				t.Errorf("got %q, problems %v", got, problems)
			}
		})
	}
}

// others returns the fields of a rule file but for the condition.
func others(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := yaml.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	delete(m, "source")
	return m
}

// names writes the kinds and names of a tree, in their order.
func names(source string) []string {
	f := syntax.Parse(source)
	var out []string
	syntax.Walk(f.Root, func(e syntax.Expr) bool {
		word := ""
		switch e := e.(type) {
		case *syntax.Call:
			word = e.Func
		case *syntax.Field:
			word = e.Name
		case *syntax.Name:
			word = e.Name
		case *syntax.String:
			word = e.Value
		case *syntax.Int, *syntax.Float, *syntax.Bool, *syntax.List:
			word = f.Text(e.Span())
		case *syntax.Compare:
			word = fmt.Sprint(e.Ops)
		case *syntax.Logic:
			word = string(e.Op)
		}
		out = append(out, word)
		return true
	})
	return out
}

// TestFormatPublicRules formats every public rule: it says the same, everything
// around it stays, and formatting it again changes nothing.
func TestFormatPublicRules(t *testing.T) {
	dir := os.Getenv("SEKISHO_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	dir = filepath.Join(dir, "data", "mql", "rules")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the public rules are not here: set SEKISHO_SHARED")
	}
	rules, changed := 0, 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yml" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rules++
		got, problems := desk.FormatRule(path, data, nil)
		if len(problems) > 0 {
			t.Errorf("%s: %s", path, problems[0].Text.EN)
			return nil
		}
		if bytes.Equal(data, got) {
			return nil
		}
		changed++
		before, err := rule.Parse(data)
		if err != nil {
			return err
		}
		after, err := rule.Parse(got)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return nil
		}
		if diff := cmp.Diff(names(before.Source), names(after.Source)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
		if diff := cmp.Diff(others(t, data), others(t, got)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
		again, _ := desk.FormatRule(path, got, nil)
		if !bytes.Equal(got, again) {
			t.Errorf("%s: formatting again changes it", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d rules, %d changed", rules, changed)
	if rules < 1500 {
		t.Errorf("%d rules", rules)
	}
}

func FuzzFormatRule(f *testing.F) {
	for _, s := range []string{
		"name: x\nsource: |\n  type.inbound and subject.subject == \"a\"\n\ntags: [b]\n", "name: x\nsource: >-\n  type.inbound\n  and  true\n", "source: 'a  or\n b' # c\nname: x",
		"name: x\nsource: \"type.inbound  and \\\"\\a\\\" == 'b'\"\n", "name: x\r\nsource: a  and b\r\n", "{name: x, source: a  and b}", "name: x\nsource: &a b  and c\nd: *a\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 8<<10 {
			return
		}
		got, problems := desk.FormatRule("x.yml", data, nil)
		if len(problems) > 0 {
			if !bytes.Equal(got, data) {
				t.Error("a rule with a problem was changed")
			}
			return
		}
		before, err := rule.Parse(data)
		if err != nil {
			t.Fatal("no rule, and no problem")
		}
		after, err := rule.Parse(got)
		if err != nil {
			t.Fatalf("%q: %v", got, err)
		}
		if diff := cmp.Diff(names(before.Source), names(after.Source)); diff != "" {
			t.Error(diff)
		}
		if before.Name != after.Name || before.Severity != after.Severity || before.Description != after.Description {
			t.Error("another field changed")
		}
		again, _ := desk.FormatRule("x.yml", got, nil)
		if !bytes.Equal(got, again) {
			t.Errorf("formatted again: %q, before %q", again, got)
		}
	})
}
