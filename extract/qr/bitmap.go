package qr

import (
	"image"
	"image/color"

	"github.com/makiuchi-d/gozxing"
)

// greyMap is a picture without colours.
type greyMap struct {
	w, h int
	pix  []uint8
}

// grey makes a picture grey. What is transparent is white, as on paper.
func grey(m image.Image) *greyMap {
	r := m.Bounds()
	g := &greyMap{w: r.Dx(), h: r.Dy()}
	g.pix = make([]uint8, g.w*g.h)
	switch m := m.(type) {
	case *image.YCbCr:
		for y := range g.h {
			at := m.YOffset(r.Min.X, r.Min.Y+y)
			copy(g.pix[y*g.w:(y+1)*g.w], m.Y[at:])
		}
	case *image.Gray:
		for y := range g.h {
			at := m.PixOffset(r.Min.X, r.Min.Y+y)
			copy(g.pix[y*g.w:(y+1)*g.w], m.Pix[at:])
		}
	case *image.Paletted:
		var lumas [256]uint8
		for i, c := range m.Palette {
			if i < len(lumas) {
				lumas[i] = lumaOf(c)
			}
		}
		for y := range g.h {
			at := m.PixOffset(r.Min.X, r.Min.Y+y)
			for x, p := range m.Pix[at : at+g.w] {
				g.pix[y*g.w+x] = lumas[p]
			}
		}
	case *image.NRGBA:
		for y := range g.h {
			at := m.PixOffset(r.Min.X, r.Min.Y+y)
			for x := range g.w {
				p := m.Pix[at+4*x : at+4*x+4 : at+4*x+4]
				g.pix[y*g.w+x] = onWhite(luma(int(p[0]), int(p[1]), int(p[2])), int(p[3]))
			}
		}
	case *image.RGBA:
		for y := range g.h {
			at := m.PixOffset(r.Min.X, r.Min.Y+y)
			for x := range g.w {
				p := m.Pix[at+4*x : at+4*x+4 : at+4*x+4]
				// The colours are multiplied with the opacity already.
				g.pix[y*g.w+x] = uint8(min(255, luma(int(p[0]), int(p[1]), int(p[2]))+255-int(p[3])))
			}
		}
	default:
		for y := range g.h {
			for x := range g.w {
				g.pix[y*g.w+x] = lumaOf(m.At(r.Min.X+x, r.Min.Y+y))
			}
		}
	}
	return g
}

// luma is how bright a colour is to the eye (ITU-R BT.601).
func luma(r, g, b int) int { return (299*r + 587*g + 114*b) / 1000 }

func onWhite(l, alpha int) uint8 { return uint8((l*alpha + 255*(255-alpha)) / 255) }

func lumaOf(c color.Color) uint8 {
	if c == nil {
		return 255
	}
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	return onWhite(luma(int(n.R), int(n.G), int(n.B)), int(n.A))
}

// half returns the picture in half its size.
func (g *greyMap) half() *greyMap {
	out := &greyMap{w: g.w / 2, h: g.h / 2}
	out.pix = make([]uint8, out.w*out.h)
	for y := range out.h {
		a, b := g.pix[2*y*g.w:], g.pix[(2*y+1)*g.w:]
		row := out.pix[y*out.w : (y+1)*out.w]
		for x := range row {
			row[x] = uint8((int(a[2*x]) + int(a[2*x+1]) + int(b[2*x]) + int(b[2*x+1])) / 4)
		}
	}
	return out
}

// double returns the picture in double its size.
func (g *greyMap) double() *greyMap {
	out := &greyMap{w: 2 * g.w, h: 2 * g.h}
	out.pix = make([]uint8, out.w*out.h)
	for y := range out.h {
		for x := range out.w {
			out.pix[y*out.w+x] = g.pix[y/2*g.w+x/2]
		}
	}
	return out
}

// bitmap is a picture in black and white.
type bitmap struct {
	w, h  int
	black []bool
}

