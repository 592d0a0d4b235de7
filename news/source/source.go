// Package source knows where news comes from, and in what state each source is.
//
// The list that ships with the program is data beside this package: the
// address, the format that is expected there, the language, for which country
// an authority speaks, and what may be done with its texts. A user's own entries
// have the same fields. [State] says from the outcome of each pull whether a
// source can be relied on.
package source

import (
	"cmp"
	_ "embed" // the list
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/unicode/norm"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/feed"
)

// Class is what may be done with the texts of a source.
type Class string

// The classes.
const (
	Free   Class = "free"   // everything
	Credit Class = "credit" // everything, with the source named
	Quote  Class = "quote"  // short quotations with source and link
)

// MaxQuote is the longest run of characters that may be taken over from a
// source of class [Quote].
const MaxQuote = 120

// Reuse says what may be done with the texts of a source.
type Reuse struct {
	Class   Class  `yaml:"class"`
	Terms   string `yaml:"terms"`   // where the publisher says so
	Checked bool   `yaml:"checked"` // whether the terms were read by us
}

// Text is a name in both languages.
type Text struct {
	JA string `yaml:"ja"`
	EN string `yaml:"en"`
}

// Source is a place where news is published.
type Source struct {
	ID      string        `yaml:"id"`
	Name    Text          `yaml:"name"`
	URL     string        `yaml:"url"`
	Format  feed.Format   `yaml:"format"`
	Accept  string        `yaml:"accept"` // media type to ask for; empty for any
	Lang    lang.Language `yaml:"lang"`
	Origin  string        `yaml:"origin"` // ISO 3166-1 alpha-2
	Kind    news.Kind     `yaml:"kind"`
	On      bool          `yaml:"on"`
	Every   int           `yaml:"every"`  // hours
	Follow  int           `yaml:"follow"` // documents
	Reuse   Reuse         `yaml:"reuse"`
	Include []string      `yaml:"include"`
	Exclude []string      `yaml:"exclude"`
}

// Limits of a list.
const (
	maxList    = 1 << 20
	maxSources = 500
	maxFollow  = 100
)

//go:embed sources.yaml
var listed []byte

// Default returns the list that ships with the program.
func Default() []Source {
	return slices.Clone(defaultList())
}

var defaultList = sync.OnceValue(func() []Source {
	list, err := Parse(listed)
	if err != nil {
		panic(err) // a test parses it
	}
	return list
})

// Parse reads a list of sources from YAML. Keys that it does not know, a missing
// or doubled id and an address that is no https are errors with their line.
func Parse(data []byte) ([]Source, error) {
	if len(data) > maxList {
		return nil, fmt.Errorf("source: the list is longer than %d bytes", maxList)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	var doc struct {
		Sources []yaml.Node `yaml:"sources"`
	}
	if err := root.Decode(&doc); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	if len(doc.Sources) > maxSources {
		return nil, fmt.Errorf("source: more than %d sources", maxSources)
	}
	list := make([]Source, 0, len(doc.Sources))
	seen := map[string]bool{}
	for i := range doc.Sources {
		n := &doc.Sources[i]
		if err := knownKeys(n); err != nil {
			return nil, err
		}
		var s Source
		if err := n.Decode(&s); err != nil {
			return nil, fmt.Errorf("source: line %d: %w", n.Line, err)
		}
		if err := s.complete(); err != nil {
			return nil, fmt.Errorf("source: line %d: %w", n.Line, err)
		}
		if seen[s.ID] {
			return nil, fmt.Errorf("source: line %d: %q stands there twice", n.Line, s.ID)
		}
		seen[s.ID] = true
		list = append(list, s)
	}
	return list, nil
}

var keys = []string{"id", "name", "url", "format", "accept", "lang", "origin", "kind", "on", "every", "follow", "reuse", "include", "exclude"}

func knownKeys(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("source: line %d: a source is a mapping", n.Line)
	}
	for i := 0; i < len(n.Content); i += 2 {
		if k := n.Content[i]; !slices.Contains(keys, k.Value) {
			return fmt.Errorf("source: line %d: no such key: %q", k.Line, k.Value)
		}
	}
	return nil
}

