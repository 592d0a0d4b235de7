// Package backup writes a data folder into one file and brings it back.
//
// The file is a tar archive: the files of the folder under their names, the
// database as a copy of one moment, and last "manifest.json" with the SHA-256 and
// the size of each. Without the manifest a backup is not whole. Bringing it back
// compares every file before the folder appears; what does not fit leaves
// nothing behind.
package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// ManifestName is the last file of a backup.
const ManifestName = "manifest.json"

// Schema names the form of the manifest.
const Schema = "sekisho.backup-manifest/v1"

const (
	maxManifest = 1 << 30
	maxFiles    = 20_000_000
)

// Manifest is what a backup holds.
type Manifest struct {
	Schema  string    `json:"schema"`
	Created time.Time `json:"created"`
	Version string    `json:"version"` // of the program
	Files   []File    `json:"files"`
}

// File is a file of a backup.
type File struct {
	Name   string `json:"name"` // with slashes
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Summary counts a backup.
type Summary struct {
	Files int
	Bytes int64
}

func (m *Manifest) summary() *Summary {
	s := &Summary{Files: len(m.Files)}
	for _, f := range m.Files {
		s.Bytes += f.Size
	}
	return s
}

// Source is a data folder.
type Source struct {
	Dir      string
	Database string // name of the database in it
	// Snapshot writes the database as it is at one moment into a file.
	Snapshot func(ctx context.Context, path string) error
	Now      time.Time
	Version  string
}

// Write writes a backup into the file name, which must not be there. Mails that
// come while it is written are in it or not, as a whole. Errors are
// [*desk.Error].
func Write(ctx context.Context, s Source, name string) (_ *Summary, err error) {
	if _, err := os.Stat(name); err == nil {
		return nil, &desk.Error{Kind: desk.Conflict, Message: lang.M("backup.error.exists", "file", name), Hint: lang.M("backup.hint.exists")}
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".backup-*") // for the user alone
	if err != nil {
		return nil, fileError(name, err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	w := &writer{tar: tar.NewWriter(f), manifest: Manifest{Schema: Schema, Created: s.Now.UTC(), Version: s.Version, Files: []File{}}}
	if err := w.all(ctx, s); err != nil {
		if _, ok := errors.AsType[*desk.Error](err); ok || ctx.Err() != nil {
			return nil, err
		}
		return nil, fileError(name, err)
	}
	if err := errors.Join(w.tar.Close(), f.Sync(), f.Close()); err != nil {
		return nil, fileError(name, err)
	}
	if err := os.Link(f.Name(), name); err != nil { // fails if it came meanwhile
		if errors.Is(err, fs.ErrExist) {
			return nil, &desk.Error{Kind: desk.Conflict, Message: lang.M("backup.error.exists", "file", name), Hint: lang.M("backup.hint.exists")}
		}
		if err := os.Rename(f.Name(), name); err != nil { // a file system without links
			return nil, fileError(name, err)
		}
		return w.manifest.summary(), nil
	}
	_ = os.Remove(f.Name()) // the other name of the same file
	return w.manifest.summary(), nil
}

func fileError(name string, err error) error {
	return &desk.Error{Kind: desk.Unavailable, Message: lang.M("backup.error.file", "file", name), Hint: lang.M("backup.hint.file"), Err: err}
}

type writer struct {
	tar      *tar.Writer
	manifest Manifest
	have     map[string]bool
}

// all writes the files, then the database, then the files that came meanwhile:
// what the database names is there, since bytes are kept before their row.
func (w *writer) all(ctx context.Context, s Source) error {
	w.have = map[string]bool{}
	if err := w.folder(ctx, s); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(s.Dir, ".backup-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }() // opening the folder again passes it over
	copied := filepath.Join(temp, s.Database)
	if err := s.Snapshot(ctx, copied); err != nil {
		return err
	}
	if err := w.file(copied, s.Database); err != nil {
		return err
	}
	if err := w.folder(ctx, s); err != nil {
		return err
	}
	b, err := json.Marshal(w.manifest)
	if err != nil {
		return err
	}
	if err := w.tar.WriteHeader(&tar.Header{Name: ManifestName, Mode: 0o600, Size: int64(len(b)), Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	_, err = w.tar.Write(b)
	return err
}

// folder writes the files that were not written yet, but the database, its
// journals, locks, and what is half written.
func (w *writer) folder(ctx context.Context, s Source) error {
	return filepath.WalkDir(s.Dir, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted meanwhile
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rel, err := filepath.Rel(s.Dir, p)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		switch base := d.Name(); {
		case name == ".":
			return nil
		case d.IsDir() && strings.HasPrefix(base, "."):
			return fs.SkipDir
		case !d.Type().IsRegular(), w.have[name], strings.HasPrefix(base, "."), strings.HasSuffix(base, ".lock"),
			name == s.Database, strings.HasPrefix(name, s.Database+"-"), name == ManifestName:
			return nil
		}
		if err := w.file(p, name); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

func (w *writer) file(from, name string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if err := w.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: st.Size(), ModTime: st.ModTime(), Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(w.tar, h), io.LimitReader(f, st.Size()))
	if err != nil {
		return err
	}
	if n != st.Size() {
		return fmt.Errorf("%s became shorter while it was read", name)
	}
	w.have[name] = true
	w.manifest.Files = append(w.manifest.Files, File{Name: name, Size: n, SHA256: hex.EncodeToString(h.Sum(nil))})
	return nil
}

// Restore brings a backup back into the folder dir, which must be empty or not
// there. check looks at the restored folder before it takes its place. Errors
// are [*desk.Error]; after one, dir is as it was.
func Restore(ctx context.Context, name, dir string, check func(ctx context.Context, dir string) error) (_ *Summary, err error) {
	if list, err := os.ReadDir(dir); err == nil && len(list) > 0 {
		return nil, &desk.Error{Kind: desk.Conflict, Message: lang.M("backup.error.not-empty", "dir", dir), Hint: lang.M("backup.hint.not-empty")}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, &desk.Error{Kind: desk.NotFound, Message: lang.M("backup.error.no-backup", "file", name, "why", lang.M("backup.why.open")), Hint: lang.M("backup.hint.no-backup"), Err: err}
	}
	defer func() { _ = f.Close() }() // it was only read
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, fileError(dir, err)
	}
	temp, err := os.MkdirTemp(parent, ".restore-*")
	if err != nil {
		return nil, fileError(dir, err)
	}
	defer func() { _ = os.RemoveAll(temp) }() // empty-handed once it was renamed
	m, err := unpack(ctx, f, temp)
	if err == nil {
		err = check(ctx, temp)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		why := lang.M("backup.why.read")
		switch e, ok := errors.AsType[*desk.Error](err); {
		case ok:
			why = e.Message
		case errors.Is(err, errCut):
			why = lang.M("backup.why.cut")
		case errors.Is(err, errEntry):
			why = lang.M("backup.why.entry")
		case errors.Is(err, errDiffers):
			why = lang.M("backup.why.differs")
		}
		return nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("backup.error.no-backup", "file", name, "why", why), Hint: lang.M("backup.hint.no-backup"), Err: err}
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fileError(dir, err)
	}
	if err := os.Rename(temp, dir); err != nil {
		return nil, fileError(dir, err)
	}
	return m.summary(), nil
}

var (
	errCut     = errors.New("backup: the manifest is missing")
	errEntry   = errors.New("backup: an entry that no backup has")
	errDiffers = errors.New("backup: the files are not those of the manifest")
)

// unpack writes the files of a backup into dir and compares them with the
// manifest.
func unpack(ctx context.Context, r io.Reader, dir string) (*Manifest, error) {
	t := tar.NewReader(r)
	found := map[string]File{}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil, errCut
		}
		if err != nil {
			return nil, err
		}
		if h.Name == ManifestName {
			return compare(t, found)
		}
		if _, twice := found[h.Name]; twice || h.Typeflag != tar.TypeReg || !plain(h.Name) || len(found) >= maxFiles {
			return nil, errEntry
		}
		file, err := extract(t, filepath.Join(dir, filepath.FromSlash(h.Name)))
		if err != nil {
			return nil, err
		}
		file.Name = h.Name
		found[h.Name] = file
	}
}

// plain reports whether a name stays in the folder, on every system.
func plain(name string) bool {
	return path.Clean(name) == name && fs.ValidPath(name) && filepath.IsLocal(filepath.FromSlash(name)) && !strings.ContainsAny(name, "\\:\x00")
}

func extract(r io.Reader, to string) (File, error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return File{}, err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return File{}, err
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, h), r)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return File{}, err
	}
	return File{Size: n, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}

func compare(r io.Reader, found map[string]File) (*Manifest, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxManifest))
	if err != nil {
		return nil, err
	}
	var m Manifest
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil || m.Schema != Schema {
		return nil, errors.Join(errDiffers, err)
	}
	if len(m.Files) != len(found) || slices.ContainsFunc(m.Files, func(f File) bool { return found[f.Name] != f }) {
		return nil, errDiffers
	}
	return &m, nil
}
