package console

import (
	"net/http"
	"time"

	"github.com/sekisho/sekisho/campaign"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
)

func (c *Console) retroRoutes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Pattern: "/rules/changes", Rule: web.Login, Handler: c.retro},
		{Method: http.MethodGet, Pattern: "/mail/{id}/similar", Rule: web.Login, Handler: c.similarMails},
	}
}

// retroPage is what other rules made of mails that are kept.
type retroPage struct {
	State   *desk.RetroReport
	Changes []desk.RetroChange
	All     bool
	More    bool
	Scores  []desk.RuleScore
	Phish   int // mails of each label over which rules are counted
	Fine    int
	Empty   emptiness
}

const (
	maxRetroRows = 100
	maxScoreRows = 30

	maxScoredMails = 200 // of each label; more would keep the reader waiting
	retroSince     = 90 * 24 * time.Hour
)

func (c *Console) retro(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	p := &retroPage{All: r.URL.Query().Get("all") != "", Empty: emptiness{What: "retro.empty", How: "retro.empty.how", Command: "sekisho retro run"}}
	deps := desk.RetroDeps{MailDeps: c.Mail, Retro: c.Retro, Similar: c.Similar, Words: c.Words}
	var err error
	if p.State, err = desk.RetroState(ctx, desk.RetroInput{Days: c.Config.Retro.Days}, deps); err != nil {
		c.fail(w, r, err)
		return
	}
	if p.Changes, err = c.Retro.RetroChanges(ctx, &desk.RetroQuery{Since: c.Now().Add(-retroSince), All: p.All, Limit: maxRetroRows + 1}); err != nil {
		c.fail(w, r, err)
		return
	}
	if len(p.Changes) > maxRetroRows {
		p.Changes, p.More = p.Changes[:maxRetroRows], true
	}
	if p.Scores, p.Phish, p.Fine, err = desk.RuleScores(ctx, maxScoredMails, c.Mail.Mails); err != nil {
		c.fail(w, r, err)
		return
	}
	p.Scores = p.Scores[:min(len(p.Scores), maxScoreRows)]
	c.page(w, r, "retro", p)
}

// similarPage is who else got a mail.
type similarPage struct {
	*desk.MailRow
	*desk.SimilarReport

	Rows []desk.SimilarMail
	More int
	Wide bool // other mails of the same sender, too
}

const maxSimilarRows = 100

func (c *Console) similarMails(w http.ResponseWriter, r *http.Request) {
	m := c.record(w, r)
	if m == nil {
		return
	}
	p := &similarPage{MailRow: &m.MailRow, Wide: r.URL.Query().Get("wide") != ""}
	least := campaign.Alike
	if p.Wide {
		least = campaign.SameSender
	}
	var err error
	p.SimilarReport, err = desk.SimilarMails(r.Context(), m.ID, least, c.Mail, c.Similar, desk.SimilarDeps{Facts: c.Config.Facts, Words: c.Words, Now: c.Now})
	if err != nil {
		c.fail(w, r, err)
		return
	}
	p.Rows = p.SimilarReport.Mails
	if n := len(p.Rows) - maxSimilarRows; n > 0 {
		p.Rows, p.More = p.Rows[:maxSimilarRows], n
	}
	c.page(w, r, "similar", p)
}
