package desk_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/workflow"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/store/sqlite"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/org"
)

// mailer takes notifications and answers as it is told; 202 if nobody told it.
type mailer struct {
	answers []int
	got     []desk.Notification
}

func (m *mailer) Notify(_ context.Context, _ *desk.Webhook, n *desk.Notification) (*desk.Notified, error) {
	m.got = append(m.got, *n)
	status := 202
	if len(m.answers) > 0 {
		status, m.answers = m.answers[0], m.answers[1:]
	}
	return &desk.Notified{Status: status}, nil
}

// office is an organisation with a database of its own.
type office struct {
	t    *testing.T
	path string
	db   *sqlite.DB
	deps desk.ApprovalDeps
	mail *mailer
	now  time.Time
	doc  *advisory.Document // what is kept
	id   string             // of the version that the case is about
}

const subject = "s0123456789abcdef"

func newOffice(t *testing.T, doc *advisory.Document) *office {
	t.Helper()
	o := &office{t: t, doc: doc, path: filepath.Join(t.TempDir(), sqlite.FileName), mail: &mailer{}, now: time.Date(2026, 5, 8, 9, 0, 0, 0, time.FixedZone("JST", 9*3600))}
	var err error
	if o.db, err = sqlite.Open(t.Context(), o.path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.db.Close() })
	o.deps = desk.ApprovalDeps{
		Store: o.db, Audit: o.db, Notifier: o.mail,
		Facts: org.Facts{
			Name: org.Of("Kiso Works"), Domains: org.Of([]string{"kiso-works.example"}), Products: org.Of([]string{"microsoft-365"}), Country: org.Of("JP"),
			Contacts: org.Of(map[string]org.Contact{"it": {Name: "情報システム担当", Extension: "1234", Mail: "it@kiso-works.example"}}),
			Report:   org.Of(org.Report{How: "forward-as-attachment", To: "it@kiso-works.example"}),
		},
		Rules:    desk.ApprovalRules{Approvals: 1, Editors: []string{"Sato", "Mori"}, Approvers: []string{"Tanaka", "Suzuki"}},
		Webhooks: []desk.Webhook{{Name: "it-team", URL: "https://hooks.example/a", Kind: desk.SlackWebhook}, {Name: "other", URL: "https://hooks.example/b", Kind: desk.TeamsWebhook}},
		Now:      func() time.Time { return o.now },
		Sleep:    func(context.Context, time.Duration) error { return nil },
	}
	o.id = o.keep(subject, "")
	return o
}

// write makes an advisory of the example.
func (o *office) write(c desk.Corrections) *advisory.Document {
	o.t.Helper()
	items := articles(o.t)
	items[0].Link = "https://news.example/conduct"
	doc, _, err := desk.Advise(&desk.AdviseInput{Items: items, Corrections: c}, desk.AdviseDeps{Facts: o.deps.Facts, Now: o.deps.Now})
	o.must(err)
	return doc
}

// keep keeps the example as a draft; with more, its source is at another address.
func (o *office) keep(about, more string) string {
	o.t.Helper()
	if o.doc == nil {
		o.doc = o.write(desk.Corrections{})
		o.doc.Manager = nil // the linter has less to read
	}
	doc := o.doc.Clone()
	doc.Sources[0].URL += more
	doc.Renew()
	to := []desk.Recipient{{Audience: advisory.Staff, Address: "all@kiso-works.example"}, {Audience: advisory.Admin, Webhook: "it-team", Print: o.deps.Webhooks[0].Print()}}
	if _, _, err := desk.KeepDraft(o.t.Context(), &desk.AdvisoryRecord{Subject: about, At: o.now, Document: doc, Recipients: to}, &o.deps); err != nil {
		o.t.Fatal(err)
	}
	return doc.ID
}

func who(name string) desk.Actor { return desk.Actor{Who: desk.WhoTerminal, Name: name} }

func (o *office) do(id string, a workflow.Act, name string) error {
	_, err := desk.Review(o.t.Context(), &desk.ReviewInput{Ref: id, Act: a, Actor: who(name), Comment: "because", Hash: o.hash(id)}, &o.deps)
	return err
}

func (o *office) show(id string) *desk.AdvisoryReview {
	o.t.Helper()
	v, _, err := desk.ShowReview(o.t.Context(), id, who("Sato"), &o.deps)
	if err != nil {
		o.t.Fatal(err)
	}
	return v
}

func (o *office) hash(id string) string {
	o.t.Helper()
	rec, err := o.db.Advisory(o.t.Context(), id)
	o.must(err)
	hash, err := rec.Hash()
	o.must(err)
	return hash
}

// must ends the test if what should be possible is not.
func (o *office) must(errs ...error) {
	o.t.Helper()
	for _, err := range errs {
		if err != nil {
			o.t.Fatal(err)
		}
	}
}

