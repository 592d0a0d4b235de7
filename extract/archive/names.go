package archive

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"unicode/utf16"
)

// rar lists the names in a RAR archive of version 4 or 5. Its content is not
// unpacked: there is no free description of the compression.
func (a *Archive) rar(data []byte) error {
	switch i := bytes.Index(data[:min(len(data), 1<<20)], []byte("Rar!\x1a\x07")); {
	case i < 0 || len(data) < i+8:
		return fmt.Errorf("%w: no RAR", ErrFormat)
	case data[i+6] == 1 && data[i+7] == 0:
		a.rar5(data[i+8:])
	default:
		a.rar4(data[i+7:])
	}
	return nil
}

// vint reads a number of RAR 5.
func vint(b []byte) (n uint64, size int) {
	for size < len(b) && size < 10 {
		c := b[size]
		n |= uint64(c&0x7f) << (7 * size)
		size++
		if c&0x80 == 0 {
			return n, size
		}
	}
	return 0, 0
}

// rar5 follows the blocks of RAR 5.0 (technote, "General archive block format").
func (a *Archive) rar5(b []byte) {
	const (
		file, crypt, end          = 2, 4, 5
		hasExtra, hasData         = 1, 2
		isFolder, hasTime, hasCRC = 1, 2, 4
		extraCrypt                = 1
	)
	for range 2 * MaxEntries {
		if len(b) < 7 {
			return
		}
		size, n := vint(b[4:])
		if n == 0 || size == 0 || size > uint64(len(b)-4-n) {
			a.Truncated = len(b) > 7
			return
		}
		head := b[4+n : 4+n+int(size)]
		b = b[4+n+int(size):]
		ok := true
		next := func() uint64 {
			v, n := vint(head)
			ok = ok && n > 0
			head = head[n:]
			return v
		}
		kind, flags := next(), next()
		extra, packed := uint64(0), uint64(0)
		if flags&hasExtra != 0 {
			extra = next()
		}
		if flags&hasData != 0 {
			packed = next()
		}
		switch kind {
		case crypt:
			a.Encrypted, a.Hidden = true, true
			return
		case end:
			return
		case file:
			fileFlags, unpacked := next(), next()
			next() // attributes
			if skip := 4 * int(fileFlags&hasTime/hasTime+fileFlags&hasCRC/hasCRC); skip <= len(head) {
				head = head[skip:]
			}
			next() // compression
			next() // host
			length := next()
			if !ok || length > uint64(len(head)) {
				a.Truncated = true
				return
			}
			e := Entry{Name: string(head[:length]), Folder: fileFlags&isFolder != 0, Size: int64(min(unpacked, 1<<62)), Packed: int64(min(packed, 1<<62))}
			head = head[length:]
			for rest := head[max(0, len(head)-int(min(extra, uint64(len(head))))):]; len(rest) > 0; {
				size, n := vint(rest)
				if n == 0 || size > uint64(len(rest)-n) {
					break
				}
				if t, m := vint(rest[n:]); m > 0 && t == extraCrypt {
					e.Encrypted = true
				}
				rest = rest[n+int(size):]
			}
			if !a.add(e) {
				return
			}
		}
		if packed > uint64(len(b)) {
			a.Truncated = true
			return
		}
		b = b[packed:]
	}
}

