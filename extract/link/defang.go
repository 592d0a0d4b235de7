package link

import "strings"

// Defang writes a URL, a host name or an address so that neither a mail program
// nor a chat makes a link of it: "hxxps://kiso-works[.]example/login",
// "clerk[@]kiso-works[.]example". Dots of the path stay.
func Defang(s string) string {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		if s, found := cutFold(s, "mailto:"); found {
			return "mailto:" + defangAddress(s)
		}
		if strings.Contains(s, "@") {
			return defangAddress(s)
		}
		host, path := cutHost(s)
		return defangHost(host) + path
	}
	switch strings.ToLower(scheme) {
	case "http", "https":
		scheme = "hxxp" + scheme[len("http"):]
	case "ftp":
		scheme = "fxp"
	}
	host, path := cutHost(rest)
	return scheme + "://" + defangHost(host) + path
}

func defangAddress(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "[@]", "@"), "@", "[@]")
	i := strings.LastIndex(s, "[@]")
	host, rest := cutHost(s[i+len("[@]"):])
	return s[:i+len("[@]")] + defangHost(host) + rest
}

func defangHost(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "[.]", "."), ".", "[.]")
}

// cutHost splits s where a path, query or fragment starts.
func cutHost(s string) (host, rest string) {
	if i := strings.IndexAny(s, "/?#\\"); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

var refanger = strings.NewReplacer(
	"[.]", ".", "(.)", ".", "{.}", ".", "[dot]", ".", "(dot)", ".", "[DOT]", ".", "[,]", ".",
	"[:]", ":", "[://]", "://", "[/]", "/", "[@]", "@", "(@)", "@", "[at]", "@", "(at)", "@", "[AT]", "@",
)

// Refang undoes [Defang] and the other ways in which people defang.
func Refang(s string) string {
	s = refanger.Replace(s)
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return s
	}
	switch strings.ToLower(scheme) {
	case "hxxp", "hxxps", "htxp", "htxps", "h**p", "h**ps", "meow", "meows":
		if strings.HasSuffix(strings.ToLower(scheme), "s") {
			return "https://" + rest
		}
		return "http://" + rest
	case "fxp":
		return "ftp://" + rest
	}
	return s
}
