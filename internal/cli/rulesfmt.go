package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/internal/atomicfile"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/rule"
)

type rulesFmtCmd struct {
	Paths []string `arg:"" name:"path"`
	Write bool     `short:"w"`
	Check bool
}

// Run formats the conditions of rules.
func (c *rulesFmtCmd) Run(r *run) error {
	usage := lang.M("cli.hint.usage", "help", "sekisho help rules fmt")
	stdin := false
	for _, p := range c.Paths {
		stdin = stdin || p == "-"
	}
	switch {
	case c.Write && c.Check:
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.rules.fmt.both"), Hint: usage}
	case stdin && (c.Write || len(c.Paths) > 1):
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.rules.fmt.stdin"), Hint: usage}
	}
	out := &desk.RulesFormat{Schema: desk.RulesFormatSchema, Changed: []string{}, Written: c.Write, Problems: []desk.RuleProblem{}, Unread: []desk.Failure{}}
	if !c.Write && !c.Check {
		return c.print(r, out, stdin, usage)
	}
	files, err := c.files(r, out)
	if err != nil {
		return err
	}
	for _, name := range files {
		if r.ctx.Err() != nil {
			return statusError(exitUnread)
		}
		data, err := r.readRule(name)
		if err != nil {
			c.unread(r, out, unreadable(name, err))
			continue
		}
		formatted, problems := desk.FormatRule(name, data, r.words)
		out.Rules++
		out.Problems = append(out.Problems, problems...)
		if bytes.Equal(data, formatted) {
			continue
		}
		if c.Write {
			if err := replaceRule(name, formatted); err != nil {
				c.unread(r, out, &desk.Error{Kind: desk.Unavailable, Message: lang.M("cli.rules.fmt.write", "path", name, "error", err.Error()), Err: err})
				continue
			}
		}
		out.Changed = append(out.Changed, name)
	}
	return c.report(r, out)
}

// print writes one rule to standard output, formatted.
func (c *rulesFmtCmd) print(r *run, out *desk.RulesFormat, stdin bool, usage lang.Message) error {
	name := c.Paths[0]
	if !stdin {
		st, err := os.Stat(name)
		switch {
		case err != nil:
			r.warn(unreadable(name, err))
			return statusError(exitUnread)
		case st.IsDir() || len(c.Paths) > 1:
			return &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.rules.fmt.one", "path", name), Hint: lang.M("cli.rules.fmt.hint-one")}
		}
	}
	data, err := r.readRule(name)
	if err != nil {
		r.warn(unreadable(name, err))
		return statusError(exitUnread)
	}
	formatted, problems := desk.FormatRule(name, data, r.words)
	if r.flags.Output != "text" {
		out.Rules, out.Problems = 1, append(out.Problems, problems...)
		if !bytes.Equal(data, formatted) {
			out.Changed = append(out.Changed, name)
		}
		if err := r.writeRecord(out); err != nil {
			return err
		}
	} else if len(problems) == 0 {
		fmt.Fprint(r.Stdout, string(formatted))
	}
	if len(problems) > 0 {
		r.problemsAside(problems)
		return statusError(exitFindings)
	}
	return nil
}

// problemsAside prints mistakes where they are no part of the output.
func (r *run) problemsAside(problems []desk.RuleProblem) {
	stdout := r.Stdout
	r.Stdout = r.Stderr
	for _, p := range problems {
		r.problem(p)
	}
	r.Stdout = stdout
}

func (c *rulesFmtCmd) report(r *run, out *desk.RulesFormat) error {
	if r.flags.Output != "text" {
		if err := r.writeRecord(out); err != nil {
			return err
		}
	} else {
		r.problemsAside(out.Problems)
		for _, name := range out.Changed {
			fmt.Fprintln(r.Stdout, term.Clean(name))
		}
		n := strconv.Itoa // scripts read this line: digits are not grouped
		args := []any{"rules", n(out.Rules), "changed", n(len(out.Changed)), "kept", n(out.Rules - len(out.Changed))}
		line := r.say("cli.rules.fmt.summary", args...)
		if c.Check {
			line = r.say("cli.rules.fmt.summary-check", args...)
		}
		fmt.Fprintln(r.Stdout, line)
	}
	switch {
	case len(out.Unread) > 0:
		return statusError(exitUnread)
	case len(out.Problems) > 0 || c.Check && len(out.Changed) > 0:
		return statusError(exitFindings)
	}
	return nil
}

func (c *rulesFmtCmd) unread(r *run, out *desk.RulesFormat, e *desk.Error) {
	f := desk.Failure{Kind: e.Kind, Text: r.words.Render(e.Message), Hint: r.words.Render(e.Hint)}
	out.Unread = append(out.Unread, f)
	r.warn(e)
}

// files lists the rule files at the paths.
func (c *rulesFmtCmd) files(r *run, out *desk.RulesFormat) ([]string, error) {
	var files []string
	seen := map[string]bool{}
	add := func(name string) error {
		if clean := filepath.Clean(name); !seen[clean] {
			seen[clean] = true
			files = append(files, name)
		}
		if len(files) > feeds.MaxFiles {
			return &desk.Error{Kind: desk.Limit, Message: lang.M("cli.rules.test.too-many", "max", feeds.MaxFiles)}
		}
		return nil
	}
	for _, path := range c.Paths {
		if path == "-" {
			files = append(files, path)
			continue
		}
		st, err := os.Stat(path)
		if err != nil {
			c.unread(r, out, unreadable(path, err))
			continue
		}
		if !st.IsDir() {
			if err := add(path); err != nil {
				return nil, err
			}
			continue
		}
		err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
			if r.ctx.Err() != nil {
				return statusError(exitUnread)
			}
			if err != nil {
				c.unread(r, out, unreadable(name, err))
				return nil
			}
			if ext := strings.ToLower(filepath.Ext(name)); !d.Type().IsRegular() || ext != ".yml" && ext != ".yaml" {
				return nil
			}
			return add(name)
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// readRule reads a file, or standard input for "-", no further than a rule may
// be long.
func (r *run) readRule(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(newInterruptible(r.ctx, r.Stdin), rule.MaxSize+1))
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	return io.ReadAll(io.LimitReader(f, rule.MaxSize+1))
}

// replaceRule writes a file that is there, with the permissions that it has. A
// link stays one.
func replaceRule(name string, data []byte) error {
	target, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	st, err := os.Stat(target)
	if err != nil {
		return err
	}
	if err := atomicfile.Replace(target, data); err != nil {
		return err
	}
	return os.Chmod(target, st.Mode().Perm())
}

// unreadable is an input that cannot be read.
func unreadable(path string, err error) *desk.Error {
	kind, why := desk.Unavailable, err.Error()
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		why = e.Err.Error()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &desk.Error{Kind: desk.NotFound, Message: lang.M("rules.error.missing", "path", path), Hint: lang.M("rules.hint.missing"), Err: err}
	case errors.Is(err, fs.ErrPermission):
		return &desk.Error{Kind: desk.Denied, Message: lang.M("rules.error.denied", "path", path), Err: err}
	}
	return &desk.Error{Kind: kind, Message: lang.M("cli.rules.read", "path", path, "why", why), Err: err}
}