func (o *office) submit()  { o.t.Helper(); o.must(o.do(o.id, workflow.Submit, "Sato")) }
func (o *office) approve() { o.t.Helper(); o.submit(); o.must(o.do(o.id, workflow.Approve, "Tanaka")) }

func (o *office) export(id string) error { return o.exportAs(id, "Sato", desk.FormText) }

func (o *office) exportAs(id, name, form string) error {
	files, err := desk.Export(o.t.Context(), &desk.ExportInput{Ref: id, Actor: who(name), Form: form}, &o.deps)
	if err != nil && len(files) > 0 {
		o.t.Errorf("files with the error %v", err)
	}
	return err
}

func (o *office) send(id string) error {
	_, err := desk.Send(o.t.Context(), &desk.SendInput{Ref: id, Actor: who("Sato"), Webhook: "it-team"}, &o.deps)
	return err
}

// edit changes a word of a draft, or the recipients, and returns the new version.
func (o *office) edit(a advisory.Audience, l lang.Language, from, to string) string {
	o.t.Helper()
	_, doc, err := desk.ShowReview(o.t.Context(), subject, who("Sato"), &o.deps)
	o.must(err)
	m := doc.Draft(a, l)
	body := strings.Replace(m.BodyText, from, to, 1)
	if body == m.BodyText {
		o.t.Fatalf("no %q in the draft", from)
	}
	v, err := desk.EditAdvisory(o.t.Context(), &desk.EditInput{Ref: subject, Actor: who("Sato"), Draft: &desk.EditedDraft{Audience: a, Lang: l, Subject: m.Subject, Body: body}}, &o.deps)
	o.must(err)
	return v.ID
}

// sql changes the database behind the back of the program. The triggers that stop
// an honest mistake do not stop somebody with the file.
func (o *office) sql(statements ...string) {
	o.t.Helper()
	db, err := sql.Open("sqlite", o.path)
	o.must(err)
	defer func() { _ = db.Close() }()
	for _, table := range []string{"advisory", "advisory_step", "audit"} {
		for _, what := range []string{"update", "delete"} {
			if _, err := db.Exec("DROP TRIGGER IF EXISTS " + table + "_no_" + what); err != nil {
				o.t.Fatal(err)
			}
		}
	}
	for _, s := range statements {
		r, err := db.Exec(s)
		o.must(err)
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			o.t.Fatalf("%s: %d rows, %v", s, n, err)
		}
	}
}

// key is the reason of a refusal.
func key(err error) string {
	if e, ok := errors.AsType[*desk.Error](err); ok {
		return strings.TrimPrefix(e.Message.Key, "approval.error.")
	}
	return fmt.Sprint(err)
}

