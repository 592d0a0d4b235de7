package office

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/sekisho/sekisho/eml/compound"
)

// ole reads a document of older Office. Its text is not laid out for reading,
// so what is told is what stands in it in runs: enough to find addresses and
// words.
func (r *reader) ole(f *compound.File) {
	root := f.Children(compound.Root)
	d := r.doc
	stream := func(name string) []byte {
		at, ok := root[name]
		if !ok || f.IsStorage(at) || !r.budget.Spend(f.Size(at)) {
			return nil
		}
		return f.Stream(at)
	}
	if _, ok := root["ENCRYPTEDPACKAGE"]; ok {
		d.Encrypted = true
		return
	}
	if s := stream("\x05SUMMARYINFORMATION"); s != nil {
		r.summary(s, summaryNames)
	}
	if s := stream("\x05DOCUMENTSUMMARYINFORMATION"); s != nil {
		r.summary(s, documentNames)
	}
	for _, name := range []string{"WORDDOCUMENT", "WORKBOOK", "BOOK", "POWERPOINT DOCUMENT"} {
		s := stream(name)
		switch {
		case s == nil:
			continue
		case name == "WORDDOCUMENT":
			// fEncrypted of FibBase ([MS-DOC] 2.5.2).
			d.Encrypted = d.Encrypted || len(s) > 12 && binary.LittleEndian.Uint16(s[10:])&0x100 != 0
		case name == "WORKBOOK" || name == "BOOK":
			r.records(s)
		}
		if !d.Encrypted {
			r.runs(s)
		}
	}
	if _, ok := root["ENCRYPTEDSUMMARY"]; ok {
		d.Encrypted = true
	}
	r.projects(f)
}

// records looks at the first records of a workbook: FilePass means a password,
// BoundSheet tells macro sheets ([MS-XLS] 2.4.117, 2.4.28).
func (r *reader) records(s []byte) {
	const filePass, boundSheet, maxRecords = 0x2f, 0x85, 5000
	for range maxRecords {
		if len(s) < 4 {
			return
		}
		kind, n := binary.LittleEndian.Uint16(s), int(binary.LittleEndian.Uint16(s[2:]))
		if n > len(s)-4 {
			return
		}
		body := s[4 : 4+n]
		switch kind {
		case filePass:
			r.doc.Encrypted = true
		case boundSheet:
			if n > 5 && body[5] == 1 {
				if r.doc.Macros == nil {
					r.doc.Macros = &Macros{}
				}
				r.doc.Macros.Sheets = true
			}
		}
		s = s[4+n:]
	}
}

// runs writes the texts of at least minRun characters in a stream, in one byte
// or two each.
func (r *reader) runs(s []byte) {
	const minRun = 6
	flush := func(text string) {
		if len(text) >= minRun && strings.ContainsAny(text, " .:/aeioun") || hasKana(text) {
			r.write(text)
			r.line()
			r.fields(text)
		}
	}
	plain := func(c byte) bool { return c >= ' ' && c <= '~' || c == '\t' }
	for at := 0; at < len(s); {
		// Two bytes each: Latin, or kana and kanji.
		end := at
		for end+1 < len(s) && wide(binary.LittleEndian.Uint16(s[end:])) {
			end += 2
		}
		if end-at >= 2*minRun {
			units := make([]uint16, 0, (end-at)/2)
			for i := at; i < end; i += 2 {
				units = append(units, binary.LittleEndian.Uint16(s[i:]))
			}
			flush(string(utf16.Decode(units)))
			at = end
			continue
		}
		end = at
		for end < len(s) && plain(s[end]) {
			end++
		}
		if end-at >= minRun {
			flush(string(s[at:end]))
			at = end
			continue
		}
		at++
	}
}

func wide(u uint16) bool {
	return u >= ' ' && u <= '~' || u >= 0x3000 && u < 0x3100 || u >= 0x4e00 && u < 0xa000 || u >= 0xff00 && u < 0xffa0
}

func hasKana(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r >= 0x3040 && r < 0x3100 })
}

// fields finds the codes of fields in a run.
func (r *reader) fields(s string) {
	for _, name := range []string{"HYPERLINK ", "DDE ", "DDEAUTO ", "INCLUDEPICTURE "} {
		if i := strings.Index(s, name); i >= 0 {
			r.field(s[i:min(len(s), i+maxCode)])
		}
	}
}

// summaryNames and documentNames are properties by their numbers ([MS-OLEPS]
// 3.1.2, 3.1.3) as ExifTool names them.
var (
	summaryNames = map[uint32]string{
		2: "Title", 3: "Subject", 4: "Author", 5: "Keywords", 6: "Comments", 7: "Template", 8: "LastModifiedBy", 9: "RevisionNumber",
		10: "TotalEditTime", 11: "LastPrinted", 12: "CreateDate", 13: "ModifyDate", 14: "Pages", 15: "Words", 18: "Software",
	}
	documentNames = map[uint32]string{2: "Category", 14: "Manager", 15: "Company"}
)

// summary reads a set of properties ([MS-OLEPS] 2.21).
func (r *reader) summary(s []byte, names map[uint32]string) {
	if len(s) < 48 {
		return
	}
	u32 := binary.LittleEndian.Uint32
	from := int64(u32(s[44:]))
	if from+8 > int64(len(s)) {
		return
	}
	set := s[from:]
	ids := make([]uint32, 0, len(names))
	at := map[uint32]int64{}
	for i := range min(int(u32(set[4:])), 100) {
		if 8+8*i+8 > len(set) {
			break
		}
		id := u32(set[8+8*i:])
		if names[id] != "" && at[id] == 0 {
			ids = append(ids, id)
			at[id] = int64(u32(set[8+8*i+4:]))
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		if o := at[id]; o+8 <= int64(len(set)) {
			r.propertyValue(names[id], set[o:])
		}
	}
}

// propertyValue reads a typed value (2.15).
func (r *reader) propertyValue(name string, v []byte) {
	u32 := binary.LittleEndian.Uint32
	switch kind := u32(v); {
	case kind == 3: // a number
		n := int(int32(u32(v[4:])))
		switch name {
		case "Pages":
			r.doc.Pages = max(0, n)
		case "Words":
			r.doc.Words = max(0, n)
		}
		r.property(name, strconv.Itoa(n))
	case kind == 30: // a text in the code page of the document
		n := min(int64(u32(v[4:])), int64(len(v)-8))
		r.property(name, strings.TrimRight(decodeSource(v[8:8+n]), "\x00"))
	case kind == 31: // a text in UTF-16
		n := min(2*int64(u32(v[4:])), int64(len(v)-8))
		units := make([]uint16, 0, n/2)
		for i := int64(0); i+1 < n; i += 2 {
			units = append(units, binary.LittleEndian.Uint16(v[8+i:]))
		}
		r.property(name, strings.TrimRight(string(utf16.Decode(units)), "\x00"))
	case kind == 64 && len(v) >= 12: // a time
		ticks := binary.LittleEndian.Uint64(v[4:])
		if name == "TotalEditTime" {
			r.property(name, strconv.Itoa(int(min(ticks/600_000_000, 1<<30)))) // in minutes
			return
		}
		if ticks > 0 && ticks < 1<<62 {
			const epoch = 11_644_473_600 // from 1601 to 1970, in seconds
			r.property(name, time.Unix(int64(ticks/10_000_000)-epoch, 0).UTC().Format("2006-01-02T15:04:05Z"))
		}
	}
}
