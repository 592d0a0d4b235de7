package mqltest

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/sekisho/sekisho/lang"
)

// word is a word of a line.
type word struct {
	text   string
	column int  // from 1, in code points
	offset int  // bytes of the line before it
	quoted bool // stood in double quotes: no keyword
	code   bool // stood between backquotes
}

// is reports whether the word is that keyword.
func (w word) is(keyword string) bool { return !w.quoted && !w.code && w.text == keyword }

// mistake is something wrong with a line.
type mistake struct {
	column  int
	message lang.Message
}

// split takes a line apart into words, without its comment.
func split(line string) ([]word, *mistake) {
	var words []word
	column, at := 1, 0
	for at < len(line) {
		if isSpace(line[at]) {
			at++
			column++
			continue
		}
		w := word{column: column, offset: at}
		rest := line[at:]
		n := 0
		switch rest[0] {
		case '#':
			return words, nil
		case '`':
			end := strings.IndexByte(rest[1:], '`')
			if end < 0 {
				return words, &mistake{column, lang.M("mqltest.error.backquote")}
			}
			w.text, w.code, n = rest[1:1+end], true, end+2
		case '"':
			n = quoted(rest)
			if n == 0 || json.Unmarshal([]byte(rest[:n]), &w.text) != nil {
				return words, &mistake{column, lang.M("mqltest.error.quote")}
			}
			w.quoted = true
		default:
			n = strings.IndexAny(rest, " \t")
			if n < 0 {
				n = len(rest)
			}
			w.text = rest[:n]
		}
		column += utf8.RuneCountInString(rest[:n])
		at += n
		if at < len(line) && !isSpace(line[at]) {
			return words, &mistake{column, lang.M("mqltest.error.after-quote")}
		}
		words = append(words, w)
	}
	return words, nil
}

// quoted returns the length of the string in double quotes at the beginning of
// s, 0 for one that does not end.
func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

// marker returns the word that ends the text below a line, from the last word
// of the line.
func marker(words []word) (string, bool) {
	if len(words) < 2 {
		return "", false
	}
	last := words[len(words)-1]
	name, ok := strings.CutPrefix(last.text, "<<")
	if !ok || last.quoted || last.code {
		return "", false
	}
	return name, isName(name, "_")
}

// isName reports whether s is letters, digits and some other characters of
// ASCII.
func isName(s, more string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9') && strings.IndexByte(more, c) < 0 {
			return false
		}
	}
	return s != ""
}
