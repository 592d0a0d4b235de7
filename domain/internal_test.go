package domain

import (
	"testing"

	"pgregory.net/rapid"
)

func TestEmbeddedLists(t *testing.T) {
	for _, entry := range textEntries(affixWordsText) {
		if len(entry) < 2 || len(entry) > longestAffixWord {
			t.Errorf("affix_words.txt: %q has %d letters", entry, len(entry))
		}
		for i := range len(entry) {
			if !isLetterDigit(entry[i]) {
				t.Errorf("affix_words.txt: %q", entry)
			}
		}
	}
	for _, entry := range textEntries(tenantSuffixesText) {
		if len(entry) > 2 && entry[:2] == "*." {
			entry = "a" + entry[1:]
		}
		if n, err := Parse(entry); err != nil || string(n) != entry {
			t.Errorf("tenant_suffixes.txt: %q: %v", entry, err)
		}
	}
	if len(affixWords()) != len(textEntries(affixWordsText)) || len(tenantSuffixes()) != len(textEntries(tenantSuffixesText)) {
		t.Error("an entry stands in a list twice")
	}
}

// TestASCIISkeleton holds the quick way to the real one.
func TestASCIISkeleton(t *testing.T) {
	for c := range byte(0x80) {
		if isLetterDigit(c) || c == '-' || c == '_' {
			quick, slow := lowerSkeleton(string(rune(c))), lowerSkeletonSlow(string(rune(c)))
			if quick != slow {
				t.Errorf("%c: %q, want %q", c, quick, slow)
			}
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		want       int
	}{
		{"Same", "kiso", "kiso", 0},
		{"Insertion", "kisso", "kiso", 2},
		{"Deletion", "kso", "kiso", 2},
		{"Substitution", "kaso", "kiso", 3},
		{"Transposition", "ksio", "kiso", 2},
		{"TranspositionAtEnd", "kios", "kiso", 2},
		{"Two", "ksioo", "kiso", 4},
		{"OverLimit", "tanaka", "kiso", 7},
		{"LengthOverLimit", "kisokisokiso", "kiso", 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := distance([]rune(c.a), []rune(c.b), 6); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
			if got := distance([]rune(c.b), []rune(c.a), 6); got != c.want {
				t.Errorf("the other way: got %d, want %d", got, c.want)
			}
		})
	}
}

// TestDistanceLimit shows that giving up early changes nothing below the limit.
func TestDistanceLimit(t *testing.T) {
	text := rapid.StringOfN(rapid.RuneFrom([]rune("abc")), 0, 8, -1)
	rapid.Check(t, func(t *rapid.T) {
		a, b := []rune(text.Draw(t, "a")), []rune(text.Draw(t, "b"))
		limit := rapid.IntRange(0, 12).Draw(t, "limit")
		full, cut := distance(a, b, 1000), distance(a, b, limit)
		if full <= limit && cut != full || full > limit && cut <= limit {
			t.Fatalf("%d with the limit %d, %d without", cut, limit, full)
		}
	})
}
