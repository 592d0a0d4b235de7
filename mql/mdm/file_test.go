package mdm_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/encoder"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/schema"
	"github.com/sekisho/sekisho/mql/value"
)

// attached is a mail with these files: names and contents in turn.
func attached(files ...string) []byte {
	var b strings.Builder
	b.WriteString("From: a@sender.example\r\nTo: b@kiso.example\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee attached\r\n")
	for i := 0; i < len(files); i += 2 {
		fmt.Fprintf(&b, "--b\r\nContent-Type: application/octet-stream; name=%q\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n", files[i], base64.StdEncoding.EncodeToString([]byte(files[i+1])))
	}
	b.WriteString("--b--\r\n")
	return []byte(b.String())
}

func packed(files ...string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err != nil {
			panic(err)
		}
		if _, err := f.Write([]byte(files[i+1])); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

func qrPicture(text string) string {
	c, err := encoder.Encoder_encodeWithoutHint(text, decoder.ErrorCorrectionLevel_M)
	if err != nil {
		panic(err)
	}
	const scale, quiet = 4, 4
	grid := c.GetMatrix()
	side := (grid.GetWidth() + 2*quiet) * scale
	m := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			m.SetGray(x, y, color.Gray{255})
			if gx, gy := x/scale-quiet, y/scale-quiet; gx >= 0 && gy >= 0 && gx < grid.GetWidth() && gy < grid.GetHeight() && grid.Get(gx, gy) == 1 {
				m.SetGray(x, y, color.Gray{0})
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.String()
}

func pdfDocument(text, link string) string {
	content := "BT /F1 14 Tf 72 740 Td (" + text + ") Tj ET"
	return fmt.Sprintf("%%PDF-1.4\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj\n"+
		"3 0 obj << /Type /Page /Parent 2 0 R /Resources << /Font << /F1 4 0 R >> >> /Contents 5 0 R /Annots [6 0 R] >> endobj\n"+
		"4 0 obj << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> endobj\n5 0 obj << /Length %d >>\nstream\n%s\nendstream endobj\n"+
		"6 0 obj << /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (%s) >> >> endobj\n7 0 obj << /Title (Case) /Creator (Maker) >> endobj\ntrailer << /Root 1 0 R /Info 7 0 R >>", len(content), content, link)
}

const (
	wordBody  = `<?xml version="1.0"?><w:document><w:p><w:hyperlink r:id="r1"><w:t>Open case</w:t></w:hyperlink></w:p></w:document>`
	wordLinks = `<?xml version="1.0"?><Relationships><Relationship Id="r1" Type="x/hyperlink" Target="https://word.example/a" TargetMode="External"/></Relationships>`
	wordCore  = `<?xml version="1.0"?><cp:coreProperties><dc:creator>root</dc:creator></cp:coreProperties>`
	event     = "BEGIN:VCALENDAR\r\nPRODID:-//Test//EN\r\nBEGIN:VEVENT\r\nUID:1@kiso.example\r\nORGANIZER;CN=Sato:mailto:sato@kiso.example\r\nDESCRIPTION:See https://ics.example/a?b=c\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)

// call calls a function on the first attachment of a mail.
func call(t *testing.T, raw []byte, name string) value.Value {
	t.Helper()
	m := mdm.New(mdm.Input{Mail: eml.Parse(raw, nil), Budget: budget.New(nil)})
	fn := m.Functions(nil)[name]
	if fn == nil {
		t.Fatalf("there is no %s", name)
	}
	return fn(&value.Call{Args: []value.Value{m.Root().Field("attachments").List().At(0)}})
}

// pick walks a value: names of fields, and numbers of items.
func pick(v value.Value, path string) string {
	for p := range strings.SplitSeq(path, ".") {
		n := 0
		if _, err := fmt.Sscanf(p, "%d", &n); err == nil {
			v = v.List().At(int64(n))
			continue
		}
		v = v.Field(p)
	}
	return fmt.Sprintf("%#v", v)
}

func TestExplode(t *testing.T) {
	code := qrPicture("https://qr.example/a?u=b")
	for _, c := range []struct {
		name, file string
		want       map[string]string
	}{
		{"a.pdf", pdfDocument("Review here", "https://link.example/x"), map[string]string{
			"0.depth": "0", "0.file_name": `"a.pdf"`, "0.flavors.mime": `"application/pdf"`, "0.flavors.yara.0": `"pdf_file"`,
			"0.scan.ocr.raw": `"Review here"`, "0.scan.pdf.urls.0.url": `"https://link.example/x"`, "0.scan.url.urls.0.domain.root_domain": `"link.example"`, "0.scan.exiftool.creator": `"Maker"`, "0.scan.exiftool.page_count": "1",
			"0.scan.yara": "missing(yara scan.yara)", "0.scan.pdf_obj_hash": "missing(files)", "0.scan.qr": "null", "0.scan.zip": "null",
			"1.flavors.mime": `"text/plain"`, "1.scan.strings.strings.0": `"Review here"`, "1.depth": "1", "2.file_name": `"pdf_2_png_1"`, "2.scan.ocr.raw": `"Review here"`, "3": "null",
		}},
		{"a.zip", packed("in/q.png", code, "run.js", `var u = atob("x"); document.write(u)`), map[string]string{
			"0.scan.zip.all_paths.1": `"run.js"`, "0.scan.zip.encrypted": "false", "0.scan.encrypted_zip": "null", "1.file_name": `"in/q.png"`, "1.scan.qr.type": `"url"`, "1.scan.qr.url.domain.domain": `"qr.example"`,
			"1.scan.ocr": "missing(ocr)", "2.scan.javascript.identifiers.1": `"atob"`, "2.scan.javascript.strings.0": `"x"`, "2.flavors.yara.0": `"javascript_file"`, "2.file_extension": `"js"`,
		}},
		{"a.docx", packed("word/document.xml", wordBody, "word/_rels/document.xml.rels", wordLinks, "docProps/core.xml", wordCore), map[string]string{
			"0.scan.docx.author": `"root"`, "0.scan.docx.word_count": "2", "0.scan.ocr.raw": `"Open case"`, "0.scan.url.urls.0.url": `"https://word.example/a"`, "1.flavors.mime": `"text/xml"`,
		}},
		{"a.html", `<title>Sign in</title><script type="text/x">eval("y")</script><a href="https://page.example/">x</a>`, map[string]string{
			"0.scan.html.title": `"Sign in"`, "0.scan.html.scripts.0.type": `"text/x"`, "0.scan.url.urls.0.url": `"https://page.example/"`, "1.file_name": `"script_0"`, "1.scan.javascript.identifiers.0": `"eval"`, "0.scan.ocr": "null",
		}},
		{"a.ics", event, map[string]string{"0.scan.ics.calendars.0.components.0.uid": `"1@kiso.example"`, "0.scan.ics.calendars.0.components.0.organizers.0.mailbox.email.domain.domain": `"kiso.example"`}},
		{"a.png", code, map[string]string{"0.scan.qr.data": `"https://qr.example/a?u=b"`, "0.scan.exiftool.image_width": "132", "0.scan.ocr": "missing(ocr)", "0.scan.hash.ssdeep": "null"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := call(t, attached(c.name, c.file), "file.explode")
			got := map[string]string{}
			for path := range c.want {
				got[path] = pick(v, path)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFileFunctions(t *testing.T) {
	for _, c := range []struct {
		fn, name, file string
		want           map[string]string
	}{
		{"file.expand_archives", "a.zip", packed("b.zip", packed("c.rar", "Rar!\x1a\x07\x01\x00")), map[string]string{"files.0.file_name": `"b.zip"`, "files.1.file_name": `"c.rar"`, "files.1.file_type": `"rar"`}},
		{"file.oletools", "a.docx", packed("word/document.xml", wordBody, "word/_rels/document.xml.rels", wordLinks, "word/vbaProject.bin", "x"), map[string]string{
			"indicators.vba_macros.exists": "true", "indicators.vba_macros.risk": `"medium"`, "indicators.encryption.exists": "false", "relationships.0.name": `"hyperlink"`, "relationships.0.target_url.path": `"/a"`,
		}},
		{"file.oletools", "a.txt", "text", map[string]string{"indicators": "null"}},
		{"beta.parse_exif", "a.pdf", pdfDocument("x", ""), map[string]string{"creator": `"Maker"`, "title": `"Case"`, "page_count": "1"}},
		{"beta.file.parse_ics", "a.ics", event, map[string]string{"product_id": `"-//Test//EN"`, "events.0.links.0.href_url.domain.domain": `"ics.example"`, "events.0.links.0.display_url.query_params": `"b=c"`, "events.0.raw_properties.0.key": `"UID"`}},
		{"beta.scan_qr", "a.png", qrPicture("tel:117"), map[string]string{"found": "true", "items.0.type": `"mobile"`, "items.0.url": "null"}},
		{"beta.scan_qr", "a.txt", "text", map[string]string{"found": "false"}},
		{"beta.ocr", "a.pdf", pdfDocument("Pay now", ""), map[string]string{"text": `"Pay now"`, "success": "true", "page_results.0.text": `"Pay now"`}},
		{"beta.ocr", "a.png", qrPicture("x"), map[string]string{"text": "missing(ocr)"}},
	} {
		t.Run(c.fn+"/"+c.name, func(t *testing.T) {
			v := call(t, attached(c.name, c.file), c.fn)
			got := map[string]string{}
			for path := range c.want {
				got[path] = pick(v, path)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Evidence from inside a file leads to the part, and names the file.
func TestFileOrigin(t *testing.T) {
	v := call(t, attached("a.zip", packed("in/b.pdf", pdfDocument("Review", "https://link.example/"))), "file.explode")
	nodes := v.List()
	raw := nodes.At(1).Field("scan").Field("ocr").Field("raw")
	if w, ok := raw.Where(0, 3); !ok || w.Part != "1.2" || w.Inside != "a.zip/in/b.pdf" || w.Length != 0 {
		t.Errorf("the text is at %+v", w)
	}
	// The text of a part that is text has its very place.
	page := call(t, attached("a.txt", "Hello there"), "file.explode").List().At(0).Field("scan").Field("strings").Field("raw")
	if w, ok := page.Where(6, 5); !ok || w.Part != "1.2" {
		t.Errorf("the text is at %+v", w)
	}
}

// TestFileSchema holds what the functions return to the published types.
func TestFileSchema(t *testing.T) {
	for _, c := range []struct{ fn, name, file string }{
		{"file.explode", "a.pdf", pdfDocument("x", "https://link.example/")},
		{"file.explode", "a.zip", packed("a.html", "<script>f()</script>", "b.png", qrPicture("https://qr.example/"), "c.docx", packed("word/document.xml", wordBody, "word/vbaProject.bin", "x"))},
		{"file.explode", "a.pptx", packed("ppt/slides/slide1.xml", "<a:t>x</a:t>")},
		{"file.explode", "a.ics", event},
		{"file.explode", "a.rtf", `{\rtf1 x}`},
		{"file.explode", "a.rar", "Rar!\x1a\x07\x01\x00"},
		{"file.expand_archives", "a.zip", packed("a.html", "x")},
		{"file.oletools", "a.docx", packed("word/document.xml", wordBody, "word/_rels/document.xml.rels", wordLinks, "word/vbaProject.bin", "x")},
		{"beta.parse_exif", "a.pdf", pdfDocument("x", "")},
		{"beta.file.parse_ics", "a.ics", event},
		{"beta.scan_qr", "a.png", qrPicture("https://qr.example/")},
		{"beta.ocr", "a.pdf", pdfDocument("x", "")},
	} {
		f, _ := schema.Lookup(c.fn)
		compare(t, c.fn, call(t, attached(c.name, c.file), c.fn), f.Result, 8)
	}
}

// What a rule does not find in a file that was not read whole, it cannot rule
// out.
func TestFileBudget(t *testing.T) {
	zeros := strings.Repeat("\x00", 8<<20)
	var files []string
	for i := range 20 {
		files = append(files, strconv.Itoa(i), zeros)
	}
	raw := attached("a.zip", packed(files...))
	best := time.Hour
	for range rounds {
		start := time.Now()
		l := call(t, raw, "file.explode").List().Items()
		if last := l[len(l)-1]; !last.IsMissing() || last.Gaps()[0].Capability != "budget" {
			t.Errorf("the last of %d files is %#v", len(l), last)
		}
		best = min(best, time.Since(start))
	}
	if best > time.Second && !raceEnabled {
		t.Errorf("took %v", best)
	}
}

// A mail of many messages that each carry such a file costs no more than one.
func TestFileBudgetIsShared(t *testing.T) {
	zeros := strings.Repeat("\x00", 8<<20)
	inner := string(attached("a.zip", packed("a", zeros, "b", zeros, "c", zeros)))
	var files []string
	for range 8 {
		files = append(files, "m.eml", inner)
	}
	m := mdm.New(mdm.Input{Mail: eml.Parse(attached(files...), nil), Budget: budget.New(nil)})
	fn := m.Functions(nil)
	start := time.Now()
	for _, a := range m.Root().Field("attachments").List().Items() {
		for _, x := range fn["file.parse_eml"](&value.Call{Args: []value.Value{a}}).Field("attachments").List().Items() {
			fn["file.explode"](&value.Call{Args: []value.Value{x}}).List().Items()
		}
		fn["file.explode"](&value.Call{Args: []value.Value{a}}).List().Items()
	}
	if d := time.Since(start); d > 2*time.Second && !raceEnabled {
		t.Errorf("took %v", d)
	}
}
