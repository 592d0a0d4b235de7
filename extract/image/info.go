package image

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/extract/xmp"
)

// Bounds on what is read of the metadata of one picture.
const (
	MaxFields   = 200
	maxSegments = 2000
	maxValue    = 4 << 10
	maxUnfolded = 256 << 10 // bytes of a compressed text
)

// Field is something that a picture tells, named as ExifTool names it, since
// rules ask for those names.
type Field struct {
	Key   string
	Value string
}

// Info is what a picture tells about itself.
type Info struct {
	Width, Height int // 0: unknown
	Fields        []Field
	Warning       string // what is wrong with the file; empty if nothing was seen
}

// Inspect reads what a picture tells about itself, without decoding it. b pays
// for it and may be nil.
func Inspect(data []byte, b *budget.Budget) Info {
	var r inspector
	r.Width, r.Height = size(data)
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8")):
		r.jpeg(data, b)
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		r.png(data, b)
	case bytes.HasPrefix(data, []byte("GIF8")):
		r.gif(data)
	case bytes.HasPrefix(data, []byte("RIFF")):
		r.riff(data)
	case bytes.HasPrefix(data, []byte("II*\x00")), bytes.HasPrefix(data, []byte("MM\x00*")):
		r.exif(data)
	}
	return r.Info
}

type inspector struct{ Info }

func (r *inspector) add(key, value string) {
	value = strings.TrimSpace(strings.ToValidUTF8(strings.Trim(value[:min(len(value), maxValue)], "\x00"), "\ufffd"))
	if len(r.Fields) < MaxFields && value != "" {
		r.Fields = append(r.Fields, Field{key, value})
	}
}

// jpeg reads the segments in front of the picture (ITU-T T.81 annex B).
func (r *inspector) jpeg(data []byte, b *budget.Budget) {
	for at, n := 2, 0; at+4 <= len(data) && n < maxSegments; n++ {
		if data[at] != 0xff {
			return
		}
		marker := data[at+1]
		if marker == 0xff || marker == 0 || marker >= 0xd0 && marker <= 0xd8 {
			at++
			continue
		}
		if marker == 0xda || marker == 0xd9 {
			return
		}
		length := int(binary.BigEndian.Uint16(data[at+2:]))
		if length < 2 || at+2+length > len(data) || !b.Spend(length) {
			return
		}
		s := data[at+4 : at+2+length]
		at += 2 + length
		switch {
		case marker == 0xe1 && bytes.HasPrefix(s, []byte("Exif\x00\x00")):
			r.exif(s[6:])
		case marker == 0xe1 && bytes.HasPrefix(s, []byte("http://ns.adobe.com/xap/1.0/\x00")):
			r.xmp(s)
		case marker == 0xe2 && bytes.HasPrefix(s, []byte("ICC_PROFILE\x00\x01")) && len(s) > 14:
			r.icc(s[14:])
		case marker == 0xfe:
			r.add("Comment", string(s))
		}
	}
}

// png reads the chunks (PNG specification, third edition, section 11.3).
func (r *inspector) png(data []byte, b *budget.Budget) {
	at := 8
	for n := 0; at+12 <= len(data) && n < maxSegments; n++ {
		length := int(binary.BigEndian.Uint32(data[at:]))
		kind := string(data[at+4 : at+8])
		if length > len(data)-at-12 {
			break
		}
		s := data[at+8 : at+8+length]
		at += 12 + length
		switch kind {
		case "tEXt":
			key, text, _ := bytes.Cut(s, []byte{0})
			r.text(string(key), latin1(text))
		case "zTXt", "iCCP":
			key, rest, _ := bytes.Cut(s, []byte{0})
			if len(rest) > 1 {
				if text := unfold(rest[1:], b); kind == "iCCP" {
					r.icc(text)
				} else {
					r.text(string(key), latin1(text))
				}
			}
		case "iTXt":
			key, rest, _ := bytes.Cut(s, []byte{0})
			if len(rest) < 2 {
				continue
			}
			packed := rest[0] == 1
			_, rest, _ = bytes.Cut(rest[2:], []byte{0}) // language
			_, rest, _ = bytes.Cut(rest, []byte{0})     // the keyword, translated
			if packed {
				rest = unfold(rest, b)
			}
			r.text(string(key), string(rest))
		case "eXIf":
			r.exif(s)
		case "IEND":
			return
		}
	}
	r.warn("Truncated PNG image")
}

func (r *inspector) warn(s string) {
	r.Warning = s
	r.add("Warning", s)
}

