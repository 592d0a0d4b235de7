package console

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
)

func (c *Console) enterRoutes() []web.Route {
	routes := []web.Route{
		{Method: http.MethodGet, Pattern: "/setup/{token}", Rule: web.Public, Handler: c.setUp},
		{Method: http.MethodPost, Pattern: "/setup/{token}", Rule: web.Public, Handler: c.setUpAdmin},
		{Method: http.MethodGet, Pattern: "/login", Rule: web.Public, Handler: c.enter},
		{Method: http.MethodPost, Pattern: "/login", Rule: web.Public, Handler: c.login},
		{Method: http.MethodPost, Pattern: "/logout", Rule: web.Login, Handler: c.logout},
	}
	if c.Demo != "" {
		routes = append(routes, web.Route{Method: http.MethodGet, Pattern: "/demo/{token}", Rule: web.Public, Handler: c.enterDemo})
	}
	return routes
}

// Enter is for [web.Options]: it sends a reader who has to sign in to the page
// for that, and back afterwards.
func (c *Console) Enter(w http.ResponseWriter, r *http.Request) {
	next := ""
	if r.Method == http.MethodGet {
		next = web.LocalPath(r.URL.RequestURI())
	}
	if next == "/" {
		next = ""
	}
	to, err := withQuery("/login", "next", next)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func visit(r *http.Request) desk.Visit {
	return desk.Visit{Address: web.Address(r), Agent: r.UserAgent(), Token: web.Token(r)}
}

// setUpPage is the page behind a one-time link.
type setUpPage struct {
	Invitation *desk.Invitation
	Groups     []string // of the secret, as people type it
	QR         qrCode
	Form       *form
	Min        int
}

func (c *Console) setUp(w http.ResponseWriter, r *http.Request) {
	c.showSetUp(w, r, http.StatusOK, newForm(r))
}

func (c *Console) showSetUp(w http.ResponseWriter, r *http.Request, status int, f *form) {
	inv, err := desk.InvitationOf(r.Context(), r.PathValue("token"), c.Account)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	p := setUpPage{Invitation: inv, Form: f, Min: desk.MinPassword, QR: drawQR(inv.URI)}
	for s := inv.Secret; s != ""; {
		n := min(4, len(s))
		p.Groups, s = append(p.Groups, s[:n]), s[n:]
	}
	c.pageStatus(w, r, status, "setup", p)
}

func (c *Console) setUpAdmin(w http.ResponseWriter, r *http.Request) {
	token, err := desk.SetUpAdmin(r.Context(), desk.SetUpInput{
		Token: r.PathValue("token"), Password: r.PostFormValue(desk.FieldPassword), Repeated: r.PostFormValue(desk.FieldRepeated),
		Code: r.PostFormValue(desk.FieldCode), Visit: visit(r),
	}, c.Account)
	if err == nil {
		web.SetToken(w, r, token, desk.SessionFor)
		c.done(w, r, "/", "admin-made", 0)
		return
	}
	f := newForm(r)
	wait(w, err)
	if _, ok := errors.AsType[*desk.FieldError](err); ok && f.refuse(err) {
		c.showSetUp(w, r, http.StatusUnprocessableEntity, f)
		return
	}
	c.fail(w, r, err)
}

// wait tells programs what a person reads in the message.
func wait(w http.ResponseWriter, err error) {
	if e, ok := errors.AsType[*desk.WaitError](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(int((e.Wait+time.Second-1)/time.Second)))
	}
}

// loginPage is the page on which people sign in.
type loginPage struct {
	Form  *form
	Next  string
	Fresh bool // nobody has set the account up
}

func (c *Console) enter(w http.ResponseWriter, r *http.Request) {
	if web.Session(r) != nil {
		http.Redirect(w, r, web.LocalPath(r.URL.Query().Get("next")), http.StatusSeeOther)
		return
	}
	has, err := desk.HasAdmin(r.Context(), c.Account)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.page(w, r, "login", loginPage{Form: newForm(r), Next: web.LocalPath(r.URL.Query().Get("next")), Fresh: !has})
}

func (c *Console) login(w http.ResponseWriter, r *http.Request) {
	next := web.LocalPath(r.PostFormValue("next"))
	token, err := desk.Login(r.Context(), desk.LoginInput{Password: r.PostFormValue(desk.FieldPassword), Code: r.PostFormValue(desk.FieldCode), Visit: visit(r)}, c.Account)
	if err == nil {
		web.SetToken(w, r, token, desk.SessionFor)
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	f := newForm(r)
	wait(w, err)
	if !f.refuse(err) {
		c.fail(w, r, err)
		return
	}
	status := http.StatusForbidden
	if f.Error != nil && f.Error.Kind == desk.Limit {
		status = http.StatusTooManyRequests
	}
	c.pageStatus(w, r, status, "login", loginPage{Form: f, Next: next})
}

func (c *Console) logout(w http.ResponseWriter, r *http.Request) {
	if err := desk.Logout(r.Context(), web.Session(r), c.Account); err != nil {
		c.fail(w, r, err)
		return
	}
	web.SetToken(w, r, "", 0)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// enterDemo signs in to a desk of examples.
func (c *Console) enterDemo(w http.ResponseWriter, r *http.Request) {
	if subtle.ConstantTimeCompare([]byte(strings.TrimSpace(r.PathValue("token"))), []byte(c.Demo)) != 1 {
		c.Refuse(w, r, http.StatusNotFound, nil)
		return
	}
	token, err := desk.OpenDemo(r.Context(), visit(r), c.Account)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	web.SetToken(w, r, token, desk.SessionFor)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
