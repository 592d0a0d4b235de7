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
	fmt.Fprintln(f, strings.Join(signNames, "\t"))
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
			if isGreeting(sent) {
				continue
			}
			c := g.newCheck(sent, lang.Language(s.Lang))
			c.hard()
			c.own()
			x := g.Signs(sent, c)
			if os.Getenv("NOTES") != "" && len(g.Notes) > 0 && s.Source < "n" {
				fmt.Println("NOTE", s.Source, s.Kind, g.Notes, s.Sentence)
			}
			fmt.Fprintf(f, "%s\t%s\t%s\t%s", s.Source, s.Lang, s.Kind, s.Sentence)
			for _, v := range x {
				fmt.Fprintf(f, "\t%.3f", v)
			}
			fmt.Fprintln(f)
		}
	}
}
