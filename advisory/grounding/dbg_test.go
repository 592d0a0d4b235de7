package grounding

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/sekisho/sekisho/lang"
)

func TestDbg(t *testing.T) {
	for line := range strings.SplitSeq(os.Getenv("LINES"), "\n") {
		id, rest, _ := strings.Cut(line, " ")
		l, s, _ := strings.Cut(rest, " ")
		b, _ := os.ReadFile("../testdata/grounding/sources/" + id + ".json")
		var src struct{ Text string }
		json.Unmarshal(b, &src)
		title, text, _ := strings.Cut(src.Text, "\n")
		g := New(&Options{Sources: []Source{{Title: title, Text: text}}})
		c := g.newCheck(s, lang.Language(l))
		c.hard()
		fmt.Println(id, s, c.problems)
		for _, m := range c.st.view.marks {
			fmt.Printf(" %s=%v/%s n%v", m.word, m.ids, m.kind, m.negated)
		}
		fmt.Println()
	}
}
