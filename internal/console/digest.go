package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
	"github.com/sekisho/sekisho/lang"
)

func (c *Console) digestRoutes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Pattern: "/digest", Rule: web.Login, Handler: c.digest},
		{Method: http.MethodPost, Pattern: "/digest", Rule: web.Login, Handler: c.makeDigest},
		{Method: http.MethodGet, Pattern: "/digest/{n}", Rule: web.Login, Handler: c.digest},
		{Method: http.MethodGet, Pattern: "/digest/{n}/{file}", Rule: web.Login, Handler: c.digestFile},
	}
}

// digestPage is the newsletter: its issues, and one of them.
type digestPage struct {
	*desk.DigestView

	Shown desk.DigestSummary // the issue that is shown
	Month string             // that a new issue would be about
	Files []string
	Form  *form
}

func (c *Console) digest(w http.ResponseWriter, r *http.Request) { c.showDigest(w, r, nil) }

func (c *Console) showDigest(w http.ResponseWriter, r *http.Request, f *form) {
	n := 0
	if s := r.PathValue("n"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil || n < 1 {
			c.Refuse(w, r, http.StatusNotFound, nil)
			return
		}
	}
	v, err := desk.DigestPage(r.Context(), n, c.language(r), c.Digests)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	p := &digestPage{DigestView: v, Form: f, Month: c.Now().AddDate(0, 0, -15).Format("2006-01")}
	if v.Issue != nil {
		i := slices.IndexFunc(v.Issues, func(s desk.DigestSummary) bool { return s.Number == v.Issue.Number })
		if i >= 0 {
			p.Shown = v.Issues[i]
		}
		rec, err := desk.FindDigest(r.Context(), v.Issue.Number, 0, c.Digests)
		if err != nil {
			c.fail(w, r, err)
			return
		}
		for name := range rec.Forms {
			p.Files = append(p.Files, name)
		}
		slices.Sort(p.Files)
	}
	status := http.StatusOK
	if f != nil {
		status = http.StatusUnprocessableEntity
	}
	c.pageStatus(w, r, status, "digest", p)
}

// makeDigest makes the issue of a month.
func (c *Console) makeDigest(w http.ResponseWriter, r *http.Request) {
	f := newForm(r, "month", "title")
	from, err := time.ParseInLocation("2006-01", f.Values["month"], c.Now().Location())
	if err != nil {
		f.Error = &desk.Error{Kind: desk.Invalid, Message: lang.M("console.digest.error.month"), Hint: lang.M("console.digest.hint.month")}
		c.showDigest(w, r, f)
		return
	}
	in := &desk.DigestInput{From: from, To: from.AddDate(0, 1, -1), Title: strings.TrimSpace(f.Values["title"])}
	rec, err := desk.MakeDigest(r.Context(), in, &desk.DigestDeps{Store: c.Digests, News: c.newsDeps(), Patch: c.patchDeps()})
	if err != nil {
		if !f.refuse(err) {
			c.fail(w, r, err)
			return
		}
		c.showDigest(w, r, f)
		return
	}
	c.done(w, r, "/digest/"+strconv.Itoa(rec.Issue.Number), "digest-made", rec.Issue.Number)
}

// digestFile hands out one form of an issue, as it was kept.
func (c *Console) digestFile(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 1 {
		c.Refuse(w, r, http.StatusNotFound, nil)
		return
	}
	rec, err := desk.FindDigest(r.Context(), n, 0, c.Digests)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	name := r.PathValue("file")
	data, ok := rec.Forms[name]
	if !ok {
		c.Refuse(w, r, http.StatusNotFound, nil)
		return
	}
	if r.URL.Query().Get("show") != "" && strings.HasSuffix(name, ".html") {
		// A document of its own, with its styles in it, and with nothing else.
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups; frame-ancestors 'none'; base-uri 'none'")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(data) // the reader has gone if it fails
		return
	}
	download(w, name, "application/octet-stream", data)
}
