package lint_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/grounding"
	"github.com/sekisho/sekisho/advisory/lint"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/triage"
)

var jst = time.FixedZone("JST", 9*60*60)

func on(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 9, 30, 0, 0, jst) }

func kiso() *org.Facts {
	return &org.Facts{
		Name:     org.Of("木曽工業株式会社"),
		Domains:  org.Of([]string{"kiso-works.example"}),
		Contacts: org.Of(map[string]org.Contact{"it": {Name: "情報システム担当", Extension: "1234", Mail: "it@kiso-works.example"}}),
		Report:   org.Of(org.Report{How: "outlook-button"}),
		Banks:    org.Of([]string{"木曽信用金庫"}),
		Country:  org.Of("JP"),
	}
}

func write(t *testing.T, f triage.Facts, today time.Time, s advisory.Subject, src advisory.Source) *advisory.Document {
	t.Helper()
	d, err := triage.Decide(f, today, nil)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := advisory.Write(&advisory.Input{Decision: d, Subject: s, Org: kiso(), Sources: []advisory.Source{src}})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// campaign is the advisory about stolen tokens, with the article it rests on.
func campaign(t *testing.T) (*advisory.Document, *lint.Options) {
	t.Helper()
	doc := write(t, triage.Facts{
		Kind: triage.Campaign, Relevance: triage.RelevanceExact, Activity: triage.ActivityEnded,
		Impact: triage.ImpactTakeover, EndedOn: on(2026, 4, 16),
	}, on(2026, 5, 8), advisory.Subject{
		Techniques: []string{"aitm", "token-theft", "legit-service", "pdf-lure", "captcha"},
		Lure:       advisory.Words{JA: "行動規範違反の通知", EN: "code of conduct notices"},
		Counts: []advisory.Count{
			{N: 35000, Unit: advisory.People, Approx: advisory.Over, Claim: advisory.Targeted},
			{N: 13000, Unit: advisory.Organisations, Approx: advisory.Over, Claim: advisory.Targeted},
			{N: 26, Unit: advisory.Countries},
		},
		Share:   advisory.Share{Percent: 92, Of: lang.Text{JA: "米国", EN: "in the United States"}},
		Seen:    advisory.Period{From: on(2026, 4, 14), To: on(2026, 4, 16)},
		Checked: on(2026, 5, 8),
	}, advisory.Source{Title: "Code of conduct phishing steals session tokens", Publisher: "Kiso Threat Notes", URL: "https://news.example/token-theft", Published: "2026-05-04"})
	return doc, &lint.Options{Org: kiso(), Sources: []grounding.Source{{
		Title: "Code of conduct phishing steals session tokens",
		Text: "Between 14 and 16 April 2026 a campaign targeted more than 35,000 users at more than 13,000 organizations in 26 countries; 92% of them were in the United States. " +
			"The mails pose as code of conduct notices and pass SPF, DKIM and DMARC. A link in a PDF leads through a CAPTCHA to a relayed Microsoft sign-in, and the session token is taken. " +
			"How many accounts were compromised is not known.",
		URL: "https://news.example/token-theft", Published: time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC),
	}}}
}

func directSend(t *testing.T) (*advisory.Document, *lint.Options) {
	t.Helper()
	doc := write(t, triage.Facts{
		Kind: triage.Campaign, Relevance: triage.RelevanceExact, Activity: triage.ActivityActive,
		Impact: triage.ImpactTakeover, Exposure: triage.ExposedUnknown,
	}, on(2025, 7, 7), advisory.Subject{
		Techniques: []string{"direct-send", "qr-phishing", "credential-phishing"},
		Lure:       advisory.Words{JA: "社内システムの更新", EN: "internal system updates"},
		Counts:     []advisory.Count{{N: 70, Unit: advisory.Organisations, Approx: advisory.Over, Claim: advisory.Targeted}},
		Seen:       advisory.Period{From: on(2025, 5, 1), Month: true},
	}, advisory.Source{Title: "Direct Send の悪用が続く", Publisher: "木曽セキュリティだより", URL: "https://news.example/direct-send", Published: "2025-06-30"})
	return doc, &lint.Options{Org: kiso(), Sources: []grounding.Source{{
		Title: "Direct Send の悪用が続く",
		Text: "2025年5月以降、Direct Send を悪用し、社内システムの更新を装うメールが70を超える組織を標的に送られています。" +
			"Microsoft 365 の利用組織が対象です。PDF の QR コードから偽のサインイン画面へ誘導されます。",
		Published: time.Date(2025, 6, 30, 0, 0, 0, 0, time.UTC),
	}}}
}

