package grounding

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// phrase is a standing sentence: what stands between its slots.
type phrase struct {
	text   string
	pieces []string
}

// minPhrase is how many characters of a phrase have to stand outside its slots,
// so that "{report}" does not match everything.
const minPhrase = 5

func newPhrase(text string) (phrase, bool) {
	p := phrase{text: text}
	rest, n := norm.NFKC.String(strings.TrimSpace(text)), 0
	for {
		before, after, ok := strings.Cut(rest, "{")
		p.pieces = append(p.pieces, before)
		n += utf8.RuneCountInString(strings.TrimSpace(before))
		if !ok {
			break
		}
		_, rest, ok = strings.Cut(after, "}")
		if !ok {
			return p, false
		}
	}
	return p, n >= minPhrase
}

// phrase returns the standing sentence that s is, with what stands in its slots.
func (g *Ground) phrase(s string) (string, []string, bool) {
	best, slots, most := "", []string(nil), -1
	for i := range g.phrases {
		p := &g.phrases[i]
		if in, ok := p.match(s); ok {
			n := 0
			for _, piece := range p.pieces {
				n += len(piece)
			}
			if n > most {
				best, slots, most = p.text, in, n
			}
		}
	}
	return best, slots, most >= 0
}

// Slots returns what stands in the slots of a standing sentence, and whether
// text is one.
func (g *Ground) Slots(text string) ([]string, bool) {
	_, slots, ok := g.phrase(norm.NFKC.String(strings.TrimSpace(text)))
	return slots, ok
}

func (p *phrase) match(s string) ([]string, bool) {
	rest, ok := strings.CutPrefix(s, p.pieces[0])
	if !ok {
		// A slot at the beginning of a sentence may have become upper case.
		return nil, false
	}
	var slots []string
	for i, piece := range p.pieces[1:] {
		last := i == len(p.pieces)-2
		at := -1
		switch trimmed := strings.TrimSpace(piece); {
		case last && trimmed == "":
			at = len(rest)
		case last:
			if strings.HasSuffix(rest, piece) {
				at = len(rest) - len(piece)
			}
		default:
			at = strings.Index(rest, piece)
		}
		if at < 0 {
			return nil, false
		}
		slots = append(slots, rest[:at])
		if last {
			rest = ""
			break
		}
		rest = rest[at+len(piece):]
	}
	return slots, rest == ""
}
