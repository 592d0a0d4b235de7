// Package image reads pictures: their size, what they tell about their making,
// and their pixels where a code is looked for in them.
//
// Decoders of pictures are what attackers like best. A picture is measured
// before it is decoded, what unfolds is paid for, and a decoder that gives up
// with a panic is a picture that cannot be read.
package image

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"github.com/sekisho/sekisho/budget"
)

// MaxPixels is the largest picture that is decoded.
const MaxPixels = 8_000_000

// Costs of decoding, in units for each pixel.
const (
	pixelCost = 4
	scanCost  = 1 // for each pass over a progressive JPEG
	maxScans  = 40
)

// Errors of [Decode].
var (
	// ErrFormat means that the data is no picture that can be read here.
	ErrFormat = errors.New("image: not a picture of a known format")

	// ErrLimit means that the picture is too large, or that the budget ran out.
	ErrLimit = errors.New("image: too large")
)

// decoder is a way to read pictures.
type decoder struct {
	config func(*bytes.Reader) (image.Config, error)
	decode func(*bytes.Reader) (image.Image, error)
}

func decoderOf(data []byte) (decoder, bool) {
	has := func(prefix string) bool { return bytes.HasPrefix(data, []byte(prefix)) }
	switch {
	case has("\x89PNG\r\n\x1a\n"):
		return decoder{func(r *bytes.Reader) (image.Config, error) { return png.DecodeConfig(r) }, func(r *bytes.Reader) (image.Image, error) { return png.Decode(r) }}, true
	case has("\xff\xd8"):
		return decoder{func(r *bytes.Reader) (image.Config, error) { return jpeg.DecodeConfig(r) }, func(r *bytes.Reader) (image.Image, error) { return jpeg.Decode(r) }}, true
	case has("GIF8"):
		return decoder{func(r *bytes.Reader) (image.Config, error) { return gif.DecodeConfig(r) }, func(r *bytes.Reader) (image.Image, error) { return gif.Decode(r) }}, true
	case has("BM"):
		return decoder{func(r *bytes.Reader) (image.Config, error) { return bmp.DecodeConfig(r) }, func(r *bytes.Reader) (image.Image, error) { return bmp.Decode(r) }}, true
	case has("RIFF") && len(data) > 12 && string(data[8:12]) == "WEBP":
		return decoder{func(r *bytes.Reader) (image.Config, error) { return webp.DecodeConfig(r) }, func(r *bytes.Reader) (image.Image, error) { return webp.Decode(r) }}, true
	case has("II*\x00"), has("MM\x00*"):
		return decoder{func(r *bytes.Reader) (image.Config, error) { return tiff.DecodeConfig(r) }, func(r *bytes.Reader) (image.Image, error) { return tiff.Decode(r) }}, true
	}
	return decoder{}, false
}

// Decode returns the pixels of a picture, of an animated one the first. b pays
// for it and may be nil.
func Decode(data []byte, b *budget.Budget) (m image.Image, err error) {
	defer func() {
		// The decoders are not ours, and no picture may end the program.
		if p := recover(); p != nil {
			m, err = nil, fmt.Errorf("%w: %v", ErrFormat, p)
		}
	}()
	d, ok := decoderOf(data)
	if !ok {
		return nil, ErrFormat
	}
	c, err := d.config(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > MaxPixels/c.Height {
		return nil, ErrLimit
	}
	cost := c.Width * c.Height * pixelCost
	if bytes.HasPrefix(data, []byte("\xff\xd8")) {
		// A progressive JPEG goes over the whole picture again and again, for a
		// few bytes each time.
		scans := bytes.Count(data, []byte{0xff, 0xda})
		if scans > maxScans {
			return nil, ErrLimit
		}
		cost += c.Width * c.Height * scanCost * scans
	}
	if !b.Spend(cost) {
		return nil, ErrLimit
	}
	if m, err = d.decode(bytes.NewReader(data)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return m, nil
}

// size returns the width and height of a picture, 0 where they are unknown.
func size(data []byte) (width, height int) {
	defer func() {
		if recover() != nil {
			width, height = 0, 0
		}
	}()
	d, ok := decoderOf(data)
	if !ok {
		return 0, 0
	}
	c, err := d.config(bytes.NewReader(data))
	if err != nil {
		return 0, 0
	}
	return c.Width, c.Height
}
