package mqltest

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/list"
	"github.com/sekisho/sekisho/mql/schema"
	"github.com/sekisho/sekisho/mql/value"
	"github.com/sekisho/sekisho/resolve/zone"
)

// Script is a test file that was read.
type Script struct {
	file  string
	lines []string
	evals []*evaluation
	lists []string // that it gives, by name
}

// world is what an eval runs in.
type world struct {
	facts   *facts // nil: nothing is known
	zone    *zone.Zone
	lists   map[string]*value.List // nil: nobody has it
	senders *senders
	answers map[string]value.Value // of functions; a missing value: nobody provides it
	mails   map[string]*mail
}

func (w *world) clone() *world {
	out := *w
	out.lists, out.answers, out.mails = maps.Clone(w.lists), maps.Clone(w.answers), maps.Clone(w.mails)
	return &out
}

func newWorld() *world {
	return &world{lists: map[string]*value.List{}, answers: map[string]value.Value{}, mails: map[string]*mail{}}
}

// evaluation is an eval with its expectations.
type evaluation struct {
	line    int
	pattern word // of rule files; empty for an expression
	expr    string
	at      place // of the expression
	mails   []*mail
	world   *world
	expects []expectation
}

// place is where a text begins in the test file.
type place struct{ line, column int }

// Parse reads a test file. The error is [Errors].
func Parse(file string, data []byte) (*Script, error) {
	p := &parser{script: &Script{file: file}, world: newWorld()}
	switch {
	case len(data) > MaxSize:
		p.lines = []string{""}
		p.at(1, 1, 1, lang.M("mqltest.error.size", "max", MaxSize))
	default:
		p.read(string(data))
	}
	if len(p.errs) > 0 {
		return nil, p.errs
	}
	return p.script, nil
}

type parser struct {
	script *Script
	lines  []string
	n      int // lines read
	used   int // of directives
	line   int // the current one, from 1
	text   string
	below  *text // the text below the current line; nil: none

	world  *world
	shared bool // an eval has it
	block  string
	mail   *mail
	eval   *evaluation
	errs   Errors
}

// text is what stands below a line that ends in "<<WORD".
type text struct {
	body string
	line int // of its first line
}

func (p *parser) read(data string) {
	p.lines = strings.Split(strings.TrimPrefix(data, "\ufeff"), "\n")
	p.script.lines = p.lines
	for p.n < len(p.lines) && len(p.errs) < maxErrors {
		p.line, p.text = p.n+1, strings.TrimSuffix(p.lines[p.n], "\r")
		p.n++
		if !utf8.ValidString(p.text) {
			p.at(p.line, 1, 1, lang.M("mqltest.error.utf8"))
			return
		}
		words, m := split(p.text)
		if m != nil && isValueLine(p.text) {
			m = nil // JSON is no words
		}
		if m != nil {
			p.at(p.line, m.column, 1, m.message)
			continue
		}
		if len(words) == 0 {
			continue
		}
		if p.used++; p.used > MaxLines {
			p.fail(words[0], lang.M("mqltest.error.lines", "max", MaxLines))
			return
		}
		p.below = nil
		if mark, ok := marker(words); ok {
			if !p.document(mark, words[len(words)-1]) {
				return
			}
			words = words[:len(words)-1]
		}
		p.directive(words)
	}
	p.endEval()
	if len(p.script.evals) == 0 && len(p.errs) == 0 {
		p.at(max(1, len(p.lines)), 1, 1, lang.M("mqltest.error.nothing"))
	}
}

// document reads the text below the current line.
func (p *parser) document(mark string, w word) bool {
	first := p.n
	for p.n < len(p.lines) {
		l := p.lines[p.n]
		p.n++
		if strings.TrimSpace(l) == mark {
			body := strings.Join(p.lines[first:p.n-1], "\n")
			if p.n-1 > first {
				body += "\n"
			}
			p.below = &text{body: body, line: first + 1}
			return true
		}
	}
	p.fail(w, lang.M("mqltest.error.unfinished", "word", mark))
	return false
}

// isValueLine reports whether a line has a JSON text that goes on to its end.
func isValueLine(line string) bool {
	_, ok := valueText(line)
	return ok
}

