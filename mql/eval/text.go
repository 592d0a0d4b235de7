package eval

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/sekisho/sekisho/match"
	"github.com/sekisho/sekisho/mql/syntax"
	"github.com/sekisho/sekisho/mql/value"
)

// textKind is a function of a text and patterns.
type textKind struct {
	kind  match.Kind
	fold  bool
	whole bool // an expression must match the whole text
	what  textWhat
}

type textWhat uint8

const (
	asks     textWhat = iota // whether any pattern matches
	counts                   // how often
	extracts                 // all matches with their groups
)

var textFunctions = map[string]textKind{
	"strings.contains":     {kind: match.Contains},
	"strings.icontains":    {kind: match.Contains, fold: true},
	"strings.starts_with":  {kind: match.Prefix},
	"strings.istarts_with": {kind: match.Prefix, fold: true},
	"strings.ends_with":    {kind: match.Suffix},
	"strings.iends_with":   {kind: match.Suffix, fold: true},
	"strings.like":         {kind: match.Glob},
	"strings.ilike":        {kind: match.Glob, fold: true},
	"strings.count":        {kind: match.Contains, what: counts},
	"strings.icount":       {kind: match.Contains, fold: true, what: counts},
	"regex.contains":       {kind: match.Regexp},
	"regex.icontains":      {kind: match.Regexp, fold: true},
	"regex.match":          {kind: match.Regexp, whole: true},
	"regex.imatch":         {kind: match.Regexp, fold: true, whole: true},
	"regex.count":          {kind: match.Regexp, what: counts},
	"regex.icount":         {kind: match.Regexp, fold: true, what: counts},
	"regex.extract":        {kind: match.Regexp, what: extracts},
	"regex.iextract":       {kind: match.Regexp, fold: true, what: extracts},
}

// pattern returns the pattern for a text that was given as an argument.
func (k textKind) pattern(s string) match.Pattern {
	if k.whole {
		s = `\A(?:` + s + `)\z`
	}
	return match.Pattern{Kind: k.kind, Text: s, Fold: k.fold}
}

// group is all patterns that are applied to the same field.
type group struct {
	index    int
	patterns []match.Pattern
	ids      map[match.Pattern]int // while rules are compiled

	once sync.Once
	made *match.Set
}

func (g *group) add(p match.Pattern) int {
	id, ok := g.ids[p]
	if !ok {
		id = len(g.patterns)
		g.ids[p] = id
		g.patterns = append(g.patterns, p)
	}
	return id
}

// never is a pattern that matches nothing.
var never = match.Pattern{Kind: match.Regexp, Text: `[^\x00-\x{10FFFF}]`}

// set returns the patterns ready to be asked. They are made at their first use,
// since no message has all fields that rules ask for.
func (g *group) set() *match.Set {
	g.once.Do(func() {
		set, err := match.Compile(g.patterns)
		if err != nil {
			// Expressions were checked; one that is too large all the same
			// matches nothing.
			safe := slices.Clone(g.patterns)
			for i, p := range safe {
				if _, err := match.Compile([]match.Pattern{p}); err != nil {
					safe[i] = never
				}
			}
			set, _ = match.Compile(safe)
		}
		g.made = set
	})
	return g.made
}

// group returns the group of an expression: of one that is computed once its
// own, of one in a loop that of all which end in the same fields.
func (c *compiler) group(x *cell, e syntax.Expr) *group {
	key := "#"
	if x.reads == 0 {
		key += strconv.Itoa(int(x.id))
	} else {
		var path strings.Builder
		for e = syntax.Unparen(e); ; {
			f, ok := e.(*syntax.Field)
			if !ok {
				break
			}
			path.WriteString("." + f.Name)
			e = syntax.Unparen(f.X)
		}
		key += path.String()
	}
	g, ok := c.byKey[key]
	if !ok {
		g = &group{index: len(c.groups), ids: map[match.Pattern]int{}}
		c.byKey[key] = g
		c.groups = append(c.groups, g)
	}
	return g
}

// textNode applies patterns to a text.
type textNode struct {
	textKind
	x       *cell
	group   *group
	ids     []int   // patterns that are known
	dynamic []*cell // patterns that are computed
}