// rar4 follows the blocks of RAR before 5.0.
func (a *Archive) rar4(b []byte) {
	const (
		main, file, end  = 0x73, 0x74, 0x7b
		headersEncrypted = 0x80
		encrypted        = 4
		large            = 0x100
		unicodeName      = 0x200
		folder           = 0xe0
		hasData          = 0x8000
		fileHeader       = 32
	)
	for range 2 * MaxEntries {
		if len(b) < 7 {
			return
		}
		kind, flags, size := b[2], int(binary.LittleEndian.Uint16(b[3:])), int(binary.LittleEndian.Uint16(b[5:]))
		if size < 7 || size > len(b) {
			a.Truncated = true
			return
		}
		head := b[:size]
		data := int64(0)
		switch {
		case kind == main && flags&headersEncrypted != 0:
			a.Encrypted, a.Hidden = true, true
			return
		case kind == end:
			return
		case kind == file && size >= fileHeader:
			data = int64(binary.LittleEndian.Uint32(head[7:]))
			unpacked := int64(binary.LittleEndian.Uint32(head[11:]))
			at, n := fileHeader, int(binary.LittleEndian.Uint16(head[26:]))
			if flags&large != 0 && size >= fileHeader+8 {
				data |= int64(binary.LittleEndian.Uint32(head[32:])&0x3fffffff) << 32
				at += 8
			}
			if at+n > size {
				a.Truncated = true
				return
			}
			raw := head[at : at+n]
			if flags&unicodeName != 0 {
				raw, _, _ = bytes.Cut(raw, []byte{0}) // the name again, packed, follows
			}
			t := binary.LittleEndian.Uint32(head[20:])
			e := Entry{
				Name: strings.ReplaceAll(name(raw), `\`, "/"), Folder: flags&folder == folder, Size: unpacked, Packed: data,
				Encrypted: flags&encrypted != 0, Modified: dosTime(uint16(t>>16), uint16(t)),
			}
			if !a.add(e) {
				return
			}
		case flags&hasData != 0 && size >= 11:
			data = int64(binary.LittleEndian.Uint32(head[7:]))
		}
		if data > int64(len(b)-size) {
			a.Truncated = true
			return
		}
		b = b[int64(size)+data:]
	}
}

// seven lists the names in a 7-Zip archive whose header is not packed itself,
// as of small ones. Of others it is known that they hold something.
func (a *Archive) seven(data []byte) error {
	const signature, startHeader = "7z\xbc\xaf'\x1c", 32
	if len(data) < startHeader || string(data[:6]) != signature {
		return fmt.Errorf("%w: no 7z", ErrFormat)
	}
	offset, size := binary.LittleEndian.Uint64(data[12:]), binary.LittleEndian.Uint64(data[20:])
	if crc32.ChecksumIEEE(data[12:32]) != binary.LittleEndian.Uint32(data[8:]) || offset > uint64(len(data)-startHeader) || size > uint64(len(data)-startHeader)-offset {
		a.Truncated, a.Hidden = true, true
		return nil
	}
	head := data[startHeader+offset : startHeader+offset+size]
	aes := bytes.Contains(head, []byte{0x06, 0xf1, 0x07, 0x01})
	a.Encrypted = aes
	if len(head) == 0 {
		return nil
	}
	if head[0] != 1 {
		// The header is packed. If a password is needed for that, not even the
		// names are to be had.
		a.Hidden = true
		return nil
	}
	a.sevenNames(head, aes)
	return nil
}

// sevenNames finds the property kNames (0x11) of the files' information: its
// size, a zero, and names in UTF-16 that each end in a zero. What stands before
// it is skipped rather than read, since the size and the zeros tell it well.
func (a *Archive) sevenNames(head []byte, aes bool) {
	for at := 0; at < len(head); at++ {
		i := bytes.IndexByte(head[at:], 0x11)
		if i < 0 {
			return
		}
		at += i
		size, n := sevenNumber(head[at+1:])
		start := at + 1 + n
		if n == 0 || size < 3 || size%2 == 0 || size > uint64(len(head)-start) || head[start] != 0 {
			continue
		}
		names := head[start+1 : start+int(size)]
		if names[len(names)-1] != 0 || names[len(names)-2] != 0 {
			continue
		}
		var units []uint16
		for i := 0; i+1 < len(names); i += 2 {
			u := binary.LittleEndian.Uint16(names[i:])
			if u != 0 {
				units = append(units, u)
				continue
			}
			if !a.add(Entry{Name: string(utf16.Decode(units)), Size: -1, Packed: -1, Encrypted: aes}) {
				return
			}
			units = units[:0]
		}
		return
	}
}

// sevenNumber reads a number of 7-Zip: the ones that the first byte starts with
// count the bytes that follow.
func sevenNumber(b []byte) (n uint64, size int) {
	if len(b) == 0 {
		return 0, 0
	}
	first, mask := b[0], byte(0x80)
	for size = 1; size <= 8; size++ {
		if first&mask == 0 {
			return n + uint64(first&(mask-1))<<(8*(size-1)), size
		}
		if size >= len(b) {
			return 0, 0
		}
		n |= uint64(b[size]) << (8 * (size - 1))
		mask >>= 1
	}
	return n, size
}

// cab lists the names in a cabinet file ([MS-CAB] 2.1, 2.3).
func (a *Archive) cab(data []byte) error {
	const header, entry = 36, 16
	if len(data) < header || string(data[:4]) != "MSCF" {
		return fmt.Errorf("%w: no cabinet", ErrFormat)
	}
	at, files := int64(binary.LittleEndian.Uint32(data[16:])), int(binary.LittleEndian.Uint16(data[28:]))
	for range files {
		if at+entry >= int64(len(data)) {
			a.Truncated = true
			break
		}
		f := data[at:]
		end := bytes.IndexByte(f[entry:min(len(f), entry+MaxName)], 0)
		if end < 0 {
			a.Truncated = true
			break
		}
		e := Entry{
			Name: strings.ReplaceAll(name(f[entry:entry+end]), `\`, "/"), Size: int64(binary.LittleEndian.Uint32(f)), Packed: -1,
			Modified: dosTime(binary.LittleEndian.Uint16(f[10:]), binary.LittleEndian.Uint16(f[12:])),
		}
		if !a.add(e) {
			break
		}
		at += int64(entry + end + 1)
	}
	return nil
}
