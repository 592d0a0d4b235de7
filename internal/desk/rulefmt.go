package desk

import (
	"bytes"
	"cmp"
	"errors"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/rule"
	"github.com/sekisho/sekisho/mql/syntax"
)

// RulesFormatSchema names the shape of a [RulesFormat] in JSON.
const RulesFormatSchema = "sekisho.rules-fmt/v1"

// RulesFormat says what formatting rules changes.
type RulesFormat struct {
	Schema   string        `json:"schema"`
	Rules    int           `json:"rules"`
	Changed  []string      `json:"changed"` // files that are not as the formatter writes them
	Written  bool          `json:"written"` // they were replaced
	Problems []RuleProblem `json:"problems"`
	Unread   []Failure     `json:"unread"`
}

// FormatRule writes the source of a rule file in the form of the published
// rules. Everything else in the file stays as it is, byte for byte. The problems
// say why a file is returned as it came: it is no rule, the source has mistakes,
// or it cannot be written in another form without changing what it or the rest
// of the file says.
func FormatRule(file string, data []byte, words *lang.Catalogue) ([]byte, []RuleProblem) {
	words = cmp.Or(words, lang.Default())
	problem := func(line, column, length int, m, hint lang.Message) RuleProblem {
		return RuleProblem{
			Level: syntax.Error, File: file, Line: line, Column: column, Length: max(1, length),
			Text: words.Render(m), Hint: words.Render(hint), Source: strings.ToValidUTF8(lineOf(string(data), line), "\uFFFD"),
		}
	}
	r, err := rule.Parse(data)
	if err != nil {
		e, ok := errors.AsType[*rule.Error](err)
		if !ok {
			e = &rule.Error{Line: 1, Column: 1, Message: lang.Literal(err.Error())}
		}
		return data, []RuleProblem{problem(e.Line, e.Column, 1, lang.M("cli.rules.fmt.no-rule", "path", file, "why", e.Message), lang.Message{})}
	}
	tree := syntax.Parse(r.Source)
	if !tree.OK() {
		d := tree.Diagnostics[0]
		from, to := r.Position(d.Span.Start), r.Position(d.Span.End)
		length := 1
		if from.Line == to.Line {
			length = to.Column - from.Column
		}
		return data, []RuleProblem{problem(from.Line, from.Column, length, lang.M("cli.rules.fmt.broken", "why", d.Message), d.Hint)}
	}
	formatted := syntax.Format(tree)
	if strings.TrimRight(formatted, "\n") == strings.TrimRight(r.Source, "\n") {
		return data, nil
	}
	out, ok := replaceSource(data, formatted)
	if !ok || !sameRule(data, out) {
		at := r.Position(0)
		return data, []RuleProblem{problem(at.Line, at.Column, 1, lang.M("cli.rules.fmt.unsafe"), lang.Message{})}
	}
	return out, nil
}

// sourceNode returns the scalar of the key "source" of a rule file, and the
// mapping that it stands in.
func sourceNode(data []byte) (source, mapping *yaml.Node) {
	var doc yaml.Node
	if yaml.NewDecoder(bytes.NewReader(data)).Decode(&doc) != nil || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, nil
	}
	m := doc.Content[0]
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == "source" && m.Content[i+1].Kind == yaml.ScalarNode {
			return m.Content[i+1], m
		}
	}
	return nil, nil
}

