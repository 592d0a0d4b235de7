package file_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/encoder"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/extract/file"
)

// picture is a PNG with a QR code.
func picture(t testing.TB, text string) []byte {
	t.Helper()
	c, err := encoder.Encoder_encodeWithoutHint(text, decoder.ErrorCorrectionLevel_M)
	if err != nil {
		t.Fatal(err)
	}
	const scale, quiet = 4, 4
	grid := c.GetMatrix()
	side := (grid.GetWidth() + 2*quiet) * scale
	m := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			gx, gy := x/scale-quiet, y/scale-quiet
			m.SetGray(x, y, color.Gray{255})
			if gx >= 0 && gy >= 0 && gx < grid.GetWidth() && gy < grid.GetHeight() && grid.Get(gx, gy) == 1 {
				m.SetGray(x, y, color.Gray{0})
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pack(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// document is a PDF document of one page with a text and a link.
func document(text, link string) []byte {
	content := "BT /F1 14 Tf 72 740 Td (" + text + ") Tj ET"
	return fmt.Appendf(nil, `%%PDF-1.4
1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj
2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj
3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 4 0 R >> >> /Contents 5 0 R /Annots [6 0 R] >> endobj
4 0 obj << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> endobj
5 0 obj << /Length %d >>
stream
%s
endstream endobj
6 0 obj << /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (%s) >> >> endobj
7 0 obj << /Title (Case) /Creator (Maker) /CreationDate (D:2026) >> endobj
trailer << /Root 1 0 R /Info 7 0 R >>`, len(content), content, link)
}

// tree shows what was found, a file to a line.
func tree(f *file.File) []string {
	var out []string
	for x := range f.All() {
		words := []string{strings.Repeat(" ", x.Depth) + x.Name, string(x.Type), string(x.Kind)}
		for _, l := range x.Links() {
			words = append(words, string(l.Kind)+":"+l.URL)
		}
		out = append(out, strings.Join(words, " "))
	}
	return out
}

func TestTree(t *testing.T) {
	qr := picture(t, "https://qr.example/a")
	mail := "From: a@kiso.example\r\nTo: b@kiso.example\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/html\r\n\r\n<a href=\"https://mail.example/\">go</a>\r\n--b\r\nContent-Type: image/png; name=q.png\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64.StdEncoding.EncodeToString(qr) + "\r\n--b--\r\n"
	html := `<title>Sign in</title><a href="https://page.example/x">here</a><script>var a = "s"</script><img src="data:image/png;base64,` + base64.StdEncoding.EncodeToString(qr) + `">`
	var zipped bytes.Buffer
	g := gzip.NewWriter(&zipped)
	if _, err := g.Write([]byte("see https://gz.example/")); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		data []byte
		want []string
	}{
		{"a.pdf", document("Review https://text.example/now", "https://link.example/"), []string{
			"a.pdf pdf root link:https://link.example/ text:https://text.example/now", " text txt text", " pdf_2_png_1 png page",
		}},
		{"a.zip", pack(t, "in/b.pdf", string(document("x", "https://link.example/")), "q.png", string(qr), "run.js", "var u='https://js.example/'"), []string{
			"a.zip zip root", " in/b.pdf pdf member link:https://link.example/", "  text txt text", "  pdf_2_png_1 png page", " q.png png member qr:https://qr.example/a", " run.js js member text:https://js.example/",
		}},
		{"a.html", []byte(html), []string{"a.html html root link:https://page.example/x", " script_0 js script", " image_1 png picture qr:https://qr.example/a"}},
		{"a.eml", []byte(mail), []string{"a.eml eml root", " body_1 html part link:https://mail.example/", " q.png png part qr:https://qr.example/a"}},
		{"a.txt.gz", zipped.Bytes(), []string{"a.txt.gz gz root", " a.txt txt member text:https://gz.example/"}},
		{"a.docx", pack(t, "word/document.xml", `<w:p><w:hyperlink r:id="r1"><w:t>Open</w:t></w:hyperlink></w:p>`, "word/_rels/document.xml.rels",
			`<?xml version="1.0"?><Relationships><Relationship Id="r1" Type="x/hyperlink" Target="https://word.example/" TargetMode="External"/></Relationships>`, "word/media/image1.png", string(qr)), []string{
			"a.docx docx root link:https://word.example/", " word/document.xml xml member", " word/_rels/document.xml.rels xml member text:https://word.example/", " word/media/image1.png png member qr:https://qr.example/a",
		}},
		{"a.ics", []byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDESCRIPTION:https://ics.example/\r\nATTACH;ENCODING=BASE64;X-FILENAME=n.txt:aGVsbG8=\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"), []string{
			"a.ics ics root text:https://ics.example/", " n.txt txt member",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, tree(file.Open(c.name, c.data, nil, budget.New(nil)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestContent(t *testing.T) {
	f := file.Open("a.pdf", document("Hello there", "https://link.example/"), nil, nil)
	if s, ok := f.Text(); !ok || s != "Hello there" {
		t.Errorf("text %q, %v", s, ok)
	}
	for key, want := range map[string]string{"Title": "Case", "Creator": "Maker", "PageCount": "1", "PDFVersion": "1.4", "CreateDate": "D:2026", "Producer": ""} {
		if got := f.Field(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if f.Pages() != 1 {
		t.Errorf("%d pages", f.Pages())
	}
	page := file.Open("a.html", []byte("<p>one</p>\n<script>atob('x')</script>"), nil, nil)
	if diff := cmp.Diff([]string{"<p>one</p>", "<script>atob('x')</script>"}, page.Strings()); diff != "" {
		t.Error(diff)
	}
	if s := page.Children()[0].JavaScript(); s == nil || len(s.Identifiers) != 1 {
		t.Errorf("script %+v", s)
	}
	bin := file.Open("a.bin", []byte("\x00\x01word\x02abc\x03longer\x00"), nil, nil)
	if diff := cmp.Diff([]string{"word", "longer"}, bin.Strings()); diff != "" {
		t.Error(diff)
	}
	inner := file.Open("a.zip", pack(t, "d/b.txt", "x"), nil, nil).Children()[0]
	if inner.Path() != "d/b.txt" || inner.Depth != 1 {
		t.Errorf("%s at depth %d", inner.Path(), inner.Depth)
	}
}

// Archives in archives without end, and ones that unfold into much, end and say
// so.
func TestHostile(t *testing.T) {
	nested := []byte("the end")
	for range file.MaxDepth + 3 {
		nested = pack(t, "a.zip", string(nested), "b.txt", "x")
	}
	wide := []string{}
	zeros := strings.Repeat("\x00", 4<<20)
	for i := range 40 {
		wide = append(wide, fmt.Sprintf("%d.bin", i), zeros)
	}
	bomb := pack(t, wide...)
	many := []string{}
	for i := range 900 {
		many = append(many, fmt.Sprintf("%d.txt", i), "https://a.example/")
	}
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"Nested", nested},
		{"Bomb", bomb},
		{"BombInBombs", pack(t, "a.zip", string(bomb), "b.zip", string(bomb), "c.zip", string(bomb), "d.zip", string(bomb))},
		{"Many", pack(t, many...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			best := time.Hour
			for range rounds {
				start := time.Now()
				n := 0
				f := file.Open("a.zip", c.data, nil, budget.New(nil).Files())
				for x := range f.All() {
					x.Links()
					x.Strings()
					x.Metadata()
					n++
				}
				cut := f.TreeCut() || f.Cut()
				if !cut || n > file.MaxFiles {
					t.Errorf("%d files, cut %v", n, cut)
				}
				best = min(best, time.Since(start))
			}
			if best > time.Second && !raceEnabled {
				t.Errorf("took %v", best)
			}
		})
	}
}

func FuzzOpen(f *testing.F) {
	f.Add("a.pdf", document("x", "https://link.example/"))
	f.Add("a.zip", pack(f, "a.html", "<script>", "b.docx", "PK"))
	f.Add("a.png", picture(f, "https://qr.example/"))
	f.Add("a.ics", []byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nATTACH;ENCODING=BASE64:UEs="))
	f.Add("a.eml", []byte("From: a@kiso.example\r\nTo: b\r\nSubject: c\r\nContent-Type: text/html\r\n\r\n<img src=data:image/png;base64,AAAA>"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		root := file.Open(name, data, nil, &budget.Budget{Cost: 8 << 20, Parts: 1000, Depth: 20})
		n := 0
		for x := range root.All() {
			n++
			x.Links()
			x.Strings()
			x.Metadata()
			x.Text()
			if x.Parent != nil && x.Depth != x.Parent.Depth+1 {
				t.Errorf("depth %d in %d", x.Depth, x.Parent.Depth)
			}
		}
		if n > file.MaxFiles {
			t.Errorf("%d files", n)
		}
	})
}
