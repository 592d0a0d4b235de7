// Package eml reads mail: RFC 5322 messages with MIME (RFC 2045 to 2049, 2231,
// 2047, 6532) into an immutable tree that knows where everything stands.
//
// It reads tolerantly. Whatever the bytes are, [Parse] returns a [Message];
// departures from the standards are [Defect] values beside it. What mail
// programs show to a person is what this package tries to see, since that is
// what an attacker writes for.
//
// Every offset has one meaning. A header span counts bytes of the raw message;
// a body span counts bytes of the text of one part, decoded to UTF-8. Text
// derived from either is a [Mapped], which leads back.
package eml

import (
	"iter"
	"strings"

	"github.com/sekisho/sekisho/budget"
)

// Options changes how a message is read. A nil *Options is the default.
type Options struct {
	// Budget bounds the work. Nil means budget.New's limits.
	Budget *budget.Budget
	// ID is the part ID of the root, "1" where it is empty. A message that was
	// taken out of a container which is no MIME part gets the container's ID
	// as its prefix.
	ID string
}

// Message is one message: the one that was handed in, or one attached to it.
// It is immutable and safe for concurrent use.
type Message struct {
	raw  []byte // the buffer that offsets count in
	span Span   // where the message stands in it
	root *Part
}

// Parse reads raw as a message. It keeps raw, which must not change afterwards.
func Parse(raw []byte, o *Options) *Message {
	var b *budget.Budget
	id := "1"
	if o != nil {
		b = o.Budget
		if o.ID != "" {
			id = o.ID
		}
	}
	if b == nil {
		b = budget.New(nil)
	}
	cut := false
	if b.Bytes > 0 && len(raw) > b.Bytes {
		raw, cut = raw[:b.Bytes], true
	}
	p := &parser{raw: raw, bareCR: bareCR(raw), work: &work{budget: b}}
	root := p.part(partPlace{id: id, start: 0, end: len(raw), message: true})
	if cut {
		root.defects = append(root.defects, Defect{Code: TooLarge, Part: id, Offset: len(raw)})
	}
	return &Message{raw: raw, span: Span{Length: len(raw)}, root: root}
}

// bareCR reports whether the lines of the message end in CR alone, as old
// Macintosh programs wrote them.
func bareCR(raw []byte) bool {
	head := raw[:min(len(raw), 4096)]
	cr := false
	for _, c := range head {
		if c == '\n' {
			return false
		}
		cr = cr || c == '\r'
	}
	return cr
}

// Raw returns the bytes of the message.
func (m *Message) Raw() []byte { return m.raw[m.span.Offset:m.span.End()] }

// Quote returns the raw bytes of a header span as text.
func (m *Message) Quote(s Span) string { return quote(m.raw, s) }

func quote(raw []byte, s Span) string {
	lo := min(max(s.Offset, 0), len(raw))
	return string(raw[lo:min(max(s.End(), lo), len(raw))])
}

// Root returns the outermost part. Its header is the message's.
func (m *Message) Root() *Part { return m.root }

// Header returns the header of the message.
func (m *Message) Header() Header { return m.root.header }

// Parts yields every part of the message from the root in the order of the
// text. It does not enter attached messages; see [Part.Embedded].
func (m *Message) Parts() iter.Seq[*Part] {
	return func(yield func(*Part) bool) { m.root.walk(false, yield) }
}

// AllParts yields every part of the message and of the messages attached to
// it, at any depth.
func (m *Message) AllParts() iter.Seq[*Part] {
	return func(yield func(*Part) bool) { m.root.walk(true, yield) }
}

// Part returns the part with that ID, in attached messages too, nil if there
// is none.
func (m *Message) Part(id string) *Part {
	for p := range m.AllParts() {
		if p.id == id {
			return p
		}
	}
	return nil
}

// Defects returns the defects of all parts, attached messages included. Parts
// are decoded for it.
func (m *Message) Defects() []Defect {
	var out []Defect
	for p := range m.AllParts() {
		out = append(out, p.Defects()...)
	}
	return out
}

// Subject returns the decoded Subject.
func (m *Message) Subject() Mapped {
	f, _ := m.Header().First("Subject")
	return f.Text()
}

// From returns the mailboxes of all From fields. A message should have exactly
// one (RFC 5322 section 3.6.2).
func (m *Message) From() []Address { return m.Addresses("From") }

// Addresses returns the mailboxes of every field of that name, such as To.
func (m *Message) Addresses(name string) []Address {
	var out []Address
	size := 0
	for _, f := range m.Header().All(name) {
		if size += len(f.value); len(out) > 0 && size > maxFieldText {
			break
		}
		out = append(out, f.Addresses()...)
	}
	return out
}

// MessageID returns the Message-ID without its angle brackets.
func (m *Message) MessageID() string {
	v := m.Header().Value("Message-ID")
	v = strings.TrimPrefix(v, "<")
	if i := strings.IndexByte(v, '>'); i >= 0 {
		v = v[:i]
	}
	return v
}

// HasBody reports whether anything but white space follows the header. A
// pasted header block has no body.
func (m *Message) HasBody() bool { return !blank(m.root.raw[m.root.body.Offset:m.root.body.End()]) }
