package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The names of the cookie with the token of a session. A browser takes one of
// the first name only with Secure, Path=/ and without Domain, so that nobody
// else's subdomain can set it.
const (
	secureCookie = "__Host-sekisho"
	plainCookie  = "sekisho"
)

// Secure reports whether cookies are for TLS alone: always, but for a browser on
// this very machine.
func Secure(r *http.Request) bool { return !LoopbackHost(r.Host) }

func cookieName(r *http.Request) string {
	if Secure(r) {
		return secureCookie
	}
	return plainCookie
}

// Token returns the token that a browser sent, "" without one.
func Token(r *http.Request) string {
	c, err := r.Cookie(cookieName(r))
	if err != nil {
		return ""
	}
	return c.Value
}

// SetToken gives a browser a token for that long; "" takes it away.
func SetToken(w http.ResponseWriter, r *http.Request, token string, hold time.Duration) {
	c := &http.Cookie{
		Name: cookieName(r), Value: token, Path: "/", MaxAge: int(hold / time.Second),
		HttpOnly: true, Secure: Secure(r), SameSite: http.SameSiteLaxMode,
	}
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// SetChoice gives a browser a choice of its reader, such as the language.
func SetChoice(w http.ResponseWriter, r *http.Request, name, value string) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(365 * 24 * time.Hour / time.Second),
		HttpOnly: true, Secure: Secure(r), SameSite: http.SameSiteLaxMode,
	})
}

// LocalPath returns where a form says to go next if that is a page of this
// program, and "/" otherwise.
func LocalPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || !strings.HasPrefix(u.Path, "/") {
		return "/"
	}
	// Browsers take a backslash for a slash, and drop control characters.
	if strings.HasPrefix(next, "//") || strings.HasPrefix(u.Path, "//") || strings.ContainsFunc(next, func(c rune) bool { return c == '\\' || c < ' ' || c == 0x7f }) || strings.Contains(u.Path, `\`) {
		return "/"
	}
	return u.RequestURI()
}
