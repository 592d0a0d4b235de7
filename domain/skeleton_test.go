package domain_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/sekisho/sekisho/domain"
)

func TestSkeleton(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		same       bool
	}{
		{"Itself", "kiso", "kiso", true},
		{"MIsRN", "m", "rn", true},
		{"ZeroIsCapitalO", "0", "O", true},
		{"ZeroIsNotSmallO", "0", "o", false},
		{"OneIsL", "1", "l", true},
		{"CapitalIIsL", "I", "l", true},
		{"Cyrillic", "рауроӏ", "paypoi", true},
		{"Greek", "ο", "o", true},
		{"FullWidth", "ｏ", "o", true},
		{"Mathematical", "𝐤𝐢𝐬𝐨", "kiso", true},
		{"KanjiOneIsLongVowel", "一", "ー", true},
		{"KatakanaRoIsNotKanjiMouth", "ロ", "口", true},
		{"ComposedAndNot", "é", "e\u0301", true},
		{"ZeroWidthIsNothing", "ki\u200bso", "kiso", true},
		{"SoftHyphenIsNothing", "ki\u00adso", "kiso", true},
		{"Others", "kiso", "kisa", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := domain.Skeleton(c.a), domain.Skeleton(c.b)
			if (a == b) != c.same {
				t.Errorf("%q has %q, %q has %q", c.a, a, c.b, b)
			}
		})
	}
}

// TestSkeletonOfSkeleton holds for every character there is.
func TestSkeletonOfSkeleton(t *testing.T) {
	longest := 0
	for r := range rune(utf8.MaxRune + 1) {
		if !utf8.ValidRune(r) {
			continue
		}
		s := domain.Skeleton(string(r))
		if again := domain.Skeleton(s); again != s {
			t.Errorf("%U: %q, and of that %q", r, s, again)
		}
		longest = max(longest, utf8.RuneCountInString(s))
	}
	if longest > 18 {
		t.Errorf("a skeleton of %d characters: the comment says 18", longest)
	}
}

func TestSkeletonProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		sa := domain.Skeleton(a)
		if again := domain.Skeleton(sa); again != sa {
			t.Fatalf("skeleton of the skeleton: %q, want %q", again, sa)
		}
		// A joined string folds like its parts, up to the order of marks.
		if got, want := domain.Skeleton(a+"a"+b), domain.Skeleton(a)+"a"+domain.Skeleton(b); len(got) != len(want) {
			t.Fatalf("%q, want %q", got, want)
		}
	})
}

func FuzzSkeleton(f *testing.F) {
	f.Add("kiso-works")
	f.Add("рауроӏ")
	f.Add("\u0300\u0316\xff一")
	f.Fuzz(func(t *testing.T, s string) {
		got := domain.Skeleton(s)
		if !utf8.ValidString(got) {
			t.Fatalf("not UTF-8: %q", got)
		}
		if again := domain.Skeleton(got); again != got {
			t.Fatalf("skeleton of %q is %q, and of that %q", s, got, again)
		}
		if strings.Contains(got, "m") {
			t.Fatalf("%q is no skeleton", got)
		}
	})
}
