package rule_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/mql/check"
	"github.com/sekisho/sekisho/mql/rule"
	"github.com/sekisho/sekisho/mql/syntax"
)

func TestParse(t *testing.T) {
	r, err := rule.Parse([]byte(`name: "Payroll lure"
id: "0c4c7b0e-1111-5222-8333-000000000001"
type: "rule"
severity: "high"
description: |
  Asks for a payroll form.
authors:
  - twitter: "someone"
  - "another"
references: "https://example.test/"
tags: ["a", "b"]
attack_types:
  - "BEC/Fraud"
active: false
unknown_key: {a: 1}
source: |
  type.inbound
  and subject.subject == "給与"
`))
	if err != nil {
		t.Fatal(err)
	}
	want := &rule.Rule{
		ID: "0c4c7b0e-1111-5222-8333-000000000001", Name: "Payroll lure", Type: rule.Detection, Severity: finding.High,
		Description: "Asks for a payroll form.\n", Source: "type.inbound\nand subject.subject == \"給与\"\n",
		Authors: []string{"someone", "another"}, References: []string{"https://example.test/"}, Tags: []string{"a", "b"},
		AttackTypes: []string{"BEC/Fraud"}, Inactive: true,
	}
	if d := cmp.Diff(want, r, cmpopts.IgnoreUnexported(rule.Rule{})); d != "" {
		t.Error(d)
	}
	if p := r.Check(check.New(nil)); !p.OK() {
		t.Errorf("diagnostics: %v", p.Diagnostics)
	}
}

// TestPosition finds the word BAD, which no source may hold, in each file.
func TestPosition(t *testing.T) {
	for _, tc := range []struct {
		name, file string
		want       syntax.Position
	}{
		{"Literal", "name: x\nsource: |\n  type.inbound\n  and BAD\n", syntax.Position{Line: 4, Column: 7}},
		{"LiteralLast", "name: x\nsource: |\n  type.inbound\n\n  and (\n    BAD\n  )\nid: y\n", syntax.Position{Line: 6, Column: 5}},
		{"LiteralBlankFirst", "name: x\nsource: |\n\n\n    BAD", syntax.Position{Line: 5, Column: 5}},
		{"LiteralIndent", "name: x\nsource: |2\n    type.inbound\n   and BAD\n", syntax.Position{Line: 4, Column: 8}},
		{"LiteralWide", "name: x\nsource: |\n  \"日本\" == BAD\n", syntax.Position{Line: 3, Column: 11}},
		{"LiteralCRLF", "name: x\r\nsource: |\r\n  type.inbound\r\n  and BAD\r\n", syntax.Position{Line: 4, Column: 7}},
		{"Plain", "source: not BAD\nname: x\n", syntax.Position{Line: 1, Column: 13}},
		{"Quoted", "name: x\nsource: \"not BAD\"\n", syntax.Position{Line: 2, Column: 14}},
		{"QuotedEscape", "name: x\nsource: \"'\\x41' == BAD\"\n", syntax.Position{Line: 2, Column: 9}},
		{"Folded", "name: x\nsource: >\n  type.inbound\n  and BAD\n", syntax.Position{Line: 2, Column: 9}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := rule.Parse([]byte(tc.file))
			if err != nil {
				t.Fatal(err)
			}
			got := r.Position(strings.Index(r.Source, "BAD"))
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	for _, tc := range []struct {
		name, file   string
		line, column int
		key          string
	}{
		{"Empty", "", 1, 1, "mql.rule.empty"},
		{"NotYAML", "name: x\nsource: [\n", 2, 1, "mql.rule.yaml"},
		{"List", "- a\n", 1, 1, "mql.rule.mapping"},
		{"NoName", "source: true\n", 1, 1, "mql.rule.missing"},
		{"NoSource", "name: x\n", 1, 1, "mql.rule.missing"},
		{"SourceList", "name: x\nsource:\n  - a\n", 3, 3, "mql.rule.text"},
		{"Severity", "name: x\nseverity: awful\nsource: true\n", 2, 11, "mql.rule.severity"},
		{"Type", "name: x\ntype: yara\nsource: true\n", 2, 7, "mql.rule.type"},
		{"Twice", "name: x\nsource: true\nname: y\n", 3, 1, "mql.rule.twice"},
		{"Large", "name: " + strings.Repeat("x", rule.MaxSize), 1, 1, "mql.rule.size"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := rule.Parse([]byte(tc.file))
			e, ok := errors.AsType[*rule.Error](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if e.Line != tc.line || e.Column != tc.column || e.Message.Key != tc.key {
				t.Errorf("got %d:%d %s, want %d:%d %s", e.Line, e.Column, e.Message.Key, tc.line, tc.column, tc.key)
			}
			if !strings.HasPrefix(e.Error(), "rule: ") || strings.Contains(e.Error(), "[mql.") {
				t.Errorf("message: %s", e)
			}
		})
	}
}

// TestBooleanSource reads a condition that YAML takes for a boolean.
func TestBooleanSource(t *testing.T) {
	r, err := rule.Parse([]byte("name: x\nsource: true\n"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Source != "true" {
		t.Errorf("got %q", r.Source)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("name: x\nsource: |\n  type.inbound\n")
	f.Add("name: &a x\nsource: *a\nauthors: [{a: b}, *a]\n")
	f.Add("source: \"\\n\\n\"\nname: ''\n")
	f.Add("name: x\nsource: |+2\n\r   a\n\u2028 b\n")
	f.Fuzz(func(t *testing.T, file string) {
		r, err := rule.Parse([]byte(file))
		if err != nil {
			if e, ok := errors.AsType[*rule.Error](err); !ok || e.Line < 1 || e.Column < 1 {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		for i := range len(r.Source) + 1 {
			if i > 100 {
				break
			}
			if p := r.Position(i); p.Line < 1 || p.Column < 1 {
				t.Fatalf("%d is at %v", i, p)
			}
		}
	})
}
