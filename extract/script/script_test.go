package script_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/extract/script"
)

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     script.Script
	}{
		{"Smuggling", "var _0x1 = atob(\"aHR0cHM6\"); document['write'](_0x1);", script.Script{
			Identifiers: []string{"_0x1", "atob", "document", "_0x1"}, Keywords: []string{"var"}, Strings: []string{"aHR0cHM6", "write"},
		}},
		{"Escapes", `f('\x68\u0074\u{74}p', "a\
b\q")`, script.Script{Identifiers: []string{"f"}, Strings: []string{"http", "abq"}}},
		{"EscapedName", `ato\u0062(1)`, script.Script{Identifiers: []string{`ato\u0062`}}},
		{"Template", "x = `a${b + {c:`d`}.c}e` + f", script.Script{Identifiers: []string{"x", "b", "c", "c", "f"}, Strings: []string{"a", "d", "e"}}},
		{"RegexpOrDivision", `a = b / c / d; e.replace(/[/"]\//gi, "")`, script.Script{
			Identifiers: []string{"a", "b", "c", "d", "e", "replace"}, Strings: []string{""}, Regexps: []string{`/[/"]\//gi`},
		}},
		{"Comments", "// one 'two'\n/* \"three\" */ four", script.Script{Identifiers: []string{"four"}}},
		{"Unfinished", `a "b`, script.Script{Identifiers: []string{"a"}, Strings: []string{"b"}}},
		{"EndOfLine", "'a\nb", script.Script{Identifiers: []string{"b"}, Strings: []string{"a"}}},
		{"NotLatin", `変数 = "値"`, script.Script{Identifiers: []string{"変数"}, Strings: []string{"値"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(&c.want, script.Read(c.in, nil)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	if s := script.Read(strings.Repeat("a ", script.MaxWords+1), nil); len(s.Identifiers) != script.MaxWords || !s.Truncated {
		t.Errorf("%d names, truncated %v", len(s.Identifiers), s.Truncated)
	}
	if s := script.Read("a", &budget.Budget{Cost: 1}); len(s.Identifiers) != 0 || !s.Truncated {
		t.Errorf("without a budget: %d names, truncated %v", len(s.Identifiers), s.Truncated)
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"a", `"\`, "`${", "`${`${}", "/[", `\u{`, `'\u{41`, "}}`", `"\x4`, "#x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		s := script.Read(in, nil)
		n := 0
		for _, list := range [][]string{s.Identifiers, s.Keywords} {
			for _, w := range list {
				n += len(w)
				if utf8.ValidString(in) && !strings.Contains(in, w) {
					t.Errorf("%q does not stand in %q", w, in)
				}
			}
		}
		if utf8.ValidString(in) && n > len(in) {
			t.Errorf("%d bytes of words in %d bytes", n, len(in))
		}
	})
}
