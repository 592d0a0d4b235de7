package desk_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/mql/mqltest"
)

func TestTestRules(t *testing.T) {
	const mail = "load mail m <<EOF\nFrom: a@gmail.com\nSubject: fax\n\nx\nEOF\n"
	root := fstest.MapFS{
		"both.yml":  {Data: []byte("name: x\nsource: subject.subject == 'fax'\n")},
		"hit.yml":   {Data: []byte("name: x\nsource: sender.email.domain.domain in $free_email_providers\n")},
		"miss.yml":  {Data: []byte("name: x\nsource: 'false'\n")},
		"none.yaml": {Data: []byte("name: x\nsource: 'true'\n")},
		"other.yml": {Data: []byte("a: b\n")},
		"sub/a.mqltest": {Data: []byte(mail + "load mail n <<EOF\n\nEOF\neval ../both.yml on m\n  expect match\neval ../both.yml on n\n  expect no match\n" +
			"eval ../hit.yml on m\n  expect match\neval ../miss.yml on m\n  expect no match\neval ../*.y* on m\n  expect match\n")},
		"b.mqltest": {Data: []byte("eval both.yml on m\n")},
	}
	out, err := desk.TestRules(t.Context(), []desk.TestSource{
		{Path: "rules", FS: root}, {Path: "rules/b.mqltest", FS: root, File: "b.mqltest"}, {Path: "gone", Err: &desk.Error{Kind: desk.NotFound}},
	}, desk.TestDeps{})
	if err != nil {
		t.Fatal(err)
	}
	if out.Files != 2 || out.Tests != 8 || out.Passed != 7 || out.Failed != 1 || len(out.Results) != 8 || len(out.Unread) != 1 {
		t.Errorf("got %+v", out)
	}
	if len(out.Mistakes) != 2 || out.Mistakes[0].File != filepath.Join("rules", "b.mqltest") {
		t.Errorf("mistakes %+v", out.Mistakes)
	}
	want := []desk.UntestedRule{
		{File: filepath.Join("rules", "hit.yml"), Hit: true},
		{File: filepath.Join("rules", "miss.yml"), NearMiss: true},
		{File: filepath.Join("rules", "none.yaml")},
	}
	if diff := cmp.Diff(want, out.Untested); diff != "" {
		t.Error(diff)
	}
	for _, x := range out.Results {
		if failed := x.Kind == mqltest.Other && x.Rule == filepath.Join("rules", "miss.yml"); failed == x.Passed {
			t.Errorf("%s: passed %v", x.Rule, x.Passed)
		}
	}
}

func TestTestRulesNothing(t *testing.T) {
	_, err := desk.TestRules(t.Context(), []desk.TestSource{{Path: "rules", FS: fstest.MapFS{"a.yml": {Data: []byte("name: x\nsource: 'true'\n")}}}}, desk.TestDeps{})
	if e, ok := errors.AsType[*desk.Error](err); !ok || e.Kind != desk.NotFound {
		t.Errorf("error %v", err)
	}
}

// TestShippedRules runs the tests of the rules that sekisho ships with and of
// the examples. Each rule has a mail that it must catch, and one that it must
// leave alone.
func TestShippedRules(t *testing.T) {
	for _, dir := range []string{"../../packs/mql", "../../examples/rules"} {
		out, err := desk.TestRules(t.Context(), []desk.TestSource{{Path: dir, FS: os.DirFS(dir)}}, desk.TestDeps{})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range out.Mistakes {
			t.Errorf("%s:%d:%d: %s", m.File, m.Line, m.Column, m.Text.EN)
		}
		for _, x := range out.Results {
			for _, f := range x.Failures {
				t.Errorf("%s:%d: %s on %s: expected %s; %s", x.File, f.Line, x.Rule, x.Mail, f.Expect, f.Came.EN)
			}
		}
		for _, u := range out.Untested {
			t.Errorf("%s: hit %v, near miss %v", u.File, u.Hit, u.NearMiss)
		}
		rules, err := fs.Glob(os.DirFS(dir), "*/*.yml")
		if err != nil || out.Tests == 0 || out.Tests < 2*len(rules) {
			t.Errorf("%s: %d tests of %d rules", dir, out.Tests, len(rules))
		}
	}
}
