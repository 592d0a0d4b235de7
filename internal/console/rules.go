package console

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/internal/web"
	"github.com/sekisho/sekisho/lang"
)

// rulesPageSize is how many rules one page lists.
const rulesPageSize = 100

func (c *Console) ruleRoutes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Pattern: "/rules", Rule: web.Login, Handler: c.rules},
		{Method: http.MethodGet, Pattern: "/rules/{id...}", Rule: web.Login, Handler: c.rule},
		{Method: http.MethodPost, Pattern: "/rules/exception/{id}/remove", Rule: web.Login, Handler: c.removeException},
	}
}

// rulesPage is the rules, what they need, and the exceptions from them.
type rulesPage struct {
	Text, State string
	States      []stateCount
	Needs       []needCount
	Total       int
	Found       int
	Rules       []desk.RuleRecord
	Pager       pager
	Exceptions  []desk.Exception
	Ended       int
}

// stateCount is how many rules are in a state.
type stateCount struct {
	State desk.RuleState
	N     int
}

// needCount is how many rules lack something.
type needCount struct {
	Text lang.Text
	N    int
}

// ruleSet returns the rules that mails are judged by, and what there is for them.
func (c *Console) ruleSet(r *http.Request) (*feeds.Set, desk.Means, error) {
	judging, err := c.Mail.Judge(r.Context())
	if err != nil {
		return nil, desk.Means{}, err
	}
	set := judging.Rules
	if set == nil {
		set, err = desk.LoadRules(r.Context(), nil, false, nil)
	}
	return set, desk.Means{Facts: &c.Config.Facts, Lists: judging.Lists, History: judging.History}, err
}

func (c *Console) rules(w http.ResponseWriter, r *http.Request) {
	set, means, err := c.ruleSet(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	q := r.URL.Query()
	p := &rulesPage{Text: strings.TrimSpace(q.Get("q")), State: q.Get("state")}
	list := desk.ListRules(set, means, c.Words)
	p.Total = len(list)
	p.count(list)
	words := strings.Fields(strings.ToLower(p.Text))
	list = slices.DeleteFunc(list, func(x desk.RuleRecord) bool {
		text := strings.ToLower(x.ID + " " + x.Name + " " + x.Title.JA + " " + x.Title.EN + " " + x.From)
		return p.State != "" && string(x.State) != p.State || slices.ContainsFunc(words, func(s string) bool { return !strings.Contains(text, s) })
	})
	p.Found = len(list)
	from, err := strconv.Atoi(q.Get("from"))
	if err != nil || from < 0 || from >= len(list) {
		from = 0
	}
	p.Rules = list[from:min(from+rulesPageSize, len(list))]
	if next := from + rulesPageSize; next < len(list) {
		p.Pager.Older, _ = withQuery("/rules", "q", p.Text, "state", p.State, "from", next)
	}
	if from > 0 {
		p.Pager.Newest, _ = withQuery("/rules", "q", p.Text, "state", p.State)
	}
	out, err := desk.AllowList(r.Context(), desk.AllowListInput{}, desk.AllowDeps{Store: c.Exceptions, Facts: c.Config.Facts, Now: c.Now})
	if err != nil {
		c.fail(w, r, err)
		return
	}
	p.Exceptions, p.Ended = out.Exceptions, out.Ended
	c.page(w, r, "rules", p)
}

// count sums the rules up by state and by what they lack.
func (p *rulesPage) count(list []desk.RuleRecord) {
	for i := range list {
		x := &list[i]
		at := slices.IndexFunc(p.States, func(s stateCount) bool { return s.State == x.State })
		if at < 0 {
			at = len(p.States)
			p.States = append(p.States, stateCount{State: x.State})
		}
		p.States[at].N++
		var seen []lang.Text
		for _, n := range x.Needs {
			if slices.Contains(seen, n.Text) {
				continue
			}
			seen = append(seen, n.Text)
			at := slices.IndexFunc(p.Needs, func(s needCount) bool { return s.Text == n.Text })
			if at < 0 {
				at = len(p.Needs)
				p.Needs = append(p.Needs, needCount{Text: n.Text})
			}
			p.Needs[at].N++
		}
	}
	slices.SortStableFunc(p.Needs, func(a, b needCount) int { return cmp.Compare(b.N, a.N) })
	p.Needs = p.Needs[:min(len(p.Needs), 12)]
}

func (c *Console) rule(w http.ResponseWriter, r *http.Request) {
	set, means, err := c.ruleSet(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	found := desk.FindRules(set, r.PathValue("id"))
	if len(found) == 0 {
		c.Refuse(w, r, http.StatusNotFound, nil)
		return
	}
	c.page(w, r, "rule", desk.ShowRule(set, found[0], means, c.Words))
}

func (c *Console) removeException(w http.ResponseWriter, r *http.Request) {
	out, err := desk.AllowRemove(r.Context(), desk.AllowRemoveInput{ID: r.PathValue("id")}, desk.AllowDeps{Store: c.Exceptions, Facts: c.Config.Facts, Now: c.Now})
	if err == nil {
		err = c.Mail.Audit.AppendAudit(r.Context(), desk.AuditEntry{At: c.Now(), Who: desk.WhoAdmin, Act: desk.ActExceptionRemoved, Object: out.Exception.ID})
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.done(w, r, "/rules", "exception-removed", 1)
}
