package mqltest_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/mqltest"
)

// run runs all test files below a folder, and returns how many tests there are.
func run(t *testing.T, fsys fs.FS, o *mqltest.Options) (tests int) {
	t.Helper()
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != mqltest.Extension {
			return err
		}
		res, err := mqltest.Run(t.Context(), fsys, name, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range res.Errors {
			t.Error(e)
		}
		for _, x := range res.Tests {
			for _, f := range x.Failures {
				t.Errorf("%s:%d:%d: %s on %s: expected %s: %s", name, f.Line, f.Column, x.Rule+x.Expr, x.Mail, f.Expect, lang.Default().Say(lang.EN, f.Message))
			}
		}
		if len(res.Tests) == 0 {
			t.Errorf("%s: no tests", name)
		}
		tests += len(res.Tests)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}

// TestLanguage runs tests that show each word of the language at work.
func TestLanguage(t *testing.T) { run(t, os.DirFS("testdata"), nil) }

// TestExamples runs the tests of the rules that users see first.
func TestExamples(t *testing.T) { run(t, os.DirFS("../../examples/rules"), nil) }

// TestDocumentation runs the first test of each page that explains the language.
func TestDocumentation(t *testing.T) {
	rule, err := os.ReadFile("../../examples/rules/fax-notice.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"README.md", "../../docs/rules-test.md"} {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(string(b), "```\norganisation\n")
		text, _, _ = strings.Cut(text, "```")
		fsys := fstest.MapFS{"fax-notice.yml": {Data: rule}, "page.mqltest": {Data: []byte("organisation\n" + text)}}
		if n := run(t, fsys, nil); n != 2 {
			t.Errorf("%s: %d tests", page, n)
		}
	}
}

// mails begins the tests below.
const mails = "load mail m <<EOF\nSubject: Fax\n\nHello.\nEOF\n"

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"Empty", "", []string{"1:1: the file tests nothing: it has no eval"}},
		{"NoEval", mails, []string{"6:1: the file tests nothing: it has no eval"}},
		{"NoExpectation", mails + "eval `true` on m\n", []string{"6:1: the eval expects nothing, so that it cannot fail"}},
		{"NoExpectationTwice", mails + "eval `true` on m\neval `true` on m\n  expect match\n", []string{"6:1: the eval expects nothing, so that it cannot fail"}},
		{"Word", "organization\n", []string{"1:1: no line begins with organization here; these do: organisation, zone, list, history, answer, load, eval, clear"}},
		{"Quoted", "\"eval\" x\n", []string{"1:1: no line begins with eval here; these do: organisation, zone, list, history, answer, load, eval, clear"}},
		{"ExpectOutside", "expect match\n", []string{"1:1: no line begins with expect here; these do: organisation, zone, list, history, answer, load, eval, clear"}},
		{"Unfinished", "load mail m <<EOF\nSubject: x\n", []string{"1:13: no line with EOF ends the text"}},
		{"Quote", "organisation\n  name \"木曽\n", []string{"2:8: the text in double quotes is not closed or has a wrong escape"}},
		{"Backquote", mails + "eval `true on m\n", []string{"6:6: the backquote is not closed"}},
		{"AfterQuote", "organisation\n  name \"a\"b\n", []string{"2:11: a space is missing after the closing quote"}},
		{"UTF8", "# \xff\n", []string{"1:1: the line is not UTF-8"}},
		{"Header", "load mail m <<EOF\nSubject: x\nHello, all\n\nEOF\n", []string{"3:1: this is no header field; an empty line ends the header"}},
		{"MailName", "load mail a.b <<EOF\nSubject: x\nEOF\n", []string{"1:11: a.b cannot be the name of a mail: letters, digits, - and _ can"}},
		{"MailUnknown", mails + "eval `true` on m n\n  expect match\n", []string{"6:18: no mail is called n; known: m"}},
		{"NoMail", "eval `true` on m\n  expect match\n", []string{"1:16: no mail was loaded before"}},
		{"MailNoText", "load mail m\n", []string{"1:1: load mail m wants a text below it: end the line with <<EOF"}},
		{"Stamped", "load mail m stamped spoof <<EOF\n\nx\nEOF\n", []string{"1:21: spoof is not one of: pass, none, fail, direct-send, internal, received"}},
		{"StampFirst", "load mail m ip=203.0.113.7 <<EOF\n\nx\nEOF\n", []string{"1:13: ip=203.0.113.7 means something behind stamped KIND alone"}},
		{"StampInjection", "load mail m stamped pass helo=a;b <<EOF\n\nx\nEOF\n", []string{"1:26: helo=a;b says nothing that can be written into a mail"}},
		{"Time", "load mail m at=yesterday <<EOF\n\nx\nEOF\n", []string{"1:13: yesterday is no time of the form 2026-11-16T10:00:00+09:00"}},
		{"Address", "load mail m stamped pass ip=1.2.3 <<EOF\n\nx\nEOF\n", []string{"1:26: 1.2.3 is no address or network"}},
		{"Raw", "load mail m raw <<EOF\nSubject: x\n\nEOF\n  html <<EOF\nx\nEOF\n", []string{"5:3: html cannot add to a mail that is taken as it is"}},
		{"Multipart", "load mail m <<EOF\nContent-Type: multipart/mixed; boundary=b\n\nEOF\n  html <<EOF\nx\nEOF\n", []string{"5:3: the mail is a multipart that you wrote yourself: html cannot add to it"}},
		{"Base64", mails + "  attach \"a\" base64 <<EOF\n!\nEOF\n", []string{"7:1: the text is not base64"}},
		{"AttachMail", mails + "  attach mail m\n", []string{"6:15: no mail above is called m"}},
		{"AttachWord", mails + "  attach \"a\" hex <<EOF\n00\nEOF\n", []string{"6:14: hex means nothing here: a type, base64, pdf, zip NAME, inline, cid= and type= do"}},
		{"Outside", mails + "eval ../x.yml on m\n  expect match\n", []string{"6:6: ../x.yml lies outside of what is tested"}},
		{"OutsideFile", "load file m ../../etc/passwd\n", []string{"1:13: ../../etc/passwd lies outside of what is tested"}},
		{"Absolute", "load file m /etc/../../x\n", []string{"1:13: /etc/../../x lies outside of what is tested"}},
		{"Zone", "zone <<EOF\na. IN TXT \"x\"\nb. IN TXT \"\nEOF\n", []string{"3:11: zone: a quoted string is not closed on its line"}},
		{"List", "list x\n", []string{"1:1: list x wants its entries in a text below it, or missing, or empty"}},
		{"ListKind", "list org_vips empty\n", []string{"1:6: the entries of $org_vips are people: organisation tells them"}},
		{"ListName", "list a-b empty\n", []string{"1:6: a-b cannot be the name of a list"}},
		{"Function", "answer ml.nothing missing\n", []string{"1:8: the language has no function ml.nothing"}},
		{"Computed", "answer strings.contains missing\n", []string{"1:8: strings.contains needs no answer: sekisho computes it"}},
		{"JSON", "answer network.whois <<EOF\n{\nEOF\n", []string{"2:1: this is no JSON"}},
		{"History", "history\n  sender a@b.test often\n", []string{"2:19: often is not one of: new, outlier, rare, uncommon, common, solicited, benign, malicious, known=DAYS, last=DAYS"}},
		{"Days", "history\n  sender a@b.test rare known=NaN\n", []string{"2:24: known=NaN says no number of days"}},
		{"Domain", "organisation\n  domain a..b\n", []string{"2:10: a..b is no domain"}},
		{"Gateway", "organisation\n  gateway x\n", []string{"2:11: x is no address or network"}},
		{"Person", "organisation\n  person vip\n", []string{"2:3: person wants a name in double quotes, an address in angle brackets, or both, and perhaps a role"}},
		{"No", "organisation\n  no friends\n", []string{"2:6: friends is not one of: people, domains, gateways, connectors, mx, allow, arc-sealers"}},
		{"Expect", mails + "eval `true` on m\n  expect matched\n", []string{"7:3: no such expectation: match, no match, undecided, value JSON, severity S, evidence \"WORDS\" (in FIELD), no evidence \"WORDS\", needs CAPABILITY and cost <= N are", "6:1: the eval expects nothing, so that it cannot fail"}},
		{"Contradiction", mails + "eval `true` on m\n  expect no match\n  expect evidence \"x\"\n", []string{"8:3: this contradicts line 7"}},
		{"Severity", mails + "eval `true` on m\n  expect severity low\n", []string{"7:19: an expression has no severity", "6:1: the eval expects nothing, so that it cannot fail"}},
		{"Needs", mails + "eval `true` on m\n  expect needs list\n", []string{"7:16: list and function want a name, and nothing else does", "6:1: the eval expects nothing, so that it cannot fail"}},
		{"EmptyEvidence", mails + "eval `true` on m\n  expect evidence \" \"\n", []string{"7:19: empty words are in every quote", "6:1: the eval expects nothing, so that it cannot fail"}},
		{"Many", "clear all\n", []string{"1:7: all is one word too many; white space needs double quotes"}},
		{"Large", strings.Repeat("#", mqltest.MaxSize+1), []string{"1:1: larger than 4,194,304 bytes"}},
		{"ManyErrors", strings.Repeat("x\n", 30), slices.Repeat([]string{"1:1"}, 20)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := mqltest.Parse("x.mqltest", []byte(tc.text))
			errs, ok := errors.AsType[mqltest.Errors](err)
			if !ok {
				t.Fatalf("error: %v", err)
			}
			if tc.name == "ManyErrors" {
				if len(errs) != len(tc.want) {
					t.Errorf("%d errors", len(errs))
				}
				return
			}
			var got []string
			for _, e := range errs {
				got = append(got, strings.TrimPrefix(e.Error(), "x.mqltest:"))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRunErrors is about mistakes that only running shows.
func TestRunErrors(t *testing.T) {
	fsys := fstest.MapFS{
		"r/broken.yml": {Data: []byte("name: x\nsource: |\n  subject.subjec == \"a\"\n")},
		"r/none.yml":   {Data: []byte("name: x\n")},
		"r/ok.yml":     {Data: []byte("name: x\nsource: type.inbound\n")},
	}
	for _, tc := range []struct{ name, text, want string }{
		{"Missing", "eval gone.yml on m\n  expect match\n", "r/x.mqltest:6:6: cannot read r/gone.yml: file does not exist"},
		{"Broken", "eval broken.yml on m\n  expect match\n", "r/broken.yml:3:11: Subject has no field subjec"},
		{"NoRule", "eval none.yml on m\n  expect match\n", "r/none.yml:1:1: source is missing"},
		{"Pattern", "eval a*.yml on m\n  expect match\n", "r/x.mqltest:6:6: no rule file fits a*.yml"},
		{"Expression", "eval `true and subjet.subject == \"a\"` on m\n  expect match\n", "r/x.mqltest:6:16: "},
		{"Below", "eval on m <<EOF\ntrue\n  and subjet.subject == \"a\"\nEOF\n  expect match\n", "r/x.mqltest:8:7: "},
		{"File", "load file n gone.eml\neval ok.yml on n\n  expect match\n", "r/x.mqltest:6:1: cannot read r/gone.eml: file does not exist"},
		{"Attached", "load mail n <<EOF\n\nEOF\n  attach file gone.pdf\neval ok.yml on n\n  expect match\n", "r/x.mqltest:9:3: cannot read r/gone.pdf: file does not exist"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fsys["r/x.mqltest"] = &fstest.MapFile{Data: []byte(mails + tc.text)}
			res, err := mqltest.Run(t.Context(), fsys, "r/x.mqltest", nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(res.Errors) != 1 || len(res.Tests) != 0 || res.OK() || !strings.HasPrefix(res.Errors[0].Error(), tc.want) {
				t.Errorf("errors %v, tests %d, want %s", res.Errors, len(res.Tests), tc.want)
			}
		})
	}
	if _, err := mqltest.Run(t.Context(), fsys, "gone.mqltest", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// TestFailures shows that each expectation can fail, and what it says then.
func TestFailures(t *testing.T) {
	fsys := fstest.MapFS{"fax.yml": {Data: []byte("name: x\nseverity: low\nsource: strings.icontains(subject.subject, 'fax')\n")}}
	for _, tc := range []struct{ eval, expect, want string }{
		{"`strings.icontains(subject.subject, 'fax')`", "no match", `came: match, on "Fax"`},
		{"`true`", "no match", "came: match"},
		{"`false`", "match", "came: no match"},
		{"`false`", "undecided", "came: no match"},
		{"`false`", `evidence "x"`, "came: no match"},
		{"`sender.email.email in $tranco_10k`", "match", "came: undecided, needs list tranco_10k"},
		{"`sender.email.email in $tranco_10k`", "needs list tranco", "came: undecided, needs list tranco_10k"},
		{"`sender.email.email in $tranco_10k`", "needs history", "came: undecided, needs list tranco_10k"},
		{"`profile.by_sender().solicited`", "value true", "came: undecided, needs history"},
		{"`length(subject.subject)`", "value 4", "came: 3"},
		{"fax.yml", "severity high", "came: low"},
		{"fax.yml", `evidence "mail"`, `came: the evidence is "Fax"`},
		{"fax.yml", `evidence "fax" in From`, "came: the words stand in Subject"},
		{"fax.yml", `no evidence "fax"`, `came: the evidence is "Fax"`},
		{"`type.inbound`", `evidence "x"`, "came: match, without any quote"},
		{"`strings.icontains(body.current_thread.text, 'hello')`", "cost <= 0", "came: it took "},
	} {
		t.Run(tc.eval+" "+tc.expect, func(t *testing.T) {
			fsys["x.mqltest"] = &fstest.MapFile{Data: []byte(mails + "eval " + tc.eval + " on m\n  expect " + tc.expect + " # why\n")}
			if strings.HasPrefix(tc.expect, "value") {
				fsys["x.mqltest"].Data = []byte(strings.Replace(string(fsys["x.mqltest"].Data), " # why", "", 1))
			}
			res, err := mqltest.Run(t.Context(), fsys, "x.mqltest", nil)
			if err != nil || len(res.Errors) > 0 || len(res.Tests) != 1 {
				t.Fatalf("error %v, errors %v, tests %v", err, res.Errors, res.Tests)
			}
			f := res.Tests[0].Failures
			if len(f) != 1 || f[0].Line != 7 || f[0].Column != 3 || res.Failed() != 1 || res.OK() {
				t.Fatalf("failures %v", f)
			}
			if got := lang.Default().Say(lang.EN, f[0].Message); !strings.HasPrefix(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestKinds tells hits, near misses and others apart.
func TestKinds(t *testing.T) {
	fsys := fstest.MapFS{
		"a.yml": {Data: []byte("name: x\nsource: strings.icontains(subject.subject, 'fax')\n")},
		"x.mqltest": {Data: []byte(mails + "load mail n <<EOF\n\nEOF\neval a.yml on m\n  expect match\neval a.yml on n\n  expect no match\neval a.yml on m\n  expect cost <= 100000\n" +
			"eval *.yml on n\n  expect no match\neval `true` on m n\n  expect match\n")},
	}
	res, err := mqltest.Run(t.Context(), fsys, "x.mqltest", nil)
	if err != nil || !res.OK() {
		t.Fatalf("%v, %v", err, res)
	}
	var got []string
	for _, x := range res.Tests {
		got = append(got, fmt.Sprint(x.Line, " ", x.Rule, x.Expr, " ", x.Mail, " ", x.Kind))
	}
	want := []string{"9 a.yml m hit", "11 a.yml n near-miss", "13 a.yml m other", "15 a.yml n other", "17 true m other", "17 true n other"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestGrowth bounds mails that carry mails.
func TestGrowth(t *testing.T) {
	var b strings.Builder
	b.WriteString("load mail m0 <<EOF\n\n" + strings.Repeat("x", 1<<16) + "\nEOF\n")
	for i := range 40 {
		fmt.Fprintf(&b, "load mail m%d <<EOF\n\nx\nEOF\n  attach mail m%d\n  attach mail m%d\n", i+1, i, i)
	}
	b.WriteString("eval `true` on m40\n  expect match\n")
	fsys := fstest.MapFS{"x.mqltest": {Data: []byte(b.String())}}
	res, err := mqltest.Run(t.Context(), fsys, "x.mqltest", nil)
	if err != nil || len(res.Errors) != 1 || !strings.Contains(res.Errors[0].Error(), "the mail carries more than 16,777,216 bytes") {
		t.Errorf("%v, %v", err, res)
	}
}

// TestCanceled ends a run when nobody wants it any more.
func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fsys := fstest.MapFS{"x.mqltest": {Data: []byte(mails + "eval `true` on m\n  expect match\n")}}
	if _, err := mqltest.Run(ctx, fsys, "x.mqltest", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"fax.mqltest", "world.mqltest", "mail.mqltest", "stamp.mqltest"} {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(mails + "  attach \"a\" zip b <<EOF\nx\nEOF\n  attach \"c\" pdf <<EOF\nhttps://a.test/\nEOF\neval `true` on m\n expect match"))
	f.Add([]byte("eval \"\\u0000"))
	f.Add([]byte("<<EOF\nEOF"))
	rules := fstest.MapFS{"fax.yml": {Data: []byte("name: x\nsource: strings.icontains(subject.subject, 'fax')\n")}}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 16<<10 {
			return
		}
		s, err := mqltest.Parse("x.mqltest", data)
		if err != nil {
			lines := strings.Count(string(data), "\n") + 1
			for _, e := range err.(mqltest.Errors) { //nolint:errorlint // as documented
				if e.Line < 1 || e.Line > lines || e.Column < 1 {
					t.Errorf("%v is nowhere in the file", e)
				}
			}
			return
		}
		res, err := s.Run(t.Context(), rules, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(res.Tests) == 0 && len(res.Errors) == 0 {
			t.Error("nothing was tested, and nobody says why")
		}
	})
}
