package lookalike_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/domain/lookalike"
)

func find(list []lookalike.Candidate, name domain.Name) (lookalike.Candidate, bool) {
	i := slices.IndexFunc(list, func(c lookalike.Candidate) bool { return c.Name == name })
	if i < 0 {
		return lookalike.Candidate{}, false
	}
	return list[i], true
}

func TestCandidates(t *testing.T) {
	type made struct {
		Way            lookalike.Way
		Piece, Instead string
	}
	for _, tc := range []struct {
		name, target, candidate string
		want                    made
	}{
		{"Suffix", "kiso-works.example", "kiso-works.com", made{lookalike.Suffix, "com", "example"}},
		{"SuffixOfJapan", "kiso-works.co.jp", "kiso-works.jp", made{lookalike.Suffix, "jp", "co.jp"}},
		{"SuffixToCompany", "kiso-works.com", "kiso-works.co.jp", made{lookalike.Suffix, "co.jp", "com"}},
		{"SuffixAsWord", "kiso-works.co.jp", "kiso-works-co-jp.com", made{lookalike.SuffixAsWord, "co-jp", ""}},
		{"SuffixWithoutDot", "kiso-works.co.jp", "kiso-worksco.jp", made{lookalike.SuffixAsWord, "co.jp", "co.jp"}},
		{"HomoglyphPair", "kiso-works.example", "kiso-vvorks.example", made{lookalike.Homoglyph, "vv", "w"}},
		{"HomoglyphDigit", "kiso-works.example", "kis0-works.example", made{lookalike.Homoglyph, "0", "o"}},
		{"HomoglyphAll", "kiso-works.example", "kis0-w0rks.example", made{lookalike.Homoglyph, "0", "o"}},
		{"HomoglyphM", "matsumoto.example", "rnatsumoto.example", made{lookalike.Homoglyph, "rn", "m"}},
		{"HomoglyphScript", "kiso-works.example", "kіso-works.example", made{lookalike.Homoglyph, "і", "i"}},
		{"HomoglyphLongVowel", "kiso-works.co.jp", "kisoーworks.jp", made{lookalike.Homoglyph, "ー", "-"}},
		{"Hyphenation", "kiso-works.example", "kisoworks.example", made{lookalike.Hyphenation, "kisoworks", "kiso-works"}},
		{"HyphenAdded", "kisoworks.example", "kiso-works.example", made{lookalike.Hyphenation, "-", ""}},
		{"WordBehind", "kiso-works.example", "kiso-works-login.example", made{lookalike.AddedWord, "login", ""}},
		{"WordBefore", "kiso-works.example", "secure-kiso-works.example", made{lookalike.AddedWord, "secure", ""}},
		{"WordOfJapan", "kiso-works.example", "kiso-works-seikyu.example", made{lookalike.AddedWord, "seikyu", ""}},
		{"WordElsewhere", "kiso-works.co.jp", "kiso-works-login.com", made{lookalike.AddedWord, "login", ""}},
		{"Squash", "kiso-works.example", "wwwkiso-works.example", made{lookalike.Squash, "wwwkiso-works", "www.kiso-works"}},
		{"SquashOfHost", "ir.kiso-works.example", "ir-kiso-works.example", made{lookalike.Squash, "ir-kiso-works", "ir.kiso-works"}},
		{"Transposition", "kiso-works.example", "kiso-wroks.example", made{lookalike.Transposition, "ro", "or"}},
		{"Omission", "kiso-works.example", "kiso-wrks.example", made{lookalike.Omission, "", "o"}},
		{"Repetition", "kiso-works.example", "kiso-workss.example", made{lookalike.Repetition, "ss", "s"}},
		{"Romanization", "hashimoto.example", "hasimoto.example", made{lookalike.Romanization, "si", "shi"}},
		{"Keyboard", "kiso-works.example", "kiso-wirks.example", made{lookalike.Keyboard, "i", "o"}},
		{"KeyboardHyphen", "kiso0works.example", "kiso-works.example", made{lookalike.Keyboard, "-", "0"}},
		{"Bitsquat", "kiso-works.example", "kiso-7orks.example", made{lookalike.Bitsquat, "7", "w"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			list := lookalike.Candidates(domain.Name(tc.target), &lookalike.Options{Max: 100_000})
			name, err := domain.Parse(tc.candidate)
			if err != nil {
				t.Fatal(err)
			}
			c, ok := find(list, name)
			if !ok {
				t.Fatalf("%s is not among %d candidates", tc.candidate, len(list))
			}
			if diff := cmp.Diff(tc.want, made{c.Way, c.Piece, c.Instead}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCandidatesAgree holds the two directions to each other: what is made
// here is met there, but for single slips that an ordinary word may be.
func TestCandidatesAgree(t *testing.T) {
	target := domain.Name("kiso-works.example")
	missed := map[lookalike.Way]int{}
	total := map[lookalike.Way]int{}
	for _, c := range lookalike.Candidates(target, &lookalike.Options{Max: 100_000}) {
		total[c.Way]++
		if _, ok := domain.Lookalike(c.Name, target); !ok {
			missed[c.Way]++
		}
	}
	for _, w := range []lookalike.Way{lookalike.Suffix, lookalike.Hyphenation, lookalike.Transposition, lookalike.Omission, lookalike.Repetition} {
		if total[w] == 0 || missed[w] > total[w]/5 { // a slip in the first character is no sign there
			t.Errorf("%s: %d of %d are not met as look-alikes", w, missed[w], total[w])
		}
	}
}

func TestCandidatesRanked(t *testing.T) {
	list := lookalike.Candidates("kiso-works.co.jp", nil)
	if len(list) != lookalike.DefaultMax {
		t.Errorf("%d candidates", len(list))
	}
	seen := map[domain.Name]bool{}
	for i, c := range list {
		if seen[c.Name] {
			t.Errorf("%s stands there twice", c.Name)
		}
		seen[c.Name] = true
		if i > 0 && c.Weight > list[i-1].Weight {
			t.Errorf("%s (%d) stands behind %d", c.Name, c.Weight, list[i-1].Weight)
		}
	}
	for _, n := range []domain.Name{"kiso-works.com", "kiso-works.jp", "kisoworks.com", "kiso-vvorks.com", "kiso-worksco.jp"} {
		if i := slices.IndexFunc(list, func(c lookalike.Candidate) bool { return c.Name == n }); i < 0 || i > 80 {
			t.Errorf("%s stands at place %d", n, i)
		}
	}
}

func TestCandidatesExcept(t *testing.T) {
	for _, tc := range []struct {
		name   string
		target domain.Name
		except []domain.Name
		absent domain.Name
	}{
		{"Itself", "mail.kiso-works.example", nil, "kiso-works.example"},
		{"Own", "kiso-works.example", []domain.Name{"kisoworks.example"}, "kisoworks.example"},
		{"OwnSuffix", "kiso-works.example", []domain.Name{"kiso-works.com"}, "kiso-works.com"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			list := lookalike.Candidates(tc.target, &lookalike.Options{Max: 100_000, Except: tc.except})
			if c, ok := find(list, tc.absent); ok {
				t.Errorf("%+v", c)
			}
			if len(list) < 500 {
				t.Errorf("only %d candidates", len(list))
			}
		})
	}
}

func TestCandidatesOddTargets(t *testing.T) {
	for _, tc := range []struct {
		name   string
		target domain.Name
		none   bool
		slips  bool
	}{
		{"PublicSuffix", "co.jp", true, false},
		{"Nothing", "", true, false},
		{"Short", "abc.example", false, false},
		{"Long", domain.Name(strings.Repeat("a", 63) + ".example"), false, true},
		{"ULabel", "xn--n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa.example", false, false},
		{"TenantSuffix", "kiso-works.onmicrosoft.com", false, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			list := lookalike.Candidates(tc.target, &lookalike.Options{Max: 100_000})
			if (len(list) == 0) != tc.none {
				t.Errorf("%d candidates", len(list))
			}
			slips := slices.ContainsFunc(list, func(c lookalike.Candidate) bool { return c.Way == lookalike.Omission })
			if slips != tc.slips {
				t.Errorf("slips: %v", slips)
			}
		})
	}
}

func FuzzCandidates(f *testing.F) {
	for _, s := range []string{"kiso-works.example", "a.b.c.example", "xn--p1ai.example", "0.example", "--.example", "example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := domain.Parse(s)
		if err != nil {
			return
		}
		for _, c := range lookalike.Candidates(n, nil) {
			if p, err := domain.Parse(string(c.Name)); err != nil || p != c.Name {
				t.Fatalf("%q is no name: %v", c.Name, err)
			}
			if c.Name.IsSubdomainOf(domain.Organizational(n)) || c.Weight < 0 || c.Weight > 100 {
				t.Fatalf("%q for %q: %+v", c.Name, n, c)
			}
		}
	})
}
