package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestConformanceDocs runs the commands of docs/cli.md, one after the other as a reader
// would, and compares what they print with what the page says. The clock stands
// at the day of the examples.
func TestConformanceDocs(t *testing.T) {
	withoutRace(t)
	page := filepath.Join("..", "..", "docs", "cli.md")
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	if err := copyExamples(filepath.Join(home, "examples")); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	inside, n := false, 0
	for line := range strings.Lines(string(b)) {
		command, isCommand := strings.CutPrefix(strings.TrimRight(line, "\n"), "$ ")
		switch {
		case line == "```console\n":
			inside = true
		case line == "```\n":
			inside = false
		case inside && !isCommand:
			continue // what the page says is printed
		}
		got.WriteString(line)
		if !inside || !isCommand {
			continue
		}
		n++
		typed := strings.ReplaceAll(command, "sekisho ", "sekisho --now $NOW ")
		out, _, _ := shell(t, home, "{ "+typed+"\n} 2>&1")
		got.WriteString(strings.ReplaceAll(out, home+string(filepath.Separator), ""))
	}
	if n < 10 {
		t.Errorf("%d commands", n)
	}
	if *update {
		if err := os.WriteFile(page, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(b), got.String()); diff != "" {
		t.Errorf("docs/cli.md (-) and what sekisho prints (+); -update rewrites the page:\n%s", diff)
	}
}
