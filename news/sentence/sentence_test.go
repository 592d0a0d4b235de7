package sentence_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/news/sentence"
)

func texts(list []sentence.Sentence) []string {
	var s []string
	for _, x := range list {
		s = append(s, x.Text)
	}
	return s
}

func TestSplit(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"Empty", "", nil},
		{"Blank", " \n\t ", nil},
		{"Japanese", "攻撃が確認されました。更新してください！", []string{"攻撃が確認されました。", "更新してください！"}},
		{"JapaneseWithoutEnd", "攻撃が確認された。詳細は不明", []string{"攻撃が確認された。", "詳細は不明"}},
		{"JapaneseQuote", "件名は「至急。確認してください」です。開かないこと。", []string{"件名は「至急。確認してください」です。", "開かないこと。"}},
		{"English", "Attackers sent mail. Users clicked! Was it enough? Yes.", []string{"Attackers sent mail.", "Users clicked!", "Was it enough?", "Yes."}},
		{"Abbreviation", "Targets in the U.S. and Mr. Smith of Example Inc. Tokyo were hit. It ended.", []string{"Targets in the U.S. and Mr. Smith of Example Inc. Tokyo were hit.", "It ended."}},
		{"AbbreviationAtEnd", "Most were in the U.S. The campaign ended.", []string{"Most were in the U.S.", "The campaign ended."}},
		{"Version", "Update to 6.4.3 or build 19045.5737 at www.example.com now. Done.", []string{"Update to 6.4.3 or build 19045.5737 at www.example.com now.", "Done."}},
		{"Month", "It was fixed on Apr. 8 by the vendor. Good.", []string{"It was fixed on Apr. 8 by the vendor.", "Good."}},
		{"Lines", "Overview\nFirst point\r\nSecond point", []string{"Overview", "First point", "Second point"}},
		{"NumberedList", "1. Revoke the sessions.\n2. Reset the password.", []string{"1. Revoke the sessions.", "2. Reset the password."}},
		{"ClosingMarks", `He said "stop." Then (it ended.) Next.`, []string{`He said "stop."`, "Then (it ended.)", "Next."}},
		{"EnglishThenJapanese", "Patch now.更新してください。", []string{"Patch now.", "更新してください。"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, texts(sentence.Split(tt.text))); diff != "" {
				t.Errorf("sentences (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSplitLimits(t *testing.T) {
	if n := len(sentence.Split(strings.Repeat("A b. ", 10_000))); n != sentence.MaxSentences {
		t.Errorf("%d sentences, want %d", n, sentence.MaxSentences)
	}
	for _, s := range sentence.Split(strings.Repeat("長い文、", 2000)) {
		if len(s.Text) > sentence.MaxBytes+utf8.UTFMax {
			t.Errorf("a sentence has %d bytes", len(s.Text))
		}
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"", "a. b", "攻撃。「引用。」です。", "U.S. The", "1. a\n2. b", strings.Repeat("x", 3000), "\xff\xfe. \xe3\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		end := 0
		for _, s := range sentence.Split(text) {
			if s.Offset < end || text[s.Offset:s.Offset+len(s.Text)] != s.Text {
				t.Fatalf("sentence %q is not at %d", s.Text, s.Offset)
			}
			if s.Text == "" || strings.TrimSpace(s.Text) != s.Text {
				t.Fatalf("sentence %q has white space around it", s.Text)
			}
			end = s.Offset + len(s.Text)
		}
	})
}
