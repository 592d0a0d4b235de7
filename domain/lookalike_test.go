package domain_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sekisho/sekisho/domain"
)

func TestLookalike(t *testing.T) {
	const kiso = "kiso-works.example"
	none := domain.Match{}
	m := func(kind domain.Kind, target domain.Name, piece, instead string) domain.Match {
		return domain.Match{Kind: kind, Target: target, Piece: piece, Instead: instead}
	}
	for _, c := range []struct {
		name, candidate string
		target          domain.Name
		want            domain.Match
	}{
		{"Same", "kiso-works.example", kiso, none},
		{"Below", "mail.kiso-works.example", kiso, none},
		{"SuffixOfTarget", "example", kiso, none},
		{"Unrelated", "tanaka.test", kiso, none},
		{"TargetBelow", "kisoworks.test", "mail.kiso-works.example", m(domain.Hyphenation, kiso, "kisoworks", "kiso-works")},

		{"DigitZero", "micr0soft.test", "microsoft.com", m(domain.DigitSwap, "microsoft.com", "0", "o")},
		{"DigitsMany", "k1s0-w0rk5.test", kiso, m(domain.DigitSwap, kiso, "1s0-w0rk5", "iso-works")},
		{"DigitThree", "sakura-h0t3l.test", "sakura-hotel.example", m(domain.DigitSwap, "sakura-hotel.example", "0t3", "ote")},
		{"DigitNotAlike", "micr7soft.test", "microsoft.com", m(domain.Edit, "microsoft.com", "7", "o")},
		{"DigitInWords", "login-micr0soft.test", "microsoft.com", m(domain.DigitSwap, "microsoft.com", "0", "o")},
		{"DigitInTwoWords", "login-kis0-works.test", kiso, m(domain.DigitSwap, kiso, "0", "o")},

		{"RNForM", "rnicrosoft.test", "microsoft.com", m(domain.Confusable, "microsoft.com", "rn", "m")},
		{"VVForW", "kiso-vvorks.test", kiso, m(domain.Confusable, kiso, "vv", "w")},
		{"CLForD", "clocusign.test", "docusign.com", m(domain.Confusable, "docusign.com", "cl", "d")},
		{"LForI", "mlcrosoft.test", "microsoft.com", m(domain.Confusable, "microsoft.com", "l", "i")},
		{"CyrillicO", "kisо-works.test", kiso, m(domain.Confusable, kiso, "о", "o")},
		{"CyrillicSameSuffix", "kisо-works.example", kiso, m(domain.Confusable, kiso, "о", "o")},
		{"Accent", "kíso-works.test", kiso, m(domain.Confusable, kiso, "í", "i")},
		{"Stroke", "kisø-works.test", kiso, m(domain.Confusable, kiso, "ø", "o")},
		{"ConfusableAndDigit", "rnicr0soft.test", "microsoft.com", m(domain.Confusable, "microsoft.com", "rnicr0", "micro")},
		{"ConfusableInWords", "rnicrosoft-support.test", "microsoft.com", m(domain.Confusable, "microsoft.com", "rn", "m")},
		{"JapaneseLongVowel", "一ト.test", "ート.example", m(domain.Confusable, "xn--fdk9e.example", "一", "ー")},

		{"NoHyphen", "kisoworks.test", kiso, m(domain.Hyphenation, kiso, "kisoworks", "kiso-works")},
		{"MoreHyphens", "ki-so-works.test", kiso, m(domain.Hyphenation, kiso, "ki-so-works", "kiso-works")},
		{"NewHyphen", "micro-soft.test", "microsoft.com", m(domain.Hyphenation, "microsoft.com", "micro-soft", "microsoft")},

		{"WordAfter", "kiso-works-login.test", kiso, m(domain.Affix, kiso, "login", "")},
		{"WordBefore", "login-kisoworks.test", kiso, m(domain.Affix, kiso, "login", "")},
		{"WordsAround", "secure-kiso-works-web.test", kiso, m(domain.Affix, kiso, "secure … web", "")},
		{"UnknownWordAtDistinctName", "kiso-works-zephyr.test", kiso, m(domain.Affix, kiso, "zephyr", "")},
		{"WordGlued", "kisoworkslogin.test", kiso, m(domain.Affix, kiso, "login", "")},
		{"WordGluedBefore", "mykisoworks.test", kiso, m(domain.Affix, kiso, "my", "")},
		{"WordsGlued", "microsoftsecurelogin365.test", "microsoft.com", m(domain.Affix, "microsoft.com", "securelogin365", "")},
		{"SuffixGlued", "kisoworkscojp.test", "kiso-works.co.jp", m(domain.Affix, "kiso-works.co.jp", "cojp", "")},
		{"SuffixInHyphens", "sakura-co-jp.test", "sakura.co.jp", m(domain.Affix, "sakura.co.jp", "co-jp", "")},
		{"WordAtOrdinaryName", "sakura-login.test", "sakura.example", m(domain.Affix, "sakura.example", "login", "")},
		{"UnknownWordAtOrdinaryName", "sakura-zephyr.test", "sakura.example", none},
		{"PartOfAWord", "pineapple.test", "apple.com", none},
		{"PartOfAWordInFront", "appleton.test", "apple.com", none},

		{"Substitution", "microsaft.test", "microsoft.com", m(domain.Edit, "microsoft.com", "a", "o")},
		{"Transposition", "kiso-wroks.test", kiso, m(domain.Edit, kiso, "ro", "or")},
		{"Insertion", "microsofft.test", "microsoft.com", m(domain.Edit, "microsoft.com", "f", "")},
		{"Deletion", "microsft.test", "microsoft.com", m(domain.Edit, "microsoft.com", "", "o")},
		{"TwoSlips", "mircosofft.test", "microsoft.com", m(domain.Edit, "microsoft.com", "rcosof", "croso")},
		{"TwoSubstitutionsInShort", "microport.test", "microsoft.com", none},
		{"TwoSubstitutionsInLong", "tanaka-shoken.test", "tanaka-shokai.example", m(domain.Edit, "tanaka-shokai.example", "en", "ai")},
		{"OtherFirstCharacter", "nicrosoft.test", "microsoft.com", none},
		{"OrdinarySlip", "gogle.test", "google.com", m(domain.Edit, "google.com", "", "o")},
		{"OrdinaryDoubled", "gooogle.test", "google.com", m(domain.Edit, "google.com", "o", "")},
		{"OrdinarySwap", "googel.test", "google.com", m(domain.Edit, "google.com", "el", "le")},
		{"OrdinaryWord", "goggle.test", "google.com", none},
		{"OrdinaryWordShorter", "apply.test", "apple.com", none},

		{"OtherSuffix", "kiso-works.test", kiso, m(domain.SwappedTLD, kiso, "test", "example")},
		{"OtherSuffixBelow", "mail.kiso-works.co.jp", kiso, m(domain.SwappedTLD, kiso, "co.jp", "example")},
		{"TenantOfTheSameName", "kiso-works.onmicrosoft.com", kiso, m(domain.SwappedTLD, kiso, "onmicrosoft.com", "example")},

		{"WholeNameInFront", "kiso-works.example.login.test", kiso, m(domain.Subdomain, kiso, "kiso-works.example", "")},
		{"WholeNameInTheMiddle", "www.kiso-works.example.a.test", kiso, m(domain.Subdomain, kiso, "kiso-works.example", "")},
		{"LabelInFront", "kiso-works.login.test", kiso, m(domain.Subdomain, kiso, "kiso-works", "")},
		{"LabelWithWords", "kisoworks-login.cloud.test", kiso, m(domain.Subdomain, kiso, "kisoworks-login", "kiso-works")},
		{"LabelDrawnAlike", "micr0soft.login.test", "microsoft.com", m(domain.Subdomain, "microsoft.com", "micr0soft", "microsoft")},
		{"LabelOnHost", "microsoft-login.web.app", "microsoft.com", m(domain.Affix, "microsoft.com", "login", "")},
		{"LabelUnrelated", "www.login.test", kiso, none},

		{"ShortConfusable", "аbс.test", "abc.example", m(domain.Confusable, "abc.example", "аbс", "abc")},
		{"ShortZero", "sat0.test", "sato.example", m(domain.DigitSwap, "sato.example", "0", "o")},
		{"ShortDigitFive", "5ato.test", "sato.example", none},
		{"ShortAffix", "sato-login.test", "sato.example", m(domain.Affix, "sato.example", "login", "")},
		{"ShortAffixUnknown", "sato-zephyr.test", "sato.example", none},
		{"ShortGlued", "satologin.test", "sato.example", none},
		{"ShortEdit", "saito.test", "sato.example", none},
		{"ShortOtherHyphens", "sa-to.test", "sato.example", none},
		{"ShortOtherSuffix", "sato.test", "sato.example", none},
		{"ShortLabelInFront", "sato.login.test", "sato.example", none},
		{"ShortWholeNameInFront", "sato.example.login.test", "sato.example", m(domain.Subdomain, "sato.example", "sato.example", "")},
		{"ShortWholeNameOverSuffix", "abc.example.test", "abc.example", m(domain.Subdomain, "abc.example", "abc.example", "")},

		{"TargetIsSuffix", "co-jp.test", "co.jp", none},
	} {
		t.Run(c.name, func(t *testing.T) {
			candidate, err := domain.Parse(c.candidate)
			if err != nil {
				t.Fatal(err)
			}
			target, err := domain.Parse(string(c.target))
			if err != nil {
				t.Fatal(err)
			}
			got, ok := domain.Lookalike(candidate, target)
			if d := cmp.Diff(c.want, got); d != "" || ok != (c.want != none) {
				t.Errorf("%v\n%s", ok, d)
			}
		})
	}
}

