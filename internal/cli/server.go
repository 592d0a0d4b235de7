package cli

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/source"
)

// Server is a sekisho elsewhere.
type Server interface {
	// Ask asks a question and decodes the answer. Errors are [*desk.Error], those of
	// the server among them.
	Ask(ctx context.Context, q *Question, to any) error
}

// Question is what a server is asked.
type Question struct {
	Method string // "" is GET
	Path   string // of the API, without its beginning
	Query  url.Values
	Type   string // media type of Body
	Body   []byte
}

// here is the word for --server by which a command works on this machine whatever
// the configuration says.
const here = "local"

// asksServer reports whether a command can ask a server.
func asksServer(command string) bool {
	for _, c := range []string{"judge", "domain check", "news list", "advisory list", "advisory show"} {
		if command == c || strings.HasPrefix(command, c+" ") {
			return true
		}
	}
	return false
}

// mayAskServer refuses --server for a command that works on this machine alone.
func (r *run) mayAskServer(k *kong.Context) error {
	to := r.flags.Server
	switch {
	case to == "" || to == here:
		return nil
	case !asksServer(k.Command()):
		name, _, _ := strings.Cut(k.Command(), " <")
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("server.error.command", "command", name), Hint: lang.M("server.hint.command")}
	case r.flags.Offline:
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("server.error.offline"), Hint: lang.M("server.hint.offline")}
	}
	return nil
}

// openServer finds the server that the command asks, if any.
func (r *run) openServer(k *kong.Context) error {
	address := cmp.Or(r.flags.Server, r.config.Server.URL)
	if address == "" || address == here || r.flags.Offline || !asksServer(k.Command()) || r.Server == nil {
		return nil
	}
	name := cmp.Or(r.config.Server.TokenEnv, config.DefaultTokenEnv)
	token := strings.TrimSpace(r.getenv(name))
	if token == "" {
		return &desk.Error{Kind: desk.Denied, Message: lang.M("server.error.no-token", "name", name), Hint: lang.M("server.hint.no-token")}
	}
	var err error
	r.server, err = r.Server(address, token)
	return err
}

// notElsewhere refuses flags that a server knows nothing of.
func (r *run) notElsewhere(given map[string]bool) error {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if given[name] {
			return &desk.Error{Kind: desk.Invalid, Message: lang.M("server.error.flag", "flag", name), Hint: lang.M("server.hint.flag")}
		}
	}
	return nil
}

// askVerdicts asks the server about one message after the other. What it cannot
// read is a verdict with an error, as here; that it does not answer ends it.
func (r *run) askVerdicts(items iter.Seq[desk.Item]) iter.Seq2[*desk.Verdict, error] {
	return func(yield func(*desk.Verdict, error) bool) {
		for it := range items {
			v, err := r.askVerdict(it)
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

func (r *run) askVerdict(it desk.Item) (*desk.Verdict, error) {
	if it.Err == nil {
		var list []*desk.Verdict
		ctx := context.WithoutCancel(r.ctx) // reading stops at a signal; what was read is judged
		err := r.server.Ask(ctx, &Question{Method: http.MethodPost, Path: "/judge", Type: "message/rfc822", Body: it.Raw}, &list)
		e, known := errors.AsType[*desk.Error](err)
		switch {
		case err == nil && len(list) == 1 && list[0] != nil:
			v := list[0]
			v.File, v.Index = it.File, it.Index
			v.Form = cmp.Or(it.Form, v.Form)
			return v, nil
		case err == nil:
			it.Err = &desk.Error{Kind: desk.Invalid, Message: lang.M("server.error.answer"), Hint: lang.M("server.hint.answer")}
		case known && (e.Kind == desk.Invalid || e.Kind == desk.Limit || e.Kind == desk.Internal):
			it.Err = e
		default:
			return nil, err
		}
	}
	for v := range desk.Judge(r.ctx, func(yield func(desk.Item) bool) { yield(it) }, desk.JudgeDeps{Words: r.words, Now: r.Now}) {
		return v, nil
	}
	return nil, r.ctx.Err()
}

// askDomains asks the server about one domain after the other.
func (r *run) askDomains(in *desk.DomainInput, fetch bool, progress func(done, total int)) (iter.Seq2[*desk.DomainReport, error], error) {
	names := in.Domains
	if len(names) == 0 {
		names = r.config.Facts.Domains.Value()
	}
	if len(names) == 0 {
		_, err := desk.DomainCheck(r.ctx, desk.DomainInput{}, desk.DomainDeps{Words: r.words, Now: r.Now})
		return nil, err
	}
	q := url.Values{}
	for _, s := range in.Selectors {
		q.Add("selector", s)
	}
	if in.Volume >= 0 {
		q.Set("volume", strconv.Itoa(in.Volume))
	}
	if fetch {
		q.Set("fetch", "true")
	}
	return func(yield func(*desk.DomainReport, error) bool) {
		for i, name := range names {
			rep := &desk.DomainReport{}
			err := r.server.Ask(r.ctx, &Question{Path: "/domains/" + url.PathEscape(name), Query: q}, rep)
			progress(i+1, len(names))
			if !yield(rep, err) || err != nil {
				return
			}
		}
	}, nil
}

// askNews asks the server for its stories, and for the sources whose news may be
// missing.
func (r *run) askNews(f *desk.NewsFilter) (list []desk.StoryRecord, gaps []desk.SourceRecord, err error) {
	q := url.Values{"since": {f.Since.UTC().Format(time.RFC3339)}}
	if f.Source != "" {
		q.Set("source", f.Source)
	}
	for _, g := range f.Grades {
		q.Add("grade", string(g))
	}
	if err := r.server.Ask(r.ctx, &Question{Path: "/news", Query: q}, &list); err != nil {
		return nil, nil, err
	}
	if err := r.server.Ask(r.ctx, &Question{Path: "/news/sources"}, &gaps); err != nil {
		return nil, nil, err
	}
	gaps = slices.DeleteFunc(gaps, func(s desk.SourceRecord) bool { return !s.On || s.Health != source.Unknown && s.MissedFrom == nil })
	return list, gaps, nil
}
