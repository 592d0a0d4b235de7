package grounding_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/advisory/grounding"
	"github.com/sekisho/sekisho/lang"
)

// sample is a line of the labelled set.
type sample struct {
	Source, Lang, Sentence, Kind, Why string
}

func labelled(t *testing.T) ([]sample, map[string]*grounding.Ground) {
	t.Helper()
	dir := filepath.Join("..", "testdata", "grounding")
	var out []sample
	grounds := map[string]*grounding.Ground{}
	for _, name := range []string{"drafts.jsonl", "third.jsonl", "fourth.jsonl", "fifth.jsonl", "sixth.jsonl", "seventh.jsonl"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(strings.TrimSpace(string(b)), "\n") {
			var s sample
			if err := json.Unmarshal([]byte(line), &s); err != nil {
				t.Fatal(err)
			}
			out = append(out, s)
			if grounds[s.Source] == nil {
				grounds[s.Source] = sourceGround(t, filepath.Join(dir, "sources", s.Source+".json"))
			}
		}
	}
	return out, grounds
}

func sourceGround(t *testing.T, path string) *grounding.Ground {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var src struct{ Text string }
	if err := json.Unmarshal(b, &src); err != nil {
		t.Fatal(err)
	}
	title, text, _ := strings.Cut(src.Text, "\n")
	return grounding.New(&grounding.Options{Sources: []grounding.Source{{Title: title, Text: text}}})
}

// part is a part of the labelled set with the limits it has to keep, in percent.
type part struct {
	name         string
	last         string // source
	least, wrong int
}

// parts are in the order of their sources. All were at hand when the lexicon and the
// weights were made; advisory/testdata/grounding/README.md tells what was found at
// first sight. The limits are what was reached, so that a change which makes it worse
// is seen.
var parts = []part{
	{"g01-g06", "g06", 79, 2},
	{"g07-g12", "g12", 75, 2},
	{"h01-h06", "h06", 66, 3},
	{"k01-k04", "k04", 62, 5},
	{"m01-m07", "m07", 60, 3},
	{"n01-n07", "n07", 58, 4},
	{"p01-p02", "p02", 53, 4},
}

