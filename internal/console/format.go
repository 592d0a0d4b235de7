package console

import (
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/extract/link"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/triage"
)

// funcs are the functions of templates in one language. The package comment
// lists them.
func (c *Console) funcs(l lang.Language) template.FuncMap {
	out := template.FuncMap{
		"T":       func(name string, pairs ...any) string { return c.say(l, name, pairs...) },
		"text":    func(t lang.Text) string { return t.In(l) },
		"say":     func(m lang.Message) string { return c.Words.Say(l, m) },
		"date":    func(t time.Time) string { return c.date(l, t) },
		"moment":  func(t time.Time) string { return c.moment(l, t) },
		"stamp":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"n":       func(n int) string { return c.Words.Say(l, lang.M(lang.LiteralKey, "text", n)) },
		"size":    size,
		"defang":  link.Defang,
		"verdict": func(w desk.Word) template.HTML { return c.verdict(l, w) },
		"grade":   func(g triage.Grade) template.HTML { return c.grade(l, g) },
		"link":    withQuery,
		"field":   newField,
		"has":     c.has,
		"sameDay": func(a, b time.Time) bool { return a.Format(time.DateOnly) == b.In(a.Location()).Format(time.DateOnly) },
		"pathOf":  c.pathOf,
	}
	maps.Copy(out, c.pageFuncs(l))
	return out
}

// date writes a date with its weekday, where the program runs.
func (c *Console) date(l lang.Language, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return lang.Date(l, t.In(c.Now().Location()))
}

// moment writes a date with its weekday, hour and minute.
func (c *Console) moment(l lang.Language, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return c.date(l, t) + " " + t.In(c.Now().Location()).Format("15:04")
}

// size writes bytes as people read them.
func size(bytes int) string {
	switch {
	case bytes < 1000:
		return strconv.Itoa(bytes) + " B"
	case bytes < 1000<<10:
		return strconv.Itoa((bytes+1023)>>10) + " KiB"
	}
	return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
}

// symbols carry what colour says to those who do not see it.
var symbols = map[desk.Word]string{desk.Malicious: "●", desk.Suspicious: "▲", desk.Spam: "◆", desk.Clean: "○", desk.Undecided: "?"}

// verdict writes symbol and word of a verdict.
func (c *Console) verdict(l lang.Language, w desk.Word) template.HTML {
	symbol, ok := symbols[w]
	if !ok {
		return ""
	}
	return mark("verdict "+string(w), symbol, c.Words.Say(l, lang.M("cli.verdict."+string(w))))
}

// grade writes a grade and what it asks for.
func (c *Console) grade(l lang.Language, g triage.Grade) template.HTML {
	switch g {
	case triage.A, triage.B, triage.C, triage.D:
		return mark("grade grade-"+strings.ToLower(string(g)), string(g), c.say(l, "grade."+strings.ToLower(string(g))))
	}
	return ""
}

func mark(class, symbol, word string) template.HTML {
	e := template.HTMLEscapeString
	return template.HTML(`<span class="` + e(class) + `"><span class="symbol" aria-hidden="true">` + e(symbol) + `</span> ` + e(word) + `</span>`)
}

var errPairs = errors.New("console: a query is of names and values")

// withQuery writes a path with a query, without what is empty.
func withQuery(path string, pairs ...any) (string, error) {
	if len(pairs)%2 != 0 {
		return "", errPairs
	}
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if v := fmt.Sprint(pairs[i+1]); v != "" {
			q.Set(fmt.Sprint(pairs[i]), v)
		}
	}
	if len(q) == 0 {
		return path, nil
	}
	return path + "?" + q.Encode(), nil
}

// fieldView is what the partial "field" shows.
type fieldView struct {
	Name, Type, Complete, Value string
	Error                       lang.Message
	Label, Hint                 string // names of words
}

// newField describes an input: its words are "field.NAME" and, if there are any,
// "field.NAME.hint". complete is what a browser may fill in
// (https://html.spec.whatwg.org/#autofill); "" is nothing.
func newField(f *form, name, kind, complete string) fieldView {
	v := fieldView{Name: name, Type: kind, Complete: complete, Label: "field." + name, Hint: "field." + name + ".hint"}
	if v.Complete == "" {
		v.Complete = "off"
	}
	if f != nil {
		v.Value, v.Error = f.Values[name], f.Errors[name]
	}
	if !lang.Default().Has("console." + v.Hint) {
		v.Hint = ""
	}
	return v
}
