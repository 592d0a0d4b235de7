package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/resolve"
)

// ServeOptions is what a desk in a browser is started with.
type ServeOptions struct {
	Listen  string   // address and port
	Hosts   []string // names by which it is reached beside addresses
	Config  *config.Config
	DataDir string
	Words   *lang.Catalogue
	Now     func() time.Time
	Log     io.Writer
	Version string

	// Examples fill a desk that is there to be looked at; nil for a real one.
	Examples fs.FS
	// Judge returns what judging needs, as it is now.
	Judge func(ctx context.Context) (desk.JudgeDeps, error)
	// DNS returns a resolver, nil to ask nothing, and whether its word on DNSSEC
	// counts. It may be nil: nothing is asked.
	DNS func() (r resolve.Resolver, trustAD bool, err error)
	// Fetch reads from the Internet; nil: offline.
	Fetch desk.Fetcher
	// Started is called once, when pages can be asked for.
	Started func(Served)
}

// Served is a desk that answers.
type Served struct {
	URL      string // of the first page
	Loopback bool   // only this machine reaches it
	Invite   string // URL of the one-time link; "" if the administrator is set up
	Expires  time.Time
	Demo     string // URL that signs in to a desk of examples; "" for a real one
	Mails    int    // that a desk of examples was filled with
}

type serveCmd struct {
	Listen     string   `default:"127.0.0.1:8484" placeholder:"ADDRESS"`
	Host       []string `sep:"none" placeholder:"NAME"`
	Demo       bool
	ResetAdmin bool
}

// Run answers until it is stopped.
func (c *serveCmd) Run(r *run) (err error) {
	if r.flags.Output != "text" {
		return &desk.Error{
			Kind: desk.Invalid, Message: lang.M("cli.error.format", "command", "serve", "format", r.flags.Output), Hint: lang.M("cli.hint.format", "formats", "text"),
		}
	}
	if err := r.config.CheckIntake(); err != nil {
		return err
	}
	if err := r.config.CheckOutgoing(); err != nil {
		return err
	}
	o := ServeOptions{
		Listen: c.Listen, Hosts: c.Host, Config: r.config, DataDir: r.dataDir(), Words: r.words, Now: r.Now, Log: r.Stderr, Version: r.Build.Version,
		Started: func(s Served) { c.started(r, s) },
	}
	if c.Demo {
		remove, err := c.demo(r, &o)
		if err != nil {
			return err
		}
		defer remove()
	}
	if o.DataDir == "" {
		return &desk.Error{Kind: desk.NotFound, Message: lang.M("store.error.no-folder"), Hint: lang.M("store.hint.no-folder")}
	}
	if c.ResetAdmin {
		s, err := r.Invite(r.ctx, o)
		if err != nil {
			return err
		}
		c.invitation(r, s)
		return nil
	}
	o.Judge = (&judging{r: r}).deps
	o.DNS = func() (resolve.Resolver, bool, error) {
		dns, err := r.resolver(true)
		return dns, r.trustsDNSSEC(), err
	}
	if !r.flags.Offline && r.Fetch != nil {
		o.Fetch, _ = r.Fetch()
	}
	return r.Serve(r.ctx, o)
}

// demo prepares a desk of the examples in a folder of its own, which remove
// deletes.
func (c *serveCmd) demo(r *run, o *ServeOptions) (remove func(), err error) {
	if r.flags.Data != "" || c.ResetAdmin {
		return nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("serve.error.demo"), Hint: lang.M("serve.hint.demo")}
	}
	dir, err := os.MkdirTemp("", "sekisho-demo-")
	if err != nil {
		return nil, &desk.Error{Kind: desk.Unavailable, Message: lang.M("serve.error.temp"), Err: err}
	}
	remove = func() { _ = os.RemoveAll(dir) } // the system tidies its folder too
	for _, name := range []string{config.FileName, "people.csv"} {
		b, readErr := fs.ReadFile(r.Examples, name)
		if err = errors.Join(readErr, os.WriteFile(filepath.Join(dir, name), b, 0o600)); err != nil {
			break
		}
	}
	if err == nil {
		r.config, err = config.Load(&config.Options{Path: filepath.Join(dir, config.FileName), Overrides: []config.Override{{Key: "data", Value: dir, From: "--demo"}}})
	}
	if err != nil {
		remove()
		return nil, err
	}
	o.Config, o.DataDir, o.Examples = r.config, dir, r.Examples
	return remove, nil
}

// started says where the desk is.
func (c *serveCmd) started(r *run, s Served) {
	if s.Demo != "" {
		fmt.Fprintln(r.Stdout, r.say("serve.demo", "n", s.Mails))
		fmt.Fprintln(r.Stdout, "  "+s.Demo)
		fmt.Fprintln(r.Stdout, r.say("serve.stop"))
		return
	}
	fmt.Fprintln(r.Stdout, r.say("serve.started"))
	fmt.Fprintln(r.Stdout, "  "+term.Clean(s.URL))
	if s.Invite != "" {
		c.invitation(r, s)
	}
	if !s.Loopback {
		fmt.Fprintln(r.Stdout, r.say("serve.open"))
	}
	fmt.Fprintln(r.Stdout, r.say("serve.stop"))
}

func (c *serveCmd) invitation(r *run, s Served) {
	fmt.Fprintln(r.Stdout, r.say("serve.invite", "until", s.Expires.In(r.Now().Location()).Format("15:04")))
	fmt.Fprintln(r.Stdout, "  "+term.Clean(s.Invite))
}

// judging keeps what judging needs and looks at it again from time to time, so
// that a desk that runs for weeks knows new rules, lists and senders.
type judging struct {
	r     *run
	rules []string // beside those of the configuration

	mu     sync.Mutex
	have   desk.JudgeDeps
	loaded time.Time
}

// judgingFor is how long rules, lists and history are used before they are
// loaded again. Exceptions are read for every mail.
const judgingFor = 5 * time.Minute

func (j *judging) deps(ctx context.Context) (desk.JudgeDeps, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if now := time.Now(); j.loaded.IsZero() || now.Sub(j.loaded) > judgingFor {
		deps, err := j.load()
		if err != nil {
			return deps, err
		}
		j.have, j.loaded = deps, now
	}
	deps := j.have
	list, err := j.r.Exceptions(j.r.dataDir()).List(ctx)
	deps.Exceptions = slices.Clone(list)
	return deps, err
}

func (j *judging) load() (desk.JudgeDeps, error) {
	deps, err := j.r.judgeDeps()
	if err != nil {
		return deps, err
	}
	if deps.Resolver == nil && j.r.config.Intake.Milter.Listen != "" {
		// Whoever asks about mail at the border wants it to be verified.
		if deps.Resolver, err = j.r.resolver(true); err != nil {
			return deps, err
		}
	}
	if err = j.r.openLists(nil); err != nil {
		return deps, err
	}
	if deps.Rules, err = j.r.ruleSet(j.rules, true); err != nil {
		return deps, err
	}
	deps.Lists = j.r.lists
	deps.History, err = j.r.past(nil, false)
	return deps, err
}
