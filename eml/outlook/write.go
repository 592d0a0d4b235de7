package outlook

import (
	"bytes"
	"encoding/base64"
	"mime"
	"mime/quotedprintable"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	base64LineBytes = 57      // make 76 characters, the most RFC 2045 section 6.8 allows
	maxNameRunes    = 100     // of an attachment's name: 900 bytes as RFC 2231 writes Japanese
	partRoom        = 4 << 10 // more than the header of a part and its boundaries take
)

// room returns how many bytes of content still fit into the output.
func (c *converter) room() int {
	return max(0, c.limits.Bytes-c.out.Len()-c.tail-partRoom)
}

func (c *converter) line(s ...string) {
	for _, v := range s {
		c.out.WriteString(v)
	}
	c.out.WriteString("\r\n")
}

// writeMessage writes m, which is depth levels deep.
func (c *converter) writeMessage(m *message, depth int) {
	c.writeHeaders(m, depth)
	c.line("MIME-Version: 1.0")
	if entity := c.signedEntity(m); entity != nil {
		c.out.Write(entity)
		return
	}
	plain, html := c.bodies(m)
	var inline, others []*attachment
	for i := range m.attachments {
		if a := &m.attachments[i]; html != "" && c.isInline(a) {
			inline = append(inline, a)
		} else {
			others = append(others, a)
		}
	}
	// Parts are written from the outside in: mixed around related around
	// alternative, each only where it has more than one part.
	write := func() {
		c.multipart("alternative", plain != "" && html != "", func(next func()) {
			if plain != "" || html == "" {
				next()
				c.textPart("plain", plain)
			}
			if html != "" {
				next()
				c.textPart("html", html)
			}
		})
	}
	c.multipart("mixed", len(others) > 0, func(next func()) {
		if plain != "" || html != "" || len(others) == 0 {
			next()
			c.multipart("related", len(inline) > 0, func(next func()) {
				next()
				write()
				for _, a := range inline {
					c.attachmentPart(a, "inline", depth, next)
				}
			})
		}
		for _, a := range others {
			c.attachmentPart(a, "attachment", depth, next)
		}
	})
}

// multipart writes a multipart around what parts writes, or, where it is not
// needed, that alone. parts calls its argument before each part.
func (c *converter) multipart(subtype string, needed bool, parts func(next func())) {
	if !needed {
		parts(func() {})
		return
	}
	c.boundaries++
	boundary := c.boundary + strconv.Itoa(c.boundaries)
	c.line("Content-Type: multipart/", subtype, `; boundary="`, boundary, `"`)
	c.line()
	c.tail += len(boundary) + 8
	parts(func() { c.line("--", boundary) })
	c.line("--", boundary, "--")
	c.tail -= len(boundary) + 8
}

// bodies returns the plain and the HTML body in UTF-8.
func (c *converter) bodies(m *message) (plain, html string) {
	plain = c.text(m.object, pidBody, m.codepage)
	switch m.object[pidHTML].typ {
	case typeBinary:
		html = decodeHTML(c.bytes(m.object, pidHTML), m.object.num(pidInternetCodepage))
	default:
		html = c.text(m.object, pidHTML, m.codepage)
	}
	html = strings.TrimRight(html, "\x00")
	if html != "" {
		return plain, html
	}
	packed := c.bytes(m.object, pidRTFCompressed)
	if len(packed) == 0 {
		return plain, ""
	}
	rtf, whole := decompressRTF(packed, min(c.room(), c.unread))
	if !whole {
		c.note(NoteDamaged)
	}
	if !c.take(len(rtf)) {
		return plain, ""
	}
	text, origin := textOfRTF(rtf)
	switch {
	case strings.TrimSpace(text) == "":
	case origin == rtfFromHTML:
		html = text
		c.note(NoteBodyFromRTF)
	case plain == "":
		plain = text
		c.note(NoteBodyFromRTF)
	}
	return plain, html
}

// textPart writes a text body, cut off where it does not fit.
func (c *converter) textPart(subtype, text string) {
	other := 0
	for i := range len(text) {
		if b := text[i]; b >= utf8.RuneSelf || b < ' ' && b != '\r' && b != '\n' && b != '\t' {
			other++
		}
	}
	c.line("Content-Type: text/", subtype, "; charset=utf-8")
	// Quoted-printable stays readable; base64 is shorter for Japanese.
	if other > len(text)/6 {
		c.line("Content-Transfer-Encoding: base64")
		c.line()
		c.base64(c.fit(text, 3, 4))
		return
	}
	c.line("Content-Transfer-Encoding: quoted-printable")
	c.line()
	w := quotedprintable.NewWriter(&c.out)
	// Each byte may become three, and a long line gets breaks.
	_, _ = w.Write([]byte(c.fit(text, 1, 4))) // a bytes.Buffer takes everything
	_ = w.Close()
	c.line()
}

