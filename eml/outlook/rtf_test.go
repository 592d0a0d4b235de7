package outlook

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sekisho/sekisho/eml/outlook/outlooktest"
)

func TestTextOfRTF(t *testing.T) {
	tests := []struct {
		name, in, want string
		origin         rtfOrigin
	}{
		{"Plain", `{\rtf1\ansi\ansicpg1252 one\par two\tab \'e9\line {\b three}}`, "one\r\ntwo\té\r\nthree", rtfNative},
		{"Destinations", `{\rtf1{\fonttbl{\f0 Arial;}}{\colortbl;\red0;}{\info{\title x}}{\*\generator y;}{\pict 0102}text}`, "text", rtfNative},
		{"Escapes", `{\rtf1 a\\b\{c\}\~d}`, "a\\b{c}\u00A0d", rtfNative},
		{"Unicode", `{\rtf1\uc1\u35531?\u-27599?\uc0\u8364 x\uc2\u8364??y}`, "請鐱€x€y", rtfNative},
		{"UnicodeFallbackInHex", `{\rtf1\u35531\'90x}`, "請x", rtfNative},
		{"SurrogatePair", `{\rtf1\u-10179?\u-8704?}`, "😀", rtfNative},
		{"ShiftJISFont", `{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 A;}{\f1\fcharset128 M;}}\f0 \'e9\f1 \'90\'bf\'8b\'81 \'83e}`, "é請求 テ", rtfNative},
		{"FontEndsWithGroup", `{\rtf1\ansi\ansicpg1252{\fonttbl{\f1\fcharset128 M;}}{\f1\'90\'bf}\'e9}`, "請é", rtfNative},
		{"DocumentCodepage", `{\rtf1\ansi\ansicpg932 \'90\'bf}`, "請", rtfNative},
		{"Link", `{\rtf1{\field{\*\fldinst HYPERLINK "https://a.example/x"}{\fldrslt here}} end}`, "<https://a.example/x> here end", rtfNative},
		{"LinkInGroup", `{\rtf1{\field{\*\fldinst{ HYPERLINK https://a.example/x }}{\fldrslt here}}}`, "<https://a.example/x> here", rtfNative},
		{"Binary", "{\\rtf1 a{\\pict\\bin5 }}}}}}b}", "ab", rtfNative},
		{"FromText", `{\rtf1\ansi\fromtext \deff0 one\par two}`, "one\r\ntwo", rtfFromText},
		{"FromHTML", `{\rtf1\ansi\fromhtml1 \deff0{\fonttbl{\f0 Arial;}}` +
			`{\*\htmltag19 <html>}{\*\htmltag241 <style>a\{b\}</style>}{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 one{\*\htmltag84 &lt;}\htmlrtf <\htmlrtf0 two\htmlrtf\par}\htmlrtf0` +
			`{\*\mhtmltag84 <a href="cid:x">}{\*\htmltag84 <a href="https://a.example">}x{\*\htmltag92 </a>}\line \lquote\~{\*\htmltag72 </p>\par }}`,
			"<html><style>a{b}</style><p>one&lt;two<a href=\"https://a.example\">x</a>\r\n&lsquo;&nbsp;</p>\r\n", rtfFromHTML},
		{"UnevenBraces", `{\rtf1 a}}}}b{{{c`, "abc", rtfNative},
		{"Nothing", ``, "", rtfNative},
		{"HalfControls", `{\rtf1 a\'9`, "a", rtfNative},
		{"LoneBackslash", `{\rtf1 a\`, "a", rtfNative},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, origin := textOfRTF([]byte(tt.in))
			if got != tt.want || origin != tt.origin {
				t.Errorf("got  %q (%d)\nwant %q (%d)", got, origin, tt.want, tt.origin)
			}
		})
	}
}

func TestDecompressRTF(t *testing.T) {
	if len(rtfDictionary) != 207 { // [MS-OXRTFCP] 2.1.2.1
		t.Fatalf("the dictionary has %d bytes", len(rtfDictionary))
	}
	// The example of [MS-OXRTFCP] 3.1.
	example := []byte("\x2d\x00\x00\x00\x2b\x00\x00\x00LZFu\xf1\xc5\xc7\xa7\x03\x00\n\x00rcpg125\x42\x32\x0a\xf3\x20hel\x09\x00\x20bw\x05\xb0ld}\n\x80\x0f\xa0")
	const text = "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
	if got, whole := decompressRTF(example, 1000); string(got) != text || !whole {
		t.Errorf("got %q, %v", got, whole)
	}
	for _, s := range []string{"", "x", text, strings.Repeat("ab", 5000), strings.Repeat(text, 300)} {
		for _, stored := range []bool{false, true} {
			packed := outlooktest.CompressRTF(s, stored)
			if got, whole := decompressRTF(packed, len(s)); string(got) != s || !whole {
				t.Errorf("%.20q of %d bytes became %d bytes, %v", s, len(s), len(got), whole)
			}
			if got, _ := decompressRTF(packed, len(s)/2); len(got) > len(s)/2 {
				t.Errorf("%d bytes over a limit of %d", len(got), len(s)/2)
			}
			for i := range min(len(packed), 500) {
				if got, whole := decompressRTF(packed[:i], 1<<20); whole && i > 0 && string(got) != s {
					t.Errorf("cut at %d is said to be whole", i)
				}
			}
		}
	}
}

// TestRTFTime reads input that would be slow to a reader with a stack walk or a
// copy for each token.
func TestRTFTime(t *testing.T) {
	for name, s := range map[string]string{
		"Braces": strings.Repeat("{", 2<<20), "Controls": strings.Repeat(`\f1`, 1<<20), "Fields": strings.Repeat(`{\field{\*\fldinst HYPERLINK x}`, 100_000),
		"Fonts": `{\fonttbl` + strings.Repeat(`\f9\fcharset128 `, 200_000), "Letters": strings.Repeat("a", 4<<20), "Word": `\` + strings.Repeat("a", 4<<20),
	} {
		if text, _ := textOfRTF([]byte(s)); len(text) > 2*len(s) {
			t.Errorf("%s: %d bytes of text", name, len(text))
		}
	}
}

func FuzzRTF(f *testing.F) {
	f.Add([]byte(`{\rtf1\ansi\fromhtml1{\fonttbl{\f1\fcharset128 M;}}{\*\htmltag64 <p>}\htmlrtf x\htmlrtf0 \'83e\u8364 ?}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		text, _ := textOfRTF(b)
		if len(text) > 16*len(b)+16 {
			t.Fatalf("%d bytes of text out of %d", len(text), len(b))
		}
		packed := outlooktest.CompressRTF(string(b[:min(len(b), 2000)]), false)
		if got, whole := decompressRTF(packed, 2000); !whole || !bytes.Equal(got, b[:min(len(b), 2000)]) {
			t.Fatal("compressed and decompressed is not the same")
		}
	})
}
