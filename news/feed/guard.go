package feed

import (
	"bytes"
	"maps"
	"slices"
	"strings"
)

// What one XML document may hold, beyond the limits on size, depth and items.
// They lie far above what feeds have and keep the parser behind them linear:
// it joins the fragments of a text one by one, and copies the name spaces in
// scope for each element that declares one.
const (
	maxAttributes = 200    // of a tag
	maxPrefixes   = 64     // name spaces of a document
	maxFragments  = 20_000 // pieces of markup directly inside one element, except a list of items
	maxTag        = 256 << 10
)

// guarded is an XML document that passed the guard.
type guarded struct {
	text   []byte // without its declaration and document type
	cutOff bool   // it ended early and was closed
	jvn    string // the prefix that it gives JVN's security module, if it is another than sec
}

// guard walks over an XML document without building anything, and refuses what
// would cost the parser more than it is worth. A document that is cut off in
// the middle is closed behind its last whole item.
func guard(text []byte) (*guarded, error) {
	text, err := prolog(text)
	if err != nil {
		return nil, err
	}
	type open struct {
		name      string
		fragments int
		list      bool
	}
	var stack []open
	prefixes := map[string]string{}
	lastItem := -1         // end of the last whole item
	var itemStack []string // what was open around it
	items, complete := 0, false
	for i := 0; i < len(text); {
		n := bytes.IndexByte(text[i:], '<')
		if n < 0 {
			break
		}
		i += n
		if len(stack) > 0 {
			top := &stack[len(stack)-1]
			if top.fragments++; top.fragments > maxFragments && !top.list {
				return nil, fault(TooComplex, "more than %d pieces in <%s>", maxFragments, clip(top.name, 40))
			}
		}
		rest := text[i:]
		switch {
		case bytes.HasPrefix(rest, []byte("<!--")):
			end := bytes.Index(rest[4:], []byte("-->"))
			if end < 0 {
				i = len(text)
				continue
			}
			i += end + 7
		case bytes.HasPrefix(rest, []byte("<![CDATA[")):
			end := bytes.Index(rest, []byte("]]>"))
			if end < 0 {
				i = len(text)
				continue
			}
			i += end + 3
		case bytes.HasPrefix(rest, []byte("<?")):
			end := bytes.Index(rest, []byte("?>"))
			if end < 0 {
				i = len(text)
				continue
			}
			i += end + 2
		case bytes.HasPrefix(rest, []byte("<!")):
			return nil, fault(Entities, "a declaration inside the document")
		case bytes.HasPrefix(rest, []byte("</")):
			end := bytes.IndexByte(rest, '>')
			if end < 0 {
				i = len(text)
				continue
			}
			name := strings.TrimSpace(string(rest[2:min(end, 2+200)]))
			i += end + 1
			// A missing end tag closes with its parent, as the parser has it.
			for k := len(stack) - 1; k >= 0 && k >= len(stack)-8; k-- {
				if stack[k].name == name {
					stack = stack[:k]
					break
				}
			}
			switch strings.ToLower(local(name)) {
			case "item", "entry":
				lastItem = i
				itemStack = itemStack[:0]
				for _, o := range stack {
					itemStack = append(itemStack, o.name)
				}
			}
			if len(stack) == 0 {
				complete = true
			}
		default:
			end, closed, attrs := tag(rest, prefixes)
			if end < 0 {
				i = len(text)
				continue
			}
			if attrs > maxAttributes || end > maxTag {
				return nil, fault(TooComplex, "a tag with %d attributes and %d bytes", attrs, end)
			}
			if len(prefixes) > maxPrefixes {
				return nil, fault(TooComplex, "more than %d name spaces", maxPrefixes)
			}
			name := rawName(rest[1:end])
			i += end
			if l := strings.ToLower(local(name)); l == "item" || l == "entry" {
				if items++; items > 4*MaxItems {
					return nil, fault(TooComplex, "more than %d items", 4*MaxItems)
				}
			}
			if closed {
				if len(stack) == 0 {
					complete = true
				}
				continue
			}
			if len(stack) >= maxDepth {
				return nil, fault(TooDeep, "more than %d elements", maxDepth)
			}
			list := len(stack) == 0
			if len(stack) == 1 && strings.EqualFold(local(name), "channel") {
				root := strings.ToLower(local(stack[0].name))
				list = root == "rss" || root == "rdf"
			}
			stack = append(stack, open{name: name, list: list})
		}
	}
	if complete {
		return &guarded{text: text, jvn: jvnPrefix(prefixes)}, nil
	}
	if lastItem < 0 {
		return nil, fault(Malformed, "it ends in the middle")
	}
	closedText := bytes.Clone(text[:lastItem])
	for _, name := range slices.Backward(itemStack) {
		closedText = append(closedText, "</"+name+">"...)
	}
	return &guarded{text: closedText, cutOff: true, jvn: jvnPrefix(prefixes)}, nil
}

