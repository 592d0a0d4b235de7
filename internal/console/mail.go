package console

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
	"github.com/sekisho/sekisho/lang"
)

// ItemReader reads the messages of a file: a mail, an Outlook item, a mailbox, an
// archive of those, or a header block.
type ItemReader func(ctx context.Context, r io.Reader) iter.Seq[desk.Item]

// Bounds on what is handed in at once.
const (
	maxUpload     = 64 << 20 // bytes of all files
	uploadTime    = 2 * time.Minute
	uploadMemory  = 8 << 20 // bytes that are not put on the disk
	maxUploadFile = 50
)

// maxLinkRows is how many links a page lists.
const maxLinkRows = 60

func (c *Console) mailRoutes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Pattern: "/mail", Rule: web.Login, Handler: c.mails},
		{Method: http.MethodPost, Pattern: "/mail", Rule: web.Login, Body: maxUpload, Time: uploadTime, Handler: c.keepMails},
		{Method: http.MethodGet, Pattern: "/mail/{id}", Rule: web.Login, Handler: c.mail},
		{Method: http.MethodGet, Pattern: "/mail/{id}/file", Rule: web.Login, Handler: c.mailFile},
		{Method: http.MethodPost, Pattern: "/mail/{id}/label", Rule: web.Login, Handler: c.labelMail},
		{Method: http.MethodPost, Pattern: "/mail/{id}/exception", Rule: web.Login, Handler: c.exceptMail},
		{Method: http.MethodPost, Pattern: "/mail/{id}/advise", Rule: web.Login, Handler: c.adviseMail},
		{Method: http.MethodPost, Pattern: "/mail/{id}/delete", Rule: web.Login, Handler: c.deleteMail},
	}
}

// mailsPage is the list of mails.
type mailsPage struct {
	Query    mailsQuery
	Words    []desk.Word
	Counts   map[desk.Word]desk.MailCount
	Total    int
	Rows     []desk.MailRow
	Pager    pager
	Problems []mailProblem // of what was just handed in
}

// Filtered reports whether the reader asked for some mails only.
func (p *mailsPage) Filtered() bool { return p.Query != mailsQuery{} }

// mailsQuery is what the reader asked for, as typed.
type mailsQuery struct{ Text, Verdict, Label, From, Until string }

// mailProblem is a file that could not be read.
type mailProblem struct {
	File    string
	Failure desk.Failure
}

var listedWords = []desk.Word{desk.Malicious, desk.Suspicious, desk.Spam, desk.Undecided, desk.Clean}

func (c *Console) mails(w http.ResponseWriter, r *http.Request) { c.showMails(w, r, nil) }

