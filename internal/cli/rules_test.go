package cli

import (
	"strings"
	"testing"

	"github.com/sekisho/sekisho/internal/term"
)

func TestMarked(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, tc := range []struct {
		name, source   string
		column, length int
		line, mark     string
	}{
		{"Plain", "a == b", 1, 1, "a == b", "^"},
		{"Indent", "   and a.b", 8, 3, "and a.b", "    ^^^"},
		{"Tab", "\ta.b", 2, 3, "a.b", "^^^"},
		{"Wide", `"日本" == x`, 9, 1, `"日本" == x`, "          ^"},
		{"WideMark", `"日本" == x`, 2, 2, `"日本" == x`, " ^^^^"},
		{"BehindEnd", "ab", 9, 3, "ab", "  ^"},
		{"BeforeStart", "ab", 0, 0, "ab", "^"},
		{"Empty", "", 1, 1, "", "^"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if line, mark := marked(tc.source, tc.column, tc.length); line != tc.line || mark != tc.mark {
				t.Errorf("got %q and %q, want %q and %q", line, mark, tc.line, tc.mark)
			}
		})
	}
	t.Run("Long", func(t *testing.T) {
		line, mark := marked(long+"!"+long, 201, 1)
		at := strings.IndexByte(mark, '^')
		if term.Width(line) > maxSourceColumns || !strings.HasPrefix(line, "…") || []rune(line)[at] != '!' {
			t.Errorf("%s\n%s", line, mark)
		}
	})
}
