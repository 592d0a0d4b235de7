package eml

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// maxText bounds the text of one part, in bytes of UTF-8: a byte of a legacy
// charset may become three.
const maxText = 48 << 20

// charsetLabel brings the name of a charset into the form that the WHATWG
// Encoding Standard knows, adding the names that mail programs use and it does
// not.
func charsetLabel(label string) string {
	l := strings.ToLower(strings.Trim(label, " \t\r\n\"'"))
	switch l {
	case "cp932", "windows-932", "ms932", "x-ms-cp932", "cp943", "sjis-win", "shift-jis", "shiftjis":
		return "shift_jis"
	case "cp50220", "cp50221", "cp50222", "iso-2022-jp-ms", "iso2022jp", "iso-2022-jp-1", "iso-2022-jp-2", "iso-2022-jp-3",
		"iso-2022-jp-2004", "x-windows-iso2022jp", "jis", "csiso2022jp":
		return "iso-2022-jp"
	case "cp51932", "eucjp-ms", "x-eucjp", "eucjp", "eucjp-win":
		return "euc-jp"
	case "cp936", "gb_2312", "gb-2312", "euc-cn", "x-gbk":
		return "gbk"
	case "gb18030-2000", "gb18030-2005", "gb18030-2022":
		return "gb18030"
	case "hz", "hz-gb":
		return "hz-gb-2312"
	case "cp949", "uhc", "ks_c_5601", "x-windows-949":
		return "euc-kr"
	case "cp950", "big5-eten":
		return "big5"
	case "utf8", "cp65001", "utf8mb4", "utf_8", "unicode-utf-8", "utf-8-sig":
		return "utf-8"
	case "utf7", "unicode-1-1-utf-7", "unicode-2-0-utf-7", "cp65000":
		return "utf-7"
	case "ansi_x3.110-1983", "iso8859_1", "latin-1", "iso_8859_1":
		return "iso-8859-1"
	}
	if n, ok := strings.CutPrefix(l, "cp125"); ok && len(n) == 1 {
		return "windows-125" + n
	}
	return l
}

// decodeCharset decodes b from the labelled charset to valid UTF-8 and returns
// the charset used. A label that is empty or means ASCII, and one that is
// unknown, is replaced by what the bytes look like.
func decodeCharset(label string, b []byte) (text, used string) {
	s, used, _ := decodeLabelled(charsetLabel(label), b)
	return s, used
}

func decodeLabelled(l string, b []byte) (text, used string, code DefectCode) {
	switch l {
	case "utf-8":
		b = bytes.TrimPrefix(b, utf8BOM)
		if utf8.Valid(b) {
			return string(b), l, ""
		}
		s, cut := validUTF8(b)
		if cut {
			return s, l, TooLarge
		}
		return s, l, MalformedCharset
	case "", "us-ascii", "ascii", "ansi_x3.4-1968", "7bit", "8bit", "unknown-8bit", "x-unknown", "default", "default_charset":
		return sniffCharset(b)
	case "utf-7":
		return decodeUTF7(b)
	case "utf-32", "utf-32le", "utf-32be":
		order := utf32.BigEndian
		if l == "utf-32le" {
			order = utf32.LittleEndian
		}
		return decodeWith(utf32.UTF32(order, utf32.UseBOM), l, b)
	case "utf-16":
		return decodeWith(unicode.UTF16(utf16Order(b), unicode.UseBOM), l, b)
	case "iso-2022-jp":
		text, used, code = decodeWith(japanese.ISO2022JP, l, b)
		if code == MalformedCharset && bytes.IndexByte(b, 0x1b) < 0 {
			// Labelled by the mail program's default, written in another charset.
			if s, u, _ := sniffCharset(b); u != "windows-1252" {
				return s, u, code
			}
		}
		return text, used, code
	case "iso-2022-kr":
		return decodeWith(korean.EUCKR, l, unshiftKR(b))
	case "hz-gb-2312":
		return decodeWith(simplifiedchinese.HZGB2312, l, b)
	}
	e, name := charset.Lookup(l)
	if e == nil || name == "replacement" {
		s, used, code := sniffCharset(b)
		if code == "" {
			code = UnknownCharset
		}
		return s, used, code
	}
	if ascii7(b) && name != "utf-16le" && name != "utf-16be" {
		return string(b), name, ""
	}
	return decodeWith(e, name, b)
}

