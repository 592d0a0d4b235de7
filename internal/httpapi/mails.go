package httpapi

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/campaign"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
	"github.com/sekisho/sekisho/lang"
)

// The schemas of records that only the API writes, in docs/schema.
const (
	mailSchema     = "sekisho.mail/v1"
	mailsSchema    = "sekisho.mails/v1"
	acceptedSchema = "sekisho.accepted/v1"
)

// Mail is a mail that is kept.
type Mail struct {
	Schema   string         `json:"schema"`
	ID       desk.MailID    `json:"id"`
	Kept     time.Time      `json:"kept"`
	At       time.Time      `json:"at"`
	From     desk.Mailbox   `json:"from"`
	To       []desk.Mailbox `json:"to"`
	Subject  string         `json:"subject"`
	Size     int            `json:"size"`
	Verdict  desk.Word      `json:"verdict"`
	Score    int            `json:"score"`
	Reason   lang.Text      `json:"reason"`
	Source   desk.Source    `json:"source"`
	Label    desk.Label     `json:"label,omitempty"`
	Envelope *Envelope      `json:"envelope,omitempty"`
}

// Envelope is what was said in SMTP about a mail.
type Envelope struct {
	From string   `json:"from"`
	To   []string `json:"to"`
}

// Mails is a page of the mails that are kept.
type Mails struct {
	Schema string `json:"schema"`
	Mails  []Mail `json:"mails"`
	Next   string `json:"next,omitempty"` // for the parameter after; "" on the last page
}

// Accepted is a mail for which sekisho has taken responsibility.
type Accepted struct {
	Schema string      `json:"schema"`
	ID     desk.MailID `json:"id"`
}

func mailOf(r *desk.MailRow) Mail {
	m := Mail{
		Schema: mailSchema, ID: r.ID, Kept: r.Kept.UTC(), At: r.At.UTC(), From: r.From, To: r.To, Subject: r.Subject, Size: r.Size,
		Verdict: r.Verdict, Score: r.Score, Reason: r.Reason, Source: r.Source, Label: r.Label,
	}
	if m.To == nil {
		m.To = []desk.Mailbox{}
	}
	return m
}

const uploadTime = 2 * time.Minute

var mailBody = &body{
	about: "A mail as received (RFC 5322), an Outlook item (.msg), a mailbox (mbox), an archive (.zip, .gz) of those, or a header block as pasted. What it is is told by its content.",
	types: []string{"message/rfc822", "application/octet-stream", "text/plain"}, parts: true,
}

var mailID = param{name: "id", kind: "string", about: "SHA-256 of the mail, in lower-case hex; where its envelope is known, of both."}

