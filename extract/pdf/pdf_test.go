package pdf_test

import (
	"bytes"
	"compress/zlib"
	"encoding/ascii85"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/extract/pdf"
)

// document writes objects as a PDF file. There is no table of objects: none is
// read. What an object says itself ("7 0 obj") is left as it is.
func document(objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	for i, o := range objects {
		if strings.Contains(o, " obj") || strings.HasPrefix(o, "trailer") {
			b.WriteString(o + "\n")
			continue
		}
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	b.WriteString("trailer << /Root 1 0 R >>\n%%EOF\n")
	return b.Bytes()
}

func stream(dict, data string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(data), data)
}

func deflate(s string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

const (
	catalog = "<< /Type /Catalog /Pages 2 0 R >>"
	tree    = "<< /Type /Pages /Kids [3 0 R] /Count 1 /Resources << /Font << /F1 5 0 R >> /XObject << /X 7 0 R >> >> >>"
	leaf    = "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Annots [6 0 R] >>"
	latin   = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
	annot   = "<< /Type /Annot /Subtype /Link /A << /S /URI /URI (https://login.example/a) >> >>"
)

func read(t *testing.T, data []byte) *pdf.Document {
	t.Helper()
	d, err := pdf.Read(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestText(t *testing.T) {
	hello := "BT /F1 12 Tf 100 700 Td (Review ) Tj (the case) Tj 0 -14 Td [(mater) -20 (ials) -600 (now)] TJ ET"
	for _, tc := range []struct{ name, content, font, want string }{
		{"Plain", stream("", hello), latin, "Review the case\nmaterials now"},
		{"Flate", stream("/Filter /FlateDecode", deflate(hello)), latin, "Review the case\nmaterials now"},
		{"ShortName", stream("/Filter [/Fl]", deflate(hello)), latin, "Review the case\nmaterials now"},
		{"WrongLength", strings.Replace(stream("", hello), "/Length", "/Length 3 /X", 1), latin, "Review the case\nmaterials now"},
		{"Hex", stream("/Filter /ASCIIHexDecode", fmt.Sprintf("%x>", hello)), latin, "Review the case\nmaterials now"},
		{"ASCII85", stream("/Filter [/ASCII85Decode /FlateDecode]", to85(deflate(hello))+"~>"), latin, "Review the case\nmaterials now"},
		{"RunLength", stream("/Filter /RunLengthDecode", string(rune(len("BT /F1 9 Tf (aa) Tj ET")-1))+"BT /F1 9 Tf (aa) Tj ET\x80"), latin, "aa"},
		{"Escapes", stream("", `BT /F1 9 Tf (a\(b\)\\ \101\
c) Tj ET`), latin, `a(b)\ Ac`},
		{"Differences", stream("", "BT /F1 9 Tf (ab) Tj ET"), "<< /Type /Font /Subtype /Type1 /Encoding << /Differences [97 /uni3042 /eacute] >> >>", "あé"},
		{"ShiftJIS", stream("", "BT /F1 9 Tf <8d7393ae8b4b94cd> Tj ET"), "<< /Type /Font /Subtype /Type0 /Encoding /90ms-RKSJ-H /DescendantFonts [] >>", "行動規範"},
		{"UTF16", stream("", "BT /F1 9 Tf <884c52d5898f7bc4> Tj ET"), "<< /Type /Font /Subtype /Type0 /Encoding /UniJIS-UTF16-H /DescendantFonts [] >>", "行動規範"},
		{"Quotes", stream("", "BT /F1 9 Tf 12 TL (one) Tj (two) ' 1 1 (three) \" ET"), latin, "one\ntwo\nthree"},
		{"Columns", stream("", "BT /F1 10 Tf 1 0 0 1 10 10 Tm (left) Tj 1 0 0 1 200 10 Tm (right) Tj ET"), latin, "left right"},
		{"InlineImage", stream("", "BI /W 1 /H 1 ID \x00(x) Tj EI BT /F1 9 Tf (after) Tj ET"), latin, "after"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := read(t, document(catalog, tree, leaf, tc.content, tc.font, annot))
			if diff := cmp.Diff([]string{tc.want}, d.Text); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func to85(s string) string {
	b := make([]byte, ascii85.MaxEncodedLen(len(s)))
	return string(b[:ascii85.Encode(b, []byte(s))])
}

func TestToUnicode(t *testing.T) {
	cmap := `begincmap 1 begincodespacerange <0000> <ffff> endcodespacerange
2 beginbfchar <0001> <2f8f> <0002> <52d5> endbfchar
1 beginbfrange <0003> <0004> <0061> endbfrange 1 beginbfrange <0005> <0006> [<fb01> <0063>] endbfrange endcmap`
	d := read(t, document(catalog, tree, leaf, stream("", "BT /F1 9 Tf <000100020003000400050006> Tj ET"),
		"<< /Type /Font /Subtype /Type0 /Encoding /Identity-H /ToUnicode 7 0 R /DescendantFonts [8 0 R] >>", annot, stream("", cmap),
		"<< /Type /Font /Subtype /CIDFontType2 /DW 1000 /W [1 [500 600] 3 5 700] >>"))
	if d.Text[0] != "行動abfic" {
		t.Errorf("got %q", d.Text[0])
	}
}

func TestForm(t *testing.T) {
	d := read(t, document(catalog, tree, leaf, stream("", "/X Do"), latin, annot,
		stream("/Type /XObject /Subtype /Form /Resources << /Font << /F1 5 0 R >> /XObject << /X 7 0 R >> >>", "BT /F1 9 Tf (inside) Tj ET /X Do")))
	if !strings.HasPrefix(d.Text[0], "inside") || strings.Count(d.Text[0], "inside") > 13 {
		t.Errorf("got %q", d.Text[0])
	}
}

func TestLinks(t *testing.T) {
	for _, tc := range []struct {
		name, annot string
		more        []string
		want        []pdf.Link
	}{
		{"Plain", annot, nil, []pdf.Link{{URL: "https://login.example/a", Page: 1}}},
		{"Hex", "<< /Subtype /Link /A << /S /URI /URI <68747470733a2f2f612e6578616d706c65> >> >>", nil, []pdf.Link{{URL: "https://a.example", Page: 1}}},
		{"EscapedName", "<< /Subtype /Link /A << /#53 /#55RI /U#52I (https://a.example) >> >>", nil, []pdf.Link{{URL: "https://a.example", Page: 1}}},
		{"Indirect", "<< /Subtype /Link /A 7 0 R >>", []string{"<< /S /URI /URI 8 0 R >>", "(https://a.example)"}, []pdf.Link{{URL: "https://a.example", Page: 1}}},
		{"Next", "<< /Subtype /Link /A << /S /URI /URI (https://a.example) /Next << /S /URI /URI (https://b.example) >> >> >>", nil, []pdf.Link{{URL: "https://a.example", Page: 1}, {URL: "https://b.example", Page: 1}}},
		{"NoPage", "<< >>", []string{"<< /S /URI /URI (https://hidden.example) >>"}, []pdf.Link{{URL: "https://hidden.example"}}},
		{"UTF16", "<< /Subtype /Link /A << /S /URI /URI <feff00680074007400700073003a002f002f0061> >> >>", nil, []pdf.Link{{URL: "https://a", Page: 1}}},
		{"Updated", annot, []string{"6 0 obj << /Subtype /Link /A << /S /URI /URI (https://new.example) >> >> endobj"}, []pdf.Link{{URL: "https://new.example", Page: 1}}},
		{"SubmitForm", "<< /Subtype /Widget /A << /S /SubmitForm /F << /FS /URL /F (https://form.example) >> >> >>", nil, []pdf.Link{{URL: "https://form.example"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := read(t, document(append([]string{catalog, tree, leaf, stream("", ""), latin, tc.annot}, tc.more...)...))
			if diff := cmp.Diff(tc.want, d.Links); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSigns(t *testing.T) {
	signs := func(d *pdf.Document) string {
		var out []string
		for _, x := range []struct {
			word string
			is   bool
		}{{"encrypted", d.Encrypted}, {"locked", d.Locked}, {"script", d.JavaScript}, {"open", d.OpenAction}, {"launch", d.Launch}, {"form", d.Form}, {"truncated", d.Truncated}} {
			if x.is {
				out = append(out, x.word)
			}
		}
		return strings.Join(out, " ")
	}
	for _, tc := range []struct{ name, catalog, extra, want string }{
		{"None", catalog, "null", ""},
		{"Script", "<< /Type /Catalog /Pages 2 0 R /OpenAction 7 0 R >>", "<< /S /JavaScript /JS (app.alert\\(1\\)) >>", "script open"},
		{"JumpOnOpen", "<< /Type /Catalog /Pages 2 0 R /OpenAction [3 0 R /Fit] >>", "null", ""},
		{"Launch", catalog, "<< /S /Launch /F (cmd.exe) >>", "launch"},
		{"Form", "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] >> >>", "null", "form"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := read(t, document(tc.catalog, tree, leaf, stream("", ""), latin, annot, tc.extra))
			if got := signs(d); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	d := read(t, document(catalog, tree, leaf, stream("", ""), latin, annot,
		"<< /Type /Filespec /F (invoice.html) /EF << /F 8 0 R >> >>", stream("/Type /EmbeddedFile /Filter /FlateDecode", deflate("<p>hello"))))
	if diff := cmp.Diff([]pdf.File{{Name: "invoice.html", Data: []byte("<p>hello")}}, d.Files); diff != "" {
		t.Error(diff)
	}
}

func TestImages(t *testing.T) {
	for _, tc := range []struct {
		name, dict, data string
		want             []uint8
	}{
		{"Gray", "/BitsPerComponent 8 /ColorSpace /DeviceGray", "\x00\x80\xff\x10", []uint8{0, 128, 255, 16}},
		{"Bits", "/BitsPerComponent 1 /ColorSpace /DeviceGray", "\x80\x40", []uint8{255, 0, 0, 255}},
		{"Mask", "/ImageMask true /Decode [1 0]", "\x80\x40", []uint8{0, 255, 255, 0}},
		{"RGB", "/BitsPerComponent 8 /ColorSpace /DeviceRGB", strings.Repeat("\xff", 6) + strings.Repeat("\x00", 6), []uint8{255, 255, 0, 0}},
		{"Indexed", "/BitsPerComponent 8 /ColorSpace [/Indexed /DeviceRGB 1 <000000ffffff>]", "\x00\x01\x01\x00", []uint8{0, 255, 255, 0}},
		{"Predictor", "/BitsPerComponent 8 /ColorSpace /DeviceGray /Filter /FlateDecode /DecodeParms << /Predictor 15 /Columns 2 >>", deflate("\x01\x01\x01\x02\x01\x01"), []uint8{1, 2, 2, 3}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := read(t, document(catalog, tree, leaf, stream("", "/X Do /X Do"), latin, annot, stream("/Subtype /Image /Width 2 /Height 2 "+tc.dict, tc.data)))
			if len(d.Images) != 1 || d.Images[0].Page != 1 {
				t.Fatalf("got %+v", d.Images)
			}
			m, ok := d.Images[0].Pixels().(*image.Gray)
			if !ok {
				t.Fatal("no pixels")
			}
			if diff := cmp.Diff(tc.want, m.Pix); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The files are one document, written by qpdf with object streams and with each
// kind of encryption that has an empty user password; locked.pdf needs one.
func TestEncrypted(t *testing.T) {
	files, err := filepath.Glob("testdata/*.pdf")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			d := read(t, data)
			if d.Encrypted != !strings.Contains(name, "plain") {
				t.Errorf("encrypted: %v", d.Encrypted)
			}
			if strings.Contains(name, "locked") {
				if !d.Locked || len(d.Text) > 0 || len(d.Links) > 0 {
					t.Errorf("got %+v", d)
				}
				return
			}
			want := []pdf.Link{{URL: "https://login.example/a", Page: 1}}
			if diff := cmp.Diff(want, d.Links); diff != "" {
				t.Error(diff)
			}
			if d.Text[0] != "Review the case" || d.Info["Title"] != "Case materials" || d.Locked {
				t.Errorf("got %q, %v", d.Text, d.Info)
			}
		})
	}
}

func TestNotPDF(t *testing.T) {
	for _, s := range []string{"", "GIF89a", strings.Repeat(" ", 2000) + "%PDF-1.4"} {
		if _, err := pdf.Read([]byte(s), nil); err == nil {
			t.Errorf("%.10q is read", s)
		}
	}
}

// What is made to be expensive is cut off, and says so.
func TestHostile(t *testing.T) {
	bomb := stream("/Filter /FlateDecode", deflate(strings.Repeat("BT (x) Tj ET\n", 10<<20)))
	twice := stream("/Filter [/FlateDecode /FlateDecode]", deflate(deflate(strings.Repeat("\x00", 100<<20))))
	loop := "<< /Type /Pages /Kids [2 0 R 2 0 R] >>"
	for _, tc := range []struct {
		name      string
		data      []byte
		truncated bool
	}{
		{"Bomb", document(catalog, tree, leaf, bomb, latin, annot), true},
		{"BombInBomb", document(catalog, tree, leaf, twice, latin, annot), true},
		{"TreeLoop", document(catalog, loop), false},
		{"RefLoop", document(catalog, tree, leaf, "5 0 R", "4 0 R", annot), false},
		{"Nesting", document(catalog, tree, strings.Repeat("[", 1<<20)), false},
		{"Dicts", document(catalog, tree, strings.Repeat("<< /A ", 1<<18)), false},
		{"Objects", document(catalog, strings.Repeat("9 0 obj null endobj ", 200_000)), false},
		{"ManyObjects", many(150_000), true},
		{"OpenStrings", document(catalog, strings.Repeat("9 0 obj (", 200_000)), false},
		{"OpenStreams", document(catalog, strings.Repeat("9 0 obj << >> stream ", 100_000)), false},
		{"HugeImage", document(catalog, tree, leaf, stream("", "/X Do"), latin, annot, stream("/Subtype /Image /Width 1000000000 /Height 1000000000", "")), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := budget.New(nil)
			d, err := pdf.Read(tc.data, b)
			if err != nil {
				t.Fatal(err)
			}
			if d.Truncated != tc.truncated {
				t.Errorf("truncated: %v", d.Truncated)
			}
		})
	}
}

func many(n int) []byte {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d 0 obj null endobj ", i+10)
	}
	return document(catalog, b.String())
}

func TestBudget(t *testing.T) {
	b := budget.New(nil)
	b.Cost = 100
	d, err := pdf.Read(document(catalog, tree, leaf, stream("", strings.Repeat("BT ET ", 100)), latin, annot), b)
	if err != nil || !d.Truncated {
		t.Errorf("got %+v, %v", d, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(document(catalog, tree, leaf, stream("", "BT /F1 9 Tf (x) Tj ET /X Do"), latin, annot, stream("/Subtype /Image /Width 2 /Height 2 /BitsPerComponent 8 /ColorSpace /DeviceGray", "1234")))
	f.Add(document(catalog, tree, leaf, stream("/Filter [/ASCII85Decode /LZWDecode]", "J..)6T`?p&<!J9%_[umg\"B7/Z7KNXbN'S+,*Q/&\"OLT'F~>"), latin, annot))
	files, err := filepath.Glob("testdata/*.pdf")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b := budget.New(nil)
		b.Cost = 1 << 24
		d, err := pdf.Read(data, b)
		if err != nil {
			return
		}
		if len(d.Text) > pdf.MaxPages || len(d.Links) > pdf.MaxLinks || len(d.Files) > pdf.MaxFiles {
			t.Errorf("%d pages, %d links, %d files", len(d.Text), len(d.Links), len(d.Files))
		}
		for i := range d.Images {
			d.Images[i].Pixels()
		}
	})
}

// TestRepeats reads a document whose order of keys decides the order of what is
// found: a run must come to the same each time.
func TestRepeats(t *testing.T) {
	var events strings.Builder
	for _, e := range []string{"E", "X", "D", "U", "Fo", "Bl"} {
		events.WriteString("/" + e + " << /S /URI /URI (https://" + strings.ToLower(e) + ".example/) >> ")
	}
	data := document(catalog, tree, leaf, stream("", "BT (a) Tj ET"), latin, "<< /Type /Annot /Subtype /Link /AA << "+events.String()+">> >>")
	want := read(t, data)
	if len(want.Links) != 6 {
		t.Fatalf("%d links", len(want.Links))
	}
	for range 20 {
		if diff := cmp.Diff(want.Links, read(t, data).Links); diff != "" {
			t.Fatal(diff)
		}
	}
}
