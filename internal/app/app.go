// Package app puts the program together: it builds the doors with the adapters
// of this system.
package app

import (
	"context"
	"io"
	"iter"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/sekisho/sekisho/internal/cli"
	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/intake/mailbox"
	"github.com/sekisho/sekisho/internal/store/file"
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
		Size:       mailbox.Size,
		Exceptions: func(dir string) desk.ExceptionStore { return file.New(dir, nil) },
	})
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