func mailEndpoints() []endpoint {
	words := []string{string(desk.Malicious), string(desk.Suspicious), string(desk.Spam), string(desk.Clean), string(desk.Undecided)}
	return []endpoint{
		{
			id: "judge", method: http.MethodPost, path: "/judge", scope: desk.MailRead, summary: "The verdict on mails",
			about: "One verdict for each mail, in order; one that could not be read has an error. Nothing is stored, unless keep is true: then the scope mail:write is needed too, and the id of a mail is the sha256 of its verdict.",
			params: []param{
				{name: "keep", kind: "boolean", about: "Keep the mails with their verdicts, as the console does."},
				{name: "redact", kind: "boolean", about: "Leave out who the organisation and its people are."},
				nameParam,
			},
			body: mailBody, answer: answer{schema: "verdict.v1", list: true}, size: maxUpload, time: uploadTime, heavy: true, handle: (*api).judge,
		},
		{
			id: "listMails", method: http.MethodGet, path: "/mails", scope: desk.MailRead, summary: "Mails that are kept, the newest first",
			params: []param{
				{name: "verdict", kind: "string", words: words, about: "With that verdict."},
				{name: "label", kind: "string", words: []string{string(desk.LabelPhish), string(desk.LabelNotPhish), "none"}, about: "About which somebody said that, or nobody anything."},
				{name: "from", kind: "string", form: "date", about: "Of that day or later; also a time (RFC 3339)."},
				{name: "until", kind: "string", form: "date", about: "Before that day; also a time (RFC 3339)."},
				{name: "text", kind: "string", about: "Words of the subject, names and addresses; all must be there."},
				{name: "limit", kind: "integer", about: "Mails of a page, 1 to 500; 50 without it."},
				{name: "after", kind: "string", about: "The next of the page before."},
			},
			answer: answer{schema: "mails.v1"}, handle: (*api).listMails,
		},
		{
			id: "getMail", method: http.MethodGet, path: "/mails/{id}", scope: desk.MailRead, summary: "One mail that is kept", params: []param{mailID},
			answer: answer{schema: "mail.v1"}, handle: (*api).getMail,
		},
		{
			id: "getVerdict", method: http.MethodGet, path: "/mails/{id}/verdict", scope: desk.MailRead, summary: "The verdict on a mail that is kept", params: []param{mailID},
			about:  "As it was when the mail came.",
			answer: answer{schema: "verdict.v1"}, handle: (*api).getVerdict,
		},
		{
			id: "getRawMail", method: http.MethodGet, path: "/mails/{id}/raw", scope: desk.MailRead, summary: "The bytes of a mail that is kept", params: []param{mailID},
			about:  "Hostile: nothing in them was made harmless.",
			answer: answer{types: []string{"message/rfc822"}}, handle: (*api).getRawMail,
		},
		{
			id: "similarMails", method: http.MethodGet, path: "/mails/{id}/similar", scope: desk.MailRead, summary: "The mails that are kept and like one of them, and who got them",
			params: []param{mailID, {name: "level", kind: "string", words: []string{string(campaign.Same), string(campaign.Alike), string(campaign.SameSender)}, about: "The loosest level that counts; alike without it."}},
			answer: answer{schema: "similar.v1"}, time: uploadTime, heavy: true, handle: (*api).similarMails,
		},
		{
			id: "labelMail", method: http.MethodPost, path: "/mails/{id}/label", scope: desk.MailWrite, summary: "Say what a mail is", params: []param{mailID},
			body: &body{about: "An empty label takes back what was said.", types: []string{jsonType}, shape: object(property{
				"label": map[string]any{"enum": []any{string(desk.LabelPhish), string(desk.LabelNotPhish), ""}},
			}, "label")},
			answer: answer{schema: "mail.v1"}, handle: (*api).labelMail,
		},
		{
			id: "deleteMail", method: http.MethodDelete, path: "/mails/{id}", scope: desk.MailWrite, summary: "Delete a mail, its verdict and its bytes", params: []param{mailID},
			answer: answer{status: http.StatusNoContent}, handle: (*api).deleteMail,
		},
		{
			id: "deliver", method: http.MethodPost, path: "/intake", scope: desk.IntakeWrite, summary: "Hand a mail in to the queue",
			about: "The answer comes when the mail is on the disk. It is judged and kept afterwards; the same mail again adds nothing.",
			params: []param{
				{name: "from", kind: "string", about: "Of MAIL FROM. With to, the envelope; without, nobody knows it."},
				{name: "to", kind: "string", many: true, about: "Of RCPT TO."},
				{name: "key", kind: "string", about: "What the sender calls the delivery, so that it counts once."},
			},
			body:   &body{about: "A mail as received.", types: []string{"message/rfc822"}},
			answer: answer{status: http.StatusAccepted, schema: "accepted.v1"}, size: maxUpload, time: uploadTime, heavy: true, handle: (*api).deliver,
		},
	}
}

func (a *api) judge(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	keep, err := flag(q, "keep")
	if err != nil {
		return err
	}
	redact, err := flag(q, "redact")
	if err != nil {
		return err
	}
	if t := web.Program(r); keep && (t == nil || !t.Has(desk.MailWrite)) {
		return desk.ScopeError(desk.MailWrite)
	}
	files, err := received(r)
	if err != nil {
		return err
	}
	ctx, over := r.Context(), false
	items := a.items(ctx, files, &over)
	out := []*desk.Verdict{}
	if keep {
		kept, err := desk.KeepMail(ctx, desk.KeepMailInput{Items: items, Source: desk.SourceAPI, Who: who(r)}, a.Mail)
		if err != nil {
			return err
		}
		for _, k := range kept {
			out = append(out, k.Verdict)
		}
	} else {
		deps, err := a.Mail.Judge(ctx)
		if err != nil {
			return err
		}
		for v := range desk.Judge(ctx, items, deps) {
			out = append(out, v)
		}
	}
	if over {
		return &desk.Error{Kind: desk.Limit, Message: lang.M("mails.error.many", "n", maxItems), Hint: lang.M("mails.hint.many")}
	}
	if redact {
		for _, v := range out {
			desk.Redact(v, &a.Config.Facts)
		}
	}
	return write(w, http.StatusOK, out)
}

