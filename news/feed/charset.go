package feed

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
)

// decode returns data as UTF-8, and whether its bytes are of another charset
// than it names. A byte order mark decides, then what the document names itself,
// then the header; bytes that contradict are tried as the charsets of Japanese
// sites.
func decode(data []byte, header string) (text []byte, wrong bool) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return valid(data[3:]), false
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		if out, err := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder().Bytes(data); err == nil {
			return valid(out), false
		}
	}
	named := declared(data)
	if named == "" {
		named = header
	}
	if named == "" || isUTF8(named) {
		if utf8.Valid(data) && !isJIS(data) {
			return valid(data), false
		}
		if out, ok := japaneseText(data); ok {
			return out, true
		}
		return valid(data), true
	}
	e, name := charset.Lookup(strings.Trim(named, " \"'"))
	if e == nil || name == "replacement" {
		if utf8.Valid(data) {
			return valid(data), true
		}
		out, ok := japaneseText(data)
		if !ok {
			out = valid(data)
		}
		return out, true
	}
	if name == "utf-16le" || name == "utf-16be" {
		// It could not have been read so far if it were.
		return valid(data), true
	}
	out, ok := decodeWith(e, data)
	if !ok && utf8.Valid(data) {
		// Written as UTF-8 by a program that still names the old charset.
		return valid(data), true
	}
	return out, !ok
}

func isUTF8(label string) bool {
	l := strings.ToLower(strings.Trim(label, " \"'"))
	return l == "utf-8" || l == "utf8" || l == "us-ascii" || l == "ascii"
}

// isJIS reports whether data, all 7-bit, has the escapes of ISO-2022-JP.
func isJIS(data []byte) bool {
	return bytes.Contains(data, []byte("\x1b$B")) || bytes.Contains(data, []byte("\x1b$@"))
}

// decodeWith decodes data, and reports whether all of it is of the charset.
func decodeWith(e encoding.Encoding, data []byte) ([]byte, bool) {
	out, err := e.NewDecoder().Bytes(data)
	if err != nil {
		return valid(data), false
	}
	return out, !bytes.ContainsRune(out, utf8.RuneError)
}

// japaneseText tries the three charsets of Japanese sites.
func japaneseText(data []byte) ([]byte, bool) {
	for _, e := range [...]encoding.Encoding{japanese.ISO2022JP, japanese.EUCJP, japanese.ShiftJIS} {
		if e == japanese.ISO2022JP && !isJIS(data) {
			continue
		}
		if out, ok := decodeWith(e, data); ok {
			return out, true
		}
	}
	return nil, false
}

// valid replaces bytes that are no UTF-8 by U+FFFD.
func valid(data []byte) []byte {
	if utf8.Valid(data) {
		return data
	}
	return bytes.ToValidUTF8(data, []byte("\ufffd"))
}

// How far a declaration of the charset is looked for.
const prologue = 2048

// declared returns the charset that a document names itself: in its XML
// declaration or a meta element.
func declared(data []byte) string {
	head := string(data[:min(len(data), prologue)])
	lower := strings.ToLower(head)
	if i := strings.Index(lower, "<?xml"); i >= 0 {
		if end := strings.Index(lower[i:], "?>"); end >= 0 {
			return attribute(head[i:i+end], "encoding")
		}
	}
	for {
		i := strings.Index(lower, "<meta")
		if i < 0 {
			return ""
		}
		lower, head = lower[i+5:], head[i+5:]
		end := strings.IndexByte(lower, '>')
		if end < 0 {
			return ""
		}
		if k := strings.Index(lower[:end], "charset"); k >= 0 {
			v := strings.TrimLeft(head[k+len("charset"):end], " =\"'")
			if stop := strings.IndexAny(v, " \"'/;>"); stop >= 0 {
				v = v[:stop]
			}
			return v
		}
	}
}

// attribute returns the quoted value of name in s.
func attribute(s, name string) string {
	i := strings.Index(strings.ToLower(s), name)
	if i < 0 {
		return ""
	}
	v := strings.TrimLeft(s[i+len(name):], " \t\r\n=")
	if v == "" || v[0] != '"' && v[0] != '\'' {
		return ""
	}
	end := strings.IndexByte(v[1:], v[0])
	if end < 0 {
		return ""
	}
	return v[1 : 1+end]
}
