// Package qr finds QR codes (ISO/IEC 18004) in pictures, and in text and tables
// that are painted to look like one.
//
// Criminals put an address into a QR code because filters read text, and
// because the telephone that reads the code is not the computer that is
// watched. The codes are light or dark, small in a page, blurred, turned, on a
// colour, with a logo in the middle; the reader has to be as patient as a
// telephone and must yet come to an end. So the corner marks are searched here,
// with bounds, and only what they span is decoded.
package qr

import (
	"cmp"
	"image"
	"slices"
	"strings"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/detector"

	"github.com/sekisho/sekisho/budget"
)

// MaxCodes is how many codes are read of one picture.
const MaxCodes = 10

// Type is what a code makes a telephone do.
type Type string

// The types, as the MQL data model names them.
const (
	URL       Type = "url"
	Email     Type = "email"
	Geo       Type = "geo"
	Mobile    Type = "mobile" // calls a number or writes to it
	WiFi      Type = "wifi"
	App       Type = "app" // opens a shop for apps
	Undefined Type = "undefined"
)

// Code is a code that was read.
type Code struct {
	Data string // as it is in the code
	Type Type
	Box  image.Rectangle // around its corner marks
}

// Find returns the codes in a picture from the top down. b pays for the search
// and may be nil; cut says that it ran out.
func Find(m image.Image, b *budget.Budget) (codes []Code, cut bool) {
	size := m.Bounds().Size()
	if size.X < minSide || size.Y < minSide {
		return nil, false
	}
	if !b.Spend(size.X * size.Y * greyCost) {
		return nil, true
	}
	return find(grey(m), b)
}

const (
	minSide  = 21    // modules of the smallest code
	maxGrey  = 2_000 // a side that is longer is looked at in half its size first
	maxTries = 24    // of corner marks that span a code, on one black-and-white picture

	greyCost = 1 // units for each pixel
	scanCost = 2 // for each pixel of a black-and-white picture
)

// find looks at the picture in several ways, until one shows a code.
func find(g *greyMap, b *budget.Budget) ([]Code, bool) {
	half := func() *greyMap {
		if !b.Spend(g.w * g.h / 2) {
			return nil
		}
		return g.half()
	}
	first, scale := g, 1
	if max(g.w, g.h) > maxGrey {
		if first, scale = half(), 2; first == nil {
			return nil, true
		}
	}
	codes, seen, cut := look(first, scale, b)
	switch {
	case len(codes) > 0 || cut:
		return codes, cut
	case scale == 2 && seen > 0:
		return lookOnce(g, 1, b)
	case scale == 1 && seen > 0 && min(g.w, g.h) > 150:
		// Averaging mends noise and blots.
		if first = half(); first == nil {
			return nil, true
		}
		codes, _, cut = look(first, 2, b)
	case scale == 1 && max(g.w, g.h) <= 150:
		// A module of one pixel is too little for the sampling.
		codes, _, cut = look(g.double(), 0, b)
	}
	return codes, cut
}

func lookOnce(g *greyMap, scale int, b *budget.Budget) ([]Code, bool) {
	codes, _, cut := look(g, scale, b)
	return codes, cut
}

// look searches a picture after making it black and white in two ways. seen is
// the largest number of corner marks found. scale undoes a halving of the
// picture; 0 undoes a doubling.
func look(g *greyMap, scale int, b *budget.Budget) (codes []Code, seen int, cut bool) {
	for _, threshold := range []func() *bitmap{g.local, g.global} {
		if !b.Spend(g.w * g.h * scanCost) {
			return codes, seen, true
		}
		black := threshold()
		if black == nil {
			continue
		}
		for _, inverted := range []bool{false, true} {
			marks := black.marks(inverted)
			seen = max(seen, len(marks))
			if len(marks) < 3 {
				continue
			}
			found, out := read(black, marks, inverted, b)
			for _, c := range found {
				if scale == 0 {
					c.Box = image.Rectangle{c.Box.Min.Div(2), c.Box.Max.Div(2)}
				} else {
					c.Box = image.Rectangle{c.Box.Min.Mul(scale), c.Box.Max.Mul(scale)}
				}
				codes = append(codes, c)
			}
			if out {
				return codes, seen, true
			}
		}
		if len(codes) > 0 {
			break
		}
	}
	slices.SortFunc(codes, func(x, y Code) int {
		return cmp.Or(cmp.Compare(x.Box.Min.Y, y.Box.Min.Y), cmp.Compare(x.Box.Min.X, y.Box.Min.X))
	})
	return codes, seen, false
}

