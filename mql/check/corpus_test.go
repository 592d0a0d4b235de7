package check_test

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/check"
	"github.com/sekisho/sekisho/mql/syntax"
)

type publicRule struct{ Name, Type, Source string }

// rules returns the public rules by path, sorted.
func rules(t testing.TB) []publicRule {
	t.Helper()
	dir := os.Getenv("SEKISHO_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	dir = filepath.Join(dir, "data", "mql", "rules")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the public rules are not here: set SEKISHO_SHARED")
	}
	var list []publicRule
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".yml") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var r publicRule
		if err := yaml.Unmarshal(b, &r); err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		r.Name = filepath.ToSlash(name)
		list = append(list, r)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func want(r publicRule) check.Want {
	if r.Type == "query" {
		return check.WantAny
	}
	return check.WantBool
}

func say(f *syntax.File, d syntax.Diagnostic) string {
	c := lang.Default()
	pos := f.Position(d.Span.Start)
	s := fmt.Sprintf("%d:%d: %s: %s", pos.Line, pos.Column, d.Level, c.Say(lang.EN, d.Message))
	if !d.Hint.IsZero() {
		s += " (" + c.Say(lang.EN, d.Hint) + ")"
	}
	return s
}

// TestCorpusRules checks every public rule. What is wrong upstream is listed:
// anything else is a false alarm.
func TestCorpusRules(t *testing.T) {
	list := rules(t)
	c := check.New(nil)
	parsed, typed := 0, 0
	var took time.Duration
	var never, warnings []string
	unpublished := map[string]int{}
	for _, r := range list {
		began := time.Now()
		f := syntax.Parse(r.Source)
		p := c.Check(f, want(r))
		took += time.Since(began)
		if f.OK() {
			parsed++
		}
		if p.OK() {
			typed++
		}
		base := strings.TrimSuffix(path.Base(r.Name), ".yml")
		for _, d := range p.Diagnostics {
			switch {
			case d.Level == syntax.Error:
				t.Errorf("%s:%s", r.Name, say(f, d))
			case d.Message.Key != "mql.check.never":
				warnings = append(warnings, strings.TrimPrefix(d.Message.Key, "mql.check.")+" "+base)
			}
		}
		if !p.Never.IsZero() {
			never = append(never, base)
		}
		for _, u := range p.Unpublished {
			unpublished[u.Name]++
		}
	}
	t.Logf("%d rules: %d parsed, %d typed, %d can never fire; parsed and checked in %v", len(list), parsed, typed, len(never), took.Round(time.Millisecond))
	if parsed != len(list) || typed != len(list) {
		t.Errorf("%d parsed, %d typed of %d", parsed, typed, len(list))
	}
	if d := cmp.Diff([]string{
		"attachment_with_unknown_encrypted_zip_unsolicited",
		"observed_malicious_body_link_domains",
		"observed_malicious_body_link_root_domains",
		"observed_malicious_body_link_urls",
		"observed_malicious_reply_to_domains",
		"observed_malicious_reply_to_emails",
		"observed_malicious_reply_to_root_domains",
		"shopify_infra_abuse",
	}, never); d != "" {
		t.Errorf("never: %s", d)
	}
	if d := cmp.Diff([]string{
		"word attachment_ics_file_non_rfc_compliant",
		"null attachment_with_unknown_encrypted_zip_unsolicited",
		"twice bec_urgent_suspicious_patterns",
		"star brand_impersonation_docsend",
		"star brand_impersonation_knowbe4",
		"twice spoofable_internal_domain_suspicious_signals",
	}, warnings); d != "" {
		t.Errorf("warnings: %s", d)
	}
	if d := cmp.Diff(map[string]int{
		"any_false_positives": 6, "author": 3, "content_disposition": 1, "encoders": 1, "error": 1, "files": 2, "is_auto_reply": 2,
		"days_since": 10, "first_contact": 1, "last_contact": 6, "last_inbound": 1, "last_outbound": 2,
	}, unpublished); d != "" {
		t.Errorf("fields that are not published: %s", d)
	}
}
