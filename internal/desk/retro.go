package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/lang"
)

// RetroSchema names the JSON form of a [RetroReport].
const RetroSchema = "sekisho.retro/v1"

// Bounds of judging again.
const (
	DefaultRetroDays = 30
	MaxRetroDays     = 3650

	retroBatch      = 50
	maxRetroChanges = 1000 // that a report lists
	maxRetroRules   = 20   // that a change names of each sort
	busyPause       = 2 * time.Second
	longestRest     = time.Second
)

// RetroDeps is what judging again needs from outside.
type RetroDeps struct {
	MailDeps

	Retro   RetroStore
	Similar SimilarStore
	Words   *lang.Catalogue // nil: the built-in one

	// Busy reports whether there is more urgent work, which is waited for. Nil:
	// never.
	Busy func(ctx context.Context) (bool, error)
	// Gentle rests after each mail as long as the mail took.
	Gentle bool
}

// RetroInput says what is to be judged again.
type RetroInput struct {
	Days   int    // that were handed in not longer ago; 0 is [DefaultRetroDays]
	Who    string // for the audit log
	DryRun bool   // only say what would change

	// Progress is called after each mail. It may be nil.
	Progress func(judged, of int)
}

// Validate reports a number of days that is none.
func (in *RetroInput) Validate() error {
	if in.Days < 0 || in.Days > MaxRetroDays {
		return &Error{Kind: Invalid, Message: lang.M("retro.error.days", "most", MaxRetroDays), Hint: lang.M("retro.hint.days")}
	}
	return nil
}

func (in *RetroInput) since(now time.Time) time.Time {
	days := in.Days
	if days == 0 {
		days = DefaultRetroDays
	}
	return now.AddDate(0, 0, -days)
}

// RetroReport is what came of judging again, or how it stands.
type RetroReport struct {
	Schema  string        `json:"schema"`
	DryRun  bool          `json:"dry_run"`
	Rules   string        `json:"rules"` // digest of the rules and lists
	Days    int           `json:"days"`
	Run     int64         `json:"run,omitempty"` // absent where none was needed
	Started *time.Time    `json:"started,omitempty"`
	Ended   *time.Time    `json:"ended,omitempty"` // absent while it goes on
	Judged  int           `json:"judged"`
	Failed  int           `json:"failed"`
	Changed int           `json:"changed"` // that other rules match
	Worse   int           `json:"worse"`
	Better  int           `json:"better"`
	Left    int           `json:"left"`    // that are still to be judged again
	Changes []RetroChange `json:"changes"` // the newest mails first, at most 1,000
}

