package mql_test

import (
	"context"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/lists"
	"github.com/sekisho/sekisho/mql/check"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/mqltest"
	"github.com/sekisho/sekisho/mql/rule"
	"github.com/sekisho/sekisho/mql/value"
	"github.com/sekisho/sekisho/org"
	packs "github.com/sekisho/sekisho/packs/mql"
)

// ruleFiles returns the names of the rules in the pack.
func ruleFiles(t *testing.T) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(packs.Files(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 50 {
		t.Fatalf("the pack has %d rules", len(names))
	}
	return names
}

// TestRules checks what a rule of the pack must be like, beside being right.
func TestRules(t *testing.T) {
	words := lang.Default()
	checker := check.New(&check.Options{XPath: mdm.CheckXPath})
	for _, name := range ruleFiles(t) {
		t.Run(name, func(t *testing.T) {
			data, err := fs.ReadFile(packs.Files(), name)
			if err != nil {
				t.Fatal(err)
			}
			r, err := rule.Parse(data)
			if err != nil {
				t.Fatal(err)
			}
			p := r.Check(checker)
			for _, d := range p.Diagnostics {
				at := r.Position(d.Span.Start)
				t.Errorf("%d:%d: %s", at.Line, at.Column, words.Say(lang.EN, d.Message))
			}
			if !p.Never.IsZero() {
				t.Errorf("never matches: %s", words.Say(lang.EN, p.Never))
			}
			id := "sekisho/" + strings.TrimSuffix(name, path.Ext(name))
			if r.ID != id || r.Type != rule.Detection || r.Inactive {
				t.Errorf("ID %q, type %q, inactive %t; want %q, a detection in use", r.ID, r.Type, r.Inactive, id)
			}
			if r.Severity != finding.Medium && r.Severity != finding.High {
				t.Errorf("severity %s: a sign that counts is medium or high", r.Severity)
			}
			key := "rules." + strings.ReplaceAll(id, "/", ".")
			title, _ := words.Template(key)
			why, _ := words.Template(key + ".why")
			got := []string{title.EN, strings.Join(strings.Fields(why.EN), " ")}
			if diff := cmp.Diff([]string{r.Name, strings.Join(strings.Fields(r.Description), " ")}, got); diff != "" {
				t.Errorf("the catalogue says something else than the rule (-rule +catalogue):\n%s", diff)
			}
		})
	}
}

// carried are the lists that a rule finds with the program alone.
func carried(facts *org.Facts, _ []string) map[string]*value.List {
	out := mdm.Lists(facts)
	for name, d := range map[string]lists.Domains{
		"free_email_providers": lists.FreeMail(), "url_shorteners": lists.URLShorteners(), "free_file_hosts": lists.FileHosts(),
	} {
		var entries []string
		for n := range d.All() {
			entries = append(entries, string(n))
		}
		out[name] = value.NewSet(entries)
	}
	return out
}

// TestMails runs the test beside each rule, which must have a mail that it
// catches and one that it does not.
func TestMails(t *testing.T) {
	dir := os.DirFS(".")
	for _, name := range ruleFiles(t) {
		t.Run(name, func(t *testing.T) {
			test := strings.TrimSuffix(name, path.Ext(name)) + mqltest.Extension
			res, err := mqltest.Run(context.Background(), dir, test, &mqltest.Options{Lists: carried})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range res.Errors {
				t.Error(e)
			}
			kinds := map[mqltest.Kind]int{}
			for _, x := range res.Tests {
				if x.Rule == name {
					kinds[x.Kind]++
				}
				for _, f := range x.Failures {
					t.Errorf("%s:%d: expect %s: %s", test, f.Line, f.Expect, lang.Default().Say(lang.EN, f.Message))
				}
			}
			if kinds[mqltest.Hit] < 1 || kinds[mqltest.NearMiss] < 1 {
				t.Errorf("%s has %v, want a hit and a near miss at least", test, kinds)
			}
		})
	}
}
