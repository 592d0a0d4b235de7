package term

import (
	"os"

	"golang.org/x/sys/windows"
)

// utf8CodePage is CP_UTF8.
const utf8CodePage = 65001

func prepare(f *os.File) (restore func(), escapes bool) {
	h := windows.Handle(f.Fd())
	var undo []func()
	if cp, err := windows.GetConsoleOutputCP(); err == nil && cp != utf8CodePage && windows.SetConsoleOutputCP(utf8CodePage) == nil {
		undo = append(undo, func() { _ = windows.SetConsoleOutputCP(cp) })
	}
	var mode uint32
	if windows.GetConsoleMode(h, &mode) == nil {
		want := mode | windows.ENABLE_PROCESSED_OUTPUT | windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING
		switch {
		case want == mode:
			escapes = true
		case windows.SetConsoleMode(h, want) == nil:
			escapes = true
			undo = append(undo, func() { _ = windows.SetConsoleMode(h, mode) })
		}
	}
	return func() {
		for _, f := range undo {
			f()
		}
	}, escapes
}

// systemLanguage returns the first language of the user interface, such as
// "ja-JP".
func systemLanguage() string {
	names, err := windows.GetUserPreferredUILanguages(windows.MUI_LANGUAGE_NAME)
	if err != nil || len(names) == 0 {
		return ""
	}
	return names[0]
}
