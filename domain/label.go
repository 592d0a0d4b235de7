package domain

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
)

// label is one label of a name, prepared for comparing.
type label struct {
	text     string // as people see it
	chars    []rune // of text
	flat     string // text without hyphens
	skeleton string // of text, in lower case
	fold     string // text with what is drawn alike made equal
	words    []string
	folds    []string // of words
}

func newLabel(text string) label {
	l := label{
		text:     text,
		chars:    []rune(text),
		flat:     strings.ReplaceAll(text, "-", ""),
		skeleton: lowerSkeleton(text),
	}
	l.fold = fold(l.skeleton)
	l.words, l.folds = []string{text}, []string{l.fold}
	if strings.Contains(text, "-") {
		l.words = strings.Split(text, "-")
		// Nothing that is folded together contains a hyphen, but a hyphen can
		// come of another character.
		if l.folds = strings.Split(l.fold, "-"); len(l.folds) != len(l.words) {
			l.folds = make([]string, len(l.words))
			for i, w := range l.words {
				l.folds[i] = fold(lowerSkeleton(w))
			}
		}
	}
	return l
}

// lowerSkeleton is the skeleton for names, where case does not count.
func lowerSkeleton(text string) string {
	if isASCII(text) {
		return asciiSkeleton.Replace(text)
	}
	return lowerSkeletonSlow(text)
}

func lowerSkeletonSlow(text string) string { return strings.ToLower(Skeleton(text)) }

// asciiSkeleton does for lower-case letters, digits, hyphens and underscores
// what Skeleton and lower-casing do; a test holds it to that.
var asciiSkeleton = strings.NewReplacer("0", "o", "1", "l", "m", "rn")

// fold makes equal in a skeleton what is drawn alike in a browser's address
// bar beyond what UTS #39 lists: accents and strokes, and pairs of Latin
// letters.
func fold(skeleton string) string {
	if !isASCII(skeleton) {
		skeleton = strings.Map(func(r rune) rune {
			// Combining Diacritical Marks.
			if 0x300 <= r && r <= 0x36F && unicode.Is(unicode.Mn, r) {
				return -1
			}
			return r
		}, skeleton)
	}
	return latinPairs.Replace(skeleton)
}

// latinPairs are joined before "i" becomes "l", lest "ci" be read as "d".
var latinPairs = strings.NewReplacer("vv", "w", "cl", "d", "i", "l", "q", "g")

// isDigitSwap reports whether text is want with digits for letters that they
// resemble, and nothing else changed.
func isDigitSwap(text, want string) bool {
	if len(text) != len(want) {
		return false
	}
	swapped := false
	for i := range len(text) {
		if text[i] == want[i] {
			continue
		}
		if !isDigit(text[i]) || strings.IndexByte(digitLetters[text[i]-'0'], want[i]) < 0 {
			return false
		}
		swapped = true
	}
	return swapped
}

// digitLetters are the letters that each digit stands for.
var digitLetters = [10]string{"o", "il", "z", "e", "a", "s", "bg", "t", "b", "gq"}

// difference returns the middles of a and b that remain when what they begin
// and end with in common is taken away.
func difference(a, b string) (string, string) {
	ra, rb := []rune(a), []rune(b)
	n := 0
	for n < len(ra) && n < len(rb) && ra[n] == rb[n] {
		n++
	}
	ra, rb = ra[n:], rb[n:]
	for len(ra) > 0 && len(rb) > 0 && ra[len(ra)-1] == rb[len(rb)-1] {
		ra, rb = ra[:len(ra)-1], rb[:len(rb)-1]
	}
	return string(ra), string(rb)
}

// added writes the words around a label, with an ellipsis where the label was.
func added(before, after []string) string {
	b, a := strings.Join(before, "-"), strings.Join(after, "-")
	if b != "" && a != "" {
		return b + " … " + a
	}
	return b + a
}

//go:embed affix_words.txt
var affixWordsText string

var affixWords = sync.OnceValue(func() map[string]bool {
	m := make(map[string]bool)
	for _, w := range textEntries(affixWordsText) {
		m[w] = true
	}
	return m
})

// longestAffixWord is at least the length of every word of affix_words.txt.
const longestAffixWord = 16

// isWords reports whether s is a telling word, or several in a row, with a
// number behind it or not.
func isWords(s string) bool {
	s = strings.TrimRight(s, "0123456789")
	if s == "" || len(s) > maxLabel {
		return false
	}
	words := affixWords()
	// reached[i] says that s[:i] is made of words.
	var reached [maxLabel + 1]bool
	reached[0] = true
	for i := range len(s) {
		if !reached[i] {
			continue
		}
		for j := i + 1; j <= min(len(s), i+longestAffixWord); j++ {
			if words[s[i:j]] {
				reached[j] = true
			}
		}
	}
	return reached[len(s)]
}
