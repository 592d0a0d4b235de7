package desk

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/lint"
	"github.com/sekisho/sekisho/advisory/workflow"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/triage"
)

// ApprovalRules is who may approve advisories, and how many have to.
type ApprovalRules struct {
	Approvals int      // 1 or 2 different people; 0 is 1
	Editors   []string // who may write and send; nil: everybody
	Approvers []string // who may approve, and may do what editors may; nil: everybody who may write
}

// ApprovalValid is how long an approval holds: what was read two weeks ago is
// read again before it leaves.
const ApprovalValid = 14 * 24 * time.Hour

// minHash is how many digits of the hash an approver has to give.
const minHash = 8

// clockSlack is how far a clock may go back without anybody being suspected.
const clockSlack = 2 * time.Minute

// RoleOf returns what a person may do.
func (r *ApprovalRules) RoleOf(name string) workflow.Role {
	editor := r.Editors == nil || workflow.Among(name, r.Editors)
	switch {
	case name == "":
		return workflow.Reader
	case workflow.Among(name, r.Approvers), r.Approvers == nil && editor:
		return workflow.Approver
	case editor:
		return workflow.Editor
	}
	return workflow.Reader
}

// policy is what the rules ask of an approval.
func (r *ApprovalRules) policy() *workflow.Policy {
	return &workflow.Policy{
		Approvals: max(1, r.Approvals), Valid: ApprovalValid,
		MayApprove: func(name string) bool { return r.RoleOf(name) == workflow.Approver },
	}
}

// ApprovalDeps is what the use cases about review, approval and sending need
// from outside.
type ApprovalDeps struct {
	Store    AdvisoryStore
	Audit    AuditStore
	News     *NewsDeps // whose articles the linter reads; nil: only the facts in the advisory
	Facts    org.Facts
	Rules    ApprovalRules
	Webhooks []Webhook
	Notifier Notifier        // nil: offline
	Words    *lang.Catalogue // nil: the built-in one
	Now      func() time.Time
	Sleep    func(ctx context.Context, d time.Duration) error // between tries; nil: waits
}

func (d *ApprovalDeps) words() *lang.Catalogue {
	if d.Words == nil {
		return lang.Default()
	}
	return d.Words
}

// Actor is who does something.
type Actor struct {
	Who  string // as in the audit log: an account, or [WhoTerminal]
	Name string // of the person
}

// AdvisoryReviewSchema names the JSON form of an [AdvisoryReview].
const AdvisoryReviewSchema = "sekisho.advisory-review/v1"

// AdvisoryReview is a version of an advisory with where it stands.
type AdvisoryReview struct {
	Schema  string         `json:"schema"`
	ID      string         `json:"id"`      // of this version
	Subject string         `json:"subject"` // the same for all versions
	Version int            `json:"version"`
	Newest  string         `json:"newest"` // id of the newest version
	At      time.Time      `json:"at"`
	Title   lang.Text      `json:"title"`
	Grade   triage.Grade   `json:"grade"`
	Due     string         `json:"due,omitempty"`
	State   workflow.State `json:"state"`
	Word    lang.Text      `json:"state_word"`
	Hash    string         `json:"hash"` // what an approval is for
	MayGo   bool           `json:"may_go"`

	Needed     int         `json:"needed"` // approvals in all
	Approvals  []Approval  `json:"approvals"`
	Authors    []string    `json:"authors"`
	Recipients []Recipient `json:"recipients"`

	Fault *ReviewFault `json:"fault,omitempty"`

	// What stands between it and an approval; empty in a list.
	Unfilled []string          `json:"unfilled,omitempty"` // places that somebody has to fill in
	Errors   []string          `json:"errors,omitempty"`   // rules of the linter that an approver acknowledges by name
	Remarks  []advisory.Remark `json:"remarks,omitempty"`
	Acts     []workflow.Act    `json:"acts,omitempty"` // what who asks may do now
}

