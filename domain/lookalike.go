package domain

import (
	"slices"
	"strings"
)

// Kind says how a name imitates another.
type Kind string

// The ways to imitate "kiso-works.example", and an instance of each.
const (
	DigitSwap   Kind = "digit-swap"  // digits for letters: kis0-w0rks.example
	Confusable  Kind = "confusable"  // characters that look alike: kiso-vvorks.example
	Hyphenation Kind = "hyphenation" // other hyphens: kisoworks.example
	Affix       Kind = "affix"       // words added: kiso-works-login.example
	Edit        Kind = "edit"        // a slip of the keys: kiso-wroks.example
	SwappedTLD  Kind = "swapped-tld" // the same name under another suffix: kiso-works.test
	Subdomain   Kind = "subdomain"   // the name in front of another: kiso-works.example.login.test
)

// Match says how a candidate imitates a target.
type Match struct {
	Kind   Kind
	Target Name // the registered domain that is imitated

	// Piece is what the candidate has, for people to read, and Instead what
	// the target has in its place: "rn" for "m", "test" for "example". For an
	// Affix, Piece is the words added and Instead is empty; for a Subdomain,
	// Piece is the labels that pose as the target.
	Piece, Instead string
}

// Lengths of a registered label, in characters, from which a sign is trusted.
const (
	// A shorter one is so near to other people's names that only characters
	// drawn alike, whole names and telling words in hyphens count.
	longEnough = 5
	// From here on any single slip counts; before, only a swap of neighbours
	// or a doubled or dropped double.
	typoLength = 7
	// From here on the label is taken to be nobody's ordinary word, so that
	// any word added to it counts.
	distinctLength = 8
	// From here on two slips count.
	twoTypoLength = 9
	// From here on both of two slips may be substitutions.
	twoSwapLength = 12
)

// Lookalike reports whether candidate imitates the domain that target lies in,
// and how. Where several ways apply, the most telling is returned: what is
// drawn alike, then hyphens and added words, then slips, then the name as a
// subdomain.
//
// It compares names and knows nobody: the other domains of the target's owner
// ("microsoftonline.com" for "microsoft.com") match as well and are for the
// caller to exclude. A name under the target, or equal to it, never matches.
//
// To compare with many targets, use [Targets].
func Lookalike(candidate, target Name) (Match, bool) {
	for _, m := range NewTargets(target).Lookalikes(candidate) {
		return m, true
	}
	return Match{}, false
}

// Targets is a set of domains that others may imitate, prepared for comparing.
// It is immutable and safe for concurrent use.
type Targets struct {
	targets []target
}

// NewTargets prepares the domains that names lie in, each once. A name in which
// nothing is registered, such as a public suffix, is left out.
func NewTargets(names ...Name) *Targets {
	ts := &Targets{}
	seen := make(map[Name]bool, len(names))
	for _, n := range names {
		sld, suffix := split(n)
		if sld == "" {
			continue
		}
		if registered := Name(sld + "." + string(suffix)); !seen[registered] {
			seen[registered] = true
			ts.targets = append(ts.targets, newTarget(registered, sld, suffix))
		}
	}
	return ts
}

// Lookalikes returns how candidate imitates each of the targets that it does,
// as [Lookalike] would, in the order of the targets. A name that lies in one of
// the targets imitates none of them.
func (ts *Targets) Lookalikes(candidate Name) []Match {
	if candidate == "" {
		return nil
	}
	for i := range ts.targets {
		if candidate.IsSubdomainOf(ts.targets[i].registered) {
			return nil
		}
	}
	var matches []Match
	c := newCandidate(candidate)
	for i := range ts.targets {
		if m, ok := ts.targets[i].match(c); ok {
			m.Target = ts.targets[i].registered
			matches = append(matches, m)
		}
	}
	return matches
}

