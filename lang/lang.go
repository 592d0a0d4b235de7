// Package lang holds the sentences that sekisho says to people, in Japanese
// and English.
//
// Engines return a [Message]: a key and its arguments. Only the desk and the
// doors render it, through a [Catalogue], into a [Text]. The catalogue is data
// beside this package: one JSON file per topic, each key with both languages.
//
// A template names its arguments in braces: "{domain} was not signed". An
// integer argument chooses a word by plural in English: "{n} {n:mail|mails}".
package lang

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Language is a language that sekisho speaks.
type Language string

// The languages.
const (
	JA Language = "ja"
	EN Language = "en"
)

// Args are the arguments of a message by name. Values are strings, integers,
// [time.Time] (shown as a date with its weekday), a [Message], a [Text], or a
// slice of strings (shown as a list).
type Args map[string]any

// Message is a sentence by key. The zero Message says nothing.
type Message struct {
	Key  string
	Args Args
}

// M returns a message of key with arguments given as name, value pairs. It
// panics on an odd number of arguments or a name that is no string, which are
// mistakes in the calling code. The names are those of the template, which a
// test of the repository checks.
func M(key string, pairs ...any) Message {
	if len(pairs) == 0 {
		return Message{Key: key}
	}
	if len(pairs)%2 != 0 {
		panic("lang.M: arguments come in pairs: " + key)
	}
	args := make(Args, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		args[pairs[i].(string)] = pairs[i+1]
	}
	return Message{Key: key, Args: args}
}

// IsZero reports whether m says nothing.
func (m Message) IsZero() bool { return m.Key == "" }

// Text is a rendered sentence in each language.
type Text struct {
	JA string `json:"ja"`
	EN string `json:"en"`
}

// In returns the sentence in language l, English for one that is unknown.
func (t Text) In(l Language) string {
	if l == JA {
		return t.JA
	}
	return t.EN
}

// LiteralKey is the key of a sentence written by others, such as the name of a
// rule, which is shown as it is in every language. See [Literal].
const LiteralKey = "literal"

// Literal wraps words that have no translation.
func Literal(s string) Message { return M(LiteralKey, "text", s) }

// Catalogue renders messages. It is immutable and safe for concurrent use.
type Catalogue struct {
	entries map[string]Text
}

//go:embed catalogue/*.json
var files embed.FS

// Default returns the catalogue that is built in.
func Default() *Catalogue { return defaultCatalogue() }

var defaultCatalogue = sync.OnceValue(func() *Catalogue {
	c, err := load()
	if err != nil {
		panic(err) // the embedded files are checked by a test
	}
	return c
})

func load() (*Catalogue, error) {
	entries, err := files.ReadDir("catalogue")
	if err != nil {
		return nil, fmt.Errorf("lang: reading the catalogue: %w", err)
	}
	var topics [][]byte
	for _, e := range entries {
		b, err := files.ReadFile(path.Join("catalogue", e.Name()))
		if err != nil {
			return nil, fmt.Errorf("lang: reading the catalogue: %w", err)
		}
		topics = append(topics, b)
	}
	return Parse(topics...)
}

// Parse builds a catalogue from JSON files of the form
// {"key": {"ja": "...", "en": "..."}}. A key must not be defined twice.
func Parse(topics ...[]byte) (*Catalogue, error) {
	c := &Catalogue{entries: map[string]Text{LiteralKey: {JA: "{text}", EN: "{text}"}}}
	for _, b := range topics {
		var m map[string]Text
		if err := json.Unmarshal(b, &m); err != nil {
			return nil, fmt.Errorf("lang: reading a catalogue: %w", err)
		}
		for k, t := range m {
			if _, dup := c.entries[k]; dup {
				return nil, fmt.Errorf("lang: key %q is defined twice", k)
			}
			c.entries[k] = t
		}
	}
	return c, nil
}

// Keys returns all keys, sorted.
func (c *Catalogue) Keys() []string { return slices.Sorted(maps.Keys(c.entries)) }

// Has reports whether the catalogue knows key.
func (c *Catalogue) Has(key string) bool { _, ok := c.entries[key]; return ok }

// Template returns the untouched templates of key.
func (c *Catalogue) Template(key string) (Text, bool) { t, ok := c.entries[key]; return t, ok }

// Render says m in both languages. A key that the catalogue lacks is shown as
// the key in square brackets, so that a reader sees that words are missing.
func (c *Catalogue) Render(m Message) Text {
	return Text{JA: c.Say(JA, m), EN: c.Say(EN, m)}
}

// Say renders m in language l.
func (c *Catalogue) Say(l Language, m Message) string {
	if m.IsZero() {
		return ""
	}
	t, ok := c.entries[m.Key]
	if !ok {
		return "[" + m.Key + "]"
	}
	return c.expand(l, t.In(l), m.Args)
}

func (c *Catalogue) expand(l Language, tmpl string, args Args) string {
	if !strings.Contains(tmpl, "{") {
		return tmpl
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(tmpl, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			b.WriteString("{" + rest)
			return b.String()
		}
		tmpl = after
		name, forms, plural := strings.Cut(name, ":")
		v, ok := args[name]
		switch {
		case !ok:
			b.WriteString("{" + name + "}")
		case plural:
			one, many, _ := strings.Cut(forms, "|")
			if n, isInt := integer(v); isInt && n == "1" {
				b.WriteString(one)
			} else {
				b.WriteString(many)
			}
		default:
			b.WriteString(c.format(l, v))
		}
	}
}

func (c *Catalogue) format(l Language, v any) string {
	if n, ok := integer(v); ok {
		return groupDigits(n)
	}
	switch v := v.(type) {
	case string:
		return v
	case time.Time:
		return Date(l, v)
	case Message:
		return c.Say(l, v)
	case Text:
		return v.In(l)
	case []string:
		if l == JA {
			return strings.Join(v, "、")
		}
		return strings.Join(v, ", ")
	case fmt.Stringer:
		return v.String()
	default:
		return fmt.Sprint(v)
	}
}

// integer writes an integer of the usual types in decimal. A type of its own,
// such as a [time.Duration], is no count and is left to its String method.
func integer(v any) (string, bool) {
	switch v := v.(type) {
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case int32:
		return strconv.FormatInt(int64(v), 10), true
	case uint:
		return strconv.FormatUint(uint64(v), 10), true
	case uint64:
		return strconv.FormatUint(v, 10), true
	case uint32:
		return strconv.FormatUint(uint64(v), 10), true
	}
	return "", false
}

// groupDigits puts a comma between thousands, as both languages do.
func groupDigits(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

var weekdaysJA = [...]string{"日", "月", "火", "水", "木", "金", "土"}

// Date writes the date of t, in t's own location, with its weekday:
// "2026年5月29日(金)" and "Friday, 29 May 2026".
func Date(l Language, t time.Time) string {
	if l == JA {
		return fmt.Sprintf("%d年%d月%d日(%s)", t.Year(), int(t.Month()), t.Day(), weekdaysJA[t.Weekday()])
	}
	return t.Format("Monday, 2 January 2006")
}