// knownCharset reports whether the label names a charset, as charsetLabel
// writes it.
func knownCharset(l string) bool {
	switch l {
	case "utf-7", "utf-32", "utf-32le", "utf-32be", "iso-2022-kr", "hz-gb-2312", "us-ascii", "unknown-8bit":
		return true
	}
	e, name := charset.Lookup(l)
	return e != nil && name != "replacement"
}

var utf8BOM = []byte("\xef\xbb\xbf")

// ascii7 reports whether b has neither 8-bit bytes nor escapes.
func ascii7(b []byte) bool {
	return bytes.IndexByte(b, 0x1b) < 0 && !has8bit(b)
}

func has8bit(b []byte) bool {
	const high = 0x8080808080808080
	for len(b) >= 8 {
		if binary.LittleEndian.Uint64(b)&high != 0 {
			return true
		}
		b = b[8:]
	}
	for _, c := range b {
		if c >= 0x80 {
			return true
		}
	}
	return false
}

// decodeWith decodes piece by piece, so that hostile text is cut before it
// takes memory. Decoders write valid UTF-8 only.
func decodeWith(e encoding.Encoding, name string, b []byte) (text, used string, code DefectCode) {
	var out strings.Builder
	out.Grow(min(len(b)+len(b)/8+16, maxText))
	d := e.NewDecoder()
	buf := make([]byte, min(len(b)*3+16, 8<<10))
	for {
		nDst, nSrc, err := d.Transform(buf, b, true)
		b = b[nSrc:]
		if code == "" && bytes.Contains(buf[:nDst], []byte("\uFFFD")) {
			code = MalformedCharset
		}
		if out.Len()+nDst > maxText {
			return out.String(), name, TooLarge
		}
		out.Write(buf[:nDst])
		switch {
		case err == nil:
			return out.String(), name, code
		case nDst == 0 && nSrc == 0: // a decoder that stops short of the end
			out.WriteString("\uFFFD")
			return out.String(), name, MalformedCharset
		}
	}
}

// validUTF8 replaces every run of bytes that are not UTF-8 by U+FFFD and
// reports whether it had to cut.
func validUTF8(b []byte) (string, bool) {
	var out strings.Builder
	out.Grow(min(len(b)+len(b)/8+16, maxText))
	broken := false
	for i, from := 0, 0; ; {
		n, ok := 1, true
		if i < len(b) && b[i] >= utf8.RuneSelf {
			var r rune
			r, n = utf8.DecodeRune(b[i:])
			ok = r != utf8.RuneError || n > 1
		}
		if i < len(b) && ok {
			broken = false
			i += n
			continue
		}
		if out.Len()+i-from+len("\uFFFD") > maxText {
			return out.String(), true
		}
		out.Write(b[from:i])
		if i == len(b) {
			return out.String(), false
		}
		if !broken {
			out.WriteString("\uFFFD")
			broken = true
		}
		i++
		from = i
	}
}

// utf16Order guesses the byte order of UTF-16 without a byte order mark: the
// high bytes of most text are zero. RFC 2781 section 4.3 says big-endian, and
// Microsoft's programs write little-endian.
func utf16Order(b []byte) unicode.Endianness {
	even, odd := 0, 0
	for i, c := range b[:min(len(b), 1024)] {
		if c != 0 {
			continue
		}
		if i%2 == 0 {
			even++
		} else {
			odd++
		}
	}
	if odd > even {
		return unicode.LittleEndian
	}
	return unicode.BigEndian
}

// unshiftKR turns ISO-2022-KR (RFC 1557) into EUC-KR: between SO and SI the
// letters have their high bits cleared.
func unshiftKR(b []byte) []byte {
	out := make([]byte, 0, len(b))
	b = bytes.ReplaceAll(b, []byte("\x1b$)C"), nil)
	shifted := false
	for _, c := range b {
		switch {
		case c == 0x0e:
			shifted = true
		case c == 0x0f, c == '\n':
			shifted = false
			if c == '\n' {
				out = append(out, c)
			}
		case shifted && c > 0x20:
			out = append(out, c|0x80)
		default:
			out = append(out, c)
		}
	}
	return out
}

