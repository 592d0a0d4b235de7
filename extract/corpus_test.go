package extract_test

import (
	"fmt"
	xhtml "html"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract"
	"github.com/sekisho/sekisho/extract/filetype"
)

// corpus yields the mails of a folder of real mail that is not part of the
// project.
func corpus(t *testing.T, folder string) func(func(string, *eml.Message) bool) {
	t.Helper()
	if testing.Short() {
		t.Skip("reads thousands of mails")
	}
	root := os.Getenv("SEKISHO_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "shared")
	}
	dir := filepath.Join(root, "data", "mail", folder)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no real mail here: set SEKISHO_SHARED (%v)", err)
	}
	return func(yield func(string, *eml.Message) bool) {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := os.ReadFile(path)
			if err == nil && !yield(d.Name(), eml.Parse(raw, nil)) {
				return fs.SkipAll
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// TestCorpusSpans reads real mail and checks that what is quoted stands there.
func TestCorpusSpans(t *testing.T) {
	for _, folder := range []string{"phish", "ham", "commercial", "torture"} {
		t.Run(folder, func(t *testing.T) {
			texts, exact, opaque, n := 0, 0, 0, 0
			for name, m := range corpus(t, folder) {
				// Every twentieth mail is enough to find a wrong map.
				if n++; n%20 != 0 && folder != "torture" && folder != "commercial" {
					continue
				}
				c := extract.Read(m, budget.New(nil))
				check := func(part, what string, mapped eml.Mapped) {
					p := m.Part(part)
					if p == nil || mapped.Text == "" {
						return
					}
					texts++
					source := p.Text()
					for i := 0; i < len(mapped.Text); i += 1 + len(mapped.Text)/200 {
						if !utf8.RuneStart(mapped.Text[i]) {
							continue
						}
						r, n := utf8.DecodeRuneInString(mapped.Text[i:])
						s := mapped.Span(i, n)
						if s.Offset < 0 || s.End() > len(source) {
							t.Fatalf("%s: %s: %q at %v of %d", name, what, r, s, len(source))
						}
						quoted := source[s.Offset:s.End()]
						if mapped.Exact(i, n) {
							exact++
							if quoted != string(r) {
								t.Fatalf("%s: %s: %q stands at %v, not %q", name, what, quoted, s, r)
							}
							continue
						}
						opaque++
						if !standsFor(quoted, r) {
							t.Fatalf("%s: %s: %q at %v does not stand for %q", name, what, quoted, s, r)
						}
					}
				}
				b := c.Body
				check(b.Part, "body", b.Text)
				check(b.Part, "current", b.Thread.Current)
				for _, q := range b.Thread.Quoted {
					check(b.Part, "quote", q.Body)
				}
				if b.Page != nil {
					check(b.Part, "hidden", b.Page.Hidden)
					check(b.Part, "outlook", b.Page.Outlook)
					for _, l := range b.Page.Links {
						check(b.Part, "link", l.Visible)
					}
				}
			}
			t.Logf("%d texts, %d characters exact, %d opaque", texts, exact, opaque)
		})
	}
}

// standsFor reports whether a source may be shown as r: a reference that
// decodes to it, or white space and tags for a blank or a line break.
func standsFor(source string, r rune) bool {
	if r == ' ' || r == '\n' {
		s := xhtml.UnescapeString(source)
		return strings.TrimFunc(s, unicode.IsSpace) == "" || strings.HasPrefix(source, "<") && strings.HasSuffix(source, ">")
	}
	return strings.ContainsRune(xhtml.UnescapeString(source), r)
}

// TestCorpusLinks counts what is found in real mail. It fails only where a
// number leaves what was measured by far.
func TestCorpusLinks(t *testing.T) {
	// Mails with a deceptive link, in thousandths.
	most := map[string]int{"ham": 5, "commercial": 30}
	for _, folder := range []string{"commercial", "ham", "phish"} {
		t.Run(folder, func(t *testing.T) {
			mails, links, broken, deceptive, unverifiable, detour, forwards := 0, 0, 0, 0, 0, 0, 0
			rewriters := map[string]int{}
			types := map[filetype.Type]int{}
			flags := map[filetype.Flag]int{}
			for name, m := range corpus(t, folder) {
				mails++
				c := extract.Read(m, budget.New(nil))
				if c.Body.Thread.Forward != nil {
					forwards++
				}
				found := map[extract.DeceptionKind]bool{}
				for i := range c.Links {
					l := &c.Links[i]
					links++
					if l.Parsed.IsZero() {
						broken++
					}
					for _, s := range l.Steps {
						rewriters[string(s.Rewriter)]++
					}
					if l.Opaque != "" {
						rewriters["opaque "+string(l.Opaque)]++
					}
					if d, _ := l.Deceptive(); d.Kind != "" && !found[d.Kind] {
						found[d.Kind] = true
						if d.Kind == extract.Elsewhere && folder != "phish" {
							t.Logf("%s: shows %s, leads to %s", name, d.Shown, d.Actual)
						}
					}
				}
				if found[extract.Elsewhere] {
					deceptive++
				}
				if found[extract.Unverifiable] {
					unverifiable++
				}
				if found[extract.Detour] {
					detour++
				}
				for _, a := range c.Attachments {
					types[a.Type]++
					for _, f := range a.Flags {
						flags[f]++
						if f == filetype.WrongExtension || f == filetype.WrongMediaType {
							t.Logf("%s: %s: %q declared %s is %s", name, f, a.Name, a.Declared, a.Type)
						}
					}
				}
			}
			t.Logf("%d mails, %d links (%d that nobody can follow), mails with deceptive links %d, unverifiable %d, detours %d, inline forwards %d",
				mails, links, broken, deceptive, unverifiable, detour, forwards)
			t.Log("rewriters: ", counts(rewriters))
			t.Log("attachments: ", counts(types), "; flags: ", counts(flags))
			if limit, ok := most[folder]; ok && deceptive*1000 > limit*mails {
				t.Errorf("%d of %d mails have a link that counts as deceptive, more than %d in a thousand", deceptive, mails, limit)
			}
			if folder == "phish" && deceptive == 0 {
				t.Error("no deceptive link at all")
			}
		})
	}
}

func counts[K ~string](m map[K]int) string {
	var out []string
	for _, k := range slices.SortedFunc(maps.Keys(m), func(a, b K) int { return m[b] - m[a] }) {
		out = append(out, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(out, ", ")
}
