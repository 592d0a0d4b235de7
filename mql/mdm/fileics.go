package mdm

import (
	"strings"

	"github.com/sekisho/sekisho/extract"
	"github.com/sekisho/sekisho/extract/ics"
	"github.com/sekisho/sekisho/extract/link"
	"github.com/sekisho/sekisho/extract/text"
	"github.com/sekisho/sekisho/mql/value"
)

var (
	icsResultShape = value.NewShape("ICSResult", "events", "product_id", "scale")
	icsEventShape  = value.NewShape("ICSEvent", "description", "description_html", "links", "raw_properties")

	icsShape          = value.NewShape("StrelkaICS", "calendars", "flags", "parse_error", "total", "total_extracted", "total_files")
	icsCalendarShape  = value.NewShape("StrelkaICSCalendar", "calscale", "components", "method", "prodid", "version")
	icsComponentShape = value.NewShape("StrelkaICSComponent", "attachments", "attendees", "class", "created", "description", "dtend", "dtstamp", "dtstart", "duration", "last_modified", "location",
		"organizers", "priority", "sequence", "status", "summary", "transp", "type", "uid", "urls")
	icsAttachmentShape = value.NewShape("StrelkaICSAttachment", "decode_error", "extracted", "filename", "mime_type", "size", "type", "uri")
	icsAttendeeShape   = value.NewShape("StrelkaICSAttendee", "mailbox", "partstat", "role", "rsvp")
	icsOrganizerShape  = value.NewShape("StrelkaICSOrganizer", "mailbox")
	icsTotalShape      = value.NewShape("StrelkaICSTotal", "alarms", "attachments", "attendees", "components", "events", "extracted_files", "journals", "organizers", "timezones", "todos", "urls")
)

// parseICS is beta.file.parse_ics: the events of a calendar file, null for a
// file that is none.
func (m *Model) parseICS(n *node) value.Value {
	c := n.Calendar()
	if c == nil {
		return value.Null
	}
	var events []value.Value
	for i := range c.Components {
		if e := &c.Components[i]; e.Name == "VEVENT" {
			events = append(events, m.event(n, e))
		}
	}
	return value.Of(icsResultShape.New(value.Array(n.known(events)...), n.property(c.Get("PRODID")), n.property(c.Get("CALSCALE"))).At(n.origin()))
}

// property is the value of a property, null where there is none.
func (n *node) property(p *ics.Property) value.Value {
	if p == nil {
		return value.Null
	}
	return n.text(p.Text())
}

func (m *Model) event(n *node, e *ics.Component) value.Value {
	return value.Of(icsEventShape.Lazy(func(name string) value.Value {
		switch name {
		case "description":
			return n.property(e.Get("DESCRIPTION"))
		case "description_html":
			if p := e.Get("X-ALT-DESC"); p != nil {
				return m.htmlOf(n.text(p.Text()), p.Text())
			}
			return value.Null
		case "links":
			return value.Of(value.LazyList(func() []value.Value { return m.eventLinks(n, e) }))
		}
		out := make([]value.Value, 0, len(e.Properties))
		for i := range e.Properties {
			out = append(out, n.keyValue(e.Properties[i].Name, e.Properties[i].Text()))
		}
		return value.Array(out...)
	}).At(n.origin()))
}

// eventLinks are the addresses in the texts of an event, and in its HTML.
func (m *Model) eventLinks(n *node, e *ics.Component) []value.Value {
	var out []value.Value
	seen := map[string]bool{}
	for i := range e.Properties {
		p := &e.Properties[i]
		switch p.Name {
		case "X-ALT-DESC":
			for _, v := range m.htmlOf(n.text(p.Text()), p.Text()).Field("links").List().Items() {
				if s, ok := v.Field("href_url").Field("url").Str(); ok && !seen[s] {
					seen[s] = true
					out = append(out, v)
				}
			}
		case "DESCRIPTION", "LOCATION", "URL", "SUMMARY", "ATTACH", "CONFERENCE", "COMMENT":
			s := p.Text()
			for _, u := range text.URLs(s) {
				if seen[u.URL] {
					continue
				}
				seen[u.URL] = true
				parsed, err := link.Parse(u.URL)
				if err != nil {
					continue
				}
				l := &extract.Link{URL: u.URL, Parsed: parsed, Visible: s[u.Offset : u.Offset+u.Length], Source: extract.FromAttachment, Part: n.part}
				if v, ok := linkValue(l); ok {
					out = append(out, v)
				}
			}
		}
	}
	return out
}

