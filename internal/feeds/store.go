package feeds

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sekisho/sekisho/internal/atomicfile"
)

// The errors of a [Store].
var (
	ErrNotFetched = errors.New("feeds: the feed was not fetched yet")
	ErrNoPrevious = errors.New("feeds: there is no version before this one")
	ErrChanged    = errors.New("feeds: somebody else changed the feed meanwhile")
	ErrLocked     = errors.New("feeds: somebody else is changing the feed")
)

// Version is one state of a feed that was fetched.
type Version struct {
	Digest       string    `json:"digest"`
	Source       string    `json:"source"` // the address or the file that it came from
	Commit       string    `json:"commit,omitempty"`
	Licence      string    `json:"licence,omitempty"` // of a feed that is known by name
	ETag         string    `json:"etag,omitempty"`
	LastModified string    `json:"last_modified,omitempty"`
	Fetched      time.Time `json:"fetched"`
	Files        int       `json:"files"`
	Bytes        int64     `json:"bytes"`
	Entries      int       `json:"entries"`            // rules or lists
	Previous     string    `json:"previous,omitempty"` // the digest of the version before
}

// Store keeps the versions of one feed in a folder of its own: a folder for each
// version, named by its digest, which is complete before it has that name; beside
// it a file with what is known of it; and the file "current" with the name of the
// one that counts, replaced in one step. So whoever reads, and whoever starts
// after a crash, finds the old version whole or the new one. The version before
// the current one is kept.
//
//	DATA/rules/NAME/current
//	DATA/rules/NAME/<digest>.json
//	DATA/rules/NAME/<digest>/...
//
// Lists have one feed, in DATA/lists.
type Store struct {
	dir  string
	kind Kind
}

const (
	currentName = "current"
	lockName    = "lock"
	stagePrefix = ".incoming-"

	maxPointer = 1 << 10  // bytes
	maxNote    = 64 << 10 // bytes

	lockAge   = 60 * time.Second // of a lock whose holder must have died
	lockWait  = 10 * time.Second
	lockPoll  = 50 * time.Millisecond
	stageAge  = 24 * time.Hour // of what an update that died left behind
	syncsOnce = 8
)

// NewStore returns the store of a feed below the folder for data. The name of a
// feed of lists is not used. Nothing is written yet.
func NewStore(dataDir string, kind Kind, name string) *Store {
	if kind == ListsFeed {
		return &Store{filepath.Join(dataDir, string(ListsFeed)), kind}
	}
	return &Store{filepath.Join(dataDir, string(RulesFeed), name), kind}
}

// StoredFeeds returns the names of the feeds of rules that were fetched.
func StoredFeeds(dataDir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dataDir, string(RulesFeed)))
	if errors.Is(err, fs.ErrNotExist) || dataDir == "" {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("feeds: looking for feeds: %w", err)
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() || !ValidName(e.Name()) {
			continue
		}
		if _, err := NewStore(dataDir, RulesFeed, e.Name()).Current(); err == nil {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Dir returns the folder with the files of a version.
func (s *Store) Dir(digest string) string { return filepath.Join(s.dir, folderOf(digest)) }

func folderOf(digest string) string { return strings.TrimPrefix(digest, digestPrefix) }

// Current returns the version that counts. The error is [ErrNotFetched] if there
// is none.
func (s *Store) Current() (*Version, error) {
	b, err := readSmall(filepath.Join(s.dir, currentName), maxPointer)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFetched
	}
	if err != nil {
		return nil, err
	}
	digest := digestPrefix + strings.TrimSpace(string(b))
	if !ValidDigest(digest) {
		return nil, ErrNotFetched // the file is damaged, and fetching puts it right
	}
	return s.Version(digest)
}

// Version returns a version that is kept. The error is [ErrNotFetched] if it is
// not.
func (s *Store) Version(digest string) (*Version, error) {
	if !ValidDigest(digest) {
		return nil, ErrNotFetched
	}
	st, err := os.Stat(s.Dir(digest))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !st.IsDir() {
		return nil, ErrNotFetched
	}
	if err != nil {
		return nil, fmt.Errorf("feeds: %w", err)
	}
	v := &Version{}
	// Without the note the files are as good; only where they came from is lost.
	if b, err := readSmall(s.notePath(digest), maxNote); err != nil || json.Unmarshal(b, v) != nil || v.Digest != digest {
		v = &Version{Digest: digest}
	}
	if !ValidDigest(v.Previous) || v.Previous == digest {
		v.Previous = ""
	}
	return v, nil
}

// Previous returns the version before v, [ErrNoPrevious] if it is not kept.
func (s *Store) Previous(v *Version) (*Version, error) {
	p, err := s.Version(v.Previous)
	if errors.Is(err, ErrNotFetched) {
		return nil, ErrNoPrevious
	}
	return p, err
}

func (s *Store) notePath(digest string) string { return s.Dir(digest) + ".json" }

// Intact reports whether the files of a version are those of its digest.
func (s *Store) Intact(digest string) bool {
	var files []File
	root := s.Dir(digest)
	total := int64(0)
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if total += info.Size(); total > MaxBytes || len(files) == maxKept || !info.Mode().IsRegular() {
			return ErrTooMuch
		}
		b, err := os.ReadFile(p)
		files = append(files, File{filepath.ToSlash(rel), b})
		return err
	})
	if err != nil {
		return false
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return Digest(files) == digest
}