// ReviewFault is why an approval that was given does not count.
type ReviewFault struct {
	Kind workflow.Fault `json:"kind"`
	Step int            `json:"step,omitempty"` // number of the step; 0 for the whole
	Text lang.Text      `json:"text"`
}

// Approval is one person's approval.
type Approval struct {
	Name         string        `json:"name"`
	Role         workflow.Role `json:"role"`
	At           time.Time     `json:"at"`
	Own          bool          `json:"own"` // by somebody who wrote or submitted it
	Comment      string        `json:"comment,omitempty"`
	Acknowledged []string      `json:"acknowledged,omitempty"`
}

// reviewed is a version of an advisory with all that is kept of it.
type reviewed struct {
	rec    *AdvisoryRecord
	newest *AdvisoryRecord
	all    []AdvisoryRecord
	steps  []AdvisoryStep
	hash   string
	status *workflow.Status
}

// IsAdvisoryID reports whether s is written like the id of an advisory.
func IsAdvisoryID(s string) bool {
	if len(s) != 16 {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'f') })
}

// minPrefix is how many digits of an id are enough where they name one only.
const minPrefix = 6

// load finds the version that ref names: by its id, by the beginning of the id
// of a newest version, or by the subject, which is the newest version.
func (d *ApprovalDeps) load(ctx context.Context, ref string) (*reviewed, error) {
	rec, err := d.Store.Advisory(ctx, ref)
	if err != nil {
		return nil, err
	}
	if rec == nil {
		if all, err := d.Store.Advisories(ctx, ref); err != nil {
			return nil, err
		} else if len(all) > 0 {
			rec = &all[len(all)-1]
		}
	}
	if rec == nil && len(ref) >= minPrefix {
		list, err := d.Store.NewestAdvisories(ctx)
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(r AdvisoryRecord) bool { return !strings.HasPrefix(r.Document.ID, ref) })
		if len(list) == 1 {
			rec = &list[0]
		}
	}
	if rec == nil {
		return nil, &Error{Kind: NotFound, Message: lang.M("approval.error.unknown", "id", ref), Hint: lang.M("approval.hint.unknown")}
	}
	return d.follow(ctx, rec)
}

// follow reads the steps of a version.
func (d *ApprovalDeps) follow(ctx context.Context, rec *AdvisoryRecord) (*reviewed, error) {
	x := &reviewed{rec: rec}
	var err error
	if x.all, err = d.Store.Advisories(ctx, rec.Subject); err != nil {
		return nil, err
	}
	if len(x.all) == 0 {
		x.all = []AdvisoryRecord{*rec}
	}
	x.newest = &x.all[len(x.all)-1]
	if x.steps, err = d.Store.AdvisorySteps(ctx, rec.Subject); err != nil {
		return nil, err
	}
	if x.hash, err = rec.Hash(); err != nil {
		return nil, err
	}
	v := &workflow.Version{ID: rec.Document.ID, Number: rec.Version, Hash: x.hash, Newest: x.newest.Version}
	x.status = workflow.Follow(bare(x.steps), v, d.Now(), d.Rules.policy())
	return x, nil
}

func bare(list []AdvisoryStep) []workflow.Step {
	out := make([]workflow.Step, 0, len(list))
	for i := range list {
		out = append(out, list[i].Step)
	}
	return out
}

