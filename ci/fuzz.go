package main

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// target is a fuzz function.
type target struct{ dir, name string }

func fuzz(ctx context.Context, c *check) error {
	match, err := regexp.Compile(c.opts.match)
	if err != nil {
		return err
	}
	targets, err := fuzzTargets(".")
	if err != nil {
		return err
	}
	var failed []string
	for _, t := range targets {
		if !match.MatchString(t.name) || ctx.Err() != nil {
			continue
		}
		began := time.Now()
		fmt.Fprintf(c.out, "   %s in %s\n", t.name, t.dir)
		err := c.command(ctx, "go", "test", "-vet=off", "-run=^$", "-fuzz=^"+t.name+"$", "-fuzztime="+c.opts.time.String(), "./"+t.dir).Run()
		took := time.Since(began).Round(time.Second)
		if err != nil {
			failed = append(failed, t.name)
			c.tests.failed++
			fmt.Fprintf(c.out, "   FAIL %s  %s; the input is in %s/testdata/fuzz\n", t.name, took, t.dir)
			continue
		}
		c.tests.passed++
		fmt.Fprintf(c.out, "   ok   %s  %s\n", t.name, took)
	}
	if len(failed) > 0 {
		return fmt.Errorf("failed: %s", strings.Join(failed, ", "))
	}
	return nil
}

// fuzzTargets finds the fuzz functions below root.
func fuzzTargets(root string) ([]target, error) {
	var all []target
	err := walk(root, func(path string) error {
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Fuzz") {
				all = append(all, target{dir: filepath.ToSlash(dir), name: fn.Name.Name})
			}
		}
		return nil
	})
	return all, err
}
