package outlook

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Kinds of compressed RTF, [MS-OXRTFCP] 2.1.3.1.
const (
	rtfHeaderSize   = 16
	rtfCompressed   = 0x75465A4C // "LZFu"
	rtfUncompressed = 0x414C454D // "MELA"
)

// rtfDictionary is what the dictionary holds at the start, [MS-OXRTFCP] 2.1.2.1.
const rtfDictionary = `{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor ` +
	`MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0` + "\r\n" + `\par \pard\plain\f0\fs20\b\i\u\tab\tx`

// decompressRTF unpacks PidTagRtfCompressed ([MS-OXRTFCP]) up to limit bytes.
// It returns what it could read, and whether that is all.
func decompressRTF(b []byte, limit int) ([]byte, bool) {
	if len(b) < rtfHeaderSize {
		return nil, len(b) == 0
	}
	u32 := binary.LittleEndian.Uint32
	size, kind := min(int(u32(b[4:])), limit), u32(b[8:])
	b = b[rtfHeaderSize:]
	switch kind {
	case rtfUncompressed:
		return b[:min(size, len(b))], len(b) >= size
	case rtfCompressed:
	default:
		return nil, false
	}
	var dict [4096]byte
	w := copy(dict[:], rtfDictionary)
	var out []byte
	put := func(c byte) {
		out = append(out, c)
		dict[w] = c
		w = (w + 1) % len(dict)
	}
	for len(b) > 0 {
		control := b[0]
		b = b[1:]
		for bit := range 8 {
			if len(out) >= size {
				return out, true
			}
			if control>>bit&1 == 0 {
				if len(b) < 1 {
					return out, false
				}
				put(b[0])
				b = b[1:]
				continue
			}
			if len(b) < 2 {
				return out, false
			}
			ref := binary.BigEndian.Uint16(b)
			b = b[2:]
			from := int(ref >> 4)
			if from == w { // the end mark, [MS-OXRTFCP] 2.2.3
				return out, true
			}
			for i := range int(ref&0xF) + 2 {
				if len(out) < size {
					put(dict[(from+i)%len(dict)])
				}
			}
		}
	}
	return out, len(out) >= size
}

// rtfOrigin is what an RTF body was made from, [MS-OXRTFEX] 2.1.1.
type rtfOrigin int

const (
	rtfNative   rtfOrigin = iota // written as RTF
	rtfFromText                  // encapsulates plain text
	rtfFromHTML                  // encapsulates HTML
)

func originOfRTF(b []byte) rtfOrigin {
	// Both words stand within the first few tokens, before the font table;
	// [MS-OXRTFEX] 2.1.1 lets a reader give up after ten.
	head := b[:min(len(b), 512)]
	switch {
	case bytes.Contains(head, []byte(`\fromhtml`)):
		return rtfFromHTML
	case bytes.Contains(head, []byte(`\fromtext`)):
		return rtfFromText
	}
	return rtfNative
}

// rtfDestination says where the text of a group goes.
type rtfDestination int

const (
	toBody  rtfDestination = iota
	toTag                  // the markup in {\*\htmltag}
	toFonts                // the font table
	toField                // a field's instruction, such as HYPERLINK "..."
	toNone
)

// rtfGroup is the state that a brace saves and restores.
type rtfGroup struct {
	to       rtfDestination
	htmlrtf  bool // text is there for RTF readers alone, [MS-OXRTFEX] 2.1.3.1.3
	codepage int
	uc       int // bytes that stand in for one \u
}

const maxRTFDepth = 512

// rtfReader turns RTF into text or into the HTML that it encapsulates.
type rtfReader struct {
	html     bool
	group    rtfGroup
	stack    []rtfGroup
	tooDeep  int // open braces that stack does not hold
	star     bool
	skip     int // bytes yet to be skipped after \u
	surr     rune
	codepage int // of the document
	fonts    map[int]int
	font     int // being defined
	deff     int
	pending  []byte // text in pendingCP that is not decoded yet
	pendCP   int
	field    strings.Builder
	out      strings.Builder
}

