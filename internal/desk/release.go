package desk

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/csaf"
	"github.com/sekisho/sekisho/advisory/workflow"
	"github.com/sekisho/sekisho/lang"
)

// The forms in which an approved advisory leaves.
const (
	FormEML  = "eml"
	FormMD   = "md"
	FormHTML = "html"
	FormText = "text"
	FormCSAF = "csaf"
	FormJSON = "json"
)

// ReleaseSchema names the JSON form of a [Release].
const ReleaseSchema = "sekisho.release/v1"

// Release is an approved advisory in its final form.
type Release struct {
	Schema     string             `json:"schema"`
	Subject    string             `json:"subject"`
	Version    int                `json:"version"`
	Hash       string             `json:"hash"` // of the content that was approved
	Approvals  []Approval         `json:"approvals"`
	Recipients []Recipient        `json:"recipients"`
	Advisory   *advisory.Document `json:"advisory"`
}

// ExportInput says what to write of an approved advisory, and how.
type ExportInput struct {
	Ref      string
	Actor    Actor
	Form     string
	Audience advisory.Audience // of mails; "" for staff and administrators
	Lang     lang.Language     // of mails: "" for both; of the other forms: Japanese if it is empty
	TLP      string            // label of CSAF; "" for none
}

// ExportFile is a file that was written.
type ExportFile struct {
	Name string
	Data []byte
}

