package config

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// maxProblems is where reading a mapping or list stops: only the first mistake
// is told.
const maxProblems = 20

// loader fills a Config from one source after the other and gathers what is
// wrong with each.
type loader struct {
	config   *Config
	settings []setting
	problems []problem
}

// problem is a mistake and where it stands, for sorting.
type problem struct {
	line, column int
	err          *desk.Error
}

// reader is what one source is read with.
type reader struct {
	loader *loader
	origin string // the file, the variable or the flag
	file   bool   // whether line and column mean something to the user
	dir    string // folder of relative paths
}

// finish returns the first mistake of the earliest source.
func (l *loader) finish() error {
	if len(l.problems) == 0 {
		l.finishReport()
	}
	if len(l.problems) == 0 {
		return nil
	}
	return l.problems[0].err
}

// finishReport checks what two settings say together.
func (l *loader) finishReport() {
	r, set := l.config.Facts.Report.Get()
	if !set {
		return
	}
	at := cmp.Or(l.config.Source("organisation.report.how"), l.config.Source("organisation.report.to"))
	switch {
	case r.How == "":
		l.invalid(0, 0, lang.M("config.lacks", "at", at, "key", "organisation.report", "field", "how"), lang.M("config.hint.choices", "names", []string{reportForward, reportButton}))
	case r.How == reportForward && r.To == "":
		l.invalid(0, 0, lang.M("config.lacks", "at", at, "key", "organisation.report", "field", "to"), lang.M("config.hint.report-to"))
	}
}

func (l *loader) invalid(line, column int, message, hint lang.Message) {
	l.problems = append(l.problems, problem{line, column, &desk.Error{Kind: desk.Invalid, Message: message, Hint: hint}})
}

// readFile reads the YAML of a configuration file.
func (l *loader) readFile(name string, raw []byte) {
	r := &reader{loader: l, origin: name, file: true, dir: filepath.Dir(name)}
	doc, ok := r.parse(raw)
	if !ok || doc == nil {
		return
	}
	r.section("", doc)
	slices.SortStableFunc(l.problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
}

// parse returns the content of the only document, nil for an empty one.
func (r *reader) parse(raw []byte) (*yaml.Node, bool) {
	if !utf8.Valid(raw) && !bytes.HasPrefix(raw, []byte("\xff\xfe")) && !bytes.HasPrefix(raw, []byte("\xfe\xff")) {
		r.fail(&yaml.Node{Line: invalidLine(raw), Column: 1}, lang.M("config.not-utf8", "at", r.origin+":"+strconv.Itoa(invalidLine(raw))), lang.M("config.hint.utf8"))
		return nil, false
	}
	d := yaml.NewDecoder(bytes.NewReader(raw))
	var doc yaml.Node
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, true
		}
		r.syntax(raw, err)
		return nil, false
	}
	var next yaml.Node
	switch err := d.Decode(&next); {
	case errors.Is(err, io.EOF):
	case err != nil:
		r.syntax(raw, err)
		return nil, false
	default:
		r.fail(&next, lang.M("config.two-documents", "at", r.at(&next)), lang.Message{})
		return nil, false
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, true
	}
	return doc.Content[0], true
}

// syntax reports what the YAML parser said. Its errors are texts such as
// "yaml: line 3: did not find expected key".
func (r *reader) syntax(raw []byte, err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	at, line := r.origin, 0
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		number, what, _ := strings.Cut(rest, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			line, text = n, what
			if r.file {
				at += ":" + number
			}
		}
	}
	hint := lang.M("config.hint.syntax")
	if hasTabIndent(raw) {
		hint = lang.M("config.hint.tab")
	}
	r.fail(&yaml.Node{Line: line}, lang.M("config.syntax", "at", at, "problem", text), hint)
}

// hasTabIndent reports whether a line starts with a tab after spaces, which
// YAML forbids.
func hasTabIndent(raw []byte) bool {
	for line := range bytes.Lines(raw) {
		if t := bytes.TrimLeft(line, " "); len(t) > 0 && t[0] == '\t' && len(bytes.TrimSpace(t)) > 0 {
			return true
		}
	}
	return false
}

