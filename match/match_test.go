package match_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/match"
)

// reference answers a pattern the slow way: as a regular expression.
func reference(t *testing.T, p match.Pattern) *regexp.Regexp {
	t.Helper()
	var expr string
	quote := regexp.QuoteMeta(p.Text)
	switch p.Kind {
	case match.Contains:
		expr = quote
	case match.Prefix:
		expr = `\A` + quote
	case match.Suffix:
		expr = quote + `\z`
	case match.Glob:
		expr = `(?s)\A` + strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(quote) + `\z`
	case match.Regexp:
		expr = p.Text
	}
	if p.Fold {
		expr = "(?i)" + expr
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		t.Skipf("no expression: %v", err)
	}
	return re
}

func scan(t *testing.T, text string, patterns ...match.Pattern) *match.Scan {
	t.Helper()
	s, err := match.Compile(patterns)
	if err != nil {
		t.Fatal(err)
	}
	return s.Scan(text, nil)
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		name string
		p    match.Pattern
		text string
		want string // what is found, "-" for no match
	}{
		{"Contains", match.Pattern{Kind: match.Contains, Text: "account"}, "your account is", "account"},
		{"ContainsCase", match.Pattern{Kind: match.Contains, Text: "account"}, "your ACCOUNT is", "-"},
		{"ContainsFold", match.Pattern{Kind: match.Contains, Text: "account", Fold: true}, "your ACCOUNT is", "ACCOUNT"},
		{"ContainsNothing", match.Pattern{Kind: match.Contains}, "x", ""},
		{"KelvinSign", match.Pattern{Kind: match.Contains, Text: "kiso", Fold: true}, "\u212aI\u017fO", "\u212aI\u017fO"},
		{"KelvinAfterOthers", match.Pattern{Kind: match.Contains, Text: "kiso", Fold: true}, "木曽\xff \u212aI\u017fO.", "\u212aI\u017fO"},
		{"Prefix", match.Pattern{Kind: match.Prefix, Text: "re:"}, "re: x", "re:"},
		{"PrefixFold", match.Pattern{Kind: match.Prefix, Text: "re:", Fold: true}, "RE: x", "RE:"},
		{"PrefixLonger", match.Pattern{Kind: match.Prefix, Text: "re:", Fold: true}, "RE", "-"},
		{"Suffix", match.Pattern{Kind: match.Suffix, Text: ".pdf"}, "a.pdf", ".pdf"},
		{"SuffixFold", match.Pattern{Kind: match.Suffix, Text: ".pdf", Fold: true}, "請求書.PDF", ".PDF"},
		{"SuffixNot", match.Pattern{Kind: match.Suffix, Text: ".pdf", Fold: true}, "a.pdf.exe", "-"},
		{"GlobWhole", match.Pattern{Kind: match.Glob, Text: "invoice"}, "invoice", "invoice"},
		{"GlobNotWhole", match.Pattern{Kind: match.Glob, Text: "invoice"}, "an invoice", "-"},
		{"GlobStars", match.Pattern{Kind: match.Glob, Text: "*voice*", Fold: true}, "an InVoice\nhere", "Voice"},
		{"GlobQuestion", match.Pattern{Kind: match.Glob, Text: "fax?message"}, "fax-message", "fax-message"},
		{"GlobQuestionJapanese", match.Pattern{Kind: match.Glob, Text: "至急?請求書*"}, "至急・請求書 送付", "至急・請求書 送付"},
		{"GlobQuestionNeedsOne", match.Pattern{Kind: match.Glob, Text: "fax?message"}, "faxmessage", "-"},
		{"GlobOverlap", match.Pattern{Kind: match.Glob, Text: "ab*ba"}, "aba", "-"},
		{"GlobSuffixQuestion", match.Pattern{Kind: match.Glob, Text: "*a?c"}, "abc abd abc", "abc abd abc"},
		{"GlobMiddle", match.Pattern{Kind: match.Glob, Text: "a*b?d*e"}, "a bcd bxd e", "a bcd bxd e"},
		{"Regexp", match.Pattern{Kind: match.Regexp, Text: `acc?ount\s+(suspen|lock)ed`}, "acount \n locked", "acount \n locked"},
		{"RegexpFold", match.Pattern{Kind: match.Regexp, Text: `[k]iso`, Fold: true}, "\u212aISO", "\u212aISO"},
		{"RegexpAnchors", match.Pattern{Kind: match.Regexp, Text: `^verify$`}, "verify now", "-"},
		{"RegexpAlternatives", match.Pattern{Kind: match.Regexp, Text: `pay(?:roll|ment)|salary`}, "your salary", "salary"},
		{"RegexpRepeat", match.Pattern{Kind: match.Regexp, Text: `(?:ab){2,3}c`}, "ababc", "ababc"},
		{"RegexpNone", match.Pattern{Kind: match.Regexp, Text: `[^\x00-\x{10FFFF}]`}, "x", "-"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := "-"
			s := scan(t, tt.text, tt.p)
			if from, to, ok := s.Find(0); ok {
				got = tt.text[from:to]
			}
			if got != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
			if m, _ := s.Match(0); m != (tt.want != "-") {
				t.Errorf("Match = %v", m)
			}
		})
	}
}

