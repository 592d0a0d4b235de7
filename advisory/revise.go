package advisory

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"github.com/sekisho/sekisho/lang"
)

// Clone returns a document that shares no text with d, so that one may change
// and the other stay.
func (d *Document) Clone() *Document {
	out := *d
	copies := func(list []Draft) []Draft {
		list = slices.Clone(list)
		for i := range list {
			list[i].Lines = slices.Clone(list[i].Lines)
		}
		return list
	}
	out.Drafts, out.Manager = copies(d.Drafts), copies(d.Manager)
	out.Steps, out.Sources, out.Excerpts = slices.Clone(d.Steps), slices.Clone(d.Sources), slices.Clone(d.Excerpts)
	out.Facts, out.Holes, out.Lint = slices.Clone(d.Facts), slices.Clone(d.Holes), slices.Clone(d.Lint)
	return &out
}

// Revise returns the document with the words that a person gave to one draft:
// its subject and its lines. The note that a person must read it comes back if it
// was taken out, and a line with nothing but the address of a source joins the
// line before. The new document has an id of its own, made from its content and
// from the id that it had, so that going back to older words is a new document
// too. ok is false if there is no such draft.
func Revise(d *Document, a Audience, l lang.Language, subject string, lines []Line) (out *Document, ok bool) {
	out = d.Clone()
	m := out.Draft(a, l)
	if m == nil {
		return nil, false
	}
	was := m.Lines
	m.Subject, m.Lines = clean(subject), nil
	for _, x := range lines {
		x.Text = cleanLines(x.Text)
		if n := len(m.Lines); n > 0 && x.Kind == KindSource && isAddress(x.Text) && m.Lines[n-1].URL == "" && m.Lines[n-1].Kind == KindSource {
			m.Lines[n-1].URL = x.Text
			continue
		}
		if x.Text != "" {
			m.Lines = append(m.Lines, x)
		}
	}
	if i := slices.IndexFunc(was, func(x Line) bool { return x.Kind == KindReview }); i >= 0 &&
		!slices.ContainsFunc(m.Lines, func(x Line) bool { return x.Kind == KindReview }) {
		m.Lines = slices.Insert(m.Lines, 0, was[i])
	}
	m.BodyText, m.BodyHTML = bodyText(m.Lines), bodyHTML(m.Lines, l)
	out.Renew()
	return out, true
}

// Renew gives a document that was changed an id of its own, and takes out of its
// list the holes that no text has any more.
func (d *Document) Renew() {
	open := Unfilled(d)
	d.Holes = slices.DeleteFunc(d.Holes, func(h Missing) bool {
		return !slices.ContainsFunc(open, func(s string) bool {
			return s == holeJA+h.What.JA+"】" || s == holeEN+h.What.EN+"]"
		})
	})
	d.Lint = nil // of the words before
	d.ID = d.hash()
}

func isAddress(s string) bool {
	return (strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")) && !strings.ContainsAny(s, " \t")
}

// cleanLines is clean for a text that may have line breaks of its own.
func cleanLines(s string) string {
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		out = append(out, clean(line))
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

// Unfilled returns the places that somebody still has to fill in, each once: the
// marks of a [Hole] in any text, and words in braces as templates by hand have
// them, such as {extension}. Braces of a command are its own.
func Unfilled(d *Document) []string {
	var out []string
	add := func(s string) {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	look := func(s string, braces bool) {
		for _, m := range [][2]string{{strings.TrimRight(holeJA, ": "), "】"}, {strings.TrimRight(holeEN, ": "), "]"}} {
			for rest := s; ; {
				i := strings.Index(rest, m[0])
				if i < 0 {
					break
				}
				rest = rest[i:]
				end := len(m[0])
				if j := strings.Index(rest, m[1]); j >= 0 {
					end = j + len(m[1])
				}
				add(rest[:end])
				rest = rest[end:]
			}
		}
		if braces {
			for _, b := range inBraces(s) {
				add(b)
			}
		}
	}
	for _, t := range []lang.Text{d.Title, d.Summary, d.Scope, d.Response, d.Label} {
		look(t.JA, true)
		look(t.EN, true)
	}
	for _, s := range d.Steps {
		for _, t := range []lang.Text{s.Text, s.Note} {
			look(t.JA, true)
			look(t.EN, true)
		}
	}
	for _, list := range [][]Draft{d.Drafts, d.Manager} {
		for _, m := range list {
			look(m.Subject, true)
			for _, x := range m.Lines {
				look(x.Text, x.Kind != KindCommand)
			}
		}
	}
	return out
}

// maxBrace is how many bytes a name in braces has at most.
const maxBrace = 120

// inBraces finds {a name} in a text.
func inBraces(s string) []string {
	var out []string
	for {
		i := strings.IndexByte(s, '{')
		if i < 0 {
			return out
		}
		s = s[i:]
		j := strings.IndexByte(s[:min(len(s), maxBrace)], '}')
		if j < 0 {
			s = s[1:]
			continue
		}
		name := strings.TrimSpace(s[1:j])
		if name != "" && !strings.ContainsFunc(name, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) && !strings.ContainsRune(" _-./・ー", r)
		}) {
			out = append(out, s[:j+1])
		}
		s = s[1:]
	}
}

// Canonical is the content of a document as bytes: all of it but what the
// linter says, which depends on the day. The same content is the same bytes, also
// after it was written and read again.
func (d *Document) Canonical() ([]byte, error) {
	c := *d
	c.Lint = nil
	// What was read has empty lists where what was written had none, so that both
	// go the same way.
	b, err := json.Marshal(&c)
	if err != nil {
		return nil, err
	}
	var any any
	if err := json.Unmarshal(b, &any); err != nil {
		return nil, err
	}
	return json.Marshal(withoutEmpty(any))
}

// withoutEmpty leaves out of objects what says nothing. Keys are sorted by the
// encoder.
func withoutEmpty(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			x = withoutEmpty(x)
			if empty(x) {
				delete(v, k)
				continue
			}
			v[k] = x
		}
	case []any:
		for i, x := range v {
			v[i] = withoutEmpty(x)
		}
	}
	return v
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// Final returns the document as it leaves: without the note that a person must
// read it first, in whose place the card has what note says, such as who
// approved it.
func Final(d *Document, note lang.Text) *Document {
	out := d.Clone()
	out.Review = note
	out.Lint = []Remark{} // what the approver read and let stay
	for _, list := range [][]Draft{out.Drafts, out.Manager} {
		for i := range list {
			m := &list[i]
			m.Lines = slices.DeleteFunc(m.Lines, func(x Line) bool { return x.Kind == KindReview })
			m.BodyText, m.BodyHTML = bodyText(m.Lines), bodyHTML(m.Lines, m.Lang)
		}
	}
	return out
}

// ContentHash is SHA-256 over parts, each with its length in front and what
// names their kind before all, in 64 hex digits.
func ContentHash(kind string, parts ...[]byte) string {
	h := sha256.New()
	h.Write([]byte(kind + "\n"))
	for _, p := range parts {
		n := uint64(len(p))
		h.Write([]byte{byte(n >> 56), byte(n >> 48), byte(n >> 40), byte(n >> 32), byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil))
}