func invalidLine(raw []byte) int {
	n := 0
	for line := range bytes.Lines(raw) {
		n++
		if !utf8.Valid(line) {
			return n
		}
	}
	return n
}

// section reads the mapping n, whose keys stand below the section of that name
// ("" for the top).
func (r *reader) section(name string, n *yaml.Node) {
	r.fields(name, n, func(key string, k, v *yaml.Node) {
		full := joinKey(name, key)
		if i := slices.IndexFunc(r.loader.settings, func(s setting) bool { return s.key == full }); i >= 0 {
			r.set(r.loader.settings[i], v)
			return
		}
		if r.isSection(full) {
			r.section(full, v)
			return
		}
		r.fail(k, lang.M("config.unknown", "at", r.at(k), "key", show(full)), r.suggest(name, key))
	})
}

// set reads a value, unless it is null: a key without a value is not
// configured.
func (r *reader) set(s setting, n *yaml.Node) {
	if isNull(n) {
		return
	}
	r.loader.config.sources[s.key] = r.at(n)
	r.loader.config.written[s.key] = inOneLine(n)
	s.read(value{r, n, s.key}, r.loader.config)
}

// inOneLine writes a value in the flow style of YAML, without comments.
func inOneLine(n *yaml.Node) string {
	b, err := yaml.Marshal(flow(n, 0))
	if err != nil {
		return "" // what cannot be written is an error of the value too
	}
	s := strings.TrimSuffix(string(b), "\n")
	if len(s) > maxWritten {
		s = strings.ToValidUTF8(s[:maxWritten], "") + "…"
	}
	return strings.ReplaceAll(s, "\n", " ")
}

// flow copies a node without comments, in flow style. What is nested deeper than
// any setting is left out.
func flow(n *yaml.Node, depth int) *yaml.Node {
	const deepest = 8
	out := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value, Style: n.Style&^(yaml.LiteralStyle|yaml.FoldedStyle) | yaml.FlowStyle}
	if n.Kind == yaml.AliasNode || depth > deepest {
		return &yaml.Node{Kind: yaml.ScalarNode, Value: "…"}
	}
	for _, c := range n.Content {
		out.Content = append(out.Content, flow(c, depth+1))
	}
	return out
}

func (r *reader) isSection(name string) bool {
	return slices.ContainsFunc(r.loader.settings, func(s setting) bool { return strings.HasPrefix(s.key, name+".") })
}

// fields calls each for every key of the mapping n. The section or setting name
// is for errors.
func (r *reader) fields(name string, n *yaml.Node, each func(key string, k, v *yaml.Node)) {
	if isNull(n) {
		return
	}
	if !r.is(n, yaml.MappingNode, name, wantMapping) {
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content) && len(r.loader.problems) < maxProblems; i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode {
			r.fail(k, lang.M("config.key-no-text", "at", r.at(k)), lang.M("config.hint.syntax"))
			return
		}
		if first, dup := seen[k.Value]; dup {
			r.fail(k, lang.M("config.twice", "at", r.at(k), "key", show(joinKey(name, k.Value)), "line", first), lang.M("config.hint.twice"))
			continue
		}
		seen[k.Value] = k.Line
		each(k.Value, k, v)
	}
}

// is reports whether n is of that kind, and says so if it is not.
func (r *reader) is(n *yaml.Node, kind yaml.Kind, key, want string) bool {
	if n.Kind == kind {
		return true
	}
	if n.Kind == yaml.AliasNode {
		r.fail(n, lang.M("config.alias", "at", r.at(n), "key", show("*"+n.Value)), lang.M("config.hint.alias"))
		return false
	}
	if key == "" {
		r.fail(n, lang.M("config.no-settings", "at", r.at(n)), lang.M("config.hint.init"))
		return false
	}
	r.wrongType(n, key, want, lang.Message{})
	return false
}

// The keys of what a value should have been.
const (
	wantText    = "config.want.text"
	wantList    = "config.want.list"
	wantEntries = "config.want.entries"
	wantMapping = "config.want.mapping"
)

func (r *reader) wrongType(n *yaml.Node, key, want string, hint lang.Message) {
	r.fail(n, lang.M("config.wrong-type", "at", r.at(n), "key", show(key), "want", lang.M(want)), hint)
}

