package term_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/term"
)

func TestWidth(t *testing.T) {
	for _, tc := range []struct {
		name, s string
		want    int
	}{
		{"Empty", "", 0},
		{"ASCII", "abc", 3},
		{"Kanji", "経理部", 6},
		{"FullWidthLatin", "ＡＢ", 4},
		{"HalfWidthKana", "ｶﾞｷﾞ", 4},
		{"IdeographicSpace", "\u3000", 2},
		{"Ambiguous", "●▲○…→α", 6},
		{"Latin", "éß", 2},
		{"Combining", "e\u0301", 1},
		{"CombiningKana", "か\u3099", 2},
		{"NameVariant", "辻\U000E0101", 2},
		{"Hangul", "한국", 4},
		{"HangulJamo", "\u1112\u1161\u11ab", 2},
		{"Thai", "ที่", 1},
		{"Emoji", "🔥", 2},
		{"EmojiSkin", "👩🏽", 2},
		{"EmojiFamily", "👨\u200d👩\u200d👧", 2},
		{"EmojiSelector", "❤\ufe0f", 2},
		{"TextHeart", "❤", 1},
		{"Keycap", "1\ufe0f\u20e3", 2},
		{"SelectorOnLetter", "a\ufe0f", 1},
		{"Flag", "🇯🇵", 2},
		{"TwoFlags", "🇯🇵🇬🇧", 4},
		{"HalfAFlag", "🇯x", 2},
		{"Control", "\x1b\x07\n", 0},
		{"NotUTF8", "\xff\xfe", 2},
		{"Replacement", "\ufffd", 1},
		{"ZeroWidthSpace", "a\u200bb", 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := term.Width(tc.s); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

func TestTruncate(t *testing.T) {
	for _, tc := range []struct {
		name, s string
		columns int
		want    string
	}{
		{"Fits", "経理部", 6, "経理部"},
		{"WideCut", "経理部", 5, "経理…"},
		{"WideDoesNotFill", "経理部", 4, "経…"},
		{"OneColumn", "経理", 1, "…"},
		{"OneColumnFits", "a", 1, "a"},
		{"None", "a", 0, ""},
		{"Negative", "a", -1, ""},
		{"KeepsMarks", "e\u0301e\u0301e\u0301", 2, "e\u0301…"},
		{"MarksAtTheEdge", "ae\u0301", 2, "ae\u0301"},
		{"KeepsEmoji", "a👨\u200d👩\u200d👧b", 3, "a…"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, term.Truncate(tc.s, tc.columns)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPad(t *testing.T) {
	for _, tc := range []struct {
		name, s string
		columns int
		want    string
	}{
		{"Short", "経", 4, "経  "},
		{"Exact", "経理", 4, "経理"},
		{"Long", "経理部", 4, "経… "},
		{"Empty", "", 2, "  "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, term.Pad(tc.s, tc.columns)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzTruncate(f *testing.F) {
	f.Add("経理部 🇯🇵 e\u0301\u200d", 5)
	f.Add("\x1b\xff❤\ufe0f", 1)
	f.Fuzz(func(t *testing.T, s string, columns int) {
		columns = columns%200 + 1
		got := term.Truncate(s, columns)
		if w := term.Width(got); w > max(columns, 0) {
			t.Errorf("%q takes %d of %d columns", got, w, columns)
		}
		if got != s && columns > 0 && !strings.HasSuffix(got, "…") {
			t.Errorf("cut without a sign: %q", got)
		}
		if columns > 0 && term.Width(term.Pad(s, columns)) != columns {
			t.Errorf("padded to %d of %d columns", term.Width(term.Pad(s, columns)), columns)
		}
	})
}

// TestLongTextIsLinear takes a moment; with anything quadratic it takes
// minutes.
func TestLongTextIsLinear(t *testing.T) {
	for _, s := range []string{
		strings.Repeat("あ", 100_000), strings.Repeat("\u0301", 100_000), strings.Repeat("👨\u200d", 70_000),
		strings.Repeat("。", 100_000), strings.Repeat("「", 100_000), strings.Repeat(" ", 100_000), strings.Repeat("x", 200_000), strings.Repeat("\u202e", 100_000),
	} {
		term.Clean(s)
		term.Width(s)
		term.Truncate(s, 80)
		term.Wrap(s, 80)
	}
}
