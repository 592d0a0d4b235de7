package feeds

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/list"
	"github.com/sekisho/sekisho/mql/schema"
	"github.com/sekisho/sekisho/mql/value"
)

// maxListFiles bounds the files of one folder of lists.
const maxListFiles = 10_000

// Lists are folders with lists that rules name: published ones, and those of a
// user. Opening them looks at names alone; a list is read when [Lists.Load]
// asks for it, once. A nil *Lists has none. It is safe for concurrent use.
type Lists struct {
	dirs  []string
	files map[string]ListFile
	notes []ListNote

	mu     sync.Mutex
	loaded map[string]loadedList
	sums   map[string][sha256.Size]byte
}

// ListFile is one list.
type ListFile struct {
	Name   string        // as rules name it, without "$"
	Title  string        // for people, in the language of whoever published it; may be empty
	Path   string        // as it can be opened
	Size   int64         // bytes
	Origin schema.Origin // empty for a list that the language does not know
	read   list.File
}

// ListNote is a file that is not used, and why.
type ListNote struct {
	File    string
	Message lang.Message
}

type loadedList struct {
	set  *value.List // nil where it cannot be used
	note *ListNote
}

// OpenLists looks for lists in folders: files that end in .txt or .csv, and a
// manifest.json that says which is which list. Where two folders have the same
// list, the later one wins. The error is about a folder that cannot be read.
func OpenLists(dirs ...string) (*Lists, error) {
	l := &Lists{dirs: dirs, files: map[string]ListFile{}, loaded: map[string]loadedList{}, sums: map[string][sha256.Size]byte{}}
	for _, d := range dirs {
		if err := l.open(d); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *Lists) open(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("opening lists: %w", err)
	}
	names, err := d.Readdirnames(maxListFiles + 1)
	_ = d.Close() // nothing was written
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("opening lists: %w", err)
	}
	if len(names) > maxListFiles {
		return fmt.Errorf("opening lists in %s: %w", dir, ErrTooMuch)
	}
	slices.Sort(names)
	named := l.manifest(dir)
	here := map[string]string{}
	for _, base := range names {
		path := filepath.Join(dir, base)
		st, err := os.Stat(path)
		if err != nil || !st.Mode().IsRegular() || isCompanion(base) {
			continue
		}
		f, why := listFile(base, named)
		if !why.IsZero() {
			l.note(path, why)
			continue
		}
		if other, dup := here[f.Name]; dup {
			l.note(path, lang.M("listfile.twice", "name", f.Name, "file", other))
			continue
		}
		here[f.Name] = base
		f.Path, f.Size = path, st.Size()
		l.files[f.Name] = f
	}
	return nil
}

// isCompanion reports whether a file is one that lies beside lists.
func isCompanion(base string) bool {
	lower := strings.ToLower(base)
	stem := strings.TrimSuffix(lower, filepath.Ext(lower))
	return lower == list.ManifestName || strings.HasPrefix(lower, ".") || strings.HasSuffix(lower, ".md") ||
		slices.Contains([]string{"license", "licence", "copying", "readme", "notice"}, stem)
}

func (l *Lists) note(file string, why lang.Message) {
	l.notes = append(l.notes, ListNote{file, why})
}

// manifest returns what the manifest of a folder says of each file. A manifest
// that cannot be read is noted; the names of the files then say what they are.
func (l *Lists) manifest(dir string) map[string]list.Entry {
	out := map[string]list.Entry{}
	path := filepath.Join(dir, list.ManifestName)
	data, err := readList(path)
	if errors.Is(err, fs.ErrNotExist) {
		return out
	}
	var entries []list.Entry
	if err == nil {
		entries, err = list.ParseManifest(data)
	}
	if err != nil {
		l.note(path, lang.M("listfile.manifest", "error", err.Error()))
	}
	for _, e := range entries {
		out[e.Base] = e
	}
	return out
}

