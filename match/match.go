// Package match asks many questions about one text at once: whether it contains
// a word, begins or ends with one, is like a pattern with wildcards, or matches
// a regular expression, each with or without regard to case.
//
// Most patterns need some literal to be there, and most texts hold few of them.
// A [Set] therefore looks for the literals of all its patterns in one pass
// (Aho and Corasick, "Efficient string matching", CACM 18 (1975)), over the text
// with its case folded, and asks the patterns themselves only where a literal
// that they need was found. Whether an expression matches is told by a
// deterministic automaton that is built as far as texts need it. The answers are
// those of package regexp (RE2 syntax, linear time) and of package strings; all
// this only saves work.
//
// Bytes that are no UTF-8 stand for U+FFFD, one for each, as they do in package
// regexp: a stray byte between two words hides neither.
package match

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/sekisho/sekisho/budget"
)

// Kind is how a pattern is compared with the text.
type Kind uint8

// The kinds.
const (
	Contains Kind = iota // the text contains it
	Prefix               // the text begins with it
	Suffix               // the text ends with it
	Glob                 // the whole text is like it: * is any run of characters, ? is one
	Regexp               // something in the text matches it (RE2 syntax)
)

// Pattern is one question about a text.
type Pattern struct {
	Kind Kind
	Text string
	Fold bool // without regard to case (Unicode simple folding)
}

// ErrPattern means that a regular expression cannot be read.
var ErrPattern = errors.New("match: not a regular expression")

// Set is many patterns. It is immutable and safe for concurrent use.
type Set struct {
	patterns []Pattern
	compiled []compiled
	literals []string // folded, each once
	only     []int32  // by pattern: the one literal that it needs, -1 if that is not all

	once      sync.Once
	automaton *automaton
}

// compiled is what is known of a pattern beforehand.
type compiled struct {
	need   [][]int32 // of each of these, one literal is there if it matches; nil: not known
	sure   bool      // where one is there, it matches
	quick  bool      // asking the pattern itself costs less than looking for them
	folded string    // the pattern folded
	glob   *glob

	regexp *lazyRegexp
}

// lazyRegexp is compiled when a text first gets as far as asking it.
type lazyRegexp struct {
	expr string

	once sync.Once
	re   *regexp.Regexp

	ready   sync.Once
	program *program // nil: too large

	mu   sync.Mutex
	idle []*dfa
}

func (l *lazyRegexp) get() *regexp.Regexp {
	l.once.Do(func() {
		// That it parses was seen before; what is too large to compile never
		// matches.
		l.re, _ = regexp.Compile(l.expr)
	})
	return l.re
}

// run returns the expression as a program, nil if it is too large for one.
func (l *lazyRegexp) run() *program {
	l.ready.Do(func() {
		if tree, err := syntax.Parse(l.expr, syntax.Perl); err == nil {
			l.program = newProgram(tree)
		}
	})
	return l.program
}

// price is what package regexp takes for a byte at the worst.
func (l *lazyRegexp) price() int {
	if p := l.run(); p != nil {
		return 1 + len(p.prog.Inst)/4
	}
	return 1 + maxInsts/4
}

// maxIdle is how many automata of one expression are kept.
const maxIdle = 4

// matches reports whether the expression matches anywhere in text. ok is false
// where the budget has run out.
func (l *lazyRegexp) matches(text string, b *budget.Budget) (matched, ok bool) {
	p := l.run()
	if p == nil {
		if !b.Spend(1 + len(text)*l.price()) {
			return false, false
		}
		re := l.get()
		return re != nil && re.MatchString(text), true
	}
	var d *dfa
	l.mu.Lock()
	if n := len(l.idle); n > 0 {
		d, l.idle = l.idle[n-1], l.idle[:n-1]
	}
	l.mu.Unlock()
	if d == nil {
		d = newDFA(p)
	}
	matched, ok = d.matches(text, b)
	l.mu.Lock()
	if len(l.idle) < maxIdle && len(d.ids) <= d.most {
		l.idle = append(l.idle, d)
	}
	l.mu.Unlock()
	return matched, ok
}

