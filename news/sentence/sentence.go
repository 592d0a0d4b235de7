// Package sentence cuts text into sentences, in Japanese and in English, so
// that a fact can say in which sentence it stands and a summary can pick the
// best ones.
//
// There is no dictionary behind it: a sentence ends at a full stop, at 。！？ and
// at the end of a line. A full stop inside an abbreviation, a number or a name
// of a host ends nothing, nor does one inside Japanese quotation marks.
package sentence

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of [Split].
const (
	// MaxSentences is how many sentences of a text are returned; the rest is
	// left out.
	MaxSentences = 2000
	// MaxBytes is the length at which a sentence is cut although it has not
	// ended.
	MaxBytes = 1200
)

// Sentence is a stretch of a text.
type Sentence struct {
	Text   string // without white space around it
	Offset int    // of Text in the text that was split, in bytes
}

// Split returns the sentences of text, in order. Each is a stretch of text as it
// stands.
func Split(text string) []Sentence {
	var list []Sentence
	start := 0
	add := func(end int) {
		if s, off := trim(text[start:end]); s != "" {
			list = append(list, Sentence{Text: s, Offset: start + off})
		}
		start = end
	}
	quotes := 0 // open Japanese quotation marks
	for i := 0; i < len(text) && len(list) < MaxSentences; {
		r, n := utf8.DecodeRuneInString(text[i:])
		next := i + n
		switch r {
		case '\n', '\r', '\u2028', '\u2029':
			add(next)
			quotes = 0
		case '「', '『', '（':
			quotes++
		case '」', '』', '）':
			quotes = max(quotes-1, 0)
		case '。', '！', '？', '｡':
			if quotes == 0 {
				next = closing(text, next)
				add(next)
			}
		case '!', '?':
			if quotes == 0 && endsWord(text, next) {
				next = closing(text, next)
				add(next)
			}
		case '.':
			if quotes == 0 && endsWord(text, closing(text, next)) && !abbreviated(text[start:i], text[closing(text, next):]) {
				next = closing(text, next)
				add(next)
			}
		}
		if next-start >= MaxBytes {
			cut := breakBefore(text, start, next)
			add(cut)
			quotes = 0
		}
		i = max(next, start)
	}
	if len(list) < MaxSentences {
		add(len(text))
	}
	return list
}

// closing returns the offset behind the closing marks that stand at i.
func closing(text string, i int) int {
	for i < len(text) {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch r {
		case ')', ']', '"', '\'', '”', '’', '」', '』', '）', '。', '！', '？', '!', '?':
			i += n
		default:
			return i
		}
	}
	return i
}

// endsWord reports whether white space, the end of the text or a character of
// Japanese stands at i.
func endsWord(text string, i int) bool {
	if i >= len(text) {
		return true
	}
	r, _ := utf8.DecodeRuneInString(text[i:])
	return unicode.IsSpace(r) || r >= 0x3000
}

// abbreviations are words whose full stop ends no sentence, in lower case.
var abbreviations = map[string]bool{
	"mr": true, "mrs": true, "ms": true, "dr": true, "prof": true, "st": true, "vs": true, "etc": true, "no": true,
	"inc": true, "ltd": true, "co": true, "corp": true, "llc": true, "approx": true, "fig": true, "ver": true, "v": true,
	"e.g": true, "i.e": true, "cf": true, "al": true, "dept": true, "est": true, "vol": true, "pp": true, "rev": true,
	"jan": true, "feb": true, "mar": true, "apr": true, "jun": true, "jul": true, "aug": true, "sep": true, "sept": true,
	"oct": true, "nov": true, "dec": true,
}

// openers begin a new sentence even after an abbreviation such as "U.S.".
var openers = map[string]bool{
	"The": true, "A": true, "An": true, "In": true, "It": true, "This": true, "These": true, "They": true, "We": true,
	"If": true, "On": true, "Users": true, "Attackers": true, "However": true,
}

// abbreviated reports whether the full stop between before and after belongs to
// an abbreviation or to something that goes on.
func abbreviated(before, after string) bool {
	word := before
	if i := strings.LastIndexFunc(before, unicode.IsSpace); i >= 0 {
		_, n := utf8.DecodeRuneInString(before[i:])
		word = before[i+n:]
	}
	word = strings.TrimLeft(word, `("'[“‘`)
	if len(word) > 24 {
		return false
	}
	rest := strings.TrimLeftFunc(after, unicode.IsSpace)
	first, _ := utf8.DecodeRuneInString(rest)
	if rest != "" && unicode.IsLower(first) {
		return true
	}
	lower := strings.ToLower(word)
	initials := isInitials(word)
	if !abbreviations[lower] && !initials {
		// "1." at the start of a line is a number of a list.
		return word != "" && strings.Trim(word, "0123456789") == "" && len(word) <= 2 && strings.TrimSpace(before) == word
	}
	if initials || lower == "etc" || lower == "inc" || lower == "ltd" || lower == "corp" || lower == "co" || lower == "llc" {
		next, _, _ := strings.Cut(rest, " ")
		return rest != "" && !openers[next]
	}
	return rest != ""
}

// isInitials reports whether word is letters with full stops between them, such
// as "U.S", or a single capital.
func isInitials(word string) bool {
	if len(word)%2 == 0 || word == "" {
		return false
	}
	for i := range len(word) {
		c := word[i]
		letter := c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' && len(word) > 1
		if i%2 == 0 && !letter || i%2 == 1 && c != '.' {
			return false
		}
	}
	return true
}

// breakBefore returns the best offset for cutting text[start:end], which is too
// long: behind the last comma or white space of its second half, else end.
func breakBefore(text string, start, end int) int {
	half := start + (end-start)/2
	for half < end && !utf8.RuneStart(text[half]) {
		half++
	}
	if i := strings.LastIndexAny(text[half:end], " \t,;、，；"); i >= 0 {
		_, n := utf8.DecodeRuneInString(text[half+i:])
		return half + i + n
	}
	return end
}

func trim(s string) (string, int) {
	t := strings.TrimLeftFunc(s, unicode.IsSpace)
	off := len(s) - len(t)
	return strings.TrimRightFunc(t, unicode.IsSpace), off
}