// fit cuts text to what the output still holds if n bytes become m.
func (c *converter) fit(text string, n, m int) string {
	most := c.room() / m * n
	if len(text) <= most {
		return text
	}
	c.note(NoteLeftOut)
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

func (c *converter) base64(s string) {
	var line [base64LineBytes/3*4 + 2]byte
	for len(s) > 0 {
		n := min(len(s), base64LineBytes)
		base64.StdEncoding.Encode(line[:], []byte(s[:n]))
		m := base64.StdEncoding.EncodedLen(n)
		m += copy(line[m:], "\r\n")
		c.out.Write(line[:m])
		s = s[n:]
	}
}

// isInline reports whether the HTML body shows a, so that it is part of the
// body rather than a file beside it.
func (c *converter) isInline(a *attachment) bool {
	if a.embedded != nil {
		return false
	}
	return a.object.num(pidAttachFlags)&attachFlagRenderedInBody != 0 || a.object.num(pidAttachmentHidden)&1 != 0
}

// signedEntity returns the MIME entity of a signed message: Outlook keeps it
// whole, header fields first, as the only attachment ([MS-OXOSMIME] 2.1.2).
func (c *converter) signedEntity(m *message) []byte {
	class := strings.ToUpper(c.text(m.object, pidMessageClass, m.codepage))
	if !strings.HasPrefix(class, "IPM.NOTE.SMIME.MULTIPARTSIGNED") || len(m.attachments) != 1 {
		return nil
	}
	a := &m.attachments[0]
	if c.size(a.object, pidAttachData) > c.room() {
		return nil
	}
	b := bytes.TrimLeft(c.bytes(a.object, pidAttachData), "\r\n")
	const field = "content-type:"
	if len(b) < len(field) || !strings.EqualFold(string(b[:len(field)]), field) {
		return nil
	}
	return b
}

// attachmentPart writes one attachment. Where its content cannot be had or
// does not fit, the part is there without content, so that its name and type
// still count.
func (c *converter) attachmentPart(a *attachment, disposition string, depth int, next func()) {
	if c.attachments <= 0 || c.room() < partRoom {
		c.note(NoteLeftOut)
		return
	}
	c.attachments--
	next()
	name := c.attachmentName(a)
	if a.embedded != nil {
		c.embeddedPart(a, name, depth)
		return
	}
	if url := c.reference(a); url != "" {
		c.note(NoteReference)
		// A list of URLs (RFC 2483 section 5) lets the link be judged.
		c.partHeader("text/uri-list", disposition, name, "")
		c.base64(c.fit(url+"\r\n", 3, 4))
		return
	}
	mediaType := c.text(a.object, pidAttachMIMETag, a.codepage)
	if !isMediaType(mediaType) {
		mediaType = "application/octet-stream"
	}
	c.partHeader(mediaType, disposition, name, c.text(a.object, pidAttachContentID, a.codepage))
	holder := a.object
	if a.object[pidAttachData].typ == typeObject {
		holder = c.storageContent(a.object[pidAttachData].file)
	}
	switch size := c.size(holder, pidAttachData); {
	case size == 0 && a.object.num(pidAttachMethod) == attachMethodStorage:
		c.note(NoteDamaged)
	case size/base64LineBytes*78+78 > c.room():
		c.note(NoteLeftOut)
	default:
		c.base64(string(c.bytes(holder, pidAttachData)))
	}
}

func (c *converter) embeddedPart(a *attachment, name string, depth int) {
	if depth >= c.limits.Depth {
		c.note(NoteTooDeep)
		c.partHeader("application/octet-stream", "attachment", name, "")
		return
	}
	c.line("Content-Type: message/rfc822")
	c.line("Content-Disposition: attachment")
	c.line()
	c.writeMessage(a.embedded(), depth+1)
}

// storageContent finds the file inside an OLE object: the stream that
// applications keep it in ([MS-OLEDS] 2.3.6 for packages).
func (c *converter) storageContent(storage int) object {
	if storage == 0 || c.file == nil {
		return nil
	}
	list := c.file.Children(storage)
	for _, name := range []string{"CONTENTS", "PACKAGE", "\x01OLE10NATIVE"} {
		if at, ok := list[name]; ok {
			return object{pidAttachData: {typ: typeBinary, file: at}}
		}
	}
	return nil
}

// reference returns where the file of an attachment by reference lies.
func (c *converter) reference(a *attachment) string {
	switch method := a.object.num(pidAttachMethod); {
	case method > attachMethodByValue && method < attachMethodEmbedded, method == attachMethodByWebReference:
	default:
		return ""
	}
	path := c.text(a.object, pidAttachLongPathname, a.codepage)
	if path == "" {
		path = c.text(a.object, pidAttachPathname, a.codepage)
	}
	return oneLine(path)
}

func (c *converter) attachmentName(a *attachment) string {
	for _, id := range []uint16{pidAttachLongFilename, pidAttachFilename, pidDisplayName} {
		if name := oneLine(c.text(a.object, id, a.codepage)); name != "" {
			if r := []rune(name); len(r) > maxNameRunes {
				// The end holds the extension, which says what happens on a click.
				name = string(r[:maxNameRunes/2]) + "…" + string(r[len(r)-maxNameRunes/2:])
			}
			return name
		}
	}
	return ""
}

func (c *converter) partHeader(mediaType, disposition, name, contentID string) {
	c.line("Content-Type: ", mediaType)
	if name == "" {
		c.line("Content-Disposition: ", disposition)
	} else {
		c.line("Content-Disposition: ", mime.FormatMediaType(disposition, map[string]string{"filename": name}))
	}
	if id := strings.Trim(oneLine(contentID), "<> "); id != "" && len(id) < 900 {
		c.line("Content-ID: <", encodeWords(id), ">")
	}
	c.line("Content-Transfer-Encoding: base64")
	c.line()
}

// isMediaType reports whether s is a type and a subtype of RFC 2045 tokens and
// a leaf: content that claims to be a multipart is not parsed as one here.
func isMediaType(s string) bool {
	major, minor, ok := strings.Cut(strings.ToLower(s), "/")
	if !ok || major == "" || minor == "" || len(s) > 127 || major == "multipart" || major == "message" {
		return false
	}
	for _, r := range major + minor {
		if r <= ' ' || r >= 0x7F || strings.ContainsRune(`()<>@,;:\"/[]?=`, r) {
			return false
		}
	}
	return true
}
