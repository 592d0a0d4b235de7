package desk

import (
	"bytes"
	"strings"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/eml/outlook"
)

// Bounds on what is taken out of one input.
const (
	maxAttached      = 20 // messages judged beside the outermost
	maxAttachedDepth = 6  // attached to each other
)

// candidate is one message of an input.
type candidate struct {
	msg   *eml.Message
	part  string       // ID of its root
	outer *candidate   // the message it is attached to; nil for the outermost
	aside *eml.Message // content of its winmail.dat (MS-OXTNEF), if it has one
	form  Form
	depth int

	handover *Handover // of the outermost message, where it is known
}

// candidates returns the outermost message and every message attached to it:
// as message/rfc822, as a saved .eml or .msg file, or inside a winmail.dat.
// Users forward what frightens them in all of these ways.
func candidates(m *eml.Message, form Form, b *budget.Budget) []*candidate {
	root := &candidate{msg: m, part: m.Root().ID(), form: form}
	out := []*candidate{root}
	for i := 0; i < len(out) && len(out) <= maxAttached; i++ { // out grows on the way
		c := out[i]
		if c.depth == maxAttachedDepth {
			continue
		}
		for p := range c.msg.Parts() {
			out = attached(out, c, p, b)
		}
		if c.aside != nil {
			for p := range c.aside.Parts() {
				out = attached(out, c, p, b)
			}
		}
	}
	return out
}

func attached(out []*candidate, c *candidate, p *eml.Part, b *budget.Budget) []*candidate {
	if len(out) > maxAttached {
		return out
	}
	add := func(m *eml.Message, form Form) {
		out = append(out, &candidate{msg: m, part: m.Root().ID(), outer: c, form: form, depth: c.depth + 1})
	}
	if e := p.Embedded(); e != nil {
		if !strings.HasSuffix(p.MediaType(), "rfc822-headers") {
			add(e, FormMessage)
		}
		return out
	}
	if !p.IsLeaf() || strings.HasPrefix(p.MediaType(), "text/") && !strings.HasSuffix(strings.ToLower(p.Filename()), ".eml") {
		return out
	}
	id := p.ID() + ".1"
	content := p.Content()
	switch {
	case outlook.IsMSG(content):
		if item, err := outlook.Convert(content, nil); err == nil {
			add(eml.Parse(item.RFC822, &eml.Options{Budget: b, ID: id}), FormOutlook)
		}
	case outlook.IsTNEF(content):
		if item, err := outlook.TNEF(content, nil); err == nil && c.aside == nil {
			c.aside = eml.Parse(item.RFC822, &eml.Options{Budget: b, ID: id})
		}
	case strings.HasSuffix(strings.ToLower(p.Filename()), ".eml") && looksLikeMessage(content):
		add(eml.Parse(content, &eml.Options{Budget: b, ID: id}), FormMessage)
	}
	return out
}

// looksLikeMessage reports whether b starts with a header that names its
// author and something else of a mail.
func looksLikeMessage(b []byte) bool {
	h := eml.Parse(b[:min(len(b), 64<<10)], &eml.Options{Budget: &budget.Budget{Bytes: 64 << 10, Cost: 1 << 20}}).Header()
	if _, ok := h.First("From"); !ok {
		return false
	}
	for _, name := range []string{"Received", "Subject", "Date", "Message-ID", "To"} {
		if _, ok := h.First(name); ok {
			return true
		}
	}
	return false
}

// cutOff reports whether the message ends in the middle of an attachment: the
// file was not saved whole.
func cutOff(m *eml.Message) bool {
	open := false
	var last *eml.Part
	for p := range m.Parts() {
		for _, d := range p.Defects() {
			open = open || d.Code == eml.UnclosedMultipart
		}
		last = p
	}
	if !open || last == nil || !last.IsLeaf() || strings.HasPrefix(last.MediaType(), "text/") {
		return false
	}
	// An encoded attachment that is whole ends in padding or a full line end.
	body := bytes.TrimRight(last.Body(), "\r\n \t")
	return last.Encoding() == "base64" && (len(body) == 0 || len(body)%4 != 0 && body[len(body)-1] != '=' || !bytes.HasSuffix(last.Body(), []byte("\n")))
}