func (c *compiler) text(name string, k textKind, e *syntax.Call) *cell {
	x := c.expr(e.Args[0])
	args := []*cell{x}
	cost := costText
	if k.kind != match.Regexp {
		cost = costText / 2
	}
	n := &textNode{textKind: k, x: x}
	var words []string
	for _, a := range e.Args[1:] {
		p := c.expr(a)
		if s, ok := syntax.Unparen(a).(*syntax.String); ok {
			words = append(words, s.Value)
			continue
		}
		n.dynamic = append(n.dynamic, p)
		args = append(args, p)
	}
	return c.cell(name, words, args, cost, func() node {
		n.group = c.group(x, e.Args[0])
		for _, w := range words {
			n.ids = append(n.ids, n.group.add(k.pattern(w)))
		}
		return n
	})
}

// scans are the texts that were looked at for a group.
type scans struct {
	last  *match.Scan
	texts map[string]*match.Scan
}

// maxScans bounds the texts that are kept for a group.
const maxScans = 8192

func (r *Run) scan(g *group, text string) *match.Scan {
	s := &r.scans[g.index]
	if s.last != nil && len(s.last.Text()) == len(text) && s.last.Text() == text {
		return s.last
	}
	scan := s.texts[text]
	if scan == nil {
		r.spend(turnCost + len(g.patterns)/8)
		scan = g.set().Scan(text, r.budget)
		if s.texts == nil || len(s.texts) >= maxScans {
			s.texts = map[string]*match.Scan{}
		}
		s.texts[text] = scan
	}
	s.last = scan
	return scan
}

func (n *textNode) eval(r *Run) value.Value {
	x := n.x.eval(r)
	text, ok := x.Str()
	if !ok {
		if m, missing := value.Either(x); missing {
			return m
		}
		return value.Null
	}
	switch n.what {
	case counts:
		return n.count(r, text)
	case extracts:
		return n.extract(r, x, text)
	}
	if len(n.ids) > 0 {
		scan := r.scan(n.group, text)
		for _, id := range n.ids {
			m, ok := scan.Match(id)
			if !ok {
				return r.out
			}
			if m {
				return value.True
			}
		}
	}
	if len(n.dynamic) == 0 {
		return value.False
	}
	known := len(n.ids) > 0
	missing := value.Null
	for _, d := range n.dynamic {
		p := d.eval(r)
		s, ok := p.Str()
		if !ok {
			missing, _ = value.Either(missing, p)
			continue
		}
		known = true
		m, ok := n.ask(r, text, s)
		if !ok {
			return r.out
		}
		if m {
			return value.True
		}
	}
	switch {
	case missing.IsMissing():
		return missing
	case !known:
		return value.Null
	}
	return value.False
}

// ask compares a text with a pattern that was computed.
func (n *textNode) ask(r *Run, text, pattern string) (matched, ok bool) {
	// Package strings looks at many bytes at once.
	if !r.spend(1 + (len(text)+len(pattern))/16) {
		return false, false
	}
	switch n.kind {
	case match.Contains:
		if n.fold {
			return strings.Contains(r.fold(text), match.Fold(pattern)), true
		}
		return strings.Contains(text, pattern), true
	case match.Prefix:
		if n.fold {
			return strings.HasPrefix(r.fold(text), match.Fold(pattern)), true
		}
		return strings.HasPrefix(text, pattern), true
	case match.Suffix:
		if n.fold {
			return strings.HasSuffix(r.fold(text), match.Fold(pattern)), true
		}
		return strings.HasSuffix(text, pattern), true
	}
	set, ok := n.compile(r, pattern)
	if !ok {
		return false, false
	}
	if set == nil {
		return false, true
	}
	return set.Scan(text, r.budget).Match(0)
}

// What compiling a pattern that was computed costs.
const (
	compileCost = 4096
	compileByte = 512
)

// compile makes ready a pattern that was computed. The set is nil for one that
// cannot be read.
func (n *textNode) compile(r *Run, pattern string) (set *match.Set, ok bool) {
	if !r.spend(compileCost + compileByte*len(pattern)) {
		return nil, false
	}
	set, err := match.Compile([]match.Pattern{n.pattern(pattern)})
	if err != nil {
		set = nil
	}
	return set, true
}

