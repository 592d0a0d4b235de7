package outlook

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// tnefMagic is TNEF_SIGNATURE, [MS-OXTNEF] 2.1.3.1.
const tnefMagic = "\x78\x9F\x3E\x22"

// Attribute ids with their types, [MS-OXTNEF] 2.1.3.2 and 2.3.
const (
	attFrom                = 0x00008000
	attSubject             = 0x00018004
	attDateSent            = 0x00038005
	attBody                = 0x0002800C
	attAttachData          = 0x0006800F
	attAttachTitle         = 0x00018010
	attMessageClass        = 0x00078008
	attAttachTransportName = 0x00069001
	attAttachRendData      = 0x00069002
	attMsgProps            = 0x00069003
	attRecipTable          = 0x00069004
	attAttachment          = 0x00069005
	attOEMCodepage         = 0x00069007

	tnefHeaderSize    = 6 // signature and key
	tnefAttributeHead = 9 // level, id, length
	tnefChecksumSize  = 2
	guidSize          = 16
)

// IsTNEF reports whether b begins like a TNEF stream, as winmail.dat does.
func IsTNEF(b []byte) bool {
	return len(b) >= tnefHeaderSize && string(b[:len(tnefMagic)]) == tnefMagic
}

// TNEF rewrites a TNEF stream (winmail.dat, application/ms-tnef) into an
// RFC 5322 message of the same shape as [Convert] gives. The mail around a TNEF
// stream has the header fields; those of the result come from properties. The
// error is [ErrFormat] or [ErrTooLarge], wrapped.
func TNEF(b []byte, limits *Limits) (*Item, error) {
	c := newConverter(b, limits)
	if len(b) > c.limits.Bytes {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(b))
	}
	if !IsTNEF(b) {
		return nil, fmt.Errorf("%w: no TNEF stream", ErrFormat)
	}
	c.writeMessage(c.readTNEF(b, 0), 0)
	return &Item{RFC822: c.out.Bytes(), Notes: c.notes}, nil
}

// readTNEF reads the attributes of a TNEF stream. Attributes that only old
// clients wrote are brought into the properties that took their place; a
// property is the better source where both are there.
func (c *converter) readTNEF(b []byte, codepage int) *message {
	m := &message{object: object{}, codepage: codepage}
	legacy, current := object{}, -1
	b = b[min(tnefHeaderSize, len(b)):]
	for len(b) >= tnefAttributeHead {
		id, size := binary.LittleEndian.Uint32(b[1:]), int(binary.LittleEndian.Uint32(b[5:]))
		b = b[tnefAttributeHead:]
		data := b[:min(size, len(b))]
		if len(data) < size {
			c.note(NoteDamaged)
		}
		b = b[min(size+tnefChecksumSize, len(b)):]
		switch id {
		case attMsgProps:
			p := &tnefProperties{b: data}
			p.read(m.object)
			c.noteDamage(p)
		case attRecipTable:
			m.recipients = c.readRecipients(data)
		case attOEMCodepage:
			if cp := int(u32(data)); codepageEncoding(cp) != nil {
				m.codepage = cp
			}
		case attSubject:
			legacy[pidSubject] = property{typ: typeString8, data: data}
		case attBody:
			legacy[pidBody] = property{typ: typeString8, data: data}
		case attMessageClass:
			legacy[pidMessageClass] = property{typ: typeString8, data: data}
		case attDateSent:
			legacy[pidClientSubmitTime] = property{typ: typeTime, num: tnefTime(data)}
		case attFrom:
			tnefSender(data, legacy)
		case attAttachRendData:
			current = -1
			if len(m.attachments) <= c.attachments {
				current = len(m.attachments)
				m.attachments = append(m.attachments, attachment{object: object{}})
			}
		case attAttachTitle, attAttachTransportName, attAttachData, attAttachment:
			if current < 0 {
				continue
			}
			o := m.attachments[current].object
			switch id {
			case attAttachTitle:
				o[pidAttachFilename] = property{typ: typeString8, data: data}
			case attAttachTransportName:
				o.add(pidAttachLongFilename, property{typ: typeString8, data: data})
			case attAttachData:
				o.add(pidAttachData, property{typ: typeBinary, data: data})
			case attAttachment:
				p := &tnefProperties{b: data}
				p.read(o)
				c.noteDamage(p)
			}
		}
	}
	for id, p := range legacy {
		m.object.add(id, p)
	}
	if cp := m.object.stringCodepage(); cp != 0 {
		m.codepage = cp
	}
	for i := range m.attachments {
		a := &m.attachments[i]
		a.codepage = m.codepage
		// An object's value begins with the id of its interface; what follows
		// for IID_IMessage is a TNEF stream ([MS-OXTNEF] 2.1.3.5.2).
		if p := a.object[pidAttachData]; p.typ == typeObject && len(p.data) >= guidSize {
			inner := p.data[guidSize:]
			if IsTNEF(inner) {
				a.embedded = func() *message { return c.readTNEF(inner, m.codepage) }
			} else {
				a.object[pidAttachData] = property{typ: typeBinary, data: inner}
			}
		}
	}
	return m
}

