package console

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
	"github.com/sekisho/sekisho/lang"
)

// view is what the layout shows around a page.
type view struct {
	Lang     lang.Language
	Other    lang.Language // the one that can be switched to
	Rail     []place       // nil where nobody signed in
	Here     string        // name of the place in the rail; "" for none
	Path     string        // with the query, to come back to
	Styles   string        // path of the style sheet
	Icon     string
	Demo     bool
	Flash    string
	SignedIn bool
	Data     any
}

// layout and partials are in every page.
const (
	layoutFile   = "templates/layout.html"
	partialsFile = "templates/partials.html"
)

// readPages parses each page once for each language, so that its functions know
// the language.
func (c *Console) readPages() (map[lang.Language]map[string]*template.Template, error) {
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	out := map[lang.Language]map[string]*template.Template{}
	for _, l := range []lang.Language{lang.JA, lang.EN} {
		out[l] = map[string]*template.Template{}
		base, err := template.New("layout.html").Funcs(c.funcs(l)).ParseFS(templateFiles, layoutFile, partialsFile)
		if err != nil {
			return nil, fmt.Errorf("console: %w", err)
		}
		for _, f := range files {
			if f == layoutFile || f == partialsFile {
				continue
			}
			t, err := base.Clone()
			if err == nil {
				t, err = t.ParseFS(templateFiles, f)
			}
			if err != nil {
				return nil, fmt.Errorf("console: %w", err)
			}
			out[l][strings.TrimSuffix(path.Base(f), ".html")] = t
		}
	}
	return out, nil
}

// page answers with a page.
func (c *Console) page(w http.ResponseWriter, r *http.Request, name string, data any) {
	c.pageStatus(w, r, http.StatusOK, name, data)
}

// pageStatus answers with a page and a status other than 200. The page is made
// whole before the first byte leaves.
func (c *Console) pageStatus(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	l := c.language(r)
	v := view{Lang: l, Other: lang.EN, Path: r.URL.RequestURI(), Styles: c.assetPath("console.css"), Icon: c.assetPath("icon.svg"), Demo: c.Demo != "", Data: data}
	if l == lang.EN {
		v.Other = lang.JA
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		v.Path = "/" // the path of a form cannot be asked for
	}
	if web.Session(r) != nil {
		v.SignedIn, v.Rail, v.Here = true, c.rail, placeOf(r.URL.Path)
		v.Flash = c.flash(w, r)
	}
	var b bytes.Buffer
	t := c.pages[l][name]
	if t == nil {
		http.Error(w, "sekisho: no page "+name, http.StatusInternalServerError)
		return
	}
	if err := t.Execute(&b, v); err != nil {
		// Which template failed is a mistake in the program; what it was about stays
		// here.
		http.Error(w, "sekisho: the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", string(l))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the reader has gone if it fails
}

// placeOf returns the place in the rail to which a path belongs.
func placeOf(p string) string {
	for _, e := range rail {
		if p == e.path || e.path != "/" && strings.HasPrefix(p, e.path+"/") {
			return e.name
		}
	}
	return ""
}

// say renders words of the console, whose keys are below "console.".
func (c *Console) say(l lang.Language, name string, pairs ...any) string {
	return c.Words.Say(l, lang.M("console."+name, pairs...))
}

// failure is what an error page shows.
type failure struct {
	Status  int
	Message lang.Message
	Hint    lang.Message
}

// fail answers with an error that says what happened and the way out.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // nobody waits any more
	}
	c.Refuse(w, r, web.StatusOf(err), err)
}

// Refuse is for [web.Options]: it answers with an error page.
func (c *Console) Refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	f := failure{Status: status}
	if e, ok := errors.AsType[*desk.Error](err); ok && e.Kind != desk.Internal {
		f.Message, f.Hint = e.Message, e.Hint
	} else {
		switch status {
		case http.StatusNotFound:
			f.Message, f.Hint = lang.M("console.error.not-found"), lang.M("console.hint.not-found")
		case http.StatusForbidden:
			f.Message, f.Hint = lang.M("console.error.forbidden"), lang.M("console.hint.forbidden")
		case http.StatusRequestEntityTooLarge:
			f.Message, f.Hint = lang.M("console.error.large"), lang.M("console.hint.large")
		default:
			f.Message, f.Hint = lang.M("console.error.internal"), lang.M("console.hint.internal")
		}
	}
	c.pageStatus(w, r, status, "error", f)
}

const flashCookie = "sekisho-flash"

// done goes to another page and says there, once, what was done: the words
// "console.flash.NAME", with the argument n.
func (c *Console) done(w http.ResponseWriter, r *http.Request, to, name string, n int) {
	http.SetCookie(w, &http.Cookie{
		Name: flashCookie, Value: name + ":" + strconv.Itoa(n), Path: "/", MaxAge: int(time.Minute / time.Second),
		HttpOnly: true, Secure: web.Secure(r), SameSite: http.SameSiteLaxMode,
	})
	http.Redirect(w, r, web.LocalPath(to), http.StatusSeeOther)
}

// flash returns what was done before this page, and forgets it.
func (c *Console) flash(w http.ResponseWriter, r *http.Request) string {
	k, err := r.Cookie(flashCookie)
	if err != nil {
		return ""
	}
	http.SetCookie(w, &http.Cookie{Name: flashCookie, Path: "/", MaxAge: -1, HttpOnly: true, Secure: web.Secure(r), SameSite: http.SameSiteLaxMode})
	name, number, _ := strings.Cut(k.Value, ":")
	n, err := strconv.Atoi(number)
	if err != nil || !c.Words.Has("console.flash."+name) {
		return ""
	}
	return c.say(c.language(r), "flash."+name, "n", n)
}

// form is what somebody typed and what is wrong with it.
type form struct {
	Values map[string]string
	Errors map[string]lang.Message // by the name of the field
	Error  *desk.Error             // of the form as a whole; nil for none
}

// newForm takes the named fields of a request. Passwords and codes are not for
// it: they are never sent back.
func newForm(r *http.Request, names ...string) *form {
	f := &form{Values: map[string]string{}, Errors: map[string]lang.Message{}}
	for _, n := range names {
		f.Values[n] = r.PostFormValue(n)
	}
	return f
}

// refuse notes an error. It reports whether the form can be shown with it; if
// not, the error is not about what was typed.
func (f *form) refuse(err error) bool {
	if e, ok := errors.AsType[*desk.FieldError](err); ok {
		f.Errors[e.Field] = e.Err.Message
		return true
	}
	e, ok := errors.AsType[*desk.Error](err)
	if !ok || e.Kind == desk.Internal || e.Kind == desk.Unavailable {
		return false
	}
	f.Error = e
	return true
}

// pager leads to the pages of a list before and after this one; "" for none.
type pager struct{ Newest, Older string }

// emptiness is what a page shows as long as there is nothing: what it will
// show, and what fills it. All are names of words; Path may be "".
type emptiness struct {
	What    string
	How     string
	Command string // literally, such as "sekisho news pull"
	Path    string // of a page that fills it, with Button on it
	Button  string
}
