package mdm

import (
	"strings"
	"unicode/utf8"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract/text"
	"github.com/sekisho/sekisho/mql/value"
)

var subjectShape = value.NewShape("Subject", "subject", "base", "tags", "is_reply", "is_forward")

// maxTag is the longest tag of a subject, in bytes.
const maxTag = 40

// subject is null in all its fields where the message has no Subject.
func (m *Model) subject() value.Value {
	f, ok := m.in.Mail.Header().First("Subject")
	if !ok {
		return value.Of(subjectShape.New())
	}
	t := f.Text()
	return subjectValue(t, m.fieldText(f, t), func(s eml.Mapped) value.Value { return m.fieldText(f, s) })
}

// subjectValue takes a subject apart.
func subjectValue(t eml.Mapped, whole value.Value, sub func(eml.Mapped) value.Value) value.Value {
	rest, tags := leadingTags(t.Text)
	mark, base := text.SubjectMark(t.Text)
	// What the marks leave may start with a tag again.
	base, more := leadingTags(base)
	if mark == text.MarkNone {
		mark, _ = text.SubjectMark(rest)
	}
	from := strings.LastIndex(t.Text, base)
	b := value.String(base)
	if from >= 0 {
		b = sub(t.Slice(from, from+len(base)))
	}
	return value.Of(subjectShape.New(whole, b, value.Strings(append(tags, more...)...), value.Bool(mark == text.MarkReply), value.Bool(mark == text.MarkForward)))
}

// leadingTags cuts tags such as "[External]" or "(Warning)" off the front.
func leadingTags(s string) (rest string, tags []string) {
	for {
		s = strings.TrimLeft(s, " \t")
		closing := byte(']')
		switch {
		case strings.HasPrefix(s, "["):
		case strings.HasPrefix(s, "("):
			closing = ')'
		default:
			return s, tags
		}
		end := strings.IndexByte(s[:min(len(s), maxTag)], closing)
		// A subject that is nothing but a tag is not one.
		if end < 2 || end+1 == len(s) || !utf8.ValidString(s[:end+1]) {
			return s, tags
		}
		tags = append(tags, s[:end+1])
		s = s[end+1:]
	}
}
