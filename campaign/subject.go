package campaign

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/sekisho/sekisho/domain/confusable"
)

// shape is a subject without what changes from mail to mail.
type shape struct {
	text    string // letters; numbers and names are masked
	letters int    // that are not masked; those of Chinese and Japanese count double
	runes   []rune
	grams   map[uint64]*pair // made for a probe only
	round   int
}

// mask stands for a number, an identifier, an address or the name of a
// recipient.
const mask = '#'

// shapeOf returns the shape of a subject.
func shapeOf(subject string, recipients []string) shape {
	s := tailor(subject, recipients)
	out := shape{text: s, runes: []rune(s)}
	for _, r := range out.runes {
		switch {
		case r == mask || r == ' ':
		case r >= 0x2e80:
			out.letters += 2
		default:
			out.letters++
		}
	}
	return out
}

// prefixes are what replies, forwards and filters put in front.
func prefixes() []string {
	return []string{
		"re:", "fw:", "fwd:", "aw:", "wg:", "rv:", "tr:", "返信:", "転送:", "答复:", "回复:",
		"[external]", "[ext]", "(external)", "external:", "[外部]", "【外部】", "【社外】", "[社外]",
		"[spam]", "***spam***", "[suspicious]", "[caution]", "[warning]",
	}
}

// tailor folds a subject and masks what changes.
func tailor(subject string, recipients []string) string {
	s := strings.ToLower(norm.NFKC.String(strings.ToValidUTF8(clip(subject, maxSubject), "")))
	front := prefixes()
	for again := true; again; {
		again = false
		s = strings.TrimLeft(s, " \t\u3000")
		for _, p := range front {
			if rest, ok := strings.CutPrefix(s, p); ok {
				s, again = rest, true
			}
		}
	}
	for _, r := range recipients[:min(len(recipients), maxRecipients)] {
		r = strings.ToLower(r)
		local, host, ok := strings.Cut(r, "@")
		s = strings.ReplaceAll(s, r, string(mask))
		if !ok {
			continue
		}
		if len(host) >= 4 {
			s = strings.ReplaceAll(s, host, string(mask))
		}
		if label, _, _ := strings.Cut(host, "."); len(label) >= 4 {
			s = replaceWord(s, label)
		}
		if len(local) >= 3 {
			s = replaceWord(s, local)
			for part := range strings.FieldsFuncSeq(local, func(r rune) bool { return r == '.' || r == '_' || r == '-' }) {
				if len(part) >= 3 {
					s = replaceWord(s, part)
				}
			}
		}
	}
	var b strings.Builder
	for word := range strings.FieldsSeq(s) {
		if strings.ContainsRune(word, '@') {
			word = string(mask)
		}
		word = letters(word)
		if word == "" {
			continue
		}
		if b.Len() > 0 {
			if word == string(mask) && strings.HasSuffix(b.String(), string(mask)) {
				continue // "order 12 of 34" and "order 12"
			}
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	return b.String()
}

// clip cuts at a rune.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// replaceWord masks a name where it stands as a word.
func replaceWord(s, name string) string {
	at := 0
	for {
		i := strings.Index(s[at:], name)
		if i < 0 {
			return s
		}
		i += at
		end := i + len(name)
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		after, _ := utf8.DecodeRuneInString(s[end:])
		if i > 0 && isLatin(before) || end < len(s) && isLatin(after) {
			at = end
			continue
		}
		s = s[:i] + string(mask) + s[end:]
		at = i + 1
	}
}

func isLatin(r rune) bool { return r < 0x250 && unicode.IsLetter(r) }

// letters keeps the letters of a word, with the look of Latin ones as these, and
// masks runs of digits and identifiers.
func letters(word string) string {
	digits, latin, upperOnly := 0, 0, true
	for _, r := range word {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r >= 'a' && r <= 'z':
			latin++
		case unicode.IsLetter(r):
			upperOnly = false
		}
	}
	// INV-2026-0042, a8f3c2: nobody reads those.
	if upperOnly && digits > 0 && latin > 0 && digits+latin >= 5 {
		return string(mask)
	}
	var b strings.Builder
	last := rune(0)
	for _, r := range word {
		switch {
		case r >= 'a' && r <= 'z':
		case r >= 0x80 && (unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r)):
			continue
		case unicode.IsDigit(r) || r == mask:
			r = mask
			if last == mask {
				continue
			}
		case unicode.IsLetter(r) || unicode.Is(unicode.Mn, r) || r == 'ー':
			if r >= 0x250 && r < 0x2e80 {
				if p, ok := confusable.Prototype(r); ok && len(p) == 1 {
					r = unicode.ToLower(rune(p[0]))
				}
			}
		default:
			continue
		}
		b.WriteRune(r)
		last = r
	}
	return b.String()
}

