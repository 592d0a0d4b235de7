package office

import (
	"html"
	"strings"
	"unicode/utf16"
)

// scanner reads the tags and texts of XML one after the other. Office programs
// write XML without document types, so that this is all there is to know; what
// is broken is read as far as it goes.
type scanner struct {
	s  string
	at int

	// Of the tag or text that was read last.
	name  string // without its prefix; empty for a text
	end   bool   // an end tag
	empty bool   // <a/>, which has no end tag
	tag   string // the attributes
	text  string
}

// newScanner reads XML in UTF-8 or, with a byte order mark, UTF-16.
func newScanner(b []byte) *scanner {
	if len(b) > 2 && (b[0] == 0xff && b[1] == 0xfe || b[0] == 0xfe && b[1] == 0xff) {
		low := 0
		if b[0] == 0xfe {
			low = 1
		}
		units := make([]uint16, 0, len(b)/2)
		for i := 2; i+1 < len(b); i += 2 {
			units = append(units, uint16(b[i+low])|uint16(b[i+1-low])<<8)
		}
		return &scanner{s: string(utf16.Decode(units))}
	}
	return &scanner{s: strings.ToValidUTF8(string(b), "\ufffd")}
}

func (x *scanner) next() bool {
	x.name, x.text, x.tag, x.end, x.empty = "", "", "", false, false
	for x.at < len(x.s) {
		rest := x.s[x.at:]
		if rest[0] != '<' {
			i := strings.IndexByte(rest, '<')
			if i < 0 {
				i = len(rest)
			}
			x.at += i
			x.text = unescapeXML(rest[:i])
			return true
		}
		switch {
		case strings.HasPrefix(rest, "<!--"):
			x.skip(rest, "-->")
			continue
		case strings.HasPrefix(rest, "<![CDATA["):
			i := strings.Index(rest, "]]>")
			if i < 0 {
				i = len(rest)
			}
			x.at += min(i+3, len(rest))
			x.text = rest[min(9, i):i]
			return true
		case strings.HasPrefix(rest, "<?"), strings.HasPrefix(rest, "<!"):
			x.skip(rest, ">")
			continue
		}
		i := strings.IndexByte(rest, '>')
		if i < 0 {
			x.at = len(x.s)
			return false
		}
		x.at += i + 1
		tag := rest[1:i]
		if strings.HasPrefix(tag, "/") {
			x.end, tag = true, tag[1:]
		} else if strings.HasSuffix(tag, "/") {
			x.empty, tag = true, tag[:len(tag)-1]
		}
		x.name = tag
		if i := strings.IndexAny(tag, " \t\r\n"); i >= 0 {
			x.name, x.tag = tag[:i], tag[i:]
		}
		x.name = x.name[strings.IndexByte(x.name, ':')+1:]
		if x.name == "" {
			continue
		}
		return true
	}
	return false
}

func (x *scanner) skip(rest, to string) {
	i := strings.Index(rest, to)
	if i < 0 {
		x.at = len(x.s)
		return
	}
	x.at += i + len(to)
}

// attr returns an attribute of the tag by its name without its prefix.
func (x *scanner) attr(name string) string {
	for s := x.tag; ; {
		key, rest, ok := strings.Cut(s, "=")
		rest = strings.TrimLeft(rest, " \t\r\n")
		if !ok || rest == "" || rest[0] != '"' && rest[0] != '\'' {
			return ""
		}
		value, after, ok := strings.Cut(rest[1:], rest[:1])
		if !ok {
			return ""
		}
		key = strings.TrimSpace(key)
		if key[strings.IndexByte(key, ':')+1:] == name {
			return unescapeXML(value)
		}
		s = after
	}
}

func unescapeXML(s string) string {
	if strings.IndexByte(s, '&') < 0 {
		return s
	}
	return html.UnescapeString(s)
}

// inner returns the text up to the end of the element that was just begun, and
// leaves the scanner there.
func (x *scanner) inner() string {
	if x.empty {
		return ""
	}
	var b strings.Builder
	for depth := 1; depth > 0 && x.next(); {
		switch {
		case x.name == "":
			b.WriteString(x.text)
		case x.end:
			depth--
		case !x.empty:
			depth++
		}
	}
	return b.String()
}
