// Package outlooktest writes Outlook items, as .msg files and as TNEF streams,
// for tests and examples. It writes what a test asks for, right or wrong; it is
// no general writer.
package outlooktest

import (
	"encoding/binary"
	"slices"
	"time"
	"unicode/utf16"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
)

// Message is an Outlook item. Empty fields are left out of the result.
type Message struct {
	Class      string // default "IPM.Note"
	Headers    string // the header block as received
	Subject    string
	From       Address // PidTagSentRepresenting...
	Sender     Address // PidTagSender...
	To, Cc     []Address
	Date       time.Time
	MessageID  string
	Text       string
	HTML       []byte // in HTMLCodepage
	HTMLFormat Format // how the HTML body is stored; default Binary
	RTF        string // compressed by the writer
	RTFStored  bool   // keep the RTF uncompressed in its container

	HTMLCodepage int    // PidTagInternetCodepage
	Codepage     int    // 932 or 65001: write 8-bit strings in it; 0: Unicode
	Pack         []byte // instead of a good PidTagRtfCompressed

	Attachments []Attachment
}

// Format is the type that a property is stored as.
type Format int

// The formats.
const (
	Binary Format = iota // PtypBinary
	Text                 // PtypString or PtypString8
)

// Address is a sender or a recipient.
type Address struct {
	Name string
	SMTP string // PidTagSmtpAddress and its relatives
	EX   string // the directory path of an Exchange user
}

// Attachment is a file, a link or a message in a message.
type Attachment struct {
	Name      string
	Type      string // PidTagAttachMimeTag
	ContentID string
	Inline    bool
	Data      []byte
	URL       string   // an attachment by web reference
	Embedded  *Message // an attached message
	Storage   []byte   // an OLE object with these bytes in its CONTENTS stream
}

// Property types and ids, [MS-OXCDATA] 2.11.1 and [MS-OXPROPS].
const (
	integer32 = 0x0003
	boolean   = 0x000B
	object    = 0x000D
	string8   = 0x001E
	unicode16 = 0x001F
	systime   = 0x0040
	binaryTag = 0x0102
)

type property struct {
	id, typ uint16
	num     uint64
	data    []byte
}

// bag collects the properties of one object.
type bag struct {
	codepage int
	list     []property
}

func (b *bag) text(id uint16, s string) {
	if s == "" {
		return
	}
	if b.codepage != 0 {
		b.list = append(b.list, property{id: id, typ: string8, data: encode(s, b.codepage)})
		return
	}
	b.list = append(b.list, property{id: id, typ: unicode16, data: utf16le(s)})
}

func (b *bag) bytes(id uint16, v []byte) {
	if v != nil {
		b.list = append(b.list, property{id: id, typ: binaryTag, data: v})
	}
}

func (b *bag) num(id, typ uint16, v uint64) {
	b.list = append(b.list, property{id: id, typ: typ, num: v})
}

func utf16le(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func encode(s string, codepage int) []byte {
	e := unicode.UTF8
	if codepage == 932 {
		e = japanese.ShiftJIS
	}
	b, err := e.NewEncoder().Bytes([]byte(s))
	if err != nil {
		panic("outlooktest: text that the code page lacks: " + s)
	}
	return b
}

func (m *Message) bag() *bag {
	b := &bag{codepage: m.Codepage}
	class := m.Class
	if class == "" {
		class = "IPM.Note"
	}
	b.text(0x001A, class)
	b.text(0x0037, m.Subject)
	b.text(0x007D, m.Headers)
	b.address(m.From, 0x0042, 0x0064, 0x0065, 0x5D02)
	b.address(m.Sender, 0x0C1A, 0x0C1E, 0x0C1F, 0x5D01)
	if !m.Date.IsZero() {
		b.num(0x0039, systime, uint64(m.Date.Unix()+11644473600)*10_000_000)
	}
	b.text(0x1035, m.MessageID)
	b.text(0x1000, m.Text)
	if m.HTMLFormat == Text {
		b.text(0x1013, string(m.HTML))
	} else {
		b.bytes(0x1013, m.HTML)
	}
	if m.RTF != "" {
		b.bytes(0x1009, CompressRTF(m.RTF, m.RTFStored))
	}
	b.bytes(0x1009, m.Pack)
	if m.HTMLCodepage != 0 {
		b.num(0x3FDE, integer32, uint64(m.HTMLCodepage))
	}
	if m.Codepage != 0 {
		b.num(0x3FFD, integer32, uint64(m.Codepage))
	} else {
		b.num(0x340D, integer32, 0x40000) // STORE_UNICODE_OK
	}
	return b
}

func (b *bag) address(a Address, name, kind, addr, smtp uint16) {
	b.text(name, a.Name)
	if a.EX != "" {
		b.text(kind, "EX")
		b.text(addr, a.EX)
		b.text(smtp, a.SMTP)
	} else if a.SMTP != "" {
		b.text(kind, "SMTP")
		b.text(addr, a.SMTP)
	}
}

// recipients returns the recipients' bags in order.
func (m *Message) recipients() []*bag {
	var list []*bag
	for kind, addresses := range [][]Address{1: m.To, 2: m.Cc} {
		for _, a := range addresses {
			b := &bag{codepage: m.Codepage}
			b.num(0x0C15, integer32, uint64(kind))
			b.address(a, 0x3001, 0x3002, 0x3003, 0x39FE)
			list = append(list, b)
		}
	}
	return list
}

func (a *Attachment) bag(codepage int) *bag {
	b := &bag{codepage: codepage}
	method := 1
	switch {
	case a.Embedded != nil:
		method = 5
	case a.Storage != nil:
		method = 6
	case a.URL != "":
		method = 7
	}
	b.num(0x3705, integer32, uint64(method))
	b.text(0x3707, a.Name)
	b.text(0x370E, a.Type)
	b.text(0x3712, a.ContentID)
	b.text(0x370D, a.URL)
	if a.Inline {
		b.num(0x3714, integer32, 4)
		b.num(0x7FFE, boolean, 1)
	}
	b.bytes(0x3701, a.Data)
	return b
}

// CompressRTF packs rtf as PidTagRtfCompressed does ([MS-OXRTFCP]), with
// references into the last 4 KB, or stored as it is.
func CompressRTF(rtf string, stored bool) []byte {
	head := func(n int, kind uint32) []byte {
		var b []byte
		b = binary.LittleEndian.AppendUint32(b, uint32(n+12))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(rtf)))
		b = binary.LittleEndian.AppendUint32(b, kind)
		return binary.LittleEndian.AppendUint32(b, 0)
	}
	if stored {
		return append(head(len(rtf), 0x414C454D), rtf...)
	}
	const dictionary = `{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor ` +
		`MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0` + "\r\n" + `\par \pard\plain\f0\fs20\b\i\u\tab\tx`
	text := dictionary + rtf
	var body, tokens []byte
	control, bits := byte(0), 0
	flush := func() {
		body = append(append(body, control), tokens...)
		control, bits, tokens = 0, 0, nil
	}
	reference := func(at, n int) {
		control |= 1 << bits
		tokens = binary.BigEndian.AppendUint16(tokens, uint16(at%4096<<4|(n-2)))
		if bits++; bits == 8 {
			flush()
		}
	}
	for i := len(dictionary); i < len(text); {
		if at, n := longestMatch(text, i); n >= 2 {
			reference(at, n)
			i += n
			continue
		}
		tokens = append(tokens, text[i])
		if bits++; bits == 8 {
			flush()
		}
		i++
	}
	reference(len(text), 2) // a reference to the write position ends the text
	if bits > 0 {
		flush()
	}
	return append(head(len(body), 0x75465A4C), body...)
}