// fold makes names comparable.
func fold(s string) string {
	var b strings.Builder
	for word := range strings.FieldsSeq(strings.ToLower(norm.NFKC.String(strings.ToValidUTF8(clip(s, maxSubject), "")))) {
		if word = letters(word); word != "" {
			b.WriteString(word)
			b.WriteByte(' ')
		}
	}
	return strings.TrimSuffix(b.String(), " ")
}

func gram(a, b rune) uint64 { return uint64(a)<<32 | uint64(b) }

// pair counts two runes that stand together: how often in the shape, and how
// often they were found in the one that it was last compared with.
type pair struct{ n, used, round int }

func (s *shape) index() {
	s.grams = make(map[uint64]*pair, len(s.runes))
	for i := range len(s.runes) - 1 {
		g := gram(s.runes[i], s.runes[i+1])
		if s.grams[g] == nil {
			s.grams[g] = &pair{}
		}
		s.grams[g].n++
	}
}

// leastAlike is the similarity from which subjects count as alike.
const leastAlike = 0.62

// similar is the share of pairs of letters that two subjects have in common
// (Dice), 0 where it cannot reach what counts.
func (s *shape) similar(o *shape) float64 {
	if s.text == o.text {
		return 1
	}
	a, b := len(s.runes)-1, len(o.runes)-1
	if a <= 0 || b <= 0 || 2*float64(min(a, b))/float64(a+b) < leastAlike {
		return 0
	}
	if s.grams == nil {
		s.index()
	}
	s.round++
	common := 0
	for i := range b {
		g := s.grams[gram(o.runes[i], o.runes[i+1])]
		if g == nil {
			continue
		}
		if g.round != s.round {
			g.round, g.used = s.round, 0
		}
		if g.used < g.n {
			g.used++
			common++
		}
	}
	return 2 * float64(common) / float64(a+b)
}

// maxCache bounds the subjects whose shape is remembered.
const maxCache = 20_000

func (p *Probe) compareSubject(m *Mail, out []Reason) []Reason {
	if p.subject.letters == 0 || m.Subject == "" {
		return out
	}
	var s shape
	if len(m.Recipients) > 0 {
		s = shapeOf(m.Subject, m.Recipients)
	} else if c, ok := p.cache[m.Subject]; ok {
		s = c
	} else {
		s = shapeOf(m.Subject, nil)
		if len(p.cache) >= maxCache {
			clear(p.cache)
		}
		p.cache[strings.Clone(m.Subject)] = s
	}
	if s.letters == 0 {
		return out
	}
	same := p.subject.similar(&s)
	if same < leastAlike {
		return out
	}
	// A subject of two words is everybody's.
	weight := 0.18
	switch n := min(p.subject.letters, s.letters); {
	case n >= 22:
		weight = 0.64
	case n >= 14:
		weight = 0.5
	case n >= 9:
		weight = 0.32
	}
	switch {
	case same >= 0.97:
		return append(out, Reason{SubjectSame, m.Subject, weight})
	case same >= 0.8:
		return append(out, Reason{SubjectAlike, m.Subject, weight * 0.8})
	}
	return append(out, Reason{SubjectAlike, m.Subject, weight * 0.5})
}
