package pdf

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/unicode/norm"
)

// font says what the codes of a font mean (9.5 to 9.10) and how wide they are.
type font struct {
	toUnicode *cmap
	composite bool // two bytes to a code unless the CMap says otherwise
	legacy    encoding.Encoding
	utf16     bool
	simple    [256]string
	widths    map[int]float64
	usual     float64 // width of a code that has none
}

// glyph is a code that was shown.
type glyph struct {
	text  string
	width float64 // in thousandths of the font size
	space bool    // the single-byte code 32, to which word spacing applies
}

func (p *painter) font(v any) *font {
	id, isRef := v.(ref)
	if isRef {
		if x, ok := p.fonts[id]; ok {
			return x
		}
	}
	x := p.file.font(p.file.dictOf(v))
	if isRef {
		p.fonts[id] = x
	}
	return x
}

func (f *file) font(d dict) *font {
	x := &font{widths: map[int]float64{}, usual: 500}
	if d == nil {
		x.latin(charmap.Windows1252)
		return x
	}
	if s, ok := f.resolve(d["ToUnicode"]).(*stream); ok {
		data, _ := f.decode(s)
		x.toUnicode = readCMap(data)
	}
	if f.resolve(d["Subtype"]) == name("Type0") {
		x.composite, x.usual = true, 1000
		f.composite(x, d)
		return x
	}
	x.latin(charmap.Windows1252)
	switch e := f.resolve(d["Encoding"]).(type) {
	case name:
		x.named(e)
	case dict:
		if base, ok := f.resolve(e["BaseEncoding"]).(name); ok {
			x.named(base)
		}
		code := 0
		for _, v := range f.list(e["Differences"]) {
			switch v := f.resolve(v).(type) {
			case int:
				code = v
			case name:
				if code >= 0 && code < 256 {
					x.simple[code] = glyphText(string(v))
				}
				code++
			}
		}
	}
	first, _ := f.resolve(d["FirstChar"]).(int)
	for i, w := range f.list(d["Widths"]) {
		if i > 65535 {
			break
		}
		x.widths[first+i] = toFloat(f.resolve(w))
	}
	return x
}

func (x *font) latin(m *charmap.Charmap) {
	for i := range x.simple {
		if r := m.DecodeByte(byte(i)); r != utf8.RuneError && r >= ' ' { //nolint:gosec // below 256
			x.simple[i] = string(r)
		}
	}
}

func (x *font) named(n name) {
	if n == "MacRomanEncoding" {
		x.latin(charmap.Macintosh)
	}
}

// composite reads a Type 0 font: the CMap of its codes and the widths of its
// descendant.
func (f *file) composite(x *font, d dict) {
	if n, ok := f.resolve(d["Encoding"]).(name); ok {
		s := string(n)
		switch {
		case strings.Contains(s, "UTF16") || strings.Contains(s, "UCS2"):
			x.utf16 = true
		case strings.Contains(s, "RKSJ"):
			x.legacy = japanese.ShiftJIS
		case strings.HasPrefix(s, "EUC-"):
			x.legacy = japanese.EUCJP
		case strings.HasPrefix(s, "GBK") || strings.HasPrefix(s, "GB-EUC"):
			x.legacy = simplifiedchinese.GBK
		case strings.HasPrefix(s, "B5") || strings.HasPrefix(s, "ETen-B5"):
			x.legacy = traditionalchinese.Big5
		case strings.HasPrefix(s, "KSC"):
			x.legacy = korean.EUCKR
		}
	}
	desc := f.list(d["DescendantFonts"])
	if len(desc) == 0 {
		return
	}
	f.widths(x, f.dictOf(desc[0]))
}

// widths reads the widths of a CIDFont (9.7.4.3).
func (f *file) widths(x *font, desc dict) {
	if w, ok := f.resolve(desc["DW"]).(int); ok {
		x.usual = float64(w)
	}
	list := f.list(desc["W"])
	for i := 0; i+1 < len(list); {
		first, ok := f.resolve(list[i]).(int)
		if !ok || first < 0 || first > 65535 {
			return
		}
		switch v := f.resolve(list[i+1]).(type) {
		case array:
			for j, w := range v {
				if first+j > 65535 {
					break
				}
				x.widths[first+j] = toFloat(f.resolve(w))
			}
			i += 2
		case int:
			if i+2 >= len(list) || v < first || v > 65535 {
				return
			}
			w := toFloat(f.resolve(list[i+2]))
			for c := first; c <= v && f.budget.Spend(1); c++ {
				x.widths[c] = w
			}
			i += 3
		default:
			return
		}
	}
}