// text adds a text of a PNG file.
func (r *inspector) text(key, value string) {
	if key == "XML:com.adobe.xmp" {
		r.xmp([]byte(value))
		return
	}
	// ExifTool writes keywords as one word: "Creation Time" is CreationTime.
	var b strings.Builder
	for w := range strings.FieldsSeq(key[:min(len(key), 80)]) {
		b.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	if b.Len() > 0 {
		r.add(strings.ToValidUTF8(b.String(), "\ufffd"), value)
	}
}

func unfold(data []byte, b *budget.Budget) []byte {
	z, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	out, _ := io.ReadAll(io.LimitReader(z, maxUnfolded))
	b.Spend(len(out))
	return out
}

func latin1(b []byte) string {
	b = b[:min(len(b), maxUnfolded)]
	out := make([]rune, len(b))
	for i, c := range b {
		out[i] = rune(c)
	}
	return string(out)
}

// gif reads the comments (GIF89a, section 24).
func (r *inspector) gif(data []byte) {
	for at := 13; len(r.Fields) < 5; {
		i := bytes.Index(data[min(at, len(data)):], []byte{0x21, 0xfe})
		if i < 0 {
			return
		}
		at += i + 2
		var comment []byte
		for at < len(data) && data[at] != 0 && len(comment) < maxValue {
			n := int(data[at])
			if at+1+n > len(data) {
				return
			}
			comment = append(comment, data[at+1:at+1+n]...)
			at += 1 + n
		}
		r.add("Comment", latin1(comment))
	}
}

// riff reads the chunks of a WebP file.
func (r *inspector) riff(data []byte) {
	for at, n := 12, 0; at+8 <= len(data) && n < maxSegments; n++ {
		length := int(binary.LittleEndian.Uint32(data[at+4:]))
		if length > len(data)-at-8 {
			return
		}
		s := data[at+8 : at+8+length]
		switch string(data[at : at+4]) {
		case "EXIF":
			r.exif(bytes.TrimPrefix(s, []byte("Exif\x00\x00")))
		case "XMP ":
			r.xmp(s)
		case "ICCP":
			r.icc(s)
		}
		at += 8 + length + length&1
	}
}

func (r *inspector) xmp(s []byte) {
	for _, p := range xmp.Read(xmp.Find(s)) {
		r.add(p.Name, p.Value)
	}
}

// icc reads the header of a colour profile (ICC.1:2022 section 7.2): a
// telephone or computer names its maker there even where all else was removed.
func (r *inspector) icc(p []byte) {
	if len(p) < 128 || string(p[36:40]) != "acsp" {
		return
	}
	for _, f := range []struct {
		key string
		at  int
	}{{"ProfileCMMType", 4}, {"ProfileCreator", 80}, {"DeviceManufacturer", 48}, {"DeviceModel", 52}} {
		code := string(p[f.at : f.at+4])
		if name, ok := makers[code]; ok {
			code = name
		}
		r.add(f.key, code)
	}
}

// makers are the signatures of the ICC registry as ExifTool spells them out.
var makers = map[string]string{
	"APPL": "Apple Computer Inc.", "appl": "Apple Computer Inc.", "ADBE": "Adobe Systems Inc.", "MSFT": "Microsoft Corporation", "HP  ": "Hewlett-Packard",
	"GOOG": "Google", "CANO": "Canon", "NKON": "Nikon", "SONY": "Sony Corporation", "EPSO": "Seiko Epson", "lcms": "Little CMS",
}

// exifTags are the tags of a picture that rules ask for (Exif 2.32 section
// 4.6.4).
var exifTags = map[uint16]string{
	0x010e: "ImageDescription", 0x010f: "Make", 0x0110: "Model", 0x0131: "Software", 0x0132: "ModifyDate", 0x013b: "Artist", 0x013c: "HostComputer",
	0x8298: "Copyright", 0x9003: "DateTimeOriginal", 0x9004: "CreateDate", 0x9286: "UserComment", 0xa433: "LensMake", 0xa434: "LensModel",
	0x9c9b: "XPTitle", 0x9c9c: "XPComment", 0x9c9d: "XPAuthor", 0x9c9e: "XPKeywords", 0x9c9f: "XPSubject",
}

const exifFolder = 0x8769 // leads to a second directory

// exif reads the directories of a TIFF structure.
func (r *inspector) exif(b []byte) {
	if len(b) < 8 {
		return
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	r.directory(b, order, order.Uint32(b[4:]), true)
}

func (r *inspector) directory(b []byte, order binary.ByteOrder, at uint32, first bool) {
	const maxEntries = 200
	if int64(at)+2 > int64(len(b)) {
		return
	}
	n := min(int(order.Uint16(b[at:])), maxEntries)
	for i := range n {
		e := int64(at) + 2 + 12*int64(i)
		if e+12 > int64(len(b)) {
			return
		}
		tag, kind, count := order.Uint16(b[e:]), order.Uint16(b[e+2:]), int64(order.Uint32(b[e+4:]))
		if tag == exifFolder && first {
			r.directory(b, order, order.Uint32(b[e+8:]), false)
			continue
		}
		name, ok := exifTags[tag]
		if !ok {
			continue
		}
		v := b[e+8 : e+12]
		if kind == 3 {
			r.add(name, strconv.Itoa(int(order.Uint16(v))))
			continue
		}
		if count > 4 {
			from := int64(order.Uint32(v))
			if from > int64(len(b)) {
				continue
			}
			v = b[from:min(from+min(count, maxValue), int64(len(b)))]
		} else {
			v = v[:count]
		}
		switch {
		case tag == 0x9286 && len(v) > 8:
			charset := string(v[:8])
			if v = v[8:]; strings.HasPrefix(charset, "UNICODE") {
				v = utf16Text(v, order)
			}
		case tag >= 0x9c9b && tag <= 0x9c9f:
			v = utf16Text(v, binary.LittleEndian)
		}
		r.add(name, string(v))
	}
}

func utf16Text(b []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, 0, len(b)/2)
	for i := 0; i+1 < len(b); i += 2 {
		units = append(units, order.Uint16(b[i:]))
	}
	return []byte(string(utf16.Decode(units)))
}
