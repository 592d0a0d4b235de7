package eml

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// transferEncoding reads a Content-Transfer-Encoding (RFC 2045 section 6),
// passing over comments, quotes and stray punctuation.
func transferEncoding(v string) string {
	v = strings.ToLower(strings.Trim(v, " \t\"'"))
	if i := strings.IndexAny(v, " \t;("); i > 0 {
		v = v[:i]
	}
	v = strings.Trim(v, "\"'+,:")
	switch v {
	case "base-64", "b64":
		return "base64"
	case "quoted printable", "qp", "quotedprintable", "quoted":
		return "quoted-printable"
	case "uuencode", "x-uue", "uue":
		return "x-uuencode"
	}
	return v
}

func (p *Part) decodeTransfer() ([]byte, []Defect) {
	body := p.Body()
	var code DefectCode
	switch p.encoding {
	case "", "7bit", "8bit", "binary":
		return body, nil
	case "base64":
		out, ok := decodeBase64(body)
		if ok {
			return out, nil
		}
		body, code = out, MalformedBase64
	case "quoted-printable":
		out, ok := decodeQuotedPrintable(body)
		if ok {
			return out, nil
		}
		body, code = out, MalformedQuoted
	case "x-uuencode":
		out, ok := decodeUU(body)
		if ok {
			return out, nil
		}
		body, code = out, MalformedUUEncode
	default:
		code = UnknownEncoding
	}
	return body, []Defect{{Code: code, Part: p.id, Offset: p.body.Offset}}
}

const notBase64 = 0xff

var base64Value = func() (t [256]byte) {
	for i := range t {
		t[i] = notBase64
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i)
	}
	return t
}()

// decodeBase64 decodes RFC 2045 section 6.8 and reports whether it was well
// formed. Characters outside the alphabet are passed over as the RFC asks, and
// text that goes on after padding is decoded too: several senders join
// separately encoded pieces. Text that cannot be base64 is returned as it is:
// programs that cannot decode show it so.
func decodeBase64(b []byte) ([]byte, bool) {
	out := make([]byte, base64.StdEncoding.DecodedLen(len(b)))
	if n, err := base64.StdEncoding.Decode(out, bytes.TrimRight(b, " \t\r\n")); err == nil {
		return out[:n], true
	}
	ok := true
	out = out[:0]
	var acc uint32
	var n, pad, foreign int
	for _, c := range b {
		v := base64Value[c]
		if v == notBase64 {
			switch c {
			case '\r', '\n', ' ', '\t':
			case '=':
				pad++
				out = flushBase64(out, acc, n)
				acc, n = 0, 0
			default:
				foreign++
			}
			continue
		}
		if pad > 0 {
			ok, pad = false, 0
		}
		acc, n = acc<<6|uint32(v), n+1
		if n == 4 {
			out = append(out, byte(acc>>16), byte(acc>>8), byte(acc))
			acc, n = 0, 0
		}
	}
	if n > 0 {
		ok = false
		out = flushBase64(out, acc, n)
	}
	if foreign*20 > len(b) && len(b) > 64 {
		return b, false // text that was labelled so by mistake
	}
	return out, ok && foreign == 0
}

func flushBase64(out []byte, acc uint32, n int) []byte {
	switch n {
	case 2:
		return append(out, byte(acc>>4))
	case 3:
		return append(out, byte(acc>>10), byte(acc>>2))
	}
	return out
}

var hexValue = func() (t [256]byte) {
	for i := range t {
		t[i] = notBase64
	}
	for i := range byte(10) {
		t['0'+i] = i
	}
	for i := range byte(6) {
		t['A'+i], t['a'+i] = 10+i, 10+i
	}
	return t
}()

// decodeQuotedPrintable decodes RFC 2045 section 6.7 and reports whether it
// was well formed. An "=" that introduces nothing stays as it is.
func decodeQuotedPrintable(b []byte) ([]byte, bool) {
	out := make([]byte, 0, len(b))
	ok := true
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		line, eol := b, ""
		if i >= 0 {
			line, b, eol = b[:i], b[i+1:], "\n"
			if len(line) > 0 && line[len(line)-1] == '\r' {
				line, eol = line[:len(line)-1], "\r\n"
			}
		} else {
			b = nil
		}
		line = bytes.TrimRight(line, " \t") // rule 3: added in transport
		if n := len(line); n > 0 && line[n-1] == '=' {
			line, eol = line[:n-1], ""
		}
		for {
			j := bytes.IndexByte(line, '=')
			if j < 0 {
				out = append(out, line...)
				break
			}
			out = append(out, line[:j]...)
			line = line[j:]
			if len(line) >= 3 && hexValue[line[1]] != notBase64 && hexValue[line[2]] != notBase64 {
				out = append(out, hexValue[line[1]]<<4|hexValue[line[2]])
				line = line[3:]
				continue
			}
			ok = false
			out = append(out, '=')
			line = line[1:]
		}
		out = append(out, eol...)
	}
	return out, ok
}

// decodeUU decodes uuencoded text between its begin and end lines.
func decodeUU(b []byte) ([]byte, bool) {
	ok, begun := true, false
	var out []byte
	for line := range bytes.Lines(b) {
		line = bytes.TrimRight(line, "\r\n")
		if !begun {
			begun = bytes.HasPrefix(line, []byte("begin "))
			continue
		}
		if len(line) == 0 || bytes.Equal(line, []byte("end")) {
			break
		}
		want := int((line[0] - ' ') & 63)
		line = line[1:]
		start := len(out)
		for len(line) > 0 && len(out)-start < want {
			var q [4]byte
			for k := range q {
				if k < len(line) {
					q[k] = (line[k] - ' ') & 63
				}
			}
			line = line[min(4, len(line)):]
			out = append(out, q[0]<<2|q[1]>>4, q[1]<<4|q[2]>>2, q[2]<<6|q[3])
		}
		if len(out)-start < want {
			ok = false
		} else {
			out = out[:start+want]
		}
	}
	return out, ok && begun
}