// prolog takes the declaration and the document type off text. A document type
// that declares an entity with a value is refused: nothing but a bomb needs one.
// Those that only name a list of characters elsewhere, as RSS 0.91 and 1.0 do,
// are common; nothing is fetched for them.
func prolog(text []byte) ([]byte, error) {
	for range 50 {
		text = bytes.TrimLeft(text, " \t\r\n")
		switch {
		case bytes.HasPrefix(text, []byte("<?")):
			i := bytes.Index(text, []byte("?>"))
			if i < 0 {
				return nil, fault(Malformed, "it ends in the middle")
			}
			text = text[i+2:]
		case bytes.HasPrefix(text, []byte("<!--")):
			i := bytes.Index(text, []byte("-->"))
			if i < 0 {
				return nil, fault(Malformed, "it ends in the middle")
			}
			text = text[i+3:]
		case bytes.HasPrefix(text, []byte("<!")):
			i := doctypeEnd(text)
			if i < 0 {
				return nil, fault(Malformed, "it ends in the middle")
			}
			if err := declarations(text[:i]); err != nil {
				return nil, err
			}
			text = text[i:]
		default:
			return text, nil
		}
	}
	return nil, fault(TooComplex, "too much before the first element")
}

// declarations refuses a document type with entities of its own.
func declarations(doctype []byte) error {
	rest := doctype
	for {
		i := bytes.Index(rest, []byte("<!ENTITY"))
		if i < 0 {
			return nil
		}
		rest = bytes.TrimLeft(rest[i+len("<!ENTITY"):], " \t\r\n")
		if !bytes.HasPrefix(rest, []byte("%")) {
			return fault(Entities, "the document type declares an entity")
		}
		end := bytes.IndexByte(rest, '>')
		decl := rest[:max(end, 0)]
		if !bytes.Contains(decl, []byte("PUBLIC")) && !bytes.Contains(decl, []byte("SYSTEM")) {
			return fault(Entities, "the document type declares a parameter entity with a value")
		}
	}
}

// tag scans the start tag at the beginning of s, notes the prefixes that it
// declares, and returns where it ends (-1 if it does not), whether it is empty,
// and the number of its attributes.
func tag(s []byte, prefixes map[string]string) (end int, closed bool, attrs int) {
	var quote byte
	for i := 1; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			// A quote that opens no value is an odd text; XML has none there.
			quote = c
		case c == '=':
			attrs++
		case c == ':' && i >= 5 && string(s[i-5:i]) == "xmlns":
			k := i + 1
			for k < len(s) && k < i+100 && s[k] != '=' && s[k] != ' ' && s[k] != '>' {
				k++
			}
			if len(prefixes) <= maxPrefixes {
				prefixes[string(s[i+1:k])] = quoted(s[k:min(len(s), k+200)])
			}
		case c == '<':
			return -1, false, attrs // no tag; the parser will say so
		case c == '>':
			return i + 1, s[i-1] == '/', attrs
		}
	}
	return -1, false, attrs
}

// rawName returns the name at the beginning of the inside of a tag.
func rawName(s []byte) string {
	if i := bytes.IndexAny(s, " \t\r\n/>"); i >= 0 {
		s = s[:i]
	}
	return string(s[:min(len(s), 200)])
}

func clip(s string, n int) string { return s[:min(len(s), n)] }

// quoted returns the value behind an equals sign.
func quoted(s []byte) string {
	s = bytes.TrimLeft(s, "= \t\r\n")
	if len(s) == 0 || s[0] != '"' && s[0] != '\'' {
		return ""
	}
	v, _, _ := bytes.Cut(s[1:], s[:1])
	return string(v)
}

// jvnPrefix returns the prefix that is bound to JVN's security module.
func jvnPrefix(prefixes map[string]string) string {
	for _, p := range slices.Sorted(maps.Keys(prefixes)) {
		if isSec(prefixes[p]) {
			return p
		}
	}
	return ""
}
