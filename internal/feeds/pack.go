package feeds

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	packs "github.com/sekisho/sekisho/packs/mql"
)

// Builtin is the path that stands for the rules that sekisho ships with, and
// their [Rule.Source]. A folder of that name is reached as "./sekisho".
const Builtin = "sekisho"

// The signs that the built-in rules look for: the folders of package packs/mql.
const (
	SignSender     = "sender"     // who the mail says it is from
	SignLure       = "lure"       // what it says to make somebody act
	SignLink       = "link"       // where that leads
	SignAttachment = "attachment" // what it brings
)

// BuiltinSign returns the sign that a built-in rule looks for, by its
// identifier, and "" for a rule of others.
func BuiltinSign(id string) string {
	rest, ok := strings.CutPrefix(id, Builtin+"/")
	if !ok {
		return ""
	}
	sign, _, ok := strings.Cut(rest, "/")
	if !ok {
		return ""
	}
	return sign
}

// Builtin reports whether sekisho ships with the rule.
func (r *Rule) Builtin() bool { return r.Source == Builtin }

// builtin calls add with each rule file that sekisho ships with, in the order
// of their names.
func builtin(add func(name string, data []byte) error) error {
	files := packs.Files()
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return fmt.Errorf("reading the built-in rule %s: %w", name, err)
		}
		return add(path.Join(Builtin, name), data)
	})
}