// Staged is a version that is on the disk and does not count yet.
type Staged struct {
	Dir   string // with its files
	store *Store
}

// Stage writes files to the disk, to be looked at. Either Commit or Discard ends
// it.
func (s *Store) Stage(files []File) (*Staged, error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("feeds: %w", err)
	}
	dir, err := os.MkdirTemp(s.dir, stagePrefix)
	if err != nil {
		return nil, fmt.Errorf("feeds: %w", err)
	}
	st := &Staged{dir, s}
	if err := st.write(files); err != nil {
		st.Discard()
		return nil, fmt.Errorf("feeds: writing what was fetched: %w", err)
	}
	return st, nil
}

func (st *Staged) write(files []File) error {
	root, err := os.OpenRoot(st.Dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	folders := map[string]bool{".": true}
	for _, f := range files {
		name := filepath.FromSlash(f.Path)
		if dir := filepath.Dir(name); !folders[dir] {
			if err := root.MkdirAll(dir, 0o700); err != nil {
				return err
			}
			folders[dir] = true
		}
		if err := root.WriteFile(name, f.Data, 0o600); err != nil {
			return err
		}
	}
	if err := syncFiles(st.Dir, files); err != nil {
		return err
	}
	for dir := range folders {
		// Windows cannot sync a folder and needs not.
		if d, err := root.Open(dir); err == nil {
			_ = d.Sync()
			_ = d.Close()
		}
	}
	return nil
}

// syncFiles puts the files on the disk, some at a time, which a journal takes in
// few steps: the name of a version must not survive a power cut that its content
// does not.
func syncFiles(dir string, files []File) error {
	var mu sync.Mutex
	var first error
	var wait sync.WaitGroup
	for part := range slices.Chunk(files, max(1, (len(files)+syncsOnce-1)/syncsOnce)) {
		wait.Go(func() {
			for _, f := range part {
				if err := syncFile(filepath.Join(dir, filepath.FromSlash(f.Path))); err != nil {
					mu.Lock()
					first = err
					mu.Unlock()
					return
				}
			}
		})
	}
	wait.Wait()
	return first
}

func syncFile(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Discard removes the files.
func (st *Staged) Discard() { _ = os.RemoveAll(st.Dir) }

// Commit makes the version the one that counts, if the one that counted is still
// the one with the digest before ("" for none); otherwise the error is
// [ErrChanged], or [ErrLocked] after a wait.
func (st *Staged) Commit(ctx context.Context, v Version, before string) error {
	defer st.Discard()
	s := st.store
	return s.change(ctx, before, func() error {
		v.Previous = before
		if before == v.Digest { // a damaged copy is put right
			if old, err := s.Version(before); err == nil {
				v.Previous = old.Previous
			}
		}
		target := s.Dir(v.Digest)
		if _, err := os.Lstat(target); err == nil {
			grave := st.Dir + ".old"
			if err := os.Rename(target, grave); err != nil {
				return err
			}
			defer os.RemoveAll(grave)
		}
		if err := os.Rename(st.Dir, target); err != nil {
			return err
		}
		if err := s.point(&v); err != nil {
			return err
		}
		s.sweep(v.Digest, v.Previous)
		return nil
	})
}

// Rollback makes the version before the one that counts again, and the other way
// round the next time. It returns that version.
func (s *Store) Rollback(ctx context.Context) (*Version, error) {
	now, err := s.Current()
	if err != nil {
		return nil, err
	}
	then, err := s.Previous(now)
	if err != nil {
		return nil, err
	}
	then.Previous = now.Digest
	return then, s.change(ctx, now.Digest, func() error { return s.point(then) })
}

// point writes what is known of a version and then makes it the one that counts.
// In between, the old one counts, and its own note says all about it.
func (s *Store) point(v *Version) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := atomicfile.Replace(s.notePath(v.Digest), append(b, '\n')); err != nil {
		return err
	}
	return atomicfile.Replace(filepath.Join(s.dir, currentName), []byte(folderOf(v.Digest)+"\n"))
}

// sweep removes versions other than these, and what dead updates left behind.
func (s *Store) sweep(keep ...string) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return // the next update sees to it
	}
	for _, e := range entries {
		name := e.Name()
		digest := digestPrefix + strings.TrimSuffix(name, ".json")
		old := ValidDigest(digest) && !slices.Contains(keep, digest)
		if strings.HasPrefix(name, stagePrefix) {
			info, err := e.Info()
			old = err == nil && time.Since(info.ModTime()) > stageAge
		}
		if old {
			_ = os.RemoveAll(filepath.Join(s.dir, name))
		}
	}
}

