package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// ExceptionsName is the file of exceptions in the data directory.
const ExceptionsName = "exceptions.yaml"

const (
	maxExceptionsFile = 4 << 20 // bytes
	maxExceptions     = 5_000
)

const exceptionsHeader = `# Exceptions of sekisho: known mail whose findings are set aside.
# Written by "sekisho allow add" and "sekisho allow remove"; comments are not kept.
`

var _ desk.ExceptionStore = (*Store)(nil)

// exceptionFields are the keys of an entry in the order in which they are
// written, with how each is read.
var exceptionFields = []struct {
	name string
	get  func(*desk.Exception) string
	set  func(*desk.Exception, string) error
}{
	{"id", func(e *desk.Exception) string { return e.ID }, func(e *desk.Exception, s string) error { e.ID = s; return nil }},
	{"from", func(e *desk.Exception) string { return e.From }, func(e *desk.Exception, s string) error { e.From = s; return nil }},
	{"ip", getIP, setIP},
	{"dkim", func(e *desk.Exception) string { return e.DKIM }, func(e *desk.Exception, s string) error { e.DKIM = s; return nil }},
	{"kind", func(e *desk.Exception) string { return string(e.Kind) }, func(e *desk.Exception, s string) error { e.Kind = finding.Kind(s); return nil }},
	{"owner", func(e *desk.Exception) string { return e.Owner }, func(e *desk.Exception, s string) error { e.Owner = s; return nil }},
	{"reason", func(e *desk.Exception) string { return e.Reason }, func(e *desk.Exception, s string) error { e.Reason = s; return nil }},
	{"created", func(e *desk.Exception) string { return writeTime(e.Created) }, func(e *desk.Exception, s string) error { return readTime(&e.Created, s) }},
	{"expires", func(e *desk.Exception) string { return writeTime(e.Expires) }, func(e *desk.Exception, s string) error { return readTime(&e.Expires, s) }},
}

func getIP(e *desk.Exception) string {
	if !e.IP.IsValid() {
		return ""
	}
	return e.IP.String()
}

func setIP(e *desk.Exception, s string) error {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		e.IP = netip.PrefixFrom(a, a.BitLen())
		return nil
	}
	p, err := netip.ParsePrefix(s)
	e.IP = p
	return err
}

func writeTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// readTime also reads a date alone, as people write it: the start of that day
// in UTC.
func readTime(t *time.Time, s string) (err error) {
	if *t, err = time.Parse(time.RFC3339, s); err != nil {
		*t, err = time.Parse(time.DateOnly, s)
	}
	*t = t.UTC()
	return err
}

// List implements [desk.ExceptionStore]. A file that is damaged is an error of
// kind Invalid with the line: with half of the exceptions nobody would know why
// a mail is judged as it is.
func (s *Store) List(context.Context) ([]desk.Exception, error) {
	b, err := s.read(ExceptionsName, maxExceptionsFile)
	if err != nil {
		return nil, err
	}
	return parseExceptions(filepath.Join(s.dir, ExceptionsName), b)
}

// Add implements [desk.ExceptionStore]. It waits for other writers for some
// seconds; after that the error is of kind Unavailable.
func (s *Store) Add(ctx context.Context, e desk.Exception) error {
	if err := e.Validate(); err != nil {
		return err
	}
	return s.changeExceptions(ctx, func(all []desk.Exception) ([]desk.Exception, error) {
		if slices.ContainsFunc(all, func(o desk.Exception) bool { return o.ID == e.ID }) {
			return nil, fmt.Errorf("adding %s: %w", e.ID, desk.ErrExceptionExists)
		}
		if len(all) >= maxExceptions {
			return nil, s.tooMany()
		}
		return append(all, e), nil
	})
}

// Remove implements [desk.ExceptionStore].
func (s *Store) Remove(ctx context.Context, id string) error {
	return s.changeExceptions(ctx, func(all []desk.Exception) ([]desk.Exception, error) {
		i := slices.IndexFunc(all, func(o desk.Exception) bool { return o.ID == id })
		if i < 0 {
			return nil, fmt.Errorf("removing %q: %w", id, desk.ErrNoException)
		}
		return slices.Delete(all, i, i+1), nil
	})
}

func (s *Store) changeExceptions(ctx context.Context, edit func([]desk.Exception) ([]desk.Exception, error)) error {
	return s.change(ctx, ExceptionsName, maxExceptionsFile, func(old []byte) ([]byte, error) {
		all, err := parseExceptions(filepath.Join(s.dir, ExceptionsName), old)
		if err != nil {
			return nil, err
		}
		if all, err = edit(all); err != nil {
			return nil, err
		}
		return formatExceptions(all)
	})
}

func (s *Store) tooMany() *desk.Error {
	return &desk.Error{Kind: desk.Limit, Message: lang.M("allow.file.too-many", "file", filepath.Join(s.dir, ExceptionsName), "max", maxExceptions), Hint: lang.M("allow.hint.prune")}
}

