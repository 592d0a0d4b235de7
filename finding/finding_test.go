package finding_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
)

func TestParseSeverity(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     finding.Severity
		err      string
	}{
		{"Info", "info", finding.Info, ""},
		{"Low", "low", finding.Low, ""},
		{"Medium", "medium", finding.Medium, ""},
		{"High", "high", finding.High, ""},
		{"Critical", "critical", finding.Critical, ""},
		{"InformationalOfMQL", "informational", finding.Info, ""},
		{"None", "", finding.Info, ""},
		{"CaseAndSpace", " High\n", finding.High, ""},
		{"Unknown", "severe", finding.Info, `finding: no such severity: "severe"`},
		{"Number", "3", finding.Info, `finding: no such severity: "3"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := finding.ParseSeverity(tc.in)
			if got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			if diff := cmp.Diff(tc.err, text(err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestSeverityOrder(t *testing.T) {
	order := []finding.Severity{finding.Info, finding.Low, finding.Medium, finding.High, finding.Critical}
	for i := 1; i < len(order); i++ {
		if order[i-1] >= order[i] {
			t.Errorf("%v is not below %v", order[i-1], order[i])
		}
	}
	var zero finding.Severity
	if zero != finding.Info {
		t.Errorf("the zero severity is %v", zero)
	}
}

func TestSeverityJSON(t *testing.T) {
	for s := finding.Info; s <= finding.Critical; s++ {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(`"`+s.String()+`"`, string(b)); diff != "" {
			t.Error(diff)
		}
		var got finding.Severity
		if err := json.Unmarshal(b, &got); err != nil || got != s {
			t.Errorf("%s came back as %v, %v", b, got, err)
		}
	}
	bad := finding.Severity(9)
	if _, err := json.Marshal(bad); err == nil {
		t.Error("severity 9 has a name in JSON")
	}
	if diff := cmp.Diff("severity(9)", bad.String()); diff != "" {
		t.Error(diff)
	}
	got := finding.High
	if err := json.Unmarshal([]byte(`"severe"`), &got); err == nil || got != finding.High {
		t.Errorf("an unknown name gave %v, %v", got, err)
	}
}

func sample() *finding.Finding {
	return &finding.Finding{
		Kind:     "mail.direct-send-spoof",
		Severity: finding.High,
		Subject:  finding.Subject{Type: "message", ID: "abc"},
		Evidence: []finding.Evidence{{Quote: "AuthAs: Anonymous"}, {Quote: "spf=fail"}},
		Rule:     finding.Rule{ID: "ds-1"},
	}
}

func TestIDForm(t *testing.T) {
	id := sample().ID()
	if !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(id) {
		t.Errorf("ID %q", id)
	}
	// Runs of different releases are compared by ID, so that its value is a
	// contract.
	if diff := cmp.Diff("6d79d2642116bcc3", id); diff != "" {
		t.Error(diff)
	}
}

func TestIDChangesWith(t *testing.T) {
	base := sample().ID()
	for _, tc := range []struct {
		name   string
		change func(*finding.Finding)
		same   bool
	}{
		{"Nothing", func(*finding.Finding) {}, true},
		{"Severity", func(f *finding.Finding) { f.Severity = finding.Low }, true},
		{"Title", func(f *finding.Finding) { f.Title = lang.Literal("x") }, true},
		{"Place", func(f *finding.Finding) { f.Evidence[0].Where.Offset = 9 }, true},
		{"Note", func(f *finding.Finding) { f.Evidence[0].Note = lang.Literal("x") }, true},
		{"RuleVersion", func(f *finding.Finding) { f.Rule.Version = "2" }, true},
		{"Kind", func(f *finding.Finding) { f.Kind = "mail.spoof" }, false},
		{"Subject", func(f *finding.Finding) { f.Subject.ID = "abd" }, false},
		{"SubjectType", func(f *finding.Finding) { f.Subject.Type = "domain" }, false},
		{"Rule", func(f *finding.Finding) { f.Rule.ID = "ds-2" }, false},
		{"Quote", func(f *finding.Finding) { f.Evidence[0].Quote = "x" }, false},
		{"OrderOfEvidence", func(f *finding.Finding) { f.Evidence[0], f.Evidence[1] = f.Evidence[1], f.Evidence[0] }, false},
		{"LessEvidence", func(f *finding.Finding) { f.Evidence = f.Evidence[:1] }, false},
		{"MovedBoundary", func(f *finding.Finding) { f.Evidence[0].Quote, f.Evidence[1].Quote = "AuthAs: Anonymouss", "pf=fail" }, false},
		{"FieldsRunTogether", func(f *finding.Finding) { f.Subject = finding.Subject{Type: "messagea", ID: "bc"} }, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := sample()
			tc.change(f)
			if got := f.ID() == base; got != tc.same {
				t.Errorf("same ID: %v, want %v", got, tc.same)
			}
		})
	}
}

func TestNeedJSON(t *testing.T) {
	b, err := json.Marshal(finding.Need{Capability: "dns", Cause: finding.NotConfigured, Detail: lang.Literal("x")})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"capability":"dns","cause":"not_configured"}`, string(b)); diff != "" {
		t.Error(diff)
	}
}

func TestWhereJSONLeavesOutWhatDoesNotApply(t *testing.T) {
	b, err := json.Marshal(finding.Where{Header: "From", Index: 3, Offset: 120, Length: 9})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"header":"From","index":3,"offset":120,"length":9}`, string(b)); diff != "" {
		t.Error(diff)
	}
}

func FuzzParseSeverity(f *testing.F) {
	f.Add("high")
	f.Add(" Informational ")
	f.Add("severity(3)")
	f.Fuzz(func(t *testing.T, name string) {
		s, err := finding.ParseSeverity(name)
		if err != nil {
			if s != finding.Info {
				t.Errorf("an error with severity %v", s)
			}
			return
		}
		if again, err := finding.ParseSeverity(s.String()); err != nil || again != s {
			t.Errorf("%q is %v, and its name is %v, %v", name, s, again, err)
		}
	})
}
