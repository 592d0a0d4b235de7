package eml

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// sniffCharset decodes bytes that carry no usable label, in the order of how
// certain each sign is: a byte order mark, the escapes of ISO-2022-JP, UTF-8,
// then the multi-byte charset whose rules the bytes keep and whose common
// letters they use, and windows-1252 for the rest.
func sniffCharset(b []byte) (text, used string, code DefectCode) {
	if len(b) > 1 && (b[0] == 0xff && b[1] == 0xfe || b[0] == 0xfe && b[1] == 0xff) {
		return decodeWith(unicode.UTF16(unicode.BigEndian, unicode.UseBOM), "utf-16", b)
	}
	if bytes.IndexByte(b, 0x1b) >= 0 {
		for _, esc := range []string{"\x1b$B", "\x1b$@", "\x1b(J", "\x1b(I", "\x1b$(D"} {
			if bytes.Contains(b, []byte(esc)) {
				return decodeWith(japanese.ISO2022JP, "iso-2022-jp", b)
			}
		}
	}
	if !has8bit(b) {
		return string(b), "us-ascii", ""
	}
	if utf8.Valid(b) {
		return string(bytes.TrimPrefix(b, utf8BOM)), "utf-8", ""
	}
	sample := b
	if len(sample) > sniffBytes {
		sample = sample[:sniffBytes]
		// End at a line or word, so that the cut is no mistake of the text.
		if i := bytes.LastIndexAny(sample, " \n"); i > sniffBytes/2 {
			sample = sample[:i]
		}
	}
	if looksUTF8(sample) { // a few broken characters, as a cut leaves them
		s, cut := validUTF8(bytes.TrimPrefix(b, utf8BOM))
		if cut {
			return s, "utf-8", TooLarge
		}
		return s, "utf-8", ""
	}
	switch eastAsian(sample) {
	case "shift_jis":
		return decodeWith(japanese.ShiftJIS, "shift_jis", b)
	case "euc-jp":
		return decodeWith(japanese.EUCJP, "euc-jp", b)
	case "gb18030":
		return decodeWith(simplifiedchinese.GB18030, "gb18030", b)
	}
	return decodeWith(charmap.Windows1252, "windows-1252", b)
}

// sniffBytes is how much of a text the guess looks at.
const sniffBytes = 8 << 10

// looksUTF8 reports whether nearly all multi-byte sequences are UTF-8.
func looksUTF8(b []byte) bool {
	good, bad := 0, 0
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			bad++
		} else if n > 1 {
			good++
		}
		b = b[n:]
	}
	return good > 10*bad
}

// tally counts the double-byte characters that one charset reads in a text.
type tally struct {
	chars  int // all double-byte characters
	good   int // of them kana, punctuation and the letters in daily use
	kana   int
	high   int // both bytes are 8-bit: accents among Latin letters are not
	rare   int // letters of the second level, vendor rows, user-defined
	half   int // half-width kana
	bad    int // bytes that the charset does not have
	second int // GB 2312 rows that JIS X 0208 has on its second level
}

// plausible reports whether the text is what people write in that charset.
func (t tally) plausible() bool {
	return t.chars >= 2 &&
		t.bad*50 <= t.chars &&
		t.good*100 >= t.chars*80 &&
		t.half <= 2*t.good &&
		(t.high*100 >= t.chars*40 || t.kana*100 >= t.chars*20)
}

// eastAsian names the multi-byte charset that b is written in, "" if it looks
// like none. Text in a Latin charset has single 8-bit letters among ASCII,
// which as Shift_JIS or GBK are letters that hardly anybody uses.
func eastAsian(b []byte) string {
	sjis, euc, gb := tallySJIS(b), tallyEUC(b, 0xcf), tallyEUC(b, 0xd7)
	best, score := "", 0
	if sjis.plausible() {
		best, score = "shift_jis", sjis.good-sjis.rare
	}
	if gb.plausible() && gb.good-gb.rare > score {
		best, score = "gb18030", gb.good-gb.rare
	}
	// Japanese in EUC and Chinese share their kana rows and most of their
	// letters' rows. Kana decide; without them the rows that only one of
	// both uses daily do.
	if euc.plausible() && euc.good-euc.rare >= score*9/10 && (euc.kana*10 >= euc.chars || euc.second*20 <= euc.chars) {
		best = "euc-jp"
	}
	return best
}

// tallySJIS reads b as Shift_JIS: its lead bytes are 81 to 9F and E0 to FC.
func tallySJIS(b []byte) (t tally) {
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c < 0x80:
			continue
		case c >= 0xa1 && c <= 0xdf:
			t.half++
			continue
		case c == 0x80, c == 0xa0, c > 0xfc, i+1 == len(b), b[i+1] < 0x40, b[i+1] == 0x7f, b[i+1] > 0xfc:
			if i+1 < len(b) {
				t.bad++
			}
			continue
		}
		i++
		d := b[i]
		t.chars++
		if d >= 0x80 {
			t.high++
		}
		switch {
		case c == 0x82 && d >= 0x9f && d <= 0xf1, c == 0x83 && d <= 0x96:
			t.kana++
			t.good++
		case c == 0x81, c == 0x82, c == 0x87, c >= 0x88 && c <= 0x97, c == 0x98 && d <= 0x72:
			t.good++
		default:
			t.rare++
		}
	}
	return t
}

// tallyEUC reads b as EUC-JP or as GBK, whose letters in daily use end with
// the row of byte last: JIS X 0208 level 1 at CF, GB 2312 level 1 at D7.
func tallyEUC(b []byte, last byte) (t tally) {
	japanese := last == 0xcf
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c < 0x80 {
			continue
		}
		if i+1 == len(b) {
			break
		}
		d := b[i+1]
		low := byte(0x40)
		if japanese {
			low = 0xa1
		}
		if c == 0x80 || c == 0xff || d < low || d == 0x7f || d == 0xff || japanese && c < 0xa1 && c != 0x8e && c != 0x8f {
			t.bad++
			continue
		}
		i++
		if japanese && c == 0x8e {
			t.half++
			continue
		}
		t.chars++
		if d >= 0x80 {
			t.high++
		}
		switch {
		case d < 0xa1 || c < 0xa1:
			t.rare++
		case c == 0xa4, c == 0xa5:
			t.kana++
			t.good++
		case c >= 0xa1 && c <= 0xa3, japanese && c == 0xad, c >= 0xb0 && c <= last:
			t.good++
		case c > 0xcf && c <= 0xd7:
			t.second++
			t.rare++
		default:
			t.rare++
		}
		if !japanese && c > 0xcf && c <= 0xd7 {
			t.second++
		}
	}
	return t
}
