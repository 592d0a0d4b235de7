package console

import (
	"net/http"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
	"github.com/sekisho/sekisho/lang"
)

func (c *Console) settingsRoutes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Pattern: "/settings", Rule: web.Admin, Handler: c.settings},
		{Method: http.MethodPost, Pattern: "/settings/sessions/{id}/end", Rule: web.Admin, Handler: c.endSession},
		{Method: http.MethodPost, Pattern: "/settings/sessions/end-others", Rule: web.Admin, Handler: c.endOthers},
	}
}

// settingsPage is what the organisation told, what is missing, and who is signed
// in.
type settingsPage struct {
	Checks   []desk.Check // what is missing or wrong
	Facts    []factRow
	Sessions []sessionRow
	Tokens   *tokensView
	File     string // of the configuration; "" if there is none
	DataDir  string
	Keep     []keepRow
	Version  string
}

// factRow is a setting of the organisation.
type factRow struct {
	Key    string
	Doc    lang.Message
	Value  string // as YAML; "" if nobody told
	Source string // where it was told
	Lines  string // that would tell it
}

// keepRow is how long things of one kind are kept.
type keepRow struct {
	Name string // of words: "settings.keep.NAME"
	Days int    // 0 is for ever
}

// sessionRow is somebody who signed in.
type sessionRow struct {
	desk.Session

	This bool // the one that asks
}

func (c *Console) settings(w http.ResponseWriter, r *http.Request) {
	tokens, err := c.tokens(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.showSettings(w, r, http.StatusOK, tokens)
}

func (c *Console) showSettings(w http.ResponseWriter, r *http.Request, status int, tokens *tokensView) {
	sessions, err := desk.ListSessions(r.Context(), c.Account)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	p := settingsPage{File: c.Config.File, DataDir: c.Config.DataDir, Version: c.Version, Facts: c.facts(), Tokens: tokens}
	for _, k := range []struct {
		name string
		keep time.Duration
	}{{"mail", c.Config.Keep.Mail}, {"reports", c.Config.Keep.Reports}, {"news", c.Config.Keep.News}} {
		p.Keep = append(p.Keep, keepRow{k.name, int(k.keep / (24 * time.Hour))})
	}
	for _, s := range sessions {
		p.Sessions = append(p.Sessions, sessionRow{s, s.Hash == web.Session(r).Hash})
	}
	in := desk.DoctorInput{ConfigFile: c.Config.File, Facts: c.Config.Facts, DataDir: c.Config.DataDir}
	judging, listsErr := c.Mail.Judge(r.Context())
	for _, check := range desk.Doctor(r.Context(), in, desk.DoctorDeps{Exceptions: c.Exceptions, Lists: judging.Lists, ListsError: listsErr, Words: c.Words, Now: c.Now}) {
		if check.Status == desk.CheckMissing || check.Status == desk.CheckWrong {
			p.Checks = append(p.Checks, check)
		}
	}
	c.pageStatus(w, r, status, "settings", p)
}

// facts returns the settings of the organisation in the order of the file.
func (c *Console) facts() []factRow {
	var out []factRow
	for _, s := range config.Settings() {
		if !strings.HasPrefix(s.Key, "organisation.") {
			continue
		}
		out = append(out, factRow{Key: s.Key, Doc: s.Doc, Value: c.Config.Written(s.Key), Source: c.Config.Source(s.Key), Lines: yamlLines(s.Key, s.Example)})
	}
	return out
}

// yamlLines writes a setting as it stands in sekisho.yaml.
func yamlLines(key, value string) string {
	var b strings.Builder
	words := strings.Split(key, ".")
	for i, word := range words {
		b.WriteString(strings.Repeat("  ", i) + word + ":")
		if i == len(words)-1 {
			b.WriteString(" " + value)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (c *Console) endSession(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if err := desk.RevokeSession(r.Context(), id, c.Account); err != nil {
		c.fail(w, r, err)
		return
	}
	if s := web.Session(r); s.ID() == id {
		web.SetToken(w, r, "", 0)
	}
	c.done(w, r, "/settings", "session-ended", 0)
}

func (c *Console) endOthers(w http.ResponseWriter, r *http.Request) {
	if err := desk.RevokeOthers(r.Context(), web.Session(r), c.Account); err != nil {
		c.fail(w, r, err)
		return
	}
	c.done(w, r, "/settings", "sessions-ended", 0)
}