// scanICS is the scanner of calendar files.
func (m *Model) scanICS(n *node) value.Value {
	c := n.Calendar()
	if c == nil {
		return value.Null
	}
	total := map[string]int{}
	var components []value.Value
	for i := range c.Components {
		e := &c.Components[i]
		total[e.Name]++
		for j := range e.Properties {
			total[e.Properties[j].Name]++
		}
		components = append(components, m.component(n, e))
	}
	calendar := value.Of(icsCalendarShape.New(n.property(c.Get("CALSCALE")), value.Array(n.known(components)...), n.property(c.Get("METHOD")), n.property(c.Get("PRODID")), n.property(c.Get("VERSION"))).At(n.origin()))
	count := func(name string) value.Value { return value.Int(int64(total[name])) }
	files := value.Int(int64(len(n.Children())))
	return value.Of(icsShape.New(value.Array(calendar), value.Array(), value.Null,
		value.Of(icsTotalShape.New(count("VALARM"), count("ATTACH"), count("ATTENDEE"), value.Int(int64(len(c.Components))), count("VEVENT"), files, count("VJOURNAL"), count("ORGANIZER"), count("VTIMEZONE"), count("VTODO"), count("URL"))),
		files, files).At(n.origin()))
}

func (m *Model) component(n *node, e *ics.Component) value.Value {
	all := func(name string, make func(p *ics.Property) value.Value) value.Value {
		var out []value.Value
		for i := range e.Properties {
			if p := &e.Properties[i]; p.Name == name {
				out = append(out, make(p))
			}
		}
		return value.Array(out...)
	}
	return value.Of(icsComponentShape.Lazy(func(name string) value.Value {
		switch name {
		case "type":
			return n.text(e.Name)
		case "attachments":
			return all("ATTACH", func(p *ics.Property) value.Value {
				kind, uri, size := "uri", n.text(p.Text()), value.Null
				if b := p.Content(); b != nil {
					kind, uri = "base64_binary", value.Null
				}
				return value.Of(icsAttachmentShape.New(value.Null, value.Bool(kind != "uri"), n.text(p.Param("X-FILENAME")+p.Param("FILENAME")), n.text(p.Param("FMTTYPE")), size, n.text(kind), uri).At(n.origin()))
			})
		case "attendees":
			return all("ATTENDEE", func(p *ics.Property) value.Value {
				return value.Of(icsAttendeeShape.New(n.mailbox(p), n.text(p.Param("PARTSTAT")), n.text(p.Param("ROLE")), value.Bool(strings.EqualFold(p.Param("RSVP"), "TRUE"))).At(n.origin()))
			})
		case "organizers":
			return all("ORGANIZER", func(p *ics.Property) value.Value {
				return value.Of(icsOrganizerShape.New(n.mailbox(p)).At(n.origin()))
			})
		case "urls":
			var urls []string
			for i := range e.Properties {
				p := &e.Properties[i]
				if p.Name == "URL" {
					urls = append(urls, p.Text())
					continue
				}
				if p.Name == "DESCRIPTION" || p.Name == "LOCATION" {
					for _, u := range text.URLs(p.Text()) {
						urls = append(urls, u.URL)
					}
				}
			}
			good, _ := n.urls(distinct(urls))
			return good
		}
		return n.property(e.Get(strings.ToUpper(strings.ReplaceAll(name, "_", "-"))))
	}).At(n.origin()))
}

// mailbox is the person that a property names.
func (n *node) mailbox(p *ics.Property) value.Value {
	address := strings.TrimSpace(p.Value)
	if len(address) > 7 && strings.EqualFold(address[:7], "mailto:") {
		address = address[7:]
	}
	email := value.Null
	if local, host, ok := addressString(address); ok {
		email = emailValue(local, host, n.origin())
	}
	return value.Of(mailboxShape.New(n.text(p.Param("CN")), email).At(n.origin()))
}