// longestMatch finds the longest earlier copy of what stands at text[i:].
func longestMatch(text string, i int) (at, n int) {
	for from := max(0, i-4000); from < i; from++ {
		k := 0
		for k < 17 && i+k < len(text) && from+k < i && text[from+k] == text[i+k] {
			k++
		}
		if k > n {
			at, n = from, k
		}
	}
	return at, n
}

// TNEF writes m as a TNEF stream, [MS-OXTNEF], which is what winmail.dat holds.
func TNEF(m Message) []byte {
	out := []byte{0x78, 0x9F, 0x3E, 0x22, 1, 0}
	attribute := func(level byte, id uint32, data []byte) {
		out = append(out, level)
		out = binary.LittleEndian.AppendUint32(out, id)
		out = binary.LittleEndian.AppendUint32(out, uint32(len(data)))
		out = append(out, data...)
		var sum uint16
		for _, c := range data {
			sum += uint16(c)
		}
		out = binary.LittleEndian.AppendUint16(out, sum)
	}
	attribute(1, 0x00089006, []byte{0, 0, 1, 0}) // attTnefVersion
	codepage := m.Codepage
	if codepage == 0 {
		codepage = 1252
	}
	attribute(1, 0x00069007, binary.LittleEndian.AppendUint64(nil, uint64(codepage)))
	attribute(1, 0x00069003, m.bag().tnef())
	if list := m.recipients(); len(list) > 0 {
		table := binary.LittleEndian.AppendUint32(nil, uint32(len(list)))
		for _, b := range list {
			table = append(table, b.tnef()...)
		}
		attribute(1, 0x00069004, table)
	}
	for _, a := range m.Attachments {
		attribute(2, 0x00069002, make([]byte, 14)) // attAttachRendData
		if a.Name != "" {
			attribute(2, 0x00018010, append(encode(a.Name, max(932, m.Codepage)), 0))
		}
		b := a.bag(m.Codepage)
		if a.Embedded != nil {
			// IID_IMessage, then the message as a stream of its own.
			iid := []byte{0x07, 0x03, 0x02, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}
			b.list = append(b.list, property{id: 0x3701, typ: object, data: append(iid, TNEF(*a.Embedded)...)})
		} else if a.Data != nil {
			attribute(2, 0x0006800F, a.Data)
			b.list = slices.DeleteFunc(b.list, func(p property) bool { return p.id == 0x3701 })
		}
		attribute(2, 0x00069005, b.tnef())
	}
	return out
}

// tnef writes a property list, [MS-OXTNEF] 2.1.3.4.
func (b *bag) tnef() []byte {
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(b.list)))
	for _, p := range b.list {
		out = binary.LittleEndian.AppendUint16(out, p.typ)
		out = binary.LittleEndian.AppendUint16(out, p.id)
		switch p.typ {
		case string8, unicode16, binaryTag, object:
			data := p.data
			switch p.typ {
			case string8:
				data = append(slices.Clip(data), 0)
			case unicode16:
				data = append(slices.Clip(data), 0, 0)
			}
			out = binary.LittleEndian.AppendUint32(out, 1)
			out = binary.LittleEndian.AppendUint32(out, uint32(len(data)))
			out = append(out, data...)
			out = append(out, make([]byte, -len(data)&3)...)
		case systime:
			out = binary.LittleEndian.AppendUint64(out, p.num)
		default:
			out = binary.LittleEndian.AppendUint32(out, uint32(p.num))
		}
	}
	return out
}