// TestNothingLeavesWithoutApproval tries to get an advisory out in ways that
// nobody approved. What comes back is why not; "fault:" and the kind for what is
// wrong with the record.
func TestNothingLeavesWithoutApproval(t *testing.T) {
	fault := func(o *office, id string) string {
		if err := o.export(id); key(err) != "fault" {
			return key(err)
		}
		v, _, err := desk.ShowReview(o.t.Context(), id, who(""), &o.deps)
		o.must(err)
		if v.Fault == nil || v.MayGo {
			return "no fault"
		}
		return "fault:" + string(v.Fault.Kind)
	}
	doc := newOffice(t, nil).doc
	for _, tc := range []struct {
		name    string
		attempt func(o *office) string
		want    string
		left    int // notifications that left with an approval before the attempt
	}{
		{"DraftExported", func(o *office) string { return key(o.export(o.id)) }, "state", 0},
		{"DraftSent", func(o *office) string { return key(o.send(o.id)) }, "state", 0},
		{"DraftApproved", func(o *office) string { return key(o.do(o.id, workflow.Approve, "Tanaka")) }, "state", 0},
		{"DraftSentByHand", func(o *office) string { return key(o.do(o.id, workflow.Send, "Sato")) }, "state", 0},
		{"InReviewExported", func(o *office) string { o.submit(); return key(o.export(o.id)) }, "state", 0},
		{"InReviewSent", func(o *office) string { o.submit(); return key(o.send(o.id)) }, "state", 0},
		{"EveryForm", func(o *office) string {
			o.submit()
			var out []string
			for _, f := range []string{desk.FormEML, desk.FormMD, desk.FormHTML, desk.FormText, desk.FormCSAF, desk.FormJSON} {
				out = append(out, key(o.exportAs(o.id, "Sato", f)))
			}
			return strings.Join(slices.Compact(out), " ")
		}, "state", 0},
		{"OldVersionAfterEdit", func(o *office) string {
			o.approve()
			o.edit(advisory.Staff, lang.JA, "不安にさせ", "あわてさせ")
			return key(o.export(o.id))
		}, "state", 0},
		{"NewVersionAfterEdit", func(o *office) string {
			o.approve()
			return key(o.export(o.edit(advisory.Staff, lang.JA, "不安にさせ", "あわてさせ")))
		}, "state", 0},
		{"BySubjectAfterEdit", func(o *office) string {
			o.approve()
			o.edit(advisory.Admin, lang.JA, "サインイン", "サインオン")
			return key(o.send(subject))
		}, "state", 0},
		{"OneLanguageChanged", func(o *office) string {
			o.approve()
			return key(o.send(o.edit(advisory.Staff, lang.EN, "Dear", "Hello")))
		}, "state", 0},
		{"RecipientChanged", func(o *office) string {
			o.approve()
			v, err := desk.EditAdvisory(o.t.Context(), &desk.EditInput{Ref: subject, Actor: who("Sato"), To: []desk.Recipient{{Audience: advisory.Staff, Address: "press@news.example"}}}, &o.deps)
			o.must(err)
			return key(o.export(v.ID))
		}, "state", 0},
		{"WrittenAnew", func(o *office) string {
			o.approve()
			o.keep(subject, "/2")
			return key(o.export(o.id))
		}, "state", 0},
		{"BackToTheApprovedWords", func(o *office) string {
			o.approve()
			o.edit(advisory.Staff, lang.JA, "不安にさせ", "あわてさせ")
			return key(o.export(o.edit(advisory.Staff, lang.JA, "あわてさせ", "不安にさせ")))
		}, "state", 0},
		{"HashOfTheOldApproval", func(o *office) string {
			o.approve()
			old := o.hash(o.id)
			o.edit(advisory.Staff, lang.JA, "不安にさせ", "あわてさせ")
			id := o.edit(advisory.Staff, lang.JA, "あわてさせ", "不安にさせ")
			o.must(o.do(id, workflow.Submit, "Sato"))
			_, err := desk.Review(o.t.Context(), &desk.ReviewInput{Ref: id, Act: workflow.Approve, Actor: who("Tanaka"), Hash: old}, &o.deps)
			return key(err)
		}, "hash", 0},
		{"HashOfATwinWithTheSameTitle", func(o *office) string {
			o.submit()
			twin := o.keep("s00000000000000ff", "/twin")
			_, err := desk.Review(o.t.Context(), &desk.ReviewInput{Ref: o.id, Act: workflow.Approve, Actor: who("Tanaka"), Hash: o.hash(twin)}, &o.deps)
			return key(err)
		}, "hash", 0},
		{"ApprovalOfATwin", func(o *office) string {
			o.approve()
			return key(o.export(o.keep("s00000000000000ff", "/twin")))
		}, "state", 0},
		{"NoHash", func(o *office) string {
			o.submit()
			_, err := desk.Review(o.t.Context(), &desk.ReviewInput{Ref: o.id, Act: workflow.Approve, Actor: who("Tanaka"), Hash: o.hash(o.id)[:7]}, &o.deps)
			return key(err)
		}, "hash-short", 0},
		{"ApprovedByAnEditor", func(o *office) string { o.submit(); return key(o.do(o.id, workflow.Approve, "Sato")) }, "role", 0},
		{"ApprovedByAStranger", func(o *office) string { o.submit(); return key(o.do(o.id, workflow.Approve, "Stranger")) }, "role", 0},
		{"ApprovedByNobody", func(o *office) string { o.submit(); return key(o.do(o.id, workflow.Approve, " \u200b ")) }, "name", 0},
		{"ExportedByAStranger", func(o *office) string { o.approve(); return key(o.exportAs(o.id, "Stranger", desk.FormText)) }, "role", 0},
		{"ApprovedTwiceByOne", func(o *office) string {
			o.deps.Rules.Approvals = 2
			o.approve()
			return key(o.do(o.id, workflow.Approve, "Ｔａｎａｋａ ")) + " " + key(o.export(o.id))
		}, "twice state", 0},
		{"ApprovedTwiceByTheAuthor", func(o *office) string {
			o.deps.Rules = desk.ApprovalRules{Approvals: 2, Approvers: []string{"Sato", "Tanaka"}}
			o.submit()
			o.must(o.do(o.id, workflow.Approve, "Sato"))
			return key(o.do(o.id, workflow.Approve, "SATO")) + " " + key(o.export(o.id))
		}, "twice state", 0},
		{"TwoNeededAndOneApprover", func(o *office) string {
			o.deps.Rules.Approvals, o.deps.Rules.Approvers = 2, []string{"Tanaka", "tanaka"}
			o.submit()
			return key(o.do(o.id, workflow.Approve, "Tanaka"))
		}, "two-people", 0},
		{"RuleSoftenedAfterTheFirstApproval", func(o *office) string {
			o.deps.Rules.Approvals = 2
			o.approve()
			o.deps.Rules.Approvals = 1
			return key(o.export(o.id))
		}, "state", 0},
		{"RuleHardenedAfterTheApproval", func(o *office) string {
			o.approve()
			o.deps.Rules.Approvals = 2
			return key(o.export(o.id))
		}, "state", 0},
		{"ApproverLost", func(o *office) string {
			o.approve()
			o.deps.Rules.Approvers = []string{"Suzuki"}
			return fault(o, o.id)
		}, "fault:revoked", 0},
		{"ApprovalTooOld", func(o *office) string {
			o.approve()
			o.now = o.now.Add(desk.ApprovalValid + time.Hour)
			return fault(o, o.id)
		}, "fault:expired", 0},
		{"ClockSetBackToRevive", func(o *office) string {
			o.approve()
			o.now = o.now.Add(-24 * time.Hour)
			return key(o.export(o.id))
		}, "clock", 0},
		{"ClockSetBackToApprove", func(o *office) string {
			o.submit()
			o.now = o.now.Add(-24 * time.Hour)
			return key(o.do(o.id, workflow.Approve, "Tanaka"))
		}, "clock", 0},
		{"DatesPassedSinceTheApproval", func(o *office) string {
			o.approve()
			o.now = o.now.Add(13 * 24 * time.Hour)
			return key(o.export(o.id))
		}, "new-problem", 0},
		{"ErrorNotAcknowledged", func(o *office) string {
			id := o.edit(advisory.Staff, lang.EN, "35,000", "62,000")
			o.must(o.do(id, workflow.Submit, "Sato"))
			return key(o.do(id, workflow.Approve, "Tanaka"))
		}, "ack", 0},
		{"AcknowledgedInAdvance", func(o *office) string {
			o.submit()
			_, err := desk.Review(o.t.Context(), &desk.ReviewInput{Ref: o.id, Act: workflow.Approve, Actor: who("Tanaka"), Hash: o.hash(o.id), Ack: []string{"L08"}}, &o.deps)
			return key(err)
		}, "ack-unknown", 0},
		{"PlaceToBeFilledIn", func(o *office) string {
			o.deps.Facts.Report, o.doc = org.Setting[org.Report]{}, nil
			id := o.keep("s00000000000000aa", "/hole")
			o.must(o.do(id, workflow.Submit, "Sato"))
			return key(o.do(id, workflow.Approve, "Tanaka"))
		}, "unfilled", 0},
		{"WordInBraces", func(o *office) string {
			id := o.edit(advisory.Staff, lang.JA, "1234", "{内線}")
			o.must(o.do(id, workflow.Submit, "Sato"))
			return key(o.do(id, workflow.Approve, "Tanaka"))
		}, "unfilled", 0},
		{"PlaceToBeFilledInAcknowledged", func(o *office) string {
			o.deps.Facts.Report, o.doc = org.Setting[org.Report]{}, nil
			id := o.keep("s00000000000000aa", "/hole")
			o.must(o.do(id, workflow.Submit, "Sato"))
			_, err := desk.Review(o.t.Context(), &desk.ReviewInput{Ref: id, Act: workflow.Approve, Actor: who("Tanaka"), Hash: o.hash(id), Ack: []string{"L16"}}, &o.deps)
			return key(err)
		}, "unfilled", 0},
		{"Returned", func(o *office) string {
			o.approve()
			o.must(o.do(o.id, workflow.Return, "Tanaka"))
			return key(o.export(o.id))
		}, "state", 0},
		{"Withdrawn", func(o *office) string {
			o.approve()
			o.must(o.do(o.id, workflow.Withdraw, "Tanaka"))
			return key(o.export(o.id)) + " " + key(o.send(o.id))
		}, "state state", 0},
		{"WithdrawnAfterSending", func(o *office) string {
			o.approve()
			o.must(o.send(o.id), o.do(o.id, workflow.Withdraw, "Tanaka"))
			return key(o.send(o.id))
		}, "state", 1},
		{"SupersededByItsNextVersion", func(o *office) string {
			o.approve()
			o.must(o.do(o.id, workflow.Send, "Sato"))
			first := o.id
			o.id = o.edit(advisory.Staff, lang.JA, "不安にさせ", "あわてさせ")
			o.approve()
			o.must(o.do(o.id, workflow.Send, "Sato"))
			return key(o.export(first))
		}, "state", 0},
		{"WebhookThatIsNoRecipient", func(o *office) string {
			o.approve()
			_, err := desk.Send(o.t.Context(), &desk.SendInput{Ref: o.id, Actor: who("Sato"), Webhook: "other"}, &o.deps)
			return key(err)
		}, "not-recipient", 0},
		{"WebhookMoved", func(o *office) string {
			o.approve()
			o.deps.Webhooks[0].URL = "https://elsewhere.example/"
			return key(o.send(o.id))
		}, "moved", 0},
		{"RetryAfterWithdrawal", func(o *office) string {
			o.approve()
			o.mail.answers = []int{503, 202}
			o.deps.Sleep = func(context.Context, time.Duration) error { return o.do(o.id, workflow.Withdraw, "Tanaka") }
			return key(o.send(o.id))
		}, "state", 1},
		{"RetryAfterEdit", func(o *office) string {
			o.approve()
			o.mail.answers = []int{503, 202}
			o.deps.Sleep = func(context.Context, time.Duration) error {
				o.edit(advisory.Admin, lang.JA, "サインイン", "サインオン")
				return nil
			}
			return key(o.send(o.id))
		}, "state", 1},
		{"RetryByALaterCommandAfterReturn", func(o *office) string {
			o.approve()
			o.mail.answers = []int{503, 503, 503}
			o.must(o.send(o.id), o.do(o.id, workflow.Return, "Tanaka"))
			return key(o.send(o.id))
		}, "state", 3},
		{"DocumentChangedInTheStore", func(o *office) string {
			o.approve()
			o.sql(`UPDATE advisory SET document = replace(document, '35,000', '35')`)
			return fault(o, o.id)
		}, "fault:changed", 0},
		{"RecipientsChangedInTheStore", func(o *office) string {
			o.approve()
			o.sql(`UPDATE advisory SET recipients = replace(recipients, 'all@', 'press@')`)
			return fault(o, o.id)
		}, "fault:changed", 0},
		{"DraftChangedInTheStoreBeforeApproval", func(o *office) string {
			o.submit()
			o.sql(`UPDATE advisory SET document = replace(document, '35,000', '35')`)
			return key(o.do(o.id, workflow.Approve, "Tanaka"))
		}, "fault", 0},
		{"ApprovalWrittenIntoTheStore", func(o *office) string {
			o.submit()
			o.forge(3, workflow.Approve, "Tanaka", workflow.Approver, 2)
			return fault(o, o.id)
		}, "fault:unvouched", 0},
		{"ApprovalWithTheRoleOfAnEditor", func(o *office) string {
			o.submit()
			s := o.step(3, workflow.Approve, "Sato", workflow.Editor)
			o.must(o.db.KeepAdvisoryStep(o.t.Context(), subject, s, nil))
			return fault(o, o.id) + " " + string(o.show(o.id).State)
		}, "fault:forbidden in-review", 0},
		{"StateSkipped", func(o *office) string {
			s := o.step(2, workflow.Send, "Sato", workflow.Editor)
			o.must(o.db.KeepAdvisoryStep(o.t.Context(), subject, s, nil))
			return fault(o, o.id)
		}, "fault:forbidden", 0},
		{"ApprovalOfAnotherAdvisoryCopied", func(o *office) string {
			o.approve()
			twin := o.keep("s00000000000000ff", "/twin")
			o.must(o.do(twin, workflow.Submit, "Sato"))
			o.sql(`INSERT INTO advisory_step SELECT organisation, 's00000000000000ff', number, '` + twin + `', at, replace(replace(step, '` + o.id + `', '` + twin + `'), '` +
				o.hash(o.id) + `', '` + o.hash(twin) + `'), audit FROM advisory_step WHERE number = 3`)
			return fault(o, twin)
		}, "fault:unvouched", 0},
		{"WithdrawalTakenOutOfTheStore", func(o *office) string {
			o.approve()
			o.must(o.do(o.id, workflow.Withdraw, "Tanaka"))
			o.sql(`DELETE FROM advisory_step WHERE number = 4`)
			return fault(o, o.id)
		}, "fault:unvouched", 0},
		{"AcknowledgementWrittenIntoTheStore", func(o *office) string {
			o.approve()
			o.sql(`UPDATE advisory_step SET step = replace(step, '"act":"approve"', '"acknowledged":["L05"],"act":"approve"') WHERE number = 3`)
			return fault(o, o.id)
		}, "fault:unvouched", 0},
		{"AuditLogChanged", func(o *office) string {
			o.approve()
			o.sql(`UPDATE audit SET who = 'admin' WHERE number = 2`)
			return fault(o, o.id)
		}, "fault:broken", 0},
		{"AuditLogCut", func(o *office) string {
			o.approve()
			o.sql(`DELETE FROM audit WHERE number = 3`)
			return fault(o, o.id)
		}, "fault:unvouched", 0},
		{"EditedWhileItIsApproved", func(o *office) string {
			o.submit()
			hash := o.hash(o.id)
			deps := o.deps
			deps.Store = &slowStore{AdvisoryStore: o.db, before: func() { o.edit(advisory.Staff, lang.JA, "不安にさせ", "あわてさせ") }}
			_, err := desk.Review(o.t.Context(), &desk.ReviewInput{Ref: o.id, Act: workflow.Approve, Actor: who("Tanaka"), Hash: hash}, &deps)
			return key(err) + " " + key(o.export(subject))
		}, "meanwhile state", 0},
		{"EditedWhileItIsExported", func(o *office) string {
			o.approve()
			deps := o.deps
			deps.Store = &slowStore{AdvisoryStore: o.db, before: func() { o.edit(advisory.Staff, lang.JA, "不安にさせ", "あわてさせ") }}
			files, err := desk.Export(o.t.Context(), &desk.ExportInput{Ref: o.id, Actor: who("Sato"), Form: desk.FormText}, &deps)
			return fmt.Sprint(len(files), " ", key(err))
		}, "0 meanwhile", 0},
		{"WithdrawnWhileItIsSent", func(o *office) string {
			o.approve()
			deps := o.deps
			deps.Store = &slowStore{AdvisoryStore: o.db, before: func() { o.must(o.do(o.id, workflow.Withdraw, "Tanaka")) }}
			_, err := desk.Send(o.t.Context(), &desk.SendInput{Ref: o.id, Actor: who("Sato"), Webhook: "it-team"}, &deps)
			return key(err)
		}, "meanwhile", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, doc)
			if got := tc.attempt(o); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if len(o.mail.got) != tc.left {
				t.Errorf("%d notifications left, want %d", len(o.mail.got), tc.left)
			}
		})
	}
}

