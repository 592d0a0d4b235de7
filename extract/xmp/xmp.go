// Package xmp reads the metadata that documents and pictures carry as XMP
// (ISO 16684-1): who made them with what. It looks for properties where they
// are usually written and knows nothing else of RDF.
package xmp

import (
	"bytes"
	"html"
	"strings"
)

// Bounds on what is read of one packet.
const (
	MaxPacket     = 256 << 10
	MaxProperties = 100
	maxValue      = 4 << 10
)

// Property is a property of the document.
type Property struct {
	Name  string // without its prefix, with a capital: CreatorTool, Title, Toolkit
	Value string
}

// Find returns the first packet in data, nil if there is none.
func Find(data []byte) []byte {
	i := bytes.Index(data, []byte("<x:xmpmeta"))
	if i < 0 {
		return nil
	}
	data = data[i:]
	end := bytes.Index(data[:min(len(data), MaxPacket)], []byte("</x:xmpmeta>"))
	if end < 0 {
		return nil
	}
	return data[:end]
}

// Read returns the properties of a packet in its order, each name once.
func Read(packet []byte) []Property {
	r := reader{seen: map[string]bool{}}
	s := strings.ToValidUTF8(string(packet[:min(len(packet), MaxPacket)]), "\ufffd")
	for {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			return r.out
		}
		s = s[i+1:]
		end := strings.IndexByte(s, '>')
		if end < 0 {
			return r.out
		}
		tag := s[:end]
		s = s[end+1:]
		name := strings.TrimRight(tag, "/ \t\r\n")
		if i := strings.IndexAny(name, " \t\r\n"); i >= 0 {
			name = name[:i]
		}
		switch {
		case strings.HasPrefix(tag, "/"), strings.HasPrefix(tag, "?"), strings.HasPrefix(tag, "!"):
		case name == "rdf:Description" || name == "x:xmpmeta":
			r.attributes(strings.TrimPrefix(tag, name))
		case strings.HasPrefix(name, "rdf:"):
			if name == "rdf:li" && r.open != "" {
				if text, _, ok := strings.Cut(s, "<"); ok {
					r.add(r.open, text)
				}
			}
		default:
			r.open = name
			if text, _, ok := strings.Cut(s, "<"); ok && strings.TrimSpace(text) != "" {
				r.add(name, text)
			}
		}
	}
}

type reader struct {
	out  []Property
	seen map[string]bool
	open string // the property whose values follow
}

// attributes reads name="value" pairs.
func (r *reader) attributes(s string) {
	for {
		name, rest, ok := strings.Cut(s, "=")
		rest = strings.TrimLeft(rest, " \t\r\n")
		if !ok || rest == "" || rest[0] != '"' && rest[0] != '\'' {
			return
		}
		value, after, ok := strings.Cut(rest[1:], rest[:1])
		if !ok {
			return
		}
		name = strings.TrimSpace(name)
		if !strings.HasPrefix(name, "xmlns") && name != "rdf:about" {
			r.add(name, value)
		}
		s = after
	}
}

func (r *reader) add(name, value string) {
	value = strings.TrimSpace(html.UnescapeString(value[:min(len(value), maxValue)]))
	_, local, ok := strings.Cut(name, ":")
	if !ok || local == "" || value == "" || len(local) > 100 || len(r.out) >= MaxProperties {
		return
	}
	local = strings.ToUpper(local[:1]) + local[1:]
	if name == "x:xmptk" {
		local = "XMPToolkit"
	}
	if r.seen[local] {
		return
	}
	r.seen[local] = true
	r.out = append(r.out, Property{local, strings.ToValidUTF8(value, "\ufffd")})
}
