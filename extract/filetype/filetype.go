// Package filetype tells what a file is by its content, and whether its name
// and its declared media type agree.
//
// Containers that several kinds of document share, ZIP and the compound file of
// older Office, are looked into. Scripts have no mark of their own: of a text,
// the name decides what will run it.
package filetype

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// Type is what a file is, named by its usual extension. Where the MQL data model
// has a name, it is that one.
type Type string

// Types that others ask for by name. [Types] lists all.
const (
	Unknown Type = "unknown"
	Empty   Type = "empty"
	Text    Type = "txt"
	HTML    Type = "html"
	SVG     Type = "svg"
	XML     Type = "xml"
	PDF     Type = "pdf"
	RTF     Type = "rtf"
	ZIP     Type = "zip"
	DOC     Type = "doc"
	XLS     Type = "xls"
	PPT     Type = "ppt"
	DOCX    Type = "docx"
	XLSX    Type = "xlsx"
	PPTX    Type = "pptx"
	OLE     Type = "ole" // a compound file of another kind
	MSG     Type = "msg"
	MSI     Type = "msi"
	OneNote Type = "one"
	EML     Type = "eml"
	ICS     Type = "ics"
	VCF     Type = "vcf"
	TNEF    Type = "tnef"
	JPEG    Type = "jpg"
	PNG     Type = "png"
	GIF     Type = "gif"
	EXE     Type = "exe"
	LNK     Type = "lnk"
	ISO     Type = "iso"
	P7S     Type = "p7s"
)

// Class is a group of types that are handled alike.
type Class string

// The classes.
const (
	Archive    Class = "archive"
	Audio      Class = "audio"
	Certs      Class = "certificate"
	Disk       Class = "disk-image"
	Document   Class = "document"
	Executable Class = "executable" // machine code, and what starts it
	Font       Class = "font"
	Image      Class = "image"
	Mail       Class = "mail" // messages, calendar entries, address cards
	Markup     Class = "markup"
	Other      Class = "other"
	Script     Class = "script"
	Video      Class = "video"
)

type kind struct {
	class      Class
	extensions string // separated by blanks; the type's own name is one
	media      string // media types, separated by blanks; a prefix ends in "*"
}

// Class returns the group of t, [Other] for one that is unknown.
func (t Type) Class() Class {
	if k, ok := types[t]; ok {
		return k.class
	}
	return Other
}

// Extensions returns the extensions that t has, without the dot.
func (t Type) Extensions() []string {
	k, ok := types[t]
	if !ok {
		return nil
	}
	return append([]string{string(t)}, strings.Fields(k.extensions)...)
}

// Types returns all types, sorted.
func Types() []Type {
	out := make([]Type, 0, len(types))
	for t := range types {
		out = append(out, t)
	}
	slices.Sort(out)
	return out
}

// Result is what a look into a file tells.
type Result struct {
	Type      Type
	Encrypted bool // some of it cannot be read without a password
	Macros    bool // an Office document with a macro project
}

// maxText is how much of a text is looked at to tell what it is.
const maxText = 4 << 10

// Detect tells what content is. name, which may be empty, is asked only where
// the content is text or nothing that is known.
func Detect(content []byte, name string) Result {
	if len(content) == 0 {
		return Result{Type: Empty}
	}
	if bytes.HasPrefix(content, compoundMagic) {
		return detectCompound(content)
	}
	if t, ok := detectMagic(content); ok {
		r := Result{Type: t}
		switch t {
		case ZIP:
			return detectZIP(content)
		case PDF:
			r.Encrypted = bytes.Contains(content, []byte("/Encrypt"))
		case "rpmsg":
			r.Encrypted = true
		case "7z", "rar":
			r.Encrypted = encryptedHeader(t, content)
		default: // nothing more is to be told without reading it whole
		}
		return r
	}
	if t, ok := detectText(content, name); ok {
		return Result{Type: t}
	}
	// A header in front of an archive does not keep programs from opening it.
	if r := detectZIP(content); r.Type != Unknown {
		return r
	}
	return Result{Type: Unknown}
}

// encryptedHeader reports whether an archive does not even tell what is in it.
func encryptedHeader(t Type, b []byte) bool {
	if t == "rar" {
		// RAR 5: the first block is an encryption header (type 4). RAR 4: the
		// main header has the flag for encrypted headers, 0x80.
		if bytes.HasPrefix(b, []byte("Rar!\x1a\x07\x01\x00")) {
			return len(b) > 13 && b[13] == 4
		}
		return len(b) > 11 && b[9] == 0x73 && b[10]&0x80 != 0
	}
	// 7z names its coders in the header at the end; AES is 06 F1 07 01.
	tail := b[max(0, len(b)-4096):]
	return bytes.Contains(tail, []byte{0x06, 0xf1, 0x07, 0x01})
}

