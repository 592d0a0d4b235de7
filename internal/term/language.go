package term

import (
	"strings"

	"github.com/sekisho/sekisho/lang"
)

// Language returns the language of the user: that of the first of LC_ALL,
// LC_MESSAGES and LANG that is set, as POSIX orders them, else on Windows that
// of the user interface. What is not Japanese is English.
func Language(env func(string) string) lang.Language {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := env(name); v != "" {
			return languageOf(v)
		}
	}
	return languageOf(systemLanguage())
}

// languageOf reads a locale such as "ja_JP.UTF-8" or "ja-JP".
func languageOf(locale string) lang.Language {
	if i := strings.IndexAny(locale, "_-.@"); i >= 0 {
		locale = locale[:i]
	}
	switch strings.ToLower(locale) {
	case "ja", "jpn", "japanese":
		return lang.JA
	}
	return lang.EN
}
