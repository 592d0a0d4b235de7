package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// corpusTests are the names of tests over collections, which are too long for
// the race detector.
const corpusTests = "Corpus|Conformance"

func test(ctx context.Context, c *check) error {
	args := []string{"-short"}
	var env []string
	if c.opts.fast {
		fmt.Fprintln(c.out, "   -fast: without the race detector")
	} else {
		args = append(args, "-count=1")
		if why := c.noRace(ctx); why != "" {
			fmt.Fprintf(c.out, "   SKIPPED: the race detector: %s\n", why)
		} else {
			args = append(args, "-race")
			env = append(env, "CGO_ENABLED=1") // an explicit 0 would refuse -race
		}
	}
	if c.corpus != "" {
		args = append(args, "-skip="+corpusTests) // a stage of their own
	}
	return c.goTest(ctx, env, []string{"./..."}, args...)
}

func testCorpus(ctx context.Context, c *check) error {
	if c.corpus == "" {
		fmt.Fprintln(c.out, "   SKIPPED: there is no collection of real mail: SEKISHO_SHARED is not set and ../shared is no folder")
		return nil
	}
	return c.goTest(ctx, nil, []string{"./..."}, "-count=1", "-run="+corpusTests)
}

// testPartners runs the tests that -short leaves out because a browser or the
// server of somebody else takes part in them.
func testPartners(ctx context.Context, c *check) error {
	c.invite(ctx)
	return c.goTest(ctx, nil, []string{"./internal/app", "./internal/console/...", "./internal/intake/..."}, "-count=1", "-skip="+corpusTests)
}

// goTest runs go test with args over packages and counts. It adds env to the
// environment.
func (c *check) goTest(ctx context.Context, env, packages []string, args ...string) error {
	// Vet is a stage of its own.
	args = slices.Concat([]string{"test", "-json", "-vet=off", "-timeout=30m"}, args, packages)
	cmd := c.command(ctx, "go", args...)
	cmd.Env = append(cmd.Env, env...)
	cmd.Stdout = nil // the pipe takes its place
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	got, readErr := read(stdout, c.out)
	// go test blocks on a full pipe, so what could not be understood is drained
	// before waiting.
	_, drainErr := io.Copy(io.Discard, stdout)
	err = cmd.Wait()
	c.tests.add(got)
	fmt.Fprintf(c.out, "   %s\n", got)
	switch {
	case readErr != nil:
		return fmt.Errorf("reading the output of go test: %w", readErr)
	case drainErr != nil && err == nil:
		return drainErr
	case got.failed > 0:
		return errors.New("tests failed")
	}
	return err
}

// tally counts tests.
type tally struct{ passed, failed, skipped int }

func (t *tally) add(o tally) {
	t.passed += o.passed
	t.failed += o.failed
	t.skipped += o.skipped
}

// String is the last line of ci's output, which other programs read.
func (t tally) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", t.passed, t.failed, t.skipped)
}

// event is a line of "go test -json"; see "go doc test2json".
type event struct {
	Action      string
	Package     string
	ImportPath  string // of build output
	Test        string
	Output      string
	Elapsed     float64
	FailedBuild string
}

// results are the events of one package so far.
type results struct {
	outcome map[string]string           // by test
	output  map[string]*strings.Builder // by test; "" is the package
}

// read follows the events of go test: it prints a line for each package that
// has tests, and all output of the tests that fail.
func read(r io.Reader, out io.Writer) (tally, error) {
	var total tally
	packages := map[string]*results{}
	builds := map[string]*strings.Builder{}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if jsonErr := json.Unmarshal(line, &e); jsonErr != nil {
				// The go command itself speaks in plain text.
				fmt.Fprintf(out, "   %s", line)
			} else {
				follow(e, packages, builds, &total, out)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return total, nil
		case err != nil:
			return total, err
		}
	}
}

func follow(e event, packages map[string]*results, builds map[string]*strings.Builder, total *tally, out io.Writer) {
	if e.ImportPath != "" {
		if builds[e.ImportPath] == nil {
			builds[e.ImportPath] = &strings.Builder{}
		}
		builds[e.ImportPath].WriteString(e.Output)
		return
	}
	p := packages[e.Package]
	if p == nil {
		p = &results{outcome: map[string]string{}, output: map[string]*strings.Builder{}}
		packages[e.Package] = p
	}
	switch e.Action {
	case "output":
		if p.output[e.Test] == nil {
			p.output[e.Test] = &strings.Builder{}
		}
		p.output[e.Test].WriteString(e.Output)
	case "pass", "skip", "fail":
		if e.Test != "" {
			p.outcome[e.Test] = e.Action
			if e.Action != "fail" {
				delete(p.output, e.Test)
			}
			return
		}
		got := p.count(e.Action)
		total.add(got)
		p.print(e, got, builds[e.FailedBuild], out)
		delete(packages, e.Package)
	}
}

// count counts the tests of a package that ended with action. A test that only
// groups others is not counted, unless it failed by itself.
func (p *results) count(action string) tally {
	var t tally
	parents := map[string]bool{}
	failedBelow := map[string]bool{}
	for name, outcome := range p.outcome {
		for i := strings.LastIndexByte(name, '/'); i > 0; i = strings.LastIndexByte(name[:i], '/') {
			parents[name[:i]] = true
			if outcome == "fail" {
				failedBelow[name[:i]] = true
			}
		}
	}
	for name, outcome := range p.outcome {
		switch {
		case outcome == "fail" && !failedBelow[name]:
			t.failed++
		case parents[name]:
		case outcome == "pass":
			t.passed++
		case outcome == "skip":
			t.skipped++
		}
	}
	// A package that does not build, or dies between its tests, is a failure
	// even if no test of it is.
	if action == "fail" && t.failed == 0 {
		t.failed = 1
	}
	return t
}

func (p *results) print(e event, got tally, build *strings.Builder, out io.Writer) {
	took := time.Duration(e.Elapsed * float64(time.Second)).Round(10 * time.Millisecond)
	switch {
	case e.Action == "fail":
		fmt.Fprintf(out, "   FAIL %s  %s  %s\n", e.Package, got, took)
		if build != nil {
			io.WriteString(out, build.String())
		}
		for _, name := range slices.Sorted(maps.Keys(p.output)) {
			// What passed was deleted; what has no outcome was running when the
			// package died.
			io.WriteString(out, p.output[name].String())
		}
	case got != tally{}:
		fmt.Fprintf(out, "   ok   %s  %s  %s\n", e.Package, got, took)
	}
}