// slowStore lets something happen before the first step is kept.
type slowStore struct {
	desk.AdvisoryStore
	before func()
}

func (s *slowStore) KeepAdvisoryStep(ctx context.Context, subject string, step *workflow.Step, next *desk.AdvisoryRecord) error {
	if do := s.before; do != nil {
		s.before = nil
		do()
	}
	return s.AdvisoryStore.KeepAdvisoryStep(ctx, subject, step, next)
}

func (o *office) step(n int, a workflow.Act, name string, r workflow.Role) *workflow.Step {
	return &workflow.Step{Number: n, ID: o.id, Version: 1, At: o.now, Who: desk.WhoTerminal, Name: name, Role: r, Act: a, Hash: o.hash(o.id)}
}

// forge writes a step with the number of some entry of the audit log.
func (o *office) forge(n int, a workflow.Act, name string, r workflow.Role, audit int) {
	o.t.Helper()
	text := fmt.Sprintf(`{"number":%d,"id":"%s","version":1,"at":"%s","who":"terminal","name":"%s","role":"%s","act":"%s","hash":"%s","needed":1}`,
		n, o.id, o.now.UTC().Format(time.RFC3339), name, r, a, o.hash(o.id))
	o.sql(fmt.Sprintf(`INSERT INTO advisory_step (organisation, subject, number, id, at, step, audit) VALUES ('', '%s', %d, '%s', %d, '%s', %d)`,
		subject, n, o.id, o.now.UnixMilli(), text, audit))
}

