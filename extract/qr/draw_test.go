package qr_test

import (
	"errors"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/sekisho/sekisho/extract/qr"
)

// What Draw makes, the reader reads.
func TestDraw(t *testing.T) {
	for name, text := range map[string]string{
		"OneTimeCode": "otpauth://totp/sekisho:admin?issuer=sekisho&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
		"Long":        "https://desk.kiso-works.example/" + strings.Repeat("x", qr.MaxDrawn-32),
		"Short":       "https://a.example",
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := qr.Draw(text)
			if err != nil {
				t.Fatal(err)
			}
			const scale, quiet = 4, 4
			img := image.NewGray(image.Rect(0, 0, (len(rows)+2*quiet)*scale, (len(rows)+2*quiet)*scale))
			for y := range img.Rect.Dy() {
				for x := range img.Rect.Dx() {
					my, mx := y/scale-quiet, x/scale-quiet
					dark := my >= 0 && mx >= 0 && my < len(rows) && mx < len(rows) && rows[my][mx]
					if !dark {
						img.SetGray(x, y, color.Gray{255})
					}
				}
			}
			codes, _ := qr.Find(img, nil)
			if len(codes) != 1 || codes[0].Data != text {
				t.Errorf("%v", codes)
			}
		})
	}
	if _, err := qr.Draw(strings.Repeat("x", qr.MaxDrawn+1)); !errors.Is(err, qr.ErrTooLong) {
		t.Errorf("the error is %v", err)
	}
}
