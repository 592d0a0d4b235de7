// Package app puts the program together: it builds the doors with the adapters
// of this system.
package app

import (
	"context"
	"io"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/sekisho/sekisho/domain/posture"
	"github.com/sekisho/sekisho/examples"
	"github.com/sekisho/sekisho/internal/apiclient"
	"github.com/sekisho/sekisho/internal/cli"
	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/dnsclient"
	"github.com/sekisho/sekisho/internal/fetch"
	"github.com/sekisho/sekisho/internal/intake/mailbox"
	"github.com/sekisho/sekisho/internal/notify"
	"github.com/sekisho/sekisho/internal/store/file"
	"github.com/sekisho/sekisho/internal/store/sqlite"
	"github.com/sekisho/sekisho/resolve"
)

// Main runs the command line args on this system and returns the exit status.
func Main(ctx context.Context, args []string, version string) int {
	workDir, err := os.Getwd()
	if err != nil {
		workDir = "."
	}
	configDir, stateDir := config.Dirs(runtime.GOOS, os.Getenv)
	return cli.Main(ctx, args, cli.Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Environ: os.Environ(), WorkDir: workDir, ConfigDir: configDir, StateDir: stateDir,
		Now: time.Now, Build: build(version),
		Walk: func(ctx context.Context, paths []string, stdin io.Reader, o cli.WalkOptions) iter.Seq[desk.Item] {
			return mailbox.Walk(ctx, paths, stdin, &mailbox.Options{MaxMessage: o.MaxMessage, Progress: o.Progress})
		},
		ReportFiles: mailbox.Files,
		Size:        mailbox.Size,
		DNS:         dns,
		Exceptions:  func(dir string) desk.ExceptionStore { return file.New(dir, nil) },
		History:     func(dir string) desk.HistoryStore { return file.New(dir, nil) },
		Patch:       func(dir string) desk.PatchStore { return file.New(dir, nil) },
		Fetch:       func() (desk.Fetcher, desk.GitFetcher) { return fetchers(version) },
		Notifier: func() desk.Notifier {
			return notify.New(&notify.Options{UserAgent: agent(version), Allowed: fetch.Public, Environ: os.Environ()})
		},
		AskTLS:   func() posture.TLSProber { c, _ := fetchers(version); return c },
		Examples: examples.Files(),
		Serve:    serve,
		Invite:   invite,
		Backup:   backUp(build(version).Version),
		Restore:  restore,
		Intake:   openIntake,
		Server: func(address, token string) (cli.Server, error) {
			return apiclient.New(address, token, agent(version))
		},
		Mailbox: openMailbox,
		Outbox:  openOutbox,
		Store: func(ctx context.Context, dir string) (cli.Store, error) {
			return sqlite.Open(ctx, filepath.Join(dir, sqlite.FileName))
		},
	})
}

// fetchers returns what reads from the Internet, over HTTP and with git.
func fetchers(version string) (*fetch.Client, *fetch.Git) {
	host, _ := os.Hostname() // "" if nobody knows
	c := fetch.New(&fetch.Options{UserAgent: agent(version), Hello: host, Environ: os.Environ()})
	return c, fetch.NewGit(c, "")
}

// agent is how the program introduces itself to servers.
func agent(version string) string {
	name := "sekisho"
	if v := build(version).Version; v != "" {
		name += "/" + strings.Map(func(r rune) rune {
			if r > ' ' && r < 0x7f {
				return r
			}
			return -1
		}, v)
	}
	return name + " (+https://github.com/sekisho/sekisho)"
}

// dns returns a resolver over the network.
func dns(o cli.DNSOptions) (resolve.Resolver, error) {
	opts := &dnsclient.Options{Timeout: o.Timeout}
	if o.Server != "" {
		server, err := dnsclient.ParseServer(o.Server)
		if err != nil {
			return nil, err
		}
		opts.Servers = []string{server}
	}
	return dnsclient.New(opts)
}

// build reads what the compiler wrote into the program.
func build(version string) cli.Build {
	b := cli.Build{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if b.Version == "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		}
	}
	return b
}