// Refused attempts to approve, to write and to send stand in the audit log.
func TestRefusedIsInTheAuditLog(t *testing.T) {
	o := newOffice(t, nil)
	for _, err := range []error{o.do(o.id, workflow.Approve, "Tanaka"), o.export(o.id), o.send(o.id)} {
		if err == nil {
			t.Fatal("not refused")
		}
	}
	list, err := o.db.Audit(t.Context(), 0, 3)
	o.must(err)
	var got []string
	for _, e := range slices.Backward(list) {
		got = append(got, string(e.Act)+" "+e.Object)
	}
	want := []string{
		"advisory.refused " + o.id + "/1 approve state by Tanaka", "advisory.refused " + o.id + "/1 export state by Sato", "advisory.refused " + o.id + "/1 send state by Sato",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// The way of an advisory as it is meant to be.
func TestApprovedLeaves(t *testing.T) {
	o := newOffice(t, nil)
	o.approve()
	o.mail.answers = []int{503, 429, 202}
	d, err := desk.Send(t.Context(), &desk.SendInput{Ref: o.id, Actor: who("Sato"), Webhook: "it-team"}, &o.deps)
	o.must(err)
	var keys []string
	for _, n := range o.mail.got {
		keys = append(keys, n.Key)
		if n.Hash != o.hash(o.id) || len(n.Drafts) != 2 || n.Drafts[0].Audience != advisory.Admin {
			t.Errorf("a notification with %d drafts", len(n.Drafts))
		}
		for _, m := range n.Drafts {
			if strings.Contains(m.Body, "下書き") || strings.Contains(m.Body, "[Draft]") {
				t.Errorf("it says that it is a draft: %s", m.Body)
			}
		}
	}
	if !d.Delivered || len(keys) != 3 || len(slices.Compact(keys)) != 1 {
		t.Errorf("delivered %t with the keys %v", d.Delivered, keys)
	}
	if d, err = desk.Send(t.Context(), &desk.SendInput{Ref: o.id, Actor: who("Sato"), Webhook: "it-team"}, &o.deps); err != nil || !d.Already || len(o.mail.got) != 3 {
		t.Errorf("the second time: %+v %v", d, err)
	}
	for _, f := range []string{desk.FormEML, desk.FormMD, desk.FormHTML, desk.FormText, desk.FormCSAF, desk.FormJSON} {
		files, err := desk.Export(t.Context(), &desk.ExportInput{Ref: o.id, Actor: who("Sato"), Form: f}, &o.deps)
		o.must(err)
		for _, x := range files {
			if !strings.Contains(string(x.Data), o.hash(o.id)) && f != desk.FormCSAF {
				t.Errorf("%s has no hash", x.Name)
			}
			if strings.Contains(string(x.Data), "下書き】") || strings.Contains(string(x.Data), "[Draft]") {
				t.Errorf("%s says that it is a draft", x.Name)
			}
		}
	}
	steps, f, err := desk.AdvisoryHistory(t.Context(), o.id, &o.deps)
	o.must(err)
	var acts []string
	for _, s := range steps {
		acts = append(acts, string(s.Act)+" "+s.Outcome)
	}
	want := "keep |submit |approve |try |fail 503|try |fail 429|try |deliver 202|export |export |export |export |export |export "
	if got := strings.Join(acts, "|"); got != want || f != nil {
		t.Errorf("got %s, fault %v", got, f)
	}
	if r, err := desk.VerifyAudit(t.Context(), o.db); err != nil || r.Broken != 0 || r.Entries != int64(len(steps)) {
		t.Errorf("the audit log: %+v %v", r, err)
	}
}

// An error of the linter may stay if the approver names it; two people may both be
// needed, one of them the author.
func TestApproveWithAcknowledgement(t *testing.T) {
	o := newOffice(t, nil)
	o.deps.Rules = desk.ApprovalRules{Approvals: 2, Approvers: []string{"Sato", "Tanaka"}}
	id := o.edit(advisory.Staff, lang.EN, "35,000", "62,000")
	o.must(o.do(id, workflow.Submit, "Sato"))
	v := o.show(id)
	if !slices.Contains(v.Errors, "L08") {
		t.Fatalf("the linter finds %v", v.Errors)
	}
	for _, name := range []string{"Sato", "Tanaka"} {
		if err := o.export(id); key(err) != "state" {
			t.Errorf("before %s approved: %v", name, err)
		}
		_, err := desk.Review(t.Context(), &desk.ReviewInput{Ref: id, Act: workflow.Approve, Actor: who(name), Hash: v.Hash, Ack: v.Errors}, &o.deps)
		o.must(err)
	}
	o.must(o.export(id))
	var got []string
	for _, a := range o.show(id).Approvals {
		got = append(got, fmt.Sprint(a.Name, " ", a.Own, " ", strings.Join(a.Acknowledged, ",")))
	}
	rules := strings.Join(v.Errors, ",")
	if d := cmp.Diff([]string{"Sato true " + rules, "Tanaka false " + rules}, got); d != "" {
		t.Error(d)
	}
}

// Whoever is first of many that approve and edit at the same time: an approval is
// never for words that the approver did not see.
func TestRaceOfEditAndApproval(t *testing.T) {
	doc := newOffice(t, nil).doc
	for range 3 {
		o := newOffice(t, doc)
		o.submit()
		hash := o.hash(o.id)
		_, doc, err := desk.ShowReview(t.Context(), o.id, who("Sato"), &o.deps)
		o.must(err)
		m := doc.Draft(advisory.Staff, lang.JA)
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				_, _ = desk.EditAdvisory(t.Context(), &desk.EditInput{Ref: o.id, Actor: who("Sato"), Draft: &desk.EditedDraft{
					Audience: advisory.Staff, Lang: lang.JA, Subject: fmt.Sprint(m.Subject, i), Body: m.BodyText,
				}}, &o.deps)
			})
			wg.Go(func() {
				_, _ = desk.Review(t.Context(), &desk.ReviewInput{Ref: o.id, Act: workflow.Approve, Actor: who("Tanaka"), Hash: hash}, &o.deps)
			})
		}
		wg.Wait()
		v := o.show(subject)
		if v.Fault != nil || v.MayGo && v.Hash != hash {
			t.Errorf("state %s, fault %v", v.State, v.Fault)
		}
	}
}

