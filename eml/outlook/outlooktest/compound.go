package outlooktest

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// MSG writes m as a .msg file, [MS-OXMSG].
func MSG(m Message) []byte {
	root := m.storage(32)
	// Outlook refuses files without the map of named properties, [MS-OXMSG] 2.2.3.
	root.children = append(root.children, &node{name: "__nameid_version1.0", children: []*node{
		{name: "__substg1.0_00020102", data: []byte{}},
		{name: "__substg1.0_00030102", data: []byte{}},
		{name: "__substg1.0_00040102", data: []byte{}},
	}})
	return compound(root)
}

// node is a storage, or a stream where data is not nil.
type node struct {
	name     string
	data     []byte
	children []*node

	id, left, right, child int
	start                  uint32
}

// storage makes the storage of a message whose property stream has a header of
// the given size, [MS-OXMSG] 2.4.1.
func (m *Message) storage(header int) *node {
	recipients := m.recipients()
	counts := make([]byte, header)
	binary.LittleEndian.PutUint32(counts[8:], uint32(len(recipients)))
	binary.LittleEndian.PutUint32(counts[12:], uint32(len(m.Attachments)))
	binary.LittleEndian.PutUint32(counts[16:], uint32(len(recipients)))
	binary.LittleEndian.PutUint32(counts[20:], uint32(len(m.Attachments)))
	n := m.bag().storage(counts)
	for i, b := range recipients {
		r := b.storage(make([]byte, 8))
		r.name = fmt.Sprintf("__recip_version1.0_#%08X", i)
		n.children = append(n.children, r)
	}
	for i, a := range m.Attachments {
		b := a.bag(m.Codepage)
		var content *node
		switch {
		case a.Embedded != nil:
			content = a.Embedded.storage(24)
		case a.Storage != nil:
			content = &node{children: []*node{{name: "CONTENTS", data: a.Storage}}}
		}
		if content != nil {
			b.list = append(b.list, property{id: 0x3701, typ: object})
		}
		s := b.storage(make([]byte, 8))
		s.name = fmt.Sprintf("__attach_version1.0_#%08X", i)
		if content != nil {
			content.name = "__substg1.0_3701000D"
			s.children = append(s.children, content)
		}
		n.children = append(n.children, s)
	}
	return n
}

// storage makes a storage of the properties in b.
func (b *bag) storage(header []byte) *node {
	n := &node{}
	stream := header
	for _, p := range b.list {
		stream = binary.LittleEndian.AppendUint16(stream, p.typ)
		stream = binary.LittleEndian.AppendUint16(stream, p.id)
		stream = binary.LittleEndian.AppendUint32(stream, 6) // readable and writable
		switch p.typ {
		case string8, unicode16, binaryTag:
			size := len(p.data) // with the NUL that is not stored
			switch p.typ {
			case string8:
				size++
			case unicode16:
				size += 2
			}
			stream = binary.LittleEndian.AppendUint64(stream, uint64(size))
			n.children = append(n.children, &node{name: fmt.Sprintf("__substg1.0_%04X%04X", p.id, p.typ), data: p.data})
		case object:
			stream = binary.LittleEndian.AppendUint64(stream, 1<<32|0xFFFFFFFF)
		default:
			stream = binary.LittleEndian.AppendUint64(stream, p.num)
		}
	}
	n.children = append(n.children, &node{name: "__properties_version1.0", data: stream})
	return n
}

const (
	sectorSize = 512
	miniSize   = 64
	endOfChain = 0xFFFFFFFE
	freeSector = 0xFFFFFFFF
	fatSector  = 0xFFFFFFFD
	difSector  = 0xFFFFFFFC
	none       = -1
)