// detectText tells what a text is by what it starts with.
func detectText(b []byte, name string) (Type, bool) {
	s, ok := head(b)
	if !ok {
		return "", false
	}
	ext := Extension(name)
	t := strings.ToLower(strings.TrimLeft(s, " \t\r\n\ufeff"))
	switch {
	case strings.HasPrefix(t, "begin:vcalendar"):
		return ICS, true
	case strings.HasPrefix(t, "begin:vcard"):
		return VCF, true
	case strings.HasPrefix(t, "-----begin pgp"):
		return "asc", true
	case strings.HasPrefix(t, "-----begin "):
		return "pem", true
	case strings.HasPrefix(t, "[internetshortcut]") || strings.Contains(t, "\n[internetshortcut]"):
		return "url", true
	case strings.HasPrefix(t, "%!ps"):
		return "ps", true
	case strings.HasPrefix(t, "#!"):
		if types[Type(ext)].class == Script {
			return Type(ext), true
		}
		return "sh", true
	case strings.HasPrefix(t, "<?php"):
		return "php", true
	case strings.HasPrefix(t, "<job") || strings.HasPrefix(t, "<package"):
		return "wsf", true
	case ext == "hta" || strings.Contains(t, "<hta:application"):
		return "hta", true
	case strings.HasPrefix(t, "<"):
		if m, ok := markup(t); ok {
			return m, true
		}
	case looksLikeMail(t):
		return EML, true
	}
	if types[Type(ext)].class == Script || types[Type(ext)].class == Markup || ext == "csv" || ext == "json" || ext == "mht" || ext == "eml" {
		return Type(ext), true
	}
	if real, ok := aliases[ext]; ok && types[real].class == Script {
		return real, true
	}
	for _, tag := range []string{"<html", "<body", "<script", "<!doctype html", "<a href=", "<meta "} {
		if strings.Contains(t, tag) {
			return HTML, true
		}
	}
	return Text, true
}

// markup tells apart what starts with a tag. t is in lower case.
func markup(t string) (Type, bool) {
	switch {
	case strings.Contains(t, "<svg"):
		// HTML may hold a drawing; a drawing starts with it.
		if i, j := strings.Index(t, "<svg"), strings.Index(t, "<html"); j < 0 || i < j {
			if !strings.Contains(t[:i], "<body") && !strings.Contains(t[:i], "<div") {
				return SVG, true
			}
		}
		return HTML, true
	case strings.Contains(t, "<html"), strings.Contains(t, "<!doctype html"), strings.Contains(t, "<body"), strings.Contains(t, "<script"),
		strings.Contains(t, "<meta "), strings.Contains(t, "<head>"), strings.HasPrefix(t, "<div"), strings.HasPrefix(t, "<p>"), strings.HasPrefix(t, "<table"),
		strings.HasPrefix(t, "<!--") && strings.Contains(t, "<a "):
		return HTML, true
	case strings.HasPrefix(t, "<?xml"), strings.HasPrefix(t, "<!doctype"):
		return XML, true
	}
	return "", false
}

// looksLikeMail reports whether t, in lower case, starts with two fields of a
// message.
func looksLikeMail(t string) bool {
	n := 0
	for line := range strings.SplitSeq(t, "\n") {
		name, _, ok := strings.Cut(line, ":")
		if !ok {
			if line != "" && (line[0] == ' ' || line[0] == '\t') {
				continue
			}
			return false
		}
		switch name {
		case "from", "to", "subject", "date", "message-id", "received", "return-path", "mime-version", "delivered-to", "content-type", "dkim-signature", "reply-to":
			if n++; n == 3 {
				return true
			}
		default:
			if strings.ContainsAny(name, " \t") && name[0] != ' ' && name[0] != '\t' {
				return false
			}
		}
	}
	return false
}

// head returns the start of a text in UTF-8, and whether it is one.
func head(b []byte) (string, bool) {
	b = b[:min(len(b), maxText)]
	switch {
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}):
		return utf16Text(b[2:], 0), true
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}):
		return utf16Text(b[2:], 1), true
	}
	control := 0
	for _, c := range b {
		switch {
		case c == 0:
			return "", false
		case c < ' ' && c != '\t' && c != '\r' && c != '\n' && c != '\f' && c != 0x1b:
			control++
		}
	}
	if control > len(b)/50 {
		return "", false
	}
	high := 0
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			high++
		}
		i += n
	}
	// Legacy charsets hold bytes that are no UTF-8, compressed data almost
	// nothing else.
	return strings.ToValidUTF8(string(b), "\ufffd"), high*2 <= len(b) || len(b) < 8 && high == 0
}

func utf16Text(b []byte, low int) string {
	out := make([]byte, 0, len(b)/2)
	for i := 0; i+1 < len(b); i += 2 {
		if hi := b[i+1-low]; hi == 0 {
			out = append(out, b[i+low])
		} else {
			out = append(out, '?')
		}
	}
	return string(out)
}
