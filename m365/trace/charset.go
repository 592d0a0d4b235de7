package trace

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// decoded returns the text behind r, whose beginning is head, and the name of
// its charset. A byte order mark decides; without one UTF-16 shows by its zeros.
// What is neither is left as it is, since its rows are decoded one by one; see
// [toUTF8].
func decoded(r io.Reader, head []byte) (text io.Reader, charset string, err error) {
	from16 := func(order unicode.Endianness) io.Reader {
		return transform.NewReader(r, unicode.UTF16(order, unicode.UseBOM).NewDecoder())
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return from16(unicode.LittleEndian), "utf-16le", nil
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return from16(unicode.BigEndian), "utf-16be", nil
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")), bytes.HasPrefix(head, []byte("%PDF")):
		return nil, "", ErrBinary
	}
	head = head[:min(len(head), 4096)]
	if bytes.IndexByte(head, 0) < 0 {
		return r, "", nil
	}
	even, odd := 0, 0
	for i, c := range head {
		switch {
		case c != 0:
		case i%2 == 0:
			even++
		default:
			odd++
		}
	}
	switch {
	case odd > len(head)/5 && even < odd/4:
		return transform.NewReader(r, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder()), "utf-16le", nil
	case even > len(head)/5 && odd < even/4:
		return transform.NewReader(r, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder()), "utf-16be", nil
	}
	return nil, "", ErrBinary
}

// toUTF8 reads a row: UTF-8 if it is that, else Shift_JIS, in which Excel in Japan
// saves tables. In both no byte of a longer character is a comma, a quotation
// mark or a line feed, so that rows and fields can be parted before.
func toUTF8(line []byte) (s, charset string, bad bool) {
	if utf8.Valid(line) {
		return string(line), "utf-8", false
	}
	if out, err := japanese.ShiftJIS.NewDecoder().Bytes(line); err == nil && !bytes.ContainsRune(out, utf8.RuneError) {
		return string(out), "shift_jis", false
	}
	return strings.ToValidUTF8(string(line), "\ufffd"), "", true
}
