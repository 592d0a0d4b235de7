// Package term knows terminals: how wide text is, what may be written to one,
// and what this one can do.
//
// What a stranger wrote goes through [Clean] before it reaches a terminal: a
// subject must not move the cursor, change the title, answer a question of the
// shell or turn the line around. [Width], [Truncate], [Pad] and [Wrap] count
// the columns in which East Asian text is shown.
package term

import (
	"os"
	"strconv"

	"golang.org/x/term"
)

const (
	defaultColumns = 100
	minColumns     = 20
	maxColumns     = 1000
)

// IsTerminal reports whether f is a terminal.
func IsTerminal(f *os.File) bool {
	return f != nil && term.IsTerminal(int(f.Fd()))
}

// Columns returns the width of the terminal f: COLUMNS where it is set, else
// what the system says, else 100. It is never below 20, so that a layout has
// something to work with.
func Columns(f *os.File, env func(string) string) int {
	if n, err := strconv.Atoi(env("COLUMNS")); err == nil && n > 0 {
		return min(max(n, minColumns), maxColumns)
	}
	if f != nil {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return min(max(n, minColumns), maxColumns)
		}
	}
	return defaultColumns
}

// HasColor reports whether to write colours to f. FORCE_COLOR decides if it is
// set (0 and false mean no), then NO_COLOR (https://no-color.org); else there
// is colour on a terminal that is not TERM=dumb.
func HasColor(f *os.File, env func(string) string) bool {
	switch env("FORCE_COLOR") {
	case "":
	case "0", "false":
		return false
	default:
		return true
	}
	if env("NO_COLOR") != "" || env("TERM") == "dumb" {
		return false
	}
	return IsTerminal(f)
}

// Prepare makes the terminal f understand UTF-8 and escape sequences, which
// needs to be asked for on Windows. It reports whether escape sequences work;
// restore puts the terminal back as it was.
func Prepare(f *os.File) (restore func(), escapes bool) {
	if !IsTerminal(f) {
		return func() {}, false
	}
	return prepare(f)
}
