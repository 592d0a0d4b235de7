package console

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sekisho/sekisho/lang"
)

var (
	wordsOf    = regexp.MustCompile(`\bT "([^"]+)"`)
	prefixesOf = regexp.MustCompile(`(?:print |say\(l, |say\(c\.language\(r\), |M\()"([a-z.-]+\.)"`)
	quotedIn   = regexp.MustCompile(`"([a-z0-9.-]+)"`)
)

// sources are the templates and the code of the console.
func sources(t *testing.T) (templates, code string) {
	t.Helper()
	var pages, text strings.Builder
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := templateFiles.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		pages.Write(b)
	}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(b)
	}
	return pages.String(), text.String()
}

// TestWords holds templates and catalogue together: every word that a template
// names is there, and every word of the console is named somewhere.
func TestWords(t *testing.T) {
	templates, code := sources(t)
	words := lang.Default()
	used, prefixes := map[string]bool{}, []string{"rail.", "field."}
	for _, m := range wordsOf.FindAllStringSubmatch(templates, -1) {
		used[m[1]] = true
		if !words.Has("console." + m[1]) {
			t.Errorf("a template names %s, which is not in the catalogue", m[1])
		}
	}
	for _, m := range prefixesOf.FindAllStringSubmatch(templates+code, -1) {
		prefixes = append(prefixes, strings.TrimPrefix(m[1], "console."))
	}
	for _, m := range quotedIn.FindAllStringSubmatch(templates+code, -1) {
		used[strings.TrimPrefix(m[1], "console.")] = true
	}
	for _, key := range words.Keys() {
		name, ok := strings.CutPrefix(key, "console.")
		if !ok || used[name] {
			continue
		}
		found := false
		for _, p := range prefixes {
			// "act." stands for the acts, and "" for nothing.
			found = found || p != "" && strings.HasPrefix(name, p)
		}
		if !found {
			t.Errorf("nothing names %s", key)
		}
	}
	for _, p := range rail {
		if !words.Has("console.rail." + p.name) {
			t.Errorf("the place %s has no name", p.name)
		}
	}
}

// TestTemplatesAreStrict refuses what the policy of package web would refuse in
// the browser, and what passes by the escaping of html/template.
func TestTemplatesAreStrict(t *testing.T) {
	templates, code := sources(t)
	for _, bad := range []string{`style="`, "<style", "<script>", `onclick`, `onload`, "http://", "https://", "javascript:"} {
		if strings.Contains(templates, bad) {
			t.Errorf("a template has %s", bad)
		}
	}
	if n := strings.Count(code, "template.HTML("); n > 1 {
		t.Errorf("%d places go round the escaping; the one in mark is enough", n)
	}
}
