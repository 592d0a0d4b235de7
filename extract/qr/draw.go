package qr

import (
	"errors"

	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/encoder"
)

// ErrTooLong is for a text that is longer than a code should be.
var ErrTooLong = errors.New("qr: the text is too long")

// MaxDrawn is how many bytes a code that [Draw] makes has at most: a telephone
// reads more than that badly from a screen.
const MaxDrawn = 500

// Draw makes a QR code of a text: rows of modules, true for dark ones, without
// the quiet zone of four modules that has to be around it. Its error correction
// is M, which stands for 15 % of the code missing. It is for texts of our own, such
// as the secret of one-time codes.
func Draw(text string) ([][]bool, error) {
	if len(text) > MaxDrawn {
		return nil, ErrTooLong
	}
	code, err := encoder.Encoder_encodeWithoutHint(text, decoder.ErrorCorrectionLevel_M)
	if err != nil {
		return nil, err
	}
	m := code.GetMatrix()
	rows := make([][]bool, m.GetHeight())
	for y := range rows {
		rows[y] = make([]bool, m.GetWidth())
		for x := range rows[y] {
			rows[y][x] = m.Get(x, y) == 1
		}
	}
	return rows, nil
}