func requirement(t *testing.T) (*advisory.Document, *lint.Options) {
	t.Helper()
	doc := write(t, triage.Facts{Kind: triage.Policy, Relevance: triage.RelevanceExact, VendorDate: on(2025, 5, 5)}, on(2025, 4, 11), advisory.Subject{Slots: map[string]advisory.Value{
		"service":     advisory.Words{JA: "Outlook.com・hotmail.com・live.com", EN: "Outlook.com, hotmail.com and live.com"},
		"threshold":   advisory.Words{JA: "1日5,000通以上", EN: "5,000 or more mails a day"},
		"consequence": advisory.Words{JA: "受信が拒否されます(550 5.7.515)", EN: "is refused (550 5.7.515)"},
	}}, advisory.Source{Title: "New requirements for senders", Publisher: "Kiso Mail News", URL: "https://news.example/senders", Published: "2025-04-02"})
	return doc, &lint.Options{Org: kiso(), Sources: []grounding.Source{{
		Title:     "New requirements for senders",
		Text:      "From 5 May 2025, domains that send 5,000 or more messages a day to Outlook.com, hotmail.com and live.com must pass SPF, DKIM and DMARC. Other mail is rejected with 550 5.7.515.",
		Published: time.Date(2025, 4, 2, 0, 0, 0, 0, time.UTC),
	}}}
}

func say(list []lint.Problem) []string {
	var out []string
	for _, p := range list {
		out = append(out, strings.Join([]string{p.Rule, string(p.Audience), string(p.Lang), p.Line, p.Quote, lang.Default().Render(p.Message).EN}, " | "))
	}
	return out
}

