package outlook

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/eml/compound"
)

// Names inside a .msg file, [MS-OXMSG] 2.1 to 2.4, in upper case as the
// compound file compares them.
const (
	propertyStream   = "__PROPERTIES_VERSION1.0"
	valuePrefix      = "__SUBSTG1.0_"
	recipientPrefix  = "__RECIP_VERSION1.0_#"
	attachmentPrefix = "__ATTACH_VERSION1.0_#"
)

// Property types, [MS-OXCDATA] 2.11.1.
const (
	typeInteger32 = 0x0003
	typeObject    = 0x000D
	typeString8   = 0x001E
	typeString    = 0x001F
	typeTime      = 0x0040
	typeBinary    = 0x0102
)

// Property ids, [MS-OXPROPS] section 2.
const (
	pidMessageClass             = 0x001A
	pidSubject                  = 0x0037
	pidClientSubmitTime         = 0x0039
	pidSentRepresentingName     = 0x0042
	pidSentRepresentingType     = 0x0064
	pidSentRepresentingAddress  = 0x0065
	pidTransportMessageHeaders  = 0x007D
	pidRecipientType            = 0x0C15
	pidSenderName               = 0x0C1A
	pidSenderType               = 0x0C1E
	pidSenderAddress            = 0x0C1F
	pidMessageDeliveryTime      = 0x0E06
	pidBody                     = 0x1000
	pidRTFCompressed            = 0x1009
	pidHTML                     = 0x1013
	pidInternetMessageID        = 0x1035
	pidInternetReferences       = 0x1039
	pidInReplyToID              = 0x1042
	pidDisplayName              = 0x3001
	pidAddressType              = 0x3002
	pidEmailAddress             = 0x3003
	pidAttachData               = 0x3701
	pidAttachFilename           = 0x3704
	pidAttachMethod             = 0x3705
	pidAttachLongFilename       = 0x3707
	pidAttachPathname           = 0x3708
	pidAttachLongPathname       = 0x370D
	pidAttachMIMETag            = 0x370E
	pidAttachContentID          = 0x3712
	pidAttachFlags              = 0x3714
	pidSMTPAddress              = 0x39FE
	pidInternetCodepage         = 0x3FDE
	pidMessageLocaleID          = 0x3FF1
	pidMessageCodepage          = 0x3FFD
	pidSenderSMTPAddress        = 0x5D01
	pidSentRepresentingSMTP     = 0x5D02
	pidRecipientDisplayName     = 0x5FF6
	pidAttachmentHidden         = 0x7FFE
	attachMethodByValue         = 1 // [MS-OXCMSG] 2.2.2.9
	attachMethodEmbedded        = 5
	attachMethodStorage         = 6
	attachMethodByWebReference  = 7
	attachFlagRenderedInBody    = 4 // [MS-OXCMSG] 2.2.2.18
	recipientTo, recipientCc    = 1, 2
	recipientBcc                = 3
	maxRecipients               = 5000
	headerTop, headerEmbedded   = 32, 24 // of the property stream, [MS-OXMSG] 2.4.1
	headerOther                 = 8
	fileTimeToUnix              = 11644473600 // seconds from 1601 to 1970
	fileTimeTicks               = 10_000_000  // per second
	propertyEntrySize           = 16
	maxPropertiesOfOneObject    = 4096
	maxNamedPropertyStringBytes = 1 << 16
)

// property is the value of one property of one object.
type property struct {
	typ  uint16
	num  uint64 // a fixed-size value
	data []byte // a variable-size value in memory
	file int    // or the entry of its stream or storage; 0 if in memory
}

// object is a message, recipient or attachment: a set of properties by id.
type object map[uint16]property

// message is an item before it is written.
type message struct {
	object
	codepage    int // of its 8-bit strings
	recipients  []object
	attachments []attachment
}

// attachment is one attachment and, for an embedded message, the way to it.
type attachment struct {
	object
	codepage int
	embedded func() *message // nil unless it is a message
}

