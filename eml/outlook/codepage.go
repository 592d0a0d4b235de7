package outlook

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// Code page identifiers, https://learn.microsoft.com/windows/win32/intl/code-page-identifiers.
const (
	cpUTF16   = 1200
	cpWestern = 1252
	cpASCII   = 20127
	cpUTF8    = 65001
	escape    = 0x1B // begins a change of character set in ISO-2022-JP
)

// codepageEncoding returns the encoding of a Windows code page, or nil if it
// is unknown.
func codepageEncoding(cp int) encoding.Encoding {
	switch cp {
	case 437:
		return charmap.CodePage437
	case 850:
		return charmap.CodePage850
	case 852:
		return charmap.CodePage852
	case 855:
		return charmap.CodePage855
	case 858:
		return charmap.CodePage858
	case 862:
		return charmap.CodePage862
	case 866:
		return charmap.CodePage866
	case 874:
		return charmap.Windows874
	case 932:
		return japanese.ShiftJIS
	case 936, 51936, 20936:
		return simplifiedchinese.GBK
	case 949, 51949:
		return korean.EUCKR
	case 950:
		return traditionalchinese.Big5
	case cpUTF16:
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case 1201:
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	case 1250:
		return charmap.Windows1250
	case 1251:
		return charmap.Windows1251
	case cpWestern, cpASCII, 28591: // what calls itself ASCII or Latin-1 is Windows-1252 in mail
		return charmap.Windows1252
	case 1253:
		return charmap.Windows1253
	case 1254, 28599:
		return charmap.Windows1254
	case 1255:
		return charmap.Windows1255
	case 1256:
		return charmap.Windows1256
	case 1257:
		return charmap.Windows1257
	case 1258:
		return charmap.Windows1258
	case 10000:
		return charmap.Macintosh
	case 10001:
		return japanese.ShiftJIS
	case 20866:
		return charmap.KOI8R
	case 21866:
		return charmap.KOI8U
	case 28592:
		return charmap.ISO8859_2
	case 28593:
		return charmap.ISO8859_3
	case 28594:
		return charmap.ISO8859_4
	case 28595:
		return charmap.ISO8859_5
	case 28596:
		return charmap.ISO8859_6
	case 28597:
		return charmap.ISO8859_7
	case 28598, 38598:
		return charmap.ISO8859_8
	case 28603:
		return charmap.ISO8859_13
	case 28605:
		return charmap.ISO8859_15
	case 50220, 50221, 50222:
		return japanese.ISO2022JP
	case 20932, 51932:
		return japanese.EUCJP
	case 52936:
		return simplifiedchinese.HZGB2312
	case 54936:
		return simplifiedchinese.GB18030
	}
	return nil
}

// localeCodepage returns the ANSI code page of a Windows locale, 0 if it is
// none that needs another than the Western one.
func localeCodepage(lcid int) int {
	switch lcid & 0x3FF { // the primary language, [MS-LCID] 2.1
	case 0x11:
		return 932
	case 0x12:
		return 949
	case 0x04:
		if lcid == 0x0404 || lcid == 0x0C04 || lcid == 0x1404 {
			return 950
		}
		return 936
	case 0x19, 0x22, 0x02, 0x2F:
		return 1251
	case 0x08:
		return 1253
	case 0x1F:
		return 1254
	case 0x0D:
		return 1255
	case 0x01, 0x29:
		return 1256
	case 0x1E:
		return 874
	case 0x05, 0x0E, 0x15, 0x1B, 0x18, 0x1A, 0x24:
		return 1250
	}
	return 0
}

// stringCodepage returns the code page of the 8-bit strings of a message, 0 if
// it does not say.
func (o object) stringCodepage() int {
	// A Unicode item may name UTF-16 here; then there are no 8-bit strings
	// that it could be true of.
	if cp := o.num(pidMessageCodepage); cp != cpUTF16 && codepageEncoding(cp) != nil || cp == cpUTF8 {
		return cp
	}
	if cp := localeCodepage(o.num(pidMessageLocaleID)); cp != 0 {
		return cp
	}
	if cp := o.num(pidInternetCodepage); cp != cpUTF16 && codepageEncoding(cp) != nil || cp == cpUTF8 {
		return cp
	}
	return 0
}

// decodeCodepage decodes b, which is in code page cp, into valid UTF-8.
func decodeCodepage(b []byte, cp int) string {
	if cp == cpUTF8 {
		return string(bytes.ToValidUTF8(b, []byte("\uFFFD")))
	}
	e := codepageEncoding(cp)
	if e == nil {
		if utf8.Valid(b) {
			return string(b)
		}
		e = charmap.Windows1252
	}
	s, err := e.NewDecoder().Bytes(b)
	if err != nil {
		s = bytes.ToValidUTF8(b, []byte("\uFFFD"))
	}
	return string(s)
}

// decodeHTML decodes an HTML body. Where its code page is not known, or is
// ASCII, which says nothing about the other bytes, the page itself is asked.
func decodeHTML(b []byte, cp int) string {
	if cp == cpUTF8 || codepageEncoding(cp) != nil && cp != cpASCII {
		return decodeCodepage(b, cp)
	}
	if utf8.Valid(b) && bytes.IndexByte(b, escape) < 0 {
		return string(b)
	}
	e, _, _ := charset.DetermineEncoding(b[:min(len(b), 1024)], "text/html")
	s, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return decodeCodepage(b, cpWestern)
	}
	return string(s)
}

func decodeUTF16(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}