// vouch holds the steps of a version to the audit log: each has its entry, with
// the same words, and the log has no entry about this advisory without a step.
// What does not agree becomes the fault of the version.
func (d *ApprovalDeps) vouch(ctx context.Context, x *reviewed) error {
	fault := func(f workflow.Fault, step int) {
		if x.status.Fault == workflow.Sound {
			x.status.Fault, x.status.Step = f, step
		}
	}
	wanted := map[int64]*AdvisoryStep{}
	for i := range x.steps {
		wanted[x.steps[i].Audit] = &x.steps[i]
	}
	ours := func(e *AuditEntry) bool {
		id, _, ok := strings.Cut(e.Object, "/")
		return ok && strings.HasPrefix(string(e.Act), "advisory.") && e.Act != ActAdvisoryRefused &&
			slices.ContainsFunc(x.all, func(r AdvisoryRecord) bool { return r.Document.ID == id })
	}
	var before [32]byte
	n := int64(0)
	for e, err := range d.Audit.AuditChain(ctx) {
		if err != nil {
			return err
		}
		n++
		if e.Number != n || e.Hash != e.Seal(before) {
			fault(workflow.Broken, 0)
			return nil
		}
		before = e.Hash
		s := wanted[e.Number]
		if s == nil {
			if ours(&e) {
				fault(workflow.Unvouched, 0)
			}
			continue
		}
		want := AuditOf(&s.Step)
		if want.Act != e.Act || want.Object != e.Object || want.Who != e.Who || want.At.UnixMilli() != e.At.UnixMilli() {
			fault(workflow.Unvouched, s.Number)
		}
		delete(wanted, e.Number)
	}
	for i := range x.steps {
		if wanted[x.steps[i].Audit] == &x.steps[i] {
			fault(workflow.Unvouched, x.steps[i].Number)
		}
	}
	return nil
}

// problems is what the linter says today, of the words that nobody confirmed.
func (d *ApprovalDeps) problems(ctx context.Context, rec *AdvisoryRecord) ([]lint.Problem, error) {
	var items []news.Item
	if d.News != nil {
		var err error
		if items, err = AdvisedItems(ctx, rec.Document.ID, d.Store, d.News); err != nil {
			return nil, err
		}
	}
	o := lintOptions(rec.Document, items, &AdviseDeps{Facts: d.Facts, Words: d.Words, Now: d.Now})
	o.Own = append(o.Own, rec.Corrections.own()...)
	return lint.Check(rec.Document, o), nil
}

// broken are the rules that an approver has to acknowledge, each once. A place
// that is to be filled in is not among them: nobody can acknowledge it.
func broken(list []lint.Problem) []string {
	var out []string
	for _, p := range list {
		if p.Severity == lint.Error && p.Rule != "L16" && !slices.Contains(out, p.Rule) {
			out = append(out, p.Rule)
		}
	}
	slices.Sort(out)
	return out
}

// view makes the record of a version. With who, it has all that stands between
// it and an approval.
func (d *ApprovalDeps) view(ctx context.Context, x *reviewed, who *Actor) (*AdvisoryReview, error) {
	doc, st := x.rec.Document, x.status
	v := &AdvisoryReview{
		Schema: AdvisoryReviewSchema, ID: doc.ID, Subject: x.rec.Subject, Version: x.rec.Version, Newest: x.newest.Document.ID, At: x.rec.At.UTC(),
		Title: doc.Title, Grade: doc.Grade, Due: doc.Due, State: st.State, Word: d.words().Render(lang.M("approval.state." + string(st.State))), Hash: x.hash,
		MayGo: st.May(), Needed: st.Needed, Approvals: approvalsOf(st), Authors: people(st.Authors), Recipients: append([]Recipient{}, x.rec.Recipients...),
	}
	if st.Fault != workflow.Sound {
		v.Fault = &ReviewFault{Kind: st.Fault, Step: st.Step, Text: d.words().Render(lang.M("approval.fault."+string(st.Fault), "n", st.Step))}
	}
	if who == nil {
		return v, nil
	}
	problems, err := d.problems(ctx, x.rec)
	if err != nil {
		return nil, err
	}
	v.Unfilled, v.Errors, v.Remarks = advisory.Unfilled(doc), broken(problems), lint.Remarks(problems, d.Words)
	role := d.Rules.RoleOf(who.Name)
	for _, a := range []workflow.Act{workflow.Submit, workflow.Return, workflow.Approve, workflow.Export, workflow.Send, workflow.Supersede, workflow.Withdraw} {
		if _, refused := workflow.Next(st.State, a, role); refused == workflow.Allowed {
			v.Acts = append(v.Acts, a)
		}
	}
	if role != workflow.Reader && x.rec.Version == x.newest.Version {
		v.Acts = append([]workflow.Act{workflow.Edit}, v.Acts...)
	}
	return v, nil
}

