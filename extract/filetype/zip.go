package filetype

import (
	"bytes"
	"encoding/binary"
	"strings"
)

const (
	maxEntries = 4096     // of an archive that are looked at
	maxName    = 256      // bytes of a name that are looked at
	maxComment = 64 << 10 // the longest comment at the end of an archive
)

// detectZIP tells what an archive holds by the names in its central directory,
// or by its local headers where the directory is missing (APPNOTE.TXT).
func detectZIP(b []byte) Result {
	r := Result{Type: Unknown}
	names := make([]string, 0, 64)
	for name, flags := range entries(b) {
		name = strings.ToLower(name[:min(len(name), maxName)])
		names = append(names, name)
		r.Encrypted = r.Encrypted || flags&1 != 0
		r.Macros = r.Macros || name[strings.LastIndexByte(name, '/')+1:] == "vbaproject.bin"
	}
	if len(names) == 0 {
		if bytes.HasPrefix(b, []byte("PK")) {
			r.Type = ZIP
		}
		return r
	}
	r.Type = zipType(b, names)
	return r
}

// zipMembers are the members by which documents are known.
var zipMembers = []struct {
	prefix string
	t      Type
}{
	{"word/document", DOCX}, {"word/", DOCX}, {"xl/workbook.bin", "xlsb"}, {"xl/", XLSX}, {"ppt/", PPTX}, {"visio/", "vsdx"},
	{"androidmanifest.xml", "apk"}, {"appxmanifest.xml", "appx"}, {"appxblockmap.xml", "appx"}, {"meta-inf/manifest.mf", "jar"},
	{"index.xdp", "xdp"}, {"fixeddocseq.fdseq", "xps"}, {"fixeddocumentsequence.fdseq", "xps"}, {"doc.kml", "kmz"},
}

// zipType tells what an archive is by the names in it, in lower case.
func zipType(b []byte, names []string) Type {
	if names[0] == "mimetype" && len(b) > 38 {
		// OpenDocument and EPUB store their media type first, uncompressed.
		head := string(b[30:min(len(b), 140)])
		for _, m := range []struct {
			text string
			t    Type
		}{
			{"opendocument.text", "odt"}, {"opendocument.spreadsheet", "ods"}, {"opendocument.presentation", "odp"}, {"opendocument.graphics", "odg"}, {"epub+zip", "epub"},
		} {
			if strings.Contains(head, m.text) {
				return m.t
			}
		}
	}
	for _, m := range zipMembers {
		for _, n := range names {
			if strings.HasPrefix(n, m.prefix) {
				return m.t
			}
		}
	}
	return ZIP
}

// entries yields the name and the flags of every member.
func entries(b []byte) func(func(string, uint16) bool) {
	return func(yield func(string, uint16) bool) {
		tail := max(0, len(b)-22-maxComment)
		end := bytes.LastIndex(b[tail:], []byte("PK\x05\x06"))
		if end >= 0 && len(b)-(tail+end) >= 22 {
			e := b[tail+end:]
			size, at := int(binary.LittleEndian.Uint32(e[12:])), int(binary.LittleEndian.Uint32(e[16:]))
			// Offsets count from the start of the archive, which may stand
			// behind something else.
			if base := tail + end - size - at; base >= 0 && directory(b, base+at, yield) {
				return
			}
		}
		local(b, yield)
	}
}

func directory(b []byte, at int, yield func(string, uint16) bool) bool {
	n := 0
	for n < maxEntries && at >= 0 && at+46 <= len(b) && string(b[at:at+4]) == "PK\x01\x02" {
		name, extra, comment := int(binary.LittleEndian.Uint16(b[at+28:])), int(binary.LittleEndian.Uint16(b[at+30:])), int(binary.LittleEndian.Uint16(b[at+32:]))
		if at+46+name > len(b) {
			break
		}
		n++
		if !yield(string(b[at+46:at+46+name]), binary.LittleEndian.Uint16(b[at+8:])) {
			return true
		}
		at += 46 + name + extra + comment
	}
	return n > 0
}

func local(b []byte, yield func(string, uint16) bool) {
	if !bytes.HasPrefix(b, []byte("PK\x03\x04")) {
		return
	}
	for n, at := 0, 0; n < maxEntries && at+30 <= len(b); n++ {
		name := int(binary.LittleEndian.Uint16(b[at+26:]))
		if at+30+name > len(b) {
			return
		}
		if !yield(string(b[at+30:at+30+name]), binary.LittleEndian.Uint16(b[at+6:])) {
			return
		}
		next := bytes.Index(b[at+30+name:], []byte("PK\x03\x04"))
		if next < 0 {
			return
		}
		at += 30 + name + next
	}
}
