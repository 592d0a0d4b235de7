package domain

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/sekisho/sekisho/domain/confusable"
)

// Skeleton returns the skeleton of s as UTS #39 section 4 defines it. Two
// strings are confusable if their skeletons are equal.
//
// A skeleton is for comparing and never for showing: "m" becomes "rn", "0"
// becomes "O" and "一" becomes "ー". It keeps case, so that "0" and "o" differ;
// [Lookalike] folds it away. It takes time linear in s and can be up to
// eighteen times as long.
func Skeleton(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 8)
	for _, r := range norm.NFD.String(s) {
		if r >= 0x80 && defaultIgnorable(r) {
			continue
		}
		if p, ok := confusable.Prototype(r); ok {
			b.WriteString(p)
		} else {
			b.WriteRune(r)
		}
	}
	return norm.NFD.String(b.String())
}

// defaultIgnorable reports whether r is of Default_Ignorable_Code_Point, as
// DerivedCoreProperties.txt derives it.
func defaultIgnorable(r rune) bool {
	switch {
	case 0xFFF9 <= r && r <= 0xFFFB, 0x13430 <= r && r <= 0x13440:
		return false
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return false
	}
	return unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Cf, unicode.Variation_Selector)
}