// maxFolded bounds the texts that are kept folded.
const maxFolded = 128

func (r *Run) fold(text string) string {
	f, ok := r.folded[text]
	if !ok {
		if len(r.folded) >= maxFolded {
			clear(r.folded)
		}
		r.spend(2 * len(text))
		f = match.Fold(text)
		r.folded[text] = f
	}
	return f
}

// maxMatches bounds the matches of one expression in one text.
const maxMatches = 10_000

// places returns where the patterns match, pattern by pattern.
func (n *textNode) places(r *Run, text string, visit func(places [][]int, re *regexp.Regexp)) (missing value.Value, known bool) {
	scan := r.scan(n.group, text)
	for _, id := range n.ids {
		places, re, ok := scan.FindAll(id, maxMatches)
		if !ok {
			return r.out, true
		}
		visit(places, re)
	}
	known = len(n.ids) > 0
	for _, d := range n.dynamic {
		p := d.eval(r)
		s, ok := p.Str()
		if !ok {
			missing, _ = value.Either(missing, p)
			continue
		}
		known = true
		set, ok := n.compile(r, s)
		if !ok {
			return r.out, true
		}
		if set == nil {
			continue
		}
		places, re, ok := set.Scan(text, r.budget).FindAll(0, maxMatches)
		if !ok {
			return r.out, true
		}
		visit(places, re)
	}
	return missing, known
}

func (n *textNode) count(r *Run, text string) value.Value {
	total := int64(0)
	if n.kind == match.Regexp {
		missing, known := n.places(r, text, func(places [][]int, _ *regexp.Regexp) { total += int64(len(places)) })
		switch {
		case missing.IsMissing():
			return missing
		case !known:
			return value.Null
		}
		return value.Int(total)
	}
	one := func(p string) bool {
		if !r.spend(1 + len(text)) {
			return false
		}
		if p == "" {
			return true // nothing stands nowhere
		}
		if n.fold {
			total += int64(strings.Count(r.fold(text), match.Fold(p)))
		} else {
			total += int64(strings.Count(text, p))
		}
		return true
	}
	known := len(n.ids) > 0
	missing := value.Null
	for _, id := range n.ids {
		if !one(n.group.patterns[id].Text) {
			return r.out
		}
	}
	for _, d := range n.dynamic {
		p := d.eval(r)
		s, ok := p.Str()
		if !ok {
			missing, _ = value.Either(missing, p)
			continue
		}
		known = true
		if !one(s) {
			return r.out
		}
	}
	switch {
	case missing.IsMissing():
		return missing
	case !known:
		return value.Null
	}
	return value.Int(total)
}

var matchShape = value.NewShape("RegexMatch", "full_match", "groups", "named_groups")

func (n *textNode) extract(r *Run, x value.Value, text string) value.Value {
	var out []value.Value
	missing, known := n.places(r, text, func(places [][]int, re *regexp.Regexp) {
		for _, p := range places {
			if len(out) >= maxMatches {
				return
			}
			out = append(out, value.Of(extracted(x, p, re)))
		}
	})
	switch {
	case missing.IsMissing():
		return missing
	case !known:
		return value.Null
	}
	return value.Array(out...)
}

// extracted is one match. A group that took no part is the empty text.
func extracted(x value.Value, p []int, re *regexp.Regexp) *value.Object {
	return matchShape.Lazy(func(name string) value.Value {
		sub := func(i int) value.Value {
			if p[2*i] < 0 {
				return value.String("")
			}
			return x.Part(p[2*i], p[2*i+1])
		}
		switch name {
		case "full_match":
			return sub(0)
		case "groups":
			out := make([]value.Value, 0, len(p)/2)
			for i := 1; i < len(p)/2; i++ {
				out = append(out, sub(i))
			}
			return value.Array(out...)
		}
		var m value.Map
		for i, name := range re.SubexpNames() {
			if name != "" {
				m.Set(name, sub(i))
			}
		}
		return value.Of(&m)
	})
}
