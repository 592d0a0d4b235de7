package outlook

import (
	"cmp"
	"mime"
	"strings"
	"time"
)

// stopgap begins the first line of header blocks that old Exchange servers
// stored. It is no field, and readers would take it for the start of the body.
const stopgap = "Microsoft Mail Internet Headers"

// maxFieldRunes bounds a field that is made from a property.
const maxFieldRunes = 2000

// writeHeaders writes the header fields of m as received or, where there are
// none, fields made from properties.
func (c *converter) writeHeaders(m *message, depth int) {
	if c.size(m.object, pidTransportMessageHeaders) <= c.room() &&
		c.copyHeaders(c.raw(m.object, pidTransportMessageHeaders)) {
		return
	}
	if depth == 0 {
		c.note(NoteHeadersMissing)
	}
	c.buildHeaders(m)
}

// copyHeaders writes the fields of block byte for byte and in order, without
// those that described the lost body. It reports whether there were any.
func (c *converter) copyHeaders(block string) bool {
	written, dropping := false, false
	for line := range strings.SplitSeq(strings.TrimLeft(block, "\r\n"), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			break // some blocks go on with the headers of the body's parts
		}
		if line[0] != ' ' && line[0] != '\t' {
			name, _, isField := strings.Cut(line, ":")
			dropping = describesBody(name) || !isField && strings.HasPrefix(line, stopgap)
		}
		if !dropping {
			c.line(line)
			written = true
		}
	}
	return written
}

func describesBody(name string) bool {
	switch strings.ToLower(strings.TrimRight(name, " \t")) {
	case "content-type", "content-transfer-encoding", "content-disposition", "mime-version":
		return true
	}
	return false
}

// buildHeaders writes fields from the properties that [MS-OXCMAIL] 2.1 says
// they are generated from.
func (c *converter) buildHeaders(m *message) {
	text := func(id uint16) string { return c.text(m.object, id, m.codepage) }
	from := mailbox{text(pidSentRepresentingName), cmp.Or(text(pidSentRepresentingSMTP),
		smtpAddress(text(pidSentRepresentingType), text(pidSentRepresentingAddress)))}
	sender := mailbox{text(pidSenderName), cmp.Or(text(pidSenderSMTPAddress),
		smtpAddress(text(pidSenderType), text(pidSenderAddress)))}
	if from == (mailbox{}) {
		from = sender
	}
	if from != (mailbox{}) {
		c.line("From: ", from.String())
	}
	if sender != (mailbox{}) && sender.address != from.address {
		c.line("Sender: ", sender.String())
	}
	c.recipientField("To", m, recipientTo)
	c.recipientField("Cc", m, recipientCc)
	c.recipientField("Bcc", m, recipientBcc)
	// A control character in front of the length of the prefix is a relic of
	// old clients ([MS-OXCMSG] 2.2.1.46 computes the prefix instead).
	subject := text(pidSubject)
	if len(subject) >= 2 && subject[0] == 1 {
		subject = subject[2:]
	}
	c.line("Subject: ", encodeWords(shorten(oneLine(subject))))
	date := m.object.time(pidClientSubmitTime)
	if date.IsZero() {
		date = m.object.time(pidMessageDeliveryTime)
	}
	if !date.IsZero() {
		c.line("Date: ", date.Format(time.RFC1123Z))
	}
	c.idField("Message-ID", text(pidInternetMessageID))
	c.idField("In-Reply-To", text(pidInReplyToID))
	c.idField("References", text(pidInternetReferences))
}

func (c *converter) idField(name, value string) {
	if value = shorten(oneLine(value)); value != "" {
		c.line(name, ": ", strings.ReplaceAll(encodeWords(value), " ", "\r\n "))
	}
}

// recipientField writes the recipients of one kind; PidTagRecipientType has
// the kind in its lowest bits ([MS-OXOMSG] 2.2.3.1).
func (c *converter) recipientField(name string, m *message, kind int) {
	separator := name + ": "
	for _, o := range m.recipients {
		if o.num(pidRecipientType)&0xF != kind || c.room() == 0 {
			continue
		}
		text := func(id uint16) string { return c.text(o, id, m.codepage) }
		to := mailbox{
			cmp.Or(text(pidDisplayName), text(pidRecipientDisplayName)),
			cmp.Or(text(pidSMTPAddress), smtpAddress(text(pidAddressType), text(pidEmailAddress))),
		}
		if to != (mailbox{}) {
			c.out.WriteString(separator + to.String())
			separator = ",\r\n "
		}
	}
	if strings.HasPrefix(separator, ",") {
		c.line()
	}
}

// smtpAddress returns address if it is one of the Internet. Inside an Exchange
// organisation it is a directory path ("/o=...") of type EX.
func smtpAddress(kind, address string) string {
	if !strings.Contains(address, "@") || strings.HasPrefix(address, "/") || strings.EqualFold(kind, "EX") {
		return ""
	}
	return address
}

// mailbox is a name and an address as a header field shows them.
type mailbox struct{ name, address string }

// String writes the mailbox of RFC 5322 section 3.4. Someone without an
// Internet address becomes an empty group, as RFC 6854 allows in From.
func (m mailbox) String() string {
	name, address := shorten(oneLine(m.name)), shorten(oneLine(m.address))
	if strings.ContainsAny(address, " <>,;:\"") || !strings.Contains(address, "@") {
		if address != "" && address != name {
			name = strings.TrimSpace(name + " " + address)
		}
		return phrase(name) + ":;"
	}
	if name == "" {
		return "<" + address + ">"
	}
	return phrase(name) + " <" + address + ">"
}

func phrase(s string) string {
	if w := encodeWords(s); w != s {
		return w
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// encodeWords writes what is not ASCII as encoded words (RFC 2047), one a line.
func encodeWords(s string) string {
	return strings.ReplaceAll(mime.BEncoding.Encode("utf-8", s), "?= =?", "?=\r\n =?")
}

// oneLine keeps the value of a property from starting a header field of its
// own.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F {
			return ' '
		}
		return r
	}, s))
}

func shorten(s string) string {
	if r := []rune(s); len(r) > maxFieldRunes {
		return string(r[:maxFieldRunes])
	}
	return s
}
