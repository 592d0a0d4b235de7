package feeds

import (
	"cmp"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Change is a rule or a list that is new, other than before, or gone.
type Change struct {
	ID     string // of the rule, or the name of the list
	Name   string // for people; may be empty
	File   string // from the root of the feed, with slashes
	Before int    // entries of a list in the version before
	After  int    // and in this one
}

// Changes is what an update would change, each part sorted by file.
type Changes struct {
	Added   []Change
	Changed []Change
	Removed []Change
}

// None reports whether nothing changes.
func (c *Changes) None() bool { return len(c.Added)+len(c.Changed)+len(c.Removed) == 0 }

// part is a rule or a list of one version.
type part struct {
	change  Change
	content string // equal for equal content
}

// CompareRules returns what differs between the rules of two versions, which were
// loaded from these folders. A rule is the same by its identifier, so that moving
// its file is no change. Before may be nil.
func CompareRules(before, after *Set, beforeDir, afterDir string) *Changes {
	return compare(ruleParts(before, beforeDir), ruleParts(after, afterDir))
}

func ruleParts(s *Set, dir string) map[string]part {
	out := map[string]part{}
	if s == nil {
		return out
	}
	for i := range s.Rules {
		r := &s.Rules[i]
		file := relative(dir, r.File)
		key := r.ID()
		if _, twice := out[key]; twice {
			key += "\x00" + file
		}
		out[key] = part{Change{ID: r.ID(), Name: r.Name(), File: file}, r.Version}
	}
	return out
}

// CompareLists returns what differs between the lists of two versions. Before may
// be nil.
func CompareLists(before, after *Lists) *Changes {
	c := compare(listParts(before), listParts(after))
	for _, part := range [][]Change{c.Added, c.Changed, c.Removed} {
		for i := range part {
			part[i].Before, part[i].After = before.Count(part[i].ID), after.Count(part[i].ID)
		}
	}
	return c
}

func listParts(l *Lists) map[string]part {
	out := map[string]part{}
	for _, f := range l.Files() {
		out[f.Name] = part{Change{ID: f.Name, Name: f.Title, File: filepath.Base(f.Path)}, contentOf(f.Path)}
	}
	return out
}

func contentOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // it was only read
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return ""
	}
	return string(sum.Sum(nil))
}

func compare(before, after map[string]part) *Changes {
	c := &Changes{}
	for key, p := range after {
		switch old, ok := before[key]; {
		case !ok:
			c.Added = append(c.Added, p.change)
		case old.content != p.content:
			c.Changed = append(c.Changed, p.change)
		}
	}
	for key, p := range before {
		if _, ok := after[key]; !ok {
			c.Removed = append(c.Removed, p.change)
		}
	}
	for _, part := range [][]Change{c.Added, c.Changed, c.Removed} {
		slices.SortFunc(part, func(a, b Change) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.ID, b.ID)) })
	}
	return c
}

// relative is a path below a folder with slashes.
func relative(dir, path string) string {
	rel, err := filepath.Rel(dir, path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(rel)
}
