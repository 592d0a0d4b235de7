package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	root   = "../.." // of the repository, seen from this package
	module = "github.com/sekisho/sekisho"
)

// source is one Go file of the module.
type source struct {
	path    string // from the root, with slashes
	room    string // its folder; "." for the root
	test    bool
	file    *ast.File
	imports []string
}

var parsed = sync.OnceValues(parseTree)

func tree(t *testing.T) []source {
	t.Helper()
	all, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var fset = token.NewFileSet()

// parseTree reads every Go file whatever system it is built for, so that an
// import that only Windows sees is checked on Linux too.
func parseTree() ([]source, error) {
	var all []source
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			return skipFolder(p, rel, d)
		}
		if !strings.HasSuffix(rel, ".go") {
			return nil
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		s, err := parseSource(rel, b)
		if err != nil {
			return err
		}
		all = append(all, s)
		return nil
	})
	return all, err
}

// skipFolder leaves out what the go command leaves out of "./...".
func skipFolder(p, rel string, d fs.DirEntry) error {
	if rel == "." {
		return nil
	}
	if n := d.Name(); n == "testdata" || n == "vendor" || strings.HasPrefix(n, ".") || strings.HasPrefix(n, "_") {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func parseSource(rel string, b []byte) (source, error) {
	f, err := parser.ParseFile(fset, rel, b, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return source{}, err
	}
	s := source{path: rel, room: path.Dir(rel), test: strings.HasSuffix(rel, "_test.go"), file: f}
	for _, i := range f.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return source{}, err
		}
		s.imports = append(s.imports, p)
	}
	return s, nil
}

func readDoc(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// tracked lists the files that belong to the repository: those of git with the
// new ones that it does not ignore, or the whole tree where there is no git.
func tracked(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err == nil && len(out) > 0 {
		names := slices.Sorted(strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00"))
		// A file that was removed and not yet committed is still listed.
		return slices.DeleteFunc(names, func(n string) bool {
			fi, err := os.Lstat(filepath.Join(root, n))
			return err != nil || !fi.Mode().IsRegular()
		})
	}
	var names []string
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		if d.Type().IsRegular() {
			rel, err := filepath.Rel(root, p)
			if err != nil {
				return err
			}
			names = append(names, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// report fails t once per problem.
func report(t *testing.T, problems []string) {
	t.Helper()
	for _, p := range slices.Compact(slices.Sorted(slices.Values(problems))) {
		t.Error(p)
	}
}
