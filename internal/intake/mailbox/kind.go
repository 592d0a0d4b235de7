package mailbox

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"

	"github.com/sekisho/sekisho/eml/mbox"
	"github.com/sekisho/sekisho/eml/outlook"
)

// kind is what an input is. Its text is the end of a catalogue key.
type kind string

// The kinds that are read.
const (
	kindMail     kind = "mail"
	kindMbox     kind = "mbox"
	kindCompound kind = "compound" // an Outlook item or an old Office document
	kindTNEF     kind = "tnef"
	kindZip      kind = "zip"
	kindGzip     kind = "gzip"
)

// The kinds that are only named, so that the user sees what the file is.
const (
	kindOffice  kind = "office"
	kindPDF     kind = "pdf"
	kindRTF     kind = "rtf"
	kindImage   kind = "image"
	kindHTML    kind = "html"
	kindXML     kind = "xml"
	kindJSON    kind = "json"
	kindPST     kind = "pst"
	kindArchive kind = "archive"
	kindProgram kind = "program"
	kindMedia   kind = "media"
	kindText    kind = "text"
	kindData    kind = "data"
)

// signatures tell kinds by their first bytes.
var signatures = [...]struct {
	magic string
	kind  kind
}{
	{"PK\x03\x04", kindZip},
	{"PK\x05\x06", kindZip},
	{"\x1f\x8b\x08", kindGzip},
	{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", kindCompound},
	{"%PDF-", kindPDF},
	{`{\rtf`, kindRTF},
	{"\x89PNG\r\n\x1a\n", kindImage},
	{"\xff\xd8\xff", kindImage},
	{"GIF8", kindImage},
	{"II*\x00", kindImage},
	{"MM\x00*", kindImage},
	{"BM", kindImage},
	{"!BDN", kindPST}, // [MS-PST] 2.2.2.6
	{"Rar!\x1a\x07", kindArchive},
	{"7z\xbc\xaf\x27\x1c", kindArchive},
	{"\xfd7zXZ\x00", kindArchive},
	{"BZh", kindArchive},
	{"\x28\xb5\x2f\xfd", kindArchive},
	{"MSCF", kindArchive},
	{"MZ", kindProgram},
	{"\x7fELF", kindProgram},
	{"\xcf\xfa\xed\xfe", kindProgram},
	{"ID3", kindMedia},
	{"OggS", kindMedia},
}

const (
	tarMagicAt = 257
	riffKindAt = 8
)

// sniff tells the kind of an input from its start. Of a casual input more is
// asked before it counts as mail: a folder holds notes and settings whose lines
// look like header fields.
func sniff(head []byte, casual bool) kind {
	if k := signature(head); k == kindZip || k == kindGzip || k == kindCompound {
		return k
	}
	switch {
	case outlook.IsTNEF(head):
		return kindTNEF
	case mbox.Is(head):
		return kindMbox
	case isMail(head, casual):
		return kindMail
	}
	return describe(head)
}

func signature(head []byte) kind {
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.magic)) {
			return s.kind
		}
	}
	return ""
}

// describe names the kind of an input that is no mail.
func describe(head []byte) kind {
	k := signature(head)
	// Two letters alone may begin a sentence; a bitmap or a program has zeros
	// in its header.
	if k != "" && (head[1] != 'M' && head[1] != 'Z' || bytes.IndexByte(head, 0) >= 0) {
		return k
	}
	at := func(i int, magic string) bool {
		return len(head) > i && bytes.HasPrefix(head[i:], []byte(magic))
	}
	switch {
	case at(tarMagicAt, "ustar"):
		return kindArchive
	case at(0, "RIFF") && at(riffKindAt, "WEBP"):
		return kindImage
	case at(0, "RIFF"), at(4, "ftyp"):
		return kindMedia
	case bytes.IndexByte(head, 0) >= 0 || !utf8.Valid(head[:len(head)-partialRune(head)]) && !mostlyText(head):
		return kindData
	}
	text := strings.ToLower(string(bytes.TrimLeft(head[:min(len(head), 1024)], " \t\r\n")))
	switch {
	case strings.HasPrefix(text, "<!doctype html"), strings.HasPrefix(text, "<html"):
		return kindHTML
	case strings.HasPrefix(text, "<?xml"), strings.HasPrefix(text, "<svg"):
		return kindXML
	case strings.HasPrefix(text, `{"`), strings.HasPrefix(text, "{\n"), strings.HasPrefix(text, "{\r"), strings.HasPrefix(text, "[{"):
		return kindJSON
	}
	return kindText
}

// partialRune returns how many bytes at the end of b may begin a character that
// goes on after it.
func partialRune(b []byte) int {
	for n := 1; n <= min(len(b), utf8.UTFMax-1); n++ {
		if c := b[len(b)-n]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(b[len(b)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}

// mostlyText reports whether b looks like text in some 8-bit encoding.
func mostlyText(b []byte) bool {
	control := 0
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\r' && c != '\n' && c != '\f' && c != 0x1B {
			control++
		}
	}
	return control*50 < len(b)
}

// decodedText returns a reader of UTF-8 if r begins with a byte order mark, as
// Notepad writes, nil if it does not.
func decodedText(r *bufio.Reader) io.Reader {
	mark, _ := r.Peek(3)
	switch {
	case bytes.HasPrefix(mark, []byte("\xEF\xBB\xBF")):
		_, _ = r.Discard(3) // they have been peeked at
		return r
	case bytes.HasPrefix(mark, []byte("\xFF\xFE")), bytes.HasPrefix(mark, []byte("\xFE\xFF")):
		return unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Reader(r)
	}
	return nil
}
