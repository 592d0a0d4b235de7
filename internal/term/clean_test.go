package term_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/term"
)

func TestClean(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"Plain", "Please review", "Please review"},
		{"Japanese", "至急: 未払い請求書のご確認", "至急: 未払い請求書のご確認"},
		{"Empty", "", ""},
		{"Escape", "\x1b[2J\x1b]0;title\x07x", "\ufffd[2J\ufffd]0;title\ufffdx"},
		{"C1", "a\u009b31mb", "a\ufffd31mb"},
		{"RawC1", "a\x9b31mb", "a\ufffd31mb"},
		{"Delete", "a\x7fb", "a\ufffdb"},
		{"Null", "a\x00\x00b", "a\ufffdb"},
		{"Backspace", "safe\b\b\b\bevil", "safe\ufffdevil"},
		{"CarriageReturn", "safe\revil", "safe evil"},
		{"LineBreaks", "a\r\nb\u2028c\u0085d\ve", "a b c d e"},
		{"Tab", "a\tb", "a b"},
		{"RightToLeftOverride", "invoice\u202efdp.exe", "invoice\ufffdfdp.exe"},
		{"Isolates", "\u2066a\u2069\u200fb\u061c", "\ufffda\ufffdb\ufffd"},
		{"ZeroWidth", "pay\u200bpal \u2060\ufeff\u00adx", "pay\ufffdpal \ufffdx"},
		{"HangulFiller", "a\u3164\u115fb", "a\ufffdb"},
		{"Tags", "a\U000E0041\U000E0042b", "a\ufffdb"},
		{"NotUTF8", "\x8d\xb2\x93\xa1", "\ufffd"},
		{"NonCharacter", "a\uffffb", "a\ufffdb"},
		{"EmojiJoined", "👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"},
		{"EmojiSkinJoined", "👩🏽\u200d💻 ❤\ufe0f\u200d🔥", "👩🏽\u200d💻 ❤\ufe0f\u200d🔥"},
		{"JoinerInWord", "pay\u200dpal", "pay\ufffdpal"},
		{"JoinerBehindEmoji", "🔥\u200dx", "🔥\ufffdx"},
		{"NameVariant", "辻\U000E0101さん", "辻\U000E0101さん"},
		{"SelectorAlone", "\ufe0fa\ufe0f\ufe0f", "\ufffda\ufe0f\ufffd"},
		{"Accents", "Nguye\u0302\u0303n", "Nguye\u0302\u0303n"},
		{"ManyAccents", "z" + strings.Repeat("\u0301", 50) + "a\u0301", "z" + strings.Repeat("\u0301", 4) + "a\u0301"},
		{"Hebrew", "שלום", "שלום"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, term.Clean(tc.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b[2J")
	f.Add("a\u202eb\u200d\ufe0f")
	f.Add("❤\ufe0f\u200d🔥")
	f.Add("z\u0301\ufe0f\u0301\ufe0f\u0301\ufe0f\u0301\ufe0f\u0301\ufe0f\u0301")
	f.Add("\r\n \t \u2028")
	f.Fuzz(func(t *testing.T, s string) {
		got := term.Clean(s)
		if !utf8.ValidString(got) {
			t.Errorf("not UTF-8: %q", got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) || unicode.Is(unicode.Cf, r) && r != '\u200d' {
				t.Errorf("%U stays in %q", r, got)
			}
		}
		if again := term.Clean(got); again != got {
			t.Errorf("cleaned twice: %q, %q", got, again)
		}
		if len(got) > 3*len(s) {
			t.Errorf("%d bytes became %d", len(s), len(got))
		}
	})
}
