package mdm

import (
	"maps"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract/filetype"
	"github.com/sekisho/sekisho/extract/link"
	"github.com/sekisho/sekisho/mql/value"
)

var parsedTextShape = value.NewShape("ParsedText", "text")

// maxAttached bounds the depth of messages in messages that are read.
const maxAttached = 4

// Functions returns the functions of the language that read the message or take
// texts apart: strings.parse_*, file.* and profile.*. free may be nil.
//
// profile.* without a history are missing values and not absent, since it is
// known what they lack.
func (m *Model) Functions(free FreeMail) map[string]value.Func {
	f := map[string]value.Func{
		"strings.parse_url":    parseURL,
		"strings.parse_domain": parseDomain,
		"strings.parse_email":  parseEmail,
		"strings.parse_json":   parseJSON,
		"strings.parse_html":   m.parseHTMLString,
		"file.parse_html":      m.parseHTMLFile,
		"file.parse_text":      parseTextFile,
		"file.parse_eml":       m.parseEML,
		"html.xpath":           m.xpath,
	}
	maps.Copy(f, m.profiles(free))
	maps.Copy(f, m.fileFunctions())
	return f
}

func parseURL(c *value.Call) value.Value {
	s, ok := c.Arg(0).Str()
	if !ok {
		return value.Null
	}
	s = strings.TrimSpace(s)
	u, err := link.Parse(s)
	if err != nil || u.Host == "" && !u.IP.IsValid() && u.Scheme != "mailto" {
		return value.Null
	}
	// Without strict=false, a scheme must be there.
	if strict := c.Named["strict"]; !strict.IsFalse() && u.Odd(link.MissingScheme) {
		return value.Null
	}
	v := urlValue(s, u, wholeOf(c.Arg(0)))
	return v
}

// wholeOf leads to the place of the whole of a value.
func wholeOf(v value.Value) value.Origin {
	s, _ := v.Str()
	if w, ok := v.Where(0, len(s)); ok {
		return value.Place(w)
	}
	return nil
}

func parseDomain(c *value.Call) value.Value {
	s, ok := c.Arg(0).Str()
	s = strings.TrimSpace(s)
	if !ok || s == "" || strings.ContainsAny(s, " \t\r\n/@:") {
		return value.Null
	}
	return domainValue(s, wholeOf(c.Arg(0)))
}

func parseEmail(c *value.Call) value.Value {
	s, _ := c.Arg(0).Str()
	local, host, ok := addressString(s)
	if !ok {
		return value.Null
	}
	return emailValue(local, host, wholeOf(c.Arg(0)))
}

func parseJSON(c *value.Call) value.Value {
	s, ok := c.Arg(0).Str()
	if !ok || !c.Budget.Spend(len(s)) {
		return value.Null
	}
	v, _ := value.ParseJSON(s)
	return v
}

func (m *Model) parseHTMLString(c *value.Call) value.Value {
	s, ok := c.Arg(0).Str()
	if !ok {
		return value.Null
	}
	return m.htmlOf(c.Arg(0), s)
}

// fileOf returns what an attachment was made from.
func fileOf(v value.Value) *File {
	if o := v.Object(); o != nil {
		f, _ := o.Source().(*File)
		return f
	}
	return nil
}

func (m *Model) parseHTMLFile(c *value.Call) value.Value {
	f := fileOf(c.Arg(0))
	if f == nil {
		return value.Null
	}
	switch f.Type {
	case filetype.HTML, filetype.SVG, filetype.XML, filetype.Text:
	default:
		if !f.Part.IsText() {
			return value.Null
		}
	}
	return m.htmlValue(f.Part)
}

// parseTextFile reads a file as text. Without a charset that the part declares,
// UTF-16 is told by its byte order mark or by its zero bytes.
func parseTextFile(c *value.Call) value.Value {
	f := fileOf(c.Arg(0))
	if f == nil || !c.Budget.Spend(len(f.Part.Content())) {
		return value.Null
	}
	if f.Part.IsText() {
		return value.Of(parsedTextShape.New(partText(f.Part.ID(), eml.Identity(f.Part.Text(), 0))))
	}
	b := f.Part.Content()
	s := ""
	switch {
	case len(b) > 3 && (b[0] == 0xff && b[1] == 0xfe || b[1] == 0 && b[3] == 0):
		units := make([]uint16, 0, len(b)/2)
		for i := 0; i+1 < len(b); i += 2 {
			units = append(units, uint16(b[i])|uint16(b[i+1])<<8)
		}
		s = strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff")
	case utf8.Valid(b):
		s = string(b)
	case f.Type == filetype.Text || f.Type.Class() == filetype.Markup || f.Type.Class() == filetype.Script || f.Type.Class() == filetype.Mail:
		// A stray byte must not hide the text around it.
		s = strings.ToValidUTF8(string(b), "\ufffd")
	default:
		return value.Null
	}
	return value.Of(parsedTextShape.New(value.String(s).At(c.Arg(0).Origin())))
}

// parseEML returns the model of an attached message. It is nobody's inbound
// mail: its type is that of a message without own domains.
func (m *Model) parseEML(c *value.Call) value.Value {
	f := fileOf(c.Arg(0))
	if f == nil || m.depth >= maxAttached {
		return value.Null
	}
	inner := f.Message
	if inner == nil {
		// A message that is attached as a file of another type.
		b := f.Part.Content()
		if f.Type != filetype.EML && filetype.Extension(f.Name) != "eml" || !c.Budget.Spend(len(b)) {
			return value.Null
		}
		inner = eml.Parse(b, &eml.Options{Budget: c.Budget, ID: f.Part.ID()})
	}
	child := New(Input{Mail: inner, Budget: m.in.Budget, Org: m.in.Org})
	child.depth = m.depth + 1
	return child.Root()
}