// What a person set when the advisory was written is known to the linter when a
// draft is changed later.
func TestCorrectionsAreKept(t *testing.T) {
	o := newOffice(t, nil)
	c := desk.Corrections{Slots: map[string]string{"ours": "90,000 people"}}
	doc := o.write(c)
	_, _, err := desk.KeepDraft(t.Context(), &desk.AdvisoryRecord{Subject: "s00000000000000bb", At: o.now, Document: doc, Corrections: c}, &o.deps)
	o.must(err)
	rec, err := o.db.Advisory(t.Context(), doc.ID)
	o.must(err)
	if d := cmp.Diff(c, rec.Corrections); d != "" {
		t.Fatal(d)
	}
	m := doc.Draft(advisory.Staff, lang.EN)
	edited := &desk.EditedDraft{Audience: m.Audience, Lang: m.Lang, Subject: m.Subject, Body: strings.Replace(m.BodyText, "35,000 people", "90,000 people", 1)}
	count := func(r *desk.LintReport) (n int) {
		for _, x := range r.Remarks {
			if x.Rule == "L08" {
				n++
			}
		}
		return n
	}
	deps := &desk.AdviseDeps{Facts: o.deps.Facts, Now: o.deps.Now}
	without, with := count(desk.LintAdvisory(doc, edited, articles(t), deps)), count(desk.LintKept(rec, edited, articles(t), deps))
	if without == 0 || with >= without {
		t.Errorf("%d claims that nothing bears out, and %d with what was set", without, with)
	}
}

