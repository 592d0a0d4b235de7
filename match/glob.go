package match

import (
	"strings"
	"unicode/utf8"
)

// glob is a pattern with wildcards, cut at its stars.
type glob struct {
	pieces []piece // between the stars; the first and the last may be empty
	fold   bool
}

// piece is a stretch without a star.
type piece struct {
	text string
	any  bool // it holds a ?
}

func newGlob(pattern string, fold bool) *glob {
	if fold {
		pattern = Fold(pattern)
	}
	g := &glob{fold: fold}
	for p := range strings.SplitSeq(pattern, "*") {
		g.pieces = append(g.pieces, piece{p, strings.Contains(p, "?")})
	}
	return g
}

// longest returns the longest stretch without any wildcard.
func (g *glob) longest() (out string) {
	for _, p := range g.pieces {
		for s := range strings.SplitSeq(p.text, "?") {
			if len(s) > len(out) {
				out = s
			}
		}
	}
	return out
}

// match reports whether the whole text is like the pattern. A folded pattern
// wants folded text.
func (g *glob) match(text string) bool {
	first, last := g.pieces[0], g.pieces[len(g.pieces)-1]
	if len(g.pieces) == 1 {
		n, ok := first.prefix(text)
		return ok && n == len(text)
	}
	n, ok := first.prefix(text)
	if !ok {
		return false
	}
	text = text[n:]
	n, ok = last.suffix(text)
	if !ok {
		return false
	}
	text = text[:len(text)-n]
	// The leftmost place is as good as any other for what stands between.
	for _, p := range g.pieces[1 : len(g.pieces)-1] {
		if n, ok = p.find(text); !ok {
			return false
		}
		text = text[n:]
	}
	return true
}

// prefix returns how much of the start of text the piece takes.
func (p piece) prefix(text string) (n int, ok bool) {
	if !p.any {
		return len(p.text), strings.HasPrefix(text, p.text)
	}
	rest := text
	for i := 0; i < len(p.text); {
		_, size := utf8.DecodeRuneInString(rest)
		if size == 0 {
			return 0, false
		}
		if p.text[i] == '?' {
			rest = rest[size:]
			i++
			continue
		}
		if rest[0] != p.text[i] {
			return 0, false
		}
		// Byte by byte: what is equal in all bytes is equal in characters.
		rest = rest[1:]
		i++
	}
	return len(text) - len(rest), true
}

// suffix returns how much of the end of text the piece takes.
func (p piece) suffix(text string) (n int, ok bool) {
	if !p.any {
		return len(p.text), strings.HasSuffix(text, p.text)
	}
	// As many characters as the piece has.
	at := len(text)
	for range utf8.RuneCountInString(p.text) {
		if at == 0 {
			return 0, false
		}
		_, size := utf8.DecodeLastRuneInString(text[:at])
		at -= size
	}
	n, ok = p.prefix(text[at:])
	return len(text) - at, ok && n == len(text)-at
}

// find returns how much of text the leftmost place of the piece takes, with
// what stands in front of it.
func (p piece) find(text string) (n int, ok bool) {
	if !p.any {
		i := strings.Index(text, p.text)
		return i + len(p.text), i >= 0
	}
	for i := range text {
		if n, ok := p.prefix(text[i:]); ok {
			return i + n, true
		}
	}
	return 0, false
}