// Parameters of local: the picture is cut into blocks, and what is darker than
// the blocks around it is black.
const (
	blockSize    = 8
	minimumRange = 24 // within a block; less is no edge
)

// local makes a picture black and white by what is around each pixel, so that
// shadows and colours behind a code do not matter. It is nil for a picture that
// is too small.
func (g *greyMap) local() *bitmap {
	if g.w < 5*blockSize || g.h < 5*blockSize {
		return nil
	}
	bw, bh := (g.w+blockSize-1)/blockSize, (g.h+blockSize-1)/blockSize
	levels := make([]int, bw*bh)
	for by := range bh {
		y0 := min(by*blockSize, g.h-blockSize)
		for bx := range bw {
			x0 := min(bx*blockSize, g.w-blockSize)
			sum, low, high := 0, 255, 0
			for y := y0; y < y0+blockSize; y++ {
				for _, p := range g.pix[y*g.w+x0 : y*g.w+x0+blockSize] {
					v := int(p)
					sum += v
					low, high = min(low, v), max(high, v)
				}
			}
			level := sum / (blockSize * blockSize)
			if high-low <= minimumRange {
				// All of one colour: light, unless what is around it says that it
				// is the inside of something dark.
				level = low / 2
				if by > 0 && bx > 0 {
					near := (levels[(by-1)*bw+bx] + 2*levels[by*bw+bx-1] + levels[(by-1)*bw+bx-1]) / 4
					if low < near {
						level = near
					}
				}
			}
			levels[by*bw+bx] = level
		}
	}
	out := &bitmap{w: g.w, h: g.h, black: make([]bool, g.w*g.h)}
	for by := range bh {
		y0 := min(by*blockSize, g.h-blockSize)
		top := min(max(by, 2), bh-3)
		for bx := range bw {
			x0 := min(bx*blockSize, g.w-blockSize)
			left := min(max(bx, 2), bw-3)
			sum := 0
			for y := top - 2; y <= top+2; y++ {
				for _, l := range levels[y*bw+left-2 : y*bw+left+3] {
					sum += l
				}
			}
			level := uint8(sum / 25)
			for y := y0; y < y0+blockSize; y++ {
				at := y*g.w + x0
				for x, p := range g.pix[at : at+blockSize] {
					out.black[at+x] = p <= level
				}
			}
		}
	}
	return out
}

// global makes a picture black and white by one level for all of it: the one
// that parts its pixels best into two kinds (Otsu's method). It is nil for a
// picture of one colour.
func (g *greyMap) global() *bitmap {
	var count [256]int
	for _, p := range g.pix {
		count[p]++
	}
	total, sum := len(g.pix), 0
	for v, n := range count {
		sum += v * n
	}
	best, level := 0.0, -1
	below, belowSum := 0, 0
	for v, n := range count {
		below += n
		belowSum += v * n
		if below == 0 || below == total {
			continue
		}
		d := float64(belowSum)/float64(below) - float64(sum-belowSum)/float64(total-below)
		if spread := d * d * float64(below) * float64(total-below); spread > best {
			best, level = spread, v
		}
	}
	if level < 0 {
		return nil
	}
	out := &bitmap{w: g.w, h: g.h, black: make([]bool, len(g.pix))}
	for i, p := range g.pix {
		out.black[i] = int(p) <= level
	}
	return out
}

func (m *bitmap) at(x, y int) bool { return m.black[y*m.w+x] }

// matrix returns the picture as the decoder wants it.
func (m *bitmap) matrix(inverted bool) *gozxing.BitMatrix {
	out, err := gozxing.NewBitMatrix(m.w, m.h)
	if err != nil {
		return nil
	}
	for y := range m.h {
		for x, black := range m.black[y*m.w : (y+1)*m.w] {
			if black != inverted {
				out.Set(x, y)
			}
		}
	}
	return out
}