// textOfRTF returns the text of b, or its HTML where it encapsulates HTML, in
// UTF-8 with CRLF line ends. Link targets follow in angle brackets where text
// alone would lose them.
func textOfRTF(b []byte) (text string, origin rtfOrigin) {
	origin = originOfRTF(b)
	r := &rtfReader{html: origin == rtfFromHTML, codepage: cpWestern, fonts: map[int]int{}}
	r.group = rtfGroup{codepage: cpWestern, uc: 1}
	r.read(b)
	r.flush()
	return r.out.String(), origin
}

func (r *rtfReader) read(b []byte) {
	for i := 0; i < len(b); {
		switch c := b[i]; c {
		case '{':
			i++
			r.skip, r.star = 0, false
			if len(r.stack) >= maxRTFDepth {
				r.tooDeep++
			} else {
				r.stack = append(r.stack, r.group)
			}
		case '}':
			i++
			r.skip, r.star = 0, false
			r.close()
		case '\r', '\n', 0:
			i++
		case '\\':
			i = r.control(b, i+1)
		default:
			i++
			r.text(c)
		}
	}
}

func (r *rtfReader) close() {
	if r.tooDeep > 0 {
		r.tooDeep--
		return
	}
	if len(r.stack) == 0 {
		return
	}
	was := r.group.to
	r.group = r.stack[len(r.stack)-1]
	r.stack = r.stack[:len(r.stack)-1]
	if was == toField && r.group.to != toField {
		if url := hyperlink(r.field.String()); url != "" {
			r.put("<" + url + "> ")
		}
		r.field.Reset()
	}
}

// hyperlink returns the target of a HYPERLINK field instruction.
func hyperlink(instruction string) string {
	_, rest, ok := strings.Cut(instruction, "HYPERLINK")
	if !ok {
		return ""
	}
	if _, quoted, ok := strings.Cut(rest, `"`); ok {
		url, _, _ := strings.Cut(quoted, `"`)
		return url
	}
	if words := strings.Fields(rest); len(words) > 0 {
		return words[0]
	}
	return ""
}

