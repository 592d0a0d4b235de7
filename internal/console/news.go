package console

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/source"
	"github.com/sekisho/sekisho/triage"
)

// Bounds of the pages of news.
const (
	maxArticle  = 8 << 20 // bytes that are handed in
	maxStories  = 200     // in the list
	defaultDays = 30
)

var grades = []triage.Grade{triage.A, triage.B, triage.C, triage.D}

func (c *Console) newsRoutes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Pattern: "/news", Rule: web.Login, Handler: c.stories},
		{Method: http.MethodPost, Pattern: "/news", Rule: web.Login, Body: maxArticle, Time: uploadTime, Handler: c.addNews},
		{Method: http.MethodGet, Pattern: "/news/sources", Rule: web.Login, Handler: c.sources},
		{Method: http.MethodGet, Pattern: "/news/{id}", Rule: web.Login, Handler: c.story},
		{Method: http.MethodPost, Pattern: "/news/{id}/advise", Rule: web.Login, Handler: c.adviseStory},
	}
}

// newsDeps is what the use cases about news need. The console itself asks no
// source.
func (c *Console) newsDeps() *desk.NewsDeps {
	return &desk.NewsDeps{Store: c.News, Sources: c.Config.News, Facts: c.Config.Facts, Words: c.Words, Now: c.Now}
}

// newsPage is the list of stories.
type newsPage struct {
	Grade   string
	Days    int
	Spans   []int
	Grades  []triage.Grade
	Stories []desk.StoryRecord
	More    int
	Older   int                 // stories that are older than the reader asked for, where there is none
	Gaps    []desk.SourceRecord // sources that were read and fail now
	Never   []desk.SourceRecord // sources that were never read
	Names   sourceNames
}

// sourceNames tells the names of sources by their id.
type sourceNames map[string]lang.Text

// Of returns the name of a source.
func (n sourceNames) Of(id string) lang.Text {
	if t, ok := n[id]; ok {
		return t
	}
	return lang.Text{JA: id, EN: id}
}

func (c *Console) sourceNames() sourceNames {
	out := sourceNames{"added": c.Words.Render(lang.M("news.added"))}
	for _, s := range c.Config.News {
		out[s.ID] = lang.Text(s.Name)
	}
	return out
}

func (c *Console) stories(w http.ResponseWriter, r *http.Request) {
	p := &newsPage{Grades: grades, Spans: []int{7, 30, 90, 365}, Days: defaultDays, Names: c.sourceNames()}
	for _, n := range p.Spans {
		if r.URL.Query().Get("days") == strconv.Itoa(n) {
			p.Days = n
		}
	}
	f := &desk.NewsFilter{Since: c.Now().AddDate(0, 0, -p.Days)}
	if g := triage.Grade(r.URL.Query().Get("grade")); slices.Contains(grades, g) {
		p.Grade = string(g)
		f.Grades = []triage.Grade{g}
	}
	list, gaps, err := desk.ListNews(r.Context(), f, c.newsDeps())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	if len(list) == 0 && p.Grade == "" {
		all, _, err := desk.ListNews(r.Context(), &desk.NewsFilter{}, c.newsDeps())
		if err != nil {
			c.fail(w, r, err)
			return
		}
		p.Older = len(all)
	}
	p.Stories = list[:min(len(list), maxStories)]
	p.More = len(list) - len(p.Stories)
	for _, g := range gaps {
		if g.Health == source.Unknown {
			p.Never = append(p.Never, g)
		} else {
			p.Gaps = append(p.Gaps, g)
		}
	}
	c.page(w, r, "news", p)
}

// addNews adds an article that somebody hands in.
func (c *Console) addNews(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseMultipartForm(maxArticle); err != nil { //nolint:gosec // the route bounds the body
		c.fail(w, r, formError(err, "news"))
		return
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }() // nobody waits for it
	data, name := []byte(strings.TrimSpace(r.PostFormValue("text"))), c.say(c.language(r), "mail.pasted")
	if files := r.MultipartForm.File["file"]; len(files) > 0 && files[0].Size > 0 {
		f, err := files[0].Open()
		if err == nil {
			data, err = io.ReadAll(f)
			_ = f.Close() // it was read
		}
		if err != nil {
			c.fail(w, r, err)
			return
		}
		name = files[0].Filename
	}
	if len(data) == 0 {
		c.fail(w, r, &desk.Error{Kind: desk.Invalid, Message: lang.M("console.news.error.nothing"), Hint: lang.M("console.news.hint.nothing")})
		return
	}
	out, err := desk.AddNews(r.Context(), data, name, "", "", c.newsDeps())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	if len(out.Stories) == 1 {
		c.done(w, r, "/news/"+url.PathEscape(out.Stories[0].ID), "news-added", 1)
		return
	}
	c.done(w, r, "/news", "news-added", len(out.Stories))
}

// storyPage is one story.
type storyPage struct {
	*desk.StoryDetail

	Names sourceNames
	Due   time.Time
	Late  bool
}

func (c *Console) story(w http.ResponseWriter, r *http.Request) {
	d, err := desk.ShowNews(r.Context(), r.PathValue("id"), c.Advisories, c.newsDeps())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	p := &storyPage{StoryDetail: d, Names: c.sourceNames(), Due: c.dueDay(d.Story.Due)}
	p.Late = c.late(p.Due)
	c.page(w, r, "story", p)
}

// dueDay reads a deadline, zero if there is none.
func (c *Console) dueDay(s string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, s, c.Now().Location())
	if err != nil {
		return time.Time{}
	}
	return t
}

// late reports whether the day of a deadline is over.
func (c *Console) late(due time.Time) bool {
	return !due.IsZero() && !c.Now().Before(due.AddDate(0, 0, 1))
}

// adviseStory writes an advisory about a story.
func (c *Console) adviseStory(w http.ResponseWriter, r *http.Request) {
	in, s, err := desk.StoryInput(r.Context(), r.PathValue("id"), c.newsDeps())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.writeAdvisory(w, r, in, s.ID)
}

// sourcesPage is where news comes from.
type sourcesPage struct{ Sources []desk.SourceRecord }

func (c *Console) sources(w http.ResponseWriter, r *http.Request) {
	list, err := desk.ListSources(r.Context(), c.newsDeps())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.page(w, r, "sources", &sourcesPage{list})
}
