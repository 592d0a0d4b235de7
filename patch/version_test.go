package patch_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/sekisho/sekisho/patch"
)

func TestVersionCompare(t *testing.T) {
	for _, tc := range []struct {
		name string
		a, b string
		want int
	}{
		{"FourParts", "10.0.19045.5737", "10.0.19045.5608", 1},
		{"NumbersNotText", "6.10.0", "6.9.9", 1},
		{"TrailingZeros", "6.4.0.0", "6.4", 0},
		{"LeadingZeros", "25.001.20432", "25.1.20432", 0},
		{"Longer", "1.2.3", "1.2", 1},
		{"LetterAfter", "1.0.2a", "1.0.2", 1},
		{"LetterOrder", "1.0.2b", "1.0.2k", -1},
		{"Beta", "2.0-beta", "2.0", -1},
		{"CandidateAfterBeta", "2.0-rc1", "2.0-beta2", 1},
		{"Update", "7.2.2-72806 Update 3", "7.2.2-72806", 1},
		{"UpdateOrder", "7.2.2-72806 Update 3", "7.2.2-72806 Update 10", -1},
		{"Revision", "Rev.15.02.33", "Rev.15.02.31", 1},
		{"Build", "v7.4.7 build2731", "v7.4.7,build2726", 1},
		{"FullWidth", "６.４.３", "6.4.3", 0},
		{"Huge", "1.99999999999999999999999999", "1.100000000000000000000000000", -1},
		{"Words", "バージョン 3.1", "3.1", 0},
		{"ZeroBeforeANumber", "1.0.1", "1.1", -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, ok := patch.ParseVersion(tc.a)
			b, ok2 := patch.ParseVersion(tc.b)
			if !ok || !ok2 {
				t.Fatal("not read")
			}
			if got := a.Compare(b); sign(got) != tc.want || sign(b.Compare(a)) != -tc.want {
				t.Errorf("%d, and %d the other way round; want %d", got, b.Compare(a), tc.want)
			}
		})
	}
}

func sign(n int) int { return max(-1, min(1, n)) }

func TestVersionIsNone(t *testing.T) {
	for _, s := range []string{"", "latest", "v", "不明", "..."} {
		if _, ok := patch.ParseVersion(s); ok {
			t.Errorf("%q was read", s)
		}
	}
}

// TestVersionOrder holds the comparison to a total order.
func TestVersionOrder(t *testing.T) {
	gen := rapid.StringMatching(`[0-9]{1,2}([.\-]?([0-9]{1,2}|a|beta|rc|u|update)){0,4}`)
	rapid.Check(t, func(t *rapid.T) {
		text := gen.Draw(t, "a")
		a, _ := patch.ParseVersion(text)
		same, _ := patch.ParseVersion(text)
		b, _ := patch.ParseVersion(gen.Draw(t, "b"))
		c, _ := patch.ParseVersion(gen.Draw(t, "c"))
		if sign(a.Compare(b)) != -sign(b.Compare(a)) || a.Compare(same) != 0 {
			t.Fatal("not antisymmetric")
		}
		if a.Compare(b) <= 0 && b.Compare(c) <= 0 && a.Compare(c) > 0 {
			t.Fatal("not transitive")
		}
	})
}

func FuzzParseVersion(f *testing.F) {
	for _, s := range []string{"10.0.26100.3775", "8u441", "v1.0-rc1", "\xff\x00", "０.１", "1..2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, ok := patch.ParseVersion(s)
		same, _ := patch.ParseVersion(s + " ")
		if ok && len(s) < 200 && v.Compare(same) != 0 {
			t.Error("differs from itself")
		}
	})
}
