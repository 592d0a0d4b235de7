package confusable

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	got, err := parse("# comment\n\n4F: 30 1F6F3 # more\n72+6E: 6D\n")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[rune]string{'0': "O", 0x1F6F3: "O", 'm': "rn"}, got); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{"4F 30", "4F: zz", "zz: 30", "4F: 30000000"} {
		if m, err := parse(bad); err == nil {
			t.Errorf("parse(%q) = %v", bad, m)
		}
	}
}
