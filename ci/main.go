// Command ci runs every check of the repository, the same ones on a
// developer's machine and in continuous integration.
//
//	go run ./ci                        all stages
//	go run ./ci -fast                  without what takes minutes
//	go run ./ci lint test              these stages
//	go run ./ci fuzz -time 1m          each fuzz target in turn
//	go run ./ci bench -run Parse       benchmarks, optionally by name
//	go run ./ci soak                   kill sekisho serve while mail comes in; -mails 10000 -kills 100 for longer
//	go run ./ci load -time 3m          100 mails in a second by SMTP, then 20 by milter, with what it takes
//	go run ./ci release -version v1.2.3  what is handed out, in the folder dist
//
// Each stage prints its name, what it does and how long it took. The last line
// is the summary of all tests: "N passed, N failed, N skipped". The exit status
// is 1 if anything failed, and 2 if ci was called in a wrong way.
//
// On Debian, as root, ci installs what is missing: a C compiler for the race
// detector, and the browser and the mail servers that tests talk to. Everything
// else comes through the go command.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout))
}

// check is one run of ci.
type check struct {
	out    io.Writer
	env    []string // of the commands that are run
	corpus string   // folder of real mail; empty if there is none
	opts   options
	tests  tally
}

// options are the command line.
type options struct {
	fast    bool
	time    time.Duration
	match   string
	mails   int
	kills   int
	version string
	stages  []string
}

var errUsage = errors.New("wrong usage")

func run(ctx context.Context, args []string, out io.Writer) int {
	opts, err := parse(args, out)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(out, "ci:", err)
		return 2
	}
	c := &check{out: out, opts: opts}
	if err := c.prepare(ctx); err != nil {
		fmt.Fprintln(out, "ci:", err)
		return 2
	}
	return c.run(ctx)
}

// parse reads flags before, between and after the names of the stages.
func parse(args []string, out io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("ci", flag.ContinueOnError)
	f.SetOutput(out)
	f.BoolVar(&o.fast, "fast", false, "leave out cross builds, lint, the race detector and the corpus")
	f.IntVar(&o.mails, "mails", 1000, "how many mails come in during the soak")
	f.IntVar(&o.kills, "kills", 10, "how often the program is killed during the soak")
	f.DurationVar(&o.time, "time", 30*time.Second, "how long to run each fuzz target")
	f.StringVar(&o.match, "run", "", "run only fuzz targets or benchmarks that match this `regexp`")
	f.StringVar(&o.version, "version", "", "the version of a release, such as v1.2.3")
	f.Usage = func() {
		fmt.Fprintf(out, "usage: go run ./ci [flags] [stage ...]\n\nstages: %s\nby name only: %s\n\n",
			strings.Join(names(true), " "), strings.Join(names(false), " "))
		f.PrintDefaults()
	}
	for {
		if err := f.Parse(args); err != nil {
			return o, err
		}
		if args = f.Args(); len(args) == 0 {
			return o, nil
		}
		if !slices.ContainsFunc(stages(), func(s stage) bool { return s.name == args[0] }) {
			return o, fmt.Errorf("%w: no such stage: %s (there are %s)", errUsage, args[0], strings.Join(slices.Concat(names(true), names(false)), " "))
		}
		o.stages = append(o.stages, args[0])
		args = args[1:]
	}
}

func names(regular bool) []string {
	var n []string
	for _, s := range stages() {
		if s.byName != regular {
			n = append(n, s.name)
		}
	}
	return n
}

// prepare goes to the root of the repository and settles the environment.
func (c *check) prepare(ctx context.Context) error {
	mod, err := c.output(ctx, "go", "env", "GOMOD")
	if err != nil {
		return err
	}
	if filepath.Base(mod) != "go.mod" {
		return errors.New("run it inside the repository")
	}
	if err := os.Chdir(filepath.Dir(mod)); err != nil {
		return err
	}
	// The revision is not of interest here, and asking git for it fails where
	// the folder belongs to somebody else.
	flags, err := c.output(ctx, "go", "env", "GOFLAGS")
	if err != nil {
		return err
	}
	c.env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(flags+" -buildvcs=false"))
	if dir := corpus(); dir != "" {
		c.corpus = dir
		c.env = append(c.env, "SEKISHO_SHARED="+dir)
	}
	return nil
}

// corpus finds the folder of real mail where the tests look for it.
func corpus() string {
	dir := os.Getenv("SEKISHO_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "shared")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	if fi, err := os.Stat(dir); err != nil || !fi.IsDir() {
		return ""
	}
	return dir
}

func (c *check) run(ctx context.Context) int {
	start := time.Now()
	var failed []string
	for _, s := range stages() {
		if !c.wants(s) {
			continue
		}
		began := time.Now()
		fmt.Fprintf(c.out, "== %s: %s\n", s.name, s.does)
		err := s.run(ctx, c)
		took := time.Since(began).Round(100 * time.Millisecond)
		switch {
		case ctx.Err() != nil:
			fmt.Fprintf(c.out, "== %s: interrupted after %s\n", s.name, took)
			failed = append(failed, s.name)
		case err != nil:
			fmt.Fprintf(c.out, "== %s: FAILED after %s: %v\n", s.name, took, err)
			failed = append(failed, s.name)
		default:
			fmt.Fprintf(c.out, "== %s: ok, %s\n", s.name, took)
		}
		if ctx.Err() != nil {
			break
		}
	}
	fmt.Fprintf(c.out, "\nall stages: %s\n", time.Since(start).Round(100*time.Millisecond))
	if len(failed) > 0 {
		fmt.Fprintf(c.out, "failed: %s\n", strings.Join(failed, ", "))
	}
	fmt.Fprintln(c.out, c.tests)
	if len(failed) > 0 {
		return 1
	}
	return 0
}

func (c *check) wants(s stage) bool {
	if len(c.opts.stages) > 0 {
		return slices.Contains(c.opts.stages, s.name)
	}
	return !s.byName && !(c.opts.fast && s.slow)
}
