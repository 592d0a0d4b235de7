package mailbox

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFolderDepth bounds nesting of folders, which ends loops of mounts.
const maxFolderDepth = 64

// folder reads the mail in a folder and the folders in it, sorted by name.
// Links are not followed: they may lead out of the folder, or in circles.
func (w *walker) folder(path string) {
	visit(path, func(path string, d fs.DirEntry, err error, maildir bool) bool {
		switch {
		case err != nil:
			w.fail(path, 0, errAccess(err))
		case d != nil:
			w.file(path, !maildir && !namedAsMail(path))
		}
		return !w.done()
	})
}

// visit calls found for every file that a walk of the folder path reads, until
// it returns false. maildir says that the file stands where a Maildir keeps its
// messages.
func visit(path string, found func(path string, d fs.DirEntry, err error, maildir bool) bool) {
	var walk func(path string, depth int, maildir bool) bool
	walk = func(path string, depth int, maildir bool) bool {
		list, err := os.ReadDir(path)
		if err != nil && !found(path, nil, err, false) {
			return false
		}
		isMaildir := !maildir && hasFolder(list, "cur") && hasFolder(list, "new")
		for _, d := range list {
			name := filepath.Join(path, d.Name())
			switch {
			case isMaildir && !d.IsDir():
				// The files beside cur and new are the server's bookkeeping.
			case isMaildir && d.Name() == "tmp":
				// What stands here is not delivered yet.
			case d.IsDir() && depth < maxFolderDepth:
				inside := isMaildir && (d.Name() == "cur" || d.Name() == "new")
				// A Maildir keeps its folders in hidden directories.
				if isHidden(d.Name()) && !isMaildir {
					continue
				}
				if !walk(name, depth+1, inside) {
					return false
				}
			case d.Type().IsRegular() && !isHidden(d.Name()):
				if !found(name, d, nil, maildir) {
					return false
				}
			}
		}
		return true
	}
	walk(path, 0, false)
}

func hasFolder(list []fs.DirEntry, name string) bool {
	return slices.ContainsFunc(list, func(d fs.DirEntry) bool { return d.IsDir() && d.Name() == name })
}

func isHidden(name string) bool { return strings.HasPrefix(name, ".") || name == "__MACOSX" }

// namedAsMail reports whether a file's name says that it is mail. Content
// decides what a file is; the name only decides whether silence is right when
// it turns out to be none.
func namedAsMail(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".eml", ".msg", ".mbox", ".mbx":
		return true
	}
	return false
}

// Size returns how many bytes [Walk] will report progress for on these paths.
// known is false where that cannot be told beforehand, as with standard input.
func Size(paths []string) (bytes int64, known bool) {
	known = true
	for _, path := range paths {
		if path == Stdin {
			known = false
			continue
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
		case info.IsDir():
			visit(path, func(_ string, d fs.DirEntry, _ error, _ bool) bool {
				if d != nil {
					if info, err := d.Info(); err == nil {
						bytes += info.Size()
					}
				}
				return true
			})
		case info.Mode().IsRegular():
			bytes += info.Size()
		}
	}
	return bytes, known
}
