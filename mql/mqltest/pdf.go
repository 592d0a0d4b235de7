package mqltest

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"
)

// document returns a PDF of one page with these lines (ISO 32000-1). A line that
// is an address, or has one behind "->", carries a link annotation (section
// 12.5.6.5). Nothing is compressed.
func document(text string) []byte {
	const top, step = 780, 22
	var content strings.Builder
	var links []string
	font := newFont()
	y := top
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, "\r\n")
		label, address, ok := strings.Cut(l, "->")
		if !ok && isAddress(strings.TrimSpace(l)) {
			label, address, ok = l, l, true
		}
		if address = strings.TrimSpace(address); !ok || !isAddress(address) {
			label, address = l, ""
		}
		label = strings.TrimRight(label, " ")
		fmt.Fprintf(&content, "BT /%s 14 Tf 1 0 0 1 72 %d Tm %s Tj ET\n", font.of(label), y, font.show(label))
		if address != "" {
			links = append(links, fmt.Sprintf("<< /Type /Annot /Subtype /Link /Rect [70 %d 400 %d] /Border [0 0 1] /A << /S /URI /URI %s >> >>", y-6, y+16, literal(address)))
		}
		y -= step
	}
	const fixed = 8 // objects before the annotations
	annotations := ""
	if len(links) > 0 {
		var refs []string
		for i := range links {
			refs = append(refs, fmt.Sprintf("%d 0 R", fixed+i+1))
		}
		annotations = " /Annots [" + strings.Join(refs, " ") + "]"
	}
	objects := append([]string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 4 0 R /F2 6 0 R >> >> /Contents 5 0 R" + annotations + " >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		stream(content.String()),
		"<< /Type /Font /Subtype /Type0 /BaseFont /Gothic /Encoding /Identity-H /DescendantFonts [7 0 R] /ToUnicode 8 0 R >>",
		"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Gothic /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW 1000 >>",
		stream(font.toUnicode()),
	}, links...)
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

func isAddress(s string) bool {
	return (strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")) && !strings.ContainsAny(s, " \t")
}

func stream(s string) string {
	return fmt.Sprintf("<< /Length %d >>\nstream\n%sendstream", len(s), s)
}

func literal(s string) string {
	return "(" + strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(s) + ")"
}

// font gives the characters that Helvetica lacks numbers of their own, which the
// document maps back (section 9.10.3).
type font struct {
	codes map[rune]int
	runes []rune
}

func newFont() *font { return &font{codes: map[rune]int{}} }

func (f *font) of(s string) string {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return "F2"
		}
	}
	return "F1"
}

func (f *font) show(s string) string {
	if f.of(s) == "F1" {
		return literal(s)
	}
	var b strings.Builder
	b.WriteByte('<')
	for _, r := range s {
		code, ok := f.codes[r]
		if !ok {
			if len(f.runes) == 0xfffe {
				continue
			}
			f.runes = append(f.runes, r)
			code = len(f.runes)
			f.codes[r] = code
		}
		fmt.Fprintf(&b, "%04X", code)
	}
	b.WriteByte('>')
	return b.String()
}

func (f *font) toUnicode() string {
	var b strings.Builder
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /Text def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	const most = 100 // entries of one block, as the format has it
	for from := 0; from < len(f.runes); from += most {
		to := min(from+most, len(f.runes))
		fmt.Fprintf(&b, "%d beginbfchar\n", to-from)
		for i := from; i < to; i++ {
			fmt.Fprintf(&b, "<%04X> <", i+1)
			for _, u := range utf16.Encode([]rune{f.runes[i]}) {
				fmt.Fprintf(&b, "%04X", u)
			}
			b.WriteString(">\n")
		}
		b.WriteString("endbfchar\n")
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return b.String()
}
