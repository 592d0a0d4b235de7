package zone

import (
	"errors"
	"strings"
	"testing"
)

func TestLimits(t *testing.T) {
	for _, tc := range []struct {
		name           string
		records, names int
		text           string
		want           error
	}{
		{"Fits", 3, 5, "a.x.example. A 192.0.2.1\nb.x.example. A 192.0.2.1\nb.x.example. TXT x", nil},
		{"Records", 2, 100, "a.x.example. A 192.0.2.1\nb.x.example. A 192.0.2.1\nb.x.example. TXT x", ErrTooLarge},
		{"Names", 100, 4, "a.x.example. A 192.0.2.1\nb.x.example. A 192.0.2.1", ErrTooLarge},
		{"AncestorsAreNames", 100, 50, strings.Repeat("a.", 60) + " A 192.0.2.1", ErrTooLarge},
		{"SkippedTypesAreNames", 100, 2, "a.x.example. SRV x", ErrTooLarge},
	} {
		t.Run(tc.name, func(t *testing.T) {
			z := New()
			z.maxRecords, z.maxNames = tc.records, tc.names
			if _, err := parse(z, tc.text); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func TestReadLimit(t *testing.T) {
	if _, err := read(strings.NewReader("12345"), 5); err != nil {
		t.Error(err)
	}
	if _, err := read(strings.NewReader("123456"), 5); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	if _, err := ParseString(strings.Repeat(" ", maxBytes+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}
