package pdf_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract/pdf"
)

// TestCorpus reads the PDF attachments of real mail, and compares their words
// with those that pdftotext finds, where that is installed.
func TestCorpus(t *testing.T) {
	if testing.Short() {
		t.Skip("reads much mail")
	}
	root := os.Getenv("SEKISHO_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	root = filepath.Join(root, "data", "mail")
	if _, err := os.Stat(root); err != nil {
		t.Skipf("%v: set SEKISHO_SHARED", err)
	}
	tool, toolErr := exec.LookPath("pdftotext")
	files, read, words, found := 0, 0, 0, 0
	var slowest time.Duration
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".eml" {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for p := range eml.Parse(raw, nil).Parts() {
			data := p.Content()
			if !bytes.HasPrefix(data, []byte("%PDF-")) {
				continue
			}
			files++
			start := time.Now()
			doc, err := pdf.Read(data, budget.New(nil))
			slowest = max(slowest, time.Since(start))
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(path), err)
				continue
			}
			read++
			if toolErr != nil || doc.Locked {
				continue
			}
			n, have := compare(t, tool, data, strings.Join(doc.Text, "\n"))
			words += n
			found += have
			if n > 20 && have*10 < n*8 {
				t.Logf("%s: %d of %d words", filepath.Base(path), have, n)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d documents read, the slowest in %v; %d of %d words of pdftotext", read, files, slowest, found, words)
	if words > 0 && found*100 < words*95 {
		t.Error("too few words")
	}
}

// compare counts the words that pdftotext finds, and those of them that are in
// text.
func compare(t *testing.T, tool string, data []byte, text string) (words, found int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "x.pdf")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tool, "-q", "-enc", "UTF-8", file, "-") //nolint:gosec // the tool that was looked up
	out, err := cmd.Output()
	if err != nil {
		return 0, 0
	}
	split := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	}
	have := map[string]bool{}
	for _, w := range split(text) {
		have[w] = true
	}
	for _, w := range split(string(out)) {
		words++
		if have[w] {
			found++
		}
	}
	return words, found
}
