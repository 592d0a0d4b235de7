package architecture

import (
	"go/ast"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestPackageDocs asks every package to say what it is, in one file and in a
// sentence.
func TestPackageDocs(t *testing.T) {
	docs := map[string][]string{}
	for _, s := range tree(t) {
		if s.test {
			continue
		}
		docs[s.room] = append(docs[s.room], "")
		if s.file.Doc != nil {
			docs[s.room] = append(docs[s.room], docProblem(s.file))
		}
	}
	for _, room := range slices.Sorted(maps.Keys(docs)) {
		files := 0
		said := 0
		for _, d := range docs[room] {
			switch d {
			case "":
				files++
			case "ok":
				said++
			default:
				said++
				t.Errorf("%s: %s", room, d)
			}
		}
		if said != 1 {
			t.Errorf("%s: %d of %d files have a package comment, want one", room, said, files)
		}
	}
}

func docProblem(f *ast.File) string {
	text := f.Doc.Text()
	want := "Package " + f.Name.Name + " "
	if f.Name.Name == "main" {
		want = "Command "
	}
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n\n")
	switch {
	case !strings.HasPrefix(text, want):
		return "the package comment does not start with " + `"` + want + `"`
	case !strings.HasSuffix(strings.TrimSpace(first), "."):
		return "the first paragraph of the package comment does not end with a period"
	}
	return "ok"
}