// listFile says which list a file is, or why it is none.
func listFile(base string, named map[string]list.Entry) (ListFile, lang.Message) {
	kind, ok := list.KindOf(base)
	if !ok {
		return ListFile{}, lang.M("listfile.kind")
	}
	f := ListFile{read: list.File{Kind: kind}}
	if e, ok := named[base]; ok {
		f.Name, f.Title, f.read = e.Name, e.Title, e.File
	} else if f.Name, ok = list.NameOf(base); !ok {
		return f, lang.M("listfile.name")
	}
	if s, ok := schema.LookupList(f.Name); ok {
		f.Origin = s.Origin
		if s.Elem.Kind != schema.String {
			return f, lang.M("listfile.people", "name", f.Name)
		}
		// Hosts and addresses are in small letters in a message, too.
		f.read.Hosts = f.read.Hosts || s.Origin == schema.Seen || f.Name == "org_domains" || f.Name == "tenant_domains"
	}
	return f, lang.Message{}
}

// readList reads a file no further than its parser would.
func readList(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	var b bytes.Buffer
	if st, err := f.Stat(); err == nil {
		b.Grow(int(min(st.Size(), list.MaxSize)) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(io.LimitReader(f, list.MaxSize+1)); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return b.Bytes(), nil
}

// Dirs returns the folders.
func (l *Lists) Dirs() []string {
	if l == nil {
		return nil
	}
	return slices.Clone(l.dirs)
}

// Files returns the lists, sorted by name.
func (l *Lists) Files() []ListFile {
	if l == nil {
		return nil
	}
	out := make([]ListFile, 0, len(l.files))
	for _, name := range slices.Sorted(maps.Keys(l.files)) {
		out = append(out, l.files[name])
	}
	return out
}

// Own returns the names of lists that the language does not know, sorted: those
// that a user made. Rules may name them; see [Options].
func (l *Lists) Own() []string {
	var out []string
	for _, f := range l.Files() {
		if f.Origin == "" {
			out = append(out, f.Name)
		}
	}
	return out
}

// Notes returns the files that are not used, or not as they are: those that
// turned out at opening, and [Lists.Unread].
func (l *Lists) Notes() []ListNote {
	if l == nil {
		return nil
	}
	return append(slices.Clone(l.notes), l.Unread()...)
}

// Unread returns what was wrong with lists that were loaded, sorted by the name
// of the list.
func (l *Lists) Unread() []ListNote {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []ListNote
	for _, name := range slices.Sorted(maps.Keys(l.loaded)) {
		if n := l.loaded[name].note; n != nil {
			out = append(out, *n)
		}
	}
	return out
}

// Sum returns the SHA-256 of the file of a list, zero if it is not there or
// cannot be read.
func (l *Lists) Sum(name string) [sha256.Size]byte {
	if l == nil {
		return [sha256.Size]byte{}
	}
	f, ok := l.files[name]
	if !ok {
		return [sha256.Size]byte{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	sum, ok := l.sums[name]
	if !ok {
		if data, err := readList(f.Path); err == nil {
			sum = sha256.Sum256(data)
		}
		l.sums[name] = sum
	}
	return sum
}

// Count reads a list and returns how many entries it has, 0 if it is not there
// or cannot be used.
func (l *Lists) Count(name string) int {
	if set := l.Load(name)[name]; set != nil {
		return set.Len()
	}
	return 0
}

// Load returns the lists of these names that are there and can be read. A list
// that an organisation, its history or a feed would have to fill, and that is
// empty, is not there: nobody filled it.
func (l *Lists) Load(names ...string) map[string]*value.List {
	out := map[string]*value.List{}
	if l == nil {
		return out
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, name := range names {
		f, ok := l.files[name]
		if !ok {
			continue
		}
		got, ok := l.loaded[name]
		if !ok {
			got = f.load()
			l.loaded[name] = got
		}
		if got.set != nil {
			out[name] = got.set
		}
	}
	return out
}

func (f *ListFile) load() loadedList {
	data, err := readList(f.Path)
	var c *list.Content
	if err == nil {
		c, err = list.Parse(data, f.read)
	}
	if err != nil {
		return loadedList{note: &ListNote{f.Path, lang.M("listfile.unread", "name", f.Name, "error", err.Error())}}
	}
	var note *ListNote
	if c.Skipped > 0 {
		note = &ListNote{f.Path, lang.M("listfile.skipped", "name", f.Name, "n", c.Skipped)}
	}
	if len(c.Entries) == 0 && f.Origin != schema.Published && f.Origin != "" {
		return loadedList{note: note}
	}
	return loadedList{value.NewSet(c.Entries), note}
}
