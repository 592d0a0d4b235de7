//go:build !windows

package term

import "os"

func prepare(*os.File) (restore func(), escapes bool) { return func() {}, true }

// systemLanguage is told by the environment alone.
func systemLanguage() string { return "" }