// replaceSource puts text in the place of the source, as a literal block (YAML
// 1.2 section 8.1.2). ok is false for a source of a form that it cannot find the
// end of.
func replaceSource(data []byte, text string) (out []byte, ok bool) {
	node, mapping := sourceNode(data)
	if node == nil || mapping.Style&yaml.FlowStyle != 0 {
		return nil, false
	}
	lines := slices.Collect(strings.Lines(string(data)))
	if node.Line < 1 || node.Line > len(lines) {
		return nil, false
	}
	head := lines[node.Line-1]
	ending := head[len(strings.TrimRight(head, "\r\n")):]
	if ending == "" {
		ending = "\n" // the source is the last line of the file
	}
	before := []rune(strings.TrimRight(head, "\r\n"))
	if node.Column < 1 || node.Column > len(before)+1 {
		return nil, false
	}
	first, rest := string(before[:node.Column-1]), string(before[node.Column-1:])

	indent, end := mapping.Column+1, node.Line // two columns further than the key
	header := "|"
	switch {
	case node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		// The node of a block begins at its header.
		header = "|" + rest[1:]
		if indicators, _, _ := strings.Cut(rest, " "); strings.ContainsAny(indicators, "0123456789") {
			return nil, false // says itself how far it is indented
		}
		in, to := block(lines, node.Line)
		if in == 0 {
			return nil, false
		}
		indent, end = in, to
	case node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0:
		after, found := strings.CutPrefix(rest, node.Value)
		if comment := strings.TrimSpace(after); !found || comment != "" && !strings.HasPrefix(comment, "#") {
			return nil, false
		}
		header += strings.TrimRight(after, " \t")
	default:
		after, at, found := afterQuoted(lines, node.Line-1, rest)
		if comment := strings.TrimSpace(after); !found || comment != "" && !strings.HasPrefix(comment, "#") {
			return nil, false
		}
		header += strings.TrimRight(after, " \t")
		end = at + 1
	}
	var b strings.Builder
	for _, l := range lines[:node.Line-1] {
		b.WriteString(l)
	}
	b.WriteString(first + header + ending)
	for l := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		if l != "" {
			b.WriteString(strings.Repeat(" ", indent) + l)
		}
		b.WriteString(ending)
	}
	for _, l := range lines[end:] {
		b.WriteString(l)
	}
	return []byte(b.String()), true
}

// block returns how far the lines of a block after line number head are
// indented, and the number of its last line with text. Empty lines after it stay
// where they are.
func block(lines []string, head int) (indent, end int) {
	end = head
	for i := head; i < len(lines); i++ {
		l := strings.TrimRight(lines[i], "\r\n")
		if strings.TrimLeft(l, " ") == "" {
			continue
		}
		n := len(l) - len(strings.TrimLeft(l, " "))
		if indent == 0 {
			indent = n
		}
		if n < indent || n == 0 {
			break
		}
		end = i + 1
	}
	return indent, end
}

// afterQuoted returns what stands behind a quoted scalar, on the line at which
// it ends. rest is the line at place from, from the quote on.
func afterQuoted(lines []string, from int, rest string) (after string, at int, ok bool) {
	quote := rest[0]
	s, i := rest, 1
	for at = from; ; {
		for i < len(s) {
			switch {
			case s[i] == '\\' && quote == '"':
				i++
			case s[i] == quote && quote == '\'' && i+1 < len(s) && s[i+1] == '\'':
				i++
			case s[i] == quote:
				return s[i+1:], at, true
			}
			i++
		}
		if at++; at == len(lines) {
			return "", 0, false
		}
		s, i = strings.TrimRight(lines[at], "\r\n"), 0
	}
}

// sameRule reports whether two rule files say the same: their conditions have
// the same tree, and all other keys the same values.
func sameRule(a, b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	x, inA := sourceNode(a)
	y, inB := sourceNode(b)
	if x == nil || y == nil {
		return false
	}
	before, after := syntax.Parse(x.Value), syntax.Parse(y.Value)
	if !before.OK() || !after.OK() || !sameTree(reflect.ValueOf(before.Root), reflect.ValueOf(after.Root)) {
		return false
	}
	x.Value, y.Value = "", ""
	x.Style, y.Style = 0, 0
	x.Tag, y.Tag = "", ""
	x.LineComment, y.LineComment, x.FootComment, y.FootComment = "", "", "", ""
	return sameNode(inA, inB)
}

// sameNode compares all of two YAML nodes but where they stand.
func sameNode(a, b *yaml.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind || a.Tag != b.Tag || a.Value != b.Value || a.Anchor != b.Anchor || a.Style != b.Style || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !sameNode(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true // an alias has the name of its anchor as its value
}

// sameTree compares expressions without their places.
func sameTree(a, b reflect.Value) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case reflect.Interface, reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return a.Elem().Type() == b.Elem().Type() && sameTree(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !sameTree(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i, f := range slices.Collect(a.Type().Fields()) {
			if f.Type == reflect.TypeFor[syntax.Base]() || f.Type == reflect.TypeFor[syntax.Span]() {
				continue
			}
			if !sameTree(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	default:
		return a.Equal(b)
	}
}
