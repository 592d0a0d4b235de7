package main

import (
	"bytes"
	"fmt"
	"strings"
)

// pdf returns a PDF document of one page with lines of ASCII text and, where
// link is not empty, a link annotation over the last line (ISO 32000-1 section
// 12.5.6.5). Nothing is compressed, so that the file can be read as text.
func pdf(link string, lines ...string) []byte {
	var content strings.Builder
	content.WriteString("BT /F1 14 Tf 72 740 Td 22 TL\n")
	escape := strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`)
	for _, l := range lines {
		fmt.Fprintf(&content, "(%s) Tj T*\n", escape.Replace(l))
	}
	content.WriteString("ET\n")
	annotations := ""
	if link != "" {
		annotations = " /Annots [6 0 R]"
	}
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 4 0 R >> >> /Contents 5 0 R" + annotations + " >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%sendstream", content.Len(), content.String()),
	}
	if link != "" {
		bottom := 740 - 22*(len(lines)-1) - 6
		objects = append(objects, fmt.Sprintf("<< /Type /Annot /Subtype /Link /Rect [70 %d 300 %d] /Border [0 0 1] /A << /S /URI /URI (%s) >> >>",
			bottom, bottom+24, escape.Replace(link)))
	}
	var w bytes.Buffer
	w.WriteString("%PDF-1.4\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = w.Len()
		fmt.Fprintf(&w, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	xref := w.Len()
	fmt.Fprintf(&w, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&w, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&w, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, xref)
	return w.Bytes()
}