// control reads the control word or symbol at b[i] and returns what follows.
func (r *rtfReader) control(b []byte, i int) int {
	if i >= len(b) {
		return i
	}
	c := b[i]
	if !isLetter(c) {
		i++
		switch c {
		case '\\', '{', '}':
			r.text(c)
		case '\'':
			if i+2 <= len(b) {
				if v, err := strconv.ParseUint(string(b[i:i+2]), 16, 8); err == nil {
					r.text(byte(v))
				}
			}
			i = min(len(b), i+2)
		case '*':
			r.star = true
		case '~':
			r.symbol("\u00A0", "&nbsp;")
		case '_':
			r.symbol("\u2011", "&shy;")
		case '\r', '\n':
			r.put("\r\n")
		}
		return i
	}
	start := i
	for i < len(b) && isLetter(b[i]) && i-start < 32 {
		i++
	}
	word := string(b[start:i])
	start = i
	if i < len(b) && b[i] == '-' {
		i++
	}
	for i < len(b) && b[i] >= '0' && b[i] <= '9' && i-start < 11 {
		i++
	}
	n, err := strconv.Atoi(string(b[start:i]))
	given := err == nil
	if i < len(b) && b[i] == ' ' {
		i++
	}
	if word == "bin" {
		return min(len(b), i+max(0, n))
	}
	r.word(word, n, given)
	return i
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func (r *rtfReader) word(word string, n int, given bool) {
	star := r.star
	r.star = false
	if word != "u" {
		r.skip = 0
	}
	switch word {
	case "htmltag":
		if r.group.to == toBody {
			r.group.to = toTag
		}
	case "htmlrtf":
		r.group.htmlrtf = !given || n != 0
	case "fldinst":
		if !r.html && r.shown() {
			r.group.to = toField
		} else if r.group.to != toField {
			r.group.to = toNone
		}
	case "fonttbl":
		r.group.to = toFonts
	case "colortbl", "stylesheet", "info", "pict", "header", "footer", "mhtmltag":
		r.group.to = toNone
	case "ansicpg":
		if codepageEncoding(n) != nil || n == cpUTF8 {
			r.codepage, r.group.codepage = n, n
		}
	case "deff":
		r.deff = n
	case "f":
		if r.group.to == toFonts {
			r.font = n
		} else {
			r.setFont(n)
		}
	case "plain":
		r.setFont(r.deff)
	case "fcharset":
		if r.group.to == toFonts && len(r.fonts) < 4096 {
			r.fonts[r.font] = charsetCodepage(n)
		}
	case "cpg":
		if r.group.to == toFonts && len(r.fonts) < 4096 && codepageEncoding(n) != nil {
			r.fonts[r.font] = n
		}
	case "uc":
		r.group.uc = min(max(n, 0), 16)
	case "u":
		r.unicode(rune(uint16(n)))
		r.skip = r.group.uc
	case "par", "line", "row", "sect", "page":
		r.put("\r\n")
	case "tab", "cell":
		r.put("\t")
	case "lquote":
		r.symbol("‘", "&lsquo;")
	case "rquote":
		r.symbol("’", "&rsquo;")
	case "ldblquote":
		r.symbol("“", "&ldquo;")
	case "rdblquote":
		r.symbol("”", "&rdquo;")
	case "bullet":
		r.symbol("•", "&bull;")
	case "endash":
		r.symbol("–", "&ndash;")
	case "emdash":
		r.symbol("—", "&mdash;")
	default:
		if star { // an unknown destination that says it may be ignored
			r.group.to = toNone
		}
	}
}

func (r *rtfReader) setFont(n int) {
	if cp := r.fonts[n]; cp != 0 {
		r.group.codepage = cp
	} else {
		r.group.codepage = r.codepage
	}
}

// charsetCodepage returns the code page of \fcharset, 0 for the document's.
func charsetCodepage(n int) int {
	switch n {
	case 0:
		return cpWestern
	case 77:
		return 10000
	case 128:
		return 932
	case 129:
		return 949
	case 134:
		return 936
	case 136:
		return 950
	case 161:
		return 1253
	case 162:
		return 1254
	case 163:
		return 1258
	case 177:
		return 1255
	case 178:
		return 1256
	case 186:
		return 1257
	case 204:
		return 1251
	case 222:
		return 874
	case 238:
		return 1250
	case 255:
		return 437
	}
	return 0
}

// shown reports whether text at this place belongs to the result.
func (r *rtfReader) shown() bool {
	return (r.group.to == toBody || r.group.to == toTag && r.html) && !(r.html && r.group.htmlrtf)
}

// text takes one byte of text in the code page of the current font.
func (r *rtfReader) text(c byte) {
	r.star = false
	if r.skip > 0 {
		r.skip--
		return
	}
	if r.group.to == toField {
		r.field.WriteByte(c)
		return
	}
	if !r.shown() {
		return
	}
	// A character of two bytes may be written as \'83e: the second byte as the
	// letter that it would be alone. So letters wait for decoding as well.
	if len(r.pending) > 0 && r.pendCP != r.group.codepage {
		r.flush()
	}
	r.surr = 0
	r.pendCP = r.group.codepage
	r.pending = append(r.pending, c)
}

func (r *rtfReader) unicode(u rune) {
	switch {
	case utf16.IsSurrogate(u) && r.surr == 0:
		r.surr = u
		return
	case r.surr != 0:
		u, r.surr = utf16.DecodeRune(r.surr, u), 0
	}
	if r.group.to == toField {
		r.field.WriteRune(u)
		return
	}
	r.put(string(u))
}

func (r *rtfReader) symbol(text, html string) {
	if r.html {
		text = html
	}
	r.put(text)
}

// put adds decoded text.
func (r *rtfReader) put(s string) {
	if r.shown() {
		r.flush()
		r.out.WriteString(s)
	}
}

func (r *rtfReader) flush() {
	if len(r.pending) > 0 {
		r.out.WriteString(decodeCodepage(r.pending, r.pendCP))
		r.pending = r.pending[:0]
	}
}