// decodeUTF7 decodes RFC 2152.
func decodeUTF7(b []byte) (text, used string, code DefectCode) {
	var out strings.Builder
	out.Grow(min(len(b), maxText))
	var raw []byte
	var units []uint16
	for i := 0; i < len(b); {
		if out.Len() > maxText-utf8.UTFMax {
			return out.String(), "utf-7", TooLarge
		}
		c := b[i]
		if c != '+' {
			if c >= 0x80 {
				code = MalformedCharset
				out.WriteRune(utf8.RuneError)
			} else {
				out.WriteByte(c)
			}
			i++
			continue
		}
		j := i + 1
		for j < len(b) && base64Value[b[j]] != notBase64 {
			j++
		}
		if j == i+1 {
			if j < len(b) && b[j] == '-' {
				out.WriteByte('+')
				i = j + 1
				continue
			}
			code = MalformedCharset
			out.WriteByte('+')
			i++
			continue
		}
		// Pieces keep the memory small: 8 letters are 3 UTF-16 units.
		units = units[:0]
		for run := b[i+1 : j]; len(run) > 0; {
			piece := run[:min(len(run), 8<<10)]
			run = run[len(piece):]
			raw = append(raw[:0], make([]byte, base64.RawStdEncoding.DecodedLen(len(piece)))...)
			n, err := base64.RawStdEncoding.Decode(raw, piece)
			if err != nil {
				code = MalformedCharset
			}
			for k := 0; k+1 < n; k += 2 {
				units = append(units, uint16(raw[k])<<8|uint16(raw[k+1]))
			}
			if last := len(units) - 1; len(run) > 0 && last >= 0 && units[last] >= 0xd800 && units[last] < 0xdc00 {
				units = writeUTF16(&out, units) // its other half is in the next piece
			} else {
				writeUTF16(&out, append(units, 0))
				units = units[:0]
			}
			if out.Len() > maxText-(32<<10) {
				return out.String(), "utf-7", TooLarge
			}
		}
		i = j
		if i < len(b) && b[i] == '-' {
			i++
		}
	}
	return out.String(), "utf-7", code
}

// writeUTF16 writes all units but the last, which it returns.
func writeUTF16(out *strings.Builder, units []uint16) []uint16 {
	last := len(units) - 1
	for i := 0; i < last; i++ {
		r := rune(units[i])
		if utf16.IsSurrogate(r) {
			if r = utf16.DecodeRune(r, rune(units[i+1])); r != utf8.RuneError {
				i++
			}
		}
		out.WriteRune(r)
	}
	return append(units[:0], units[last])
}

func (p *Part) decodeText() (text, used string, defects []Defect) {
	b := p.Content()
	label := charsetLabel(p.params.get("charset"))
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")), bytes.HasPrefix(b, utf8BOM):
		if !strings.HasPrefix(label, "utf-") {
			label = "" // a byte order mark wins, as in the WHATWG Encoding Standard
		} else if label == "utf-8" && b[0] != 0xef {
			label = "utf-16"
		}
	case label == "" && p.mediaType == "text/html":
		label = htmlCharset(b)
	}
	text, used, code := decodeLabelled(label, b)
	if code != "" {
		defects = []Defect{{Code: code, Part: p.id, Offset: p.body.Offset}}
	}
	return text, used, defects
}

// htmlCharset reads the charset that a page declares in a meta element of its
// first bytes, as the HTML standard's prescan does.
func htmlCharset(b []byte) string {
	head := bytes.ToLower(b[:min(len(b), 2048)])
	meta := bytes.Index(head, []byte("<meta"))
	if meta < 0 {
		return ""
	}
	for rest := head[meta:]; ; {
		j := bytes.Index(rest, []byte("charset"))
		if j < 0 {
			return ""
		}
		rest = bytes.TrimLeft(rest[j+len("charset"):], " \t\r\n")
		if len(rest) == 0 || rest[0] != '=' {
			continue
		}
		rest = bytes.TrimLeft(rest[1:], " \t\r\n\"'")
		end := bytes.IndexAny(rest, " \t\r\n\"'/>;")
		if end <= 0 {
			return ""
		}
		label := charsetLabel(string(rest[:end]))
		if strings.HasPrefix(label, "utf-16") {
			return "utf-8" // what could be read as ASCII is not UTF-16
		}
		return label
	}
}