// A text that comes back as it went out changes nothing, and one word changes one
// line.
func TestEditKeepsTheForm(t *testing.T) {
	o := newOffice(t, nil)
	o.doc = nil
	doc := o.write(desk.Corrections{})
	_, _, err := desk.KeepDraft(t.Context(), &desk.AdvisoryRecord{Subject: "s00000000000000bb", At: o.now, Document: doc}, &o.deps)
	o.must(err)
	for _, m := range slices.Concat(doc.Drafts, doc.Manager) {
		t.Run(string(m.Audience)+"."+string(m.Lang), func(t *testing.T) {
			in := &desk.EditInput{Ref: doc.ID, Actor: who("Sato"), Draft: &desk.EditedDraft{Audience: m.Audience, Lang: m.Lang, Subject: m.Subject, Body: m.BodyText}}
			if _, err := desk.EditAdvisory(t.Context(), in, &o.deps); key(err) != "unchanged" {
				t.Errorf("the error is %v", err)
			}
		})
	}
	m := doc.Draft(advisory.Staff, lang.JA)
	in := &desk.EditInput{Ref: doc.ID, Actor: who("Sato"), Draft: &desk.EditedDraft{Audience: m.Audience, Lang: m.Lang, Subject: m.Subject, Body: strings.Replace(m.BodyText, "不安にさせ", "あわてさせ", 1)}}
	v, err := desk.EditAdvisory(t.Context(), in, &o.deps)
	o.must(err)
	rec, err := o.db.Advisory(t.Context(), v.ID)
	o.must(err)
	changed := 0
	for i, x := range rec.Document.Draft(m.Audience, m.Lang).Lines {
		if x.Text != m.Lines[i].Text || x.Kind != m.Lines[i].Kind {
			changed++
		}
	}
	if changed != 1 || len(v.Errors) > 0 {
		t.Errorf("%d lines changed; errors %v", changed, v.Errors)
	}
}