// Compile makes a set of patterns, which are then known by their place. The
// error is [ErrPattern] where a regular expression cannot be read.
func Compile(patterns []Pattern) (*Set, error) {
	s := &Set{patterns: patterns, compiled: make([]compiled, len(patterns)), only: make([]int32, len(patterns))}
	ids := map[string]int32{}
	for i, p := range patterns {
		c := &s.compiled[i]
		var need [][]string
		switch p.Kind {
		case Contains:
			if p.Fold {
				c.folded = Fold(p.Text)
			}
			if utf8.ValidString(p.Text) && len(p.Text) >= minLiteral {
				need, c.sure = [][]string{{Fold(p.Text)}}, p.Fold
			}
		case Prefix, Suffix:
			if p.Fold {
				c.folded = Fold(p.Text)
			}
			if utf8.ValidString(p.Text) && len(p.Text) >= minLiteral {
				need, c.quick = [][]string{{Fold(p.Text)}}, true
			}
		case Glob:
			c.glob = newGlob(p.Text, p.Fold)
			if piece := c.glob.longest(); utf8.ValidString(piece) && len(piece) >= minLiteral {
				need = [][]string{{Fold(piece)}}
			}
		case Regexp:
			expr := p.Text
			if p.Fold {
				expr = "(?i)" + expr
			}
			tree, err := syntax.Parse(expr, syntax.Perl)
			if err != nil {
				return nil, fmt.Errorf("pattern %d: %w: %w", i+1, ErrPattern, err)
			}
			need = required(tree)
			c.regexp = &lazyRegexp{expr: expr}
		}
		for _, choice := range need {
			list := make([]int32, len(choice))
			for i, l := range choice {
				id, ok := ids[l]
				if !ok {
					id = int32(len(s.literals))
					ids[l] = id
					s.literals = append(s.literals, l)
				}
				list[i] = id
			}
			c.need = append(c.need, list)
		}
		s.only[i] = -1
		if len(c.need) == 1 && len(c.need[0]) == 1 && !c.quick {
			s.only[i] = c.need[0][0]
		}
	}
	return s, nil
}

// Len returns the number of patterns.
func (s *Set) Len() int { return len(s.patterns) }

// Regexp returns the regular expression at place i, nil if the pattern is of
// another kind or too large to compile.
func (s *Set) Regexp(i int) *regexp.Regexp {
	if l := s.compiled[i].regexp; l != nil {
		return l.get()
	}
	return nil
}

// Literals returns how many patterns need a literal, for measuring.
func (s *Set) Literals() (n int) {
	for i := range s.compiled {
		if s.compiled[i].need != nil {
			n++
		}
	}
	return n
}

// Fold returns s with every character replaced by one that stands for all that
// equal it but for case (Unicode simple folding): the small letter for those of
// ASCII, the least otherwise. "\u212a" (the Kelvin sign) becomes "k". Bytes that
// are no UTF-8 become U+FFFD.
func Fold(s string) string {
	i := 0
	for i < len(s) && s[i] < utf8.RuneSelf && (s[i] < 'A' || s[i] > 'Z') {
		i++
	}
	if i == len(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:i])
	for i < len(s) {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			b.WriteByte(c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		b.WriteRune(foldRune(r))
		i += n
	}
	return b.String()
}

func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	// No letter above has another case; unicode.SimpleFold would search.
	if r >= 0x2e80 && r < 0xa640 || r >= 0xac00 && r < 0xfb00 {
		return r
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if least >= 'A' && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}

// IndexFold returns the place of the first stretch of s that equals sub but for
// case, from and to in bytes of s.
func IndexFold(s, sub string) (from, to int, ok bool) {
	folded := Fold(s)
	f := Fold(sub)
	i := strings.Index(folded, f)
	if i < 0 {
		return 0, 0, false
	}
	from, to = unfold(s, folded, i, i+len(f))
	return from, to, true
}

// unfold finds folded[lo:hi] in s, of which folded is the fold.
func unfold(s, folded string, lo, hi int) (from, to int) {
	if hi <= len(s) && isASCII(s[:hi]) {
		return lo, hi
	}
	at := 0
	for i, r := range s {
		if at == lo {
			from = i
		}
		if at >= hi {
			return from, i
		}
		at += utf8.RuneLen(foldRune(r))
	}
	if at == lo {
		from = len(s)
	}
	return from, len(s)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
