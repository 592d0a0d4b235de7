// Package fs keeps blobs as files: each compressed with Zstandard and named by
// the SHA-256 of what is in it, in a folder named by the first two digits.
//
// A blob is written beside its place, synced and renamed, and the folder synced,
// so that after a power cut it is there whole or not at all. Reading compares
// the hash: what was changed on the disk is an error and never taken for the
// mail.
package fs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// DirName is the name of the folder in the data folder.
const DirName = "blobs"

// DefaultMax is how many bytes a blob has at most where nobody says: more than
// the largest mail that is judged.
const DefaultMax = 64 << 20

const (
	extension = ".zst"
	tempName  = ".put-*"
	tempAge   = time.Hour // what a crash left behind is deleted after
)

// Store is a folder with blobs. It is safe for concurrent use, by several
// processes as well.
type Store struct {
	dir     string
	max     int
	system  System
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

var _ desk.Blobs = (*Store)(nil)

// System is what the store asks of the operating system to make bytes last. Any
// step may fail; tests let each of them.
type System struct {
	Write  func(f *os.File, b []byte) (int, error)
	Sync   func(f *os.File) error // of a file, and of a folder
	Rename func(from, to string) error
}

func realSystem() System {
	return System{Write: (*os.File).Write, Sync: (*os.File).Sync, Rename: os.Rename}
}

// OpenOn is [Open] on another system.
func OpenOn(system System, dir string, max int) (*Store, error) {
	s, err := Open(dir, max)
	if err == nil {
		s.system = system
	}
	return s, err
}

// Open opens the folder dir, which it makes if it is not there, for the user
// alone. A blob has at most max bytes; 0 is [DefaultMax]. Errors are
// [*desk.Error] of kind Denied or Unavailable.
func Open(dir string, max int) (*Store, error) {
	if max <= 0 {
		max = DefaultMax
	}
	s := &Store{dir: dir, max: max, system: realSystem()}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, s.failure(err)
	}
	var err error
	if s.encoder, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0))); err != nil {
		return nil, s.failure(err)
	}
	s.decoder, err = zstd.NewReader(nil, zstd.WithDecoderMaxMemory(uint64(max)+1), zstd.WithDecoderConcurrency(0))
	if err != nil {
		return nil, s.failure(err)
	}
	return s, s.failure(s.tidy())
}

// Close ends the use of the store.
func (s *Store) Close() error {
	s.decoder.Close()
	return s.encoder.Close()
}

