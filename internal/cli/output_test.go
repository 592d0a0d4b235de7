package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestMarshal(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"Address", "A & B <a@b.example>", `"A & B <a@b.example>"`},
		{"Escape", "\x1b[2J", `"\u001b[2J"`},
		{"Delete", "a\x7fb", `"a\u007fb"`},
		{"OneByteEscape", "\u009b2J", `"\u009b2J"`},
		{"Direction", "\u202egpj.exe", `"\u202egpj.exe"`},
		{"Separator", "a\u2028b", `"a\u2028b"`},
		{"Tag", "a\U000e0041b", `"a\udb40\udc41b"`},
		{"Japanese", "経理部", `"経理部"`},
		{"NotUTF8", "\xff", `"\ufffd"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, err := marshal(tc.in, "", "")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(b)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzMarshal checks that what is printed is nothing that moves a terminal, and
// reads back as what was said.
func FuzzMarshal(f *testing.F) {
	f.Add("\x1b]0;title\x07 \u202e \U000e0041 <a@b.example> \u009b")
	f.Add("\xed\xa0\x80\xff\u2028")
	f.Fuzz(func(t *testing.T, s string) {
		b, err := marshal(map[string]string{"k": s}, "  ", "  ")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range string(b) {
			if unicode.IsControl(r) && r != '\n' || unicode.Is(unicode.Cf, r) {
				t.Errorf("%q holds %U", b, r)
			}
		}
		var got map[string]string
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		if utf8.ValidString(s) && got["k"] != s {
			t.Errorf("got %q, want %q", got["k"], s)
		}
	})
}

func TestCell(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"Formula", "=1+1", "'=1+1"},
		{"Plus", "+81 90", "'+81 90"},
		{"Minus", "-1", "'-1"},
		{"At", "@SUM(A1)", "'@SUM(A1)"},
		{"FullWidth", "＝1+1", "'＝1+1"},
		{"BehindSpace", " =1", "' =1"},
		{"BehindTab", "\t=1", "' =1"},
		{"BehindLineBreak", "\r\n=1", "' =1"},
		{"Inside", "a=1", "a=1"},
		{"Escape", "\x1b[2Ja", "�[2Ja"},
		{"Empty", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := cell(tc.in); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func FuzzCell(f *testing.F) {
	f.Add("=HYPERLINK(1)")
	f.Add("\u3000＝1")
	f.Fuzz(func(t *testing.T, s string) {
		if got := strings.TrimLeft(cell(s), " \u3000"); strings.IndexAny(got, "=+-@＝＋－＠") == 0 {
			t.Errorf("a formula: %q", got)
		}
	})
}
