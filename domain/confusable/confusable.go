// Package confusable is the table of characters that look like others, as UTS
// #39 publishes it. Where the data comes from and under which licence is told
// in the README beside it.
//
// The table alone decides nothing: skeletons are made and compared by package
// domain.
package confusable

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

//go:generate go run ./gen -o confusables.txt $UNHOMOGLYPH

//go:embed confusables.txt
var embedded string

var table = sync.OnceValue(func() map[rune]string {
	m, err := parse(embedded)
	if err != nil {
		panic(err) // the embedded file is checked by a test
	}
	return m
})

// Prototype returns what r is confusable with, and false for a character that
// is its own prototype. It is one step of UTS #39 section 4 and complete by
// itself: no prototype holds a character that has another.
func Prototype(r rune) (string, bool) {
	p, ok := table()[r]
	return p, ok
}

// parse reads lines of "prototype: rune rune ...", all as hexadecimal code
// points, the prototype's joined by "+".
func parse(text string) (map[rune]string, error) {
	m := make(map[rune]string, 6500)
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		to, from, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("confusable: reading the table: no colon in %q", line)
		}
		var prototype strings.Builder
		for hex := range strings.SplitSeq(to, "+") {
			r, err := codePoint(hex)
			if err != nil {
				return nil, err
			}
			prototype.WriteRune(r)
		}
		for hex := range strings.FieldsSeq(from) {
			r, err := codePoint(hex)
			if err != nil {
				return nil, err
			}
			m[r] = prototype.String()
		}
	}
	return m, nil
}

func codePoint(hex string) (rune, error) {
	n, err := strconv.ParseUint(hex, 16, 21)
	if err != nil {
		return 0, fmt.Errorf("confusable: reading the table: %w", err)
	}
	return rune(n), nil
}
