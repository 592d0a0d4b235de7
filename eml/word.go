package eml

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// encodedWord is one RFC 2047 encoded word within a text.
type encodedWord struct {
	start, end int
	charset    string // label as [charsetLabel] writes it
	data       []byte
}

// decodeWords decodes the encoded words of m and its raw 8-bit text.
func decodeWords(m Mapped) Mapped {
	s := m.Text
	if isASCII(s) && !strings.Contains(s, "=?") {
		return m
	}
	var b MapBuilder
	b.text.Grow(len(s))
	plain := func(from, to int) {
		if from < to {
			appendRaw(&b, m.Slice(from, to))
		}
	}
	words := wordScanner{s: s}
	i := 0
	var run []encodedWord
	for {
		w, ok := words.next(i)
		if !ok {
			break
		}
		plain(i, w.start)
		// Words that follow each other in one charset are one text: senders
		// split inside a character. White space between words is no text.
		run = append(run[:0], w)
		i = w.end
		for i < len(s) {
			j := i
			for j < len(s) && (s[j] == ' ' || s[j] == '\t') {
				j++
			}
			n, ok := words.at(j)
			if !ok {
				break
			}
			i = n.end
			if n.charset != run[0].charset {
				appendRun(&b, m, run)
				run = run[:0]
			}
			run = append(run, n)
		}
		appendRun(&b, m, run)
	}
	plain(i, len(s))
	return b.Mapped()
}

// maxSplit bounds the words that are joined to complete one UTF-8 character.
const maxSplit = 4

func appendRun(b *MapBuilder, m Mapped, run []encodedWord) {
	utf8Words := run[0].charset == "utf-8"
	for len(run) > 0 {
		n, data := 1, run[0].data
		for n < len(run) && !(utf8Words && utf8.Valid(data)) {
			if utf8Words && n == maxSplit {
				n, data = 1, run[0].data // not a matter of the split
				break
			}
			data = joinWords(data, run[n].data, run[0].charset)
			n++
		}
		if utf8Words && !utf8.Valid(data) {
			n, data = 1, run[0].data
		}
		text, _ := decodeCharset(run[0].charset, data)
		b.Replace(text, m.Span(run[0].start, run[n-1].end-run[0].start))
		run = run[n:]
	}
}

// joinWords appends the bytes of the next word. Where a sender cut ISO-2022-JP
// inside a character, the escapes to ASCII and back stand inside it.
func joinWords(data, next []byte, charset string) []byte {
	if charset == "iso-2022-jp" {
		d, ok := bytes.CutSuffix(data, []byte("\x1b(B"))
		n, ok2 := bytes.CutPrefix(next, []byte("\x1b$B"))
		if ok && ok2 {
			return append(d, n...)
		}
	}
	return append(data, next...)
}

// appendRaw appends text without encoded words, reading 8-bit bytes as UTF-8
// (RFC 6532) or, where they are not, as the charset they look like.
func appendRaw(b *MapBuilder, m Mapped) {
	if utf8.ValidString(m.Text) && strings.IndexByte(m.Text, 0x1b) < 0 {
		b.Append(m)
		return
	}
	text, _ := decodeCharset("", []byte(m.Text))
	b.Replace(text, m.Span(0, len(m.Text)))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 || s[i] == 0x1b {
			return false
		}
	}
	return true
}

// maxWord bounds one encoded word. RFC 2047 section 2 allows 75 characters;
// senders write whole subjects in one.
const maxWord = 8 << 10

// wordScanner finds encoded words from left to right in time linear in s.
type wordScanner struct {
	s     string
	close int // offset of the first "?=" at or after from
	from  int
}

// next finds the first encoded word at or after i.
func (ws *wordScanner) next(i int) (encodedWord, bool) {
	for i < len(ws.s) {
		j := strings.Index(ws.s[i:], "=?")
		if j < 0 {
			break
		}
		i += j
		if w, ok := ws.at(i); ok {
			return w, true
		}
		i += 2
	}
	return encodedWord{}, false
}

// at reads the encoded word that starts at i.
func (ws *wordScanner) at(i int) (encodedWord, bool) {
	s := ws.s
	if !strings.HasPrefix(s[i:], "=?") {
		return encodedWord{}, false
	}
	t := s[i+2 : min(len(s), i+80)]
	cs := strings.IndexByte(t, '?')
	if cs <= 0 || cs > 64 || cs+2 >= len(t) || t[cs+2] != '?' {
		return encodedWord{}, false
	}
	charset := t[:cs]
	if strings.ContainsAny(charset, " \t\"<>@,;") {
		return encodedWord{}, false
	}
	enc := t[cs+1] | 0x20
	if enc != 'b' && enc != 'q' {
		return encodedWord{}, false
	}
	charset, _, _ = strings.Cut(charset, "*") // RFC 2231 section 5: language
	start := i + 2 + cs + 3
	end := ws.closing(start)
	if end < 0 || end > i+maxWord {
		return encodedWord{}, false
	}
	text := s[start:end]
	w := encodedWord{start: i, end: end + 2, charset: charsetLabel(charset)}
	if enc == 'b' {
		w.data, _ = decodeBase64([]byte(text))
	} else {
		w.data = decodeQ(text)
	}
	return w, true
}

// closing returns the offset of the first "?=" at or after i, -1 if there is
// none.
func (ws *wordScanner) closing(i int) int {
	if i < ws.from || ws.close < i && ws.close >= 0 {
		ws.from = i
		if ws.close = strings.Index(ws.s[i:], "?="); ws.close >= 0 {
			ws.close += i
		}
	}
	return ws.close
}

// brokenWord reports whether s has an encoded word that cannot be decoded: it
// does not end, or its charset is unknown.
func brokenWord(s string) bool {
	words := wordScanner{s: s}
	for i := 0; i < len(s); {
		j := strings.Index(s[i:], "=?")
		if j < 0 {
			return false
		}
		i += j
		w, ok := words.at(i)
		if !ok {
			head := s[i+2 : min(len(s), i+80)]
			cs, rest, _ := strings.Cut(head, "?")
			if cs != "" && !strings.ContainsAny(cs, " \t\"<>@,;=") && len(rest) > 1 && rest[1] == '?' && strings.IndexByte("bBqQ", rest[0]) >= 0 {
				return true
			}
			i += 2
			continue
		}
		if !knownCharset(w.charset) {
			return true
		}
		i = w.end
	}
	return false
}

// decodeQ decodes the Q encoding (RFC 2047 section 4.2).
func decodeQ(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '_':
			out = append(out, ' ')
		case c == '=' && i+2 < len(s) && hexValue[s[i+1]] != notBase64 && hexValue[s[i+2]] != notBase64:
			out = append(out, hexValue[s[i+1]]<<4|hexValue[s[i+2]])
			i += 2
		default:
			out = append(out, c)
		}
	}
	return out
}
