package httpapi

import (
	"mime"
	"net/http"
	"path"
	"strconv"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/workflow"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// Advise is what an advisory is to be written about: a story, or a text.
type Advise struct {
	Story    string `json:"story,omitempty"`
	Text     string `json:"text,omitempty"`     // an article, or verdicts as judge returns them
	Name     string `json:"name,omitempty"`     // of the text, such as article.html
	Template string `json:"template,omitempty"` // "" to choose by what the matter is
	Keep     bool   `json:"keep,omitempty"`     // keep what was written about a text; what is about a story is always kept
}

const maxArticle = 8 << 20

var advisoryID = param{name: "id", kind: "string", about: "Of a version, or the subject for its newest version."}

func advisoryEndpoints() []endpoint {
	var states []string
	for _, s := range workflow.States() {
		states = append(states, string(s))
	}
	text := map[string]any{"type": "string"}
	return []endpoint{
		{
			id: "advise", method: http.MethodPost, path: "/advise", scope: desk.AdvisoryWrite, summary: "Write a draft of an advisory",
			about: "A draft: it is reviewed and approved by people, in the console or at the terminal.",
			body: &body{about: "Either story or text.", types: []string{jsonType}, shape: object(property{
				"story": text, "text": text, "name": text, "template": map[string]any{"enum": anyOf(advisory.Default().Templates())}, "keep": map[string]any{"type": "boolean"},
			})},
			answer: answer{schema: "advisory.v1"}, size: maxArticle, heavy: true, handle: (*api).advise,
		},
		{
			id: "listAdvisories", method: http.MethodGet, path: "/advisories", scope: desk.AdvisoryRead, summary: "The newest version of each advisory, and where it stands",
			params: []param{{name: "state", kind: "string", many: true, words: states, about: "In that state."}},
			answer: answer{schema: "advisory-review.v1", list: true}, handle: (*api).listAdvisories,
		},
		{
			id: "getAdvisory", method: http.MethodGet, path: "/advisories/{id}", scope: desk.AdvisoryRead, summary: "Where an advisory stands, and what is between it and an approval",
			params: []param{advisoryID}, answer: answer{schema: "advisory-review.v1"}, handle: (*api).getAdvisory,
		},
		{
			id: "getDraft", method: http.MethodGet, path: "/advisories/{id}/draft", scope: desk.AdvisoryRead, summary: "The words of an advisory as they stand",
			about:  "For who reviews it: a draft, whatever its state. What may be sent is the export.",
			params: []param{advisoryID}, answer: answer{schema: "advisory.v1"}, handle: (*api).getDraft,
		},
		{
			id: "getHistory", method: http.MethodGet, path: "/advisories/{id}/history", scope: desk.AdvisoryRead, summary: "What was done to all versions of an advisory",
			params: []param{advisoryID}, answer: answer{schema: "advisory-step.v1", list: true}, handle: (*api).getHistory,
		},
		{
			id: "exportAdvisory", method: http.MethodGet, path: "/advisories/{id}/export", scope: desk.AdvisoryRead, summary: "An approved advisory in its final form",
			about: "What is not approved as it is kept now is refused (403). Each export is a step of the advisory. Where advisory.editors names people, it has to name the token too, as \"token:NAME\".",
			params: []param{
				advisoryID,
				{name: "format", kind: "string", words: []string{desk.FormJSON, desk.FormText, desk.FormMD, desk.FormHTML, desk.FormEML, desk.FormCSAF}, about: "json (release.v1) without it. eml needs audience and language."},
				{name: "audience", kind: "string", words: []string{string(advisory.Staff), string(advisory.Admin)}, about: "Of a mail."},
				{name: "language", kind: "string", words: []string{string(lang.JA), string(lang.EN)}, about: "ja without it."},
				{name: "tlp", kind: "string", words: []string{"WHITE", "GREEN", "AMBER", "RED"}, about: "Label of CSAF."},
			},
			answer: answer{schema: "release.v1", types: []string{"text/plain", "text/markdown", "text/html", "message/rfc822"}}, handle: (*api).exportAdvisory,
		},
		{
			id: "listDigests", method: http.MethodGet, path: "/digests", scope: desk.AdvisoryRead, summary: "The issues of the newsletter, the newest first",
			answer: answer{schema: "digest-summary.v1", list: true}, handle: func(a *api, w http.ResponseWriter, r *http.Request) error {
				list, err := desk.ListDigests(r.Context(), a.Digests)
				if err != nil {
					return err
				}
				return write(w, http.StatusOK, list)
			},
		},
		{
			id: "getDigest", method: http.MethodGet, path: "/digests/{number}", scope: desk.AdvisoryRead, summary: "An issue of the newsletter",
			params: []param{
				{name: "number", kind: "integer", about: "Of the issue."},
				{name: "version", kind: "integer", about: "The newest without it."},
			},
			answer: answer{schema: "digest.v1"}, handle: (*api).getDigest,
		},
	}
}

func anyOf(list []string) []any {
	out := make([]any, 0, len(list))
	for _, s := range list {
		out = append(out, s)
	}
	return out
}

func (a *api) approvalDeps() *desk.ApprovalDeps {
	return &desk.ApprovalDeps{
		Store: a.Advisories, Audit: a.Mail.Audit, News: a.newsDeps(), Facts: a.Config.Facts, Rules: a.Config.Approval, Words: a.Words, Now: a.Now,
	}
}

// actor is the program that asks. Its name can be no person's.
func actor(r *http.Request) desk.Actor { return desk.Actor{Who: who(r), Name: who(r)} }

func (a *api) advise(w http.ResponseWriter, r *http.Request) error {
	var in Advise
	if err := read(r, &in); err != nil {
		return err
	}
	if (in.Story == "") == (in.Text == "") {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("api.error.advise"), Hint: lang.M("api.hint.document")}
	}
	ctx := r.Context()
	about, subject := (*desk.AdviseInput)(nil), ""
	if in.Story != "" {
		x, story, err := desk.StoryInput(ctx, in.Story, a.newsDeps())
		if err != nil {
			return err
		}
		about, subject = x, story.ID
	} else {
		x, err := desk.ReadArticle([]byte(in.Text), path.Base("/"+in.Name), a.Words)
		if err != nil {
			return err
		}
		about = x
		if in.Keep {
			subject = desk.FileSubject(x)
		}
	}
	if in.Template != "" {
		about.Template = in.Template
	}
	doc, _, err := desk.Advise(about, desk.AdviseDeps{Facts: a.Config.Facts, Words: a.Words, Now: a.Now})
	if err != nil {
		return err
	}
	if subject != "" {
		if _, _, err := desk.KeepDraft(ctx, &desk.AdvisoryRecord{At: a.Now(), Subject: subject, Document: doc, Corrections: about.Corrections}, a.approvalDeps()); err != nil {
			return err
		}
	}
	return write(w, http.StatusOK, doc)
}

