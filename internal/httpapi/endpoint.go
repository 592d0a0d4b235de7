package httpapi

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
	"github.com/sekisho/sekisho/lang"
)

// Base is what the paths of the API begin with.
const Base = "/api/v1"

// endpoint is one thing that a program can ask for: its route, and what the
// document of the API says of it. There is no other place for either.
type endpoint struct {
	id      string // operationId, and how the tests name it
	method  string
	path    string     // below [Base]
	scope   desk.Scope // "" for anybody
	summary string
	about   string // what the summary leaves open; may be ""
	params  []param
	body    *body // nil for none
	answer  answer
	size    int64         // bytes of the body at most
	time    time.Duration // 0 is that of package web
	heavy   bool          // counts against [busiest]
	handle  func(a *api, w http.ResponseWriter, r *http.Request) error
}

// param is a parameter of the query, or of the path where the path names it.
type param struct {
	name  string
	about string
	kind  string   // a type of JSON Schema: "string", "integer", "boolean"
	form  string   // of a string: "date", "date-time"
	words []string // that it may be; nil for any
	many  bool     // may be given several times
}

// body is what a request carries.
type body struct {
	about string
	types []string // media types
	parts bool     // or files as multipart/form-data
	shape any      // schema of a JSON body; nil for others
}

// answer is what comes back when all goes well.
type answer struct {
	status int    // 0 is 200
	schema string // file in docs/schema without ".json"; "" for none
	list   bool   // an array of those
	types  []string
	about  string
	events bool // progress by Server-Sent Events, for who asks for them
}

func (e *endpoint) pattern() string { return Base + e.path }

// in reports whether the path has a parameter.
func (e *endpoint) in(name string) bool { return strings.Contains(e.path, "{"+name+"}") }

func (a *api) route(e *endpoint) web.Route {
	rule := web.Bearer
	if e.scope == "" {
		rule = web.Public
	}
	return web.Route{Method: e.method, Pattern: e.pattern(), Rule: rule, Scope: e.scope, Body: e.size, Time: e.time, Handler: func(w http.ResponseWriter, r *http.Request) {
		if err := a.serve(e, w, r); err != nil && r.Context().Err() == nil {
			a.refuse(w, web.StatusOf(err), err)
		}
	}}
}

func (a *api) serve(e *endpoint, w http.ResponseWriter, r *http.Request) error {
	if err := e.known(r.URL.Query()); err != nil {
		return err
	}
	if e.heavy {
		select {
		case a.turns <- struct{}{}:
			defer func() { <-a.turns }()
		case <-time.After(patience):
			return &desk.Error{Kind: desk.Unavailable, Message: lang.M("api.error.busy"), Hint: lang.M("api.hint.busy")}
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
	return e.handle(a, w, r)
}

// How much work is done at once, and how long a request waits for its turn.
const (
	busiest  = 4
	patience = 20 * time.Second
)

// known refuses a query with a parameter that does not exist, or with a word that
// it may not have: a filter that is misspelt must not return everything.
func (e *endpoint) known(q url.Values) error {
	for name, values := range q {
		i := slices.IndexFunc(e.params, func(p param) bool { return p.name == name && !e.in(name) })
		if i < 0 {
			return invalid(name, lang.M("api.error.unknown-parameter", "name", name))
		}
		p := &e.params[i]
		if len(values) > 1 && !p.many {
			return invalid(name, lang.M("api.error.twice", "name", name))
		}
		for _, v := range values {
			if p.words != nil && !slices.Contains(p.words, v) {
				return invalid(name, lang.M("api.error.word", "name", name, "words", p.words))
			}
		}
	}
	return nil
}

func invalid(name string, m lang.Message) error {
	return &desk.Error{Kind: desk.Invalid, Message: m, Hint: lang.M("api.hint.document"), Err: errors.New("parameter " + name)}
}

// flag reads a parameter that is true or false.
func flag(q url.Values, name string) (bool, error) {
	switch q.Get(name) {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, invalid(name, lang.M("api.error.word", "name", name, "words", []string{"true", "false"}))
}

// number reads a parameter that is a number from least to most.
func number(q url.Values, name string, usual, least, most int) (int, error) {
	s := q.Get(name)
	if s == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		return 0, invalid(name, lang.M("api.error.number", "name", name, "least", least, "most", most))
	}
	return n, nil
}

// instant reads a parameter that is a date, at midnight of the zone, or a time.
func instant(q url.Values, name string, zone *time.Location) (time.Time, error) {
	s := q.Get(name)
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, s, zone)
	if err != nil {
		return t, invalid(name, lang.M("api.error.time", "name", name))
	}
	return t, nil
}
