// Package rule reads the YAML files in which rules of the Message Query
// Language are published: https://docs.sublime.security/docs/rules. The
// condition itself, the key "source", is text of package mql/syntax; this
// package knows where in the file each byte of it stands, so that a mistake is
// shown in the file that a user edits.
package rule

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/check"
	"github.com/sekisho/sekisho/mql/syntax"
)

// MaxSize is the largest file that is read, in bytes.
const MaxSize = 2 << 20

// Type says what a rule is for.
type Type string

// The types of rules.
const (
	Detection  Type = "rule"        // a mail that matches is suspicious
	DLP        Type = "dlp"         // a mail that goes out and holds what should stay
	Query      Type = "query"       // evidence for an analyst: any value
	Exclusion  Type = "exclusion"   // a mail that matches is a simulation
	Automation Type = "triage_rule" // asks about a case, and not about a mail alone
)

// Rule is a rule file.
type Rule struct {
	ID               string // of the author's; may be empty
	Name             string
	Type             Type
	Severity         finding.Severity
	Description      string
	Source           string // the condition
	Authors          []string
	References       []string
	Tags             []string
	AttackTypes      []string
	Tactics          []string
	DetectionMethods []string
	FalsePositives   []string
	Inactive         bool // says "active: false"

	lines []string // of the file
	at    *yaml.Node
}

// Error is a file that is no rule, with the place of the mistake. Line and
// Column count from 1; a column is a Unicode code point.
type Error struct {
	Line    int
	Column  int
	Message lang.Message
}

// Error implements error in English.
func (e *Error) Error() string {
	return fmt.Sprintf("rule: %d:%d: %s", e.Line, e.Column, lang.Default().Say(lang.EN, e.Message))
}

// Parse reads a file. The error is an [*Error].
func Parse(data []byte) (*Rule, error) {
	if len(data) > MaxSize {
		return nil, &Error{1, 1, lang.M("mql.rule.size", "max", MaxSize)}
	}
	var doc yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(data)).Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &Error{1, 1, lang.M("mql.rule.empty")}
		}
		return nil, yamlError(err)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, &Error{max(doc.Line, 1), max(doc.Column, 1), lang.M("mql.rule.mapping")}
	}
	return fromMapping(doc.Content[0], data)
}

// yamlError takes the line out of the words of the YAML library, which has no
// other place for it.
func yamlError(err error) *Error {
	why := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if rest, ok := strings.CutPrefix(why, "line "); ok {
		if number, text, ok := strings.Cut(rest, ": "); ok {
			if n, err := strconv.Atoi(number); err == nil {
				line, why = max(n, 1), text
			}
		}
	}
	return &Error{line, 1, lang.M("mql.rule.yaml", "why", why)}
}

func fromMapping(m *yaml.Node, data []byte) (*Rule, error) {
	r := &Rule{Type: Detection}
	seen := map[string]bool{}
	for i := 0; i+1 < len(m.Content); i += 2 {
		key, value := m.Content[i], m.Content[i+1]
		if seen[key.Value] {
			return nil, &Error{key.Line, key.Column, lang.M("mql.rule.twice", "key", key.Value)}
		}
		seen[key.Value] = true
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		if err := r.set(key.Value, value); err != nil {
			return nil, err
		}
	}
	for _, key := range []string{"name", "source"} {
		if !seen[key] {
			return nil, &Error{m.Line, m.Column, lang.M("mql.rule.missing", "key", key)}
		}
	}
	r.lines = strings.Split(string(data), "\n")
	return r, nil
}

