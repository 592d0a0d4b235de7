package grounding

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/sekisho/sekisho/lang"
	"golang.org/x/text/unicode/norm"
)

func TestDump(t *testing.T) {
	out := os.Getenv("DUMP")
	if out == "" {
		t.Skip()
	}
	dir := "../testdata/grounding/"
	f, _ := os.Create(out)
	defer f.Close()
	names := strings.Fields(os.Getenv("NAMES"))
	fmt.Fprintln(f, "bias\thard\t"+strings.Join(names, "\t"))
	grounds := map[string]*Ground{}
	for _, name := range strings.Fields(os.Getenv("SETS")) {
		b, _ := os.ReadFile(dir + name)
		for line := range strings.SplitSeq(strings.TrimSpace(string(b)), "\n") {
			var s struct{ Source, Lang, Sentence, Kind, Why string }
			if err := json.Unmarshal([]byte(line), &s); err != nil {
				t.Fatal(err)
			}
			if grounds[s.Source] == nil {
				b, _ := os.ReadFile(dir + "sources/" + s.Source + ".json")
				var src struct{ Text string }
				json.Unmarshal(b, &src)
				title, text, _ := strings.Cut(src.Text, "\n")
				grounds[s.Source] = New(&Options{Sources: []Source{{Title: title, Text: text}}})
			}
			g := grounds[s.Source]
			sent := strings.TrimSpace(norm.NFKC.String(s.Sentence))
			c := g.newCheck(sent, lang.Language(s.Lang))
			hard := 0
			var x [signs]float64
			if !isGreeting(sent) {
				c.hard()
				c.own()
				if len(c.problems) > 0 {
					hard = 1
				} else if !c.advice {
					x = c.align().signs()
				}
			}
			fmt.Fprintf(f, "%s\t%s\t%s\t%s\t1\t%d", s.Source, s.Lang, s.Kind, s.Sentence, hard)
			for _, v := range x {
				fmt.Fprintf(f, "\t%.3f", v)
			}
			fmt.Fprintln(f)
		}
	}
}
