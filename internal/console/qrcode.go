package console

import "github.com/sekisho/sekisho/extract/qr"

// qrCode is a QR code as a template draws it: in modules, with the quiet zone
// around.
type qrCode struct {
	Side int
	Bars []qrBar
}

// qrBar is a run of dark modules in one row.
type qrBar struct{ X, Y, Width int }

const quietZone = 4

// drawQR draws a text, nothing if it does not fit.
func drawQR(text string) qrCode {
	rows, err := qr.Draw(text)
	if err != nil {
		return qrCode{}
	}
	out := qrCode{Side: len(rows) + 2*quietZone}
	for y, row := range rows {
		for x := 0; x < len(row); x++ {
			from := x
			for x < len(row) && row[x] {
				x++
			}
			if x > from {
				out.Bars = append(out.Bars, qrBar{from + quietZone, y + quietZone, x - from})
			}
		}
	}
	return out
}
