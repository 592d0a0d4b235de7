package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	blobfs "github.com/sekisho/sekisho/internal/blob/fs"
	"github.com/sekisho/sekisho/internal/cli"
	"github.com/sekisho/sekisho/internal/console"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/httpapi"
	"github.com/sekisho/sekisho/internal/intake/mailbox"
	"github.com/sekisho/sekisho/internal/store/file"
	"github.com/sekisho/sekisho/internal/store/sqlite"
	"github.com/sekisho/sekisho/internal/web"
	"github.com/sekisho/sekisho/lang"
)

// Service is something that runs beside the pages: a way in for mail, a worker, a
// scheduler. It ends when its context does; an error ends the program.
type Service struct {
	Name string
	Run  func(ctx context.Context) error
}

// server is a desk with its adapters.
type server struct {
	cli.ServeOptions

	log     *slog.Logger
	db      *sqlite.DB
	blobs   *blobfs.Store
	files   *file.Store
	account desk.AccountDeps
	tokens  desk.TokenDeps
	mail    desk.MailDeps
	metrics *web.Metrics
	kept    []keptHook // are told of mails that were kept
}

// services are what runs beside the pages.
func (s *server) services() []Service {
	return []Service{
		{Name: "retention", Run: s.retention},
		{Name: "retro", Run: s.retro},
	}
}

