package console

import (
	"net/http"
	"strconv"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
	"github.com/sekisho/sekisho/lang"
)

func (c *Console) tokenRoutes() []web.Route {
	return []web.Route{
		{Method: http.MethodPost, Pattern: "/settings/tokens", Rule: web.Admin, Handler: c.makeToken},
		{Method: http.MethodPost, Pattern: "/settings/tokens/{name}/revoke", Rule: web.Admin, Handler: c.revokeToken},
	}
}

// tokensView is the part of the settings about the tokens of programs.
type tokensView struct {
	Rows   []tokenRow
	Scopes []scopeRow
	Days   []int
	Form   *form
	Chosen int    // days
	Name   string // of the token that was just made
	Secret string // that token: this once
}

// tokenRow is a token in the list.
type tokenRow struct {
	desk.APIToken

	Active bool
}

// scopeRow is a scope that can be chosen.
type scopeRow struct {
	Scope  desk.Scope
	Word   lang.Message
	Chosen bool
}

// tokenDays are the spans that the form offers.
var tokenDays = [...]int{30, 90, 365}

func (c *Console) tokens(r *http.Request) (*tokensView, error) {
	list, err := desk.ListTokens(r.Context(), c.Tokens)
	if err != nil {
		return nil, err
	}
	v := &tokensView{Days: tokenDays[:], Chosen: int(desk.TokenFor / (24 * time.Hour)), Form: newForm(r)}
	for _, t := range list {
		v.Rows = append(v.Rows, tokenRow{t, t.Holds(c.Now())})
	}
	for _, s := range desk.Scopes() {
		v.Scopes = append(v.Scopes, scopeRow{Scope: s, Word: s.Word()})
	}
	return v, nil
}

// makeToken shows the settings with the new token: it is seen once, and so never
// part of a page that can be asked for again.
func (c *Console) makeToken(w http.ResponseWriter, r *http.Request) {
	f := newForm(r, desk.FieldName)
	days, err := strconv.Atoi(r.PostFormValue(desk.FieldFor))
	if err != nil {
		days = -1
	}
	in := desk.MakeTokenInput{Name: f.Values[desk.FieldName], For: time.Duration(min(days, 1000)) * 24 * time.Hour, Who: desk.WhoAdmin}
	chosen := map[desk.Scope]bool{}
	for _, s := range r.PostForm[desk.FieldScopes] {
		in.Scopes = append(in.Scopes, desk.Scope(s))
		chosen[desk.Scope(s)] = true
	}
	secret, _, err := desk.MakeToken(r.Context(), in, c.Tokens)
	if err != nil && !f.refuse(err) {
		c.fail(w, r, err)
		return
	}
	v, listErr := c.tokens(r)
	if listErr != nil {
		c.fail(w, r, listErr)
		return
	}
	status := http.StatusOK
	if err != nil {
		status, v.Form, v.Chosen = http.StatusUnprocessableEntity, f, days
		for i := range v.Scopes {
			v.Scopes[i].Chosen = chosen[v.Scopes[i].Scope]
		}
	} else {
		v.Name, v.Secret = in.Name, secret
	}
	c.showSettings(w, r, status, v)
}

func (c *Console) revokeToken(w http.ResponseWriter, r *http.Request) {
	if err := desk.RevokeToken(r.Context(), r.PathValue("name"), desk.WhoAdmin, c.Tokens); err != nil {
		c.fail(w, r, err)
		return
	}
	c.done(w, r, "/settings", "token-revoked", 0)
}
