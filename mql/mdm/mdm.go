// Package mdm builds the Message Data Model of the Message Query Language: what
// rules see of a mail. The model is the one that Sublime Security publishes with
// its OpenAPI document (https://docs.sublime.security/docs/mdm); where that says
// nothing, the choices are told at the code that makes them.
//
// Everything is built at its first use, since most rules look at little. A
// string of the model leads back to the place in the message where it stands:
// see [value.Origin].
package mdm

import (
	"net/netip"
	"strings"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/mailauth"
	"github.com/sekisho/sekisho/mql/mdm/xpath"
	"github.com/sekisho/sekisho/mql/value"
	"github.com/sekisho/sekisho/org"
)

// Input is a message and what is known around it. Only Mail is needed.
type Input struct {
	Mail    *eml.Message
	Content *extract.Content // of Mail; nil: read when it is asked for
	Path    *m365.Path       // of Mail; nil: read when it is asked for

	// Auth is our own verification, asked where no receiving server wrote its
	// results into the message.
	Auth *mailauth.Report

	Org       *org.Facts // nil: nothing is known of the organisation
	Recipient string     // the mailbox that the message was found in; may be empty
	History   History    // nil: not configured
	Budget    *budget.Budget

	// Quoted makes the model that of the message that Mail hands on as text,
	// where it hands on one.
	Quoted bool
}

// Model is the data model of one message. It is not safe for concurrent use.
type Model struct {
	in      Input
	content *extract.Content
	path    *m365.Path
	blocks  []block
	authed  []result
	pages   map[string]value.Value // of HTML, by part
	made    map[*extract.Link]value.Value
	docs    map[string]*xpath.Document // nil: cannot be read
	exprs   map[string]*xpath.Expr     // nil: cannot be read
	nodes   map[xpath.Node]value.Value // that were found
	root    value.Value
	depth   int // of messages attached to each other
}

// New returns the model of a message.
func New(in Input) *Model {
	m := &Model{in: in, content: in.Content, path: in.Path}
	m.root = value.Of(rootShape.Lazy(m.member))
	return m
}

var rootShape = value.NewShape("MessageDataModel", "type", "sender", "recipients", "mailbox", "subject", "headers", "body", "attachments", "external", "_meta")

// Root returns the message as rules see it.
func (m *Model) Root() value.Value { return m.root }

func (m *Model) field(name string) value.Value {
	switch name {
	case "type":
		return m.messageType()
	case "sender":
		return m.sender()
	case "recipients":
		return value.Of(recipientsShape.Lazy(func(name string) value.Value { return m.mailboxes(name) }))
	case "mailbox":
		return m.mailbox()
	case "subject":
		return m.subject()
	case "headers":
		return value.Of(headersShape.Lazy(m.header))
	case "body":
		return value.Of(bodyShape.Lazy(m.body))
	case "attachments":
		return value.Of(value.LazyList(m.attachments))
	}
	// external and _meta are written by the platform that delivers a message,
	// and no public rule reads them.
	return value.Null
}

func (m *Model) read() *extract.Content {
	if m.content == nil {
		m.content = extract.Read(m.in.Mail, m.in.Budget)
	}
	return m.content
}

func (m *Model) way() *m365.Path {
	if m.path == nil {
		m.path = m365.NewPath(m.in.Mail.Header(), m.in.Org)
	}
	return m.path
}

var typeShape = value.NewShape("MessageType", "inbound", "internal", "outbound")

// messageType tells inbound, internal and outbound apart. Only a From in an own
// domain comes from inside, if SPF or DKIM vouches for it or the way it took
// proves it: Direct Send and other forgeries of the own domain are inbound. Without own domains every message is
// inbound, as it is for those who analyse single messages.
func (m *Model) messageType() value.Value {
	inside := false
	if from := m.in.Mail.From(); len(from) > 0 {
		_, owned := m.in.Org.Owns(from[0].Domain)
		inside = owned && (m.authenticated(from[0].Domain) || !m.in.Quoted && m365.DirectSend(m365.Input{Message: m.in.Mail, Facts: m.in.Org}).Verdict.IsOwn())
	}
	if !inside {
		return value.Of(typeShape.New(value.True, value.False, value.False))
	}
	in, out := false, false
	for _, name := range []string{"To", "Cc", "Bcc"} {
		for _, a := range m.in.Mail.Addresses(name) {
			if _, owned := m.in.Org.Owns(a.Domain); owned {
				in = true
			} else if a.Domain != "" {
				out = true
			}
		}
	}
	return value.Of(typeShape.New(value.False, value.Bool(in || !out), value.Bool(out)))
}

// textOrigin is a text derived from a part or a header field.
type textOrigin struct {
	where finding.Where // of the part or field; offset and length are set below
	text  eml.Mapped
}

// Where implements [value.Origin].
func (o *textOrigin) Where(offset, length int) finding.Where {
	w := o.where
	s := o.text.Span(offset, length)
	w.Offset, w.Length = s.Offset, s.Length
	return w
}

// partText is a text derived from the text of a part.
func partText(part string, m eml.Mapped) value.Value {
	return value.Text(m.Text, &textOrigin{finding.Where{Part: part}, m})
}

// fieldText is a text derived from a header field.
func (m *Model) fieldText(f eml.Field, t eml.Mapped) value.Value {
	return value.Text(t.Text, &textOrigin{m.fieldWhere(f), t})
}

func (m *Model) fieldWhere(f eml.Field) finding.Where {
	return finding.Where{Part: m.in.Mail.Root().ID(), Header: f.Name(), Index: f.Index()}
}

// fieldPlace is a place within a header field, or the whole of it for an empty
// span.
func (m *Model) fieldPlace(f eml.Field, s eml.Span) value.Origin {
	if s.Length == 0 {
		s = f.ValueSpan()
	}
	w := m.fieldWhere(f)
	w.Offset, w.Length = s.Offset, s.Length
	return value.Place(w)
}

var ipShape = value.NewShape("IP", "ip", "version", "translation")

var translationShape = value.NewShape("IPTranslation", "original", "v4_to_v6")

func ipValue(a netip.Addr, o value.Origin) value.Value {
	if !a.IsValid() {
		return value.Null
	}
	plain := a.Unmap().WithZone("")
	version := int64(6)
	if plain.Is4() {
		version = 4
	}
	translation := value.Null
	if a.Is4In6() {
		translation = value.Of(translationShape.New(value.String(a.String()), value.True))
	}
	return value.Of(ipShape.New(value.Text(plain.String(), o), value.Int(version), translation).At(o))
}

// lower is for texts that are compared with those of rules byte by byte.
func lower(s string) string { return strings.ToLower(s) }