func (c *Console) showMails(w http.ResponseWriter, r *http.Request, problems []mailProblem) {
	v := r.URL.Query()
	q := mailsQuery{Text: strings.TrimSpace(v.Get("q")), Verdict: v.Get("verdict"), Label: v.Get("label"), From: v.Get("from"), Until: v.Get("until")}
	p := &mailsPage{Query: q, Words: listedWords, Problems: problems}
	query := &desk.MailQuery{Verdict: desk.Word(q.Verdict), Text: q.Text, Limit: desk.DefaultMailPage + 1, After: mailCursor(v.Get("after"))}
	switch q.Label {
	case "none":
		query.Unlabelled = true
	case string(desk.LabelPhish), string(desk.LabelNotPhish):
		query.Label = desk.Label(q.Label)
	}
	zone := c.Now().Location()
	if t, err := time.ParseInLocation(time.DateOnly, q.From, zone); err == nil {
		query.From = t
	}
	if t, err := time.ParseInLocation(time.DateOnly, q.Until, zone); err == nil {
		query.Until = t.AddDate(0, 0, 1)
	}
	var err error
	if p.Counts, err = c.Mail.Mails.MailCounts(r.Context()); err == nil {
		p.Rows, err = c.Mail.Mails.Mails(r.Context(), query)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	for _, n := range p.Counts {
		p.Total += n.Mails
	}
	if len(p.Rows) > desk.DefaultMailPage {
		p.Rows = p.Rows[:desk.DefaultMailPage]
		last := p.Rows[len(p.Rows)-1]
		p.Pager.Older = p.path("after", strconv.FormatInt(last.At.UnixNano(), 10)+"."+string(last.ID))
	}
	if query.After != nil {
		p.Pager.Newest = p.path()
	}
	status := http.StatusOK
	if len(problems) > 0 {
		status = http.StatusUnprocessableEntity
	}
	c.pageStatus(w, r, status, "mail", p)
}

// path returns the page of the same query, with further conditions.
func (p *mailsPage) path(more ...string) string {
	v := url.Values{}
	for name, value := range map[string]string{"q": p.Query.Text, "verdict": p.Query.Verdict, "label": p.Query.Label, "from": p.Query.From, "until": p.Query.Until} {
		if value != "" {
			v.Set(name, value)
		}
	}
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	if len(v) == 0 {
		return "/mail"
	}
	return "/mail?" + v.Encode()
}

// mailCursor reads where a page ended, nil for the first page.
func mailCursor(s string) *desk.MailCursor {
	at, id, ok := strings.Cut(s, ".")
	n, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil {
		return nil
	}
	return &desk.MailCursor{At: time.Unix(0, n), ID: desk.MailID(id)}
}

// keepMails takes what somebody dropped or pasted.
func (c *Console) keepMails(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseMultipartForm(uploadMemory); err != nil { //nolint:gosec // the route bounds the body
		c.fail(w, r, formError(err, "mail"))
		return
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }() // nobody waits for it
	up := &upload{console: c, request: r}
	files := r.MultipartForm.File["file"]
	for _, f := range files[:min(len(files), maxUploadFile)] {
		if err := up.file(f); err != nil {
			c.fail(w, r, err)
			return
		}
	}
	if text := strings.TrimSpace(r.PostFormValue("text")); text != "" {
		name := c.say(c.language(r), "mail.pasted")
		if err := up.keep(name, strings.NewReader(text+"\r\n")); err != nil {
			c.fail(w, r, err)
			return
		}
	}
	switch {
	case len(up.kept) == 0 && len(up.problems) == 0:
		c.fail(w, r, &desk.Error{Kind: desk.Invalid, Message: lang.M("console.mail.error.nothing"), Hint: lang.M("console.mail.hint.nothing")})
	case len(up.problems) > 0:
		r.URL.RawQuery = ""
		c.showMails(w, r, up.problems)
	case len(up.kept) == 1:
		name := "mail-kept"
		if !up.kept[0].New {
			name = "mail-known"
		}
		c.done(w, r, "/mail/"+string(up.kept[0].ID), name, 1)
	default:
		c.done(w, r, "/mail", "mail-kept", len(up.kept))
	}
}

// formError is why a form with files could not be read.
func formError(err error, page string) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	return &desk.Error{Kind: desk.Invalid, Message: lang.M("console." + page + ".error.nothing"), Hint: lang.M("console." + page + ".hint.nothing"), Err: err}
}

// upload is what was handed in with one form.
type upload struct {
	console  *Console
	request  *http.Request
	kept     []desk.KeptMail
	problems []mailProblem
}

func (u *upload) file(h *multipart.FileHeader) error {
	if h.Size == 0 {
		return nil // a form without a file sends an empty one
	}
	f, err := h.Open()
	if err != nil {
		return err
	}
	err = u.keep(h.Filename, f)
	return errors.Join(err, f.Close())
}

func (u *upload) keep(name string, from io.Reader) error {
	ctx := u.request.Context()
	items := func(yield func(desk.Item) bool) {
		for it := range u.console.Read(ctx, from) {
			// What is read has no name of its own but in an archive: "-!a.eml".
			it.File = name + strings.TrimPrefix(it.File, "-")
			if !yield(it) {
				return
			}
		}
	}
	kept, err := desk.KeepMail(ctx, desk.KeepMailInput{Items: items, Source: desk.SourceUpload, Who: desk.WhoAdmin}, u.console.Mail)
	for _, k := range kept {
		if k.ID == "" {
			u.problems = append(u.problems, mailProblem{name, *k.Verdict.Error})
			continue
		}
		u.kept = append(u.kept, k)
	}
	return err
}