// valueText returns what stands after "expect value".
func valueText(line string) (string, bool) {
	rest, ok := strings.CutPrefix(strings.TrimLeft(line, " \t"), "expect")
	if !ok || rest == "" || !isSpace(rest[0]) {
		return "", false
	}
	rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " \t"), "value")
	return strings.TrimSpace(rest), ok && rest != "" && isSpace(rest[0])
}

func (p *parser) directive(words []word) {
	first := words[0]
	if first.quoted || first.code {
		p.unknown(first)
		return
	}
	args := words[1:]
	switch first.text {
	case "organisation", "zone", "list", "history", "answer", "load", "eval", "clear":
		p.endEval()
		p.block, p.mail = first.text, nil
		if p.shared {
			p.world, p.shared = p.world.clone(), false
		}
	}
	switch first.text {
	case "organisation":
		p.world.facts = &facts{}
		p.plain(first, args, 0, 0)
	case "zone":
		p.zone(first, args)
	case "list":
		p.list(first, args)
	case "history":
		p.history(first, args)
	case "answer":
		p.answer(first, args)
	case "load":
		p.load(first, args)
	case "eval":
		p.evaluate(first, args)
	case "clear":
		p.world = newWorld()
		p.plain(first, args, 0, 0)
	default:
		switch {
		case p.block == "organisation":
			p.fact(first, args)
		case p.block == "history" && first.is("sender") && p.world.senders != nil:
			p.sender(first, args)
		case p.block == "load" && (first.is("html") || first.is("attach")):
			p.detail(first, args)
		case p.block == "eval" && first.is("expect"):
			p.expect(first, args)
		default:
			p.unknown(first)
		}
	}
}

// unknown says which words may begin a line here.
func (p *parser) unknown(w word) {
	known := map[string]string{
		"organisation": strings.Join(factNames(), ", "), "history": "sender", "load": "html, attach", "eval": "expect",
	}[p.block]
	if known != "" {
		known += ", "
	}
	p.fail(w, lang.M("mqltest.error.word", "word", w.text, "known", known+"organisation, zone, list, history, answer, load, eval, clear"))
}

// plain refuses more or fewer words than a line has, and a text below it.
func (p *parser) plain(first word, args []word, least, most int) bool {
	switch {
	case len(args) < least:
		p.fail(first, lang.M("mqltest.error.few", "word", first.text))
	case len(args) > most:
		p.fail(args[most], lang.M("mqltest.error.many", "word", args[most].text))
	case p.below != nil:
		p.fail(first, lang.M("mqltest.error.no-text", "word", first.text))
	default:
		return true
	}
	return false
}

func (p *parser) zone(first word, args []word) {
	if len(args) == 1 && args[0].is("none") && p.below == nil {
		p.world.zone = nil
		return
	}
	if p.below == nil || len(args) > 0 {
		p.fail(first, lang.M("mqltest.error.text", "word", "zone"))
		return
	}
	z, err := zone.ParseString(p.below.body)
	errs, ok := errors.AsType[zone.Errors](err)
	switch {
	case ok:
		for _, e := range errs {
			p.at(p.below.line+e.Line-1, max(1, e.Col), 1, lang.M("mqltest.error.zone", "why", e.Msg))
		}
	case err != nil:
		p.fail(first, lang.M("mqltest.error.zone", "why", err.Error()))
	}
	p.world.zone = z
}

func (p *parser) list(first word, args []word) {
	if len(args) == 0 {
		p.fail(first, lang.M("mqltest.error.few", "word", first.text))
		return
	}
	name := strings.TrimPrefix(args[0].text, "$")
	if !list.ValidName(name) {
		p.fail(args[0], lang.M("mqltest.error.list-name", "name", args[0].text))
		return
	}
	if l, ok := schema.LookupList(name); ok && l.Elem.Kind != schema.String {
		p.fail(args[0], lang.M("mqltest.error.list-kind", "name", name))
		return
	}
	p.script.lists = append(p.script.lists, name)
	switch {
	case p.below != nil && len(args) == 1:
		var entries []string
		for l := range strings.SplitSeq(p.below.body, "\n") {
			if l = strings.TrimSpace(l); l != "" {
				entries = append(entries, l)
			}
		}
		p.world.lists[name] = value.NewSet(entries)
	case p.below == nil && len(args) == 2 && args[1].is("missing"):
		p.world.lists[name] = nil
	case p.below == nil && len(args) == 2 && args[1].is("empty"):
		p.world.lists[name] = value.NewSet(nil)
	default:
		p.fail(first, lang.M("mqltest.error.list", "name", name))
	}
}

