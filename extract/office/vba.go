package office

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml/compound"
)

// Macros is the macro project of a document.
type Macros struct {
	Modules  []Module
	Keywords []Keyword
	Sheets   bool // macros of Excel 4, which stand in sheets
}

// Module is the source of one part of a macro project.
type Module struct {
	Name   string
	Source string
}

// KeywordKind says what a word in a macro hints at.
type KeywordKind string

// The kinds, as oletools names them.
const (
	AutoExec   KeywordKind = "autoexec"   // runs when the document is opened, closed or clicked
	Suspicious KeywordKind = "suspicious" // starts programs, writes files, hides what it does
	IOC        KeywordKind = "ioc"        // an address or the name of a program
	Hex        KeywordKind = "hex_string"
	Base64     KeywordKind = "base64_string"
)

// Keyword is a word of note in a macro. Of an encoded text it is what was
// decoded.
type Keyword struct {
	Kind KeywordKind
	Word string
}

// Bounds on macros.
const (
	maxModules  = 100
	maxSource   = 1 << 20 // bytes of all modules
	maxKeywords = 200
	maxStorages = 2000
	maxSearched = 256 << 10 // bytes that are searched for words of note
	searchCost  = 40        // units for each byte
)

// macros reads vbaProject.bin.
func (r *reader) macros(b []byte) {
	if r.doc.Macros == nil {
		r.doc.Macros = &Macros{}
	}
	f, err := compound.Open(b)
	if err != nil || !r.budget.Spend(len(b)) {
		return
	}
	r.projects(f)
}

// projects reads the macro projects in a compound file: a storage VBA each
// ([MS-OVBA] 2.2.1).
func (r *reader) projects(f *compound.File) {
	type storage struct{ at, depth int }
	todo := []storage{{compound.Root, 0}}
	for n := 0; len(todo) > 0 && n < maxStorages; n++ {
		s := todo[0]
		todo = todo[1:]
		list := f.Children(s.at)
		for _, name := range sortedNames(list) {
			at := list[name]
			if !f.IsStorage(at) {
				continue
			}
			if name == "VBA" {
				if r.doc.Macros == nil {
					r.doc.Macros = &Macros{}
				}
				r.modules(f, at)
				continue
			}
			if s.depth < 4 {
				todo = append(todo, storage{at, s.depth + 1})
			}
		}
	}
}

