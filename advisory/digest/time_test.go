package digest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sekisho/sekisho/lang"
)

// Long and hostile texts take no longer than long ones.
func TestTime(t *testing.T) {
	for name, text := range map[string]string{
		"Prose": strings.Repeat(faxEN+" ", 300), "OneWord": strings.Repeat("x", 80_000), "OneSentence": strings.Repeat("暗証番号", 20_000), "Sentences": strings.Repeat("a b c d. ", 10_000),
		"Numbers": strings.Repeat("35社、", 8_000), "Brackets": strings.Repeat("「(", 15_000), "Dates": strings.Repeat("2026年5月8日 KB5055523 ", 2_000),
	} {
		start := time.Now()
		x := make1(t, input(entry(article("x", text, text))))
		for _, l := range []lang.Language{lang.JA, lang.EN} {
			_ = x.Text(l)
			if _, err := x.HTML(l); err != nil {
				t.Fatal(err)
			}
		}
		// About a third of a second; a quadratic step would take minutes.
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s: %s", name, took)
		}
	}
}
