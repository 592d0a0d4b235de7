package pdf

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"io"

	"golang.org/x/image/tiff/lzw"
)

// MaxInflated bounds the bytes that all streams of a file may come to.
const MaxInflated = 32 << 20

// maxFilters bounds the filters of one stream.
const maxFilters = 6

// decode undoes the filters of a stream (7.4). Image is the filter at which it
// stopped because it is a picture: DCTDecode, JPXDecode, CCITTFaxDecode or
// JBIG2Decode.
func (f *file) decode(s *stream) (data []byte, image name) {
	data = s.raw
	if f.crypt != nil && s.id.num > 0 {
		data = f.crypt.decrypt(s.id, data, true)
	}
	filters := f.list(s.dict["Filter"], s.dict["F"])
	params := f.list(s.dict["DecodeParms"], s.dict["DP"])
	for i, x := range filters {
		if i == maxFilters {
			break
		}
		n, _ := f.resolve(x).(name)
		var parm dict
		if i < len(params) {
			parm, _ = f.resolve(params[i]).(dict)
		}
		switch n {
		case "FlateDecode", "Fl":
			data = f.predict(f.flate(data), parm)
		case "LZWDecode", "LZW":
			data = f.predict(f.lzw(data), parm)
		case "ASCIIHexDecode", "AHx":
			l := lexer{data: append([]byte{'<'}, data...)}
			data = l.hex()
		case "ASCII85Decode", "A85":
			data = f.ascii85(data)
		case "RunLengthDecode", "RL":
			data = f.runLength(data)
		case "DCTDecode", "DCT", "JPXDecode", "CCITTFaxDecode", "CCF", "JBIG2Decode":
			return data, n
		case "Crypt":
		default:
			return nil, ""
		}
	}
	return data, ""
}

// list is an array, or one thing as an array; the first that is there.
func (f *file) list(vs ...any) array {
	for _, v := range vs {
		switch v := f.resolve(v).(type) {
		case nil:
		case array:
			return v
		default:
			return array{v}
		}
	}
	return nil
}

// take accounts for n inflated bytes and reports whether there is room.
func (f *file) take(n int) bool {
	f.inflated += n
	if f.inflated > MaxInflated || !f.budget.Spend(n) {
		f.doc.Truncated = true
		return false
	}
	return true
}

// readAll reads what there is room for; what is broken ends what it gives.
func (f *file) readAll(r io.Reader) []byte {
	var out bytes.Buffer
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if !f.take(n) {
				return out.Bytes()
			}
			out.Write(buf[:n])
		}
		if err != nil {
			return out.Bytes()
		}
	}
}

func (f *file) flate(data []byte) []byte {
	if r, err := zlib.NewReader(bytes.NewReader(data)); err == nil {
		out := f.readAll(r)
		if len(out) > 0 {
			return out
		}
	}
	// A wrong header or checksum: what readers show all the same.
	if len(data) > 2 {
		return f.readAll(flate.NewReader(bytes.NewReader(data[2:])))
	}
	return nil
}

func (f *file) lzw(data []byte) []byte {
	r := lzw.NewReader(bytes.NewReader(data), lzw.MSB, 8)
	defer func() { _ = r.Close() }() // reads from memory
	return f.readAll(r)
}

func (f *file) runLength(data []byte) []byte {
	var out []byte
	for i := 0; i < len(data); {
		n := int(data[i])
		i++
		switch {
		case n == 128:
			return out
		case n < 128:
			end := min(i+n+1, len(data))
			if !f.take(end - i) {
				return out
			}
			out = append(out, data[i:end]...)
			i = end
		case i < len(data):
			if !f.take(257 - n) {
				return out
			}
			out = append(out, bytes.Repeat(data[i:i+1], 257-n)...)
			i++
		}
	}
	return out
}

func (f *file) ascii85(data []byte) []byte {
	out := make([]byte, 0, len(data)*4/5)
	var group [5]byte
	n := 0
	flush := func(n int) {
		var v uint32
		for i := range 5 {
			d := byte(84)
			if i < n {
				d = group[i]
			}
			v = v*85 + uint32(d)
		}
		b := []byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)} //nolint:gosec // bytes of a word
		out = append(out, b[:n-1]...)
	}
	for _, c := range data {
		switch {
		case c == '~':
			if n > 1 {
				flush(n)
			}
			return out
		case c == 'z' && n == 0:
			out = append(out, 0, 0, 0, 0)
		case c >= '!' && c <= 'u':
			group[n] = c - '!'
			if n++; n == 5 {
				flush(5)
				n = 0
			}
		}
		if len(out) > MaxInflated {
			break
		}
	}
	if n > 1 {
		flush(n)
	}
	f.take(len(out))
	return out
}

// predict undoes a predictor (7.4.4.4): PNG's, or TIFF's for whole bytes.
func (f *file) predict(data []byte, parm dict) []byte {
	p, _ := f.resolve(parm["Predictor"]).(int)
	if p < 2 {
		return data
	}
	number := func(key name, def, most int) int {
		n, ok := f.resolve(parm[key]).(int)
		if !ok || n < 1 || n > most {
			return def
		}
		return n
	}
	colors, bits, columns := number("Colors", 1, 32), number("BitsPerComponent", 8, 16), number("Columns", 1, 1<<20)
	size := max(1, colors*bits/8)        // of a pixel
	row := (colors*bits*columns + 7) / 8 // of a line
	if p == 2 {
		if bits != 8 {
			return data
		}
		out := bytes.Clone(data)
		for start := 0; start+row <= len(out); start += row {
			for i := start + size; i < start+row; i++ {
				out[i] += out[i-size]
			}
		}
		return out
	}
	out := make([]byte, 0, len(data))
	prev, line := make([]byte, row), make([]byte, row)
	for len(data) > 1 {
		kind := data[0]
		n := copy(line, data[1:])
		clear(line[n:])
		data = data[1+n:]
		for i := range line {
			var left, up, corner byte
			up = prev[i]
			if i >= size {
				left, corner = line[i-size], prev[i-size]
			}
			switch kind {
			case 1:
				line[i] += left
			case 2:
				line[i] += up
			case 3:
				line[i] += byte((int(left) + int(up)) / 2) //nolint:gosec // the mean of two bytes
			case 4:
				line[i] += paeth(left, up, corner)
			}
		}
		out = append(out, line[:n]...)
		prev, line = line, prev
	}
	return out
}

func paeth(a, b, c byte) byte {
	p := int(a) + int(b) - int(c)
	abs := func(n int) int { return max(n, -n) }
	pa, pb, pc := abs(p-int(a)), abs(p-int(b)), abs(p-int(c))
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}
