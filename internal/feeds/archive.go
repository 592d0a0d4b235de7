package feeds

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Why an archive is refused as a whole.
var (
	ErrNoArchive = errors.New("feeds: not an archive (.tar.gz, .tar, .zip)")
	ErrDamaged   = errors.New("feeds: the archive is damaged")
	ErrUnsafe    = errors.New("feeds: the archive has a name that leads out of its folder, or that some systems cannot store")
	ErrTwice     = errors.New("feeds: the archive has two files that some systems cannot tell apart")
	ErrBomb      = errors.New("feeds: the archive unpacks to more than allowed")
	ErrNothing   = errors.New("feeds: the archive has nothing of use")
)

// Limits of an archive.
const (
	MaxArchive     = 128 << 20 // bytes as it is fetched
	maxUnpacked    = 512 << 20 // bytes of everything in it
	maxRatio       = 120       // bytes unpacked for each byte packed, beside the first maxFree
	maxFree        = 8 << 20   // bytes
	maxEntries     = 100_000
	maxKept        = 20_000 // files
	maxFile        = 128 << 20
	maxPath        = 240 // bytes
	maxPathDepth   = 12
	licenceMaxSize = 1 << 20
)

// File is one file out of an archive.
type File struct {
	Path string // from the root of the feed, with slashes
	Data []byte
}

// Contents is what an archive brings.
type Contents struct {
	Files  []File // sorted by path
	Digest string // see [Digest]
	Commit string // that git says it was made from; "" if it does not say
	Links  int    // symbolic and other links, which are left out
	Bytes  int64  // of the files
}

