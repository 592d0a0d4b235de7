// Package archive reads what is packed into a file: ZIP, tar, gzip, bzip2, ISO
// images, and the names in RAR, 7-Zip and cabinet files.
//
// Archives that come by mail are made to deceive: directories that lie, members
// that overlap so that a few bytes unfold into terabytes, names that climb out
// of the folder. Nothing is written anywhere, a name is only told, and every
// byte that unfolds is paid for.
package archive

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"

	"github.com/sekisho/sekisho/budget"
)

// Bounds on what is read of one archive. What is over sets
// [Archive.Truncated].
const (
	MaxEntries = 2000
	MaxName    = 1024     // bytes of a name
	MaxContent = 32 << 20 // bytes of one member
	maxTar     = 64 << 20 // bytes of a tar that are walked

	openCost  = 8 << 10 // of the tables that unpacking needs
	bzip2Cost = 2 << 20
)

// Errors of [Read] and [Entry.Content].
var (
	// ErrFormat means that the data is no archive of the format.
	ErrFormat = errors.New("archive: not an archive of this format")

	// ErrEncrypted means that a member needs a password.
	ErrEncrypted = errors.New("archive: a password is needed")

	// ErrMethod means that the way in which a member is packed is not read here.
	ErrMethod = errors.New("archive: unknown way of packing")

	// ErrLimit means that a member is larger than is read, or that the budget ran
	// out.
	ErrLimit = errors.New("archive: too much to unpack")

	// ErrData means that a member is damaged.
	ErrData = errors.New("archive: damaged member")
)

// Format is the format of an archive, named by its usual extension.
type Format string

// The formats.
const (
	ZIP   Format = "zip"
	Tar   Format = "tar"
	Gzip  Format = "gz"
	Bzip2 Format = "bz2"
	ISO   Format = "iso"
	RAR   Format = "rar" // names only
	Seven Format = "7z"  // names only
	CAB   Format = "cab" // names only
)

// Archive is what was read of an archive.
type Archive struct {
	Format  Format
	Entries []Entry
	Comment string

	// Encrypted says that a member, or the list of members, needs a password.
	Encrypted bool
	// Hidden says that not even the names of the members can be read.
	Hidden bool
	// Truncated says that there is more than is listed.
	Truncated bool
}

// Entry is a member of an archive.
type Entry struct {
	Name      string // as it is written, in UTF-8, with slashes
	Folder    bool
	Link      bool  // a symbolic or hard link
	Size      int64 // unpacked, as the archive says; -1 if it does not say
	Packed    int64 // -1 if the archive does not say
	Modified  time.Time
	Encrypted bool

	Method int // of ZIP (APPNOTE.TXT 4.4.5); 0 is stored
	Flags  int // of ZIP (4.4.4)

	open  func() (io.Reader, error)
	start int // what it costs to begin, beyond openCost
}

// Read lists an archive. b pays for the reading and may be nil. The error is
// [ErrFormat].
func Read(data []byte, format Format, b *budget.Budget) (*Archive, error) {
	a := &Archive{Format: format}
	var err error
	switch format {
	case ZIP:
		err = a.zip(data, b)
	case Tar:
		err = a.tar(data, b)
	case Gzip:
		err = a.gzip(data)
	case Bzip2:
		err = a.bzip2(data)
	case ISO:
		err = a.iso(data, b)
	case RAR:
		err = a.rar(data)
	case Seven:
		err = a.seven(data)
	case CAB:
		err = a.cab(data)
	default:
		err = ErrFormat
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// Content unpacks a member of at most limit bytes. It charges b for each byte;
// b may be nil. What came out before an error is returned with it.
func (e *Entry) Content(limit int, b *budget.Budget) ([]byte, error) {
	switch {
	case e.Encrypted:
		return nil, ErrEncrypted
	case e.open == nil:
		return nil, ErrMethod
	case !b.Spend(openCost + e.start):
		return nil, ErrLimit
	}
	r, err := e.open()
	if err != nil {
		return nil, err
	}
	return unpack(r, e.Size, min(limit, MaxContent), b)
}

// unpack reads all of r, of which hint bytes are expected. It makes room in
// steps, so that a member that claims to be large costs no more than it holds.
func unpack(r io.Reader, hint int64, limit int, b *budget.Budget) ([]byte, error) {
	const step = 1 << 20
	out := make([]byte, 0, min(max(hint, 512), step, int64(limit))+1)
	for {
		if len(out) == cap(out) {
			grown := make([]byte, len(out), min(max(2*cap(out), step), limit+1))
			copy(grown, out)
			out = grown
		}
		n, err := r.Read(out[len(out):min(cap(out), len(out)+64<<10)])
		out = out[:len(out)+n]
		switch {
		case !b.Spend(n):
			return out, ErrLimit
		case len(out) > limit:
			return out[:limit], ErrLimit
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return out, ErrData
		}
	}
}

// add lists a member, and reports whether there is room for more.
func (a *Archive) add(e Entry) bool {
	if len(a.Entries) >= MaxEntries {
		a.Truncated = true
		return false
	}
	e.Name = strings.ToValidUTF8(strings.ReplaceAll(e.Name, "\x00", ""), "\ufffd")
	if len(e.Name) > MaxName {
		e.Name = strings.ToValidUTF8(e.Name[:MaxName], "")
	}
	a.Encrypted = a.Encrypted || e.Encrypted
	a.Entries = append(a.Entries, e)
	return true
}

// name decodes a name that does not say in which charset it is: that of the
// computer where the archive was made, which in Japan is Windows-31J.
func name(b []byte) string {
	b = b[:min(len(b), 2*MaxName)]
	if utf8.Valid(b) {
		return string(b)
	}
	if s, err := japanese.ShiftJIS.NewDecoder().Bytes(b); err == nil && !bytes.ContainsRune(s, utf8.RuneError) {
		return string(s)
	}
	s, err := charmap.CodePage437.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\ufffd")
	}
	return string(s)
}

// dosTime is a date and a time as MS-DOS packs them. They are local times of
// nobody knows where, and told as UTC.
func dosTime(date, clock uint16) time.Time {
	if date == 0 {
		return time.Time{}
	}
	return time.Date(int(date>>9)+1980, time.Month(date>>5&15), int(date&31), int(clock>>11), int(clock>>5&63), int(clock&31)*2, 0, time.UTC)
}
