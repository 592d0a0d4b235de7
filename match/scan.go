package match

import (
	"regexp"
	"strings"

	"github.com/sekisho/sekisho/budget"
)

// Scan is one text under the questions of a [Set]. It is not safe for
// concurrent use.
type Scan struct {
	set     *Set
	text    string
	budget  *budget.Budget
	folded  string
	isFold  bool
	looked  bool
	found   bitset
	answers map[int]bool // of what cost something to find out
}

// Scan returns text, ready to be asked. The budget pays for what is asked, one
// unit for a byte that is looked at; it may be nil.
func (s *Set) Scan(text string, b *budget.Budget) *Scan {
	return &Scan{set: s, text: text, budget: b}
}

// Text returns the text.
func (s *Scan) Text() string { return s.text }

// Match reports whether the pattern at place i matches. Where the budget has
// run out, ok is false and nothing is known.
func (s *Scan) Match(i int) (matched, ok bool) {
	if l := s.set.only[i]; l >= 0 && s.looked && !s.found.has(l) {
		return false, true
	}
	c := &s.set.compiled[i]
	if c.need != nil && (s.looked || !c.quick) {
		if !s.look() {
			return false, false
		}
		for _, choice := range c.need {
			there := false
			for _, l := range choice {
				if there = s.found.has(l); there {
					break
				}
			}
			if !there {
				return false, true
			}
		}
		if c.sure {
			return true, true
		}
	}
	if matched, ok = s.answers[i]; ok {
		return matched, true
	}
	if c.regexp != nil {
		matched, ok = c.regexp.matches(s.text, s.budget)
	} else if ok = s.pay(1 + len(s.text)); ok {
		matched = s.ask(i)
	}
	if !ok {
		return false, false
	}
	if s.answers == nil {
		s.answers = map[int]bool{}
	}
	s.answers[i] = matched
	return matched, true
}

// ask asks a pattern that is no expression.
func (s *Scan) ask(i int) bool {
	p, c := &s.set.patterns[i], &s.set.compiled[i]
	switch p.Kind {
	case Contains:
		if p.Fold {
			return strings.Contains(s.fold(), c.folded)
		}
		return strings.Contains(s.text, p.Text)
	case Prefix:
		if p.Fold {
			return hasPrefixFold(s.text, c.folded)
		}
		return strings.HasPrefix(s.text, p.Text)
	case Suffix:
		if p.Fold {
			return strings.HasSuffix(s.fold(), c.folded)
		}
		return strings.HasSuffix(s.text, p.Text)
	case Glob:
		if p.Fold {
			return c.glob.match(s.fold())
		}
		return c.glob.match(s.text)
	}
	return false
}

// look runs the automaton over the text once.
func (s *Scan) look() bool {
	if s.looked {
		return true
	}
	if !s.pay(1 + len(s.text)) {
		return false
	}
	set := s.set
	set.once.Do(func() { set.automaton = newAutomaton(set.literals) })
	s.found = newBitset(len(set.literals))
	set.automaton.find(s.fold(), s.found)
	s.looked = true
	return true
}

func (s *Scan) fold() string {
	if !s.isFold {
		s.folded, s.isFold = Fold(s.text), true
	}
	return s.folded
}

func (s *Scan) pay(n int) bool { return s.budget.Spend(n) }

// Find returns the first place in the text where the pattern at place i
// matches, from and to in bytes, and whether there is one. A glob is found as
// the whole text, or as what its wildcards at both ends leave of it.
func (s *Scan) Find(i int) (from, to int, ok bool) {
	if m, known := s.Match(i); !m || !known {
		return 0, 0, false
	}
	p, c := &s.set.patterns[i], &s.set.compiled[i]
	switch p.Kind {
	case Contains:
		if p.Fold {
			at := strings.Index(s.fold(), c.folded)
			from, to = unfold(s.text, s.folded, at, at+len(c.folded))
			return from, to, true
		}
		at := strings.Index(s.text, p.Text)
		return at, at + len(p.Text), true
	case Prefix:
		if p.Fold {
			from, to = unfold(s.text, s.fold(), 0, len(c.folded))
			return from, to, true
		}
		return 0, len(p.Text), true
	case Suffix:
		if p.Fold {
			from, to = unfold(s.text, s.fold(), len(s.fold())-len(c.folded), len(s.fold()))
			return from, to, true
		}
		return len(s.text) - len(p.Text), len(s.text), true
	case Glob:
		// What stands between two stars is told from the rest of the text.
		if g := c.glob; len(g.pieces) == 3 && g.pieces[0].text == "" && g.pieces[2].text == "" && !g.pieces[1].any {
			if p.Fold {
				at := strings.Index(s.fold(), g.pieces[1].text)
				from, to = unfold(s.text, s.folded, at, at+len(g.pieces[1].text))
				return from, to, true
			}
			at := strings.Index(s.text, g.pieces[1].text)
			return at, at + len(g.pieces[1].text), true
		}
		return 0, len(s.text), true
	}
	re := c.regexp.get()
	if re == nil || !s.pay(1+len(s.text)*c.regexp.price()) {
		return 0, 0, false
	}
	loc := re.FindStringIndex(s.text)
	if loc == nil {
		return 0, 0, false
	}
	return loc[0], loc[1], true
}

// FindAll returns the places of all matches of a regular expression and of its
// groups, at most limit of them, as [regexp.Regexp.FindAllStringSubmatchIndex]
// does. ok is false where the budget has run out or the pattern is of another
// kind.
func (s *Scan) FindAll(i, limit int) (places [][]int, re *regexp.Regexp, ok bool) {
	c := &s.set.compiled[i]
	if c.regexp == nil {
		return nil, nil, false
	}
	m, ok := s.Match(i)
	re = c.regexp.get()
	if !ok || re == nil {
		return nil, re, ok
	}
	if !m {
		return nil, re, true
	}
	if !s.pay(1 + len(s.text)*c.regexp.price()) {
		return nil, re, false
	}
	return re.FindAllStringSubmatchIndex(s.text, limit), re, true
}

// hasPrefixFold folds no more of text than it has to.
func hasPrefixFold(text, folded string) bool {
	for _, r := range text {
		if folded == "" {
			return true
		}
		f := string(foldRune(r))
		if !strings.HasPrefix(folded, f) {
			return false
		}
		folded = folded[len(f):]
	}
	return folded == ""
}
