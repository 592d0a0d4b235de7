// Package feeds loads rules for mail: files and folders that a user names, each
// with what is wrong with it. Rules that can run become one compiled set, which
// all messages share.
//
// A file that is no rule, or a rule with a mistake, is a value among the
// others: the rest is loaded all the same.
package feeds

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/check"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/rule"
	"github.com/sekisho/sekisho/mql/syntax"
)

// The limits of what is loaded at once.
const (
	MaxFiles = 20_000
	MaxBytes = 256 << 20 // of all files together
)

// ErrTooMuch means that there are more rules than [MaxFiles] or [MaxBytes].
var ErrTooMuch = errors.New("feeds: too many rules")

// Set is the rules of some files and folders.
type Set struct {
	Rules    []Rule
	Unread   []Unread    // what could not be read at all
	Compiled *eval.Rules // of the rules that can run; never nil
	Usable   []int       // the place in Rules of each compiled rule
}

// Unread is a file or folder that could not be read.
type Unread struct {
	Path string
	Err  error
}

// Rule is one rule file.
type Rule struct {
	File     string // as it can be opened
	Source   string // the path that the user named, under which it was found
	Version  string // begins the SHA-256 of the file
	Rule     *rule.Rule
	Program  *check.Program // nil where Rule is
	Problems []Problem
}