// candidate is a name prepared for comparing.
type candidate struct {
	name   Name
	labels []string // for people
	left   []label  // of labels, what stands before the registered one
	sld    label    // zero if nothing is registered
	suffix string   // for people
}

func newCandidate(n Name) *candidate {
	sld, suffix := split(n)
	c := &candidate{name: n, labels: n.Labels(), suffix: suffix.Unicode()}
	for i, l := range c.labels {
		c.labels[i] = unicodeLabel(l)
	}
	own := strings.Count(string(suffix), ".") + 1
	if sld != "" {
		own++
		c.sld = newLabel(unicodeLabel(sld))
	}
	for _, l := range c.labels[:len(c.labels)-own] {
		c.left = append(c.left, newLabel(l))
	}
	return c
}

// target is a registered domain prepared for comparing.
type target struct {
	label
	registered Name
	whole      []string // labels of registered, for people
	suffix     string   // for people
	tail       string   // suffix with its dots out: "cojp"
}

func newTarget(registered Name, sld string, suffix Name) target {
	u := registered.Unicode()
	s := suffix.Unicode()
	return target{
		label:      newLabel(unicodeLabel(sld)),
		registered: registered,
		whole:      strings.Split(u, "."),
		suffix:     s,
		tail:       strings.ReplaceAll(s, ".", ""),
	}
}

func (t *target) long() bool { return len(t.chars) >= longEnough }

// distinct reports whether the label is unlike an ordinary word.
func (t *target) distinct() bool {
	return len(t.chars) >= distinctLength || t.long() && len(t.words) > 1
}

func (t *target) match(c *candidate) (Match, bool) {
	// A parent of the target is where the target got its name.
	if t.registered.IsSubdomainOf(c.name) {
		return Match{}, false
	}
	if c.sld.text != "" {
		if m, ok := t.matchSLD(&c.sld, c.suffix); ok {
			return m, true
		}
	}
	return t.matchLeft(c)
}

// matchSLD compares the registered label of a candidate.
func (t *target) matchSLD(l *label, suffix string) (Match, bool) {
	if l.text == t.text {
		return Match{Kind: SwappedTLD, Piece: suffix, Instead: t.suffix}, t.long()
	}
	if m, ok := t.matchDrawn(l); ok {
		return m, true
	}
	if t.long() && l.flat == t.flat {
		return Match{Kind: Hyphenation, Piece: l.text, Instead: t.text}, true
	}
	if m, ok := t.matchWords(l); ok {
		return m, true
	}
	if t.isTypo(l) {
		piece, instead := difference(l.text, t.text)
		return Match{Kind: Edit, Piece: piece, Instead: instead}, true
	}
	return Match{}, false
}

// matchDrawn reports whether l is drawn like the target's label without being
// it.
func (t *target) matchDrawn(l *label) (Match, bool) {
	if l.text == t.text {
		return Match{}, false
	}
	// In a short label, other readings of digits than 0 and 1 and other pairs
	// than those of UTS #39 make one real name of another.
	if !t.long() && l.skeleton != t.skeleton {
		return Match{}, false
	}
	return drawn(l.text, t.text, l.fold == t.fold)
}

// drawn returns the match of text, which may be drawn like want or have digits
// for its letters.
func drawn(text, want string, alike bool) (Match, bool) {
	kind := Confusable
	switch {
	case isDigitSwap(text, want):
		kind = DigitSwap
	case !alike:
		return Match{}, false
	}
	piece, instead := difference(text, want)
	return Match{Kind: kind, Piece: piece, Instead: instead}, true
}

// matchWords looks for the target's label among the words of l, and with words
// stuck to it.
func (t *target) matchWords(l *label) (Match, bool) {
	if len(l.words) > 1 {
		for from := range l.words {
			to := t.sameWords(l, from)
			if to > 0 && to-from < len(l.words) && t.telling(l.words[:from], l.words[to:]) {
				return Match{Kind: Affix, Piece: added(l.words[:from], l.words[to:])}, true
			}
			if m, ok := t.drawnWords(l, from); ok {
				return m, true
			}
		}
	}
	return t.matchGlued(l)
}