// tidy deletes what a crash left behind half written.
func (s *Store) tidy() error {
	left, err := filepath.Glob(filepath.Join(s.dir, "??", strings.ReplaceAll(tempName, "*", "")+"*"))
	if err != nil {
		return err
	}
	for _, name := range left {
		if st, err := os.Stat(name); err == nil && time.Since(st.ModTime()) > tempAge {
			if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

func (s *Store) path(name string) (string, error) {
	if !valid(name) {
		return "", &desk.Error{Kind: desk.Invalid, Message: lang.M("blob.error.name")}
	}
	return filepath.Join(s.dir, name[:2], name+extension), nil
}

// valid reports whether name is a SHA-256 in lower-case hex, and so no path.
func valid(name string) bool {
	if len(name) != 2*sha256.Size {
		return false
	}
	return strings.Trim(name, "0123456789abcdef") == ""
}

// PutBlob implements [desk.Blobs].
func (s *Store) PutBlob(ctx context.Context, b []byte) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if len(b) > s.max {
		return "", &desk.Error{Kind: desk.Limit, Message: lang.M("blob.error.large", "mib", s.max>>20), Hint: lang.M("blob.hint.large")}
	}
	sum := sha256.Sum256(b)
	name := hex.EncodeToString(sum[:])
	path, err := s.path(name)
	if err != nil {
		return "", err
	}
	if _, err := s.read(path, name); err == nil {
		// It counts as kept now, so that nobody sweeps it away as left over.
		now := time.Now()
		if err := os.Chtimes(path, now, now); err == nil {
			// Whoever wrote it may have failed to, or be about to.
			return name, s.failure(s.syncDir(filepath.Dir(path)))
		}
	}
	return name, s.failure(s.write(path, b))
}

func (s *Store) write(path string, b []byte) (err error) {
	dir := filepath.Dir(path)
	if err := os.Mkdir(dir, 0o700); err == nil {
		if err := s.syncDir(s.dir); err != nil {
			_ = os.Remove(dir) // so that the next one tries again; it may have files by now
			return err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.CreateTemp(dir, tempName)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = s.system.Write(f, s.encoder.EncodeAll(b, nil)); err != nil {
		return err
	}
	if err = s.system.Sync(f); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = s.system.Rename(f.Name(), path); err != nil {
		return err
	}
	return s.syncDir(dir)
}

// syncDir makes a change of names in a folder survive a power cut. Windows
// cannot sync a folder and need not.
func (s *Store) syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(s.system.Sync(d), d.Close())
}

// Blob implements [desk.Blobs].
func (s *Store) Blob(ctx context.Context, name string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path, err := s.path(name)
	if err != nil {
		return nil, err
	}
	b, err := s.read(path, name)
	return b, s.failure(err)
}

var errChanged = errors.New("fs: the bytes are not those that were kept")

func (s *Store) read(path, name string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()               // it was only read
	limit := int64(s.max) + int64(s.max)/64 + 4096 // what cannot be compressed grows a little
	packed, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return nil, err
	}
	b, err := s.decoder.DecodeAll(packed, nil)
	if err != nil {
		return nil, errors.Join(errChanged, err)
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != name {
		return nil, errChanged
	}
	return b, nil
}

// DeleteBlob implements [desk.Blobs].
func (s *Store) DeleteBlob(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path, err := s.path(name)
	if err != nil {
		return err
	}
	err = os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = s.syncDir(filepath.Dir(path))
	}
	return s.failure(err)
}

// AllBlobs implements [desk.Blobs].
func (s *Store) AllBlobs(ctx context.Context) iter.Seq2[desk.BlobInfo, error] {
	return func(yield func(desk.BlobInfo, error) bool) {
		folders, err := os.ReadDir(s.dir)
		if err != nil {
			yield(desk.BlobInfo{}, s.failure(err))
			return
		}
		for _, folder := range folders {
			files, err := os.ReadDir(filepath.Join(s.dir, folder.Name()))
			if err != nil && folder.IsDir() && !yield(desk.BlobInfo{}, s.failure(err)) {
				return
			}
			for _, f := range files {
				name, ok := strings.CutSuffix(f.Name(), extension)
				if !ok || !valid(name) {
					continue
				}
				st, err := f.Info()
				if errors.Is(err, fs.ErrNotExist) {
					continue // deleted meanwhile
				}
				if err == nil {
					err = ctx.Err()
				}
				if err != nil {
					yield(desk.BlobInfo{}, s.failure(err))
					return
				}
				if !yield(desk.BlobInfo{Name: name, Kept: st.ModTime()}, nil) {
					return
				}
			}
		}
	}
}

// failure says what an error of the file system means for the user.
func (s *Store) failure(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	say := func(kind desk.ErrorKind, what string) error {
		return &desk.Error{Kind: kind, Message: lang.M("blob.error."+what, "dir", s.dir), Hint: lang.M("blob.hint." + what), Err: err}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return say(desk.NotFound, "gone")
	case errors.Is(err, errChanged):
		return say(desk.Invalid, "changed")
	case errors.Is(err, fs.ErrPermission):
		return say(desk.Denied, "denied")
	case errors.Is(err, syscall.ENOSPC):
		return say(desk.Limit, "full")
	}
	return say(desk.Unavailable, "other")
}