func TestParseRecipients(t *testing.T) {
	hooks := []desk.Webhook{{Name: "it-team", URL: "https://hooks.example/", Kind: desk.SlackWebhook}}
	for _, tc := range []struct {
		name string
		in   []string
		want []desk.Recipient
		err  string
	}{
		{"Mail", []string{"staff=All <all@kiso-works.example>"}, []desk.Recipient{{Audience: advisory.Staff, Address: "all@kiso-works.example"}}, ""},
		{"OneLanguage", []string{"admin.ja=webhook:it-team"}, []desk.Recipient{{Audience: advisory.Admin, Lang: "ja", Webhook: "it-team", Print: hooks[0].Print()}}, ""},
		{"Nobody", []string{"none"}, []desk.Recipient{}, ""},
		{"Audience", []string{"press=a@kiso-works.example"}, nil, "to"},
		{"Language", []string{"staff.fr=a@kiso-works.example"}, nil, "to"},
		{"NoAddress", []string{"staff=all"}, nil, "to"},
		{"TwoAddresses", []string{"staff=a@kiso-works.example, b@kiso-works.example"}, nil, "to"},
		{"HeaderInjection", []string{"staff=a@kiso-works.example\r\nBcc: b@kiso-works.example"}, nil, "to"},
		{"UnknownWebhook", []string{"staff=webhook:press"}, nil, "webhook"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := desk.ParseRecipients(tc.in, hooks)
			if d := cmp.Diff(tc.want, got); d != "" || tc.err != "" && key(err) != tc.err || tc.err == "" && err != nil {
				t.Error(d, err)
			}
		})
	}
}

func articles(t *testing.T) []news.Item {
	t.Helper()
	data, err := os.ReadFile("../../examples/news/conduct-campaign.html")
	if err != nil {
		t.Fatal(err)
	}
	in, err := desk.ReadArticle(data, "conduct-campaign.html", nil)
	if err != nil {
		t.Fatal(err)
	}
	return in.Items
}