// readMessage reads the message at storage i of a .msg file. codepage is that
// of the message around it, or 0.
func (c *converter) readMessage(i, codepage int) *message {
	header := headerTop
	if i != compound.Root {
		header = headerEmbedded
	}
	m := &message{object: c.readObject(i, header)}
	m.codepage = cmp.Or(m.object.stringCodepage(), codepage)
	list := c.file.Children(i)
	// Recipients and attachments are numbered in hexadecimal, with leading
	// zeros: sorted by name they stand in the order of the sender.
	for _, name := range slices.Sorted(maps.Keys(list)) {
		at := list[name]
		switch {
		case !c.file.IsStorage(at):
		case strings.HasPrefix(name, recipientPrefix):
			if len(m.recipients) < maxRecipients {
				m.recipients = append(m.recipients, c.readObject(at, headerOther))
			}
		case strings.HasPrefix(name, attachmentPrefix):
			if len(m.attachments) > c.attachments {
				continue
			}
			a := attachment{object: c.readObject(at, headerOther), codepage: m.codepage}
			if p, ok := a.object[pidAttachData]; ok && p.typ == typeObject && a.object.num(pidAttachMethod) == attachMethodEmbedded {
				a.embedded = func() *message { return c.readMessage(p.file, m.codepage) }
			}
			m.attachments = append(m.attachments, a)
		}
	}
	return m
}

// readObject reads the properties of storage i. Variable-size values are found
// by the names of their streams rather than by the property stream, which
// damaged files lack.
func (c *converter) readObject(i, header int) object {
	o := object{}
	list := c.file.Children(i)
	if at, ok := list[propertyStream]; ok && c.take(c.file.Size(at)) {
		b := c.file.Stream(at)
		b = b[min(header, len(b)):]
		for ; len(b) >= propertyEntrySize && len(o) < maxPropertiesOfOneObject; b = b[propertyEntrySize:] {
			tag := binary.LittleEndian.Uint32(b)
			if id, typ := uint16(tag>>16), uint16(tag); !variable(typ) {
				o[id] = property{typ: typ, num: binary.LittleEndian.Uint64(b[8:])}
			}
		}
	}
	for name, at := range list {
		digits, ok := strings.CutPrefix(name, valuePrefix)
		if !ok || len(digits) != 8 {
			continue
		}
		tag, err := strconv.ParseUint(digits, 16, 32)
		if err != nil {
			continue
		}
		id, typ := uint16(tag>>16), uint16(tag)
		if typ&0x1000 != 0 { // several values, none of which is of use here
			continue
		}
		// Where a value is there in both encodings, Unicode lost nothing.
		if old, dup := o[id]; dup && variable(old.typ) && old.typ > typ {
			continue
		}
		o[id] = property{typ: typ, file: at}
	}
	return o
}

// variable reports whether values of typ are of variable size.
func variable(typ uint16) bool {
	switch typ {
	case typeString8, typeString, typeBinary, typeObject:
		return true
	}
	return typ&0x1000 != 0
}

// num returns a fixed-size property as a 32-bit integer, 0 if there is none.
func (o object) num(id uint16) int {
	p, ok := o[id]
	if !ok || variable(p.typ) {
		return 0
	}
	return int(int32(uint32(p.num)))
}

// time returns a time property in UTC; it is zero if absent or absurd.
func (o object) time(id uint16) time.Time {
	p, ok := o[id]
	if !ok || p.typ != typeTime {
		return time.Time{}
	}
	t := time.Unix(int64(p.num/fileTimeTicks)-fileTimeToUnix, 0).UTC()
	if t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// bytes returns a variable-size property, nil if there is none.
func (c *converter) bytes(o object, id uint16) []byte {
	p, ok := o[id]
	if !ok || !variable(p.typ) || p.typ == typeObject && p.file != 0 {
		return nil
	}
	if p.file == 0 {
		return p.data
	}
	size := c.file.Size(p.file)
	if !c.take(size) {
		return nil
	}
	b := c.file.Stream(p.file)
	if len(b) < size {
		c.note(NoteDamaged)
	}
	return b
}

// size returns the number of bytes that [converter.bytes] would read.
func (c *converter) size(o object, id uint16) int {
	if p := o[id]; p.file != 0 {
		return c.file.Size(p.file)
	}
	return len(o[id].data)
}

// text returns a string property in UTF-8 without trailing NULs.
func (c *converter) text(o object, id uint16, codepage int) string {
	b := c.bytes(o, id)
	if len(b) == 0 {
		return ""
	}
	switch o[id].typ {
	case typeString:
		return strings.TrimRight(decodeUTF16(b), "\x00")
	case typeString8:
		return strings.TrimRight(decodeCodepage(b, codepage), "\x00")
	}
	return ""
}

// raw returns a string property without decoding 8-bit strings: header fields
// as received may be in an encoding of the sender's choice.
func (c *converter) raw(o object, id uint16) string {
	b := c.bytes(o, id)
	if o[id].typ == typeString {
		return strings.TrimRight(decodeUTF16(b), "\x00")
	}
	return strings.TrimRight(string(b), "\x00")
}
