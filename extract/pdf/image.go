package pdf

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
)

// Bounds on a picture.
const (
	MaxPixels = 40_000_000
	maxScans  = 40 // of a progressive JPEG
)

// Image is a picture that a page paints. Its pixels are made when they are asked
// for.
type Image struct {
	Page          int
	Width, Height int

	file   *file
	stream *stream
}

func (f *file) image(s *stream, page int) {
	width, _ := f.resolve(s.dict["Width"]).(int)
	height, _ := f.resolve(s.dict["Height"]).(int)
	if width <= 0 || height <= 0 || width > MaxPixels/height {
		return
	}
	for _, have := range f.doc.Images {
		if have.stream == s {
			return
		}
	}
	if len(f.doc.Images) >= MaxImages {
		f.doc.Truncated = true
		return
	}
	f.doc.Images = append(f.doc.Images, Image{Page: page, Width: width, Height: height, file: f, stream: s})
}

// Pixels decodes the picture. It is nil for one that is encoded in a way that is
// not read here (JPEG 2000, JBIG2, fax) or broken.
func (i *Image) Pixels() image.Image {
	f := i.file
	data, kind := f.decode(i.stream)
	switch kind {
	case "DCTDecode", "DCT":
		c, err := jpeg.DecodeConfig(bytes.NewReader(data))
		if err != nil || c.Width <= 0 || c.Height <= 0 || c.Width > MaxPixels/c.Height || !f.take(c.Width*c.Height) {
			return nil
		}
		// A progressive JPEG goes over the whole picture again with each scan, for a
		// few bytes.
		scans := bytes.Count(data, []byte{0xff, 0xda})
		if scans > maxScans || !f.take(c.Width*c.Height*scans) {
			return nil
		}
		m, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			return nil
		}
		return m
	case "":
		return i.raw(data)
	}
	return nil
}

// raw makes a grey picture of samples (8.9.5), which is enough to find codes in
// it.
func (i *Image) raw(data []byte) image.Image {
	f, d := i.file, i.stream.dict
	bits, _ := f.resolve(d["BitsPerComponent"]).(int)
	if f.resolve(d["ImageMask"]) == true {
		bits = 1
	}
	if bits != 1 && bits != 2 && bits != 4 && bits != 8 {
		return nil
	}
	if !f.take(i.Width * i.Height) {
		return nil
	}
	n, palette := f.colors(d["ColorSpace"], 0)
	if f.resolve(d["ImageMask"]) == true {
		n = 1
	}
	row := (i.Width*n*bits + 7) / 8
	out := image.NewGray(image.Rect(0, 0, i.Width, i.Height))
	most := 1<<bits - 1
	invert := false
	if dec := f.list(d["Decode"]); len(dec) >= 2 {
		invert = toFloat(f.resolve(dec[0])) > toFloat(f.resolve(dec[1]))
	}
	var sample [4]uint8
	for y := range i.Height {
		if (y+1)*row > len(data) {
			break
		}
		line := data[y*row:]
		for x := range i.Width {
			for c := range min(n, 4) {
				at := (x*n + c) * bits
				v := int(line[at/8]) >> (8 - bits - at%8) & most
				if palette == nil {
					v = v * 255 / most
				}
				sample[c] = uint8(v) //nolint:gosec // at most 255
			}
			var grey uint8
			switch {
			case palette != nil:
				if int(sample[0]) < len(palette) {
					grey = palette[sample[0]]
				}
			case n == 3:
				grey = luma(sample[0], sample[1], sample[2])
			case n == 4:
				r, g, b := color.CMYKToRGB(sample[0], sample[1], sample[2], sample[3])
				grey = luma(r, g, b)
			default:
				grey = sample[0]
			}
			if invert {
				grey = 255 - grey
			}
			out.Pix[y*out.Stride+x] = grey
		}
	}
	return out
}

func luma(r, g, b uint8) uint8 {
	return uint8((299*int(r) + 587*int(g) + 114*int(b)) / 1000) //nolint:gosec // a mean of bytes
}

// colors is the number of components of a colour space, and of an indexed one
// the greys of its entries.
func (f *file) colors(v any, depth int) (n int, palette []uint8) {
	if depth > 4 {
		return 1, nil
	}
	switch v := f.resolve(v).(type) {
	case name:
		switch v {
		case "DeviceRGB", "RGB", "CalRGB":
			return 3, nil
		case "DeviceCMYK", "CMYK":
			return 4, nil
		}
	case array:
		if len(v) < 2 {
			if len(v) == 1 {
				return f.colors(v[0], depth+1)
			}
			return 1, nil
		}
		kind, _ := f.resolve(v[0]).(name)
		switch kind {
		case "ICCBased":
			if k, ok := f.resolve(f.dictOf(v[1])["N"]).(int); ok && (k == 3 || k == 4) {
				return k, nil
			}
		case "CalRGB", "Lab":
			return 3, nil
		case "Indexed", "I":
			if len(v) < 4 {
				return 1, nil
			}
			base, _ := f.colors(v[1], depth+1)
			var table []byte
			switch t := f.resolve(v[3]).(type) {
			case str:
				table = t
			case *stream:
				table, _ = f.decode(t)
			}
			for i := 0; i+base <= len(table) && len(palette) < 256; i += base {
				switch base {
				case 3:
					palette = append(palette, luma(table[i], table[i+1], table[i+2]))
				case 4:
					r, g, b := color.CMYKToRGB(table[i], table[i+1], table[i+2], table[i+3])
					palette = append(palette, luma(r, g, b))
				default:
					palette = append(palette, table[i])
				}
			}
			if palette == nil {
				palette = []uint8{0}
			}
			return 1, palette
		case "DeviceN":
			if names, ok := f.resolve(v[1]).(array); ok {
				return max(1, min(len(names), 4)), nil
			}
		}
	}
	return 1, nil
}
