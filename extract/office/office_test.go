package office_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/extract/filetype"
	"github.com/sekisho/sekisho/extract/office"
)

func pack(t testing.TB, parts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		f, err := w.Create(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(parts[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const relations = `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink" Target="https://login.contoso.example/a?b=1&amp;c=2" TargetMode="External"/>
<Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image" Target="media/image1.png"/>
<Relationship Id="r3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink" Target="https://picture.example/" TargetMode="External"/>
</Relationships>`

const hyperlink = office.Hyperlink

func TestDocument(t *testing.T) {
	docx := pack(t,
		"[Content_Types].xml", "<Types/>",
		"word/document.xml", `<w:document><w:body><w:p><w:r><w:t xml:space="preserve">人事部より </w:t></w:r><w:hyperlink r:id="r1"><w:r><w:t>Review </w:t></w:r><w:r><w:t>case</w:t></w:r></w:hyperlink></w:p>
<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>HYPERLINK &quot;https://field.example/x y&quot; \o "tip"</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>a &lt; b</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>
<w:p><w:fldSimple w:instr="DDEAUTO c:\\windows\\system32\\cmd.exe &quot;/k calc&quot;"/><mc:AlternateContent><mc:Choice><w:t>once</w:t></mc:Choice><mc:Fallback><w:t>once</w:t></mc:Fallback></mc:AlternateContent></w:p></w:body></w:document>`,
		"word/_rels/document.xml.rels", relations,
		"word/_rels/settings.xml.rels", `<Relationships><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate" Target="https://template.example/t.dotm" TargetMode="External"/></Relationships>`,
		"word/media/image1.png", "PNG", "word/embeddings/oleObject1.bin", "OLE",
		"docProps/core.xml", `<cp:coreProperties><dc:title>Case</dc:title><dc:creator>root</dc:creator><dcterms:created>2026-01-02T03:04:05Z</dcterms:created></cp:coreProperties>`,
		"docProps/app.xml", `<Properties><Application>Microsoft Office Word</Application><Pages>1</Pages><Words>5</Words><TitlesOfParts><vt:vector><vt:lpstr>One</vt:lpstr><vt:lpstr>Two</vt:lpstr></vt:vector></TitlesOfParts></Properties>`,
	)
	got, err := office.Read(docx, filetype.DOCX, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &office.Document{
		Type: filetype.DOCX, Text: "人事部より Review case\na < b\nonce",
		Links: []office.Link{
			{URL: "https://template.example/t.dotm", Kind: office.Template},
			{URL: "https://login.contoso.example/a?b=1&c=2", Visible: "Review case", Kind: hyperlink},
			{URL: "https://field.example/x y", Kind: hyperlink},
			{URL: "https://picture.example/", Kind: hyperlink},
		},
		Relationships: []office.Relationship{
			{Name: "hyperlink", Target: "https://login.contoso.example/a?b=1&c=2", Part: "word/document.xml"},
			{Name: "hyperlink", Target: "https://picture.example/", Part: "word/document.xml"},
			{Name: "attachedTemplate", Target: "https://template.example/t.dotm", Part: "word/settings.xml"},
		},
		Files: []office.File{{Name: "word/media/image1.png", Data: []byte("PNG")}, {Name: "word/embeddings/oleObject1.bin", Data: []byte("OLE")}},
		Properties: []office.Property{
			{Name: "DDE", Value: `c:\\windows\\system32\\cmd.exe /k calc`},
			{Name: "Title", Value: "Case"}, {Name: "Creator", Value: "root"}, {Name: "CreateDate", Value: "2026-01-02T03:04:05Z"},
			{Name: "Application", Value: "Microsoft Office Word"}, {Name: "Pages", Value: "1"}, {Name: "Words", Value: "5"}, {Name: "TitlesOfParts", Value: `["One","Two"]`},
		},
		Pages: 1, Words: 5, Images: 1, DDE: true,
	}
	// Parts are read in the order of the numbers in their names.
	slices.SortFunc(got.Files, func(a, b office.File) int { return strings.Compare(b.Name, a.Name) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSlides(t *testing.T) {
	pptx := pack(t,
		"ppt/slides/slide10.xml", `<p:sld><a:p><a:r><a:t>last</a:t></a:r></a:p></p:sld>`,
		"ppt/slides/slide2.xml", `<p:sld><p:sp><p:nvSpPr><p:cNvPr id="4"><a:hlinkClick r:id="r3"/></p:cNvPr></p:nvSpPr><a:p><a:r><a:t>Shape</a:t></a:r></a:p></p:sp>
<p:sp><a:p><a:r><a:rPr><a:hlinkClick r:id="r1"/></a:rPr><a:t>View</a:t></a:r><a:r><a:t> more</a:t></a:r></a:p></p:sp></p:sld>`,
		"ppt/slides/_rels/slide2.xml.rels", relations,
		"docProps/app.xml", `<Properties><Slides>2</Slides></Properties>`,
	)
	got, err := office.Read(pptx, filetype.PPTX, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := "Shape\nView more\nlast"; got.Text != want || got.Slides != 2 {
		t.Errorf("text %q, %d slides", got.Text, got.Slides)
	}
	want := []office.Link{{URL: "https://picture.example/", Visible: "Shape", Kind: hyperlink}, {URL: "https://login.contoso.example/a?b=1&c=2", Visible: "View", Kind: hyperlink}}
	if diff := cmp.Diff(want, got.Links); diff != "" {
		t.Error(diff)
	}
}

func TestWorkbook(t *testing.T) {
	xlsx := pack(t,
		"xl/workbook.xml", "<workbook/>",
		"xl/sharedStrings.xml", `<sst><si><t>請求書</t><rPh><t>セイキュウショ</t></rPh></si><si><r><t>Open</t></r><r><t> here</t></r></si></sst>`,
		"xl/worksheets/sheet1.xml", `<worksheet><c t="inlineStr"><is><t>inline</t></is></c><c><f>HYPERLINK(&quot;https://formula.example/&quot;,&quot;Click&quot;)</f></c><c><f>cmd|'/c calc'!A1</f></c><hyperlinks><hyperlink ref="A1" r:id="r1" display="Sign in"/></hyperlinks></worksheet>`,
		"xl/worksheets/_rels/sheet1.xml.rels", relations,
		"xl/connections.xml", `<connections><connection><webPr url="https://data.example/feed"/></connection></connections>`,
		"xl/macrosheets/sheet2.xml", `<xm:macrosheet><f>EXEC("x")</f></xm:macrosheet>`,
	)
	got, err := office.Read(xlsx, filetype.XLSX, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := "請求書\nOpen here\ninline"; got.Text != want {
		t.Errorf("text %q", got.Text)
	}
	want := []office.Link{
		{URL: "https://data.example/feed", Kind: office.Data},
		{URL: "https://formula.example/", Visible: "Click", Kind: hyperlink},
		{URL: "https://login.contoso.example/a?b=1&c=2", Visible: "Sign in", Kind: hyperlink},
		{URL: "https://picture.example/", Kind: hyperlink},
	}
	if diff := cmp.Diff(want, got.Links); diff != "" {
		t.Error(diff)
	}
	if !got.DDE || got.Macros == nil || !got.Macros.Sheets {
		t.Errorf("DDE %v, macros %+v", got.DDE, got.Macros)
	}
}

func TestOpenDocument(t *testing.T) {
	odt := pack(t, "mimetype", "application/vnd.oasis.opendocument.text",
		"content.xml", `<office:document-content><text:h>Notice</text:h><text:p>Please <text:a xlink:href="https://odf.example/">open <text:span>this</text:span></text:a>.</text:p></office:document-content>`,
		"meta.xml", `<office:meta><meta:generator>Writer</meta:generator><dc:title>T</dc:title></office:meta>`)
	got, err := office.Read(odt, "odt", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]office.Link{{URL: "https://odf.example/", Visible: "open this", Kind: hyperlink}}, got.Links); diff != "" || got.Text != "Notice\nPlease open this." || got.Property("Title") != "T" {
		t.Errorf("%s%q %v", diff, got.Text, got.Properties)
	}
}

func TestRTF(t *testing.T) {
	in := `{\rtf1\ansi\ansicpg932{\fonttbl{\f0 Hidden;}}{\*\generator Hidden;}{\*\template https://template.example/t.dotm}` +
		`Dear \'8f\'8a\u12373?\par {\field{\*\fldinst{HYPERLINK "https://rtf.example/a"}}{\fldrslt Click}}` +
		`{\object\objemb{\*\objdata 0105
00004f4c45}{\result shown}}}`
	got, err := office.Read([]byte(in), filetype.RTF, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &office.Document{
		Type: filetype.RTF, Text: "Dear 所さ\nClickshown",
		Links:         []office.Link{{URL: "https://template.example/t.dotm", Kind: office.Template}, {URL: "https://rtf.example/a", Kind: hyperlink}},
		Relationships: []office.Relationship{{Name: "attachedTemplate", Target: "https://template.example/t.dotm"}},
		Files:         []office.File{{Name: "object1.bin", Data: []byte("\x01\x05\x00\x00OLE")}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// stream is a stream of a compound file, or a storage where data is nil.
type stream struct {
	name string
	in   int // the place of its storage
	data []byte
}

// compoundFile writes a compound file of version 3, with every stream in
// sectors of its own.
func compoundFile(entries ...stream) []byte {
	const sector = 512
	entries = slices.Insert(entries, 0, stream{name: "Root Entry", in: -1})
	var body []byte
	var fat []uint32
	add := func(b []byte) uint32 {
		first := uint32(len(fat))
		n := (len(b) + sector - 1) / sector
		body = append(append(body, b...), make([]byte, n*sector-len(b))...)
		for i := range n {
			fat = append(fat, first+uint32(i)+1)
		}
		fat[len(fat)-1] = 0xfffffffe
		return first
	}
	var dir []byte
	for i, e := range entries {
		d := make([]byte, 128)
		for j, u := range utf16.Encode([]rune(e.name)) {
			binary.LittleEndian.PutUint16(d[2*j:], u)
		}
		binary.LittleEndian.PutUint16(d[64:], uint16(2*len(e.name)+2))
		for _, at := range []int{68, 72, 76} {
			binary.LittleEndian.PutUint32(d[at:], 0xffffffff)
		}
		d[66] = 1
		if e.data != nil {
			d[66] = 2
			b := append(bytes.Clone(e.data), make([]byte, max(0, 4096-len(e.data)))...)
			binary.LittleEndian.PutUint32(d[116:], add(b))
			binary.LittleEndian.PutUint32(d[120:], uint32(len(b)))
		} else if i == 0 {
			d[66] = 5
		}
		dir = append(dir, d...)
	}
	// Those of one storage hang on each other's right.
	last := map[int]int{}
	for i, e := range entries {
		if i == 0 {
			continue
		}
		if before, ok := last[e.in]; ok {
			binary.LittleEndian.PutUint32(dir[128*before+72:], uint32(i))
		} else {
			binary.LittleEndian.PutUint32(dir[128*e.in+76:], uint32(i))
		}
		last[e.in] = i
	}
	dirAt := add(dir)
	head := make([]byte, sector)
	copy(head, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	binary.LittleEndian.PutUint16(head[30:], 9)
	binary.LittleEndian.PutUint32(head[48:], dirAt)
	for _, at := range []int{60, 68} {
		binary.LittleEndian.PutUint32(head[at:], 0xfffffffe)
	}
	for i := range 109 {
		binary.LittleEndian.PutUint32(head[76+4*i:], 0xffffffff)
	}
	binary.LittleEndian.PutUint32(head[76:], uint32(len(fat)))
	table := make([]byte, sector)
	for i := range sector / 4 {
		v := uint32(0xffffffff)
		if i < len(fat) {
			v = fat[i]
		}
		binary.LittleEndian.PutUint32(table[4*i:], v)
	}
	return slices.Concat(head, body, table)
}

// compressed is a container of [MS-OVBA] 2.4.1 whose text is literal but for
// one repetition at the end.
func compressed(text string) []byte {
	var chunk []byte
	for i := 0; i < len(text); i += 8 {
		chunk = append(chunk, 0)
		chunk = append(chunk, text[i:min(len(text), i+8)]...)
	}
	head := uint16(len(chunk)+2-3) | 3<<12 | 0x8000
	return append([]byte{1, byte(head), byte(head >> 8)}, chunk...)
}

const macro = "Attribute VB_Name = \"M\"\r\nSub AutoOpen()\r\nx = Shell(\"cmd.exe /c \" & \"6d616c2e657865\")\r\n' https://payload.example/a.exe aHR0cHM6\r\ny = \"aHR0cHM6Ly94LnRlc3Q=\"\r\nEnd Sub\r\n"

func vbaProject() []byte {
	return compoundFile(stream{"PROJECT", 0, []byte("ID")}, stream{"VBA", 0, nil}, stream{"dir", 2, []byte("x")}, stream{"Module1", 2, append([]byte("performance cache"), compressed(macro)...)})
}

func TestMacros(t *testing.T) {
	for name, in := range map[string][]byte{
		"Docm":  pack(t, "word/document.xml", "<w:document/>", "word/vbaProject.bin", string(vbaProject())),
		"Older": compoundFile(stream{"WordDocument", 0, make([]byte, 32)}, stream{"Macros", 0, nil}, stream{"VBA", 2, nil}, stream{"Module1", 3, compressed(macro)}),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := office.Read(in, filetype.Detect(in, "").Type, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got.Macros == nil || len(got.Macros.Modules) != 1 {
				t.Fatalf("macros %+v", got.Macros)
			}
			if diff := cmp.Diff(office.Module{Name: "MODULE1", Source: macro}, got.Macros.Modules[0]); diff != "" {
				t.Error(diff)
			}
			want := []office.Keyword{
				{Kind: office.AutoExec, Word: "AutoOpen"}, {Kind: office.Suspicious, Word: "Shell"}, {Kind: office.Suspicious, Word: "cmd.exe"},
				{Kind: office.IOC, Word: "https://payload.example/a.exe"}, {Kind: office.IOC, Word: "cmd.exe"}, {Kind: office.IOC, Word: "a.exe"},
				{Kind: office.Hex, Word: "mal.exe"}, {Kind: office.Base64, Word: "https://x.test"},
			}
			if diff := cmp.Diff(want, got.Macros.Keywords); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A repetition in compressed source reaches back as far as the source does.
func TestRepetition(t *testing.T) {
	// [MS-OVBA] 3.2.2 has this text: "#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa".
	container := []byte{0x01, 0x2f, 0xb0, 0x00, 0x23, 0x61, 0x61, 0x61, 0x62, 0x63, 0x64, 0x65, 0x82, 0x66, 0x00, 0x70, 0x61, 0x67, 0x68, 0x69, 0x6a, 0x01, 0x38, 0x08, 0x61, 0x6b, 0x6c,
		0x00, 0x30, 0x6d, 0x6e, 0x6f, 0x70, 0x06, 0x71, 0x02, 0x70, 0x04, 0x10, 0x72, 0x73, 0x74, 0x75, 0x76, 0x10, 0x77, 0x78, 0x79, 0x7a, 0x00, 0x3c}
	if got, want := string(office.Decompress(container)), "#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestOlder(t *testing.T) {
	word := make([]byte, 32)
	word = append(word, "\x00\x00see HYPERLINK \"https://older.example/a\" now\x00"...)
	for _, u := range utf16.Encode([]rune("確認してください。")) {
		word = binary.LittleEndian.AppendUint16(word, u)
	}
	got, err := office.Read(compoundFile(stream{"WordDocument", 0, word}), filetype.DOC, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]office.Link{{URL: "https://older.example/a", Kind: hyperlink}}, got.Links); diff != "" || !strings.Contains(got.Text, "確認してください。") {
		t.Errorf("%s%q", diff, got.Text)
	}
	word[11] = 1
	if got, err = office.Read(compoundFile(stream{"WordDocument", 0, word}), filetype.DOC, nil); err != nil || !got.Encrypted || got.Text != "" {
		t.Errorf("encrypted: %+v, %v", got, err)
	}
	if got, err = office.Read(compoundFile(stream{"EncryptedPackage", 0, word}), "ooxml", nil); err != nil || !got.Encrypted {
		t.Errorf("encrypted: %+v, %v", got, err)
	}
	book := []byte{0x09, 0x08, 2, 0, 0, 6, 0x85, 0, 8, 0, 0, 0, 0, 0, 0, 1, 0, 0}
	if got, err = office.Read(compoundFile(stream{"Workbook", 0, book}), filetype.XLS, nil); err != nil || got.Macros == nil || !got.Macros.Sheets {
		t.Errorf("macro sheet: %+v, %v", got, err)
	}
}

// A part that unfolds into much, and one that is nested without end.
func TestHostile(t *testing.T) {
	long := strings.Repeat("<w:p><w:r><w:t>a</w:t></w:r></w:p>", 1<<18)
	for name, in := range map[string][]byte{
		"Bomb":   pack(t, "word/document.xml", long, "word/header1.xml", long, "word/header2.xml", long, "word/footer1.xml", long),
		"Nested": pack(t, "word/document.xml", strings.Repeat("<w:t>", 1<<20)),
		"Fields": pack(t, "word/document.xml", strings.Repeat(`<w:fldSimple w:instr="HYPERLINK x"/>`, 1<<17)),
		"RTF":    []byte(`{\rtf1` + strings.Repeat("{", 1<<20)),
	} {
		t.Run(name, func(t *testing.T) {
			best := time.Hour
			for range rounds {
				start := time.Now()
				if _, err := office.Read(in, filetype.DOCX, &budget.Budget{Cost: 64 << 20}); err != nil {
					t.Error(err)
				}
				best = min(best, time.Since(start))
			}
			if best > time.Second && !raceEnabled {
				t.Errorf("took %v", best)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(pack(f, "word/document.xml", "<w:p><w:t>a</w:t></w:p>", "word/_rels/document.xml.rels", relations, "word/vbaProject.bin", string(vbaProject())))
	f.Add(pack(f, "xl/worksheets/sheet1.xml", "<f>HYPERLINK(\"</f>", "xl/sharedStrings.xml", "<si><t>"))
	f.Add([]byte(`{\rtf1{\*\fldinst HYPERLINK "x}\u`))
	f.Add(vbaProject())
	f.Fuzz(func(t *testing.T, in []byte) {
		d, err := office.Read(in, filetype.Detect(in, "").Type, &budget.Budget{Cost: 8 << 20})
		if err != nil {
			return
		}
		if len(d.Text) > office.MaxText || len(d.Links) > office.MaxLinks || len(d.Files) > office.MaxFiles {
			t.Errorf("%d bytes, %d links, %d files", len(d.Text), len(d.Links), len(d.Files))
		}
	})
}