// ListNames returns the lists that rules which can run mention, sorted.
func (s *Set) ListNames() []string {
	var out []string
	for _, at := range s.Usable {
		out = append(out, s.Rules[at].Program.Lists...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Problem is something wrong with a rule, and where it stands in its file.
type Problem struct {
	Level   syntax.Level
	File    string
	Line    int // from 1
	Column  int // from 1, in Unicode code points
	Length  int // code points of the line that it is about; at least 1
	Message lang.Message
	Hint    lang.Message // may be zero
	Source  string       // the line, without its end
}

// OK reports whether the rule can run.
func (r *Rule) OK() bool { return r.Program != nil && r.Program.OK() }

// ID names the rule: as its author does, or else after its file.
func (r *Rule) ID() string {
	if r.Rule != nil && r.Rule.ID != "" {
		return r.Rule.ID
	}
	return strings.TrimSuffix(filepath.Base(r.File), filepath.Ext(r.File))
}

// Name is what people call the rule.
func (r *Rule) Name() string {
	if r.Rule != nil && r.Rule.Name != "" {
		return r.Rule.Name
	}
	return r.ID()
}

// Parsed reports whether the file is a rule without an error of syntax.
func (r *Rule) Parsed() bool { return r.Program != nil && r.Program.File.OK() }

// Never reports why the rule can never match; the message is zero if it can.
func (r *Rule) Never() lang.Message {
	if r.Program == nil {
		return lang.Message{}
	}
	return r.Program.Never
}

// Options says how to load rules. Nil has the defaults.
type Options struct {
	Lists []string // names of lists that the user made, beside those of the language
	// DataDir is where feeds that were fetched are. A path that does not exist
	// may then be the name or the address of one.
	DataDir string
	Feeds   []Ref // feeds that are loaded beside the paths
}

// Ref names a feed.
type Ref struct {
	Feed string // its name or its address
	Pin  string // the digest that it must have; "" for any
}

// Load reads the rules at paths, each a file or a folder with .yml and
// .yaml files at any depth, or [Builtin]. Rules are in the order of the paths, those of a
// folder in the order of their names. What cannot be read is in [Set.Unread].
// The error is that of ctx, or [ErrTooMuch].
func Load(ctx context.Context, paths []string, o *Options) (*Set, error) {
	if o == nil {
		o = &Options{}
	}
	s := &Set{}
	files, err := s.find(ctx, paths, o)
	if err != nil {
		return nil, err
	}
	loaded, err := read(ctx, files, o)
	if err != nil {
		return nil, err
	}
	var programs []*check.Program
	for i, l := range loaded {
		if l.err != nil {
			s.Unread = append(s.Unread, Unread{files[i].path, l.err})
			continue
		}
		if l.rule.OK() {
			s.Usable = append(s.Usable, len(s.Rules))
			programs = append(programs, l.rule.Program)
		}
		s.Rules = append(s.Rules, l.rule)
	}
	if s.Compiled, err = eval.Compile(programs); err != nil {
		return nil, fmt.Errorf("compiling rules: %w", err)
	}
	return s, nil
}

type file struct {
	path, source string
	data         []byte // of a file that the program carries; nil: read path
}

// find lists the files.
func (s *Set) find(ctx context.Context, paths []string, o *Options) ([]file, error) {
	var files []file
	seen := map[string]bool{}
	total := int64(0)
	add := func(path, source string, size int64) error {
		if clean := filepath.Clean(path); !seen[clean] {
			seen[clean] = true
			files = append(files, file{path: path, source: source})
			total += size
		}
		if len(files) > MaxFiles || total > MaxBytes {
			return ErrTooMuch
		}
		return nil
	}
	folder := func(root, source string) error {
		return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err != nil {
				s.Unread = append(s.Unread, Unread{path, err})
				return nil
			}
			if ext := strings.ToLower(filepath.Ext(path)); !d.Type().IsRegular() || ext != ".yml" && ext != ".yaml" {
				return nil
			}
			info, err := d.Info()
			if err != nil {
				s.Unread = append(s.Unread, Unread{path, err})
				return nil
			}
			return add(path, source, info.Size())
		})
	}
	feed := func(r Ref) error {
		dir, _, err := Locate(o.DataDir, r.Feed, r.Pin)
		if err != nil {
			s.Unread = append(s.Unread, Unread{r.Feed, err})
			return nil
		}
		return folder(dir, r.Feed)
	}
	rest := o.Feeds
	allFeeds := func() error {
		for ; len(rest) > 0; rest = rest[1:] {
			if err := feed(rest[0]); err != nil {
				return err
			}
		}
		return nil
	}
	for _, source := range paths {
		if source == Builtin {
			// What the user chose comes before what everybody has.
			if err := allFeeds(); err != nil {
				return nil, err
			}
			err := builtin(func(name string, data []byte) error {
				if !seen[name] {
					seen[name] = true
					files = append(files, file{name, source, data})
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
			continue
		}
		st, err := os.Stat(source)
		switch {
		case err != nil && o.isFeed(source):
			err = feed(Ref{Feed: source})
		case err != nil:
			s.Unread = append(s.Unread, Unread{source, err})
			continue
		case st.IsDir():
			err = folder(source, source)
		default:
			err = add(source, source, st.Size())
		}
		if err != nil {
			return nil, err
		}
	}
	return files, allFeeds()
}

// isFeed reports whether something that is no path names a feed: one that was
// fetched, or one that could be.
func (o *Options) isFeed(source string) bool {
	if o.DataDir == "" {
		return false
	}
	if _, ok := LookupKnown(RulesFeed, source); ok || IsURL(source) {
		return true
	}
	_, _, err := Locate(o.DataDir, source, "")
	return err == nil
}

// outcome is what became of one file.
type outcome struct {
	rule Rule
	err  error
}

// read parses and checks the files, some at a time. A checker remembers regular
// expressions and belongs to one goroutine; rules of one folder are alike, so
// that each gets a stretch of the list.
func read(ctx context.Context, files []file, o *Options) ([]outcome, error) {
	out := make([]outcome, len(files))
	workers := min(runtime.GOMAXPROCS(0), 4)
	size := max(1, (len(files)+workers-1)/workers)
	var wait sync.WaitGroup
	at := 0
	for part := range slices.Chunk(files, size) {
		results := out[at : at+len(part)]
		at += len(part)
		wait.Go(func() {
			checker := check.New(&check.Options{Lists: o.Lists, XPath: mdm.CheckXPath})
			for i, f := range part {
				if ctx.Err() != nil {
					return
				}
				data, err := f.data, error(nil)
				if data == nil {
					data, err = readFile(f.path)
				}
				if err != nil {
					results[i].err = err
					continue
				}
				results[i].rule = parse(f, data, checker)
			}
		})
	}
	wait.Wait()
	return out, ctx.Err()
}

// readFile reads a file no further than its parser would, so that one that
// says it is large is refused there.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	// Most files are as long as they say and read at once.
	size := int64(0)
	if st, err := f.Stat(); err == nil {
		size = min(st.Size(), rule.MaxSize)
	}
	data := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	if _, err := data.ReadFrom(io.LimitReader(f, rule.MaxSize+1)); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return data.Bytes(), nil
}

func parse(f file, data []byte, checker *check.Checker) Rule {
	sum := sha256.Sum256(data)
	r := Rule{File: f.path, Source: f.source, Version: "sha256:" + hex.EncodeToString(sum[:6])}
	parsed, err := rule.Parse(data)
	if err != nil {
		p := Problem{Level: syntax.Error, File: f.path, Line: 1, Column: 1, Length: 1, Message: lang.Literal(err.Error())}
		if e, ok := errors.AsType[*rule.Error](err); ok {
			p.Line, p.Column, p.Message = e.Line, e.Column, e.Message
		}
		p.Source = line(data, p.Line)
		r.Problems = []Problem{p}
		return r
	}
	r.Rule = parsed
	r.Program = parsed.Check(checker)
	for _, d := range r.Program.Diagnostics {
		from, to := parsed.Position(d.Span.Start), parsed.Position(d.Span.End)
		p := Problem{Level: d.Level, File: f.path, Line: from.Line, Column: from.Column, Message: d.Message, Hint: d.Hint, Source: parsed.Line(from.Line)}
		p.Source = strings.TrimRight(p.Source, "\r")
		rest := len([]rune(p.Source)) - from.Column + 1
		if to.Line == from.Line {
			rest = min(rest, to.Column-from.Column)
		}
		p.Length = max(1, rest)
		r.Problems = append(r.Problems, p)
	}
	return r
}

// line returns line n of a file that is no rule.
func line(data []byte, n int) string {
	i := 0
	for l := range strings.Lines(string(data)) {
		if i++; i == n {
			return strings.ToValidUTF8(strings.TrimRight(l, "\r\n"), "\uFFFD")
		}
	}
	return ""
}
