package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// directive is a go:generate line.
var directive = regexp.MustCompile(`(?m)^//go:generate (.+)$`)

// variable is an environment variable in a directive.
var variable = regexp.MustCompile(`\$\{?(\w+)\}?`)

// generate runs the generators in a copy of the repository and compares, so
// that a check never changes the files that it checks. A generator that reads
// something from outside names it by an environment variable; it is left out
// where the variable is not set.
func generate(ctx context.Context, c *check) error {
	var packages []string
	err := walk(".", func(path string) error {
		if filepath.Ext(path) != ".go" {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range directive.FindAllSubmatch(b, -1) {
			if v := missing(string(m[1]), os.Getenv); v != "" {
				fmt.Fprintf(c.out, "   SKIPPED: the generator of %s: it reads $%s, which is not set\n", path, v)
				return nil
			}
			packages = append(packages, "./"+filepath.ToSlash(filepath.Dir(path)))
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(packages)
	packages = slices.Compact(packages)
	if len(packages) == 0 {
		fmt.Fprintln(c.out, "   no generator can run here")
		return nil
	}
	tmp, err := os.MkdirTemp("", "sekisho-ci-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := copyTree(tmp); err != nil {
		return err
	}
	cmd := c.command(ctx, "go", append([]string{"generate"}, packages...)...)
	cmd.Dir = tmp
	if err := cmd.Run(); err != nil {
		return err
	}
	stale, err := compare(".", tmp)
	if err != nil {
		return err
	}
	for _, name := range stale {
		fmt.Fprintf(c.out, "   not up to date: %s\n", name)
	}
	if len(stale) > 0 {
		return fmt.Errorf("run go generate %s", strings.Join(packages, " "))
	}
	return nil
}

// missing returns a variable that the directive needs from outside and getenv
// does not know. The go command sets those that start with GO, and DOLLAR.
func missing(directive string, getenv func(string) string) string {
	for _, m := range variable.FindAllStringSubmatch(directive, -1) {
		if v := m[1]; !strings.HasPrefix(v, "GO") && v != "DOLLAR" && getenv(v) == "" {
			return v
		}
	}
	return ""
}

// copyTree copies the repository without its history.
func copyTree(to string) error {
	return filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, path), 0o755)
		case !d.Type().IsRegular():
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, path), b, 0o644)
	})
}

// compare returns the files of after that differ from before or are new.
func compare(before, after string) ([]string, error) {
	var differ []string
	err := filepath.WalkDir(after, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(after, path)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		a, err := os.ReadFile(filepath.Join(before, rel))
		if errors.Is(err, fs.ErrNotExist) || (err == nil && !bytes.Equal(a, b)) {
			differ = append(differ, filepath.ToSlash(rel))
			return nil
		}
		return err
	})
	return differ, err
}
