// Package console is the desk in a browser: pages, forms and what they are made
// of. It decides nothing; every page shows what an Action of package desk
// returned, and every form calls one.
//
// # A page
//
// A page is a file of its own: mail.go with its handlers and
//
//	func (c *Console) mailRoutes() []web.Route
//
// which [Console.Routes] joins, and templates/mail.html, which defines "title"
// and "content". The handler ends with c.page(w, r, "mail", data); in the
// template, the data is .Data. An entry of the rail appears as soon as a route
// answers its path; see rail. Words are in the catalogue under "console.":
// "console.mail.title" is {{T "mail.title"}}.
//
// # What templates have
//
//	T "name" "arg" value ...   words of the catalogue, "console." in front
//	text .Reason               a lang.Text in the reader's language
//	say .Message               a lang.Message
//	date .At, moment .At       a date with its weekday; with hour and minute
//	n .Count, size .Bytes      numbers
//	defang .URL                text in which no link can be clicked or copied by mistake
//	verdict .Word, grade .G    symbol and word, coloured
//	link "/mail" "q" .Text ... a path with a query; empty values are left out
//	field .Form "name" "text" ""  for {{template "field" ...}}: label, input, hint, error
//
// Partials: "field" (above), "pager" (of a pager: newer and older), "empty" (of
// an emptiness: what the page will show and what fills it).
//
// # What handlers have
//
// c.page shows a page, c.fail an error whatever its kind, c.done goes to another
// page after a form and says there what was done (flash; words under
// "console.flash."), c.say renders words. newForm keeps what was typed and what
// is wrong with it. Every form works without a script: it is sent by POST to a
// path of its own, which answers with c.done or, with what was typed, with the
// page again. No page has inline style or script: the policy of package web
// would refuse it.
package console

import (
	"context"
	"embed"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
	"github.com/sekisho/sekisho/lang"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static
var staticFiles embed.FS

// Deps is what the pages need from outside.
type Deps struct {
	Account    desk.AccountDeps
	Mail       desk.MailDeps
	News       desk.NewsStore
	Advisories desk.AdvisoryStore
	Reports    desk.ReportStore
	Exceptions desk.ExceptionStore
	Retro      desk.RetroStore
	Similar    desk.SimilarStore
	Read       ItemReader // of what is handed in
	Patch      desk.PatchStore
	Digests    desk.DigestStore
	Tokens     desk.TokenDeps
	Config     *config.Config
	Words      *lang.Catalogue // nil: the built-in one
	Now        func() time.Time
	Version    string

	// Demo is the token of a link that signs in without a password, for a desk of
	// examples that nobody else reaches; "" without one.
	Demo string
}

// Console makes the pages. It is safe for concurrent use.
type Console struct {
	Deps

	pages  map[lang.Language]map[string]*template.Template
	rail   []place
	routes []web.Route
	static map[string]asset
}

// rail are the places of the console in their order. Those without a route are
// not shown.
var rail = [...]struct{ name, path string }{
	{"today", "/"},
	{"mail", "/mail"},
	{"domains", "/domains"},
	{"news", "/news"},
	{"advisories", "/advisories"},
	{"digest", "/digest"},
	{"updates", "/updates"},
	{"rules", "/rules"},
	{"settings", "/settings"},
	{"audit", "/audit"},
}

// place is an entry of the rail.
type place struct{ Name, Path string }

// New reads the templates. Errors are mistakes in them.
func New(d Deps) (*Console, error) {
	if d.Words == nil {
		d.Words = lang.Default()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	c := &Console{Deps: d}
	var err error
	if c.static, err = readStatic(); err != nil {
		return nil, err
	}
	if c.pages, err = c.readPages(); err != nil {
		return nil, err
	}
	c.routes = slices.Concat(
		c.staticRoutes(),
		c.enterRoutes(),
		c.languageRoutes(),
		c.todayRoutes(),
		c.mailRoutes(),
		c.newsRoutes(),
		c.advisoryRoutes(),
		c.domainRoutes(),
		c.digestRoutes(),
		c.updateRoutes(),
		c.ruleRoutes(),
		c.retroRoutes(),
		c.settingsRoutes(),
		c.tokenRoutes(),
		c.auditRoutes(),
	)
	for _, p := range rail {
		if c.has(p.path) {
			c.rail = append(c.rail, place{p.name, p.path})
		}
	}
	return c, nil
}

// Routes returns all routes of the console.
func (c *Console) Routes() []web.Route { return slices.Clone(c.routes) }

// has reports whether some page answers a path without wild cards.
func (c *Console) has(path string) bool {
	return slices.ContainsFunc(c.routes, func(r web.Route) bool {
		return r.Method == http.MethodGet && (r.Pattern == path || path == "/" && r.Pattern == "/{$}")
	})
}

// Authenticate is for [web.Options].
func (c *Console) Authenticate(ctx context.Context, token string) (*desk.Session, error) {
	return desk.Authenticate(ctx, token, c.Account)
}

// language returns the language of a reader: the one chosen, else the one that
// the browser prefers, else that of the configuration, else English.
func (c *Console) language(r *http.Request) lang.Language {
	if k, err := r.Cookie(languageCookie); err == nil && (k.Value == string(lang.JA) || k.Value == string(lang.EN)) {
		return lang.Language(k.Value)
	}
	accepted := r.Header.Get("Accept-Language")
	for part := range strings.SplitSeq(accepted[:min(len(accepted), 200)], ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		switch primary, _, _ := strings.Cut(strings.ToLower(tag), "-"); primary {
		case "ja":
			return lang.JA
		case "en":
			return lang.EN
		}
	}
	if c.Config != nil && c.Config.Language == lang.JA {
		return lang.JA
	}
	return lang.EN
}

const languageCookie = "sekisho-language"

func (c *Console) languageRoutes() []web.Route {
	return []web.Route{{Method: http.MethodPost, Pattern: "/language", Rule: web.Public, Handler: c.chooseLanguage}}
}

func (c *Console) chooseLanguage(w http.ResponseWriter, r *http.Request) {
	if l := r.PostFormValue("language"); l == string(lang.JA) || l == string(lang.EN) {
		web.SetChoice(w, r, languageCookie, l)
	}
	http.Redirect(w, r, web.LocalPath(r.PostFormValue("next")), http.StatusSeeOther)
}
