// Package summary picks the sentences of an article that say best what it is
// about. It writes nothing of its own: every sentence is one of the text, and
// can be checked there.
//
// A sentence counts for the words that it shares with the rest and with the
// title, for its place, and for words that reporters use where they come to the
// point. Advertisements, greetings and invitations to subscribe count against
// it. Words are compared as in package sentence, so that Japanese needs no
// tokenizer.
package summary

import (
	_ "embed" // the words
	"math"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/sekisho/sekisho/news/sentence"
)

// Limits of [Pick].
const (
	maxText      = 256 << 10 // bytes that are read
	maxSentences = 400       // sentences that compete
)

// Sentence is one that was picked.
type Sentence struct {
	Index int // as [fact.Facts] counts: 0 is the title, 1 the first of the text
	Text  string
}

//go:embed words.txt
var wordList string

type cues struct{ up, down, grammar []string }

var words = sync.OnceValue(func() cues {
	var c cues
	list := &c.up
	for l := range strings.Lines(wordList) {
		switch l = strings.TrimSpace(l); {
		case l == "[up]":
			list = &c.up
		case l == "[down]":
			list = &c.down
		case l == "[grammar]":
			list = &c.grammar
		case l != "" && l[0] != '#':
			for w := range strings.SplitSeq(l, "|") {
				*list = append(*list, strings.TrimSpace(w))
			}
		}
	}
	return c
})

// candidate is a sentence that competes.
type candidate struct {
	Sentence
	words map[string]bool
	score float64
}

// How much a sentence that says the same as one already picked loses.
const variety = 0.6

// Pick returns up to n sentences of the text, in the order of the text. The
// sentence that says most is the first of [Pick] with n = 1.
func Pick(title, text string, n int) []Sentence {
	if len(text) > maxText {
		text = text[:maxText]
		for !utf8.ValidString(text[max(len(text)-4, 0):]) && text != "" {
			text = text[:len(text)-1]
		}
	}
	all := sentence.Split(text)
	list := candidates(title, all[:min(len(all), maxSentences)])
	var picked []candidate
	for len(picked) < n && len(list) > 0 {
		best, points := -1, math.Inf(-1)
		for i := range list {
			p := list[i].score
			for k := range picked {
				p -= variety * like(list[i].words, picked[k].words)
			}
			if p > points {
				best, points = i, p
			}
		}
		if points <= 0 && len(picked) > 0 {
			break
		}
		picked = append(picked, list[best])
		list = slices.Delete(list, best, best+1)
	}
	slices.SortFunc(picked, func(a, b candidate) int { return a.Index - b.Index })
	out := make([]Sentence, 0, len(picked))
	for _, c := range picked {
		out = append(out, c.Sentence)
	}
	return out
}

// candidates scores the sentences.
func candidates(title string, all []sentence.Sentence) []candidate {
	count := map[string]int{} // sentences with a word
	list := make([]candidate, 0, len(all))
	for i, s := range all {
		c := candidate{Sentence: Sentence{Index: i + 1, Text: s.Text}, words: map[string]bool{}}
		for _, w := range sentence.Words(s.Text) {
			if !slices.Contains(words().grammar, w) {
				c.words[w] = true
			}
		}
		for w := range c.words {
			count[w]++
		}
		list = append(list, c)
	}
	inTitle := map[string]bool{}
	for _, w := range sentence.Words(title) {
		inTitle[w] = !slices.Contains(words().grammar, w)
	}
	for i := range list {
		list[i].score = score(&list[i], count, inTitle, len(list))
	}
	// A heading or a line of navigation is no sentence.
	return slices.DeleteFunc(list, func(c candidate) bool { return len(c.words) < 3 || c.score < 0 })
}

func score(c *candidate, count map[string]int, title map[string]bool, of int) float64 {
	var centre, heading float64
	for w := range c.words {
		if n := count[w]; n > 1 {
			centre += math.Log(1 + float64(n))
		}
		if title[w] {
			heading++
		}
	}
	size := math.Sqrt(float64(len(c.words)))
	points := 0.15*centre/size + 0.35*heading/size
	points += 0.5 / (1 + 0.25*float64(c.Index-1))
	s := strings.ToLower(norm.NFKC.String(c.Text))
	list := words()
	up, down := 0, 0
	for _, w := range list.up {
		if strings.Contains(s, w) {
			up++
		}
	}
	for _, w := range list.down {
		if strings.Contains(s, w) {
			down++
		}
	}
	points += 0.18*float64(min(up, 4)) - 0.9*float64(down)
	if strings.ContainsAny(s, "0123456789") {
		points += 0.1
	}
	switch n := utf8.RuneCountInString(c.Text); {
	case n < 15 && of > 1:
		points -= 0.8
	case n > 350:
		points -= 0.3
	}
	if len(c.words) <= 7 && strings.ContainsAny(s, "0123456789") && utf8.RuneCountInString(c.Text) < 60 {
		points -= 0.6 // a line with the publisher and the date
	}
	if !ends(c.Text) {
		points -= 0.4 // a heading, or a label of a list
	}
	return points
}

// ends reports whether a text ends as a sentence does.
func ends(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return strings.ContainsRune(".!?。！？」』)）\"”", r)
}

// like returns which part of the words two sentences share.
func like(a, b map[string]bool) float64 {
	both := 0
	for w := range a {
		if b[w] {
			both++
		}
	}
	if both == 0 {
		return 0
	}
	return float64(both) / float64(len(a)+len(b)-both)
}
