package mailbox

import (
	"bytes"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
)

// fieldWeight says how much a field name speaks for mail.
type fieldWeight int

const (
	unknownField fieldWeight = iota
	commonField              // of mail, but also a word that begins a line of notes
	strongField              // of nothing but mail
)

// weigh says how much the header field name speaks for mail. The strong names
// are those that servers add and that nobody writes by hand.
func weigh(name string) fieldWeight {
	name = strings.ToLower(name)
	switch name {
	case "from", "to", "cc", "bcc", "subject", "date", "sender", "reply-to", "sent",
		"content-type", "content-transfer-encoding", "content-disposition", "importance", "precedence",
		"auto-submitted", "user-agent", "organization", "errors-to", "comments", "keywords":
		return commonField
	case "received", "return-path", "delivered-to", "message-id", "mime-version", "in-reply-to", "references",
		"dkim-signature", "domainkey-signature", "authentication-results", "authentication-results-original",
		"arc-seal", "arc-message-signature", "arc-authentication-results", "received-spf", "resent-from",
		"envelope-to", "thread-topic", "thread-index", "list-unsubscribe", "list-id", "feedback-id",
		"x-received", "x-originating-ip", "x-mailer", "x-original-to", "x-sender", "x-mozilla-status",
		"x-gm-message-state", "x-google-smtp-source", "x-forefront-antispam-report", "x-microsoft-antispam":
		return strongField
	}
	if strings.HasPrefix(name, "x-ms-") {
		return strongField
	}
	return unknownField
}

// fieldName returns the name of the header field that line begins, or "".
// RFC 5322 section 2.2 has no space before the colon; the old syntax does.
func fieldName(line []byte) string {
	const longest = 76
	name, _, ok := bytes.Cut(line[:min(len(line), longest+1)], []byte(":"))
	if !ok {
		return ""
	}
	name = bytes.TrimRight(name, " \t")
	for _, c := range name {
		if c <= ' ' || c >= 0x7F {
			return ""
		}
	}
	return string(name)
}

func isContinuation(line []byte) bool { return len(line) > 0 && (line[0] == ' ' || line[0] == '\t') }

func isBlank(line []byte) bool { return len(bytes.TrimRight(line, " \t\r\n")) == 0 }

// margin returns what stands in front of every line of a text that was pasted
// with indentation or as a quotation.
func margin(line []byte) []byte {
	return line[:len(line)-len(bytes.TrimLeft(line, " \t>"))]
}

// census counts the fields of the first header block in a text.
type census struct {
	fields, common, strong int
	odd                    int  // lines that are neither fields nor continuations
	first                  bool // the very first line is a field
	summary                bool // has the fields of a web page about the mail
}

func count(text []byte, indent []byte) census {
	var c census
	for n := 0; len(text) > 0; n++ {
		line := text
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			line = text[:i+1]
		}
		text = text[len(line):]
		line = bytes.TrimPrefix(line, indent)
		if isBlank(line) {
			break
		}
		name := fieldName(line)
		switch {
		case name != "":
			c.fields++
			c.first = c.first || n == 0
			switch weigh(name) {
			case commonField:
				c.common++
			case strongField:
				c.strong++
			case unknownField:
			}
			switch strings.ToLower(name) {
			case "spf", "dkim", "dmarc":
				c.summary = true
			}
		case isContinuation(line):
		case n == 0 && (bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))):
			c.first = true // a separator line that lost its date
		default:
			c.odd++
		}
	}
	return c
}

// isMail reports whether an input that begins with head is a message or a
// header block.
func isMail(head []byte, casual bool) bool {
	head = trimBlankLines(head)
	indent := margin(head[:min(len(head), 64)])
	c := count(head, indent)
	if casual {
		// A line or two that are no fields occur in broken mail, above fields
		// that nothing but mail has.
		whole := c.first && (c.strong > 0 || c.common > 1) || c.odd <= 2 && c.strong > 1
		return whole && len(indent) == 0
	}
	if c.first && c.strong+c.common > 0 {
		return true
	}
	return original(head) > 0
}

func trimBlankLines(b []byte) []byte {
	for {
		i := bytes.IndexByte(b, '\n')
		if i < 0 || !isBlank(b[:i]) {
			return b
		}
		b = b[i+1:]
	}
}

// original returns where the header block begins in a text that has something
// else above it, such as what web mail shows beside "show original", 0 if there
// is none.
func original(text []byte) int {
	const maxLines, needed = 200, 3
	start, run := 0, 0
	at := 0
	for range maxLines {
		i := bytes.IndexByte(text[at:], '\n')
		if i < 0 {
			i = len(text[at:]) - 1
		}
		line := text[at : at+i+1]
		name := fieldName(line)
		switch {
		case run > 0 && (name != "" || isContinuation(line)):
			run++
		case name != "" && weigh(name) == strongField:
			start, run = at, 1
		default:
			run = 0
		}
		if run >= needed {
			return start
		}
		if at += i + 1; at >= len(text) {
			break
		}
	}
	return 0
}

// tidy brings a text that holds a message or a header block into RFC 5322 form.
// A message as it was received comes out byte for byte, apart from blank lines
// and a byte order mark above it. What was pasted loses its margin and what a
// web page showed above it.
func tidy(b []byte) ([]byte, desk.Form) {
	b = trimBlankLines(b)
	if indent := margin(b[:min(len(b), 64)]); len(indent) > 0 && fieldName(b[len(indent):]) != "" {
		b = dedent(b, indent)
	}
	if c := count(b[:min(len(b), headSize)], nil); !c.first || c.summary && c.strong == 0 {
		if at := original(b[:min(len(b), headSize)]); at > 0 {
			b = b[at:]
		}
	}
	header, body := split(b)
	if isBlankAll(body) {
		return b, desk.FormHeader
	}
	if joined, ok := joinFields(b, header); ok {
		return joined, desk.FormHeader
	}
	return b, desk.FormMessage
}

// dedent takes indent away from the start of each line that has it.
func dedent(b, indent []byte) []byte {
	out := make([]byte, 0, len(b))
	for line := range bytes.Lines(b) {
		if rest, ok := bytes.CutPrefix(line, indent); ok {
			line = rest
		} else if isBlank(line) {
			line = line[len(bytes.TrimRight(line, "\r\n")):]
		}
		out = append(out, line...)
	}
	return out
}

// split cuts b at the first blank line.
func split(b []byte) (header, body []byte) {
	at := 0
	for line := range bytes.Lines(b) {
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			return b[:at], b[at:]
		}
		at += len(line)
	}
	return b, nil
}

func isBlankAll(b []byte) bool { return len(bytes.TrimSpace(b)) == 0 }

// joinFields puts a header block together that was pasted with a blank line
// after each field, as copying from a web page gives. It must be nothing but
// fields, with one field above the first blank line; a message whose body
// quotes header fields has more there.
func joinFields(b, header []byte) ([]byte, bool) {
	const maxSize = 1 << 20
	if len(b) > maxSize || count(header, nil).fields != 1 {
		return nil, false
	}
	var out []byte
	strong := 0
	for line := range bytes.Lines(b) {
		name := fieldName(line)
		switch {
		case isBlank(line):
			continue
		case name == "" && !isContinuation(line):
			return nil, false
		case weigh(name) == strongField:
			strong++
		}
		out = append(out, line...)
	}
	return out, strong >= 2
}
