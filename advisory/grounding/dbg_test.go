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
	b, _ := os.ReadFile("../testdata/grounding/sources/" + os.Getenv("SRC") + ".json")
	var src struct{ Text string }
	json.Unmarshal(b, &src)
	title, text, _ := strings.Cut(src.Text, "\n")
	g := New(&Options{Sources: []Source{{Title: title, Text: text}}})
	for i := range g.sentences {
		st := &g.sentences[i]
		fmt.Println(i, st.text)
		for _, a := range st.anchors {
			fmt.Print(" [", a.kind, " ", a.value, "]")
		}
		fmt.Println()
		for _, m := range st.view.marks {
			fmt.Printf(" %s=%v/%s n%v h%v c%d;", m.word, m.ids, m.kind, m.negated, m.hedged, m.clause)
		}
		fmt.Println()
	}
	c := g.newCheck(os.Getenv("S"), lang.Language(os.Getenv("L")))
	for _, m := range c.st.view.marks {
		fmt.Printf(" %s=%v/%s n%v v%v c%d;", m.word, m.ids, m.kind, m.negated, m.verbal, m.clause)
	}
	fmt.Println(c.facts, g.published)
	c.hard()
	x := g.Signs("", c)
	for i, v := range x {
		if v != 0 {
			fmt.Printf(" %s=%.2f", signNames[i], v)
		}
	}
	fmt.Println(g.Notes, c.problems)
}
