// Package ics reads calendar files (iCalendar, RFC 5545) as tolerantly as
// calendar programs do: broken lines are skipped, unknown ones kept.
package ics

import (
	"encoding/base64"
	"strings"

	"github.com/sekisho/sekisho/budget"
)

// Bounds on what is read of one file. What is over sets [Calendar.Truncated].
const (
	MaxComponents = 500
	MaxProperties = 2000 // of one component
	MaxValue      = 64 << 10
	maxLine       = 2 << 20 // bytes of an unfolded line, with an attachment in it
	maxNesting    = 8
)

// Calendar is what a file holds. Several calendars in one file are one.
type Calendar struct {
	Properties []Property // PRODID, METHOD, CALSCALE, VERSION and the like
	Components []Component
	Truncated  bool
}

// Component is an event, a to-do or the like, in the order of the file. Those
// inside another, such as an alarm, follow it.
type Component struct {
	Name       string // upper case: VEVENT, VTODO, VALARM, ...
	Depth      int    // 0 for one that stands in the calendar itself
	Properties []Property
}

// Property is a line of a component.
type Property struct {
	Name   string // upper case
	Params []Param
	Value  string // as it is written, unfolded
}

// Param is a parameter of a property.
type Param struct {
	Name  string // upper case
	Value string
}

// Read reads a file. b pays for it and may be nil.
func Read(text string, b *budget.Budget) *Calendar {
	c := &Calendar{}
	if !b.Spend(len(text)) {
		c.Truncated = true
		return c
	}
	var open []int // places of the components around the line; -1: too many
	for line := range lines(text) {
		p, ok := parse(line)
		if !ok {
			continue
		}
		switch p.Name {
		case "BEGIN":
			name := strings.ToUpper(p.Value)
			if name == "VCALENDAR" {
				open = open[:0]
				continue
			}
			if len(c.Components) >= MaxComponents || len(open) >= maxNesting {
				c.Truncated = true
				open = append(open, -1)
				continue
			}
			open = append(open, len(c.Components))
			c.Components = append(c.Components, Component{Name: name, Depth: len(open) - 1})
			continue
		case "END":
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
			continue
		}
		to := &c.Properties
		if len(open) > 0 {
			i := open[len(open)-1]
			if i < 0 {
				continue
			}
			to = &c.Components[i].Properties
		}
		if len(*to) >= MaxProperties {
			c.Truncated = true
			continue
		}
		*to = append(*to, p)
	}
	return c
}

// lines yields the content lines, unfolded (RFC 5545 section 3.1). Programs
// that forget to fold with CR LF are common.
func lines(text string) func(func(string) bool) {
	return func(yield func(string) bool) {
		var b strings.Builder
		started := false
		for raw := range strings.SplitSeq(text, "\n") {
			raw = strings.TrimSuffix(raw, "\r")
			if started && raw != "" && (raw[0] == ' ' || raw[0] == '\t') {
				if b.Len()+len(raw) <= maxLine {
					b.WriteString(raw[1:])
				}
				continue
			}
			if started && b.Len() > 0 && !yield(b.String()) {
				return
			}
			b.Reset()
			b.WriteString(raw[:min(len(raw), maxLine)])
			started = true
		}
		if b.Len() > 0 {
			yield(b.String())
		}
	}
}

// parse takes a line apart: name *(";" param) ":" value.
func parse(line string) (Property, bool) {
	const maxParams = 50
	i := strings.IndexAny(line, ":;")
	if i <= 0 {
		return Property{}, false
	}
	p := Property{Name: strings.ToUpper(strings.TrimSpace(strings.TrimPrefix(line[:i], "\ufeff")))}
	if p.Name == "" {
		return Property{}, false
	}
	for line = line[i:]; line[0] == ';'; {
		line = line[1:]
		end, quoted := -1, false
		for j := range len(line) {
			if line[j] == '"' {
				quoted = !quoted
			} else if !quoted && (line[j] == ';' || line[j] == ':') {
				end = j
				break
			}
		}
		if end < 0 {
			return Property{}, false
		}
		name, v, _ := strings.Cut(line[:end], "=")
		if len(p.Params) < maxParams {
			p.Params = append(p.Params, Param{strings.ToUpper(strings.TrimSpace(name)), strings.Trim(v, `"`)})
		}
		line = line[end:]
	}
	p.Value = line[1:]
	return p, true
}

// Text is the value of a text property with its escapes undone (section
// 3.3.11), cut off at [MaxValue].
func (p *Property) Text() string {
	s := p.Value[:min(len(p.Value), MaxValue)]
	if strings.IndexByte(s, '\\') < 0 {
		return strings.ToValidUTF8(s, "\ufffd")
	}
	return strings.ToValidUTF8(unescape.Replace(s), "\ufffd")
}

var unescape = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\N`, "\n", `\;`, ";", `\,`, ",")

// Param returns the value of a parameter, empty where there is none.
func (p *Property) Param(name string) string {
	for _, x := range p.Params {
		if x.Name == name {
			return x.Value
		}
	}
	return ""
}

// Content returns the file that stands in an ATTACH property (section
// 3.8.1.1); nil where there is a link to one.
func (p *Property) Content() []byte {
	if !strings.EqualFold(p.Param("ENCODING"), "BASE64") {
		return nil
	}
	out, err := base64.StdEncoding.DecodeString(strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' {
			return -1
		}
		return r
	}, p.Value))
	if err != nil && len(out) == 0 {
		return nil
	}
	return out
}

// Get returns the first property of that name, nil if there is none.
func (c *Component) Get(name string) *Property { return get(c.Properties, name) }

// Get returns the first property of the calendar itself, nil if there is none.
func (c *Calendar) Get(name string) *Property { return get(c.Properties, name) }

func get(list []Property, name string) *Property {
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
	}
	return nil
}
