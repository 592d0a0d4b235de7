package archive

import (
	"archive/tar"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/sekisho/sekisho/budget"
)

// gzip lists the one file of a gzip (RFC 1952). Members behind the first are
// unpacked with it, as gunzip does.
func (a *Archive) gzip(data []byte) error {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	a.Comment = z.Comment
	a.add(Entry{Name: name([]byte(z.Name)), Size: -1, Packed: int64(len(data)), Modified: z.ModTime, open: func() (io.Reader, error) {
		return gzip.NewReader(bytes.NewReader(data))
	}})
	return nil
}

func (a *Archive) bzip2(data []byte) error {
	if !bytes.HasPrefix(data, []byte("BZh")) {
		return fmt.Errorf("%w: no bzip2", ErrFormat)
	}
	a.add(Entry{Size: -1, Packed: int64(len(data)), start: bzip2Cost, open: func() (io.Reader, error) { return bzip2.NewReader(bytes.NewReader(data)), nil }})
	return nil
}

// tar lists a tar (POSIX ustar, pax, GNU). What stands before a damaged header
// is listed.
func (a *Archive) tar(data []byte, b *budget.Budget) error {
	if len(data) > maxTar {
		data, a.Truncated = data[:maxTar], true
	}
	in := bytes.NewReader(data)
	r := tar.NewReader(in)
	for b.Spend(512) {
		h, err := r.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				a.Truncated = true
			}
			break
		}
		e := Entry{Name: name([]byte(h.Name)), Size: h.Size, Packed: h.Size, Modified: h.ModTime}
		switch h.Typeflag {
		case tar.TypeDir:
			e.Folder = true
		case tar.TypeSymlink, tar.TypeLink:
			e.Link = true
		case tar.TypeReg:
			// A sparse file claims to be larger than what the archive holds; its
			// holes are not read.
			at := int64(len(data)) - int64(in.Len())
			n := min(max(h.Size, 0), int64(len(data))-at)
			e.open = func() (io.Reader, error) { return bytes.NewReader(data[at : at+n]), nil }
		}
		if !a.add(e) {
			break
		}
	}
	if len(a.Entries) == 0 {
		return fmt.Errorf("%w: no tar", ErrFormat)
	}
	return nil
}
