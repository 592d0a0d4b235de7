package eval

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/sekisho/sekisho/domain/confusable"
	"github.com/sekisho/sekisho/mql/value"
)

// replaceConfusables replaces characters by those of ASCII that they look like.
// ASCII stays as it is, since rules ask whether anything changed.
func replaceConfusables(r *Run, args []value.Value, _ map[string]value.Value) value.Value {
	s, ok := args[0].Str()
	if !ok {
		return value.Null
	}
	if !r.spend(4 * len(s)) {
		return r.out
	}
	i := 0
	for i < len(s) && s[i] < utf8.RuneSelf {
		i++
	}
	if i == len(s) {
		return args[0]
	}
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:i])
	for _, c := range s[i:] {
		b.WriteString(ascii(c))
	}
	return value.String(b.String()).From(args[0])
}

// ascii returns what c looks like in ASCII, c itself where it looks like
// nothing there. Characters of East Asian scripts stay: "ノ" is no slash to
// those who read it.
func ascii(c rune) string {
	if c < utf8.RuneSelf || unicode.In(c, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) {
		return string(c)
	}
	if s := norm.NFKC.String(string(c)); isASCII(s) && s != " " {
		return s
	}
	p, ok := confusable.Prototype(c)
	if !ok || !isASCII(p) {
		return string(c)
	}
	switch {
	// The prototypes of UTS #39 are made for comparing: they write "rn" for m
	// and "l" for a capital I.
	case p == "rn":
		return "m"
	case p == "l" && unicode.IsUpper(c):
		return "I"
	}
	return p
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return s != ""
}
