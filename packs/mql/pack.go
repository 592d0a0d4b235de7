// Package mql holds the rules for mail that sekisho ships with, written in the
// Message Query Language.
//
// A rule stands in the folder of the sign that it looks for: sender (who the
// mail says it is from), lure (what it says to make somebody act), link (where
// that leads) and attachment (what it brings). The verdict counts signs of
// different folders as different facts, so a rule must not look for the sign
// of another folder alone. Beside each rule is a file of the same name with
// mails that it must catch and mails that it must not.
package mql

import (
	"embed"
	"io/fs"
)

//go:embed sender/*.yml lure/*.yml link/*.yml attachment/*.yml
var files embed.FS

// Files returns the rule files. The identifier of a rule is "sekisho/" and its
// path without the extension.
func Files() fs.FS { return files }
