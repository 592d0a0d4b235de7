package safeview

import (
	"html/template"
	"slices"
	"strings"
)

// Mark is a stretch of a source to point out.
type Mark struct {
	Offset, Length int

	ID     string // of the element, so that a link leads there; "" for none
	Class  string // of the element, beside "sv-mark"
	Label  string // a few characters before it, such as the number of a reason
	Hidden bool   // nobody sees the text in a mail program: shown as such
}

// Text returns plain text as HTML, with its marks. Line breaks stay as they are:
// the element around it keeps white space.
func Text(source string, o *Options) View {
	w := newWriter(o)
	if len(source) > MaxShown {
		source, w.view.Cut = strings.ToValidUTF8(source[:MaxShown], ""), true
	}
	w.literal(source, 0)
	w.view.HTML = template.HTML(w.b.String()) //nolint:gosec // all of it was escaped
	return w.view
}

// stretch is a part of the source with the marks that cover it.
type stretch struct {
	from, to int
	marks    []Mark
}

// Bounds on marks: what is over is not pointed out.
const (
	maxMarks   = 500
	maxOverlap = 4
)

// flatten returns the stretches that marks cover, in order, none inside another.
func flatten(marks []Mark) []stretch {
	marks = slices.Clone(marks[:min(len(marks), maxMarks)])
	marks = slices.DeleteFunc(marks, func(m Mark) bool { return m.Offset < 0 || m.Length <= 0 })
	var edges []int
	for _, m := range marks {
		edges = append(edges, m.Offset, m.Offset+m.Length)
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	var out []stretch
	for i := 1; i < len(edges); i++ {
		s := stretch{from: edges[i-1], to: edges[i]}
		for _, m := range marks {
			if m.Offset <= s.from && m.Offset+m.Length >= s.to && len(s.marks) < maxOverlap && !contains(s.marks, m) {
				s.marks = append(s.marks, m)
			}
		}
		if len(s.marks) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// contains reports whether a mark of the same kind is there. Two that point out
// the same words for the same reason are one.
func contains(list []Mark, m Mark) bool {
	return slices.ContainsFunc(list, func(x Mark) bool { return x.Class == m.Class && x.Hidden == m.Hidden && x.Label == m.Label })
}

// between returns the stretches that meet [from, to).
func between(list []stretch, from, to int) []stretch {
	i, _ := slices.BinarySearchFunc(list, from, func(s stretch, at int) int {
		if s.to <= at {
			return -1
		}
		return 1
	})
	j := i
	for j < len(list) && list[j].from < to {
		j++
	}
	return list[i:j]
}

// cut hands text that stands at an offset of the source on in pieces, each with
// its marks.
func cut(text string, at int, list []stretch, yield func(piece string, marks []Mark)) {
	done := 0
	for _, s := range between(list, at, at+len(text)) {
		from, to := boundary(text, s.from-at), boundary(text, s.to-at)
		if from < done || to <= from {
			continue
		}
		if from > done {
			yield(text[done:from], nil)
		}
		yield(text[from:to], s.marks)
		done = to
	}
	if done < len(text) {
		yield(text[done:], nil)
	}
}

// boundary brings an offset into the text and to the start of a character.
func boundary(text string, i int) int {
	i = min(max(i, 0), len(text))
	for i > 0 && i < len(text) && text[i]&0xC0 == 0x80 {
		i--
	}
	return i
}

// wrap puts marks around HTML. Each carries its name and label the first time.
func (w *writer) wrap(out string, marks []Mark) string {
	if len(marks) == 0 || out == "" {
		return out
	}
	var before, after strings.Builder
	for _, m := range marks {
		if m.Hidden {
			before.WriteString(`<span class="sv-hidden">`)
			continue
		}
		before.WriteString(`<mark class="` + template.HTMLEscapeString(strings.TrimSpace("sv-mark "+m.Class)) + `"`)
		if !w.named[m] {
			if m.ID != "" {
				before.WriteString(` id="` + template.HTMLEscapeString(m.ID) + `"`)
			}
			if m.Label != "" {
				before.WriteString(` data-n="` + template.HTMLEscapeString(m.Label) + `"`)
			}
			w.named[m] = true
		}
		before.WriteString(">")
	}
	for _, m := range slices.Backward(marks) {
		if m.Hidden {
			after.WriteString("</span>")
			continue
		}
		after.WriteString("</mark>")
	}
	return before.String() + out + after.String()
}