// A byte that is no UTF-8 between two words must not hide them from an
// expression that spans both: engines that stop there can be evaded.
func TestInvalidUTF8(t *testing.T) {
	const text = "please verify \xff your \xc3\x28 account"
	for _, p := range []match.Pattern{
		{Kind: match.Regexp, Text: `verify.*account`},
		{Kind: match.Regexp, Text: `VERIFY.*ACCOUNT`, Fold: true},
		{Kind: match.Regexp, Text: `verify .{1,3}your`},
		{Kind: match.Regexp, Text: "verify \ufffd your"},
		{Kind: match.Glob, Text: "*Verify ? your*", Fold: true},
		{Kind: match.Glob, Text: "*verify*account"},
		{Kind: match.Contains, Text: "ACCOUNT", Fold: true},
		{Kind: match.Contains, Text: "\xff your"},
		{Kind: match.Suffix, Text: "( account"},
	} {
		if m, ok := scan(t, text, p).Match(0); !m || !ok {
			t.Errorf("%+v does not match", p)
		}
	}
}

func TestCompileError(t *testing.T) {
	_, err := match.Compile([]match.Pattern{{Text: "("}, {Kind: match.Regexp, Text: "a(?=b)"}})
	if !errors.Is(err, match.ErrPattern) || !strings.Contains(err.Error(), "pattern 2") {
		t.Errorf("got %v", err)
	}
}

func TestFindAll(t *testing.T) {
	s := scan(t, "a=1 b=2", match.Pattern{Kind: match.Regexp, Text: `(\w)=(\d)`}, match.Pattern{Text: "a"}, match.Pattern{Kind: match.Regexp, Text: `zz`})
	got, re, ok := s.FindAll(0, -1)
	if diff := cmp.Diff([][]int{{0, 3, 0, 1, 2, 3}, {4, 7, 4, 5, 6, 7}}, got); diff != "" || re == nil || !ok {
		t.Errorf("%s (%v)", diff, ok)
	}
	if _, _, ok := s.FindAll(1, -1); ok {
		t.Error("a word has no groups")
	}
	if got, _, ok := s.FindAll(2, -1); len(got) != 0 || !ok {
		t.Errorf("got %v, %v", got, ok)
	}
}

func TestBudget(t *testing.T) {
	set, err := match.Compile([]match.Pattern{{Kind: match.Regexp, Text: "ab+c"}, {Kind: match.Prefix, Text: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("ab", 1000)
	b := budget.New(nil)
	b.Cost = 500
	s := set.Scan(text, b)
	if _, ok := s.Match(0); ok {
		t.Error("an answer was given without the means to find it")
	}
	if _, ok := s.Match(1); ok {
		t.Error("a budget that ran out came back")
	}
	b = budget.New(nil)
	s = set.Scan(text, b)
	before := b.Cost
	s.Match(0)
	first := before - b.Cost
	s.Match(0)
	if first < int64(len(text)) || before-b.Cost != first {
		t.Errorf("asking costs %d, asking twice %d", first, before-b.Cost)
	}
}

func TestFold(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if r >= 0xd800 && r < 0xe000 {
			continue
		}
		f := match.Fold(string(r))
		for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
			if match.Fold(string(o)) != f {
				t.Fatalf("%q and %q fold apart", r, o)
			}
		}
		if !strings.EqualFold(f, string(r)) {
			t.Fatalf("%q folds to %q", r, f)
		}
	}
	if got := match.Fold("A\xffB\xe3\x81"); got != "a\ufffdb\ufffd\ufffd" {
		t.Errorf("got %q", got)
	}
	if from, to, ok := match.IndexFold("日本 \u212aISO!", "kiso"); !ok || from != 7 || to != 13 {
		t.Errorf("got %d, %d, %v", from, to, ok)
	}
}

func FuzzMatch(f *testing.F) {
	for _, s := range [][2]string{{"verify.*account", "verify \xff account"}, {"(?:a|b)?c{2,}", "accc"}, {"[kK]iso", "\u212aiso"}, {"*a?b*", "xaabb"}, {"a**?", "ab"}, {`\bfoo\b|^$`, "foo"}, {"(?i)ſ+", "S"}, {"(ab|cd)(e|f)[g-i]", "cdfh"}} {
		for k := range 5 {
			f.Add(s[0], s[1], byte(k), k%2 == 0)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, text string, kind byte, fold bool) {
		p := match.Pattern{Kind: match.Kind(kind % 5), Text: pattern, Fold: fold}
		if p.Kind != match.Regexp && !utf8.ValidString(pattern) {
			t.Skip("patterns are text")
		}
		// Package strings compares bytes, package regexp characters: they
		// differ about a replacement character in a pattern.
		if p.Kind != match.Regexp && !fold && !utf8.ValidString(text) && strings.ContainsRune(pattern, utf8.RuneError) {
			t.Skip("not comparable")
		}
		want := reference(t, p)
		s := scan(t, text, match.Pattern{Kind: match.Contains, Text: "other"}, p)
		got, ok := s.Match(1)
		if !ok || got != want.MatchString(text) {
			t.Fatalf("%+v on %q: %v, want %v", p, text, got, !got)
		}
		if from, to, found := s.Find(1); found != got || from < 0 || to < from || to > len(text) {
			t.Fatalf("%+v on %q is found at %d to %d (%v)", p, text, from, to, found)
		} else if found && p.Kind == match.Contains && !fold && text[from:to] != pattern {
			t.Fatalf("found %q for %q", text[from:to], pattern)
		} else if found && p.Kind != match.Regexp && p.Kind != match.Glob && fold && utf8.ValidString(text) && !strings.EqualFold(text[from:to], pattern) {
			t.Fatalf("found %q for %q", text[from:to], pattern)
		}
	})
}

// rulePatterns reads what regular expressions public rules use.
func rulePatterns(tb testing.TB) []match.Pattern {
	tb.Helper()
	root := os.Getenv("SEKISHO_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "shared")
	}
	files, _ := filepath.Glob(filepath.Join(root, "data", "mql", "rules", "detection-rules", "*.yml"))
	if len(files) == 0 {
		tb.Skip("no rules: set SEKISHO_SHARED")
	}
	call := regexp.MustCompile(`regex\.(i?)contains\([^'"]*'((?:[^']|'')*)'`)
	seen := map[match.Pattern]bool{}
	var out []match.Pattern
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(b), -1) {
			p := match.Pattern{Kind: match.Regexp, Text: strings.ReplaceAll(m[2], "''", "'"), Fold: m[1] != ""}
			if _, err := regexp.Compile(p.Text); err == nil && !seen[p] {
				seen[p] = true
				out = append(out, p)
			}
		}
	}
	return out
}