// mailPage is one mail.
type mailPage struct {
	*desk.MailRecord
	*mailView

	V         *desk.Verdict
	Tabs      []string
	Actions   []actionGroup
	LinkRows  []linkRow
	MoreLinks int
	Form      *form
	Sender    string // address to make an exception for; "" where there is none
	Kinds     []finding.Kind
	Cover     *desk.SenderCover // what an exception for the sender would have covered
}

// Lead reports whether the reason in one sentence says more than the first of the
// reasons.
func (p *mailPage) Lead() bool {
	return len(p.V.Findings) == 0 || p.V.Reason != p.V.Findings[0].Title
}

// actionGroup is what to do by one time.
type actionGroup struct {
	Within finding.Within
	Due    time.Time
	List   []desk.Action
}

// linkRow is a link, and how often it stands there.
type linkRow struct {
	desk.Link

	Shown string // where it leads
	N     int
}

func (c *Console) mail(w http.ResponseWriter, r *http.Request) { c.showMail(w, r, nil) }

// record returns the mail of a request; it has answered where there is none.
func (c *Console) record(w http.ResponseWriter, r *http.Request) *desk.MailRecord {
	m, err := c.Mail.Mails.Mail(r.Context(), desk.MailID(r.PathValue("id")))
	switch {
	case err != nil:
		c.fail(w, r, err)
		return nil
	case m == nil || m.Judged == nil:
		c.Refuse(w, r, http.StatusNotFound, nil)
		return nil
	}
	return m
}

func (c *Console) showMail(w http.ResponseWriter, r *http.Request, f *form) {
	m := c.record(w, r)
	if m == nil {
		return
	}
	raw, err := c.Mail.Blobs.Blob(r.Context(), m.Blob)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	l := c.language(r)
	facts := c.Config.Facts
	p := &mailPage{MailRecord: m, V: m.Judged, Tabs: views, Form: f, Actions: actionGroups(m.Judged, c.Now().Location())}
	p.LinkRows = linkRows(m.Judged)
	if n := len(p.LinkRows) - maxLinkRows; n > 0 {
		p.LinkRows, p.MoreLinks = p.LinkRows[:maxLinkRows], n
	}
	p.mailView = look(raw, m.Judged, &facts, r.URL.Query().Get("view"), func(x lang.Message) string { return c.Words.Say(l, x) })
	p.Sender = m.From.Address
	if p.Cover, err = desk.CoverSender(r.Context(), p.Sender, c.Mail.Mails); err != nil {
		c.fail(w, r, err)
		return
	}
	for _, x := range m.Judged.Findings {
		if !slices.Contains(p.Kinds, x.Kind) {
			p.Kinds = append(p.Kinds, x.Kind)
		}
	}
	// Nothing on this page needs a script; what a mail could smuggle in has none.
	w.Header().Set("Content-Security-Policy", mailPolicy)
	status := http.StatusOK
	if f != nil {
		status = http.StatusUnprocessableEntity
	}
	c.pageStatus(w, r, status, "mailone", p)
}

