package console

import (
	"net/http"
	"net/url"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
)

func (c *Console) todayRoutes() []web.Route {
	return []web.Route{{Method: http.MethodGet, Pattern: "/{$}", Rule: web.Login, Handler: c.today}}
}

// todayPage is what needs a decision.
type todayPage struct {
	*desk.Today

	Words []desk.Word // in the order in which they are counted
	Total int
	Empty emptiness
}

// maxTodayRows is how many decisions the page lists; the others are counted.
const maxTodayRows = 30

// More is how many decisions are not listed.
func (p *todayPage) More() int { return max(0, len(p.Decisions)-maxTodayRows) }

// Rows are the decisions that are listed.
func (p *todayPage) Rows() []desk.Decision { return p.Decisions[:min(len(p.Decisions), maxTodayRows)] }

func (c *Console) today(w http.ResponseWriter, r *http.Request) {
	t, err := desk.LookToday(r.Context(), desk.TodayDeps{
		Mails: c.Mail.Mails, News: c.News, Advisories: c.Advisories, Exceptions: c.Exceptions, Facts: c.Config.Facts, Words: c.Words, Now: c.Now,
	})
	if err != nil {
		c.fail(w, r, err)
		return
	}
	p := &todayPage{Today: t, Words: []desk.Word{desk.Malicious, desk.Suspicious, desk.Spam, desk.Undecided, desk.Clean}}
	for _, n := range t.Mails {
		p.Total += n.Mails
	}
	p.Empty = emptiness{What: "today.empty", How: "today.empty.how", Command: "sekisho news pull"}
	if c.has("/mail") {
		p.Empty.Path, p.Empty.Button = "/mail", "today.empty.button"
	}
	c.page(w, r, "today", p)
}

// pathOf returns the page on which something is decided, "" if there is none
// yet.
func (c *Console) pathOf(d desk.Decision) string {
	switch d.Kind {
	case desk.DecideMail:
		if c.has("/mail") {
			return "/mail/" + url.PathEscape(d.ID)
		}
	case desk.DecideStory:
		if c.has("/news") {
			return "/news/" + url.PathEscape(d.ID)
		}
	case desk.DecideException:
		if c.has("/rules") {
			return "/rules"
		}
	}
	return ""
}