// Open reads an archive and keeps the files that a feed of the kind is made of.
// Everything in it was written by somebody else: the sizes it claims are not
// believed, and an entry with a name that leads elsewhere refuses the whole. If
// all entries share one folder, as in the archives of GitHub and other hosts, the
// feed is what is in it.
//
// The errors are ErrNoArchive, ErrDamaged, ErrUnsafe, ErrTwice, ErrBomb, ErrNothing
// and [ErrTooMuch], wrapped.
func Open(data []byte, kind Kind) (*Contents, error) {
	if len(data) > MaxArchive {
		return nil, ErrTooMuch
	}
	walk, err := walker(data)
	if err != nil {
		return nil, err
	}
	// What the folder around everything is, is known only at the end.
	wrap := wrapper{}
	c := &Contents{}
	err = walk(func(e entry) error {
		if c.Commit == "" {
			c.Commit = e.commit
		}
		wrap.see(e.name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	k := keeper{kind: kind, seen: map[string]bool{}, out: c}
	err = walk(func(e entry) error {
		return k.take(strings.TrimPrefix(e.name, wrap.prefix()), e)
	})
	if err != nil {
		return nil, err
	}
	return k.done()
}

// OpenFolder is [Open] for an archive that was unpacked before. A folder or file
// that cannot be read is an error of the system.
func OpenFolder(dir string, kind Kind) (*Contents, error) {
	k := keeper{kind: kind, seen: map[string]bool{}, out: &Contents{}}
	n := 0
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if n++; n > maxEntries {
			return ErrTooMuch
		}
		e := entry{name: relative(dir, p), folder: d.IsDir(), link: !d.Type().IsRegular()}
		if e.folder && e.name != "." && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		if e.folder || e.link {
			return k.take(e.name, e)
		}
		lazy := &lazyFile{path: p}
		e.body = lazy
		err = k.take(e.name, e)
		if lazy.f != nil {
			_ = lazy.f.Close() // it was only read
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return k.done()
}

// lazyFile opens a file when it is first read: most are not.
type lazyFile struct {
	path string
	f    *os.File
}

func (l *lazyFile) Read(p []byte) (int, error) {
	if l.f == nil {
		f, err := os.Open(l.path)
		if err != nil {
			return 0, err
		}
		l.f = f
	}
	return l.f.Read(p)
}

// keeper collects the files that a feed is made of.
type keeper struct {
	kind Kind
	seen map[string]bool // in small letters
	out  *Contents
}

func (k *keeper) take(name string, e entry) error {
	folded := strings.ToLower(name)
	switch {
	case e.folder || !keep(name, k.kind):
		return nil
	case e.link:
		k.out.Links++
		return nil
	case len(name) > maxPath || strings.Count(name, "/") >= maxPathDepth || !portable(name):
		return fmt.Errorf("%w: %q", ErrUnsafe, clipName(name))
	case k.seen[folded]:
		return fmt.Errorf("%w: %q", ErrTwice, name)
	case len(k.out.Files) == maxKept:
		return ErrTooMuch
	}
	k.seen[folded] = true
	most := int64(maxFile)
	if isLicence(name) {
		most = licenceMaxSize
	}
	b, err := io.ReadAll(io.LimitReader(e.body, most+1))
	if err != nil {
		return damage(err)
	}
	k.out.Bytes += int64(len(b))
	if int64(len(b)) > most || k.out.Bytes > MaxBytes {
		return ErrTooMuch
	}
	k.out.Files = append(k.out.Files, File{name, b})
	return nil
}

func (k *keeper) done() (*Contents, error) {
	c := k.out
	if !slices.ContainsFunc(c.Files, func(f File) bool { return !isLicence(f.Path) }) {
		return nil, ErrNothing
	}
	slices.SortFunc(c.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	c.Digest = Digest(c.Files)
	return c, nil
}

// Digest is a fingerprint of files, whatever they were packed in: the SHA-256 of
// lines with the SHA-256 of a file, two spaces and its path, sorted by path. So
// an archive and a git repository with the same files agree, and anybody can
// compute it: find * -type f | LC_ALL=C sort | xargs sha256sum | sha256sum.
// The files are sorted.
func Digest(files []File) string {
	all := sha256.New()
	for _, f := range files {
		fmt.Fprintf(all, "%x  %s\n", sha256.Sum256(f.Data), f.Path)
	}
	return digestPrefix + hex.EncodeToString(all.Sum(nil))
}

const digestPrefix = "sha256:"

// ValidDigest reports whether s is a digest as [Digest] writes it.
func ValidDigest(s string) bool {
	h, ok := strings.CutPrefix(s, digestPrefix)
	return ok && len(h) == 2*sha256.Size && strings.Trim(h, "0123456789abcdef") == ""
}

// entry is one entry of an archive. The body is read before the next entry.
type entry struct {
	name   string
	folder bool
	link   bool
	commit string
	body   io.Reader
}

// walker tells what data is by its first bytes, and returns a function that goes
// over the entries.
func walker(data []byte) (func(func(entry) error) error, error) {
	switch {
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}):
		return func(do func(entry) error) error {
			z, err := gzip.NewReader(bytes.NewReader(data))
			if err != nil {
				return damage(err)
			}
			return walkTar(z, len(data), do)
		}, nil
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return func(do func(entry) error) error { return walkZip(data, do) }, nil
	case len(data) > 262 && string(data[257:262]) == "ustar":
		return func(do func(entry) error) error { return walkTar(bytes.NewReader(data), len(data), do) }, nil
	}
	return nil, ErrNoArchive
}

// allowance is how much an archive of a size may unpack to.
func allowance(packed int) int64 { return min(maxUnpacked, maxFree+maxRatio*int64(packed)) }

// meter counts what is unpacked over a whole archive.
type meter struct {
	r    io.Reader
	left *int64
}

func (m meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if *m.left -= int64(n); *m.left < 0 {
		return 0, ErrBomb
	}
	return n, err
}

func walkTar(r io.Reader, packed int, do func(entry) error) error {
	left := allowance(packed)
	t := tar.NewReader(meter{r, &left})
	commit := ""
	for n := 0; ; n++ {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF) && n > 0:
			// The checksum of gzip stands at the very end.
			if _, err := io.Copy(io.Discard, meter{r, &left}); err != nil {
				return damage(err)
			}
			return nil
		case err != nil:
			return damage(err)
		case n == maxEntries:
			return ErrTooMuch
		}
		e := entry{body: t, commit: commit}
		switch h.Typeflag {
		case tar.TypeXGlobalHeader:
			// git writes the commit there.
			if c := h.PAXRecords["comment"]; commit == "" && isCommit(c) {
				commit = c
			}
			continue
		case tar.TypeDir:
			e.folder = true
		case tar.TypeReg:
			// A sparse file has holes that cost its sender nothing.
			if h.PAXRecords["GNU.sparse.major"] != "" || h.PAXRecords["GNU.sparse.map"] != "" {
				e.link = true
			}
		default:
			e.link = true
		}
		if e.name, err = safe(h.Name); err != nil {
			return err
		}
		if err := do(e); err != nil {
			return err
		}
	}
}

func isCommit(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

func walkZip(data []byte, do func(entry) error) error {
	// The reader makes room for every entry of the directory before we see one.
	if bytes.Count(data, []byte("PK\x01\x02")) > maxEntries {
		return ErrTooMuch
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return damage(err)
	}
	left := allowance(len(data))
	for _, f := range z.File {
		e := entry{folder: f.Mode().IsDir(), link: !f.Mode().IsDir() && !f.Mode().IsRegular(), commit: zipCommit(z.Comment)}
		if e.name, err = safe(f.Name); err != nil {
			return err
		}
		lazy := &zipBody{f: f, left: &left}
		e.body = lazy
		err := do(e)
		if lazy.r != nil {
			_ = lazy.r.Close() // it was only read
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// zipCommit is the commit that GitHub writes as the comment of an archive.
func zipCommit(comment string) string {
	if isCommit(comment) {
		return comment
	}
	return ""
}

// zipBody opens an entry when it is first read: most are not.
type zipBody struct {
	f    *zip.File
	left *int64
	r    io.ReadCloser
}

func (b *zipBody) Read(p []byte) (int, error) {
	if b.r == nil {
		r, err := b.f.Open()
		if err != nil {
			return 0, err
		}
		b.r = r
	}
	return meter{b.r, b.left}.Read(p)
}

// damage says that an archive cannot be read, unless err says something better.
func damage(err error) error {
	_, system := errors.AsType[*fs.PathError](err)
	if system || errors.Is(err, ErrBomb) || errors.Is(err, ErrTooMuch) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// safe returns the name of an entry with slashes and without what means nothing.
// One that leads out of the archive is an error, whether the entry is of use or
// not: nobody packs it by mistake.
func safe(name string) (string, error) {
	if !utf8.ValidString(name) || strings.ContainsAny(name, "\\\x00") || strings.HasPrefix(name, "/") || len(name) > 1<<12 {
		return "", fmt.Errorf("%w: %q", ErrUnsafe, clipName(name))
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." || len(part) == 2 && part[1] == ':' {
			return "", fmt.Errorf("%w: %q", ErrUnsafe, clipName(name))
		}
	}
	return strings.TrimPrefix(path.Clean(name), "./"), nil
}

func clipName(s string) string { return s[:min(len(s), 100)] }

// portable reports whether every system can store a file of this name, and under
// this name alone.
func portable(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.ContainsAny(part, `<>:"|?*`) || strings.ContainsFunc(part, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) ||
			strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") || isDevice(part) {
			return false
		}
	}
	return true
}

// isDevice reports whether Windows takes a file of this name for a device.
func isDevice(name string) bool {
	stem, _, _ := strings.Cut(strings.ToLower(name), ".")
	switch stem = strings.TrimRight(stem, " "); stem {
	case "con", "prn", "aux", "nul", "conin$", "conout$":
		return true
	}
	rest, ok := strings.CutPrefix(stem, "com")
	if !ok {
		rest, ok = strings.CutPrefix(stem, "lpt")
	}
	digit, size := utf8.DecodeRuneInString(rest)
	return ok && size == len(rest) && size > 0 && strings.ContainsRune("0123456789¹²³", digit)
}

// wrapper finds the one folder that all entries are in.
type wrapper struct {
	top   string
	mixed bool
}

func (w *wrapper) see(name string) {
	top, _, _ := strings.Cut(name, "/")
	switch {
	case name == ".":
	case w.top == "":
		w.top = top
	case w.top != top:
		w.mixed = true
	}
}

func (w *wrapper) prefix() string {
	if w.mixed || w.top == "" {
		return ""
	}
	return w.top + "/"
}

// keep reports whether a feed of the kind is made of files of this name. Hidden
// folders hold the workings of a repository, whose YAML is no rule.
func keep(name string, kind Kind) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") {
			return false
		}
	}
	if isLicence(name) {
		return true
	}
	ext := strings.ToLower(path.Ext(name))
	if kind == ListsFeed {
		return !strings.Contains(name, "/") && (ext == ".txt" || ext == ".csv" || name == "manifest.json")
	}
	return ext == ".yml" || ext == ".yaml" || ext == ".mqltest"
}

// isLicence reports whether a file says on what terms the others may be used.
func isLicence(name string) bool {
	switch strings.ToLower(name) {
	case "license", "license.md", "license.txt", "licence", "licence.md", "licence.txt", "copying", "notice":
		return true
	}
	return false
}