// Export writes an approved advisory in its final form and notes that in the
// audit log. What is not approved as it is kept now is refused.
func Export(ctx context.Context, in *ExportInput, deps *ApprovalDeps) ([]ExportFile, error) {
	x, err := deps.load(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	files, s, err := deps.export(ctx, x, in)
	if err != nil {
		return nil, deps.refuse(ctx, x, workflow.Export, in.Actor, err)
	}
	// The files leave only after the note is kept, and only if nothing changed since
	// the approval was looked at.
	if err := deps.Store.KeepAdvisoryStep(ctx, x.rec.Subject, s, nil); err != nil {
		return nil, meanwhile(err)
	}
	return files, nil
}

func (d *ApprovalDeps) export(ctx context.Context, x *reviewed, in *ExportInput) ([]ExportFile, *workflow.Step, error) {
	s, err := d.next(x, workflow.Export, in.Actor)
	if err != nil {
		return nil, nil, err
	}
	if err := d.releasable(ctx, x); err != nil {
		return nil, nil, err
	}
	s.Target = in.Form
	doc := advisory.Final(x.rec.Document, d.note(x))
	one := cmp.Or(in.Lang, lang.JA)
	name := "advisory." + string(one)
	var files []ExportFile
	switch in.Form {
	case FormEML:
		files, err = d.mails(x, doc, in)
	case FormMD:
		files = []ExportFile{{name + ".md", []byte(advisory.Markdown(doc, one, d.Words))}}
	case FormHTML:
		files = []ExportFile{{name + ".html", []byte(advisory.HTML(doc, one, d.Words))}}
	case FormText:
		files = []ExportFile{{name + ".txt", []byte(advisory.Text(doc, one, d.Words))}}
	case FormCSAF:
		files, err = d.csaf(x, doc, one, in.TLP)
	case FormJSON:
		r := &Release{
			Schema: ReleaseSchema, Subject: x.rec.Subject, Version: x.rec.Version, Hash: x.hash, Approvals: approvalsOf(x.status),
			Recipients: append([]Recipient{}, x.rec.Recipients...), Advisory: doc,
		}
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		err = e.Encode(r)
		files = []ExportFile{{"advisory.json", b.Bytes()}}
	default:
		err = &Error{Kind: Invalid, Message: lang.M("approval.error.form", "form", in.Form)}
	}
	return files, s, err
}

// note says who approved a version, when, and what the hash is.
func (d *ApprovalDeps) note(x *reviewed) lang.Text {
	var names []string
	var last time.Time
	for i := range x.status.Approvals {
		names, last = append(names, x.status.Approvals[i].Name), x.status.Approvals[i].At
	}
	return d.words().Render(lang.M("approval.note", "names", names, "date", last.In(d.Now().Location()), "hash", x.hash, "version", x.rec.Version))
}

// mails are the drafts as messages to their recipients.
func (d *ApprovalDeps) mails(x *reviewed, doc *advisory.Document, in *ExportInput) ([]ExportFile, error) {
	var files []ExportFile
	for i := range doc.Drafts {
		m := &doc.Drafts[i]
		if in.Audience != "" && m.Audience != in.Audience || in.Lang != "" && m.Lang != in.Lang {
			continue
		}
		e := DraftEnvelope(doc, m, &AdviseDeps{Facts: d.Facts, Words: d.Words, Now: d.Now})
		e.Approved = x.hash
		var to []string
		for _, r := range x.rec.Recipients {
			if r.Address != "" && r.Audience == m.Audience && (r.Lang == "" || r.Lang == string(m.Lang)) && !slices.Contains(to, r.Address) {
				to = append(to, r.Address)
			}
		}
		e.To = strings.Join(to, ", ")
		var b bytes.Buffer
		if err := advisory.WriteEML(&b, m, e); err != nil {
			return nil, fmt.Errorf("writing the mail to %s: %w", m.Audience, err)
		}
		files = append(files, ExportFile{string(m.Audience) + "." + string(m.Lang) + ".eml", b.Bytes()})
	}
	if len(files) == 0 {
		return nil, &Error{Kind: Invalid, Message: lang.M("approval.error.draft"), Hint: lang.M("approval.hint.mail")}
	}
	return files, nil
}

// csaf is the advisory as a CSAF document.
func (d *ApprovalDeps) csaf(x *reviewed, doc *advisory.Document, in lang.Language, tlp string) ([]ExportFile, error) {
	name, domains := d.Facts.Name.Value(), d.Facts.Domains.Value()
	if name == "" || len(domains) == 0 {
		return nil, &Error{Kind: Invalid, Message: lang.M("approval.error.publisher"), Hint: lang.M("approval.hint.publisher")}
	}
	o := &csaf.Options{
		Publisher: csaf.Publisher{Name: name, Namespace: "https://" + domains[0], ContactDetails: d.Facts.Contacts.Value()["it"].Mail},
		Lang:      in, TLP: tlp, Subject: x.rec.Subject,
	}
	// A version counts from when it was approved; those that were not are no
	// revisions.
	approved := map[int]time.Time{}
	for _, s := range x.steps {
		if s.Act == workflow.Approve && (s.Version < x.rec.Version && sentVersion(x.steps, s.Version) || s.Version == x.rec.Version) {
			approved[s.Version] = s.At
		}
	}
	for v := range x.rec.Version + 1 {
		if at, ok := approved[v]; ok {
			summary := d.words().Say(in, lang.M("approval.revision", "version", v))
			o.Revisions = append(o.Revisions, csaf.Released{At: at, Summary: summary})
		}
	}
	c := csaf.Write(doc, o)
	if p := csaf.Check(c); len(p) > 0 {
		return nil, &Error{Kind: Invalid, Message: lang.M("approval.error.csaf", "path", p[0].Path, "test", p[0].Test, "what", p[0].What), Hint: lang.M("approval.hint.csaf")}
	}
	b, err := c.JSON()
	return []ExportFile{{c.FileName(), b}}, err
}

func sentVersion(steps []AdvisoryStep, version int) bool {
	return slices.ContainsFunc(steps, func(s AdvisoryStep) bool {
		return s.Version == version && (s.Act == workflow.Send || s.Act == workflow.Deliver || s.Act == workflow.Export)
	})
}

// SendInput says to which webhook an approved advisory goes.
type SendInput struct {
	Ref     string
	Actor   Actor
	Webhook string // name
}

// DeliverySchema names the JSON form of a [WebhookDelivery].
const DeliverySchema = "sekisho.delivery/v1"

// WebhookDelivery is what came of handing an advisory to a webhook.
type WebhookDelivery struct {
	Schema    string       `json:"schema"`
	ID        string       `json:"id"`
	Version   int          `json:"version"`
	Hash      string       `json:"hash"`
	Webhook   string       `json:"webhook"`
	Kind      WebhookKind  `json:"kind"`
	Key       string       `json:"key"` // the same for each try, also of a later command
	Delivered bool         `json:"delivered"`
	Already   bool         `json:"already"` // it was delivered before; nothing was sent now
	Tries     []WebhookTry `json:"tries"`
}

// WebhookTry is one try.
type WebhookTry struct {
	At     time.Time `json:"at"`
	Status int       `json:"status,omitempty"` // of HTTP; 0 if there was no answer
	Error  lang.Text `json:"error,omitzero"`
}

const (
	maxTries     = 3
	firstRetry   = 2 * time.Second
	longestRetry = 30 * time.Second
)

// Send hands an approved advisory to a webhook that is among its recipients. It
// tries up to three times, each time only if the approval still holds, and
// notes each try in the audit log before it is made. The key is the same for each
// try, so that a receiver that took one can leave the next.
func Send(ctx context.Context, in *SendInput, deps *ApprovalDeps) (*WebhookDelivery, error) {
	x, err := deps.load(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	w, err := deps.webhook(x, in.Webhook)
	if err == nil && deps.Notifier == nil {
		err = &Error{Kind: Unavailable, Message: lang.M("approval.error.offline")}
	}
	if err != nil {
		return nil, deps.refuse(ctx, x, workflow.Send, in.Actor, err)
	}
	out := &WebhookDelivery{
		Schema: DeliverySchema, ID: x.rec.Document.ID, Version: x.rec.Version, Hash: x.hash, Webhook: w.Name, Kind: w.Kind, Tries: []WebhookTry{},
		Key: advisory.ContentHash("sekisho.delivery/v1", []byte(x.hash), []byte(w.Name), []byte(w.Print()))[:32],
	}
	for n := 1; ; n++ {
		wait, err := deps.try(ctx, x, w, in.Actor, out)
		if err != nil || out.Delivered || out.Already || wait <= 0 || n == maxTries {
			return out, err
		}
		if err := deps.sleep(ctx, min(max(wait, firstRetry<<(n-1)), longestRetry)); err != nil {
			return out, err
		}
		// Somebody may have edited or withdrawn it meanwhile.
		if x, err = deps.load(ctx, out.ID); err != nil {
			return out, err
		}
		if w, err = deps.webhook(x, in.Webhook); err != nil {
			return out, deps.refuse(ctx, x, workflow.Send, in.Actor, err)
		}
	}
}

// try hands over once. It returns how long to wait before the next try, 0 if
// there is to be none.
func (d *ApprovalDeps) try(ctx context.Context, x *reviewed, w *Webhook, who Actor, out *WebhookDelivery) (time.Duration, error) {
	s, err := d.next(x, workflow.Try, who)
	if err == nil {
		err = d.releasable(ctx, x)
	}
	if err != nil {
		return 0, d.refuse(ctx, x, workflow.Send, who, err)
	}
	if slices.ContainsFunc(x.status.Sent, func(s workflow.Step) bool { return s.Key == out.Key }) {
		out.Already = true
		return 0, nil
	}
	s.Target, s.Key = "webhook:"+w.Name, out.Key
	if err := d.Store.KeepAdvisoryStep(ctx, x.rec.Subject, s, nil); err != nil {
		return 0, meanwhile(err)
	}
	n := d.notice(x, w, out.Key)
	got, err := d.Notifier.Notify(ctx, w, n)
	t := WebhookTry{At: n.At}
	again := time.Duration(0)
	after := *s
	after.Number, after.Act = s.Number+1, workflow.Fail
	switch {
	case err != nil:
		e := asError(err)
		t.Error, after.Outcome = d.words().Render(e.Message), string(e.Kind)
		if e.Kind == Unavailable && ctx.Err() == nil {
			again = firstRetry
		}
	case got.OK():
		out.Delivered, after.Act = true, workflow.Deliver
		fallthrough
	default:
		t.Status, after.Outcome = got.Status, strconv.Itoa(got.Status)
		if got.Again() {
			again = max(firstRetry, got.RetryAfter)
		}
	}
	out.Tries = append(out.Tries, t)
	// What has left is noted, whoever did something meanwhile and even if the user
	// stops now.
	return again, d.noteOutcome(context.WithoutCancel(ctx), x.rec.Subject, &after)
}

// noteOutcome keeps the outcome of a try as the next step, also if others came
// in between.
func (d *ApprovalDeps) noteOutcome(ctx context.Context, subject string, s *workflow.Step) error {
	const most = 5
	for i := 0; ; i++ {
		if now := d.Now().UTC().Truncate(time.Millisecond); now.After(s.At) {
			s.At = now
		}
		steps, err := d.Store.AdvisorySteps(ctx, subject)
		if err != nil {
			return err
		}
		s.Number = len(steps) + 1
		if n := len(steps); n > 0 && steps[n-1].At.After(s.At) {
			s.At = steps[n-1].At
		}
		if err = d.Store.KeepAdvisoryStep(ctx, subject, s, nil); err == nil {
			return nil
		}
		if e, ok := err.(*Error); !ok || e.Kind != Conflict || i == most { //nolint:errorlint // as the store returns it
			return err
		}
	}
}

// webhook finds a webhook by name. It has to be among the recipients that were
// approved, and must not have changed since.
func (d *ApprovalDeps) webhook(x *reviewed, name string) (*Webhook, error) {
	i := slices.IndexFunc(d.Webhooks, func(w Webhook) bool { return w.Name == name })
	if i < 0 {
		return nil, noWebhook(name)
	}
	w := &d.Webhooks[i]
	j := slices.IndexFunc(x.rec.Recipients, func(r Recipient) bool { return r.Webhook == name })
	if j < 0 {
		return nil, &Error{Kind: Denied, Message: lang.M("approval.error.not-recipient", "name", name), Hint: lang.M("approval.hint.not-recipient", "id", x.rec.Document.ID, "name", name)}
	}
	if slices.ContainsFunc(x.rec.Recipients, func(r Recipient) bool { return r.Webhook == name && r.Print != w.Print() }) {
		return nil, &Error{Kind: Denied, Message: lang.M("approval.error.moved", "name", name), Hint: lang.M("approval.hint.not-recipient", "id", x.rec.Document.ID, "name", name)}
	}
	return w, nil
}

// notice is what a webhook gets: the drafts that are for it.
func (d *ApprovalDeps) notice(x *reviewed, w *Webhook, key string) *Notification {
	doc := advisory.Final(x.rec.Document, lang.Text{})
	n := &Notification{
		Schema: NotificationSchema, Key: key, ID: doc.ID, Subject: x.rec.Subject, Version: x.rec.Version, Hash: x.hash, At: d.Now().UTC(), Grade: string(doc.Grade), Label: doc.Label,
		Due: doc.Due, Title: doc.Title, Approved: d.note(x), Approvals: approvalsOf(x.status), Drafts: []NotificationDraft{},
	}
	for _, m := range slices.Concat(doc.Drafts, doc.Manager) {
		if slices.ContainsFunc(x.rec.Recipients, func(r Recipient) bool {
			return r.Webhook == w.Name && r.Audience == m.Audience && (r.Lang == "" || r.Lang == string(m.Lang))
		}) {
			n.Drafts = append(n.Drafts, NotificationDraft{Audience: m.Audience, Lang: m.Lang, Subject: m.Subject, Body: m.BodyText})
		}
	}
	return n
}

func (d *ApprovalDeps) sleep(ctx context.Context, wait time.Duration) error {
	if d.Sleep != nil {
		return d.Sleep(ctx, wait)
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
