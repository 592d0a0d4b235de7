package httpapi

import (
	"context"
	"net/http"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/triage"
)

// newsDays is how far back a list of news goes by itself.
const newsDays = 30

func newsEndpoints() []endpoint {
	return []endpoint{
		{
			id: "listNews", method: http.MethodGet, path: "/news", scope: desk.NewsRead, summary: "Stories of the news, the most urgent first",
			params: []param{
				{name: "since", kind: "string", form: "date", about: "With an item of that day or later, also a time (RFC 3339); 30 days back without it."},
				{name: "grade", kind: "string", many: true, words: []string{"A", "B", "C", "D"}, about: "Of that grade."},
				{name: "source", kind: "string", about: "With an item of that source."},
			},
			answer: answer{schema: "story.v1", list: true}, heavy: true, handle: (*api).listNews,
		},
		{
			id: "listSources", method: http.MethodGet, path: "/news/sources", scope: desk.NewsRead, summary: "Where news comes from, and in what state each source is",
			answer: answer{schema: "news-source.v1", list: true}, handle: (*api).listSources,
		},
		{
			id: "pullNews", method: http.MethodPost, path: "/news/pull", scope: desk.NewsWrite, summary: "Read the sources of news now",
			params: []param{
				{name: "source", kind: "string", many: true, about: "Only that source; without it, all that are on."},
				{name: "force", kind: "boolean", about: "Also sources that are not due yet."},
			},
			answer: answer{schema: "news-pull.v1", events: true}, time: longest, heavy: true, handle: (*api).pullNews,
		},
		{
			id: "getStory", method: http.MethodGet, path: "/news/{id}", scope: desk.NewsRead, summary: "A story with its items, their versions, and what was written about it",
			params: []param{{name: "id", kind: "string", about: "As the list has it."}},
			answer: answer{schema: "story-detail.v1"}, handle: (*api).getStory,
		},
	}
}

func (a *api) newsDeps() *desk.NewsDeps {
	return &desk.NewsDeps{Store: a.News, Fetch: a.Fetch, Sources: a.Config.News, Facts: a.Config.Facts, Words: a.Words, Now: a.Now}
}

func (a *api) listNews(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f := &desk.NewsFilter{Source: q.Get("source")}
	var err error
	if f.Since, err = instant(q, "since", a.Now().Location()); err != nil {
		return err
	}
	if f.Since.IsZero() {
		f.Since = a.Now().AddDate(0, 0, -newsDays)
	}
	for _, g := range q["grade"] {
		f.Grades = append(f.Grades, triage.Grade(g))
	}
	list, _, err := desk.ListNews(r.Context(), f, a.newsDeps())
	if err != nil {
		return err
	}
	if list == nil {
		list = []desk.StoryRecord{}
	}
	return write(w, http.StatusOK, list)
}

func (a *api) listSources(w http.ResponseWriter, r *http.Request) error {
	list, err := desk.ListSources(r.Context(), a.newsDeps())
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, list)
}

func (a *api) pullNews(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	force, err := flag(q, "force")
	if err != nil {
		return err
	}
	return a.long(w, r, func(ctx context.Context, report func(done, total int)) (any, error) {
		deps := a.newsDeps()
		deps.Progress = report
		return desk.PullNews(ctx, &desk.PullInput{Sources: q["source"], Force: force}, deps)
	})
}

func (a *api) getStory(w http.ResponseWriter, r *http.Request) error {
	d, err := desk.ShowNews(r.Context(), r.PathValue("id"), a.Advisories, a.newsDeps())
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, d)
}
