package console

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/workflow"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
	"github.com/sekisho/sekisho/lang"
)

// maxDraft bounds a draft that is sent back, in bytes.
const maxDraft = 1 << 20

func (c *Console) advisoryRoutes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Pattern: "/advisories", Rule: web.Login, Handler: c.advisories},
		{Method: http.MethodGet, Pattern: "/advisories/{id}", Rule: web.Login, Handler: c.advisory},
		{Method: http.MethodGet, Pattern: "/advisories/{id}/draft", Rule: web.Login, Handler: c.draftFile},
		{Method: http.MethodPost, Pattern: "/advisories/{id}/edit", Rule: web.Login, Body: maxDraft, Handler: c.editAdvisory},
		{Method: http.MethodPost, Pattern: "/advisories/{id}/act", Rule: web.Login, Handler: c.actOnAdvisory},
		{Method: http.MethodPost, Pattern: "/advisories/{id}/export", Rule: web.Login, Handler: c.exportAdvisory},
	}
}

func (c *Console) adviseDeps() desk.AdviseDeps {
	return desk.AdviseDeps{Facts: c.Config.Facts, Words: c.Words, Now: c.Now}
}

func (c *Console) approvalDeps() *desk.ApprovalDeps {
	return &desk.ApprovalDeps{
		Store: c.Advisories, Audit: c.Mail.Audit, News: c.newsDeps(), Facts: c.Config.Facts, Rules: c.Config.Approval,
		Words: c.Words, Now: c.Now,
	}
}

