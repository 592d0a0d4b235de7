package config

import (
	"net/url"

	"github.com/sekisho/sekisho/lang"
)

// DefaultTokenEnv is the variable in which the token for a server is, unless the
// user names another one.
const DefaultTokenEnv = "SEKISHO_TOKEN"

// Server is a sekisho elsewhere that is asked instead of working here.
type Server struct {
	URL      string // "" to work here
	TokenEnv string // name of the variable with the token
}

// serverURL reads the address of a server. A token goes there, so it is sent over
// TLS or not at all.
func (v value) serverURL() (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		v.bad(lang.M("config.why.server-url"), lang.M("config.hint.server-url"))
		return "", false
	case u.User != nil:
		v.bad(lang.M("config.why.password"), lang.Message{})
		return "", false
	}
	return s, true
}
