package filetype

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

var compoundMagic = []byte{0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1}

// Limits and marks of compound files ([MS-CFB] sections 2.1 to 2.6).
const (
	compoundHeader = 512
	directorySize  = 128
	endOfChain     = 0xfffffffa // this and above are no sectors
	noStream       = 0xffffffff
	maxSectors     = 2048 // of the directory
)

// detectCompound tells what a compound file holds by the names of the streams
// in its root.
func detectCompound(b []byte) Result {
	r := Result{Type: OLE}
	names, class := rootNames(b)
	has := func(want ...string) bool {
		for _, w := range want {
			if names[w] {
				return true
			}
		}
		return false
	}
	switch {
	case has("encryptedpackage"):
		// A document of the newer Office in a password's envelope.
		r.Type, r.Encrypted = "ooxml", true
	case has("__properties_version1.0", "__nameid_version1.0"):
		r.Type = MSG
	case has("worddocument"):
		r.Type = DOC
	case has("workbook", "book"):
		r.Type = XLS
	case has("powerpoint document", "pp97_dualstorage"):
		r.Type = PPT
	case has("visiodocument"):
		r.Type = "vsd"
	case has("quill") && has("contents"):
		r.Type = "pub"
	case has("\x01ole10native", "\x01ole10itemname"):
		r.Type = OLE
	case class == msiClass || has("\x05summaryinformation") && hasMangled(names):
		r.Type = MSI
	}
	r.Macros = has("macros", "_vba_project_cur", "vba")
	return r
}

// msiClass is the class of an installer package, {000C1084-0000-0000-C000-000000000046}.
const msiClass = "\x84\x10\x0c\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"

// hasMangled reports whether a name is packed as installer packages do, into
// characters from U+3800 on.
func hasMangled(names map[string]bool) bool {
	for n := range names {
		if c, _ := utf8.DecodeRuneInString(n); c >= 0x3800 && c < 0x4840 {
			return true
		}
	}
	return false
}

// rootNames returns the names in the root storage, in lower case, and the
// root's class.
func rootNames(b []byte) (names map[string]bool, class string) {
	dir := readDirectory(b)
	if len(dir) < directorySize {
		return nil, ""
	}
	names = map[string]bool{}
	seen := make([]bool, len(dir)/directorySize)
	// The children of a storage are a binary tree.
	stack := []uint32{binary.LittleEndian.Uint32(dir[76:])}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if i == noStream || int64(i) >= int64(len(seen)) || seen[i] {
			continue
		}
		seen[i] = true
		e := dir[int(i)*directorySize:][:directorySize]
		names[entryName(e)] = true
		stack = append(stack, binary.LittleEndian.Uint32(e[68:]), binary.LittleEndian.Uint32(e[72:]))
	}
	return names, string(dir[80:96])
}

func entryName(e []byte) string {
	n := min(int(binary.LittleEndian.Uint16(e[64:])), 64)
	var units []uint16
	for i := 0; i+1 < n; i += 2 {
		u := binary.LittleEndian.Uint16(e[i:])
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return strings.ToLower(string(utf16.Decode(units)))
}

// readDirectory follows the chain of the directory's sectors.
func readDirectory(b []byte) []byte {
	if len(b) < compoundHeader {
		return nil
	}
	shift := binary.LittleEndian.Uint16(b[30:])
	if shift != 9 && shift != 12 {
		return nil
	}
	size := 1 << shift
	sector := func(n uint32) []byte {
		at := (int64(n) + 1) << shift
		if n >= endOfChain || at+int64(size) > int64(len(b)) {
			return nil
		}
		return b[at : at+int64(size)]
	}
	// The sectors of the allocation table: 109 in the header, which cover
	// enough for the directory of any file that comes by mail.
	next := func(n uint32) uint32 {
		per := uint32(size / 4)
		if n/per >= 109 {
			return noStream
		}
		table := sector(binary.LittleEndian.Uint32(b[76+4*(n/per):]))
		if table == nil {
			return noStream
		}
		return binary.LittleEndian.Uint32(table[4*(n%per):])
	}
	var dir []byte
	for n, count := binary.LittleEndian.Uint32(b[48:]), 0; count < maxSectors; count++ {
		s := sector(n)
		if s == nil {
			break
		}
		dir = append(dir, s...)
		n = next(n)
	}
	return dir
}
