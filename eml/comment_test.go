package eml_test

import (
	"testing"

	"github.com/sekisho/sekisho/eml"
)

func TestSkipComment(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"Plain", "(a) b", " b"},
		{"Nested", "(a (b) c) d", " d"},
		{"QuotedPair", `(a \) b) c`, " c"},
		{"QuotedBackslash", `(a \\) b`, " b"},
		{"Unclosed", "(a (b) c", ""},
		{"BackslashAtTheEnd", `(a\`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			const before = "x "
			if got := (before + tc.in)[eml.SkipComment(before+tc.in, len(before)):]; got != tc.want {
				t.Errorf("rest %q, want %q", got, tc.want)
			}
		})
	}
}
