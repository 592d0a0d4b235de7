package config

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sekisho/sekisho/internal/atomicfile"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// Answers is what a new user told about the organisation. Empty fields stay
// not configured.
type Answers struct {
	Name     string
	Domains  []string
	TenantID string
	MX       []string
	Country  string
	ITMail   string        // whom staff ask and send reports to
	Language lang.Language // of the program; "" is as the system says
}

// Template writes sekisho.yaml with the answers, and every other setting as a
// comment with an example, explained in language l. What it returns always
// loads. An answer that cannot be a setting is a [*desk.Error] of kind Invalid.
func Template(a Answers, l lang.Language) ([]byte, error) {
	given := a.nodes()
	w := &templateWriter{language: l}
	w.comment("", lang.M("config.doc.file"))
	w.comment("", lang.M("config.doc.file.comments"))
	w.comment("", lang.M("config.doc.file.environment"))
	for _, s := range settings() {
		if err := w.setting(s, given[s.key]); err != nil {
			return nil, &desk.Error{Kind: desk.Internal, Message: lang.M("config.template"), Err: err}
		}
	}
	if err := check(w.Bytes()); err != nil {
		return nil, err
	}
	return w.Bytes(), nil
}

// check reads the template as Load would.
func check(b []byte) error {
	l := &loader{config: newConfig(), settings: settings()}
	l.readFile(FileName, b)
	return l.finish()
}

// nodes returns the answers by key.
func (a Answers) nodes() map[string]*yaml.Node {
	m := map[string]*yaml.Node{}
	one := func(key, s string) {
		if s = strings.TrimSpace(s); s != "" {
			m[key] = quoted(s)
		}
	}
	many := func(key string, all []string) {
		if len(all) == 0 {
			return
		}
		n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, s := range all {
			n.Content = append(n.Content, quoted(strings.TrimSpace(s)))
		}
		m[key] = n
	}
	one("organisation.name", a.Name)
	many("organisation.domains", a.Domains)
	one("organisation.tenant_id", a.TenantID)
	many("organisation.mail.mx", a.MX)
	one("organisation.country", a.Country)
	one("organisation.contacts.it.mail", a.ITMail)
	if strings.TrimSpace(a.ITMail) != "" {
		m["organisation.report.how"] = quoted(reportForward)
		one("organisation.report.to", a.ITMail)
	}
	one("language", string(a.Language))
	return m
}

// quoted returns a text that YAML reads as text whatever it looks like.
func quoted(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if strings.ContainsAny(s, "\r\n") {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// templateWriter writes settings and opens the sections they stand in.
type templateWriter struct {
	bytes.Buffer
	language lang.Language
	section  []string
}

func (w *templateWriter) comment(indent string, m lang.Message) {
	w.WriteString(indent + "# " + lang.Default().Say(w.language, m) + "\n")
}

// setting writes one setting. Prose has a space after its "#", a setting that
// is switched off has none.
func (w *templateWriter) setting(s setting, n *yaml.Node) error {
	path := strings.Split(s.key, ".")
	sections, name := path[:len(path)-1], path[len(path)-1]
	for i := range sections {
		if i < len(w.section) && w.section[i] == sections[i] {
			continue
		}
		indent := strings.Repeat("  ", i)
		if i == 0 {
			w.WriteByte('\n')
		}
		w.comment(indent, doc(strings.Join(sections[:i+1], ".")))
		w.WriteString(indent + sections[i] + ":\n")
		w.section = append([]string{}, sections[:i+1]...)
	}
	if len(sections) == 0 {
		w.WriteByte('\n')
	}
	w.section = sections
	indent := strings.Repeat("  ", len(sections))
	w.comment(indent, doc(s.key))
	if n == nil {
		w.WriteString(indent + "#" + name + ": " + exampleIn(w.language, s) + "\n")
		return nil
	}
	b, err := yaml.Marshal(&yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: name}, n}})
	if err != nil {
		return err
	}
	w.WriteString(indent)
	w.Write(b)
	return nil
}

// Write puts the template into the file name, readable by its owner only. A
// file that is there stays as it is, and the error is of kind Conflict, unless
// force is set. The file appears whole or not at all.
func Write(name string, a Answers, l lang.Language, force bool) error {
	b, err := Template(a, l)
	if err != nil {
		return err
	}
	if !force {
		// An empty file, which is a valid configuration, keeps the name until
		// the content is ready.
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			return writeError(name, err)
		}
	}
	if err := atomicfile.Replace(name, b); err != nil {
		if !force {
			_ = os.Remove(name)
		}
		return writeError(name, err)
	}
	return nil
}

func writeError(name string, err error) *desk.Error {
	switch {
	case errors.Is(err, fs.ErrExist):
		return &desk.Error{Kind: desk.Conflict, Message: lang.M("config.exists", "file", name), Hint: lang.M("config.hint.force"), Err: err}
	case errors.Is(err, fs.ErrPermission):
		return &desk.Error{Kind: desk.Denied, Message: lang.M("config.no-write", "file", name), Hint: lang.M("config.hint.permission"), Err: err}
	case errors.Is(err, fs.ErrNotExist):
		return &desk.Error{Kind: desk.NotFound, Message: lang.M("config.no-folder", "file", name), Hint: lang.M("config.hint.folder"), Err: err}
	default:
		return &desk.Error{Kind: desk.Unavailable, Message: lang.M("config.no-write", "file", name), Hint: lang.M("config.hint.disk"), Err: err}
	}
}
