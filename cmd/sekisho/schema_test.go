package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compile(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(filepath.Join("..", "..", "docs", "schema", name))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// output runs sekisho and returns what it prints. Findings and unread inputs
// are no failure here.
func output(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("sekisho", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), surroundings(dir)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	b, err := cmd.Output()
	if code := cmd.ProcessState.ExitCode(); err != nil && code != 1 && code != 3 {
		t.Fatalf("sekisho %s: %v: %s", strings.Join(args, " "), err, stderr.String())
	}
	return b
}

// validate checks every record of the output and returns how many there are.
func validate(t *testing.T, s *jsonschema.Schema, b []byte) int {
	t.Helper()
	n := 0
	for d := json.NewDecoder(bytes.NewReader(b)); d.More(); {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, v := range list {
			n++
			if err := s.Validate(v); err != nil {
				t.Errorf("record %d: %v", n, err)
			}
		}
	}
	return n
}

// TestConformanceSchema validates the records of every command, and the verdict
// on every example.
func TestConformanceSchema(t *testing.T) {
	withoutRace(t)
	s := compile(t, "verdict.v1.json")
	dir := t.TempDir()
	if err := copyExamples(filepath.Join(dir, "examples")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "photo.eml"), []byte("GIF89a"), 0o600); err != nil {
		t.Fatal(err)
	}
	output(t, dir, "allow", "add", "--config", "examples/sekisho.yaml", "--from", "kiso-works.example", "--ip", "203.0.113.77", "--owner", "sato", "--reason", "test")
	if err := os.WriteFile(filepath.Join(dir, "empty.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, args := range [][]string{
		{"--output", "ndjson"}, {"--output", "json"}, {"--output", "json", "--redact"},
		{"--output", "ndjson", "--config", "examples/sekisho.yaml"}, {"--output", "ndjson", "--config", "examples/sekisho.yaml", "--redact"},
		{"--output", "json", "--config", "examples/sekisho.yaml", "--dns-zone", "examples/dns.zone"},
		{"--output", "ndjson", "--rules", "examples/rules"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			n := validate(t, s, output(t, dir, append(append([]string{"judge"}, args...), "examples", "photo.eml")...))
			if n < 60 || count > 0 && n != count {
				t.Errorf("%d records, before %d", n, count)
			}
			count = n
		})
	}
	t.Run("OneMessage", func(t *testing.T) {
		if n := validate(t, s, output(t, dir, "judge", "--output", "json", "examples/broken.eml")); n != 1 {
			t.Errorf("%d records", n)
		}
	})
	t.Run("Authentication", func(t *testing.T) {
		n := validate(t, compile(t, "auth.v1.json"), output(t, dir, "auth", "--output", "ndjson", "--dns-zone", "examples/dns.zone", "examples", "photo.eml"))
		if n != count {
			t.Errorf("%d records, want %d", n, count)
		}
	})
	t.Run("Intake", func(t *testing.T) {
		for _, args := range [][]string{{"status"}, {"dead"}, {"retry", "--all"}} {
			if n := validate(t, compile(t, "intake.v1.json"), output(t, dir, append(append([]string{"intake"}, args...), "--output", "json")...)); n != 1 {
				t.Errorf("%v: %d records", args, n)
			}
		}
	})
	t.Run("Retro", func(t *testing.T) {
		for _, args := range [][]string{{"status"}, {"run"}, {"run", "--dry-run"}} {
			if n := validate(t, compile(t, "retro.v1.json"), output(t, dir, append(append([]string{"retro"}, args...), "--output", "json")...)); n != 1 {
				t.Errorf("%v: %d records", args, n)
			}
		}
	})
	t.Run("Reports", func(t *testing.T) {
		args := []string{"dmarc", "ingest", "--data", "reports", "--config", "examples/sekisho.yaml", "--output", "json", "examples/dmarc"}
		if n := validate(t, compile(t, "dmarc-ingest.v1.json"), output(t, dir, args...)); n != 1 {
			t.Errorf("%d records", n)
		}
		validate(t, compile(t, "dmarc-ingest.v1.json"), output(t, dir, args...))
	})
	t.Run("Updates", func(t *testing.T) {
		at := []string{"--now", "2025-04-11T09:00:00+09:00"}
		check := append([]string{"patch", "check", "--inventory", "examples/patch/devices.csv", "--inventory", "examples/patch/software.csv"}, at...)
		if n := validate(t, compile(t, "patch.v1.json"), output(t, dir, append(check, "--output", "json")...)); n != 1 {
			t.Errorf("%d reports", n)
		}
		if n := validate(t, compile(t, "patch-result.v1.json"), output(t, dir, append(check, "--output", "ndjson")...)); n != 20 {
			t.Errorf("%d results", n)
		}
		if n := validate(t, compile(t, "patch-update.v1.json"), output(t, dir, append([]string{"patch", "update", "--dry-run", "--file", "examples/patch/own-facts.json", "--file", "photo.eml", "--output", "json"}, at...)...)); n != 2 {
			t.Errorf("%d updates", n)
		}
		if n := validate(t, compile(t, "patch-day.v1.json"), output(t, dir, "patch", "calendar", "--year", "2026", "--output", "json")); n < 50 {
			t.Errorf("%d days", n)
		}
	})
	t.Run("Traces", func(t *testing.T) {
		for _, tc := range []struct {
			schema  string
			args    []string
			records int
		}{
			{"direct-send-impact.v1.json", []string{"directsend-impact", "--output", "json", "--dns-zone", "examples/dns.zone"}, 1},
			{"direct-send-impact.v1.json", []string{"directsend-impact", "--output", "json", "--redact"}, 1},
			{"direct-send-source.v1.json", []string{"directsend-impact", "--output", "ndjson"}, 10},
			{"similar.v1.json", []string{"similar", "--output", "json", "examples/directsend/ds1-high.eml", "--in", "examples/phish", "--in"}, 1},
			{"similar-mail.v1.json", []string{"similar", "--output", "ndjson", "examples/directsend/ds1-high.eml", "--in"}, 8},
		} {
			if n := validate(t, compile(t, tc.schema), output(t, dir, append(append(tc.args, "examples/trace/email-events.csv"), "--config", "examples/sekisho.yaml")...)); n != tc.records {
				t.Errorf("%v: %d records", tc.args, n)
			}
		}
	})
	t.Run("Exceptions", func(t *testing.T) {
		if n := validate(t, compile(t, "exception.v1.json"), output(t, dir, "allow", "list", "--output", "json")); n != 1 {
			t.Errorf("%d records", n)
		}
	})
	t.Run("Checks", func(t *testing.T) {
		c := compile(t, "check.v1.json")
		if n := validate(t, c, output(t, dir, "doctor", "--output", "json")); n < 8 {
			t.Errorf("%d records", n)
		}
		validate(t, c, output(t, dir, "doctor", "--output", "ndjson", "--config", "examples/sekisho.yaml"))
	})
	t.Run("Rules", func(t *testing.T) {
		if err := os.WriteFile(filepath.Join(dir, "broken.yml"), []byte("name: x\nsource: sender.emai.email == 'a'\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if n := validate(t, compile(t, "rules-check.v1.json"), output(t, dir, "rules", "check", "--output", "json", "examples/rules", "broken.yml", "nothing.yml")); n != 1 {
			t.Errorf("%d records", n)
		}
		if n := validate(t, compile(t, "rule.v1.json"), output(t, dir, "rules", "list", "--output", "ndjson", "examples/rules", "broken.yml")); n != 3 {
			t.Errorf("%d records", n)
		}
		if n := validate(t, compile(t, "value.v1.json"), output(t, dir, "mql", "--output", "ndjson", "profile.by_sender().solicited", "examples", "photo.eml")); n != count {
			t.Errorf("%d records, want %d", n, count)
		}
	})
	t.Run("Lookalikes", func(t *testing.T) {
		c := compile(t, "lookalikes.v1.json")
		look := []string{"domain", "lookalikes", "--config", "examples/sekisho.yaml", "--output", "ndjson"}
		if n := validate(t, c, output(t, dir, append(look, "--dns-zone", "examples/lookalikes.zone", "--all")...)); n != 1 {
			t.Errorf("%d records", n)
		}
		validate(t, c, output(t, dir, append(look, "--offline")...))
	})
	t.Run("Domains", func(t *testing.T) {
		zone, err := os.ReadFile(filepath.Join(dir, "examples", "domains.zone"))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for line := range strings.Lines(string(zone)) {
			if name, _, ok := strings.Cut(line, ". IN SOA "); ok {
				names = append(names, name)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "domains.txt"), []byte(strings.Join(append(names, "dead.example", "no name"), "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		c := compile(t, "domain.v1.json")
		check := []string{"domain", "check", "--output", "ndjson", "--file", "domains.txt"}
		if n := validate(t, c, output(t, dir, append(check, "--dns-zone", "examples/domains.zone", "--volume", "6000")...)); n != len(names)+2 {
			t.Errorf("%d records", n)
		}
		validate(t, c, output(t, dir, append(check, "--offline")...))
	})
	t.Run("Bounces", func(t *testing.T) {
		if err := os.WriteFile(filepath.Join(dir, "bounce.txt"), []byte("550 5.7.515 Access denied, sending domain kiso-works.example does not pass. Spf= Fail\n421 4.7.9 later\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if n := validate(t, compile(t, "bounce.v1.json"), output(t, dir, "domain", "check", "--bounce", "bounce.txt", "--output", "json")); n != 2 {
			t.Errorf("%d records", n)
		}
	})
	t.Run("Feeds", func(t *testing.T) {
		update := []string{"rules", "update", "--output", "json", "--file", "examples/rules", "--name", "ours", "--preview", "examples/phish"}
		if n := validate(t, compile(t, "feed-update.v1.json"), output(t, dir, append(update, "--dry-run")...)); n != 1 {
			t.Errorf("%d records", n)
		}
		validate(t, compile(t, "feed-update.v1.json"), output(t, dir, append(update, "--yes")...))
		if n := validate(t, compile(t, "feed.v1.json"), output(t, dir, "rules", "update", "--output", "ndjson", "--list")); n != 2 {
			t.Errorf("%d records", n)
		}
		validate(t, compile(t, "feed-update.v1.json"), output(t, dir, "lists", "update", "--output", "ndjson", "--file", "examples/lists"))
		if n := validate(t, compile(t, "list.v1.json"), output(t, dir, "lists", "--output", "json", "--lists", "examples/lists")); n < 30 {
			t.Errorf("%d records", n)
		}
	})
	t.Run("Advisories", func(t *testing.T) {
		for _, f := range []string{"conduct-campaign.html", "direct-send.ja.md", "outlook-requirement.txt", "voice-phishing.ja.txt", "windows-april.ja.txt"} {
			for _, config := range []string{"examples/sekisho.yaml", "empty.yaml"} {
				if n := validate(t, compile(t, "advisory.v1.json"), output(t, dir, "advise", "--output", "json", "--config", config, "examples/news/"+f)); n != 1 {
					t.Errorf("%s: %d records", f, n)
				}
			}
		}
	})
	t.Run("News", func(t *testing.T) {
		config := []string{"--config", "examples/sekisho.yaml", "--data", "newsdata", "--output", "json"}
		records := func(schema string, args ...string) int {
			return validate(t, compile(t, schema), output(t, dir, append(args, config...)...))
		}
		for _, f := range []string{"conduct-campaign.html", "voice-phishing.ja.txt"} {
			if n := records("story.v1.json", "news", "add", "examples/news/"+f); n != 1 {
				t.Errorf("%s: %d records", f, n)
			}
		}
		if n := records("advisory.v1.json", "advise", "sec46518b55c75595"); n != 1 {
			t.Errorf("%d records", n)
		}
		if n := records("story.v1.json", "news", "list", "--since", "2020-01-01"); n != 2 {
			t.Errorf("%d records", n)
		}
		records("story-detail.v1.json", "news", "show", "sec46518b55c75595")
		if n := records("news-source.v1.json", "news", "sources"); n < 10 {
			t.Errorf("%d records", n)
		}
		records("news-source.v1.json", "news", "pull", "--dry-run", "jpcert")
		for _, f := range []string{"advisory.json", "staff.en.txt"} {
			records("advisory-lint.v1.json", "advise", "lint", "--source", "examples/news/conduct-campaign.html", "examples/news/draft/"+f)
		}
	})
	t.Run("Approvals", func(t *testing.T) {
		hash := anAdvisory(t, dir, "return")
		at := []string{"--config", "examples/sekisho.yaml"}
		records := func(schema string, args ...string) int {
			return validate(t, compile(t, schema), output(t, dir, append(args, at...)...))
		}
		const id = "a6bd3bb1cee638d66"
		if n := records("advisory-review.v1.json", "advisory", "list", "--output", "json"); n != 2 {
			t.Errorf("%d records", n)
		}
		records("advisory-review.v1.json", "advisory", "show", "--output", "json", id)
		records("advisory-review.v1.json", "advisory", "approve", "--as", "tanaka", "--hash", hash, "--output", "json", id)
		if n := records("release.v1.json", "advisory", "export", "--as", "sato", "--format", "json", id); n != 1 {
			t.Errorf("%d records", n)
		}
		if n := records("advisory-step.v1.json", "advisory", "history", "--output", "ndjson", id); n != 4 {
			t.Errorf("%d records", n)
		}
	})
	t.Run("Digests", func(t *testing.T) {
		common := []string{"--config", "examples/sekisho.yaml", "--data", "digestdata", "--output", "json"}
		c := compile(t, "digest.v1.json")
		for _, more := range [][]string{
			{"--items", "examples/digest/april-2025.yaml", "--commentary", "examples/digest/commentary.yaml"}, {"--items", "examples/news/voice-phishing.ja.txt", "--number", "2"},
		} {
			if n := validate(t, c, output(t, dir, slices.Concat([]string{"digest", "--now", "2025-05-01T09:00:00+09:00", "--month", "2025-04"}, common, more)...)); n != 1 {
				t.Errorf("%d issues", n)
			}
		}
		validate(t, c, output(t, dir, append([]string{"digest", "show", "1"}, common...)...))
		if n := validate(t, compile(t, "digest-summary.v1.json"), output(t, dir, append([]string{"digest", "list"}, common...)...)); n != 2 {
			t.Errorf("%d issues", n)
		}
	})
	t.Run("Lessons", func(t *testing.T) {
		c := compile(t, "lesson.v1.json")
		for _, args := range [][]string{{"--topic", "voice-call"}, {"--config", "examples/sekisho.yaml", "examples/directsend/ds1-high.eml"}, {"--config", "examples/sekisho.yaml", "examples/phish/payroll-ja.eml"}} {
			if n := validate(t, c, output(t, dir, append([]string{"educate", "--data", t.TempDir(), "--output", "json"}, args...)...)); n != 1 {
				t.Errorf("%d lessons", n)
			}
		}
		validate(t, compile(t, "lesson-plan.v1.json"), output(t, dir, "educate", "plan", "--year", "2027", "--output", "json"))
	})
	t.Run("Explore", func(t *testing.T) {
		explained := output(t, dir, "mql", "--output", "ndjson", "--explain", "any(body.links, .visible) and profile.by_sender().solicited", "examples", "photo.eml")
		if n := validate(t, compile(t, "value.v1.json"), explained); n != count {
			t.Errorf("%d records, want %d", n, count)
		}
		for _, f := range []string{"examples/rules/fax-notice.yml", "broken.yml"} {
			if n := validate(t, compile(t, "rule-detail.v1.json"), output(t, dir, "rules", "show", "--output", "json", f)); n != 1 {
				t.Errorf("%s: %d records", f, n)
			}
		}
		if n := validate(t, compile(t, "rules-bench.v1.json"), output(t, dir, "rules", "bench", "--output", "json", "--rules", "examples/rules", "examples", "photo.eml")); n != 1 {
			t.Errorf("%d records", n)
		}
	})
	t.Run("RuleTests", func(t *testing.T) {
		failing := "load mail m <<EOF\nSubject: x\n\nEOF\neval `length(subject.subject)` on m\n  expect value 2\neval `sender.email.email in $tranco_1m` on m\n  expect match\neval gone.yml on m\n  expect match\n"
		if err := os.WriteFile(filepath.Join(dir, "failing.mqltest"), []byte(failing), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "unformatted.yml"), []byte("name: x\nsource: sender.emai.email  ==\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if n := validate(t, compile(t, "dmarc-report.v1.json"), output(t, dir, "dmarc", "report", "--offline", "--output", "json", "examples/dmarc")); n != 1 {
			t.Errorf("%d records", n)
		}
		if n := validate(t, compile(t, "dmarc-advice.v1.json"), output(t, dir, "dmarc", "advise", "--offline", "--policy", "absent", "--output", "json", "examples/dmarc")); n != 1 {
			t.Errorf("%d records", n)
		}
		if n := validate(t, compile(t, "rules-test.v1.json"), output(t, dir, "rules", "test", "--output", "json", "examples/rules", "failing.mqltest", "nothing.mqltest")); n != 1 {
			t.Errorf("%d records", n)
		}
		for _, args := range [][]string{{"--check", "examples/rules", "unformatted.yml", "nothing.yml"}, {"unformatted.yml"}, {"--write", "examples/rules"}} {
			if n := validate(t, compile(t, "rules-fmt.v1.json"), output(t, dir, append([]string{"rules", "fmt", "--output", "ndjson"}, args...)...)); n != 1 {
				t.Errorf("%d records", n)
			}
		}
	})
	t.Run("History", func(t *testing.T) {
		if n := validate(t, compile(t, "history.v1.json"), output(t, dir, "history", "build", "--output", "json", "--save", "history.jsonl", "--config", "examples/sekisho.yaml", "examples/ham")); n != 1 {
			t.Errorf("%d records", n)
		}
		validate(t, compile(t, "history.v1.json"), output(t, dir, "history", "show", "--output", "ndjson", "--history", "history.jsonl"))
		for _, who := range []string{"partner.example", "yamada@partner.example", "nobody@stranger.test"} {
			validate(t, compile(t, "sender.v1.json"), output(t, dir, "history", "show", "--output", "json", "--history", "history.jsonl", "--sender", who))
		}
		validate(t, s, output(t, dir, "judge", "--output", "ndjson", "--config", "examples/sekisho.yaml", "--history", "history.jsonl", "examples"))
	})
	t.Run("Version", func(t *testing.T) {
		validate(t, compile(t, "version.v1.json"), output(t, dir, "version", "--output", "json"))
		output(t, dir, "news", "add", "--data", "backed-up", "examples/news/conduct-campaign.html")
		validate(t, compile(t, "backup.v1.json"), output(t, dir, "backup", "--data", "backed-up", "--output", "json", "backup.tar"))
	})
}

// TestSchemaRefuses shows that the validation would notice.
func TestSchemaRefuses(t *testing.T) {
	s := compile(t, "verdict.v1.json")
	dir := t.TempDir()
	if err := copyExamples(filepath.Join(dir, "examples")); err != nil {
		t.Fatal(err)
	}
	good := string(output(t, dir, "judge", "--output", "ndjson", "examples/broken.eml"))
	for _, tc := range []struct{ name, from, to string }{
		{"Schema", `sekisho.verdict/v1`, `sekisho.verdict/v2`},
		{"Unknown", `"score":`, `"points":1,"score":`},
		{"Word", `"verdict":"undecided"`, `"verdict":"safe"`},
		{"Date", `"date":"`, `"date":"yesterday `},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bad := strings.Replace(good, tc.from, tc.to, 1)
			if bad == good {
				t.Fatalf("no %s", tc.from)
			}
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
			if err != nil {
				t.Fatal(err)
			}
			if s.Validate(v) == nil {
				t.Error("accepted")
			}
		})
	}
}

// TestCorpusSchema validates the verdicts on a sample of real mail.
func TestCorpusSchema(t *testing.T) {
	withoutRace(t)
	shared := os.Getenv("SEKISHO_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	root, err := filepath.Abs(filepath.Join(shared, "data", "mail"))
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		t.Skip("short")
	}
	var sample []string
	seen := 0
	err = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if seen++; seen%10 == 0 {
				sample = append(sample, path)
			}
		}
		return err
	})
	if err != nil || len(sample) == 0 {
		t.Skipf("no mail in %s: set SEKISHO_SHARED", root)
	}
	s := compile(t, "verdict.v1.json")
	dir := t.TempDir()
	b := output(t, dir, append([]string{"judge", "--output", "ndjson"}, sample...)...)
	n, unread := validate(t, s, b), bytes.Count(b, []byte(`"row":"error"`))
	t.Logf("%d records of %d files, %d unread", n, len(sample), unread)
	if n < len(sample) || unread > n/5 {
		t.Errorf("%d records of %d files, %d unread", n, len(sample), unread)
	}
}