func (r *reader) fail(n *yaml.Node, message, hint lang.Message) {
	r.loader.invalid(n.Line, n.Column, message, hint)
}

// at says where n stands.
func (r *reader) at(n *yaml.Node) string {
	if !r.file {
		return r.origin
	}
	return r.origin + ":" + strconv.Itoa(n.Line) + ":" + strconv.Itoa(n.Column)
}

// suggest finds the key that the user may have meant in place of key in the
// section: one that is spelled alike, or one that stands elsewhere.
func (r *reader) suggest(section, key string) lang.Message {
	var here []string
	for _, s := range r.loader.settings {
		if rest, ok := strings.CutPrefix(s.key, joinKey(section, "")); ok {
			child, _, _ := strings.Cut(rest, ".")
			if !slices.Contains(here, child) {
				here = append(here, child)
			}
		}
	}
	if name, ok := nearest(key, here); ok {
		return lang.M("config.hint.did-you-mean", "name", name)
	}
	if name := r.elsewhere(key); name != "" {
		return lang.M("config.hint.elsewhere", "name", name)
	}
	return lang.M("config.hint.keys", "names", here)
}

// elsewhere returns the setting or section nearest to the top whose last word
// is key.
func (r *reader) elsewhere(key string) string {
	best := ""
	for _, s := range r.loader.settings {
		name := ""
		for word := range strings.SplitSeq(s.key, ".") {
			name = joinKey(name, word)
			if word == key && (best == "" || strings.Count(name, ".") < strings.Count(best, ".")) {
				best = name
			}
		}
	}
	return best
}

func joinKey(section, key string) string {
	if section == "" {
		return key
	}
	return section + "." + key
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// lookupEnv returns the last value of name, as shells have it.
func lookupEnv(environ []string, name string) (string, bool) {
	for _, e := range slices.Backward(environ) {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v, true
		}
	}
	return "", false
}

// readEnviron reads the variables that are settings. An empty variable is as
// good as none. A variable that is nearly a setting is an error; others that
// start with SEKISHO_ are not ours: Kubernetes makes some for a service of that
// name.
func (l *loader) readEnviron(dir string, environ []string) {
	names := make([]string, len(l.settings))
	for i, s := range l.settings {
		names[i] = envName(s.key)
		if v, _ := lookupEnv(environ, names[i]); v != "" {
			l.readText(&reader{loader: l, origin: names[i], dir: dir}, s, v)
		}
	}
	for _, e := range environ {
		name, v, _ := strings.Cut(e, "=")
		if v == "" || !strings.HasPrefix(name, envPrefix) || name == envConfig || name == DefaultTokenEnv || slices.Contains(names, name) {
			continue
		}
		if like, ok := nearest(name, names); ok {
			l.invalid(0, 0, lang.M("config.unknown", "at", show(name), "key", show(name)), lang.M("config.hint.did-you-mean", "name", like))
		}
	}
}

func (l *loader) readOverride(dir string, o Override) {
	i := slices.IndexFunc(l.settings, func(s setting) bool { return s.key == o.Key })
	if i < 0 {
		l.invalid(0, 0, lang.M("config.unknown", "at", o.From, "key", show(o.Key)), lang.Message{})
		return
	}
	l.readText(&reader{loader: l, origin: o.From, dir: dir}, l.settings[i], o.Value)
}

// readText reads a setting outside of a file: a value as it is, a list by
// commas, a structure as YAML. A list that starts with a bracket is YAML as
// well, which is how an empty one is written.
func (l *loader) readText(r *reader, s setting, text string) {
	if s.form == Structure || s.form == Many && strings.HasPrefix(strings.TrimSpace(text), "[") {
		if n, ok := r.parse([]byte(text)); ok && n != nil {
			r.set(s, n)
		}
		return
	}
	if !utf8.ValidString(text) {
		r.fail(&yaml.Node{}, lang.M("config.not-utf8", "at", r.origin), lang.M("config.hint.utf8"))
		return
	}
	n := textNode(text)
	if s.form == Many {
		n = &yaml.Node{Kind: yaml.SequenceNode}
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				n.Content = append(n.Content, textNode(part))
			}
		}
	}
	r.set(s, n)
}

func textNode(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
}
