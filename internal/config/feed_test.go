package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/config"
)

func TestFeedNames(t *testing.T) {
	for _, tc := range []struct {
		name, feed string
		want       []config.RuleSource // nil: refused
	}{
		{"Known", "sublime", []config.RuleSource{{Feed: "sublime"}}},
		{"Own", "our-rules", []config.RuleSource{{Feed: "our-rules"}}},
		{"Address", "https://rules.example/x.git", []config.RuleSource{{Feed: "https://rules.example/x.git"}}},
		{"Pack", "sekisho", nil},
		{"Path", "../x", nil},
		{"Capital", "Sublime", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "sekisho.yaml", "rules: [{feed: '"+tc.feed+"'}]\n")
			c, err := config.Load(&config.Options{WorkDir: dir})
			if (err != nil) != (tc.want == nil) {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(tc.want, c.Rules); diff != "" {
				t.Error(diff)
			}
		})
	}
}
