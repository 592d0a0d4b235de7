package feed

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// shape is what a document looks like from outside.
type shape int

const (
	shapeNone shape = iota
	shapeJSON
	shapeXML
	shapeHTML
	shapeText
)

// shapeOf tells by the first bytes of text, which has no white space in front.
func shapeOf(text []byte) shape {
	switch text[0] {
	case '{', '[':
		if jsonLike(text) {
			return shapeJSON
		}
		return shapeText
	case '<':
		return markup(text)
	}
	if bytes.IndexByte(text[:min(len(text), 4096)], 0) >= 0 || bytes.Count(text[:min(len(text), 4096)], []byte("\ufffd")) > 40 {
		return shapeNone
	}
	// A page may begin with text that a script of its server printed.
	head := strings.ToLower(string(text[:min(len(text), 4096)]))
	if strings.Contains(head, "<html") || strings.Contains(head, "<!doctype html") {
		return shapeHTML
	}
	if utf8.Valid(text) {
		return shapeText
	}
	return shapeNone
}

// jsonLike reports whether text begins as a JSON object or array does, and not
// as a Markdown link.
func jsonLike(text []byte) bool {
	rest := bytes.TrimLeft(text[1:min(len(text), 4096)], " \t\r\n")
	if len(rest) == 0 {
		return len(text) == 1
	}
	if text[0] == '{' {
		return rest[0] == '"' || rest[0] == '}'
	}
	return rest[0] == '{' || rest[0] == ']' || rest[0] == '['
}

// markup tells XML from HTML by the first element.
func markup(text []byte) shape {
	s := text
	for range 50 { // comments, declarations
		s = bytes.TrimLeft(s, " \t\r\n")
		switch {
		case bytes.HasPrefix(s, []byte("<?")):
			i := bytes.Index(s, []byte("?>"))
			if i < 0 {
				return shapeXML
			}
			s = s[i+2:]
		case bytes.HasPrefix(s, []byte("<!--")):
			i := bytes.Index(s, []byte("-->"))
			if i < 0 {
				return shapeHTML
			}
			s = s[i+3:]
		case bytes.HasPrefix(s, []byte("<!")):
			if len(s) > 14 && strings.EqualFold(string(s[:14]), "<!doctype html") {
				return shapeHTML
			}
			i := doctypeEnd(s)
			if i < 0 {
				return shapeXML
			}
			s = s[i:]
		default:
			switch name := local(elementName(s)); name {
			case "rss", "rdf", "feed", "channel", "cvrfdoc":
				return shapeXML
			default:
				if bytes.HasPrefix(text, []byte("<?xml")) && name != "html" {
					return shapeXML
				}
				return shapeHTML
			}
		}
	}
	return shapeNone
}

// elementName returns the name of the start tag at the beginning of s, lower
// case.
func elementName(s []byte) string {
	if len(s) < 2 || s[0] != '<' {
		return ""
	}
	end := bytes.IndexAny(s[1:min(len(s), 200)], " \t\r\n/>")
	if end < 0 {
		return ""
	}
	return strings.ToLower(string(s[1 : 1+end]))
}

// local returns a name without its prefix.
func local(name string) string {
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		return name[i+1:]
	}
	return name
}

// doctypeEnd returns where the declaration at the beginning of s ends, with its
// internal subset, or -1.
func doctypeEnd(s []byte) int {
	depth := 0
	var quote byte
	for i := range len(s) {
		c := s[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '<':
			depth++
		case c == '>':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}
