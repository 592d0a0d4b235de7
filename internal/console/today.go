package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
)

func (c *Console) todayRoutes() []web.Route {
	return []web.Route{{Method: http.MethodGet, Pattern: "/{$}", Rule: web.Login, Handler: c.today}}
}

// todayPage is what needs a decision.
type todayPage struct {
	*desk.Today

	Rows  []desk.Decision // those that are listed
	More  []moreRow       // those that are counted
	Words []desk.Word     // in the order in which they are counted
	Total int
	Date  time.Time
	Empty emptiness
}

// moreRow counts decisions of one kind that are not listed.
type moreRow struct {
	Kind desk.DecisionKind
	N    int
	Path string // of the page that lists them; "" for none
}

// maxTodayRows is how many decisions of one kind the page lists, so that a
// hundred mails do not hide the one matter of news.
const maxTodayRows = 8

// list divides the decisions into those that are listed and those that are
// counted.
func (p *todayPage) list(c *Console) {
	n := map[desk.DecisionKind]int{}
	for _, d := range p.Decisions {
		if n[d.Kind]++; n[d.Kind] <= maxTodayRows {
			p.Rows = append(p.Rows, d)
		}
	}
	for kind, path := range map[desk.DecisionKind]string{desk.DecideMail: "/mail", desk.DecideStory: "/news", desk.DecideException: "/rules"} {
		if n[kind] > maxTodayRows {
			row := moreRow{Kind: kind, N: n[kind] - maxTodayRows}
			if c.has(path) {
				row.Path = path
			}
			p.More = append(p.More, row)
		}
	}
	slices.SortFunc(p.More, func(a, b moreRow) int { return cmp.Compare(a.Kind, b.Kind) })
}

func (c *Console) today(w http.ResponseWriter, r *http.Request) {
	t, err := desk.LookToday(r.Context(), desk.TodayDeps{
		Mails: c.Mail.Mails, News: c.News, Advisories: c.Advisories, Exceptions: c.Exceptions, Retro: c.Retro, Facts: c.Config.Facts, Words: c.Words, Now: c.Now,
	})
	if err != nil {
		c.fail(w, r, err)
		return
	}
	p := &todayPage{Today: t, Date: c.Now(), Words: []desk.Word{desk.Malicious, desk.Suspicious, desk.Spam, desk.Undecided, desk.Clean}}
	p.list(c)
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