func (a *api) listMails(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	q := &desk.MailQuery{Verdict: desk.Word(v.Get("verdict")), Text: v.Get("text")}
	switch l := v.Get("label"); l {
	case "none":
		q.Unlabelled = true
	default:
		q.Label = desk.Label(l)
	}
	zone := a.Now().Location()
	var err error
	if q.From, err = instant(v, "from", zone); err != nil {
		return err
	}
	if q.Until, err = instant(v, "until", zone); err != nil {
		return err
	}
	if q.Limit, err = number(v, "limit", desk.DefaultMailPage, 1, desk.MaxMailPage); err != nil {
		return err
	}
	if s := v.Get("after"); s != "" {
		if q.After = cursor(s); q.After == nil {
			return invalid("after", lang.M("api.error.cursor"))
		}
	}
	limit := q.Limit
	if q.Limit < desk.MaxMailPage {
		q.Limit++ // whether there are more
	}
	rows, err := a.Mail.Mails.Mails(r.Context(), q)
	if err != nil {
		return err
	}
	out := &Mails{Schema: mailsSchema, Mails: []Mail{}}
	if len(rows) > limit || len(rows) == desk.MaxMailPage {
		rows = rows[:limit]
		last := rows[limit-1]
		out.Next = base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(last.At.UnixMilli(), 10) + " " + string(last.ID)))
	}
	for i := range rows {
		out.Mails = append(out.Mails, mailOf(&rows[i]))
	}
	return write(w, http.StatusOK, out)
}

// cursor reads what listMails wrote, nil for what it did not.
func cursor(s string) *desk.MailCursor {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	ms, id, ok := strings.Cut(string(b), " ")
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil || !ok {
		return nil
	}
	return &desk.MailCursor{At: time.UnixMilli(n).UTC(), ID: desk.MailID(id)}
}

func (a *api) record(r *http.Request) (*desk.MailRecord, error) {
	id := desk.MailID(r.PathValue("id"))
	m, err := a.Mail.Mails.Mail(r.Context(), id)
	if err == nil && (m == nil || m.Judged == nil) {
		err = &desk.Error{Kind: desk.NotFound, Message: lang.M("api.error.no-mail")}
	}
	return m, err
}

func (a *api) getMail(w http.ResponseWriter, r *http.Request) error {
	m, err := a.record(r)
	if err != nil {
		return err
	}
	out := mailOf(&m.MailRow)
	if e := m.Envelope; e != nil {
		out.Envelope = &Envelope{From: e.From, To: append([]string{}, e.To...)}
	}
	return write(w, http.StatusOK, &out)
}

func (a *api) getVerdict(w http.ResponseWriter, r *http.Request) error {
	m, err := a.record(r)
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, m.Judged)
}

func (a *api) getRawMail(w http.ResponseWriter, r *http.Request) error {
	m, err := a.record(r)
	if err != nil {
		return err
	}
	raw, err := a.Mail.Blobs.Blob(r.Context(), m.Blob)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "message/rfc822")
	w.Header().Set("Content-Disposition", `attachment; filename="`+string(m.ID[:min(len(m.ID), 16)])+`.eml"`)
	_, _ = w.Write(raw) // the reader has gone if it fails
	return nil
}

func (a *api) similarMails(w http.ResponseWriter, r *http.Request) error {
	m, err := a.record(r)
	if err != nil {
		return err
	}
	level := cmp.Or(campaign.Level(r.URL.Query().Get("level")), campaign.Alike)
	report, err := desk.SimilarMails(r.Context(), m.ID, level, a.Mail, a.Similar, desk.SimilarDeps{Facts: a.Config.Facts, Words: a.Words, Now: a.Now})
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, report)
}

func (a *api) labelMail(w http.ResponseWriter, r *http.Request) error {
	in := struct {
		Label *desk.Label `json:"label"`
	}{}
	if err := read(r, &in); err != nil {
		return err
	}
	if in.Label == nil {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("api.error.json"), Hint: lang.M("api.hint.document")}
	}
	if err := desk.LabelMail(r.Context(), desk.MailID(r.PathValue("id")), *in.Label, who(r), a.Mail); err != nil {
		return err
	}
	return a.getMail(w, r)
}

func (a *api) deleteMail(w http.ResponseWriter, r *http.Request) error {
	if _, err := a.record(r); err != nil {
		return err
	}
	if err := desk.DeleteMail(r.Context(), desk.MailID(r.PathValue("id")), who(r), a.Mail); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) deliver(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	raw, err := whole(r.Body, r.ContentLength)
	if err != nil {
		return err
	}
	d := &desk.Delivery{Raw: raw, Source: desk.SourceAPI, Key: q.Get("key")}
	if d.Key != "" {
		d.Key = who(r) + " " + d.Key // the names of one program are not those of another
	}
	if to := q["to"]; len(to) > 0 {
		d.Envelope = &desk.MailEnvelope{From: q.Get("from"), To: to}
	}
	id, err := desk.Accept(r.Context(), d, a.Intake)
	if err != nil {
		return err
	}
	return write(w, http.StatusAccepted, &Accepted{Schema: acceptedSchema, ID: id})
}
