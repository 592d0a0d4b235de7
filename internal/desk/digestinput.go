package desk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/sekisho/sekisho/advisory/digest"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/feed"
	"github.com/sekisho/sekisho/news/source"
)

// DigestFile is a file from which a newsletter is made: an article, or a list of
// items in YAML, which names further files.
type DigestFile struct {
	Name string
	Data []byte
	// Open reads a file that the list names, from the folder of the list.
	Open func(name string) ([]byte, error)
}

// bilingual is a text that is written once or in each language.
type bilingual struct{ JA, EN string }

func (b *bilingual) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		b.JA, b.EN = n.Value, n.Value
		return nil
	}
	var both struct {
		JA string `yaml:"ja"`
		EN string `yaml:"en"`
	}
	if err := strict(n, &both); err != nil {
		return err
	}
	b.JA, b.EN = both.JA, both.EN
	return nil
}

// strict decodes a mapping and refuses keys that nobody reads.
func strict(n *yaml.Node, to any) error {
	data, err := yaml.Marshal(n)
	if err != nil {
		return err
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(to); err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	return nil
}

type digestList struct {
	Items []digestListItem `yaml:"items"`
}

type digestListItem struct {
	Story    string    `yaml:"story"`
	Headline bilingual `yaml:"headline"`
	Points   struct {
		JA []string `yaml:"ja"`
		EN []string `yaml:"en"`
	} `yaml:"points"`
	Sources []digestListSource `yaml:"sources"`
}

type digestListSource struct {
	File      string `yaml:"file"`
	Title     string `yaml:"title"`
	Publisher string `yaml:"publisher"`
	URL       string `yaml:"url"`
	Date      string `yaml:"date"`
	Reuse     string `yaml:"reuse"`
	Origin    string `yaml:"origin"`
}

// Limits of what a user writes.
const maxDigestList = 1 << 20

func digestFileError(name string, err error) *Error {
	return &Error{Kind: Invalid, Message: lang.M("digest.error.file", "file", name, "error", err.Error()), Hint: lang.M("digest.hint.file"), Err: err}
}

// ReadDigestFile reads the items of a file: those of a list in YAML, or the one
// of an article.
func ReadDigestFile(ctx context.Context, f *DigestFile, deps *NewsDeps) ([]digest.Entry, error) {
	if ext := strings.ToLower(path.Ext(f.Name)); ext != ".yaml" && ext != ".yml" {
		e, err := articleEntry(f.Name, f.Data, &digestListSource{}, time.UTC)
		if err != nil {
			return nil, err
		}
		return []digest.Entry{{ID: string(e.Item.ID), Sources: []digest.Publication{*e}}}, nil
	}
	var list digestList
	d := yaml.NewDecoder(bytes.NewReader(f.Data[:min(len(f.Data), maxDigestList)]))
	d.KnownFields(true)
	if err := d.Decode(&list); err != nil {
		return nil, digestFileError(f.Name, err)
	}
	if len(list.Items) == 0 {
		return nil, digestFileError(f.Name, errors.New("no items"))
	}
	if len(list.Items) > digest.MaxItems {
		return nil, digestFileError(f.Name, fmt.Errorf("more than %d items", digest.MaxItems))
	}
	var out []digest.Entry
	for i := range list.Items {
		x := &list.Items[i]
		e := digest.Entry{}
		if x.Story != "" {
			s, err := storyEntry(ctx, x.Story, deps)
			if err != nil {
				return nil, err
			}
			e = *s
		}
		e.Headline, e.Points = lang.Text(x.Headline), digest.Pair[[]string]{JA: x.Points.JA, EN: x.Points.EN}
		for j := range x.Sources {
			p, err := f.publication(&x.Sources[j], deps.Now().Location())
			if err != nil {
				return nil, err
			}
			if e.ID == "" && p.Item != nil {
				e.ID = string(p.Item.ID)
			}
			e.Sources = append(e.Sources, *p)
		}
		if len(e.Sources) == 0 {
			return nil, digestFileError(f.Name, fmt.Errorf("item %d has neither sources nor a story", i+1))
		}
		out = append(out, e)
	}
	return out, nil
}

// publication reads a source of a list. One without a file is named and not
// read.
func (f *DigestFile) publication(s *digestListSource, here *time.Location) (*digest.Publication, error) {
	date := time.Time{}
	if s.Date != "" {
		var err error
		if date, err = time.ParseInLocation(time.DateOnly, s.Date, here); err != nil {
			return nil, digestFileError(f.Name, err)
		}
	}
	if s.URL != "" && news.CanonicalLink(s.URL) == "" {
		return nil, digestFileError(f.Name, fmt.Errorf("no http address: %q", s.URL))
	}
	if s.File == "" {
		if s.URL == "" && s.Title == "" {
			return nil, digestFileError(f.Name, errors.New("a source needs a file, an address or a title"))
		}
		return &digest.Publication{Title: s.Title, Publisher: s.Publisher, URL: s.URL, Published: date}, nil
	}
	data, err := f.Open(s.File)
	if err != nil {
		return nil, err
	}
	p, err := articleEntry(s.File, data, s, here)
	if err != nil {
		return nil, err
	}
	p.Published = date
	return p, nil
}

// articleEntry reads an article with what its reader said of it.
func articleEntry(name string, data []byte, s *digestListSource, _ *time.Location) (*digest.Publication, error) {
	doc, err := feed.Parse(data, &feed.Options{Source: addedSource, URL: s.URL})
	if err != nil {
		e := &Error{Kind: Invalid, Message: lang.M("advise.error.read", "file", name), Hint: lang.M("advise.hint.read"), Err: err}
		if f, ok := errors.AsType[*feed.Error](err); ok {
			e.Message = lang.M("advise.error.fault", "file", name, "why", f.Message())
		}
		return nil, e
	}
	if len(doc.Items) == 0 {
		return nil, &Error{Kind: Invalid, Message: lang.M("advise.error.no-item", "file", name), Hint: lang.M("advise.hint.read")}
	}
	p := &digest.Publication{Item: &doc.Items[0], Title: s.Title, Publisher: s.Publisher, URL: s.URL, Origin: s.Origin, Longest: source.MaxQuote}
	if p.Publisher == "" && doc.Title != p.Item.Title {
		p.Publisher = doc.Title
	}
	switch source.Class(s.Reuse) {
	case source.Free, source.Credit:
		p.Longest = 0
	case source.Quote, "":
	default:
		return nil, digestFileError(name, fmt.Errorf("no such class of reuse: %q", s.Reuse))
	}
	return p, nil
}

// storyEntry makes an entry of a story, its leading item first.
func storyEntry(ctx context.Context, id string, deps *NewsDeps) (*digest.Entry, error) {
	s, err := findStory(ctx, id, deps.Store)
	if err != nil {
		return nil, err
	}
	items, err := storyItems(ctx, s, deps)
	if err != nil {
		return nil, err
	}
	lead := slices.IndexFunc(s.Items, func(it StoryItem) bool { return it.Lead })
	e := &digest.Entry{ID: s.ID, Grade: s.Grade, Due: s.Due}
	for i := range items {
		it := &items[i]
		src := deps.source(it.Source)
		p := digest.Publication{Item: it, Origin: src.Origin}
		if it.Source != addedSource { // of that nobody said who published it
			p.Publisher = lang.Text(src.Name).In(it.Lang)
		}
		if all, longest := src.MayQuote(); !all || it.Source == addedSource {
			p.Longest = longest
			if p.Longest == 0 {
				p.Longest = source.MaxQuote
			}
		}
		if lead >= 0 && it.ID == s.Items[lead].ID {
			e.Sources = slices.Insert(e.Sources, 0, p)
			continue
		}
		e.Sources = append(e.Sources, p)
	}
	if len(e.Sources) == 0 {
		return nil, &Error{Kind: NotFound, Message: lang.M("news.error.story", "id", id), Hint: lang.M("news.hint.story")}
	}
	return e, nil
}

type digestComments struct {
	By    bilingual            `yaml:"by"`
	Items map[string]yaml.Node `yaml:"items"`
}

// ReadDigestCommentary reads what a person has to say, by the number or the id
// of an item.
func ReadDigestCommentary(name string, data []byte) (map[string]digest.Commentary, error) {
	var c digestComments
	d := yaml.NewDecoder(bytes.NewReader(data[:min(len(data), maxDigestList)]))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		return nil, digestFileError(name, err)
	}
	out := map[string]digest.Commentary{}
	for key, n := range c.Items {
		var both struct {
			By bilingual `yaml:"by"`
			JA string    `yaml:"ja"`
			EN string    `yaml:"en"`
		}
		if err := strict(&n, &both); err != nil {
			return nil, digestFileError(name, fmt.Errorf("item %s: %w", key, err))
		}
		if v, err := strconv.Atoi(key); err == nil {
			key = strconv.Itoa(v) // 01 is 1
		}
		by := both.By
		if by == (bilingual{}) {
			by = c.By
		}
		out[key] = digest.Commentary{By: lang.Text(by), JA: both.JA, EN: both.EN}
	}
	return out, nil
}
