package filetype_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/extract/filetype"
)

// archive returns a ZIP with empty members of those names.
func archive(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, n := range names {
		f, err := w.CreateHeader(&zip.FileHeader{Name: n, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if n == "mimetype" {
			if _, err := f.Write([]byte("application/vnd.oasis.opendocument.text")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// compound returns a compound file whose root holds streams of those names.
func compound(names ...string) []byte {
	b := make([]byte, 512*(2+(len(names)+4)/4))
	copy(b, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	binary.LittleEndian.PutUint16(b[30:], 9)
	binary.LittleEndian.PutUint32(b[48:], 1) // directory in sector 1
	for i := 76; i < 512; i++ {
		b[i] = 0xff
	}
	binary.LittleEndian.PutUint32(b[76:], 0) // allocation table in sector 0
	table := b[512:]
	for i := range 128 {
		binary.LittleEndian.PutUint32(table[4*i:], uint32(i+1))
	}
	dir := b[1024:]
	entry := func(i int, name string, left, right, child uint32) {
		e := dir[128*i:]
		for k, u := range utf16.Encode([]rune(name)) {
			binary.LittleEndian.PutUint16(e[2*k:], u)
		}
		binary.LittleEndian.PutUint16(e[64:], uint16(2*len(utf16.Encode([]rune(name)))+2))
		binary.LittleEndian.PutUint32(e[68:], left)
		binary.LittleEndian.PutUint32(e[72:], right)
		binary.LittleEndian.PutUint32(e[76:], child)
	}
	const none = 0xffffffff
	entry(0, "Root Entry", none, none, 1)
	for i, n := range names {
		next := uint32(i + 2)
		if i == len(names)-1 {
			next = none
		}
		entry(i+1, n, none, next, none)
	}
	return b
}

func program(characteristics byte) []byte {
	b := make([]byte, 512)
	copy(b, "MZ")
	b[0x3c] = 0x80
	copy(b[0x80:], "PE\x00\x00")
	b[0x80+23] = characteristics
	return b
}

func TestDetect(t *testing.T) {
	locked := archive(t, "a.txt")
	locked[6] |= 1
	dir := bytes.Index(locked, []byte("PK\x01\x02"))
	locked[dir+8] |= 1
	at := func(n int, s string) []byte { return append(append(make([]byte, n), s...), make([]byte, 600)...) }
	tests := []struct {
		name    string
		content []byte
		file    string
		want    filetype.Result
	}{
		{"Empty", nil, "a.pdf", filetype.Result{Type: filetype.Empty}},
		{"PDF", []byte("%PDF-1.7\n"), "", filetype.Result{Type: filetype.PDF}},
		{"PDFBehindJunk", []byte("\r\njunk%PDF-1.7\n"), "", filetype.Result{Type: filetype.PDF}},
		{"PDFEncrypted", []byte("%PDF-1.7\ntrailer<</Encrypt 5 0 R>>"), "", filetype.Result{Type: filetype.PDF, Encrypted: true}},
		{"ZIP", archive(t, "a.txt"), "", filetype.Result{Type: filetype.ZIP}},
		{"ZIPEmpty", archive(t), "", filetype.Result{Type: filetype.ZIP}},
		{"ZIPEncrypted", locked, "", filetype.Result{Type: filetype.ZIP, Encrypted: true}},
		{"ZIPBehindProgram", append(at(200, "\x01\x02"), archive(t, "a.txt")...), "", filetype.Result{Type: filetype.ZIP}},
		{"ZIPCut", archive(t, "word/document.xml")[:40], "", filetype.Result{Type: filetype.ZIP}},
		{"DOCX", archive(t, "[Content_Types].xml", "word/document.xml"), "", filetype.Result{Type: filetype.DOCX}},
		{"DOCM", archive(t, "[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "", filetype.Result{Type: filetype.DOCX, Macros: true}},
		{"XLSX", archive(t, "[Content_Types].xml", "xl/workbook.xml"), "", filetype.Result{Type: filetype.XLSX}},
		{"PPTX", archive(t, "ppt/presentation.xml"), "", filetype.Result{Type: filetype.PPTX}},
		{"ODT", archive(t, "mimetype", "content.xml"), "", filetype.Result{Type: "odt"}},
		{"JAR", archive(t, "META-INF/MANIFEST.MF"), "", filetype.Result{Type: "jar"}},
		{"APK", archive(t, "META-INF/MANIFEST.MF", "AndroidManifest.xml"), "", filetype.Result{Type: "apk"}},
		{"DOC", compound("WordDocument", "1Table"), "", filetype.Result{Type: filetype.DOC}},
		{"DOCMacros", compound("1Table", "Macros", "WordDocument"), "", filetype.Result{Type: filetype.DOC, Macros: true}},
		{"XLS", compound("Workbook"), "", filetype.Result{Type: filetype.XLS}},
		{"PPT", compound("PowerPoint Document"), "", filetype.Result{Type: filetype.PPT}},
		{"MSG", compound("__nameid_version1.0", "__properties_version1.0"), "", filetype.Result{Type: filetype.MSG}},
		{"OOXMLEncrypted", compound("EncryptionInfo", "EncryptedPackage"), "", filetype.Result{Type: "ooxml", Encrypted: true}},
		{"MSI", compound("\x05SummaryInformation", "\u4840\u3f3f\u4577"), "", filetype.Result{Type: filetype.OLE}},
		{"MSIMangled", compound("\x05SummaryInformation", "\u3f3f\u4577"), "", filetype.Result{Type: filetype.MSI}},
		{"CompoundCut", compound("WordDocument")[:600], "", filetype.Result{Type: filetype.OLE}},
		{"RTF", []byte("{\\rtf1\\ansi"), "a.doc", filetype.Result{Type: filetype.RTF}},
		{"PNG", []byte("\x89PNG\r\n\x1a\n\x00"), "", filetype.Result{Type: filetype.PNG}},
		{"JPEG", []byte("\xff\xd8\xff\xe0\x00"), "", filetype.Result{Type: filetype.JPEG}},
		{"GIF", []byte("GIF89a"), "", filetype.Result{Type: filetype.GIF}},
		{"WebP", []byte("RIFF\x00\x00\x00\x00WEBPVP8 "), "", filetype.Result{Type: "webp"}},
		{"MP4", []byte("\x00\x00\x00\x18ftypisom"), "", filetype.Result{Type: "mp4"}},
		{"HEIC", []byte("\x00\x00\x00\x18ftypheic"), "", filetype.Result{Type: "heif"}},
		{"EXE", program(2), "", filetype.Result{Type: filetype.EXE}},
		{"DLL", program(0x22), "", filetype.Result{Type: "dll"}},
		{"TextThatStartsLikeEXE", []byte("MZ is a text"), "", filetype.Result{Type: filetype.Text}},
		{"LNK", []byte("L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00F"), "", filetype.Result{Type: filetype.LNK}},
		{"ISO", at(0x8001, "CD001"), "", filetype.Result{Type: filetype.ISO}},
		{"RAREncrypted", []byte("Rar!\x1a\x07\x01\x00\x00\x00\x00\x00\x00\x04"), "", filetype.Result{Type: "rar", Encrypted: true}},
		{"OneNote", []byte("\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"), "", filetype.Result{Type: filetype.OneNote}},
		{"TNEF", []byte("\x78\x9f\x3e\x22\x00\x00"), "winmail.dat", filetype.Result{Type: filetype.TNEF}},
		{"HTML", []byte("\ufeff \r\n<!DOCTYPE html><html>"), "a.txt", filetype.Result{Type: filetype.HTML}},
		{"HTMLFragment", []byte("hello <script>x</script>"), "", filetype.Result{Type: filetype.HTML}},
		{"HTMLInUTF16", []byte("\xff\xfe<\x00h\x00t\x00m\x00l\x00>\x00"), "", filetype.Result{Type: filetype.HTML}},
		{"HTMLWithDrawing", []byte("<html><body><svg></svg>"), "", filetype.Result{Type: filetype.HTML}},
		{"SVG", []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>x</script></svg>`), "a.png", filetype.Result{Type: filetype.SVG}},
		{"XML", []byte(`<?xml version="1.0"?><feedback/>`), "", filetype.Result{Type: filetype.XML}},
		{"ICS", []byte("BEGIN:VCALENDAR\r\n"), "", filetype.Result{Type: filetype.ICS}},
		{"VCF", []byte("BEGIN:VCARD\r\n"), "", filetype.Result{Type: filetype.VCF}},
		{"EML", []byte("Received: x\r\n y\r\nFrom: a@kiso.example\r\nX-Other: z\r\nTo: b\r\n"), "", filetype.Result{Type: filetype.EML}},
		{"InternetShortcut", []byte("[InternetShortcut]\r\nURL=file://evil.example/x"), "a.url", filetype.Result{Type: "url"}},
		{"HTA", []byte("<html><hta:application>"), "a.html", filetype.Result{Type: "hta"}},
		{"Shell", []byte("#!/bin/sh\n"), "", filetype.Result{Type: "sh"}},
		{"ScriptByName", []byte("WScript.Echo(1)"), "a.JSE", filetype.Result{Type: "jse"}},
		{"ScriptByAlias", []byte("@echo off"), "a.cmd", filetype.Result{Type: "bat"}},
		{"Text", []byte("hello"), "a.jpg", filetype.Result{Type: filetype.Text}},
		{"ShiftJIS", []byte("\x82\xa8\x90\xa2\x98b\x82\xc9\x82\xc8\x82\xc1\x82\xc4\x82\xa8\x82\xe8\x82\xdc\x82\xb7 hello, this is a text"), "", filetype.Result{Type: filetype.Text}},
		{"Binary", []byte("\x01\x02\x03\x00\x04\x05"), "a.docx", filetype.Result{Type: filetype.Unknown}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, filetype.Detect(tt.content, tt.file)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestMismatch(t *testing.T) {
	tests := []struct {
		name, file, declared string
		found                filetype.Type
		want                 []filetype.Flag
	}{
		{"Right", "a.pdf", "application/pdf", filetype.PDF, nil},
		{"OtherSpelling", "a.JPEG", "image/jpg", filetype.JPEG, nil},
		{"UnknownDeclared", "a.pdf", "application/octet-stream", filetype.PDF, nil},
		{"MacroDocument", "a.docm", "application/vnd.ms-word.document.macroEnabled.12", filetype.DOCX, nil},
		{"RTFAsDOC", "a.doc", "application/msword", filetype.RTF, nil},
		{"XLSXAsZIP", "a.xlsx", "application/zip", filetype.XLSX, nil},
		{"PictureOfAnotherKind", "a.png", "image/png", filetype.JPEG, nil},
		{"HTMLAsPDF", "a.pdf", "application/pdf", filetype.HTML, []filetype.Flag{filetype.WrongExtension, filetype.WrongMediaType, filetype.HTMLFile}},
		{"HTMLAsText", "a.txt", "text/plain", filetype.HTML, []filetype.Flag{filetype.WrongExtension, filetype.HTMLFile}},
		{"PDFAsPicture", "a.pdf", "image/jpeg", filetype.PDF, []filetype.Flag{filetype.WrongMediaType}},
		{"ProgramAsPDF", "a.pdf", "application/pdf", filetype.EXE, []filetype.Flag{filetype.WrongExtension, filetype.WrongMediaType, filetype.Dangerous}},
		{"ProgramWithoutName", "", "application/octet-stream", filetype.EXE, []filetype.Flag{filetype.Dangerous}},
		{"DoubleExtension", "invoice.pdf.exe", "application/octet-stream", filetype.EXE, []filetype.Flag{filetype.DoubleExtension, filetype.Dangerous}},
		{"DoubleHTML", "PO.xls.htm", "text/html", filetype.HTML, []filetype.Flag{filetype.DoubleExtension, filetype.HTMLFile}},
		{"DateInName", "report.2026.pdf", "application/pdf", filetype.PDF, nil},
		{"Reversed", "invoice_\u202efdp.exe", "application/octet-stream", filetype.EXE, []filetype.Flag{filetype.Reversed, filetype.Dangerous}},
		{"Padded", "invoice.pdf" + strings.Repeat(" ", 40) + ".exe", "application/octet-stream", filetype.EXE, []filetype.Flag{filetype.DoubleExtension, filetype.Padded, filetype.Dangerous}},
		{"TrailingDot", "a.exe. ", "application/octet-stream", filetype.EXE, []filetype.Flag{filetype.Dangerous}},
		{"DiskImage", "a.img", "application/octet-stream", filetype.ISO, []filetype.Flag{filetype.Dangerous}},
		{"Script", "a.js", "text/javascript", "js", []filetype.Flag{filetype.Dangerous}},
		{"Log", "a.log", "text/plain", filetype.Text, nil},
		{"TextAsPDF", "a.pdf", "application/pdf", filetype.Text, []filetype.Flag{filetype.WrongExtension, filetype.WrongMediaType}},
		{"Unknown", "a.docx", "application/pdf", filetype.Unknown, nil},
		{"SVG", "a.svg", "image/svg+xml", filetype.SVG, []filetype.Flag{filetype.HTMLFile}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, filetype.Mismatch(tt.file, tt.declared, filetype.Result{Type: tt.found})); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestTable checks that every type that can be found is known.
func TestTable(t *testing.T) {
	for _, typ := range filetype.Types() {
		if typ.Class() == "" {
			t.Errorf("%s has no class", typ)
		}
	}
	if n := len(filetype.Types()); n < 60 {
		t.Errorf("only %d types", n)
	}
	for _, ext := range []string{"exe", "EXE", "lnk", "iso", "ade", "xnk"} {
		if !filetype.IsDangerous(ext) {
			t.Errorf("%s is not dangerous", ext)
		}
	}
	for _, ext := range []string{"pdf", "", "docx"} {
		if filetype.IsDangerous(ext) {
			t.Errorf("%s is dangerous", ext)
		}
	}
}

// TestHostile reads what is built to be slow. The limit is far above what it
// takes, so that only a change of order is noticed.
func TestHostile(t *testing.T) {
	for _, unit := range []string{"PK\x03\x04", "PK\x01\x02", "PK\x05\x06", "<svg", "From: a\n", "a:\n", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "%PDF-", "\x00"} {
		s := []byte(strings.Repeat(unit, 2<<20/len(unit)))
		start := time.Now()
		filetype.Detect(s, "a.txt")
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%q: %v for 2 MiB", unit, d)
		}
	}
}

func FuzzDetect(f *testing.F) {
	f.Add(archive(f, "word/document.xml"), "a.docx")
	f.Add(compound("WordDocument"), "a.doc")
	f.Add(program(2), "a.pdf.exe")
	f.Add([]byte("From: a\nTo: b\nDate: c\n"), "")
	f.Add([]byte("\xff\xfe<\x00"), "\u202e.x")
	known := map[filetype.Type]bool{filetype.Unknown: true, filetype.Empty: true}
	for _, t := range filetype.Types() {
		known[t] = true
	}
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		r := filetype.Detect(b, name)
		if !known[r.Type] {
			t.Fatalf("%q is in no table", r.Type)
		}
		filetype.Mismatch(name, "application/pdf", r)
	})
}
