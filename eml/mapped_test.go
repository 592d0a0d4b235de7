package eml_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sekisho/sekisho/eml"
)

func TestMapped(t *testing.T) {
	src := "0123456789"
	var b eml.MapBuilder
	b.Copy(src[2:5], 2)                             // 234
	b.Replace("\n", eml.Span{Offset: 5})            // stands for nothing
	b.Replace("XY", eml.Span{Offset: 6, Length: 3}) // 678
	b.Copy(src[9:], 9)                              // 9
	b.Append(eml.Identity(src[0:1], 0))             // 0
	b.Append(eml.Mapped{})                          // nothing
	m := b.Mapped()
	if m.Text != "234\nXY90" || b.Len() != len(m.Text) || b.Last() != '0' {
		t.Fatalf("text %q", m.Text)
	}
	for _, c := range []struct {
		name     string
		from, to int
		want     eml.Span
		exact    bool
	}{
		{"Copy", 0, 3, eml.Span{Offset: 2, Length: 3}, true},
		{"PartOfCopy", 1, 2, eml.Span{Offset: 3, Length: 1}, true},
		{"Inserted", 3, 4, eml.Span{Offset: 5, Length: 0}, false},
		{"Opaque", 4, 6, eml.Span{Offset: 6, Length: 3}, false},
		{"PartOfOpaque", 5, 6, eml.Span{Offset: 6, Length: 3}, false},
		{"Across", 2, 5, eml.Span{Offset: 4, Length: 5}, false},
		{"Backwards", 6, 8, eml.Span{Offset: 0, Length: 10}, false},
		{"EmptyInside", 1, 1, eml.Span{Offset: 3}, true},
		{"EmptyAtEnd", 8, 8, eml.Span{Offset: 1}, false},
		{"Outside", -5, 100, eml.Span{Offset: 0, Length: 10}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := m.Span(c.from, c.to-max(c.from, 0)); got != c.want {
				t.Errorf("span %+v, want %+v", got, c.want)
			}
			if got := m.Exact(c.from, c.to-c.from); got != c.exact {
				t.Errorf("exact %v", got)
			}
		})
	}
	if got := (eml.Mapped{}).Span(0, 5); got != (eml.Span{}) {
		t.Errorf("empty text stands at %+v", got)
	}
	if got := m.Slice(2, 2).Span(0, 0); got != (eml.Span{Offset: 4}) {
		t.Errorf("an empty slice stands at %+v", got)
	}
	if got := eml.Identity("  a b\r\n", 10).TrimSpace(); got.Text != "a b" || got.Span(0, 3) != (eml.Span{Offset: 12, Length: 3}) {
		t.Errorf("trimmed to %q at %+v", got.Text, got.Span(0, 3))
	}
	var empty eml.MapBuilder
	if empty.Last() != 0 || empty.Mapped().Text != "" {
		t.Error("an empty builder holds something")
	}
}

// drawMapped draws a text derived from src.
func drawMapped(t *rapid.T, src string) eml.Mapped {
	var b eml.MapBuilder
	for range rapid.IntRange(0, 8).Draw(t, "pieces") {
		from := rapid.IntRange(0, len(src)).Draw(t, "from")
		to := rapid.IntRange(from, len(src)).Draw(t, "to")
		if rapid.Bool().Draw(t, "copy") {
			b.Copy(src[from:to], from)
		} else {
			b.Replace(rapid.StringN(0, 4, 8).Draw(t, "text"), eml.Span{Offset: from, Length: to - from})
		}
	}
	return b.Mapped()
}

func drawRange(t *rapid.T, n int, name string) (int, int) {
	from := rapid.IntRange(0, n).Draw(t, name+" from")
	return from, rapid.IntRange(from, n).Draw(t, name+" to")
}

// TestMappedLaws checks what callers rely on when they cut and join.
func TestMappedLaws(t *testing.T) {
	src := strings.Repeat("The quick brown fox. ", 4)
	rapid.Check(t, func(t *rapid.T) {
		m := drawMapped(t, src)
		from, to := drawRange(t, len(m.Text), "range")
		s := m.Span(from, to-from)
		if s.Offset < 0 || s.Length < 0 || s.End() > len(src) {
			t.Fatalf("span %+v is outside the source", s)
		}
		if m.Exact(from, to-from) && src[s.Offset:s.End()] != m.Text[from:to] {
			t.Fatalf("exact span %+v holds %q, the text is %q", s, src[s.Offset:s.End()], m.Text[from:to])
		}

		// A slice stands where its text stood.
		cut := m.Slice(from, to)
		if cut.Text != m.Text[from:to] {
			t.Fatalf("slice %q, want %q", cut.Text, m.Text[from:to])
		}
		a, b := drawRange(t, len(cut.Text), "slice")
		if a < b {
			if got, want := cut.Span(a, b-a), m.Span(from+a, b-a); got != want {
				t.Fatalf("a span of the slice is %+v, of the text %+v", got, want)
			}
			if got, want := cut.Exact(a, b-a), m.Exact(from+a, b-a); got != want {
				t.Fatalf("a span of the slice is exact %v, of the text %v", got, want)
			}
		}
		// Cutting twice is cutting once. Empty text between two pieces may
		// stand at either.
		if x, y := cut.Slice(a, b), m.Slice(from+a, from+b); x.Text != y.Text || a < b && x.Span(0, len(x.Text)) != y.Span(0, len(y.Text)) {
			t.Fatalf("%q at %+v, cut once %q at %+v", x.Text, x.Span(0, len(x.Text)), y.Text, y.Span(0, len(y.Text)))
		}

		// Taking apart and putting together changes nothing.
		var whole eml.MapBuilder
		whole.Append(m.Slice(0, from))
		whole.Append(m.Slice(from, to))
		whole.Append(m.Slice(to, len(m.Text)))
		if got := whole.Mapped(); got.Text != m.Text || from < to && got.Span(from, to-from) != s {
			t.Fatalf("joined to %q at %+v, was %q at %+v", got.Text, got.Span(from, to-from), m.Text, s)
		}

		// A longer range covers a shorter one.
		if a < b {
			in, out := m.Span(from+a, b-a), s
			if in.Offset < out.Offset || in.End() > out.End() {
				t.Fatalf("%+v does not cover %+v", out, in)
			}
		}
	})
}
