package term_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/term"
)

func TestWrap(t *testing.T) {
	for _, tc := range []struct {
		name, s string
		columns int
		want    []string
	}{
		{"Empty", "", 10, []string{""}},
		{"Fits", "a b", 10, []string{"a b"}},
		{"Words", "turn on RejectDirectSend today", 16, []string{"turn on", "RejectDirectSend", "today"}},
		{"SpacesAtBreak", "aaaa   bbbb", 5, []string{"aaaa", "bbbb"}},
		{"SpacesInside", "a  b", 5, []string{"a  b"}},
		{"TrailingSpace", "aaa bbb ", 7, []string{"aaa bbb"}},
		{"Indent", "  a b", 3, []string{"  a", "b"}},
		{"LongWord", "abcdefgh ij", 3, []string{"abc", "def", "gh", "ij"}},
		{"Lines", "a\n\nb\r\nc", 5, []string{"a", "", "b", "c"}},
		{"Japanese", "送信履歴は未確認", 8, []string{"送信履歴", "は未確認"}},
		{"CommaMovesDown", "送信履歴、未確認", 8, []string{"送信履", "歴、未確", "認"}},
		{"FullStop", "あいうえ。", 8, []string{"あいう", "え。"}},
		{"ClosingBracket", "「あいう」え", 8, []string{"「あい", "う」え"}},
		{"OpeningBracket", "あいう「えお」", 8, []string{"あいう", "「えお」"}},
		{"SmallKana", "あいうえっか", 8, []string{"あいう", "えっか"}},
		{"LongVowel", "あいサーバー", 6, []string{"あい", "サー", "バー"}},
		{"Mixed", "自社のMicrosoft 365を確認", 14, []string{"自社の", "Microsoft 365", "を確認"}},
		{"LatinBehindKanji", "SPFはpassです", 8, []string{"SPFは", "passです"}},
		{"Address", "from 192.0.2.10:25, now", 14, []string{"from", "192.0.2.10:25,", "now"}},
		{"LatinStopBehindKanji", "あいうえ.", 8, []string{"あいう", "え."}},
		{"HalfWidthKana", "ｱｲｳｴ｡", 4, []string{"ｱｲｳ", "ｴ｡"}},
		{"OnlyStops", "。。。。", 4, []string{"。。", "。。"}},
		{"IdeographicSpace", "あい\u3000うえ", 5, []string{"あい", "うえ"}},
		{"TooNarrow", "あa", 0, []string{"あ", "a"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, term.Wrap(tc.s, tc.columns)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("自社の「Microsoft 365」を確認してください。 Then, e.g., 192.0.2.1!", 9)
	f.Add("「「「」」」\u3000、、\n\r\t", 2)
	f.Fuzz(func(t *testing.T, s string, columns int) {
		columns = 2 + (columns%100+100)%100
		// Stray bytes on both sides of a space would become a character.
		s = strings.ToValidUTF8(strings.ReplaceAll(s, "\r", ""), "\ufffd")
		lines := term.Wrap(s, columns)
		bare := func(s string) string {
			return strings.NewReplacer(" ", "", "\u3000", "", "\t", "", "\n", "").Replace(s)
		}
		if got := bare(strings.Join(lines, "")); got != bare(s) {
			t.Errorf("words were lost: %q, want %q", got, bare(s))
		}
		for i, l := range lines {
			if term.Width(l) > columns {
				t.Errorf("%q takes %d of %d columns", l, term.Width(l), columns)
			}
			// With room for a pair, a line begins with a stop only if the text
			// or a line of stops did.
			r, _ := utf8.DecodeRuneInString(l)
			if i > 0 && strings.ContainsRune("、。」", r) && columns >= 8 && !strings.ContainsAny(s, " \u3000\n\t") && !strings.Contains(s, string(r)+string(r)) && onlyCommon(s) {
				t.Errorf("%q begins a line of %q", r, lines)
			}
		}
	})
}

// onlyCommon reports whether s is short units: Kana, Kanji and stops one at a
// time.
func onlyCommon(s string) bool {
	stops := 0
	for _, r := range s {
		switch {
		case strings.ContainsRune("、。」", r):
			if stops++; stops > 1 {
				return false
			}
		case 'あ' <= r && r <= 'ん' || '一' <= r && r <= '鿿':
			stops = 0
		default:
			return false
		}
	}
	return true
}
