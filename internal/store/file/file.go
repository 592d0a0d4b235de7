// Package file keeps small things of the desk as text files in the data
// directory, one file for each kind of thing, so that people can read, compare
// and back them up with the tools they have.
//
// A file changes whole or not at all: the new content is written beside it,
// synced, and renamed into its place. One writer works at a time, whichever
// process it is in; see [Store.Add].
package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/sekisho/sekisho/internal/atomicfile"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

const (
	lockSuffix = ".lock"

	// A writer holds the lock for milliseconds. A lock of this age belongs to
	// one that died.
	lockAge = 30 * time.Second

	// How long a writer waits for another one, and how often it looks.
	lockWait = 5 * time.Second
	lockPoll = 20 * time.Millisecond
)

// Store keeps files in one directory. It is safe for concurrent use, also by
// several processes.
type Store struct {
	dir string
	now func() time.Time
}

// Options of [New]. A nil *Options is the default.
type Options struct {
	Now func() time.Time // for the age of locks; nil: the system's clock
}

// New returns the store of the directory dir. The directory is made, for its
// owner only, when something is first written.
func New(dir string, o *Options) *Store {
	s := &Store{dir: dir, now: time.Now}
	if o != nil && o.Now != nil {
		s.now = o.Now
	}
	return s
}

// read returns the content of a file, nil if there is none.
func (s *Store) read(name string, limit int64) ([]byte, error) {
	path := filepath.Join(s.dir, name)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, ioError(path, err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, ioError(path, err)
	}
	if int64(len(b)) > limit {
		return nil, &desk.Error{Kind: desk.Limit, Message: lang.M("allow.file.too-big", "file", path, "mib", int(limit>>20)), Hint: lang.M("allow.hint.prune")}
	}
	return b, nil
}

// change replaces the content of a file by what edit makes of it, while no
// other writer does.
func (s *Store) change(ctx context.Context, name string, limit int64, edit func([]byte) ([]byte, error)) error {
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return ioError(s.dir, err)
	}
	l, err := s.lock(ctx, path)
	if err != nil {
		return err
	}
	defer l.release()
	old, err := s.read(name, limit)
	if err != nil {
		return err
	}
	b, err := edit(old)
	if err != nil {
		return err
	}
	// A machine that slept may have lost the lock to somebody who took its
	// holder for dead.
	if !l.held() {
		return lockedError(path, nil)
	}
	if err := atomicfile.Replace(path, b); err != nil {
		return ioError(path, err)
	}
	return nil
}

// lock is a file that exists while somebody writes.
type lock struct {
	path string
	info fs.FileInfo
}

// lock waits until no other writer is at work. It is of kind Unavailable if
// that takes too long.
func (s *Store) lock(ctx context.Context, path string) (*lock, error) {
	name := path + lockSuffix
	// The wait is real time, whatever the clock of the store says.
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	poll := time.NewTicker(lockPoll)
	defer poll.Stop()
	for {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			return newLock(f)
		}
		// Windows denies access to a file that is being deleted.
		deleting := runtime.GOOS == "windows" && errors.Is(err, fs.ErrPermission)
		if !errors.Is(err, fs.ErrExist) && !deleting {
			return nil, ioError(path, err)
		}
		if s.breakStale(name) {
			continue
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			if deleting {
				return nil, ioError(path, err)
			}
			return nil, lockedError(path, ctx.Err())
		}
	}
}

func newLock(f *os.File) (*lock, error) {
	// The process ID is for the person who finds the file.
	_, err := fmt.Fprintf(f, "%d\n", os.Getpid())
	info, statErr := f.Stat()
	if err = errors.Join(err, statErr, f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return nil, ioError(f.Name(), err)
	}
	return &lock{path: f.Name(), info: info}, nil
}

// breakStale removes a lock whose holder died, and reports whether it did. The
// lock is renamed first: of two who try, one gets it.
func (s *Store) breakStale(name string) bool {
	info, err := os.Stat(name)
	if err != nil || s.now().Sub(info.ModTime()) < lockAge {
		return false
	}
	grave := fmt.Sprintf("%s.%d", name, os.Getpid())
	if err := os.Rename(name, grave); err != nil {
		return false
	}
	defer func() { _ = os.Remove(grave) }()
	if moved, err := os.Stat(grave); err == nil && !os.SameFile(info, moved) {
		// Another was quicker and has made a new lock: give it back, unless
		// there is a third by now.
		_ = os.Link(grave, name)
		return false
	}
	return true
}

// held reports whether the lock is still the one that was made.
func (l *lock) held() bool {
	info, err := os.Stat(l.path)
	return err == nil && os.SameFile(info, l.info)
}

func (l *lock) release() {
	if l.held() {
		_ = os.Remove(l.path)
	}
}

func lockedError(path string, err error) *desk.Error {
	return &desk.Error{Kind: desk.Unavailable, Message: lang.M("allow.file.locked", "file", path), Hint: lang.M("allow.hint.locked"), Err: err}
}

func ioError(path string, err error) *desk.Error {
	if errors.Is(err, fs.ErrPermission) {
		return &desk.Error{Kind: desk.Denied, Message: lang.M("allow.file.denied", "file", path), Hint: lang.M("allow.hint.file-permission"), Err: err}
	}
	return &desk.Error{Kind: desk.Unavailable, Message: lang.M("allow.file.failed", "file", path), Hint: lang.M("allow.hint.file-disk"), Err: err}
}
