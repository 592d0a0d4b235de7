package archive

import (
	"bytes"
	"compress/bzip2"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/sekisho/sekisho/budget"
)

// Marks and sizes of APPNOTE.TXT sections 4.3.7, 4.3.12, 4.3.16.
const (
	zipLocal     = "PK\x03\x04"
	zipDirectory = "PK\x01\x02"
	zipEnd       = "PK\x05\x06"

	zipLocalSize     = 30
	zipDirectorySize = 46
	zipEndSize       = 22
	zipMaxComment    = 64 << 10

	methodStored  = 0
	methodDeflate = 8
	methodBzip2   = 12
	methodAES     = 99

	flagEncrypted = 1
	flagUTF8      = 1 << 11
)

// zip lists by the central directory, as programs do; by the local headers
// where there is none.
func (a *Archive) zip(data []byte, b *budget.Budget) error {
	tail := max(0, len(data)-zipEndSize-zipMaxComment)
	if i := bytes.LastIndex(data[tail:], []byte(zipEnd)); i >= 0 && len(data)-(tail+i) >= zipEndSize {
		at := tail + i
		e := data[at:]
		size, start := int(binary.LittleEndian.Uint32(e[12:])), int(binary.LittleEndian.Uint32(e[16:]))
		if n := int(binary.LittleEndian.Uint16(e[20:])); n <= len(e)-zipEndSize {
			a.Comment = name(e[zipEndSize : zipEndSize+n])
		}
		// Offsets count from the start of the archive, which may stand behind
		// something else.
		if base := at - size - start; base >= 0 && a.directory(data, base, base+start, b) {
			return nil
		}
		if i := bytes.Index(data, []byte(zipDirectory)); i >= 0 && a.directory(data, 0, i, b) {
			return nil
		}
	}
	a.locals(data, b)
	if len(a.Entries) == 0 && !bytes.HasPrefix(data, []byte("PK")) {
		return fmt.Errorf("%w: no ZIP", ErrFormat)
	}
	return nil
}

func (a *Archive) directory(data []byte, base, at int, b *budget.Budget) bool {
	for at >= 0 && at+zipDirectorySize <= len(data) && string(data[at:at+4]) == zipDirectory {
		h := data[at:]
		u16 := func(i int) int { return int(binary.LittleEndian.Uint16(h[i:])) }
		u32 := func(i int) int64 { return int64(binary.LittleEndian.Uint32(h[i:])) }
		n, extra, comment := u16(28), u16(30), u16(32)
		if zipDirectorySize+n+extra > len(h) || !b.Spend(zipDirectorySize+n+extra) {
			a.Truncated = true
			break
		}
		e := zipEntry(h[zipDirectorySize:zipDirectorySize+n], h[zipDirectorySize+n:zipDirectorySize+n+extra], u16(8), u16(10), u32(20), u32(24))
		e.Modified = dosTime(uint16(u16(14)), uint16(u16(12)))
		e.Link = u16(4)>>8 == 3 && u32(38)>>16&0xf000 == 0xa000 // made on Unix, S_IFLNK
		offset := int64(base) + u32(42)
		packed, method := e.Packed, e.Method
		e.open = func() (io.Reader, error) { return zipOpen(data, offset, packed, method) }
		if !a.add(e) {
			break
		}
		at += zipDirectorySize + n + extra + comment
	}
	return len(a.Entries) > 0
}

// locals lists an archive without a directory.
func (a *Archive) locals(data []byte, b *budget.Budget) {
	for at := bytes.Index(data, []byte(zipLocal)); at >= 0 && at+zipLocalSize <= len(data); {
		h := data[at:]
		u16 := func(i int) int { return int(binary.LittleEndian.Uint16(h[i:])) }
		u32 := func(i int) int64 { return int64(binary.LittleEndian.Uint32(h[i:])) }
		n, extra := u16(26), u16(28)
		if zipLocalSize+n+extra > len(h) || !b.Spend(zipLocalSize+n+extra) {
			a.Truncated = true
			return
		}
		start := at + zipLocalSize + n + extra
		e := zipEntry(h[zipLocalSize:zipLocalSize+n], h[zipLocalSize+n:zipLocalSize+n+extra], u16(6), u16(8), u32(18), u32(22))
		e.Modified = dosTime(uint16(u16(12)), uint16(u16(10)))
		next := bytes.Index(data[start:], []byte("PK"))
		for next >= 0 && next+4 <= len(data)-start {
			if s := string(data[start+next : start+next+4]); s == zipLocal || s == zipDirectory || s == zipEnd {
				break
			}
			i := bytes.Index(data[start+next+2:], []byte("PK"))
			if i < 0 {
				next = -1
				break
			}
			next += 2 + i
		}
		end := len(data)
		if next >= 0 {
			end = start + next
		}
		if u16(6)&8 != 0 || e.Packed > int64(end-start) {
			// The sizes stand behind the data (4.3.9).
			e.Packed, e.Size = int64(end-start), -1
		}
		offset, packed, method := int64(at), e.Packed, e.Method
		e.open = func() (io.Reader, error) { return zipOpen(data, offset, packed, method) }
		if !a.add(e) || next < 0 || string(data[end:end+4]) != zipLocal {
			return
		}
		at = end
	}
}

func zipEntry(rawName, extra []byte, flags, method int, packed, size int64) Entry {
	e := Entry{Flags: flags, Method: method, Packed: packed, Size: size, Encrypted: flags&flagEncrypted != 0 || method == methodAES}
	if method == methodBzip2 {
		e.start = bzip2Cost
	}
	if flags&flagUTF8 != 0 {
		e.Name = string(rawName)
	} else {
		e.Name = name(rawName)
	}
	for len(extra) >= 4 {
		id, n := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if n > len(extra)-4 {
			break
		}
		field := extra[4 : 4+n]
		extra = extra[4+n:]
		switch id {
		case 0x7075: // the name in UTF-8 (4.6.9)
			if len(field) > 5 {
				e.Name = string(field[5:])
			}
		case 0x0001: // sizes of more than 4 GB (4.5.3)
			for _, v := range []*int64{&e.Size, &e.Packed} {
				if *v == 0xffffffff && len(field) >= 8 {
					*v = int64(min(binary.LittleEndian.Uint64(field), 1<<62))
					field = field[8:]
				}
			}
		}
	}
	e.Folder = len(e.Name) > 0 && (e.Name[len(e.Name)-1] == '/' || e.Name[len(e.Name)-1] == '\\')
	return e
}

// zipOpen returns the content of the member whose local header is at offset.
func zipOpen(data []byte, offset, packed int64, method int) (io.Reader, error) {
	if offset < 0 || offset+zipLocalSize > int64(len(data)) || string(data[offset:offset+4]) != zipLocal {
		return nil, ErrData
	}
	h := data[offset:]
	start := zipLocalSize + int(binary.LittleEndian.Uint16(h[26:])) + int(binary.LittleEndian.Uint16(h[28:]))
	if start > len(h) {
		return nil, ErrData
	}
	r := bytes.NewReader(h[start : start+int(min(packed, int64(len(h)-start)))])
	switch method {
	case methodStored:
		return r, nil
	case methodDeflate:
		return flate.NewReader(r), nil
	case methodBzip2:
		return bzip2.NewReader(r), nil
	}
	return nil, ErrMethod
}
