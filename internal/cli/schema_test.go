package cli

import (
	"encoding"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/digest"
	"github.com/sekisho/sekisho/advisory/lesson"
	"github.com/sekisho/sekisho/internal/desk"
)

// schema is what this test looks at of a JSON Schema.
type schema struct {
	Ref        string             `json:"$ref"`
	Properties map[string]*schema `json:"properties"`
	Items      *schema            `json:"items"`
	Defs       map[string]*schema `json:"$defs"`
	Required   []string           `json:"required"`
}

// TestSchemaFields holds the schemas to the records: every field of one is in
// the other, and what is always written is required.
func TestSchemaFields(t *testing.T) {
	for _, tc := range []struct {
		file   string
		record reflect.Type
	}{
		{"verdict.v1.json", reflect.TypeFor[desk.Verdict]()},
		{"auth.v1.json", reflect.TypeFor[desk.AuthReport]()},
		{"exception.v1.json", reflect.TypeFor[exceptionRecord]()},
		{"check.v1.json", reflect.TypeFor[desk.Check]()},
		{"backup.v1.json", reflect.TypeFor[Backup]()},
		{"token.v1.json", reflect.TypeFor[tokenRecord]()},
		{"version.v1.json", reflect.TypeFor[versionRecord]()},
		{"rules-check.v1.json", reflect.TypeFor[desk.RulesCheck]()},
		{"feed.v1.json", reflect.TypeFor[desk.FeedRecord]()},
		{"feed-update.v1.json", reflect.TypeFor[desk.FeedUpdate]()},
		{"list.v1.json", reflect.TypeFor[desk.ListRecord]()},
		{"rule.v1.json", reflect.TypeFor[desk.RuleRecord]()},
		{"value.v1.json", reflect.TypeFor[desk.ValueRecord]()},
		{"dmarc-ingest.v1.json", reflect.TypeFor[desk.Ingested]()},
		{"intake.v1.json", reflect.TypeFor[intakeRecord]()},
		{"retro.v1.json", reflect.TypeFor[desk.RetroReport]()},
		{"retro-change.v1.json", reflect.TypeFor[desk.RetroChange]()},
		{"rule-score.v1.json", reflect.TypeFor[desk.RuleScore]()},
		{"outbox.v1.json", reflect.TypeFor[outboxRecord]()},
		{"mailbox.v1.json", reflect.TypeFor[mailboxRecord]()},
		{"history.v1.json", reflect.TypeFor[historyRecord]()},
		{"sender.v1.json", reflect.TypeFor[senderRecord]()},
		{"patch.v1.json", reflect.TypeFor[desk.PatchReport]()},
		{"patch-result.v1.json", reflect.TypeFor[desk.PatchResult]()},
		{"patch-update.v1.json", reflect.TypeFor[desk.PatchUpdateRecord]()},
		{"patch-day.v1.json", reflect.TypeFor[desk.PatchDay]()},
		{"advisory.v1.json", reflect.TypeFor[advisory.Document]()},
		{"rule-detail.v1.json", reflect.TypeFor[desk.RuleDetail]()},
		{"rules-bench.v1.json", reflect.TypeFor[desk.RulesBench]()},
		{"rules-test.v1.json", reflect.TypeFor[desk.RulesTest]()},
		{"rules-fmt.v1.json", reflect.TypeFor[desk.RulesFormat]()},
		{"dmarc-report.v1.json", reflect.TypeFor[desk.DMARCReport]()},
		{"dmarc-advice.v1.json", reflect.TypeFor[desk.DMARCAdvice]()},
		{"domain.v1.json", reflect.TypeFor[desk.DomainReport]()},
		{"lookalikes.v1.json", reflect.TypeFor[desk.LookalikesReport]()},
		{"bounce.v1.json", reflect.TypeFor[desk.BounceView]()},
		{"story.v1.json", reflect.TypeFor[desk.StoryRecord]()},
		{"story-detail.v1.json", reflect.TypeFor[desk.StoryDetail]()},
		{"news-source.v1.json", reflect.TypeFor[desk.SourceRecord]()},
		{"news-pull.v1.json", reflect.TypeFor[desk.Pulled]()},
		{"lesson.v1.json", reflect.TypeFor[lesson.Lesson]()},
		{"lesson-plan.v1.json", reflect.TypeFor[lesson.Plan]()},
		{"digest.v1.json", reflect.TypeFor[digest.Issue]()},
		{"digest-summary.v1.json", reflect.TypeFor[desk.DigestSummary]()},
		{"advisory-lint.v1.json", reflect.TypeFor[desk.LintReport]()},
		{"advisory-review.v1.json", reflect.TypeFor[desk.AdvisoryReview]()},
		{"advisory-step.v1.json", reflect.TypeFor[desk.StepRecord]()},
		{"delivery.v1.json", reflect.TypeFor[desk.WebhookDelivery]()},
		{"notification.v1.json", reflect.TypeFor[desk.Notification]()},
		{"release.v1.json", reflect.TypeFor[desk.Release]()},
		{"direct-send-impact.v1.json", reflect.TypeFor[desk.ImpactReport]()},
		{"direct-send-source.v1.json", reflect.TypeFor[desk.ImpactSource]()},
		{"similar.v1.json", reflect.TypeFor[desk.SimilarReport]()},
		{"similar-mail.v1.json", reflect.TypeFor[desk.SimilarMail]()},
	} {
		t.Run(tc.file, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("..", "..", "docs", "schema", tc.file))
			if err != nil {
				t.Fatal(err)
			}
			var root schema
			if err := json.Unmarshal(b, &root); err != nil {
				t.Fatal(err)
			}
			var want, got []string
			recordFields(tc.record, "", nil, &want)
			schemaFields(&root, &root, "", nil, &got)
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the record (-) and the schema (+); an exclamation mark is for what is always there:\n%s", diff)
			}
		})
	}
}

// recordFields lists the fields of a record. A record inside itself, as in a
// tree, is listed once; within are the types around.
func recordFields(t reflect.Type, path string, within []reflect.Type, out *[]string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t.Implements(reflect.TypeFor[encoding.TextMarshaler]()) || slices.Contains(within, t) {
		return
	}
	within = append(slices.Clip(within), t)
	for f := range t.Fields() {
		if !f.IsExported() || f.Tag.Get("json") == "-" {
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			recordFields(f.Type, path, within, out)
			continue
		}
		if name == "-" {
			continue
		}
		mark := "!"
		if strings.Contains(options, "omit") {
			mark = ""
		}
		*out = append(*out, path+"/"+name+mark)
		recordFields(f.Type, path+"/"+name, within, out)
	}
}

func schemaFields(root, s *schema, path string, within []string, out *[]string) {
	for s.Ref != "" || s.Items != nil {
		if s.Ref != "" {
			if slices.Contains(within, s.Ref) {
				return
			}
			within = append(slices.Clip(within), s.Ref)
			s = root.Defs[strings.TrimPrefix(s.Ref, "#/$defs/")]
			continue
		}
		s = s.Items
	}
	for name, p := range s.Properties {
		mark := ""
		if slices.Contains(s.Required, name) {
			mark = "!"
		}
		*out = append(*out, path+"/"+name+mark)
		schemaFields(root, p, path+"/"+name, within, out)
	}
}