func sortedNames(list map[string]int) []string {
	names := make([]string, 0, len(list))
	for n := range list {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// modules reads the streams of a project. Where in a stream the source begins
// stands in another one, which a doctored file lies about; the source is found
// by how it begins instead.
func (r *reader) modules(f *compound.File, at int) {
	m := r.doc.Macros
	list := f.Children(at)
	total := 0
	for _, s := range m.Modules {
		total += len(s.Source)
	}
	for _, name := range sortedNames(list) {
		at := list[name]
		if f.IsStorage(at) || name == "DIR" || name == "_VBA_PROJECT" || strings.HasPrefix(name, "__SRP_") {
			continue
		}
		if len(m.Modules) >= maxModules || total >= maxSource || !r.budget.Spend(f.Size(at)) {
			r.doc.Truncated = true
			return
		}
		source := sourceOf(f.Stream(at), maxSource-total, r.budget)
		if len(source) == 0 {
			continue
		}
		total += len(source)
		m.Modules = append(m.Modules, Module{Name: name, Source: decodeSource(source)})
	}
}

// decodeSource reads the code page of the computer where the macro was written,
// which stands in the project; Windows-31J and UTF-8 tell themselves.
func decodeSource(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	if s, err := japanese.ShiftJIS.NewDecoder().Bytes(b); err == nil && !bytes.ContainsRune(s, utf8.RuneError) {
		return string(s)
	}
	out := make([]rune, len(b))
	for i, c := range b {
		out[i] = rune(c)
	}
	return string(out)
}

// sourceOf returns the source in the stream of a module: a compressed container
// whose text begins with "Attribut" ([MS-OVBA] 2.3.4.3).
func sourceOf(b []byte, limit int, pays *budget.Budget) []byte {
	const begin = "\x00Attribut"
	i := bytes.Index(b, []byte(begin))
	if i < 3 {
		return nil
	}
	// In front of it: the signature byte 1 and the header of the first chunk.
	return decompress(b[i-3:], limit, pays)
}

// decompress undoes the compression of [MS-OVBA] 2.4.1.
func decompress(b []byte, limit int, pays *budget.Budget) []byte {
	if len(b) < 3 || b[0] != 1 {
		return nil
	}
	var out []byte
	for b = b[1:]; len(b) >= 3 && len(out) < limit; {
		head := binary.LittleEndian.Uint16(b)
		size := int(head&0x0fff) + 3
		if head>>12&7 != 3 {
			break // not the signature of a chunk
		}
		chunk := b[2:min(size, len(b))]
		b = b[min(size, len(b)):]
		start := len(out)
		if head&0x8000 == 0 {
			out = append(out, chunk[:min(len(chunk), 4096)]...)
		} else {
			out = inflateChunk(out, chunk)
		}
		if !pays.Spend(len(out) - start) {
			break
		}
	}
	return out[:min(len(out), limit)]
}

// inflateChunk undoes one chunk, of 4096 bytes at the most.
func inflateChunk(out, chunk []byte) []byte {
	start := len(out)
	for at := 0; at < len(chunk); {
		flags := chunk[at]
		at++
		for bit := 0; bit < 8 && at < len(chunk) && len(out)-start < 4096; bit++ {
			if flags>>bit&1 == 0 {
				out = append(out, chunk[at])
				at++
				continue
			}
			if at+2 > len(chunk) {
				return out
			}
			token := int(binary.LittleEndian.Uint16(chunk[at:]))
			at += 2
			// The further the text, the more bits the distance has (2.4.1.3.19.1).
			bits := 4
			for 1<<bits < len(out)-start {
				bits++
			}
			length, distance := token&(0xffff>>bits)+3, token>>(16-bits)+1
			if distance > len(out)-start {
				return out
			}
			for range min(length, 4096-(len(out)-start)) {
				out = append(out, out[len(out)-distance])
			}
		}
	}
	return out
}

// macroSheet notes macros of Excel 4.
func (r *reader) macroSheet(b []byte) {
	if r.doc.Macros == nil {
		r.doc.Macros = &Macros{}
	}
	r.doc.Macros.Sheets = true
	x := newScanner(b)
	for x.next() {
		if x.name == "f" && !x.end {
			r.formula(x.inner())
		}
	}
}

// events run by themselves (the events of Word, Excel and PowerPoint in
// Microsoft's reference for VBA).
var events = []string{
	"AutoExec", "AutoOpen", "AutoClose", "AutoExit", "AutoNew", "Auto_Open", "Auto_Close", "Auto_Activate", "Auto_Deactivate",
	"Document_Open", "Document_Close", "Document_New", "Document_BeforeClose", "DocumentOpen", "DocumentBeforeClose", "DocumentChange", "NewDocument",
	"Workbook_Open", "Workbook_Activate", "Workbook_Deactivate", "Workbook_BeforeClose", "Workbook_Close", "Worksheet_Calculate", "Worksheet_Activate", "Worksheet_SelectionChange",
	"App_WorkbookOpen", "OnSlideShowPageChange", "OnSlideShowTerminate", "SlideShowBegin",
	"UserForm_Initialize", "UserForm_Activate", "InkPicture1_Painted", "InkPicture1_Resize", "MultiPage1_Layout", "Frame1_Layout", "WebBrowser1_BeforeNavigate2",
}

// acts start programs, fetch, write or hide.
var acts = []string{
	"Shell", "WScript.Shell", "Shell.Application", "CreateObject", "GetObject", "CallByName", "ExecuteExcel4Macro", "PowerShell", "cmd.exe", "mshta", "rundll32", "regsvr32", "certutil",
	"bitsadmin", "wmic", "Win32_Process", "ShellExecute", "WinExec", "CreateProcess", "VirtualAlloc", "VirtualProtect", "WriteProcessMemory", "RtlMoveMemory", "CreateThread",
	"URLDownloadToFile", "XMLHTTP", "WinHttp.WinHttpRequest", "ADODB.Stream", "SaveToFile", "Scripting.FileSystemObject", "CreateTextFile", "FileCopy", "Kill", "Environ", "SendKeys",
	"RegWrite", "RegRead", "ScriptControl", "StrReverse", "ChrW", "ChrB", "Xor", "Base64", "vbHide", "AppActivate", "MacScript", "Declare Function", "Declare PtrSafe", "Lib",
}

var (
	addresses = regexp.MustCompile(`(?i)\b(?:https?|ftp)://[^\s"'<>()]{4,500}`)
	programs  = regexp.MustCompile(`(?i)\b[\w-]{1,60}\.(?:exe|dll|scr|bat|cmd|ps1|vbs|js|hta|msi|lnk)\b`)
	hexTexts  = regexp.MustCompile(`(?i)"((?:[0-9a-f]{2}){4,500})"`)
	base64s   = regexp.MustCompile(`"([A-Za-z0-9+/]{12,1000}={0,2})"`)
)

// words finds the words of note in all modules.
func (m *Macros) words(pays *budget.Budget) {
	var all strings.Builder
	for _, s := range m.Modules {
		all.WriteString(s.Source)
		all.WriteByte('\n')
	}
	source := all.String()
	source = source[:min(len(source), maxSearched)]
	if !pays.Spend(searchCost * len(source)) {
		return
	}
	lower := strings.ToLower(source)
	add := func(k KeywordKind, w string) {
		if x := (Keyword{k, w}); len(m.Keywords) < maxKeywords && !slices.Contains(m.Keywords, x) {
			m.Keywords = append(m.Keywords, x)
		}
	}
	for _, w := range events {
		if hasWord(lower, strings.ToLower(w)) {
			add(AutoExec, w)
		}
	}
	for _, w := range acts {
		if hasWord(lower, strings.ToLower(w)) {
			add(Suspicious, w)
		}
	}
	for _, re := range []*regexp.Regexp{addresses, programs} {
		for _, w := range re.FindAllString(source, maxKeywords) {
			add(IOC, w)
		}
	}
	for _, w := range hexTexts.FindAllStringSubmatch(source, maxKeywords) {
		if b, err := hex.DecodeString(w[1]); err == nil && printable(b) {
			add(Hex, string(b))
		}
	}
	for _, w := range base64s.FindAllStringSubmatch(source, maxKeywords) {
		if b, err := base64.StdEncoding.DecodeString(w[1]); err == nil && printable(b) {
			add(Base64, string(b))
		}
	}
}

func printable(b []byte) bool {
	for _, c := range b {
		if (c < ' ' || c > '~') && c != '\r' && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

// hasWord reports whether w stands in s and is not a part of a longer word.
func hasWord(s, w string) bool {
	part := func(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }
	for at := 0; ; {
		i := strings.Index(s[at:], w)
		if i < 0 {
			return false
		}
		i += at
		if (i == 0 || !part(s[i-1])) && (i+len(w) == len(s) || !part(s[i+len(w)])) {
			return true
		}
		at = i + 1
	}
}
