package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
)

type rulesTestCmd struct {
	Paths  []string `arg:"" name:"path"`
	Strict bool
	Lists  []string `sep:"none" placeholder:"DIR"`
}

// maxUntested bounds the rules without tests that a person is told of.
const maxUntested = 20

// Run runs the tests of the named folders and files.
func (c *rulesTestCmd) Run(r *run) error {
	deps := desk.TestDeps{Words: r.words}
	if len(c.Lists) > 0 {
		// Of all lists, those that the user names: a test must not depend on what
		// somebody fetched once.
		var err error
		if deps.Lists, err = desk.OpenLists(c.Lists); err != nil {
			return err
		}
	}
	var sources []desk.TestSource
	for _, path := range c.Paths {
		s, closer := openTests(path)
		defer closer()
		sources = append(sources, s)
	}
	out, err := desk.TestRules(r.ctx, sources, deps)
	switch {
	case r.ctx.Err() != nil:
		return statusError(exitUnread)
	case err != nil:
		return err
	}
	for _, u := range out.Unread {
		r.warnText(u.Text, u.Hint)
	}
	if r.flags.Output == "text" {
		r.testText(out)
	} else if err := r.writeRecord(out); err != nil {
		return err
	}
	switch {
	case len(out.Unread) > 0:
		return statusError(exitUnread)
	case out.Failed > 0 || len(out.Mistakes) > 0 || c.Strict && len(out.Untested) > 0:
		return statusError(exitFindings)
	}
	return nil
}

// openTests opens a folder, or the folder of a file. Nothing outside of it is
// read, whatever a test names and wherever links lead.
func openTests(path string) (s desk.TestSource, closer func()) {
	s, closer = desk.TestSource{Path: path}, func() {}
	st, err := os.Stat(path)
	if err != nil {
		s.Err = unreadable(path, err)
		return s, closer
	}
	dir := path
	if !st.IsDir() {
		dir, s.File = filepath.Dir(path), filepath.Base(path)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		s.Err = unreadable(path, err)
		return s, closer
	}
	s.FS = root.FS()
	return s, func() { _ = root.Close() }
}

func (r *run) testText(out *desk.RulesTest) {
	for _, p := range out.Mistakes {
		r.problem(p)
	}
	for i := range out.Results {
		x := &out.Results[i]
		for _, f := range x.Failures {
			what := x.Expr
			if x.Rule != "" {
				what = filepath.Base(x.Rule)
			}
			place := fmt.Sprintf("%s:%d:%d: ", term.Clean(x.File), f.Line, f.Column)
			fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, place)+r.say("cli.rules.test.on", "rule", term.Truncate(term.Clean(what), maxRuleName), "mail", x.Mail))
			fmt.Fprintln(r.Stdout, "    "+r.say("cli.rules.test.failed", "text", term.Clean(f.Expect)))
			for _, line := range term.Wrap(term.Clean(f.Came.In(r.lang)), max(30, r.columns()-4)) {
				fmt.Fprintln(r.Stdout, "    "+r.style.Paint(term.Suspicious, line))
			}
		}
	}
	for i, u := range out.Untested {
		if i == maxUntested {
			fmt.Fprintln(r.Stdout, r.say("cli.rules.test.more-untested", "n", len(out.Untested)-i))
			break
		}
		key := "cli.rules.test.no-test"
		switch {
		case u.Hit:
			key = "cli.rules.test.no-near-miss"
		case u.NearMiss:
			key = "cli.rules.test.no-hit"
		}
		fmt.Fprintln(r.Stdout, r.say(key, "rule", term.Clean(u.File)))
	}
	n := strconv.Itoa // scripts read this line: digits are not grouped
	fmt.Fprintln(r.Stdout, r.say("cli.rules.test.summary", "tests", n(out.Tests), "files", n(out.Files), "passed", n(out.Passed), "failed", n(out.Failed)))
	if len(out.Mistakes) > 0 {
		fmt.Fprintln(r.Stdout, r.say("cli.rules.test.mistakes", "n", len(out.Mistakes)))
	}
}