// change does something while no other process does, if the version that counts
// is the one with the digest before.
func (s *Store) change(ctx context.Context, before string, do func() error) error {
	release, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	now := ""
	switch v, err := s.Current(); {
	case err == nil:
		now = v.Digest
	case !errors.Is(err, ErrNotFetched):
		return err
	}
	if now != before {
		return ErrChanged
	}
	if err := do(); err != nil {
		return fmt.Errorf("feeds: putting the version into its place: %w", err)
	}
	return nil
}

// lock makes a file that exists while somebody changes the store. It is held for
// moments: fetching, looking and asking come before.
func (s *Store) lock(ctx context.Context) (release func(), err error) {
	name := filepath.Join(s.dir, lockName)
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	poll := time.NewTicker(lockPoll)
	defer poll.Stop()
	for {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			// The process ID is for the person who finds the file.
			_, _ = f.WriteString(strconv.Itoa(os.Getpid()) + "\n")
			mine, statErr := f.Stat()
			if err := errors.Join(statErr, f.Close()); err != nil {
				_ = os.Remove(name)
				return nil, fmt.Errorf("feeds: %w", err)
			}
			return func() {
				if now, err := os.Stat(name); err == nil && os.SameFile(now, mine) {
					_ = os.Remove(name)
				}
			}, nil
		}
		// Windows denies access to a file that is being deleted.
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrPermission) {
			return nil, fmt.Errorf("feeds: %w", err)
		}
		if info, serr := os.Stat(name); serr == nil && time.Since(info.ModTime()) > lockAge {
			// Of two who take a stale lock away, one gets it.
			grave := name + "." + strconv.Itoa(os.Getpid())
			if os.Rename(name, grave) == nil {
				_ = os.Remove(grave)
				continue
			}
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			if errors.Is(err, fs.ErrPermission) {
				return nil, fmt.Errorf("feeds: %w", err)
			}
			return nil, ErrLocked
		}
	}
}

// Locate finds the rules of a feed that was fetched, given by its name or its
// address. With a pin, it is the version with that digest, whichever counts; the
// error is then a [*PinError] if another one is there. Without the feed it is
// [ErrNotFetched].
func Locate(dataDir, ref, pin string) (dir string, v *Version, err error) {
	name := NameOf(ref)
	if dataDir == "" || name == "" {
		return "", nil, ErrNotFetched
	}
	s := NewStore(dataDir, RulesFeed, name)
	now, err := s.Current()
	if errors.Is(err, ErrNotFetched) && IsURL(ref) {
		// It may have been given another name.
		if other := NameFetchedFrom(dataDir, ref); other != "" {
			s = NewStore(dataDir, RulesFeed, other)
			now, err = s.Current()
		}
	}
	switch {
	case err != nil:
		return "", nil, err
	case pin == "" || now.Digest == pin:
		return s.Dir(now.Digest), now, nil
	}
	then, err := s.Version(pin)
	if errors.Is(err, ErrNotFetched) {
		return "", nil, &PinError{Pin: pin, Digest: now.Digest}
	}
	if err != nil {
		return "", nil, err
	}
	return s.Dir(pin), then, nil
}

// NameFetchedFrom returns the name of the feed of rules that came from an address,
// "" if there is none.
func NameFetchedFrom(dataDir, address string) string {
	names, err := StoredFeeds(dataDir)
	if err != nil {
		return ""
	}
	for _, name := range names {
		if v, err := NewStore(dataDir, RulesFeed, name).Current(); err == nil && v.Source == address {
			return name
		}
	}
	return ""
}

// PinError says that a feed is not what its pin says.
type PinError struct {
	Pin    string // wanted
	Digest string // what there is
}

// Error implements error.
func (e *PinError) Error() string {
	return fmt.Sprintf("feeds: the digest is %s, and the pin is %s", e.Digest, e.Pin)
}

// readSmall reads a file of a few lines.
func readSmall(name string, most int64) ([]byte, error) {
	st, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if st.Size() > most {
		return nil, fmt.Errorf("feeds: %s is damaged: %d bytes", name, st.Size())
	}
	return os.ReadFile(name)
}
