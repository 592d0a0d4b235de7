package image_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	std "image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/extract/image"
)

func picture() std.Image {
	m := std.NewPaletted(std.Rect(0, 0, 30, 20), color.Palette{color.White, color.Black})
	m.SetColorIndex(3, 4, 1)
	return m
}

func encode(t testing.TB, format string) []byte {
	var b bytes.Buffer
	var err error
	switch format {
	case "png":
		err = png.Encode(&b, picture())
	case "jpg":
		err = jpeg.Encode(&b, picture(), nil)
	case "gif":
		err = gif.Encode(&b, picture(), nil)
	case "bmp":
		err = bmp.Encode(&b, picture())
	case "tif":
		err = tiff.Encode(&b, picture(), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDecode(t *testing.T) {
	for _, format := range []string{"png", "jpg", "gif", "bmp", "tif"} {
		data := encode(t, format)
		m, err := image.Decode(data, nil)
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		if got := m.Bounds().Size(); got != std.Pt(30, 20) {
			t.Errorf("%s: %v", format, got)
		}
		if i := image.Inspect(data, nil); i.Width != 30 || i.Height != 20 {
			t.Errorf("%s: inspected as %dx%d", format, i.Width, i.Height)
		}
		if _, err := image.Decode(data, &budget.Budget{Cost: 100}); !errors.Is(err, image.ErrLimit) {
			t.Errorf("%s: without a budget: %v", format, err)
		}
		if _, err := image.Decode(data[:40], nil); err == nil {
			t.Errorf("%s: read what is cut off", format)
		}
	}
	if _, err := image.Decode([]byte("no picture"), nil); !errors.Is(err, image.ErrFormat) {
		t.Errorf("no picture: %v", err)
	}
}

// chunk is a chunk of a PNG file.
func chunk(kind, data string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// exif is a TIFF structure with texts, by tag.
func exif(order binary.ByteOrder, tags map[uint16]string) []byte {
	b := []byte("II*\x00")
	if order == binary.BigEndian {
		b = []byte("MM\x00*")
	}
	put16 := func(v uint16) { b = append(b, make([]byte, 2)...); order.PutUint16(b[len(b)-2:], v) }
	put32 := func(v uint32) { b = append(b, make([]byte, 4)...); order.PutUint32(b[len(b)-4:], v) }
	put32(8)
	put16(uint16(len(tags)))
	var texts []byte
	start := 8 + 2 + 12*len(tags) + 4
	ids := []uint16{}
	for id := range tags {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		put16(id)
		put16(2)
		put32(uint32(len(tags[id])))
		put32(uint32(start + len(texts)))
		texts = append(texts, tags[id]...)
	}
	put32(0)
	return append(b, texts...)
}

func TestInspect(t *testing.T) {
	profile := make([]byte, 128)
	copy(profile[36:], "acsp")
	copy(profile[48:], "APPL")
	segment := func(marker byte, s string) []byte {
		return append([]byte{0xff, marker, byte((len(s) + 2) >> 8), byte(len(s) + 2)}, s...)
	}
	jpg := encode(t, "jpg")
	jpg = slices.Concat(jpg[:2], segment(0xe1, "Exif\x00\x00"+string(exif(binary.BigEndian, map[uint16]string{0x110: "Phone 12\x00", 0x131: "Android 14\x00"}))),
		segment(0xe2, "ICC_PROFILE\x00\x01\x01"+string(profile)), segment(0xfe, "CREATOR: gd-jpeg v1.0"), jpg[2:])
	whole := encode(t, "png")
	end := len(whole) - 12
	tagged := slices.Concat(whole[:33], chunk("tEXt", "Creation Time\x002026"), chunk("iTXt", "Comment\x00\x00\x00ja\x00\x00表"), whole[33:])
	for _, c := range []struct {
		name string
		in   []byte
		want []image.Field
	}{
		{"JPEG", jpg, []image.Field{{"Model", "Phone 12"}, {"Software", "Android 14"}, {"DeviceManufacturer", "Apple Computer Inc."}, {"Comment", "CREATOR: gd-jpeg v1.0"}}},
		{"PNG", tagged, []image.Field{{"CreationTime", "2026"}, {"Comment", "表"}}},
		{"PNGCutOff", whole[:end], []image.Field{{"Warning", "Truncated PNG image"}}},
		{"TIFF", exif(binary.LittleEndian, map[uint16]string{0x10f: "Maker\x00"}), []image.Field{{"Make", "Maker"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := slices.DeleteFunc(image.Inspect(c.in, nil).Fields, func(f image.Field) bool { return f.Key[0] == 'P' })
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A picture that claims to be large, or that is passed over again and again,
// must cost nothing.
func TestHostile(t *testing.T) {
	large := encode(t, "png")
	binary.BigEndian.PutUint32(large[16:], 50_000)
	binary.BigEndian.PutUint32(large[20:], 50_000)
	binary.BigEndian.PutUint32(large[29:], crc32.ChecksumIEEE(large[12:29]))
	scans := append(encode(t, "jpg"), bytes.Repeat([]byte{0xff, 0xda}, 1000)...)
	for name, data := range map[string][]byte{"Large": large, "Scans": scans} {
		start := time.Now()
		if _, err := image.Decode(data, nil); !errors.Is(err, image.ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("%s took %v", name, d)
		}
	}
}

func FuzzInspect(f *testing.F) {
	for _, format := range []string{"png", "jpg", "gif", "bmp", "tif"} {
		f.Add(encode(f, format))
	}
	f.Add(exif(binary.BigEndian, map[uint16]string{0x9286: "UNICODE\x00a\x00"}))
	f.Fuzz(func(t *testing.T, in []byte) {
		i := image.Inspect(in, nil)
		if len(i.Fields) > image.MaxFields || i.Width < 0 || i.Height < 0 {
			t.Errorf("%+v", i)
		}
		if m, err := image.Decode(in, &budget.Budget{Cost: 1 << 20}); err == nil && m.Bounds().Dx()*m.Bounds().Dy() > 1<<20 {
			t.Errorf("%v", m.Bounds())
		}
	})
}
