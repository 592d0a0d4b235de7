package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"net/url"
	"strings"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
)

// The names of charsets as mails write them.
const (
	ascii  = "us-ascii"
	utf8   = "utf-8"
	jis    = "iso-2022-jp"
	latin1 = "iso-8859-1"
)

// field is a header field; a long value is folded when it is written.
type field struct{ name, value string }

// part is a MIME entity with its content fields.
type part struct {
	fields []field
	body   []byte
}

// encode converts text to charset.
func encode(charset, text string) []byte {
	var b []byte
	var err error
	switch charset {
	case jis:
		b, err = japanese.ISO2022JP.NewEncoder().Bytes([]byte(text))
	case latin1:
		b, err = charmap.ISO8859_1.NewEncoder().Bytes([]byte(text))
	default:
		b = []byte(text)
	}
	if err != nil {
		panic(fmt.Sprintf("%q in %s: %v", text, charset, err)) // a text of this program that its charset lacks
	}
	return b
}

// transfer encodes b for the wire.
func transfer(cte string, b []byte) []byte {
	switch cte {
	case "base64":
		s := base64.StdEncoding.EncodeToString(b)
		var w bytes.Buffer
		for len(s) > 76 {
			w.WriteString(s[:76] + "\r\n")
			s = s[76:]
		}
		w.WriteString(s + "\r\n")
		return w.Bytes()
	case "quoted-printable":
		var w bytes.Buffer
		q := quotedprintable.NewWriter(&w)
		_, _ = q.Write(b) // a bytes.Buffer takes everything
		_ = q.Close()
		return w.Bytes()
	}
	return b
}

// crlf gives text the line ends of the wire, and one at the end.
func crlf(text string) string {
	return strings.ReplaceAll(strings.TrimRight(text, "\n")+"\n", "\n", "\r\n")
}

// text is a text entity.
func text(subtype, charset, cte, s string) part {
	return part{
		fields: []field{
			{"Content-Type", fmt.Sprintf(`text/%s; charset="%s"`, subtype, charset)},
			{"Content-Transfer-Encoding", cte},
		},
		body: transfer(cte, encode(charset, crlf(s))),
	}
}

func plain(s string) part     { return text("plain", ascii, "7bit", s) }
func plainUTF8(s string) part { return text("plain", utf8, "base64", s) }
func plainJIS(s string) part  { return text("plain", jis, "7bit", s) }
func html(s string) part      { return text("html", utf8, "quoted-printable", s) }
func htmlUTF8(s string) part  { return text("html", utf8, "base64", s) }

// htmlJIS is HTML that names its charset in itself as well.
func htmlJIS(s string) part {
	return text("html", jis, "7bit", strings.Replace(s, "charset=utf-8", "charset="+jis, 1))
}

// multipart joins parts. The subtype may carry parameters of its own.
func multipart(subtype, boundary string, parts ...part) part {
	var w bytes.Buffer
	for _, p := range parts {
		w.WriteString("--" + boundary + "\r\n")
		writeFields(&w, p.fields)
		w.WriteString("\r\n")
		w.Write(p.body)
		if !bytes.HasSuffix(p.body, []byte("\r\n")) {
			w.WriteString("\r\n")
		}
	}
	w.WriteString("--" + boundary + "--\r\n")
	return part{
		fields: []field{{"Content-Type", fmt.Sprintf(`multipart/%s; boundary="%s"`, subtype, boundary)}},
		body:   w.Bytes(),
	}
}

// attachment is a file. A name beyond ASCII is written twice, as Outlook does:
// as an encoded word and after RFC 2231.
func attachment(name, media string, data []byte) part {
	typ := fmt.Sprintf(`%s; name="%s"`, media, words(utf8, name))
	disposition := fmt.Sprintf(`attachment; filename="%s"; size=%d`, name, len(data))
	if !isASCII(name) {
		disposition = fmt.Sprintf(`attachment; filename*=utf-8''%s; size=%d`, url.PathEscape(name), len(data))
	}
	return part{
		fields: []field{{"Content-Type", typ}, {"Content-Disposition", disposition}, {"Content-Transfer-Encoding", "base64"}},
		body:   transfer("base64", data),
	}
}

// attached is a message as an attachment (RFC 2046 section 5.2.1).
func attached(raw []byte) part {
	return part{
		fields: []field{{"Content-Type", "message/rfc822"}, {"Content-Disposition", "attachment"}},
		body:   raw,
	}
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 0x7e }) < 0
}

// words writes s as encoded words of RFC 2047 where it needs any, none longer
// than 75 characters, parted by spaces.
func words(charset, s string) string {
	if isASCII(s) {
		return s
	}
	if charset == ascii {
		charset = utf8
	}
	var out []string
	word := func(piece string) string {
		return "=?" + charset + "?B?" + base64.StdEncoding.EncodeToString(encode(charset, piece)) + "?="
	}
	start := 0
	last := ""
	for i, r := range s {
		end := i + len(string(r))
		if next := word(s[start:end]); len(next) <= 75 {
			last = next
			continue
		}
		out = append(out, last)
		start = i
		last = word(s[start:end])
	}
	return strings.Join(append(out, last), " ")
}

// writeFields writes a header block, folded at spaces.
func writeFields(w *bytes.Buffer, fields []field) {
	for _, f := range fields {
		col := len(f.name) + 1
		w.WriteString(f.name + ":")
		if f.value == "" {
			w.WriteString("\r\n")
			continue
		}
		for i, token := range strings.Split(f.value, " ") {
			// Exchange folds before a long first token, too, but mailers leave an
			// encoded word beside the name of its field.
			if col+1+len(token) > 78 && (i > 0 || !strings.HasPrefix(token, "=?")) {
				w.WriteString("\r\n")
				col = 0
			}
			w.WriteString(" " + token)
			col += 1 + len(token)
		}
		w.WriteString("\r\n")
	}
}