func (c *converter) noteDamage(p *tnefProperties) {
	if p.short {
		c.note(NoteDamaged)
	}
}

// add sets a property that is not there yet.
func (o object) add(id uint16, p property) {
	if _, ok := o[id]; !ok {
		o[id] = p
	}
}

// readRecipients reads attRecipTable, [MS-OXTNEF] 2.1.3.5.1.
func (c *converter) readRecipients(b []byte) []object {
	p := &tnefProperties{b: b}
	var list []object
	for range min(p.count(), maxRecipients) {
		o := object{}
		p.read(o)
		if p.short {
			c.note(NoteDamaged)
			break
		}
		list = append(list, o)
	}
	return list
}

// tnefProperties reads property lists, [MS-OXTNEF] 2.1.3.4.
type tnefProperties struct {
	b     []byte
	short bool // the list ended early
}

// next returns n bytes and skips the padding to a multiple of four after them.
func (p *tnefProperties) next(n int) []byte {
	if n < 0 || n > len(p.b) {
		p.short, p.b = true, nil
		return nil
	}
	v := p.b[:n]
	p.b = p.b[min((n+3)&^3, len(p.b)):]
	return v
}

func (p *tnefProperties) count() int { return int(u32(p.next(4))) }

// read adds the properties of one list to o.
func (p *tnefProperties) read(o object) {
	for range p.count() {
		if p.short {
			return
		}
		tag := u32(p.next(4))
		typ, id := uint16(tag), uint16(tag>>16)
		if id >= 0x8000 { // a named property
			p.next(guidSize)
			if kind := p.count(); kind == 0 {
				p.next(4)
			} else {
				p.next(p.count())
			}
		}
		values := 1
		if typ&0x1000 != 0 || variable(typ) {
			values = p.count()
		}
		var v property
		for range values {
			v = p.value(typ &^ 0x1000)
			if p.short {
				return
			}
		}
		if typ&0x1000 == 0 && id < 0x8000 && values > 0 && len(o) < maxPropertiesOfOneObject {
			o[id] = v
		}
	}
}

func (p *tnefProperties) value(typ uint16) property {
	v := property{typ: typ}
	switch {
	case variable(typ):
		v.data = p.next(p.count())
	case typ == 0x0048: // a GUID
		v.data = p.next(guidSize)
	case typ == 0x0005, typ == 0x0006, typ == 0x0007, typ == 0x0014, typ == typeTime:
		if b := p.next(8); len(b) == 8 {
			v.num = binary.LittleEndian.Uint64(b)
		}
	case typ == 0x0000, typ == 0x0001: // unspecified or null: the size is unknown, or no bytes pay for a count
		p.short, p.b = true, nil
	default:
		v.num = uint64(u32(p.next(4)))
	}
	return v
}

func u32(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return binary.LittleEndian.Uint32(b)
}

// tnefTime reads DTR, [MS-OXTNEF] 2.3.4.1, into ticks since 1601.
func tnefTime(b []byte) uint64 {
	if len(b) < 12 {
		return 0
	}
	f := func(i int) int { return int(binary.LittleEndian.Uint16(b[2*i:])) }
	t := time.Date(f(0), time.Month(f(1)), f(2), f(3), f(4), f(5), 0, time.UTC)
	return uint64(t.Unix()+fileTimeToUnix) * fileTimeTicks
}

// tnefSender reads TRP, [MS-OXTNEF] 2.3.4.3: a name and an address such as
// "SMTP:sato@kiso-works.example".
func tnefSender(b []byte, o object) {
	const head = 8
	if len(b) < head {
		return
	}
	name, address := int(binary.LittleEndian.Uint16(b[4:])), int(binary.LittleEndian.Uint16(b[6:]))
	b = b[head:]
	if name+address > len(b) {
		return
	}
	o[pidSenderName] = property{typ: typeString8, data: b[:name]}
	kind, addr, ok := strings.Cut(strings.TrimRight(string(b[name:name+address]), "\x00"), ":")
	if ok {
		o[pidSenderType] = property{typ: typeString8, data: []byte(kind)}
		o[pidSenderAddress] = property{typ: typeString8, data: []byte(addr)}
	}
}
