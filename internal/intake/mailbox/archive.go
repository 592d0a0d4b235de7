package mailbox

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"

	"github.com/sekisho/sekisho/internal/desk"
)

const (
	// maxRatio is how many times its size an archive may unpack to. Mailboxes
	// reach about 20; DEFLATE cannot do more than 1,032.
	maxRatio = 250
	// freeBytes may be unpacked before the ratio is looked at: small inputs
	// are no danger however well they compress.
	freeBytes = 32 << 20
	// bytesPerEntry is what an entry of a zip directory may take on average.
	bytesPerEntry = 256

	encryptedFlag = 1 // of general purpose bit flags, APPNOTE 4.4.4
)

var (
	errBomb    = errors.New("mailbox: archive unpacks to too much")
	errEntries = errors.New("mailbox: archive has too many entries")
)

// meter counts what comes out of an archive and stops it where that is too much
// for what went in.
type meter struct {
	w   *walker
	r   io.Reader
	in  func() int64
	out int64
}

func (m *meter) Read(p []byte) (int, error) {
	if err := m.w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := m.r.Read(p)
	m.out += int64(n)
	m.w.unpacked += int64(n)
	if m.w.unpacked > m.w.opts.MaxArchiveBytes || m.out > freeBytes && m.out/maxRatio > m.in() {
		return n, errBomb
	}
	return n, err
}

// counter counts what is read of r.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// enter reports whether archives may nest as deep as one in in does.
func (w *walker) enter(in *input) bool {
	if in.archive >= w.opts.Depth {
		w.fail(in.name, 0, w.errDeep())
		return false
	}
	return true
}

func (w *walker) gzip(in *input) {
	if !w.enter(in) {
		return
	}
	packed := &counter{r: in.r}
	z, err := gzip.NewReader(packed)
	if err != nil {
		w.fail(in.name, 0, w.errRead(err))
		return
	}
	m := &meter{w: w, r: z, in: func() int64 { return packed.n }}
	w.input(&input{name: in.name, r: bufio.NewReaderSize(m, readSize), casual: in.casual, archive: in.archive + 1})
}

func (w *walker) zip(in *input) {
	if !w.enter(in) {
		return
	}
	file, size := in.at, in.size
	if file == nil { // a stream: a zip has its directory at the end
		b := w.all(in, hintUnpack)
		if b == nil {
			return
		}
		file, size = bytes.NewReader(b), int64(len(b))
	}
	// The directory is read whole. How many entries it says it has may be a
	// lie, so its size is bounded instead.
	bounded := &boundedReaderAt{r: file, left: int64(w.opts.MaxEntries)*bytesPerEntry + readSize}
	z, err := zip.NewReader(bounded, size)
	if err != nil {
		w.fail(in.name, 0, w.errRead(err))
		return
	}
	bounded.left = -1
	if err := check(z, size, w.opts.MaxEntries); err != nil {
		w.fail(in.name, 0, w.errRead(err))
		return
	}
	if isOffice(z) {
		if !in.casual {
			w.fail(in.name, 0, errNotMail(kindOffice))
		}
		return
	}
	before, done := w.items, int64(0)
	for _, f := range z.File {
		if w.done() {
			return
		}
		w.member(in, f)
		if w.unpacked > w.opts.MaxArchiveBytes {
			return // the member on which it broke off has said so
		}
		if done += int64(min(f.CompressedSize64, uint64(size))); in.at != nil {
			w.report(w.read + min(done, size))
		}
	}
	if w.items == before && !in.casual {
		w.fail(in.name, 0, errNoMailInside())
	}
}

// check refuses archives whose entries are too many, or together larger than
// the file: they share data, as only those do that are made to unpack to a
// multiple of what they seem.
func check(z *zip.Reader, size int64, maxEntries int) error {
	if len(z.File) > maxEntries {
		return errEntries
	}
	left := uint64(size)
	for _, f := range z.File {
		if f.CompressedSize64 > left {
			return errBomb
		}
		left -= f.CompressedSize64
	}
	return nil
}

// isOffice reports whether z is a document of the Office Open XML or
// OpenDocument kind, which are zip archives as well.
func isOffice(z *zip.Reader) bool {
	for _, f := range z.File[:min(len(z.File), 16)] {
		if f.Name == "[Content_Types].xml" || f.Name == "META-INF/manifest.xml" {
			return true
		}
	}
	return false
}

func (w *walker) member(in *input, f *zip.File) {
	name := memberName(f)
	if strings.HasSuffix(name, "/") || f.FileInfo().IsDir() {
		return
	}
	for part := range strings.SplitSeq(name, "/") {
		if isHidden(part) && part != "." && part != ".." {
			return
		}
	}
	display := in.name + "!" + name
	if f.Flags&encryptedFlag != 0 {
		w.fail(display, 0, errEncrypted())
		return
	}
	r, err := f.Open()
	if err != nil {
		w.fail(display, 0, w.errRead(err))
		return
	}
	defer func() { _ = r.Close() }() // what was read has its own errors
	m := &meter{w: w, r: r, in: func() int64 { return int64(f.CompressedSize64) }}
	w.input(&input{name: display, r: bufio.NewReaderSize(m, readSize), casual: !namedAsMail(path.Base(name)), archive: in.archive + 1})
}

// memberName returns the name of an entry fit for display. Japanese Windows
// writes names in Shift_JIS without saying so.
func memberName(f *zip.File) string {
	name := f.Name
	if !utf8.ValidString(name) {
		if s, err := japanese.ShiftJIS.NewDecoder().String(name); err == nil {
			name = s
		}
	}
	name = strings.ReplaceAll(strings.ToValidUTF8(name, "\uFFFD"), `\`, "/")
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, name)
}

// boundedReaderAt gives no more than left bytes; without bound if negative.
type boundedReaderAt struct {
	r    io.ReaderAt
	left int64
}

func (b *boundedReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if b.left < 0 {
		return b.r.ReadAt(p, off)
	}
	if b.left -= int64(len(p)); b.left < 0 {
		b.left = 0
		return 0, errEntries
	}
	return b.r.ReadAt(p, off)
}

// errRead says why reading broke off.
func (w *walker) errRead(err error) *desk.Error {
	switch {
	case errors.Is(err, errBomb), errors.Is(err, errEntries):
		return errTooMuch(err)
	case errors.Is(err, zip.ErrAlgorithm):
		return errMethod(err)
	case errors.Is(err, zip.ErrFormat), errors.Is(err, zip.ErrChecksum), errors.Is(err, gzip.ErrHeader),
		errors.Is(err, gzip.ErrChecksum), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), isCorrupt(err):
		return errDamaged(err)
	}
	return errAccess(err)
}
