package qr

import (
	"cmp"
	"math"
	"slices"
)

// mark is one of the three squares in the corners of a code (ISO/IEC 18004
// section 6.3.3): from any side it is black, white, black, white, black in the
// ratio 1:1:3:1:1.
type mark struct {
	x, y   float64
	module float64 // side of a module, in pixels
	count  int     // rows in which it was seen
}

// Bounds on the search, which a picture full of marks would make endless.
const (
	maxMarks     = 200 // that are kept while searching
	maxBestMarks = 36  // of which triangles are made
)

// marks finds the corner marks, or those of a code that is light on dark.
func (m *bitmap) marks(inverted bool) []mark {
	f := finder{bitmap: m, inverted: inverted}
	step := 2
	if m.h > 800 {
		step = 3
	}
	for y := 1; y < m.h; y += step {
		f.row(y)
	}
	// What was seen only once is noise, unless it is all there is.
	found := slices.DeleteFunc(slices.Clone(f.found), func(k mark) bool { return k.count < 2 })
	if len(found) < 3 {
		found = f.found
	}
	slices.SortFunc(found, func(a, b mark) int { return cmp.Compare(b.count, a.count) })
	return found[:min(len(found), maxBestMarks)]
}

type finder struct {
	*bitmap
	inverted bool
	found    []mark
}

func (f *finder) dark(x, y int) bool { return f.at(x, y) != f.inverted }

// row looks for a mark that the row y goes through.
func (f *finder) row(y int) {
	var runs [5]int // lengths, the last of a dark run
	n, start := 0, 0
	line := f.black[y*f.w : (y+1)*f.w]
	dark := line[0] != f.inverted
	for x := 1; x <= f.w; x++ {
		if x < f.w && (line[x] != f.inverted) == dark {
			continue
		}
		runs[0], runs[1], runs[2], runs[3], runs[4] = runs[1], runs[2], runs[3], runs[4], x-start
		n++
		if dark && n >= 5 {
			if module, ok := ratio(&runs); ok {
				f.check(x-runs[4]-runs[3]-runs[2]/2-1, y, module)
			}
		}
		start, dark = x, !dark
	}
}

// ratio reports whether five runs are about 1:1:3:1:1, and the length of 1.
func ratio(runs *[5]int) (float64, bool) {
	total := runs[0] + runs[1] + runs[2] + runs[3] + runs[4]
	if total < 7 {
		return 0, false
	}
	module := float64(total) / 7
	for i, r := range runs {
		want := module
		if i == 2 {
			want *= 3
		}
		if math.Abs(want-float64(r)) >= want/2 {
			return 0, false
		}
	}
	return module, true
}

// cross measures the five runs through a point, which must be dark, along one
// axis: where the middle of them is, counted from the point.
func (f *finder) cross(x, y, dx, dy, most int) (middle, module float64, ok bool) {
	if x < 0 || y < 0 || x >= f.w || y >= f.h || !f.dark(x, y) {
		return 0, 0, false
	}
	// run walks on while the colour stays.
	run := func(x, y *int, dx, dy int, dark bool) int {
		n := 0
		for *x >= 0 && *y >= 0 && *x < f.w && *y < f.h && f.dark(*x, *y) == dark && n <= most {
			n++
			*x, *y = *x+dx, *y+dy
		}
		return n
	}
	bx, by, fx, fy := x, y, x, y
	back, front := run(&bx, &by, -dx, -dy, true), run(&fx, &fy, dx, dy, true)
	runs := [5]int{2: back + front - 1}
	runs[1], runs[3] = run(&bx, &by, -dx, -dy, false), run(&fx, &fy, dx, dy, false)
	runs[0], runs[4] = run(&bx, &by, -dx, -dy, true), run(&fx, &fy, dx, dy, true)
	module, ok = ratio(&runs)
	return float64(front-back) / 2, module, ok
}

// check looks whether what a row shows is a mark from above as well.
func (f *finder) check(x, y int, module float64) {
	most := int(module*6) + 2
	below, down, ok := f.cross(x, y, 0, 1, most)
	if !ok || math.Abs(down-module) > module*0.6 {
		return
	}
	cy := float64(y) + below
	beside, across, ok := f.cross(x, int(cy), 1, 0, most)
	if !ok {
		return
	}
	k := mark{x: float64(x) + beside + 0.5, y: cy + 0.5, module: (down + across) / 2, count: 1}
	for i := range f.found {
		o := &f.found[i]
		if math.Abs(o.x-k.x) <= o.module*1.5 && math.Abs(o.y-k.y) <= o.module*1.5 && math.Abs(o.module-k.module) <= max(1, o.module*0.5) {
			n := float64(o.count)
			o.x, o.y, o.module = (o.x*n+k.x)/(n+1), (o.y*n+k.y)/(n+1), (o.module*n+k.module)/(n+1)
			o.count++
			return
		}
	}
	if len(f.found) < maxMarks {
		f.found = append(f.found, k)
	}
}

// triangle is three marks that can be those of a code.
type triangle struct {
	corner, right, below int // places of the marks
	module               float64
	error                float64 // how far it is from a right-angled one with equal legs
}

// triangles returns the marks that can span a code, the likeliest first.
func triangles(marks []mark) []triangle {
	const minModules, maxModules = 21 - 7, 177 - 7 // between the centers
	var out []triangle
	for c := range marks {
		for i := range marks {
			for j := i + 1; j < len(marks); j++ {
				if c == i || c == j {
					continue
				}
				a, b, o := marks[i], marks[j], marks[c]
				least, most := min(a.module, b.module, o.module), max(a.module, b.module, o.module)
				if most > 1.7*least+0.5 {
					continue
				}
				ax, ay, bx, by := a.x-o.x, a.y-o.y, b.x-o.x, b.y-o.y
				la, lb := math.Hypot(ax, ay), math.Hypot(bx, by)
				module := (a.module + b.module + o.module) / 3
				if la < minModules*module*0.7 || la > maxModules*module*1.3 || la > 1.6*lb || lb > 1.6*la {
					continue
				}
				cos := (ax*bx + ay*by) / (la * lb)
				if math.Abs(cos) > 0.35 {
					continue
				}
				t := triangle{corner: c, right: i, below: j, module: module}
				if ax*by-ay*bx < 0 {
					t.right, t.below = j, i
				}
				t.error = math.Abs(cos) + math.Abs(la-lb)/max(la, lb) + (most-least)/most - 0.02*float64(min(a.count, b.count, o.count, 10))
				out = append(out, t)
			}
		}
	}
	slices.SortFunc(out, func(a, b triangle) int {
		return cmp.Or(cmp.Compare(a.error, b.error), cmp.Compare(a.corner, b.corner), cmp.Compare(a.right, b.right), cmp.Compare(a.below, b.below))
	})
	return out
}