// TestOwnDraftsAreClean: what the writer makes of the three matters has nothing
// to find but what the organisation did not tell.
func TestOwnDraftsAreClean(t *testing.T) {
	for _, tc := range []struct {
		name string
		of   func(*testing.T) (*advisory.Document, *lint.Options)
	}{{"TokenTheft", campaign}, {"DirectSend", directSend}, {"SenderRequirement", requirement}} {
		t.Run(tc.name, func(t *testing.T) {
			doc, o := tc.of(t)
			list := slices.DeleteFunc(lint.Check(doc, o), func(p lint.Problem) bool { return p.Rule == "L16" && len(doc.Holes) > 0 })
			if diff := cmp.Diff([]string(nil), say(list)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRules tries the bad and the good line of each rule.
func TestRules(t *testing.T) {
	for _, r := range lint.Rules() {
		t.Run(r.ID, func(t *testing.T) {
			for _, bad := range []bool{true, false} {
				doc, o := campaign(t)
				text := r.Example.Good
				if bad {
					text = r.Example.Bad
				}
				change(t, doc, r.Example, text)
				list := lint.Check(doc, o)
				for _, m := range lint.Remarks(list, nil) {
					if strings.ContainsAny(m.Message.JA+m.Message.EN, "{}") || strings.HasPrefix(m.Message.EN, "[lint") {
						t.Errorf("words are missing: %+v", m.Message)
					}
				}
				at := slices.IndexFunc(list, func(p lint.Problem) bool { return p.Rule == r.ID })
				if got := at >= 0; got != bad {
					t.Errorf("%q: found %v, want %v; all: %q", text, got, bad, say(list))
				}
				if at >= 0 && list[at].Severity != r.Severity {
					t.Errorf("severity %q, want %q", list[at].Severity, r.Severity)
				}
				if at >= 0 && list[at].To > 0 {
					p := list[at]
					if line := r.Example.Bad; p.Line == r.Example.Line && p.Audience == r.Example.Audience && p.Lang == r.Example.Lang && (p.To > len(line) || !strings.EqualFold(line[p.From:p.To], p.Quote)) {
						t.Errorf("span [%d,%d) is not %q", p.From, p.To, p.Quote)
					}
				}
			}
		})
	}
}

func change(t *testing.T, doc *advisory.Document, e lint.Example, text string) {
	t.Helper()
	if e.Line == "label" {
		doc.Label.JA = text
		return
	}
	d := doc.Draft(e.Audience, e.Lang)
	switch {
	case e.Line == "subject":
		d.Subject = text
		return
	case strings.HasPrefix(e.Line, "act.") && text == "":
		doc.Steps = slices.DeleteFunc(doc.Steps, func(s advisory.Step) bool { return s.ID == e.Line })
		return
	case e.Line == "scope.text" && text == "":
		return
	}
	i := slices.IndexFunc(d.Lines, func(x advisory.Line) bool { return x.ID == e.Line })
	if i < 0 {
		i = slices.IndexFunc(d.Lines, func(x advisory.Line) bool { return x.Kind == advisory.KindText })
	}
	if text == "" {
		d.Lines = slices.Delete(d.Lines, i, i+1)
		return
	}
	d.Lines[i].Text = text
}

// TestSeedFaults: the three faults of a card that other tools made are found in a
// draft that a person edited.
func TestSeedFaults(t *testing.T) {
	doc, o := campaign(t)
	admin := doc.Draft(advisory.Admin, lang.JA)
	body := strings.Replace(admin.BodyText, "対応優先度: 中", "対応優先度: 高", 1)
	i := strings.Index(body, "対応期限: ")
	j := strings.Index(body[i:], "\n")
	body = body[:i] + "対応期限: 2026年5月10日(日)" + body[i+j:]
	body = strings.Replace(body, "フィッシング耐性のある認証(パスキー、Windows Hello for Business、証明書)を、条件付きアクセスの「認証強度」で必須にします。", "MFAの導入を進めます。", 1)
	got := map[string]bool{}
	for _, p := range lint.Edited(doc, advisory.Admin, lang.JA, admin.Subject, body, o) {
		got[p.Rule] = true
	}
	staff := doc.Draft(advisory.Staff, lang.EN)
	text := strings.Replace(staff.BodyText, "Deadline: none (if it concerns you: as soon as you notice)", "Deadline: Immediate", 1)
	for _, p := range lint.Edited(doc, advisory.Staff, lang.EN, staff.Subject, text, o) {
		got[p.Rule] = true
	}
	for _, want := range []string{"L01", "L02", "L04", "L10"} {
		if !got[want] {
			t.Errorf("%s was not found: %v", want, got)
		}
	}
}

// TestEditedAsItWas: a text that nobody changed is read back without a problem.
func TestEditedAsItWas(t *testing.T) {
	doc, o := campaign(t)
	for _, d := range doc.Drafts {
		if got := say(lint.Edited(doc, d.Audience, d.Lang, d.Subject, d.BodyText, o)); len(got) > 0 {
			t.Errorf("%s %s: %q", d.Audience, d.Lang, got)
		}
	}
}

// TestDocumentation keeps docs/advisory-lint.md true: it is written from the rules.
func TestDocumentation(t *testing.T) {
	words := lang.Default()
	var b strings.Builder
	b.WriteString(docHead)
	for _, r := range lint.Rules() {
		say := func(key string) string { return words.Say(lang.EN, lang.M(key+r.ID)) }
		fmt.Fprintf(&b, "\n### %s: %s\n\n*%s.* %s\n\n", r.ID, say("lint.title."), severities[r.Severity], say("lint.why."))
		e := r.Example
		show := func(s string) string {
			if s == "" {
				return "(the line is missing)"
			}
			return s
		}
		fmt.Fprintf(&b, "Found:\n\n```text\n%s\n```\n", show(e.Bad))
		if e.Good != "" {
			fmt.Fprintf(&b, "\nInstead:\n\n```text\n%s\n```\n", e.Good)
		}
	}
	path := filepath.Join("..", "..", "docs", "advisory-lint.md")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.String(), string(page)); diff != "" {
		t.Errorf("run the test with -update (-want +got):\n%s", diff)
	}
}

var update = flag.Bool("update", false, "write docs/advisory-lint.md")

var severities = map[lint.Severity]string{lint.Error: "Error", lint.Warning: "Warning", lint.Note: "Note"}

const docHead = `# What the linter looks for in an advisory

The card and the drafts are made from facts and standing text, and then a
person changes them. The linter reads the result before it goes out. A remark
names the rule, the draft, the line and what is wrong, in Japanese and English.

- **Errors** must not go out: correct the line, or give the fact in
  sekisho.yaml or with --set.
- **Warnings** are for a person to judge.

## What a statement may rest on

Every number, date, identifier, name, place and address of a draft has to be
found in one of the sources, in what the organisation told in sekisho.yaml, or
in the dates of the decision. They are compared in one form for both languages:
35,000 people and 3万5千人 are the same, and so are 9割 and 90%. Rounding as people
do it passes: 92% as about 90%, 41,300 as more than 41,000. A weekday has to be
that of its date. Standing sentences of the catalogue need no source; what was
put into them does.

## What it cannot see

What a sentence says beyond its numbers and names (who did it, to whom, all or only,
not, perhaps, when) is compared through a lexicon of both languages, and by its own
words where draft and source are in one language. Each sentence is laid beside the
sentences of the source, signs against it are added up, and it is flagged (L25) where
they are enough.

How well that works was measured with planted falsehoods and honest sentences in
Japanese and English, at first sight, before anybody had read the errors on those
texts:

| | found | honest sentences flagged |
| --- | --- | --- |
| changed numbers, dates, units, identifiers, countries, addresses | about four in five | about one in twenty |
| all kinds together, many of them without any wrong number or name | about three in five | about one in seven |

On texts whose errors were read, about two thirds of all kinds are found and one honest
sentence in forty is flagged; do not expect that of your texts. Least is found where a
falsehood uses the words of the source: the opposite of a statement, "has been fixed"
for "will be fixed", who told whom, a date that belongs to another event, the cause,
the order of steps. A linter that is silent has proved nothing: read the source.

## The rules

The examples stand in an advisory of grade C about stolen session tokens, issued
on Friday, 8 May 2026.
`

// FuzzEdited: whatever a person pastes, the linter answers and its spans lie in
// the text.
func FuzzEdited(f *testing.F) {
	f.Add("件名", "お疲れさまです。\n1. 対応期限: 2026年5月10日(日)\nhttps://x.example/ a@b.example")
	f.Add("", "Deadline: today\n【要記入: x\nhttp://\n@")
	f.Add("İ", "Kİ http://İ.example 1万4千 5割 one in")
	f.Fuzz(func(t *testing.T, subject, body string) {
		doc := &advisory.Document{Grade: triage.C, Issued: "2026-05-08", Due: "2026-05-29", Techniques: []string{"aitm"}}
		for _, p := range lint.Edited(doc, advisory.Staff, lang.JA, subject, body, nil) {
			if p.From < 0 || p.To < p.From {
				t.Errorf("span [%d,%d)", p.From, p.To)
			}
		}
	})
}
