package advisory

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrEnvelope is returned for a sender, recipient or Message-ID that is none.
var ErrEnvelope = errors.New("advisory: bad envelope")

// Envelope is what a draft needs to be a message. Nothing of it comes from the
// clock or from chance, so that the same draft is the same bytes.
type Envelope struct {
	From      string    // address, with or without a name; empty to leave it to the mail program
	To        string    // the same
	Date      time.Time // when the draft was made
	MessageID string    // such as "0123456789abcdef.staff.ja@kiso-works.example", without angle brackets
	Advisory  string    // id of the document, for X-Sekisho-Draft
	Approved  string    // hash of the content that was approved, for X-Sekisho-Approved; "" for a draft
}

// MessageIDFor returns the Message-ID of a draft: the same for the same
// document, audience and language. domain is one of the organisation's own.
func MessageIDFor(d *Document, m *Draft, domain string) string {
	return fmt.Sprintf("%s.%s.%s@%s", d.ID, m.Audience, m.Lang, domain)
}

// WriteEML writes a draft as a message (RFC 5322, RFC 2045) that a mail program
// opens for editing: X-Unsent is what Outlook looks for. The subject is encoded
// words of at most 76 columns a line (RFC 2047 section 2), the body plain text
// and HTML in UTF-8, base64, no line longer than 76. It returns [ErrEnvelope]
// if an address cannot be read.
func WriteEML(w io.Writer, m *Draft, e Envelope) error {
	if !validID(e.MessageID) {
		return fmt.Errorf("%w: Message-ID %q", ErrEnvelope, e.MessageID)
	}
	if e.Date.IsZero() {
		return fmt.Errorf("%w: no date", ErrEnvelope)
	}
	var b bytes.Buffer
	field := func(name, value string) { b.WriteString(name + ": " + value + "\r\n") }
	for _, a := range []struct{ name, value string }{{"From", e.From}, {"To", e.To}} {
		if a.value == "" {
			continue
		}
		folded, err := addresses(a.value)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrEnvelope, a.name, err)
		}
		field(a.name, folded)
	}
	field("Subject", encodedWords(m.Subject, len("Subject: ")))
	field("Date", e.Date.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	field("Message-ID", "<"+e.MessageID+">")
	field("MIME-Version", "1.0")
	field("X-Unsent", "1")
	field("Auto-Submitted", "no")
	if e.Advisory != "" && validID(e.Advisory+"@x") {
		field("X-Sekisho-Draft", e.Advisory)
	}
	if e.Approved != "" && validID(e.Approved+"@x") {
		field("X-Sekisho-Approved", e.Approved)
	}
	// A dot and an equals sign never stand together in base64, so that no part holds the boundary.
	boundary := "=_sekisho." + string(m.Audience) + "." + string(m.Lang)
	field("Content-Type", "multipart/alternative;\r\n boundary=\""+boundary+"\"")
	b.WriteString("\r\n")
	for _, part := range []struct{ kind, body string }{
		{"text/plain", m.BodyText},
		{"text/html", "<!DOCTYPE html>\n<html lang=\"" + string(m.Lang) + "\">\n<head><meta charset=\"utf-8\"></head>\n<body>\n" + m.BodyHTML + "</body>\n</html>\n"},
	} {
		b.WriteString("--" + boundary + "\r\n")
		field("Content-Type", part.kind+"; charset=utf-8")
		field("Content-Transfer-Encoding", "base64")
		b.WriteString("\r\n")
		base64Lines(&b, strings.ReplaceAll(part.body, "\n", "\r\n"))
	}
	b.WriteString("--" + boundary + "--\r\n")
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("writing the draft: %w", err)
	}
	return nil
}

// validID accepts the characters of a Message-ID that need no quoting.
func validID(id string) bool {
	left, right, ok := strings.Cut(id, "@")
	atom := func(s string) bool {
		return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(".-_", r))
		})
	}
	return ok && len(id) <= 200 && atom(left) && atom(right)
}

// addresses reads a list of addresses and writes it with names encoded, one to a
// line.
func addresses(list string) (string, error) {
	as, err := mail.ParseAddressList(list)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, a := range as {
		if len(a.Address) > 254 || strings.ContainsFunc(a.Address, func(r rune) bool { return r < 0x21 || r > 0x7e }) {
			return "", fmt.Errorf("no address: %q", a.Address)
		}
		line := a.String() // quotes what has to be
		if strings.ContainsFunc(a.Name, func(r rune) bool { return r < 0x20 || r > 0x7e }) || len(line) > 70 {
			line = "<" + a.Address + ">"
			if name := clean(a.Name); name != "" {
				line = encodedWords(name, len("From: ")) + "\r\n " + line
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, ",\r\n "), nil
}

// encodedWords writes a text for a header field whose name takes up column
// columns: as it is where it is short printable ASCII, else as encoded words in
// base64, of whole characters, folded at 76 columns.
func encodedWords(s string, column int) string {
	plain := !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7e })
	if plain && column+len(s) <= 76 && !strings.Contains(s, "=?") {
		return s
	}
	const before, after = "=?utf-8?b?", "?="
	var words []string
	for s != "" {
		// 4 columns hold 3 bytes. A line after the first begins with a space.
		room := (76 - column - len(before) - len(after)) / 4 * 3
		n := 0
		for n < len(s) {
			_, size := utf8.DecodeRuneInString(s[n:])
			if n+size > room {
				break
			}
			n += size
		}
		words = append(words, before+base64.StdEncoding.EncodeToString([]byte(s[:n]))+after)
		s = s[n:]
		column = 1
	}
	return strings.Join(words, "\r\n ")
}

// base64Lines writes text in base64 with 76 columns a line.
func base64Lines(b *bytes.Buffer, text string) {
	enc := base64.StdEncoding.EncodeToString([]byte(text))
	for enc != "" {
		n := min(76, len(enc))
		b.WriteString(enc[:n] + "\r\n")
		enc = enc[n:]
	}
}

// maxMailto is how long a mailto link may be before programs cut it off.
const maxMailto = 2000

// Mailto returns a link (RFC 6068) that opens a draft in the mail program. to may be
// empty. Japanese takes nine characters a letter in such a link, so that most bodies do not
// fit: then whole is false, the link has the subject only, and the body is pasted.
func (m *Draft) Mailto(to string) (link string, whole bool, err error) {
	if to != "" {
		a, err := mail.ParseAddress(to)
		if err != nil {
			return "", false, fmt.Errorf("%w: %w", ErrEnvelope, err)
		}
		to = strings.ReplaceAll(url.PathEscape(a.Address), "%40", "@")
	}
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	link = "mailto:" + to + "?subject=" + escape(m.Subject)
	full := link + "&body=" + escape(strings.ReplaceAll(m.BodyText, "\n", "\r\n"))
	if len(full) <= maxMailto {
		return full, true, nil
	}
	return link, false, nil
}