// compound writes a compound file of version 3, [MS-CFB].
func compound(root *node) []byte {
	root.name, root.data = "Root Entry", nil
	var nodes []*node
	number(root, &nodes)

	// Sectors are handed out one stream after the other: streams of 4 KB and
	// more, the mini stream, its FAT, the directory, and last the FAT.
	var sectors []byte
	var fat, mini []uint32
	var small []byte
	store := func(b []byte) uint32 {
		if len(b) == 0 {
			return endOfChain
		}
		first := len(fat)
		for i := 0; i < len(b); i += sectorSize {
			fat = append(fat, uint32(len(fat)+1))
		}
		fat[len(fat)-1] = endOfChain
		sectors = append(sectors, b...)
		sectors = append(sectors, make([]byte, len(fat)*sectorSize-len(sectors))...)
		return uint32(first)
	}
	for _, n := range nodes {
		switch {
		case n.data == nil:
		case len(n.data) == 0:
			n.start = endOfChain
		case len(n.data) >= 4096:
			n.start = store(n.data)
		default:
			n.start = uint32(len(mini))
			for i := 0; i < len(n.data); i += miniSize {
				mini = append(mini, uint32(len(mini)+1))
			}
			mini[len(mini)-1] = endOfChain
			small = append(small, n.data...)
			small = append(small, make([]byte, len(mini)*miniSize-len(small))...)
		}
	}
	root.start = store(small)
	miniFAT := store(table(mini))
	var dir []byte
	for _, n := range nodes {
		dir = append(dir, n.entry(len(small))...)
	}
	for len(dir)%sectorSize != 0 {
		dir = append(dir, (&node{left: none, right: none, child: none}).entry(0)...)
	}
	directory := store(dir)

	// The FAT describes itself, and the double indirect FAT as well.
	fats, difs := 0, 0
	for {
		needed := (len(fat) + fats + difs + 127) / 128
		chained := max(0, needed-109+126) / 127
		if needed == fats && chained == difs {
			break
		}
		fats, difs = needed, chained
	}
	firstFAT, firstDIF := len(fat), len(fat)+fats
	for range fats {
		fat = append(fat, fatSector)
	}
	for range difs {
		fat = append(fat, difSector)
	}
	sectors = append(sectors, table(fat)...)
	var where []uint32
	for i := range fats {
		where = append(where, uint32(firstFAT+i))
	}
	inHeader := where[:min(109, len(where))]
	rest := where[len(inHeader):]
	for i := range difs {
		part := rest[:min(127, len(rest))]
		rest = rest[len(part):]
		t := table(part)
		if len(part) == 0 {
			t = table([]uint32{freeSector})
		}
		next := uint32(firstDIF + i + 1)
		if i == difs-1 {
			next = endOfChain
		}
		binary.LittleEndian.PutUint32(t[sectorSize-4:], next)
		sectors = append(sectors, t[:sectorSize]...)
	}

	h := make([]byte, sectorSize)
	copy(h, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")
	le := binary.LittleEndian
	le.PutUint16(h[24:], 0x3E)
	le.PutUint16(h[26:], 3)
	le.PutUint16(h[28:], 0xFFFE)
	le.PutUint16(h[30:], 9)
	le.PutUint16(h[32:], 6)
	le.PutUint32(h[44:], uint32(fats))
	le.PutUint32(h[48:], directory)
	le.PutUint32(h[56:], 4096)
	le.PutUint32(h[60:], miniFAT)
	le.PutUint32(h[64:], uint32((len(mini)+127)/128))
	le.PutUint32(h[68:], endOfChain)
	if difs > 0 {
		le.PutUint32(h[68:], uint32(firstDIF))
	}
	le.PutUint32(h[72:], uint32(difs))
	for i := range 109 {
		v := uint32(freeSector)
		if i < len(inHeader) {
			v = inHeader[i]
		}
		le.PutUint32(h[76+4*i:], v)
	}
	return append(h, sectors...)
}

// number gives every node its place in the directory and links the children of
// each storage as a balanced tree.
func number(n *node, all *[]*node) {
	n.id, n.left, n.right, n.child = len(*all), none, none, none
	*all = append(*all, n)
	// [MS-CFB] 2.6.4 orders names by length first.
	slices.SortFunc(n.children, func(a, b *node) int {
		return cmp.Or(cmp.Compare(len(a.name), len(b.name)), cmp.Compare(strings.ToUpper(a.name), strings.ToUpper(b.name)))
	})
	for _, c := range n.children {
		number(c, all)
	}
	n.child = balance(n.children)
}

func balance(list []*node) int {
	if len(list) == 0 {
		return none
	}
	m := len(list) / 2
	list[m].left, list[m].right = balance(list[:m]), balance(list[m+1:])
	return list[m].id
}

// entry writes a directory entry, [MS-CFB] 2.6.
func (n *node) entry(miniStream int) []byte {
	b := make([]byte, 128)
	le := binary.LittleEndian
	if n.name != "" {
		copy(b, utf16le(n.name))
		le.PutUint16(b[64:], uint16(2*len(n.name)+2))
	}
	size := len(n.data)
	switch {
	case n.name == "":
		b[66] = 0
	case n.id == 0:
		b[66], size = 5, miniStream
	case n.data == nil:
		b[66] = 1
	default:
		b[66] = 2
	}
	b[67] = 1 // black
	le.PutUint32(b[68:], uint32(n.left))
	le.PutUint32(b[72:], uint32(n.right))
	le.PutUint32(b[76:], uint32(n.child))
	le.PutUint32(b[116:], n.start)
	le.PutUint32(b[120:], uint32(size))
	return b
}

// table writes sector numbers, filled up to whole sectors with free ones.
func table(v []uint32) []byte {
	var b []byte
	for _, n := range v {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	for len(b)%sectorSize != 0 {
		b = binary.LittleEndian.AppendUint32(b, freeSector)
	}
	return b
}