// writeAdvisory writes an advisory, keeps it and goes to its page.
func (c *Console) writeAdvisory(w http.ResponseWriter, r *http.Request, in *desk.AdviseInput, subject string) {
	doc, _, err := desk.Advise(in, c.adviseDeps())
	if err == nil {
		_, err = c.Advisories.KeepAdvisory(r.Context(), &desk.AdvisoryRecord{Subject: subject, At: c.Now(), Document: doc})
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.done(w, r, "/advisories/"+url.PathEscape(doc.ID), "advisory-written", 1)
}

// advisoriesPage is the list of advisories.
type advisoriesPage struct {
	State  string
	States []workflow.State
	List   []desk.AdvisoryReview
	More   int
}

// maxAdvisories is how many advisories the list shows.
const maxAdvisories = 200

func (c *Console) advisories(w http.ResponseWriter, r *http.Request) {
	p := &advisoriesPage{States: workflow.States()}
	var f *desk.ReviewFilter
	if s := workflow.State(r.URL.Query().Get("state")); slices.Contains(p.States, s) {
		p.State = string(s)
		f = &desk.ReviewFilter{States: []workflow.State{s}}
	}
	list, err := desk.ListReviews(r.Context(), f, c.approvalDeps())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	p.List = list[:min(len(list), maxAdvisories)]
	p.More = len(list) - len(p.List)
	c.page(w, r, "advisories", p)
}

// advisoryPage is one advisory: the card, and the drafts for one audience in both
// languages.
type advisoryPage struct {
	*desk.AdvisoryReview

	Doc       *advisory.Document
	Card      []advisory.Row
	Due       time.Time
	Late      bool
	Audience  string
	Audiences []advisory.Audience
	Pairs     []pair
	Subjects  lang.Text
	Bodies    lang.Text
	Rest      []advisory.Remark // that belong to no line
	History   []desk.StepRecord
	Form      *form
	Forms     []string // in which an approved advisory is exported
}

// pair is a line of a draft in both languages.
type pair struct {
	Kind    advisory.Kind
	JA, EN  advisory.Line
	Remarks []advisory.Remark
}

var audiences = []advisory.Audience{advisory.Staff, advisory.Admin, advisory.Manager}

func (c *Console) advisory(w http.ResponseWriter, r *http.Request) { c.showAdvisory(w, r, nil) }

func (c *Console) showAdvisory(w http.ResponseWriter, r *http.Request, f *form) {
	id := r.PathValue("id")
	v, doc, err := desk.ShowReview(r.Context(), id, desk.Actor{Who: desk.WhoAdmin, Name: actorName(f)}, c.approvalDeps())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	p := &advisoryPage{
		AdvisoryReview: v, Doc: doc, Due: c.dueDay(doc.Due), Audiences: audiences, Audience: r.URL.Query().Get("audience"), Form: f,
		Forms: []string{desk.FormEML, desk.FormHTML, desk.FormMD, desk.FormText, desk.FormCSAF, desk.FormJSON},
	}
	if p.Late = c.late(p.Due); !slices.Contains(audiences, advisory.Audience(p.Audience)) {
		p.Audience = string(advisory.Staff)
	}
	_, p.Card = advisory.Card(doc, c.language(r), c.Words)
	p.drafts(doc, advisory.Audience(p.Audience))
	if p.History, _, err = desk.AdvisoryHistory(r.Context(), id, c.approvalDeps()); err != nil {
		c.fail(w, r, err)
		return
	}
	status := http.StatusOK
	if f != nil {
		status = http.StatusUnprocessableEntity
	}
	c.pageStatus(w, r, status, "advisory", p)
}

// actorName is who a form names. As long as nobody is named the page shows what
// anybody could do.
func actorName(f *form) string {
	if f == nil || f.Values["name"] == "" {
		return "-"
	}
	return f.Values["name"]
}

// drafts puts the lines of both languages side by side, with what the linter says
// of each.
func (p *advisoryPage) drafts(doc *advisory.Document, to advisory.Audience) {
	ja, en := doc.Draft(to, lang.JA), doc.Draft(to, lang.EN)
	if ja == nil || en == nil {
		return
	}
	p.Subjects, p.Bodies = lang.Text{JA: ja.Subject, EN: en.Subject}, lang.Text{JA: ja.BodyText, EN: en.BodyText}
	at := map[string]int{}
	for _, l := range ja.Lines {
		at[l.ID] = len(p.Pairs)
		p.Pairs = append(p.Pairs, pair{Kind: l.Kind, JA: l})
	}
	for _, l := range en.Lines {
		if i, ok := at[l.ID]; ok {
			p.Pairs[i].EN = l
			continue
		}
		at[l.ID] = len(p.Pairs)
		p.Pairs = append(p.Pairs, pair{Kind: l.Kind, EN: l})
	}
	for _, m := range p.Remarks {
		if m.Audience != "" && m.Audience != to {
			continue
		}
		if i, ok := at[m.Line]; ok && m.Line != "" {
			p.Pairs[i].Remarks = append(p.Pairs[i].Remarks, m)
			continue
		}
		p.Rest = append(p.Rest, m)
	}
}

// Can reports whether an act is possible now.
func (p *advisoryPage) Can(act string) bool { return slices.Contains(p.Acts, workflow.Act(act)) }

// Short is the beginning of the hash, enough to approve by.
func (p *advisoryPage) Short() string { return p.Hash[:min(len(p.Hash), 12)] }

// draftFile hands out a draft, with the note that a person has to read it first.
func (c *Console) draftFile(w http.ResponseWriter, r *http.Request) {
	_, doc, err := desk.ShowReview(r.Context(), r.PathValue("id"), desk.Actor{Who: desk.WhoAdmin, Name: "-"}, c.approvalDeps())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	q := r.URL.Query()
	l := lang.EN
	if q.Get("lang") == string(lang.JA) {
		l = lang.JA
	}
	to := advisory.Audience(q.Get("audience"))
	m := doc.Draft(to, l)
	var b bytes.Buffer
	name, kind := string(to)+"."+string(l), "text/plain; charset=utf-8"
	switch form := q.Get("form"); {
	case form == "card":
		name, kind = "card."+string(l)+".html", "text/html; charset=utf-8"
		b.WriteString(advisory.HTML(doc, l, c.Words))
	case m == nil:
		c.Refuse(w, r, http.StatusNotFound, nil)
		return
	case form == "eml" && to != advisory.Manager:
		deps := c.adviseDeps()
		name, kind = name+".eml", "application/octet-stream"
		if err := advisory.WriteEML(&b, m, desk.DraftEnvelope(doc, m, &deps)); err != nil {
			c.fail(w, r, err)
			return
		}
	case form == "page":
		name, kind = name+".html", "text/html; charset=utf-8"
		b.WriteString(m.Page())
	default:
		name += ".txt"
		b.WriteString(m.Subject + "\n\n" + m.BodyText)
	}
	download(w, name, kind, b.Bytes())
}

// download hands out a file; no browser opens it as a page of ours.
func download(w http.ResponseWriter, name, kind string, data []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = w.Write(data) // the reader has gone if it fails
}

// refused shows the page again with what is wrong, if that is about the form.
func (c *Console) refused(w http.ResponseWriter, r *http.Request, f *form, err error) {
	if e, ok := errors.AsType[*desk.Error](err); ok && e.Kind == desk.NotFound || !f.refuse(err) {
		c.fail(w, r, err)
		return
	}
	c.showAdvisory(w, r, f)
}

func (c *Console) editAdvisory(w http.ResponseWriter, r *http.Request) {
	f := newForm(r, "name", "comment", "audience", "lang", "subject", "body")
	v, err := desk.EditAdvisory(r.Context(), &desk.EditInput{
		Ref: r.PathValue("id"), Actor: desk.Actor{Who: desk.WhoAdmin, Name: f.Values["name"]}, Comment: f.Values["comment"],
		Draft: &desk.EditedDraft{
			Audience: advisory.Audience(f.Values["audience"]), Lang: lang.Language(f.Values["lang"]), Subject: f.Values["subject"],
			Body: strings.ReplaceAll(f.Values["body"], "\r\n", "\n"),
		},
	}, c.approvalDeps())
	if err != nil {
		c.refused(w, r, f, err)
		return
	}
	c.done(w, r, "/advisories/"+url.PathEscape(v.ID)+"?audience="+url.QueryEscape(f.Values["audience"]), "advisory-edited", v.Version)
}

func (c *Console) actOnAdvisory(w http.ResponseWriter, r *http.Request) {
	f := newForm(r, "name", "comment", "hash", "act")
	v, err := desk.Review(r.Context(), &desk.ReviewInput{
		Ref: r.PathValue("id"), Act: workflow.Act(f.Values["act"]), Actor: desk.Actor{Who: desk.WhoAdmin, Name: f.Values["name"]},
		Hash: f.Values["hash"], Comment: f.Values["comment"], Ack: r.PostForm["ack"],
	}, c.approvalDeps())
	if err != nil {
		c.refused(w, r, f, err)
		return
	}
	c.done(w, r, "/advisories/"+url.PathEscape(v.ID), "advisory-act", 1)
}

// exportAdvisory hands out an approved advisory in its final form.
func (c *Console) exportAdvisory(w http.ResponseWriter, r *http.Request) {
	f := newForm(r, "name", "form", "lang", "audience")
	files, err := desk.Export(r.Context(), &desk.ExportInput{
		Ref: r.PathValue("id"), Actor: desk.Actor{Who: desk.WhoAdmin, Name: f.Values["name"]}, Form: f.Values["form"],
		Audience: advisory.Audience(f.Values["audience"]), Lang: lang.Language(f.Values["lang"]),
	}, c.approvalDeps())
	if err != nil {
		c.refused(w, r, f, err)
		return
	}
	if len(files) == 0 {
		c.Refuse(w, r, http.StatusNotFound, nil)
		return
	}
	if len(files) == 1 {
		download(w, files[0].Name, "application/octet-stream", files[0].Data)
		return
	}
	data, err := zipped(files)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	download(w, "advisory.zip", "application/zip", data)
}
