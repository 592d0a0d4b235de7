package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// stage is one group of checks.
type stage struct {
	name   string
	does   string
	slow   bool // left out by -fast
	byName bool // run only if it is named
	run    func(context.Context, *check) error
}

// stages returns all stages in the order in which they run: what fails soonest
// comes first.
func stages() []stage {
	return []stage{
		{name: "build", does: "all packages, for this and two other systems", run: build},
		{name: "vet", does: "go vet", run: vet},
		{name: "format", does: "gofmt", run: gofmt},
		{name: "tidy", does: "go.mod and go.sum are what go mod tidy writes", run: tidy},
		{name: "generate", does: "generated files are up to date", run: generate},
		{name: "lint", does: "golangci-lint, at the version in tools/go.mod", slow: true, run: lint},
		{name: "test", does: "unit tests with the race detector, and the seeds of fuzz targets", run: test},
		{name: "corpus", does: "tests over collections of real mail, without the race detector", slow: true, run: testCorpus},
		{name: "partners", does: "tests with a browser and with mail servers of others", slow: true, run: testPartners},
		{name: "fuzz", does: "each fuzz target in turn", byName: true, run: fuzz},
		{name: "soak", does: "mail comes in while the program is killed", slow: true, run: soak},
		{name: "load", does: "real mail comes in at a rate, with all rules", byName: true, run: load},
		{name: "bench", does: "benchmarks", byName: true, run: bench},
		{name: "release", does: "binaries for all systems, packed, with bills of materials and checksums, in " + dist, byName: true, run: release},
	}
}

// systems are the ones that are built besides the host.
var systems = [][2]string{{"windows", "amd64"}, {"darwin", "arm64"}}

func build(ctx context.Context, c *check) error {
	if err := c.command(ctx, "go", "build", "./...").Run(); err != nil {
		return err
	}
	if c.opts.fast {
		fmt.Fprintln(c.out, "   -fast: no builds for other systems")
		return nil
	}
	for _, s := range systems {
		if s[0] == runtime.GOOS && s[1] == runtime.GOARCH {
			continue
		}
		fmt.Fprintf(c.out, "   %s/%s\n", s[0], s[1])
		cmd := c.command(ctx, "go", "build", "./...")
		cmd.Env = append(cmd.Env, "GOOS="+s[0], "GOARCH="+s[1], "CGO_ENABLED=0")
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s/%s: %w", s[0], s[1], err)
		}
	}
	return nil
}

func vet(ctx context.Context, c *check) error {
	return c.command(ctx, "go", "vet", "./...").Run()
}

func gofmt(_ context.Context, c *check) error {
	var bad int
	err := walk(".", func(path string) error {
		if filepath.Ext(path) != ".go" {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := format.Source(b)
		if err == nil && bytes.Equal(b, f) {
			return nil
		}
		bad++
		fmt.Fprintf(c.out, "   not formatted: %s\n", path)
		return nil
	})
	if err == nil && bad > 0 {
		err = errors.New("run gofmt -w on these files")
	}
	return err
}

func tidy(ctx context.Context, c *check) error {
	for _, dir := range []string{".", "tools"} {
		if err := c.command(ctx, "go", "-C", dir, "mod", "tidy", "-diff").Run(); err != nil {
			return fmt.Errorf("run go -C %s mod tidy: %w", dir, err)
		}
	}
	return nil
}

func lint(ctx context.Context, c *check) error {
	// The first run builds the linter from its module, which takes minutes; the
	// go command keeps the result.
	return c.command(ctx, "go", "tool", "-modfile=tools/go.mod", "golangci-lint", "run").Run()
}

func bench(ctx context.Context, c *check) error {
	match := c.opts.match
	if match == "" {
		match = "."
	}
	return c.command(ctx, "go", "test", "-run=^$", "-bench="+match, "-benchmem", "./...").Run()
}

// command prepares a command whose output the user sees.
func (c *check) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = slices.Clip(c.env)
	cmd.Stdout = c.out
	cmd.Stderr = c.out
	return cmd
}

// output runs a command and returns what it prints, without space at the ends.
func (c *check) output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = slices.Clip(c.env)
	b, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(b)), nil
}

// walk calls f for every file of the module, leaving out what the go command
// leaves out of "./...".
func walk(root string, f func(path string) error) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() {
			return f(path)
		}
		if n := d.Name(); path != root && (n == "testdata" || strings.HasPrefix(n, ".") || strings.HasPrefix(n, "_")) {
			return fs.SkipDir
		}
		return nil
	})
}