func (p *parser) answer(first word, args []word) {
	if len(args) == 0 {
		p.fail(first, lang.M("mqltest.error.few", "word", first.text))
		return
	}
	f, ok := schema.Lookup(args[0].text)
	if !ok {
		p.fail(args[0], lang.M("mqltest.error.function", "name", args[0].text))
		return
	}
	if f.Needs == "" {
		p.fail(args[0], lang.M("mqltest.error.computed", "name", args[0].text))
		return
	}
	switch {
	case p.below != nil && len(args) == 1:
		v, ok := value.ParseJSON(p.below.body)
		if !ok {
			p.at(p.below.line, 1, 1, lang.M("mqltest.error.json"))
			return
		}
		p.world.answers[f.Name] = v
	case p.below == nil && len(args) == 2 && args[1].is("missing"):
		p.world.answers[f.Name] = value.Missing(value.Gap{Capability: string(f.Needs)})
	default:
		p.fail(first, lang.M("mqltest.error.answer", "name", f.Name))
	}
}

func (p *parser) evaluate(first word, args []word) {
	e := &evaluation{line: p.line}
	p.eval = e
	if len(p.script.evals) == MaxEvals {
		p.fail(first, lang.M("mqltest.error.evals", "max", MaxEvals))
		return
	}
	switch {
	case p.below != nil:
		e.expr, e.at = p.below.body, place{p.below.line, 1}
	case len(args) > 0 && args[0].code:
		e.expr, e.at = args[0].text, place{p.line, args[0].column + 1}
		args = args[1:]
	case len(args) > 0 && !args[0].is("on"):
		e.pattern = args[0]
		if _, ok := within(p.script.file, args[0].text); !ok || args[0].text == "" {
			p.fail(args[0], lang.M("mqltest.error.outside", "path", args[0].text))
			return
		}
		args = args[1:]
	}
	if e.pattern.text == "" && strings.TrimSpace(e.expr) == "" || len(args) < 2 || !args[0].is("on") {
		p.fail(first, lang.M("mqltest.error.eval"))
		return
	}
	for _, w := range args[1:] {
		m := p.world.mails[w.text]
		if m == nil && len(p.world.mails) == 0 {
			p.fail(w, lang.M("mqltest.error.no-mail"))
			return
		}
		if m == nil {
			p.fail(w, lang.M("mqltest.error.mail", "name", w.text, "known", slices.Sorted(maps.Keys(p.world.mails))))
			return
		}
		e.mails = append(e.mails, m)
	}
	e.world, p.shared = p.world, true
	p.script.evals = append(p.script.evals, e)
}

// endEval refuses an eval that cannot fail.
func (p *parser) endEval() {
	if e := p.eval; e != nil && len(e.expects) == 0 && e.world != nil {
		p.at(e.line, 1, 1, lang.M("mqltest.error.no-expectation"))
	}
	p.eval = nil
}

// fail adds a mistake at a word of the current line.
func (p *parser) fail(w word, why lang.Message) {
	length := utf8.RuneCountInString(w.text)
	if w.quoted || w.code {
		length += 2
	}
	p.at(p.line, w.column, length, why)
}

// at adds a mistake.
func (p *parser) at(line, column, length int, why lang.Message) {
	if len(p.errs) < maxErrors {
		p.errs = append(p.errs, mistakeAt(p.script.file, p.lines, line, column, length, why))
	}
}

func mistakeAt(file string, lines []string, line, column, length int, m lang.Message) *Error {
	e := &Error{File: file, Line: line, Column: column, Length: max(1, length), Message: m}
	if line >= 1 && line <= len(lines) {
		e.Source = strings.ToValidUTF8(strings.TrimSuffix(lines[line-1], "\r"), "\ufffd")
	}
	return e
}
