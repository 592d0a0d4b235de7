package qr_test

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/encoder"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/extract/qr"
)

const address = "https://login.contoso.example/s?u=hanako@kiso.example"

// modules encodes a text.
func modules(t testing.TB, text string, level decoder.ErrorCorrectionLevel) [][]bool {
	t.Helper()
	c, err := encoder.Encoder_encodeWithoutHint(text, level)
	if err != nil {
		t.Fatal(err)
	}
	m := c.GetMatrix()
	out := make([][]bool, m.GetHeight())
	for y := range out {
		out[y] = make([]bool, m.GetWidth())
		for x := range out[y] {
			out[y][x] = m.Get(x, y) == 1
		}
	}
	return out
}

// paint draws a code with its quiet zone.
func paint(code [][]bool, scale int, dark, light color.Color) *image.NRGBA {
	const quiet = 4
	side := (len(code) + 2*quiet) * scale
	m := image.NewNRGBA(image.Rect(0, 0, side, side))
	draw.Draw(m, m.Bounds(), image.NewUniform(light), image.Point{}, draw.Src)
	for y, row := range code {
		for x, black := range row {
			if black {
				draw.Draw(m, image.Rect((x+quiet)*scale, (y+quiet)*scale, (x+quiet+1)*scale, (y+quiet+1)*scale), image.NewUniform(dark), image.Point{}, draw.Src)
			}
		}
	}
	return m
}

// warp paints dst by asking where each pixel comes from.
func warp(m *image.NRGBA, w, h int, from func(x, y float64) (float64, float64)) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			sx, sy := from(float64(x), float64(y))
			c := color.NRGBA{255, 255, 255, 255}
			if p := image.Pt(int(sx), int(sy)); p.In(m.Bounds()) {
				c = m.NRGBAAt(p.X, p.Y)
			}
			out.SetNRGBA(x, y, c)
		}
	}
	return out
}

func blur(m *image.NRGBA, r int) *image.NRGBA {
	out := image.NewNRGBA(m.Bounds())
	b := m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			sum, n := 0, 0
			for dy := -r; dy <= r; dy++ {
				for dx := -r; dx <= r; dx++ {
					if p := image.Pt(x+dx, y+dy); p.In(b) {
						sum += int(m.NRGBAAt(p.X, p.Y).R)
						n++
					}
				}
			}
			v := uint8(sum / n)
			out.SetNRGBA(x, y, color.NRGBA{v, v, v, 255})
		}
	}
	return out
}

func TestFind(t *testing.T) {
	black, white := color.NRGBA{0, 0, 0, 255}, color.NRGBA{255, 255, 255, 255}
	code := modules(t, address, decoder.ErrorCorrectionLevel_M)
	plain := paint(code, 6, black, white)
	side := plain.Bounds().Dx()
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name string
		make func() image.Image
		want []string
	}{
		{"Plain", func() image.Image { return plain }, []string{address}},
		{"OnePixelModules", func() image.Image { return paint(code, 1, black, white) }, []string{address}},
		{"TwoPixelModules", func() image.Image { return paint(code, 2, black, white) }, []string{address}},
		{"Large", func() image.Image { return paint(code, 60, black, white) }, []string{address}},
		{"Inverted", func() image.Image { return paint(code, 5, white, black) }, []string{address}},
		{"LowContrast", func() image.Image {
			return paint(code, 6, color.NRGBA{150, 150, 150, 255}, color.NRGBA{200, 200, 200, 255})
		}, []string{address}},
		{"RedOnYellow", func() image.Image {
			return paint(code, 6, color.NRGBA{200, 0, 0, 255}, color.NRGBA{255, 255, 0, 255})
		}, []string{address}},
		{"Transparent", func() image.Image { return paint(code, 6, black, color.NRGBA{}) }, []string{address}},
		{"Turned", func() image.Image {
			sin, cos := math.Sincos(17 * math.Pi / 180)
			return warp(plain, 500, 500, func(x, y float64) (float64, float64) {
				x, y = x-250, y-250
				return x*cos + y*sin + float64(side)/2, y*cos - x*sin + float64(side)/2
			})
		}, []string{address}},
		{"UpsideDown", func() image.Image {
			return warp(plain, side, side, func(x, y float64) (float64, float64) { return float64(side-1) - x, float64(side-1) - y })
		}, []string{address}},
		{"Mirrored", func() image.Image {
			return warp(plain, side, side, func(x, y float64) (float64, float64) { return float64(side-1) - x, y })
		}, []string{address}},
		{"Perspective", func() image.Image {
			return warp(plain, side, side, func(x, y float64) (float64, float64) {
				k := 1 + 0.25*y/float64(side)
				return (x-float64(side)/2)*k + float64(side)/2, y * k * 0.9
			})
		}, []string{address}},
		{"Blurred", func() image.Image { return blur(plain, 2) }, []string{address}},
		{"Noisy", func() image.Image {
			m := image.NewNRGBA(plain.Bounds())
			for i := 0; i < len(plain.Pix); i += 4 {
				v := uint8(min(255, max(0, int(plain.Pix[i])+random.IntN(161)-80)))
				m.Pix[i], m.Pix[i+1], m.Pix[i+2], m.Pix[i+3] = v, v, v, 255
			}
			return m
		}, []string{address}},
		{"PoorJPEG", func() image.Image {
			var b bytes.Buffer
			if err := jpeg.Encode(&b, plain, &jpeg.Options{Quality: 20}); err != nil {
				t.Fatal(err)
			}
			m, err := jpeg.Decode(&b)
			if err != nil {
				t.Fatal(err)
			}
			return m
		}, []string{address}},
		{"LogoInTheMiddle", func() image.Image {
			m := paint(modules(t, address, decoder.ErrorCorrectionLevel_H), 6, black, white)
			c := m.Bounds().Dx() / 2
			draw.Draw(m, image.Rect(c-25, c-25, c+25, c+25), image.NewUniform(color.NRGBA{0, 120, 212, 255}), image.Point{}, draw.Src)
			return m
		}, []string{address}},
		{"InAPage", func() image.Image {
			m := page(1400, 1800)
			draw.Draw(m, image.Rect(900, 1300, 900+side, 1300+side), plain, image.Point{}, draw.Src)
			return m
		}, []string{address}},
		{"TwoInOne", func() image.Image {
			m := page(1000, 700)
			draw.Draw(m, image.Rect(50, 50, 50+side, 50+side), plain, image.Point{}, draw.Src)
			second := paint(modules(t, "tel:+81-3-0000-0000", decoder.ErrorCorrectionLevel_L), 5, black, white)
			draw.Draw(m, image.Rect(500, 300, 700, 500), second, image.Point{}, draw.Src)
			return m
		}, []string{address, "tel:+81-3-0000-0000"}},
		{"Japanese", func() image.Image {
			return paint(modules(t, "https://kiso.example/請求書", decoder.ErrorCorrectionLevel_L), 4, black, white)
		}, []string{"https://kiso.example/請求書"}},
		{"NoCode", func() image.Image { return page(800, 600) }, nil},
		{"Grey", func() image.Image {
			m := image.NewGray(plain.Bounds())
			draw.Draw(m, m.Bounds(), plain, image.Point{}, draw.Src)
			return m.SubImage(image.Rect(4, 4, side-4, side-4))
		}, []string{address}},
		{"Tiny", func() image.Image { return image.NewGray(image.Rect(0, 0, 20, 20)) }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := c.make()
			start := time.Now()
			codes, cut := qr.Find(m, budget.New(nil))
			took := time.Since(start)
			var got []string
			for _, x := range codes {
				got = append(got, x.Data)
				if !x.Box.Overlaps(m.Bounds().Sub(m.Bounds().Min)) {
					t.Errorf("the code is at %v", x.Box)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" || cut {
				t.Errorf("cut %v: %s", cut, diff)
			}
			t.Logf("%v: %v", m.Bounds().Size(), took)
		})
	}
}