// read decodes what the marks span, the best triangles first.
func read(m *bitmap, marks []mark, inverted bool, b *budget.Budget) (codes []Code, cut bool) {
	used := make([]bool, len(marks))
	var matrix *gozxing.BitMatrix
	tries := 0
	for _, t := range triangles(marks) {
		if tries == maxTries || len(codes) == MaxCodes {
			break
		}
		if used[t.corner] || used[t.right] || used[t.below] {
			continue
		}
		// The search for the fourth mark looks at a square of 32 modules.
		side := int(32*t.module) + 1
		if !b.Spend(min(side*side, m.w*m.h)) {
			return codes, true
		}
		tries++
		if matrix == nil {
			matrix = m.matrix(inverted)
		}
		data, ok := decode(matrix, marks[t.corner], marks[t.right], marks[t.below])
		if !ok {
			continue
		}
		used[t.corner], used[t.right], used[t.below] = true, true, true
		box := image.Rectangle{}
		for _, i := range []int{t.corner, t.right, t.below} {
			r := int(marks[i].module * 3.5)
			x, y := int(marks[i].x), int(marks[i].y)
			box = box.Union(image.Rect(x-r, y-r, x+r+1, y+r+1))
		}
		codes = append(codes, Code{Data: data, Type: typeOf(data), Box: box})
	}
	return codes, false
}

// decode samples and decodes one code. The decoder is not ours, and no picture
// may end the program.
func decode(m *gozxing.BitMatrix, corner, right, below mark) (data string, ok bool) {
	defer func() {
		if recover() != nil {
			data, ok = "", false
		}
	}()
	pattern := func(p mark) *detector.FinderPattern {
		return detector.NewFinderPattern1(p.x, p.y, p.module)
	}
	sampled, err := detector.NewDetector(m).ProcessFinderPatternInfo(detector.NewFinderPatternInfo(pattern(below), pattern(corner), pattern(right)))
	if err != nil {
		return "", false
	}
	res, err := decoder.NewDecoder().Decode(sampled.GetBits(), nil)
	if err != nil {
		return "", false
	}
	data = strings.ToValidUTF8(res.GetText(), "\ufffd")
	return data, data != ""
}

// typeOf tells what a telephone does with the text of a code.
func typeOf(data string) Type {
	s := strings.ToLower(strings.TrimSpace(data))
	for _, t := range []struct {
		prefix string
		is     Type
	}{
		{"http://", URL}, {"https://", URL}, {"ftp://", URL}, {"urlto:", URL},
		{"mailto:", Email}, {"matmsg:", Email}, {"smtp:", Email},
		{"geo:", Geo}, {"tel:", Mobile}, {"sms:", Mobile}, {"smsto:", Mobile}, {"mms:", Mobile}, {"mmsto:", Mobile},
		{"wifi:", WiFi}, {"market:", App}, {"itms-apps:", App}, {"intent:", App},
	} {
		if strings.HasPrefix(s, t.prefix) {
			return t.is
		}
	}
	return Undefined
}

// Link returns the address that the code leads to, empty where there is none.
// A telephone opens a host name without a scheme as well.
func (c *Code) Link() string {
	s := strings.TrimSpace(c.Data)
	switch {
	case c.Type == URL:
		if len(s) > 6 && strings.EqualFold(s[:6], "urlto:") {
			return s[6:]
		}
		return s
	case c.Type == Undefined && !strings.ContainsAny(s, " \t\r\n:@,;") && strings.Contains(strings.Trim(s, "."), "."):
		host, _, _ := strings.Cut(s, "/")
		last := host[strings.LastIndexByte(host, '.')+1:]
		for _, r := range last {
			if r < 'A' || r > 'Z' && r < 'a' || r > 'z' {
				return ""
			}
		}
		if len(last) >= 2 {
			return s
		}
	}
	return ""
}