// RulesDigest tells sets of rules and lists apart: two with the same digest judge
// alike.
func RulesDigest(set *feeds.Set, more *feeds.Lists) string {
	var lines []string
	if set != nil {
		for _, at := range set.Usable {
			r := &set.Rules[at]
			lines = append(lines, fmt.Sprintf("rule %q %s", r.ID(), r.Version))
		}
		for _, name := range set.ListNames() {
			if sum := more.Sum(name); sum != [sha256.Size]byte{} {
				lines = append(lines, fmt.Sprintf("list %q %x", name, sum))
			}
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte("sekisho.rules/v1\n" + strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:])
}

// rest waits until there is nothing more urgent.
func (d *RetroDeps) rest(ctx context.Context) error {
	for ctx.Err() == nil {
		if d.Busy == nil {
			return nil
		}
		busy, err := d.Busy(ctx)
		if err != nil || !busy {
			return err
		}
		pause(ctx, busyPause)
	}
	return ctx.Err()
}

// item reads a mail as it was judged the first time; nil if it is gone.
func (d *RetroDeps) item(ctx context.Context, id MailID) (*Item, error) {
	it, _, err := d.itemOf(ctx, id)
	return it, err
}

func (d *RetroDeps) itemOf(ctx context.Context, id MailID) (*Item, *MailRecord, error) {
	r, err := d.Mails.Mail(ctx, id)
	if err != nil || r == nil || r.Judged == nil {
		return nil, nil, err
	}
	raw, err := d.Blobs.Blob(ctx, r.Blob)
	if err != nil {
		return nil, nil, err
	}
	return &Item{File: r.Judged.File, Index: r.Judged.Index, Form: r.Judged.Form, Raw: raw, Handover: r.Handover}, r, nil
}

// Rejudge judges mails again that were judged by other rules or lists, those
// that were handed in last first, one after the other. What it has done is on the
// disk after each mail; a run that was killed goes on with the next call.
//
// The verdict of a mail changes only where rules make a difference: one matches
// that did not, or the other way round, or counts for more or less. What else has
// changed since, such as keys in DNS, is no reason. The verdict before is kept,
// and so is what somebody said of the mail.
//
// The end of the context is no error: the report says what is left.
func Rejudge(ctx context.Context, in RetroInput, deps RetroDeps) (*RetroReport, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	judging, err := deps.Judge(ctx)
	if err != nil {
		return nil, err
	}
	judging.Workers = 1
	w := &rejudging{in: in, deps: &deps, judging: judging.keeping()}
	w.query = StaleQuery{Rules: w.judging.digest(), Since: in.since(deps.Now()), Limit: retroBatch}
	w.out = &RetroReport{Schema: RetroSchema, DryRun: in.DryRun, Rules: w.query.Rules, Days: in.Days, Changes: []RetroChange{}}
	if w.out.Days == 0 {
		w.out.Days = DefaultRetroDays
	}
	if w.of, err = deps.Retro.StaleCount(ctx, &w.query); err != nil {
		return nil, err
	}
	if w.of > 0 && !in.DryRun {
		if err := w.begin(ctx); err != nil {
			return nil, err
		}
	}
	if err := w.all(ctx); err != nil && ctx.Err() == nil {
		return nil, err
	}
	return w.finish(context.WithoutCancel(ctx))
}

type rejudging struct {
	in      RetroInput
	deps    *RetroDeps
	judging JudgeDeps
	query   StaleQuery
	run     RetroRun
	out     *RetroReport
	of      int
}

// begin goes on with a run by the same rules that was cut off, or begins one.
func (w *rejudging) begin(ctx context.Context) error {
	last, err := w.deps.Retro.RetroRuns(ctx, 1)
	if err != nil {
		return err
	}
	if len(last) > 0 && last[0].Ended.IsZero() {
		if last[0].Rules == w.query.Rules {
			w.run = last[0]
			return nil
		}
		// The rules have changed again before it was through.
		last[0].Ended = w.deps.Now()
		if err := w.deps.Retro.SaveRetroRun(ctx, &last[0]); err != nil {
			return err
		}
	}
	w.run = RetroRun{Rules: w.query.Rules, Who: w.in.Who, Started: w.deps.Now()}
	return w.deps.Retro.SaveRetroRun(ctx, &w.run)
}

func (w *rejudging) all(ctx context.Context) error {
	for ctx.Err() == nil {
		list, err := w.deps.Retro.StaleMails(ctx, &w.query)
		if err != nil || len(list) == 0 {
			return err
		}
		for i := range list {
			if err := w.deps.rest(ctx); err != nil {
				return err
			}
			began := time.Now()
			if err := w.one(ctx, &list[i]); err != nil {
				return err
			}
			if w.deps.Gentle {
				pause(ctx, min(time.Since(began), longestRest))
			}
			if w.in.Progress != nil {
				w.in.Progress(w.out.Judged, w.of)
			}
			w.query.After = &list[i]
		}
	}
	return ctx.Err()
}

// one judges a mail again.
func (w *rejudging) one(ctx context.Context, s *StaleMail) error {
	it, old, err := w.deps.itemOf(ctx, s.ID)
	if err != nil && !isGone(err) {
		return err
	}
	if err == nil && it == nil {
		return nil // somebody has deleted it
	}
	var v *Verdict
	if err == nil {
		if v = judgeOne(ctx, *it, w.judging); v == nil {
			return ctx.Err()
		}
	}
	r := Rejudged{ID: s.ID, Was: s.Rules, Rules: w.query.Rules, Verdict: v}
	run := w.run
	run.Judged++
	if v == nil || v.Error != nil {
		run.Failed++
	} else {
		r.Traits = v.Traits
		r.Change = w.compare(old, v, s.Rules)
	}
	if c := r.Change; c != nil {
		run.Changed++
		run.Worse += max(c.Direction(), 0)
		run.Better += max(-c.Direction(), 0)
		c.Run = run.Number
	}
	if !w.in.DryRun {
		kept, err := w.deps.Retro.KeepRejudged(ctx, &r, &run)
		if err != nil || !kept {
			return err
		}
	}
	w.out.Judged, w.out.Failed, w.out.Changed = w.out.Judged+run.Judged-w.run.Judged, w.out.Failed+run.Failed-w.run.Failed, w.out.Changed+run.Changed-w.run.Changed
	w.out.Worse, w.out.Better = w.out.Worse+run.Worse-w.run.Worse, w.out.Better+run.Better-w.run.Better
	if r.Change != nil && len(w.out.Changes) < maxRetroChanges {
		w.out.Changes = append(w.out.Changes, *r.Change)
	}
	w.run = run
	return nil
}

// compare returns what rules make different, nil for nothing.
func (w *rejudging) compare(old *MailRecord, v *Verdict, was string) *RetroChange {
	before, after := ruleHits(old.Judged), ruleHits(v)
	c := &RetroChange{
		Schema: RetroChangeSchema, Mail: old.ID, At: w.deps.Now().UTC(), Before: old.Verdict, After: v.Verdict, BeforeScore: old.Score, AfterScore: v.Score,
		BeforeRules: was, AfterRules: w.query.Rules, Gained: hitsBeyond(after, before), Lost: hitsBeyond(before, after),
		From: old.From.String(), Subject: old.Subject, Received: old.Kept, Label: old.Label,
	}
	if len(c.Gained)+len(c.Lost) == 0 {
		return nil
	}
	return c
}

type ruleHit struct {
	rule     RetroRule
	severity finding.Severity
}

func ruleHits(v *Verdict) []ruleHit {
	var out []ruleHit
	for i := range v.Findings {
		if f := &v.Findings[i]; f.Kind == RuleMatch {
			out = append(out, ruleHit{RetroRule{f.Rule.ID, f.Title, f.Rule.Source}, f.Severity})
		}
	}
	return out
}

// hitsBeyond returns what a has and b has not, or with less weight.
func hitsBeyond(a, b []ruleHit) []RetroRule {
	out := []RetroRule{}
	for _, h := range a {
		if len(out) < maxRetroRules && !slices.ContainsFunc(b, func(x ruleHit) bool { return x.rule.ID == h.rule.ID && x.severity >= h.severity }) {
			out = append(out, h.rule)
		}
	}
	return out
}

// finish closes a run that is through and tells what came of it.
func (w *rejudging) finish(ctx context.Context) (*RetroReport, error) {
	w.query.After = nil
	if w.in.DryRun {
		w.out.Left = w.of - w.out.Judged
		return w.out, nil
	}
	var err error
	if w.out.Left, err = w.deps.Retro.StaleCount(ctx, &w.query); err != nil {
		return nil, err
	}
	if w.run.Number == 0 {
		return w.out, nil
	}
	w.out.Run = w.run.Number
	started := w.run.Started.UTC()
	w.out.Started = &started
	if w.out.Left > 0 {
		return w.out, nil
	}
	w.run.Ended = w.deps.Now()
	if err := w.deps.Retro.SaveRetroRun(ctx, &w.run); err != nil {
		return nil, err
	}
	ended := w.run.Ended.UTC()
	w.out.Ended = &ended
	object := fmt.Sprintf("run %d, judged %d, changed %d", w.run.Number, w.run.Judged, w.run.Changed)
	return w.out, w.deps.Audit.AppendAudit(ctx, AuditEntry{At: w.run.Ended, Who: w.run.Who, Act: ActRetro, Object: object})
}

// RetroState says how judging again stands: the last run, and how many mails were
// judged by other rules than those there are.
func RetroState(ctx context.Context, in RetroInput, deps RetroDeps) (*RetroReport, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	judging, err := deps.Judge(ctx)
	if err != nil {
		return nil, err
	}
	out := &RetroReport{Schema: RetroSchema, Rules: RulesDigest(judging.Rules, judging.Lists), Days: in.Days, Changes: []RetroChange{}}
	if out.Days == 0 {
		out.Days = DefaultRetroDays
	}
	if out.Left, err = deps.Retro.StaleCount(ctx, &StaleQuery{Rules: out.Rules, Since: in.since(deps.Now())}); err != nil {
		return nil, err
	}
	runs, err := deps.Retro.RetroRuns(ctx, 1)
	if err != nil || len(runs) == 0 {
		return out, err
	}
	r := &runs[0]
	out.Run, out.Judged, out.Failed, out.Changed, out.Worse, out.Better = r.Number, r.Judged, r.Failed, r.Changed, r.Worse, r.Better
	started := r.Started.UTC()
	out.Started = &started
	if !r.Ended.IsZero() {
		ended := r.Ended.UTC()
		out.Ended = &ended
	}
	return out, nil
}