// TestPlanted measures the parts of the labelled set.
func TestPlanted(t *testing.T) {
	samples, grounds := labelled(t)
	type tally struct{ planted, found, hard, honest, wrong, wrongHard int }
	tallies := make([]tally, len(parts))
	missed := make([]map[string]int, len(parts))
	for _, s := range samples {
		i := slices.IndexFunc(parts, func(p part) bool { return s.Source <= p.last })
		n := &tallies[i]
		r := grounds[s.Source].Check(s.Sentence, lang.Language(s.Lang))
		flagged := len(r.Problems) > 0
		hard := slices.ContainsFunc(r.Problems, func(p grounding.Problem) bool { return p.Kind.Hard() })
		if s.Kind == "honest" {
			n.honest++
			n.wrong += count(flagged)
			n.wrongHard += count(hard)
		} else {
			n.planted++
			n.found += count(flagged)
			n.hard += count(hard)
		}
		if flagged != (s.Kind == "honest") {
			continue
		}
		why := s.Kind
		if flagged {
			why = "honest " + s.Why + " by " + string(r.Problems[0].Kind)
		}
		if missed[i] == nil {
			missed[i] = map[string]int{}
		}
		missed[i][why]++
		t.Logf("%s %s %q (%s): %+v", s.Source, s.Kind, s.Sentence, s.Why, r.Problems)
	}
	for i, p := range parts {
		n := &tallies[i]
		t.Logf("%s: %d of %d planted found (%d by hard facts), %d of %d honest flagged (%d by hard facts); wrong by kind: %v",
			p.name, n.found, n.planted, n.hard, n.wrong, n.honest, n.wrongHard, missed[i])
		if 100*n.found < p.least*n.planted || 100*n.wrong > p.wrong*n.honest {
			t.Errorf("%s is worse than %d%% found and %d%% flagged", p.name, p.least, p.wrong)
		}
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func article() *grounding.Ground {
	return grounding.New(&grounding.Options{
		Sources: []grounding.Source{{
			Title: "Kiso Gate flaw CVE-2031-40123 is exploited",
			Text: "On Tuesday, 9 March 2027 Kiso reported that CVE-2031-40123 is being exploited. It is fixed in 4.2.17. " +
				"About 41,300 users at 312 organizations in 29 countries were targeted; 92% of them were in Germany. The attackers may have stolen passwords.",
		}},
		Own:     []string{"内線 1234"},
		Phrases: []lang.Text{{JA: "{ask}へご連絡ください。", EN: "Tell {ask} at once."}},
	})
}

func TestCheck(t *testing.T) {
	g := article()
	for _, tc := range []struct {
		name, lang, text string
		want             grounding.Kind // empty: nothing
	}{
		{"Restated", "en", "CVE-2031-40123 is being exploited.", ""},
		{"OtherCVE", "en", "CVE-2031-40132 is being exploited.", grounding.Identifier},
		{"OtherVersion", "ja", "4.2.71で修正されています。", grounding.Identifier},
		{"RoundedShare", "ja", "標的の約9割はドイツでした。", ""},
		{"WrongShare", "ja", "標的の約7割はドイツでした。", grounding.Percent},
		{"RoundedCount", "ja", "約4万人が標的になりました。", ""},
		{"OtherCount", "ja", "約6万人が標的になりました。", grounding.Number},
		{"OtherUnit", "ja", "29組織が標的になりました。", grounding.Unit},
		{"OtherPlace", "en", "92% of them were in France.", grounding.Place},
		{"Date", "ja", "2027年3月9日(火)に報告されました。", ""},
		{"WrongWeekday", "ja", "2027年3月9日(水)に報告されました。", grounding.Weekday},
		{"OtherDate", "ja", "2027年3月19日に報告されました。", grounding.Date},
		{"Stronger", "en", "About 41,300 users were compromised.", grounding.Claim},
		{"DoubtGone", "en", "The attackers have stolen passwords.", grounding.Certainty},
		{"DoubtKept", "en", "Passwords may have been stolen.", ""},
		{"OwnExtension", "ja", "内線 1234へご連絡ください。", ""},
		{"OtherExtension", "ja", "内線 5678へご連絡ください。", grounding.Address},
		{"AboutUs", "ja", "当社では5名が受信しました。", grounding.Ours},
		{"Address", "en", "Read https://kiso.example/elsewhere for more.", grounding.Address},
		{"OnlySome", "ja", "29カ国のすべての利用者が標的になりました。", grounding.Scope},
		{"Invented", "en", "The police have arrested a woman in the case.", grounding.Nowhere},
		{"NotFixed", "en", "CVE-2031-40123 is not being exploited.", grounding.Opposite},
		{"SwappedPlace", "ja", "92%は日本でした。", grounding.Place},
		{"Greeting", "ja", "お疲れさまです。情報システム担当です。", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []grounding.Kind
			for _, p := range g.Check(tc.text, lang.Language(tc.lang)).Problems {
				got = append(got, p.Kind)
			}
			if tc.want == "" && len(got) > 0 || tc.want != "" && !slices.Contains(got, tc.want) {
				t.Errorf("%q: got %v, want %q", tc.text, got, tc.want)
			}
		})
	}
}

// TestMutatedDigits: whatever digit of an identifier or a number changes, it is
// noticed.
func TestMutatedDigits(t *testing.T) {
	g := article()
	const text = "CVE-2031-40123 is fixed in 4.2.17; 312 organizations in 29 countries were targeted."
	if got := g.Check(text, lang.EN).Problems; len(got) > 0 {
		t.Fatalf("honest: %+v", got)
	}
	for i := range text {
		if text[i] < '0' || text[i] > '9' {
			continue
		}
		other := text[:i] + string('0'+(text[i]-'0'+4)%10) + text[i+1:]
		if len(g.Check(other, lang.EN).Problems) == 0 {
			t.Errorf("not noticed: %q", other)
		}
	}
}

func TestRoundingIsNoted(t *testing.T) {
	want := []grounding.Rounding{{Exact: "92%", Shown: "9割"}}
	if diff := cmp.Diff(want, article().Check("標的の約9割はドイツでした。", lang.JA).Roundings); diff != "" {
		t.Error(diff)
	}
}

// TestLongSource: the work stays bounded where sources and sentences are as long as
// they may be and say the same again and again.
func TestLongSource(t *testing.T) {
	for name, unit := range map[string]string{
		"English": "The attacker compromised 58 of 910 customer companies in May, stole data, and sent mail. ",
		"NoEnd":   "攻撃者は標的の顧客58社を侵害、情報を盗み、",
		"Commas":  "not, a, no, never, 5, ",
	} {
		t.Run(name, func(t *testing.T) {
			g := grounding.New(&grounding.Options{Sources: []grounding.Source{{Title: "t", Text: strings.Repeat(unit, grounding.MaxSource/len(unit))}}})
			start := time.Now()
			g.Check(strings.Repeat(unit, grounding.MaxSentence/len(unit)), lang.EN)
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("a sentence took %v", took)
			}
		})
	}
}

// FuzzCheck: any sentence is answered, and its quotes are no longer than it.
func FuzzCheck(f *testing.F) {
	f.Add("約9割は米国(3分の1)でした。")
	f.Add("One in nine, forty-two million 550 5.7.1 (金) Friday 2 March 2027 内線 12")
	f.Add("İ https://x.example/%%% a@b p=none ないメール 4.2.17")
	f.Add("10000000000000000000000000000000000000000000000億億億億")
	g := article()
	f.Fuzz(func(t *testing.T, s string) {
		for _, l := range []lang.Language{lang.JA, lang.EN} {
			for _, p := range g.Check(s, l).Problems {
				if p.Kind == "" {
					t.Errorf("a problem of no kind: %+v", p)
				}
			}
		}
	})
}
