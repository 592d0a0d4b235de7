package qr_test

import (
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing/qrcode/decoder"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/extract/qr"
)

// halves draws two rows of modules in a line.
func halves(code [][]bool, inverted bool) string {
	var b strings.Builder
	for y := 0; y < len(code); y += 2 {
		for x := range code[y] {
			top, bottom := code[y][x] != inverted, inverted
			if y+1 < len(code) {
				bottom = code[y+1][x] != inverted
			}
			b.WriteRune(map[[2]bool]rune{{true, true}: '█', {true, false}: '▀', {false, true}: '▄', {}: ' '}[[2]bool{top, bottom}])
		}
		b.WriteString("\r\n")
	}
	return b.String()
}

// frame adds a quiet zone.
func frame(code [][]bool) [][]bool {
	out := make([][]bool, len(code)+4)
	for y := range out {
		out[y] = make([]bool, len(code)+4)
		if y >= 2 && y < len(code)+2 {
			copy(out[y][2:], code[y-2])
		}
	}
	return out
}

func doubles(code [][]bool) string {
	var b strings.Builder
	for _, row := range code {
		for _, black := range row {
			if black {
				b.WriteString("██")
			} else {
				b.WriteString("  ")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func table(code [][]bool, dark, light string) string {
	var b strings.Builder
	b.WriteString("<p>Scan this</p><table cellspacing=0>")
	for _, row := range code {
		b.WriteString("<tr>")
		for x := 0; x < len(row); {
			n := 1
			for x+n < len(row) && row[x+n] == row[x] && n < 3 {
				n++
			}
			style := light
			if row[x] {
				style = dark
			}
			b.WriteString(`<td colspan="` + string(rune('0'+n)) + `" ` + style + "></td>")
			x += n
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</table>")
	return b.String()
}

func TestDrawn(t *testing.T) {
	code := modules(t, address, decoder.ErrorCorrectionLevel_L)
	for _, c := range []struct {
		name string
		find func(string, *budget.Budget) ([]qr.Code, bool)
		in   string
		want string
	}{
		{"HalfBlocks", qr.FindText, "Dear all,\nscan:\n\n" + halves(code, false) + "\nregards", address},
		{"HalfBlocksInverted", qr.FindText, halves(frame(code), true), address},
		{"WholeBlocks", qr.FindText, "scan\n" + doubles(code), address},
		{"Text", qr.FindText, strings.Repeat("― a line of text with “quotes”\n", 40), ""},
		{"ProgressBars", qr.FindText, strings.Repeat("██████████▌   50 %\n", 40), ""},
		{"Table", qr.FindTable, table(code, `bgcolor="#000000"`, `bgcolor=white`), address},
		{"TableOfStyles", qr.FindTable, table(code, `style="width:4px;background-color: rgb(10, 20, 30)"`, `style="width:4px"`), address},
		{"OrdinaryTable", qr.FindTable, "<table>" + strings.Repeat("<tr>"+strings.Repeat("<td bgcolor=#eee>x</td>", 30)+"</tr>", 30) + "</table>", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			codes, cut := c.find(c.in, budget.New(nil))
			got := ""
			if len(codes) > 0 {
				got = codes[0].Data
			}
			if got != c.want || len(codes) > 1 || cut {
				t.Errorf("found %q, want %q; cut %v", got, c.want, cut)
			}
		})
	}
}

func FuzzDrawn(f *testing.F) {
	code := modules(f, "HI", decoder.ErrorCorrectionLevel_L)
	f.Add(halves(code, false))
	f.Add(doubles(code))
	f.Add(table(code, "bgcolor=black", ""))
	f.Fuzz(func(t *testing.T, in string) {
		b := &budget.Budget{Cost: 8 << 20}
		for _, find := range []func(string, *budget.Budget) ([]qr.Code, bool){qr.FindText, qr.FindTable} {
			codes, _ := find(in, b)
			if len(codes) > 4*qr.MaxCodes {
				t.Errorf("%d codes", len(codes))
			}
			for _, c := range codes {
				if c.Data == "" || c.Type == "" {
					t.Errorf("%+v", c)
				}
			}
		}
	})
}