func (a *api) listAdvisories(w http.ResponseWriter, r *http.Request) error {
	f := &desk.ReviewFilter{}
	for _, s := range r.URL.Query()["state"] {
		f.States = append(f.States, workflow.State(s))
	}
	list, err := desk.ListReviews(r.Context(), f, a.approvalDeps())
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, list)
}

func (a *api) getAdvisory(w http.ResponseWriter, r *http.Request) error {
	v, _, err := desk.ShowReview(r.Context(), r.PathValue("id"), actor(r), a.approvalDeps())
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, v)
}

func (a *api) getDraft(w http.ResponseWriter, r *http.Request) error {
	_, doc, err := desk.ShowReview(r.Context(), r.PathValue("id"), actor(r), a.approvalDeps())
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, doc)
}

func (a *api) getHistory(w http.ResponseWriter, r *http.Request) error {
	list, fault, err := desk.AdvisoryHistory(r.Context(), r.PathValue("id"), a.approvalDeps())
	if err != nil {
		return err
	}
	if fault != nil { // the log was tampered with: nobody must read on as if it were whole
		return &desk.Error{Kind: desk.Conflict, Message: lang.M("cli.advisory.fault", "why", fault.Text.EN)}
	}
	if list == nil {
		list = []desk.StepRecord{}
	}
	return write(w, http.StatusOK, list)
}

func (a *api) exportAdvisory(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	in := &desk.ExportInput{
		Ref: r.PathValue("id"), Actor: actor(r), Form: q.Get("format"), Audience: advisory.Audience(q.Get("audience")), Lang: lang.Language(q.Get("language")), TLP: q.Get("tlp"),
	}
	if in.Form == "" {
		in.Form = desk.FormJSON
	}
	if in.Form == desk.FormEML && (in.Audience == "" || in.Lang == "") {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("api.error.one-mail"), Hint: lang.M("api.hint.document")}
	}
	files, err := desk.Export(r.Context(), in, a.approvalDeps())
	if err != nil {
		return err
	}
	if len(files) != 1 { // a mail to nobody
		return &desk.Error{Kind: desk.NotFound, Message: lang.M("api.error.no-draft")}
	}
	media := map[string]string{
		desk.FormJSON: jsonType, desk.FormCSAF: jsonType, desk.FormText: "text/plain; charset=utf-8", desk.FormMD: "text/markdown; charset=utf-8",
		desk.FormHTML: "text/html; charset=utf-8", desk.FormEML: "message/rfc822",
	}
	w.Header().Set("Content-Type", media[in.Form])
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": files[0].Name}))
	_, _ = w.Write(files[0].Data) // the reader has gone if it fails
	return nil
}

func (a *api) getDigest(w http.ResponseWriter, r *http.Request) error {
	n, err := strconv.Atoi(r.PathValue("number"))
	if err != nil {
		return invalid("number", lang.M("api.error.number", "name", "number", "least", 1, "most", 1_000_000))
	}
	version, err := number(r.URL.Query(), "version", 0, 1, 1_000_000)
	if err != nil {
		return err
	}
	rec, err := desk.FindDigest(r.Context(), n, version, a.Digests)
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, rec.Issue)
}
