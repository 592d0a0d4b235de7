package extract_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/encoder"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract"
)

const (
	wordBody  = `<w:document><w:p><w:hyperlink r:id="r1"><w:t>https://shown.example/</w:t></w:hyperlink></w:p></w:document>`
	wordLinks = `<Relationships><Relationship Id="r1" Type="x/hyperlink" Target="https://word.test/" TargetMode="External"/></Relationships>`
)

func pack(t *testing.T, files ...string) string {
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
	return b.String()
}

// drawn draws a QR code with half blocks.
func drawn(t *testing.T, text string) string {
	t.Helper()
	c, err := encoder.Encoder_encodeWithoutHint(text, decoder.ErrorCorrectionLevel_L)
	if err != nil {
		t.Fatal(err)
	}
	m := c.GetMatrix()
	var b strings.Builder
	for y := 0; y < m.GetHeight(); y += 2 {
		for x := range m.GetWidth() {
			top, bottom := m.Get(x, y) == 1, y+1 < m.GetHeight() && m.Get(x, y+1) == 1
			b.WriteRune(map[[2]bool]rune{{true, true}: '█', {true, false}: '▀', {false, true}: '▄', {}: ' '}[[2]bool{top, bottom}])
		}
		b.WriteString("\r\n")
	}
	return b.String()
}

func TestInside(t *testing.T) {
	var raw strings.Builder
	raw.WriteString("From: a@sender.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nsee https://body.example/\r\n\r\n" + drawn(t, "https://drawn.example/") + "\r\n")
	word := pack(t, "word/document.xml", wordBody, "word/_rels/document.xml.rels", wordLinks)
	for _, f := range []struct{ name, data string }{{"a.docx", word}, {"b.zip", pack(t, "in/c.docx", word, "d.txt", "https://text.example/")}, {"e.txt", "https://file.example/"}} {
		fmt.Fprintf(&raw, "--b\r\nContent-Type: application/octet-stream; name=%q\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n", f.name, base64.StdEncoding.EncodeToString([]byte(f.data)))
	}
	raw.WriteString("--b--\r\n")
	content := extract.Read(eml.Parse([]byte(raw.String()), nil), budget.New(nil))
	var got []string
	for i := range content.Links {
		l := &content.Links[i]
		d, deceptive := l.Deceptive()
		got = append(got, fmt.Sprintf("%s %s in %q part %s count %d deceptive %v %s", l.Source, l.URL, l.In(), l.Where().Part, l.Count, deceptive, d.Shown))
	}
	want := []string{
		`text https://body.example/ in "" part 1.1 count 1 deceptive false `,
		`qr https://drawn.example/ in "" part 1.1 count 1 deceptive false `,
		`attachment https://word.test/ in "a.docx" part 1.2 count 2 deceptive true shown.example`,
		`attachment https://shown.example/ in "a.docx" part 1.2 count 2 deceptive false `,
		`attachment https://text.example/ in "b.zip/d.txt" part 1.3 count 1 deceptive false `,
		`attachment https://file.example/ in "e.txt" part 1.4 count 1 deceptive false `,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if content.FilesCut() {
		t.Error("the files are cut")
	}
}