// glyphs takes a string apart into codes.
func (x *font) glyphs(s []byte) []glyph {
	var out []glyph
	add := func(code, n int, text string) {
		w, ok := x.widths[code]
		if !ok {
			w = x.usual
		}
		out = append(out, glyph{text, w, n == 1 && code == ' '})
	}
	for len(s) > 0 {
		n := 1
		switch {
		case x.toUnicode != nil && (x.composite || len(x.toUnicode.lengths) > 0):
			n = x.toUnicode.next(s, x.composite)
		case x.legacy != nil:
			n = legacyLength(x.legacy, s)
		case x.composite:
			n = 2
		}
		n = min(n, len(s))
		code := 0
		for _, b := range s[:n] {
			code = code<<8 | int(b)
		}
		text, ok := "", false
		if x.toUnicode != nil {
			text, ok = x.toUnicode.text(code, n)
		}
		switch {
		case ok:
		case x.legacy != nil:
			if b, err := x.legacy.NewDecoder().Bytes(s[:n]); err == nil {
				text = string(b)
			}
		case x.utf16:
			text = utf16be(s[:n])
		case !x.composite:
			text = x.simple[code]
		}
		if text == "\u00a0" || text == "\t" {
			text = " "
		}
		add(code, n, plain(strings.Map(shown, text)))
		s = s[n:]
	}
	return out
}

// shown drops what is no sign on a page.
func shown(r rune) rune {
	if r < ' ' || r == 0x7f || r == '\uFFFE' || r == '\uFFFF' {
		return -1
	}
	return r
}

// plain writes what fonts name by their shape as it is typed: ligatures, and the
// radicals of Kangxi that Chromium puts for the characters that look the same.
func plain(s string) string {
	for i, r := range s {
		if r >= 0xfb00 && r <= 0xfb06 || r >= 0x2e80 && r <= 0x2fdf || r >= 0xf900 && r <= 0xfaff {
			return s[:i] + norm.NFKC.String(s[i:])
		}
	}
	return s
}

func legacyLength(e encoding.Encoding, s []byte) int {
	c := s[0]
	switch {
	case c < 0x80:
		return 1
	case e == japanese.ShiftJIS && c >= 0xa1 && c <= 0xdf:
		return 1
	case e == japanese.EUCJP && c == 0x8f:
		return 3
	}
	return 2
}

// cmap is a ToUnicode CMap (9.10.3).
type cmap struct {
	lengths map[int]bool // of the codes, in bytes
	spaces  []codeSpace
	single  map[int]string
	ranges  []codeRange
}

type codeSpace struct{ n, low, high int }

type codeRange struct {
	low, high int
	to        []rune
}

// Bounds on one CMap.
const (
	maxCMap   = 70_000 // entries
	maxSpaces = 64
)

func readCMap(data []byte) *cmap {
	c := &cmap{lengths: map[int]bool{}, single: map[int]string{}}
	l := &lexer{data: data}
	var args []any
	for {
		v, ok := l.next(maxNesting)
		if !ok || len(c.single)+len(c.ranges) > maxCMap {
			slices.SortStableFunc(c.ranges, func(a, b codeRange) int { return cmp.Compare(a.low, b.low) })
			return c
		}
		op, is := v.(operator)
		if !is {
			if len(args) < 4096 {
				args = append(args, v)
			}
			continue
		}
		switch op {
		case "endcodespacerange":
			for i := 0; i+1 < len(args); i += 2 {
				low, ok1 := args[i].(str)
				high, ok2 := args[i+1].(str)
				if ok1 && ok2 && len(low) > 0 && len(low) <= 4 && len(low) == len(high) && len(c.spaces) < maxSpaces {
					c.spaces = append(c.spaces, codeSpace{len(low), number(low), number(high)})
					c.lengths[len(low)] = true
				}
			}
		case "endbfchar":
			for i := 0; i+1 < len(args); i += 2 {
				from, ok1 := args[i].(str)
				to, ok2 := args[i+1].(str)
				if ok1 && ok2 && len(to) <= 64 {
					c.single[number(from)] = utf16be(to)
				}
			}
		case "endbfrange":
			for i := 0; i+2 < len(args); i += 3 {
				low, ok1 := args[i].(str)
				high, ok2 := args[i+1].(str)
				if !ok1 || !ok2 {
					break
				}
				switch to := args[i+2].(type) {
				case str:
					if r := []rune(utf16be(to)); len(r) > 0 && len(r) <= 32 {
						c.ranges = append(c.ranges, codeRange{number(low), number(high), r})
					}
				case array:
					for j, t := range to {
						if s, ok := t.(str); ok && len(c.single) < maxCMap {
							c.single[number(low)+j] = utf16be(s)
						}
					}
				}
			}
		}
		args = args[:0]
	}
}