// texts are made of pieces of the patterns, so that they nearly match.
func texts(patterns []match.Pattern, n, size int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	word := regexp.MustCompile(`[A-Za-z]{3,}`)
	var words []string
	for _, p := range patterns {
		words = append(words, word.FindAllString(p.Text, -1)...)
	}
	out := make([]string, n)
	for i := range out {
		var b strings.Builder
		for b.Len() < size {
			b.WriteString(words[r.IntN(len(words))])
			b.WriteString([]string{" ", " ", " ", "\n", ".", "\xff", ""}[r.IntN(7)])
		}
		out[i] = b.String()
	}
	return out
}

func TestDifferential(t *testing.T) {
	patterns := rulePatterns(t)
	if testing.Short() {
		patterns = patterns[:100]
	}
	set, err := match.Compile(patterns)
	if err != nil {
		t.Fatal(err)
	}
	hits, asked := 0, 0
	for _, text := range texts(patterns, 6, 1500) {
		s := set.Scan(text, nil)
		for i, p := range patterns {
			got, _ := s.Match(i)
			asked++
			if want := set.Regexp(i).MatchString(text); got != want {
				t.Fatalf("%+v on %q: %v, want %v", p, text, got, want)
			} else if want {
				hits++
			}
		}
	}
	if hits == 0 {
		t.Error("nothing matched: the texts show nothing")
	}
	t.Logf("%d patterns, %d with a literal; %d of %d match", set.Len(), set.Literals(), hits, asked)
}

// prose is text as mails have it.
func prose(size int) string {
	words := strings.Fields("the of and to in a is that for it as was with be by on not he this are or his from at which but have an had they you were their one all we can her has there been if more when will would who so no please find attached our new order number payment invoice your account team thank week meeting next update report information price delivery contact support service here click below regards")
	r := rand.New(rand.NewPCG(3, 4))
	var b strings.Builder
	for b.Len() < size {
		b.WriteString(words[r.IntN(len(words))])
		b.WriteString([]string{" ", " ", " ", " ", ", ", ".\n"}[r.IntN(6)])
	}
	return b.String()
}

func BenchmarkScan(b *testing.B) {
	patterns := rulePatterns(b)
	set, err := match.Compile(patterns)
	if err != nil {
		b.Fatal(err)
	}
	for _, size := range []int{2 << 10, 50 << 10} {
		text := prose(size)
		set.Scan(text, nil).Match(0)
		b.Run(fmt.Sprintf("Set/%dKiB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				s := set.Scan(text, nil)
				for i := range patterns {
					s.Match(i)
				}
			}
		})
	}
	b.Run("OneByOne/2KiB", func(b *testing.B) {
		text := prose(2 << 10)
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			for i := range patterns {
				set.Regexp(i).MatchString(text)
			}
		}
	})
	b.Run("Compile", func(b *testing.B) {
		for b.Loop() {
			if _, err := match.Compile(patterns); err != nil {
				b.Fatal(err)
			}
		}
	})
}
