package office

import (
	"encoding/hex"
	"strconv"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

const maxGroups = 1000 // of RTF, in each other

// rtfGroup is what holds within braces.
type rtfGroup struct {
	skip   bool // shows nothing
	code   bool // the code of a field
	object bool // the bytes of a file
	fetch  bool // the address of a template
}

// rtf reads a document in the Rich Text Format (specification 1.9.1).
func (r *reader) rtf(b []byte) {
	if !r.budget.Spend(2 * len(b)) {
		r.doc.Truncated = true
		return
	}
	w := rtfWalk{reader: r, src: string(b), skipAfter: 1, groups: make([]rtfGroup, 1, 16), page: charmap.Windows1252}
	w.run()
}

type rtfWalk struct {
	*reader
	src       string
	at        int
	groups    []rtfGroup
	star      bool   // the next word may be unknown
	skipAfter int    // characters that stand for a Unicode one
	skipped   int    // that are left
	pending   []byte // in the code page
	page      encoding.Encoding
	code      strings.Builder
	template  strings.Builder
	object    strings.Builder
	files     int
}

func (w *rtfWalk) top() *rtfGroup { return &w.groups[len(w.groups)-1] }

func (w *rtfWalk) run() {
	for w.at < len(w.src) {
		switch c := w.src[w.at]; c {
		case '{':
			w.flush()
			w.at++
			if len(w.groups) < maxGroups {
				w.groups = append(w.groups, *w.top())
			}
			w.star = false
		case '}':
			w.flush()
			w.at++
			old := *w.top()
			if len(w.groups) > 1 {
				w.groups = w.groups[:len(w.groups)-1]
			}
			w.closed(old, *w.top())
		case '\\':
			w.control()
		case '\r', '\n':
			w.at++
		default:
			w.at++
			w.byte(c)
		}
	}
	w.flush()
	w.closed(rtfGroup{code: true, object: true, fetch: true}, rtfGroup{})
}

// closed ends what a group held.
func (w *rtfWalk) closed(old, now rtfGroup) {
	if old.code && !now.code && w.code.Len() > 0 {
		w.field(w.code.String())
		w.code.Reset()
	}
	if old.fetch && !now.fetch && w.template.Len() > 0 {
		target := strings.TrimSpace(w.template.String())
		w.link(target, "", Template)
		if len(w.doc.Relationships) < MaxRelationships {
			w.doc.Relationships = append(w.doc.Relationships, Relationship{Name: "attachedTemplate", Target: target})
		}
		w.template.Reset()
	}
	if old.object && !now.object && w.object.Len() > 0 {
		data, _ := hex.DecodeString(w.object.String()[:w.object.Len()&^1])
		w.object.Reset()
		if w.files++; len(data) > 0 {
			w.file("object"+strconv.Itoa(w.files)+".bin", data)
		}
	}
}

// byte takes a character of the document's code page.
func (w *rtfWalk) byte(c byte) {
	if w.skipped > 0 {
		w.skipped--
		return
	}
	g := w.top()
	switch {
	case g.object:
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' {
			if w.object.Len() < 2*MaxFile {
				w.object.WriteByte(c)
			}
		}
	case g.skip && !g.code && !g.fetch:
	default:
		w.pending = append(w.pending, c)
	}
}

// flush decodes what was gathered.
func (w *rtfWalk) flush() {
	if len(w.pending) == 0 {
		return
	}
	s, err := w.page.NewDecoder().Bytes(w.pending)
	w.pending = w.pending[:0]
	if err == nil {
		w.show(string(s))
	}
}

func (w *rtfWalk) show(s string) {
	switch g := w.top(); {
	case g.code:
		if w.code.Len() < maxCode {
			w.code.WriteString(s)
		}
	case g.fetch:
		if w.template.Len() < maxCode {
			w.template.WriteString(s)
		}
	case !g.skip:
		w.write(s)
	}
}

func (w *rtfWalk) control() {
	w.at++
	if w.at >= len(w.src) {
		return
	}
	c := w.src[w.at]
	if c < 'a' || c > 'z' && c < 'A' || c > 'z' {
		w.at++
		switch c {
		case '\'':
			if n, err := strconv.ParseUint(w.src[w.at:min(len(w.src), w.at+2)], 16, 8); err == nil {
				w.at += 2
				w.byte(byte(n))
			}
		case '*':
			w.star = true
		case '\\', '{', '}':
			w.byte(c)
		case '~':
			w.byte(' ')
		case '\r', '\n':
			w.flush()
			w.show("\n")
		}
		return
	}
	start := w.at
	for w.at < len(w.src) && (w.src[w.at] >= 'a' && w.src[w.at] <= 'z' || w.src[w.at] >= 'A' && w.src[w.at] <= 'Z') && w.at-start < 32 {
		w.at++
	}
	word := w.src[start:w.at]
	number := w.at
	if w.at < len(w.src) && w.src[w.at] == '-' {
		w.at++
	}
	for w.at < len(w.src) && w.src[w.at] >= '0' && w.src[w.at] <= '9' && w.at-number < 11 {
		w.at++
	}
	n, err := strconv.Atoi(w.src[number:w.at])
	if w.at < len(w.src) && w.src[w.at] == ' ' {
		w.at++
	}
	w.word(word, n, err == nil)
}

func (w *rtfWalk) word(word string, n int, has bool) {
	star := w.star
	w.star = false
	g := w.top()
	switch word {
	case "par", "line", "row", "sect", "page":
		w.flush()
		w.show("\n")
	case "tab", "cell":
		w.flush()
		w.show("\t")
	case "u":
		w.flush()
		w.show(string(rune(uint16(n))))
		w.skipped = w.skipAfter
	case "uc":
		if has {
			w.skipAfter = min(max(n, 0), 10)
		}
	case "ansicpg":
		w.flush()
		w.page = codePage(n)
	case "bin":
		if n > 0 {
			w.at += min(n, len(w.src)-w.at)
		}
	case "fldinst":
		g.code, g.skip = true, false
	case "objdata":
		g.object = true
	case "template":
		g.fetch = true
	case "fonttbl", "colortbl", "stylesheet", "info", "pict", "header", "listtable", "listoverridetable", "themedata", "datastore", "generator", "xmlnstbl":
		g.skip = true
	default:
		if star {
			g.skip = true
		}
	}
}

// codePage returns the charset of a Windows code page.
func codePage(n int) encoding.Encoding {
	switch n {
	case 932:
		return japanese.ShiftJIS
	case 936:
		return simplifiedchinese.GBK
	case 949:
		return korean.EUCKR
	case 950:
		return traditionalchinese.Big5
	case 1250:
		return charmap.Windows1250
	case 1251:
		return charmap.Windows1251
	case 1253:
		return charmap.Windows1253
	case 1254:
		return charmap.Windows1254
	}
	return charmap.Windows1252
}