// page paints lines of boxes, as text looks from afar.
func page(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.Draw(m, m.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	random := rand.New(rand.NewPCG(3, 4))
	for y := 30; y < h-30; y += 24 {
		for x := 40; x < w-60; {
			n := 2 + random.IntN(9)
			draw.Draw(m, image.Rect(x, y, x+n, y+4+random.IntN(12)), image.NewUniform(color.Black), image.Point{}, draw.Src)
			x += n + 1 + random.IntN(8)
		}
	}
	return m
}

func TestType(t *testing.T) {
	for _, c := range []struct {
		data string
		is   qr.Type
		link string
	}{
		{"https://a.example/x", qr.URL, "https://a.example/x"},
		{"HTTPS://A.EXAMPLE", qr.URL, "HTTPS://A.EXAMPLE"},
		{"URLTO:a.example", qr.URL, "a.example"},
		{"a.example/x?y", qr.Undefined, "a.example/x?y"},
		{"3.14", qr.Undefined, ""},
		{"hello. there", qr.Undefined, ""},
		{"mailto:a@kiso.example", qr.Email, ""},
		{"WIFI:T:WPA;S:x;;", qr.WiFi, ""},
		{"tel:117", qr.Mobile, ""},
		{"market://details?id=x", qr.App, ""},
		{"geo:35,139", qr.Geo, ""},
	} {
		code := modules(t, c.data, decoder.ErrorCorrectionLevel_L)
		codes, _ := qr.Find(paint(code, 4, color.Black, color.White), nil)
		if len(codes) != 1 {
			t.Errorf("%s: %d codes", c.data, len(codes))
			continue
		}
		if codes[0].Type != c.is || codes[0].Link() != c.link {
			t.Errorf("%s: %s leading to %q", c.data, codes[0].Type, codes[0].Link())
		}
	}
}

// A picture full of corner marks must come to an end.
func TestHostile(t *testing.T) {
	tile := []string{"11111110", "10000010", "10111010", "10111010", "10111010", "10000010", "11111110", "00000000"}
	for _, scale := range []int{1, 2, 5} {
		m := image.NewGray(image.Rect(0, 0, 2000, 2000))
		for y := range 2000 {
			for x := range 2000 {
				if tile[y/scale%8][x/scale%8] == '0' {
					m.Pix[y*m.Stride+x] = 255
				}
			}
		}
		best := time.Hour
		for range rounds {
			start := time.Now()
			qr.Find(m, &budget.Budget{Cost: 64 << 20})
			best = min(best, time.Since(start))
		}
		if best > time.Second && !raceEnabled {
			t.Errorf("scale %d took %v", scale, best)
		}
	}
	if _, cut := qr.Find(image.NewGray(image.Rect(0, 0, 2000, 2000)), &budget.Budget{Cost: 1000}); !cut {
		t.Error("looked without a budget")
	}
}

func BenchmarkFind(b *testing.B) {
	m := page(1400, 1800)
	b.SetBytes(1400 * 1800)
	for b.Loop() {
		qr.Find(m, nil)
	}
}