// sameWords returns the end of the words of l from the given one on that spell
// the target's label, and 0 if they do not. In a short label the hyphens must
// agree as well.
func (t *target) sameWords(l *label, from int) (to int) {
	if !t.long() {
		to = from + len(t.words)
		if to <= len(l.words) && slices.Equal(l.words[from:to], t.words) {
			return to
		}
		return 0
	}
	rest := t.flat
	for to = from; rest != ""; to++ {
		var ok bool
		if to == len(l.words) {
			return 0
		}
		if rest, ok = strings.CutPrefix(rest, l.words[to]); !ok {
			return 0
		}
	}
	return to
}

// drawnWords reports whether as many words of l from the given one on as the
// target's label has are drawn like it.
func (t *target) drawnWords(l *label, from int) (Match, bool) {
	to := from + len(t.words)
	if !t.long() || to > len(l.words) || len(t.words) == len(l.words) {
		return Match{}, false
	}
	alike := slices.Equal(l.folds[from:to], t.folds)
	// Joining is kept for those that can match.
	if !alike && len(l.words[from]) != len(t.words[0]) {
		return Match{}, false
	}
	text := strings.Join(l.words[from:to], "-")
	if text == t.text {
		return Match{}, false
	}
	return drawn(text, t.text, alike)
}

// telling reports whether words around the target's label make an imitation.
func (t *target) telling(before, after []string) bool {
	return t.distinct() ||
		slices.ContainsFunc(before, isWords) ||
		slices.ContainsFunc(after, isWords) ||
		strings.Join(after, "") == t.tail
}

// matchGlued looks for the target's label with words stuck to it.
func (t *target) matchGlued(l *label) (Match, bool) {
	if !t.long() {
		return Match{}, false
	}
	if rest, ok := strings.CutPrefix(l.flat, t.flat); ok && (isWords(rest) || rest == t.tail) {
		return Match{Kind: Affix, Piece: rest}, true
	}
	if rest, ok := strings.CutSuffix(l.flat, t.flat); ok && isWords(rest) {
		return Match{Kind: Affix, Piece: rest}, true
	}
	return Match{}, false
}

// matchLeft looks for the target in the labels to the left of what the
// candidate's owner registered.
func (t *target) matchLeft(c *candidate) (Match, bool) {
	// The last label is never part of an imitation: there it would be real.
	for i := 0; i+len(t.whole) < len(c.labels); i++ {
		if slices.Equal(c.labels[i:i+len(t.whole)], t.whole) {
			return Match{Kind: Subdomain, Piece: strings.Join(t.whole, ".")}, true
		}
	}
	if !t.long() {
		return Match{}, false
	}
	for i := range c.left {
		l := &c.left[i]
		if l.text == t.text {
			return Match{Kind: Subdomain, Piece: l.text}, true
		}
		_, ok := t.matchDrawn(l)
		if !ok && l.flat != t.flat {
			_, ok = t.matchWords(l)
		} else {
			ok = true
		}
		if ok {
			return Match{Kind: Subdomain, Piece: l.text, Instead: t.text}, true
		}
	}
	return Match{}, false
}

// isTypo reports whether l is so few slips from the target's label that a hasty
// reader takes it for that. The first character must agree: few slips happen
// there, and it keeps "email" from imitating "gmail".
func (t *target) isTypo(l *label) bool {
	if !t.long() || l.chars[0] != t.chars[0] {
		return false
	}
	n := len(t.chars)
	if n < typoLength {
		return isSlip(l.chars, t.chars)
	}
	limit := oneSlip
	switch {
	case n >= twoSwapLength:
		limit = 2 * substitution
	case n >= twoTypoLength:
		limit = substitution + insertion
	}
	return distance(l.chars, t.chars, limit) <= limit
}