// openServer opens what is in the data folder.
func openServer(ctx context.Context, o cli.ServeOptions) (_ *server, err error) {
	s := &server{ServeOptions: o, log: slog.New(slog.NewTextHandler(o.Log, nil)), metrics: web.NewMetrics(), files: file.New(o.DataDir, nil)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.db, err = sqlite.Open(ctx, filepath.Join(o.DataDir, sqlite.FileName)); err != nil {
		return nil, err
	}
	if s.blobs, err = blobfs.Open(filepath.Join(o.DataDir, blobfs.DirName), 0); err != nil {
		return nil, err
	}
	key, err := s.files.Key(ctx, rand.Reader)
	if err != nil {
		return nil, err
	}
	s.account = desk.AccountDeps{Accounts: s.db, Sessions: s.db, Audit: s.db, Key: key, Throttle: desk.NewThrottle(), Now: o.Now}
	s.tokens = desk.TokenDeps{Tokens: s.db, Audit: s.db, Throttle: s.account.Throttle, Now: o.Now}
	s.mail = desk.MailDeps{Mails: s.db, Blobs: s.blobs, Audit: s.db, Now: o.Now, Judge: o.Judge}
	return s, nil
}

func (s *server) close() error {
	var errs []error
	if s.blobs != nil {
		errs = append(errs, s.blobs.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(errs...)
}

// invite makes a new one-time link, for a program that runs as well as for one
// that will.
func invite(ctx context.Context, o cli.ServeOptions) (out cli.Served, err error) {
	address, err := net.ResolveTCPAddr("tcp", o.Listen)
	if err != nil {
		return out, listenError(o.Listen, err)
	}
	s, err := openServer(ctx, o)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return s.invite(ctx, s.url(address))
}

func (s *server) invite(ctx context.Context, url string) (cli.Served, error) {
	token, expires, err := desk.InviteAdmin(ctx, s.account)
	return cli.Served{URL: url, Invite: url + "setup/" + token, Expires: expires}, err
}

// url returns the address of the first page, by the name that the user gave.
func (s *server) url(a *net.TCPAddr) string {
	port := strconv.Itoa(a.Port)
	switch {
	case len(s.Hosts) > 0 && !a.IP.IsLoopback():
		return "https://" + s.Hosts[0] + "/" // TLS belongs in front, at its usual port
	case a.IP == nil || a.IP.IsUnspecified():
		return "http://" + net.JoinHostPort("127.0.0.1", port) + "/"
	}
	return "http://" + net.JoinHostPort(a.IP.String(), port) + "/"
}

func listenError(address string, err error) error {
	return &desk.Error{Kind: desk.Unavailable, Message: lang.M("serve.error.listen", "address", address), Hint: lang.M("serve.hint.listen"), Err: err}
}

// serve answers until ctx ends.
func serve(ctx context.Context, o cli.ServeOptions) (err error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return listenError(o.Listen, err)
	}
	defer func() { _ = l.Close() }() // web.Serve does, too
	address := l.Addr().(*net.TCPAddr)
	loopback := address.IP.IsLoopback()
	if o.Examples != nil && !loopback {
		return &desk.Error{Kind: desk.Denied, Message: lang.M("serve.error.demo-open"), Hint: lang.M("serve.hint.demo-open")}
	}
	s, err := openServer(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	out := cli.Served{URL: s.url(address)}
	demo := ""
	if o.Examples != nil {
		if out.Mails, err = s.fill(ctx); err != nil {
			return err
		}
		demo = rand.Text()
		out.Demo = out.URL + "demo/" + demo
	} else {
		has, err := desk.HasAdmin(ctx, s.account)
		if err != nil {
			return err
		}
		if !has {
			if out, err = s.invite(ctx, out.URL); err != nil {
				return err
			}
		}
	}
	out.Loopback = loopback
	handler, err := s.handler(demo)
	if err != nil {
		return err
	}
	leaving, err := s.outgoing()
	if err != nil {
		return err
	}
	beside, err := s.intake()
	if err != nil {
		return err
	}
	beside = append(beside, leaving...)
	o.Started(out)
	return s.run(ctx, append(append(s.services(), beside...), Service{Name: "pages", Run: func(ctx context.Context) error { return web.Serve(ctx, l, handler, s.log) }}))
}

// readItems reads what somebody hands in.
func readItems(ctx context.Context, r io.Reader) iter.Seq[desk.Item] {
	return mailbox.Walk(ctx, []string{mailbox.Stdin}, r, nil)
}

// handler answers on all routes.
func (s *server) handler(demo string) (http.Handler, error) {
	pages, routes, err := s.routes(demo)
	if err != nil {
		return nil, err
	}
	refuse := httpapi.Refuse(s.Words)
	return web.New(routes, web.Options{
		Hosts: s.Hosts, Authenticate: pages.Authenticate, Enter: pages.Enter, Log: s.log, Metrics: s.metrics,
		Bearer: func(ctx context.Context, token string, scope desk.Scope, from netip.Addr) (*desk.APIToken, error) {
			return desk.UseToken(ctx, token, scope, from, s.tokens)
		},
		Refuse: func(w http.ResponseWriter, r *http.Request, status int, err error) {
			if strings.HasPrefix(r.URL.Path, "/api/") {
				refuse(w, r, status, err)
				return
			}
			pages.Refuse(w, r, status, err)
		},
	})
}

// routes joins those of the pages and those for programs.
func (s *server) routes(demo string) (*console.Console, []web.Route, error) {
	pages, err := console.New(console.Deps{
		Account: s.account, Mail: s.mail, Retro: s.db, Similar: s.db, News: s.db, Advisories: s.db, Reports: s.db, Exceptions: s.files, Read: readItems, Patch: s.files, Digests: s.db,
		Tokens: s.tokens, Config: s.Config, Words: s.Words, Now: s.Now, Version: s.Version, Demo: demo,
	})
	if err != nil {
		return nil, nil, err
	}
	programs, err := httpapi.Routes(s.programs())
	return pages, append(pages.Routes(), programs...), err
}

// run runs services together: the first error ends all of them. It returns when
// the last one has ended.
func (s *server) run(ctx context.Context, services []Service) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(services))
	var wg sync.WaitGroup
	for i, service := range services {
		wg.Go(func() {
			if err := service.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				errs[i] = fmt.Errorf("%s: %w", service.Name, err)
			}
			cancel()
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// kindOf says what sort of error it is, without the words, which could name
// somebody.
func kindOf(err error) string {
	if e, ok := errors.AsType[*desk.Error](err); ok {
		return string(e.Kind)
	}
	return string(desk.Internal)
}