func (r *Rule) set(key string, value *yaml.Node) error {
	switch key {
	case "id":
		return text(key, value, &r.ID)
	case "name":
		return text(key, value, &r.Name)
	case "description":
		return text(key, value, &r.Description)
	case "source":
		r.at = value
		return text(key, value, &r.Source)
	case "type":
		var s string
		if err := text(key, value, &s); err != nil {
			return err
		}
		switch t := Type(s); t {
		case Detection, DLP, Query, Exclusion, Automation:
			r.Type = t
		default:
			return &Error{value.Line, value.Column, lang.M("mql.rule.type", "type", s)}
		}
	case "severity":
		var s string
		if err := text(key, value, &s); err != nil {
			return err
		}
		severity, err := finding.ParseSeverity(s)
		if err != nil {
			return &Error{value.Line, value.Column, lang.M("mql.rule.severity", "severity", s)}
		}
		r.Severity = severity
	case "active":
		r.Inactive = value.Value == "false"
	case "authors":
		r.Authors = texts(value)
	case "references":
		r.References = texts(value)
	case "tags":
		r.Tags = texts(value)
	case "attack_types":
		r.AttackTypes = texts(value)
	case "tactics_and_techniques":
		r.Tactics = texts(value)
	case "detection_methods":
		r.DetectionMethods = texts(value)
	case "false_positives":
		r.FalsePositives = texts(value)
	}
	return nil
}

// text reads a scalar as it is written: "source: true" is a boolean of YAML
// and a condition of MQL.
func text(key string, n *yaml.Node, out *string) error {
	if n.Kind != yaml.ScalarNode {
		return &Error{n.Line, n.Column, lang.M("mql.rule.text", "key", key)}
	}
	*out = n.Value
	return nil
}

// texts reads a list of scalars, or one. An author may also be a mapping of
// names: its values are taken.
func texts(n *yaml.Node) []string {
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Value == "" {
			return nil
		}
		return []string{n.Value}
	case yaml.SequenceNode:
		var list []string
		for _, c := range n.Content {
			switch c.Kind {
			case yaml.ScalarNode:
				list = append(list, c.Value)
			case yaml.MappingNode:
				for i := 1; i < len(c.Content); i += 2 {
					if c.Content[i].Kind == yaml.ScalarNode {
						list = append(list, c.Content[i].Value)
					}
				}
			default:
			}
		}
		return list
	default:
		return nil
	}
}

// Want returns what the source must come to.
func (r *Rule) Want() check.Want {
	if r.Type == Query {
		return check.WantAny
	}
	return check.WantBool
}

// Check parses and checks the source.
func (r *Rule) Check(c *check.Checker) *check.Program {
	return c.Check(syntax.Parse(r.Source), r.Want())
}

// Line returns a line of the file, counted from 1, without its end, to show
// with a mistake. It is "" for a line that the file does not have.
func (r *Rule) Line(n int) string {
	if n < 1 || n > len(r.lines) {
		return ""
	}
	return strings.TrimSuffix(r.lines[n-1], "\r")
}

// Position returns where in the file a byte of the source stands. For a
// source that YAML folds or escapes it is where the source begins.
func (r *Rule) Position(offset int) syntax.Position {
	offset = min(max(offset, 0), len(r.Source))
	before := r.Source[:offset]
	line := strings.Count(before, "\n")
	in := before[strings.LastIndexByte(before, '\n')+1:]
	start := syntax.Position{Line: r.at.Line, Column: r.at.Column}
	if r.at.Style&yaml.LiteralStyle != 0 {
		indent, ok := r.indent()
		if !ok {
			return start
		}
		return syntax.Position{Line: r.at.Line + 1 + line, Column: indent + utf8.RuneCountInString(in) + 1}
	}
	first := []rune(r.Line(r.at.Line))
	column := r.at.Column
	if r.at.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		column++
	}
	if line > 0 || column > len(first)+1 || !strings.HasPrefix(string(first[column-1:]), r.Source) {
		return start
	}
	return syntax.Position{Line: r.at.Line, Column: column + utf8.RuneCountInString(in)}
}

// indent returns how far the lines of a literal block are indented.
func (r *Rule) indent() (int, bool) {
	n := r.at.Line + 1
	for l := range strings.Lines(r.Source) {
		value := strings.TrimRight(l, "\r\n")
		if strings.TrimSpace(value) != "" {
			raw := r.Line(n)
			if !strings.HasSuffix(raw, value) {
				return 0, false
			}
			return len(raw) - len(value), true
		}
		n++
	}
	return 0, false
}