func number(s []byte) int {
	n := 0
	for _, b := range s[:min(len(s), 4)] {
		n = n<<8 | int(b)
	}
	return n
}

// next returns the length of the code at the beginning of s.
func (c *cmap) next(s []byte, composite bool) int {
	for n := 1; n <= 4 && n <= len(s); n++ {
		if !c.lengths[n] {
			continue
		}
		code := number(s[:n])
		for _, x := range c.spaces {
			if x.n == n && code >= x.low && code <= x.high {
				return n
			}
		}
	}
	if composite {
		return 2
	}
	return 1
}

func (c *cmap) text(code, _ int) (string, bool) {
	if s, ok := c.single[code]; ok {
		return s, true
	}
	i, ok := slices.BinarySearchFunc(c.ranges, code, func(r codeRange, code int) int { return cmp.Compare(r.low, code) })
	if !ok {
		i--
	}
	if i < 0 || code > c.ranges[i].high {
		return "", false
	}
	r := &c.ranges[i]
	out := slices.Clone(r.to)
	out[len(out)-1] += rune(code - r.low) //nolint:gosec // both are codes of at most four bytes
	return strings.ToValidUTF8(string(out), ""), true
}

// glyphText is what a glyph's name stands for: the common names of the Adobe
// Glyph List, a single letter, or uniXXXX and uXXXX.
func glyphText(n string) string {
	n, _, _ = strings.Cut(n, ".")
	if s, ok := glyphNames[n]; ok {
		return s
	}
	if utf8.RuneCountInString(n) == 1 {
		return n
	}
	hexDigits, ok := strings.CutPrefix(n, "uni")
	if !ok {
		hexDigits, ok = strings.CutPrefix(n, "u")
	}
	if !ok || len(hexDigits) < 4 || len(hexDigits) > 6 {
		return ""
	}
	r := rune(0)
	for _, c := range []byte(hexDigits) {
		d, ok := unhex(c)
		if !ok {
			return ""
		}
		r = r<<4 | rune(d)
	}
	if !utf8.ValidRune(r) {
		return ""
	}
	return string(r)
}

// glyphNames are names of the Adobe Glyph List for what is no letter of ASCII.
var glyphNames = map[string]string{
	"space": " ", "exclam": "!", "quotedbl": `"`, "numbersign": "#", "dollar": "$", "percent": "%", "ampersand": "&", "quotesingle": "'",
	"parenleft": "(", "parenright": ")", "asterisk": "*", "plus": "+", "comma": ",", "hyphen": "-", "period": ".", "slash": "/",
	"zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
	"colon": ":", "semicolon": ";", "less": "<", "equal": "=", "greater": ">", "question": "?", "at": "@",
	"bracketleft": "[", "backslash": `\`, "bracketright": "]", "asciicircum": "^", "underscore": "_", "grave": "`",
	"braceleft": "{", "bar": "|", "braceright": "}", "asciitilde": "~", "bullet": "•", "endash": "–", "emdash": "—",
	"quoteleft": "‘", "quoteright": "’", "quotedblleft": "“", "quotedblright": "”", "ellipsis": "…", "fi": "fi", "fl": "fl", "ff": "ff", "ffi": "ffi", "ffl": "ffl",
	"copyright": "©", "registered": "®", "trademark": "™", "degree": "°", "Euro": "€", "sterling": "£", "yen": "¥", "section": "§",
	"adieresis": "ä", "odieresis": "ö", "udieresis": "ü", "Adieresis": "Ä", "Odieresis": "Ö", "Udieresis": "Ü", "germandbls": "ß",
	"eacute": "é", "egrave": "è", "ecircumflex": "ê", "agrave": "à", "aacute": "á", "acircumflex": "â", "ccedilla": "ç", "ntilde": "ñ",
	"iacute": "í", "oacute": "ó", "uacute": "ú", "ocircumflex": "ô", "ugrave": "ù", "idieresis": "ï", "atilde": "ã", "otilde": "õ",
}