// mailPolicy is the policy of a page that shows a mail: stricter than that of the
// others.
const mailPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// actionGroups lists what to do once each, the soonest first.
func actionGroups(v *desk.Verdict, zone *time.Location) []actionGroup {
	order := []finding.Within{finding.Now, finding.Today, finding.Week, finding.Month, finding.None}
	var out []actionGroup
	var seen []string
	for _, within := range order {
		g := actionGroup{Within: within}
		for _, f := range v.Findings {
			for _, a := range f.Actions {
				key := string(a.Audience) + a.Text.EN
				if a.Within != within || slices.Contains(seen, key) {
					continue
				}
				seen = append(seen, key)
				if t, err := time.ParseInLocation(time.DateOnly, a.Due, zone); err == nil {
					g.Due = t
				}
				g.List = append(g.List, a)
			}
		}
		if len(g.List) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// linkRows counts links that look the same as one.
func linkRows(v *desk.Verdict) []linkRow {
	var out []linkRow
	for _, l := range v.Links {
		row := linkRow{Link: l, Shown: l.URL, N: 1}
		if l.Target != "" {
			row.Shown = l.Target
		}
		same := slices.IndexFunc(out, func(x linkRow) bool { return x.Shown == row.Shown && x.Visible == row.Visible && x.In == row.In })
		if same >= 0 {
			out[same].N++
			continue
		}
		out = append(out, row)
	}
	return out
}

// mailFile hands the bytes out as they were received.
func (c *Console) mailFile(w http.ResponseWriter, r *http.Request) {
	m := c.record(w, r)
	if m == nil {
		return
	}
	raw, err := c.Mail.Blobs.Blob(r.Context(), m.Blob)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	// No browser opens a file of no known type.
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="`+m.Blob[:min(len(m.Blob), 16)]+`.eml"`)
	_, _ = w.Write(raw) // the reader has gone if it fails
}

func (c *Console) labelMail(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	label := r.PostFormValue("label")
	if err := desk.LabelMail(r.Context(), desk.MailID(id), desk.Label(label), desk.WhoAdmin, c.Mail); err != nil {
		c.fail(w, r, err)
		return
	}
	name := "mail-unlabelled"
	if label != "" {
		name = "mail-" + label
	}
	c.done(w, r, "/mail/"+url.PathEscape(id), name, 1)
}

// exceptMail makes an exception for the sender of a mail and says that the mail
// is harmless.
func (c *Console) exceptMail(w http.ResponseWriter, r *http.Request) {
	m := c.record(w, r)
	if m == nil {
		return
	}
	f := newForm(r, "from", "kind", "reason", "owner", "days")
	in := desk.AllowAddInput{From: f.Values["from"], Kind: f.Values["kind"], Reason: f.Values["reason"], Owner: f.Values["owner"]}
	if days, err := strconv.Atoi(f.Values["days"]); err == nil && days > 0 {
		in.Expires = c.Now().AddDate(0, 0, min(days, desk.MaxExceptionDays))
	}
	out, err := desk.AllowAdd(r.Context(), in, desk.AllowDeps{Store: c.Exceptions, Facts: c.Config.Facts, Now: c.Now})
	if err != nil {
		if !f.refuse(err) {
			c.fail(w, r, err)
			return
		}
		c.showMail(w, r, f)
		return
	}
	err = c.Mail.Audit.AppendAudit(r.Context(), desk.AuditEntry{At: c.Now(), Who: desk.WhoAdmin, Act: desk.ActExceptionAdded, Object: out.Exception.ID})
	if err == nil {
		err = desk.LabelMail(r.Context(), m.ID, desk.LabelNotPhish, desk.WhoAdmin, c.Mail)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.done(w, r, "/mail/"+string(m.ID), "exception-added", 1)
}

// adviseMail writes an advisory about what was found in a mail.
func (c *Console) adviseMail(w http.ResponseWriter, r *http.Request) {
	m := c.record(w, r)
	if m == nil {
		return
	}
	record, err := json.Marshal(m.Judged)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	in, err := desk.ReadArticle(record, m.Judged.File, c.Words)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.writeAdvisory(w, r, in, desk.FileSubject(in))
}

func (c *Console) deleteMail(w http.ResponseWriter, r *http.Request) {
	if err := desk.DeleteMail(r.Context(), desk.MailID(r.PathValue("id")), desk.WhoAdmin, c.Mail); err != nil {
		c.fail(w, r, err)
		return
	}
	c.done(w, r, "/mail", "mail-deleted", 1)
}
