package inventory

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
)

// decode turns bytes into text. A byte order mark decides; without one UTF-16
// shows by its zeros, and what is not UTF-8 is taken for Shift_JIS, in which
// Excel in Japan saves tables.
func decode(data []byte) (text, charset string, err error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return strings.ToValidUTF8(string(data[3:]), "\ufffd"), "utf-8", nil
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		return from16(data[2:], binary.LittleEndian), "utf-16le", nil
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		return from16(data[2:], binary.BigEndian), "utf-16be", nil
	}
	head := data[:min(len(data), 4096)]
	if bytes.IndexByte(head, 0) >= 0 {
		even, odd := 0, 0
		for i, c := range head {
			if c == 0 && i%2 == 0 {
				even++
			} else if c == 0 {
				odd++
			}
		}
		switch {
		case odd > len(head)/5 && even < odd/4:
			return from16(data, binary.LittleEndian), "utf-16le", nil
		case even > len(head)/5 && odd < even/4:
			return from16(data, binary.BigEndian), "utf-16be", nil
		}
		return "", "", ErrBinary
	}
	if utf8.Valid(data) {
		return string(data), "utf-8", nil
	}
	if bytes.HasPrefix(data, []byte("PK\x03\x04")) || bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0")) || bytes.HasPrefix(data, []byte("%PDF")) {
		return "", "", ErrBinary
	}
	out, err := japanese.ShiftJIS.NewDecoder().Bytes(data)
	if err != nil {
		return "", "", ErrBinary
	}
	return string(out), "shift_jis", nil
}

func from16(data []byte, order binary.ByteOrder) string {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	return string(utf16.Decode(units))
}

// first returns the first byte of text that is no white space, 0 for none.
func first(text string) byte {
	if t := strings.TrimSpace(text); t != "" {
		return t[0]
	}
	return 0
}