func approvalsOf(st *workflow.Status) []Approval {
	out := []Approval{}
	for i := range st.Approvals {
		s := &st.Approvals[i]
		out = append(out, Approval{Name: s.Name, Role: s.Role, At: s.At.UTC(), Own: workflow.Among(s.Name, st.Authors), Comment: s.Comment, Acknowledged: s.Acknowledged})
	}
	return out
}

// people are names, each person once.
func people(names []string) []string {
	out := []string{}
	for _, n := range names {
		if n != "" && !workflow.Among(n, out) {
			out = append(out, n)
		}
	}
	return out
}

// ReviewFilter says which advisories to list. Nil lets all through.
type ReviewFilter struct {
	States []workflow.State // of the newest version; nil: all
}

// ListReviews returns the newest version of each advisory, the one that was kept
// last first.
func ListReviews(ctx context.Context, f *ReviewFilter, deps *ApprovalDeps) ([]AdvisoryReview, error) {
	list, err := deps.Store.NewestAdvisories(ctx)
	if err != nil {
		return nil, err
	}
	out := []AdvisoryReview{}
	for i := range list {
		x, err := deps.follow(ctx, &list[i])
		if err != nil {
			return nil, err
		}
		v, err := deps.view(ctx, x, nil)
		if err != nil {
			return nil, err
		}
		if f == nil || len(f.States) == 0 || slices.Contains(f.States, v.State) {
			out = append(out, *v)
		}
	}
	return out, nil
}

