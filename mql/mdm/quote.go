package mdm

import (
	"github.com/sekisho/sekisho/extract"
	"github.com/sekisho/sekisho/extract/text"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/mql/value"
)

// quote returns the message that the model is about where it was handed on as
// text, and its place among those that the mail quotes; nil for the mail
// itself.
func (m *Model) quote() (*text.Quote, int) {
	if !m.in.Quoted {
		return nil, 0
	}
	t := m.read().Body.Thread
	if t == nil || t.Forward == nil || len(t.Forward.Nested) >= len(t.Quoted) {
		return nil, 0
	}
	i := len(t.Forward.Nested) // the first of Quoted is the forward itself
	return &t.Quoted[i], i
}

// quotedField builds a member of the root for a message that was handed on as
// text. Its header is lost: what nobody can know of it is null, and the mail
// that carries it does not speak for it.
func (m *Model) quotedField(name string, q *text.Quote, i int) value.Value {
	part := m.read().Body.Part
	switch name {
	case "type":
		return value.Of(typeShape.New(value.True, value.False, value.False))
	case "sender":
		box := quotedMailbox(q.From, quotedPlace(part, q, text.From))
		if box.IsNull() {
			return value.Of(senderShape.New())
		}
		return value.Of(senderShape.New(box.Field("display_name"), box.Field("email"), value.Array()).At(box.Origin()))
	case "recipients":
		return value.Of(recipientsShape.New(quotedMailboxes(part, q, text.To), quotedMailboxes(part, q, text.Cc), value.Array()))
	case "subject":
		return quotedSubject(part, q)
	case "headers":
		return value.Of(headersShape.Lazy(func(name string) value.Value {
			switch name {
			case "domains", "hops", "ips", "references", "reply_to":
				return value.Array()
			}
			return value.Null
		}))
	case "body":
		return value.Of(bodyShape.Lazy(func(name string) value.Value {
			switch name {
			case "current_thread":
				return value.Of(threadShape.Lazy(func(name string) value.Value {
					switch name {
					case "text":
						return partText(part, q.Body)
					case "links":
						return m.quotedLinks(i)
					case "banners":
						return value.Array()
					}
					return value.Null
				}))
			case "links":
				return m.quotedLinks(i)
			case "previous_threads":
				return value.Array()
			}
			return m.body(name)
		}))
	}
	return m.field(name)
}

// member builds a member of the root.
func (m *Model) member(name string) value.Value {
	if q, i := m.quote(); q != nil {
		return m.quotedField(name, q, i)
	}
	return m.field(name)
}

func (m *Model) quotedLinks(i int) value.Value {
	part := m.read().Body.Part
	from, to := m.stretch(i)
	return m.links(func(l *extract.Link) bool {
		s := at(l)
		return l.Part == part && s.Offset >= from && s.Offset < to
	})
}

// quotedPlace leads to a field of the header that stands above the message.
func quotedPlace(part string, q *text.Quote, field text.FieldName) value.Origin {
	for _, f := range q.Header {
		if f.Name == field {
			span := f.Value.Span(0, len(f.Value.Text))
			return value.Place(finding.Where{Part: part, Offset: span.Offset, Length: span.Length})
		}
	}
	return nil
}
