package lesson

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sekisho/sekisho/lang"
)

//go:embed catalogue
var builtin embed.FS

// Catalogue holds the topics, the plan for a year and the ordinary words. It is
// immutable and safe for concurrent use.
type Catalogue struct {
	topics []topic
	plan   plan
	words  words
}

// topic is what there is to say about a kind of attack.
type topic struct {
	Key     string      `yaml:"key"`
	Default bool        `yaml:"default"` // for what no other topic is about
	Title   lang.Text   `yaml:"title"`
	What    lang.Text   `yaml:"what"`
	Mock    Mock        `yaml:"mock"`
	Tells   []lang.Text `yaml:"tells"`
	Rule    lang.Text   `yaml:"rule"`
	Steps   []lang.Text `yaml:"steps"`
	Quiz    []quiz      `yaml:"quiz"`

	// What the topic is about: techniques and templates of advisories, and kinds
	// of findings and ids of rules.
	Techniques []string `yaml:"techniques"`
	Templates  []string `yaml:"templates"`
	Findings   []string `yaml:"findings"`
}

type quiz struct {
	Q       lang.Text `yaml:"q"`
	Choices []choice  `yaml:"choices"`
	Why     lang.Text `yaml:"why"`
}

type choice struct {
	JA    string `yaml:"ja"`
	EN    string `yaml:"en"`
	Right bool   `yaml:"right"`
}

func (q *quiz) question() Question {
	out := Question{Text: q.Q, Why: q.Why}
	for i, c := range q.Choices {
		out.Choices = append(out.Choices, lang.Text{JA: c.JA, EN: c.EN})
		if c.Right {
			out.Answer = i
		}
	}
	return out
}

// Default returns the catalogue that is built in.
func Default() (*Catalogue, error) {
	sub, err := fs.Sub(builtin, "catalogue")
	if err != nil {
		return nil, fmt.Errorf("lesson: %w", err)
	}
	return Load(sub)
}

// Load reads a catalogue: topics/*.yaml, plan.yaml and words.txt. The error
// names the file and what is wrong: a text without one of its languages, a
// question without exactly one right answer, a number for which nothing is said
// to give the mail away.
func Load(fsys fs.FS) (*Catalogue, error) {
	c := &Catalogue{}
	files, err := fs.Glob(fsys, "topics/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("lesson: %w", err)
	}
	for _, name := range files {
		var t topic
		if err := read(fsys, name, &t); err != nil {
			return nil, err
		}
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("lesson: %s: %w", name, err)
		}
		c.topics = append(c.topics, t)
	}
	if err := read(fsys, "plan.yaml", &c.plan); err != nil {
		return nil, err
	}
	for _, m := range c.plan.Months {
		if !slices.Contains(c.Topics(), m.Topic) {
			return nil, fmt.Errorf("lesson: plan.yaml: %w: %s", ErrTopic, m.Topic)
		}
	}
	data, err := fs.ReadFile(fsys, "words.txt")
	if err != nil {
		return nil, fmt.Errorf("lesson: %w", err)
	}
	c.words = newWords(string(data))
	return c, nil
}

func read(fsys fs.FS, name string, to any) error {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return fmt.Errorf("lesson: %w", err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(to); err != nil {
		return fmt.Errorf("lesson: %s: %w", name, err)
	}
	return nil
}

func (t *topic) check() error {
	texts := slices.Concat([]lang.Text{t.Title, t.What, t.Rule, t.Mock.From, t.Mock.Subject}, t.Tells, t.Steps)
	lines := t.Mock.Lines
	if t.Mock.Button != nil {
		lines = append(slices.Clip(lines), *t.Mock.Button)
	}
	for _, x := range lines {
		texts = append(texts, lang.Text{JA: x.JA, EN: x.EN})
		if x.Tell < 0 || x.Tell > len(t.Tells) {
			return fmt.Errorf("number %d of %q", x.Tell, x.EN)
		}
	}
	for _, q := range t.Quiz {
		texts = append(texts, q.Q, q.Why)
		right := 0
		for _, c := range q.Choices {
			texts = append(texts, lang.Text{JA: c.JA, EN: c.EN})
			if c.Right {
				right++
			}
		}
		if right != 1 || len(q.Choices) != 3 {
			return fmt.Errorf("%q has %d choices and %d right ones", q.Q.EN, len(q.Choices), right)
		}
	}
	if len(t.Quiz) != 3 || len(t.Tells) == 0 || len(t.Steps) == 0 || t.Key == "" {
		return fmt.Errorf("%d questions, %d tells, %d steps", len(t.Quiz), len(t.Tells), len(t.Steps))
	}
	for _, x := range texts {
		if strings.TrimSpace(x.JA) == "" || strings.TrimSpace(x.EN) == "" {
			return fmt.Errorf("a text lacks a language: %q %q", x.JA, x.EN)
		}
	}
	return nil
}

// Topics returns the keys of the topics, sorted.
func (c *Catalogue) Topics() []string {
	out := make([]string, 0, len(c.topics))
	for _, t := range c.topics {
		out = append(out, t.Key)
	}
	slices.Sort(out)
	return out
}

// Title returns the title of a topic.
func (c *Catalogue) Title(key string) lang.Text {
	for i := range c.topics {
		if c.topics[i].Key == key {
			return c.topics[i].Title
		}
	}
	return lang.Text{}
}

// ForAdvisory returns the topic for an advisory: that of its template, else that
// of its first technique which has one, else the one for everything else.
func (c *Catalogue) ForAdvisory(template string, techniques []string) string {
	// What the matter is says more than how a mail got in.
	for i := range c.topics {
		if t := &c.topics[i]; slices.Contains(t.Templates, template) && !t.Default {
			return t.Key
		}
	}
	for _, id := range techniques {
		for i := range c.topics {
			if t := &c.topics[i]; slices.Contains(t.Techniques, id) && !t.Default {
				return t.Key
			}
		}
	}
	return c.otherwise()
}

// ForFindings returns the topic for what was found in a mail, the first found
// first: kinds of findings and ids of rules.
func (c *Catalogue) ForFindings(found []string) string {
	for _, id := range found {
		for i := range c.topics {
			if t := &c.topics[i]; slices.Contains(t.Findings, id) && !t.Default {
				return t.Key
			}
		}
	}
	return c.otherwise()
}

func (c *Catalogue) otherwise() string {
	for i := range c.topics {
		if c.topics[i].Default {
			return c.topics[i].Key
		}
	}
	return ""
}