// ShowReview returns a version of an advisory with its document and what stands
// between it and an approval. The document is as it was kept: a draft, whatever
// its state, with the note that says so.
func ShowReview(ctx context.Context, ref string, who Actor, deps *ApprovalDeps) (*AdvisoryReview, *advisory.Document, error) {
	x, err := deps.load(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	if err := deps.vouch(ctx, x); err != nil {
		return nil, nil, err
	}
	v, err := deps.view(ctx, x, &who)
	return v, x.rec.Document, err
}

// StepSchema names the JSON form of a [StepRecord].
const StepSchema = "sekisho.advisory-step/v1"

// StepRecord is a step of an advisory for who looks back.
type StepRecord struct {
	Schema string `json:"schema"`
	workflow.Step
	Audit int64     `json:"audit"` // number of its entry in the audit log
	Word  lang.Text `json:"word"`
}

// AdvisoryHistory returns what was done to all versions of an advisory, the first
// step first, and the fault that the steps or the audit log have, nil for none.
func AdvisoryHistory(ctx context.Context, ref string, deps *ApprovalDeps) ([]StepRecord, *ReviewFault, error) {
	x, err := deps.load(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	if err := deps.vouch(ctx, x); err != nil {
		return nil, nil, err
	}
	out := []StepRecord{}
	for _, s := range x.steps {
		s.At = s.At.UTC()
		out = append(out, StepRecord{Schema: StepSchema, Step: s.Step, Audit: s.Audit, Word: deps.words().Render(lang.M("approval.act." + string(s.Act)))})
	}
	v, err := deps.view(ctx, x, nil)
	if err != nil {
		return nil, nil, err
	}
	return out, v.Fault, nil
}

// ReviewInput is one thing that a person wants done to an advisory.
type ReviewInput struct {
	Ref     string
	Act     workflow.Act // Submit, Return, Approve, Withdraw, Supersede, or Send for what left in another way
	Actor   Actor
	Hash    string   // the beginning of the hash of what was read; an approval needs it
	Comment string   // why; Return, Withdraw and Supersede need it
	Ack     []string // rules of the linter that an approver acknowledges
	By      string   // the advisory that takes its place, for Supersede
}

// Review does one thing to an advisory. What is refused is an [*Error], and
// for an approval also an entry in the audit log.
func Review(ctx context.Context, in *ReviewInput, deps *ApprovalDeps) (*AdvisoryReview, error) {
	x, err := deps.load(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	s, err := deps.next(x, in.Act, in.Actor)
	if err == nil {
		s.Comment = workflow.CleanComment(in.Comment)
		switch in.Act {
		case workflow.Approve:
			err = deps.approve(ctx, x, in, s)
		case workflow.Send:
			s.Target = byHand
			err = deps.releasable(ctx, x)
		case workflow.Return, workflow.Withdraw:
			err = needsComment(s)
		case workflow.Supersede:
			if err = needsComment(s); err == nil {
				s.Target, err = deps.successor(ctx, x, in.By)
			}
		case workflow.Submit:
			err = deps.submittable(ctx, x)
		default:
			err = &Error{Kind: Invalid, Message: lang.M("approval.error.act", "act", string(in.Act))}
		}
	}
	if err != nil {
		return nil, deps.refuse(ctx, x, in.Act, in.Actor, err)
	}
	if err := deps.Store.KeepAdvisoryStep(ctx, x.rec.Subject, s, nil); err != nil {
		return nil, meanwhile(err)
	}
	return deps.again(ctx, x.rec.Document.ID, in.Actor, false)
}

// byHand is the target of what was sent in another way than by a webhook.
const byHand = "by hand"

func needsComment(s *workflow.Step) error {
	if s.Comment == "" {
		return &Error{Kind: Invalid, Message: lang.M("approval.error.comment"), Hint: lang.M("approval.hint.comment")}
	}
	return nil
}

// again is the view after a step; all adds what stands between it and an
// approval, which takes the linter.
func (d *ApprovalDeps) again(ctx context.Context, id string, who Actor, all bool) (*AdvisoryReview, error) {
	if all {
		v, _, err := ShowReview(ctx, id, who, d)
		return v, err
	}
	x, err := d.load(ctx, id)
	if err != nil {
		return nil, err
	}
	return d.view(ctx, x, nil)
}

// next begins the next step, if the table allows it to that person now.
func (d *ApprovalDeps) next(x *reviewed, a workflow.Act, who Actor) (*workflow.Step, error) {
	name := workflow.CleanName(who.Name)
	if name == "" {
		return nil, &Error{Kind: Invalid, Message: lang.M("approval.error.name"), Hint: lang.M("approval.hint.name")}
	}
	role := d.Rules.RoleOf(name)
	if _, refused := workflow.Next(x.status.State, a, role); a != workflow.Edit && refused != workflow.Allowed {
		if err := d.sound(x); err != nil && refused == workflow.NotInIt {
			return nil, err // says more than the state, which rests on it
		}
		return nil, d.refused(x, a, name, refused)
	} else if a == workflow.Edit && role == workflow.Reader {
		return nil, d.refused(x, a, name, workflow.NotYours)
	}
	now := d.Now().UTC().Truncate(time.Millisecond)
	if now.Before(x.status.Last) {
		if x.status.Last.Sub(now) > clockSlack {
			return nil, &Error{Kind: Conflict, Message: lang.M("approval.error.clock", "now", stamp(now), "last", stamp(x.status.Last)), Hint: lang.M("approval.hint.clock")}
		}
		now = x.status.Last
	}
	return &workflow.Step{
		Number: len(x.steps) + 1, ID: x.rec.Document.ID, Version: x.rec.Version, At: now, Who: cmp.Or(who.Who, WhoTerminal), Name: name, Role: role, Act: a, Hash: x.hash,
	}, nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// refused says why the table does not allow an act.
func (d *ApprovalDeps) refused(x *reviewed, a workflow.Act, name string, why workflow.Refusal) error {
	act, state := lang.M("approval.do."+string(a)), lang.M("approval.state."+string(x.status.State))
	if why == workflow.NotYours {
		return &Error{Kind: Denied, Message: lang.M("approval.error.role", "name", name, "act", act), Hint: lang.M("approval.hint.role")}
	}
	e := &Error{Kind: Conflict, Message: lang.M("approval.error.state", "id", x.rec.Document.ID, "state", state, "act", act)}
	switch {
	case x.newest.Version != x.rec.Version:
		e.Hint = lang.M("approval.hint.newer", "id", x.newest.Document.ID)
	case x.status.State == workflow.Draft:
		e.Hint = lang.M("approval.hint.submit", "id", x.rec.Document.ID)
	case x.status.State == workflow.InReview:
		e.Hint = lang.M("approval.hint.approve", "id", x.rec.Document.ID)
	case x.status.State == workflow.Superseded || x.status.State == workflow.Withdrawn:
		e.Hint = lang.M("approval.hint.ended")
	}
	return e
}

// refuse notes in the audit log that somebody wanted to do what he must not: to
// approve it or to let it out. A mistake of typing is none of that.
func (d *ApprovalDeps) refuse(ctx context.Context, x *reviewed, a workflow.Act, who Actor, err error) error {
	e, ok := err.(*Error) //nolint:errorlint // only what was decided here, not what a store reports
	if !ok || e.Kind != Denied && e.Kind != Conflict || a != workflow.Approve && a != workflow.Export && a != workflow.Send {
		return err
	}
	object := fmt.Sprintf("%s/%d %s %s", x.rec.Document.ID, x.rec.Version, a, strings.TrimPrefix(e.Message.Key, "approval.error."))
	if f := x.status.Fault; f != workflow.Sound {
		object += " " + string(f)
	}
	if name := workflow.CleanName(who.Name); name != "" {
		object += " by " + name
	}
	entry := AuditEntry{At: d.Now(), Who: cmp.Or(who.Who, WhoTerminal), Act: ActAdvisoryRefused, Object: object}
	if err := d.Audit.AppendAudit(ctx, entry); err != nil {
		return err
	}
	return e
}

// meanwhile says of a conflict in the store that somebody else was faster.
func meanwhile(err error) error {
	if e, ok := err.(*Error); ok && e.Kind == Conflict { //nolint:errorlint // as the store returns it
		return &Error{Kind: Conflict, Message: lang.M("approval.error.meanwhile"), Hint: lang.M("approval.hint.meanwhile"), Err: err}
	}
	return err
}

// submittable reports whether a version can be shown to an approver.
func (d *ApprovalDeps) submittable(ctx context.Context, x *reviewed) error {
	if err := d.vouch(ctx, x); err != nil {
		return err
	}
	return d.sound(x)
}

// sound refuses what has a fault.
func (d *ApprovalDeps) sound(x *reviewed) error {
	f := x.status.Fault
	if f == workflow.Sound {
		return nil
	}
	return &Error{Kind: Denied, Message: lang.M("approval.error.fault", "why", lang.M("approval.fault."+string(f), "n", x.status.Step)), Hint: faultHint(f, x.rec.Document.ID)}
}

func faultHint(f workflow.Fault, id string) lang.Message {
	switch f {
	case workflow.Expired, workflow.Revoked, workflow.TooFew:
		return lang.M("approval.hint.renew", "id", id)
	case workflow.Ahead, workflow.Backward:
		return lang.M("approval.hint.clock")
	default:
		return lang.M("approval.hint.tampered", "id", id)
	}
}

// approve holds a version to what an approval asks for.
func (d *ApprovalDeps) approve(ctx context.Context, x *reviewed, in *ReviewInput, s *workflow.Step) error {
	if err := d.submittable(ctx, x); err != nil {
		return err
	}
	if err := checkHash(in.Hash, x); err != nil {
		return err
	}
	if d.Rules.Approvals >= 2 && len(people(d.Rules.Approvers)) < 2 {
		return &Error{Kind: Denied, Message: lang.M("approval.error.two-people"), Hint: lang.M("approval.hint.two-people")}
	}
	if slices.ContainsFunc(x.status.Approvals, func(a workflow.Step) bool { return workflow.SamePerson(a.Name, s.Name) }) {
		return &Error{Kind: Denied, Message: lang.M("approval.error.twice", "name", s.Name), Hint: lang.M("approval.hint.twice")}
	}
	if open := advisory.Unfilled(x.rec.Document); len(open) > 0 {
		return &Error{Kind: Denied, Message: lang.M("approval.error.unfilled", "places", open[:min(len(open), 5)]), Hint: lang.M("approval.hint.unfilled", "id", x.rec.Document.ID)}
	}
	problems, err := d.problems(ctx, x.rec)
	if err != nil {
		return err
	}
	rules := broken(problems)
	for _, a := range in.Ack {
		a = strings.ToUpper(strings.TrimSpace(a))
		if !slices.Contains(rules, a) {
			return &Error{Kind: Invalid, Message: lang.M("approval.error.ack-unknown", "rule", a), Hint: lang.M("approval.hint.ack-unknown")}
		}
		if !slices.Contains(s.Acknowledged, a) {
			s.Acknowledged = append(s.Acknowledged, a)
		}
	}
	slices.Sort(s.Acknowledged)
	if left := unlisted(rules, s.Acknowledged); len(left) > 0 {
		return &Error{Kind: Denied, Message: lang.M("approval.error.ack", "rules", left), Hint: lang.M("approval.hint.ack", "flags", "--ack "+strings.Join(left, " --ack "))}
	}
	s.Needed = x.status.Needed
	return nil
}

func unlisted(list, take []string) []string {
	var out []string
	for _, x := range list {
		if !slices.Contains(take, x) {
			out = append(out, x)
		}
	}
	return out
}

// checkHash holds what an approver read to what is kept now.
func checkHash(given string, x *reviewed) error {
	given = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(given)), "sha256:")
	switch {
	case len(given) < minHash:
		return &Error{Kind: Invalid, Message: lang.M("approval.error.hash-short", "n", minHash), Hint: lang.M("approval.hint.hash", "id", x.rec.Document.ID)}
	case !strings.HasPrefix(x.hash, given):
		return &Error{Kind: Conflict, Message: lang.M("approval.error.hash", "given", given, "hash", x.hash[:16]), Hint: lang.M("approval.hint.hash", "id", x.rec.Document.ID)}
	}
	return nil
}

// successor finds the advisory that takes the place of another one; it has to
// have left itself.
func (d *ApprovalDeps) successor(ctx context.Context, x *reviewed, ref string) (string, error) {
	if ref == "" {
		return "", &Error{Kind: Invalid, Message: lang.M("approval.error.by"), Hint: lang.M("approval.hint.by")}
	}
	y, err := d.load(ctx, ref)
	if err != nil {
		return "", err
	}
	if y.rec.Document.ID == x.rec.Document.ID || y.status.State != workflow.Sent {
		return "", &Error{Kind: Conflict, Message: lang.M("approval.error.successor", "id", y.rec.Document.ID), Hint: lang.M("approval.hint.by")}
	}
	return y.rec.Document.ID, nil
}

// releasable reports whether a version may leave now: approved, in front of all
// versions, as it was approved, as the audit log says, and with no rule of the linter
// broken that nobody acknowledged.
func (d *ApprovalDeps) releasable(ctx context.Context, x *reviewed) error {
	if err := d.vouch(ctx, x); err != nil {
		return err
	}
	if err := d.sound(x); err != nil {
		return err
	}
	if !x.status.May() {
		return d.refused(x, workflow.Send, "", workflow.NotInIt)
	}
	if now := d.Now(); now.Before(x.status.Last.Add(-clockSlack)) {
		return &Error{Kind: Conflict, Message: lang.M("approval.error.clock", "now", stamp(now), "last", stamp(x.status.Last)), Hint: lang.M("approval.hint.clock")}
	}
	problems, err := d.problems(ctx, x.rec)
	if err != nil {
		return err
	}
	left := broken(problems)
	for i := range x.status.Approvals {
		left = unlisted(left, x.status.Approvals[i].Acknowledged)
	}
	if open := advisory.Unfilled(x.rec.Document); len(open) > 0 || len(left) > 0 {
		return &Error{Kind: Denied, Message: lang.M("approval.error.new-problem", "rules", append(left, open...)), Hint: lang.M("approval.hint.renew", "id", x.rec.Document.ID)}
	}
	return nil
}