func formatExceptions(all []desk.Exception) ([]byte, error) {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, e := range all {
		entry := &yaml.Node{Kind: yaml.MappingNode}
		for _, f := range exceptionFields {
			if v := f.get(&e); v != "" {
				entry.Content = append(entry.Content, scalar(f.name), scalar(v))
			}
		}
		list.Content = append(list.Content, entry)
	}
	root := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{scalar("exceptions"), list}}
	var b bytes.Buffer
	b.WriteString(exceptionsHeader)
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		return nil, fmt.Errorf("writing exceptions: %w", err)
	}
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("writing exceptions: %w", err)
	}
	return b.Bytes(), nil
}

func scalar(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

// parseExceptions reads the file named name strictly: everything in it makes
// the verdict on a mail milder.
func parseExceptions(name string, b []byte) ([]desk.Exception, error) {
	p := &parser{name: name}
	var doc yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, p.syntax(err)
	}
	var more yaml.Node
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, p.syntax(err)
		}
		return nil, p.damaged(&more, lang.M("allow.problem.two-documents"))
	}
	root := doc.Content[0]
	var all []desk.Exception
	err := p.fields(root, func(key, v *yaml.Node) error {
		if key.Value != "exceptions" {
			return p.fail(lang.M("allow.file.unknown", "at", p.at(key), "field", strconv.Quote(key.Value)))
		}
		var err error
		all, err = p.list(v)
		return err
	})
	return all, err
}

// parser knows the file that is read.
type parser struct {
	name string
}

func (p *parser) list(n *yaml.Node) ([]desk.Exception, error) {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return nil, nil
	}
	if n.Kind != yaml.SequenceNode {
		return nil, p.damaged(n, lang.M("allow.problem.no-list"))
	}
	if len(n.Content) > maxExceptions {
		return nil, &desk.Error{Kind: desk.Limit, Message: lang.M("allow.file.too-many", "file", p.name, "max", maxExceptions), Hint: lang.M("allow.hint.prune")}
	}
	seen := make(map[string]bool, len(n.Content))
	all := make([]desk.Exception, 0, len(n.Content))
	for _, entry := range n.Content {
		e, err := p.exception(entry)
		if err != nil {
			return nil, err
		}
		if seen[e.ID] {
			return nil, p.fail(lang.M("allow.file.twice", "at", p.at(entry), "id", e.ID))
		}
		seen[e.ID] = true
		all = append(all, e)
	}
	return all, nil
}

func (p *parser) exception(n *yaml.Node) (desk.Exception, error) {
	var e desk.Exception
	err := p.fields(n, func(key, v *yaml.Node) error {
		for _, f := range exceptionFields {
			if f.name != key.Value {
				continue
			}
			// An empty condition would mean any mail to the one who left it
			// empty by mistake.
			if v.Kind != yaml.ScalarNode || v.ShortTag() == "!!null" || strings.TrimSpace(v.Value) == "" {
				return p.fail(lang.M("allow.file.value", "at", p.at(v), "field", f.name))
			}
			if err := f.set(&e, v.Value); err != nil {
				return p.fail(lang.M("allow.file.value", "at", p.at(v), "field", f.name))
			}
			return nil
		}
		return p.fail(lang.M("allow.file.unknown", "at", p.at(key), "field", strconv.Quote(key.Value)))
	})
	if err != nil {
		return e, err
	}
	if err := e.Validate(); err != nil {
		why, ok := errors.AsType[*desk.Error](err)
		if !ok {
			return e, err
		}
		hint := why.Hint
		if hint.IsZero() {
			hint = lang.M("allow.hint.file")
		}
		return e, &desk.Error{Kind: why.Kind, Message: lang.M("allow.file.invalid", "at", p.at(n), "why", why.Message), Hint: hint}
	}
	return e, nil
}

// fields calls each for the keys of a mapping.
func (p *parser) fields(n *yaml.Node, each func(key, v *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return p.damaged(n, lang.M("allow.problem.no-fields"))
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind != yaml.ScalarNode {
			return p.damaged(k, lang.M("allow.problem.no-name"))
		}
		if seen[k.Value] {
			return p.damaged(k, lang.M("allow.problem.field-twice"))
		}
		seen[k.Value] = true
		if err := each(k, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) at(n *yaml.Node) string { return p.name + ":" + strconv.Itoa(n.Line) }

func (p *parser) fail(m lang.Message) *desk.Error {
	return &desk.Error{Kind: desk.Invalid, Message: m, Hint: lang.M("allow.hint.file")}
}

func (p *parser) damaged(n *yaml.Node, problem lang.Message) *desk.Error {
	return p.fail(lang.M("allow.file.syntax", "at", p.at(n), "problem", problem))
}

// syntax reports what the YAML parser said. Its errors are texts such as
// "yaml: line 3: did not find expected key".
func (p *parser) syntax(err error) *desk.Error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	at := p.name
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if number, what, ok := strings.Cut(rest, ": "); ok {
			at, text = p.name+":"+number, what
		}
	}
	return p.fail(lang.M("allow.file.syntax", "at", at, "problem", text))
}
