package config_test

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var answers = config.Answers{
	Name:     "木曽工業株式会社",
	Domains:  []string{"kiso-works.example", "kiso-works.onmicrosoft.com"},
	TenantID: "8C1F3A52-0B7E-4D11-9A50-6D0C4B1E2F77",
	MX:       []string{"kiso-works-example.mail.protection.outlook.com"},
	Country:  "JP",
	ITMail:   "it@kiso-works.example",
}

func TestTemplate(t *testing.T) {
	for _, tc := range []struct {
		name    string
		answers config.Answers
		lang    lang.Language
	}{
		{"template.en.yaml", answers, lang.EN},
		{"template.ja.yaml", answers, lang.JA},
		{"template.empty.en.yaml", config.Answers{}, lang.EN},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := config.Template(tc.answers, tc.lang)
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", tc.name)
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTemplateLoads(t *testing.T) {
	dir := t.TempDir()
	b, err := config.Template(answers, lang.JA)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, config.FileName, string(b))
	c, err := config.Load(&config.Options{WorkDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	want := org.Facts{
		Name:     org.Of("木曽工業株式会社"),
		Domains:  org.Of([]string{"kiso-works.example", "kiso-works.onmicrosoft.com"}),
		TenantID: org.Of("8c1f3a52-0b7e-4d11-9a50-6d0c4b1e2f77"),
		MX:       org.Of([]string{"kiso-works-example.mail.protection.outlook.com"}),
		Country:  org.Of("JP"),
		Contacts: org.Of(map[string]org.Contact{"it": {Mail: "it@kiso-works.example"}}),
		Report:   org.Of(org.Report{How: "forward-as-attachment", To: "it@kiso-works.example"}),
	}
	if diff := cmp.Diff(want, c.Facts, cmpFacts); diff != "" {
		t.Error(diff)
	}
}

// TestTemplateUncommented switches on every setting that the template has as a
// comment.
func TestTemplateUncommented(t *testing.T) {
	off := regexp.MustCompile(`(?m)^( *)#([a-z_]+:)`)
	for _, l := range []lang.Language{lang.EN, lang.JA} {
		b, err := config.Template(config.Answers{}, l)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		write(t, dir, "people.csv", "display_name,email,role\n")
		write(t, dir, config.FileName, off.ReplaceAllString(string(b), "$1$2"))
		c, err := config.Load(&config.Options{WorkDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range config.Settings() {
			if c.Source(s.Key) == "" {
				t.Errorf("%s: %s is not in the template", l, s.Key)
			}
		}
	}
}

// TestTemplateQuotes gives answers that YAML would read as something else.
func TestTemplateQuotes(t *testing.T) {
	for _, name := range []string{"yes", "12", "a, b: c # d", "*kiso", "- x", `"q" 'q'`, "null", "~", "[a]", "{a}", "<<", "@x", "木曽: 工業"} {
		t.Run(name, func(t *testing.T) {
			b, err := config.Template(config.Answers{Name: name}, lang.EN)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			write(t, dir, config.FileName, string(b))
			c, err := config.Load(&config.Options{WorkDir: dir})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(name, c.Facts.Name.Value()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTemplateRefuses(t *testing.T) {
	for _, tc := range []struct {
		name    string
		answers config.Answers
		want    string
	}{
		{"LineBreakInName", config.Answers{Name: "a\nb: c"}, `sekisho.yaml:8:9: organisation.name: ""a\nb: c"" holds a line break or a control character`},
		{"NoDomain", config.Answers{Domains: []string{"kiso works"}}, `sekisho.yaml:10:13: organisation.domains: "kiso works" is not a domain name`},
		{"FreeMail", config.Answers{Domains: []string{"outlook.com"}}, `sekisho.yaml:10:13: organisation.domains: "outlook.com" belongs to many organisations or people, not to one`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := config.Template(tc.answers, lang.EN)
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWrite(t *testing.T) {
	name := filepath.Join(t.TempDir(), config.FileName)
	if err := config.Write(name, answers, lang.EN, false); err != nil {
		t.Fatal(err)
	}
	first := read(t, name)
	if want, _ := config.Template(answers, lang.EN); string(want) != first {
		t.Error("the file is not the template")
	}
	if fi, err := os.Stat(name); err != nil {
		t.Fatal(err)
	} else if runtime.GOOS != "windows" && fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", fi.Mode().Perm())
	}

	err := config.Write(name, config.Answers{Name: "Other"}, lang.EN, false)
	e, ok := errors.AsType[*desk.Error](err)
	if !ok || e.Kind != desk.Conflict {
		t.Fatalf("got %v, want a conflict", err)
	}
	if read(t, name) != first {
		t.Error("the file was changed")
	}

	if err := config.Write(name, config.Answers{Name: "Other"}, lang.EN, true); err != nil {
		t.Fatal(err)
	}
	if read(t, name) == first {
		t.Error("the file was not replaced")
	}
	left, err := os.ReadDir(filepath.Dir(name))
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 {
		t.Errorf("%d files are left over", len(left)-1)
	}
}

func TestWriteFails(t *testing.T) {
	name := filepath.Join(t.TempDir(), "missing", config.FileName)
	err := config.Write(name, answers, lang.EN, false)
	e, ok := errors.AsType[*desk.Error](err)
	if !ok || e.Kind != desk.NotFound {
		t.Fatalf("got %v, want not found", err)
	}
	name = filepath.Join(t.TempDir(), config.FileName)
	if err := config.Write(name, config.Answers{Name: "a\nb"}, lang.EN, false); err == nil {
		t.Fatal("a bad answer was written")
	}
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was left: %v", err)
	}
}
