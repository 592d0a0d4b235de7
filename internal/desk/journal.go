package desk

import (
	"strings"

	"github.com/sekisho/sekisho/eml"
)

// maxJournal bounds the text of a journal report that is read.
const maxJournal = 1 << 20

// journal returns the mail in a journal report of Exchange, byte for byte, and
// the envelope that the report tells: the sender, and everybody who got the mail,
// those in Bcc and behind distribution lists too. ok is false for any other
// message.
//
// See "Journal reports" at
// https://learn.microsoft.com/exchange/security-and-compliance/journaling/journaling.
func journal(m *eml.Message) (raw []byte, e *MailEnvelope, ok bool) {
	if _, ok := m.Header().First("X-MS-Journal-Report"); !ok {
		return nil, nil, false
	}
	var text, inside *eml.Part
	for _, p := range m.Root().Children() {
		switch {
		case p.Embedded() != nil && inside == nil:
			inside = p
		case p.MediaType() == "text/plain" && text == nil:
			text = p
		}
	}
	if text == nil || inside == nil {
		return nil, nil, false
	}
	e = &MailEnvelope{}
	seen := map[string]bool{}
	words := text.Text()
	for line := range strings.SplitSeq(words[:min(len(words), maxJournal)], "\n") {
		name, value, found := strings.Cut(line, ":")
		if !found {
			continue
		}
		// "To: a@example, Expanded: list@example": only the first is an address
		// that got the mail.
		value, _, _ = strings.Cut(value, ",")
		value = strings.Trim(strings.TrimSpace(value), "<>")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "sender":
			if e.From == "" && len(value) <= maxEnvelopeName {
				e.From = value
			}
		case "recipient", "to", "cc", "bcc":
			if key := strings.ToLower(value); value != "" && len(value) <= maxEnvelopeName && !seen[key] && len(e.To) < MaxRecipients {
				seen[key] = true
				e.To = append(e.To, value)
			}
		}
	}
	return inside.Body(), e, len(inside.Body()) > 0
}
