// Package compound reads compound files ([MS-CFB]), the little file systems in
// which older Office documents, macro projects and Outlook items are kept.
//
// Every table is bounded by the size of the file, and every walk by the size of
// a table, so that cycles in the file end instead of looping.
package compound

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
)

// Constants of the compound file format, [MS-CFB] 2.1 and 2.2.
const (
	magic          = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"
	headerSize     = 512
	miniShift      = 6    // mini sectors have 64 bytes
	miniCutoff     = 4096 // smaller streams live in the mini stream
	dirEntrySize   = 128
	maxSector      = 0xFFFFFFFA // above are marks such as end of chain
	noEntry        = 0xFFFFFFFF
	difatInHeader  = 109
	kindStorage    = 1
	kindStream     = 2
	kindRoot       = 5
	maxDirectories = 1 << 17 // a message with 2,000 recipients has about 60,000
)

// Root is the place of the root storage.
const Root = 0

// ErrFormat means that the data is no compound file.
var ErrFormat = errors.New("compound: not a compound file")

// File is a compound file in memory. Its storages and streams are named by
// their place in the directory.
//
// Package mscfb is not used here because it copies the path of every storage:
// a 2.6 MB file of 20,000 storages, each inside the last, makes it allocate
// 3 GB in 17 s, and memory that runs out cannot be recovered from.
type File struct {
	b     []byte
	shift uint
	fat   []uint32
	mini  []uint32 // FAT of the mini stream
	small []byte   // the mini stream
	dirs  []dirEntry
	owned []bool // entries that have been listed under a parent
	lists map[int]map[string]int
}

// dirEntry is a directory entry, [MS-CFB] 2.6.
type dirEntry struct {
	name               string // in upper case, as names are compared ([MS-CFB] 2.6.4)
	kind               byte
	left, right, child uint32
	start              uint32
	size               int // clamped to the size of the file
}

// Open reads the tables of a compound file. The error is [ErrFormat].
func Open(b []byte) (*File, error) {
	if len(b) < headerSize || string(b[:len(magic)]) != magic {
		return nil, ErrFormat
	}
	u16, u32 := binary.LittleEndian.Uint16, binary.LittleEndian.Uint32
	c := &File{b: b, shift: uint(u16(b[30:])), lists: map[int]map[string]int{}}
	if c.shift != 9 && c.shift != 12 {
		return nil, fmt.Errorf("%w: sector size 2^%d", ErrFormat, c.shift)
	}
	sectors := len(b) >> c.shift // the header takes the first, a cut-off last one makes up for it

	// A FAT with more entries than there are sectors is of no use, so the
	// double indirect FAT is followed only until the FAT is complete.
	addFAT := func(table []byte) {
		for ; len(table) >= 4 && len(c.fat) < sectors; table = table[4:] {
			if n := u32(table); n < maxSector {
				c.fat = appendUint32s(c.fat, c.sector(n))
			}
		}
	}
	addFAT(b[76 : 76+4*difatInHeader])
	for n, i := u32(b[68:]), 0; n < maxSector && i < sectors; i++ {
		s := c.sector(n)
		if len(s) < 1<<c.shift {
			break
		}
		addFAT(s[:len(s)-4])
		n = u32(s[len(s)-4:])
	}

	dir := c.chain(u32(b[48:]), maxDirectories*dirEntrySize)
	for ; len(dir) >= dirEntrySize; dir = dir[dirEntrySize:] {
		c.dirs = append(c.dirs, parseDirEntry(dir[:dirEntrySize], len(b)))
	}
	if len(c.dirs) == 0 || c.dirs[Root].kind != kindRoot {
		return nil, fmt.Errorf("%w: no root directory", ErrFormat)
	}
	c.owned = make([]bool, len(c.dirs))
	c.owned[Root] = true
	c.small = c.chain(c.dirs[Root].start, c.dirs[Root].size)
	c.mini = appendUint32s(nil, c.chain(u32(b[60:]), len(c.small)>>miniShift*4+1<<c.shift))
	return c, nil
}

func parseDirEntry(d []byte, fileSize int) dirEntry {
	u32 := binary.LittleEndian.Uint32
	e := dirEntry{
		kind: d[66], left: u32(d[68:]), right: u32(d[72:]), child: u32(d[76:]), start: u32(d[116:]),
		// Version 3 files may have rubbish in the upper half ([MS-CFB] 2.6.1),
		// and no stream of interest has 4 GB.
		size: min(int(u32(d[120:])), fileSize),
	}
	n := int(binary.LittleEndian.Uint16(d[64:]))/2 - 1 // the length counts the final NUL
	if n < 0 || n > 31 {
		n = 0
	}
	units := make([]uint16, n)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(d[2*i:])
	}
	e.name = strings.ToUpper(string(utf16.Decode(units)))
	return e
}

func appendUint32s(to []uint32, b []byte) []uint32 {
	for ; len(b) >= 4; b = b[4:] {
		to = append(to, binary.LittleEndian.Uint32(b))
	}
	return to
}

// sector returns sector n, short or empty where the file ends early.
func (c *File) sector(n uint32) []byte {
	from := (int64(n) + 1) << c.shift
	if from >= int64(len(c.b)) {
		return nil
	}
	return c.b[from:min(from+1<<c.shift, int64(len(c.b)))]
}

// chain returns up to size bytes of the chain of sectors that starts at n.
func (c *File) chain(n uint32, size int) []byte {
	size = min(size, len(c.b))
	if size <= 0 {
		return nil
	}
	var out []byte
	for n < maxSector && len(out) < size {
		s := c.sector(n)
		out = append(out, s[:min(len(s), size-len(out))]...)
		if len(s) < 1<<c.shift || int(n) >= len(c.fat) {
			break
		}
		n = c.fat[n]
	}
	return out
}

// Stream returns the bytes of entry i; they are fewer than its size where the
// chain ends early.
func (c *File) Stream(i int) []byte {
	e := c.dirs[i]
	if e.size >= miniCutoff {
		return c.chain(e.start, e.size)
	}
	out := make([]byte, 0, e.size)
	for n := e.start; n < maxSector && len(out) < e.size; n = c.mini[n] {
		from := int64(n) << miniShift
		if from >= int64(len(c.small)) {
			break
		}
		s := c.small[from:min(from+1<<miniShift, int64(len(c.small)))]
		out = append(out, s[:min(len(s), e.size-len(out))]...)
		if int(n) >= len(c.mini) {
			break
		}
	}
	return out
}

// IsStorage reports whether entry i is a storage.
func (c *File) IsStorage(i int) bool {
	return c.dirs[i].kind == kindStorage || c.dirs[i].kind == kindRoot
}

// Size returns the size of entry i in bytes, never more than that of the file.
func (c *File) Size(i int) int { return c.dirs[i].size }

// Children returns what is in storage i by name, in upper case, as names are compared ([MS-CFB]
// 2.6.4). An entry that a hostile
// directory lists twice, or above itself, is only in the first list.
func (c *File) Children(i int) map[string]int {
	if list, ok := c.lists[i]; ok {
		return list
	}
	list := map[string]int{}
	c.lists[i] = list
	todo := []uint32{c.dirs[i].child}
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if n == noEntry || int64(n) >= int64(len(c.dirs)) || c.owned[n] {
			continue
		}
		c.owned[n] = true
		e := c.dirs[n]
		todo = append(todo, e.right, e.left)
		if e.kind == kindStorage || e.kind == kindStream {
			if _, dup := list[e.name]; !dup {
				list[e.name] = int(n)
			}
		}
	}
	return list
}
