package confusable_test

import (
	"testing"
	"unicode/utf8"

	"github.com/sekisho/sekisho/domain/confusable"
)

func TestPrototype(t *testing.T) {
	for _, c := range []struct {
		name string
		in   rune
		want string
	}{
		{"Digit", '0', "O"},
		{"Several", 'm', "rn"},
		{"Cyrillic", 'а', "a"},
		{"Kanji", '一', "ー"},
		{"Itself", 'a', ""},
		{"OutOfRange", -1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := confusable.Prototype(c.in)
			if got != c.want || ok != (c.want != "") {
				t.Errorf("got %q, %v, want %q", got, ok, c.want)
			}
		})
	}
}

// TestComplete holds the promise that one step leads to the end.
func TestComplete(t *testing.T) {
	n := 0
	for r := range rune(utf8.MaxRune + 1) {
		p, ok := confusable.Prototype(r)
		if !ok {
			continue
		}
		n++
		for _, q := range p {
			if further, ok := confusable.Prototype(q); ok {
				t.Errorf("%U leads to %U, which leads to %q", r, q, further)
			}
		}
	}
	if n < 6000 {
		t.Errorf("the table has %d characters only", n)
	}
}
