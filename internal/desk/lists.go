package desk

import (
	"errors"
	"io/fs"

	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/lang"
)

// OpenLists looks for lists in folders; see [feeds.OpenLists].
func OpenLists(dirs []string) (*feeds.Lists, error) {
	l, err := feeds.OpenLists(dirs...)
	if err == nil {
		return l, nil
	}
	dir := ""
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		dir = e.Path
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{Kind: NotFound, Message: lang.M("listfile.error.missing", "dir", dir), Hint: lang.M("listfile.hint.dir"), Err: err}
	}
	return nil, &Error{Kind: Invalid, Message: lang.M("listfile.error.open", "dir", dir), Hint: lang.M("listfile.hint.dir"), Err: err}
}

// ListProblems reads the lists of these names and returns which of them cannot
// be used as they are.
func ListProblems(l *feeds.Lists, names []string) []*Error {
	if l == nil {
		return nil
	}
	l.Load(names...)
	var out []*Error
	for _, n := range l.Unread() {
		out = append(out, &Error{Kind: Invalid, Message: lang.M("doctor.lists.file", "file", n.File, "why", n.Message), Hint: lang.M("listfile.hint.doctor")})
	}
	return out
}