// complete checks a source and fills in what may be left out.
func (s *Source) complete() error {
	if s.ID == "" || strings.Trim(s.ID, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || len(s.ID) > 60 {
		return fmt.Errorf("an id is lower-case letters, digits and hyphens, not %q", s.ID)
	}
	u, err := url.Parse(s.URL)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return fmt.Errorf("%s: the address must be https, not %q", s.ID, s.URL)
	}
	if s.Lang != "" && s.Lang != lang.JA && s.Lang != lang.EN {
		return fmt.Errorf("%s: no such language: %q", s.ID, s.Lang)
	}
	if s.Kind != "" && s.Kind != news.Article && s.Kind != news.Advisory {
		return fmt.Errorf("%s: no such kind: %q", s.ID, s.Kind)
	}
	switch s.Format {
	case "", feed.RSS, feed.RDF, feed.Atom, feed.JSONFeed, feed.KEV, feed.CVRF, feed.CVRFIndex, feed.SUG, feed.CSAF, feed.CSAFProvider, feed.CSAFIndex, feed.MyJVN, feed.Page:
	default:
		return fmt.Errorf("%s: no such format: %q", s.ID, s.Format)
	}
	switch s.Reuse.Class {
	case Free, Credit, Quote:
	case "":
		s.Reuse.Class = Quote
	default:
		return fmt.Errorf("%s: no such class of reuse: %q", s.ID, s.Reuse.Class)
	}
	if !s.Reuse.Checked {
		s.Reuse.Class = Quote
	}
	if s.Every < 0 || s.Every > 24*31 || s.Follow < 0 || s.Follow > maxFollow {
		return fmt.Errorf("%s: every is up to %d hours and follow up to %d documents", s.ID, 24*31, maxFollow)
	}
	s.Every = cmp.Or(s.Every, 6)
	s.Kind = cmp.Or(s.Kind, news.Article)
	s.Name.JA = cmp.Or(s.Name.JA, s.Name.EN, s.ID)
	s.Name.EN = cmp.Or(s.Name.EN, s.Name.JA, s.ID)
	return nil
}

// Options returns what package feed is told about a document of the source that
// was read at address.
func (s *Source) Options(address, charset string) *feed.Options {
	o := &feed.Options{Source: s.ID, URL: cmp.Or(address, s.URL), Charset: charset, Lang: s.Lang, Want: feed.Feed}
	if s.Format == feed.Page {
		o.Want = feed.Document
	}
	return o
}

// As reports whether a document of format f is what the source should publish.
// RSS in any of its forms and Atom pass for one another: sites change between
// them without notice.
func (s *Source) As(f feed.Format) bool {
	list := []feed.Format{feed.RSS, feed.RDF, feed.Atom, feed.JSONFeed}
	return s.Format == "" || s.Format == f || slices.Contains(list, s.Format) && slices.Contains(list, f)
}

// Keep returns those of the items that the source's filters let through, and
// gives each the kind of the source where the document did not say.
func (s *Source) Keep(items []news.Item) []news.Item {
	var out []news.Item
	for _, it := range items {
		if it.Kind == news.Article {
			it.Kind = s.Kind
		}
		text := strings.ToLower(norm.NFKC.String(it.Title + "\n" + it.Text + "\n" + strings.Join(it.Labels, "\n")))
		in := func(words []string) bool {
			return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, strings.ToLower(norm.NFKC.String(w))) })
		}
		if len(s.Include) > 0 && !in(s.Include) || in(s.Exclude) {
			continue
		}
		out = append(out, it)
	}
	return out
}

// MayQuote reports whether a text may be taken over as it is, and the longest
// run that may (0 for any).
func (s *Source) MayQuote() (all bool, longest int) {
	if s.Reuse.Class == Quote {
		return false, MaxQuote
	}
	return true, 0
}

// Interval returns how long to wait between two pulls.
func (s *Source) Interval() time.Duration { return time.Duration(s.Every) * time.Hour }
