package eval

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/sekisho/sekisho/mql/value"
)

// Limits on what is looked for in base64.
const (
	minBase64  = 8    // characters of a run
	maxDecoded = 1000 // texts of one call
)

// base64Options are the arguments by name of scan_base64 and decode_base64.
type base64Options struct {
	alphabets     []*base64.Encoding // with padding
	ignorePadding bool
	encodings     []string // ascii, utf8, utf16-le; none: ascii and utf8
}

func base64Named(named map[string]value.Value) base64Options {
	o := base64Options{alphabets: []*base64.Encoding{base64.StdEncoding}}
	if format, ok := named["format"].Str(); ok && format == "url" {
		o.alphabets = []*base64.Encoding{base64.URLEncoding}
	}
	o.ignorePadding = named["ignore_padding"].IsTrue()
	if l := named["encodings"].List(); l != nil {
		for _, e := range l.Items() {
			if s, ok := e.Str(); ok {
				o.encodings = append(o.encodings, strings.ToLower(s))
			}
		}
	}
	return o
}

// scanBase64 finds runs of base64 in a text and returns what they say, if that
// is text.
func scanBase64(r *Run, args []value.Value, named map[string]value.Value) value.Value {
	v := args[0]
	s, ok := v.Str()
	if !ok {
		return value.Null
	}
	if !r.spend(2 * len(s)) {
		return r.out
	}
	o := base64Named(named)
	url := o.alphabets[0] == base64.URLEncoding
	var out []value.Value
	for i := 0; i < len(s) && len(out) < maxDecoded; {
		if !isBase64(s[i], url) {
			i++
			continue
		}
		to := i
		for to < len(s) && isBase64(s[to], url) {
			to++
		}
		end := to
		for end < len(s) && s[end] == '=' && end < to+2 {
			end++
		}
		if to-i >= minBase64 {
			if t, ok := o.decode(s[i:to], end-to); ok {
				out = append(out, value.String(t).From(v.Part(i, end)))
			}
		}
		i = end
	}
	return value.Array(out...)
}

func decodeBase64(r *Run, args []value.Value, named map[string]value.Value) value.Value {
	s, ok := args[0].Str()
	if !ok {
		return value.Null
	}
	if !r.spend(2 * len(s)) {
		return r.out
	}
	o := base64Named(named)
	body := strings.TrimRight(strings.TrimSpace(s), "=")
	t, ok := o.decode(body, len(strings.TrimSpace(s))-len(body))
	if !ok {
		return value.Null
	}
	return value.String(t).From(args[0])
}

func isBase64(c byte, url bool) bool {
	switch {
	case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		return true
	case url:
		return c == '-' || c == '_'
	}
	return c == '+' || c == '/'
}

// decode decodes one run with that many "=" behind it.
func (o *base64Options) decode(run string, padding int) (string, bool) {
	// A single character beyond a multiple of four holds no whole byte.
	if len(run)%4 == 1 {
		if !o.ignorePadding {
			return "", false
		}
		run = run[:len(run)-1]
	}
	if !o.ignorePadding && (len(run)+padding)%4 != 0 {
		return "", false
	}
	b, err := o.alphabets[0].WithPadding(base64.NoPadding).DecodeString(run)
	if err != nil || len(b) == 0 {
		return "", false
	}
	return o.text(b)
}

// text reads bytes as text in one of the encodings that are asked for.
func (o *base64Options) text(b []byte) (string, bool) {
	if len(o.encodings) == 0 || slices.Contains(o.encodings, "utf8") || slices.Contains(o.encodings, "utf-8") || slices.Contains(o.encodings, "ascii") {
		if s := string(b); utf8.Valid(b) && isText(s) {
			return s, true
		}
	}
	if slices.ContainsFunc(o.encodings, func(e string) bool { return strings.HasPrefix(e, "utf16") || strings.HasPrefix(e, "utf-16") }) && len(b)%2 == 0 {
		units := make([]uint16, len(b)/2)
		for i := range units {
			units[i] = uint16(b[2*i]) | uint16(b[2*i+1])<<8
		}
		if s := string(utf16.Decode(units)); isText(s) {
			return s, true
		}
	}
	return "", false
}

// isText reports whether s has no character that no text has.
func isText(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return r == utf8.RuneError || r < ' ' && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && !unicode.IsPrint(r)
	}) < 0
}
