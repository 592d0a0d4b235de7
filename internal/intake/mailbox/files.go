package mailbox

import (
	"bufio"
	"context"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
)

// Files yields the files in paths as they are, in the order in which [Walk] would
// read them, for those who look into them themselves. The path "-" is stdin.
// progress may be nil; it is called with the bytes of the files that were dealt
// with. When ctx ends, the walk ends without a word.
func Files(ctx context.Context, paths []string, stdin io.Reader, progress func(bytesRead int64)) iter.Seq[desk.ReportFile] {
	return func(yield func(desk.ReportFile) bool) {
		var read int64
		one := func(f desk.ReportFile, size int64) bool {
			if ctx.Err() != nil || !yield(f) {
				return false
			}
			read += size
			if progress != nil {
				progress(read)
			}
			return true
		}
		for _, path := range paths {
			var more bool
			if path == Stdin {
				more = one(desk.ReportFile{Name: path, Open: func() (io.ReadCloser, error) { return io.NopCloser(bufio.NewReader(stdin)), nil }}, 0)
			} else {
				more = files(path, one)
			}
			if !more {
				return
			}
		}
	}
}

// files calls one for the files of a path until it returns false.
func files(path string, one func(desk.ReportFile, int64) bool) bool {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return one(desk.ReportFile{Name: path, Err: errAccess(err)}, 0)
	case info.Mode().IsRegular():
		return one(fileOf(path, false), info.Size())
	case !info.IsDir():
		return one(desk.ReportFile{Name: path, Err: errDevice()}, 0)
	}
	more := true
	visit(path, func(path string, d fs.DirEntry, err error, maildir bool) bool {
		switch {
		case err != nil:
			more = one(desk.ReportFile{Name: path, Err: errAccess(err)}, 0)
		case d != nil:
			size := int64(0)
			if info, err := d.Info(); err == nil {
				size = info.Size()
			}
			more = one(fileOf(path, !maildir && !namedAsReport(path)), size)
		}
		return more
	})
	return more
}

func fileOf(path string, casual bool) desk.ReportFile {
	return desk.ReportFile{Name: path, Casual: casual, Open: func() (io.ReadCloser, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, errAccess(err)
		}
		return f, nil
	}}
}

// namedAsReport reports whether a file's name says that a report is in it.
func namedAsReport(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".xml", ".gz", ".zip":
		return true
	}
	return namedAsMail(name)
}
