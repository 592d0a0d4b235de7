// Package lookalike makes the names that somebody could register to be taken
// for another: slips of the keys, letters that look alike, words added, other
// suffixes. Which of them exist is a question for DNS and not for this package.
//
// It is the other direction of [domain.Lookalike], which judges a name that was
// met in a mail. Here nothing was met yet, so the names are ranked by what
// those who attack mail register: what a hasty reader takes for the original
// stands before what only a broken memory chip produces.
package lookalike

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/domain"
)

// Way says how a name was made from the original.
type Way string

// The ways, and what they make of "kiso-works.example".
const (
	Suffix        Way = "suffix"        // another suffix: kiso-works.com
	SuffixAsWord  Way = "suffix-word"   // the suffix as a part of the name: kiso-works-co-jp.com
	Homoglyph     Way = "homoglyph"     // characters drawn alike: kiso-vvorks.example
	Hyphenation   Way = "hyphenation"   // other hyphens: kisoworks.example
	AddedWord     Way = "added-word"    // kiso-works-login.example
	Squash        Way = "squash"        // a dot left out: mailkiso-works.example
	Transposition Way = "transposition" // neighbours swapped: kiso-wroks.example
	Omission      Way = "omission"      // a character left out: kiso-wrks.example
	Repetition    Way = "repetition"    // a character doubled: kiso-workss.example
	Romanization  Way = "romanization"  // another spelling of Japanese: "si" for "shi"
	Keyboard      Way = "keyboard"      // the key beside: kiso-wirks.example
	Bitsquat      Way = "bitsquat"      // one bit flipped: kiso-vorks.example
)

// Candidate is a name that could be taken for the target.
type Candidate struct {
	Name   domain.Name
	Target domain.Name // the registered domain that it imitates
	Way    Way

	// Piece is what the candidate has and Instead what the target has in its
	// place, for people to read. Either may be empty.
	Piece, Instead string

	// Weight says how likely an attacker is to choose the name, 0 to 100. It
	// orders candidates and measures nothing.
	Weight int
}

// Options changes what is made. A nil *Options is the default.
type Options struct {
	// Max is how many candidates are returned, the most likely ones.
	// 0 is [DefaultMax].
	Max int
	// Except are domains that are no candidates, nor is what lies below them:
	// the organisation's own.
	Except []domain.Name
}

const (
	// DefaultMax is how many candidates are made for a domain.
	DefaultMax = 1000

	// A registered label shorter than this is so near to other people's names
	// that a slip in it leads to one of them.
	longEnough = 4
)

// Candidates returns names that could be taken for the domain that target lies
// in, the most likely first, each once. It returns none for a name in which
// nothing is registered, such as a public suffix. If target lies below the
// registered domain, names that leave the dots of target out are made too.
func Candidates(target domain.Name, o *Options) []Candidate {
	if o == nil {
		o = &Options{}
	}
	most := o.Max
	if most <= 0 {
		most = DefaultMax
	}
	label, suffix := domain.SLD(target), domain.PublicSuffix(target)
	if label == "" {
		return nil
	}
	registered := domain.Organizational(target)
	if registered == suffix { // the name of a company that gives names away
		suffix = registered.Parent()
	}
	m := &maker{
		label: label, suffix: string(suffix), target: registered,
		except: append([]domain.Name{registered}, o.Except...),
		best:   map[domain.Name]Candidate{},
	}
	m.suffixes()
	m.squashes(target)
	m.words()
	m.hyphens()
	if len(label) >= longEnough && !strings.HasPrefix(label, "xn--") {
		m.slips()
		m.romanizations()
		m.homoglyphs()
		m.bits()
	}
	out := make([]Candidate, 0, len(m.best))
	for _, c := range m.best {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Name, b.Name))
	})
	return out[:min(len(out), most)]
}

// maker collects candidates.
type maker struct {
	label, suffix string
	target        domain.Name
	except        []domain.Name
	best          map[domain.Name]Candidate
}

// add keeps a name if it can be registered and is nobody's. Of two ways to the
// same name the more likely one counts.
func (m *maker) add(name string, way Way, weight int, piece, instead string) {
	n, err := domain.Parse(name)
	if err != nil || domain.Organizational(n) != n || domain.SLD(n) == "" || !hostLabel(string(n)) {
		return
	}
	if slices.ContainsFunc(m.except, n.IsSubdomainOf) {
		return
	}
	if old, ok := m.best[n]; ok && old.Weight >= weight {
		return
	}
	m.best[n] = Candidate{Name: n, Target: m.target, Way: way, Piece: piece, Instead: instead, Weight: weight}
}

// sub adds a label under the suffix of the target, and, where only a company of
// that country may register there, under the suffixes that anybody can have.
func (m *maker) sub(label string, way Way, weight int, piece, instead string) {
	if label == m.label {
		return
	}
	m.add(label+"."+m.suffix, way, max(1, weight-m.barrier()), piece, instead)
	if m.barrier() > 0 {
		m.add(label+".com", way, weight-5, piece, instead)
		m.add(label+".jp", way, weight-5, piece, instead)
	}
}

// barrier is how much less likely names under the suffix of the target are,
// because a registry asks who wants them: under co.jp one name for each company
// that is registered in Japan.
func (m *maker) barrier() int {
	switch m.suffix {
	case "co.jp", "ac.jp", "go.jp", "or.jp", "ne.jp", "ad.jp", "ed.jp", "gr.jp", "lg.jp", "gov", "edu", "mil", "int":
		return 25
	}
	return 0
}

// hostLabel reports whether the registered label is one that a registry takes:
// letters, digits and hyphens, none of these at an end.
func hostLabel(name string) bool {
	label, _, _ := strings.Cut(name, ".")
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.Contains(label, "_") {
		return false
	}
	return len(label) < 4 || label[2:4] != "--" || strings.HasPrefix(label, "xn--")
}
