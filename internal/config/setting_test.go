package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/lang"
)

func TestSettings(t *testing.T) {
	keys, vars := map[string]bool{}, map[string]bool{"SEKISHO_CONFIG": true, "SEKISHO_SHARED": true}
	for _, s := range config.Settings() {
		if keys[s.Key] || vars[s.Env] {
			t.Errorf("%s (%s) stands there twice", s.Key, s.Env)
		}
		keys[s.Key], vars[s.Env] = true, true
		if s.Example == "" || s.Form == "" {
			t.Errorf("%s: form %q, example %q", s.Key, s.Form, s.Example)
		}
		for _, l := range []lang.Language{lang.EN, lang.JA} {
			doc := lang.Default().Say(l, s.Doc)
			if strings.HasPrefix(doc, "[") || len([]rune(doc)) > 110 {
				t.Errorf("%s: doc in %s: %q", s.Key, l, doc)
			}
		}
	}
	if !vars["SEKISHO_ORGANISATION_MAIL_REJECT_DIRECT_SEND"] {
		t.Error("no variable for organisation.mail.reject_direct_send")
	}
}

// TestExamples loads every example of the schema by the environment, so that
// what the template and the manual show is true.
func TestExamples(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "people.csv", "display_name,email,role\n")
	for _, s := range config.Settings() {
		t.Run(s.Key, func(t *testing.T) {
			text := strings.Trim(s.Example, `"`)
			c, err := config.Load(&config.Options{WorkDir: dir, Environ: []string{
				"SEKISHO_ORGANISATION_REPORT_HOW=outlook-button", // which an address needs beside it
				"SEKISHO_ORGANISATION_REPORT_TO=it@kiso-works.example",
				s.Env + "=" + text,
			}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s.Env, c.Source(s.Key)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