func TestLookalikeOfNothing(t *testing.T) {
	for _, c := range [][2]domain.Name{{"", ""}, {"", "kiso.example"}, {"kiso.example", ""}} {
		if m, ok := domain.Lookalike(c[0], c[1]); ok {
			t.Errorf("%q imitates %q: %v", c[0], c[1], m)
		}
	}
}

func TestTargets(t *testing.T) {
	ts := domain.NewTargets("kiso-works.example", "mail.kiso-works.example", "kisoworks.test", "co.jp", "microsoft.com")
	for _, c := range []struct {
		name      string
		candidate domain.Name
		want      []domain.Match
	}{
		{"OfSeveral", "kisoworks-login.test", []domain.Match{
			{Kind: domain.Affix, Target: "kiso-works.example", Piece: "login"},
			{Kind: domain.Affix, Target: "kisoworks.test", Piece: "login"},
		}},
		{"ATargetImitatesNone", "mail.kisoworks.test", nil},
		{"Unrelated", "tanaka.test", nil},
		{"None", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, ts.Lookalikes(c.candidate)); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestTargetsAgreeWithLookalike draws names from pieces that nearly match.
func TestTargetsAgreeWithLookalike(t *testing.T) {
	label := rapid.Custom(func(t *rapid.T) string {
		pieces := rapid.SliceOfN(rapid.SampledFrom([]string{"kiso", "works", "-", "w0rks", "vv", "login", "m", "rn", "日本", "é", "sato", "1"}), 1, 5).Draw(t, "pieces")
		return strings.Join(pieces, "")
	})
	name := rapid.Custom(func(t *rapid.T) domain.Name {
		labels := append(rapid.SliceOfN(label, 1, 3).Draw(t, "labels"), rapid.SampledFrom([]string{"example", "test", "co.jp", "onmicrosoft.com"}).Draw(t, "suffix"))
		n, err := domain.Parse(strings.Join(labels, "."))
		if err != nil {
			t.Skip(err)
		}
		return n
	})
	rapid.Check(t, func(t *rapid.T) {
		candidate, targets := name.Draw(t, "candidate"), rapid.SliceOfN(name, 1, 3).Draw(t, "targets")
		if slices.ContainsFunc(targets, func(n domain.Name) bool { return candidate.IsSubdomainOf(domain.Organizational(n)) }) {
			return
		}
		var want []domain.Match
		for _, target := range targets {
			if m, ok := domain.Lookalike(candidate, target); ok && !slices.Contains(want, m) {
				want = append(want, m)
			}
		}
		if d := cmp.Diff(want, domain.NewTargets(targets...).Lookalikes(candidate)); d != "" {
			t.Error(d)
		}
	})
}

func FuzzLookalike(f *testing.F) {
	f.Add("kiso-w0rks-login.test", "kiso-works.example")
	f.Add("日本.example", "目本.example")
	f.Add("a-a-a-a-a-a-a-a.a--a.test", "aa-aaaaaa.example")
	f.Add("blob.core.windows.net", "windows.net")
	f.Fuzz(func(t *testing.T, a, b string) {
		candidate, err := domain.Parse(a)
		if err != nil {
			return
		}
		target, err := domain.Parse(b)
		if err != nil {
			return
		}
		m, ok := domain.Lookalike(candidate, target)
		if !ok {
			if m != (domain.Match{}) {
				t.Fatalf("no match, and %v", m)
			}
			return
		}
		if !target.IsSubdomainOf(m.Target) || candidate.IsSubdomainOf(m.Target) {
			t.Fatalf("%q imitates %q: %v", candidate, target, m)
		}
		if !strings.Contains(candidate.Unicode(), m.Piece) && m.Kind != domain.Affix {
			t.Fatalf("%q is not in %q: %v", m.Piece, candidate.Unicode(), m)
		}
	})
}

func BenchmarkLookalikes(b *testing.B) {
	var names []domain.Name
	for i := range 30 {
		names = append(names, domain.Name(fmt.Sprintf("kiso-works-%c.example", 'a'+i%26)), domain.Name(fmt.Sprintf("tanaka%d.example", i)))
	}
	targets := domain.NewTargets(names...)
	for _, c := range []struct{ name, candidate string }{
		{"Ordinary", "cdn.images.mailer-assets.test"},
		{"ManyHyphens", strings.Repeat(strings.Repeat("a-", 30)+"a.", 4) + "test"},
		{"ManyLabels", strings.Repeat("a.", 122) + "test"},
	} {
		b.Run(c.name, func(b *testing.B) {
			n, err := domain.Parse(c.candidate)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				targets.Lookalikes(n)
			}
		})
	}
}
